//! The account at the carrier, given to the voice service so that it dials through it. What somebody else has set there stays.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::jobs::SetUpTrunk;
use super::super::ops;
use super::super::store::{self, Integration};
use super::{carrier, stored_access, trunk, trunk_account};
use crate::model::CarrierConfig;
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope, WriteTx};
use patchbay_connections::model::{IntegrationStatus, Provider};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_numbers::server::account_route;
use patchbay_providers::carrier::CarrierAccess;
use patchbay_providers::error::Kind;
use patchbay_providers::{ProviderError, VoiceProvider};
use patchbay_shared::AppError;
use patchbay_shared::ids::IntegrationId;

/// The voice service was connected, or is another account now: it is given the carriers' accounts.
pub async fn voice_account_saved(tx: &mut WriteTx) -> Result<(), AppError> {
    for integration in store::carriers::all_connected(tx.reading()).await? {
        enqueue(tx, &SetUpTrunk { integration }, NewJob::default()).await?;
    }
    Ok(())
}

/// A person wants the voice service to dial through this account, whatever it has. Errors: `ProviderDown`; `Conflict`.
pub async fn set_again(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    drop(scope.write(Action::ManageConnections).await?);
    match set_up(scope, id, true).await? {
        Some(error) => Err(connections::down(&error)),
        None => Ok(()),
    }
}

/// Looks what the voice service holds of the carrier, sets right what is ours, and writes down what came of it. `replaces`: another
/// account there is replaced. Gives the service's error, if one stood in the way.
pub(in super::super) async fn set_up(
    scope: &Scope,
    id: IntegrationId,
    replaces: bool,
) -> Result<Option<ProviderError>, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let row = carrier(store::get(&mut tx, id).await?)?;
    let accounts = patchbay_connections::server::list(&mut tx).await?;
    drop(tx);
    let before: CarrierConfig = row.config();
    let mut config = CarrierConfig { voice_error: None, other_account: None, ..before.clone() };
    let voice = accounts.into_iter().find(|account| {
        account.provider == Provider::Ultravox.as_str() && account.status != IntegrationStatus::Inactive
    });
    let mut trouble = None;
    match voice {
        None => {
            config.voice_error = Some(
                "No calls go out through it before the voice service is connected. Connect Ultravox first.".into(),
            );
        }
        Some(voice) if voice.mode != row.mode => {
            config.voice_error = Some(format!(
                "It is {} and the voice service is {}, so no call gets from one to the other. Connect both in the same mode.",
                row.mode, voice.mode
            ));
        }
        Some(_) => match connections::voice(scope).await {
            Ok(voice) => {
                let access = stored_access(scope, &row).await?;
                if let Err(error) = try_set(voice.as_ref(), &row, &access, replaces, &mut config).await {
                    config.voice_error = Some(error.sentence());
                    trouble = Some(error);
                }
            }
            Err(error) => config.voice_error = Some(error.to_string()),
        },
    }
    write_down(scope, id, &before, config, trouble.as_ref()).await?;
    Ok(trouble)
}

async fn try_set(
    voice: &dyn VoiceProvider,
    row: &Integration,
    access: &CarrierAccess,
    replaces: bool,
    config: &mut CarrierConfig,
) -> Result<(), ProviderError> {
    let Ok(trunk) = trunk(row.kind) else { return Ok(()) };
    let held = voice.trunk_account(trunk).await?;
    let held_id = held.as_ref().and_then(|held| held.account_id.clone());
    if let Some(other) = held_id.clone().filter(|other| *other != access.account_id && !replaces) {
        config.voice_error = Some(format!(
            "Ultravox dials through another {} account ({other}) than this one. Nothing was changed there.",
            row.kind.label()
        ));
        config.other_account = Some(other);
        return Ok(());
    }
    let digest = hex_digest(&format!("{} {}", access.account_id, access.auth_token.expose()));
    let is_ours = held_id.as_deref() == Some(&access.account_id);
    if is_ours && config.sent.is_none() {
        config.was_there = true;
    }
    let is_good = held.is_some_and(|held| held.is(&access.account_id, &access.auth_token));
    // The token can't be read back whole, so it is remembered which one was sent.
    if !is_good || config.sent.as_deref() != Some(&digest) {
        voice.set_trunk_account(trunk, &access.account_id, &access.auth_token).await?;
        config.sent = Some(digest);
    }
    Ok(())
}

async fn write_down(
    scope: &Scope,
    id: IntegrationId,
    before: &CarrierConfig,
    found: CarrierConfig,
    trouble: Option<&ProviderError>,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let row = store::lock(&mut tx, id).await?;
    // What an import has written meanwhile stays.
    let now: CarrierConfig = row.config();
    let config = CarrierConfig { numbers_at: now.numbers_at, elsewhere: now.elsewhere, ..found };
    store::set_config(&mut tx, id, &json!(config)).await?;
    let facts = |config: &CarrierConfig| json!({"name": row.name, "voice_service": if config.sent.is_some() { "has it" } else { "does not have it" }, "error": config.voice_error});
    if facts(before) != facts(&config) {
        let fields = Fields::Changed { before: facts(before), after: facts(&config) };
        ops::record(&mut tx, "telephony_set_up", id, None, fields).await?;
    }
    match (&config.voice_error, trouble) {
        (None, _) => {
            ops::works(&mut tx, id).await?;
            // What was in the way of calls that come in may be gone with it. Nothing else is changed at the carrier: this is a look, too.
            account_route::account_ready(&mut tx, id).await?;
        }
        // It passes by itself: the job comes again.
        (Some(_), Some(error)) if error.is_passing_trouble() => {}
        (Some(problem), _) => ops::broken(&mut tx, id, problem, false).await?,
    }
    tx.notify(ops::topic(id), None);
    tx.commit().await
}

/// Sends calls to the account's numbers where they went before, and takes the account away from the voice service, if it is the one that was
/// set there by us. Errors: `ProviderDown` when one of them does not answer: nothing is disconnected then, so that nobody forgets it there.
pub(in super::super) async fn leave(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    let left = try_leave(scope, id).await;
    if left.is_err() {
        // It goes on as it was: numbers that were sent back already come here again.
        let mut tx = scope.write(Action::ManageNumbers).await?;
        account_route::account_ready(&mut tx, id).await?;
        tx.commit().await?;
    }
    left
}

async fn try_leave(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    match trunk_account(scope, id).await {
        Ok(account) => account_route::give_all_back(scope, id, &account).await?,
        // Nobody is signed in there: there is nothing to ask with.
        Err(AppError::Conflict(..)) => {}
        Err(error) => return Err(error),
    }
    let mut tx = scope.write(Action::ManageConnections).await?;
    let row = carrier(store::get(tx.reading(), id).await?)?;
    drop(tx);
    let config: CarrierConfig = row.config();
    let (Some(account), Some(_), false) = (&row.account_id, &config.sent, config.was_there) else { return Ok(()) };
    // Also while the workspace is suspended: nothing is spent by it.
    let voice = match connections::voice_to_look(scope).await {
        Ok(voice) => voice,
        // It is not connected any more: there is nobody to ask.
        Err(AppError::Conflict(..)) => return Ok(()),
        Err(error) => return Err(error),
    };
    match voice.remove_trunk_account(trunk(row.kind)?, account).await {
        Ok(()) => Ok(()),
        // Who has no access there any more cannot take it away.
        Err(error) if error.kind == Kind::Credentials => Ok(()),
        Err(error) => Err(connections::down(&error)),
    }
}

fn hex_digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
