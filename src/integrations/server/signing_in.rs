//! Signing in at another system. What is begun belongs to one browser session and one person, lasts ten minutes and is used once.

use std::collections::BTreeMap;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::store::{self, Integration, links, pending, syncs, tokens as table};
use super::tokens::{self, App, Sealed, TokenDocument};
use super::{crm, mapping, ops, slack};
use crate::model::{IntegrationType, SyncStatus, TokenType};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, Visitor, random_token, session_hash};
use patchbay_connections::model::{IntegrationStatus, Mode};
use patchbay_jobs::NewJob;
use patchbay_providers::crm::CrmObject;
use patchbay_providers::oauth::{self, ChannelHook, Grant, OauthApp, OauthError};
use patchbay_providers::sealed::in_the_clear;
use patchbay_providers::{Binding, Secret};
use patchbay_shared::error::internal;
use patchbay_shared::ids::IntegrationId;
use patchbay_shared::text::one_line;
use patchbay_shared::{AppError, Reason};

/// Where services lead people back to.
pub(crate) const CALLBACK: &str = "/integrations/callback";

/// What is sealed of a sign-in that was begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    #[serde(with = "in_the_clear")]
    verifier: Secret<String>,
    app: App,
    redirect_uri: String,
    /// Another account than before is meant.
    other_account: bool,
}

/// How a sign-in that was begun ended without one: the word stands in the address that the person is led to.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The person said no there.
    Denied,
    /// Too old, used, or nobody's.
    Old,
    /// It was begun in another browser, or by somebody else.
    Browser,
    /// It is another account than before.
    Other,
    /// The service gave no token.
    Service(String),
    Error(AppError),
}

impl From<AppError> for Failed {
    fn from(error: AppError) -> Self {
        Self::Error(error)
    }
}

impl Failed {
    pub fn word(&self) -> &'static str {
        match self {
            Failed::Denied => "denied",
            Failed::Old => "old",
            Failed::Browser => "browser",
            Failed::Other => "other",
            Failed::Service(_) | Failed::Error(_) => "failed",
        }
    }
}

fn place(scope: &Scope, id: IntegrationId) -> Binding {
    Binding::new(scope.workspace_id().0, format!("integration:{id}"), "sign_in")
}

fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

fn session_of(visitor: &Visitor) -> Result<Vec<u8>, AppError> {
    let id = visitor.session.as_ref().and_then(|session| session.id());
    id.map(|id| session_hash(&id)).ok_or(AppError::NotSignedIn)
}

/// The address of the page at the service where the person agrees. `app`: the agency's own, when it was typed just now. `other_account`:
/// another one than before is meant, so what is known of the old one's records is forgotten.
///
/// Errors: `Invalid` at `app_id` when no app is known.
pub async fn begin_sign_in(
    visitor: &Visitor,
    id: IntegrationId,
    app: Option<(String, String)>,
    other_account: bool,
) -> Result<String, AppError> {
    let scope = visitor.scope()?;
    let session = session_of(visitor)?;
    let mut tx = scope.write(Action::ManageConnections).await?;
    let integration = store::get(tx.reading(), id).await?;
    let user = tx.user_id().ok_or(AppError::Forbidden)?;
    let kind = tokens::oauth_kind(integration.kind).ok_or(AppError::NotFound)?;
    let app = match app {
        Some((id, secret)) => Some(App { id, secret: Secret::new(secret) }),
        None if integration.mode == Mode::Sandbox.as_str() => {
            Some(App { id: format!("sandbox-{id}"), secret: Secret::new("sandbox".to_owned()) })
        }
        None => tokens::known_app(&scope, id).await?,
    };
    let app = app.ok_or_else(|| {
        AppError::invalid(
            "app_id",
            "Type the id and the secret of your app at the service. They are forgotten when you disconnect.",
        )
    })?;
    let redirect_uri = format!("{}{CALLBACK}", visitor.base);
    let begun = Begun { verifier: oauth::new_verifier(), app, redirect_uri: redirect_uri.clone(), other_account };
    let oauth_app = tokens::oauth_app(scope.services(), &integration, &begun.app, redirect_uri)?;
    let state = random_token();
    let challenge = oauth::challenge_of(&begun.verifier);
    let address = oauth::authorize_url(&oauth_app, oauth::scopes_of(kind), &state, &challenge)
        .map_err(|error| AppError::Conflict(Reason::Configuration, error.to_string()))?;
    let sealed = scope.services().ring.seal(&place(&scope, id), &begun).map_err(internal)?;
    table::begin(&mut tx, id, user, &digest(&state), &session, &sealed).await?;
    tx.audit(Change {
        action: "began to sign in at",
        entity: "integration",
        entity_id: Some(id.0),
        client_id: integration.client_id,
        fields: Fields::Happened(
            json!({ "name": integration.name, "type": integration.kind, "other_account": other_account }),
        ),
    })
    .await?;
    tx.commit().await?;
    Ok(address)
}

