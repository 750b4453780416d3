//! Pages about execution: `/execution`, `/execution/new`, `/jobs`, `/jobs/{id}`, `/approvals` and `/approvals/{id}`;
//! `/execution/engines` and `/execution/targets` with `/new` and `/{id}`.

mod approval;
mod approvals;
mod control;
mod engine;
mod engines;
mod job;
mod job_parts;
mod jobs;
mod new;
mod parts;
mod rack;
mod target;
mod targets;

pub use approval::approval_page;
pub use approvals::approvals_page;
pub use control::control_room_page;
pub use engine::{engine_page, new_engine_page};
pub use engines::engines_page;
pub use job::job_page;
pub use jobs::jobs_page;
pub use new::new_job_page;
pub use parts::{ApprovalCard, execution_tabs};
pub use target::{new_target_page, target_page};
pub use targets::targets_page;
