//! Accounts at Twilio and Plivo: the account itself, its numbers, what calls on them cost, and the signed callbacks of calls that the voice
//! service dials through them. A token that begins with `sandbox-` is an account of its own; any account id goes with it.
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

/// The call that a carrier's id stands for, if it was dialled through this account.
fn find(sandbox: &Sandbox, provider: &str, token: &str, is_it: impl Fn(&Call) -> bool) -> Option<Call> {
    let state = sandbox.state();
    let owners = state
        .accounts
        .values()
        .filter(|account| account.telephony.get(provider).and_then(|held| held["authToken"].as_str()) == Some(token));
    owners
        .flat_map(|account| account.calls.values())
        .find(|call| carrier_of(call) == Some(provider) && is_it(call))
        .cloned()
}

/// What it cost, once it is billed.
fn cost(call: &Call) -> Option<f64> {
    let talk = call.joined.zip(call.ended).map_or(0.0, |(joined, ended)| ended - joined);
    call.billed.then(|| billed_seconds(talk) as f64 / 60.0 * PRICE)
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
    let fields = match provider {
        "twilio" => twilio::status_fields(call, &word("accountSid"), cause),
        _ => plivo::hangup_fields(call, cause),
    };
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
        request.body(body).send().await.ok().map(|response| response.status().as_u16())
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
