//! Accounts at Twilio and Plivo: tried before they are stored, their numbers taken in, the voice service given the account that it dials
//! through, and all of that taken back when the account is disconnected.
//!
//! The surprising part: the voice service holds one account of each carrier, so a second one of the same carrier is refused here.

use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use serde_json::json;

use super::jobs::{ImportNumbers, SetUpTrunk};
use super::ops::{self, NewRow};
use super::store::{self, Integration};
use super::tokens::{self, TokenDocument};
use crate::model::{CarrierConfig, CarrierView, IntegrationType, TokenType};
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope, WriteTx, random_token};
use patchbay_connections::model::{IntegrationStatus, Mode};
use patchbay_connections::server::ops::down;
use patchbay_connections::server::trunks::TrunkAccount;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_numbers::server::carriers as numbers;
use patchbay_providers::carrier::{AccountAtCarrier, CarrierAccess, CarrierClient, Trunk};
use patchbay_providers::error::Kind;
use patchbay_providers::plivo::{self, Plivo};
use patchbay_providers::text::TextCarrier;
use patchbay_providers::twilio::{self, Twilio};
use patchbay_providers::{ProviderError, Secret};
use patchbay_shared::ids::IntegrationId;
use patchbay_shared::text::one_line;
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Reason};

mod dialling;
pub mod reports;

pub(super) use dialling::{leave, set_up};
pub use dialling::{set_again, voice_account_saved};

/// Numbers that a list no longer names and that are asked for one by one, at most. More at once is no giving back of numbers.
const MOST_MISSING: usize = 200;

/// Tries the account, then stores it; its numbers come by a job. An account that is known is connected again in its place. Errors: `Invalid` at the field that the carrier refuses, and at
/// `account` when one of this carrier is connected already; `ProviderDown`. Nothing is stored then.
pub async fn connect(
    scope: &Scope,
    kind: IntegrationType,
    name: &str,
    mode: Mode,
    account: &str,
    token: &str,
) -> Result<IntegrationId, AppError> {
    // Opened for its checks, and let go: the carrier is asked next, and no transaction waits for that.
    let mut tx = scope.write(Action::ManageConnections).await?;
    let access = access_of(scope, kind, mode, account, token)?;
    refuse_second(&mut tx, kind, &access.account_id).await?;
    drop(tx);
    let found = tried(scope, kind, &access).await?;
    let mut tx = scope.write(Action::ManageConnections).await?;
    if let Some(known) = refuse_second(&mut tx, kind, &access.account_id).await? {
        // The same account again, with another token perhaps: its numbers hang on it.
        if store::get(tx.reading(), known).await?.mode != mode.as_str() {
            return Err(AppError::invalid("mode", "This account was connected in the other mode. Choose that one."));
        }
        keep(&mut tx, known, &access, &found).await?;
        tx.commit().await?;
        return Ok(known);
    }
    let id = IntegrationId::new();
    let config = json!(CarrierConfig::default());
    let row = NewRow { id, client_id: None, kind, name, mode: mode.as_str(), config: &config, user_id: tx.user_id() };
    ops::insert(&mut tx, &row).await?;
    keep(&mut tx, id, &access, &found).await?;
    tx.commit().await?;
    Ok(id)
}

/// Stores the token, and has numbers and voice service seen to.
async fn keep(
    tx: &mut WriteTx,
    id: IntegrationId,
    access: &CarrierAccess,
    found: &AccountAtCarrier,
) -> Result<(), AppError> {
    let user = tx.user_id().ok_or(AppError::NotFound)?;
    let row = store::lock(tx, id).await?;
    let document = TokenDocument {
        access_token: access.auth_token.clone(),
        refresh_token: None,
        app: None,
        extra: Default::default(),
    };
    tokens::store(tx, &row, user, TokenType::ApiKey, &document, &[], None).await?;
    let status = if row.paused_at.is_some() { IntegrationStatus::Inactive } else { IntegrationStatus::Active };
    let name = one_line(&found.name).chars().take(120).collect::<String>();
    store::set_account(tx, id, (&found.id, &name, ""), status).await?;
    let state = |account: Option<&str>, status: IntegrationStatus| json!({"name": row.name, "account": account, "status": status});
    let fields =
        Fields::Changed { before: state(row.account_id.as_deref(), row.status), after: state(Some(&found.id), status) };
    ops::record(tx, "connected", id, None, fields).await?;
    if row.paused_at.is_none() {
        numbers::resumed(tx, id).await?;
    }
    enqueue(tx, &ImportNumbers { integration: id }, NewJob::default()).await?;
    enqueue(tx, &SetUpTrunk { integration: id }, NewJob::default()).await?;
    ops::changed(tx, &row).await
}

