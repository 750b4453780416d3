//! Cal.com (API v2): free times and bookings of one event type. Each family of addresses has a version of its own, and a wrong one silently
//! gives an older form.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::http::HttpClient;
use crate::outside::{OutsideAnswer, OutsideAsk, OutsideTrouble};

/// The service's public address.
pub const BASE_URL: &str = "https://api.cal.com/v2";
const SLOTS: &str = "2024-09-04";
const BOOKINGS: &str = "2024-08-13";
const MOST_READ: usize = 512 * 1024;

/// One account, as a tenant has set it up.
#[derive(Clone)]
pub struct CalCom<'a> {
    pub http: &'a HttpClient,
    pub base_url: String,
    pub api_key: String,
    pub event_type: u64,
    /// The installation's own stand-in, which may be asked although it is private.
    pub except: Option<String>,
}

/// A booking as the service has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    pub uid: String,
    pub start: String,
    /// `accepted`, `pending`, `cancelled`, `rejected`.
    pub status: String,
    pub emails: Vec<String>,
    /// What stands in our field of its metadata.
    pub mark: Option<String>,
    pub meeting: Option<String>,
    pub event_type: Option<u64>,
}

impl Booking {
    /// It will take place, or waits for somebody's yes.
    pub fn holds(&self) -> bool {
        matches!(self.status.as_str(), "accepted" | "pending")
    }
}

/// Whoever has an appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    pub name: String,
    pub email: String,
    pub time_zone: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalComTrouble {
    /// Nothing was sent, or nothing was done.
    #[error("{0}")]
    Refused(String),
    #[error("there is no such booking")]
    NotFound,
    /// It was sent; whether it was done is not known.
    #[error("the calendar did not answer")]
    Unknown,
}

/// The field of a booking's metadata that says whose it is.
const MARK: &str = "patchbay_call";

impl CalCom<'_> {
    /// Free times from one instant to another, as the service writes them in this time zone.
    pub async fn slots(
        &self,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        zone: &str,
        within: Duration,
    ) -> Result<Vec<String>, CalComTrouble> {
        let kind = self.event_type.to_string();
        let (from, to) = (utc(from), utc(to));
        let query = [("eventTypeId", kind.as_str()), ("start", &from), ("end", &to), ("timeZone", zone)];
        let answer = self.ask("GET", &["slots"], &query, None, SLOTS, within).await?;
        let days = answer["data"].as_object().ok_or_else(unreadable)?;
        let times = days.values().filter_map(Value::as_array).flatten();
        Ok(times.filter_map(|slot| slot["start"].as_str().map(str::to_owned)).collect())
    }

    /// Books a time. Not safe to repeat: look for it with [`CalCom::find`].
    pub async fn book(
        &self,
        start: DateTime<Utc>,
        attendee: &Attendee,
        (notes, mark): (&str, &str),
        within: Duration,
    ) -> Result<Booking, CalComTrouble> {
        let mut body = json!({
            "eventTypeId": self.event_type,
            "start": utc(start),
            "attendee": { "name": attendee.name, "email": attendee.email, "timeZone": attendee.time_zone },
            "metadata": { MARK: mark },
        });
        if !notes.is_empty() {
            body["bookingFieldsResponses"] = json!({ "notes": notes });
        }
        let answer = self.ask("POST", &["bookings"], &[], Some(body), BOOKINGS, within).await?;
        booking(&answer["data"]).ok_or(CalComTrouble::Unknown)
    }

    /// Bookings of somebody that begin from one instant to another.
    pub async fn find(
        &self,
        email: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        within: Duration,
    ) -> Result<Vec<Booking>, CalComTrouble> {
        let kind = self.event_type.to_string();
        let (from, to) = (utc(from), utc(to));
        let query = [
            ("attendeeEmail", email),
            ("eventTypeId", &kind),
            ("afterStart", &from),
            ("beforeEnd", &to),
            ("take", "50"),
        ];
        let answer = self.ask("GET", &["bookings"], &query, None, BOOKINGS, within).await?;
        let all = answer["data"].as_array().ok_or_else(unreadable)?;
        // The service has answered with bookings of others, too.
        let is_theirs = |one: &Booking| {
            one.emails.iter().any(|other| other.eq_ignore_ascii_case(email))
                && one.event_type.is_none_or(|kind| kind == self.event_type)
        };
        Ok(all.iter().filter_map(booking).filter(is_theirs).collect())
    }

    /// One booking. Errors: `NotFound`.
    pub async fn get(&self, uid: &str, within: Duration) -> Result<Booking, CalComTrouble> {
        let answer = self.ask("GET", &["bookings", uid], &[], None, BOOKINGS, within).await?;
        booking(&answer["data"]).ok_or_else(unreadable)
    }

    /// Cancels a booking.
    pub async fn cancel(&self, uid: &str, reason: &str, within: Duration) -> Result<(), CalComTrouble> {
        let body = json!({ "cancellationReason": reason });
        self.ask("POST", &["bookings", uid, "cancel"], &[], Some(body), BOOKINGS, within).await.map(drop)
    }

    /// Moves a booking to another time. It is another booking then, with an id of its own.
    pub async fn reschedule(
        &self,
        uid: &str,
        start: DateTime<Utc>,
        reason: &str,
        within: Duration,
    ) -> Result<Booking, CalComTrouble> {
        let body = json!({ "start": utc(start), "reschedulingReason": reason });
        let answer = self.ask("POST", &["bookings", uid, "reschedule"], &[], Some(body), BOOKINGS, within).await?;
        booking(&answer["data"]).ok_or(CalComTrouble::Unknown)
    }

    async fn ask(
        &self,
        method: &str,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<Value>,
        version: &str,
        within: Duration,
    ) -> Result<Value, CalComTrouble> {
        let refused = |why: &str| CalComTrouble::Refused(why.to_owned());
        let mut url = url::Url::parse(&self.base_url).map_err(|_| refused("the address is not a web address"))?;
        if path.iter().any(|part| part.is_empty() || part.chars().all(|letter| letter == '.')) {
            return Err(CalComTrouble::NotFound);
        }
        url.path_segments_mut().map_err(|()| refused("the address is not a web address"))?.pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let is_read = body.is_none();
        let mut headers = vec![
            ("Authorization".to_owned(), format!("Bearer {}", self.api_key)),
            ("cal-api-version".to_owned(), version.to_owned()),
        ];
        if !is_read {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        let asked = OutsideAsk {
            method: method.to_owned(),
            url: url.into(),
            headers,
            body: body.map(|body| body.to_string().into_bytes()),
            timeout: within,
            limit: MOST_READ,
            except: self.except.clone(),
        };
        match self.http.ask_outside(&asked).await {
            Ok(answer) => read(&answer, is_read, &self.api_key),
            Err(OutsideTrouble::Refused(why)) => Err(CalComTrouble::Refused(why)),
            Err(OutsideTrouble::Unreachable(_)) => Err(refused("the calendar cannot be reached")),
            Err(_) if is_read => Err(refused("the calendar did not answer in time")),
            Err(_) => Err(CalComTrouble::Unknown),
        }
    }
}

