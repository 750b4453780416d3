//! The sandbox from outside: over HTTP, with webhooks.

mod past;
mod reading;
mod servers;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};

use super::{Sandbox, SandboxSettings, start};

const KEY: &str = "sandbox-test";

type Inbox = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

async fn inbox() -> (String, Inbox) {
    let inbox = Inbox::default();
    let kept = inbox.clone();
    let take = move |headers: HeaderMap, body: Bytes| {
        kept.lock().unwrap().push((headers, body));
        async { "" }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hooks", post(take))).await });
    (url, inbox)
}

struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("x-api-key", KEY)
            .bearer_auth(KEY)
            .body(body.to_string());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.base)).header("x-api-key", KEY).bearer_auth(KEY);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }
}

async fn begin(settings: SandboxSettings) -> (Client, Arc<Sandbox>, String) {
    let (address, sandbox, _stop) = start(settings).await.unwrap();
    let client =
        Client { base: format!("http://{address}"), http: reqwest::Client::builder().no_proxy().build().unwrap() };
    let (_, agent) = client
        .post(
            "/ultravox/api/agents",
            json!({"name": "Sam", "callTemplate": {"systemPrompt": "You are Sam.", "recordingEnabled": true}}),
        )
        .await;
    let agent_id = agent["agentId"].as_str().unwrap().to_owned();
    (client, sandbox, agent_id)
}

fn to(number: &str, task: &str) -> Value {
    json!({"metadata": {"task": task}, "medium": {"telnyx": {"outgoing": {"to": number, "from": "+13125550100"}}}})
}

