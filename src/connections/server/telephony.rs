//! The way between the carrier and the voice service: an application at the carrier that asks Patchbay about calls that come in, and
//! the carrier's account at the voice service, for calls that go out. What somebody else has set up at either stays.

use chrono::{SecondsFormat, Utc};
use serde_json::json;

use super::ops;
use super::store::{self, Stored};
use crate::model::{IntegrationStatus, Mode, Provider, TelephonySetup};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::error::Kind;
use patchbay_providers::telephony::{CallApplication, HeldApplication};
use patchbay_providers::voice::CarrierAccount;
use patchbay_providers::{ProviderError, Secret, TelephonyProvider, VoiceProvider};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;

/// Told, in its transaction, which application at the carrier calls can be sent to. Boot gives it.
pub struct TelephonyReady(pub for<'a> fn(&'a mut WriteTx, String) -> HookFuture<'a>);

/// One run in the background.
pub(super) async fn run(scope: &Scope) -> Result<Verdict, Failure> {
    match set_up(scope, false).await? {
        None => Ok(Verdict::Done),
        Some(error) if error.is_passing_trouble() => Err(ops::failure(&error)),
        Some(_) => Ok(Verdict::Done),
    }
}

/// Both accounts, ready to use.
struct Accounts {
    telnyx: Stored,
    carrier: std::sync::Arc<dyn TelephonyProvider>,
    voice: std::sync::Arc<dyn VoiceProvider>,
    key: Secret<String>,
    public_key: String,
    before: TelephonySetup,
}

/// What the looking and the setting came to.
struct Found {
    setup: TelephonySetup,
    trouble: Option<ProviderError>,
}

/// Looks at both services, sets right what is ours, and writes down what came of it. `replaces`: a person wants another carrier
/// account to be replaced at the voice service. Gives the service's error, if one stood in the way.
pub(crate) async fn set_up(scope: &Scope, replaces: bool) -> Result<Option<ProviderError>, AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let rows = store::list(tx.reading()).await?;
    drop(tx);
    let of = |provider: Provider| {
        rows.iter().find(|row| row.provider == provider.as_str() && row.status != IntegrationStatus::Inactive)
    };
    // Without both there is nothing to join; saving the other one comes here again.
    let (Some(telnyx), Some(ultravox)) = (of(Provider::Telnyx), of(Provider::Ultravox)) else { return Ok(None) };
    let before = telnyx.settings.0.telephony.clone().unwrap_or_default();
    let found = match obstacle(scope, telnyx, ultravox) {
        Some(error) => Found { setup: TelephonySetup { error: Some(error), ..before.clone() }, trouble: None },
        None => {
            let accounts = Accounts {
                carrier: ops::telephony(scope).await?,
                voice: ops::voice(scope).await?,
                key: ops::open_key(scope.services(), scope.workspace_id(), telnyx)?,
                public_key: telnyx.public_key.clone().unwrap_or_default(),
                telnyx: telnyx.clone(),
                before: before.clone(),
            };
            look_and_set(scope, &accounts, replaces).await
        }
    };
    record(scope, telnyx, &before, found.setup).await?;
    Ok(found.trouble)
}

/// What a person must do first.
fn obstacle(scope: &Scope, telnyx: &Stored, ultravox: &Stored) -> Option<String> {
    let live = Mode::Live.as_str();
    if telnyx.mode != ultravox.mode {
        return Some(
            "One of Telnyx and Ultravox is live and the other is the sandbox, so no call gets from one to the other. Connect both in the same mode."
                .into(),
        );
    }
    if telnyx.public_key.as_deref().unwrap_or_default().is_empty() {
        return Some("Enter the public key of the Telnyx account: calls that come in are checked with it.".into());
    }
    let address = &scope.services().public_url;
    if telnyx.mode == live && !address.starts_with("https://") {
        return Some(format!(
            "Telnyx reaches Patchbay at its public address, which is {address}. Give Patchbay an address that begins with https (PATCHBAY_PUBLIC_URL), then check again."
        ));
    }
    None
}

