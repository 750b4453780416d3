use leptos::prelude::*;

use super::model::{
    Asked, CollectionChoices, CollectionForm, CollectionList, CollectionPage, CollectionQuery, EntryQuery,
};
use patchbay_shared::AppError;

/// Collections by name.
#[server(prefix = "/rpc", endpoint = "list_knowledge")]
pub async fn list_knowledge(#[server(default)] query: CollectionQuery) -> Result<CollectionList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::list(&mut tx, &query).await
}

/// One collection with a page of its files. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_knowledge")]
pub async fn get_knowledge(id: String, #[server(default)] query: EntryQuery) -> Result<CollectionPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::page(&mut tx, id.parse()?, &query).await
}

/// What the form of a collection offers, and what it holds of one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "knowledge_choices")]
pub async fn knowledge_choices(id: Option<String>) -> Result<CollectionChoices, AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.read(server::MANAGE).await?;
    let id = id.map(|id| id.parse()).transpose()?;
    server::choices(&mut tx, id).await
}

/// What a question finds in a collection. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "ask_knowledge")]
pub async fn ask_knowledge(id: String, #[server(default)] question: String) -> Result<Asked, AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::ask(&scope()?, id.parse()?, &question).await
}

/// Makes a collection, or changes its words. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_knowledge")]
pub async fn save_knowledge(#[server(flatten)] form: CollectionForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    let id = server::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/knowledge/{id}"));
    Ok(())
}

/// Deletes a collection with its files. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "delete_knowledge")]
pub async fn delete_knowledge(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    server::delete_collection(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect("/knowledge");
    Ok(())
}

/// Indexes all files of a collection again, or with `failed` those that failed. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "reindex_knowledge")]
pub async fn reindex_knowledge(id: String, failed: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    server::reindex_all(&mut tx, id.parse()?, failed.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/knowledge/{id}"));
    Ok(())
}

/// Reads a page by address into a collection. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "add_knowledge_page")]
pub async fn add_knowledge_page(id: String, #[server(default)] address: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::add(&scope()?, id.parse()?, &address).await?;
    leptos_axum::redirect(&format!("/knowledge/{id}"));
    Ok(())
}

/// Indexes one file again; a page by address is read anew. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "reindex_knowledge_file")]
pub async fn reindex_knowledge_file(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let collection = server::again(&scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/knowledge/{collection}"));
    Ok(())
}

/// Deletes a file and its passages. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "delete_knowledge_file")]
pub async fn delete_knowledge_file(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    let collection = server::delete_entry(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/knowledge/{collection}"));
    Ok(())
}
