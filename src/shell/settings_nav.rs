use leptos::prelude::*;

use super::viewer;
use patchbay_access::Action;

/// Links to the settings pages that the viewer may open.
#[component]
pub fn SettingsNav(
    /// Path of the page that shows it.
    current: &'static str,
) -> impl IntoView {
    let mine = viewer();
    let pages = [
        ("/settings/profile", "Your profile", Action::EditOwnProfile),
        ("/settings/security", "Sign-in and security", Action::EditOwnProfile),
        ("/settings/agency", "Agency", Action::ReadAgency),
        ("/settings/users", "People", Action::ReadMembers),
        ("/settings/api-keys", "API keys", Action::ManageKeys),
        ("/settings/webhooks", "Webhooks", Action::ManageWebhooks),
        ("/settings/brand", "Brand", Action::ManageBrand),
        ("/settings/audit", "Audit log", Action::ReadAudit),
        ("/queues", "Stuck work", Action::ReadQueues),
    ];
    let links = pages
        .into_iter()
        .filter(|(_, _, action)| mine.may(*action))
        .map(|(href, text, _)| view! { <a href=href aria-current=(href == current).then_some("page")>{text}</a> })
        .collect_view();
    view! { <nav class="subnav" aria-label="Settings">{links}</nav> }
}
