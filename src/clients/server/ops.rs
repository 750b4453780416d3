//! What people do with clients: add, change, archive and restore them.

use super::store::{self, Values};
use crate::model::{Client, ClientForm, ClientStatus};
use patchbay_access::server::{Change, Fields, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_metering::model::BudgetAction;
use patchbay_metering::server::budget::{self, BudgetMoved};
use patchbay_metering::server::days;
use patchbay_shared::ids::ClientId;
use patchbay_shared::slug::slug_of;
use patchbay_shared::{AppError, FieldErrors, Reason};
use patchbay_workspaces::model::Kind;
use patchbay_workspaces::server::limits;

/// Adds a client or changes the one that the form names.
pub(crate) async fn save(tx: &mut WriteTx, form: &ClientForm) -> Result<ClientId, AppError> {
    if form.id.is_empty() {
        return create(tx, form).await;
    }
    let id = form.id.parse()?;
    update(tx, id, form).await?;
    Ok(id)
}

/// Adds a client. Errors: `Invalid` at its fields.
pub(crate) async fn create(tx: &mut WriteTx, form: &ClientForm) -> Result<ClientId, AppError> {
    let id = ClientId::new();
    let slug = slug_of(&form.name);
    let values = checked(form, &slug)?;
    store::knows_zone(tx, values.timezone).await?;
    store::insert(tx, id, &values).await?;
    limits::check_limit(tx, Kind::Clients).await?;
    // Agents of the whole agency serve the new client too.
    patchbay_agents::server::ops::client_added(tx).await?;
    if values.monthly_budget.is_some() {
        set_budget(tx, id, None, &values).await?;
    }
    record(tx, id, "created", Fields::Created(summary(&values))).await?;
    Ok(id)
}

/// Changes a client.
pub(crate) async fn update(tx: &mut WriteTx, id: ClientId, form: &ClientForm) -> Result<(), AppError> {
    let before = store::get(tx.reading(), id).await?;
    let slug = slug_of(&form.name);
    let values = checked(form, &slug)?;
    store::knows_zone(tx, values.timezone).await?;
    store::update(tx, id, &values).await?;
    if budget_of(&before) != values.monthly_budget
        || before.budget_action != values.budget_action
        || before.timezone != values.timezone
    {
        set_budget(tx, id, Some(&before), &values).await?;
    }
    if before.timezone != values.timezone {
        days::touch_all_days(tx, Some(id)).await?;
    }
    let before = serde_json::json!({
        "name": before.name, "timezone": before.timezone, "shares_cost": before.shares_cost,
        "shares_recordings": before.shares_recordings, "shares_steps": before.shares_steps, "shares_prompts": before.shares_prompts,
        "admins_edit_contacts": before.admins.edit_contacts, "admins_edit_campaigns": before.admins.edit_campaigns,
        "admins_run_batches": before.admins.run_batches, "admins_invite_viewers": before.admins.invite_viewers,
    });
    record(tx, id, "changed", Fields::Changed { before, after: summary(&values) }).await
}

fn budget_of(client: &Client) -> Option<rust_decimal::Decimal> {
    client.monthly_budget.as_deref().and_then(|text| text.parse().ok())
}

/// The budget has a line of its own in the audit log, for the agency alone: a client's people read the other line.
async fn set_budget(
    tx: &mut WriteTx,
    id: ClientId,
    before: Option<&Client>,
    values: &Values<'_>,
) -> Result<(), AppError> {
    budget::changed(tx, id, before.and_then(budget_of), values.monthly_budget).await?;
    // What waited for the budget goes on at once, and what must wait now says so.
    let moved = tx.services().hooks.get::<BudgetMoved>()?.0;
    moved(tx, id).await?;
    let was = before.map(|client| {
        serde_json::json!({ "client": values.name, "monthly_budget": budget_of(client), "then": client.budget_action })
    });
    let is = serde_json::json!({
        "client": values.name, "monthly_budget": values.monthly_budget, "then": values.budget_action,
    });
    tx.audit(Change {
        action: if before.is_some() { "changed" } else { "set" },
        entity: "budget",
        entity_id: Some(id.0),
        client_id: None,
        fields: Fields::saved(was, is),
    })
    .await
}

/// Archives a client (its people can no longer sign in, nothing new dials) or brings it back. Safe to repeat.
/// Errors: `Conflict` while a batch of it is unfinished.
pub(crate) async fn set_status(tx: &mut WriteTx, id: ClientId, status: ClientStatus) -> Result<(), AppError> {
    // The workspace before the client, as where batches dial; and the client before its batches are counted, so that none begins meanwhile.
    limits::lock(tx).await?;
    store::lock(tx, id).await?;
    let client = store::get(tx.reading(), id).await?;
    if status == ClientStatus::Archived && store::unfinished_batches(tx, id).await? > 0 {
        return Err(AppError::Conflict(
            Reason::InUse,
            "A batch of this client is unfinished. Stop it first, then archive the client.".into(),
        ));
    }
    if store::set_status(tx, id, status).await? {
        if status == ClientStatus::Active {
            limits::check_limit(tx, Kind::Clients).await?;
        }
        let action = if status == ClientStatus::Archived { "archived" } else { "restored" };
        let state = |status: ClientStatus| serde_json::json!({ "name": client.name, "status": status });
        let fields = Fields::Changed { before: state(client.status), after: state(status) };
        record(tx, id, action, fields).await?;
    }
    Ok(())
}

fn checked<'a>(form: &'a ClientForm, slug: &'a str) -> Result<Values<'a>, AppError> {
    let mut errors = FieldErrors::default();
    form.check(&mut errors);
    if !patchbay_shared::zone_names::is_zone(&form.timezone) {
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
        shares_prompts: form.shares_prompts.is_some(),
        admins: form.admins(),
        monthly_budget: form.monthly_budget.trim().parse().ok(),
        budget_action: form.action().unwrap_or(BudgetAction::Warn),
    })
}

fn summary(values: &Values<'_>) -> serde_json::Value {
    serde_json::json!({
        "name": values.name, "timezone": values.timezone, "shares_cost": values.shares_cost,
        "shares_recordings": values.shares_recordings, "shares_steps": values.shares_steps,
        "shares_prompts": values.shares_prompts, "admins_edit_contacts": values.admins.edit_contacts,
        "admins_edit_campaigns": values.admins.edit_campaigns, "admins_run_batches": values.admins.run_batches,
        "admins_invite_viewers": values.admins.invite_viewers,
    })
}

async fn record(tx: &mut WriteTx, id: ClientId, action: &str, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "client", entity_id: Some(id.0), client_id: Some(id), fields }).await?;
    tx.notify(Topic::list("clients"), Some(id));
    Ok(())
}

/// Sets the client's brand, as the crate `brand` reads it. Errors: `NotFound`.
pub async fn set_branding(tx: &mut WriteTx, id: ClientId, branding: &serde_json::Value) -> Result<(), AppError> {
    store::set_branding(tx, id, branding).await
}
