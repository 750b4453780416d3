//! A message is sent. Whether it may be is asked here, when it is done; then the row says that the carrier is asked, and only then it is. An
//! answer that was lost leaves the row so, and the message is looked for.

use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::carrier::{self, Listening, Way};
use super::costs;
use super::incoming::stop;
use super::store::{self, Known, Message, Standing};
use crate::model::{MOST_A_DAY, TextSource, TextState};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::Verdict;
use patchbay_metering::server::budget::{self, Headroom};
use patchbay_providers::text::{NewText, Progress, SentText};
use patchbay_providers::{ProviderError, REQUEST_TIMEOUT};
use patchbay_shared::ids::TextMessageId;
use patchbay_shared::zone::{self, zone};
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server as workspaces;

/// How often a carrier is asked for one message at most, when it is certain that none was sent.
const MOST_ASKS: i32 = 5;
/// Seconds in which a carrier's list or its event must show a message whose answer was lost.
const SHOWS_UP: i64 = 45;
/// How far a carrier's clock may be behind ours.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(10);
/// After so many hours a message of a rule is not sent any more: what it says may have passed.
const LATEST: i64 = 48;
/// When a message is asked after, from the moment on at which the carrier was asked for it, while its end or its price was never reported.
const ASKED_AFTER: [TimeDelta; 3] = [TimeDelta::minutes(10), TimeDelta::hours(2), TimeDelta::hours(24)];
const LOST: &str =
    "The carrier did not answer, so it may have been sent. It was not sent again: ask the contact before you do.";

/// What is to be done with a message.
enum Next {
    Wait(Duration),
    Refuse(&'static str),
    Send,
}

/// Does what is due for a message. Errors: `NotFound`.
pub(super) async fn send(scope: &Scope, id: TextMessageId) -> Result<Verdict, AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let message = store::get(&mut tx, id).await?;
    let standing = store::standing(&mut tx, id).await?;
    let now = tx.now().await?;
    let suspended = workspaces::is_suspended(&mut tx).await?;
    let ahead = scope.services().clock.ahead();
    match message.state {
        TextState::Waiting => {}
        TextState::Sending => return look_for(scope, &message, &standing, now).await,
        TextState::Sent => return ask_after(scope, &message, &standing, now).await,
        TextState::Delivered | TextState::Failed if message.carrier_id.is_some() && message.cost.is_none() => {
            return ask_after(scope, &message, &standing, now).await;
        }
        _ => return Ok(Verdict::Done),
    }
    drop(tx);
    let held = Held { suspended, spent: costs::is_spent(scope, message.client).await? };
    match next(&message, &standing, now, held, ahead) {
        Next::Wait(time) => return Ok(Verdict::Later(time)),
        Next::Refuse(why) => return ended(scope, id, TextState::Waiting, TextState::NotSent, why).await,
        Next::Send => {}
    }
    let way = match carrier::open(scope, &message, &standing).await {
        Ok(way) => way,
        Err(AppError::Conflict(Reason::Suspended, _)) => return Ok(Verdict::Later(Duration::from_secs(60))),
        Err(AppError::Conflict(_, why) | AppError::ProviderDown(why)) => {
            return ended(scope, id, TextState::Waiting, TextState::Failed, &why).await;
        }
        Err(AppError::NotFound) => {
            let why = "The carrier of this number is not connected any more.";
            return ended(scope, id, TextState::Waiting, TextState::Failed, why).await;
        }
        Err(error) => return Err(error),
    };
    // What nobody wrote by hand does not go out where a STOP would not come back.
    let is_automatic = message.source != TextSource::Person;
    match carrier::listen(scope, &way, &message, &standing).await? {
        Listening::NotNow if is_automatic => return Ok(Verdict::Later(Duration::from_secs(60))),
        Listening::No(why) if is_automatic => {
            let why = format!("Answers to the number do not come here, so nothing is sent by itself. {why}");
            return ended(scope, id, TextState::Waiting, TextState::NotSent, &why).await;
        }
        _ => {}
    }
    // Much may have happened meanwhile: it is asked again with the message held.
    let mut tx = scope.write(Action::ManageTexts).await?;
    let message = store::lock(&mut tx, id).await?;
    if message.state != TextState::Waiting {
        return Ok(Verdict::Later(Duration::from_secs(1)));
    }
    let standing = store::standing(tx.reading(), id).await?;
    let now = tx.reading().now().await?;
    let headroom = budget::headroom(tx.reading(), message.client).await?;
    let suspended = workspaces::is_suspended(tx.reading()).await?;
    let held = Held { suspended, spent: matches!(headroom, Headroom::Spent) };
    match next(&message, &standing, now, held, ahead) {
        Next::Wait(time) => return Ok(Verdict::Later(time)),
        Next::Refuse(why) => {
            settle(&mut tx, &message, TextState::NotSent, Some(why), None).await?;
            tx.commit().await?;
            return Ok(Verdict::Done);
        }
        Next::Send => store::begin(&mut tx, id).await?,
    }
    tx.commit().await?;
    let text = new_text(&message, &standing, &way);
    match way.carrier.send(&text).await {
        Ok(sent) => record(scope, id, &sent).await,
        // The row says that the carrier was asked. It is looked for in a moment.
        Err(error) if error.outcome_unknown() => {
            tracing::info!(message = %id, cause = %error, "what became of a text message is not known yet");
            Ok(Verdict::Later(REQUEST_TIMEOUT))
        }
        Err(error) => refused(scope, &message, &error).await,
    }
}

