//! What people do with rules: make and change them, switch them on and off, and remove them.

use serde_json::{Value, json};

use super::store::{self, numbers, rules as rows};
use crate::model::{MOST_RULES, RuleFields, RuleForm, Switched};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::{ClientId, TextRuleId};
use patchbay_shared::{AppError, Reason};
use patchbay_webhooks::server::listeners;
use patchbay_workspaces::server::limits;

/// Makes or changes a rule. Errors: `Invalid`, `NotFound`, `Conflict` when there are as many as there may be.
pub(crate) async fn save(scope: &Scope, form: &RuleForm) -> Result<TextRuleId, AppError> {
    let id = if form.id.is_empty() { None } else { Some(form.id.parse::<TextRuleId>()?) };
    let mut tx = scope.write(Action::ManageTexts).await?;
    let before = match id {
        Some(id) => Some(rows::lock(&mut tx, id).await?),
        None => None,
    };
    let (fields, mut errors) = form.read();
    if let Some(client) = fields.client {
        let is_same = before.as_ref().is_some_and(|before| before.fields.client == Some(client));
        if !is_same && !store::list::is_active_client(tx.reading(), client).await? {
            errors.add("client", "Choose a client of the agency that is not archived.");
        }
        let usable = numbers::usable(tx.reading(), client).await?;
        if fields.number.is_some_and(|number| usable.iter().all(|choice| choice.id != number)) {
            errors.add(
                "number",
                "Choose an active number of this client, or of the whole agency, that carries text messages.",
            );
        }
    }
    errors.check()?;
    let client = fields.client.ok_or(AppError::NotFound)?;
    if before.is_none() {
        limits::lock(&mut tx).await?;
        if rows::count(tx.reading()).await? >= MOST_RULES {
            let why = format!("An agency has at most {MOST_RULES} rules. Remove one first.");
            return Err(AppError::Conflict(Reason::LimitReached, why));
        }
    }
    let is_new = before.is_none();
    let id = id.unwrap_or_else(TextRuleId::new);
    rows::save(&mut tx, id, client, &fields).await?;
    let after = told(&fields);
    let sides = Fields::saved(before.map(|before| told(&before.fields)), after);
    record(&mut tx, if is_new { "created" } else { "changed" }, id, client, sides).await?;
    listeners::refresh(&mut tx).await?;
    tx.commit().await?;
    Ok(id)
}

/// Switches a rule on or off. What waits of it is not sent while it is off. Errors: `NotFound`.
pub(crate) async fn switch(tx: &mut WriteTx, id: TextRuleId, on: bool) -> Result<(), AppError> {
    let before = rows::lock(tx, id).await?;
    if before.enabled == on {
        return Ok(());
    }
    rows::switch(tx, id, on).await?;
    let side = |on: bool| json!({"name": before.fields.name, "state": Switched::of(on)});
    let sides = Fields::Changed { before: side(!on), after: side(on) };
    let client = before.fields.client.ok_or(AppError::NotFound)?;
    record(tx, if on { "switched on" } else { "switched off" }, id, client, sides).await?;
    listeners::refresh(tx).await
}

/// Removes a rule; its messages stay. Errors: `NotFound`.
pub(crate) async fn remove(tx: &mut WriteTx, id: TextRuleId) -> Result<(), AppError> {
    let before = rows::lock(tx, id).await?;
    rows::remove(tx, id).await?;
    let client = before.fields.client.ok_or(AppError::NotFound)?;
    record(tx, "removed", id, client, Fields::Deleted(told(&before.fields))).await?;
    listeners::refresh(tx).await
}

/// What the audit log has of a rule.
fn told(fields: &RuleFields) -> Value {
    json!({
        "name": fields.name, "client": fields.client, "outcomes": fields.outcomes, "template": fields.template, "number": fields.number,
        "delay_minutes": fields.delay_minutes, "hours": format!("{} to {}", fields.hours.0, fields.hours.1),
    })
}

async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: TextRuleId,
    client: ClientId,
    fields: Fields,
) -> Result<(), AppError> {
    tx.notify(Topic::list("text_rules"), None);
    tx.notify(Topic::one("text_rule", id), None);
    tx.audit(Change { action, entity: "text_rule", entity_id: Some(id.0), client_id: Some(client), fields }).await
}
