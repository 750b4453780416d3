use leptos::prelude::*;

use super::viewer;
use patchbay_access::Action;
use patchbay_ui::LinkButton;

/// Leads to what the audit log says of a record; for those who may read it.
#[component]
pub fn HistoryLink(
    /// The record's id.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    viewer().may(Action::ReadAudit).then(
        || view! { <LinkButton href=format!("/settings/audit?record={id}") icon="history">"History"</LinkButton> },
    )
}
