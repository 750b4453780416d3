use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use patchbay_shared::ids::{AgentId, ConnectionId};
use patchbay_shared::{AppError, FieldErrors, Page, Stamp};

patchbay_shared::words! {
    /// What a model is asked for.
    pub Purpose: "text" {
        Analysis = "analysis", "Analysis of calls", Mute;
        Agent = "agent", "Agent runs", Mute;
        Judge = "judge", "Judge of tests", Mute;
        Caller = "caller", "Simulated caller", Mute;
        Embedding = "embedding", "Search in knowledge", Mute;
    }
    /// Where a price is from.
    pub PriceSource: "text" {
        Listed = "listed", "Service’s list", Mute;
        Typed = "typed", "Entered", Info;
    }
}

impl Purpose {
    /// What it does, for the page.
    pub fn about(self) -> &'static str {
        match self {
            Purpose::Analysis => "Reads the transcript of every call.",
            Purpose::Agent => "Answers for an agent in its tests. On calls the voice service’s own model speaks.",
            Purpose::Judge => "Decides by a rubric whether a test’s answer is right.",
            Purpose::Caller => "Plays the caller in tests of whole conversations.",
            Purpose::Embedding => {
                "Turns texts into vectors, so that knowledge is found by its meaning. An account of the OpenAI form is needed."
            }
        }
    }

    /// Without a choice of its own, what is used for analyses is used.
    pub fn follows_analysis(self) -> bool {
        matches!(self, Purpose::Agent | Purpose::Judge | Purpose::Caller)
    }
}

/// An account for a picker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountChoice {
    pub id: ConnectionId,
    pub name: String,
    /// It takes part in the search for meaning.
    pub has_embeddings: bool,
    /// Switched off, or failing: what stands in the way.
    pub trouble: Option<String>,
}

/// What one kind of work uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChoiceRow {
    pub purpose: Purpose,
    /// None: nothing can be used.
    pub used: Option<Used>,
    /// It was chosen for this. False: it follows from another choice.
    pub is_own: bool,
}

/// An account, a model and its price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Used {
    pub account: ConnectionId,
    pub account_name: String,
    pub model: String,
    pub price: Option<Price>,
    /// The account tells with each answer what it cost.
    pub tells_costs: bool,
}

/// An agent with a model of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnChoice {
    pub agent: AgentId,
    pub name: String,
    pub used: Used,
}

/// A price as people write it: whole dollars without cents, else two digits or as many as it has.
pub fn dollars(price: Decimal) -> String {
    let mut price = price.normalize();
    if price.scale() == 1 {
        price.rescale(2);
    }
    format!("${price}")
}

/// US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub read: Decimal,
    pub written: Decimal,
    /// Read, and known to the service from before. None: as `read`.
    pub cached: Option<Decimal>,
}

impl Price {
    /// `$3 read, $15 written per million tokens`.
    pub fn text(&self) -> String {
        let cached = self.cached.map(|price| format!(", {} cached", dollars(price))).unwrap_or_default();
        format!("{} read{cached}, {} written per million tokens", dollars(self.read), dollars(self.written))
    }

    /// What an answer cost: tokens read, of these cached, and written.
    pub fn of(&self, read: u64, cached: u64, written: u64) -> Decimal {
        let cached = cached.min(read);
        let sum = Decimal::from(read - cached) * self.read
            + Decimal::from(cached) * self.cached.unwrap_or(self.read)
            + Decimal::from(written) * self.written;
        sum / Decimal::from(1_000_000)
    }
}

/// Everything on the page of models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelsPage {
    pub accounts: Vec<AccountChoice>,
    pub choices: Vec<ChoiceRow>,
    pub own: Vec<OwnChoice>,
    pub may_choose: bool,
    pub may_connect: bool,
}

/// What the form of one choice needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChoicePage {
    pub purpose: Purpose,
    /// The agent whose own choice it is.
    pub agent: Option<AgentId>,
    pub accounts: Vec<AccountChoice>,
    /// Agents by name, for agent runs.
    pub agents: Vec<(AgentId, String)>,
    pub account: Option<ConnectionId>,
    pub model: String,
    /// The models that the accounts list: name and account.
    pub offers: Vec<(String, String)>,
    /// Accounts whose list could not be read, and why.
    pub notes: Vec<String>,
}

/// A choice, as posted. Without account there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChoiceForm {
    pub purpose: String,
    /// Empty: for all.
    #[serde(default)]
    pub agent: String,
    #[serde(default)]
    pub account: String,
    #[serde(default)]
    pub model: String,
}

/// A choice after its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChoice {
    pub purpose: Purpose,
    pub agent: Option<AgentId>,
    /// None: takes the choice back.
    pub used: Option<(ConnectionId, String)>,
}

