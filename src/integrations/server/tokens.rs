//! Sign-ins at other systems: kept sealed, renewed ahead of their end by one process at a time, ended at the service when people
//! disconnect.
//!
//! The surprising part: the right to renew is a row's own lease, taken with the very text that was read. Whoever does not get it uses
//! the token that is there while it is good, and waits otherwise until whoever has it gives a notice. So a refresh token that is good once
//! only is used once.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ops;
use super::store::{self, Integration, tokens};
use crate::model::{CrmConfig, IntegrationType, TokenType};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_connections::model::Mode;
use patchbay_providers::oauth::{self, OauthAddresses, OauthApp, OauthError, OauthKind};
use patchbay_providers::sealed::in_the_clear;
use patchbay_providers::{Binding, Secret};
use patchbay_services::Services;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{IntegrationId, UserId, WorkspaceId};
use patchbay_shared::{AppError, Reason};

/// A sign-in is renewed so long before its end.
pub(crate) const AHEAD: chrono::TimeDelta = chrono::TimeDelta::minutes(5);
/// Not used any more so short before its end: it has to arrive.
const LAST_MOMENT: chrono::TimeDelta = chrono::TimeDelta::seconds(10);
/// How long work waits for another process that renews it.
pub(crate) const MOMENT: Duration = Duration::from_secs(2);
pub(crate) const RENEWING: &str = "Its sign-in is being renewed.";
/// How long for a service that cannot renew it now.
const TROUBLE: Duration = Duration::from_secs(60);

/// What is sealed of a sign-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenDocument {
    #[serde(with = "in_the_clear")]
    pub access_token: Secret<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Sealed>,
    /// The agency's own app at the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<App>,
    /// What else belongs to it, by its type: where the service wants to be asked, a channel's address.
    #[serde(default)]
    pub extra: BTreeMap<String, String>,
}

/// A secret within a sealed document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sealed(#[serde(with = "in_the_clear")] pub Secret<String>);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct App {
    pub id: String,
    #[serde(with = "in_the_clear")]
    pub secret: Secret<String>,
}

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum Lacking {
    /// Somebody has to sign in.
    SignIn,
    /// Somebody else renews it at the moment, and gives a notice when that is over.
    Renewing,
    /// Not now; later.
    Later(Duration, String),
    Error(AppError),
}

impl From<AppError> for Lacking {
    fn from(error: AppError) -> Self {
        Self::Error(error)
    }
}

/// A token that works, as far as one can know.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub document: TokenDocument,
    sealed: String,
}

impl Token {
    /// One that is not stored yet.
    pub fn of(document: TokenDocument) -> Self {
        Self { document, sealed: String::new() }
    }
}

fn place(workspace: WorkspaceId, integration: IntegrationId) -> Binding {
    Binding::new(workspace.0, format!("integration:{integration}"), "token")
}

fn seal(
    services: &Services,
    workspace: WorkspaceId,
    integration: IntegrationId,
    document: &TokenDocument,
) -> Result<(String, String), AppError> {
    let sealed = services.ring.seal(&place(workspace, integration), document).map_err(internal)?;
    let key = services.ring.ids().first().map(|id| (*id).to_owned()).unwrap_or_default();
    Ok((sealed, key))
}

pub(super) fn open(scope: &Scope, integration: IntegrationId, sealed: &str) -> Result<TokenDocument, AppError> {
    scope.services().ring.open(&place(scope.workspace_id(), integration), sealed).map_err(|error| {
        tracing::warn!(%integration, cause = %error, "a stored sign-in does not open");
        AppError::Conflict(
            Reason::NotConnected,
            "The stored sign-in cannot be opened with this server’s encryption keys. An owner can sign in again."
                .into(),
        )
    })
}

/// From now on this sign-in is used. `user`: who signed in.
pub async fn store(
    tx: &mut WriteTx,
    integration: &Integration,
    user: UserId,
    kind: TokenType,
    document: &TokenDocument,
    scopes: &[String],
    expires_at: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    let (sealed, key_id) = seal(tx.services(), tx.workspace_id(), integration.id, document)?;
    let save = tokens::Save {
        user,
        integration: integration.id,
        provider: integration.kind.as_str(),
        kind,
        sealed: &sealed,
        key_id: &key_id,
        scopes,
        expires_at,
    };
    tokens::save(tx, &save).await
}

/// What is known of the sign-in, without renewing it. Errors: `Conflict` when nobody is signed in.
pub async fn document(scope: &Scope, id: IntegrationId) -> Result<TokenDocument, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let stored = tokens::newest(&mut tx, id).await?.filter(|stored| stored.is_active);
    let stored = stored.ok_or_else(|| {
        AppError::Conflict(Reason::NotConnected, "Nobody is signed in there. An owner can connect it.".into())
    })?;
    open(scope, id, &stored.sealed)
}

/// Nobody is signed in any more.
pub async fn forget(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    tokens::forget(tx, id).await
}

