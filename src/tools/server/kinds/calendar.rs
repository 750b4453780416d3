//! Appointments at Cal.com. The service has no key against doing something twice, so a booking carries the call that it was made in, and is
//! looked for before one is made and after an answer that never came.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};

use super::contacts::{changed_email, on_the_line};
use super::{Ask, Done, NOT_KNOWN};
use crate::model::Calendar;
use patchbay_providers::calcom::{Attendee, Booking, CalCom, CalComTrouble};
use patchbay_shared::AppError;
use patchbay_shared::email::is_address;

/// The most free times that the model reads.
const MOST_SLOTS: usize = 60;
/// How far ahead somebody's appointments are looked for.
const AHEAD: Days = Days::new(365);
/// What is kept back of the time, to look whether a booking was made whose answer never came.
const LOOK: Duration = Duration::from_secs(4);

pub(super) async fn run(ask: &Ask<'_>, config: &Calendar) -> Result<Done, AppError> {
    let services = ask.scope.services();
    let mut secrets = ask.secrets()?;
    let Some(api_key) = secrets.remove("calendar_key") else {
        return Ok(Done::failed("The calendar has no key yet, so it cannot be asked."));
    };
    let cal = CalCom {
        http: &services.http,
        base_url: config.address.clone(),
        api_key,
        event_type: config.event_type,
        except: services.sandbox.as_ref().map(|sandbox| sandbox.tools.clone()),
    };
    let what = ask.tool.name.strip_prefix(&ask.tool.tool_name).unwrap_or_default();
    let done = match what {
        "_slots" => slots(ask, &cal, config).await,
        "_book" => book(ask, &cal, config).await?,
        "_list" => listed(ask, &cal).await?,
        "_cancel" => cancel(ask, &cal).await?,
        "_reschedule" => reschedule(ask, &cal).await?,
        _ => return Err(AppError::NotFound),
    };
    let asked = json!({ "event_type": config.event_type, "arguments": ask.arguments });
    let asked = serde_json::to_string_pretty(&asked).unwrap_or_default();
    Ok(Done { request: Some(format!("{} ({})\n\n{asked}", config.address, what.trim_start_matches('_'))), ..done })
}

fn failed(trouble: &CalComTrouble) -> Done {
    match trouble {
        CalComTrouble::Unknown => Done::failed(NOT_KNOWN),
        CalComTrouble::NotFound => Done::failed("There is no such booking. List the appointments first."),
        CalComTrouble::Refused(why) => Done::failed(format!("This does not work: {why}.")),
    }
}

async fn slots(ask: &Ask<'_>, cal: &CalCom<'_>, config: &Calendar) -> Done {
    let now = Utc::now();
    let from = ask.text("from");
    let days = Days::new(ask.arguments.get("days").and_then(Value::as_u64).unwrap_or(7).clamp(1, 14));
    let far = || Done::failed("That day lies too far away.");
    let (window, wanted) = match from.is_empty() {
        true => match now.checked_add_days(days) {
            Some(end) => ((now, end), None),
            None => return far(),
        },
        false => {
            let Ok(day) = from.parse::<NaiveDate>() else { return Done::failed("Give the first day as 2026-03-02.") };
            // A day of the calendar's zone begins and ends up to 14 hours beside that of UTC.
            let begin = day.and_time(NaiveTime::MIN).and_utc();
            let beside = chrono::Duration::hours(14);
            let first = begin.checked_sub_signed(beside);
            let last = begin.checked_add_days(days).and_then(|end| end.checked_add_signed(beside));
            let Some(((first, last), end)) = first.zip(last).zip(day.checked_add_days(days)) else { return far() };
            if last <= now {
                return Done::failed("These days are over.");
            }
            ((first.max(now), last), Some((day.to_string(), end.to_string())))
        }
    };
    let found = match cal.slots(window, &config.time_zone, ask.left()).await {
        Ok(found) => found,
        Err(trouble) => return not_set_up(&trouble, config),
    };
    let is_wanted = |start: &String| {
        let day = start.get(..10).unwrap_or_default();
        wanted.as_ref().is_none_or(|(first, end)| day >= first.as_str() && day < end.as_str())
    };
    let free: Vec<String> = found.into_iter().filter(is_wanted).take(MOST_SLOTS).collect();
    match free.is_empty() {
        true => Done::said("There is no free time in these days."),
        false => Done::said(json!({ "time_zone": config.time_zone, "free": free }).to_string()),
    }
}