#[tokio::test]
async fn a_call_lives_and_its_webhooks_are_signed() {
    let (client, sandbox, agent) = begin(SandboxSettings { speed: 2_000.0, ..SandboxSettings::for_tests() }).await;
    let (url, letters) = inbox().await;
    sandbox.set_carrier_url(KEY, Some(url.clone()));
    let hook = json!({"url": url, "secrets": ["s3cret"], "events": ["call.started", "call.joined", "call.ended", "call.billed"]});
    client.post("/ultravox/api/webhooks", hook).await;
    let (status, call) = client.post(&format!("/ultravox/api/agents/{agent}/calls"), to("+13125550020", "t1")).await;
    assert_eq!(status, 201, "{call}");
    let id = call["callId"].as_str().unwrap();
    let mut now = Value::Null;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        now = client.get(&format!("/ultravox/api/calls/{id}")).await.1;
        if !now["billedDuration"].is_null() && letters.lock().unwrap().len() >= 8 {
            break;
        }
    }
    assert_eq!(now["billingStatus"], "BILLING_STATUS_BILLED", "{now}");
    assert!(now["shortSummary"].as_str().unwrap().starts_with("Meeting booked"));
    let (_, found) = client.get("/ultravox/api/calls?metadata.task=t1").await;
    assert_eq!(found["total"], 1);
    let (_, messages) = client.get(&format!("/ultravox/api/calls/{id}/messages?mode=in_call&pageSize=500")).await;
    assert!(messages["results"].as_array().unwrap().len() >= 8);
    let wav = client.http.get(format!("{}/ultravox/api/calls/{id}/recording", client.base)).header("x-api-key", KEY);
    let wav = wav.send().await.unwrap().bytes().await.unwrap();
    let talk = now["ended"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap()
        - now["joined"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let seconds = (wav.len() - 44) as f64 / 16_000.0;
    assert!((seconds - talk.num_milliseconds() as f64 / 1000.0).abs() < 0.1, "{seconds} and {talk}");

    let letters = letters.lock().unwrap();
    let secret = patchbay_providers::sealed::Secret::new("s3cret".to_owned());
    let public = sandbox.carrier_public_key(KEY);
    let mut kinds = Vec::new();
    for (headers, body) in letters.iter() {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let document: Value = serde_json::from_slice(body).unwrap();
        let now = chrono::Utc::now();
        if let Some(event) = document["event"].as_str() {
            patchbay_providers::signature::verify_ultravox(
                std::slice::from_ref(&secret),
                text("x-ultravox-webhook-timestamp"),
                text("x-ultravox-webhook-signature"),
                body,
                now,
                Duration::from_secs(60),
            )
            .unwrap();
            kinds.push(event.to_owned());
        } else {
            patchbay_providers::signature::verify_telnyx(
                std::slice::from_ref(&public),
                text("telnyx-timestamp"),
                text("telnyx-signature-ed25519"),
                body,
                now,
                Duration::from_secs(60),
            )
            .unwrap();
            kinds.push(document["data"]["event_type"].as_str().unwrap().to_owned());
        }
    }
    kinds.sort();
    let all = [
        "call.answered",
        "call.billed",
        "call.cost",
        "call.ended",
        "call.hangup",
        "call.initiated",
        "call.joined",
        "call.started",
    ];
    assert_eq!(kinds, all);
}

#[tokio::test]
async fn special_numbers_force_outcomes() {
    let (client, sandbox, agent) =
        begin(SandboxSettings { speed: 5_000.0, hang_secs: 1, ..SandboxSettings::for_tests() }).await;
    let path = format!("/ultravox/api/agents/{agent}/calls");
    let expected = [
        ("0005", 500),
        ("0006", 504),
        ("0007", 429),
        ("0008", 200),
        ("0009", 400),
        ("0012", 500),
        ("0015", 500),
        ("0015", 201),
    ];
    for (digits, status) in expected {
        let (got, body) = client.post(&path, to(&format!("+1312555{digits}"), digits)).await;
        assert_eq!(got, status, "{digits}: {body}");
    }
    for (digits, reason) in [("0001", "BUSY"), ("0002", "TIMEOUT"), ("0004", "REJECTED"), ("0010", "INVALID_NUMBER")] {
        let (_, call) = client.post(&path, to(&format!("+1312555{digits}"), digits)).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        let (_, call) = client.get(&format!("/ultravox/api/calls/{}", call["callId"].as_str().unwrap())).await;
        assert_eq!(call["endReason"], "unjoined", "{call}");
        assert_eq!(call["sipDetails"]["terminationReason"], format!("SIP_TERMINATION_{reason}"));
    }
    let placed = sandbox.call_log(Some(KEY)).iter().filter(|entry| entry.placed).count();
    assert_eq!(placed, 8, "timeout, garbage, late error, second try, and four that weren't joined");
    let (status, _) =
        client.post("/telnyx/v2/number_orders", json!({"phone_numbers": [{"phone_number": "+13125550155"}]})).await;
    assert_eq!(status, 200);
    let strange = client.http.get(format!("{}/ultravox/api/agents", client.base)).header("x-api-key", "abc");
    assert_eq!(strange.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn two_thousand_calls_at_once_are_read_back_page_by_page() {
    let (client, sandbox, agent) = begin(SandboxSettings { speed: 1.0, ..SandboxSettings::for_tests() }).await;
    let agent = sandbox.with_account(KEY, |account| account.agents[&agent].clone());
    for index in 0..2_000 {
        let Value::Object(mut request) = to("+13125551234", &index.to_string()) else { unreachable!() };
        request["metadata"]["patchbay.sandbox_at"] = json!(format!("2026-01-{:02}T10:00:00Z", index % 28 + 1));
        let new = super::call::NewCall {
            agent: Some(agent.clone()),
            request,
            to: Some("+13125551234".into()),
            from: None,
            inbound: false,
        };
        super::life::place(&sandbox, KEY, new).unwrap();
    }
    assert_eq!(sandbox.gauges()[KEY]["maxLive"], 2_000);
    let mut seen = std::collections::HashSet::new();
    let mut next =
        Some("/ultravox/api/calls?pageSize=300&sort=created&fromDate=2026-01-01&toDate=2026-01-28".to_owned());
    while let Some(path) = next {
        let (_, page) = client.get(&path).await;
        seen.extend(page["results"].as_array().unwrap().iter().map(|call| call["callId"].to_string()));
        next = page["next"].as_str().map(|url| url.trim_start_matches(client.base.as_str()).to_owned());
    }
    assert_eq!(seen.len(), 2_000);
}
