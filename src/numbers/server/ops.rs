//! What people do with numbers: order, assign and release them.

use serde_json::json;

use super::carriers;
use super::jobs::{CheckRoutes, OrderNumber, RouteNumber};
use super::store::{self, Number, checks, routes};
use crate::model::{
    Answering, Assignment, COUNTRIES, FoundNumber, NewNumber, NumberList, NumberPage, NumberQuery, NumberRow,
    NumberSearchForm, NumberStatus, OrderForm, OwnedForm, Route, drift,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_agents::model::CallDirection;
use patchbay_agents::server as agents;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_providers::error::Kind;
use patchbay_providers::telephony::{AvailableNumber, NumberOrder, NumberSearch};
use patchbay_shared::ids::{AgentId, ClientId, IntegrationId, NumberId};
use patchbay_shared::zone::{Tz, stamp};
use patchbay_shared::{AppError, Money, Phone, Reason};

/// Rows on a page of the list.
const ROWS: usize = 50;
/// Why an order does not go on in a suspended workspace.
const WAITS: &str = "The workspace is suspended. The order goes on by itself when it is reactivated.";
/// Offers in a search.
const OFFERS: u16 = 20;

/// The list with what its filter bar needs.
pub async fn list(tx: &mut ReadTx, query: &NumberQuery) -> Result<NumberList, AppError> {
    let page = store::list(tx, query, ROWS).await?;
    let may_edit = tx.scope().may(Action::ManageNumbers);
    Ok(NumberList { page, clients: agents::clients(tx).await?, may_edit })
}

/// Everything on a number's page. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: NumberId) -> Result<NumberPage, AppError> {
    let (number, now, zone) = (store::get(tx, id).await?, tx.now().await?, tx.scope().zone());
    let takes_calls = super::route::takes_calls(&number);
    let found = checks::connection(
        number.carrier_connection.clone(),
        number.carrier_connection_name.clone(),
        number.carrier_connection_kind.as_deref(),
    );
    let has_drifted = takes_calls && number.routed_to.is_some() && number.carrier_connection != number.routed_to;
    let shared = connections::telephony_drift(tx).await?.filter(|_| takes_calls && number.integration_id.is_none());
    let waits = number.status == NumberStatus::Pending && patchbay_workspaces::server::is_suspended(tx).await?;
    Ok(NumberPage {
        client_id: number.client_id.map(ClientId),
        agent_id: number.agent_id.map(AgentId),
        capabilities: number.capabilities,
        order_id: number.provider_order_id,
        provider_number_id: number.provider_number_id,
        account: number.integration_id.map(IntegrationId),
        campaigns: store::campaigns(tx, id, false).await?,
        clients: agents::clients(tx).await?,
        agents: store::agents(tx).await?,
        may_edit: tx.scope().may(Action::ManageNumbers),
        after_hours_agent: number.after_hours_agent.clone(),
        route: Route {
            since: number.routed_at.map(|at| stamp(at, now, zone)),
            is_waiting: number.route_error.is_none() && number.routed_to.is_none() && takes_calls,
            // Where they went says nothing of a number that is not there at all.
            drift: (has_drifted && number.route_error.is_none()).then(|| drift(&number.provider, found.as_ref())),
            elsewhere: found.filter(|found| !has_drifted && number.routed_to.as_deref() != Some(&*found.id)),
            checked: number.route_checked_at.map(|at| stamp(at, now, zone)),
            unchecked: if number.integration_id.is_none() { checks::trouble(tx).await? } else { None },
            shared_drift: shared,
            error: number.route_error.clone(),
        },
        zone: number.client_zone.clone().unwrap_or_else(|| zone.name().to_owned()),
        answering: Answering {
            hours: number.answer_hours.map(|hours| hours.0),
            after_hours_agent_id: number.after_hours_agent_id.map(AgentId),
            after_hours_words: number.after_hours_words,
            fallback_words: number.fallback_words,
        },
        row: NumberRow {
            id,
            number: number.number,
            status: number.status,
            direction: number.direction,
            client: number.client,
            agent: number.agent,
            country: number.country,
            carrier: number.provider,
            monthly_cost: number.monthly_cost.map(Money),
            arrives: number.routed_to.is_some() && !has_drifted && number.route_error.is_none(),
            has_drifted,
            route_trouble: None,
            error: if waits { Some(WAITS.to_owned()) } else { number.last_error },
            purchased: number.purchased_at.map(|at| stamp(at, now, zone)),
            released: number.released_at.map(|at| stamp(at, now, zone)),
        },
    })
}

