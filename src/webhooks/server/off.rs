//! An endpoint is switched off by itself, and the people who see to it are told.

use super::attempt::{STEP, notify};
use super::endpoints::record;
use super::store::{self, queue};
use crate::model::EndpointStatus;
use patchbay_access::server::{Fields, WriteTx};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::WebhookEndpointId;
use serde_json::json;

pub(super) const GONE: &str = "The receiver answered 410: it wants no more events.";
pub(super) const HOPELESS: &str = "Every try failed for five days.";

/// A mail to one of those people. `path`: the page that it leads to.
pub struct OffMail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub path: String,
}

/// Sends it after the commit, where mail is set up. Crates above give the function to boot.
pub struct SendOffMail(pub for<'a> fn(&'a mut WriteTx, &'a OffMail) -> HookFuture<'a>);

/// Switches an endpoint off for a reason. Its deliveries are kept. One that is off, or was removed meanwhile, stays so.
pub(super) async fn switch_off(tx: &mut WriteTx, id: WebhookEndpointId, reason: &str) -> Result<(), AppError> {
    let endpoint = match store::lock(tx, id).await {
        Ok(endpoint) if endpoint.status == EndpointStatus::Active => endpoint,
        Ok(_) | Err(AppError::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    store::switch_off(tx, id, EndpointStatus::Error, Some(reason)).await?;
    queue::stop(tx, id, None, STEP).await?;
    let before = json!({"name": endpoint.name, "status": endpoint.status, "reason": null});
    let after = json!({"name": endpoint.name, "status": EndpointStatus::Error, "reason": reason});
    let fields = Fields::Changed { before, after };
    record(tx, "switched off", id, fields).await?;
    let send = tx.services().hooks.get::<SendOffMail>()?.0;
    for to in store::keepers(tx.reading()).await? {
        let mail = OffMail {
            to,
            subject: format!("Webhooks to “{}” are switched off", endpoint.name),
            text: format!(
                "Patchbay has switched off the endpoint “{}”. {reason}\n\nEvents are kept for 30 days. Once the receiver works again, switch the endpoint on, and have what was kept sent:\n",
                endpoint.name
            ),
            path: format!("/settings/webhooks/{id}"),
        };
        send(tx, &mail).await?;
    }
    notify(tx, id);
    tx.notify(patchbay_jobs::live::Topic::list("dashboard"), None);
    Ok(())
}