impl ChoiceForm {
    /// Errors: `Invalid` with a message per field; `NotFound` for a purpose or an agent that there is not.
    pub fn check(&self) -> Result<NewChoice, AppError> {
        let purpose = Purpose::from_str(&self.purpose).map_err(|_| AppError::NotFound)?;
        let agent = match self.agent.trim() {
            "" => None,
            _ if purpose != Purpose::Agent => return Err(AppError::NotFound),
            id => Some(id.parse()?),
        };
        let account = self.account.trim();
        if account.is_empty() {
            return Ok(NewChoice { purpose, agent, used: None });
        }
        let account = account.parse()?;
        let model = model_name(&self.model).map_err(|why| AppError::invalid("model", why))?;
        Ok(NewChoice { purpose, agent, used: Some((account, model)) })
    }
}

/// A model's name as services write it.
fn model_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if name.is_empty() {
        return Err("Choose a model from the list, or enter its name as the service writes it.");
    }
    if name.chars().count() > 200 || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("A model’s name has no spaces and at most 200 characters. Copy it from the service’s list.");
    }
    Ok(name.to_owned())
}

/// What the list of prices is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PriceQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub account: Option<String>,
    pub source: Option<String>,
    pub cursor: Option<String>,
}

/// A price in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceRow {
    pub account: String,
    pub model: String,
    pub from: Stamp,
    pub price: Price,
    pub source: PriceSource,
    /// Who entered it.
    pub by: Option<String>,
}

/// The list, and the accounts for its filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceList {
    pub page: Page<PriceRow>,
    pub accounts: Vec<(String, String)>,
}

/// What the form of a price needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PricePage {
    pub accounts: Vec<AccountChoice>,
    /// Models that are in use, with the account's name.
    pub offers: Vec<(String, String)>,
    /// The workspace's day.
    pub today: String,
}

/// A price, as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceForm {
    #[serde(default)]
    pub account: String,
    #[serde(default)]
    pub model: String,
    /// A day, from its beginning in the agency's zone.
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub read: String,
    #[serde(default)]
    pub written: String,
    #[serde(default)]
    pub cached: String,
}

/// A price after its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPrice {
    pub account: ConnectionId,
    pub model: String,
    /// `2026-11-28`.
    pub from: String,
    pub price: Price,
}

impl PriceForm {
    /// Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<NewPrice, AppError> {
        let mut errors = FieldErrors::default();
        let account = self.account.trim().parse().ok();
        if account.is_none() {
            errors.add("account", "Choose the account that the price is for.");
        }
        let model = model_name(&self.model).unwrap_or_else(|why| {
            errors.add("model", why);
            String::new()
        });
        let read = price(&self.read, "read", &mut errors);
        let written = price(&self.written, "written", &mut errors);
        let cached = Some(self.cached.trim()).filter(|text| !text.is_empty());
        let cached = cached.and_then(|text| price(text, "cached", &mut errors));
        errors.check()?;
        let (Some(account), Some(read), Some(written)) = (account, read, written) else {
            return Err(AppError::NotFound);
        };
        let price = Price { read, written, cached };
        Ok(NewPrice { account, model, from: self.from.trim().to_owned(), price })
    }
}

fn price(text: &str, field: &str, errors: &mut FieldErrors) -> Option<Decimal> {
    let text = text.trim().trim_start_matches('$');
    match Decimal::from_str(text) {
        Ok(price) if price >= Decimal::ZERO && price <= Decimal::from(100_000) && price.scale() <= 6 => Some(price),
        _ => {
            errors.add(field, "Enter US dollars per million tokens, between 0 and 100,000, for example 2.50.");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_costs_what_its_tokens_cost() {
        let price = |text: &str| Decimal::from_str(text).unwrap();
        let known = Price { read: price("3"), written: price("15"), cached: Some(price("0.3")) };
        assert_eq!(known.of(1_000, 400, 100).to_string(), "0.00342");
        let plain = Price { cached: None, ..known };
        assert_eq!(plain.of(1_000, 400, 100).normalize().to_string(), "0.0045");
        assert_eq!(plain.of(10, 99, 0), plain.of(10, 0, 0), "no more can be cached than was read");
        assert_eq!(known.text(), "$3 read, $0.30 cached, $15 written per million tokens");
    }

    #[test]
    fn forms_say_what_to_do() {
        let form =
            PriceForm { read: "-1".into(), written: "two".into(), cached: "0.1234567".into(), ..PriceForm::default() };
        let Err(AppError::Invalid(errors)) = form.check() else { panic!("it was taken") };
        for field in ["account", "model", "read", "written", "cached"] {
            assert!(errors.at(field).is_some(), "{field}");
        }
        let odd = ChoiceForm { purpose: "judge".into(), agent: "x".into(), ..ChoiceForm::default() };
        assert_eq!(odd.check(), Err(AppError::NotFound), "only runs have a model of their agent");
    }
}
