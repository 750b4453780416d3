use leptos::prelude::*;

use super::model::{
    ActivitiesPage, ActivityQuery, BelowQuery, CarrierForm, ConnectPage, CustomForm, DealsPage, FailedPage,
    IntegrationPage, IntegrationQuery, IntegrationsPage, LineForm, MappingPage, MessagesPage, NewForm,
    NewIntegrationSecret, OneSyncPage, PreviewPage, SettingsForm, SettingsPage, SignInForm, SignInPage,
    SlackConnectForm, SlackForm, SyncsPage,
};
use patchbay_shared::AppError;

/// Everything that is connected and that the viewer may read.
#[server(prefix = "/rpc", endpoint = "list_integrations")]
pub async fn list_integrations(#[server(default)] query: IntegrationQuery) -> Result<IntegrationsPage, AppError> {
    super::server::pages::list(&patchbay_access::server::scope()?, &query).await
}

/// One integration. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_integration")]
pub async fn get_integration(id: String) -> Result<IntegrationPage, AppError> {
    super::server::pages::page(&patchbay_access::server::scope()?, id.parse()?).await
}

/// Syncs of an integration. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_integration_syncs")]
pub async fn list_integration_syncs(id: String, #[server(default)] query: BelowQuery) -> Result<SyncsPage, AppError> {
    super::server::pages::syncs(&patchbay_access::server::scope()?, id.parse()?, &query).await
}

/// One sync and what it did. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_integration_sync")]
pub async fn get_integration_sync(
    id: String,
    sync: String,
    #[server(default)] query: BelowQuery,
) -> Result<OneSyncPage, AppError> {
    super::server::pages::sync(&patchbay_access::server::scope()?, id.parse()?, sync.parse()?, &query).await
}

/// Records that failed. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_failed_records")]
pub async fn list_failed_records(id: String, #[server(default)] query: BelowQuery) -> Result<FailedPage, AppError> {
    super::server::pages::failed(&patchbay_access::server::scope()?, id.parse()?, &query).await
}

/// Deals of a CRM. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_integration_deals")]
pub async fn list_integration_deals(id: String, #[server(default)] query: BelowQuery) -> Result<DealsPage, AppError> {
    super::server::kept::deals(&patchbay_access::server::scope()?, id.parse()?, &query).await
}

/// What was done with a contact, by the systems of its client. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_contact_activities")]
pub async fn list_contact_activities(
    id: String,
    #[server(default)] query: ActivityQuery,
) -> Result<ActivitiesPage, AppError> {
    super::server::kept::activities(&patchbay_access::server::scope()?, id.parse()?, &query).await
}

/// Messages to and from an integration. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_integration_messages")]
pub async fn list_integration_messages(
    id: String,
    #[server(default)] query: BelowQuery,
) -> Result<MessagesPage, AppError> {
    super::server::pages::messages(&patchbay_access::server::scope()?, id.parse()?, &query).await
}

/// The editor of a mapping, with the fields that the service has. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_integration_mapping")]
pub async fn get_integration_mapping(id: String) -> Result<MappingPage, AppError> {
    super::server::pages::mapping(&patchbay_access::server::scope()?, id.parse()?).await
}

/// What would happen to twenty records; nothing is written. Errors: `NotFound`, and those of the service.
#[server(prefix = "/rpc", endpoint = "preview_integration")]
pub async fn preview_integration(id: String) -> Result<PreviewPage, AppError> {
    super::server::pages::preview(&patchbay_access::server::scope()?, id.parse()?).await
}

/// The settings of an integration. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_integration_settings")]
pub async fn get_integration_settings(id: String, tried: Option<String>) -> Result<SettingsPage, AppError> {
    let visitor = patchbay_access::server::visitor()?;
    super::server::pages::settings(&visitor, id.parse()?, tried.is_some()).await
}

/// What the way to a new integration begins with. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_connect_page")]
pub async fn get_connect_page(kind: String) -> Result<ConnectPage, AppError> {
    super::server::pages::connect(&patchbay_access::server::visitor()?, &kind).await
}

/// Makes an integration. One with a sign-in leads to it. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "create_integration")]
pub async fn create_integration(#[server(flatten)] form: NewForm) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &form.current).await?;
    leptos_axum::redirect(&super::server::connecting::create(&visitor, &form).await?);
    Ok(())
}

