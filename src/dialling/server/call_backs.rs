//! Call-backs: what is made of somebody's wish to be called again, what people do with it, and what becomes of it.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::json;

use super::contacts;
use super::jobs::DialCallBack;
use super::store::{self, New, Row, Subject};
use super::when::Setting;
use crate::model::call_back::is_open;
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_calls::model::CallBackStatus;
use patchbay_calls::server::ended::AskedBack;
use patchbay_calls::server::outcomes;
use patchbay_jobs::live::Topic;
use patchbay_jobs::{Job, NewJob, enqueue};
use patchbay_shared::ids::{BatchId, CallBackId, CallId, CampaignContactId, CampaignId, ClientId};
use patchbay_shared::window::CallingWindow;
use patchbay_shared::{AppError, Reason, zone};
use patchbay_webhooks::model::{self as webhooks, EventType};
use patchbay_webhooks::server::{NewEvent, emit};

/// So many call-backs of a contact are scheduled by themselves. Whoever asks for one more is a matter for a person.
const MOST: i64 = 3;
/// So long after its time a call-back is surely being dialled, or its job is lost.
const GRACE_MINUTES: i32 = 10;
/// A wish that is heard of later than this, in an imported call or after a long outage, makes no call-back: its time is over, and many may
/// come at once.
const STALE: TimeDelta = TimeDelta::days(2);
/// Why a call-back does not go out.
pub const TALKED: &str = "They were on the phone with an agent in the meantime.";
pub const TOO_LATE: &str = "It could not go out at its time, and two hours have passed since.";
const NOT_AGAIN: &str = "Nobody answered, and it could not be tried again within two hours of its time.";
/// The longest words that are kept, in characters.
const LONGEST: usize = 300;

/// Somebody on a call wants to be called again: it is scheduled if nothing leaves a doubt, else a person decides. Safe to repeat.
pub async fn ask(tx: &mut WriteTx, asked: AskedBack<'_>) -> Result<(), AppError> {
    let Some(subject) = store::of_call(tx, asked.call).await? else { return Ok(()) };
    if subject.do_not_call {
        return Ok(());
    }
    let now = tx.reading().now().await?;
    if now - subject.said_at > STALE {
        return Ok(());
    }
    let decided = decide(tx, &subject, &asked, now);
    if let Some(known) = store::by_call(tx, asked.call).await? {
        // Read once more, the words may be clear. What a person has looked at, or what has gone out, stays as it is.
        let is_new = known.status == CallBackStatus::NeedsPerson && !known.is_persons && known.batch_id.is_none();
        return match decided {
            Ok(at) if is_new => go_out(tx, &known, at, asked.words).await,
            _ => Ok(()),
        };
    }
    if let Some(member) = subject.member {
        match store::open_of(tx, member).await? {
            Some(open) if open.status == CallBackStatus::Dialling => return Ok(()),
            // A call that is heard of late does not undo what was agreed after it, and what is not clear does not undo a time.
            Some(open) if store::agreed_at(tx.reading(), open.id).await? > subject.said_at => return Ok(()),
            Some(open) if open.status == CallBackStatus::Scheduled && decided.is_err() => return Ok(()),
            Some(open) => call_off(tx, &open, "Asked for anew in a later call.").await?,
            None => {}
        }
    }
    let words: Option<String> = asked.words.or(asked.at).map(|words| words.chars().take(LONGEST).collect());
    let new = New {
        id: CallBackId::new(),
        subject: &subject,
        call: Some(asked.call),
        words: words.as_deref(),
        due_at: decided.as_ref().ok().copied(),
        status: if decided.is_ok() { CallBackStatus::Scheduled } else { CallBackStatus::NeedsPerson },
        why: decided.as_ref().err().map(String::as_str),
    };
    write(tx, &new).await?;
    tell(tx, asked.call, &new).await
}