async fn look_and_set(scope: &Scope, accounts: &Accounts, replaces: bool) -> Found {
    let mut setup = TelephonySetup { error: None, other_account: None, drift: None, ..accounts.before.clone() };
    let trouble = match try_set(scope, accounts, replaces, &mut setup).await {
        Ok(()) => None,
        Err(error) => {
            setup.error = Some(error.sentence());
            Some(error)
        }
    };
    setup.checked_at = Some(Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true));
    Found { setup, trouble }
}

/// Looks whether both still are as they were set up, changes nothing there, and writes down what differs. Gives the service's error, if
/// one did not answer.
pub async fn look(scope: &Scope) -> Result<Option<ProviderError>, AppError> {
    let mut tx = scope.read(Action::UseConnections).await?;
    let rows = store::list(&mut tx).await?;
    drop(tx);
    let of = |provider: Provider| {
        rows.iter().find(|row| row.provider == provider.as_str() && row.status != IntegrationStatus::Inactive)
    };
    let (Some(telnyx), Some(_)) = (of(Provider::Telnyx), of(Provider::Ultravox)) else { return Ok(None) };
    let Some(before) = telnyx.settings.0.telephony.clone() else { return Ok(None) };
    let (Some(application), Some(account)) = (&before.application_id, &before.account_id) else { return Ok(None) };
    let (carrier, voice) = (ops::telephony_to_look(scope).await?, ops::voice_to_look(scope).await?);
    let held = match carrier.get_application(application).await {
        Ok(held) => Some(held),
        Err(error) if error.kind == Kind::NotFound => None,
        Err(error) => return Ok(Some(error)),
    };
    let dials = match voice.carrier_account().await {
        Ok(dials) => dials.and_then(|held| held.account_id),
        Err(error) => return Ok(Some(error)),
    };
    let asks = answer_url(scope, telnyx.id);
    let tells = ops::webhook_url(scope.services(), scope.workspace_id(), Provider::Telnyx, telnyx.id);
    let drift = match &held {
        None => {
            Some("Patchbay’s application is gone from the Telnyx account, so nobody is asked who answers.".to_owned())
        }
        Some(held) if held.voice_url.as_deref() != Some(&asks) => Some(format!(
            "Patchbay’s application at Telnyx asks another address who answers ({}).",
            held.voice_url.as_deref().unwrap_or("none")
        )),
        Some(held) if held.status_url.as_deref() != Some(&tells) || !held.tells_cost => {
            Some("Patchbay’s application at Telnyx no longer tells how calls went and what they cost.".to_owned())
        }
        // What a person has to decide is said already.
        Some(_) if before.other_account.is_some() => None,
        Some(_) if dials.is_none() => Some("Ultravox has no Telnyx account any more, so no agent can call.".to_owned()),
        Some(_) if dials.as_ref() != Some(account) => Some(format!(
            "Ultravox dials through another Telnyx account ({}) now.",
            dials.as_deref().unwrap_or_default()
        )),
        Some(_) => None,
    };
    let drift = drift.map(|what| format!("{what} Choose “Set again” under Connections, Telnyx."));
    let mut tx = scope.write(Action::ManageConnections).await?;
    let now = store::get(tx.reading(), Provider::Telnyx.as_str()).await?.and_then(|row| row.settings.0.telephony);
    // Whoever has set it up meanwhile knows better.
    if now.as_ref() == Some(&before) {
        let is_news = before.drift != drift;
        let checked_at = Some(Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true));
        store::set_telephony(&mut tx, Provider::Telnyx.as_str(), &TelephonySetup { drift, checked_at, ..before })
            .await?;
        if is_news {
            tx.notify(Topic::list("connections"), None);
        }
    }
    tx.commit().await?;
    Ok(None)
}

