//! A calendar as Cal.com's API v2 answers for it: free times on weekdays, and bookings that take them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::{DateTime, Datelike, Days, NaiveTime, SecondsFormat, Utc, Weekday};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::state::Sandbox;

const SLOTS: &str = "2024-09-04";
const BOOKINGS: [&str; 2] = ["2024-08-13", "2026-02-25"];
/// Half hours that are offered on a weekday, by hour and minute in UTC.
const TIMES: [(u32, u32); 6] = [(8, 0), (8, 30), (9, 0), (13, 0), (13, 30), (14, 0)];

/// Bookings by key and uid.
#[derive(Default)]
struct Booked(Mutex<BTreeMap<(String, String), Value>>);

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/slots", get(slots))
        .route("/bookings", get(list).post(book))
        .route("/bookings/{uid}", get(one))
        .route("/bookings/{uid}/cancel", post(cancel))
        .route("/bookings/{uid}/reschedule", post(reschedule))
        .layer(Extension(Arc::new(Booked::default())))
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"status": "error", "error": {"code": code, "message": message, "details": {}}})))
        .into_response()
}

fn success(status: StatusCode, data: Value) -> Response {
    (status, Json(json!({"status": "success", "data": data}))).into_response()
}

/// The key, when it and the version are right. A wrong version would give an older form: nobody wants that here.
fn key(headers: &HeaderMap, versions: &[&str]) -> Result<String, Box<Response>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = text("authorization").strip_prefix("Bearer cal_").unwrap_or_default();
    if key.is_empty() {
        return Err(Box::new(error(StatusCode::UNAUTHORIZED, "UnauthorizedException", "Invalid API key.")));
    }
    if !versions.contains(&text("cal-api-version")) {
        return Err(Box::new(error(StatusCode::BAD_REQUEST, "BadRequestException", "This version has another form.")));
    }
    Ok(key.to_owned())
}

fn instant(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?).ok().map(|at| at.with_timezone(&Utc))
}

fn is_offered(at: DateTime<Utc>) -> bool {
    let time = |(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0) == Some(at.time());
    !matches!(at.weekday(), Weekday::Sat | Weekday::Sun) && TIMES.into_iter().any(time)
}

impl Booked {
    fn is_taken(&self, key: &str, start: DateTime<Utc>) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|((owner, _), one)| {
            owner == key && one["status"] == "accepted" && instant(one["start"].as_str()) == Some(start)
        })
    }
}

async fn slots(
    Extension(booked): Extension<Arc<Booked>>,
    headers: HeaderMap,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let key = match key(&headers, &[SLOTS]) {
        Ok(key) => key,
        Err(refused) => return *refused,
    };
    let text = |name: &str| asked.get(name).map(String::as_str);
    let (Some(from), Some(to), Some(_)) = (instant(text("start")), instant(text("end")), text("eventTypeId")) else {
        return error(StatusCode::BAD_REQUEST, "BadRequestException", "start, end and eventTypeId are required.");
    };
    let Ok(zone) = text("timeZone").unwrap_or("UTC").parse::<chrono_tz::Tz>() else {
        return error(StatusCode::BAD_REQUEST, "BadRequestException", "timeZone is none.");
    };
    let mut days: Map<String, Value> = Map::new();
    for day in (0..31).map_while(|day| from.date_naive().checked_add_days(Days::new(day))) {
        for (hour, minute) in TIMES {
            let Some(at) = day.and_hms_opt(hour, minute, 0).map(|at| at.and_utc()) else { continue };
            if at >= from && at < to && is_offered(at) && !booked.is_taken(&key, at) {
                let shown = at.with_timezone(&zone);
                let slot = json!({"start": shown.to_rfc3339_opts(SecondsFormat::Millis, false)});
                let name = shown.date_naive().to_string();
                if let Some(list) = days.entry(name).or_insert_with(|| json!([])).as_array_mut() {
                    list.push(slot);
                }
            }
        }
    }
    success(StatusCode::OK, Value::Object(days))
}

async fn book(Extension(booked): Extension<Arc<Booked>>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    let key = match key(&headers, &BOOKINGS) {
        Ok(key) => key,
        Err(refused) => return *refused,
    };
    let Some(start) = instant(asked["start"].as_str()).filter(|at| is_offered(*at)) else {
        return error(StatusCode::BAD_REQUEST, "BadRequestException", "no_available_users_found_error");
    };
    let attendee = &asked["attendee"];
    if ["name", "email", "timeZone"].iter().any(|name| attendee[name].as_str().unwrap_or_default().is_empty()) {
        return error(StatusCode::BAD_REQUEST, "BadRequestException", "attendee is not complete.");
    }
    if booked.is_taken(&key, start) {
        return error(
            StatusCode::CONFLICT,
            "ConflictException",
            "User either already has booking at this time or is not available",
        );
    }
    let made = made(start, attendee, &asked["metadata"], &asked["eventTypeId"]);
    let uid = made["uid"].as_str().unwrap_or_default().to_owned();
    booked.0.lock().unwrap_or_else(PoisonError::into_inner).insert((key, uid), made.clone());
    success(StatusCode::CREATED, made)
}