/// Tells other systems that somebody wants to be called again.
async fn tell(tx: &mut WriteTx, call: CallId, new: &New<'_>) -> Result<(), AppError> {
    let url = format!("{}/calls/{call}", tx.services().public_url);
    let data = json!({
        "callback_id": new.id, "call_id": call, "client_id": new.subject.client_id, "contact_id": new.subject.contact_id,
        "campaign_id": new.subject.campaign_id, "due_at": new.due_at, "words": new.words, "status": new.status, "url": url,
    });
    let (kind, client_id) = (EventType::CallbackAsked, Some(new.subject.client_id));
    emit(tx, vec![NewEvent { kind, client_id, subject: webhooks::Subject::Call, subject_id: call.0, data }]).await
}

/// When it goes out. Errors: why a person has to decide.
fn decide(tx: &WriteTx, subject: &Subject, asked: &AskedBack<'_>, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let Some(window) = subject.window.as_ref().filter(|_| subject.member.is_some()) else {
        return Err("The call was in no campaign, so no agent and no number are set for calling back.".into());
    };
    if subject.before >= MOST {
        return Err(format!("This person has been called back {MOST} times already."));
    }
    let Some(words) = asked.words else {
        return Err("A call-back was agreed, and no words in the call say when.".into());
    };
    let setting = setting(tx, window, &subject.zone);
    let at = match asked.at.map(|at| setting.read(at, subject.said_at)) {
        Some(Ok(at)) => at,
        _ => setting.read(words, subject.said_at)?,
    };
    setting.check(at, now)?;
    Ok(at)
}

fn setting<'a>(tx: &WriteTx, window: &'a CallingWindow, name: &str) -> Setting<'a> {
    Setting { zone: zone::zone(name), window, ahead: tx.services().clock.ahead() }
}

/// Writes a new one, with all that follows from it.
async fn write(tx: &mut WriteTx, new: &New<'_>) -> Result<(), AppError> {
    if !store::insert(tx, new).await? {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This contact waits for a call-back already. Change that one.".into(),
        ));
    }
    if let (CallBackStatus::Scheduled, Some(at)) = (new.status, new.due_at) {
        enqueue(tx, &DialCallBack { call_back: new.id }, NewJob { run_at: Some(at) }).await?;
        wait(tx, new.subject.member, Some(at)).await?;
    }
    settle_call(tx, new.call).await?;
    let after = json!({ "status": new.status, "due_at": new.due_at, "words": new.words, "why": new.why });
    record(tx, "created", new.id, new.subject.client_id, Fields::Created(after)).await
}

/// One that a call asked for goes out at `at`.
async fn go_out(tx: &mut WriteTx, row: &Row, at: DateTime<Utc>, words: Option<&str>) -> Result<(), AppError> {
    store::schedule(tx, row.id, at, words).await?;
    enqueue(tx, &DialCallBack { call_back: row.id }, NewJob { run_at: Some(at) }).await?;
    wait(tx, row.member, Some(at)).await?;
    settle_call(tx, row.call_id).await?;
    let after = json!({ "status": CallBackStatus::Scheduled, "due_at": at, "why": null });
    record(tx, "scheduled", row.id, row.client_id, changed(row, after)).await
}

/// A person sets or changes its time. `local`: by the clock of the person who is called.
pub(crate) async fn set(tx: &mut WriteTx, id: CallBackId, local: &str) -> Result<(), AppError> {
    let row = store::lock(tx, id).await?;
    must_be_open(&row)?;
    let Some(member) = row.member else {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "The call was in no campaign, so no agent and no number are set for calling back. Call yourself, or put the contact into a campaign."
                .into(),
        ));
    };
    let subject = store::of_member(tx, member).await?;
    let at = chosen(tx, &subject, local).await?;
    if row.status == CallBackStatus::Scheduled && row.due_at == Some(at) {
        return Ok(());
    }
    go_out(tx, &row, at, None).await
}

/// A person has a contact of a campaign called back: from a call of it, or from its page.
pub(crate) async fn plan(
    tx: &mut WriteTx,
    member: CampaignContactId,
    call: Option<CallId>,
    local: &str,
) -> Result<CallBackId, AppError> {
    let subject = store::of_member(tx, member).await?;
    if let Some(call) = call {
        // Else somebody's words would stand beside another person, whom others may see.
        let of_call = store::of_call(tx, call).await?.and_then(|of_call| of_call.member);
        if of_call != Some(member) {
            return Err(AppError::NotFound);
        }
    }
    let at = chosen(tx, &subject, local).await?;
    let id = CallBackId::new();
    let new = New {
        id,
        subject: &subject,
        call,
        words: None,
        due_at: Some(at),
        status: CallBackStatus::Scheduled,
        why: None,
    };
    write(tx, &new).await?;
    Ok(id)
}

