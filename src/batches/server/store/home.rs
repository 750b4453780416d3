//! What a batch needs to know of its surroundings: the workspace's lines, and how long calls last.

use crate::access::server::{ReadTx, WriteTx};
use crate::platform::model::{Limits, WorkspacePlan};
use crate::platform::server::limits;
use crate::shared::AppError;
use crate::shared::ids::{BatchId, CampaignId, ClientId};

/// Average whole seconds of talk over the campaign's last answered calls.
pub async fn average_seconds(tx: &mut ReadTx, campaign: CampaignId) -> Result<Option<f64>, AppError> {
    Ok(sqlx::query_scalar!(
        "select avg(duration)::float8 from (select duration from calls where workspace_id = $1 and campaign_id = $2 and ended_at is not null
           order by started_at desc limit 200) q",
        tx.w(),
        campaign.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Batches of a client that dial now, or begin to.
pub async fn under_way(tx: &mut ReadTx, client: ClientId) -> Result<Vec<BatchId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: BatchId" from call_batches
           where workspace_id = $1 and client_id = $2 and status in ('pending', 'processing') order by id"#,
        tx.w(),
        client.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Clients for which nothing new is dialled this month.
pub async fn clients_held(tx: &mut ReadTx) -> Result<Vec<ClientId>, AppError> {
    let reached = crate::clients::server::budget::reached(tx, None).await?;
    Ok(reached.into_iter().filter(|standing| standing.holds()).map(|standing| standing.id).collect())
}

/// Whether nothing may be dialled in the whole workspace.
pub async fn is_suspended(tx: &mut ReadTx) -> Result<bool, AppError> {
    let w = tx.w();
    Ok(sqlx::query_scalar!(r#"select status = 'suspended' as "suspended!" from workspaces where id = $1"#, w)
        .fetch_one(tx.conn())
        .await?)
}

/// What dialling needs to know of the workspace.
pub struct Home {
    /// Calls at once, over all batches: what the agency allows itself, at most what the platform grants.
    pub lines: i64,
    pub suspended: bool,
    /// The provider asked not to be asked for so long.
    pub hold: Option<std::time::Duration>,
}

/// Locked until the commit: batches of one workspace count the free lines one after the other.
pub async fn lock_workspace(tx: &mut WriteTx) -> Result<Home, AppError> {
    let row = sqlx::query!(
        r#"select plan as "plan: WorkspacePlan", settings -> 'limits' as limits, (settings ->> 'concurrency')::bigint as concurrency,
                  status = 'suspended' as "suspended!",
                  extract(epoch from (settings ->> 'voice_hold_until')::timestamptz - clock_timestamp())::float8 as hold
           from workspaces where id = $1 for no key update"#,
        tx.w()
    )
    .fetch_one(tx.conn())
    .await?;
    let hold = row.hold.filter(|seconds| *seconds > 0.0).map(std::time::Duration::from_secs_f64);
    let granted = Limits::of(row.plan, limits::read(row.limits)).lines;
    let lines = row.concurrency.map_or(granted, |own| own.min(granted));
    Ok(Home { lines, suspended: row.suspended, hold })
}

/// Nobody in the workspace asks the provider for a call for so long. A longer hold stays.
pub async fn hold(tx: &mut WriteTx, wait: std::time::Duration) -> Result<(), AppError> {
    sqlx::query!(
        "update workspaces set settings = jsonb_set(settings, '{voice_hold_until}', to_jsonb(
           greatest((settings ->> 'voice_hold_until')::timestamptz, clock_timestamp() + make_interval(secs => $2))))
         where id = $1",
        tx.w(),
        wait.as_secs_f64()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