fn new_text(message: &Message, standing: &Standing, way: &Way) -> NewText {
    NewText {
        from: standing.number.clone(),
        to: message.other.clone(),
        text: message.body.clone(),
        status_url: way.status_url(message),
    }
}

/// What holds messages of the agency, or of the client, back.
#[derive(Clone, Copy)]
struct Held {
    suspended: bool,
    /// The client's budget of this month.
    spent: bool,
}

/// What is due for a message that waits.
fn next(message: &Message, standing: &Standing, now: DateTime<Utc>, held: Held, ahead: TimeDelta) -> Next {
    let due = message.send_at.unwrap_or(now);
    if due > now {
        return Next::Wait(wait(due, now));
    }
    if held.suspended {
        return Next::Wait(Duration::from_secs(300));
    }
    let is_automatic = message.source != TextSource::Person;
    match standing {
        Standing { client_is_active: false, .. } => Next::Refuse("The client is archived."),
        Standing { do_not_call: true, .. } => Next::Refuse("The contact is on the do-not-call list."),
        Standing { rule_is_on: Some(false), .. } => {
            Next::Refuse("The rule was switched off before the message was due.")
        }
        Standing { number_is_active: false, .. } => Next::Refuse("The number that it goes out from is not active."),
        Standing { number_can: false, .. } => {
            Next::Refuse("The number that it goes out from carries no text messages.")
        }
        Standing { number_is_ours: false, .. } => {
            Next::Refuse("The number that it goes out from is another client’s now.")
        }
        Standing { of_today, .. } if is_automatic && *of_today >= MOST_A_DAY => {
            Next::Refuse("This person got as many messages of rules and agents in 24 hours as anybody gets.")
        }
        _ if message.source == TextSource::Rule && now - due > TimeDelta::hours(LATEST) => {
            Next::Refuse("It could not be sent when it was due, and is too late now.")
        }
        _ => match opens(standing, now, ahead) {
            Some(at) => Next::Wait(wait(at, now)),
            None if held.spent => Next::Refuse("The client’s monthly budget is spent, so no text messages go out."),
            None => Next::Send,
        },
    }
}

fn wait(until: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (until - now).to_std().unwrap_or_default()
}

/// When the rule's hours begin. None: it is within them, or there are none.
fn opens(standing: &Standing, now: DateTime<Utc>, ahead: TimeDelta) -> Option<DateTime<Utc>> {
    let (start, end) = standing.hours_start.zip(standing.hours_end).filter(|(start, end)| start != end)?;
    let there = zone(&standing.timezone);
    let local = (now + ahead).with_timezone(&there).naive_local();
    let is_open = |at: NaiveTime| at >= start && at < end;
    if is_open(local.time()) {
        return None;
    }
    let day = if local.time() < start { local.date() } else { local.date() + TimeDelta::days(1) };
    Some(zone::instant(day, start, there) - ahead)
}

