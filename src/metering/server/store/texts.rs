//! Sums of text messages by client and day: made from the messages by `made`, kept in billing_text_usage, and read from there.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::cells::{Span, Spans};
use crate::model::TextSums;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money};

/// Messages of one client that carriers took on one day.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextCell {
    pub client: ClientId,
    pub day: NaiveDate,
    pub sums: TextSums,
}

/// Counts messages under the moment at which a carrier took them, as `cells::made` counts calls. Every message is a client's.
pub(crate) async fn made(tx: &mut ReadTx, spans: &[Span]) -> Result<Vec<TextCell>, AppError> {
    if spans.iter().all(|span| span.client.is_none()) {
        return Ok(Vec::new());
    }
    let s = Spans::of(spans);
    let rows = sqlx::query!(
        r#"select s.client_id as "client!: ClientId", x.day as "day!", count(*) as "messages!", coalesce(sum(x.parts), 0)::bigint as "parts!",
                  coalesce(sum(x.cost_usd), 0) as "cost!",
                  count(*) filter (where x.cost_usd is null and x.state <> 'failed') as "unpriced!"
           from unnest($2::uuid[], $3::text[], $4::date[], $5::date[], $6::timestamptz[]) s (client_id, zone, first, last, until)
           cross join lateral (
             select (s.first::timestamp at time zone s.zone) - interval '3 hours' as from_at,
                    ((s.last + 1)::timestamp at time zone s.zone) + interval '3 hours' as until_at) e
           cross join lateral (
             select m.parts, m.cost_usd, m.state, (m.taken_at at time zone s.zone)::date as day from text_messages m
             where m.workspace_id = $1 and m.client_id = s.client_id
               and m.taken_at >= e.from_at and m.taken_at < least(e.until_at, s.until)) x
           where x.day between s.first and s.last
           group by 1, 2"#,
        tx.workspace_uuid(),
        &s.clients as &[Option<Uuid>],
        &s.zones,
        &s.first,
        &s.last,
        &s.until as &[Option<DateTime<Utc>>]
    )
    .fetch_all(tx.conn())
    .await?;
    let cells = rows.into_iter().map(|row| TextCell {
        client: row.client,
        day: row.day,
        sums: TextSums { messages: row.messages, parts: row.parts, cost: Money(row.cost), unpriced: row.unpriced },
    });
    Ok(cells.collect())
}

/// Puts the rows in place of those of the spans. What is the same already stays as it is.
pub(crate) async fn keep(tx: &mut WriteTx, spans: &[Span], cells: &[TextCell]) -> Result<(), AppError> {
    let s = Spans::of(spans);
    let clients: Vec<Uuid> = cells.iter().map(|cell| cell.client.0).collect();
    let days: Vec<NaiveDate> = cells.iter().map(|cell| cell.day).collect();
    sqlx::query!(
        "delete from billing_text_usage b using unnest($2::uuid[], $3::date[], $4::date[]) s (client_id, first, last)
         where b.workspace_id = $1 and b.client_id = s.client_id and b.day between s.first and s.last
           and (b.client_id, b.day) not in (select f.client_id, f.day from unnest($5::uuid[], $6::date[]) f (client_id, day))",
        tx.workspace_uuid(),
        &s.clients as &[Option<Uuid>],
        &s.first,
        &s.last,
        &clients,
        &days
    )
    .execute(tx.conn())
    .await?;
    let count = |pick: fn(&TextSums) -> i64| cells.iter().map(|cell| pick(&cell.sums)).collect::<Vec<i64>>();
    let costs: Vec<Decimal> = cells.iter().map(|cell| cell.sums.cost.0).collect();
    sqlx::query!(
        "insert into billing_text_usage as b (workspace_id, client_id, day, messages, parts, cost, unpriced)
         select $1, f.* from unnest($2::uuid[], $3::date[], $4::bigint[], $5::bigint[], $6::numeric[], $7::bigint[]) f
         on conflict on constraint billing_text_usage_once do update
           set messages = excluded.messages, parts = excluded.parts, cost = excluded.cost, unpriced = excluded.unpriced
           where (b.messages, b.parts, b.cost, b.unpriced)
              is distinct from (excluded.messages, excluded.parts, excluded.cost, excluded.unpriced)",
        tx.workspace_uuid(),
        &clients,
        &days,
        &count(|sums| sums.messages),
        &count(|sums| sums.parts),
        &costs,
        &count(|sums| sums.unpriced)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A sum of kept rows: of a day of all clients, or of all days of one.
pub(crate) enum KeptTexts {
    Day(NaiveDate, TextSums),
    Client(ClientId, TextSums),
}

/// Adds kept rows up, those of `stale` left out.
pub(crate) async fn kept(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    (first, last): (NaiveDate, NaiveDate),
    stale: &[Span],
) -> Result<Vec<KeptTexts>, AppError> {
    let s = Spans::of(stale);
    let rows = sqlx::query!(
        r#"select u.day as "day?", u.client_id as "client?: ClientId", sum(u.messages)::bigint as "messages!",
                  sum(u.parts)::bigint as "parts!", sum(u.cost) as "cost!", sum(u.unpriced)::bigint as "unpriced!"
           from billing_text_usage u
           where u.workspace_id = $1 and ($2::uuid is null or u.client_id = $2) and u.day between $3 and $4
             and not exists (select from unnest($5::uuid[], $6::date[], $7::date[]) s (client_id, first, last)
                             where s.client_id = u.client_id and u.day between s.first and s.last)
           group by grouping sets ((u.day), (u.client_id))"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        first,
        last,
        &s.clients as &[Option<Uuid>],
        &s.first,
        &s.last
    )
    .fetch_all(tx.conn())
    .await?;
    let kept = rows.into_iter().filter_map(|row| {
        let sums = TextSums { messages: row.messages, parts: row.parts, cost: Money(row.cost), unpriced: row.unpriced };
        match (row.day, row.client) {
            (Some(day), _) => Some(KeptTexts::Day(day, sums)),
            (None, Some(client)) => Some(KeptTexts::Client(client, sums)),
            (None, None) => None,
        }
    });
    Ok(kept.collect())
}