/// Asks the carrier whether the token is good, sets the voice service right, and writes down how it stands.
pub async fn check_now(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let row = carrier(store::get(tx.reading(), id).await?)?;
    drop(tx);
    let answer = client(scope, &row).await?.account().await;
    let problem = match answer {
        Ok(found) if found.is_active => None,
        Ok(_) => Some(closed(row.kind)),
        Err(error) => Some(error.sentence()),
    };
    let mut tx = scope.write(Action::ManageConnections).await?;
    let checked = json!({"name": row.name, "answered": problem.is_none(), "error": problem});
    ops::record(&mut tx, "checked", id, None, Fields::Happened(checked)).await?;
    match &problem {
        None => answers(&mut tx, id).await?,
        Some(problem) => ops::broken(&mut tx, id, problem, false).await?,
    }
    tx.notify(ops::topic(id), None);
    tx.commit().await?;
    if problem.is_none() { set_up(scope, id, false).await.map(|_| ()) } else { Ok(()) }
}

/// Takes in the numbers of the account. Gives how many of them are here now. Errors: `ProviderDown`; `Conflict` when it is not
/// connected, or paused.
pub async fn import_numbers(scope: &Scope, id: IntegrationId) -> Result<i64, AppError> {
    let mut tx = scope.write(Action::ManageNumbers).await?;
    let row = carrier(store::get(tx.reading(), id).await?)?;
    drop(tx);
    if row.paused_at.is_some() {
        return Err(AppError::Conflict(Reason::WrongState, "It is paused. Resume it, then look for numbers.".into()));
    }
    let client = client(scope, &row).await?;
    let (listed, gone) = match look(scope, id, client.as_ref()).await? {
        Ok(found) => found,
        Err(error) => {
            if error.kind == Kind::Credentials {
                let mut tx = scope.write(Action::ManageIntegrations).await?;
                ops::broken(&mut tx, id, &error.sentence(), false).await?;
                tx.commit().await?;
            }
            return Err(down(&error));
        }
    };
    let mut tx = scope.write(Action::ManageNumbers).await?;
    let now = store::lock(&mut tx, id).await?;
    if !store::tokens::newest(tx.reading(), id).await?.is_some_and(|stored| stored.is_active) {
        return Err(not_connected());
    }
    let done = numbers::import(&mut tx, trunk(now.kind)?, id, &listed, &gone).await?;
    if now.paused_at.is_some() {
        // Somebody has paused it while the carrier answered.
        numbers::paused(&mut tx, id).await?;
    }
    let mut config: CarrierConfig = now.config();
    config.numbers_at = Some(Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true));
    config.elsewhere = done.elsewhere;
    store::set_config(&mut tx, id, &json!(config)).await?;
    answers(&mut tx, id).await?;
    tx.notify(ops::topic(id), None);
    tx.commit().await?;
    Ok(done.here)
}

/// The carrier answered. That mends nothing between it and the voice service.
async fn answers(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    let config: CarrierConfig = store::get(tx.reading(), id).await?.config();
    if config.voice_error.is_none() { ops::works(tx, id).await } else { Ok(()) }
}

/// How it stands, for its page. Errors: `NotFound` for what is no carrier.
pub(crate) async fn shown(scope: &Scope, id: IntegrationId) -> Result<CarrierView, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let row = carrier(store::get(&mut tx, id).await?)?;
    let (now, config) = (tx.now().await?, row.config::<CarrierConfig>());
    let looked = config.numbers_at.as_deref().and_then(|at| at.parse().ok());
    Ok(CarrierView {
        other_account: config.other_account,
        is_given: config.sent.is_some() && config.voice_error.is_none(),
        numbers_at: looked.map(|at| stamp(at, now, scope.zone())),
        elsewhere: config.elsewhere,
        may_set: scope.may(Action::ManageConnections),
    })
}

type Looked = (Vec<patchbay_providers::carrier::RentedNumber>, Vec<String>);