/// The carrier said no, or was not reached at all: for sure nothing was sent.
async fn refused(scope: &Scope, message: &Message, error: &ProviderError) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::ManageTexts).await?;
    let message = store::lock(&mut tx, message.id).await?;
    if message.state != TextState::Sending {
        return Ok(Verdict::Done);
    }
    let why = carrier::words(error);
    if error.is_retryable() && message.asks < MOST_ASKS {
        store::back_to_waiting(&mut tx, message.id, &why).await?;
        notify(&mut tx, &message);
        tx.commit().await?;
        let pause = Duration::from_secs(10 << message.asks.clamp(0, 6));
        return Ok(Verdict::Later(error.retry_after.unwrap_or(pause).min(Duration::from_secs(3600))));
    }
    settle(&mut tx, &message, TextState::Failed, Some(&why), None).await?;
    if carrier::is_opt_out(error) {
        stop(&mut tx, message.client, &message.other, "Told the carrier to stop text messages").await?;
    }
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// The carrier was asked, and its answer was lost, or the process with it.
async fn look_for(
    scope: &Scope,
    message: &Message,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Result<Verdict, AppError> {
    let asked = message.asked_at.unwrap_or(now);
    let waited = now - asked;
    if waited.to_std().unwrap_or_default() < REQUEST_TIMEOUT {
        return Ok(Verdict::Later(REQUEST_TIMEOUT));
    }
    let is_late = waited > TimeDelta::seconds(SHOWS_UP);
    let found = match carrier::to_ask(scope, message, standing).await {
        // Clocks differ. What is known already is left out below.
        Ok(way) => {
            let text = new_text(message, standing, &way);
            way.carrier.find(&text, asked - CLOCKS_DIFFER).await
        }
        Err(AppError::Conflict(Reason::Suspended, _)) => return Ok(Verdict::Later(Duration::from_secs(300))),
        Err(AppError::Conflict(..) | AppError::NotFound) => Ok(None),
        Err(error) => return Err(error),
    };
    match found {
        Ok(Some(found)) => {
            let mut tx = scope.read(Action::ReadContacts).await?;
            let ids: Vec<String> = found.iter().map(|sent| sent.id.clone()).collect();
            let known = store::incoming::known_ids(&mut tx, &message.carrier, &ids).await?;
            drop(tx);
            match found.iter().find(|sent| !known.contains(&sent.id)) {
                Some(sent) => record(scope, message.id, sent).await,
                None if !is_late => Ok(Verdict::Later(Duration::from_secs(20))),
                None if message.asks < MOST_ASKS => {
                    let mut tx = scope.write(Action::ManageTexts).await?;
                    let held = store::lock(&mut tx, message.id).await?;
                    if held.state == TextState::Sending {
                        let why = "The carrier has no such message, so it is sent again.";
                        store::back_to_waiting(&mut tx, message.id, why).await?;
                        notify(&mut tx, &held);
                        tx.commit().await?;
                    }
                    Ok(Verdict::Later(Duration::from_secs(1)))
                }
                None => {
                    let why = "The carrier does not answer, and has no such message.";
                    ended(scope, message.id, TextState::Sending, TextState::Failed, why).await
                }
            }
        }
        // The carrier has no list. Its event may still tell.
        Ok(None) if !is_late => Ok(Verdict::Later(Duration::from_secs(20))),
        Ok(None) => ended(scope, message.id, TextState::Sending, TextState::Failed, LOST).await,
        Err(error) if error.is_passing_trouble() && waited < TimeDelta::hours(6) => {
            Ok(Verdict::Later(Duration::from_secs(60)))
        }
        Err(_) => ended(scope, message.id, TextState::Sending, TextState::Failed, LOST).await,
    }
}

/// The end of a message may never be reported, and carriers know the price of one later than that. It is asked after a few times.
async fn ask_after(
    scope: &Scope,
    message: &Message,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Result<Verdict, AppError> {
    let asked = message.asked_at.unwrap_or(now);
    if asked + ASKED_AFTER[0] > now {
        return Ok(asked_again(asked, now));
    }
    let Some(carrier_id) = &message.carrier_id else { return Ok(Verdict::Done) };
    if let Ok(way) = carrier::to_ask(scope, message, standing).await
        && let Ok(sent) = way.carrier.get(carrier_id).await
    {
        return record(scope, message.id, &sent).await;
    }
    Ok(asked_again(asked, now))
}

/// The next time at which a message is asked after, if there is one.
fn asked_again(asked: DateTime<Utc>, now: DateTime<Utc>) -> Verdict {
    let next = ASKED_AFTER.into_iter().map(|after| asked + after).find(|at| *at > now);
    next.map_or(Verdict::Done, |at| Verdict::Later(wait(at, now)))
}

/// The carrier has taken it, or was asked after it.
async fn record(scope: &Scope, id: TextMessageId, sent: &SentText) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::ManageTexts).await?;
    let message = store::lock(&mut tx, id).await?;
    let now = tx.reading().now().await?;
    let is_open = matches!(message.state, TextState::Sending | TextState::Sent);
    let state = if !is_open && message.carrier_id.is_some() {
        // Its event was quicker than this answer. What it says of the price is news all the same.
        let parts = sent.parts.and_then(|parts| i32::try_from(parts).ok());
        let cost = costs::price(sent, true, message.cost);
        costs::add_price(&mut tx, message.client, id, parts, cost).await?;
        notify(&mut tx, &message);
        message.state
    } else {
        let (state, problem, opted_out) = match &sent.progress {
            Progress::OnItsWay | Progress::Sent => (TextState::Sent, None, false),
            Progress::Delivered => (TextState::Delivered, None, false),
            Progress::Failed(why) => {
                (TextState::Failed, Some(format!("{}.", why.said.trim_end_matches('.'))), why.opted_out)
            }
        };
        settle(&mut tx, &message, state, problem.as_deref(), Some(sent)).await?;
        if opted_out {
            stop(&mut tx, message.client, &message.other, "Told the carrier to stop text messages").await?;
        }
        state
    };
    tx.commit().await?;
    let is_known =
        state != TextState::Sent && (message.cost.is_some() || costs::price(sent, !is_open, message.cost).is_some());
    Ok(if is_known { Verdict::Done } else { asked_again(message.asked_at.unwrap_or(now), now) })
}

