use super::agencies::{Agency, Client, PASSWORD, PLATFORM_ADMIN};
use super::visit::Visit;
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope};
use patchbay_platform::server::ops;
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;

/// The demo makes agencies; everything in them is made through the front door.
const DEMO: Machine = Machine { name: "demo", actions: &[Action::ManagePlatform] };

pub(crate) async fn create_platform_admin(db: &Db) -> Result<(), AppError> {
    match ops::create_admin(db, "Pat Admin", PLATFORM_ADMIN, PASSWORD).await {
        // A start that was cut short has made this person already.
        Err(AppError::Invalid(_)) => Ok(()),
        other => other,
    }
}

/// An agency with its people and clients. What a start that was cut short has made stays as it is.
pub(crate) async fn create_agency(base: &str, db: &Db, agency: &Agency) -> Result<(), AppError> {
    let scope = Scope::of_operator(db.clone(), WorkspaceId::new(), DEMO);
    let made =
        ops::create_workspace(&scope, agency.name, agency.owner.0, agency.owner.1, PASSWORD, agency.timezone).await;
    match made {
        Ok(_) => {}
        Err(AppError::Invalid(_)) => return Ok(()),
        Err(error) => return Err(error),
    }
    let owner = Visit::signed_in(base, agency.owner.1).await?;
    owner.post("save_profile", &[("name", agency.owner.0), ("timezone", agency.timezone)]).await?;
    if !agency.accent.is_empty() {
        owner.post("save_brand", &[("product", ""), ("accent", agency.accent), ("support", "")]).await?;
    }
    for ((name, email), role) in [(agency.admin, "agency_admin"), (agency.member, "agency_member")] {
        add(base, &owner, name, email, role, "").await?;
    }
    for client in agency.clients {
        let id = save_client(&owner, client, "", client.budget).await?;
        if let Some((product, accent)) = client.brand {
            let fields = [("client", &*id), ("product", product), ("accent", accent), ("support", client.admin.1)];
            owner.post("save_brand", &fields).await?;
        }
        add(base, &owner, client.admin.0, client.admin.1, "client_admin", &id).await?;
        add(base, &owner, client.viewer.0, client.viewer.1, "client_viewer", &id).await?;
    }
    Ok(())
}

/// Adds a client, or with an id sets its budget. Gives the id.
pub(crate) async fn save_client(owner: &Visit, client: &Client, id: &str, budget: &str) -> Result<String, AppError> {
    let mut fields = vec![
        ("id", id),
        ("name", client.name),
        ("timezone", client.timezone),
        ("shares_recordings", "true"),
        ("admins_edit_contacts", "true"),
        ("admins_edit_campaigns", "true"),
        ("admins_invite_viewers", "true"),
        ("monthly_budget", budget),
    ];
    if client.shares_cost {
        fields.extend([("shares_cost", "true"), ("shares_prompts", "true")]);
    }
    // What is near its budget is to go on: the warning is what there is to see.
    if client.shares_cost && !client.is_near_budget {
        fields.push(("budget_action", "hold"));
    }
    let (_, location) = owner.post("save_client", &fields).await?;
    Ok(location.trim_end_matches("/settings").rsplit('/').next().unwrap_or_default().to_owned())
}

/// Invites somebody, who accepts: the same way in that everybody takes.
async fn add(base: &str, owner: &Visit, name: &str, email: &str, role: &str, client: &str) -> Result<(), AppError> {
    owner.post("invite_members", &[("emails", email), ("role", role), ("client", client)]).await?;
    let (shown, _) = owner.post("take_links", &[]).await?;
    let link = shown["links"][0]["link"].as_str().unwrap_or_default();
    let token = link.rsplit('/').next().unwrap_or_default();
    Visit::new(base)?.post("accept_invitation", &[("token", token), ("name", name), ("password", PASSWORD)]).await?;
    Ok(())
}
