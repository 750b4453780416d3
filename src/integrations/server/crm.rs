//! A CRM, ready to be asked with the sign-in of an integration.

use super::store::Integration;
use super::tokens::{self, Lacking, Token};
use crate::model::IntegrationType;
use patchbay_access::server::Scope;
use patchbay_connections::model::Mode;
use patchbay_providers::crm::Crm;
use patchbay_providers::hubspot::{self, HubSpot};
use patchbay_providers::zoho::Zoho;
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::AppError;

/// The client and the token that it asks with.
pub(crate) struct Open {
    pub crm: Box<dyn Crm>,
    pub token: Token,
}

pub(crate) async fn open(scope: &Scope, integration: &Integration) -> Result<Open, Lacking> {
    let token = tokens::current(scope, integration).await?;
    with(scope, integration, token)
}

/// The same with a token that is at hand.
pub(crate) fn with(scope: &Scope, integration: &Integration, token: Token) -> Result<Open, Lacking> {
    let http = &scope.services().http;
    let is_sandbox = integration.mode == Mode::Sandbox.as_str();
    let base = match (is_sandbox, integration.kind, token.document.extra.get("api_base")) {
        (_, IntegrationType::Zoho, Some(base)) => base.clone(),
        (true, kind, _) => tokens::sandbox_base(scope.services(), kind)?,
        (false, _, _) => hubspot::BASE_URL.to_owned(),
    };
    let secret = &token.document.access_token;
    let down = |error: ProviderError| Lacking::Error(AppError::ProviderDown(error.sentence()));
    let crm: Box<dyn Crm> = match integration.kind {
        IntegrationType::Hubspot => Box::new(HubSpot::new(http, &base, secret).map_err(down)?),
        IntegrationType::Zoho => Box::new(Zoho::new(http, &base, secret).map_err(down)?),
        _ => return Err(Lacking::Error(AppError::NotFound)),
    };
    Ok(Open { crm, token })
}

/// Whether the service says that the token is good no more, and not that it may not do this.
pub(crate) fn is_token_refused(error: &ProviderError) -> bool {
    error.kind == Kind::Credentials && error.status != Some(403)
}

/// What a person is told who waits for an answer.
pub(crate) fn told(lacking: Lacking) -> AppError {
    match lacking {
        Lacking::SignIn => AppError::Conflict(
            patchbay_shared::Reason::NotConnected,
            "The sign-in has ended. An owner can sign in again; what waits goes on from there.".into(),
        ),
        Lacking::Renewing => AppError::ProviderDown(format!("{} Try again in a minute.", tokens::RENEWING)),
        Lacking::Later(_, words) => AppError::ProviderDown(format!("{words} Try again in a minute.")),
        Lacking::Error(error) => error,
    }
}
