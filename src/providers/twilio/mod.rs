//! Twilio: an account of the agency's own, its numbers, and what calls on them cost.
//!
//! The surprising parts: bodies are forms and answers are JSON, prices are negative and come minutes after the call, and the account's
//! id stands in every path.

mod incoming;
mod message;

pub use message::text_event;

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
pub const NAME: &str = "twilio";
/// The service's public address.
pub const BASE_URL: &str = "https://api.twilio.com";
const VERSION: &str = "2010-04-01";
const PAGE_SIZE: &str = "100";
/// A list longer than this many pages is a loop.
const MOST_PAGES: usize = 500;

/// The client for one account.
#[derive(Clone)]
pub struct Twilio {
    endpoint: Endpoint,
    account_sid: String,
    token: Secret<String>,
}

#[derive(Deserialize)]
struct Account {
    sid: String,
    #[serde(default, deserialize_with = "wire::text")]
    friendly_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    status: Option<String>,
}

/// Read whole or not at all: a number that is left out would be believed to be gone.
#[derive(Deserialize)]
struct Page {
    incoming_phone_numbers: Vec<Number>,
    #[serde(default, deserialize_with = "wire::text")]
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Number {
    sid: String,
    phone_number: String,
    #[serde(default, deserialize_with = "wire::object")]
    capabilities: Option<Capabilities>,
}

#[derive(Deserialize)]
struct Capabilities {
    #[serde(default, deserialize_with = "wire::flag")]
    voice: Option<bool>,
    #[serde(default, deserialize_with = "wire::flag")]
    sms: Option<bool>,
    #[serde(default, deserialize_with = "wire::flag")]
    mms: Option<bool>,
    #[serde(default, deserialize_with = "wire::flag")]
    fax: Option<bool>,
}

#[derive(Deserialize)]
struct Call {
    sid: String,
    #[serde(default, deserialize_with = "wire::decimal")]
    price: Option<Decimal>,
    #[serde(default, deserialize_with = "wire::text")]
    price_unit: Option<String>,
}

impl Twilio {
    /// Fails when the address or the credentials can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, access: &CarrierAccess) -> Result<Self, ProviderError> {
        let account_sid = access.account_id.trim().to_owned();
        let token = Secret::new(access.auth_token.expose().trim().to_owned());
        let both = Secret::new(STANDARD.encode(format!("{account_sid}:{}", token.expose())));
        let endpoint = Endpoint::new(http, NAME, &access.base_url, ("authorization", "Basic "), &both, own_words)?;
        Ok(Self { endpoint, account_sid, token })
    }

    /// Below the account: the path of a resource.
    fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [VERSION, "Accounts", &self.account_sid].iter().chain(rest).copied().collect()
    }

    /// Reads a resource below the account.
    fn read(&self, rest: &[&str]) -> Ask {
        Ask::get(&self.path(rest)).hide(&self.token)
    }
}

#[async_trait]
impl CarrierClient for Twilio {
    async fn account(&self) -> Result<AccountAtCarrier, ProviderError> {
        let document = format!("{}.json", self.account_sid);
        let ask = Ask::get(&[VERSION, "Accounts", &document]).hide(&self.token);
        let account: Account = self.endpoint.json(ask).await?;
        Ok(AccountAtCarrier {
            name: account.friendly_name.unwrap_or_default(),
            is_active: account.status.as_deref().is_none_or(|status| status == "active"),
            id: account.sid,
        })
    }

    async fn list_numbers(&self) -> Result<Vec<RentedNumber>, ProviderError> {
        let (mut all, mut known, mut asked) = (Vec::new(), HashSet::new(), HashSet::new());
        let first = self.read(&["IncomingPhoneNumbers.json"]).query("PageSize", PAGE_SIZE);
        let mut continued: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page: Page = self.endpoint.json(first.clone().continued(continued.clone())).await?;
            let fresh = page.incoming_phone_numbers.into_iter().filter(|number| known.insert(number.sid.clone()));
            all.extend(fresh.map(RentedNumber::from));
            // The address is used for its query only: the token stays with the service.
            let next = page.next_page_uri.and_then(|uri| uri.split_once('?').map(|(_, query)| query.to_owned()));
            let Some(next) = next else { return Ok(all) };
            if !asked.insert(next.clone()) {
                break;
            }
            continued = Some(next);
        }
        Err(ProviderError::new(NAME, Kind::Garbage, "The list's pages never end"))
    }

    async fn get_number(&self, id: &str) -> Result<RentedNumber, ProviderError> {
        let number: Number = self.endpoint.json(self.read(&["IncomingPhoneNumbers", &format!("{id}.json")])).await?;
        Ok(number.into())
    }

    async fn get_call(&self, id: &str) -> Result<CarrierCall, ProviderError> {
        let call: Call = self.endpoint.json(self.read(&["Calls", &format!("{id}.json")])).await?;
        let in_dollars = call.price_unit.as_deref().is_none_or(|unit| unit.eq_ignore_ascii_case("USD"));
        // What the account is charged stands there as less than nothing.
        Ok(CarrierCall { id: call.sid, cost: call.price.filter(|_| in_dollars).map(|price| price.abs()) })
    }

    async fn calls_go(&self, number_id: &str, ours: &CallAddresses) -> Result<CallsGo, ProviderError> {
        self.calls_held(number_id, Some(ours)).await
    }

    async fn send_calls(&self, number_id: &str, to: &CallAddresses) -> Result<CallsGo, ProviderError> {
        self.point_calls(number_id, to).await
    }

    fn leads(&self, settings: &Secret<String>) -> bool {
        incoming::leads(settings)
    }

    async fn return_calls(&self, number_id: &str, settings: Option<&Secret<String>>) -> Result<CallsGo, ProviderError> {
        self.point_back(number_id, settings).await
    }
}

impl From<Number> for RentedNumber {
    fn from(number: Number) -> Self {
        let can = number.capabilities.map_or_else(Vec::new, |can| {
            let all = [("voice", can.voice), ("sms", can.sms), ("mms", can.mms), ("fax", can.fax)];
            all.into_iter().filter(|(_, can)| *can == Some(true)).map(|(name, _)| name.to_owned()).collect()
        });
        Self { id: number.sid, number: number.phone_number, capabilities: can, country: None, monthly_cost: None }
    }
}

/// Errors come as `{"code", "message", "status"}`; newer services say `detail` or `title`.
fn own_words(document: &Value) -> Option<String> {
    let said = ["message", "detail", "title"].iter().find_map(|name| document.get(name)?.as_str())?;
    Some(match document.get("code").and_then(Value::as_u64) {
        Some(code) => format!("{} (error {code})", said.trim_end_matches('.')),
        None => said.to_owned(),
    })
    .filter(|said| !said.is_empty())
}