fn read(answer: &OutsideAnswer, is_read: bool, key: &str) -> Result<Value, CalComTrouble> {
    let document: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let said = document.as_ref().and_then(|document| {
        let said = document.pointer("/error/message").or_else(|| document.get("message"))?.as_str()?;
        let said = if key.len() >= 4 { said.replace(key, "•••") } else { said.to_owned() };
        Some(crate::error::one_line(&said).chars().take(300).collect::<String>())
    });
    match (answer.status, document) {
        (200..300, Some(document)) if document["status"] == "success" => Ok(document),
        (200..300, _) if is_read => Err(unreadable()),
        (200..300, _) | (500.., _) if !is_read => Err(CalComTrouble::Unknown),
        (401 | 403, _) => Err(CalComTrouble::Refused("the calendar refuses the key".to_owned())),
        (404, _) => Err(CalComTrouble::NotFound),
        (429, _) => Err(CalComTrouble::Refused("the calendar is asked too often at the moment".to_owned())),
        (status, _) => {
            let said = said.unwrap_or_else(|| format!("it answered with an error ({status})"));
            Err(CalComTrouble::Refused(format!("the calendar says: {said}")))
        }
    }
}

fn unreadable() -> CalComTrouble {
    CalComTrouble::Refused("the calendar’s answer cannot be read".to_owned())
}

fn booking(data: &Value) -> Option<Booking> {
    let text = |name: &str| data[name].as_str().map(str::to_owned);
    let attendees = data["attendees"].as_array().map(Vec::as_slice).unwrap_or_default();
    Some(Booking {
        uid: text("uid").filter(|uid| !uid.is_empty())?,
        start: text("start")?,
        status: text("status").unwrap_or_default(),
        emails: attendees.iter().filter_map(|one| one["email"].as_str().map(str::to_owned)).collect(),
        mark: data["metadata"][MARK].as_str().map(str::to_owned),
        meeting: text("meetingUrl").or_else(|| text("location")),
        event_type: data["eventTypeId"].as_u64().or_else(|| data["eventType"]["id"].as_u64()),
    })
}

fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
