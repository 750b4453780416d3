use leptos::prelude::*;

use super::model::{CampaignChoices, CampaignForm, CampaignQuery, CampaignRow, CampaignView, MemberQuery, MemberRow};
use patchbay_shared::ids::{CampaignContactId, CampaignId};
use patchbay_shared::{AppError, Page};

/// A page of campaigns, newest first.
#[server(prefix = "/rpc", endpoint = "list_campaigns")]
pub async fn list_campaigns(#[server(default)] query: CampaignQuery) -> Result<Page<CampaignRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCampaigns).await?;
    store::list(&mut tx, &query, store::PAGE).await
}

/// The newest campaigns of one client, for the client's page.
#[server(prefix = "/rpc", endpoint = "client_campaigns")]
pub async fn client_campaigns(client: String) -> Result<Vec<CampaignRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let query = CampaignQuery { client: Some(client), ..CampaignQuery::default() };
    Ok(store::list(&mut tx, &query, patchbay_shared::page::FIRST_FEW).await?.rows)
}

/// One campaign's page: terms, counts, obstacles.
#[server(prefix = "/rpc", endpoint = "get_campaign")]
pub async fn get_campaign(id: CampaignId) -> Result<CampaignView, AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCampaigns).await?;
    ops::page(&mut tx, id).await
}

/// Contacts of one campaign, in dialling order.
#[server(prefix = "/rpc", endpoint = "list_campaign_contacts")]
pub async fn list_campaign_contacts(query: MemberQuery) -> Result<Page<MemberRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCampaigns).await?;
    let campaign = store::get(&mut tx, query.campaign.parse()?).await?;
    store::members::list(&mut tx, campaign.id, &query).await
}

/// What the form offers: the clients, and for a chosen one its agents, numbers and imports.
#[server(prefix = "/rpc", endpoint = "get_campaign_choices")]
pub async fn get_campaign_choices(client: Option<String>) -> Result<CampaignChoices, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageCampaigns).await?;
    let client = client.filter(|id| !id.is_empty()).map(|id| id.parse()).transpose()?;
    store::choices::for_client(&mut tx, client).await
}

/// Creates a draft and opens its page.
#[server(prefix = "/rpc", endpoint = "create_campaign")]
pub async fn create_campaign(client: String, form: CampaignForm) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let client =
        client.parse().map_err(|_| AppError::invalid("client", "Choose the client that the campaign is for."))?;
    let terms = form.check()?;
    let mut tx = scope()?.write(Action::ManageCampaigns).await?;
    let id = ops::create(&mut tx, client, &terms).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/campaigns/{id}"));
    Ok(())
}

/// Changes a campaign's terms.
#[server(prefix = "/rpc", endpoint = "change_campaign")]
pub async fn change_campaign(id: CampaignId, form: CampaignForm) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let terms = form.check()?;
    let mut tx = scope()?.write(Action::ManageCampaigns).await?;
    ops::change(&mut tx, id, &terms).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/campaigns/{id}"));
    Ok(())
}

/// Moves a campaign to another state: `active`, `paused`, `archived`.
#[server(prefix = "/rpc", endpoint = "move_campaign")]
pub async fn move_campaign(id: CampaignId, to: String) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::server::scope;
    let to = to.parse().map_err(|message: String| AppError::invalid("to", message))?;
    ops::move_to(&scope()?, id, to).await?;
    leptos_axum::redirect(&format!("/campaigns/{id}"));
    Ok(())
}

/// Adds contacts of the campaign's client: `by` is `all`, `import` or `search`.
#[server(prefix = "/rpc", endpoint = "add_campaign_contacts")]
pub async fn add_campaign_contacts(
    id: CampaignId,
    by: String,
    #[server(default)] import: Option<String>,
    #[server(default)] words: Option<String>,
) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let by = super::model::AddBy::read(&by, import.as_deref(), words.as_deref())?;
    let mut tx = scope()?.write(Action::ManageCampaigns).await?;
    let (added, more) = ops::add_or_enqueue(&mut tx, id, &by).await?;
    tx.commit().await?;
    let more = if more { "&more=1" } else { "" };
    leptos_axum::redirect(&format!("/campaigns/{id}?tab=contacts&added={added}{more}"));
    Ok(())
}

/// Takes contacts that were never dialled out of the campaign: all, or the one named.
#[server(prefix = "/rpc", endpoint = "remove_campaign_contacts")]
pub async fn remove_campaign_contacts(
    id: CampaignId,
    #[server(default)] contact: Option<CampaignContactId>,
) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageCampaigns).await?;
    let removed = ops::remove_undialled(&mut tx, id, contact).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/campaigns/{id}?tab=contacts&removed={removed}"));
    Ok(())
}
