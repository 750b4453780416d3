//! Somebody rings a number: the carrier asks the number's application or address what to do, as a signed form, reads the XML, says it or
//! joins the call at the voice service, and tells how the leg went.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::carriers::{self, CameIn, News};
use super::clock::iso;
use super::rng::Rng;
use super::state::Sandbox;
use super::telnyx::applications::KIND;
use super::telnyx::carrier::signing_seed;
use super::ultravox::shapes::billed_seconds;
use patchbay_providers::signature::sign_telnyx;

/// How often the carrier asks about one call at most.
const ASKS: usize = 20;
/// US dollars for a minute.
const PRICE: f64 = 0.0055;

/// A ring.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ring {
    pub to: String,
    /// Empty: withheld.
    pub from: String,
    /// `twilio` or `plivo`; empty: the one that numbers are rented from.
    pub carrier: String,
    /// The carrier account, when two have the number; at Twilio and Plivo always.
    pub key: Option<String>,
    /// Seconds after which the caller hangs up, from the answer on.
    pub hangs_up_after: Option<f64>,
    /// The caller hangs up as soon as the carrier knows what to do, before anybody is joined.
    pub leaves: bool,
    /// The carrier's id of the call; a new one if it is empty.
    pub call_sid: String,
}

/// What came of a ring.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Rang {
    pub call_sid: String,
    /// The HTTP status of the last answer. None: no answer came.
    pub status: Option<u16>,
    /// How often the application was asked.
    pub asked: usize,
    /// What the caller heard.
    pub said: Option<String>,
    /// Where the caller was joined.
    pub joined: Option<String>,
    /// Why nobody was asked at all.
    pub nowhere: Option<String>,
}

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new().route("/ring", routing::post(ring))
}

async fn ring(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Ring>(&body) {
        Ok(asked) => Json(sandbox.ring_number(asked).await).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))).into_response(),
    }
}

/// One leg at the carrier.
#[derive(Clone)]
struct Leg {
    carrier: &'static str,
    key: String,
    sid: String,
    to: String,
    from: String,
    connection: String,
    status_url: Option<String>,
    began: chrono::DateTime<Utc>,
}

/// Who is asked about a call, and told how it goes.
struct Asks {
    key: String,
    connection: String,
    voice_url: Option<String>,
    status_url: Option<String>,
}

/// What the application said.
enum Told {
    Say(String),
    Join(String),
    AskAgain(String, f64),
    Nothing,
}

impl Sandbox {
    /// Rings a number of an account, and returns once the caller has heard something or has been joined. The talk goes on by itself.
    pub async fn ring_number(self: &Arc<Self>, ring: Ring) -> Rang {
        let carrier = ["twilio", "plivo"].into_iter().find(|name| *name == ring.carrier).unwrap_or("telnyx");
        let Some(Asks { key, connection, voice_url, status_url }) = self.asks(carrier, &ring) else {
            return Rang {
                nowhere: Some("the number is nobody's, or its calls go nowhere".to_owned()),
                ..Rang::default()
            };
        };
        let Some(mut voice_url) = voice_url else {
            return Rang { nowhere: Some("the application has no voice_url".to_owned()), ..Rang::default() };
        };
        let fresh = || match carrier {
            "twilio" => format!("CA{}", Uuid::new_v4().simple()),
            "plivo" => Uuid::new_v4().to_string(),
            _ => format!("v3:{}", Uuid::new_v4().simple()),
        };
        let sid = if ring.call_sid.is_empty() { fresh() } else { ring.call_sid.clone() };
        let (to, from) = (ring.to.clone(), ring.from.clone());
        let leg = Leg { carrier, key, sid: sid.clone(), to, from, connection, status_url, began: Utc::now() };
        self.tell(&leg, "initiated", 0, &[]).await;
        let mut rang = Rang { call_sid: sid, ..Rang::default() };
        while rang.asked < ASKS {
            rang.asked += 1;
            let fields = leg.fields("ringing", rang.asked);
            let Some((status, xml)) = self.post_for(&leg, &voice_url, &fields).await else { break };
            rang.status = Some(status);
            match read(carrier, &xml) {
                Told::Say(words) => {
                    rang.said = Some(words);
                    break;
                }
                Told::Join(url) => {
                    rang.joined = Some(url);
                    break;
                }
                Told::AskAgain(url, pause) => {
                    voice_url = url;
                    let speed = self.settings_for(&leg.key).speed.max(1.0);
                    tokio::time::sleep(Duration::from_secs_f64((pause / speed).clamp(0.0, 5.0))).await;
                }
                Told::Nothing => break,
            }
        }
        match rang.joined.clone().filter(|_| !ring.leaves) {
            Some(url) => self.talk(leg, &url, ring.hangs_up_after).await,
            None => {
                if let Some(url) = &rang.joined {
                    // Nobody will come: the voice service need not wait for that as long as it would.
                    self.call_at(url).inspect(|(_, call)| call.cut.cancel());
                }
                let cause = if ring.leaves { "originator_cancel" } else { "normal_clearing" };
                let status = if ring.leaves { "canceled" } else { "completed" };
                self.tell_cost(&leg, 0.0, !ring.leaves);
                self.tell(&leg, status, 9, &[("HangupCause", cause), ("CallDuration", "0")]).await;
            }
        }
        rang
    }

