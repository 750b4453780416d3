//! Links that whoever made them hands over by hand: shown once.

use crate::model::{Invited, LinkKind, ShownLinks};
use patchbay_access::server::Visitor;
use patchbay_access::server::once;
use patchbay_shared::AppError;

const KIND: &str = "links";

/// Leads to the page that shows what has just been made: in an agency's settings, or the platform's.
pub async fn show(visitor: &Visitor, what: LinkKind, links: Vec<Invited>) -> Result<(), AppError> {
    once::keep(visitor, KIND, &ShownLinks { what, links }).await?;
    let in_agency = visitor.viewer()?.workspace.is_some();
    leptos_axum::redirect(if in_agency { "/settings/users/links" } else { "/platform/links" });
    Ok(())
}

/// What the page shows.
pub(crate) async fn take(visitor: &Visitor) -> Result<Option<ShownLinks>, AppError> {
    once::take(visitor, KIND).await
}
