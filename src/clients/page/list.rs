use std::sync::Arc;

use leptos::prelude::*;

use patchbay_access::Action;
use patchbay_shell::viewer;
use crate::model::ClientRow;
use crate::server_fns::list_clients;
use patchbay_shared::Page;
use patchbay_ui::*;

/// The agency's clients.
#[lazy]
pub fn clients_page() -> PageView {
    let asked = || (query("q"), query("state").as_deref() == Some("archived"), query("cursor"));
    let rows = load(asked, |(words, archived, cursor)| list_clients(words, archived, cursor));
    Arc::new(move || {
        live::on_change(&["clients"], move || rows.refetch());
        let may_add = viewer().may(Action::ManageClients);
        view! {
            <PageTitle text="Clients"/>
            <PageHead
                title="Clients"
                actions=move || view! {
                    <ExportLink path="/clients.csv"/>
                    {may_add.then(|| view! {
                        <LinkButton href="/clients/new" kind=ButtonKind::Primary icon="plus">"New client"</LinkButton>
                    })}
                }
            />
            <FilterBar
                search="q"
                placeholder="Part of the name"
                filters=vec![Filter::new("state", "State", vec![("archived".into(), "Archived".into())])]
            />
            <PageBoundary data=rows view={move |page: Page<ClientRow>| view! { <Rows page may_add/> }}/>
        }
        .into_any()
    })
}

#[component]
fn Rows(page: Page<ClientRow>, may_add: bool) -> impl IntoView {
    if page.rows.is_empty() {
        if query("q").is_some() || query("state").is_some() {
            return view! { <NoMatch what="clients"/> }.into_any();
        }
        return view! {
            <section class="card">
                <EmptyState icon="building-2" title="No clients yet" text="A client is a customer of your agency. Its people see only its own calls.">
                    {may_add.then(|| view! { <LinkButton href="/clients/new" kind=ButtonKind::Primary icon="plus">"Add the first client"</LinkButton> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Clients"
                head=|| view! {
                    <th scope="col">"Client"</th>
                    <th scope="col" class="num">"Agents"</th>
                    <th scope="col" class="num">"Campaigns"</th>
                    <th scope="col" class="num">"People"</th>
                    <th scope="col">"Time zone"</th>
                    <th scope="col">"Since"</th>
                    <th scope="col">"State"</th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="50 per page"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: ClientRow) -> impl IntoView {
    view! {
        <tr>
            <td><a class="link" href=format!("/clients/{}", row.id)>{row.name}</a></td>
            <td class="num">{row.agents}</td>
            <td class="num">{row.campaigns}</td>
            <td class="num">{row.users}</td>
            <td>{row.timezone.replace('_', " ")}</td>
            <td><Time stamp=row.created/></td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
        </tr>
    }
}
