use leptos::prelude::*;

use super::model::{
    Contact, ContactForm, ContactQuery, ContactRow, ImportChoices, ImportRow, ImportView, MappingForm, ReadingForm,
};
use patchbay_shared::ids::{ContactId, ImportId};
use patchbay_shared::{AppError, Page};

/// A page of contacts, newest first.
#[server(prefix = "/rpc", endpoint = "list_contacts")]
pub async fn list_contacts(#[server(default)] query: ContactQuery) -> Result<Page<ContactRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadContacts).await?;
    store::list(&mut tx, &query, store::PAGE).await
}

/// One contact with its campaigns and calls.
#[server(prefix = "/rpc", endpoint = "get_contact")]
pub async fn get_contact(id: ContactId) -> Result<Contact, AppError> {
    use super::server::systems;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadContacts).await?;
    systems::page(&mut tx, id).await
}

/// Creates a contact and opens its page. `client` is ignored for a client's own people.
#[server(prefix = "/rpc", endpoint = "create_contact")]
pub async fn create_contact(#[server(default)] client: String, form: ContactForm) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let scope = scope()?;
    let client = ops::client_of(&scope, &client)?;
    let mut tx = scope.write(Action::ManageContacts).await?;
    let id = ops::create(&mut tx, client, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/contacts/{id}"));
    Ok(())
}

/// Changes a contact.
#[server(prefix = "/rpc", endpoint = "change_contact")]
pub async fn change_contact(id: ContactId, form: ContactForm) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageContacts).await?;
    ops::change(&mut tx, id, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/contacts/{id}"));
    Ok(())
}

/// Puts a contact on the do-not-call list.
#[server(prefix = "/rpc", endpoint = "suppress_contact")]
pub async fn suppress_contact(id: ContactId, #[server(default)] reason: String) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageContacts).await?;
    ops::suppress(&mut tx, id, &reason).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/contacts/{id}"));
    Ok(())
}

/// Takes a contact off the do-not-call list.
#[server(prefix = "/rpc", endpoint = "allow_contact")]
pub async fn allow_contact(id: ContactId) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageContacts).await?;
    ops::allow(&mut tx, id).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/contacts/{id}"));
    Ok(())
}

/// Clients and campaigns that an import or a new contact may go to.
#[server(prefix = "/rpc", endpoint = "get_import_choices")]
pub async fn get_import_choices(client: Option<String>) -> Result<ImportChoices, AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageContacts).await?;
    let client = client.filter(|id| !id.is_empty()).map(|id| id.parse()).transpose()?;
    ops::choices(&mut tx, client).await
}

/// A page of imports, newest first.
#[server(prefix = "/rpc", endpoint = "list_imports")]
pub async fn list_imports(client: Option<String>, cursor: Option<String>) -> Result<Page<ImportRow>, AppError> {
    use super::server::store::import_views;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadContacts).await?;
    let client = client.and_then(|id| id.parse().ok());
    import_views::list(&mut tx, client, cursor.as_deref(), import_views::PAGE).await
}

/// One import, whatever state it is in.
#[server(prefix = "/rpc", endpoint = "get_import")]
pub async fn get_import(id: ImportId) -> Result<ImportView, AppError> {
    use super::server::store::import_views;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadContacts).await?;
    import_views::view(&mut tx, id).await
}

/// Reads the head of the file again, in another encoding, with another separator, from another row or sheet.
#[server(prefix = "/rpc", endpoint = "reread_import")]
pub async fn reread_import(id: ImportId, form: ReadingForm) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::server::scope;
    ops::reread_import(&scope()?, id, &form).await?;
    leptos_axum::redirect(&format!("/contacts/imports/{id}/mapping"));
    Ok(())
}

/// Takes the mapping and starts the check.
#[server(prefix = "/rpc", endpoint = "check_import")]
pub async fn check_import(id: ImportId, form: MappingForm) -> Result<(), AppError> {
    use super::server::{ops, store::imports};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageContacts).await?;
    let width = imports::work(tx.reading(), id).await?.preview.header(form.named.is_some()).len();
    let terms = form.check(width)?;
    ops::check_import(&mut tx, id, terms).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/contacts/imports/{id}"));
    Ok(())
}

/// Starts the import itself.
#[server(prefix = "/rpc", endpoint = "run_import")]
pub async fn run_import(id: ImportId) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageContacts).await?;
    ops::run_import(&mut tx, id).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/contacts/imports/{id}"));
    Ok(())
}

/// Stops an import; what is in stays in.
#[server(prefix = "/rpc", endpoint = "cancel_import")]
pub async fn cancel_import(id: ImportId) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::server::scope;
    ops::cancel_import(&scope()?, id).await?;
    leptos_axum::redirect(&format!("/contacts/imports/{id}"));
    Ok(())
}
