use crate::access::Role;
use crate::access::server::{SystemTx, WriteTx};
use crate::platform::model::{Agreed, QueueHealth, WorkspacePlan, WorkspaceQuery, WorkspaceRow, WorkspaceStatus};
use crate::shared::ids::{UserId, WorkspaceId};
use crate::shared::{AppError, Cursor, Page, zone};

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
pub async fn get(tx: &mut SystemTx, id: WorkspaceId, zone: chrono_tz::Tz) -> Result<Found, AppError> {
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
        agreed: super::limits::read(row.limits),
        queues,
    })
}

/// What the tables that span tenants know of an agency.
pub struct Found {
    pub row: WorkspaceRow,
    pub timezone: String,
    pub agreed: Agreed,
    pub queues: Vec<QueueHealth>,
}

/// Waiting and failed work, over all agencies or of one.
pub async fn queues(tx: &mut SystemTx, of: Option<WorkspaceId>) -> Result<Vec<QueueHealth>, AppError> {
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

/// Writes the workspace that the transaction is in.
pub async fn insert_workspace(tx: &mut WriteTx, name: &str, slug: &str, timezone: &str) -> Result<(), AppError> {
    let w = tx.w();
    sqlx::query!("insert into workspaces (id, name, slug, timezone) values ($1, $2, $3, $4)", w, name, slug, timezone)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A person; without a workspace, a platform admin.
pub async fn insert_user(
    conn: &mut sqlx::PgConnection,
    id: UserId,
    workspace: Option<WorkspaceId>,
    name: &str,
    email: &str,
    role: Role,
    hash: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into users (id, workspace_id, name, email, role, password_hash) values ($1, $2, $3, $4, $5, $6)",
        id.0,
        workspace.map(|workspace| workspace.0),
        name.trim(),
        email.trim(),
        role as Role,
        hash
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_owner(tx: &mut WriteTx, owner: UserId) -> Result<(), AppError> {
    let w = tx.w();
    sqlx::query!("update workspaces set owner_id = $2 where id = $1", w, owner.0).execute(tx.conn()).await?;
    Ok(())
}

/// What was agreed in place of the plan's own limits.
pub async fn set_agreed(tx: &mut WriteTx, agreed: Agreed) -> Result<(), AppError> {
    let w = tx.w();
    sqlx::query!(
        "update workspaces set settings = jsonb_set(settings, '{limits}', $2), updated_at = now() where id = $1",
        w,
        serde_json::json!(agreed)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// True if nobody owns the agency yet; locked until the commit.
pub async fn has_no_owner(tx: &mut WriteTx) -> Result<bool, AppError> {
    let w = tx.w();
    let row = sqlx::query_scalar!(
        r#"select owner_id is null as "is_free!" from workspaces where id = $1 for no key update"#,
        w
    );
    Ok(row.fetch_one(tx.conn()).await?)
}

/// True if the plan changed.
pub async fn set_plan(tx: &mut WriteTx, plan: WorkspacePlan) -> Result<bool, AppError> {
    let w = tx.w();
    let done = sqlx::query!(
        "update workspaces set plan = $2, updated_at = now() where id = $1 and plan <> $2",
        w,
        plan as WorkspacePlan
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The first owner who accepts an invitation owns the agency.
pub async fn claim_ownership(tx: &mut WriteTx, owner: UserId) -> Result<(), AppError> {
    let w = tx.w();
    sqlx::query!("update workspaces set owner_id = $2 where id = $1 and owner_id is null", w, owner.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// True if the state changed.
pub async fn set_status(tx: &mut WriteTx, status: WorkspaceStatus) -> Result<bool, AppError> {
    let w = tx.w();
    let done = sqlx::query!(
        "update workspaces set status = $2, updated_at = now() where id = $1 and status <> $2",
        w,
        status as WorkspaceStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}
