//! Brands of an agency and its clients: what their pages show, and changing them.

use serde_json::json;

use super::{logos, store, style};
use crate::model::{Brand, BrandForm, BrandView, Branding};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, FieldErrors};

/// The client that a form names, if it names one.
pub(crate) fn named(client: Option<&str>) -> Result<Option<ClientId>, AppError> {
    client.filter(|id| !id.is_empty()).map(str::parse).transpose()
}

/// The page of a brand, with what it has to say.
pub(crate) fn page(client: Option<ClientId>, words: &str) -> String {
    client.map_or_else(|| format!("/settings/brand?{words}"), |client| format!("/clients/{client}/brand?{words}"))
}

/// The brand that somebody of the agency, or of this client, sees.
pub async fn brand(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Brand, AppError> {
    let agency = store::agency(tx).await?;
    let own = match client {
        Some(client) => store::client(tx, client).await?.1,
        None => Branding::default(),
    };
    Ok(super::shown(tx.services(), own.over(agency)))
}

/// What the page of a brand shows.
pub(crate) async fn view(tx: &mut ReadTx, client: Option<ClientId>) -> Result<BrandView, AppError> {
    let agency = store::agency(tx).await?;
    let (client, own, below) = match client {
        Some(client) => {
            let (client, own) = store::client(tx, client).await?;
            (Some(client), own, agency)
        }
        None => (None, agency, Branding::default()),
    };
    let may = tx.scope().may(Action::ManageWorkspace);
    let host = if client.is_none() && may { Some(super::hosts::view(tx).await?) } else { None };
    let shown = own.clone().over(below.clone());
    Ok(BrandView {
        logo: shown.logo.as_deref().map(logos::address),
        colours: shown.accent.as_deref().and_then(|accent| style::colours(&tx.services().state(), accent)),
        client,
        own,
        below,
        host,
    })
}

/// Sets name, colour and support address of the agency or a client. Errors: `Invalid` at its fields; `NotFound`.
pub(crate) async fn save(scope: &Scope, client: Option<ClientId>, form: &BrandForm) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageBrand).await?;
    let before = own(&mut tx, client).await?;
    let mut errors = FieldErrors::default();
    let mut after = form.checked(&mut errors);
    errors.check()?;
    after.logo.clone_from(&before.logo);
    if after != before {
        store::set(&mut tx, client, &after).await?;
        record(&mut tx, client, "changed", &before, &after).await?;
    }
    tx.commit().await
}

/// Puts a logo in the place of the former one, or nothing.
pub(crate) async fn set_logo(scope: &Scope, client: Option<ClientId>, logo: Option<String>) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageBrand).await?;
    let before = own(&mut tx, client).await?;
    let after = Branding { logo, ..before.clone() };
    if after != before {
        store::set(&mut tx, client, &after).await?;
        record(&mut tx, client, "changed the logo of", &before, &after).await?;
    }
    tx.commit().await?;
    if let Some(old) = before.logo.filter(|old| after.logo.as_ref() != Some(old)) {
        logos::delete(&*scope.services().logos, &old).await;
    }
    Ok(())
}

/// What is set now, locked: it is written back as a whole.
async fn own(tx: &mut WriteTx, client: Option<ClientId>) -> Result<Branding, AppError> {
    store::lock(tx, client).await?;
    match client {
        Some(client) => Ok(store::client(tx.reading(), client).await?.1),
        None => store::agency(tx.reading()).await,
    }
}

async fn record(
    tx: &mut WriteTx,
    client: Option<ClientId>,
    action: &str,
    before: &Branding,
    after: &Branding,
) -> Result<(), AppError> {
    tx.audit(Change {
        action,
        entity: "brand",
        entity_id: client.map(|client| client.0),
        client_id: client,
        fields: Fields::Changed { before: json!(before), after: json!(after) },
    })
    .await?;
    tx.notify(Topic::list("brand"), client);
    Ok(())
}
