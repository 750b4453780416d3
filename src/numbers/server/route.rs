//! Telling the carrier where a number's calls go: to Patchbay while people may call it, and where they went before once they may not.
//! What else the number has there stays. Numbers at the agency's own accounts at other carriers: see `account_route`.

use serde_json::json;

use super::store::{self, Number, routes};
use super::{account_route, ops};
use crate::model::NumberStatus;
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope};
use patchbay_agents::model::CallDirection;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::error::Kind;
use patchbay_providers::{ProviderError, TelephonyProvider};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, IntegrationId, NumberId};

const NOT_SET_UP: &str = "Calls cannot come in yet: Telnyx and Ultravox are not set up together. Open Connections, Telnyx, and choose “Check and set up”.";
pub(super) const NOT_THERE: &str = "The connected Telnyx account does not have this number, so its calls go elsewhere. If it has moved to another account, deactivate it here; else connect the account that has it, and check again.";

/// Where a number's calls should go.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// To this application of ours.
    Here(String),
    /// Not to us any more: there, as long as they still come here, to this application.
    Back {
        to: String,
        from: Option<String>,
    },
    AsItIs,
}

/// One run: looks at the number at the carrier and sets it right. `looks`: nothing is changed there.
pub(crate) async fn run(scope: &Scope, id: NumberId, looks: bool) -> Result<Verdict, Failure> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let number = store::get(&mut tx, id).await?;
    drop(tx);
    match number.integration_id.map(IntegrationId) {
        Some(account) if looks => {
            account_route::look(scope, &number, account).await?;
            return Ok(Verdict::Done);
        }
        Some(account) => return account_route::run(scope, &number, account).await,
        None => {}
    }
    let application = connections::settings(scope).await?.application_id;
    if takes_calls(&number) && application.is_none() {
        note(scope, &number, Some(NOT_SET_UP)).await?;
        // Setting it up comes here again.
        return Ok(Verdict::Done);
    }
    let wanted = wanted(&number, application);
    if wanted == Wanted::AsItIs {
        note(scope, &number, None).await?;
        return Ok(Verdict::Done);
    }
    let carrier = match connections::telephony(scope).await {
        Ok(carrier) => carrier,
        Err(error) => {
            note(scope, &number, Some(&error.to_string())).await?;
            return Ok(Verdict::Done);
        }
    };
    match set(scope, carrier.as_ref(), &number, &wanted).await? {
        Ok(()) => Ok(Verdict::Done),
        Err(error) => {
            note(scope, &number, Some(&error.sentence())).await?;
            if error.kind == Kind::Credentials {
                connections::mark_failing(scope, error.provider, &error.sentence()).await?;
            }
            Err(connections::failure(&error))
        }
    }
}

/// Whether its calls belong here: people call it, and somebody said what happens then. A number of which nobody has said so rings where
/// it always rang.
pub(super) fn takes_calls(number: &Number) -> bool {
    let is_answered = number.agent_id.is_some()
        || number.after_hours_agent_id.is_some()
        || number.after_hours_words.is_some()
        || number.fallback_words.is_some();
    number.status == NumberStatus::Active && number.direction == CallDirection::Inbound && is_answered
}

fn wanted(number: &Number, application: Option<String>) -> Wanted {
    match (takes_calls(number), application) {
        (true, Some(application)) => Wanted::Here(application),
        // Also one that a process was about to send here when it stopped: that may have been done.
        (false, application)
            if (number.routed_to.is_some() || number.routed_before.is_some())
                && number.status != NumberStatus::Released =>
        {
            // A number that went nowhere before goes on coming here: whoever calls it hears a sentence, and is not lost.
            let from = number.routed_to.clone().or(application);
            number.routed_before.clone().map_or(Wanted::AsItIs, |to| Wanted::Back { to, from })
        }
        _ => Wanted::AsItIs,
    }
}