/// Asks the carrier what can be rented now. Errors: `Invalid`; `ProviderDown`; `Conflict` when no carrier is connected.
pub(crate) async fn search(scope: &Scope, form: &NumberSearchForm) -> Result<Vec<FoundNumber>, AppError> {
    // Opened for its check: what is found can be bought, so only those who may buy search.
    drop(scope.read(Action::ManageNumbers).await?);
    if !COUNTRIES.iter().any(|(code, _)| *code == form.country) {
        return Err(AppError::invalid("country", "Choose a country."));
    }
    let digits = |field: &str, text: &str| {
        let text = text.trim();
        match text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(Some(text.to_owned()).filter(|text| !text.is_empty())),
            false => Err(AppError::invalid(field, "Enter digits only, at most ten.")),
        }
    };
    let search = NumberSearch {
        country: form.country.clone(),
        area_code: digits("area_code", &form.area_code)?,
        contains: digits("contains", &form.contains)?,
        features: vec!["voice".to_owned()],
        limit: OFFERS,
        ..NumberSearch::default()
    };
    let client = connections::telephony_to_look(scope).await?;
    let found = client.search_numbers(&search).await.map_err(|error| connections::down(&error))?;
    Ok(found.into_iter().filter(|offer| Phone::from_e164(&offer.number).is_some()).map(offer).collect())
}

/// Writes the number down as ordered and has it ordered. Errors: `Invalid` when it is in the list already.
pub(crate) async fn order(tx: &mut WriteTx, form: &OrderForm) -> Result<NumberId, AppError> {
    let new = form.check()?;
    let id = insert(tx, &new, "ordered").await?;
    enqueue(tx, &OrderNumber { number_id: id }, NewJob::default()).await?;
    Ok(id)
}