/// Begins a sign-in at the service, the first or another one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "sign_in_integration")]
pub async fn sign_in_integration(#[server(flatten)] form: SignInForm) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &form.current).await?;
    leptos_axum::redirect(&super::server::connecting::sign_in_again(&visitor, &form).await?);
    Ok(())
}

/// Where the viewer signs in at the service, who has just asked for it. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_sign_in_page")]
pub async fn get_sign_in_page(id: String) -> Result<SignInPage, AppError> {
    super::server::connecting::sign_in_page(&patchbay_access::server::visitor()?, id.parse()?).await
}

/// Connects an account at a carrier. Errors: `Invalid` at the field; `ProviderDown`.
#[server(prefix = "/rpc", endpoint = "connect_carrier")]
pub async fn connect_carrier(#[server(flatten)] form: CarrierForm) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &form.current).await?;
    let id = super::server::connecting::carrier(&visitor.scope()?, &form).await?;
    leptos_axum::redirect(&format!("/integrations/{id}"));
    Ok(())
}

/// Asks a carrier now whether the account still works. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "check_carrier")]
pub async fn check_carrier(id: String) -> Result<(), AppError> {
    super::server::carriers::check_now(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}"));
    Ok(())
}

/// Has the voice service dial through this account, whatever it has now. Errors: `NotFound`; `ProviderDown`.
#[server(prefix = "/rpc", endpoint = "set_carrier_again")]
pub async fn set_carrier_again(id: String) -> Result<(), AppError> {
    super::server::carriers::set_again(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}"));
    Ok(())
}

/// Takes over the numbers of a carrier's account. Errors: `NotFound`; `ProviderDown`.
#[server(prefix = "/rpc", endpoint = "import_carrier_numbers")]
pub async fn import_carrier_numbers(id: String) -> Result<(), AppError> {
    super::server::carriers::import_numbers(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}"));
    Ok(())
}

/// Signs in at Slack with a token or the address of an incoming webhook. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "connect_slack")]
pub async fn connect_slack(
    #[server(flatten)] form: SlackConnectForm,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    super::server::slack::connect(&visitor.scope()?, form.id.parse()?, &form).await?;
    leptos_axum::redirect(&format!("/integrations/{}/settings", form.id));
    Ok(())
}

/// Where messages go, and about what. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_slack")]
pub async fn save_slack(#[server(flatten)] form: SlackForm) -> Result<(), AppError> {
    super::server::connecting::save_slack(&patchbay_access::server::scope()?, form.clone()).await?;
    leptos_axum::redirect(&format!("/integrations/{}/settings", form.id));
    Ok(())
}

/// Sends a test message, and shows how it went. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "test_slack")]
pub async fn test_slack(id: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let tried = super::server::slack::send_test(&visitor.scope()?, id.parse()?).await?;
    super::server::connecting::keep_tried(&visitor, &id, &tried).await
}

/// How a system of the agency's own is spoken to. Whoever types a secret proves who they are. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_custom")]
pub async fn save_custom(#[server(flatten)] form: CustomForm) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let scope = visitor.scope()?;
    if form.has_new_secret() && scope.may(patchbay_access::Action::ManageConnections) {
        patchbay_users::proof::demand(&visitor, &form.current).await?;
    }
    super::server::custom::save(&scope, form.id.parse()?, &form).await?;
    leptos_axum::redirect(&format!("/integrations/{}/settings", form.id));
    Ok(())
}

/// Sends an example as the stored settings say, and shows how it went. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "test_custom")]
pub async fn test_custom(id: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let tried = super::server::connecting::try_custom(&visitor.scope()?, id.parse()?).await?;
    super::server::connecting::keep_tried(&visitor, &id, &tried).await
}

/// Makes another secret (`outgoing`, `incoming`) or key (`key`), which the next page shows once. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "make_integration_secret")]
pub async fn make_integration_secret(
    id: String,
    kind: String,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    super::server::connecting::make_secret(&visitor, id.parse()?, &kind).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/secret"));
    Ok(())
}

/// The secret that the viewer has just made, this once.
#[server(prefix = "/rpc", endpoint = "take_integration_secret")]
pub async fn take_integration_secret() -> Result<Option<NewIntegrationSecret>, AppError> {
    super::server::connecting::take_secret(&patchbay_access::server::visitor()?).await
}

/// Pauses an integration, or lets it go on (`on` given). Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "switch_integration")]
pub async fn switch_integration(id: String, on: Option<String>) -> Result<(), AppError> {
    let scope = patchbay_access::server::scope()?;
    match on {
        Some(_) => super::server::ops::resume(&scope, id.parse()?).await?,
        None => super::server::ops::pause(&scope, id.parse()?).await?,
    }
    leptos_axum::redirect(&format!("/integrations/{id}"));
    Ok(())
}

