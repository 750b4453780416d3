//! What supervisors and workers did, step by step. Whoever did something writes it down in the transaction that keeps what came of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::hooks::{RunSpent, Spent};
use super::plain::storable_value;
use super::store::steps as store;
use crate::model::StepKind;
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ExecutionJobId, SupervisorRunId};

/// A step of a run, of a job, or of both.
#[derive(Debug, Clone)]
pub struct NewStepRow<'a> {
    pub run: Option<SupervisorRunId>,
    pub job: Option<ExecutionJobId>,
    pub agent: Option<AgentId>,
    pub kind: StepKind,
    pub title: &'a str,
    pub payload: Value,
    pub began: DateTime<Utc>,
    pub took: Duration,
    /// Read and written by a model. None: no model was asked.
    pub tokens: Option<(u64, u64)>,
    /// None, with tokens: nobody knows.
    pub cost: Option<Decimal>,
    pub error: Option<&'a str>,
}

/// What counts against a limit of steps.
fn counts(kind: StepKind) -> bool {
    use StepKind::{AskedBack, Classified, Composed, Model, Process, Tool};
    matches!(kind, AskedBack | Classified | Composed | Model | Process | Tool)
}

/// Writes a step down and counts it for its run and its job, in this order.
pub async fn record(tx: &mut WriteTx, new: &NewStepRow<'_>) -> Result<(), AppError> {
    let tokens = new.tokens.map_or(0, |(read, written)| read.saturating_add(written));
    let spent = Spent {
        steps: i32::from(counts(new.kind)),
        tokens: i64::try_from(tokens).unwrap_or(i64::MAX),
        cost: new.cost.unwrap_or_default(),
        is_unpriced: new.tokens.is_some() && new.cost.is_none(),
        waited_ms: 0,
    };
    if let Some(run) = new.run {
        let hook = tx.services().hooks.get::<RunSpent>()?.0;
        hook(tx, run, spent).await?;
        tx.notify(Topic::one("supervisor_run", run), None);
    }
    if let Some(job) = new.job {
        store::count(tx, job, &spent).await?;
        tx.notify(Topic::one("execution_job", job), None);
    }
    let row = NewStepRow { payload: storable_value(new.payload.clone()), ..new.clone() };
    store::insert(tx, &row).await
}