/// Adds a number that the account has already, if the carrier lists it; if the carrier does not answer, it is added with a note.
pub(crate) async fn add_owned(scope: &Scope, form: &OwnedForm) -> Result<NumberId, AppError> {
    drop(scope.write(Action::ManageNumbers).await?);
    let mut new = form.check(Phone::parse(&form.number, None))?;
    let listed = match connections::telephony_to_look(scope).await {
        Ok(client) => client.list_numbers().await.map_err(|error| connections::down(&error)),
        Err(error) => Err(error),
    };
    match listed {
        Ok(numbers) => match numbers.into_iter().find(|owned| owned.number == new.number.as_str()) {
            Some(owned) => {
                new.provider_number_id = Some(owned.id);
                new.country = owned.country;
            }
            None => {
                return Err(AppError::invalid(
                    "number",
                    "The connected Telnyx account does not have this number. Check its digits, or connect the account that has it.",
                ));
            }
        },
        Err(error) => new.last_error = Some(format!("Not checked with the carrier yet. {error}")),
    }
    let mut tx = scope.write(Action::ManageNumbers).await?;
    let id = insert(&mut tx, &new, "added").await?;
    route(&mut tx, id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Writes a number into the list. Also for demo data and tests.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewNumber, action: &str) -> Result<NumberId, AppError> {
    check_client(tx, new.client_id).await?;
    let id = NumberId::new();
    store::insert(tx, id, new).await?;
    let after =
        json!({"number": new.number, "status": new.status, "client": new.client_id, "monthly_cost": new.monthly_cost});
    record(tx, action, id, new.client_id, Fields::Created(after)).await?;
    notify(tx, id, new.client_id);
    Ok(id)
}

/// Sets whom a number belongs to and who answers it, and has the carrier told. Errors: `Invalid` when an agent works for another client;
/// `Conflict` when released.
pub(crate) async fn assign(tx: &mut WriteTx, id: NumberId, to: &Assignment) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    refuse_released(&before)?;
    carriers::check_direction(&before, to.direction)?;
    if to.client_id != before.client_id.map(ClientId) {
        check_client(tx, to.client_id).await?;
    }
    let hours = to.answering.hours.as_ref();
    if hours.is_some_and(|hours| hours.zone.parse::<Tz>().is_err()) {
        return Err(AppError::invalid("zone", "Choose a time zone."));
    }
    let agents_client = check_agent(tx, "agent_id", to.agent_id, to.client_id).await?;
    // Outside the hours the number is answered for the same client.
    let client = to.client_id.or(agents_client);
    check_agent(tx, "after_hours_agent_id", to.answering.after_hours_agent_id, client).await?;
    if to.direction == CallDirection::Inbound && to.agent_id.is_some() && client.is_none() {
        return Err(AppError::invalid(
            "client_id",
            "Choose the client that is called on this number: the agent works for all of them.",
        ));
    }
    store::assign(tx, id, to).await?;
    let former = json!({
        "client": before.client_id, "agent": before.agent_id, "direction": before.direction,
        "hours": before.answer_hours.as_ref().map(|hours| &hours.0), "after_hours_agent": before.after_hours_agent_id,
        "after_hours_words": before.after_hours_words, "fallback_words": before.fallback_words,
    });
    let now = json!({
        "client": to.client_id, "agent": to.agent_id, "direction": to.direction, "hours": hours,
        "after_hours_agent": to.answering.after_hours_agent_id, "after_hours_words": to.answering.after_hours_words,
        "fallback_words": to.answering.fallback_words,
    });
    record(tx, "assigned", id, to.client_id, Fields::Changed { before: former, after: now }).await?;
    route(tx, id).await?;
    notify(tx, id, to.client_id);
    Ok(())
}

/// The client that the agent works for, if it is one. Errors: `Invalid` at the field for an agent that cannot work for this client.
async fn check_agent(
    tx: &mut WriteTx,
    field: &str,
    agent: Option<AgentId>,
    client: Option<ClientId>,
) -> Result<Option<ClientId>, AppError> {
    let Some(agent) = agent else { return Ok(None) };
    let Some((agents_client, _)) = store::agent_client(tx.reading(), agent).await? else {
        return Err(AppError::invalid(field, "This agent was deleted. Choose another one."));
    };
    if agents_client.is_some() && client.is_some() && agents_client != client {
        return Err(AppError::invalid(
            field,
            "This agent works for another client. Choose one of this client or of the whole agency.",
        ));
    }
    Ok(agents_client)
}

/// Has the carrier looked at, and told where the number's calls go. Also when nothing changed here: something may have changed there.
pub(crate) async fn route(tx: &mut WriteTx, id: NumberId) -> Result<(), AppError> {
    tell(tx, id, false).await
}

async fn tell(tx: &mut WriteTx, number_id: NumberId, looks: bool) -> Result<(), AppError> {
    let state = tx.reading().now().await?.timestamp_micros();
    enqueue(tx, &RouteNumber { number_id, state, looks }, NewJob::default()).await
}

/// A person asks where the number's calls go now; `set`: and has the carrier told where they should. Errors: `NotFound`; `Conflict` when
/// released.
pub(crate) async fn check_route(tx: &mut WriteTx, id: NumberId, set: bool) -> Result<(), AppError> {
    let number = store::lock(tx, id).await?;
    refuse_released(&number)?;
    let fields = Fields::Happened(json!({"number": number.number}));
    record(tx, "route_checked", id, None, fields).await?;
    match (set, number.integration_id) {
        (true, _) => route(tx, id).await,
        (false, Some(_)) => tell(tx, id, true).await,
        (false, None) => enqueue(tx, &CheckRoutes {}, NewJob::default()).await,
    }
}

