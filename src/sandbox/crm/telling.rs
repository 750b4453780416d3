//! What HubSpot tells of an account by itself: webhooks to the address of the app, signed with the app's secret.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes};
use chrono::Utc;
use patchbay_providers::signature::sign_hubspot;
use serde_json::{Value, json};

use super::book::{CrmBook, Object};
use super::{CrmKind, sign_in};
use crate::state::Sandbox;

/// Events of one request, and the most that wait.
const AT_ONCE: usize = 100;
const MOST: usize = 10_000;

impl CrmBook {
    /// Notes what happened to a contact or deal. `more`: what the event has beside what all have.
    pub(super) fn happened(&mut self, what: &str, id: u64, more: &Value) {
        let object = match self.records.get(&id).map(|record| record.object) {
            Some(Object::Contact) => "contact",
            Some(Object::Deal) => "deal",
            _ => return,
        };
        if self.kind != CrmKind::Hubspot || self.told.len() >= MOST {
            return;
        }
        self.events += 1;
        let mut event = json!({
            "eventId": self.events,
            "subscriptionId": 3_310_001,
            "portalId": sign_in::portal(&self.account),
            "appId": 1_160_452,
            "occurredAt": self.now().timestamp_millis(),
            "subscriptionType": format!("{object}.{what}"),
            "attemptNumber": 0,
            "objectId": id,
            "changeSource": "CRM_UI",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        self.told.push(event);
    }

    /// Removes a contact for good, because the person asked for it: no list has it any more.
    pub fn erase(&mut self, id: &str) {
        let Ok(id) = id.parse::<u64>() else { return };
        self.happened("privacyDeletion", id, &json!({"changeFlag": "DELETED"}));
        self.records.remove(&id);
    }
}

/// A request that HubSpot would send.
pub struct HubSpotRequest {
    pub headers: [(&'static str, String); 2],
    pub body: String,
}

impl Sandbox {
    /// What happened in an account of HubSpot since the last time, signed now for that address, the newest first: the order is none.
    pub fn hubspot_requests(&self, account: &str, url: &str, secret: &str) -> Vec<HubSpotRequest> {
        let mut events = self.crm_book(CrmKind::Hubspot, account, |book| std::mem::take(&mut book.told));
        events.reverse();
        let timestamp = Utc::now().timestamp_millis().to_string();
        let request = |part: &[Value]| {
            let body = json!(part).to_string();
            let signature = sign_hubspot(secret, ("POST", url), &timestamp, body.as_bytes());
            let headers = [("X-HubSpot-Signature-v3", signature), ("X-HubSpot-Request-Timestamp", timestamp.clone())];
            HubSpotRequest { headers, body }
        };
        events.chunks(AT_ONCE).map(request).collect()
    }

    /// Sends it. What was answered to each request; none: nothing came.
    pub async fn hubspot_tells(&self, account: &str, url: &str, secret: &str) -> Vec<Option<u16>> {
        let mut answers = Vec::new();
        for HubSpotRequest { headers, body } in self.hubspot_requests(account, url, secret) {
            let request = self.http.post(url).header("content-type", "application/json").body(body);
            let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            answers.push(request.send().await.ok().map(|response| response.status().as_u16()));
        }
        answers
    }
}

/// The same from outside: `{"url", "secret"}`; the secret of the stand-in's own app is “sandbox”.
pub(super) async fn tell(sandbox: Arc<Sandbox>, account: String, body: Bytes) -> Response {
    let given = super::document(&body);
    let Some(url) = given["url"].as_str() else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "url is missing"}))).into_response();
    };
    let secret = given["secret"].as_str().unwrap_or("sandbox");
    Json(json!({"answers": sandbox.hubspot_tells(&account, url, secret).await})).into_response()
}
