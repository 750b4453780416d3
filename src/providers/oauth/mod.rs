//! Signing in at another service with OAuth 2: HubSpot, Zoho, Slack.
//!
//! The surprising parts: Zoho has an accounts server per data centre and says in the callback which one it is; that answer comes through
//! the browser, so only servers of Zoho are believed. Zoho and Slack answer 200 with an error in it. A refresh token is kept when the
//! answer brings no new one.

mod addresses;
mod answers;

pub use addresses::OauthAddresses;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use crate::http::{HttpClient, REQUEST_TIMEOUT, wait_asked_for};
use crate::sealed::Secret;

/// The largest answer that is read.
const MOST_READ: usize = 64 << 10;
/// The longest text of a service's own that is sent on as an id or a code.
const LONGEST: usize = 4_096;

/// Whose sign-in it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OauthKind {
    HubSpot,
    Zoho,
    Slack,
}

/// An app at a service, and where the service is.
#[derive(Debug, Clone)]
pub struct OauthApp {
    pub kind: OauthKind,
    pub client_id: String,
    pub client_secret: Secret<String>,
    pub redirect_uri: String,
    pub addresses: OauthAddresses,
}

/// What a sign-in gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub access_token: Secret<String>,
    /// The one of before when the answer brings none.
    pub refresh_token: Option<Secret<String>>,
    /// None: the token does not end by itself.
    pub expires_at: Option<DateTime<Utc>>,
    pub scopes: Vec<String>,
    /// Where the service wants to be asked. Zoho alone says so.
    pub api_base: Option<String>,
    /// The server that renews this sign-in, where there are several.
    pub accounts: Option<String>,
    pub account: AccountHint,
    /// Slack: the channel that was chosen while signing in.
    pub hook: Option<ChannelHook>,
}

/// An incoming webhook of the channel that a person chose. As Slack says it; whoever uses it looks whether the address is one of Slack's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelHook {
    pub address: Secret<String>,
    /// Slack's id of the channel.
    pub channel: String,
    /// Its name, without the sign before it.
    pub name: String,
}

/// What an answer tells of the account. Any of it may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountHint {
    pub id: String,
    pub name: String,
    pub user: String,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OauthError {
    /// The sign-in is over, or its code is: a person signs in again.
    #[error("{0}")]
    NeedsSignIn(String),
    /// Another try may go well. What is signed in stays so.
    #[error("{said}")]
    TryLater { after: Option<Duration>, said: String },
    /// The app is not accepted as it is set up.
    #[error("{0}")]
    Refused(String),
}

impl OauthKind {
    pub(super) fn service(self) -> &'static str {
        match self {
            OauthKind::HubSpot => "HubSpot",
            OauthKind::Zoho => "Zoho",
            OauthKind::Slack => "Slack",
        }
    }

    /// What stands between scopes.
    fn between(self) -> &'static str {
        match self {
            OauthKind::HubSpot => " ",
            OauthKind::Zoho | OauthKind::Slack => ",",
        }
    }
}

/// What Patchbay asks to be allowed.
pub fn scopes_of(kind: OauthKind) -> &'static [&'static str] {
    match kind {
        // Calls and tasks go with contacts.
        OauthKind::HubSpot => &[
            "oauth",
            "crm.objects.contacts.read",
            "crm.objects.contacts.write",
            "crm.objects.deals.read",
            "crm.schemas.contacts.read",
            "crm.schemas.deals.read",
        ],
        OauthKind::Zoho => &[
            "ZohoCRM.modules.contacts.ALL",
            "ZohoCRM.modules.deals.READ",
            "ZohoCRM.modules.calls.ALL",
            "ZohoCRM.modules.tasks.ALL",
            "ZohoCRM.modules.notes.READ",
            "ZohoCRM.modules.events.READ",
            "ZohoCRM.settings.fields.READ",
            "ZohoCRM.org.READ",
            "ZohoCRM.users.READ",
            "ZohoSearch.securesearch.READ",
        ],
        // The first has the person choose a channel while signing in, also a private one.
        OauthKind::Slack => &["incoming-webhook", "chat:write", "chat:write.public", "channels:read", "groups:read"],
    }
}

/// A fresh secret of PKCE: who brings it with the code is who began.
pub fn new_verifier() -> Secret<String> {
    let bytes: Vec<u8> = (0..3).flat_map(|_| uuid::Uuid::new_v4().into_bytes()).collect();
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is shown of the secret at the beginning (S256).
pub fn challenge_of(verifier: &Secret<String>) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

/// The page at which a person agrees.
pub fn authorize_url(app: &OauthApp, scopes: &[&str], state: &str, challenge: &str) -> Result<String, OauthError> {
    let mut url = Url::parse(&app.addresses.authorize).map_err(|_| no_address(app))?;
    let scope = scopes.join(app.kind.between());
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", &app.client_id)
            .append_pair("redirect_uri", &app.redirect_uri)
            .append_pair("scope", &scope)
            .append_pair("state", state);
        if app.kind == OauthKind::Zoho {
            // Without a consent there is no refresh token for somebody who has agreed before.
            query
                .append_pair("response_type", "code")
                .append_pair("access_type", "offline")
                .append_pair("prompt", "consent");
        }
        // At Slack, an app that takes a challenge becomes one without a secret.
        if app.kind != OauthKind::Slack {
            query.append_pair("code_challenge", challenge).append_pair("code_challenge_method", "S256");
        }
    }
    Ok(url.into())
}