fn made(start: DateTime<Utc>, attendee: &Value, metadata: &Value, kind: &Value) -> Value {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "id": 1,
        "uid": format!("bk_{}", Uuid::new_v4().simple()),
        "status": "accepted",
        "start": text(start),
        "end": text(start + chrono::Duration::minutes(30)),
        "duration": 30,
        "eventTypeId": kind,
        "hosts": [],
        "attendees": [attendee],
        "meetingUrl": "https://meet.example/room",
        "metadata": if metadata.is_object() { metadata.clone() } else { json!({}) },
    })
}

async fn list(
    Extension(booked): Extension<Arc<Booked>>,
    headers: HeaderMap,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let key = match key(&headers, &BOOKINGS) {
        Ok(key) => key,
        Err(refused) => return *refused,
    };
    let (from, to) = (asked.get("afterStart"), asked.get("beforeEnd"));
    let (from, to) = (instant(from.map(String::as_str)), instant(to.map(String::as_str)));
    let all = booked.0.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |one: &Value| {
        let start = instant(one["start"].as_str());
        // `attendeeEmail` narrows nothing: the service has answered with bookings of others, too.
        from.is_none_or(|from| start >= Some(from)) && to.is_none_or(|to| instant(one["end"].as_str()) <= Some(to))
    };
    let found = all.iter().filter(|((owner, _), one)| *owner == key && fits(one)).map(|(_, one)| one.clone()).collect();
    success(StatusCode::OK, Value::Array(found))
}

async fn one(Extension(booked): Extension<Arc<Booked>>, headers: HeaderMap, Path(uid): Path<String>) -> Response {
    let key = match key(&headers, &BOOKINGS) {
        Ok(key) => key,
        Err(refused) => return *refused,
    };
    match booked.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(key, uid)) {
        Some(one) => success(StatusCode::OK, one.clone()),
        None => error(StatusCode::NOT_FOUND, "NotFoundException", "Booking not found"),
    }
}

async fn cancel(Extension(booked): Extension<Arc<Booked>>, headers: HeaderMap, Path(uid): Path<String>) -> Response {
    let key = match key(&headers, &BOOKINGS) {
        Ok(key) => key,
        Err(refused) => return *refused,
    };
    let mut all = booked.0.lock().unwrap_or_else(PoisonError::into_inner);
    match all.get_mut(&(key, uid)) {
        Some(one) if one["status"] == "accepted" => {
            one["status"] = json!("cancelled");
            success(StatusCode::OK, one.clone())
        }
        Some(_) => error(StatusCode::BAD_REQUEST, "BadRequestException", "Booking is cancelled already."),
        None => error(StatusCode::NOT_FOUND, "NotFoundException", "Booking not found"),
    }
}

async fn reschedule(
    Extension(booked): Extension<Arc<Booked>>,
    headers: HeaderMap,
    Path(uid): Path<String>,
    Json(asked): Json<Value>,
) -> Response {
    let key = match key(&headers, &BOOKINGS) {
        Ok(key) => key,
        Err(refused) => return *refused,
    };
    let Some(start) = instant(asked["start"].as_str()).filter(|at| is_offered(*at)) else {
        return error(StatusCode::BAD_REQUEST, "BadRequestException", "no_available_users_found_error");
    };
    if booked.is_taken(&key, start) {
        return error(
            StatusCode::CONFLICT,
            "ConflictException",
            "User either already has booking at this time or is not available",
        );
    }
    let mut all = booked.0.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(former) = all.get_mut(&(key.clone(), uid.clone())) else {
        return error(StatusCode::NOT_FOUND, "NotFoundException", "Booking not found");
    };
    former["status"] = json!("cancelled");
    let mut made =
        made(start, &former["attendees"][0].clone(), &former["metadata"].clone(), &former["eventTypeId"].clone());
    made["rescheduledFromUid"] = json!(uid);
    let uid = made["uid"].as_str().unwrap_or_default().to_owned();
    all.insert((key, uid), made.clone());
    success(StatusCode::CREATED, made)
}
