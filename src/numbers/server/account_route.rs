//! The same as `route` for numbers at the agency's own accounts at Twilio and Plivo: there a number has addresses or an application of its
//! own. What it had before is kept, sealed, and set again when people call it no more.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::ops;
use super::route::{note, takes_calls};
use super::store::checks::{self, Looked};
use super::store::{self, Number, accounts};
use crate::model::{CarrierConnection, ConnectionKind, NumberStatus, carrier_name};
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope, WriteTx};
use patchbay_connections::server::ops as connections;
use patchbay_connections::server::trunks::{self, TrunkAccount};
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::carrier::{CallAddresses, CallsGo, CarrierClient, PlaceKind};
use patchbay_providers::error::Kind;
use patchbay_providers::sealed::Binding;
use patchbay_providers::{ProviderError, Secret};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{ClientId, IntegrationId, NumberId};

/// Numbers of an account that one look asks about, and how long it asks. What is left comes first the next time.
const LOOKED_AT: i64 = 200;
const LONGEST_LOOK: Duration = Duration::from_secs(600);

fn not_there(number: &Number) -> String {
    let name = carrier_name(&number.provider);
    format!(
        "The connected {name} account does not have this number, so its calls go elsewhere. Look for numbers on the account’s page; it rests here when it is gone."
    )
}

/// One run: looks at the number at the carrier and sets it right.
pub(super) async fn run(scope: &Scope, number: &Number, account: IntegrationId) -> Result<Verdict, Failure> {
    let wants = takes_calls(number);
    if !wants && number.routed_to.is_none() && number.calls_before.is_none() {
        note(scope, number, None).await?;
        return Ok(Verdict::Done);
    }
    let Some(opened) = open(scope, number, account).await? else { return Ok(Verdict::Done) };
    let ours = trunks::call_addresses(scope, opened.trunk, account);
    if wants && let Some(obstacle) = trunks::obstacle(scope, opened.trunk, opened.mode).await? {
        note(scope, number, Some(&obstacle)).await?;
        return Ok(Verdict::Done);
    }
    let done = match wants {
        true => fetch(scope, opened.client.as_ref(), number, &ours).await?,
        false => give_back(scope, opened.client.as_ref(), number, &ours, false).await?,
    };
    match done {
        Ok(()) => Ok(Verdict::Done),
        Err(error) => {
            note(scope, number, Some(&error.sentence())).await?;
            Err(connections::failure(&error))
        }
    }
}

