//! What people do with integrations: make, pause, disconnect and remove them, set them up, sync, and mend records that failed.

use serde_json::{Value, json};

use super::jobs::{StartSync, SyncIntegration};
pub use super::repair::{choose, edit, follow, properties, propose_mapping, retry, retry_all, try_mapping};
pub use super::signing_in::begin_sign_in;
use super::store::{self, syncs};
pub use super::store::{Integration, NewRow};
use super::tokens;
use crate::model::{
    CrmConfig, CrmSettings, CustomConfig, FieldMap, IntegrationType, NewIntegration, Reach, SyncStatus, SyncType,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_connections::model::{IntegrationStatus, Mode};
use patchbay_jobs::NewJob;
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::{IntegrationId, SyncId};
use patchbay_shared::{AppError, Reason};
use patchbay_webhooks::server::listeners;

/// Integrations that an agency has at most.
const MOST: i64 = 500;

/// What an integration's pages listen to.
pub(crate) fn topic(id: IntegrationId) -> Topic {
    Topic::one("integration", id)
}

/// One that was not removed. Errors: `NotFound`.
pub async fn get(tx: &mut ReadTx, id: IntegrationId) -> Result<Integration, AppError> {
    store::get(tx, id).await
}

/// Writes a new integration, not connected yet, with its line in the audit log. Errors: `Conflict` when there are too many; `Invalid` at
/// `client`.
pub async fn insert(tx: &mut WriteTx, row: &NewRow<'_>) -> Result<(), AppError> {
    if store::count(tx).await? >= MOST {
        return Err(AppError::Conflict(
            Reason::LimitReached,
            format!("There are {MOST} integrations already. Remove one that nobody uses."),
        ));
    }
    if let Some(client) = row.client_id
        && !store::is_active_client(tx.reading(), client).await?
    {
        return Err(AppError::invalid("client", "Choose a client of the agency."));
    }
    store::insert(tx, row).await?;
    let after = json!({ "name": row.name, "type": row.kind, "mode": row.mode, "config": row.config });
    record(tx, "created", row.id, row.client_id, Fields::Created(after)).await?;
    listeners::refresh(tx).await?;
    tx.notify(Topic::list("integrations"), row.client_id);
    Ok(())
}

/// Makes an integration that somebody signs in at afterwards.
pub async fn create(scope: &Scope, new: &NewIntegration) -> Result<IntegrationId, AppError> {
    if new.mode == Mode::Sandbox && scope.services().sandbox.is_none() {
        return Err(AppError::invalid("mode", "This installation has no sandbox. Choose the real service."));
    }
    let mut tx = scope.write(Action::ManageConnections).await?;
    let id = IntegrationId::new();
    let config = match new.kind.is_crm() {
        true => json!(CrmConfig { region: new.region.clone(), ..CrmConfig::default() }),
        false => json!({}),
    };
    let row = NewRow {
        id,
        client_id: new.client_id,
        kind: new.kind,
        name: &new.name,
        mode: new.mode.as_str(),
        config: &config,
        user_id: tx.user_id(),
    };
    insert(&mut tx, &row).await?;
    tx.commit().await?;
    Ok(id)
}

pub(super) async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: IntegrationId,
    client: Option<patchbay_shared::ids::ClientId>,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "integration", entity_id: Some(id.0), client_id: client, fields }).await
}

/// Tells pages that the integration is another one now.
pub(super) async fn changed(tx: &mut WriteTx, integration: &Integration) -> Result<(), AppError> {
    listeners::refresh(tx).await?;
    tx.notify(Topic::list("integrations"), integration.client_id);
    tx.notify(topic(integration.id), integration.client_id);
    Ok(())
}

/// It answered as it should. After trouble that is news.
pub async fn works(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    let integration = store::get(tx.reading(), id).await?;
    if integration.paused_at.is_some() || integration.account_id.is_none() {
        return Ok(());
    }
    health(tx, &integration, IntegrationStatus::Active, None).await.map(|_| ())
}

