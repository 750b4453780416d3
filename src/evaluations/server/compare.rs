//! Two runs of one suite beside each other.

use super::store::{self, results, runs};
use crate::model::{ComparePage, ComparedRun, SuiteQuery, SuiteRun, compared};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::SuiteRunId;

/// Runs to choose from.
const RUNS: usize = 50;

/// `b`: beside this run of the same agent; without one it is to be chosen. Errors: `NotFound`, also for a run of another agent.
pub(crate) async fn page(tx: &mut ReadTx, a: SuiteRunId, b: Option<SuiteRunId>) -> Result<ComparePage, AppError> {
    let first = runs::get(tx, a).await?;
    let agent = store::agent(tx, first.agent).await?;
    let mut listed: Vec<(SuiteRunId, String)> = Vec::new();
    for row in runs::list(tx, first.agent, &SuiteQuery::default(), RUNS).await?.rows {
        listed.push((row.id, format!("Run {}: v{} with {}", row.number, row.version, row.model)));
    }
    let mut keep = |run: &SuiteRun| {
        if !listed.iter().any(|(id, _)| *id == run.row.id) {
            listed.push((run.row.id, shown(run).name));
        }
    };
    keep(&first);
    let (other, rows) = match b {
        Some(b) => {
            let other = runs::get(tx, b).await?;
            if other.agent != first.agent {
                return Err(AppError::NotFound);
            }
            keep(&other);
            let (before, after) = (results::of_run(tx, a).await?, results::of_run(tx, b).await?);
            (Some(shown(&other)), compared(&before, &after))
        }
        None => (None, Vec::new()),
    };
    Ok(ComparePage { agent, runs: listed, a: shown(&first), b: other, rows })
}

fn shown(run: &SuiteRun) -> ComparedRun {
    ComparedRun {
        run: run.row.id,
        number: run.row.number,
        name: format!("Run {}: v{} with {}", run.row.number, run.row.version, run.row.model),
        status: run.row.status,
        counts: run.row.counts,
        median_ms: run.reply_ms,
        spent: run.row.spent,
        unpriced: run.row.unpriced,
    }
}
