//! What an agency has set for itself, in `workspaces.settings`.

use serde_json::json;

use crate::access::server::{Change, ReadTx, Scope, WriteTx, needs_second_factor};
use crate::access::{Action, SecondFactorRule};
use crate::platform::server::limits;
use crate::settings::model::{AgencyForm, AgencyRules, AgencyView};
use crate::shared::{AppError, FieldErrors};

/// The rules of the workspace that the transaction is in. Unknown words count as the default.
pub async fn get(tx: &mut ReadTx) -> Result<AgencyRules, AppError> {
    let w = tx.w();
    let settings = sqlx::query_scalar!("select settings from workspaces where id = $1", w).fetch_one(tx.conn()).await?;
    Ok(serde_json::from_value(settings).unwrap_or_default())
}

/// A new agency's rules: its owners and admins have a second factor, where the installation demands it. The owner can change that.
pub async fn found(tx: &mut WriteTx) -> Result<(), AppError> {
    if !needs_second_factor() {
        return Ok(());
    }
    let w = tx.w();
    let rules = AgencyRules { second_factor: SecondFactorRule::Managers, ..AgencyRules::default() };
    sqlx::query!("update workspaces set settings = settings || $2 where id = $1", w, json!(rules))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The agency's page.
pub async fn view(scope: &Scope) -> Result<AgencyView, AppError> {
    let mut tx = scope.read(Action::ReadAgency).await?;
    let w = tx.w();
    let row = sqlx::query!("select name, timezone from workspaces where id = $1", w).fetch_one(tx.conn()).await?;
    let rules = get(&mut tx).await?;
    let (plan, held) = limits::held(&mut tx).await?;
    Ok(AgencyView { name: row.name, timezone: row.timezone, rules, plan, held })
}

/// Saves what an owner filled in. Safe to repeat. Errors: `Invalid` at its fields.
pub async fn save(scope: &Scope, form: &AgencyForm) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageWorkspace).await?;
    let mut errors = FieldErrors::default();
    form.check(&mut errors);
    if form.timezone.parse::<chrono_tz::Tz>().is_err() {
        errors.add("timezone", "Choose a time zone from the list, for example Europe/Zurich.");
    }
    let (_, granted) = limits::granted(tx.reading()).await?;
    let rules = form.rules(granted.lines, &mut errors);
    errors.check()?;
    write(&mut tx, form.name.trim(), &form.timezone, rules).await?;
    tx.commit().await
}

async fn write(tx: &mut WriteTx, name: &str, timezone: &str, rules: AgencyRules) -> Result<(), AppError> {
    let w = tx.w();
    let old = sqlx::query!("select name, timezone, settings from workspaces where id = $1 for no key update", w)
        .fetch_one(tx.conn())
        .await?;
    let was: AgencyRules = serde_json::from_value(old.settings).unwrap_or_default();
    if (old.name.as_str(), old.timezone.as_str(), was) == (name, timezone, rules) {
        return Ok(());
    }
    sqlx::query!(
        "update workspaces set name = $2, timezone = $3, settings = settings || $4, updated_at = now() where id = $1",
        w,
        name,
        timezone,
        json!(rules)
    )
    .execute(tx.conn())
    .await?;
    let words = |name: &str, timezone: &str, rules: AgencyRules| {
        Some(json!({
            "name": name, "timezone": timezone, "second_factor": rules.second_factor, "audit_days": rules.audit_days,
            "concurrency": rules.concurrency,
        }))
    };
    tx.audit(Change {
        action: "changed",
        entity: "workspace",
        entity_id: Some(w),
        client_id: None,
        before: words(&old.name, &old.timezone, was),
        after: words(name, timezone, rules),
    })
    .await
}