/// Something is wrong with it, in words. `ends_sign_in`: nothing goes on before somebody has signed in again, so owners get a mail.
pub async fn broken(tx: &mut WriteTx, id: IntegrationId, problem: &str, ends_sign_in: bool) -> Result<(), AppError> {
    let integration = store::get(tx.reading(), id).await?;
    let problem: String = problem.chars().filter(|letter| *letter != '\0').take(500).collect();
    let is_news = health(tx, &integration, IntegrationStatus::Error, Some(&problem)).await?;
    if is_news {
        super::messages::trouble(tx, &integration, &problem).await?;
    }
    if !(is_news && ends_sign_in && patchbay_mail::is_set_up(tx.services())) {
        return Ok(());
    }
    let text = format!(
        "The sign-in of Patchbay at {} ({}) has ended:\n{problem}\n\nWhat is to be exchanged waits, and goes on once you have signed in again:\n{}/integrations/{id}\n",
        integration.kind.label(),
        integration.name,
        tx.services().public_url,
    );
    let subject = format!("Sign in again at {}", integration.kind.label());
    for owner in store::owners(tx.reading()).await? {
        patchbay_mail::send_branded(tx, None, &owner, subject.clone(), &text).await?;
    }
    Ok(())
}

async fn health(
    tx: &mut WriteTx,
    before: &Integration,
    status: IntegrationStatus,
    problem: Option<&str>,
) -> Result<bool, AppError> {
    if !store::set_health(tx, before.id, status, problem).await? {
        return Ok(false);
    }
    let shown = |status: IntegrationStatus, problem: Option<&str>| json!({ "name": before.name, "status": status, "problem": problem });
    let fields =
        Fields::Changed { before: shown(before.status, before.problem.as_deref()), after: shown(status, problem) };
    let action = if status == IntegrationStatus::Error { "failed" } else { "recovered" };
    record(tx, action, before.id, before.client_id, fields).await?;
    tx.notify(Topic::list("integrations"), before.client_id);
    tx.notify(topic(before.id), before.client_id);
    Ok(true)
}

/// Switches it off until somebody switches it on again. What is to be exchanged waits.
pub async fn pause(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let before = store::lock(&mut tx, id).await?;
    if before.paused_at.is_some() {
        return Ok(());
    }
    store::set_paused(&mut tx, id, true, IntegrationStatus::Inactive).await?;
    if before.kind.is_carrier() {
        super::carriers::paused(&mut tx, id).await?;
    }
    let shown = |paused: bool| json!({ "name": before.name, "paused": paused });
    let fields = Fields::Changed { before: shown(false), after: shown(true) };
    record(&mut tx, "paused", id, before.client_id, fields).await?;
    changed(&mut tx, &before).await?;
    tx.commit().await
}

/// Errors: `Conflict` when nobody is signed in there any more.
pub async fn resume(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let before = store::lock(&mut tx, id).await?;
    if before.paused_at.is_none() {
        return Ok(());
    }
    let is_signed_in = store::tokens::newest(tx.reading(), id).await?.is_some_and(|stored| stored.is_active);
    let status = match (is_signed_in, &before.problem) {
        (true, None) => IntegrationStatus::Active,
        (_, Some(_)) => IntegrationStatus::Error,
        (false, None) => IntegrationStatus::Inactive,
    };
    store::set_paused(&mut tx, id, false, status).await?;
    if before.kind.is_carrier() {
        super::carriers::resumed(&mut tx, id).await?;
    }
    let shown = |paused: bool| json!({ "name": before.name, "paused": paused });
    record(&mut tx, "resumed", id, before.client_id, Fields::Changed { before: shown(true), after: shown(false) })
        .await?;
    if let Some(sync) = syncs::running(tx.reading(), id).await? {
        patchbay_jobs::enqueue(&mut tx, &SyncIntegration { sync }, NewJob::default()).await?;
    } else if before.kind.is_crm() && before.last_sync_at.is_some() && status == IntegrationStatus::Active {
        want_sync(&mut tx, &before, None).await?;
    }
    if before.kind.takes_messages() {
        super::messages::hurry(&mut tx, id).await?;
    }
    changed(&mut tx, &before).await?;
    tx.commit().await
}

