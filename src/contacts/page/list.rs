use std::sync::Arc;

use leptos::prelude::*;

use crate::server_fns::list_contacts;
use crate::{ContactQuery, ContactRow};
use patchbay_access::Action;
use patchbay_shared::phone::spaced;
use patchbay_shared::{Page, Tone};
use patchbay_shell::viewer;
use patchbay_ui::address::query_string;
use patchbay_ui::*;

type Rows = Loaded<Page<ContactRow>>;

/// People that agents call.
#[lazy]
pub fn contacts_page() -> PageView {
    let rows = rows(asked);
    Arc::new(move || {
        let may_add = viewer().may(Action::ManageContacts);
        people("Contacts", "all")
            .subtitle("People that agents call. Each belongs to one client.")
            .action(export_link(asked))
            .action(may_add.then(|| {
                view! {
                    <LinkButton href=move || with_client("/contacts/imports/new") icon="upload">"Import"</LinkButton>
                }
            }))
            .add(may_add, "plus", Signal::derive(|| with_client("/contacts/new")), "New contact")
            .filter(Filter::new(
                "suppressed",
                "Do not call",
                options_of([("yes", "On the list"), ("no", "May be called")]),
            ))
            .keep(&["client", "import"])
            .column("Added", |row| cell::time(&row.created))
            .empty_view(move || view! { <section class="card"><Nobody may_add/></section> })
            .page(rows)
    })
}

/// People that must not be called.
#[lazy]
pub fn suppressed_page() -> PageView {
    let rows = rows(asked_suppressed);
    Arc::new(move || {
        people("Do not call", "suppressed")
            .under(crumb("Contacts", "/contacts"))
            .subtitle("These contacts are never called, whatever campaign they are in. Open a contact to add it to the list or remove it.")
            .action(export_link(asked_suppressed))
            .keep(&["client"])
            .column("Why", |row| row.do_not_call_reason.clone())
            .empty(
                "phone-off",
                "Nobody is on the do-not-call list",
                "When somebody asks not to be called, open the contact and choose Do not call.",
            )
            .page(rows)
    })
}

/// What both lists of people have.
fn people(title: &'static str, part: &'static str) -> List<ContactRow> {
    List::<ContactRow>::new(title)
        .label("Contacts")
        .live(&["contacts"])
        .above(view! { <Parts current=part/> })
        .search("q", "Name, company, e-mail or number")
        .narrowed_by(&["import"])
        .no_match_in_card()
        .table("people")
        .column("Contact", |row| {
            let name = if row.name.is_empty() { &row.phone } else { &row.name };
            cell::who(format!("/contacts/{}", row.id), name, view! { <small class="mono">{spaced(&row.phone)}</small> })
        })
        .column("Company", |row| row.company.clone())
        .column("E-mail", |row| row.email.clone())
        .column("Client", |row| row.client_name.clone())
        .when(viewer().client.is_none())
        .column("State", |row| match row.do_not_call {
            true => cell::state_of(Tone::Warn, "Do not call"),
            false => cell::state_of(Tone::Ok, "May be called"),
        })
        .note("50 per page, newest first")
}

/// The three lists about contacts.
#[component]
pub(crate) fn Parts(current: &'static str) -> impl IntoView {
    let items = Signal::derive(move || {
        vec![
            tab("All", with_client("/contacts"), current == "all"),
            tab("Do not call", with_client("/contacts/suppressed"), current == "suppressed"),
            tab("Imports", with_client("/contacts/imports"), current == "imports"),
        ]
    });
    view! { <Tabs label="Contacts" items/> }
}

/// An address that keeps the client of the switcher.
pub(crate) fn with_client(path: &str) -> String {
    let pairs: Vec<(String, String)> = query("client").map(|id| ("client".to_owned(), id)).into_iter().collect();
    format!("{path}{}", query_string(&pairs))
}

fn rows(asked: fn() -> ContactQuery) -> Rows {
    load(asked, list_contacts)
}

fn asked() -> ContactQuery {
    ContactQuery {
        q: query("q"),
        client: query("client"),
        suppressed: query("suppressed"),
        import: query("import"),
        cursor: query("cursor"),
    }
}

fn asked_suppressed() -> ContactQuery {
    ContactQuery { suppressed: Some("yes".into()), import: None, ..asked() }
}

fn export_address(asked: &ContactQuery) -> String {
    let fields =
        [("q", &asked.q), ("client", &asked.client), ("suppressed", &asked.suppressed), ("import", &asked.import)];
    let pairs: Vec<(String, String)> =
        fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))).collect();
    format!("/contacts/export.csv{}", query_string(&pairs))
}

/// The export has the filters of the list.
fn export_link(asked: fn() -> ContactQuery) -> AnyView {
    view! { <LinkButton href=move || export_address(&asked()) icon="download" external=true>"Export"</LinkButton> }
        .into_any()
}

#[component]
fn Nobody(may_add: bool) -> impl IntoView {
    view! {
        <EmptyState icon="contact" title="No contacts yet" text="Import a list as CSV, or add people one by one.">
            {may_add.then(|| view! {
                <LinkButton href="/contacts/imports/new" kind=ButtonKind::Primary icon="upload">"Import a list"</LinkButton>
                <LinkButton href="/contacts/new" icon="plus">"New contact"</LinkButton>
            })}
        </EmptyState>
    }
}
