//! What people start, cancel and close, and what a saved account means for the past.

use chrono::{NaiveDate, NaiveTime};
use serde_json::json;

use super::check::{CheckCalls, CloseGaps, ON_ITS_WAY};
pub(crate) use super::close::one as close_one;
pub(crate) use super::estimate::estimate;
use super::import::{self, ImportPastCalls};
use super::store::{self, NewSync, Sync, Tally, checks, gaps};
use crate::model::{ImportForm, SyncJobStatus};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_jobs::NewJob;
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::{ConnectionId, HistoricalSyncId};
use patchbay_shared::zone::{self, instant};
use patchbay_shared::{AppError, FieldErrors, Reason};

/// The voice service whose past is brought in.
pub(crate) const PROVIDER: &str = "ultravox";
/// What its pages listen to.
pub(crate) const TOPIC: &str = "history";
/// Imports that may wait at a time: more is a mistake.
const MOST_WAITING: usize = 20;
/// The first day that an import can begin with.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day");

/// The connection that the address names. Errors: `NotFound` for a service without a past, and while it was never connected.
pub(crate) async fn connection(tx: &mut ReadTx, provider: &str) -> Result<ConnectionId, AppError> {
    if provider != PROVIDER {
        return Err(AppError::NotFound);
    }
    store::connection(tx, provider).await?.map(|(id, _)| id).ok_or(AppError::NotFound)
}

/// The days that a form or an address asks for. Errors: `Invalid` at the day.
pub(crate) fn days(from: &str, to: &str, today: NaiveDate) -> Result<(Option<NaiveDate>, NaiveDate), AppError> {
    let mut errors = FieldErrors::default();
    let read = |text: &str| text.trim().parse::<NaiveDate>().ok();
    let to_day = match (to.trim().is_empty(), read(to)) {
        (true, _) => today,
        (false, Some(day)) => day.min(today),
        (false, None) => {
            errors.add("to", "This is no day. Write it as year, month and day, for example 2026-11-20.");
            today
        }
    };
    let from_day = match (from.trim().is_empty(), read(from)) {
        (true, _) => None,
        (false, Some(day)) if day > to_day => {
            errors.add("from", "The first day is after the last one. Choose an earlier one.");
            None
        }
        (false, Some(day)) => Some(day.max(FIRST_DAY)),
        (false, None) => {
            errors.add("from", "This is no day. Write it as year, month and day, for example 2026-09-26.");
            None
        }
    };
    errors.check()?;
    Ok((from_day, to_day))
}

/// The moments that days are, both included, as far as no webhook is on its way any more.
pub(crate) fn moments(
    from: Option<NaiveDate>,
    to: NaiveDate,
    zone: zone::Tz,
    now: chrono::DateTime<chrono::Utc>,
) -> (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>) {
    let from = instant(from.unwrap_or(FIRST_DAY), NaiveTime::MIN, zone);
    let after = to.succ_opt().unwrap_or(to);
    let last = instant(after, NaiveTime::MIN, zone) - chrono::Duration::microseconds(1);
    // What begins later comes by itself, with its words. A day that has only just begun is empty.
    (from, last.min(now - ON_ITS_WAY).max(from))
}

/// Starts an import, or has it wait for the running one. Gives its id. Errors: `Invalid` at a field; `Conflict` when the account is not
/// connected, and when too many wait.
pub async fn start(scope: &Scope, form: &ImportForm) -> Result<HistoricalSyncId, AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let connection = connection(tx.reading(), &form.provider).await?;
    if !store::connection(tx.reading(), PROVIDER).await?.is_some_and(|(_, is_on)| is_on) {
        return Err(AppError::Conflict(
            Reason::NotConnected,
            "Ultravox is switched off. Switch it on under Integrations, then start the import.".into(),
        ));
    }
    let (now, zone) = (tx.reading().now().await?, scope.zone());
    let today = now.with_timezone(&zone).date_naive();
    let (from_day, to_day) = days(&form.from, &form.to, today)?;
    let (from, to) = moments(from_day, to_day, zone, now);
    let chosen = agents(tx.reading(), &form.agents).await?;
    if store::unfinished(tx.reading(), connection).await?.len() >= MOST_WAITING {
        return Err(AppError::Conflict(
            Reason::LimitReached,
            format!("{MOST_WAITING} imports are waiting already. Wait until they are done, or cancel some."),
        ));
    }
    let id = HistoricalSyncId::new();
    let new = NewSync {
        id,
        connection,
        provider: PROVIDER,
        from_day,
        to_day,
        zone: zone.name(),
        from,
        to,
        all_agents: chosen.is_empty(),
        with_transcripts: form.transcripts.is_some(),
        with_recordings: form.recordings.is_some(),
        started_by: tx.user_id(),
    };
    store::insert(&mut tx, &new).await?;
    for (agent, theirs) in &chosen {
        store::count_agent(&mut tx, id, Some((*agent, theirs)), None, Tally::default()).await?;
    }
    tx.audit(Change {
        action: "started",
        entity: "history_import",
        entity_id: Some(id.0),
        client_id: None,
        fields: Fields::Created(json!({
            "service": PROVIDER, "from": from_day, "to": to_day, "agents": chosen.len(), "all_agents": chosen.is_empty(),
            "transcripts": new.with_transcripts, "recordings": new.with_recordings,
        })),
    })
    .await?;
    patchbay_jobs::enqueue(&mut tx, &ImportPastCalls { sync: id }, NewJob::default()).await?;
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await?;
    Ok(id)
}

