//! Deals and activities of a CRM, and how a contact stands in the systems of its client.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::{ActivityQuery, BelowQuery, CrmConfig, DealRow, IntegrationType, record_address};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_connections::model::Mode;
use patchbay_contacts::{ActivityKind, ActivityOfContact, DealOfContact, InStep, SystemOfContact};
use patchbay_shared::ids::{ClientId, ContactId, IntegrationId};
use patchbay_shared::money::thousands;
use patchbay_shared::page::{read_time_key, time_key};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

/// Systems of a client, and deals of a contact, that its page shows at most.
const MOST_SYSTEMS: i64 = 20;
const MOST_DEALS: usize = 20;

/// What names and addresses of records are made of.
struct Service {
    kind: IntegrationType,
    mode: Mode,
    account: Option<String>,
    config: CrmConfig,
}

impl Service {
    fn of(kind: IntegrationType, mode: Mode, account: Option<String>, config: Value) -> Self {
        Self { kind, mode, account, config: serde_json::from_value(config).unwrap_or_default() }
    }

    fn address(&self, is_deal: bool, remote_id: &str) -> Option<String> {
        record_address((self.kind, self.mode), self.account.as_deref(), &self.config.region, is_deal, remote_id)
    }

    fn stage(&self, value: &str) -> String {
        let known = self.config.stages.iter().find(|(stage, _)| stage == value);
        known.map_or(value, |(_, label)| label).to_owned()
    }
}

fn fact(facts: &Value, name: &str) -> String {
    facts[name].as_str().unwrap_or_default().to_owned()
}

/// `12450.5` as `12,450.50`, with its currency; what is no such number stays as it came.
fn amount(facts: &Value) -> String {
    let (said, currency) = (fact(facts, "amount"), fact(facts, "currency"));
    let (sign, bare) = said.strip_prefix('-').map_or(("", said.as_str()), |bare| ("−", bare));
    let (whole, rest) = bare.split_once('.').unwrap_or((bare, ""));
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let text = match !whole.is_empty() && are_digits(whole) && are_digits(rest) {
        false => said.clone(),
        true if rest.bytes().all(|b| b == b'0') => format!("{sign}{}", thousands(whole)),
        true => format!("{sign}{}.{:0<2}", thousands(whole), rest.chars().take(2).collect::<String>()),
    };
    format!("{text} {currency}").trim().to_owned()
}

/// `24 Dec 2026`; what is no day stays as it came.
fn closes(facts: &Value) -> String {
    let said = fact(facts, "closes");
    let day = said.get(..10).and_then(|day| day.parse::<NaiveDate>().ok());
    let day = day.or_else(|| Some(DateTime::from_timestamp_millis(said.parse().ok()?)?.date_naive()));
    day.map_or(said, |day| day.format("%-d %b %Y").to_string())
}