    /// Who is asked about a call to this number.
    fn asks(&self, carrier: &str, ring: &Ring) -> Option<Asks> {
        if carrier != "telnyx" {
            let key = ring.key.clone()?;
            let (voice_url, status_url) = carriers::addresses(self, carrier, &key, &ring.to)?;
            return Some(Asks { key, connection: String::new(), voice_url: Some(voice_url), status_url });
        }
        let (key, connection, application) = self.application_of(ring)?;
        let url = |name: &str| application.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Asks { key, connection, voice_url: url("voice_url"), status_url: url("status_callback") })
    }

    fn application_of(&self, ring: &Ring) -> Option<(String, String, Value)> {
        let state = self.state();
        let mut accounts =
            state.accounts.iter().filter(|(key, _)| ring.key.as_ref().is_none_or(|wanted| wanted == *key));
        accounts.find_map(|(key, account)| {
            let number = account.numbers.values().find(|number| number["phone_number"].as_str() == Some(&ring.to))?;
            let connection = number["connection_id"].as_str()?.to_owned();
            let application = account.connections.get(&connection).filter(|held| held["record_type"] == KIND)?;
            Some((key.clone(), connection, application.clone()))
        })
    }

    /// Joins the call at the voice service, and tells how the leg goes until it is over.
    async fn talk(self: &Arc<Self>, leg: Leg, join_url: &str, hangs_up_after: Option<f64>) {
        let Some((owner, id)) = self.join(join_url) else { return };
        self.with_account(&owner, |account| account.lines.insert(leg.sid.clone(), id));
        self.tell(&leg, "in-progress", 2, &[]).await;
        let sandbox = self.clone();
        // Counted for the voice account, too: whoever waits for it to be quiet waits for this.
        self.begin(&owner.clone(), async move {
            let speed = sandbox.settings_for(&owner).speed.max(0.01);
            if let Some(after) = hangs_up_after {
                tokio::time::sleep(Duration::from_secs_f64((after / speed).clamp(0.0, 600.0))).await;
                sandbox
                    .with_account(&owner, |account| account.calls.get(&id).inspect(|call| call.cut.cancel()).is_some());
            }
            let talked = loop {
                let ended = sandbox.with_account(&owner, |account| {
                    account.calls.get(&id).map(|call| call.ended.map(|ended| ended - call.joined.unwrap_or(ended)))
                });
                match ended {
                    Some(Some(talked)) => break talked,
                    None => break 0.0,
                    Some(None) if sandbox.shutdown.is_cancelled() => return,
                    Some(None) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            };
            let duration = format!("{}", talked.round() as u64);
            if leg.carrier != "telnyx" {
                sandbox.tell_cost(&leg, talked, true);
            }
            sandbox
                .tell(&leg, "completed", 9, &[("HangupCause", "normal_clearing"), ("CallDuration", &duration)])
                .await;
            if leg.carrier == "telnyx" {
                sandbox.tell_cost(&leg, talked, true);
            }
        });
    }

    /// The caller is on the line of the call at this address.
    fn join(&self, join_url: &str) -> Option<(String, Uuid)> {
        let (key, call) = self.call_at(join_url)?;
        call.join.as_ref()?.cancel();
        Some((key, call.id))
    }

    fn call_at(&self, join_url: &str) -> Option<(String, Call)> {
        let id: Uuid = join_url.rsplit('/').next()?.parse().ok()?;
        let state = self.state();
        state.accounts.iter().find_map(|(key, account)| Some((key.clone(), account.calls.get(&id)?.clone())))
    }

    async fn tell(&self, leg: &Leg, status: &str, number: usize, more: &[(&str, &str)]) {
        let Some(url) = leg.status_url.clone() else { return };
        let fields = match leg.carrier {
            "telnyx" => {
                let mut fields = leg.fields(status, number);
                fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
                fields
            }
            // They tell the end alone.
            _ if !matches!(status, "completed" | "canceled") => return,
            carrier => {
                let seconds = more.iter().find(|(name, _)| *name == "CallDuration").and_then(|(_, s)| s.parse().ok());
                carriers::fields(carrier, &leg.news(status, true, seconds.unwrap_or(0.0)))
            }
        };
        self.post_for(leg, &url, &fields).await;
    }

    async fn post_for(&self, leg: &Leg, url: &str, fields: &[(String, String)]) -> Option<(u16, String)> {
        match leg.carrier {
            "telnyx" => self.post_form(&leg.key, url, fields).await,
            carrier => self.ask_signed(carrier, &leg.key, url, fields).await,
        }
    }

    /// What a call cost: told, or kept until somebody asks for it. `was_taken`: the caller heard something.
    fn tell_cost(self: &Arc<Self>, leg: &Leg, talked: f64, was_taken: bool) {
        if leg.carrier != "telnyx" {
            let cost = carriers::price_of_incoming(talked, was_taken);
            let call = CameIn { from: leg.from.clone(), to: leg.to.clone(), cost: Some(cost) };
            self.with_account(&leg.key, |account| account.came_in.insert(leg.sid.clone(), call));
            return;
        }
        let Some(url) = leg.status_url.clone() else { return };
        let billed = billed_seconds(talked);
        let total = format!("{:.4}", billed as f64 / 60.0 * PRICE);
        let (control, leg_id, session) = leg.ids();
        let id = Uuid::new_v4().to_string();
        let body = json!({"data": {"record_type": "event", "event_type": "call.cost", "id": id, "occurred_at": iso(Utc::now()), "payload": {
            "call_control_id": control, "call_leg_id": leg_id, "call_session_id": session, "connection_id": leg.connection,
            "client_state": null, "status": "success", "total_cost": total, "billed_duration_secs": billed,
            "cost_parts": [{"call_part": "call-control", "cost": total, "rate": format!("{PRICE:.4}"), "currency": "USD", "billed_duration_secs": billed}],
            "occurred_at": iso(Utc::now()),
        }}});
        let signature = super::delivery::Signature::Telnyx(signing_seed(self, &leg.key));
        let delivery = super::delivery::Delivery {
            key: leg.key.clone(),
            url,
            event: "call.cost".to_owned(),
            event_id: id,
            body,
            signature,
            webhook_id: None,
        };
        super::delivery::send(self, delivery);
    }

    /// Posts a signed form. Gives status and body; none when no answer came.
    pub(super) async fn post_form(&self, key: &str, url: &str, fields: &[(String, String)]) -> Option<(u16, String)> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let stamp = Utc::now().timestamp().to_string();
        let signature = sign_telnyx(&signing_seed(self, key), &stamp, body.as_bytes());
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("telnyx-timestamp", stamp)
            .header("telnyx-signature-ed25519", signature);
        let answer = request.body(body).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.text().await.unwrap_or_default()))
    }
}