/// Makes a code that came back into a grant. `accounts_server` is what Zoho's callback says of itself.
pub async fn exchange(
    http: &HttpClient,
    app: &OauthApp,
    code: &Secret<String>,
    verifier: &Secret<String>,
    accounts_server: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Grant, OauthError> {
    if code.expose().is_empty() || code.expose().len() > LONGEST {
        return Err(OauthError::NeedsSignIn(format!("{} sent no code that can be used.", app.kind.service())));
    }
    let accounts = app.accounts(accounts_server)?;
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose().as_str()),
        ("redirect_uri", app.redirect_uri.as_str()),
    ];
    if app.kind != OauthKind::Slack {
        fields.push(("code_verifier", verifier.expose()));
    }
    let document = ask(http, app, &app.token_url(&accounts), &fields, &[code, verifier]).await?;
    answers::grant(app, &document, None, &accounts, now)
}

/// Renews a grant. `accounts` is the grant's own, as it was stored.
pub async fn refresh(
    http: &HttpClient,
    app: &OauthApp,
    refresh_token: &Secret<String>,
    accounts: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Grant, OauthError> {
    let accounts = app.accounts(accounts)?;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose().as_str())];
    let document = ask(http, app, &app.token_url(&accounts), &fields, &[refresh_token]).await?;
    answers::grant(app, &document, Some(refresh_token), &accounts, now)
}

/// Ends a grant at the service. That it is over already is no error.
pub async fn revoke(
    http: &HttpClient,
    app: &OauthApp,
    access: &Secret<String>,
    refresh: Option<&Secret<String>>,
    accounts: Option<&str>,
) -> Result<(), OauthError> {
    let accounts = app.accounts(accounts)?;
    let url = app.revoke_url(&accounts);
    // The refresh token takes the access tokens with it.
    let token = refresh.unwrap_or(access);
    let hint = if refresh.is_some() { "refresh_token" } else { "access_token" };
    let done = match app.kind {
        OauthKind::Slack => {
            // Slack ends the token that asks.
            let request = http.direct().post(&url).bearer_auth(access.expose());
            send(app, request, &[access]).await
        }
        OauthKind::HubSpot | OauthKind::Zoho => {
            ask(http, app, &url, &[("token", token.expose()), ("token_type_hint", hint)], &[token]).await
        }
    };
    match done {
        Err(OauthError::NeedsSignIn(_)) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whose token it is. HubSpot alone has this; others answer with empty words.
pub async fn introspect(http: &HttpClient, app: &OauthApp, access: &Secret<String>) -> Result<AccountHint, OauthError> {
    if app.kind != OauthKind::HubSpot {
        return Ok(AccountHint::default());
    }
    let url = format!("{}/introspect", app.token_url(&app.addresses.token));
    let fields = [("token", access.expose().as_str()), ("token_type_hint", "access_token")];
    let document = ask(http, app, &url, &fields, &[access]).await?;
    Ok(answers::hint(app.kind, &document))
}

fn no_address(app: &OauthApp) -> OauthError {
    OauthError::Refused(format!("The address of {} is not a web address.", app.kind.service()))
}

/// Sends a form with the app's own name and secret.
async fn ask(
    http: &HttpClient,
    app: &OauthApp,
    url: &str,
    fields: &[(&str, &str)],
    hidden: &[&Secret<String>],
) -> Result<Value, OauthError> {
    let secret = app.client_secret.expose().as_str();
    let request = http.direct().post(url);
    let request = match app.kind {
        OauthKind::Slack => request.basic_auth(&app.client_id, Some(secret)).form(fields),
        OauthKind::HubSpot | OauthKind::Zoho => {
            let own = [("client_id", app.client_id.as_str()), ("client_secret", secret)];
            request.form(&fields.iter().chain(&own).collect::<Vec<_>>())
        }
    };
    send(app, request, hidden).await
}

async fn send(
    app: &OauthApp,
    request: reqwest::RequestBuilder,
    hidden: &[&Secret<String>],
) -> Result<Value, OauthError> {
    let name = app.kind.service();
    let later = |said: String| OauthError::TryLater { after: None, said };
    let sent = request.header("accept", "application/json").timeout(REQUEST_TIMEOUT).send().await;
    let mut response = sent.map_err(|e| {
        later(if e.is_timeout() {
            format!("{name} took too long to answer.")
        } else {
            format!("{name} can't be reached.")
        })
    })?;
    let (status, wait) = (response.status().as_u16(), wait_asked_for(response.headers(), Utc::now()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| later(format!("{name}’s answer broke off.")))? {
        if body.len() + chunk.len() > MOST_READ {
            return Err(later(format!("{name}’s answer is too large.")));
        }
        body.extend_from_slice(&chunk);
    }
    let document = crate::json::read(&body).unwrap_or(Value::Null);
    answers::checked(app, status, wait, document, hidden)
}