async fn try_set(
    scope: &Scope,
    accounts: &Accounts,
    replaces: bool,
    setup: &mut TelephonySetup,
) -> Result<(), ProviderError> {
    let carrier = accounts.carrier.as_ref();
    let account_id = carrier.account_id().await?;
    let wanted = CallApplication {
        name: format!("Patchbay {}", &scope.workspace_id().0.simple().to_string()[20..]),
        voice_url: answer_url(scope, accounts.telnyx.id),
        status_url: ops::webhook_url(scope.services(), scope.workspace_id(), Provider::Telnyx, accounts.telnyx.id),
        outbound_profile: carrier.outbound_profile().await?,
    };
    let application = application(carrier, setup.application_id.as_deref(), &wanted).await?;
    setup.application_id = Some(application.id.clone());
    setup.account_id = Some(account_id.clone());

    let held = accounts.voice.carrier_account().await?;
    let other = held.as_ref().and_then(|held| held.account_id.clone()).filter(|other| *other != account_id);
    if let Some(other) = other.filter(|_| !replaces) {
        setup.error = Some(format!(
            "Ultravox dials through another Telnyx account ({other}) than the one that is connected here. Nothing was changed there."
        ));
        setup.other_account = Some(other);
        return Ok(());
    }
    // An application that somebody set up for calls that go out stays, as long as it is this account's.
    let application_id = held
        .as_ref()
        .filter(|held| held.account_id.as_deref() == Some(&account_id))
        .and_then(|held| held.application_id.clone())
        .unwrap_or(application.id);
    let account = CarrierAccount {
        account_id,
        api_key: accounts.key.clone(),
        public_key: accounts.public_key.clone(),
        application_id,
    };
    // The key can't be read back whole, so it is remembered which one was sent.
    let sent = format!("{} {}", accounts.telnyx.credentials_hint, accounts.public_key);
    if !held.is_some_and(|held| held.is(&account)) || setup.sent.as_deref() != Some(&sent) {
        accounts.voice.set_carrier_account(&account).await?;
        setup.sent = Some(sent);
    }
    if application.outbound_profile.is_none() {
        setup.error = Some(
            "The Telnyx account has no outbound voice profile, so calls come in and none can go out. Make one in the Telnyx portal under Voice, Outbound voice profiles, then check again."
                .into(),
        );
    }
    Ok(())
}

/// Our application at the carrier, as it should be: the known one, else one of our name, else a new one.
async fn application(
    carrier: &dyn TelephonyProvider,
    known: Option<&str>,
    wanted: &CallApplication,
) -> Result<HeldApplication, ProviderError> {
    let mut held = None;
    if let Some(id) = known {
        held = match carrier.get_application(id).await {
            Ok(found) => Some(found),
            Err(error) if error.kind == Kind::NotFound => None,
            Err(error) => return Err(error),
        };
    }
    if held.is_none() {
        // Making one has no idempotency key: an earlier try may have made it and died before it could write that down.
        held = carrier.find_applications(&wanted.name).await?.into_iter().next();
    }
    match held {
        Some(found) if found.is(wanted) => Ok(found),
        Some(found) => carrier.update_application(&found.id, wanted).await,
        None => carrier.create_application(wanted).await,
    }
}

async fn record(
    scope: &Scope,
    telnyx: &Stored,
    before: &TelephonySetup,
    setup: TelephonySetup,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    store::set_telephony(&mut tx, Provider::Telnyx.as_str(), &setup).await?;
    let facts = |setup: &TelephonySetup| json!({"application": setup.application_id, "account": setup.account_id, "error": setup.error});
    // Looking again and finding the same is no news.
    if facts(before) != facts(&setup) {
        let fields = Fields::Changed { before: facts(before), after: facts(&setup) };
        let change = Change {
            action: "telephony_set_up",
            entity: "connection",
            entity_id: Some(telnyx.id),
            client_id: None,
            fields,
        };
        tx.audit(change).await?;
    }
    if let Some(application) = setup.application_id.clone() {
        let ready = tx.services().hooks.get::<TelephonyReady>()?.0;
        ready(&mut tx, application).await?;
    }
    tx.notify(Topic::list("connections"), None);
    tx.commit().await
}

/// What the carrier asks about each call that comes in.
pub fn answer_url(scope: &Scope, connection: uuid::Uuid) -> String {
    let services = scope.services();
    format!("{}/answer", ops::webhook_url(services, scope.workspace_id(), Provider::Telnyx, connection))
}
