//! Pages about tests: `/agents/{id}/tests`, `/agents/{id}/tests/new`, `/agents/{id}/tests/{case}`, `/agents/{id}/tests/runs` and
//! `/test-runs/{id}`.

mod case;
mod cases;
mod run;
mod runs;
mod shown;

pub use case::{new_test_case_page, test_case_page};
pub use cases::test_cases_page;
pub use run::suite_run_page;
pub use runs::suite_runs_page;