/// The same where no booking is named yet: what is not there is the event type, or the address.
fn not_set_up(trouble: &CalComTrouble, config: &Calendar) -> Done {
    match trouble {
        CalComTrouble::NotFound => {
            Done::failed(format!("The calendar knows no event type {} at this address.", config.event_type))
        }
        other => failed(other),
    }
}

/// An instant as the model gives it back. Errors: a sentence for the model.
fn start_of(ask: &Ask<'_>) -> Result<DateTime<Utc>, &'static str> {
    let at = DateTime::parse_from_rfc3339(&ask.text("start"));
    let at = at.map_err(|_| "Give the time exactly as the free times list it, with its offset.")?;
    let at = at.with_timezone(&Utc);
    if at <= Utc::now() { Err("This time is over. List the free times again.") } else { Ok(at) }
}

/// Whose booking it is, in the booking itself.
fn mark(ask: &Ask<'_>) -> String {
    ask.invocation.call.map_or_else(|| "try".to_owned(), |call| call.to_string())
}

/// The address that is stored for the person on the call. None also when it was changed in this call: whoever calls could name anybody's.
async fn stored_email(ask: &Ask<'_>) -> Result<Option<String>, AppError> {
    let Some(client) = ask.invocation.client else { return Ok(None) };
    if changed_email(ask).await? {
        return Ok(None);
    }
    let contact = on_the_line(ask, client).await?;
    Ok(contact.and_then(|contact| contact.email).filter(|email| !email.is_empty()))
}

async fn book(ask: &Ask<'_>, cal: &CalCom<'_>, config: &Calendar) -> Result<Done, AppError> {
    let start = match start_of(ask) {
        Ok(start) => start,
        Err(why) => return Ok(Done::failed(why)),
    };
    let (given, stored) = (ask.text("email"), stored_email(ask).await?);
    let email = if given.is_empty() { stored.clone() } else { Some(given) };
    let Some(email) = email.filter(|email| is_address(email)) else {
        return Ok(Done::failed("An e-mail address is needed for the booking. Ask for it, and spell it back."));
    };
    let name: String = ask.text("name").chars().take(200).collect();
    let notes: String = ask.text("notes").chars().take(1000).collect();
    if name.is_empty() {
        return Ok(Done::failed("Give the name of the person whose appointment it is."));
    }
    let attendee = Attendee { name, email, time_zone: config.time_zone.clone() };
    // Somebody may have booked it in this call already: a model repeats what it is not sure of.
    match same(cal, &attendee.email, start, ask.left()).await {
        // A booking of somebody whose address a stranger names is not told of: the service says that the time is taken.
        Ok(Some(known))
            if known.mark == Some(mark(ask))
                || stored.is_some_and(|stored| stored.eq_ignore_ascii_case(&attendee.email)) =>
        {
            return Ok(said("It is booked already.", &known));
        }
        Ok(_) => {}
        Err(trouble) => return Ok(not_set_up(&trouble, config)),
    }
    let within = ask.left().saturating_sub(LOOK).max(Duration::from_secs(1));
    Ok(match cal.book(start, &attendee, (&notes, &mark(ask)), within).await {
        Ok(booking) => said(is_pending(&booking), &booking),
        Err(CalComTrouble::Unknown) => match same(cal, &attendee.email, start, ask.left()).await {
            Ok(Some(booking)) if booking.mark == Some(mark(ask)) => said(is_pending(&booking), &booking),
            _ => Done::failed(NOT_KNOWN),
        },
        Err(trouble) => not_set_up(&trouble, config),
    })
}

fn is_pending(booking: &Booking) -> &'static str {
    if booking.status == "pending" { "It is asked for, and somebody still has to confirm it." } else { "It is booked." }
}

/// A booking of this person that begins at this moment.
async fn same(
    cal: &CalCom<'_>,
    email: &str,
    start: DateTime<Utc>,
    within: Duration,
) -> Result<Option<Booking>, CalComTrouble> {
    let around = (start - chrono::Duration::minutes(1), start + chrono::Duration::days(1));
    let found = cal.find(email, around, within).await?;
    let is_then = |one: &Booking| DateTime::parse_from_rfc3339(&one.start).is_ok_and(|at| at == start);
    Ok(found.into_iter().find(|one| one.holds() && is_then(one)))
}

