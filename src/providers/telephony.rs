//! What a telephone service can do: numbers, and the calls on them.

use super::error::ProviderError;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// A service that rents out telephone numbers. Ids are the service's own; numbers are E.164.
#[async_trait]
pub trait TelephonyProvider: Send + Sync {
    /// The service's lower-case name, as stored beside its ids.
    fn name(&self) -> &'static str;
    /// Proves that the credentials work.
    async fn check_credentials(&self) -> Result<(), ProviderError>;
    /// Numbers that could be rented now.
    async fn search_numbers(&self, search: &NumberSearch) -> Result<Vec<AvailableNumber>, ProviderError>;
    /// Rents a number. Not safe to repeat: give a reference of your own, and when
    /// [`ProviderError::outcome_unknown`] is true look for it with [`TelephonyProvider::find_orders`].
    /// The order is usually pending at first.
    async fn order_number(&self, order: &NewNumberOrder) -> Result<NumberOrder, ProviderError>;
    /// An order as it is now.
    async fn get_order(&self, order_id: &str) -> Result<NumberOrder, ProviderError>;
    /// All orders with this reference.
    async fn find_orders(&self, reference: &str) -> Result<Vec<NumberOrder>, ProviderError>;
    /// Every number of the account.
    async fn list_numbers(&self) -> Result<Vec<OwnedNumber>, ProviderError>;
    /// One number by the service's id.
    async fn get_number(&self, number_id: &str) -> Result<OwnedNumber, ProviderError>;
    /// Gives a number back for good.
    async fn delete_number(&self, number_id: &str) -> Result<(), ProviderError>;
    /// The account's id, as other services ask for it.
    async fn account_id(&self) -> Result<String, ProviderError>;
    /// The profile that outgoing calls go by: the account's first one. None: it has none.
    async fn outbound_profile(&self) -> Result<Option<String>, ProviderError>;
    /// The application with this id. `NotFound` when there is none.
    async fn get_application(&self, application_id: &str) -> Result<HeldApplication, ProviderError>;
    /// Applications of this name.
    async fn find_applications(&self, name: &str) -> Result<Vec<HeldApplication>, ProviderError>;
    /// Makes an application. Not safe to repeat: look for its name first.
    async fn create_application(&self, application: &CallApplication) -> Result<HeldApplication, ProviderError>;
    /// Sets what is ours of an application, and reads it back. What else it has stays.
    async fn update_application(
        &self,
        application_id: &str,
        application: &CallApplication,
    ) -> Result<HeldApplication, ProviderError>;
    /// What a connection is that a number hangs on, and what it is called. None: nothing of which the service tells this.
    async fn find_connection(&self, connection_id: &str) -> Result<Option<(ConnectionSort, String)>, ProviderError>;
    /// Sends a number's calls to this application, and reads back that it does. What else the number has stays.
    async fn point_number(&self, number_id: &str, application_id: &str) -> Result<OwnedNumber, ProviderError>;
    /// One call leg as it is now.
    async fn get_call(&self, call_control_id: &str) -> Result<CallLeg, ProviderError>;
    /// Ends a call leg. The same `command_id` twice is one command.
    async fn hangup(&self, call_control_id: &str, command_id: &str) -> Result<(), ProviderError>;
    /// Rings somebody and joins them with this leg when they answer. The leg goes on as it is until then, also when they never do. The
    /// same `command_id` twice within a minute is one command.
    async fn transfer(&self, call_control_id: &str, to: &LegTransfer) -> Result<(), ProviderError>;
    /// Ends the stream of sound between this leg and whoever listens and speaks there. The leg itself goes on. The same `command_id` twice
    /// is one command.
    async fn stop_streaming(&self, call_control_id: &str, command_id: &str) -> Result<(), ProviderError>;
}

/// Whom a leg is given to. Numbers are E.164.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegTransfer {
    pub to: String,
    /// What the person sees.
    pub from: String,
    /// How long it rings: 5 to 600.
    pub ring_seconds: u32,
    pub command_id: String,
    /// Comes back with every event of the new leg; any text.
    pub state: String,
    /// Where events of the new leg go.
    pub webhook_url: String,
}

