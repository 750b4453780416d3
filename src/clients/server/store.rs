//! All statements that change `clients`.

use crate::model::{Client, ClientRow, ClientStatus};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_access::{ClientAdminRights, ClientName};
use patchbay_metering::model::BudgetAction;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;

/// Clients by newest first, `limit` rows on a page. `words` is a part of the name; archived ones only when asked for.
pub async fn list(
    tx: &mut ReadTx,
    words: Option<&str>,
    archived: bool,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<ClientRow>, AppError> {
    let cursor = Cursor::parse(cursor);
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<uuid::Uuid>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let rows = sqlx::query!(
        r#"select c.id as "id: ClientId", c.name, c.status as "status: ClientStatus", c.timezone, c.created_at,
                  (select count(*) from agents a where a.workspace_id = $1 and a.client_id = c.id and a.is_active) as "agents!",
                  (select count(*) from (select 1 from campaigns g where g.workspace_id = $1 and g.client_id = c.id limit 1000) g) as "campaigns!",
                  (select count(*) from users u where u.workspace_id = $1 and u.client_id = c.id) as "users!"
           from clients c
           where c.workspace_id = $1 and ($2::text is null or c.name ilike '%' || $2 || '%')
             and ($3 = (c.status = 'archived'))
             and ($4::uuid is null or ($5 and c.id < $4) or (not $5 and c.id > $4))
           order by case when $5 then c.id end desc, case when not $5 then c.id end limit $6"#,
        tx.workspace_uuid(),
        words.map(str::trim).filter(|words| !words.is_empty()),
        archived,
        key,
        older,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| ClientRow {
            id: row.id,
            name: row.name,
            status: row.status,
            timezone: row.timezone,
            agents: row.agents,
            campaigns: row.campaigns,
            users: row.users,
            created: zone::stamp(row.created_at, now, zone),
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row| row.id.to_string()))
}

/// Names of active clients in the alphabet's order, for pickers. At most 500.
pub async fn names(tx: &mut ReadTx) -> Result<Vec<ClientName>, AppError> {
    Ok(sqlx::query_as!(
        ClientName,
        r#"select id as "id: ClientId", name from clients where workspace_id = $1 and status = 'active' order by name, id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// One client. Errors: `NotFound`.
pub async fn get(tx: &mut ReadTx, id: ClientId) -> Result<Client, AppError> {
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let row = sqlx::query!(
        r#"select name, status as "status: ClientStatus", timezone, shares_cost, shares_recordings, shares_steps, shares_prompts,
                  admins_edit_contacts, admins_edit_campaigns, admins_run_batches, admins_invite_viewers,
                  monthly_budget, budget_action as "budget_action: BudgetAction", created_at
           from clients where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Client {
        id,
        name: row.name,
        status: row.status,
        timezone: row.timezone,
        shares_cost: row.shares_cost,
        shares_recordings: row.shares_recordings,
        shares_steps: row.shares_steps,
        shares_prompts: row.shares_prompts,
        admins: ClientAdminRights {
            edit_contacts: row.admins_edit_contacts,
            edit_campaigns: row.admins_edit_campaigns,
            run_batches: row.admins_run_batches,
            invite_viewers: row.admins_invite_viewers,
        },
        budget_action: row.budget_action,
        monthly_budget: row.monthly_budget.map(|budget| budget.round_dp(2).to_string()),
        created: zone::stamp(row.created_at, now, zone),
    })
}

/// The values of a client's row that a form sets.
pub(crate) struct Values<'a> {
    pub name: &'a str,
    pub slug: &'a str,
    pub timezone: &'a str,
    pub shares_cost: bool,
    pub shares_recordings: bool,
    pub shares_steps: bool,
    pub shares_prompts: bool,
    pub admins: ClientAdminRights,
    pub monthly_budget: Option<rust_decimal::Decimal>,
    pub budget_action: BudgetAction,
}

pub(crate) async fn insert(tx: &mut WriteTx, id: ClientId, values: &Values<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "insert into clients (workspace_id, id, name, slug, timezone, shares_cost, shares_recordings, shares_steps, monthly_budget, shares_prompts,
                              budget_action, admins_edit_contacts, admins_edit_campaigns, admins_run_batches, admins_invite_viewers)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        tx.workspace_uuid(),
        id.0,
        values.name,
        values.slug,
        values.timezone,
        values.shares_cost,
        values.shares_recordings,
        values.shares_steps,
        values.monthly_budget,
        values.shares_prompts,
        values.budget_action as BudgetAction,
        values.admins.edit_contacts,
        values.admins.edit_campaigns,
        values.admins.run_batches,
        values.admins.invite_viewers,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn update(tx: &mut WriteTx, id: ClientId, values: &Values<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "update clients set name = $3, slug = $4, timezone = $5, shares_cost = $6, shares_recordings = $7, shares_steps = $8, monthly_budget = $9,
                shares_prompts = $10, budget_action = $11, admins_edit_contacts = $12, admins_edit_campaigns = $13,
                admins_run_batches = $14, admins_invite_viewers = $15, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        values.name,
        values.slug,
        values.timezone,
        values.shares_cost,
        values.shares_recordings,
        values.shares_steps,
        values.monthly_budget,
        values.shares_prompts,
        values.budget_action as BudgetAction,
        values.admins.edit_contacts,
        values.admins.edit_campaigns,
        values.admins.run_batches,
        values.admins.invite_viewers,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Holds a client against whoever dials for it until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: ClientId) -> Result<(), AppError> {
    sqlx::query!(
        "select id from clients where workspace_id = $1 and id = $2 for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_status(tx: &mut WriteTx, id: ClientId, status: ClientStatus) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update clients set status = $3, updated_at = now() where workspace_id = $1 and id = $2 and status <> $3",
        tx.workspace_uuid(),
        id.0,
        status as ClientStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Batches of this client that still dial or will.
pub(crate) async fn unfinished_batches(tx: &mut WriteTx, id: ClientId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from call_batches
           where workspace_id = $1 and client_id = $2 and status in ('pending', 'scheduled', 'processing', 'paused')"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Clients that are not archived.
pub async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    let w = tx.workspace_uuid();
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from clients where workspace_id = $1 and status = 'active'"#,
        w
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

/// Whether the database knows the zone as well: months are counted in it there. Errors: `Invalid` at `timezone`.
pub(crate) async fn knows_zone(tx: &mut WriteTx, zone: &str) -> Result<(), AppError> {
    let asked = sqlx::query!(r#"select now() at time zone $1 as "there!""#, zone).fetch_one(tx.conn()).await;
    match asked {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("22023") => {
            Err(AppError::invalid("timezone", "The database does not know this time zone. Choose another name of it."))
        }
        other => Ok(other.map(drop)?),
    }
}

pub async fn set_branding(tx: &mut WriteTx, id: ClientId, branding: &serde_json::Value) -> Result<(), AppError> {
    let done = sqlx::query!(
        "update clients set branding = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        branding
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(AppError::NotFound) }
}
