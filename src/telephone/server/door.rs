//! Whose question about a call it is: the carrier that numbers are rented from, or an account of the agency's own at another one. The
//! signature first, over what was posted.

use axum::http::HeaderMap;
use bytes::Bytes;
use chrono::Utc;
use url::Url;

use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope};
use patchbay_connections::model::Mode;
use patchbay_connections::server::ops::{self as connections, WebhookKeys};
use patchbay_connections::server::{telephony, trunks};
use patchbay_providers::Trunk;
use patchbay_providers::signature::{
    PLIVO_SIGNATURE, TELNYX_SIGNATURE, TELNYX_TIMESTAMP, TOLERANCE, TWILIO_SIGNATURE, verify_form, verify_telnyx,
};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ConnectionId, IntegrationId, WorkspaceId};

/// Until the signature has been checked.
const CALLER: Machine =
    Machine { name: "somebody who asks about a call", actions: &[Action::ReadIntegrations, Action::UseConnections] };

/// A question of the carrier's as it came.
pub(crate) struct Asked {
    pub workspace: WorkspaceId,
    pub account: Account,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Which account is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    Rented(ConnectionId),
    Own(Trunk, IntegrationId),
}

impl Account {
    /// As the address names it. None: there is no such carrier or id.
    pub fn of(carrier: &str, id: &str) -> Option<Self> {
        match Trunk::of(carrier)? {
            Trunk::Telnyx => id.parse().ok().map(Account::Rented),
            trunk => id.parse().ok().map(|id| Account::Own(trunk, id)),
        }
    }

    pub fn trunk(self) -> Trunk {
        match self {
            Account::Rented(_) => Trunk::Telnyx,
            Account::Own(trunk, _) => trunk,
        }
    }

    /// The account that a number must be at to be called here. None: one that is rented from here.
    pub fn own(self) -> Option<IntegrationId> {
        match self {
            Account::Rented(_) => None,
            Account::Own(_, id) => Some(id),
        }
    }

    /// What the carrier asks.
    pub fn answer_url(self, scope: &Scope) -> String {
        match self {
            Account::Rented(id) => telephony::answer_url(scope, id.0),
            Account::Own(trunk, id) => trunks::call_addresses(scope, trunk, id).answer,
        }
    }

    /// How the carrier's leg is told to the voice service. None: the client's own carrier.
    pub fn line(self) -> Option<Trunk> {
        self.own().map(|_| self.trunk())
    }
}

/// The sender is who it says.
pub(crate) struct Genuine {
    /// What an account of the agency's own is connected as.
    pub mode: Option<Mode>,
}

/// None: it is somebody else. Errors: `NotFound` and `Conflict` for an account that is not connected.
pub(super) async fn check(db: &Db, asked: &Asked) -> Result<Option<Genuine>, AppError> {
    let header = |name: &'static str| asked.headers.get(name).and_then(|value| value.to_str().ok());
    match asked.account {
        Account::Rented(connection) => {
            let (Some(stamp), Some(signature)) = (header(TELNYX_TIMESTAMP), header(TELNYX_SIGNATURE)) else {
                return Ok(None);
            };
            let unverified = Scope::of_unverified_webhook(db.clone(), asked.workspace, "telnyx");
            let WebhookKeys::Telnyx(key) = connections::webhook_keys(&unverified, connection, "telnyx").await? else {
                return Ok(None);
            };
            let keys = std::slice::from_ref(&key);
            let checked = verify_telnyx(keys, Some(stamp), Some(signature), &asked.body, Utc::now(), TOLERANCE);
            Ok(checked.is_ok().then_some(Genuine { mode: None }))
        }
        Account::Own(trunk, id) => {
            let signed = if trunk == Trunk::Twilio { TWILIO_SIGNATURE } else { PLIVO_SIGNATURE };
            // Without one it costs no look into the database.
            if header(signed).is_none() {
                return Ok(None);
            }
            let unverified = Scope::of_integration(db.clone(), asked.workspace, CALLER);
            let opened = trunks::open(&unverified, id).await?;
            if opened.trunk != trunk {
                return Ok(None);
            }
            let address = trunks::call_addresses(&unverified, trunk, id).answer;
            let called = asked.query.as_ref().map_or_else(|| address.clone(), |query| format!("{address}?{query}"));
            let Ok(called) = Url::parse(&called) else { return Ok(None) };
            let fields: Vec<(String, String)> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
            if let Err(why) = verify_form(trunk, &opened.auth_token, &called, &fields, header) {
                tracing::info!(workspace = %asked.workspace, integration = %id, cause = %why, "refused a call");
                return Ok(None);
            }
            Ok(Some(Genuine { mode: Some(opened.mode) }))
        }
    }
}