/// How a contact stands in each CRM of its client.
pub(crate) async fn systems(
    tx: &mut ReadTx,
    client: ClientId,
    contact: ContactId,
) -> Result<Vec<SystemOfContact>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select i.id as "id: IntegrationId", i.name, i.type as "kind: IntegrationType", i.mode as "mode: Mode", i.account_id, i.config,
                  l.remote_id as "remote_id?", l.updated_at as "agreed?", l.removed_at as "removed?", p.problem as "problem?",
                  p.id as "pending?: Uuid", p.label as "label?", p.direction as "direction?", g.message as "gone?"
           from integrations i
           left join lateral (
             select remote_id, updated_at, removed_at from integration_links
             where workspace_id = $1 and integration_id = i.id and kind = 'contact' and contact_id = $3
             order by removed_at is not null, updated_at desc limit 1) l on true
           left join lateral (
             select id, problem, label, direction from integration_pending
             where workspace_id = $1 and integration_id = i.id
               and (contact_id = $3 or direction = 'read' and kind = 'contact' and remote_id = l.remote_id)
             order by problem is null, id desc limit 1) p on true
           left join lateral (
             select message from integration_sync_records
             where workspace_id = $1 and integration_id = i.id and contact_id = $3 and action in ('merge', 'remove')
               and l.removed_at is not null
             order by id desc limit 1) g on true
           where i.workspace_id = $1 and i.client_id = $2 and i.type in ('hubspot', 'zoho') and i.removed_at is null
           order by i.name, i.id limit $4"#,
        tx.workspace_uuid(),
        client.0,
        contact.0,
        MOST_SYSTEMS
    )
    .fetch_all(tx.conn())
    .await?;
    let may_repair = tx.scope().may(Action::ManageIntegrations);
    let systems = rows.into_iter().map(|row| {
        let service = Service::of(row.kind, row.mode, row.account_id, row.config);
        let is_linked = row.remote_id.is_some() && row.removed.is_none();
        let state = match (&row.problem, row.pending, &row.remote_id) {
            (Some(_), _, _) => InStep::Failed,
            (None, Some(_), _) => InStep::Waits,
            (None, None, Some(_)) if is_linked => InStep::Linked,
            (None, None, Some(_)) => InStep::Removed,
            (None, None, None) => InStep::Unlinked,
        };
        let words = match state {
            InStep::Failed => row.problem.unwrap_or_default(),
            InStep::Waits if row.direction.as_deref() == Some("read") => {
                "What changed there is still to be read.".to_owned()
            }
            InStep::Waits => "What changed here is still to be written there.".to_owned(),
            InStep::Removed => {
                row.gone.unwrap_or_else(|| "The record is there no more. The contact stays here.".into())
            }
            InStep::Unlinked => format!("The contact is not linked with a record of {}.", service.kind.label()),
            InStep::Linked => String::new(),
        };
        SystemOfContact {
            id: row.id,
            name: row.name,
            state,
            words,
            agreed: row.agreed.filter(|_| is_linked).map(|at| stamp(at, now, zone)),
            repair: row.label.filter(|_| may_repair && state == InStep::Failed),
            record: row.remote_id.as_deref().filter(|_| is_linked).and_then(|id| service.address(false, id)),
        }
    });
    Ok(systems.collect())
}

