//! Calls on numbers at the agency's own accounts at Twilio and Plivo: the carrier that the voice service dials through, where that
//! carrier asks about calls that come in, and where it tells how a call went.

use super::store;
use crate::model::{IntegrationStatus, Mode, Provider};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_providers::carrier::CallAddresses;
use patchbay_providers::voice::Line;
use patchbay_providers::{CarrierClient, Secret, Trunk, display_name};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, IntegrationId, NumberId};

/// The line of a call that goes out, and where its carrier tells of it. `account`: the carrier of `from` and the account there, when it is
/// not the one that numbers are rented from here; that one tells at `leg_news_url`, if anybody needs to know.
pub fn line(
    scope: &Scope,
    call: CallId,
    (to, from): (String, String),
    account: Option<&(String, IntegrationId)>,
    leg_news_url: Option<String>,
) -> (Line, Option<String>) {
    let found = account.and_then(|(carrier, id)| Some((Trunk::of(carrier)?, *id)));
    let Some((trunk, id)) = found else { return (Line::Phone { to, from, trunk: None }, leg_news_url) };
    let url = status_url(scope, trunk, id);
    (Line::Phone { to, from, trunk: Some(trunk) }, Some(format!("{url}?call={call}")))
}

/// Where a carrier tells how calls on the numbers of this account went.
pub fn status_url(scope: &Scope, trunk: Trunk, account: IntegrationId) -> String {
    let (address, workspace) = (&scope.services().public_url, scope.workspace_id());
    format!("{address}/hooks/{}/{workspace}/{account}/status", trunk.as_str())
}

/// An account at one of these carriers, ready to use. It is an integration, so it belongs to a crate above.
pub struct TrunkAccount {
    pub trunk: Trunk,
    pub client: Box<dyn CarrierClient>,
    /// What its requests are signed with.
    pub auth_token: Secret<String>,
    pub mode: Mode,
}

/// Hook: opens the account of an integration. Errors: `NotFound` when there is none; `Conflict` when it is not connected.
pub struct OpenTrunk(pub for<'a> fn(&'a Scope, IntegrationId) -> HookFuture<'a, TrunkAccount>);

/// Hook: the carrier was told where calls to a number go, which may have changed where it tells of text messages.
pub struct NumberMoved(pub for<'a> fn(&'a mut WriteTx, NumberId) -> HookFuture<'a>);

/// Calls the hook.
pub async fn number_moved(tx: &mut WriteTx, number: NumberId) -> Result<(), AppError> {
    let hook = tx.services().hooks.get::<NumberMoved>()?;
    (hook.0)(tx, number).await
}

/// Opens an account. Errors: as the hook.
pub async fn open(scope: &Scope, account: IntegrationId) -> Result<TrunkAccount, AppError> {
    let hook = scope.services().hooks.get::<OpenTrunk>()?;
    (hook.0)(scope, account).await
}

/// What the carrier asks about calls that come in to numbers of this account, and where it tells how they went.
pub fn call_addresses(scope: &Scope, trunk: Trunk, account: IntegrationId) -> CallAddresses {
    let (address, workspace) = (&scope.services().public_url, scope.workspace_id());
    CallAddresses {
        answer: format!("{address}/webhooks/{}/{workspace}/{account}/answer", trunk.as_str()),
        status: status_url(scope, trunk, account),
    }
}

/// What a person must do before calls can come in over an account. None: nothing.
pub async fn obstacle(scope: &Scope, trunk: Trunk, mode: Mode) -> Result<Option<String>, AppError> {
    let mut tx = scope.read(Action::UseConnections).await?;
    let rows = store::list(&mut tx).await?;
    drop(tx);
    let name = display_name(trunk.as_str());
    let voice = rows
        .iter()
        .find(|row| row.provider == Provider::Ultravox.as_str() && row.status != IntegrationStatus::Inactive);
    let address = &scope.services().public_url;
    Ok(match voice {
        None => Some("Calls cannot come in before the voice service is connected. Connect Ultravox first.".to_owned()),
        Some(voice) if voice.mode != mode.as_str() => Some(format!(
            "The account at {name} is {} and the voice service is {}, so no call gets from one to the other. Connect both in the same mode.",
            mode.as_str(),
            voice.mode
        )),
        Some(_) if mode == Mode::Live && !address.starts_with("https://") => Some(format!(
            "{name} reaches Patchbay at its public address, which is {address}. Give Patchbay an address that begins with https (PATCHBAY_PUBLIC_URL), then set it again."
        )),
        Some(_) => None,
    })
}