/// What a service's callback brings.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Callback {
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub error: String,
    /// Zoho's: which of its servers gives the token.
    #[serde(rename = "accounts-server")]
    pub accounts_server: Option<String>,
}

/// Makes a callback into a sign-in. Gives the page that comes next.
pub(crate) async fn finish_sign_in(
    visitor: &Visitor,
    callback: &Callback,
) -> Result<String, (Option<IntegrationId>, Failed)> {
    let none = |error: AppError| (None, Failed::Error(error));
    let scope = visitor.scope().map_err(none)?;
    let session = session_of(visitor).map_err(none)?;
    let mut tx = scope.write(Action::ManageConnections).await.map_err(none)?;
    let attempt = table::take(&mut tx, &digest(&callback.state)).await.map_err(none)?;
    let user = tx.user_id();
    tx.commit().await.map_err(none)?;
    let attempt = attempt.ok_or((None, Failed::Old))?;
    let id = attempt.integration;
    let some = |failed: Failed| (Some(id), failed);
    if attempt.session_digest != session || Some(attempt.user) != user {
        return Err((None, Failed::Browser));
    }
    if attempt.was_used || attempt.is_old {
        return Err(some(Failed::Old));
    }
    if !callback.error.is_empty() || callback.code.is_empty() {
        return Err(some(Failed::Denied));
    }
    let begun: Begun = scope
        .services()
        .ring
        .open(&place(&scope, id), &attempt.sealed)
        .map_err(|error| some(Failed::Error(internal(error))))?;
    let ended = conclude(&scope, id, &begun, callback).await;
    if let Err(Failed::Service(words)) = &ended {
        let noted = async {
            let mut tx = scope.write(Action::ManageConnections).await?;
            let before = store::lock(&mut tx, id).await?;
            if before.status != IntegrationStatus::Active {
                ops::broken(&mut tx, id, words, false).await?;
            }
            tx.commit().await
        };
        noted.await.map_err(|error| some(Failed::Error(error)))?;
    }
    ended.map(|next| format!("/integrations/{id}{next}")).map_err(some)
}

/// Has the service exchange the code, looks whose account it is, and stores the sign-in. Gives the part of the integration's page that comes
/// next.
async fn conclude(
    scope: &Scope,
    id: IntegrationId,
    begun: &Begun,
    callback: &Callback,
) -> Result<&'static str, Failed> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let integration = store::get(&mut tx, id).await?;
    drop(tx);
    let services = scope.services();
    let app = tokens::oauth_app(services, &integration, &begun.app, begun.redirect_uri.clone())?;
    let code = Secret::new(callback.code.clone());
    let server = callback.accounts_server.as_deref();
    let refused = |error: OauthError| Failed::Service(error.to_string());
    let grant =
        oauth::exchange(&services.http, &app, &code, &begun.verifier, server, Utc::now()).await.map_err(refused)?;
    let mut document = document_of(&grant, &begun.app);
    let known = about(scope, &integration, &app, &grant, &document).await;
    let (account, proposed) = match known {
        Ok(known) => known,
        Err(words) => {
            give_back(scope, &app, &grant).await;
            return Err(Failed::Service(words));
        }
    };
    let hook = match integration.kind {
        IntegrationType::Slack => slack::own_hook(scope, &integration, &grant)?,
        _ => None,
    };
    if let Some(hook) = &hook {
        slack::keep_hook(&mut document, hook);
    }
    let came = Came { account, document, proposed, hook };
    let kept = keep(scope, id, begun.other_account, &grant, &came).await;
    if kept.is_err() && !is_used(scope, &integration, &app, &came).await {
        give_back(scope, &app, &grant).await;
    }
    kept
}

