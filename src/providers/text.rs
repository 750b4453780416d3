//! What a carrier can do with text messages (SMS), and what it tells of them.
//!
//! The surprising part: no carrier takes an idempotency key here. When [`ProviderError::outcome_unknown`] is true of a send, look with
//! [`TextCarrier::find`] before anything is sent again.

use super::error::ProviderError;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// A service that carries text messages. Ids are the service's own; numbers are E.164.
#[async_trait]
pub trait TextCarrier: Send + Sync {
    /// The service's lower-case name, as stored beside its ids.
    fn name(&self) -> &'static str;
    /// Sends one. Not safe to repeat.
    async fn send(&self, text: &NewText) -> Result<SentText, ProviderError>;
    /// A message as it is now.
    async fn get(&self, id: &str) -> Result<SentText, ProviderError>;
    /// Messages like this one that were sent since then. None: the service has no list of them.
    async fn find(&self, text: &NewText, since: DateTime<Utc>) -> Result<Option<Vec<SentText>>, ProviderError>;
    /// Has the service tell at this address what comes to the number. Errors: `Rejected` with the reason when the number tells somebody
    /// else, which is left as it is.
    async fn listen(&self, number: &str, url: &str) -> Result<(), ProviderError>;
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewText {
    pub from: String,
    pub to: String,
    pub text: String,
    /// Told what becomes of it.
    pub status_url: String,
}

/// A message that the service has taken.
#[derive(Debug, Clone, PartialEq)]
pub struct SentText {
    pub id: String,
    pub progress: Progress,
    /// What the service counted.
    pub parts: Option<u32>,
    /// USD; `None` when it is not known yet, or said in another currency.
    pub cost: Option<Decimal>,
}

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    OnItsWay,
    /// Handed to the network.
    Sent,
    Delivered,
    Failed(Refusal),
}

/// Why a message did not arrive, in the service's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub said: String,
    /// The person has told the carrier to stop.
    pub opted_out: bool,
}

/// What a carrier reports.
#[derive(Debug, Clone, PartialEq)]
pub enum TextEvent {
    Incoming(IncomingText),
    Status(TextStatus),
}

/// Somebody has written to one of the account's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingText {
    pub id: String,
    pub from: String,
    pub to: String,
    pub text: String,
    pub parts: Option<u32>,
    /// Pictures and other files that came along. They are not fetched.
    pub files: usize,
    /// What the carrier itself has understood and acted on.
    pub keyword: Option<Keyword>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct TextStatus {
    pub sent: SentText,
    /// The message itself, where the service repeats it: to find one whose id was never heard.
    pub from: Option<String>,
    pub to: Option<String>,
    pub text: Option<String>,
}

/// Words by which people end messages, want them again, or ask who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    Stop,
    Start,
    Help,
}

impl Keyword {
    /// The carrier's own word for it.
    pub fn of_carrier(word: &str) -> Option<Self> {
        match word.trim().to_ascii_uppercase().as_str() {
            "STOP" | "OPT_OUT" | "OPT-OUT" | "OPTOUT" => Some(Keyword::Stop),
            "START" | "UNSTOP" | "OPT_IN" | "OPT-IN" | "OPTIN" => Some(Keyword::Start),
            "HELP" | "INFO" => Some(Keyword::Help),
            _ => None,
        }
    }
}

/// A number as a form has it, with or without its plus.
pub(crate) fn e164(number: &str) -> String {
    let number = number.trim();
    match number.strip_prefix('+') {
        Some(_) => number.to_owned(),
        None if number.len() > 6 && number.bytes().all(|byte| byte.is_ascii_digit()) => format!("+{number}"),
        None => number.to_owned(),
    }
}

/// A price that fits one: what is negative at some carriers is what was paid.
pub(crate) fn price(text: Option<&str>, currency: Option<&str>) -> Option<Decimal> {
    let is_usd = currency.is_none_or(|currency| currency.trim().eq_ignore_ascii_case("USD"));
    let price = text?.trim().parse::<Decimal>().ok().map(|price| price.abs());
    price.filter(|price| is_usd && *price < Decimal::from(10_000))
}
