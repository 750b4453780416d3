use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

mod answering;
mod route;

use answering::sentence;
pub use answering::{AnswerHours, Answering, CLOSED, HoursForm, UNAVAILABLE};
use patchbay_agents::model::CallDirection;
use patchbay_agents::model::ClientChoice;
use patchbay_shared::ids::{AgentId, ClientId, IntegrationId, NumberId};
use patchbay_shared::{AppError, FieldErrors, Money, Page, Phone, Stamp};
pub use route::{CarrierConnection, ConnectionKind, Route, drift};

patchbay_shared::words! {
    /// A number's life: pending → active ⇄ inactive → released, and released is final.
    pub NumberStatus: "phone_number_status" {
        Pending = "pending", "Ordered", Info;
        Active = "active", "Active", Ok;
        Inactive = "inactive", "Inactive", Mute;
        Released = "released", "Released", Mute;
    }
}

/// The carriers that numbers are rented at: stored word and name.
pub const CARRIERS: [(&str, &str); 3] = [("telnyx", "Telnyx"), ("twilio", "Twilio"), ("plivo", "Plivo")];

/// A carrier's name as people write it.
pub fn carrier_name(word: &str) -> &str {
    CARRIERS.iter().find(|(known, _)| *known == word).map_or(word, |(_, name)| name)
}

/// Countries whose numbers can be searched: ISO 3166 and name.
pub const COUNTRIES: &[(&str, &str)] = &[
    ("US", "United States"),
    ("CA", "Canada"),
    ("GB", "United Kingdom"),
    ("AT", "Austria"),
    ("AU", "Australia"),
    ("BE", "Belgium"),
    ("CH", "Switzerland"),
    ("DE", "Germany"),
    ("DK", "Denmark"),
    ("ES", "Spain"),
    ("FI", "Finland"),
    ("FR", "France"),
    ("IE", "Ireland"),
    ("IN", "India"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("NL", "Netherlands"),
    ("NO", "Norway"),
    ("NZ", "New Zealand"),
    ("PL", "Poland"),
    ("PT", "Portugal"),
    ("SE", "Sweden"),
];

/// What the list is narrowed to. Without a status, released numbers are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub status: Option<String>,
    pub client: Option<String>,
    pub direction: Option<String>,
    /// A carrier's name, or the id of an account there.
    pub carrier: Option<String>,
    /// `trouble`: only numbers whose calls are Patchbay's to answer and do not come here.
    pub route: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberRow {
    pub id: NumberId,
    /// E.164.
    pub number: String,
    pub status: NumberStatus,
    pub direction: CallDirection,
    pub client: Option<String>,
    pub agent: Option<String>,
    /// ISO 3166.
    pub country: Option<String>,
    /// Who it is rented from.
    pub carrier: String,
    pub monthly_cost: Option<Money>,
    pub error: Option<String>,
    /// Its calls should come here and do not: why, and what to do.
    pub route_trouble: Option<String>,
    /// Somebody who calls it is answered by Patchbay, as far as anybody knows.
    pub arrives: bool,
    /// The carrier sends its calls elsewhere, which can be set right from here.
    pub has_drifted: bool,
    pub purchased: Option<Stamp>,
    pub released: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberList {
    pub page: Page<NumberRow>,
    pub clients: Vec<ClientChoice>,
    pub may_edit: bool,
}

/// An agent that a number can be assigned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentChoice {
    pub id: AgentId,
    pub name: String,
    /// None: works for every client.
    pub client: Option<String>,
    /// Its calls usually come in.
    pub is_for_callers: bool,
}

/// Everything on a number's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberPage {
    pub row: NumberRow,
    pub answering: Answering,
    pub after_hours_agent: Option<String>,
    pub route: Route,
    /// The zone that hours are in unless another one is chosen: the client's, else the viewer's.
    pub zone: String,
    pub client_id: Option<ClientId>,
    pub agent_id: Option<AgentId>,
    pub capabilities: Vec<String>,
    /// The carrier's id of the order, for questions to it.
    pub order_id: Option<String>,
    pub provider_number_id: Option<String>,
    /// The account at a carrier where it is rented. None: it is rented from here.
    pub account: Option<IntegrationId>,
    /// Campaigns that call from it: id and name.
    pub campaigns: Vec<(String, String)>,
    pub clients: Vec<ClientChoice>,
    pub agents: Vec<AgentChoice>,
    pub may_edit: bool,
}

/// What to look for at the carrier.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberSearchForm {
    pub country: String,
    pub area_code: String,
    pub contains: String,
}

/// A number that can be rented now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundNumber {
    pub number: String,
    pub place: String,
    pub features: Vec<String>,
    /// None: the carrier did not say, or not in US dollars.
    pub monthly_cost: Option<Money>,
    pub upfront_cost: Option<Money>,
    /// Near what was asked for, not exactly it.
    pub is_near: bool,
}

