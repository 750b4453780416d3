//! Pages about runs and errors: `/runs`, `/runs/{id}`, `/errors` and `/errors/{id}`.

mod cause;
mod causes;
mod compare;
mod detail;
mod knowledge;
mod list;
mod step;

pub use cause::error_page;
pub use causes::errors_page;
pub use detail::run_page;
pub use knowledge::KnowledgeCard;
pub use list::runs_page;
