//! What the demo's agencies have connected: a client's HubSpot that is kept in step, and a Slack that hears of calls.

use super::story::Served;
use super::visit::{Visit, id_in, text};
use patchbay_sandbox::{CrmKind, Sandbox};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// Whose CRM it is.
const CLIENT: &str = "Northbeam Solar";

/// Connects both and has the first sync run, unless they are there.
pub(super) async fn make(owner: &Visit, sandbox: &Sandbox, served: &[Served]) -> Result<(), AppError> {
    let Some(served) = served.iter().find(|served| served.client.name == CLIENT) else { return Ok(()) };
    let (listed, _) = owner.post("list_integrations", &[]).await?;
    if listed["page"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    let crm = [("kind", "hubspot"), ("client", served.id.as_str()), ("name", "HubSpot"), ("mode", "sandbox")];
    let (_, location) = owner.post("create_integration", &crm).await?;
    let id = id_of(&location);
    let (page, _) = owner.post("get_sign_in_page", &[("id", &id)]).await?;
    let back = sandbox.crm_agree(&text(&page["address"])).ok_or_else(|| internal("no sign-in at the stand-in"))?;
    owner.open(&back).await?;
    let settings = [
        ("id", id.as_str()),
        ("name", "HubSpot"),
        ("every", "15"),
        ("types[]", "contacts"),
        ("types[]", "deals"),
        ("types[]", "activities"),
        ("country", "US"),
    ];
    owner.post("save_integration_settings", &settings).await?;
    owner.post("sync_integration", &[("id", &id), ("kind", "contacts"), ("reach", "everything")]).await?;

    told(owner, sandbox, &id).await?;

    let slack = [("kind", "slack"), ("client", ""), ("name", "Slack"), ("mode", "sandbox")];
    let (_, location) = owner.post("create_integration", &slack).await?;
    let id = id_of(&location);
    owner.post("sign_in_integration", &[("id", &id)]).await?;
    let (page, _) = owner.post("get_sign_in_page", &[("id", &id)]).await?;
    let back = sandbox.slack_agree(&text(&page["address"]), "C0CALLS");
    owner.open(&back.ok_or_else(|| internal("no sign-in at the stand-in"))?).await?;
    let told = [
        ("id", id.as_str()),
        ("channel", "C0CALLS calls"),
        ("events[]", "analysis.completed"),
        ("events[]", "callback.asked"),
        ("events[]", "batch.completed"),
        ("events[]", "contact.suppressed"),
        ("events[]", "budget.near"),
        ("troubles", "true"),
    ];
    owner.post("save_slack", &told).await?;
    Ok(())
}

/// Somebody changes a person in HubSpot, which tells of it.
async fn told(owner: &Visit, sandbox: &Sandbox, id: &str) -> Result<(), AppError> {
    let (settings, _) = owner.post("get_integration_settings", &[("id", id)]).await?;
    let address = text(&settings["notices"]["address"]);
    let account = format!("sandbox-{id}");
    sandbox.crm_book(CrmKind::Hubspot, &account, |book| {
        if let Some(person) = book.contacts().into_iter().next() {
            book.change(&person.id, &[("lifecyclestage", "customer")]);
        }
    });
    for request in sandbox.hubspot_requests(&account, &address, "sandbox") {
        let headers: Vec<(&str, &str)> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        owner.send_signed(&address, &headers, request.body).await?;
    }
    Ok(())
}

/// The id of the integration whose page an address is.
fn id_of(location: &str) -> String {
    location.split('/').nth(2).map_or_else(|| id_in(location), str::to_owned)
}