/// The app that the agency typed, also after a sign-in has ended.
pub(crate) async fn known_app(scope: &Scope, id: IntegrationId) -> Result<Option<App>, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let stored = tokens::newest(&mut tx, id).await?;
    Ok(stored.and_then(|stored| open(scope, id, &stored.sealed).ok()).and_then(|document| document.app))
}

/// A token to ask with: the one that is there, or a renewed one.
pub(crate) async fn current(scope: &Scope, integration: &Integration) -> Result<Token, Lacking> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let stored = tokens::newest(&mut tx, integration.id).await?.filter(|stored| stored.is_active);
    let now = tx.now().await?;
    drop(tx);
    let stored = stored.ok_or(Lacking::SignIn)?;
    if stored.expires_at.is_none_or(|end| end > now + AHEAD) {
        return opened(scope, integration.id, stored.sealed);
    }
    renew(scope, integration, &stored, now).await
}

/// The service refused this token although it looked good: another one, unless there is a newer one by now.
pub(crate) async fn refused(scope: &Scope, integration: &Integration, token: &Token) -> Result<Token, Lacking> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let stored = tokens::newest(&mut tx, integration.id).await?.filter(|stored| stored.is_active);
    let now = tx.now().await?;
    drop(tx);
    let stored = stored.ok_or(Lacking::SignIn)?;
    if stored.sealed != token.sealed {
        // Sealed anew with another key it still is the token that was refused.
        let fresh = opened(scope, integration.id, stored.sealed.clone())?;
        if fresh.document.access_token.expose() != token.document.access_token.expose() {
            return Ok(fresh);
        }
    }
    // An old one is not good enough here, so whoever renews it at the moment is waited for.
    renew(scope, integration, &tokens::Stored { expires_at: Some(now), ..stored }, now).await
}

fn opened(scope: &Scope, id: IntegrationId, sealed: String) -> Result<Token, Lacking> {
    Ok(Token { document: open(scope, id, &sealed)?, sealed })
}

async fn renew(
    scope: &Scope,
    integration: &Integration,
    stored: &tokens::Stored,
    now: DateTime<Utc>,
) -> Result<Token, Lacking> {
    let is_good = stored.expires_at.is_none_or(|end| end > now + LAST_MOMENT);
    let document = open(scope, integration.id, &stored.sealed)?;
    let old = || Token { document: document.clone(), sealed: stored.sealed.clone() };
    let Some((refresh, app)) = document.refresh_token.clone().zip(app_of(scope, integration, &document)?) else {
        // Nothing renews it: it is used to its end.
        return if is_good { Ok(old()) } else { Err(end(scope, integration, &stored.sealed, ENDED).await?) };
    };
    let me = Uuid::now_v7();
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let is_mine = !stored.is_being_renewed && tokens::claim(&mut tx, stored, me).await?;
    tx.commit().await?;
    if !is_mine {
        return match is_good {
            true => Ok(old()),
            false => Err(Lacking::Renewing),
        };
    }
    let accounts = document.extra.get("accounts").map(String::as_str);
    let answer = oauth::refresh(&scope.services().http, &app, &refresh.0, accounts, Utc::now()).await;
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    match answer {
        Ok(grant) => {
            let mut document = document.clone();
            document.access_token = grant.access_token;
            document.refresh_token = grant.refresh_token.map(Sealed).or(document.refresh_token);
            keep(&mut document.extra, "api_base", grant.api_base);
            keep(&mut document.extra, "accounts", grant.accounts);
            let (sealed, key) = seal(scope.services(), scope.workspace_id(), integration.id, &document)?;
            if !tokens::renew(&mut tx, stored.id, me, &sealed, &key, &grant.scopes, grant.expires_at).await? {
                return Err(Lacking::Later(MOMENT, "Its sign-in was changed meanwhile.".into()));
            }
            tx.notify(ops::topic(integration.id), integration.client_id);
            tx.commit().await?;
            Ok(Token { document, sealed })
        }
        Err(OauthError::NeedsSignIn(words)) => {
            if tokens::release(&mut tx, stored.id, me, true).await? {
                ops::broken(&mut tx, integration.id, &words, true).await?;
            }
            tx.notify(ops::topic(integration.id), integration.client_id);
            tx.commit().await?;
            Err(Lacking::SignIn)
        }
        Err(OauthError::Refused(words)) => {
            tokens::release(&mut tx, stored.id, me, false).await?;
            ops::broken(&mut tx, integration.id, &words, false).await?;
            tx.notify(ops::topic(integration.id), integration.client_id);
            tx.commit().await?;
            if is_good { Ok(old()) } else { Err(Lacking::Later(TROUBLE * 10, words)) }
        }
        Err(OauthError::TryLater { after, said }) => {
            tokens::release(&mut tx, stored.id, me, false).await?;
            tx.notify(ops::topic(integration.id), integration.client_id);
            tx.commit().await?;
            if is_good { Ok(old()) } else { Err(Lacking::Later(after.unwrap_or(TROUBLE), said)) }
        }
    }
}

const ENDED: &str = "The sign-in has ended. An owner can sign in again; what waits goes on from there.";

