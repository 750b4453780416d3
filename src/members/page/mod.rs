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

use patchbay_access::Role;

/// One line on what a role may do, for pickers.
pub(super) fn what_it_may(role: Role) -> &'static str {
    match role {
        Role::AgencyOwner => "Everything, credentials and deleting agents included.",
        Role::AgencyAdmin => "Agents, numbers, campaigns, batches, people below owner. No credentials.",
        Role::AgencyMember => "Reads all of the agency's data. Changes nothing.",
        Role::ClientAdmin => "One client: manages its contacts and viewers, reads its calls and usage.",
        Role::ClientViewer => "One client: reads its calls, campaigns and results.",
        Role::Admin => "Runs the platform.",
    }
}

/// The two lists of this room.
fn people_tabs(current: &'static str) -> Vec<patchbay_ui::TabItem> {
    use patchbay_ui::tab;
    vec![
        tab("People", "/settings/users", current == "people"),
        tab("Invitations", "/settings/users/invitations", current == "invitations"),
    ]
}
