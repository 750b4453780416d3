use std::sync::Arc;

use leptos::prelude::*;

use super::people_frame;
use crate::model::MemberRow;
use crate::server_fns::list_members;
use patchbay_access::{Action, Role};
use patchbay_shared::Tone;
use patchbay_shell::viewer;
use patchbay_ui::address::query_string;
use patchbay_ui::*;

/// People of the agency, or of the viewer's own client.
#[lazy]
pub fn members_page() -> PageView {
    let asked = || (query("role"), query("client"), query("cursor"));
    let rows = load(asked, |(role, client, cursor)| list_members(role, client, cursor));
    Arc::new(move || {
        let roles = if viewer().role.is_client() {
            vec![Role::ClientAdmin, Role::ClientViewer]
        } else {
            Role::ALL[..5].to_vec()
        };
        let roles = roles.into_iter().map(|role| (role.as_str().to_owned(), role.label().to_owned())).collect();
        List::<MemberRow>::new("People")
            .under(crumb("Settings", "/settings/profile"))
            .live(&["members"])
            .export("/settings/users.csv")
            .add(viewer().may(Action::ManageViewers), "user-plus", Signal::derive(invite_address), "Invite people")
            .within(|list| people_frame("people", list))
            .filter(Filter::new("role", "Role", roles))
            .keep(&["client"])
            .column("Name", |row| {
                let (name, email) = (row.name.clone(), row.email.clone());
                view! { <div class="who"><b><a class="link" href=format!("/settings/users/{}", row.id)>{name}</a></b><small>{email}</small></div> }
            })
            .column("Role", |row| row.role.label())
            .column("Client", |row| cell::or(&row.client, "–"))
            .column("Last sign-in", |row| cell::time_or(row.last_login.as_ref(), "Never"))
            .column("Second factor", |row| match row.has_second_factor {
                true => cell::state_of(Tone::Ok, "On"),
                false => view! { <span class="sub">"Off"</span> }.into_any(),
            })
            .column("State", |row| cell::state(row.status))
            .note("100 per page")
            .page(rows)
    })
}

/// The form for the client that the list is narrowed to.
fn invite_address() -> String {
    let pairs: Vec<(String, String)> = query("client").map(|id| ("client".to_owned(), id)).into_iter().collect();
    format!("/settings/users/new{}", query_string(&pairs))
}