/// The account's numbers, and those that it surely has no more.
async fn look(
    scope: &Scope,
    id: IntegrationId,
    client: &dyn CarrierClient,
) -> Result<Result<Looked, ProviderError>, AppError> {
    let mut listed = match client.list_numbers().await {
        Ok(listed) => listed,
        Err(error) => return Ok(Err(error)),
    };
    let mut tx = scope.read(Action::ManageNumbers).await?;
    let missing = numbers::missing(&mut tx, id, &listed).await?;
    drop(tx);
    let mut gone = Vec::new();
    for known in missing.into_iter().take(MOST_MISSING) {
        // A list may leave out what is there: the number itself is asked for.
        match client.get_number(&known).await {
            Ok(number) => listed.push(number),
            Err(error) if error.kind == Kind::NotFound => gone.push(known),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok((listed, gone)))
}

/// The account is paused: nobody is called from its numbers.
pub(super) async fn paused(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    numbers::paused(tx, id).await
}

pub(super) async fn resumed(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    if store::tokens::newest(tx.reading(), id).await?.is_some_and(|stored| stored.is_active) {
        numbers::resumed(tx, id).await?;
        enqueue(tx, &ImportNumbers { integration: id }, NewJob::default()).await?;
    }
    Ok(())
}

/// The account is disconnected: nobody is called from its numbers.
pub(super) async fn left(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    let row = store::get(tx.reading(), id).await?;
    let config = CarrierConfig { numbers_at: row.config::<CarrierConfig>().numbers_at, ..CarrierConfig::default() };
    store::set_config(tx, id, &json!(config)).await?;
    numbers::left(tx, id).await
}

/// What sends text messages through the account, what its reports are signed with, and whether it is paused: then nothing is sent, but what
/// comes in is still taken. Errors: `Conflict` when it is not connected; `NotFound` for what is no carrier.
pub async fn text_account(
    scope: &Scope,
    id: IntegrationId,
) -> Result<(Arc<dyn TextCarrier>, Secret<String>, bool), AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let row = carrier(store::get(&mut tx, id).await?)?;
    drop(tx);
    let access = stored_access(scope, &row).await?;
    let http = &scope.services().http;
    let client: Arc<dyn TextCarrier> = match row.kind {
        IntegrationType::Twilio => Arc::new(Twilio::new(http, &access).map_err(|error| down(&error))?),
        _ => Arc::new(Plivo::new(http, &access).map_err(|error| down(&error))?),
    };
    Ok((client, access.auth_token, row.paused_at.is_some()))
}

/// What numbers are called over the account with. A paused one is opened, too: its numbers rest, and callers hear so. Errors: as above.
pub async fn trunk_account(scope: &Scope, id: IntegrationId) -> Result<TrunkAccount, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let row = carrier(store::get(&mut tx, id).await?)?;
    drop(tx);
    let access = stored_access(scope, &row).await?;
    let client = client_of(scope, row.kind, &access).map_err(|error| down(&error))?;
    Ok(TrunkAccount { trunk: trunk(row.kind)?, client, auth_token: access.auth_token, mode: mode(&row) })
}

fn mode(row: &Integration) -> Mode {
    if row.mode == Mode::Live.as_str() { Mode::Live } else { Mode::Sandbox }
}

/// The account with what is stored. Errors: `Conflict` when it is not connected.
pub(super) async fn client(scope: &Scope, row: &Integration) -> Result<Box<dyn CarrierClient>, AppError> {
    let access = stored_access(scope, row).await?;
    client_of(scope, row.kind, &access).map_err(|error| down(&error))
}

pub(super) async fn stored_access(scope: &Scope, row: &Integration) -> Result<CarrierAccess, AppError> {
    let document = tokens::document(scope, row.id).await?;
    let account = row.account_id.clone().ok_or_else(not_connected)?;
    Ok(CarrierAccess {
        base_url: base(scope, row.kind, mode(row))?,
        account_id: account,
        auth_token: document.access_token,
    })
}

fn client_of(
    scope: &Scope,
    kind: IntegrationType,
    access: &CarrierAccess,
) -> Result<Box<dyn CarrierClient>, ProviderError> {
    let http = &scope.services().http;
    Ok(match kind {
        IntegrationType::Twilio => Box::new(Twilio::new(http, access)?),
        _ => Box::new(Plivo::new(http, access)?),
    })
}

