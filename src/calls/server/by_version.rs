//! What calls came to with each version of a prompt, for the prompt's page.

use chrono::Days;

use super::store::by_version;
use crate::model::{CallQuery, ResultFilter, interval_text, share_text};
use patchbay_access::server::ReadTx;
use patchbay_prompts::model::{Outcomes, VersionOutcome};
use patchbay_shared::AppError;
use patchbay_shared::ids::PromptId;
use patchbay_shared::zone;

/// How many days are looked back on, this one included.
const DAYS: u64 = 90;

/// Figures of the last days by version, each with the address of exactly its calls.
pub async fn outcomes(tx: &mut ReadTx, prompt: PromptId) -> Result<Outcomes, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let first = now.with_timezone(&zone).date_naive() - Days::new(DAYS - 1);
    let first = first.to_string();
    let from = zone::days(Some(&first), None, zone)?.from.unwrap_or(now);
    let found = by_version::since(tx, prompt, from).await?;
    let rows = found.into_iter().map(|of| {
        let calls = CallQuery {
            from: Some(first.clone()),
            prompt: Some(prompt.to_string()),
            version: Some(of.version.to_string()),
            ..CallQuery::default()
        };
        VersionOutcome {
            version: of.version,
            calls: of.calls,
            answered: of.answered,
            goals: of.goals,
            goal_rate: share_text(of.goals, of.answered),
            interval: interval_text(of.goals, of.answered),
            answered_at: calls.of_result(ResultFilter::Answered).address(),
            goals_at: calls.of_goals().address(),
            calls_at: calls.address(),
        }
    });
    Ok(Outcomes { days: DAYS as i64, rows: rows.collect() })
}
