//! Sums by client, agent and day: made from calls and answers by `made` and `made_by_model`, kept in billing_usage and
//! billing_model_usage, and read from there.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::Sums;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, ClientId};
use patchbay_shared::{AppError, Money};

/// Days of a client, both included, in its zone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub client: Option<ClientId>,
    pub zone: String,
    pub first: NaiveDate,
    pub last: NaiveDate,
    /// Only what was before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// Spans by column, as statements take them.
pub(super) struct Spans {
    pub clients: Vec<Option<Uuid>>,
    pub zones: Vec<String>,
    pub first: Vec<NaiveDate>,
    pub last: Vec<NaiveDate>,
    pub until: Vec<Option<DateTime<Utc>>>,
}

impl Spans {
    pub fn of(spans: &[Span]) -> Self {
        Self {
            clients: spans.iter().map(|span| span.client.map(|id| id.0)).collect(),
            zones: spans.iter().map(|span| span.zone.clone()).collect(),
            first: spans.iter().map(|span| span.first).collect(),
            last: spans.iter().map(|span| span.last).collect(),
            until: spans.iter().map(|span| span.until).collect(),
        }
    }
}

/// What one agent did for one client on one day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Cell {
    pub client: Option<ClientId>,
    pub agent: Option<AgentId>,
    pub day: NaiveDate,
    pub sums: Sums,
}

/// Counts calls and answers. Rows near the ends of a span are looked at too, and left out by their day: whether an hour that a clock
/// doubles belongs to a day is decided by one rule. Answers count under their own time, whatever call they were for.
pub(crate) async fn made(tx: &mut ReadTx, spans: &[Span]) -> Result<Vec<Cell>, AppError> {
    if spans.is_empty() {
        return Ok(Vec::new());
    }
    let s = Spans::of(spans);
    let rows = sqlx::query!(
        r#"select s.client_id as "client_id: ClientId", x.agent_id as "agent_id: AgentId", x.day as "day!",
                  sum(x.calls)::bigint as "calls!", count(x.result) as "ended!", count(*) filter (where x.result = 'answered') as "answered!",
                  count(*) filter (where x.result = 'failed') as "failed!", count(*) filter (where x.goal_reached) as "goals!",
                  coalesce(sum(x.duration), 0)::bigint as "seconds!", sum(x.characters)::bigint as "characters!",
                  sum(x.tokens)::bigint as "tokens!", coalesce(sum(x.voice), 0) as "voice!", coalesce(sum(x.carrier), 0) as "carrier!",
                  coalesce(sum(x.model), 0) as "model!", count(*) filter (where x.is_unpriced) as "unpriced!",
                  count(*) filter (where x.is_unpriced_answer) as "unpriced_answers!"
           from unnest($2::uuid[], $3::text[], $4::date[], $5::date[], $6::timestamptz[]) s (client_id, zone, first, last, until)
           cross join lateral (
             select (s.first::timestamp at time zone s.zone) - interval '3 hours' as from_at,
                    ((s.last + 1)::timestamp at time zone s.zone) + interval '3 hours' as until_at) e
           cross join lateral (
             select c.agent_id, (c.started_at at time zone s.zone)::date as day, 1 as calls, c.result, c.goal_reached, c.duration,
                    c.characters_spoken as characters, 0 as tokens, c.voice_cost as voice, c.carrier_cost as carrier, 0 as model,
                    c.is_unpriced, false as is_unpriced_answer
             from calls c where c.workspace_id = $1 and c.client_id = s.client_id
               and c.started_at >= e.from_at and c.started_at < least(e.until_at, s.until)
             union all
             select c.agent_id, (c.started_at at time zone s.zone)::date, 1, c.result, c.goal_reached, c.duration,
                    c.characters_spoken, 0, c.voice_cost, c.carrier_cost, 0, c.is_unpriced, false
             from calls c where c.workspace_id = $1 and s.client_id is null and c.client_id is null
               and c.started_at >= e.from_at and c.started_at < least(e.until_at, s.until)
             union all
             select t.agent_id, (t.created_at at time zone s.zone)::date, 0, null, null, null, 0, t.total_tokens, 0, 0, t.cost,
                    false, t.cost is null
             from token_usage t where t.workspace_id = $1 and t.client_id = s.client_id
               and t.created_at >= e.from_at and t.created_at < least(e.until_at, s.until)
             union all
             select t.agent_id, (t.created_at at time zone s.zone)::date, 0, null, null, null, 0, t.total_tokens, 0, 0, t.cost,
                    false, t.cost is null
             from token_usage t where t.workspace_id = $1 and s.client_id is null and t.client_id is null
               and t.created_at >= e.from_at and t.created_at < least(e.until_at, s.until)) x
           where x.day between s.first and s.last
           group by 1, 2, 3"#,
        tx.workspace_uuid(),
        &s.clients as &[Option<Uuid>],
        &s.zones,
        &s.first,
        &s.last,
        &s.until as &[Option<DateTime<Utc>>]
    )
    .fetch_all(tx.conn())
    .await?;
    let cells = rows.into_iter().map(|row| Cell {
        client: row.client_id,
        agent: row.agent_id,
        day: row.day,
        sums: Sums {
            calls: row.calls,
            ended: row.ended,
            answered: row.answered,
            failed: row.failed,
            goals: row.goals,
            seconds: row.seconds,
            characters: row.characters,
            tokens: row.tokens,
            voice: Money(row.voice),
            carrier: Money(row.carrier),
            model: Money(row.model),
            unpriced: row.unpriced,
            unpriced_answers: row.unpriced_answers,
        },
    });
    Ok(cells.collect())
}

