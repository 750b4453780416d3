//! Telnyx: telephone numbers and call control.
//!
//! The surprising parts: ordering a number is asynchronous and has no idempotency key (give a reference and look for
//! it before a repeat), and a search doesn't page.

mod application;
mod message;
mod number;
mod transfer;
mod webhook;

pub use transfer::state_of;
pub use webhook::{CallEvent, CallEventKind, HangupCause, TelnyxEvent, TelnyxPayload, document};

use super::error::{Kind, ProviderError};
use super::http::{Ask, Endpoint, HttpClient};
use super::sealed::Secret;
use super::telephony::*;
use super::wire;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The service's name in errors and beside its ids.
pub const NAME: &str = "telnyx";
/// The service's public address.
pub const BASE_URL: &str = "https://api.telnyx.com/v2";
const PAGE_SIZE: &str = "100";
/// A list longer than this many pages is a loop.
const MOST_PAGES: u32 = 1000;

/// How this account is reached.
#[derive(Debug, Clone)]
pub struct TelnyxConfig {
    /// [`BASE_URL`], or a stand-in's address.
    pub base_url: String,
    pub api_key: Secret<String>,
}

/// The client for one account.
#[derive(Clone)]
pub struct Telnyx {
    endpoint: Endpoint,
}

#[derive(Deserialize)]
struct One<T> {
    data: T,
}

#[derive(Deserialize)]
struct Many<T> {
    data: Vec<T>,
    #[serde(default, deserialize_with = "wire::object")]
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default, deserialize_with = "wire::count")]
    page_number: Option<u64>,
    #[serde(default, deserialize_with = "wire::count")]
    total_pages: Option<u64>,
}

impl Telnyx {
    /// Fails when the address or the key can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, config: &TelnyxConfig) -> Result<Self, ProviderError> {
        let header = ("authorization", "Bearer ");
        let endpoint = Endpoint::new(http, NAME, &config.base_url, header, &config.api_key, own_words)?;
        Ok(Self { endpoint })
    }

    async fn all<T: DeserializeOwned>(&self, ask: Ask) -> Result<Vec<T>, ProviderError> {
        let mut all = Vec::new();
        for number in 1..=MOST_PAGES {
            let ask = ask.clone().query("page[number]", number.to_string()).query("page[size]", PAGE_SIZE);
            let page: Many<T> = self.endpoint.json(ask).await?;
            let is_last = match page.meta {
                Some(Meta { page_number, total_pages: Some(pages) }) => page_number.unwrap_or(number.into()) >= pages,
                _ => true,
            };
            let is_empty = page.data.is_empty();
            all.extend(page.data);
            if is_last || is_empty {
                return Ok(all);
            }
        }
        Err(ProviderError::new(NAME, Kind::Garbage, "The list's pages never end"))
    }
}

#[async_trait]
impl TelephonyProvider for Telnyx {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn check_credentials(&self) -> Result<(), ProviderError> {
        let ask = Ask::get(&["phone_numbers"]).query("page[number]", "1").query("page[size]", "1");
        self.endpoint.json::<Many<Value>>(ask).await.map(|_| ())
    }

    async fn search_numbers(&self, search: &NumberSearch) -> Result<Vec<AvailableNumber>, ProviderError> {
        let mut ask = Ask::get(&["available_phone_numbers"])
            .query("filter[country_code]", &search.country)
            .query_some("filter[phone_number_type]", search.number_type.as_deref())
            .query_some("filter[locality]", search.locality.as_deref())
            .query_some("filter[administrative_area]", search.administrative_area.as_deref())
            .query_some("filter[national_destination_code]", search.area_code.as_deref())
            .query_some("filter[phone_number][contains]", search.contains.as_deref());
        for feature in &search.features {
            ask = ask.query("filter[features]", feature);
        }
        let ask = ask.query("filter[limit]", search.limit.to_string());
        let found: Many<number::Available> = self.endpoint.json(ask).await?;
        Ok(found.data.into_iter().map(AvailableNumber::from).collect())
    }

