//! Renting a number in the background: order it, wait until the carrier has done so, take it into use.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::ops;
use super::store::{self, Number};
use crate::model::NumberStatus;
use patchbay_access::Action;
use patchbay_access::server::Fields;
use patchbay_access::server::Scope;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::error::Kind;
use patchbay_providers::telephony::{NewNumberOrder, NumberOrder, OrderStatus};
use patchbay_providers::{ProviderError, TelephonyProvider};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, NumberId};

/// One run. Done when the number is in use or the order has failed; else it comes back.
pub(crate) async fn run(scope: &Scope, id: NumberId) -> Result<Verdict, Failure> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (number, now) = (store::get(&mut tx, id).await?, tx.now().await?);
    drop(tx);
    if number.status != NumberStatus::Pending {
        return Ok(Verdict::Done);
    }
    let client = match connections::telephony(scope).await {
        Ok(client) => client,
        Err(error) => return note(scope, id, &error.to_string(), error.into()).await,
    };
    let order = match find_or_place(scope, client.as_ref(), &number).await? {
        Found::Order(order) => order,
        Found::Trouble(error) => return trouble(scope, id, &number, error).await,
        // The runner keeps the job until the workspace is active again.
        Found::Suspended => return Ok(Verdict::Later(Duration::ZERO)),
        Found::Unwanted(why) => {
            give_up(scope, id, &number, why).await?;
            return Ok(Verdict::Done);
        }
    };
    if number.provider_order_id.as_deref() != Some(&order.id) {
        let mut tx = scope.write(Action::ManageNumbers).await?;
        store::set_order(&mut tx, id, &order.id).await?;
        tx.commit().await?;
    }
    match order.status {
        OrderStatus::Success => match client.list_numbers().await {
            Ok(owned) => match owned.into_iter().find(|owned| owned.number == number.number) {
                Some(owned) => {
                    take_into_use(scope, id, &number, &owned.id, owned.country.as_deref()).await?;
                    Ok(Verdict::Done)
                }
                // The order is through and the list does not show the number yet.
                None => Ok(Verdict::Later(wait(number.created_at, now))),
            },
            Err(error) => trouble(scope, id, &number, error).await,
        },
        OrderStatus::Failure => {
            give_up(scope, id, &number, "The carrier could not deliver this number. Choose another one.").await?;
            Ok(Verdict::Done)
        }
        OrderStatus::Pending | OrderStatus::Other(_) => {
            let papers = order.are_requirements_met == Some(false);
            let said = papers.then_some("The carrier still needs documents for numbers of this country. Submit them at Telnyx; the order then continues automatically.");
            let mut tx = scope.write(Action::ManageNumbers).await?;
            store::set_error(&mut tx, id, said).await?;
            if number.last_error.as_deref() != said {
                ops::notify(&mut tx, id, number.client_id.map(ClientId));
            }
            tx.commit().await?;
            Ok(Verdict::Later(wait(number.created_at, now)))
        }
    }
}

/// What became of looking for the order, or placing it.
enum Found {
    Order(NumberOrder),
    Trouble(ProviderError),
    /// Nothing was ordered: the workspace has been suspended since.
    Suspended,
    /// Nothing was ordered, and nothing will be, with the reason.
    Unwanted(&'static str),
}

/// The number's order. The carrier has no idempotency key, so an order with our reference is looked for before one is placed:
/// an earlier run may have placed it and died before it could write that down.
async fn find_or_place(scope: &Scope, client: &dyn TelephonyProvider, number: &Number) -> Result<Found, AppError> {
    let found = |answer: Result<NumberOrder, ProviderError>| answer.map_or_else(Found::Trouble, Found::Order);
    if let Some(known) = &number.provider_order_id {
        return Ok(found(client.get_order(known).await));
    }
    let reference = number.id.to_string();
    let placed = match client.find_orders(&reference).await {
        Ok(orders) => orders,
        Err(error) => return Ok(Found::Trouble(error)),
    };
    if let Some(order) = placed.into_iter().next() {
        return Ok(Found::Order(order));
    }
    let connection_id = connections::settings(scope).await?.call_connection_id;
    let order = NewNumberOrder { number: number.number.clone(), connection_id, reference };
    // The last look before money is spent: what the person saw when they ordered may have changed.
    let mut tx = scope.read(Action::ManageNumbers).await?;
    if patchbay_workspaces::server::is_suspended(&mut tx).await? {
        return Ok(Found::Suspended);
    }
    if let Some(client) = number.client_id.map(ClientId)
        && !store::is_active_client(&mut tx, client).await?
    {
        return Ok(Found::Unwanted("The client was archived before the number was ordered, so nothing was rented."));
    }
    drop(tx);
    Ok(found(client.order_number(&order).await))
}

/// A refusal ends the order; everything else is tried again.
async fn trouble(scope: &Scope, id: NumberId, number: &Number, error: ProviderError) -> Result<Verdict, Failure> {
    let sentence = error.sentence();
    if matches!(error.kind, Kind::Rejected | Kind::NotFound) && !error.is_passing_trouble() {
        give_up(scope, id, number, &sentence).await?;
        return Ok(Verdict::Done);
    }
    if error.kind == Kind::Credentials {
        connections::mark_failing(scope, error.provider, &sentence).await?;
    }
    let failure = Failure { permanent: false, ..connections::failure(&error) };
    note(scope, id, &sentence, failure).await
}

async fn note(scope: &Scope, id: NumberId, said: &str, failure: Failure) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ManageNumbers).await?;
    store::set_error(&mut tx, id, Some(said)).await?;
    ops::notify(&mut tx, id, None);
    tx.commit().await?;
    Err(failure)
}

async fn take_into_use(
    scope: &Scope,
    id: NumberId,
    number: &Number,
    provider_number_id: &str,
    country: Option<&str>,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageNumbers).await?;
    if store::set_bought(&mut tx, id, provider_number_id, country).await? {
        let client = number.client_id.map(ClientId);
        let state = |status: &str| json!({"number": number.number, "status": status});
        let fields = Fields::Changed { before: state("pending"), after: state("active") };
        ops::record(&mut tx, "bought", id, client, fields).await?;
        ops::route(&mut tx, id).await?;
        ops::notify(&mut tx, id, client);
    }
    tx.commit().await
}

/// The number never became ours. Released is final, and leaves the number free to be ordered again.
async fn give_up(scope: &Scope, id: NumberId, number: &Number, why: &str) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageNumbers).await?;
    store::set_status(&mut tx, id, NumberStatus::Released, Some(why)).await?;
    let client = number.client_id.map(ClientId);
    let fields = Fields::Changed {
        before: json!({"number": number.number, "status": "pending"}),
        after: json!({"number": number.number, "status": "released", "reason": why}),
    };
    ops::record(&mut tx, "order_failed", id, client, fields).await?;
    ops::notify(&mut tx, id, client);
    tx.commit().await
}

/// Most orders take seconds, some take days.
fn wait(since: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    match (now - since).num_minutes() {
        ..2 => Duration::from_secs(2),
        2..60 => Duration::from_secs(30),
        _ => Duration::from_secs(600),
    }
}
