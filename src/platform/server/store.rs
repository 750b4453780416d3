//! The list of agencies and the state of their queues, read over all tenants.

use crate::model::{QueueHealth, WorkspaceQuery, WorkspaceRow};
use patchbay_access::server::SystemTx;
use patchbay_shared::ids::WorkspaceId;
use patchbay_shared::{AppError, Cursor, Page, zone};
use patchbay_workspaces::model::{Agreed, WorkspacePlan, WorkspaceStatus};

const PAGE: usize = 50;

/// Agencies by newest first.
pub async fn list(
    tx: &mut SystemTx,
    query: &WorkspaceQuery,
    zone: chrono_tz::Tz,
) -> Result<Page<WorkspaceRow>, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref());
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<uuid::Uuid>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let now = chrono::Utc::now();
    let rows = sqlx::query!(
        r#"select w.id, w.name, w.slug, w.plan as "plan: WorkspacePlan", w.status as "status: WorkspaceStatus", w.created_at,
                  o.email as "owner?",
                  (select count(*) from users u where u.workspace_id = w.id) as "users!",
                  (select count(*) from (select 1 from jobs j where j.workspace_id = w.id and j.status = 'failed' limit 1000) f)
                  + (select count(*) from (select 1 from webhook_queue q where q.workspace_id = w.id and q.status = 'failed' limit 1000) f)
                    as "failed!"
           from workspaces w left join users o on o.id = w.owner_id
           where ($1::text is null or w.name ilike '%' || $1 || '%' or w.slug ilike '%' || $1 || '%')
             and ($2::text is null or w.status::text = $2)
             and ($3::uuid is null or ($4 and w.id < $3) or (not $4 and w.id > $3))
           order by case when $4 then w.id end desc, case when not $4 then w.id end limit $5"#,
        query.words.as_deref().map(str::trim).filter(|words| !words.is_empty()),
        query.status.as_deref().filter(|status| !status.is_empty()),
        key,
        older,
        PAGE as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| WorkspaceRow {
            id: WorkspaceId(row.id),
            name: row.name,
            slug: row.slug,
            owner: row.owner,
            plan: row.plan,
            status: row.status,
            users: row.users,
            failed_work: row.failed,
            created: zone::stamp(row.created_at, now, zone),
        })
        .collect();
    Ok(Page::cut(rows, PAGE, cursor.as_ref(), |row| row.id.to_string()))
}

/// One agency. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut SystemTx, id: WorkspaceId, zone: chrono_tz::Tz) -> Result<Found, AppError> {
    let row = sqlx::query!(
        r#"select w.name, w.slug, w.plan as "plan: WorkspacePlan", w.status as "status: WorkspaceStatus", w.timezone, w.created_at,
                  w.settings -> 'limits' as limits, o.email as "owner?",
                  (select count(*) from users u where u.workspace_id = w.id) as "users!"
           from workspaces w left join users o on o.id = w.owner_id where w.id = $1"#,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let queues = queues(tx, Some(id)).await?;
    Ok(Found {
        row: WorkspaceRow {
            id,
            name: row.name,
            slug: row.slug,
            owner: row.owner,
            plan: row.plan,
            status: row.status,
            users: row.users,
            failed_work: queues.iter().map(|queue| queue.failed).sum(),
            created: zone::stamp(row.created_at, chrono::Utc::now(), zone),
        },
        timezone: row.timezone,
        agreed: patchbay_workspaces::server::limits::read(row.limits),
        queues,
    })
}

/// What the tables that span tenants know of an agency.
pub(crate) struct Found {
    pub row: WorkspaceRow,
    pub timezone: String,
    pub agreed: Agreed,
    pub queues: Vec<QueueHealth>,
}

/// Waiting and failed work, over all agencies or of one.
pub(crate) async fn queues(tx: &mut SystemTx, of: Option<WorkspaceId>) -> Result<Vec<QueueHealth>, AppError> {
    let rows = sqlx::query!(
        r#"select 'Jobs' as "name!", (select count(*) from (select 1 from jobs where ($1::uuid is null or workspace_id = $1) and status = 'pending' and run_at <= now() limit 10000) q) as "waiting!",
                  (select count(*) from (select 1 from jobs where ($1::uuid is null or workspace_id = $1) and status = 'failed' limit 10000) q) as "failed!",
                  (select extract(epoch from now() - min(run_at))::bigint from jobs where ($1::uuid is null or workspace_id = $1) and status = 'pending' and run_at <= now()) as oldest
           union all
           select 'Webhooks', (select count(*) from (select 1 from webhook_queue where ($1::uuid is null or workspace_id = $1) and status = 'pending' and next_attempt_at <= now() limit 10000) q),
                  (select count(*) from (select 1 from webhook_queue where ($1::uuid is null or workspace_id = $1) and status = 'failed' limit 10000) q),
                  (select extract(epoch from now() - min(next_attempt_at))::bigint from webhook_queue where ($1::uuid is null or workspace_id = $1) and status = 'pending' and next_attempt_at <= now())
           union all
           select 'Transcripts and analyses', (select count(*) from (select 1 from enrichment_queue where ($1::uuid is null or workspace_id = $1) and status = 'pending' and next_attempt_at <= now() limit 10000) q),
                  (select count(*) from (select 1 from enrichment_queue where ($1::uuid is null or workspace_id = $1) and status = 'failed' limit 10000) q),
                  (select extract(epoch from now() - min(next_attempt_at))::bigint from enrichment_queue where ($1::uuid is null or workspace_id = $1) and status = 'pending' and next_attempt_at <= now())"#,
        of.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| QueueHealth { name: row.name, waiting: row.waiting, failed: row.failed, oldest_seconds: row.oldest })
        .collect())
}
