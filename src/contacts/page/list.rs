use std::sync::Arc;

use leptos::prelude::*;

use patchbay_access::Action;
use patchbay_shell::viewer;
use crate::server_fns::list_contacts;
use crate::{ContactQuery, ContactRow};
use patchbay_shared::Page;
use patchbay_shared::phone::spaced;
use patchbay_ui::address::query_string;
use patchbay_ui::*;

type Rows = Loaded<Page<ContactRow>>;

/// People that agents call.
#[lazy]
pub fn contacts_page() -> PageView {
    let rows = rows(asked);
    Arc::new(move || {
        live::on_change(&["contacts"], move || rows.refetch());
        let may_add = viewer().may(Action::ManageContacts);
        view! {
            <PageTitle text="Contacts"/>
            <PageHead
                title="Contacts"
                sub="People that agents call. Each belongs to one client."
                actions=move || view! {
                    <LinkButton href=move || export_address(&asked()) icon="download" external=true>"Export"</LinkButton>
                    {may_add.then(|| view! {
                        <LinkButton href=move || with_client("/contacts/imports/new") icon="upload">"Import"</LinkButton>
                        <LinkButton href=move || with_client("/contacts/new") kind=ButtonKind::Primary icon="plus">"New contact"</LinkButton>
                    })}
                }
            />
            <Parts current="all"/>
            <FilterBar
                search="q"
                placeholder="Name, company, e-mail or number"
                filters=vec![Filter::new("suppressed", "Do not call", options_of([("yes", "On the list"), ("no", "May be called")]))]
                keep=vec!["client", "import"]
            />
            <PageBoundary data=rows view={move |page: Page<ContactRow>| view! { <Listed page suppressed=false/> }}/>
        }
        .into_any()
    })
}

/// People that must not be called.
#[lazy]
pub fn suppressed_page() -> PageView {
    let rows = rows(asked_suppressed);
    Arc::new(move || {
        live::on_change(&["contacts"], move || rows.refetch());
        view! {
            <PageTitle text="Do not call" parents=vec![crumb("Contacts", "/contacts")]/>
            <PageHead
                title="Do not call"
                sub="Nobody here is dialled, whatever campaign they are in. Open a contact to add it or take it off."
                actions=|| view! {
                    <LinkButton href=move || export_address(&asked_suppressed()) icon="download" external=true>"Export"</LinkButton>
                }
            />
            <Parts current="suppressed"/>
            <FilterBar search="q" placeholder="Name, company, e-mail or number" keep=vec!["client"]/>
            <PageBoundary data=rows view={move |page: Page<ContactRow>| view! { <Listed page suppressed=true/> }}/>
        }
        .into_any()
    })
}

/// The three lists of this room.
#[component]
pub fn Parts(current: &'static str) -> impl IntoView {
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
pub fn with_client(path: &str) -> String {
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

/// The export has the filters of the list.
fn export_address(asked: &ContactQuery) -> String {
    let fields =
        [("q", &asked.q), ("client", &asked.client), ("suppressed", &asked.suppressed), ("import", &asked.import)];
    let pairs: Vec<(String, String)> =
        fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))).collect();
    format!("/contacts/export.csv{}", query_string(&pairs))
}

#[component]
fn Listed(page: Page<ContactRow>, suppressed: bool) -> impl IntoView {
    if page.rows.is_empty() {
        let filtered =
            ["q", "import"].into_iter().chain((!suppressed).then_some("suppressed")).any(|key| query(key).is_some());
        if filtered {
            return view! { <section class="card"><NoMatch what="contacts"/></section> }.into_any();
        }
        return view! { <section class="card"><Nobody suppressed/></section> }.into_any();
    }
    let in_agency = viewer().client.is_none();
    let rows = page.rows.into_iter().map(|row| view! { <Row row in_agency suppressed/> }).collect_view();
    let last = if suppressed { "Why" } else { "Added" };
    view! {
        <section class="card clip">
            <DataTable
                label="Contacts"
                head=move || view! {
                    <th scope="col">"Contact"</th>
                    <th scope="col">"Company"</th>
                    <th scope="col">"E-mail"</th>
                    {in_agency.then(|| view! { <th scope="col">"Client"</th> })}
                    <th scope="col">"State"</th>
                    <th scope="col">{last}</th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="50 per page, newest first"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: ContactRow, in_agency: bool, suppressed: bool) -> impl IntoView {
    let name = if row.name.is_empty() { row.phone.clone() } else { row.name };
    let (tone, word) = if row.do_not_call {
        (patchbay_shared::Tone::Warn, "Do not call")
    } else {
        (patchbay_shared::Tone::Ok, "May be called")
    };
    view! {
        <tr>
            <td>
                <div class="who"><a href=format!("/contacts/{}", row.id)>{name}</a><small class="mono">{spaced(&row.phone)}</small></div>
            </td>
            <td>{row.company}</td>
            <td>{row.email}</td>
            {in_agency.then(|| view! { <td>{row.client_name}</td> })}
            <td><State tone label=word/></td>
            <td>
                {if suppressed { row.do_not_call_reason.into_any() } else { view! { <Time stamp=row.created/> }.into_any() }}
            </td>
        </tr>
    }
}

#[component]
fn Nobody(suppressed: bool) -> impl IntoView {
    if suppressed {
        return view! {
            <EmptyState
                icon="phone-off"
                title="Nobody is on the do-not-call list"
                text="When somebody asks not to be called, open the contact and choose Do not call."
            />
        }
        .into_any();
    }
    let may_add = viewer().may(Action::ManageContacts);
    view! {
        <EmptyState icon="contact" title="No contacts yet" text="Import a list as CSV, or add people one by one.">
            {may_add.then(|| view! {
                <LinkButton href="/contacts/imports/new" kind=ButtonKind::Primary icon="upload">"Import a list"</LinkButton>
                <LinkButton href="/contacts/new" icon="plus">"New contact"</LinkButton>
            })}
        </EmptyState>
    }
    .into_any()
}
