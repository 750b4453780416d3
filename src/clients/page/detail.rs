use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::form::ClientFields;
use crate::access::Action;
use crate::app::viewer;
use crate::clients::model::{Client, ClientStatus};
use crate::clients::server_fns::{SetClientStatus, get_client};
use crate::ui::*;

/// One client: its settings, and the way to everything that belongs to it.
#[lazy]
pub fn client_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let client = load(id, get_client);
    Arc::new(move || {
        live::on_change(&["clients"], move || client.refetch());
        view! { <PageBoundary data=client view=move |client: Client| view! { <Detail client/> }/> }.into_any()
    })
}

#[component]
fn Detail(client: Client) -> impl IntoView {
    let may_change = viewer().may(Action::ManageClients);
    let id = client.id.to_string();
    let to = move |path: &str| format!("{path}?client={id}");
    let links = [
        ("phone-call", "Calls", to("/calls")),
        ("list-checks", "Batches", to("/batches")),
        ("megaphone", "Campaigns", to("/campaigns")),
        ("contact", "Contacts", to("/contacts")),
        ("bot", "Agents", to("/agents")),
        ("phone", "Phone numbers", to("/numbers")),
        ("receipt-text", "Usage", to("/usage")),
    ]
    .map(|(icon, text, href)| view! { <li><a class="row" href=href><Icon name=icon/><span class="link">{text}</span></a></li> })
    .collect_view();
    let brand = may_change.then(|| view! { <li><a class="row" href=format!("/clients/{}/brand", client.id)><Icon name="eye"/><span class="link">"Brand"</span></a></li> });
    let status = client.status;
    view! {
        <PageTitle text=client.name.clone() parents=vec![crumb("Clients", "/clients")]/>
        <PageHead
            title=client.name.clone()
            tags=move || view! { <Tag tone=status.tone()>{status.label()}</Tag> }
            actions={
                let client = client.clone();
                move || may_change.then(|| view! { <ArchiveForm client=client.clone()/> })
            }
        />
        <div class="cols main-side">
            <Card title="Settings">
                {if may_change { view! { <ClientFields client=Some(client.clone())/> }.into_any() } else { view! { <Settings client=client.clone()/> }.into_any() }}
            </Card>
            <Card title="Belongs to it"><ul class="list">{links}{brand}</ul></Card>
        </div>
    }
}

#[component]
fn Settings(client: Client) -> impl IntoView {
    let word = |yes: bool| if yes { "Shown" } else { "Hidden" };
    view! {
        <Facts>
            <Fact label="Time zone">{client.timezone.replace('_', " ")}</Fact>
            <Fact label="Monthly budget">{client.monthly_budget.map_or_else(|| "None".into(), |budget| format!("${budget}"))}</Fact>
            <Fact label="Cost">{word(client.shares_cost)}</Fact>
            <Fact label="Recordings">{word(client.shares_recordings)}</Fact>
            <Fact label="Steps">{word(client.shares_steps)}</Fact>
            <Fact label="Since"><Time stamp=client.created/></Fact>
        </Facts>
    }
}

#[component]
fn ArchiveForm(client: Client) -> impl IntoView {
    let set = FormAction::of::<SetClientStatus>();
    let (word, next) = match client.status {
        ClientStatus::Active => ("Archive", ClientStatus::Archived),
        ClientStatus::Archived => ("Restore", ClientStatus::Active),
    };
    view! {
        <ServerForm action=set class="inline" prefix="archive-">
            <input type="hidden" name="id" value=client.id.to_string()/>
            <input type="hidden" name="status" value=next.as_str()/>
            <SubmitButton kind=ButtonKind::Plain>{word}</SubmitButton>
        </ServerForm>
    }
}
