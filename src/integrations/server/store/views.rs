//! What pages of integrations read. Nothing here writes. `lists` has what was exchanged, record by record.

pub(crate) mod kept;
pub(crate) mod lists;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{
    CrmConfig, FieldMap, IntegrationHead, IntegrationQuery, IntegrationRow, IntegrationType, SignInView, Standing,
    SyncFigures, TokenType,
};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_connections::model::{IntegrationStatus, Mode};
use patchbay_shared::ids::{IntegrationId, SyncId};
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

/// An integration as its pages need it: the head, and what the head does not show.
pub(crate) struct Shown {
    pub head: IntegrationHead,
    pub mapping: Vec<FieldMap>,
    pub config: Value,
    pub rate_limit: Option<Value>,
    pub wait_until: Option<DateTime<Utc>>,
}

impl Shown {
    /// What is set about a CRM.
    pub fn crm(&self) -> CrmConfig {
        serde_json::from_value(self.config.clone()).unwrap_or_default()
    }
}

/// An integration that was not removed. Errors: `NotFound`.
pub(crate) async fn shown(tx: &mut ReadTx, id: IntegrationId) -> Result<Shown, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query!(
        r#"select i.type as "kind: IntegrationType", i.name, i.client_id, c.name as "client?", i.mode as "mode: Mode", i.account_id,
                  i.account_name, i.account_user, i.status as "status: IntegrationStatus", i.paused_at is not null as "is_paused!",
                  i.problem, i.problem_at, i.last_sync_at, i.next_sync_at, u.name as "set_up_by?", i.mapping as "mapping: Json<Vec<FieldMap>>",
                  i.config, i.rate_limit, i.wait_until,
                  exists (select from user_tokens t where t.workspace_id = $1 and t.integration_key = 'integration:' || i.id
                            and t.is_active) as "has_token!",
                  (select s.id from integration_sync_logs s where s.workspace_id = $1 and s.integration_id = i.id
                     and s.status = 'running') as "running: SyncId",
                  (select count(*) from integration_sync_logs s where s.workspace_id = $1 and s.integration_id = i.id) as "syncs!",
                  (select count(*) from integration_pending p where p.workspace_id = $1 and p.integration_id = i.id
                     and p.problem is not null)
                    + (select count(*) from integration_messages m where m.workspace_id = $1 and m.integration_id = i.id
                         and m.state = 'failed') as "failed!",
                  (select count(*) from integration_pending p where p.workspace_id = $1 and p.integration_id = i.id
                     and p.problem is null and p.kind <> 'call')
                    + (select count(*) from integration_messages m where m.workspace_id = $1 and m.integration_id = i.id
                         and m.state = 'waiting') as "waits!",
                  (select count(*) from integration_pending p where p.workspace_id = $1 and p.integration_id = i.id
                     and p.problem is null and p.kind = 'call') as "calls_wait!"
           from integrations i
             left join clients c on c.workspace_id = $1 and c.id = i.client_id
             left join users u on u.id = i.user_id
           where i.workspace_id = $1 and i.id = $2 and i.removed_at is null"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let mapping = row.mapping.0;
    let is_agency = tx.scope().client_id().is_none();
    let head = IntegrationHead {
        id,
        kind: row.kind,
        name: row.name,
        client: row.client_id.map(|id| id.to_string()).zip(row.client),
        mode: row.mode,
        account: row.account_name,
        account_id: row.account_id,
        account_user: row.account_user.filter(|_| is_agency),
        standing: Standing::of(row.status, row.is_paused),
        problem: row.problem,
        problem_at: row.problem_at.map(|at| stamp(at, now, zone)),
        last_sync: row.last_sync_at.map(|at| stamp(at, now, zone)),
        next_sync: row.next_sync_at.map(|at| stamp(at, now, zone)),
        set_up_by: row.set_up_by.filter(|_| is_agency),
        is_connected: row.has_token,
        running: row.running,
        mapped: mapping.iter().filter(|line| line.direction != crate::model::Direction::Kept).count() as i64,
        syncs: row.syncs,
        failed: row.failed,
        waits: (row.waits, row.calls_wait),
        may_manage: tx.scope().may(Action::ManageIntegrations),
        may_sign_in: tx.scope().may(Action::ManageConnections),
    };
    Ok(Shown { head, mapping, config: row.config, rate_limit: row.rate_limit, wait_until: row.wait_until })
}

