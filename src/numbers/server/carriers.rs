//! Numbers of the agency's accounts at Twilio and Plivo: they are rented there, come in from there, and are never given back from here.
//! Where calls to them go: see `account_route`.

use std::collections::HashMap;

use serde_json::json;

use super::ops::{notify, record, route};
use super::store::Number;
use super::store::carriers::{self as store, Facts, Held};
use crate::model::{NumberStatus, carrier_name};
use patchbay_access::server::{Fields, ReadTx, WriteTx};
use patchbay_agents::model::CallDirection;
use patchbay_providers::Trunk;
use patchbay_providers::carrier::RentedNumber;
use patchbay_shared::ids::{ClientId, IntegrationId};
use patchbay_shared::{AppError, Phone, Reason};

/// Why a number rests that nobody has switched off: it works again by itself when that has passed.
const GONE: &str = "The account at the carrier does not have this number any more.";
const PAUSED: &str = "The account at the carrier is paused here, so nobody is called from this number.";
const LEFT: &str = "The account at the carrier was disconnected, so nobody is called from this number.";
/// Numbers of one account that are taken in at most.
const MOST: usize = 5_000;

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Numbers that the account has and that are here now.
    pub here: i64,
    pub new: i64,
    /// Numbers that are here under another account, and stay there.
    pub elsewhere: Vec<String>,
}

/// Numbers that are here and that a list of the account does not name, by the carrier's id: to be asked for one by one before they are
/// believed to be gone.
pub async fn missing(
    tx: &mut ReadTx,
    integration: IntegrationId,
    listed: &[RentedNumber],
) -> Result<Vec<String>, AppError> {
    let known: std::collections::HashSet<&str> = listed.iter().map(|number| number.id.as_str()).collect();
    let held = store::of(tx, integration).await?;
    let waits = |held: &Held| held.last_error.as_deref() != Some(GONE);
    Ok(held
        .into_iter()
        .filter(waits)
        .filter_map(|held| held.provider_number_id)
        .filter(|id| !known.contains(id.as_str()))
        .collect())
}

/// Takes in what the account has. Numbers that are here keep whom they belong to and whether a person has switched them off; those that
/// are `gone` there rest. Safe to repeat.
pub async fn import(
    tx: &mut WriteTx,
    trunk: Trunk,
    integration: IntegrationId,
    listed: &[RentedNumber],
    gone: &[String],
) -> Result<Imported, AppError> {
    let held = store::lock(tx, integration).await?;
    let by_number: HashMap<&str, &Held> = held.iter().map(|held| (held.number.as_str(), held)).collect();
    let mut done = Imported::default();
    let mut seen = std::collections::HashSet::new();
    for number in listed.iter().take(MOST) {
        let Some(phone) = Phone::from_e164(&number.number) else { continue };
        if !seen.insert(phone.as_str().to_owned()) {
            continue;
        }
        let facts = facts_of(number);
        match by_number.get(phone.as_str()) {
            Some(held) => {
                store::set_facts(tx, held.id, &facts).await?;
                rise(tx, held).await?;
                done.here += 1;
            }
            None => match store::insert(tx, trunk.as_str(), integration, phone.as_str(), &facts).await? {
                Some(id) => {
                    let after = json!({"number": phone, "carrier": trunk.as_str(), "monthly_cost": facts.monthly_cost});
                    record(tx, "imported", id, None, Fields::Created(after)).await?;
                    notify(tx, id, None);
                    done.here += 1;
                    done.new += 1;
                }
                None => match store::adopt(tx, trunk.as_str(), integration, phone.as_str(), LEFT).await? {
                    Some(id) => {
                        store::set_facts(tx, id, &facts).await?;
                        route(tx, id).await?;
                        notify(tx, id, None);
                        done.here += 1;
                    }
                    None => done.elsewhere.push(phone.as_str().to_owned()),
                },
            },
        }
    }
    for held in &held {
        let is_gone = held.provider_number_id.as_ref().is_some_and(|id| gone.contains(id));
        if is_gone && !seen.contains(&held.number) {
            rest(tx, held, GONE).await?;
        }
    }
    Ok(done)
}

/// The account is paused: its numbers rest until it goes on.
pub async fn paused(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    all_rest(tx, integration, PAUSED).await
}

/// The account was disconnected: its numbers rest. They are used again when the same account is connected in the same place.
pub async fn left(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    all_rest(tx, integration, LEFT).await
}

/// The account goes on: numbers that rested because of it are used again.
pub async fn resumed(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    for held in store::lock(tx, integration).await? {
        if held.last_error.as_deref() != Some(GONE) {
            rise(tx, &held).await?;
        }
    }
    Ok(())
}

async fn all_rest(tx: &mut WriteTx, integration: IntegrationId, why: &str) -> Result<(), AppError> {
    for held in store::lock(tx, integration).await? {
        rest(tx, &held, why).await?;
    }
    Ok(())
}

/// Out of use, with the reason. One that a person has switched off stays theirs.
async fn rest(tx: &mut WriteTx, held: &Held, why: &str) -> Result<(), AppError> {
    let is_ours = held.last_error.as_deref().is_some_and(is_reason);
    let keeps = held.status != NumberStatus::Active && !is_ours;
    if keeps || held.last_error.as_deref() == Some(why) {
        return Ok(());
    }
    set(tx, held, NumberStatus::Inactive, Some(why)).await
}

async fn rise(tx: &mut WriteTx, held: &Held) -> Result<(), AppError> {
    if held.last_error.as_deref().is_some_and(is_reason) {
        set(tx, held, NumberStatus::Active, None).await?;
    }
    Ok(())
}

async fn set(tx: &mut WriteTx, held: &Held, status: NumberStatus, why: Option<&str>) -> Result<(), AppError> {
    super::store::set_status(tx, held.id, status, why).await?;
    let client = held.client_id.map(ClientId);
    if held.status != status {
        let action = if status == NumberStatus::Active { "activated" } else { "deactivated" };
        let fields = Fields::Changed { before: json!({"status": held.status}), after: json!({"status": status}) };
        record(tx, action, held.id, client, fields).await?;
        route(tx, held.id).await?;
    }
    notify(tx, held.id, client);
    Ok(())
}

fn is_reason(said: &str) -> bool {
    [GONE, PAUSED, LEFT].contains(&said)
}

/// Errors: `Conflict` for a number that is rented at an account of the agency's own. `what`: what to do instead.
pub(super) fn refuse(number: &Number, what: &str) -> Result<(), AppError> {
    match number.integration_id {
        Some(_) => {
            let said = format!("This number is rented at {}. {what}", carrier_name(&number.provider));
            Err(AppError::Conflict(Reason::WrongState, said))
        }
        None => Ok(()),
    }
}

/// Errors: `Invalid` when people are to call a number that has no voice at its carrier.
pub(super) fn check_direction(number: &Number, direction: CallDirection) -> Result<(), AppError> {
    let has_voice = number.integration_id.is_none() || number.capabilities.iter().any(|word| word == "voice");
    if direction == CallDirection::Inbound && !has_voice {
        let name = carrier_name(&number.provider);
        let said = format!("{name} says that this number takes no calls. Choose that agents call from it.");
        return Err(AppError::invalid("direction", said));
    }
    Ok(())
}

fn facts_of(number: &RentedNumber) -> Facts {
    Facts {
        provider_number_id: number.id.clone(),
        capabilities: number.capabilities.clone(),
        country: number.country.clone().filter(|code| code.len() == 2),
        monthly_cost: number.monthly_cost.map(|cost| cost.round_dp(6)).filter(|cost| cost.is_sign_positive()),
    }
}
