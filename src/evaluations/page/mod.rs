//! Pages about tests (and `/runs/{id}/again`): `/agents/{id}/tests`, `/agents/{id}/tests/new`, `/agents/{id}/tests/{case}`, `/agents/{id}/tests/runs`,
//! `/test-runs/{id}` and `/test-runs/compare`; about grids: `/agents/{id}/tests/grid`, `/agents/{id}/tests/grids` and `/test-grids/{id}`.

mod again;
mod case;
mod cases;
mod compare;
mod grid;
mod grid_form;
mod grids;
mod run;
mod runs;
mod shown;

pub use again::run_again_page;
pub use case::{new_test_case_page, test_case_page};
pub use cases::test_cases_page;
pub use compare::compare_runs_page;
pub use grid::test_grid_page;
pub use grid_form::test_grid_form_page;
pub use grids::test_grids_page;
pub use run::suite_run_page;
pub use runs::suite_runs_page;