/// What to look for. Empty fields don't narrow the search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberSearch {
    /// ISO 3166 alpha-2.
    pub country: String,
    /// `local`, `toll_free`, `mobile`, `national` or `shared_cost`.
    pub number_type: Option<String>,
    pub locality: Option<String>,
    /// State or province.
    pub administrative_area: Option<String>,
    /// Area code.
    pub area_code: Option<String>,
    /// Digits that the number holds.
    pub contains: Option<String>,
    /// Such as `voice`, `sms`.
    pub features: Vec<String>,
    /// At most so many.
    pub limit: u16,
}

/// A number that could be rented.
#[derive(Debug, Clone, PartialEq)]
pub struct AvailableNumber {
    pub number: String,
    pub features: Vec<String>,
    /// Places from wide to narrow as the service names them.
    pub regions: Vec<String>,
    pub upfront_cost: Option<Decimal>,
    pub monthly_cost: Option<Decimal>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Not exactly what was asked for, but near.
    pub is_best_effort: bool,
}

/// A number to be rented.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewNumberOrder {
    pub number: String,
    /// The connection that incoming calls go to.
    pub connection_id: Option<String>,
    /// Your own id for this order, to find it again.
    pub reference: String,
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderStatus {
    Pending,
    Success,
    Failure,
    /// A word this version doesn't know.
    Other(String),
}

/// An order of one or more numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberOrder {
    pub id: String,
    pub status: OrderStatus,
    pub numbers: Vec<OrderedNumber>,
    /// False while the country's rules still want papers.
    pub are_requirements_met: Option<bool>,
    pub reference: Option<String>,
    pub created: Option<DateTime<Utc>>,
}

/// One number inside an order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderedNumber {
    /// The id inside the order; the rented number gets its own.
    pub id: Option<String>,
    pub number: String,
    pub status: OrderStatus,
    /// What is still missing, in the service's word.
    pub requirements_status: Option<String>,
}

/// A number of the account.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedNumber {
    pub id: String,
    pub number: String,
    /// The service's word, such as `active` or `purchase-pending`.
    pub status: String,
    pub number_type: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    pub connection_id: Option<String>,
    pub connection_name: Option<String>,
    pub reference: Option<String>,
    pub tags: Vec<String>,
    pub purchased: Option<DateTime<Utc>>,
}

/// One side of a telephone call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallLeg {
    pub call_control_id: String,
    pub call_leg_id: Option<String>,
    pub call_session_id: Option<String>,
    pub is_alive: bool,
    pub duration_seconds: Option<f64>,
    pub started: Option<DateTime<Utc>>,
    pub ended: Option<DateTime<Utc>>,
}

/// What the carrier asks when a number is called, and whom it tells how calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallApplication {
    pub name: String,
    /// Asked what to do with each call that comes in.
    pub voice_url: String,
    /// Told how calls go and what they cost.
    pub status_url: String,
    /// What outgoing calls go by.
    pub outbound_profile: Option<String>,
}

/// What a connection does with a call that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionSort {
    /// It tells by webhook, and waits for commands.
    CallControl,
    /// It asks for XML.
    Texml,
}

/// An application as the carrier has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldApplication {
    pub id: String,
    pub name: String,
    pub voice_url: Option<String>,
    pub status_url: Option<String>,
    pub tells_cost: bool,
    pub outbound_profile: Option<String>,
}

impl HeldApplication {
    /// Whether it asks and tells as wanted. A profile for outgoing calls that somebody chose is as good as ours.
    pub fn is(&self, wanted: &CallApplication) -> bool {
        self.voice_url.as_deref() == Some(&wanted.voice_url)
            && self.status_url.as_deref() == Some(&wanted.status_url)
            && self.tells_cost
            && (self.outbound_profile.is_some() || wanted.outbound_profile.is_none())
    }
}