/// The agents of the form, with each of their copies at the service. Empty: all calls. Errors: `Invalid` for an agent that the service
/// does not know, or that is nobody's here.
async fn agents(tx: &mut ReadTx, ids: &[String]) -> Result<Vec<(patchbay_shared::ids::AgentId, String)>, AppError> {
    let wanted: Vec<&str> = ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty()).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let all = store::provider_agents(tx, PROVIDER).await?;
    let known = |id: &str| all.iter().any(|(agent, _)| agent.to_string() == id);
    if !wanted.iter().all(|id| known(id)) {
        return Err(AppError::invalid("agents", "Ultravox does not know one of these agents. Load the page again."));
    }
    Ok(all.into_iter().filter(|(agent, _)| wanted.contains(&agent.to_string().as_str())).collect())
}

/// Cancels an import; what is in stays in. Cancelling one that is over changes nothing.
pub async fn cancel(scope: &Scope, id: HistoricalSyncId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    end(&mut tx, id, SyncJobStatus::Cancelled, None).await?;
    tx.commit().await
}

/// Ends an import, with its row in the audit log and what follows from it. Nothing, if it was over before. Errors: `NotFound`.
pub(crate) async fn end(
    tx: &mut WriteTx,
    id: HistoricalSyncId,
    status: SyncJobStatus,
    error: Option<&str>,
) -> Result<(), AppError> {
    let sync: Sync = store::lock(tx, id).await?;
    let by = tx.user_id();
    if !store::end(tx, id, status, error, by.filter(|_| status == SyncJobStatus::Cancelled)).await? {
        return Ok(());
    }
    let state = |status: SyncJobStatus, error: Option<&str>| json!({ "status": status, "imported": sync.imported, "skipped": sync.skipped, "failed": sync.failed, "error": error });
    let action = match status {
        SyncJobStatus::Cancelled => "cancelled",
        SyncJobStatus::Failed => "failed",
        _ => "completed",
    };
    tx.audit(Change {
        action,
        entity: "history_import",
        entity_id: Some(id.0),
        client_id: None,
        fields: Fields::Changed { before: state(sync.status, None), after: state(status, error) },
    })
    .await?;
    import::after(tx, &sync).await?;
    tx.notify(Topic::list(TOPIC), None);
    Ok(())
}

/// Compares the last thirty days with the service, and writes down what is missing.
pub async fn check_now(scope: &Scope, provider: &str) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let connection = connection(tx.reading(), provider).await?;
    patchbay_jobs::enqueue(&mut tx, &CheckCalls { connection, looks_far: true }, NewJob::default()).await?;
    tx.audit(Change {
        action: "asked for a check",
        entity: "call_gap",
        entity_id: None,
        client_id: None,
        fields: Fields::Happened(json!({ "service": PROVIDER })),
    })
    .await?;
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await
}

/// Has all open gaps closed.
pub async fn close_all(scope: &Scope, provider: &str) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let connection = connection(tx.reading(), provider).await?;
    let open = gaps::counts(tx.reading(), connection).await?.open();
    if open > 0 {
        let since = Some(tx.reading().now().await?);
        patchbay_jobs::enqueue(&mut tx, &CloseGaps { connection, since }, NewJob::default()).await?;
        tx.audit(Change {
            action: "asked to close",
            entity: "call_gap",
            entity_id: None,
            client_id: None,
            fields: Fields::Happened(json!({ "service": PROVIDER, "open": open })),
        })
        .await?;
        tx.notify(Topic::list(TOPIC), None);
    }
    tx.commit().await
}

/// An account at the voice service was saved: from now on it is compared. What the former account has is not known to this one, so its
/// imports end, and what was missing of it cannot be had any more.
pub async fn account_saved(tx: &mut WriteTx, is_other: bool) -> Result<(), AppError> {
    let Some((connection, _)) = store::connection(tx.reading(), PROVIDER).await? else { return Ok(()) };
    checks::start(tx, connection, is_other).await?;
    if is_other {
        for id in store::unfinished(tx.reading(), connection).await? {
            end(tx, id, SyncJobStatus::Failed, Some("Another account was connected. Start the import again.")).await?;
        }
        gaps::drop_all(tx, connection, "Another account was connected.").await?;
    }
    tx.notify(Topic::list(TOPIC), None);
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;

    #[test]
    fn days_are_read_with_a_word_for_what_is_wrong() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let today = day("2026-11-20");
        assert_eq!(days("2026-09-26", "2026-11-20", today), Ok((Some(day("2026-09-26")), today)));
        assert_eq!(days("", "2027-01-01", today), Ok((None, today)), "nothing is after today");
        assert_eq!(days("0001-01-01", "", today), Ok((Some(FIRST_DAY), today)));
        let at = |from: &str, to: &str| match days(from, to, today) {
            Err(AppError::Invalid(errors)) => errors.0.into_iter().map(|(field, _)| field).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(at("yesterday", "2026-02-30"), ["to", "from"]);
        assert_eq!(at("2026-11-20", "2026-11-19"), ["from"]);
    }

    #[test]
    fn the_days_of_a_zone_are_whole_and_end_just_before_now() {
        let now = Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).single().expect("a moment");
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let zurich = zone::zone("Europe/Zurich");
        let (from, to) = moments(Some(day("2026-10-25")), day("2026-10-25"), zurich, now);
        assert_eq!(from.to_rfc3339(), "2026-10-24T22:00:00+00:00");
        assert_eq!(to.to_rfc3339(), "2026-10-25T22:59:59.999999+00:00", "that day has 25 hours");
        assert_eq!(moments(None, day("2026-11-20"), zurich, now).1, now - ON_ITS_WAY);
        let midnight = Utc.with_ymd_and_hms(2026, 11, 19, 23, 0, 1).single().expect("a moment");
        let (from, to) = moments(Some(day("2026-11-20")), day("2026-11-20"), zurich, midnight);
        assert_eq!(from, to, "the day began a second ago");
    }
}
