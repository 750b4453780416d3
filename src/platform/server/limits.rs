//! What an agency may have: its plan, or what the platform has agreed with it.

use serde_json::Value;

use crate::access::Action;
use crate::access::server::{ReadTx, WriteTx};
use crate::platform::model::{Agreed, Held, Kind, Limits, WorkspacePlan};
use crate::shared::AppError;
use crate::{agents, batches, clients, members};

/// The plan, and what the agency may have.
pub async fn granted(tx: &mut ReadTx) -> Result<(WorkspacePlan, Limits), AppError> {
    let (plan, agreed) = agreed(tx).await?;
    Ok((plan, Limits::of(plan, agreed)))
}

/// The plan, and what was agreed in its place.
pub async fn agreed(tx: &mut ReadTx) -> Result<(WorkspacePlan, Agreed), AppError> {
    let w = tx.w();
    let row = sqlx::query!(
        r#"select plan as "plan: WorkspacePlan", settings -> 'limits' as limits from workspaces where id = $1"#,
        w
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.plan, read(row.limits)))
}

/// What was agreed, as it lies in `workspaces.settings`.
pub fn read(limits: Option<Value>) -> Agreed {
    limits.and_then(|limits| serde_json::from_value(limits).ok()).unwrap_or_default()
}

/// What the agency holds of what it may have.
pub async fn held(tx: &mut ReadTx) -> Result<(WorkspacePlan, Held), AppError> {
    let (plan, granted) = granted(tx).await?;
    let held = Held {
        people: members::server::store::count(tx).await?,
        clients: clients::server::store::count(tx).await?,
        agents: agents::server::store::count(tx).await?,
        lines: batches::server::store::lines_in_use(tx).await?,
        granted,
    };
    Ok((plan, held))
}

/// Whether the agency has room for what this transaction has added. Who asks at the same moment asks after its end.
/// Errors: `Conflict` that says what to do.
pub async fn room(tx: &mut WriteTx, kind: Kind) -> Result<(), AppError> {
    lock(tx).await?;
    let (plan, granted) = granted(tx.reading()).await?;
    // A client's admin, and whoever accepts an invitation, counts the whole agency's people without seeing them.
    tx.span("how many people").await?;
    let (limit, used, what) = match kind {
        Kind::People => (granted.people, members::server::store::count(tx.reading()).await?, "people"),
        Kind::Members => (granted.people, members::server::store::active(tx.reading()).await?, "people"),
        Kind::Clients => (granted.clients, clients::server::store::count(tx.reading()).await?, "clients"),
        Kind::Agents => (granted.agents, agents::server::store::count(tx.reading()).await?, "agents"),
    };
    let Some(limit) = limit.filter(|limit| used > *limit) else { return Ok(()) };
    // What the agency has agreed with the platform is the agency's business.
    let is_told = tx.scope().viewer().is_some() && tx.scope().may(Action::ReadAgency);
    Err(AppError::Conflict(if is_told {
        format!(
            "The plan of this agency ({}) gives room for {limit} {what}; this would make {used}. Make room, or ask for a larger plan.",
            plan.label()
        )
    } else {
        format!("There is no room for more {what} just now. Ask the agency.")
    }))
}

/// Locks the workspace until the commit. Whoever asks for room and writes into the trail before that locks it first: in the same order as
/// everywhere.
pub async fn lock(tx: &mut WriteTx) -> Result<(), AppError> {
    let w = tx.w();
    sqlx::query!("select id from workspaces where id = $1 for no key update", w).fetch_all(tx.conn()).await?;
    Ok(())
}