/// An order, as posted from a search result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderForm {
    pub number: String,
    pub country: String,
    pub features: String,
    pub monthly_cost: String,
    pub client_id: String,
}

/// A number that the agency rents already.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnedForm {
    pub number: String,
    pub direction: String,
    pub client_id: String,
    pub monthly_cost: String,
}

/// Whom a number belongs to, and who answers it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AssignForm {
    pub id: String,
    pub client_id: String,
    pub agent_id: String,
    pub direction: String,
    #[serde(flatten)]
    pub hours: HoursForm,
    pub after_hours_agent_id: String,
    pub after_hours_words: String,
    pub fallback_words: String,
}

/// A number to be written into the list.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNumber {
    pub number: Phone,
    pub status: NumberStatus,
    pub direction: CallDirection,
    pub client_id: Option<ClientId>,
    pub agent_id: Option<AgentId>,
    pub provider_number_id: Option<String>,
    pub capabilities: Vec<String>,
    pub country: Option<String>,
    pub monthly_cost: Option<Decimal>,
    pub last_error: Option<String>,
}

impl OrderForm {
    /// Errors: `Invalid`.
    pub fn check(&self) -> Result<NewNumber, AppError> {
        let mut errors = FieldErrors::default();
        let number = Phone::from_e164(self.number.trim());
        if number.is_none() {
            errors.add("", "This is not a phone number. Search again.");
        }
        let client_id = client(&self.client_id, &mut errors);
        errors.check()?;
        Ok(NewNumber {
            number: number.ok_or(AppError::NotFound)?,
            status: NumberStatus::Pending,
            direction: CallDirection::Outbound,
            client_id,
            agent_id: None,
            provider_number_id: None,
            capabilities: words(&self.features),
            country: COUNTRIES.iter().find(|(code, _)| *code == self.country).map(|(code, _)| (*code).to_owned()),
            monthly_cost: self.monthly_cost.trim().parse().ok().filter(|cost: &Decimal| !cost.is_sign_negative()),
            last_error: None,
        })
    }
}

impl OwnedForm {
    /// Checks everything but the number, which the server reads. Errors: `Invalid`.
    pub fn check(&self, number: Result<Phone, String>) -> Result<NewNumber, AppError> {
        let mut errors = FieldErrors::default();
        if let Err(message) = &number {
            errors.add("number", message.clone());
        }
        let client_id = client(&self.client_id, &mut errors);
        let cost = self.monthly_cost.trim().trim_start_matches('$');
        let monthly_cost =
            cost.parse::<Decimal>().ok().filter(|cost| !cost.is_sign_negative() && *cost < Decimal::from(100_000));
        if !cost.is_empty() && monthly_cost.is_none() {
            errors.add("monthly_cost", "Enter dollars per month, for example 1.50, or leave it empty.");
        }
        errors.check()?;
        Ok(NewNumber {
            number: number.map_err(|message| AppError::invalid("number", message))?,
            status: NumberStatus::Active,
            direction: direction(&self.direction),
            client_id,
            agent_id: None,
            provider_number_id: None,
            capabilities: Vec::new(),
            country: None,
            monthly_cost: monthly_cost.map(|cost| cost.round_dp(6)),
            last_error: None,
        })
    }
}

/// An assignment, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub client_id: Option<ClientId>,
    pub agent_id: Option<AgentId>,
    pub direction: CallDirection,
    pub answering: Answering,
}

impl AssignForm {
    /// Errors: `Invalid`.
    pub fn check(&self) -> Result<Assignment, AppError> {
        let mut errors = FieldErrors::default();
        let client_id = client(&self.client_id, &mut errors);
        let mut agent = |field: &str, id: &str| match id.trim() {
            "" => None,
            id => id.parse().map(Some).unwrap_or_else(|_| {
                errors.add(field, "Choose an agent.");
                None
            }),
        };
        let agent_id = agent("agent_id", &self.agent_id);
        let after_hours_agent_id = agent("after_hours_agent_id", &self.after_hours_agent_id);
        let hours = self.hours.check(&mut errors);
        let after_hours_words = sentence("after_hours_words", &self.after_hours_words, &mut errors);
        let fallback_words = sentence("fallback_words", &self.fallback_words, &mut errors);
        errors.check()?;
        let answering = Answering { hours, after_hours_agent_id, after_hours_words, fallback_words };
        Ok(Assignment { client_id, agent_id, direction: direction(&self.direction), answering })
    }
}

fn client(id: &str, errors: &mut FieldErrors) -> Option<ClientId> {
    match id.trim() {
        "" => None,
        id => id.parse().map(Some).unwrap_or_else(|_| {
            errors.add("client_id", "Choose a client.");
            None
        }),
    }
}

fn direction(word: &str) -> CallDirection {
    word.parse().unwrap_or(CallDirection::Outbound)
}

fn words(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty() && word.len() <= 40)
        .take(20)
        .map(str::to_owned)
        .collect()
}
