//! The calls that are here, for comparison with those that the service has.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CallId};

/// What is known here of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub id: Uuid,
    pub provider_call_id: Option<String>,
    pub has_joined: bool,
    pub has_ended: bool,
    pub billed_seconds: Option<i32>,
    pub is_refunded: bool,
}

/// Those of the calls that are here: by the service's id, or by ours where the service was given it.
pub(crate) async fn known(
    tx: &mut ReadTx,
    provider: &str,
    theirs: &[String],
    ours: &[Uuid],
) -> Result<Vec<Known>, AppError> {
    Ok(sqlx::query_as!(
        Known,
        r#"select id as "id!", provider_call_id, joined_at is not null as "has_joined!", ended_at is not null as "has_ended!", billed_seconds,
                  coalesce(billing_status = 'BILLING_STATUS_REFUNDED', false) as "is_refunded!"
           from calls where workspace_id = $1 and provider = $2 and provider_call_id = any($3)
           union all
           select id, provider_call_id, joined_at is not null, ended_at is not null, billed_seconds,
                  coalesce(billing_status = 'BILLING_STATUS_REFUNDED', false)
           from calls where workspace_id = $1 and id = any($4) and provider_call_id is null"#,
        tx.workspace_uuid(),
        provider,
        theirs,
        ours
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A call that is asked after: ours, the service's id, when it began, its agent.
#[derive(Debug, Clone)]
pub(crate) struct Stuck {
    pub id: CallId,
    pub provider_call_id: String,
    pub agent_id: Option<AgentId>,
    pub started_at: DateTime<Utc>,
}

/// Calls that the service has and that have gone on here since before `before`, the oldest first.
pub(crate) async fn without_end(
    tx: &mut ReadTx,
    provider: &str,
    before: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Stuck>, AppError> {
    Ok(sqlx::query_as!(
        Stuck,
        r#"select id as "id: CallId", provider_call_id as "provider_call_id!", agent_id as "agent_id: AgentId", started_at
           from calls where workspace_id = $1 and provider = $2 and ended_at is null and provider_call_id is not null and started_at < $3
           order by started_at, id limit $4"#,
        tx.workspace_uuid(),
        provider,
        before,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Calls in which somebody talked, that ended before `before` and have no bill, the newest first.
pub(crate) async fn without_bill(
    tx: &mut ReadTx,
    provider: &str,
    before: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Stuck>, AppError> {
    Ok(sqlx::query_as!(
        Stuck,
        r#"select id as "id: CallId", provider_call_id as "provider_call_id!", agent_id as "agent_id: AgentId", started_at
           from calls where workspace_id = $1 and provider = $2 and is_unpriced and provider_call_id is not null and ended_at < $3
           order by started_at desc, id desc limit $4"#,
        tx.workspace_uuid(),
        provider,
        before,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Calls of a span that are here already, counted up to `most`.
pub(crate) async fn here(
    tx: &mut ReadTx,
    provider: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    most: i64,
) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from calls
             where workspace_id = $1 and provider = $2 and provider_call_id is not null and started_at between $3 and $4
             order by started_at desc, id desc limit $5) counted"#,
        tx.workspace_uuid(),
        provider,
        from,
        to,
        most
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Imported calls whose words have not been asked for, counted up to `most`.
pub(crate) async fn words_waiting(tx: &mut ReadTx, most: i64) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from calls
             where workspace_id = $1 and source = 'historical_sync' and transcript_status = 'pending' limit $2) counted"#,
        tx.workspace_uuid(),
        most
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Imported calls whose recordings wait to be fetched without their words, counted up to `most`.
pub(crate) async fn recordings_waiting(tx: &mut ReadTx, most: i64) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from calls
             where workspace_id = $1 and recording_wish = 'waits' limit $2) counted"#,
        tx.workspace_uuid(),
        most
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Legs that the carrier told of since `from`, that began before `before` and that no call here fits: from, to, when, the carrier's id.
pub(crate) async fn carrier_alone(
    tx: &mut ReadTx,
    from: DateTime<Utc>,
    before: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Leg>, AppError> {
    Ok(sqlx::query_as!(
        Leg,
        r#"select "from", "to", started_at, leg from call_legs
           where workspace_id = $1 and call_id is null and started_at >= $2 and started_at < $3
           order by started_at desc, leg limit $4"#,
        tx.workspace_uuid(),
        from,
        before,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What the carrier told of a leg.
pub(crate) struct Leg {
    pub from: Option<String>,
    pub to: Option<String>,
    pub started_at: DateTime<Utc>,
    pub leg: String,
}

/// From here on the transaction can be taken back to this moment, and go on.
pub(crate) async fn mark(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::raw_sql("savepoint calls").execute(tx.conn()).await?;
    Ok(())
}

/// Takes everything back that happened since the mark.
pub(crate) async fn take_back(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::raw_sql("rollback to savepoint calls").execute(tx.conn()).await?;
    Ok(())
}

/// The mark is not needed any more.
pub(crate) async fn keep(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::raw_sql("release savepoint calls").execute(tx.conn()).await?;
    Ok(())
}
