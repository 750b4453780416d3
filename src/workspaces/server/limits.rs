//! What an agency may have: its plan, or what the platform has agreed with it.

use serde_json::Value;

use crate::model::{Agreed, Held, Kind, Limits, WorkspacePlan};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_services::HookFuture;
use patchbay_shared::{AppError, Reason};

/// Counts something of the workspace that the transaction is in.
pub type Count = for<'a> fn(&'a mut ReadTx) -> HookFuture<'a, i64>;

/// How upper crates count what is limited. Boot gives them.
pub struct Counters {
    /// Active people and open invitations.
    pub people: Count,
    /// Active people alone.
    pub members: Count,
    pub clients: Count,
    pub agents: Count,
    /// Calls on the line.
    pub lines: Count,
}

async fn count(tx: &mut ReadTx, which: fn(&Counters) -> Count) -> Result<i64, AppError> {
    let count = which(tx.services().hooks.get::<Counters>()?);
    count(tx).await
}

/// The plan, and what the agency may have.
pub async fn granted(tx: &mut ReadTx) -> Result<(WorkspacePlan, Limits), AppError> {
    let (plan, agreed) = agreed(tx).await?;
    Ok((plan, Limits::of(plan, agreed)))
}

/// The plan, and what was agreed in its place.
pub async fn agreed(tx: &mut ReadTx) -> Result<(WorkspacePlan, Agreed), AppError> {
    let w = tx.workspace_uuid();
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
        people: count(tx, |counters| counters.people).await?,
        clients: count(tx, |counters| counters.clients).await?,
        agents: count(tx, |counters| counters.agents).await?,
        lines: count(tx, |counters| counters.lines).await?,
        granted,
    };
    Ok((plan, held))
}

/// Whether the agency has room for what this transaction has added. Who asks at the same moment asks after its end.
/// Errors: `Conflict` that says what to do.
pub async fn check_limit(tx: &mut WriteTx, kind: Kind) -> Result<(), AppError> {
    lock(tx).await?;
    let (plan, granted) = granted(tx.reading()).await?;
    // A client's admin counts the whole agency's people and invitations without seeing them.
    tx.reading().count_whole_agency().await?;
    let (limit, used, one, what) = match kind {
        Kind::People => (granted.people, count(tx.reading(), |counters| counters.people).await?, "person", "people"),
        Kind::Members => (granted.people, count(tx.reading(), |counters| counters.members).await?, "person", "people"),
        Kind::Clients => {
            (granted.clients, count(tx.reading(), |counters| counters.clients).await?, "client", "clients")
        }
        Kind::Agents => (granted.agents, count(tx.reading(), |counters| counters.agents).await?, "agent", "agents"),
    };
    tx.reading().back_in_client().await?;
    let Some(limit) = limit.filter(|limit| used > *limit) else { return Ok(()) };
    // What the agency has agreed with the platform is the agency's business.
    let is_told = tx.scope().viewer().is_some() && tx.scope().may(Action::ReadAgency);
    Err(AppError::Conflict(
        Reason::LimitReached,
        if is_told {
            format!(
                "This agency's plan ({}) allows {limit} {}; this would make {used}. Free some up, or ask for a larger plan.",
                plan.label(),
                if limit == 1 { one } else { what },
            )
        } else {
            format!("The agency's plan has no room for more {what} right now. Ask the agency.")
        },
    ))
}

/// Locks the workspace until the commit. Whoever asks for room and writes into the audit log before that locks it first: in the same order as
/// everywhere.
pub async fn lock(tx: &mut WriteTx) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    sqlx::query!("select id from workspaces where id = $1 for no key update", w).fetch_all(tx.conn()).await?;
    Ok(())
}