    async fn order_number(&self, order: &NewNumberOrder) -> Result<NumberOrder, ProviderError> {
        let mut body = json!({
            "phone_numbers": [{"phone_number": order.number}],
            "customer_reference": order.reference,
        });
        if let Some(connection) = &order.connection_id {
            body["connection_id"] = json!(connection);
        }
        let made: One<number::Order> = self.endpoint.json(Ask::post(&["number_orders"], body)).await?;
        Ok(made.data.into())
    }

    async fn get_order(&self, order_id: &str) -> Result<NumberOrder, ProviderError> {
        let order: One<number::Order> = self.endpoint.json(Ask::get(&["number_orders", order_id])).await?;
        Ok(order.data.into())
    }

    async fn find_orders(&self, reference: &str) -> Result<Vec<NumberOrder>, ProviderError> {
        let ask = Ask::get(&["number_orders"]).query("filter[customer_reference]", reference);
        let found: Vec<number::Order> = self.all(ask).await?;
        // A filter that the service ignored would answer with every order: check it here again.
        let matches = |o: &NumberOrder| o.reference.as_deref() == Some(reference);
        Ok(found.into_iter().map(NumberOrder::from).filter(matches).collect())
    }

    async fn list_numbers(&self) -> Result<Vec<OwnedNumber>, ProviderError> {
        let numbers: Vec<number::Owned> = self.all(Ask::get(&["phone_numbers"])).await?;
        Ok(numbers.into_iter().map(OwnedNumber::from).collect())
    }

    async fn get_number(&self, number_id: &str) -> Result<OwnedNumber, ProviderError> {
        let number: One<number::Owned> = self.endpoint.json(Ask::get(&["phone_numbers", number_id])).await?;
        Ok(number.data.into())
    }

    async fn delete_number(&self, number_id: &str) -> Result<(), ProviderError> {
        self.endpoint.done(Ask::delete(&["phone_numbers", number_id])).await
    }

    async fn account_id(&self) -> Result<String, ProviderError> {
        #[derive(Deserialize)]
        struct Account {
            organization_id: String,
        }
        let account: One<Account> = self.endpoint.json(Ask::get(&["whoami"])).await?;
        Ok(account.data.organization_id)
    }