/// The moment that a person chose. Errors: `Invalid` at the field.
async fn chosen(tx: &mut WriteTx, subject: &Subject, local: &str) -> Result<DateTime<Utc>, AppError> {
    let wrong = |why: &str| AppError::invalid("at", why);
    let parsed = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let parsed = parsed.iter().find_map(|form| NaiveDateTime::parse_from_str(local.trim(), form).ok());
    let parsed = parsed.filter(|at| (2000..=9999).contains(&chrono::Datelike::year(at)));
    let Some(parsed) = parsed else { return Err(wrong("Choose the day and time of the call.")) };
    if subject.do_not_call {
        return Err(wrong("This contact is on the do-not-call list. Take it off that list first."));
    }
    let Some(window) = &subject.window else { return Err(wrong("The campaign is gone.")) };
    let now = tx.reading().now().await?;
    let setting = setting(tx, window, &subject.zone);
    let at = setting.moment(parsed);
    setting.check(at, now).map_err(|why| wrong(&format!("{why} Choose another time.")))?;
    Ok(at)
}

/// A person calls it off. Safe to repeat.
pub(crate) async fn cancel(tx: &mut WriteTx, id: CallBackId) -> Result<(), AppError> {
    let row = store::lock(tx, id).await?;
    if row.status == CallBackStatus::Cancelled {
        return Ok(());
    }
    must_be_open(&row)?;
    call_off(tx, &row, "Called off by a person.").await
}

fn must_be_open(row: &Row) -> Result<(), AppError> {
    if is_open(row.status) {
        return Ok(());
    }
    Err(AppError::Conflict(
        Reason::WrongState,
        format!(
            "This call-back is {} now. Reload the page to see what is possible.",
            row.status.label().to_lowercase()
        ),
    ))
}

async fn call_off(tx: &mut WriteTx, row: &Row, why: &str) -> Result<(), AppError> {
    store::end(tx, row.id, CallBackStatus::Cancelled, why).await?;
    wait(tx, row.member, None).await?;
    settle_call(tx, row.call_id).await?;
    let after = json!({ "status": CallBackStatus::Cancelled, "due_at": row.due_at, "why": why });
    record(tx, "cancelled", row.id, row.client_id, changed(row, after)).await
}

/// One that is due, for whoever dials it.
pub struct Due {
    row: Row,
    pub client_id: ClientId,
    pub campaign_id: CampaignId,
    pub member: CampaignContactId,
    pub at: DateTime<Utc>,
}

/// The call-back, locked, while it is still to go out.
pub async fn due(tx: &mut WriteTx, id: CallBackId) -> Result<Option<Due>, AppError> {
    let row = store::lock(tx, id).await?;
    Ok(match (row.status, row.campaign_id, row.member, row.due_at) {
        (CallBackStatus::Scheduled, Some(campaign_id), Some(member), Some(at)) => {
            Some(Due { client_id: row.client_id, campaign_id, member, at, row })
        }
        _ => None,
    })
}

/// One that the batch has, whose contact still waits to be dialled, or dialled again, and must not be: its time was before `before`, or
/// somebody has talked with the contact meanwhile. It is locked. Gives why a person has to decide, too.
pub async fn not_any_more(
    tx: &mut WriteTx,
    batch: BatchId,
    before: DateTime<Utc>,
) -> Result<Option<(Due, &'static str)>, AppError> {
    let Some(found) = store::not_any_more(tx, batch, before).await? else { return Ok(None) };
    let row = store::lock(tx, found.id).await?;
    // It has gone out, and nobody answered.
    let was_tried = row.status == CallBackStatus::Dialling && row.why.is_some();
    let why = match (found.has_talked, was_tried) {
        (true, _) => TALKED,
        (false, true) => NOT_AGAIN,
        (false, false) => TOO_LATE,
    };
    Ok(match (row.campaign_id, row.member, row.due_at) {
        (Some(campaign_id), Some(member), Some(at)) => {
            Some((Due { client_id: row.client_id, campaign_id, member, at, row }, why))
        }
        _ => None,
    })
}