fn said(text: &str, booking: &Booking) -> Done {
    let shown = shown(booking);
    Done { response: serde_json::to_string_pretty(&shown).ok(), ..Done::said(format!("{text} {shown}")) }
}

fn shown(booking: &Booking) -> Value {
    json!({ "booking": booking.uid, "start": booking.start, "status": booking.status, "place": booking.meeting })
}

async fn listed(ask: &Ask<'_>, cal: &CalCom<'_>) -> Result<Done, AppError> {
    let Some(email) = stored_email(ask).await? else {
        return Ok(Done::failed("No e-mail address is stored for this person, so their appointments cannot be found."));
    };
    let now = Utc::now();
    let until = now.checked_add_days(AHEAD).unwrap_or(now);
    Ok(match cal.find(&email, (now, until), ask.left()).await {
        Err(trouble) => failed(&trouble),
        Ok(found) => {
            let held: Vec<Value> = found.iter().filter(|one| one.holds()).map(shown).collect();
            match held.is_empty() {
                true => Done::said("There are no coming appointments of this person."),
                false => Done::said(Value::Array(held).to_string()),
            }
        }
    })
}

/// The booking that the model names, if it is this person's: made in this call, or for the address that is stored for them.
async fn own(ask: &Ask<'_>, cal: &CalCom<'_>) -> Result<Result<Booking, Done>, AppError> {
    let found = match cal.get(&ask.text("booking"), ask.left()).await {
        Ok(found) => found,
        Err(trouble) => return Ok(Err(failed(&trouble))),
    };
    let email = stored_email(ask).await?;
    let is_theirs = email.is_some_and(|email| found.emails.iter().any(|other| other.eq_ignore_ascii_case(&email)));
    let is_of_call = ask.invocation.call.is_some() && found.mark == Some(mark(ask));
    if (is_theirs || is_of_call) && found.event_type.is_none_or(|kind| kind == cal.event_type) {
        return Ok(Ok(found));
    }
    // As if it were not there: whose it is, is nobody's business.
    Ok(Err(failed(&CalComTrouble::NotFound)))
}

async fn cancel(ask: &Ask<'_>, cal: &CalCom<'_>) -> Result<Done, AppError> {
    let found = match own(ask, cal).await? {
        Ok(found) => found,
        Err(done) => return Ok(done),
    };
    if !found.holds() {
        return Ok(said("It was cancelled before.", &found));
    }
    let reason: String = ask.text("reason").chars().take(300).collect();
    let within = ask.left().saturating_sub(LOOK).max(Duration::from_secs(1));
    Ok(match cal.cancel(&found.uid, &reason, within).await {
        Ok(()) => Done::said("It is cancelled."),
        Err(CalComTrouble::Unknown) => match cal.get(&found.uid, ask.left()).await {
            Ok(now) if !now.holds() => Done::said("It is cancelled."),
            _ => Done::failed(NOT_KNOWN),
        },
        Err(trouble) => failed(&trouble),
    })
}

async fn reschedule(ask: &Ask<'_>, cal: &CalCom<'_>) -> Result<Done, AppError> {
    let start = match start_of(ask) {
        Ok(start) => start,
        Err(why) => return Ok(Done::failed(why)),
    };
    let found = match own(ask, cal).await? {
        Ok(found) => found,
        Err(done) => return Ok(done),
    };
    let email = found.emails.first().cloned().unwrap_or_default();
    if !found.holds() {
        // A repeat finds the former booking gone and the new one there.
        return Ok(match same(cal, &email, start, ask.left()).await {
            Ok(Some(now)) => said("It is moved.", &now),
            _ => Done::failed("This booking is cancelled. Book a free time instead."),
        });
    }
    let reason: String = ask.text("reason").chars().take(300).collect();
    let within = ask.left().saturating_sub(LOOK).max(Duration::from_secs(1));
    Ok(match cal.reschedule(&found.uid, start, &reason, within).await {
        Ok(booking) => said("It is moved.", &booking),
        Err(CalComTrouble::Unknown) => match same(cal, &email, start, ask.left()).await {
            Ok(Some(booking)) => said("It is moved.", &booking),
            _ => Done::failed(NOT_KNOWN),
        },
        Err(trouble) => failed(&trouble),
    })
}
