//! Reads the people of an agency: the list, one person, and how many there are.

use chrono::{DateTime, Utc};

use crate::model::{MemberRow, MemberView, UserStatus, grantable};
use patchbay_access::server::{ReadTx, Scope, WriteTx};
use patchbay_access::{Action, Role, Viewer};
use patchbay_shared::ids::{ClientId, UserId};
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page.
pub(crate) const PAGE: usize = 100;

/// People of the workspace, or of the viewer's client, by newest first, `limit` rows on a page.
pub async fn list(
    tx: &mut ReadTx,
    role: Option<&str>,
    client: Option<&str>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<MemberRow>, AppError> {
    let cursor = Cursor::parse(cursor);
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<uuid::Uuid>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let client = client.filter(|id| !id.is_empty()).map(str::parse::<ClientId>).transpose()?;
    let rows = sqlx::query_as!(
        Found,
        r#"select u.id as "id: UserId", u.name, u.email, u.role as "role: Role", u.status as "status: UserStatus", u.last_login_at,
                  u.totp_secret is not null or u.has_passkey as "has_second_factor!", u.client_id as "client_id: ClientId", c.name as "client?", u.created_at
           from users u left join clients c on c.workspace_id = $1 and c.id = u.client_id
           where u.workspace_id = $1 and ($2::text is null or u.role::text = $2)
             and ($3::uuid is null or ($4 and u.id < $3) or (not $4 and u.id > $3))
             and ($6::uuid is null or u.client_id = $6)
           order by case when $4 then u.id end desc, case when not $4 then u.id end limit $5"#,
        tx.workspace_uuid(),
        role.filter(|role| !role.is_empty()),
        key,
        older,
        limit as i64 + 1,
        client.map(|id| id.0),
    )
    .fetch_all(tx.conn())
    .await?;
    let scope = tx.scope();
    let rows = rows.into_iter().map(|row| row.for_list(scope)).collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &MemberRow| row.id.to_string()))
}

struct Found {
    id: UserId,
    name: String,
    email: String,
    role: Role,
    status: UserStatus,
    last_login_at: Option<DateTime<Utc>>,
    has_second_factor: bool,
    client_id: Option<ClientId>,
    client: Option<String>,
    created_at: DateTime<Utc>,
}

impl Found {
    fn for_list(self, scope: &Scope) -> MemberRow {
        let may = |viewer: &Viewer| {
            viewer.user_id != self.id
                && viewer.may(Action::ManageViewers)
                && grantable(viewer.role).contains(&self.role)
        };
        MemberRow {
            can_change: scope.viewer().is_some_and(may),
            id: self.id,
            name: self.name,
            email: self.email,
            role: self.role,
            client: self.client,
            status: self.status,
            last_login: self.last_login_at.map(|at| zone::stamp(at, Utc::now(), scope.zone())),
            has_second_factor: self.has_second_factor,
        }
    }
}

/// One person's page. `sessions`: in how many places they are signed in, which is in another class of table. Errors: `NotFound`.
pub(crate) async fn view(tx: &mut ReadTx, id: UserId, sessions: i64) -> Result<MemberView, AppError> {
    let found = sqlx::query_as!(
        Found,
        r#"select u.id as "id: UserId", u.name, u.email, u.role as "role: Role", u.status as "status: UserStatus", u.last_login_at,
                  u.totp_secret is not null or u.has_passkey as "has_second_factor!", u.client_id as "client_id: ClientId", c.name as "client?", u.created_at
           from users u left join clients c on c.workspace_id = $1 and c.id = u.client_id where u.workspace_id = $1 and u.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let scope = tx.scope();
    let (client_id, created) = (found.client_id, zone::stamp(found.created_at, Utc::now(), scope.zone()));
    Ok(MemberView { member: found.for_list(scope), client_id, created, sessions })
}

/// What changes to a person have to know.
pub(crate) struct Member {
    pub name: String,
    pub email: String,
    pub role: Role,
    pub client: Option<ClientId>,
}

/// Someone's address, role and client, locked; before it all owners, in order, so that two changes cannot leave none. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut WriteTx, id: UserId) -> Result<Member, AppError> {
    sqlx::query!(
        "select id from users where workspace_id = $1 and role = 'agency_owner' order by id for no key update",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(sqlx::query_as!(
        Member,
        r#"select name, email, role as "role: Role", client_id as "client: ClientId" from users
           where workspace_id = $1 and id = $2 for no key update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Active owners, this transaction's own changes included.
pub(crate) async fn active_owners(tx: &mut WriteTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from users where workspace_id = $1 and role = 'agency_owner' and status = 'active'"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Active people of the whole agency.
pub async fn active(tx: &mut ReadTx) -> Result<i64, AppError> {
    let w = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from users where workspace_id = $1 and status = 'active'"#,
        w
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Active people and open invitations of the whole agency, as far as the transaction sees it.
pub async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select (select count(*) from users where workspace_id = $1 and status = 'active')
                  + (select count(*) from invitations where workspace_id = $1 and accepted_at is null and revoked_at is null and expires_at > now())
                  as "count!""#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}