async fn tried(scope: &Scope, kind: IntegrationType, access: &CarrierAccess) -> Result<AccountAtCarrier, AppError> {
    let asked = match client_of(scope, kind, access) {
        Ok(client) => client.account().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(found) if !found.is_active => Err(AppError::invalid("account", closed(kind))),
        // What it says it is, it must be: its id stands in every path.
        Ok(found) if found.id != access.account_id => {
            Err(AppError::invalid("account", "The carrier answers for another account. Copy the id again."))
        }
        Ok(found) => Ok(found),
        Err(error) => Err(match error.kind {
            Kind::Credentials => AppError::invalid("token", format!("{} Nothing was stored.", error.sentence())),
            Kind::NotFound => {
                AppError::invalid("account", "The carrier does not know this account. Copy its id again.")
            }
            _ => down(&error),
        }),
    }
}

fn access_of(
    scope: &Scope,
    kind: IntegrationType,
    mode: Mode,
    account: &str,
    token: &str,
) -> Result<CarrierAccess, AppError> {
    let (account, token) = (account.trim(), token.trim());
    let is_sandbox = mode == Mode::Sandbox;
    let filled =
        |text: &str, other: &dyn Fn() -> String| if text.is_empty() && is_sandbox { other() } else { text.to_owned() };
    let token = filled(token, &|| format!("sandbox-{}", random_token()));
    let begins = if kind == IntegrationType::Twilio { "AC" } else { "MA" };
    let account = filled(account, &|| format!("{begins}{}", uuid::Uuid::now_v7().simple()));
    if account.is_empty() || account.len() > 64 || !account.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let said = format!("An account id has only letters and digits and begins with {begins}. Copy it again.");
        return Err(AppError::invalid("account", said));
    }
    if token.is_empty() {
        return Err(AppError::invalid("token", "Enter the account’s auth token."));
    }
    Ok(CarrierAccess { base_url: base(scope, kind, mode)?, account_id: account, auth_token: Secret::new(token) })
}

/// Where the carrier is asked. Errors: `Invalid` at `mode` where no stand-ins run; `NotFound` for what is no carrier.
fn base(scope: &Scope, kind: IntegrationType, mode: Mode) -> Result<String, AppError> {
    let sandbox = scope.services().sandbox.as_ref();
    let none = || AppError::invalid("mode", "The sandbox does not run on this server. Choose live.");
    Ok(match (trunk(kind)?, mode) {
        (Trunk::Twilio, Mode::Live) => twilio::BASE_URL.to_owned(),
        (Trunk::Twilio, Mode::Sandbox) => sandbox.ok_or_else(none)?.twilio.clone(),
        (_, Mode::Live) => plivo::BASE_URL.to_owned(),
        (_, Mode::Sandbox) => sandbox.ok_or_else(none)?.plivo.clone(),
    })
}

pub(super) fn trunk(kind: IntegrationType) -> Result<Trunk, AppError> {
    match kind {
        IntegrationType::Twilio => Ok(Trunk::Twilio),
        IntegrationType::Plivo => Ok(Trunk::Plivo),
        _ => Err(AppError::NotFound),
    }
}

pub(super) fn carrier(row: Integration) -> Result<Integration, AppError> {
    if row.kind.is_carrier() { Ok(row) } else { Err(AppError::NotFound) }
}

/// The voice service dials through one account of a carrier. Until the commit nobody else connects one of this kind. Gives the integration
/// that this account is known by.
async fn refuse_second(
    tx: &mut WriteTx,
    kind: IntegrationType,
    account: &str,
) -> Result<Option<IntegrationId>, AppError> {
    let known = store::carriers::known(tx, kind).await?;
    match known.iter().find(|known| known.is_connected && known.account_id.as_deref() != Some(account)) {
        Some(other) => Err(AppError::invalid(
            "account",
            format!(
                "The voice service dials through one {} account at a time, and {} is connected. Disconnect it first.",
                kind.label(),
                other.name
            ),
        )),
        None => Ok(known.into_iter().find(|known| known.account_id.as_deref() == Some(account)).map(|known| known.id)),
    }
}

fn closed(kind: IntegrationType) -> String {
    format!("This account is suspended or closed at {}. Look into the console there.", kind.label())
}

pub(super) fn not_connected() -> AppError {
    AppError::Conflict(Reason::NotConnected, "It is not connected. An owner can connect it on its page.".into())
}
