//! What people do with keys for programs: make, rotate and revoke them.

use serde_json::json;

use super::{key, store};
use crate::model::{KeyRow, KeyTerms, NewKey};
use patchbay_access::Action;
use patchbay_access::server::once;
use patchbay_access::server::{Change, Fields, Scope, Visitor, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::ApiKeyId;
use patchbay_shared::{AppError, FieldErrors, Page, Reason};

/// Hours that a key goes on after its successor has been made.
const OVERLAP: i32 = 24;
const SHOWN: &str = "api key";

/// A page of keys, newest first, with what they have used of their limits.
pub(crate) async fn list(scope: &Scope, cursor: Option<&str>) -> Result<Page<KeyRow>, AppError> {
    let mut tx = scope.read(Action::ManageKeys).await?;
    let mut page = store::list(&mut tx, cursor, store::PAGE).await?;
    drop(tx);
    let ids: Vec<uuid::Uuid> = page.rows.iter().map(|row| row.id.0).collect();
    for (id, used) in store::used(scope.db(), &ids).await? {
        if let Some(row) = page.rows.iter_mut().find(|row| row.id.0 == id) {
            row.used = if row.rate_limit > 0 { used.min(row.rate_limit) } else { used };
        }
    }
    Ok(page)
}

/// Makes a key that acts as the viewer. Errors: `Invalid` at the field, also for a scope above the viewer's own role.
pub(crate) async fn create(
    scope: &Scope,
    name: &str,
    scopes: &[String],
    rate_limit: &str,
    days: &str,
) -> Result<NewKey, AppError> {
    let mut tx = scope.write(Action::ManageKeys).await?;
    let mut errors = FieldErrors::default();
    let terms = KeyTerms::read(name, scopes, rate_limit, days, &mut errors);
    if terms.scopes.iter().any(|one| !scope.may(one.action())) {
        errors.add("scopes", "A key can do no more than you. Remove what you cannot do yourself.");
    }
    errors.check()?;
    let new = issue(&mut tx, &terms, None).await?;
    tx.commit().await?;
    Ok(new)
}

/// A successor with the same name, scopes and limit, owned by the viewer. The old key goes on for a day, so that programs can change over.
pub(crate) async fn rotate(scope: &Scope, id: ApiKeyId) -> Result<NewKey, AppError> {
    let mut tx = scope.write(Action::ManageKeys).await?;
    let old = store::lock(&mut tx, id).await?;
    if !old.is_usable {
        return Err(AppError::Conflict(Reason::WrongState, "This key no longer works. Create a new one.".into()));
    }
    if old.is_rotated {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This key was already rotated. Rotate the new one, or create another key.".into(),
        ));
    }
    if old.terms.scopes.iter().any(|one| !scope.may(one.action())) {
        return Err(AppError::Conflict(
            Reason::WrongPerson,
            "This key can do more than you. Its owner can rotate it.".into(),
        ));
    }
    let new = issue(&mut tx, &old.terms, Some((id, &old.prefix))).await?;
    store::retire(&mut tx, id, OVERLAP).await?;
    tx.commit().await?;
    Ok(new)
}

/// Ends a key at once, in every process. Safe to repeat.
pub(crate) async fn revoke(scope: &Scope, id: ApiKeyId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageKeys).await?;
    let key = store::lock(&mut tx, id).await?;
    if store::revoke(&mut tx, id).await? {
        let state = |works: bool| json!({ "name": key.terms.name, "works": works });
        record(&mut tx, id, "revoked", Fields::Changed { before: state(true), after: state(false) }).await?;
    }
    tx.commit().await
}

/// Makes a key. `old`: id and prefix of the one that it takes the place of.
async fn issue(tx: &mut WriteTx, terms: &KeyTerms, old: Option<(ApiKeyId, &str)>) -> Result<NewKey, AppError> {
    let (id, made) = (ApiKeyId::new(), key::make());
    store::insert(tx, id, terms, &made).await?;
    let mut after = json!({
        "name": terms.name, "prefix": made.prefix, "scopes": terms.scopes, "rate_limit": terms.rate_limit, "days": terms.days,
    });
    if let Some((old, prefix)) = old {
        after["in_place_of"] = json!(prefix);
        let state = |successor: Option<&str>, hours: Option<i32>| json!({ "name": terms.name, "prefix": prefix, "successor": successor, "ends_in_hours": hours });
        let fields = Fields::Changed { before: state(None, None), after: state(Some(&made.prefix), Some(OVERLAP)) };
        record(tx, old, "rotated", fields).await?;
    }
    record(tx, id, "created", Fields::Created(after)).await?;
    Ok(NewKey { name: terms.name.clone(), key: made.text })
}

async fn record(tx: &mut WriteTx, id: ApiKeyId, action: &str, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "api_key", entity_id: Some(id.0), client_id: None, fields }).await?;
    tx.notify(Topic::list("api_keys"), None);
    Ok(())
}

/// Leads to the page that shows the key this once.
pub(crate) async fn show(visitor: &Visitor, new: NewKey) -> Result<(), AppError> {
    once::keep(visitor, SHOWN, &new).await?;
    leptos_axum::redirect("/settings/api-keys/made");
    Ok(())
}

/// What that page shows.
pub(crate) async fn take(visitor: &Visitor) -> Result<Option<NewKey>, AppError> {
    once::take(visitor, SHOWN).await
}
