//! Statements that remove what is old, some at a time.

use uuid::Uuid;

use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;

/// Removes events of more than thirty days ago with all that was sent of them, so many at most, also what has rested all that time. What was
/// replayed since stays as long as it waits. Gives how many.
pub(crate) async fn remove_old(tx: &mut WriteTx, most: i64) -> Result<usize, AppError> {
    let events: Vec<Uuid> = sqlx::query_scalar!(
        "select v.id from webhook_events v
         where v.workspace_id = $1 and v.occurred_at < now() - interval '30 days'
           and not exists (select from webhook_deliveries d where d.workspace_id = $1 and d.event_id = v.id and d.state = 'waiting'
                             and d.replayed_at > now() - interval '30 days')
         order by v.occurred_at limit $2 for update skip locked",
        tx.workspace_uuid(),
        most
    )
    .fetch_all(tx.conn())
    .await?;
    if events.is_empty() {
        return Ok(0);
    }
    let deliveries: Vec<Uuid> = sqlx::query_scalar!(
        "select id from webhook_deliveries where workspace_id = $1 and event_id = any($2) for update",
        tx.workspace_uuid(),
        &events
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "delete from webhook_attempts where workspace_id = $1 and delivery_id = any($2)",
        tx.workspace_uuid(),
        &deliveries
    )
    .execute(tx.conn())
    .await?;
    // One that somebody replayed in this moment.
    sqlx::query!(
        "delete from delivery_queue where workspace_id = $1 and id = any($2)",
        tx.workspace_uuid(),
        &deliveries
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from webhook_deliveries where workspace_id = $1 and id = any($2)",
        tx.workspace_uuid(),
        &deliveries
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("delete from webhook_events where workspace_id = $1 and id = any($2)", tx.workspace_uuid(), &events)
        .execute(tx.conn())
        .await?;
    Ok(events.len())
}

/// Removes endpoints that people removed and of which nothing is left.
pub(crate) async fn remove_endpoints(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "delete from webhook_endpoints e
         where e.workspace_id = $1 and e.removed_at < now() - interval '1 day'
           and not exists (select from webhook_deliveries d where d.workspace_id = $1 and d.endpoint_id = e.id)",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
