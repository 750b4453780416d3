//! The secrets that sign: made, sealed, opened.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore;

use patchbay_access::server::Scope;
use patchbay_providers::{Binding, Secret};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::WebhookEndpointId;

/// As Standard Webhooks writes them: 256 random bits.
pub(super) fn new_secret() -> Secret<String> {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(format!("whsec_{}", STANDARD.encode(bytes)))
}

fn place(scope: &Scope, id: WebhookEndpointId) -> Binding {
    Binding::new(scope.workspace_id().0, format!("webhook_endpoint:{id}"), "secret")
}

pub(super) fn seal(scope: &Scope, id: WebhookEndpointId, secret: &Secret<String>) -> Result<String, AppError> {
    scope.services().ring.seal(&place(scope, id), secret.expose()).map_err(internal)
}

/// A secret as it is stored, opened. None: no key of this installation opens it.
pub(super) fn open(scope: &Scope, id: WebhookEndpointId, sealed: &str) -> Option<Secret<String>> {
    scope.services().ring.open::<String>(&place(scope, id), sealed).map(Secret::new).ok()
}
