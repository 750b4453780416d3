use std::sync::Arc;

use leptos::prelude::*;

use patchbay_access::Action;
use patchbay_shell::viewer;
use crate::server_fns::list_campaigns;
use crate::{CampaignQuery, CampaignRow, CampaignStatus};
use patchbay_shared::Page;
use patchbay_shared::phone::spaced;
use patchbay_ui::address::query_string;
use patchbay_ui::*;

/// All campaigns, newest first.
#[lazy]
pub fn campaigns_page() -> PageView {
    let asked =
        || CampaignQuery { client: query("client"), status: query("status"), q: query("q"), cursor: query("cursor") };
    let rows = load(asked, list_campaigns);
    Arc::new(move || {
        live::on_change(&["campaigns"], move || rows.refetch());
        let may_add = viewer().may(Action::ManageCampaigns);
        view! {
            <PageTitle text="Campaigns"/>
            <PageHead
                title="Campaigns"
                sub="Which agent calls which contacts, from which number, when and how often."
                actions=move || view! {
                    <ExportLink path="/campaigns.csv"/>
                    {may_add.then(|| view! {
                        <LinkButton href=new_address kind=ButtonKind::Primary icon="plus">"New campaign"</LinkButton>
                    })}
                }
            />
            <FilterBar
                search="q"
                placeholder="Part of the name"
                filters=vec![Filter::new("status", "State", options_of(CampaignStatus::ALL.iter().map(|s| (s.as_str(), s.label()))))]
                keep=vec!["client"]
            />
            <PageBoundary data=rows view={move |page: Page<CampaignRow>| view! { <Listed page may_add/> }}/>
        }
        .into_any()
    })
}

/// The form for the client that the list is narrowed to.
fn new_address() -> String {
    let pairs: Vec<(String, String)> = query("client").map(|id| ("client".to_owned(), id)).into_iter().collect();
    format!("/campaigns/new{}", query_string(&pairs))
}

#[component]
fn Listed(page: Page<CampaignRow>, may_add: bool) -> impl IntoView {
    if page.rows.is_empty() {
        if query("q").is_some() || query("status").is_some() {
            return view! { <section class="card"><NoMatch what="campaigns"/></section> }.into_any();
        }
        return view! {
            <section class="card">
                <EmptyState icon="megaphone" title="No campaigns yet" text="A campaign ties a client's contacts to an agent and a number. Batches then dial it.">
                    {may_add.then(|| view! { <LinkButton href=new_address kind=ButtonKind::Primary icon="plus">"New campaign"</LinkButton> })}
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
                label="Campaigns"
                head=move || view! {
                    <th scope="col">"Campaign"</th>
                    <th scope="col">"State"</th>
                    {in_agency.then(|| view! { <th scope="col">"Client"</th> })}
                    <th scope="col">"For"</th>
                    <th scope="col">"Agent"</th>
                    <th scope="col">"From"</th>
                    <th scope="col" class="num">"Contacts"</th>
                    <th scope="col" class="num">"Waiting"</th>
                    <th scope="col">"Created"</th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="25 per page, newest first"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: CampaignRow, in_agency: bool) -> impl IntoView {
    view! {
        <tr>
            <td><a class="link" href=format!("/campaigns/{}", row.id)>{row.name}</a></td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
            {in_agency.then(|| view! { <td>{row.client_name}</td> })}
            <td>{row.kind.label()}</td>
            <td>{row.agent_name.unwrap_or_else(|| "The agency's agent".into())}</td>
            <td class="mono">{row.from_number.map_or_else(|| "–".into(), |number| spaced(&number))}</td>
            <td class="num">{row.contacts.text()}</td>
            <td class="num">{row.waiting.text()}</td>
            <td><Time stamp=row.created/></td>
        </tr>
    }
}