/// Whether its contact has talked with an agent since it got its time: then nobody is called a second time for it.
pub async fn has_talked_since(tx: &mut WriteTx, due: &Due) -> Result<bool, AppError> {
    store::talked_since(tx.reading(), due.row.id).await
}

/// It cannot be kept: a person has to look.
pub async fn hand_over(tx: &mut WriteTx, due: &Due, why: &str) -> Result<(), AppError> {
    store::end(tx, due.row.id, CallBackStatus::NeedsPerson, why).await?;
    wait(tx, Some(due.member), None).await?;
    settle_call(tx, due.row.call_id).await?;
    let after = json!({ "status": CallBackStatus::NeedsPerson, "due_at": due.at, "why": why });
    record(tx, "handed over", due.row.id, due.client_id, changed(&due.row, after)).await
}

/// Whoever must not be called any more is not called back.
pub async fn not_wanted(tx: &mut WriteTx, due: &Due) -> Result<(), AppError> {
    call_off(tx, &due.row, "The contact is on the do-not-call list now.").await
}

/// A batch has taken its contact.
pub async fn in_batch(tx: &mut WriteTx, due: &Due, batch: BatchId) -> Result<(), AppError> {
    store::set_dialling(tx, due.row.id, batch).await?;
    contacts::call_now(tx, due.member).await?;
    let after = json!({ "status": CallBackStatus::Dialling, "due_at": due.at, "batch": batch });
    record(tx, "dialled", due.row.id, due.client_id, changed(&due.row, after)).await
}

/// Gives call-backs that are due and have no job any more their job again: it dials them, or says that it is too late. Safe to repeat.
pub async fn sweep(scope: &Scope) -> Result<usize, AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let lost = store::without_job(tx.reading(), DialCallBack::KIND, GRACE_MINUTES).await?;
    for call_back in &lost {
        tracing::warn!(call_back = %call_back, "a call-back had no job any more, and has one again");
        enqueue(&mut tx, &DialCallBack { call_back: *call_back }, NewJob::default()).await?;
    }
    tx.commit().await?;
    Ok(lost.len())
}

/// What became of the call-backs of a batch, by what became of its contacts. Like that of a contact it is no event of the audit log: many
/// calls may be settled in one transaction, and whoever holds the log waits for nobody.
pub async fn follow(tx: &mut WriteTx, batch: BatchId) -> Result<(), AppError> {
    for client in store::follow(tx, batch).await? {
        notify(tx, client);
    }
    Ok(())
}

/// The outcome of the call that asked for it goes by whether it is really scheduled.
async fn settle_call(tx: &mut WriteTx, call: Option<CallId>) -> Result<(), AppError> {
    match call {
        Some(call) => outcomes::settle(tx, call).await,
        None => Ok(()),
    }
}

async fn wait(
    tx: &mut WriteTx,
    member: Option<CampaignContactId>,
    until: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    match member {
        Some(member) => store::set_waits(tx, member, until).await,
        None => Ok(()),
    }
}

fn changed(row: &Row, after: serde_json::Value) -> Fields {
    Fields::Changed { before: json!({ "status": row.status, "due_at": row.due_at, "why": row.why }), after }
}

/// Last in its transaction: the audit log is one row for the whole workspace, and whoever holds it waits for nobody.
async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: CallBackId,
    client: ClientId,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "call_back", entity_id: Some(id.0), client_id: Some(client), fields }).await?;
    notify(tx, client);
    Ok(())
}

/// Tells open pages that call-backs moved.
pub(super) fn notify(tx: &mut WriteTx, client: ClientId) {
    for topic in [Topic::list("call-backs"), Topic::list("dashboard"), Topic::list("calls")] {
        tx.notify(topic, Some(client));
    }
}
