//! Statements on contacts of a campaign whose calls have ended.

use uuid::Uuid;

use patchbay_access::server::WriteTx;
use patchbay_calls::model::ContactOutcome;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, CampaignContactId};

/// Locks these contacts until the commit, in the order of their ids.
pub(crate) async fn hold_all(tx: &mut WriteTx, contacts: &[CampaignContactId]) -> Result<(), AppError> {
    let ids: Vec<Uuid> = contacts.iter().map(|contact| contact.0).collect();
    sqlx::query!(
        "select id from campaign_contacts where workspace_id = $1 and id = any($2) order by id for no key update",
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// What a call that ended makes of its contact, or what later news about such a call does.
pub(crate) struct Settled<'a> {
    pub contact: CampaignContactId,
    pub attempt: i32,
    pub call: CallId,
    pub outcome: Option<ContactOutcome>,
    pub error: Option<&'a str>,
    /// Retry after this many minutes, while attempts are left.
    pub retry: Option<(i32, i32)>,
}

/// A column of several contacts, for `unnest`.
fn column<T>(settled: &[Settled<'_>], of: impl Fn(&Settled<'_>) -> T) -> Vec<T> {
    settled.iter().map(of).collect()
}

fn outcomes(settled: &[Settled<'_>]) -> Vec<Option<String>> {
    column(settled, |one| one.outcome.map(|outcome| outcome.as_str().to_owned()))
}

/// Settles each contact whose call is the one that is on the line. Each contact once.
pub(crate) async fn settle(tx: &mut WriteTx, settled: &[Settled<'_>]) -> Result<(), AppError> {
    if settled.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update campaign_contacts x set outcome = n.outcome::contact_outcome, reached = coalesce(n.outcome = 'answered', false),
                last_call_id = n.call, last_error = n.error,
                status = (case when n.error is not null and n.outcome is null then 'failed'
                               when x.attempts < n.most then 'scheduled' else 'completed' end)::contact_status,
                next_attempt_at = case when x.attempts < n.most then now() + make_interval(mins => n.minutes) end, updated_at = now()
         from unnest($2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::int[], $8::int[])
           as n (id, attempt, call, outcome, error, most, minutes)
         where x.workspace_id = $1 and x.id = n.id and x.attempts = n.attempt and x.status = 'calling'",
        tx.workspace_uuid(),
        &column(settled, |one| one.contact.0),
        &column(settled, |one| one.attempt),
        &column(settled, |one| one.call.0),
        &outcomes(settled) as &[Option<String>],
        &column(settled, |one| one.error.map(str::to_owned)) as &[Option<String>],
        &column(settled, |one| one.retry.map_or(0, |(most, _)| most)),
        &column(settled, |one| one.retry.map_or(0, |(_, minutes)| minutes)),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Corrects contacts that counted as not reached, while that call is their last one. Somebody who answered after all does not wait any
/// more, whatever the contact waited for. Each contact once.
pub(crate) async fn settle_better(tx: &mut WriteTx, settled: &[Settled<'_>]) -> Result<(), AppError> {
    if settled.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update campaign_contacts x set outcome = n.outcome::contact_outcome, reached = coalesce(n.outcome = 'answered', false),
                last_error = n.error,
                status = (case when n.outcome is null then 'failed' when n.outcome = 'busy' then x.status::text else 'completed' end)::contact_status,
                next_attempt_at = case when n.outcome = 'busy' then x.next_attempt_at end, updated_at = now()
         from unnest($2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[]) as n (id, attempt, call, outcome, error)
         where x.workspace_id = $1 and x.id = n.id and x.attempts = n.attempt and x.last_call_id = n.call
           and (x.outcome = 'no_answer' and x.status in ('pending', 'scheduled', 'completed')
             or n.outcome = 'answered' and not x.reached and x.status in ('pending', 'scheduled', 'completed', 'failed'))",
        tx.workspace_uuid(),
        &column(settled, |one| one.contact.0),
        &column(settled, |one| one.attempt),
        &column(settled, |one| one.call.0),
        &outcomes(settled) as &[Option<String>],
        &column(settled, |one| one.error.map(str::to_owned)) as &[Option<String>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
