//! A carrier that an agency has an account at beside the one it rents numbers from here: the account, its numbers, and what a call
//! came to. Calls on its numbers are placed by the voice service.

use super::error::ProviderError;
use super::sealed::Secret;
use async_trait::async_trait;
use rust_decimal::Decimal;

/// Which carrier a call goes out through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trunk {
    Telnyx,
    Twilio,
    Plivo,
}

impl Trunk {
    /// The carrier's lower-case name, as stored beside numbers.
    pub fn as_str(self) -> &'static str {
        match self {
            Trunk::Telnyx => super::telnyx::NAME,
            Trunk::Twilio => super::twilio::NAME,
            Trunk::Plivo => super::plivo::NAME,
        }
    }

    /// The carrier of this name.
    pub fn of(name: &str) -> Option<Trunk> {
        [Trunk::Telnyx, Trunk::Twilio, Trunk::Plivo].into_iter().find(|trunk| trunk.as_str() == name)
    }
}

/// An account at a carrier. Ids are the carrier's own; numbers are E.164.
#[async_trait]
pub trait CarrierClient: Send + Sync {
    /// The account, which proves that the credentials work.
    async fn account(&self) -> Result<AccountAtCarrier, ProviderError>;
    /// Every number of the account, each once, also when the carrier tells some twice. An error when the list can't be read to its end:
    /// what is missing in it would be believed to be gone.
    async fn list_numbers(&self) -> Result<Vec<RentedNumber>, ProviderError>;
    /// One number by the carrier's id. `NotFound` when the account has it no more.
    async fn get_number(&self, id: &str) -> Result<RentedNumber, ProviderError>;
    /// What a call came to, as far as the carrier knows by now.
    async fn get_call(&self, id: &str) -> Result<CarrierCall, ProviderError>;
    /// Where calls to a number go now; what is `ours`, or was, is nothing to go back to. `NotFound` when the account has it no more.
    async fn calls_go(&self, number_id: &str, ours: &CallAddresses) -> Result<CallsGo, ProviderError>;
    /// Has the carrier ask this address about each call to the number, and reads back that it does. What else the number has stays.
    async fn send_calls(&self, number_id: &str, to: &CallAddresses) -> Result<CallsGo, ProviderError>;
    /// Whether these settings, which [`CallsGo`] had before, send calls anywhere; they may be about who is told alone.
    fn leads(&self, _settings: &Secret<String>) -> bool {
        true
    }
    /// Sends the calls where these settings say, which [`CallsGo`] had before; without any, nowhere.
    async fn return_calls(&self, number_id: &str, settings: Option<&Secret<String>>) -> Result<CallsGo, ProviderError>;
}

/// Addresses of ours for the calls of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallAddresses {
    /// Asked what to do with each call that comes in.
    pub answer: String,
    /// Told how it went.
    pub status: String,
}

/// Where calls to a number go, as the carrier has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallsGo {
    /// The address that is asked about each call, if it is asked as we want to be. Others' addresses may hold secrets.
    pub(crate) asked: Option<Secret<String>>,
    /// The address that is told how a call went.
    pub(crate) told: Option<Secret<String>>,
    /// For people. None: nowhere.
    pub place: Option<CallsPlace>,
    /// What sends them there again, for the same client alone; addresses in it may hold secrets. None: nowhere, or to us.
    pub settings: Option<Secret<String>>,
    /// The address is ours, or was: however it is asked, under another public address, or of another account of the same workspace.
    pub is_ours: bool,
}

impl CallAddresses {
    /// Whether calls are asked about at this address of ours, or were.
    pub(crate) fn asked(&self, url: &str) -> bool {
        was_ours(url, &self.answer, 1)
    }

    /// The same of what is told.
    pub(crate) fn told(&self, url: &str) -> bool {
        was_ours(url, &self.status, 1)
    }
}

/// Whether an address leads to this door of ours: its path ends alike but for the account, which stands so many parts before the end.
pub(crate) fn was_ours(url: &str, ours: &str, account: usize) -> bool {
    let parts = |url: &str| -> Vec<String> {
        let path = url.trim().split(['?', '#']).next().unwrap_or_default();
        let parts = path.rsplit('/').take(5).enumerate();
        parts.map(|(at, part)| if at == account { String::new() } else { part.to_owned() }).collect()
    };
    parts(url) == parts(ours)
}

impl CallsGo {
    /// Whether these addresses are asked and told.
    pub fn is(&self, wanted: &CallAddresses) -> bool {
        self.asks(wanted) && self.told.as_ref().is_some_and(|told| *told.expose() == wanted.status)
    }

    /// Whether the first of them is asked, whoever is told.
    pub fn asks(&self, wanted: &CallAddresses) -> bool {
        self.asked.as_ref().is_some_and(|asked| *asked.expose() == wanted.answer)
    }

    /// Whether anybody is told how calls went.
    pub fn tells(&self) -> bool {
        self.told.is_some()
    }
}

/// Where calls go, as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsPlace {
    pub kind: PlaceKind,
    /// The carrier's id; of an address what is no secret.
    pub id: String,
    pub name: Option<String>,
}

/// What a number's calls go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    Address,
    Application,
    Trunk,
}

/// Whose address it is: its path, too, may be the secret.
pub(crate) fn shown(url: &str) -> String {
    let Ok(url) = url::Url::parse(url.trim()) else { return "an address that is none".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let more = if url.path().len() > 1 || url.query().is_some() { "/…" } else { "" };
    let shown = format!("{}://{}{port}{more}", url.scheme(), url.host_str().unwrap_or("…"));
    shown.chars().take(200).collect()
}

/// How an account at a carrier is reached.
#[derive(Debug, Clone)]
pub struct CarrierAccess {
    /// The carrier's public address, or a stand-in's.
    pub base_url: String,
    /// The carrier's id of the account.
    pub account_id: String,
    pub auth_token: Secret<String>,
}

/// The account as the carrier describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAtCarrier {
    pub id: String,
    pub name: String,
    /// It may be used. An account can be there and closed.
    pub is_active: bool,
}

/// A number that the account rents.
#[derive(Debug, Clone, PartialEq)]
pub struct RentedNumber {
    /// The carrier's own id.
    pub id: String,
    /// E.164.
    pub number: String,
    /// Such as `voice`, `sms`.
    pub capabilities: Vec<String>,
    /// ISO 3166 alpha-2, when the carrier tells it.
    pub country: Option<String>,
    /// US dollars, when the carrier tells it.
    pub monthly_cost: Option<Decimal>,
}

/// A call as the carrier has it.
#[derive(Debug, Clone, PartialEq)]
pub struct CarrierCall {
    pub id: String,
    /// US dollars. None: not known yet, or in another currency.
    pub cost: Option<Decimal>,
}