/// Ends the sign-in, there too. Which records belong to which contacts stays known, so that signing in again doubles nothing.
pub async fn disconnect(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let before = store::lock(&mut tx, id).await?;
    drop(tx);
    if before.kind.is_carrier() {
        super::carriers::leave(scope, id).await?;
    }
    if tokens::oauth_kind(before.kind).is_some() {
        tokens::revoke(scope, &before).await?;
    }
    let mut tx = scope.write(Action::ManageConnections).await?;
    syncs::lock_running(&mut tx, id).await?;
    let before = store::lock(&mut tx, id).await?;
    if before.kind.is_carrier() {
        super::carriers::left(&mut tx, id).await?;
    }
    tokens::forget(&mut tx, id).await?;
    if let Some(sync) = syncs::running(tx.reading(), id).await? {
        syncs::end(&mut tx, sync, SyncStatus::Failed, Some("Disconnected."), true).await?;
    }
    store::set_disconnected(&mut tx, id).await?;
    if before.kind == IntegrationType::CustomApi {
        // What the system spoke with here goes as well: it does not speak again when somebody sets it up anew.
        let mut config: CustomConfig = before.config();
        config.key_digest = None;
        config.has_incoming_secret = false;
        config.secret_headers.clear();
        store::set_config(&mut tx, id, &json!(config)).await?;
    }
    let shown =
        |status: IntegrationStatus| json!({ "name": before.name, "account": before.account_id, "status": status });
    let fields = Fields::Changed { before: shown(before.status), after: shown(IntegrationStatus::Inactive) };
    record(&mut tx, "disconnected", id, before.client_id, fields).await?;
    changed(&mut tx, &before).await?;
    tx.commit().await
}

/// Takes one away that nobody is signed in at. Errors: `Conflict` while somebody is.
pub async fn remove(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let before = store::lock(&mut tx, id).await?;
    if store::tokens::newest(tx.reading(), id).await?.is_some_and(|stored| stored.is_active) {
        return Err(AppError::Conflict(Reason::WrongState, "It is connected. Disconnect it first.".into()));
    }
    tokens::forget(&mut tx, id).await?;
    store::activities::forget(&mut tx, id).await?;
    store::set_removed(&mut tx, id).await?;
    let gone = json!({ "name": before.name, "type": before.kind, "account": before.account_id });
    record(&mut tx, "removed", id, before.client_id, Fields::Deleted(gone)).await?;
    changed(&mut tx, &before).await?;
    tx.commit().await
}

/// Changes the mapping under the row's lock, so that of two who edit nobody loses a line. Errors: as `edit`; `Invalid` at `ours` for what
/// does not fit together.
pub async fn save_mapping(
    scope: &Scope,
    id: IntegrationId,
    edit: impl FnOnce(&mut Vec<FieldMap>) -> Result<(), AppError> + Send,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let before = store::lock(&mut tx, id).await?;
    if !before.kind.is_crm() {
        return Err(AppError::NotFound);
    }
    let mut lines = before.mapping();
    edit(&mut lines)?;
    for (at, line) in lines.iter().enumerate() {
        if lines.iter().take(at).any(|other| other.ours == line.ours) {
            return Err(AppError::invalid("ours", "This field has a line already. Change that one."));
        }
    }
    store::set_mapping(&mut tx, id, &json!(lines)).await?;
    let old = before.mapping();
    if before.last_sync_at.is_some() && lines.iter().any(|line| !old.contains(line) && super::mapping::is_read(line)) {
        read_anew(&mut tx, &before).await?;
    }
    let shown = |lines: Value| json!({ "name": before.name, "mapping": lines });
    let fields = Fields::Changed { before: shown(before.mapping.clone()), after: shown(json!(lines)) };
    record(&mut tx, "mapped", id, before.client_id, fields).await?;
    changed(&mut tx, &before).await?;
    tx.commit().await
}

