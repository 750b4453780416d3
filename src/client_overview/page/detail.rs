use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::blocks::{Agents, Calls, Campaigns, Numbers, People};
use super::figures::{Figures, Spent};
use patchbay_access::Action;
use patchbay_agents::model::AgentRow;
use patchbay_agents::server_fns::client_agents;
use patchbay_calls::model::CallRow;
use patchbay_calls::server_fns::client_calls;
use patchbay_campaigns::CampaignRow;
use patchbay_campaigns::server_fns::client_campaigns;
use patchbay_clients::model::{Client, ClientStatus};
use patchbay_clients::server_fns::get_client;
use patchbay_members::model::MemberRow;
use patchbay_members::server_fns::client_members;
use patchbay_numbers::model::NumberRow;
use patchbay_numbers::server_fns::client_numbers;
use patchbay_shell::client_tabs;
use patchbay_shell::viewer;
use patchbay_ui::*;
use patchbay_usage::model::ClientPeriod;
use patchbay_usage::page::asked;
use patchbay_usage::server_fns::get_client_usage;

/// What belongs to the client, each part from the crate that owns it.
#[derive(Clone, Copy)]
struct Parts {
    usage: Loaded<ClientPeriod>,
    campaigns: Loaded<Vec<CampaignRow>>,
    calls: Loaded<Vec<CallRow>>,
    agents: Loaded<Vec<AgentRow>>,
    numbers: Loaded<Vec<NumberRow>>,
    people: Loaded<Option<Vec<MemberRow>>>,
}

/// One client: what some days came to, and the first of everything that belongs to it.
#[lazy]
pub fn client_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let client = load(id, get_client);
    let parts = Parts {
        usage: load(move || (id(), asked()), |(id, asked)| get_client_usage(id, asked)),
        campaigns: load(id, client_campaigns),
        calls: load(id, client_calls),
        agents: load(id, client_agents),
        numbers: load(id, client_numbers),
        people: load(id, client_members),
    };
    Arc::new(move || {
        live::on_change(&["clients"], move || {
            client.refetch();
            parts.usage.refetch();
        });
        live::on_change(&["calls"], move || parts.calls.refetch());
        let busy = RwSignal::new(false);
        live::on_change_slowly(&["calls", "texts"], Duration::from_secs(5), move || {
            if !busy.get_untracked() {
                parts.usage.refetch();
            }
        });
        live::on_change(&["campaigns", "batches"], move || parts.campaigns.refetch());
        live::on_change(&["agents"], move || parts.agents.refetch());
        live::on_change(&["numbers"], move || parts.numbers.refetch());
        live::on_change(&["members"], move || parts.people.refetch());
        view! { <PageBoundary data=client view=move |client: Client| view! { <Detail client parts busy/> }/> }
            .into_any()
    })
}

#[component]
fn Detail(client: Client, parts: Parts, busy: RwSignal<bool>) -> impl IntoView {
    let id = client.id;
    let status = client.status;
    let may_dial = viewer().may(Action::RunBatches) && status == ClientStatus::Active;
    let sub = format!("Days in {}", client.timezone.replace('_', " "));
    let to = move |path: &str| format!("{path}?client={id}");
    view! {
        <PageTitle text=client.name.clone() parents=vec![crumb("Clients", "/clients")]/>
        <PageHead
            title=client.name
            sub=sub
            tags=move || view! { <Tag tone=status.tone()>{status.label()}</Tag> }
            actions=move || view! {
                <LinkButton href=to("/contacts") icon="contact">"Contacts"</LinkButton>
                <LinkButton href=to("/batches") icon="list-checks">"Batches"</LinkButton>
                {may_dial.then(|| view! {
                    <LinkButton href=to("/campaigns/new") kind=ButtonKind::Primary icon="plus">"New campaign"</LinkButton>
                })}
            }
        />
        <Tabs label="Parts of the client" items=client_tabs(id, "overview")/>
        <BlockBoundary data=parts.usage view={move |usage: ClientPeriod| view! { <Figures usage client=id.to_string() busy/> }}/>
        <div class="cols main-side">
            <div class="cols min0">
                <BlockBoundary data=parts.campaigns view={move |rows: Vec<CampaignRow>| view! { <Campaigns rows client=id/> }}/>
                <BlockBoundary data=parts.calls view={move |rows: Vec<CallRow>| view! { <Calls rows client=id/> }}/>
            </div>
            <div class="cols min0">
                <BlockBoundary data=parts.usage view={move |period: ClientPeriod| view! { <Spent period client=id.to_string()/> }}/>
                <BlockBoundary data=parts.agents view={move |rows: Vec<AgentRow>| view! { <Agents rows client=id/> }}/>
                <BlockBoundary data=parts.numbers view={move |rows: Vec<NumberRow>| view! { <Numbers rows client=id/> }}/>
                <BlockBoundary data=parts.people view={move |rows: Option<Vec<MemberRow>>| rows.map(|rows| view! { <People rows client=id/> })}/>
            </div>
        </div>
    }
}
