//! The agency's own page: what it shows, and saving it.

use crate::model::{AgencyForm, AgencyView};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_shared::{AppError, FieldErrors};
use patchbay_workspaces::server::{limits, rules};

/// The agency's page.
pub(crate) async fn view(scope: &Scope) -> Result<AgencyView, AppError> {
    let mut tx = scope.read(Action::ReadAgency).await?;
    let (name, timezone) = rules::name_and_zone(&mut tx).await?;
    let rules = rules::get(&mut tx).await?;
    let (plan, held) = limits::held(&mut tx).await?;
    Ok(AgencyView { name, timezone, rules, plan, held })
}

/// Saves what an owner filled in. Safe to repeat. Errors: `Invalid` at its fields.
pub(crate) async fn save(scope: &Scope, form: &AgencyForm) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageWorkspace).await?;
    let mut errors = FieldErrors::default();
    form.check(&mut errors);
    if !patchbay_shared::zone_names::is_zone(&form.timezone) {
        errors.add("timezone", "Choose a time zone from the list, for example Europe/Zurich.");
    }
    let (_, granted) = limits::granted(tx.reading()).await?;
    let own = form.rules(granted.lines, &mut errors);
    errors.check()?;
    rules::save(&mut tx, form.name.trim(), &form.timezone, own).await?;
    tx.commit().await
}