/// Ends the sign-in there too; the integration stays, and can be connected again. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "disconnect_integration")]
pub async fn disconnect_integration(id: String, #[server(default)] current: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    super::server::ops::disconnect(&visitor.scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}"));
    Ok(())
}

/// Takes away an integration that is not connected. Errors: `NotFound`; `Conflict` while it is.
#[server(prefix = "/rpc", endpoint = "remove_integration")]
pub async fn remove_integration(id: String) -> Result<(), AppError> {
    super::server::ops::remove(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect("/integrations");
    Ok(())
}

/// Adds, changes or takes away one line of a mapping. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_mapping_line")]
pub async fn save_mapping_line(#[server(flatten)] form: LineForm) -> Result<(), AppError> {
    super::server::connecting::save_line(&patchbay_access::server::scope()?, &form).await?;
    leptos_axum::redirect(&format!("/integrations/{}/mapping", form.id));
    Ok(())
}

/// Name, how often, what is exchanged, the default country. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_integration_settings")]
pub async fn save_integration_settings(#[server(flatten)] form: SettingsForm) -> Result<(), AppError> {
    super::server::connecting::save_settings(&patchbay_access::server::scope()?, &form).await?;
    let page = if form.next == "setup" { "mapping" } else { "settings" };
    leptos_axum::redirect(&format!("/integrations/{}/{page}", form.id));
    Ok(())
}

/// Starts a sync, and leads to it. `reach`: `changes` or `everything`. Errors: `NotFound`; `Conflict` with the reason why not.
#[server(prefix = "/rpc", endpoint = "sync_integration")]
pub async fn sync_integration(
    id: String,
    #[server(default)] kind: String,
    #[server(default)] reach: String,
) -> Result<(), AppError> {
    let sync =
        super::server::connecting::sync_now(&patchbay_access::server::scope()?, id.parse()?, &kind, &reach).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/syncs/{sync}"));
    Ok(())
}

/// Stops a running sync after the records that it is at. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "cancel_integration_sync")]
pub async fn cancel_integration_sync(id: String, sync: String) -> Result<(), AppError> {
    super::server::ops::cancel_sync(&patchbay_access::server::scope()?, id.parse()?, sync.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/syncs/{sync}"));
    Ok(())
}

/// Has a record that failed tried again at once. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "retry_failed_record")]
pub async fn retry_failed_record(id: String, record: String) -> Result<(), AppError> {
    super::server::repair::retry(&patchbay_access::server::scope()?, id.parse()?, record.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/failed"));
    Ok(())
}

/// The same with all that failed. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "retry_failed_records")]
pub async fn retry_failed_records(id: String) -> Result<(), AppError> {
    super::server::repair::retry_all(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/failed"));
    Ok(())
}

/// Says whose value counts where both sides changed one: `keep` is `ours` or `theirs`. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "choose_record_value")]
pub async fn choose_record_value(id: String, record: String, #[server(default)] keep: String) -> Result<(), AppError> {
    super::server::connecting::choose(&patchbay_access::server::scope()?, id.parse()?, record.parse()?, &keep).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/failed"));
    Ok(())
}

/// Follows a record into the one in which it lives on. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "follow_failed_record")]
pub async fn follow_failed_record(id: String, record: String) -> Result<(), AppError> {
    super::server::repair::follow(&patchbay_access::server::scope()?, id.parse()?, record.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/failed"));
    Ok(())
}

/// Gives a record the phone number that could not be read. Errors: `Invalid` at `phone`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "edit_failed_record")]
pub async fn edit_failed_record(id: String, record: String, #[server(default)] phone: String) -> Result<(), AppError> {
    super::server::repair::edit(&patchbay_access::server::scope()?, id.parse()?, record.parse()?, &phone).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/failed"));
    Ok(())
}

/// Sends a message that failed again. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "retry_integration_message")]
pub async fn retry_integration_message(id: String, message: String) -> Result<(), AppError> {
    super::server::messages::retry(&patchbay_access::server::scope()?, id.parse()?, message.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/messages"));
    Ok(())
}

/// The same with all that failed. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "retry_integration_messages")]
pub async fn retry_integration_messages(id: String) -> Result<(), AppError> {
    super::server::messages::retry_all(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/messages"));
    Ok(())
}