/// Calls can be sent to this application at the carrier: numbers that people call are sent there, and looked at from now on.
pub async fn telephony_ready(tx: &mut WriteTx, application: &str) -> Result<(), AppError> {
    checks::start(tx).await?;
    for id in routes::to_route(tx.reading(), application).await? {
        route(tx, id).await?;
    }
    Ok(())
}

/// Activates or deactivates. Errors: `Conflict` for a number that is ordered or released.
pub(crate) async fn set_status(tx: &mut WriteTx, id: NumberId, word: &str) -> Result<(), AppError> {
    let wanted = match word.parse() {
        Ok(wanted @ (NumberStatus::Active | NumberStatus::Inactive)) => wanted,
        _ => return Err(AppError::invalid("status", "A number can be activated or deactivated.")),
    };
    let before = store::lock(tx, id).await?;
    refuse_released(&before)?;
    if before.status == NumberStatus::Pending {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This number is still being ordered. Wait until the carrier has confirmed it.".into(),
        ));
    }
    if before.status == wanted {
        return Ok(());
    }
    store::set_status(tx, id, wanted, None).await?;
    let action = if wanted == NumberStatus::Active { "activated" } else { "deactivated" };
    let client = before.client_id.map(ClientId);
    let fields = Fields::Changed { before: json!({"status": before.status}), after: json!({"status": wanted}) };
    record(tx, action, id, client, fields).await?;
    route(tx, id).await?;
    notify(tx, id, client);
    Ok(())
}

/// Gives a number back to the carrier. First it is taken out of use, so that nothing dials from it whatever the carrier says.
pub(crate) async fn release(scope: &Scope, id: NumberId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageNumbers).await?;
    let number = store::lock(&mut tx, id).await?;
    refuse_released(&number)?;
    carriers::refuse(&number, "Give it back there; it rests here as soon as it is gone.")?;
    if number.status == NumberStatus::Pending {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This number is still being ordered. Wait until the carrier has confirmed it.".into(),
        ));
    }
    let campaigns = store::campaigns(tx.reading(), id, true).await?;
    if !campaigns.is_empty() {
        let names = campaigns.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(", ");
        return Err(AppError::Conflict(
            Reason::InUse,
            format!("Active campaigns call from this number: {names}. Pause them or give them another number first."),
        ));
    }
    store::set_status(&mut tx, id, NumberStatus::Inactive, Some("It is being released to the carrier.")).await?;
    let client = number.client_id.map(ClientId);
    record(&mut tx, "deactivated", id, client, out_of_use(number.status)).await?;
    notify(&mut tx, id, client);
    tx.commit().await?;

    let given_back = give_back(scope, &number).await;
    let mut tx = scope.write(Action::ManageNumbers).await?;
    let number = store::lock(&mut tx, id).await?;
    if number.status == NumberStatus::Released {
        // A second request for the same was quicker, and has written it down.
        return Ok(());
    }
    let client = number.client_id.map(ClientId);
    match &given_back {
        Ok(()) => {
            store::set_status(&mut tx, id, NumberStatus::Released, None).await?;
            let state = |status: NumberStatus| json!({"number": number.number, "status": status});
            let fields = Fields::Changed { before: state(number.status), after: state(NumberStatus::Released) };
            record(&mut tx, "released", id, client, fields).await?;
        }
        Err(error) => {
            let said = format!("It could not be given back. {error}");
            store::set_status(&mut tx, id, NumberStatus::Inactive, Some(&said)).await?;
            // It stays out of use. What the carrier says is for the agency alone.
            let state = |status: NumberStatus, error: Option<&str>| json!({"number": number.number, "status": status, "error": error});
            let fields = Fields::Changed {
                before: state(number.status, number.last_error.as_deref()),
                after: state(NumberStatus::Inactive, Some(&said)),
            };
            record(&mut tx, "release_failed", id, None, fields).await?;
        }
    }
    notify(&mut tx, id, client);
    tx.commit().await?;
    given_back
}

