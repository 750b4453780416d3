//! What the demo's agencies tell other systems: a warehouse that takes everything, a client's own system that often has to be told twice, and
//! one that is gone.

use super::agencies::{AGENCIES, Agency};
use super::story::Served;
use super::visit::{Visit, text};
use patchbay_sandbox::{ReceiverManner, Sandbox};
use patchbay_shared::AppError;

const CALLS: [&str; 6] =
    ["call.completed", "call.failed", "analysis.completed", "batch.completed", "callback.asked", "contact.suppressed"];

/// How the receivers answer, from each start on.
pub(super) fn receive(sandbox: &Sandbox) {
    for agency in AGENCIES {
        let often = ReceiverManner { fails_one_in: 3, delay_ms: 180, ..ReceiverManner::default() };
        sandbox.receive_as(&name(agency, "client"), often);
        let body = "This hook was deleted.".to_owned();
        sandbox.receive_as(&name(agency, "gone"), ReceiverManner { status: 410, body, ..ReceiverManner::default() });
    }
}

/// The endpoints of an agency, unless it has some. `at`: where the receivers are.
pub(super) async fn make(owner: &Visit, agency: &Agency, served: &[Served], at: &str) -> Result<(), AppError> {
    let (page, _) = owner.post("get_webhooks", &[]).await?;
    let Some(first) = served.first().filter(|_| page["endpoints"].as_array().is_some_and(Vec::is_empty)) else {
        return Ok(());
    };
    add(owner, "Data warehouse", "", &format!("{at}/{}", name(agency, "warehouse")), &CALLS).await?;
    let hook = format!("{} (n8n)", first.client.name);
    add(owner, &hook, &first.id, &format!("{at}/{}", name(agency, "client")), &CALLS[..3]).await?;
    let gone = add(owner, "Old booking tool", "", &format!("{at}/{}", name(agency, "gone")), &CALLS[..1]).await?;
    owner.post("send_test_event", &[("id", &gone)]).await?;
    Ok(())
}

async fn add(owner: &Visit, name: &str, client: &str, url: &str, events: &[&str]) -> Result<String, AppError> {
    let mut fields = vec![("name", name), ("client", client), ("url", url)];
    fields.extend(events.iter().map(|event| ("events[]", *event)));
    owner.post("save_webhook_endpoint", &fields).await?;
    let (made, _) = owner.post("take_webhook_secret", &[]).await?;
    Ok(text(&made["endpoint"]))
}

/// A receiver of this agency.
fn name(agency: &Agency, what: &str) -> String {
    let word: String = agency.name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{word}-{what}")
}
