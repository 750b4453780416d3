//! Accounts at Twilio and Plivo: the account itself, its numbers and where their calls go, what calls cost, and the signed callbacks of
//! those that the voice service dials through them or that come in. A token that begins with `sandbox-` is an account of its own; any
//! account id goes with it.
//!
//! Numbers lie in ranges kept for examples and follow from the token. Pages hold two numbers, and Twilio's overlap: the last one of a page
//! comes again as the first of the next.

pub(super) mod plivo;
pub(super) mod twilio;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use serde_json::Value;

use super::call::Call;
use super::rng::Rng;
use super::state::{DeliveryEntry, Sandbox};
use super::ultravox::shapes::billed_seconds;
use patchbay_providers::signature::{sign_plivo, sign_twilio};

/// Numbers on a page.
const PAGE: usize = 2;
/// Numbers of an account.
const NUMBERS: usize = 5;
/// US dollars for a minute.
const PRICE: f64 = 0.014;

/// User and password of a request with basic authentication, the password being an account of the sandbox.
pub(super) fn basic(header: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    password.starts_with("sandbox-").then(|| (user.to_owned(), password.to_owned()))
}

/// The account's numbers, those left out that were taken away.
pub(super) fn numbers_of(sandbox: &Sandbox, provider: &str, key: &str) -> Vec<String> {
    let areas = if provider == "twilio" { ["702", "404", "503", "614"] } else { ["602", "720", "919", "813"] };
    let mut rng = Rng::new(sandbox.settings().seed, &format!("{provider}:{key}"));
    let mut all: Vec<String> = Vec::new();
    while all.len() < NUMBERS {
        let number = format!("+1{}55501{:02}", areas[rng.below(areas.len())], 20 + rng.below(80));
        // The last two digits of some mean something when they are called.
        if !all.contains(&number) {
            all.push(number);
        }
    }
    sandbox.with_account(key, |account| all.retain(|number| !account.taken_away.contains(number)));
    all
}

/// The carrier, if the call goes out through one of these.
pub(super) fn carrier_of(call: &Call) -> Option<&'static str> {
    let medium = call.pick("medium")?.as_object()?;
    ["twilio", "plivo"].into_iter().find(|name| medium.get(*name).is_some_and(|way| way.get("outgoing").is_some()))
}

/// The carrier's id of a call that went out through it.
fn id_of(provider: &str, call: &Call) -> String {
    if provider == "twilio" { format!("CA{}", call.id.simple()) } else { call.id.to_string() }
}

/// A call that came in to a number of an account.
#[derive(Debug, Clone)]
pub(super) struct CameIn {
    pub from: String,
    pub to: String,
    /// Once it is over.
    pub cost: Option<f64>,
}

/// A call as a carrier has it.
struct Fact {
    id: String,
    from: String,
    to: String,
    came_in: bool,
    is_over: bool,
    cost: Option<f64>,
}

/// The call with this id at a carrier's account: one that was dialled through it, or that came in.
fn fact(sandbox: &Sandbox, provider: &str, token: &str, id: &str) -> Option<Fact> {
    let state = sandbox.state();
    if let Some(call) = state.accounts.get(token).and_then(|account| account.came_in.get(id)) {
        let (from, to, cost) = (call.from.clone(), call.to.clone(), call.cost);
        return Some(Fact { id: id.to_owned(), from, to, came_in: true, is_over: cost.is_some(), cost });
    }
    let owners = state
        .accounts
        .values()
        .filter(|account| account.telephony.get(provider).and_then(|held| held["authToken"].as_str()) == Some(token));
    let call = owners
        .flat_map(|account| account.calls.values())
        .find(|call| carrier_of(call) == Some(provider) && id_of(provider, call) == id)?;
    let number = |number: &Option<String>| number.clone().unwrap_or_default();
    Some(Fact {
        id: id.to_owned(),
        from: number(&call.from),
        to: number(&call.to),
        came_in: false,
        is_over: call.ended.is_some(),
        cost: call.billed.then(|| price(billed_seconds(talk(call)))),
    })
}

fn talk(call: &Call) -> f64 {
    call.joined.zip(call.ended).map_or(0.0, |(joined, ended)| ended - joined)
}

fn price(seconds: u64) -> f64 {
    seconds as f64 / 60.0 * PRICE
}

/// What a call that came in costs: one that was taken costs a minute at least.
pub(super) fn price_of_incoming(talked: f64, was_taken: bool) -> f64 {
    if was_taken { price(billed_seconds(talked).max(60)) } else { 0.0 }
}

/// What a carrier tells of a call, in fields.
pub(super) struct News<'a> {
    pub id: &'a str,
    /// The carrier's id of the account.
    pub account: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    pub came_in: bool,
    /// Twilio's word.
    pub status: &'a str,
    pub is_over: bool,
    pub seconds: f64,
}

pub(super) fn fields(provider: &str, news: &News<'_>) -> Vec<(String, String)> {
    let fields = if provider == "twilio" { twilio::fields(news) } else { plivo::fields(news) };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How a call ended, in Twilio's word.
fn status_of(cause: &str) -> &'static str {
    match cause {
        "timeout" => "no-answer",
        "user_busy" | "call_rejected" => "busy",
        "not_found" => "failed",
        "originator_cancel" => "canceled",
        _ => "completed",
    }
}

/// What a page of a list was asked for.
fn figure(params: &[(String, String)], name: &str) -> usize {
    params.iter().find(|(known, _)| known == name).and_then(|(_, text)| text.parse().ok()).unwrap_or(0)
}

/// How the account of a token is called.
fn account_name(key: &str) -> String {
    format!("Sandbox {}", key.trim_start_matches("sandbox-").chars().take(12).collect::<String>())
}