/// What a contact is called. Errors: `NotFound`.
pub(crate) async fn contact_name(tx: &mut ReadTx, id: ContactId) -> Result<String, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select coalesce(nullif(name, ''), phone) as "name!" from contacts where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Deals of a contact, those that close last first, and whether there are more of them.
pub(crate) async fn deals_of(tx: &mut ReadTx, contact: ContactId) -> Result<(Vec<DealOfContact>, bool), AppError> {
    let rows = sqlx::query!(
        r#"select l.remote_id, l.facts, i.name, i.type as "kind: IntegrationType", i.mode as "mode: Mode", i.account_id, i.config
           from integration_links l
           join integrations i on i.workspace_id = $1 and i.id = l.integration_id and i.removed_at is null
           where l.workspace_id = $1 and l.contact_id = $2 and l.kind = 'deal' and l.removed_at is null
           order by l.facts ->> 'closes' desc nulls last, l.id desc limit $3"#,
        tx.workspace_uuid(),
        contact.0,
        MOST_DEALS as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let has_more = rows.len() > MOST_DEALS;
    let deals = rows.into_iter().take(MOST_DEALS).map(|row| {
        let service = Service::of(row.kind, row.mode, row.account_id, row.config);
        let name = fact(&row.facts, "name");
        DealOfContact {
            name: if name.is_empty() { "Without a name".to_owned() } else { name },
            stage: service.stage(&fact(&row.facts, "stage")),
            amount: amount(&row.facts),
            closes: closes(&row.facts),
            system: row.name,
            record: service.address(true, &row.remote_id),
        }
    });
    Ok((deals.collect(), has_more))
}

/// What was done with a contact, the newest first.
pub(crate) async fn activities_of(
    tx: &mut ReadTx,
    contact: ContactId,
    query: &ActivityQuery,
    limit: usize,
) -> Result<Page<ActivityOfContact>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let place = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let is_backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let ascending = (query.sort.as_deref() == Some("at")) != is_backwards;
    let rows = sqlx::query!(
        r#"select a.id, a.kind as "kind: ActivityKind", a.title, a.body, a.state, a.at, i.name
           from integration_links l
           join integrations i on i.workspace_id = $1 and i.id = l.integration_id and i.removed_at is null
           join integration_activities a on a.workspace_id = $1 and a.integration_id = l.integration_id and a.remote_contact = l.remote_id
           where l.workspace_id = $1 and l.contact_id = $2 and l.kind = 'contact' and l.removed_at is null
             and ($3::text is null or a.title ilike $3 or a.body ilike $3) and ($4::text is null or a.kind = $4)
             and ($5::timestamptz is null
                  or case when $7 then (a.at, a.id) > ($5, $6::uuid) else (a.at, a.id) < ($5, $6::uuid) end)
           order by case when $7 then a.at end, case when $7 then a.id end, case when not $7 then a.at end desc,
                    case when not $7 then a.id end desc
           limit $8"#,
        tx.workspace_uuid(),
        contact.0,
        like(query.words.as_deref()),
        filled(query.kind.as_deref()),
        place.map(|(at, _)| at),
        place.map(|(_, id)| id),
        ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows: Vec<(DateTime<Utc>, Uuid, ActivityOfContact)> = rows
        .into_iter()
        .map(|row| {
            let shown = ActivityOfContact {
                id: row.id.to_string(),
                kind: row.kind,
                title: row.title,
                text: row.body,
                state: row.state,
                at: stamp(row.at, now, zone),
                system: row.name,
            };
            (row.at, row.id, shown)
        })
        .collect();
    let page = Page::cut(rows, limit, cursor.as_ref(), |(at, id, _)| time_key(*at, *id));
    Ok(page.map(|(_, _, shown)| shown))
}

/// Deals of an integration, the newest here first.
pub(crate) async fn deals(
    tx: &mut ReadTx,
    id: IntegrationId,
    query: &BelowQuery,
    limit: usize,
) -> Result<Page<DealRow>, AppError> {
    let (now, zone, place) = (tx.now().await?, tx.scope().zone(), super::lists::Place::of(query, "added"));
    let service = sqlx::query!(
        r#"select type as "kind: IntegrationType", mode as "mode: Mode", account_id, config from integrations
           where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let service = Service::of(service.kind, service.mode, service.account_id, service.config);
    let rows = sqlx::query!(
        r#"select l.id, l.remote_id, l.facts, l.remote_changed_at, c.id as "contact?: ContactId", c.name as "contact_name?", c.phone as "phone?"
           from integration_links l left join contacts c on c.workspace_id = $1 and c.id = l.contact_id
           where l.workspace_id = $1 and l.integration_id = $2 and l.kind = 'deal' and l.removed_at is null
             and ($3::text is null or l.facts ->> 'name' ilike $3 or c.name ilike $3) and ($4::text is null or l.facts ->> 'stage' = $4)
             and ($5::uuid is null or case when $6 then l.id > $5 else l.id < $5 end)
           order by case when $6 then l.id end, case when not $6 then l.id end desc
           limit $7"#,
        tx.workspace_uuid(),
        id.0,
        like(query.words.as_deref()),
        filled(query.state.as_deref()),
        place.id,
        place.ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let named = row.contact_name.filter(|name| !name.is_empty()).or(row.phone).unwrap_or_default();
            let deal = DealRow {
                id: row.id.to_string(),
                name: fact(&row.facts, "name"),
                contact: row.contact.map(|contact| (contact, named)),
                stage: service.stage(&fact(&row.facts, "stage")),
                amount: amount(&row.facts),
                closes: closes(&row.facts),
                changed: row.remote_changed_at.map(|at| stamp(at, now, zone)),
                record: service.address(true, &row.remote_id),
                remote_id: row.remote_id,
            };
            (row.id, deal)
        })
        .collect();
    Ok(place.cut(rows, limit, |(id, _): &(Uuid, DealRow)| *id).map(|(_, deal)| deal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn facts_of_a_deal_are_written_as_people_write_them() {
        let amount_of = |said: &str| amount(&json!({"amount": said, "currency": "EUR"}));
        assert_eq!(amount_of("12450"), "12,450 EUR");
        assert_eq!(amount_of("12450.5"), "12,450.50 EUR");
        assert_eq!(amount_of("-1200.00"), "−1,200 EUR");
        assert_eq!(amount_of("about 7"), "about 7 EUR");
        assert_eq!(amount(&json!({"amount": "7"})), "7");
        assert_eq!(amount(&json!({})), "");
        let closes_of = |said: &str| closes(&json!({ "closes": said }));
        assert_eq!(closes_of("2026-12-24"), "24 Dec 2026");
        assert_eq!(closes_of("2026-12-24T00:00:00Z"), "24 Dec 2026");
        assert_eq!(closes_of("1798070400000"), "24 Dec 2026");
        assert_eq!(closes_of("some day"), "some day");
    }
}
