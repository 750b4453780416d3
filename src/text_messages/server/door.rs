//! Carriers that are integrations deliver here. The signature first, over what was posted; nothing is read into the database before.

use std::str::FromStr;

use axum::http::HeaderMap;
use url::Url;

use super::{carrier, incoming};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope};
use patchbay_providers::signature::{
    PLIVO_NONCE, PLIVO_SIGNATURE, Sent, TWILIO_SIGNATURE, verify_plivo, verify_twilio,
};
use patchbay_providers::text::TextEvent;
use patchbay_providers::{plivo, twilio};
use patchbay_shared::AppError;
use patchbay_shared::ids::{IntegrationId, WorkspaceId};

/// Fields of a form, at most.
const MOST_FIELDS: usize = 200;

/// What may be done until the signature has been checked, and afterwards.
const READER: Machine = Machine { name: "text message", actions: &[Action::ReadIntegrations, Action::UseConnections] };
const SENDER: Machine = Machine { name: "text message", actions: &[Action::ManageTexts] };

/// A delivery as it came.
pub(super) struct Delivery {
    pub carrier: String,
    pub workspace: String,
    pub integration: String,
    /// With its question mark; empty when there is none.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What the carrier hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    /// No such account, or a bad signature.
    Rejected,
    /// It could not be taken now: trouble of ours, or an account whose sign-in does not open.
    TryLater,
}

pub(super) async fn take(db: Db, delivery: Delivery) -> Answer {
    match taken(db, &delivery).await {
        Ok(true) => Answer::Taken,
        Ok(false) | Err(AppError::NotFound | AppError::Invalid(_)) => Answer::Rejected,
        Err(error) => {
            tracing::warn!(workspace = %delivery.workspace, cause = %error, "a text message could not be taken in");
            Answer::TryLater
        }
    }
}

async fn taken(db: Db, delivery: &Delivery) -> Result<bool, AppError> {
    let name = match delivery.carrier.as_str() {
        twilio::NAME => twilio::NAME,
        plivo::NAME => plivo::NAME,
        _ => return Ok(false),
    };
    let header = |name: &str| delivery.headers.get(name).and_then(|value| value.to_str().ok());
    // Without a signature it costs no look into the database.
    let is_signed = match name {
        twilio::NAME => header(TWILIO_SIGNATURE).is_some(),
        _ => header(PLIVO_SIGNATURE).is_some() || header(plivo::TEXT_SIGNATURE).is_some(),
    };
    let workspace = WorkspaceId::from_str(&delivery.workspace);
    let (Ok(workspace), Ok(id), true) = (workspace, IntegrationId::from_str(&delivery.integration), is_signed) else {
        return Ok(false);
    };
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&delivery.body)
        .take(MOST_FIELDS)
        .map(|(a, b)| (a.into_owned(), b.into_owned()))
        .collect();
    let unverified = Scope::of_integration(db.clone(), workspace, READER);
    let account = carrier::account(&unverified, id).await?;
    if account.carrier.name() != name {
        return Ok(false);
    }
    let address = carrier::address(&unverified.services().public_url, name, workspace, id);
    let Ok(url) = Url::parse(&format!("{address}{}", delivery.query)) else { return Ok(false) };
    let token = &account.auth_token;
    let checked = match name {
        twilio::NAME => verify_twilio(token, &url, Sent::Form(&fields), header(TWILIO_SIGNATURE)),
        _ => match header(PLIVO_SIGNATURE) {
            Some(signature) => verify_plivo(token, false, &url, &fields, header(PLIVO_NONCE), Some(signature)),
            None => plivo::verify_text(token, &url, header(plivo::TEXT_NONCE), header(plivo::TEXT_SIGNATURE)),
        },
    };
    if let Err(why) = checked {
        tracing::info!(carrier = name, workspace = %workspace, integration = %id, cause = %why, "refused a text message");
        return Ok(false);
    }
    let event: Option<TextEvent> =
        if name == twilio::NAME { twilio::text_event(&fields) } else { plivo::text_event(&fields) };
    let Some(event) = event else { return Ok(true) };
    let scope = Scope::of_integration(db, workspace, SENDER);
    let mut tx = scope.write(Action::ManageTexts).await?;
    // The address was signed, too, so the message that it names is the one that it was made for.
    let message = url.query_pairs().find(|(key, _)| key == "message").and_then(|(_, id)| id.parse().ok());
    let address = incoming::Address { account: Some(id), message };
    // About nothing of ours: said no to, the carrier would only send it again.
    if incoming::reported_of(&mut tx, name, &event, address).await? {
        tx.commit().await?;
    }
    Ok(true)
}
