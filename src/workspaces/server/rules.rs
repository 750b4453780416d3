//! What an agency has set for itself, in `workspaces.settings`.

use serde_json::json;

use crate::model::AgencyRules;
use patchbay_access::SecondFactorRule;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;

/// What is counted by the agency's days counts differently, in the transaction that changes its zone. Metering gives it to boot.
pub struct ZoneChanged(pub for<'a> fn(&'a mut WriteTx) -> HookFuture<'a>);

/// The rules of the workspace that the transaction is in. Unknown words count as the default.
pub async fn get(tx: &mut ReadTx) -> Result<AgencyRules, AppError> {
    let w = tx.workspace_uuid();
    let settings = sqlx::query_scalar!("select settings from workspaces where id = $1", w).fetch_one(tx.conn()).await?;
    Ok(serde_json::from_value(settings).unwrap_or_default())
}

/// A new agency's rules: its owners and admins have a second factor, where the installation demands it. The owner can change that.
pub async fn init_rules(tx: &mut WriteTx) -> Result<(), AppError> {
    if !tx.services().requires_second_factor {
        return Ok(());
    }
    let w = tx.workspace_uuid();
    let rules = AgencyRules { second_factor: SecondFactorRule::Managers, ..AgencyRules::default() };
    sqlx::query!("update workspaces set settings = settings || $2 where id = $1", w, json!(rules))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The agency's name and time zone.
pub async fn name_and_zone(tx: &mut ReadTx) -> Result<(String, String), AppError> {
    let w = tx.workspace_uuid();
    let row = sqlx::query!("select name, timezone from workspaces where id = $1", w).fetch_one(tx.conn()).await?;
    Ok((row.name, row.timezone))
}

/// Writes name, zone and rules, with what they were before in the audit log. The same again changes nothing.
pub async fn save(tx: &mut WriteTx, name: &str, timezone: &str, rules: AgencyRules) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
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
    if old.timezone != timezone {
        let moved = tx.services().hooks.get::<ZoneChanged>()?.0;
        moved(tx).await?;
    }
    let words = |name: &str, timezone: &str, rules: AgencyRules| {
        json!({
            "name": name, "timezone": timezone, "second_factor": rules.second_factor, "audit_days": rules.audit_days,
            "concurrency": rules.concurrency,
        })
    };
    tx.audit(Change {
        action: "changed",
        entity: "workspace",
        entity_id: Some(w),
        client_id: None,
        fields: Fields::Changed { before: words(&old.name, &old.timezone, was), after: words(name, timezone, rules) },
    })
    .await
}