/// What a sign-in brought.
struct Came {
    /// Id, name and user.
    account: (String, String, String),
    document: TokenDocument,
    /// A first mapping.
    proposed: Option<Vec<crate::model::FieldMap>>,
    hook: Option<ChannelHook>,
}

/// Whether ending this grant would end what works: an app has one token in a workspace of Slack. Also so when it cannot be known.
async fn is_used(scope: &Scope, integration: &Integration, app: &OauthApp, came: &Came) -> bool {
    let token = &came.document.access_token;
    integration.kind == IntegrationType::Slack
        && tokens::is_used(scope, None, &came.account.0, &app.client_id, token).await.unwrap_or(true)
}

/// Stores a sign-in. Errors: `Other` for another account than before, unless that is meant.
async fn keep(
    scope: &Scope,
    id: IntegrationId,
    other_is_meant: bool,
    grant: &Grant,
    came: &Came,
) -> Result<&'static str, Failed> {
    let Came { account, document, proposed, hook } = came;
    let mut tx = scope.write(Action::ManageConnections).await?;
    syncs::lock_running(&mut tx, id).await?;
    let before = store::lock(&mut tx, id).await?;
    // An incoming webhook does not say whose it was.
    let known = before.account_id.as_ref().filter(|known| *known != slack::BY_WEBHOOK);
    let is_other = known.is_some_and(|known| *known != account.0);
    if is_other && !other_is_meant {
        return Err(Failed::Other);
    }
    let user = tx.user_id().ok_or(AppError::Forbidden)?;
    if is_other {
        links::forget_all(&mut tx, id).await?;
        store::activities::forget(&mut tx, id).await?;
        pending::forget_reads(&mut tx, id).await?;
        if let Some(sync) = syncs::running(tx.reading(), id).await? {
            syncs::end(&mut tx, sync, SyncStatus::Failed, Some("Another account was connected."), false).await?;
        }
        let mut config = before.config.clone();
        if let Some(fields) = config.as_object_mut() {
            let old = [
                "contacts_until",
                "deals_until",
                "activities_until",
                "activities_missing",
                "activities_whole_at",
                "stages",
                "remote_total",
                "mapped_at",
            ];
            fields.retain(|name, _| !old.contains(&name.as_str()));
        }
        store::set_config(&mut tx, id, &config).await?;
    }
    tokens::store(&mut tx, &before, user, TokenType::Oauth2, document, &grant.scopes, grant.expires_at).await?;
    let status = if before.paused_at.is_some() { IntegrationStatus::Inactive } else { IntegrationStatus::Active };
    store::set_account(&mut tx, id, (&account.0, &account.1, &account.2), status).await?;
    if let Some(lines) = proposed.as_ref().filter(|_| before.mapping().is_empty()) {
        store::set_mapping(&mut tx, id, &json!(lines)).await?;
    }
    let was_connected = before.account_id.is_some();
    let channels = match before.kind {
        IntegrationType::Slack => slack::signed_in(&mut tx, &before, hook.as_ref(), known == Some(&account.0)).await?,
        _ => (None, None),
    };
    let shown = |account: Option<&String>, status, channel: Option<String>| {
        let mut shown = json!({ "name": before.name, "account": account, "status": status });
        if let Some(channel) = channel {
            shown["channel"] = json!(channel);
        }
        shown
    };
    tx.audit(Change {
        action: if was_connected { "signed in again at" } else { "connected" },
        entity: "integration",
        entity_id: Some(id.0),
        client_id: before.client_id,
        fields: Fields::Changed {
            before: shown(before.account_id.as_ref(), before.status, channels.0),
            after: shown(Some(&account.0), status, channels.1),
        },
    })
    .await?;
    if let Some(sync) = syncs::running(tx.reading(), id).await? {
        patchbay_jobs::enqueue(&mut tx, &super::jobs::SyncIntegration { sync }, NewJob::default()).await?;
    } else if before.last_sync_at.is_some() && before.kind.is_crm() {
        ops::want_sync(&mut tx, &before, None).await?;
    }
    if before.kind.takes_messages() {
        super::messages::hurry(&mut tx, id).await?;
    }
    ops::changed(&mut tx, &before).await?;
    tx.commit().await?;
    Ok(match (before.kind, was_connected) {
        // What is told there, and where, is chosen next.
        (IntegrationType::Slack, _) => "/settings",
        (_, true) => "",
        (_, false) => "/setup",
    })
}

