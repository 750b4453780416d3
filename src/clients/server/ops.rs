use super::store::{self, Values};
use crate::access::server::{Change, WriteTx};
use crate::clients::model::{ClientForm, ClientStatus};
use crate::jobs::live::Topic;
use crate::platform::model::{Kind, slug_of};
use crate::platform::server::limits;
use crate::shared::ids::ClientId;
use crate::shared::{AppError, FieldErrors};

/// Adds a client (`id` empty) or changes one.
pub async fn save(tx: &mut WriteTx, id: Option<&str>, form: &ClientForm) -> Result<ClientId, AppError> {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => {
            let id = id.parse()?;
            update(tx, id, form).await?;
            Ok(id)
        }
        None => create(tx, form).await,
    }
}

/// Adds a client. Errors: `Invalid` at its fields.
pub async fn create(tx: &mut WriteTx, form: &ClientForm) -> Result<ClientId, AppError> {
    let id = ClientId::new();
    let slug = slug_of(&form.name);
    let values = checked(form, &slug)?;
    store::insert(tx, id, &values).await?;
    limits::room(tx, Kind::Clients).await?;
    // Agents of the whole agency serve the new client too.
    crate::agents::server::ops::client_added(tx).await?;
    record(tx, id, "created", None, Some(summary(&values))).await?;
    Ok(id)
}

/// Changes a client.
pub async fn update(tx: &mut WriteTx, id: ClientId, form: &ClientForm) -> Result<(), AppError> {
    let before = store::get(tx.reading(), id).await?;
    let slug = slug_of(&form.name);
    let values = checked(form, &slug)?;
    store::update(tx, id, &values).await?;
    let before = serde_json::json!({
        "name": before.name, "timezone": before.timezone, "shares_cost": before.shares_cost,
        "shares_recordings": before.shares_recordings, "shares_steps": before.shares_steps, "monthly_budget": before.monthly_budget,
    });
    record(tx, id, "changed", Some(before), Some(summary(&values))).await
}

/// Archives a client (its people can no longer sign in, nothing new dials) or brings it back. Safe to repeat.
/// Errors: `Conflict` while a batch of it is unfinished.
pub async fn set_status(tx: &mut WriteTx, id: ClientId, status: ClientStatus) -> Result<(), AppError> {
    store::get(tx.reading(), id).await?;
    if status == ClientStatus::Archived && store::unfinished_batches(tx, id).await? > 0 {
        return Err(AppError::Conflict(
            "A batch of this client is unfinished. Stop it first, then archive the client.".into(),
        ));
    }
    if store::set_status(tx, id, status).await? {
        if status == ClientStatus::Active {
            limits::room(tx, Kind::Clients).await?;
        }
        let action = if status == ClientStatus::Archived { "archived" } else { "restored" };
        record(tx, id, action, None, Some(serde_json::json!({ "status": status }))).await?;
    }
    Ok(())
}

fn checked<'a>(form: &'a ClientForm, slug: &'a str) -> Result<Values<'a>, AppError> {
    let mut errors = FieldErrors::default();
    form.check(&mut errors);
    if form.timezone.parse::<chrono_tz::Tz>().is_err() {
        errors.add("timezone", "Choose a time zone from the list, for example Europe/Zurich.");
    }
    errors.check()?;
    Ok(Values {
        name: form.name.trim(),
        slug,
        timezone: &form.timezone,
        shares_cost: form.shares_cost.is_some(),
        shares_recordings: form.shares_recordings.is_some(),
        shares_steps: form.shares_steps.is_some(),
        monthly_budget: form.monthly_budget.trim().parse().ok(),
    })
}

fn summary(values: &Values<'_>) -> serde_json::Value {
    serde_json::json!({
        "name": values.name, "timezone": values.timezone, "shares_cost": values.shares_cost,
        "shares_recordings": values.shares_recordings, "shares_steps": values.shares_steps, "monthly_budget": values.monthly_budget,
    })
}

async fn record(
    tx: &mut WriteTx,
    id: ClientId,
    action: &str,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "client", entity_id: Some(id.0), client_id: Some(id), before, after }).await?;
    tx.notify(Topic::list("clients"), Some(id));
    Ok(())
}