/// What one model did for one purpose on one day of a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCell {
    pub client: Option<ClientId>,
    pub day: NaiveDate,
    pub model: String,
    pub purpose: String,
    pub answers: i64,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    pub is_estimated: bool,
    pub cost: Option<Decimal>,
    pub unpriced: i64,
}

/// Counts answers by model, as `made` does.
pub(crate) async fn made_by_model(tx: &mut ReadTx, spans: &[Span]) -> Result<Vec<ModelCell>, AppError> {
    if spans.is_empty() {
        return Ok(Vec::new());
    }
    let s = Spans::of(spans);
    Ok(sqlx::query_as!(
        ModelCell,
        r#"select s.client_id as "client: ClientId", x.day as "day!", x.model as "model!", x.purpose as "purpose!", count(*) as "answers!",
                  sum(x.prompt_tokens)::bigint as "prompt_tokens!", sum(x.completion_tokens)::bigint as "completion_tokens!",
                  bool_or(x.is_estimated) as "is_estimated!", sum(x.cost) as cost, count(*) filter (where x.cost is null) as "unpriced!"
           from unnest($2::uuid[], $3::text[], $4::date[], $5::date[], $6::timestamptz[]) s (client_id, zone, first, last, until)
           cross join lateral (
             select (s.first::timestamp at time zone s.zone) - interval '3 hours' as from_at,
                    ((s.last + 1)::timestamp at time zone s.zone) + interval '3 hours' as until_at) e
           cross join lateral (
             select t.*, (t.created_at at time zone s.zone)::date as day from token_usage t
             where t.workspace_id = $1 and t.client_id = s.client_id
               and t.created_at >= e.from_at and t.created_at < least(e.until_at, s.until)
             union all
             select t.*, (t.created_at at time zone s.zone)::date from token_usage t
             where t.workspace_id = $1 and s.client_id is null and t.client_id is null
               and t.created_at >= e.from_at and t.created_at < least(e.until_at, s.until)) x
           where x.day between s.first and s.last
           group by 1, 2, 3, 4"#,
        tx.workspace_uuid(),
        &s.clients as &[Option<Uuid>],
        &s.zones,
        &s.first,
        &s.last,
        &s.until as &[Option<DateTime<Utc>>]
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Puts the rows in place of those of the spans. What is the same already stays as it is.
pub(crate) async fn keep(tx: &mut WriteTx, spans: &[Span], cells: &[Cell]) -> Result<(), AppError> {
    let s = Spans::of(spans);
    let (mut clients, mut agents, mut days) = (Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        clients.push(cell.client.map(|id| id.0));
        agents.push(cell.agent.map(|id| id.0));
        days.push(cell.day);
    }
    sqlx::query!(
        "delete from billing_usage b using unnest($2::uuid[], $3::date[], $4::date[]) s (client_id, first, last)
         where b.workspace_id = $1 and b.client_id is not distinct from s.client_id and b.day between s.first and s.last
           and (coalesce(b.client_id::text, ''), coalesce(b.agent_id::text, ''), b.day) not in (
             select coalesce(f.client_id::text, ''), coalesce(f.agent_id::text, ''), f.day
             from unnest($5::uuid[], $6::uuid[], $7::date[]) f (client_id, agent_id, day))",
        tx.workspace_uuid(),
        &s.clients as &[Option<Uuid>],
        &s.first,
        &s.last,
        &clients as &[Option<Uuid>],
        &agents as &[Option<Uuid>],
        &days
    )
    .execute(tx.conn())
    .await?;
    let count = |pick: fn(&Sums) -> i64| cells.iter().map(|cell| pick(&cell.sums)).collect::<Vec<i64>>();
    let money = |pick: fn(&Sums) -> Money| cells.iter().map(|cell| pick(&cell.sums).0).collect::<Vec<Decimal>>();
    sqlx::query!(
        "insert into billing_usage as b (workspace_id, client_id, agent_id, day, calls_made, ended, answered, failed, goals, call_seconds,
                characters_generated, tokens_used, voice_cost, carrier_cost, model_cost, unpriced_calls, unpriced_answers)
         select $1, f.* from unnest($2::uuid[], $3::uuid[], $4::date[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
                $10::bigint[], $11::bigint[], $12::bigint[], $13::numeric[], $14::numeric[], $15::numeric[], $16::bigint[], $17::bigint[]) f
         on conflict on constraint billing_usage_once do update
           set calls_made = excluded.calls_made, ended = excluded.ended, answered = excluded.answered, failed = excluded.failed,
               goals = excluded.goals, call_seconds = excluded.call_seconds, characters_generated = excluded.characters_generated,
               tokens_used = excluded.tokens_used, voice_cost = excluded.voice_cost, carrier_cost = excluded.carrier_cost,
               model_cost = excluded.model_cost, unpriced_calls = excluded.unpriced_calls, unpriced_answers = excluded.unpriced_answers
           where (b.calls_made, b.ended, b.answered, b.failed, b.goals, b.call_seconds, b.characters_generated, b.tokens_used, b.voice_cost,
                  b.carrier_cost, b.model_cost, b.unpriced_calls, b.unpriced_answers)
              is distinct from (excluded.calls_made, excluded.ended, excluded.answered, excluded.failed, excluded.goals, excluded.call_seconds,
                  excluded.characters_generated, excluded.tokens_used, excluded.voice_cost, excluded.carrier_cost, excluded.model_cost,
                  excluded.unpriced_calls, excluded.unpriced_answers)",
        tx.workspace_uuid(),
        &clients as &[Option<Uuid>],
        &agents as &[Option<Uuid>],
        &days,
        &count(|sums| sums.calls),
        &count(|sums| sums.ended),
        &count(|sums| sums.answered),
        &count(|sums| sums.failed),
        &count(|sums| sums.goals),
        &count(|sums| sums.seconds),
        &count(|sums| sums.characters),
        &count(|sums| sums.tokens),
        &money(|sums| sums.voice),
        &money(|sums| sums.carrier),
        &money(|sums| sums.model),
        &count(|sums| sums.unpriced),
        &count(|sums| sums.unpriced_answers)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same for the rows by model.
pub(crate) async fn keep_by_model(tx: &mut WriteTx, spans: &[Span], cells: &[ModelCell]) -> Result<(), AppError> {
    let s = Spans::of(spans);
    let clients: Vec<Option<Uuid>> = cells.iter().map(|cell| cell.client.map(|id| id.0)).collect();
    let days: Vec<NaiveDate> = cells.iter().map(|cell| cell.day).collect();
    let models: Vec<String> = cells.iter().map(|cell| cell.model.clone()).collect();
    let purposes: Vec<String> = cells.iter().map(|cell| cell.purpose.clone()).collect();
    sqlx::query!(
        "delete from billing_model_usage b using unnest($2::uuid[], $3::date[], $4::date[]) s (client_id, first, last)
         where b.workspace_id = $1 and b.client_id is not distinct from s.client_id and b.day between s.first and s.last
           and (coalesce(b.client_id::text, ''), b.day, b.model, b.purpose) not in (
             select coalesce(f.client_id::text, ''), f.day, f.model, f.purpose
             from unnest($5::uuid[], $6::date[], $7::text[], $8::text[]) f (client_id, day, model, purpose))",
        tx.workspace_uuid(),
        &s.clients as &[Option<Uuid>],
        &s.first,
        &s.last,
        &clients as &[Option<Uuid>],
        &days,
        &models,
        &purposes
    )
    .execute(tx.conn())
    .await?;
    let count = |pick: fn(&ModelCell) -> i64| cells.iter().map(pick).collect::<Vec<i64>>();
    let estimated: Vec<bool> = cells.iter().map(|cell| cell.is_estimated).collect();
    let costs: Vec<Option<Decimal>> = cells.iter().map(|cell| cell.cost).collect();
    sqlx::query!(
        "insert into billing_model_usage as b (workspace_id, client_id, day, model, purpose, answers, prompt_tokens, completion_tokens,
                is_estimated, cost, unpriced)
         select $1, f.* from unnest($2::uuid[], $3::date[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::boolean[],
                $10::numeric[], $11::bigint[]) f
         on conflict on constraint billing_model_usage_once do update
           set answers = excluded.answers, prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens,
               is_estimated = excluded.is_estimated, cost = excluded.cost, unpriced = excluded.unpriced
           where (b.answers, b.prompt_tokens, b.completion_tokens, b.is_estimated, b.cost, b.unpriced)
              is distinct from (excluded.answers, excluded.prompt_tokens, excluded.completion_tokens, excluded.is_estimated, excluded.cost,
                  excluded.unpriced)",
        tx.workspace_uuid(),
        &clients as &[Option<Uuid>],
        &days,
        &models,
        &purposes,
        &count(|cell| cell.answers),
        &count(|cell| cell.prompt_tokens),
        &count(|cell| cell.completion_tokens),
        &estimated,
        &costs as &[Option<Decimal>],
        &count(|cell| cell.unpriced)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A sum of kept rows: of a day of all, or of some days (by their place) of one agent for one client.
pub(crate) enum Kept {
    Day(NaiveDate, Sums),
    Agent(Option<ClientId>, Option<AgentId>, usize, Sums),
}

/// Adds kept rows up, those of `stale` left out. `step`: how many days stand together in what is by agent.
pub(crate) async fn kept(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    (first, last): (NaiveDate, NaiveDate),
    step: i32,
    stale: &[Span],
) -> Result<Vec<Kept>, AppError> {
    let s = Spans::of(stale);
    let rows = sqlx::query!(
        r#"select grouping(b.day) as "is_by_agent!", b.day as "day?", b.client_id as "client_id?: ClientId", b.agent_id as "agent_id?: AgentId", b.place as "place?",
                  sum(b.calls_made)::bigint as "calls!", sum(b.ended)::bigint as "ended!", sum(b.answered)::bigint as "answered!",
                  sum(b.failed)::bigint as "failed!", sum(b.goals)::bigint as "goals!", sum(b.call_seconds)::bigint as "seconds!",
                  sum(b.characters_generated)::bigint as "characters!", sum(b.tokens_used)::bigint as "tokens!",
                  sum(b.voice_cost) as "voice!", sum(b.carrier_cost) as "carrier!", sum(b.model_cost) as "model!",
                  sum(b.unpriced_calls)::bigint as "unpriced!", sum(b.unpriced_answers)::bigint as "unpriced_answers!"
           from (select u.*, (u.day - $3::date) / $5::int as place from billing_usage u
                 where u.workspace_id = $1 and ($2::uuid is null or u.client_id = $2) and u.day between $3 and $4
                   and not exists (select from unnest($6::uuid[], $7::date[], $8::date[]) s (client_id, first, last)
                                   where s.client_id is not distinct from u.client_id and u.day between s.first and s.last)) b
           group by grouping sets ((b.day), (b.client_id, b.agent_id, b.place))"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        first,
        last,
        step,
        &s.clients as &[Option<Uuid>],
        &s.first,
        &s.last
    )
    .fetch_all(tx.conn())
    .await?;
    let kept = rows.into_iter().map(|row| {
        let sums = Sums {
            calls: row.calls,
            ended: row.ended,
            answered: row.answered,
            failed: row.failed,
            goals: row.goals,
            seconds: row.seconds,
            characters: row.characters,
            tokens: row.tokens,
            voice: Money(row.voice),
            carrier: Money(row.carrier),
            model: Money(row.model),
            unpriced: row.unpriced,
            unpriced_answers: row.unpriced_answers,
        };
        match row.day.filter(|_| row.is_by_agent == 0) {
            Some(day) => Kept::Day(day, sums),
            None => {
                let place = row.place.and_then(|place| usize::try_from(place).ok()).unwrap_or_default();
                Kept::Agent(row.client_id, row.agent_id, place, sums)
            }
        }
    });
    Ok(kept.collect())
}

/// Kept rows by model, added up over the days, those of `stale` left out. The day is that of the first row.
pub(crate) async fn kept_by_model(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    (first, last): (NaiveDate, NaiveDate),
    stale: &[Span],
) -> Result<Vec<ModelCell>, AppError> {
    let s = Spans::of(stale);
    Ok(sqlx::query_as!(
        ModelCell,
        r#"select null::uuid as "client: ClientId", min(u.day) as "day!", u.model, u.purpose, sum(u.answers)::bigint as "answers!",
                  sum(u.prompt_tokens)::bigint as "prompt_tokens!", sum(u.completion_tokens)::bigint as "completion_tokens!",
                  bool_or(u.is_estimated) as "is_estimated!", sum(u.cost) as cost, sum(u.unpriced)::bigint as "unpriced!"
           from billing_model_usage u
           where u.workspace_id = $1 and ($2::uuid is null or u.client_id = $2) and u.day between $3 and $4
             and not exists (select from unnest($5::uuid[], $6::date[], $7::date[]) s (client_id, first, last)
                             where s.client_id is not distinct from u.client_id and u.day between s.first and s.last)
           group by u.model, u.purpose"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        first,
        last,
        &s.clients as &[Option<Uuid>],
        &s.first,
        &s.last
    )
    .fetch_all(tx.conn())
    .await?)
}
