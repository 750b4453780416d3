use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::{Adoptable, AdoptableList, AdoptableQuery, language_name};
use crate::server_fns::{AdoptAgent, get_adoptable_agent, list_adoptable_agents};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Agents that the voice service has and Patchbay does not know.
#[lazy]
pub fn adopt_agents_page() -> PageView {
    let asked = || AdoptableQuery { words: query("q"), cursor: query("cursor") };
    let found = load(asked, list_adoptable_agents);
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        view! {
            <PageTitle text="Agents at Ultravox" parents=vec![crumb("Agents", "/agents")]/>
            <PageHead
                title="Agents at Ultravox"
                sub="Agents of your account there that Patchbay does not know. One that you adopt stays what it is, and is changed from here."
            />
            <PageBoundary data=found view=move |list: AdoptableList| view! { <Found list/> }/>
        }
        .into_any()
    })
}

#[component]
fn Found(list: AdoptableList) -> impl IntoView {
    let AdoptableList { rows, next, note } = list;
    let words = query("q").unwrap_or_default();
    let (is_searched, is_empty) = (!words.is_empty(), rows.is_empty());
    let rows = rows
        .into_iter()
        .map(|row| {
            let href = format!("/agents/adopt/{}", address::escape(&row.id));
            let name = if row.name.is_empty() { "Without a name".to_owned() } else { row.name };
            view! {
                <tr>
                    <td><a class="link" href=href>{name}</a></td>
                    <td class="mono break">{row.id}</td>
                </tr>
            }
        })
        .collect_view();
    let next = next.map(|next| {
        let href = with_query(&[("cursor", Some(next.as_str()))]);
        view! { <a class="btn" href=href>"Next page"</a> }
    });
    let table = match (note, is_empty) {
        (Some(note), _) => {
            view! { <Callout tone=Tone::Warn><p>{note}" "<a class="link" href="/connections/ultravox">"The connection"</a></p></Callout> }
                .into_any()
        }
        (None, true) if is_searched => view! { <NoMatch what="agents"/> }.into_any(),
        (None, true) => view! {
            <EmptyState icon="bot" title="Nothing to adopt on this page" text="Every agent on this page of your account is known here.">
                <LinkButton href="/agents">"Agents"</LinkButton>
            </EmptyState>
        }
        .into_any(),
        (None, false) => view! {
            <DataTable
                label="Agents at Ultravox"
                class="mid wrap"
                head=|| view! {
                    <th scope="col">"Agent"</th>
                    <th scope="col">"Agent ID at the provider"</th>
                }
            >
                {rows}
            </DataTable>
        }
        .into_any(),
    };
    view! {
        <form method="get" action="/agents/adopt" class="row wrap" role="search">
            <TextInput name="q" label="Name" value=words mark=false/>
            <Button submit=true icon="search">"Search"</Button>
        </form>
        {table}
        {next}
    }
}

/// One of them: what it is, and for whom it works here.
#[lazy]
pub fn adopt_agent_page() -> PageView {
    let params = use_params_map();
    let agent = load(move || params.read().get("id").unwrap_or_default(), get_adoptable_agent);
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        view! { <PageBoundary data=agent view=move |agent: Adoptable| view! { <Adopt agent/> }/> }.into_any()
    })
}

#[component]
fn Adopt(agent: Adoptable) -> impl IntoView {
    let adopt = FormAction::of::<AdoptAgent>();
    let Adoptable { id, settings, prompt, tools, others, clients } = agent;
    let clients = options_of(clients.into_iter().map(|client| (client.id.to_string(), client.name)));
    let title = if settings.name.is_empty() { "Without a name".to_owned() } else { settings.name.clone() };
    let or = |text: String, none: &str| if text.is_empty() { none.to_owned() } else { text };
    view! {
        <PageTitle text=title.clone() parents=vec![crumb("Agents", "/agents"), crumb("Agents at Ultravox", "/agents/adopt")]/>
        <PageHead title sub="It keeps its tools and settings there. Its name there becomes the one that Patchbay gives its copies."/>
        <div class="cols main-side">
            <Card title="Prompt"><pre class="code pre-line">{or(prompt, "It has none.")}</pre></Card>
            <div class="stack gap-4">
                <Card title="Adopt it">
                    <ServerForm action=adopt class="form" prefix="adopt">
                        <input type="hidden" name="provider_agent" value=id/>
                        <TextInput name="name" label="Name" value=settings.name required=true maxlength=64/>
                        <Select name="client_id" label="Client" options=clients prompt="Choose a client" required=true/>
                        <FormActs><SubmitButton>"Adopt"</SubmitButton></FormActs>
                    </ServerForm>
                </Card>
                <Card title="What it is">
                    <Facts>
                        <Fact label="Language">{language_name(&settings.language)}</Fact>
                        <Fact label="Model">{settings.llm_model}</Fact>
                        <Fact label="Voice" class="break">{or(settings.config.voice, "The service's default voice")}</Fact>
                        <Fact label="Opening">{or(settings.config.greeting, "As the prompt says")}</Fact>
                        <Fact label="Longest call">{format!("{} min", settings.config.max_minutes)}</Fact>
                        <Fact label="Tools">{or(tools.join(", "), "None")}</Fact>
                        <Fact label="Also set there">{or(others.join(", "), "Nothing")}</Fact>
                    </Facts>
                </Card>
            </div>
        </div>
    }
}
