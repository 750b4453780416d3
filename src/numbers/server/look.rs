//! Looking, by the clock, whether the carrier still sends calls where it was told to. Nothing is changed there: somebody may have meant it.

use std::collections::BTreeMap;

use super::route::NOT_THERE;
use super::store::accounts;
use super::store::checks::{self, Looked};
use super::{account_route, ops};
use crate::model::{CarrierConnection, ConnectionKind};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope, SystemTx};
use patchbay_connections::server::{ops as connections, telephony};
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_providers::error::Kind;
use patchbay_providers::telephony::{ConnectionSort, OwnedNumber};
use patchbay_providers::{ProviderError, TelephonyProvider};
use patchbay_shared::AppError;
use patchbay_shared::ids::NumberId;

/// Puts the looks into the queue that are due.
const CLOCK: Machine = Machine { name: "check_routes", actions: &[Action::ManageNumbers] };
/// Agencies whose look begins at a time.
const AT_ONCE: i64 = 200;
/// Connections of others that the carrier is asked to name in one look. Of more the ids are shown.
const NAMED: usize = 20;

/// Has the carrier asked for every agency that is due: also those that were due while no process was there.
pub async fn check_due(db: &Db) -> Result<(), AppError> {
    loop {
        let mut tx = SystemTx::open(db, "numbers whose route is due").await?;
        let due = checks::take_due(&mut tx, AT_ONCE).await?;
        tx.commit().await?;
        for workspace in &due {
            let scope = Scope::of_upkeep(db.clone(), *workspace, CLOCK);
            let mut tx = scope.write(Action::ManageNumbers).await?;
            enqueue(&mut tx, &super::jobs::CheckRoutes {}, NewJob::default()).await?;
            tx.commit().await?;
        }
        if (due.len() as i64) < AT_ONCE {
            return Ok(());
        }
    }
}

/// One look at all numbers of the agency, and at the way that they share.
pub(crate) async fn run(scope: &Scope) -> Result<Verdict, Failure> {
    account_route::look_at_all(scope).await?;
    let carrier = match connections::telephony_to_look(scope).await {
        Ok(carrier) => carrier,
        Err(error) => {
            let mut tx = scope.read(Action::ReadWorkshop).await?;
            let is_missed = accounts::has_rented(&mut tx).await?;
            drop(tx);
            record(scope, is_missed.then(|| error.to_string()).as_deref()).await?;
            return Ok(Verdict::Done);
        }
    };
    let looked = match telephony::look(scope).await? {
        Some(error) => Err(error),
        None => look(scope, carrier.as_ref()).await?,
    };
    match looked {
        Ok(()) => {
            record(scope, None).await?;
            Ok(Verdict::Done)
        }
        Err(error) => {
            record(scope, Some(&error.sentence())).await?;
            if error.kind == Kind::Credentials {
                connections::mark_failing(scope, error.provider, &error.sentence()).await?;
            }
            // The next look comes by itself.
            Ok(Verdict::Done)
        }
    }
}

async fn look(scope: &Scope, carrier: &dyn TelephonyProvider) -> Result<Result<(), ProviderError>, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let numbers = checks::at_carrier(&mut tx).await?;
    drop(tx);
    if numbers.is_empty() {
        return Ok(Ok(()));
    }
    let application = connections::settings(scope).await?.application_id;
    let owned = match carrier.list_numbers().await {
        Ok(owned) => owned,
        Err(error) => return Ok(Err(error)),
    };
    let owned: BTreeMap<&str, &OwnedNumber> = owned.iter().map(|owned| (owned.number.as_str(), owned)).collect();
    let mut known = BTreeMap::new();
    let mut found = Vec::new();
    for number in numbers {
        let at_carrier = owned.get(number.number.as_str()).copied();
        let connection = match at_carrier.and_then(|owned| owned.connection_id.as_deref().zip(Some(owned))) {
            Some((id, owned)) => Some(name(carrier, id, owned, application.as_deref(), &mut known).await),
            None => None,
        };
        found.push((number, at_carrier.is_some(), connection));
    }
    write_down(scope, &found).await.map(Ok)
}

/// What this connection is. Asked once per connection; one that the carrier does not name is shown by its id.
async fn name(
    carrier: &dyn TelephonyProvider,
    id: &str,
    owned: &OwnedNumber,
    application: Option<&str>,
    known: &mut BTreeMap<String, CarrierConnection>,
) -> CarrierConnection {
    if let Some(known) = known.get(id) {
        return known.clone();
    }
    let (kind, name) = match application == Some(id) {
        true => (ConnectionKind::Ours, None),
        false if known.len() > NAMED => (ConnectionKind::Other, None),
        false => match carrier.find_connection(id).await {
            Ok(Some((ConnectionSort::CallControl, name))) => (ConnectionKind::CallControl, Some(name)),
            Ok(Some((ConnectionSort::Texml, name))) => (ConnectionKind::Texml, Some(name)),
            Ok(None) | Err(_) => (ConnectionKind::Other, None),
        },
    };
    let name = name.or_else(|| owned.connection_name.clone()).filter(|name| !name.trim().is_empty());
    let name = name.map(|name| name.chars().filter(|c| !c.is_control()).take(120).collect());
    let named = CarrierConnection { id: id.to_owned(), name, kind };
    known.insert(id.to_owned(), named.clone());
    named
}

async fn write_down(scope: &Scope, found: &[(Looked, bool, Option<CarrierConnection>)]) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageNumbers).await?;
    let all: Vec<NumberId> = found.iter().map(|(was, ..)| was.id).collect();
    checks::lock(&mut tx, &all).await?;
    let mut same: Vec<NumberId> = Vec::new();
    for (was, is_there, connection) in found {
        let before =
            checks::connection(was.connection.clone(), was.connection_name.clone(), was.connection_kind.as_deref());
        let error = match (&was.routed_to, is_there) {
            (Some(_), false) => Some(NOT_THERE),
            // It is there again. What else was in the way is over when its calls have been sent where they belong, and not before.
            (Some(_), true) => was.route_error.as_deref().filter(|error| *error != NOT_THERE),
            (None, _) => was.route_error.as_deref(),
        };
        if before == *connection && error == was.route_error.as_deref() {
            same.push(was.id);
            continue;
        }
        checks::set_found(&mut tx, was, connection.as_ref(), error).await?;
        ops::notify(&mut tx, was.id, was.client);
    }
    checks::set_checked(&mut tx, &same).await?;
    tx.commit().await
}

async fn record(scope: &Scope, error: Option<&str>) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageNumbers).await?;
    checks::record(&mut tx, error).await?;
    tx.commit().await
}
