mod accept;
mod detail;
mod invitations;
mod invite;
mod links;
mod list;
mod profile;

pub use accept::accept_invitation_page;
pub use detail::member_page;
pub use invitations::invitations_page;
pub use invite::invite_page;
pub use links::{LinkList, links_page};
pub use list::members_page;
pub use profile::profile_page;

use leptos::prelude::*;

use patchbay_access::Role;
use patchbay_shell::SettingsNav;
use patchbay_ui::{Tabs, tab};

/// One line on what a role may do, for pickers.
pub(super) fn what_it_may(role: Role) -> &'static str {
    match role {
        Role::AgencyOwner => "Everything, credentials and deleting agents included.",
        Role::AgencyAdmin => "Agents, numbers, campaigns, batches, people below owner. No credentials.",
        Role::AgencyMember => "Reads all of the agency's data. Changes nothing.",
        Role::ClientAdmin => {
            "One client: manages its contacts, campaigns and viewers as far as you let it, reads its calls."
        }
        Role::ClientViewer => "One client: reads its calls, campaigns and results.",
        Role::Admin => "Runs the platform.",
    }
}

/// What the two lists of people stand in.
fn people_frame(current: &'static str, list: AnyView) -> impl IntoView {
    let tabs = vec![
        tab("People", "/settings/users", current == "people"),
        tab("Invitations", "/settings/users/invitations", current == "invitations"),
    ];
    view! {
        <div class="cols settings">
            <SettingsNav current="/settings/users"/>
            <div class="stack gap-4"><Tabs label="People" items=tabs/>{list}</div>
        </div>
    }
}
