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
