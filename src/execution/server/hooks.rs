//! What whoever gives out jobs is asked and told: runs of teams stand above this crate.

use rust_decimal::Decimal;

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_services::HookFuture;
use patchbay_shared::ids::{ExecutionJobId, SupervisorRunId};

/// A job of a run has ended, in the transaction that ends it. Jobs that a job asked for are told of to nobody.
pub struct JobEnded(pub for<'a> fn(&'a mut WriteTx, Ended) -> HookFuture<'a>);

#[derive(Debug, Clone, Copy)]
pub struct Ended {
    pub job: ExecutionJobId,
    pub run: SupervisorRunId,
}

/// Whether a run may go on. Asked before each answer of a model and each use of a tool.
pub struct RunMayGoOn(pub for<'a> fn(&'a mut ReadTx, SupervisorRunId) -> HookFuture<'a, Standing>);

/// Where a run stands.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Why nothing more is done for it, in words. None: it may go on.
    pub stop: Option<String>,
    /// What it has come to, in US dollars.
    pub cost: Decimal,
}

/// Something was done for a run, in the transaction that writes the step down.
pub struct RunSpent(pub for<'a> fn(&'a mut WriteTx, SupervisorRunId, Spent) -> HookFuture<'a>);

#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub steps: i32,
    pub tokens: i64,
    pub cost: Decimal,
    /// A model answered, and nobody knows what that costs.
    pub is_unpriced: bool,
    /// How long people were waited for.
    pub waited_ms: i64,
}