/// The carrier reports news of an order: the run that waits for it looks now. Called by the webhook worker.
/// The report itself changes nothing: orders that are not ours, late and doubled reports are harmless. Whether a number waited for it.
pub async fn order_reported(tx: &mut WriteTx, order: &NumberOrder) -> Result<bool, AppError> {
    let waiting = store::find_pending(tx.reading(), &order.id, order.reference.as_deref()).await?;
    if let Some(id) = waiting {
        enqueue(tx, &OrderNumber { number_id: id }, NewJob::default()).await?;
    }
    Ok(waiting.is_some())
}

/// Another account at the carrier has none of these numbers. Called when credentials are saved.
pub async fn carrier_account_changed(tx: &mut WriteTx) -> Result<(), AppError> {
    let why = "This number belongs to the carrier account that was connected before. Release it, or activate it if the new account has it.";
    for (id, client, was) in store::deactivate_all(tx, why).await? {
        record(tx, "deactivated", id, client, out_of_use(was)).await?;
        notify(tx, id, client);
    }
    Ok(())
}

/// What is written down of a number that is taken out of use; nothing, if it was so before.
fn out_of_use(was: NumberStatus) -> Fields {
    Fields::Changed { before: json!({"status": was}), after: json!({"status": NumberStatus::Inactive}) }
}

/// Deletes the number at the carrier. A number that the carrier does not have is given back already.
async fn give_back(scope: &Scope, number: &Number) -> Result<(), AppError> {
    let client = connections::telephony(scope).await?;
    let known = match &number.provider_number_id {
        Some(known) => Some(known.clone()),
        None => {
            let owned = client.list_numbers().await.map_err(|error| connections::down(&error))?;
            owned.into_iter().find(|owned| owned.number == number.number).map(|owned| owned.id)
        }
    };
    match known {
        None => Ok(()),
        Some(known) => match client.delete_number(&known).await {
            Err(error) if error.kind != Kind::NotFound => Err(connections::down(&error)),
            _ => Ok(()),
        },
    }
}

fn offer(found: AvailableNumber) -> FoundNumber {
    // Only dollars can stand among dollars.
    let is_dollars = found.currency.as_deref().is_none_or(|currency| currency.eq_ignore_ascii_case("USD"));
    FoundNumber {
        number: found.number,
        place: found.regions.into_iter().rev().collect::<Vec<_>>().join(", "),
        features: found.features,
        monthly_cost: found.monthly_cost.filter(|_| is_dollars).map(Money),
        upfront_cost: found.upfront_cost.filter(|_| is_dollars).map(Money),
        is_near: found.is_best_effort,
    }
}

/// Errors: `Invalid` at `client_id` for a client that is archived or is none of the agency's.
async fn check_client(tx: &mut WriteTx, client: Option<ClientId>) -> Result<(), AppError> {
    match client {
        Some(client) if !store::is_active_client(tx.reading(), client).await? => {
            Err(AppError::invalid("client_id", "Choose a client of the agency that is not archived."))
        }
        _ => Ok(()),
    }
}

fn refuse_released(number: &Number) -> Result<(), AppError> {
    match number.status {
        NumberStatus::Released => Err(AppError::Conflict(
            Reason::WrongState,
            "This number was released. Order it again if the carrier still offers it.".into(),
        )),
        _ => Ok(()),
    }
}

pub(super) async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: NumberId,
    client_id: Option<ClientId>,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "phone_number", entity_id: Some(id.0), client_id, fields }).await
}

pub(super) fn notify(tx: &mut WriteTx, id: NumberId, client: Option<ClientId>) {
    tx.notify(Topic::list("numbers"), client);
    tx.notify(Topic::one("number", id), client);
}
