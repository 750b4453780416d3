use std::sync::Arc;

use leptos::prelude::*;

use crate::model::ClientRow;
use crate::server_fns::list_clients;
use patchbay_access::Action;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The agency's clients.
#[lazy]
pub fn clients_page() -> PageView {
    let asked = || (query("q"), query("state").as_deref() == Some("archived"), query("cursor"));
    let rows = load(asked, |(words, archived, cursor)| list_clients(words, archived, cursor));
    Arc::new(move || {
        List::<ClientRow>::new("Clients")
            .live(&["clients"])
            .export("/clients.csv")
            .add(viewer().may(Action::ManageClients), "plus", "/clients/new", "New client")
            .search("q", "Part of the name")
            .filter(Filter::new("state", "State", options_of([("archived", "Archived")])))
            .column("Client", |row| cell::link(format!("/clients/{}", row.id), &row.name))
            .number("Agents", |row| row.agents)
            .number("Campaigns", |row| row.campaigns)
            .number("People", |row| row.users)
            .column("Time zone", |row| row.timezone.replace('_', " "))
            .column("Since", |row| cell::time(&row.created))
            .column("State", |row| cell::state(row.status))
            .empty(
                "building-2",
                "No clients yet",
                "A client is a customer of your agency. Its people see only its own calls.",
            )
            .first("Add the first client")
            .page(rows)
    })
}
