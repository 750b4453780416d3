use std::sync::Arc;

use leptos::prelude::*;

use super::list::{Parts, with_client};
use crate::server_fns::list_imports;
use crate::{ImportRow, ImportStatus};
use patchbay_access::Action;
use patchbay_shared::money::count_text;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// All imports, newest first.
#[lazy]
pub fn imports_page() -> PageView {
    let asked = || (query("client"), query("cursor"));
    let rows = load(asked, |(client, cursor)| list_imports(client, cursor));
    Arc::new(move || {
        let may_add = viewer().may(Action::ManageContacts);
        List::<ImportRow>::new("Imports")
            .under(crumb("Contacts", "/contacts"))
            .subtitle("Lists that were uploaded, what became of their rows, and who did it.")
            .live(&["imports"])
            .export("/contacts/imports.csv")
            .action(may_add.then(|| view! {
                <LinkButton href="/contacts/imports/template.csv" icon="download" external=true>"Template"</LinkButton>
            }))
            .add(may_add, "upload", Signal::derive(|| with_client("/contacts/imports/new")), "Import")
            .above(view! { <Parts current="imports"/> })
            .column("File", move |row| cell::link(address(row, may_add), &row.file_name))
            .column("Client", |row| row.client_name.clone())
            .when(viewer().client.is_none())
            .column("State", |row| cell::state(row.status))
            .number("New", |row| count_text(row.imported))
            .number("Updated", |row| count_text(row.updated))
            .number("Not imported", |row| count_text(row.rejected))
            .column("By", |row| row.started_by.clone())
            .column("Uploaded", |row| cell::time(&row.created))
            .note("25 per page")
            .empty("file-spreadsheet", "No imports yet", "A list with one person per row and a column with phone numbers is enough.")
            .first("Import a list")
            .page(rows)
    })
}

/// Whoever may choose the columns of a new file lands there.
fn address(row: &ImportRow, may_manage: bool) -> String {
    let step = if may_manage && row.status == ImportStatus::Uploaded { "/mapping" } else { "" };
    format!("/contacts/imports/{}{step}", row.id)
}