impl Leg {
    /// Control id, leg id, session id.
    fn ids(&self) -> (String, Uuid, Uuid) {
        let mut rng = Rng::new(23, &self.sid);
        (self.sid.clone(), rng.uuid(), rng.uuid())
    }

    fn news<'a>(&'a self, status: &'a str, is_over: bool, seconds: f64) -> News<'a> {
        let (id, from, to) = (self.sid.as_str(), self.from.as_str(), self.to.as_str());
        News { id, account: "ACsandbox", from, to, came_in: true, status, is_over, seconds }
    }

    fn fields(&self, status: &str, number: usize) -> Vec<(String, String)> {
        if self.carrier != "telnyx" {
            return carriers::fields(self.carrier, &self.news(status, false, 0.0));
        }
        let (control, leg, session) = self.ids();
        let began = iso(self.began);
        [
            ("AccountSid", self.key.as_str()),
            ("CallSid", &self.sid),
            ("CallControlId", &control),
            ("CallLegId", &leg.to_string()),
            ("CallSessionId", &session.to_string()),
            ("ConnectionId", &self.connection),
            ("CallStatus", status),
            ("CallbackSource", "call-progress-events"),
            ("Direction", "inbound"),
            ("From", &self.from),
            ("To", &self.to),
            ("CallInitiatedAt", &began),
            ("Timestamp", &iso(Utc::now())),
            ("SequenceNumber", &number.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

/// Reads the XML as far as the carrier needs it: each knows its own words alone.
fn read(carrier: &str, xml: &str) -> Told {
    let between = |from: &str, to: &str| {
        let start = xml.find(from)? + from.len();
        let text = &xml[start..];
        Some(plain(&text[..text.find(to)?]))
    };
    let inside = |tag: &str| {
        let open = format!("<{tag}");
        let start = xml.find(&open)?;
        let text = &xml[start + xml[start..].find('>')? + 1..];
        Some(plain(&text[..text.find(&format!("</{tag}>"))?]))
    };
    let (said, pause) = if carrier == "plivo" { ("Speak", "<Wait length=\"") } else { ("Say", "<Pause length=\"") };
    let stream = if carrier == "plivo" { inside("Stream") } else { between("<Connect><Stream url=\"", "\"") };
    if let Some(url) = stream {
        return Told::Join(url);
    }
    if let Some(words) = inside(said) {
        return Told::Say(words);
    }
    match inside("Redirect") {
        Some(url) => Told::AskAgain(url, between(pause, "\"").and_then(|text| text.parse().ok()).unwrap_or(0.0)),
        None => Told::Nothing,
    }
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