/// Which addresses of the account are asked about calls to this number, and told how they went.
pub(super) fn addresses(
    sandbox: &Sandbox,
    provider: &str,
    key: &str,
    number: &str,
) -> Option<(String, Option<String>)> {
    if !numbers_of(sandbox, provider, key).iter().any(|known| known == number) {
        return None;
    }
    sandbox.with_account(key, |account| match provider {
        "twilio" => twilio::addresses(account, number),
        _ => plivo::addresses(account, number),
    })
}

/// Tells the end of a call where whoever placed it asked for that.
pub(super) fn tell(sandbox: &Arc<Sandbox>, key: &str, call: &Call, provider: &'static str, cause: &str) {
    let held = sandbox.with_account(key, |account| account.telephony.get(provider).cloned()).unwrap_or_default();
    let word = |name: &str| held[name].as_str().unwrap_or_default().to_owned();
    let token = word("authToken");
    let extra = call.pick("medium").and_then(|medium| medium.get(provider)?.get("outgoing")?.get("additionalParams"));
    let member = if provider == "twilio" { "StatusCallback" } else { "hangup_url" };
    let Some(url) = extra.and_then(|extra| extra.get(member)).and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    let news = News {
        id: &id_of(provider, call),
        account: &word("accountSid"),
        from: call.from.as_deref().unwrap_or_default(),
        to: call.to.as_deref().unwrap_or_default(),
        came_in: false,
        status: status_of(cause),
        is_over: true,
        seconds: talk(call),
    };
    let fields = fields(provider, &news);
    let (sandbox, sent_for) = (sandbox.clone(), key.to_owned());
    let too = sandbox.clone();
    too.begin(key, async move {
        let status = sandbox.post_signed(provider, &token, &url, &fields).await;
        let event_id = fields.iter().find(|(name, _)| name.starts_with("Call")).map(|(_, id)| id.clone());
        sandbox.log_delivery(DeliveryEntry {
            at: Utc::now(),
            key: sent_for,
            event: format!("{provider}.status"),
            event_id: event_id.unwrap_or_default(),
            attempt: 1,
            duplicate: false,
            status,
        });
    });
}

impl Sandbox {
    /// Posts a form as Twilio or Plivo does, signed with the account's token. The status; none when no answer came.
    pub async fn post_signed(
        &self,
        provider: &str,
        token: &str,
        url: &str,
        fields: &[(String, String)],
    ) -> Option<u16> {
        self.ask_signed(provider, token, url, fields).await.map(|(status, _)| status)
    }

    /// The same, with what was answered.
    pub async fn ask_signed(
        &self,
        provider: &str,
        token: &str,
        url: &str,
        fields: &[(String, String)],
    ) -> Option<(u16, String)> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        let request = match provider {
            "twilio" => request.header("X-Twilio-Signature", sign_twilio(token, url, fields)),
            _ => {
                let nonce = self.rng("nonce").roll().to_string();
                let signature = sign_plivo(token, &url.parse().ok()?, fields, &nonce);
                request.header("X-Plivo-Signature-V3", signature).header("X-Plivo-Signature-V3-Nonce", nonce)
            }
        };
        let answer = request.body(body).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.text().await.unwrap_or_default()))
    }

    /// What a number at Twilio has set about calls, or the application of one at Plivo.
    pub fn calls_at(&self, provider: &str, token: &str, number: &str) -> Value {
        self.with_account(token, |account| match provider {
            "twilio" => serde_json::json!(account.voice_settings.get(number)),
            _ => plivo::application_of(account, number).cloned().map_or(Value::Null, Value::Object),
        })
    }

    /// Sends the calls of a number at Twilio elsewhere, as somebody may do in its console.
    pub fn set_voice(&self, token: &str, number: &str, name: &str, value: &str) {
        self.with_account(token, |account| {
            account.voice_settings.entry(number.to_owned()).or_default().insert(name.to_owned(), value.to_owned())
        });
    }

    /// Gives a number at Plivo an application that somebody else has made, as they may do in its console.
    pub fn set_application(&self, token: &str, number: &str, application: Value) {
        let Value::Object(application) = application else { return };
        self.with_account(token, |account| plivo::keep(account, "foreign", application, Some(number)));
    }

    /// Changes the application that a number at Plivo has, as somebody may do in its console.
    pub fn edit_application(&self, token: &str, number: &str, changes: Value) {
        let Value::Object(changes) = changes else { return };
        self.with_account(token, |account| {
            if let Some(id) = account.texts.profile_of.get(number).cloned() {
                plivo::keep(account, &id, changes, None);
            }
        });
    }

    /// Numbers of an account at Twilio or Plivo.
    pub fn numbers_at(&self, provider: &str, token: &str) -> Vec<String> {
        numbers_of(self, provider, token)
    }

    /// Takes a number away from an account at Twilio or Plivo, as if it had been given back there.
    pub fn take_number_away(&self, token: &str, number: &str) {
        self.with_account(token, |account| account.taken_away.insert(number.to_owned()));
    }

    /// What the voice service's account holds of a carrier: the account's id.
    pub fn trunk_account(&self, voice_key: &str, provider: &str) -> Option<String> {
        let member = if provider == "plivo" { "authId" } else { "accountSid" };
        self.with_account(voice_key, |account| {
            account.telephony.get(provider)?.get(member)?.as_str().map(str::to_owned)
        })
    }

    /// Gives the voice service's account an account at a carrier, as somebody may have done by hand.
    pub fn set_trunk_account(&self, voice_key: &str, provider: &str, config: Value) {
        self.with_account(voice_key, |account| account.telephony.insert(provider.to_owned(), config));
    }
}