/// A field is matched otherwise than before: what did not change there lately is read with it, too, and who must not be called is told.
async fn read_anew(tx: &mut WriteTx, integration: &Integration) -> Result<(), AppError> {
    let now = tx.reading().now().await?;
    let mapped_at = Some(now.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
    let config = CrmConfig { contacts_until: None, read_at: None, mapped_at, ..integration.config() };
    store::set_config(tx, integration.id, &json!(config)).await?;
    if config.settings.every_minutes > 0 {
        want_sync(tx, integration, None).await?;
    }
    Ok(())
}

/// Name, and for a CRM what is exchanged and how often.
pub async fn save_settings(
    scope: &Scope,
    id: IntegrationId,
    name: &str,
    settings: &CrmSettings,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let before = store::lock(&mut tx, id).await?;
    store::set_name(&mut tx, id, name).await?;
    let mut config: CrmConfig = before.config();
    let old = config.settings.clone();
    if before.kind.is_crm() {
        config.settings = settings.clone();
        store::set_config(&mut tx, id, &json!(config)).await?;
        let next = match (before.next_sync_at, before.last_sync_at, settings.every_minutes) {
            (_, _, 0) | (None, None, _) => None,
            (_, last, every) => last.map(|last| last + chrono::TimeDelta::minutes(i64::from(every))),
        };
        store::set_next(&mut tx, id, false, next).await?;
        if let Some(at) = next {
            patchbay_jobs::enqueue(&mut tx, &StartSync { integration: id }, NewJob { run_at: Some(at) }).await?;
        }
    }
    let shown = |name: &str, settings: &CrmSettings| match before.kind.is_crm() {
        true => json!({ "name": name, "settings": settings }),
        false => json!({ "name": name }),
    };
    let fields = Fields::Changed { before: shown(&before.name, &old), after: shown(name, settings) };
    record(&mut tx, "set up", id, before.client_id, fields).await?;
    changed(&mut tx, &before).await?;
    tx.commit().await
}

/// Starts a sync by hand. Errors: `Conflict` when it is not connected, paused, or one is running.
pub async fn sync_now(scope: &Scope, id: IntegrationId, kind: SyncType, reach: Reach) -> Result<SyncId, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let integration = store::lock(&mut tx, id).await?;
    if !integration.kind.is_crm() {
        return Err(AppError::NotFound);
    }
    if integration.paused_at.is_some() {
        return Err(AppError::Conflict(Reason::WrongState, "It is paused. Resume it, then start the sync.".into()));
    }
    if !store::tokens::newest(tx.reading(), id).await?.is_some_and(|stored| stored.is_active) {
        return Err(AppError::Conflict(
            Reason::NotConnected,
            "Nobody is signed in there. Sign in again, then start the sync.".into(),
        ));
    }
    if integration.mapping().is_empty() {
        return Err(AppError::Conflict(Reason::NotReady, "No field is matched yet. Choose the fields first.".into()));
    }
    let sync = super::sync::begin(&mut tx, &integration, kind, reach).await?.ok_or_else(|| {
        AppError::Conflict(Reason::InUse, "A sync is running already. Wait until it is done, or cancel it.".into())
    })?;
    let started = json!({ "name": integration.name, "sync": sync.to_string(), "exchanges": kind, "reach": reach });
    record(&mut tx, "synchronized", id, integration.client_id, Fields::Happened(started)).await?;
    tx.notify(topic(id), integration.client_id);
    tx.commit().await?;
    Ok(sync)
}

/// Ends a running sync; what was exchanged stays so. One that is over stays as it is.
pub async fn cancel_sync(scope: &Scope, id: IntegrationId, sync: SyncId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let found = syncs::lock(&mut tx, sync).await?;
    if found.integration != id {
        return Err(AppError::NotFound);
    }
    let integration = store::lock(&mut tx, id).await?;
    if syncs::end(&mut tx, sync, SyncStatus::Failed, Some("Cancelled."), true).await? {
        let shown = |status: SyncStatus| json!({ "name": integration.name, "sync": sync.to_string(), "status": status, "read": found.items_read, "written": found.items_written });
        let fields = Fields::Changed { before: shown(SyncStatus::Running), after: shown(SyncStatus::Failed) };
        record(&mut tx, "cancelled a sync of", id, integration.client_id, fields).await?;
        let now = tx.reading().now().await?;
        if integration.next_sync_at.is_some_and(|at| at <= now) {
            // What came due while it ran is cancelled with it.
            let every = integration.config::<CrmConfig>().settings.every_minutes;
            let next = (every > 0).then(|| now + chrono::TimeDelta::minutes(i64::from(every)));
            store::set_next(&mut tx, id, false, next).await?;
        }
        tx.notify(topic(id), integration.client_id);
    }
    tx.commit().await
}

/// A sync is wanted soon, or at that time. The job looks itself whether one may run.
pub(crate) async fn want_sync(
    tx: &mut WriteTx,
    integration: &Integration,
    at: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<(), AppError> {
    let now = tx.reading().now().await?;
    let wanted = at.unwrap_or(now);
    let next = integration.next_sync_at.map_or(wanted, |next| next.min(wanted));
    store::set_next(tx, integration.id, false, Some(next)).await?;
    patchbay_jobs::enqueue(tx, &StartSync { integration: integration.id }, NewJob { run_at: at }).await
}