async fn set(
    scope: &Scope,
    carrier: &dyn TelephonyProvider,
    number: &Number,
    wanted: &Wanted,
) -> Result<Result<(), ProviderError>, AppError> {
    let at_carrier = match find(carrier, number).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            note(scope, number, Some(NOT_THERE)).await?;
            return Ok(Ok(()));
        }
        Err(error) => return Ok(Err(error)),
    };
    let (to, before) = match wanted {
        Wanted::Here(application) => {
            let before = at_carrier.connection_id.clone().filter(|id| id != application);
            (application, before.or_else(|| number.routed_before.clone()))
        }
        // Somebody has sent it elsewhere since: that stays.
        Wanted::Back { from, .. } if at_carrier.connection_id != *from => {
            let elsewhere = at_carrier.connection_id.as_deref();
            return write_down(scope, number, &at_carrier.id, None, None, elsewhere).await.map(Ok);
        }
        Wanted::Back { to, .. } => (to, None),
        Wanted::AsItIs => return Ok(Ok(())),
    };
    // Before anything changes there: a process that stops right after it must not forget where the number goes back to.
    if matches!(wanted, Wanted::Here(_)) && before != number.routed_before {
        let mut tx = scope.write(Action::ManageNumbers).await?;
        routes::set_routed_before(&mut tx, NumberId(number.id), before.as_deref()).await?;
        tx.commit().await?;
    }
    if at_carrier.connection_id.as_deref() != Some(to.as_str())
        && let Err(error) = carrier.point_number(&at_carrier.id, to).await
    {
        return Ok(Err(error));
    }
    let routed_to = matches!(wanted, Wanted::Here(_)).then_some(to.as_str());
    let elsewhere = routed_to.is_none().then_some(to.as_str());
    write_down(scope, number, &at_carrier.id, routed_to, before.as_deref(), elsewhere).await.map(Ok)
}

/// The number at the carrier. None: the account has no such number.
async fn find(
    carrier: &dyn TelephonyProvider,
    number: &Number,
) -> Result<Option<patchbay_providers::telephony::OwnedNumber>, ProviderError> {
    if let Some(known) = &number.provider_number_id {
        match carrier.get_number(known).await {
            Ok(found) => return Ok(Some(found)),
            Err(error) if error.kind == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(carrier.list_numbers().await?.into_iter().find(|owned| owned.number == number.number))
}

async fn write_down(
    scope: &Scope,
    number: &Number,
    provider_id: &str,
    to: Option<&str>,
    before: Option<&str>,
    elsewhere: Option<&str>,
) -> Result<(), AppError> {
    let id = NumberId(number.id);
    let mut tx = scope.write(Action::ManageNumbers).await?;
    let now = store::lock(&mut tx, id).await?;
    if now.provider_number_id.as_deref() != Some(provider_id) {
        routes::set_provider_number(&mut tx, id, provider_id).await?;
    }
    routes::set_routed(&mut tx, id, to, before, elsewhere).await?;
    // Where they went as far as anybody knows: somebody may have sent them elsewhere at the carrier.
    let went = if now.routed_to.is_some() { now.carrier_connection.as_deref() } else { None };
    if went != to || now.routed_to.as_deref() != to {
        // What the carrier is told is the agency's own.
        let state = |to: Option<&str>| json!({"number": number.number, "calls_go_to": to});
        let fields = Fields::Changed { before: state(went), after: state(to) };
        ops::record(&mut tx, "routed", id, None, fields).await?;
    }
    if takes_calls(&now) != takes_calls(number) {
        // Somebody has changed it since it was read.
        ops::route(&mut tx, id).await?;
    }
    ops::notify(&mut tx, id, now.client_id.map(ClientId));
    tx.commit().await
}

pub(super) async fn note(scope: &Scope, number: &Number, said: Option<&str>) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageNumbers).await?;
    if routes::set_route_error(&mut tx, NumberId(number.id), said).await? {
        ops::notify(&mut tx, NumberId(number.id), number.client_id.map(ClientId));
    }
    tx.commit().await
}