/// None: the account cannot be used now, which stands at the number. Connecting or resuming it comes here again.
async fn open(scope: &Scope, number: &Number, account: IntegrationId) -> Result<Option<TrunkAccount>, AppError> {
    match trunks::open(scope, account).await {
        Ok(opened) => Ok(Some(opened)),
        Err(error @ (AppError::Conflict(..) | AppError::NotFound)) => {
            let name = carrier_name(&number.provider);
            let said = match error {
                AppError::NotFound => format!("The account at {name} is not connected."),
                other => other.to_string(),
            };
            note(scope, number, Some(&said)).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn carriers_id(number: &Number) -> &str {
    number.provider_number_id.as_deref().unwrap_or(&number.number)
}

/// Has the calls come here.
async fn fetch(
    scope: &Scope,
    client: &dyn CarrierClient,
    number: &Number,
    ours: &CallAddresses,
) -> Result<Result<(), ProviderError>, AppError> {
    let held = match client.calls_go(carriers_id(number), ours).await {
        Ok(held) => held,
        Err(error) if error.kind == Kind::NotFound => {
            note(scope, number, Some(&not_there(number))).await?;
            return Ok(Ok(()));
        }
        Err(error) => return Ok(Err(error)),
    };
    let mut before = number.calls_before.clone();
    // What is ours, or was, is nothing to go back to, and has no settings.
    if let Some(settings) = &held.settings {
        let sealed = scope.services().ring.seal(&place(scope, number), settings.expose()).map_err(internal)?;
        // Before anything changes there: a process that stops right after it must not forget where the number goes back to.
        let mut tx = scope.write(Action::ManageNumbers).await?;
        accounts::set_before(&mut tx, NumberId(number.id), Some(&sealed)).await?;
        tx.commit().await?;
        before = Some(sealed);
    }
    let now = match held.is(ours) {
        true => held,
        false => match client.send_calls(carriers_id(number), ours).await {
            Ok(now) => now,
            Err(error) => return Ok(Err(error)),
        },
    };
    write_down(scope, number, Some(&ours.answer), before.as_deref(), found(&now, ours)).await.map(Ok)
}

/// Sends the calls where they went before; `whatever`: nowhere, if they went nowhere. Calls that somebody has sent elsewhere since stay there.
async fn give_back(
    scope: &Scope,
    client: &dyn CarrierClient,
    number: &Number,
    ours: &CallAddresses,
    whatever: bool,
) -> Result<Result<(), ProviderError>, AppError> {
    let held = match client.calls_go(carriers_id(number), ours).await {
        Ok(held) => held,
        // Whose number is gone has no calls.
        Err(error) if error.kind == Kind::NotFound => {
            return write_down(scope, number, None, None, None).await.map(Ok);
        }
        Err(error) => return Ok(Err(error)),
    };
    if !held.is_ours {
        // Before a disconnect that may not come to its end, it stays known that somebody has done so.
        return match whatever {
            true => Ok(Ok(())),
            false => write_down(scope, number, None, None, found(&held, ours)).await.map(Ok),
        };
    }
    let sealed = number.calls_before.as_ref();
    let opened = sealed.map(|sealed| scope.services().ring.open::<String>(&place(scope, number), sealed)).transpose();
    let Ok(settings) = opened else {
        let name = carrier_name(&number.provider);
        let said = format!(
            "Where its calls went before cannot be opened with this server’s encryption keys. Set it at {name} by hand."
        );
        note(scope, number, Some(&said)).await?;
        return Ok(Ok(()));
    };
    let settings = settings.map(Secret::new);
    // A number that went nowhere before goes on coming here: whoever calls it hears a sentence, and is not lost.
    if !whatever && !settings.as_ref().is_some_and(|settings| client.leads(settings)) {
        note(scope, number, None).await?;
        return Ok(Ok(()));
    }
    let returned = match client.return_calls(carriers_id(number), settings.as_ref()).await {
        // Where they went is not there any more: then nowhere.
        Err(error)
            if whatever && settings.is_some() && !error.is_passing_trouble() && error.kind != Kind::Credentials =>
        {
            client.return_calls(carriers_id(number), None).await
        }
        returned => returned,
    };
    match returned {
        Ok(now) => write_down(scope, number, None, None, found(&now, ours)).await.map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// The account is about to be disconnected: no call may come here that nobody could check any more. Errors: `ProviderDown`; then nothing is
/// to be disconnected, so that nobody forgets it there.
pub async fn give_all_back(scope: &Scope, account: IntegrationId, opened: &TrunkAccount) -> Result<(), AppError> {
    let ours = trunks::call_addresses(scope, opened.trunk, account);
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let all = accounts::called(&mut tx, account).await?;
    drop(tx);
    for id in all {
        let mut tx = scope.read(Action::ReadWorkshop).await?;
        let number = store::get(&mut tx, id).await?;
        drop(tx);
        match give_back(scope, opened.client.as_ref(), &number, &ours, true).await? {
            Ok(()) => {}
            // Who has no access there any more can take nothing back.
            Err(error) if error.kind == Kind::Credentials => return Ok(()),
            Err(error) => return Err(connections::down(&error)),
        }
    }
    Ok(())
}

/// The account, or what it needs, works again: numbers whose calls should come here and do not are set right. What somebody has sent
/// elsewhere at the carrier stays there.
pub async fn account_ready(tx: &mut WriteTx, account: IntegrationId) -> Result<(), AppError> {
    for id in accounts::hindered(tx.reading(), account).await? {
        ops::route(tx, id).await?;
    }
    Ok(())
}

/// Looks where the calls of one number go; nothing is changed there.
pub(super) async fn look(scope: &Scope, number: &Number, account: IntegrationId) -> Result<(), AppError> {
    match open(scope, number, account).await? {
        Some(opened) => look_at(scope, number, account, &opened).await.map(|_| ()),
        None => Ok(()),
    }
}

/// The same for all numbers of the agency's accounts whose calls come here, by the clock.
pub(super) async fn look_at_all(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let all = accounts::to_look_at(&mut tx, LOOKED_AT).await?;
    drop(tx);
    let mut opened: HashMap<IntegrationId, Option<TrunkAccount>> = HashMap::new();
    let began = Instant::now();
    for (id, account) in all {
        if began.elapsed() > LONGEST_LOOK {
            break;
        }
        if let std::collections::hash_map::Entry::Vacant(entry) = opened.entry(account) {
            // One that is not connected says so on its own page.
            entry.insert(trunks::open(scope, account).await.ok());
        }
        let Some(Some(known)) = opened.get(&account) else { continue };
        let mut tx = scope.read(Action::ReadWorkshop).await?;
        let number = store::get(&mut tx, id).await?;
        drop(tx);
        if !look_at(scope, &number, account, known).await? {
            opened.insert(account, None);
        }
    }
    Ok(())
}

/// False: the account cannot be asked now, about other numbers neither.
async fn look_at(
    scope: &Scope,
    number: &Number,
    account: IntegrationId,
    opened: &TrunkAccount,
) -> Result<bool, AppError> {
    let ours = trunks::call_addresses(scope, opened.trunk, account);
    let id = NumberId(number.id);
    let (connection, error) = match opened.client.calls_go(carriers_id(number), &ours).await {
        Ok(held) => {
            let error = number.route_error.clone().filter(|error| *error != not_there(number));
            (found(&held, &ours), error)
        }
        Err(error) if error.kind == Kind::NotFound && number.routed_to.is_some() => (None, Some(not_there(number))),
        // The next look comes by itself, and the account's own page tells of its trouble.
        Err(error) if error.is_passing_trouble() || error.kind == Kind::Credentials => return Ok(false),
        // It answered, but not where they go: others are not to wait behind this one.
        Err(_) => {
            let mut tx = scope.write(Action::ManageNumbers).await?;
            checks::set_checked(&mut tx, &[id]).await?;
            tx.commit().await?;
            return Ok(true);
        }
    };
    let was = Looked {
        id,
        number: number.number.clone(),
        client: number.client_id.map(ClientId),
        routed_to: number.routed_to.clone(),
        routed_at: number.routed_at,
        route_error: number.route_error.clone(),
        connection: number.carrier_connection.clone(),
        connection_name: number.carrier_connection_name.clone(),
        connection_kind: number.carrier_connection_kind.clone(),
    };
    let mut tx = scope.write(Action::ManageNumbers).await?;
    checks::lock(&mut tx, &[id]).await?;
    checks::set_found(&mut tx, &was, connection.as_ref(), error.as_deref()).await?;
    ops::notify(&mut tx, id, was.client);
    tx.commit().await?;
    Ok(true)
}

async fn write_down(
    scope: &Scope,
    number: &Number,
    to: Option<&str>,
    before: Option<&str>,
    found: Option<CarrierConnection>,
) -> Result<(), AppError> {
    let id = NumberId(number.id);
    let mut tx = scope.write(Action::ManageNumbers).await?;
    let now = store::lock(&mut tx, id).await?;
    // An account whose numbers were looked for meanwhile may have given this one away.
    if now.integration_id != number.integration_id || now.status == NumberStatus::Released {
        return tx.commit().await;
    }
    accounts::set_routed(&mut tx, id, to, before, found.as_ref()).await?;
    trunks::number_moved(&mut tx, id).await?;
    let went = if now.routed_to.is_some() { now.carrier_connection.as_deref() } else { None };
    if went != to || now.routed_to.as_deref() != to {
        // What the carrier is told is the agency's own.
        let state = |to: Option<&str>| json!({"number": number.number, "calls_go_to": to});
        let fields = Fields::Changed { before: state(went), after: state(to) };
        ops::record(&mut tx, "routed", id, None, fields).await?;
    }
    if to.is_some() {
        checks::start(&mut tx).await?;
    }
    if takes_calls(&now) != takes_calls(number) {
        // Somebody has changed it since it was read.
        ops::route(&mut tx, id).await?;
    }
    ops::notify(&mut tx, id, now.client_id.map(ClientId));
    tx.commit().await
}

/// Where the carrier sends the calls, as it is kept: what is ours under the address that is asked, so that any other thing differs from it.
fn found(held: &CallsGo, ours: &CallAddresses) -> Option<CarrierConnection> {
    let clean = |text: &str, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
    if held.is(ours) {
        return Some(CarrierConnection { id: ours.answer.clone(), name: None, kind: ConnectionKind::Ours });
    }
    if held.asks(ours) {
        let told = if held.tells() { "another address" } else { "nobody" };
        return Some(CarrierConnection { id: told.to_owned(), name: None, kind: ConnectionKind::Ours });
    }
    held.place.as_ref().map(|place| CarrierConnection {
        id: clean(&place.id, 200),
        name: place.name.as_deref().map(|name| clean(name, 120)).filter(|name| !name.trim().is_empty()),
        kind: match place.kind {
            PlaceKind::Address => ConnectionKind::Address,
            PlaceKind::Application => ConnectionKind::Application,
            PlaceKind::Trunk => ConnectionKind::Trunk,
        },
    })
}

fn place(scope: &Scope, number: &Number) -> Binding {
    Binding::new(scope.workspace_id().0, format!("number:{}", number.id), "calls_before")
}
