use std::sync::Arc;

use leptos::prelude::*;

use super::list::{Parts, with_client};
use patchbay_access::Action;
use patchbay_shell::viewer;
use crate::server_fns::list_imports;
use crate::{ImportRow, ImportStatus};
use patchbay_shared::Page;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// All imports, newest first.
#[lazy]
pub fn imports_page() -> PageView {
    let asked = || (query("client"), query("cursor"));
    let rows = load(asked, |(client, cursor)| list_imports(client, cursor));
    Arc::new(move || {
        live::on_change(&["imports"], move || rows.refetch());
        let may_add = viewer().may(Action::ManageContacts);
        view! {
            <PageTitle text="Imports" parents=vec![crumb("Contacts", "/contacts")]/>
            <PageHead
                title="Imports"
                sub="Lists that were uploaded, what became of their rows, and who did it."
                actions=move || view! {
                    <ExportLink path="/contacts/imports.csv"/>
                    {may_add.then(|| view! {
                        <LinkButton href="/contacts/imports/template.csv" icon="download" external=true>"Template"</LinkButton>
                        <LinkButton href=move || with_client("/contacts/imports/new") kind=ButtonKind::Primary icon="upload">"Import"</LinkButton>
                    })}
                }
            />
            <Parts current="imports"/>
            <PageBoundary data=rows view={move |page: Page<ImportRow>| view! { <Listed page may_add/> }}/>
        }
        .into_any()
    })
}

#[component]
fn Listed(page: Page<ImportRow>, may_add: bool) -> impl IntoView {
    if page.rows.is_empty() {
        return view! {
            <section class="card">
                <EmptyState icon="file-spreadsheet" title="No imports yet" text="A list with one person per row and a column with phone numbers is enough.">
                    {may_add.then(|| view! {
                        <LinkButton href="/contacts/imports/new" kind=ButtonKind::Primary icon="upload">"Import a list"</LinkButton>
                    })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let in_agency = viewer().client.is_none();
    let rows = page.rows.into_iter().map(|row| view! { <Row row in_agency/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Imports"
                head=move || view! {
                    <th scope="col">"File"</th>
                    {in_agency.then(|| view! { <th scope="col">"Client"</th> })}
                    <th scope="col">"State"</th>
                    <th scope="col" class="num">"New"</th>
                    <th scope="col" class="num">"Updated"</th>
                    <th scope="col" class="num">"Rejected"</th>
                    <th scope="col">"By"</th>
                    <th scope="col">"Uploaded"</th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="25 per page"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: ImportRow, in_agency: bool) -> impl IntoView {
    let href = if row.status == ImportStatus::Uploaded {
        format!("/contacts/imports/{}/mapping", row.id)
    } else {
        format!("/contacts/imports/{}", row.id)
    };
    view! {
        <tr>
            <td><a class="link" href=href>{row.file_name}</a></td>
            {in_agency.then(|| view! { <td>{row.client_name}</td> })}
            <td><State tone=row.status.tone() label=row.status.label()/></td>
            <td class="num">{count_text(row.imported)}</td>
            <td class="num">{count_text(row.updated)}</td>
            <td class="num">{count_text(row.rejected)}</td>
            <td>{row.started_by}</td>
            <td><Time stamp=row.created/></td>
        </tr>
    }
}