/// Integrations in the order of their names.
pub(crate) async fn list(
    tx: &mut ReadTx,
    query: &IntegrationQuery,
    limit: usize,
) -> Result<Page<IntegrationRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| name_place(&cursor.key).is_some());
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let is_backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let ascending = (query.sort.as_deref() != Some("-name")) != is_backwards;
    // What is no id matches nothing.
    let client = filled(query.client.as_deref()).map(|id| id.parse::<Uuid>().unwrap_or_default());
    let rows = sqlx::query!(
        r#"select i.id as "id: IntegrationId", i.type as "kind: IntegrationType", i.name, c.name as "client?", i.mode as "mode: Mode",
                  i.account_name, i.account_id, i.status as "status: IntegrationStatus", i.paused_at is not null as "is_paused!", i.problem,
                  i.last_sync_at,
                  (select count(*) from integration_pending p where p.workspace_id = $1 and p.integration_id = i.id and p.problem is null)
                    + (select count(*) from integration_messages m where m.workspace_id = $1 and m.integration_id = i.id
                         and m.state = 'waiting') as "waits!",
                  (select count(*) from integration_pending p where p.workspace_id = $1 and p.integration_id = i.id
                     and p.problem is not null)
                    + (select count(*) from integration_messages m where m.workspace_id = $1 and m.integration_id = i.id
                         and m.state = 'failed') as "failed!"
           from integrations i left join clients c on c.workspace_id = $1 and c.id = i.client_id
           where i.workspace_id = $1 and i.removed_at is null
             and ($2::text is null or i.name ilike $2 or c.name ilike $2 or i.account_name ilike $2)
             and ($3::text is null or i.type::text = $3)
             and ($4::text is null
                  or ($4 = 'needs' and (i.status = 'error' or exists (
                        select from integration_pending p
                        where p.workspace_id = $1 and p.integration_id = i.id and p.given_up_at is not null)))
                  or $4 = case i.status when 'active' then 'works' when 'error' then 'failing'
                                               else case when i.paused_at is null then 'unconnected' else 'paused' end end)
             and ($5::uuid is null or i.client_id = $5)
             and ($6::text is null or case when $8 then (i.name, i.id) > ($6, $7::uuid) else (i.name, i.id) < ($6, $7::uuid) end)
           order by case when $8 then i.name end, case when $8 then i.id end, case when not $8 then i.name end desc,
                    case when not $8 then i.id end desc
           limit $9"#,
        tx.workspace_uuid(),
        like(query.words.as_deref()),
        filled(query.kind.as_deref()),
        filled(query.state.as_deref()),
        client,
        place.map(|(name, _)| name),
        place.map(|(_, id)| id),
        ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| IntegrationRow {
            id: row.id,
            kind: row.kind,
            name: row.name,
            client: row.client,
            mode: row.mode,
            account: row.account_name.or(row.account_id),
            standing: Standing::of(row.status, row.is_paused),
            problem: row.problem,
            last_sync: row.last_sync_at.map(|at| stamp(at, now, zone)),
            waits: row.waits,
            failed: row.failed,
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &IntegrationRow| format!("{}_{}", row.id, row.name)))
}

/// What was exchanged since then, and how many contacts are in step.
pub(crate) async fn figures(
    tx: &mut ReadTx,
    id: IntegrationId,
    since: DateTime<Utc>,
    there: Option<i64>,
) -> Result<SyncFigures, AppError> {
    let row = sqlx::query!(
        r#"select (select count(*) from integration_links l where l.workspace_id = $1 and l.integration_id = $2 and l.kind = 'contact'
                     and l.contact_id is not null and l.removed_at is null) as "in_step!",
                  coalesce(sum(s.items_read), 0) as "read!", coalesce(sum(s.items_written), 0) as "written!",
                  coalesce(sum(s.items_skipped), 0) as "skipped!"
           from integration_sync_logs s where s.workspace_id = $1 and s.integration_id = $2 and s.created_at >= $3"#,
        tx.workspace_uuid(),
        id.0,
        since
    )
    .fetch_one(tx.conn())
    .await?;
    let written = sqlx::query!(
        r#"select count(*) filter (where r.action = 'write' and r.call_id is not null) as "calls!",
                  count(*) filter (where r.action = 'flag') as "flags!"
           from integration_sync_logs s
             join integration_sync_records r on r.workspace_id = $1 and r.sync_id = s.id and r.result = 'done'
           where s.workspace_id = $1 and s.integration_id = $2 and s.created_at >= $3"#,
        tx.workspace_uuid(),
        id.0,
        since
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(SyncFigures {
        in_step: row.in_step,
        there,
        read: row.read,
        written: row.written,
        skipped: row.skipped,
        call_results: written.calls,
        flags: written.flags,
    })
}

/// Values that both sides have, of the contact that was in step last and of the call whose result was written last; and whose they are.
pub(crate) async fn sample(tx: &mut ReadTx, id: IntegrationId) -> Result<(Value, Option<String>), AppError> {
    let rows = sqlx::query!(
        r#"select distinct on (l.kind) l.kind, l.agreed, l.facts, ct.name as "name?"
           from integration_links l left join contacts ct on ct.workspace_id = $1 and ct.id = l.contact_id
           where l.workspace_id = $1 and l.integration_id = $2 and l.kind in ('contact', 'call') and l.removed_at is null
           order by l.kind, l.updated_at desc, l.id desc"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let (mut values, mut name) = (serde_json::Map::new(), None);
    for row in rows {
        for part in [row.facts, row.agreed] {
            if let Value::Object(part) = part {
                values.extend(part);
            }
        }
        if row.kind == "contact" {
            name = row.name.filter(|name| !name.is_empty());
        }
    }
    Ok((Value::Object(values), name))
}

/// The sign-in there, without what signs in. A client's people read none.
pub(crate) async fn sign_in(tx: &mut ReadTx, id: IntegrationId) -> Result<Option<SignInView>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query!(
        r#"select t.token_type as "kind: TokenType", t.is_active, t.expires_at, t.refreshed_at, t.created_at, t.scopes, t.key_id,
                  u.name as "by?"
           from user_tokens t left join users u on u.id = t.user_id
           where t.workspace_id = $1 and t.integration_key = $2
           order by t.is_active desc, t.updated_at desc limit 1"#,
        tx.workspace_uuid(),
        format!("integration:{id}")
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| SignInView {
        kind: row.kind,
        is_good: row.is_active,
        until: row.expires_at.map(|at| stamp(at, now, zone)),
        by: row.by.unwrap_or_else(|| "Somebody who is gone".to_owned()),
        since: stamp(row.created_at, now, zone),
        renewed: row.refreshed_at.map(|at| stamp(at, now, zone)),
        scopes: row.scopes,
        key: row.key_id,
    }))
}