/// The sign-in is over: everything waits until somebody signs in again.
pub(crate) async fn end(
    scope: &Scope,
    integration: &Integration,
    sealed: &str,
    words: &str,
) -> Result<Lacking, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    if tokens::end(&mut tx, integration.id, sealed).await? {
        ops::broken(&mut tx, integration.id, words, true).await?;
    }
    tx.commit().await?;
    Ok(Lacking::SignIn)
}

/// Also a fresh token is refused.
pub(crate) async fn ended(scope: &Scope, integration: &Integration, token: &Token) -> Result<(), AppError> {
    end(scope, integration, &token.sealed, ENDED).await.map(|_| ())
}

fn keep(extra: &mut BTreeMap<String, String>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        extra.insert(name.to_owned(), value);
    }
}

pub(crate) fn oauth_kind(kind: IntegrationType) -> Option<OauthKind> {
    match kind {
        IntegrationType::Hubspot => Some(OauthKind::HubSpot),
        IntegrationType::Zoho => Some(OauthKind::Zoho),
        IntegrationType::Slack => Some(OauthKind::Slack),
        _ => None,
    }
}

fn app_of(scope: &Scope, integration: &Integration, document: &TokenDocument) -> Result<Option<OauthApp>, AppError> {
    let Some(app) = &document.app else { return Ok(None) };
    oauth_app(scope.services(), integration, app, String::new()).map(Some)
}

/// The app with the addresses of the service that the integration asks.
pub(crate) fn oauth_app(
    services: &Services,
    integration: &Integration,
    app: &App,
    redirect_uri: String,
) -> Result<OauthApp, AppError> {
    let kind = oauth_kind(integration.kind).ok_or(AppError::NotFound)?;
    let addresses = match integration.mode == Mode::Sandbox.as_str() {
        false => OauthAddresses::live(kind, &integration.config::<CrmConfig>().region),
        true => OauthAddresses::sandbox(kind, &sandbox_base(services, integration.kind)?),
    };
    Ok(OauthApp { kind, client_id: app.id.clone(), client_secret: app.secret.clone(), redirect_uri, addresses })
}

/// Where the stand-in of a service is. Errors: `Conflict` where none runs.
pub(crate) fn sandbox_base(services: &Services, kind: IntegrationType) -> Result<String, AppError> {
    let addresses = services.sandbox.as_ref().ok_or_else(|| {
        AppError::Conflict(Reason::Configuration, "This installation has no sandbox. Choose the real service.".into())
    })?;
    Ok(match kind {
        IntegrationType::Hubspot => addresses.hubspot.clone(),
        IntegrationType::Zoho => addresses.zoho.clone(),
        IntegrationType::Slack => addresses.slack.clone(),
        _ => return Err(AppError::NotFound),
    })
}

/// Whether an integration uses this app’s token at the account, or this very token: an app has one in a workspace of Slack. What does not
/// open may be it, too. `besides`: this integration does not count.
pub(super) async fn is_used(
    scope: &Scope,
    besides: Option<IntegrationId>,
    account: &str,
    app: &str,
    token: &Secret<String>,
) -> Result<bool, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let all = tokens::at_account(&mut tx, IntegrationType::Slack, account).await?;
    drop(tx);
    Ok(all.iter().filter(|(id, _)| Some(*id) != besides).any(|(id, sealed)| {
        open(scope, *id, sealed).map_or(true, |other| {
            other.app.is_some_and(|own| own.id == app) || other.access_token.expose() == token.expose()
        })
    }))
}

/// Has the service end the sign-in, as far as it answers. What is not ended there is at least forgotten here. An app has one token in a
/// workspace of Slack: it is left to others who use it, too.
pub(crate) async fn revoke(scope: &Scope, integration: &Integration) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let stored = tokens::newest(&mut tx, integration.id).await?;
    drop(tx);
    let Some(document) = stored.and_then(|stored| open(scope, integration.id, &stored.sealed).ok()) else {
        return Ok(());
    };
    // Where the service cannot be reached any more (a stand-in that is gone), it is only forgotten here.
    let Ok(Some(app)) = app_of(scope, integration, &document) else { return Ok(()) };
    if let (IntegrationType::Slack, Some(account)) = (integration.kind, &integration.account_id)
        && is_used(scope, Some(integration.id), account, &app.client_id, &document.access_token).await?
    {
        return Ok(());
    }
    let (refresh, accounts) = (document.refresh_token.as_ref().map(|token| &token.0), document.extra.get("accounts"));
    let ended =
        oauth::revoke(&scope.services().http, &app, &document.access_token, refresh, accounts.map(String::as_str))
            .await;
    if let Err(error) = ended {
        tracing::warn!(integration = %integration.id, cause = %error, "a sign-in was not ended at the service");
    }
    Ok(())
}

/// Renews a sign-in that ends soon. By the clock.
pub(crate) async fn renew_ahead(scope: &Scope, id: IntegrationId) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let integration = store::get(&mut tx, id).await?;
    drop(tx);
    match current(scope, &integration).await {
        Ok(_) | Err(Lacking::SignIn | Lacking::Renewing | Lacking::Later(..)) => Ok(()),
        Err(Lacking::Error(error)) => Err(error),
    }
}