/// Ends a message that still stands where it stood.
async fn ended(
    scope: &Scope,
    id: TextMessageId,
    from: TextState,
    to: TextState,
    why: &str,
) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::ManageTexts).await?;
    let message = store::lock(&mut tx, id).await?;
    if message.state == from {
        settle(&mut tx, &message, to, Some(why), None).await?;
        tx.commit().await?;
    }
    Ok(Verdict::Done)
}

async fn settle(
    tx: &mut WriteTx,
    message: &Message,
    state: TextState,
    problem: Option<&str>,
    sent: Option<&SentText>,
) -> Result<(), AppError> {
    let known = Known {
        state,
        problem,
        carrier_id: sent.map(|sent| sent.id.as_str()),
        parts: sent.and_then(|sent| sent.parts).and_then(|parts| i32::try_from(parts).ok()),
        cost: sent.and_then(|sent| costs::price(sent, false, message.cost)),
    };
    costs::settle(tx, message.client, message.id, &known).await?;
    notify(tx, message);
    Ok(())
}

fn notify(tx: &mut WriteTx, message: &Message) {
    tx.notify(Topic::list("texts"), Some(message.client));
    if let Some(contact) = message.contact {
        tx.notify(Topic::one("texts_with", contact), Some(message.client));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(start: &str, end: &str) -> Standing {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
        Standing {
            number: String::new(),
            number_is_active: true,
            number_can: true,
            number_is_ours: true,
            integration: None,
            client_is_active: true,
            timezone: "Europe/Zurich".to_owned(),
            do_not_call: false,
            rule_is_on: Some(true),
            hours_start: time(start),
            hours_end: time(end),
            of_today: 0,
        }
    }

    #[test]
    fn a_message_is_asked_after_three_times_and_never_at_once() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let asked = at("2026-01-15T07:00:00Z");
        let wait = |now: &str| match asked_again(asked, at(now)) {
            Verdict::Later(time) => Some(time.as_secs() / 60),
            _ => None,
        };
        assert_eq!(wait("2026-01-15T07:00:00Z"), Some(10));
        assert_eq!(wait("2026-01-15T07:10:00Z"), Some(110));
        assert_eq!(wait("2026-01-15T09:00:30Z"), Some(22 * 60 - 1));
        assert_eq!(wait("2026-01-16T07:00:00Z"), None);
    }

    #[test]
    fn hours_are_the_persons_own() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let hours = standing("08:00", "20:00");
        let none = TimeDelta::zero();
        assert_eq!(opens(&hours, at("2026-01-15T07:00:00Z"), none), None);
        assert_eq!(opens(&hours, at("2026-01-15T06:30:00Z"), none), Some(at("2026-01-15T07:00:00Z")));
        assert_eq!(opens(&hours, at("2026-01-15T19:00:00Z"), none), Some(at("2026-01-16T07:00:00Z")));
        // The night in which clocks are put forward.
        assert_eq!(opens(&hours, at("2026-03-28T22:00:00Z"), none), Some(at("2026-03-29T06:00:00Z")));
        assert_eq!(opens(&standing("00:00", "00:00"), at("2026-01-15T02:00:00Z"), none), None);
        assert_eq!(opens(&hours, at("2026-01-14T19:00:00Z"), TimeDelta::hours(12)), None);
    }
}
