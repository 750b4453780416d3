use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::form::ClientFields;
use crate::model::{Client, ClientStatus};
use crate::server_fns::{SetClientStatus, get_client};
use patchbay_access::Action;
use patchbay_shell::client_tabs;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// What a client is called, what its people see, what its budget does.
#[lazy]
pub fn client_settings_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let client = load(id, get_client);
    Arc::new(move || {
        view! { <PageBoundary data=client view=move |client: Client| view! { <Page client/> }/> }.into_any()
    })
}

#[component]
fn Page(client: Client) -> impl IntoView {
    let may_change = viewer().may(Action::ManageClients);
    let (name, id, status) = (client.name.clone(), client.id, client.status);
    let parents = vec![crumb("Clients", "/clients"), crumb(name.clone(), format!("/clients/{id}"))];
    view! {
        <PageTitle text="Settings" parents=parents/>
        <PageHead
            title=name
            tags=move || view! { <Tag tone=status.tone()>{status.label()}</Tag> }
            actions={
                let client = client.clone();
                move || may_change.then(|| view! { <ArchiveForm client/> })
            }
        />
        <Tabs label="Parts of the client" items=client_tabs(id, "settings")/>
        <Card>
            {if may_change {
                view! { <ClientFields client=Some(client)/> }.into_any()
            } else {
                view! { <Settings client/> }.into_any()
            }}
        </Card>
    }
}

/// The same for those who may read only.
#[component]
fn Settings(client: Client) -> impl IntoView {
    let word = |yes: bool| if yes { "Shown" } else { "Hidden" };
    let budget = match client.monthly_budget {
        Some(budget) => format!("${budget}. When it is spent: {}", client.budget_action.label()),
        None => "None".to_owned(),
    };
    let rights = client.admins;
    let admins: Vec<&str> = [
        (rights.edit_contacts, "edit contacts"),
        (rights.edit_campaigns, "edit campaigns"),
        (rights.run_batches, "run batches"),
        (rights.invite_viewers, "invite viewers"),
    ]
    .into_iter()
    .filter_map(|(may, what)| may.then_some(what))
    .collect();
    let admins = if admins.is_empty() { "only read".to_owned() } else { admins.join(", ") };
    view! {
        <Facts wide=true>
            <Fact label="Time zone">{client.timezone.replace('_', " ")}</Fact>
            <Fact label="Monthly budget">{budget}</Fact>
            <Fact label="Cost">{word(client.shares_cost)}</Fact>
            <Fact label="Recordings">{word(client.shares_recordings)}</Fact>
            <Fact label="Steps">{word(client.shares_steps)}</Fact>
            <Fact label="Prompts">{word(client.shares_prompts)}</Fact>
            <Fact label="Its admins may">{admins}</Fact>
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