fn document_of(grant: &Grant, app: &App) -> TokenDocument {
    let mut extra = BTreeMap::new();
    for (name, value) in [("api_base", grant.api_base.clone()), ("accounts", grant.accounts.clone())] {
        if let Some(value) = value {
            extra.insert(name.to_owned(), value);
        }
    }
    TokenDocument {
        access_token: grant.access_token.clone(),
        refresh_token: grant.refresh_token.clone().map(Sealed),
        app: Some(app.clone()),
        extra,
    }
}

/// Id, name and user of the account, and for a CRM a first mapping. Errors: what the service says.
async fn about(
    scope: &Scope,
    integration: &Integration,
    app: &OauthApp,
    grant: &Grant,
    document: &TokenDocument,
) -> Result<((String, String, String), Option<Vec<crate::model::FieldMap>>), String> {
    let mut hint = grant.account.clone();
    let mut proposed = None;
    match integration.kind {
        IntegrationType::Hubspot | IntegrationType::Zoho => {
            let token = tokens::Token::of(document.clone());
            let open = crm::with(scope, integration, token).map_err(|lacking| crm::told(lacking).to_string())?;
            let account = open.crm.account().await.map_err(|error| error.sentence())?;
            let properties = open.crm.properties(CrmObject::Contact).await.map_err(|error| error.sentence())?;
            proposed = Some(mapping::propose(&properties));
            if integration.kind == IntegrationType::Hubspot
                && let Ok(more) = oauth::introspect(&scope.services().http, app, &grant.access_token).await
            {
                (hint.name, hint.user) = (more.name, more.user);
            }
            hint.id = account.id;
            for (slot, value) in [(&mut hint.name, account.name), (&mut hint.user, account.user)] {
                if slot.is_empty() {
                    *slot = value;
                }
            }
        }
        IntegrationType::Slack if hint.id.is_empty() => {
            return Err("The app was put into a whole organization of Slack. Put it into one workspace.".to_owned());
        }
        _ => {}
    }
    if hint.id.is_empty() {
        return Err("The service does not say whose account it is. Try again.".to_owned());
    }
    let short = |text: &str| one_line(text).chars().take(200).collect::<String>();
    Ok(((short(&hint.id), short(&hint.name), short(&hint.user)), proposed))
}

/// A sign-in that is not used is ended there, too.
async fn give_back(scope: &Scope, app: &OauthApp, grant: &Grant) {
    let refresh = grant.refresh_token.as_ref();
    let ended =
        oauth::revoke(&scope.services().http, app, &grant.access_token, refresh, grant.accounts.as_deref()).await;
    if let Err(error) = ended {
        tracing::warn!(cause = %error, "a sign-in that is not used was not ended at the service");
    }
}