    async fn outbound_profile(&self) -> Result<Option<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Profile {
            id: String,
            #[serde(default, deserialize_with = "wire::flag")]
            enabled: Option<bool>,
        }
        let ask = Ask::get(&["outbound_voice_profiles"]).query("page[number]", "1").query("page[size]", PAGE_SIZE);
        let profiles: Many<Profile> = self.endpoint.json(ask).await?;
        Ok(profiles.data.into_iter().find(|profile| profile.enabled != Some(false)).map(|profile| profile.id))
    }

    async fn get_application(&self, application_id: &str) -> Result<HeldApplication, ProviderError> {
        let held: One<application::Application> =
            self.endpoint.json(Ask::get(&["texml_applications", application_id])).await?;
        Ok(held.data.into())
    }

    async fn find_applications(&self, name: &str) -> Result<Vec<HeldApplication>, ProviderError> {
        let ask = Ask::get(&["texml_applications"]).query("filter[friendly_name]", name);
        let found: Vec<application::Application> = self.all(ask).await?;
        // A filter that the service ignored would answer with every application: check it here again.
        Ok(found.into_iter().map(HeldApplication::from).filter(|held| held.name == name).collect())
    }

    async fn create_application(&self, wanted: &CallApplication) -> Result<HeldApplication, ProviderError> {
        let body = application::body(wanted, None);
        let made: One<application::Application> = self.endpoint.json(Ask::post(&["texml_applications"], body)).await?;
        Ok(made.data.into())
    }

    async fn update_application(
        &self,
        application_id: &str,
        wanted: &CallApplication,
    ) -> Result<HeldApplication, ProviderError> {
        let held: One<Value> = self.endpoint.json(Ask::get(&["texml_applications", application_id])).await?;
        let body = application::body(wanted, Some(&held.data));
        self.endpoint.done(Ask::patch(&["texml_applications", application_id], body)).await?;
        let now = self.get_application(application_id).await?;
        if !now.is(wanted) {
            return Err(ProviderError::new(NAME, Kind::Garbage, "It did not keep the application as it was sent"));
        }
        Ok(now)
    }

    async fn find_connection(&self, connection_id: &str) -> Result<Option<(ConnectionSort, String)>, ProviderError> {
        let sorts = [
            (ConnectionSort::CallControl, "call_control_applications", "application_name"),
            (ConnectionSort::Texml, "texml_applications", "friendly_name"),
        ];
        for (sort, path, name) in sorts {
            match self.endpoint.json::<One<Value>>(Ask::get(&[path, connection_id])).await {
                Ok(found) => {
                    let name = found.data.get(name).and_then(Value::as_str).unwrap_or_default();
                    return Ok(Some((sort, name.to_owned())));
                }
                Err(error) if error.kind == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn point_number(&self, number_id: &str, application_id: &str) -> Result<OwnedNumber, ProviderError> {
        let body = json!({"connection_id": application_id});
        self.endpoint.done(Ask::patch(&["phone_numbers", number_id], body)).await?;
        let now = self.get_number(number_id).await?;
        if now.connection_id.as_deref() != Some(application_id) {
            let said = "It did not take the application that the number's calls should go to";
            return Err(ProviderError::new(NAME, Kind::Garbage, said));
        }
        Ok(now)
    }

    async fn get_call(&self, call_control_id: &str) -> Result<CallLeg, ProviderError> {
        #[derive(Deserialize)]
        struct Leg {
            call_control_id: String,
            #[serde(default, deserialize_with = "wire::text")]
            call_leg_id: Option<String>,
            #[serde(default, deserialize_with = "wire::text")]
            call_session_id: Option<String>,
            #[serde(default, deserialize_with = "wire::flag")]
            is_alive: Option<bool>,
            #[serde(default, deserialize_with = "wire::seconds")]
            call_duration: Option<f64>,
            #[serde(default, deserialize_with = "wire::time")]
            start_time: Option<DateTime<Utc>>,
            #[serde(default, deserialize_with = "wire::time")]
            end_time: Option<DateTime<Utc>>,
        }
        let One { data: leg } = self.endpoint.json::<One<Leg>>(Ask::get(&["calls", call_control_id])).await?;
        Ok(CallLeg {
            call_control_id: leg.call_control_id,
            call_leg_id: leg.call_leg_id,
            call_session_id: leg.call_session_id,
            is_alive: leg.is_alive.unwrap_or(false),
            duration_seconds: leg.call_duration,
            started: leg.start_time,
            ended: leg.end_time,
        })
    }

    async fn hangup(&self, call_control_id: &str, command_id: &str) -> Result<(), ProviderError> {
        let body = json!({"command_id": command_id});
        self.endpoint.done(Ask::post(&["calls", call_control_id, "actions", "hangup"], body).repeatable()).await
    }

    async fn transfer(&self, call_control_id: &str, to: &LegTransfer) -> Result<(), ProviderError> {
        let ask = Ask::post(&["calls", call_control_id, "actions", "transfer"], transfer::body(to));
        self.endpoint.done(ask.repeatable()).await
    }

    async fn stop_streaming(&self, call_control_id: &str, command_id: &str) -> Result<(), ProviderError> {
        let body = json!({"command_id": command_id});
        self.endpoint.done(Ask::post(&["calls", call_control_id, "actions", "streaming_stop"], body).repeatable()).await
    }
}

/// Errors come as `{"errors": [{"title", "detail"}]}`; some say `description` instead of `detail`.
fn own_words(document: &Value) -> Option<String> {
    let said: Vec<&str> = document
        .get("errors")?
        .as_array()?
        .iter()
        .filter_map(|e| ["detail", "description", "title"].iter().find_map(|name| e.get(name)?.as_str()))
        .filter(|text| !text.is_empty())
        .collect();
    if said.is_empty() { None } else { Some(said.join("; ")) }
}
