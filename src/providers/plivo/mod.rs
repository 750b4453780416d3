//! Plivo: an account of the agency's own, its numbers, and what calls on them cost.
//!
//! The surprising parts: every path ends with a slash, numbers stand without a plus and are their own ids, and a page holds 20 entries
//! at most.

mod incoming;
mod message;

pub use message::{TEXT_NONCE, TEXT_SIGNATURE, sign_text, text_event, verify_text};

use super::carrier::{
    AccountAtCarrier, CallAddresses, CallsGo, CarrierAccess, CarrierCall, CarrierClient, RentedNumber,
};
use super::error::{Kind, ProviderError};
use super::http::{Ask, Endpoint, HttpClient};
use super::sealed::Secret;
use super::wire;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

/// The service's name in errors and beside its ids.
pub const NAME: &str = "plivo";
/// The service's public address.
pub const BASE_URL: &str = "https://api.plivo.com";
/// The most that the service gives at once.
const PAGE_SIZE: usize = 20;
/// A list longer than this many pages is a loop.
const MOST_PAGES: usize = 2000;

/// The client for one account.
#[derive(Clone)]
pub struct Plivo {
    endpoint: Endpoint,
    auth_id: String,
    token: Secret<String>,
}

#[derive(Deserialize)]
struct Account {
    auth_id: String,
    #[serde(default, deserialize_with = "wire::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    state: Option<String>,
}

/// Read whole or not at all: a number that is left out would be believed to be gone.
#[derive(Deserialize)]
struct Page {
    objects: Vec<Number>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default, deserialize_with = "wire::text")]
    next: Option<String>,
    #[serde(default, deserialize_with = "wire::count")]
    total_count: Option<u64>,
}

#[derive(Deserialize)]
struct Number {
    number: String,
    #[serde(default, deserialize_with = "wire::flag")]
    voice_enabled: Option<bool>,
    #[serde(default, deserialize_with = "wire::flag")]
    sms_enabled: Option<bool>,
    #[serde(default, deserialize_with = "wire::flag")]
    mms_enabled: Option<bool>,
    #[serde(default, deserialize_with = "wire::text")]
    country: Option<String>,
    #[serde(default, deserialize_with = "wire::decimal")]
    monthly_rental_rate: Option<Decimal>,
}

#[derive(Deserialize)]
struct Call {
    call_uuid: String,
    #[serde(default, deserialize_with = "wire::decimal")]
    total_amount: Option<Decimal>,
}

impl Plivo {
    /// Fails when the address or the credentials can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, access: &CarrierAccess) -> Result<Self, ProviderError> {
        let auth_id = access.account_id.trim().to_owned();
        let token = Secret::new(access.auth_token.expose().trim().to_owned());
        let both = Secret::new(STANDARD.encode(format!("{auth_id}:{}", token.expose())));
        let endpoint = Endpoint::new(http, NAME, &access.base_url, ("authorization", "Basic "), &both, own_words)?;
        Ok(Self { endpoint, auth_id, token })
    }

    /// Below the account: the path of a resource.
    fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        ["v1", "Account", &self.auth_id].iter().chain(rest).copied().collect()
    }

    /// Reads a resource below the account.
    fn read(&self, rest: &[&str]) -> Ask {
        Ask::get(&self.path(rest)).slashed().hide(&self.token)
    }
}

#[async_trait]
impl CarrierClient for Plivo {
    async fn account(&self) -> Result<AccountAtCarrier, ProviderError> {
        let account: Account = self.endpoint.json(self.read(&[])).await?;
        Ok(AccountAtCarrier {
            name: account.name.unwrap_or_default(),
            is_active: account.state.as_deref().is_none_or(|state| state == "active"),
            id: account.auth_id,
        })
    }

    async fn list_numbers(&self) -> Result<Vec<RentedNumber>, ProviderError> {
        let (mut all, mut known, mut offset) = (Vec::new(), HashSet::new(), 0);
        for _ in 0..MOST_PAGES {
            let ask = self.read(&["Number"]).query("limit", PAGE_SIZE.to_string());
            let found: Page = self.endpoint.json(ask.query("offset", offset.to_string())).await?;
            // It may give fewer at once than it was asked for.
            offset += found.objects.len();
            let is_last = found.meta.next.is_none() || found.objects.is_empty();
            let fresh = found.objects.into_iter().filter(|number| known.insert(number.number.clone()));
            all.extend(fresh.map(RentedNumber::from));
            if is_last {
                return match found.meta.total_count {
                    Some(total) if (known.len() as u64) < total => {
                        Err(ProviderError::new(NAME, Kind::Garbage, "The list of numbers is not whole"))
                    }
                    _ => Ok(all),
                };
            }
        }
        Err(ProviderError::new(NAME, Kind::Garbage, "The list's pages never end"))
    }

    async fn get_number(&self, id: &str) -> Result<RentedNumber, ProviderError> {
        let number: Number = self.endpoint.json(self.read(&["Number", id])).await?;
        Ok(number.into())
    }

    async fn get_call(&self, id: &str) -> Result<CarrierCall, ProviderError> {
        let call: Call = self.endpoint.json(self.read(&["Call", id])).await?;
        Ok(CarrierCall { id: call.call_uuid, cost: call.total_amount.filter(|cost| !cost.is_sign_negative()) })
    }

    async fn calls_go(&self, number_id: &str, ours: &CallAddresses) -> Result<CallsGo, ProviderError> {
        self.calls_held(number_id, Some(ours)).await
    }

    async fn send_calls(&self, number_id: &str, to: &CallAddresses) -> Result<CallsGo, ProviderError> {
        self.point_calls(number_id, to).await
    }

    async fn return_calls(&self, number_id: &str, settings: Option<&Secret<String>>) -> Result<CallsGo, ProviderError> {
        self.point_back(number_id, settings).await
    }
}

impl From<Number> for RentedNumber {
    fn from(number: Number) -> Self {
        let can = [("voice", number.voice_enabled), ("sms", number.sms_enabled), ("mms", number.mms_enabled)];
        let can = can.into_iter().filter(|(_, can)| *can == Some(true)).map(|(name, _)| name.to_owned()).collect();
        let two_letters = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
        Self {
            number: format!("+{}", number.number.trim_start_matches('+')),
            id: number.number,
            capabilities: can,
            // The service tells some countries by their names.
            country: number.country.filter(two_letters).map(|code| code.to_ascii_uppercase()),
            monthly_cost: number.monthly_rental_rate.filter(|cost| !cost.is_sign_negative()),
        }
    }
}

/// Errors come as `{"error"}`: a sentence, or messages by field.
fn own_words(document: &Value) -> Option<String> {
    let said = match document.get("error").or_else(|| document.get("message"))? {
        Value::String(said) => said.clone(),
        Value::Object(fields) => {
            let each = fields.iter().map(|(name, said)| format!("{name}: {}", said.as_str().unwrap_or("not accepted")));
            each.collect::<Vec<_>>().join("; ")
        }
        _ => return None,
    };
    Some(said).filter(|said| !said.is_empty())
}
