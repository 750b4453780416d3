use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::form_parts::{Limits, Mailbox, MemoryFields, OpeningFields, VoiceFields};
use crate::model::{AgentChoices, AgentPage, AgentSettings, CallDirection};
use crate::server_fns::{SaveAgent, get_agent, get_agent_choices};
use patchbay_access::Action;
use patchbay_connections::model::VoiceCatalog;
use patchbay_connections::server_fns::get_voice_catalog;
use patchbay_shared::{AppError, Reason, Tone};
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// What the form is made of: the agent as it is, if there is one, and what can be chosen.
type Parts = (Option<AgentPage>, AgentChoices, VoiceCatalog);

async fn parts(id: Option<String>) -> Result<Parts, AppError> {
    let agent = match id {
        Some(id) => Some(get_agent(id).await?),
        None => None,
    };
    Ok((agent, get_agent_choices().await?, get_voice_catalog().await?))
}

/// The sections of the form, by their anchors: none is the id of a field, which its label would miss.
const SECTIONS: [(&str, &str); 7] = [
    ("about-basics", "Basics"),
    ("about-prompt", "Prompt"),
    ("about-voice", "Voice and behaviour"),
    ("about-opening", "Opening"),
    ("about-limits", "Length and silence"),
    ("about-mailboxes", "Mailboxes and screeners"),
    ("about-memory", "Memory"),
];

/// The form for a new agent.
#[lazy]
pub fn new_agent_page() -> PageView {
    let parts = load(|| (), |()| parts(None));
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        view! {
            <PageTitle text="New agent" parents=vec![crumb("Agents", "/agents")]/>
            <PageHead title="New agent" sub="It takes calls once you activate it."/>
            <PageBoundary data=parts view=move |parts: Parts| view! { <AgentFields parts/> }/>
        }
        .into_any()
    })
}

/// The same form for an agent that exists. It does not follow live notices: what is being typed stays.
#[lazy]
pub fn agent_edit_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let parts = load(id, |id| parts(Some(id)));
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        view! {
            <PageBoundary
                data=parts
                view=move |parts: Parts| {
                    let (name, href) = match &parts.0 {
                        Some(agent) => (agent.name.clone(), format!("/agents/{}", agent.id)),
                        None => (String::new(), String::new()),
                    };
                    view! {
                        <PageTitle text="Edit" parents=vec![crumb("Agents", "/agents"), crumb(name.clone(), href)]/>
                        <PageHead title=format!("Edit {name}") sub="What you save is a draft. Calls use it once it is published; calls in progress keep the settings they started with."/>
                        <AgentFields parts/>
                    }
                }
            />
        }
        .into_any()
    })
}

#[component]
fn AgentFields(parts: Parts) -> impl IntoView {
    let save = FormAction::of::<SaveAgent>();
    let (agent, choices, catalog) = parts;
    let may_edit = agent.as_ref().is_none_or(|agent| agent.is_active);
    let id = agent.as_ref().map(|agent| agent.id.to_string()).unwrap_or_default();
    let back = if id.is_empty() { "/agents".to_owned() } else { format!("/agents/{id}") };
    if !may_edit {
        return view! { <Callout tone=Tone::Info><p>"This agent is deactivated. Restore it first, then change it. "<a class="link" href=back>"Back"</a></p></Callout> }
            .into_any();
    }
    let is_new = agent.is_none();
    let person = viewer().user_id.to_string();
    // A new agent begins with the client of the address: what is typed for one is not put back for another.
    let draft_of = match query("client").filter(|_| is_new) {
        Some(client) => format!("{person}:{client}"),
        None => person,
    };
    let base = agent.as_ref().map(|agent| agent.base.clone()).unwrap_or_default();
    let note = agent.as_ref().and_then(|agent| agent.draft.as_ref()).map(|draft| {
        let who = draft.author.clone().unwrap_or_else(|| "somebody".to_owned());
        view! { <Callout tone=Tone::Info><p>{format!("This is the draft that {who} saved. It is not published yet.")}</p></Callout> }
    });
    let settings = match &agent {
        Some(agent) => agent.draft.as_ref().map_or_else(|| agent.settings.clone(), |draft| draft.settings.clone()),
        None => AgentSettings {
            llm_model: catalog.models.first().cloned().unwrap_or_else(|| crate::model::USUAL_MODEL.to_owned()),
            client_id: query("client").and_then(|id| id.parse().ok()),
            ..AgentSettings::default()
        },
    };
    let config = settings.config.clone();
    let error = Signal::derive(move || save.answer().and_then(Result::err));
    view! {
        <nav class="row wrap" aria-label="Sections of the form">
            {SECTIONS.iter().map(|(at, label)| view! { <a class="link" rel="external" href=format!("#{at}")>{*label}</a> }).collect_view()}
        </nav>
        {note}
        <ServerForm action=save class="form" draft_of>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="base" value=base/>
            <Overwrite error/>
            <section id="about-basics"><Who settings=settings.clone() choices=choices.clone()/></section>
            <section id="about-prompt"><Told settings=settings.clone() choices is_new/></section>
            <section id="about-voice"><VoiceFields settings catalog/></section>
            <section id="about-opening"><OpeningFields config=config.clone()/></section>
            <section id="about-limits"><Limits config=config.clone()/></section>
            <section id="about-mailboxes"><Mailbox config=config.clone()/></section>
            <section id="about-memory"><MemoryFields memory=config.memory/></section>
            <FormActs sticky=true>
                <SubmitButton>{if is_new { "Create agent" } else { "Save draft" }}</SubmitButton>
                {(!is_new).then(|| view! { <SubmitButton kind=ButtonKind::Plain name="publish" value="true">"Save and publish"</SubmitButton> })}
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
    .into_any()
}

/// Somebody else saved meanwhile. The summary says who; this box says what to do about it.
#[component]
fn Overwrite(error: Signal<Option<AppError>>) -> impl IntoView {
    // Without script the refused form comes back with its error in the address.
    let is_refused =
        move || matches!(error.get(), Some(AppError::Conflict(Reason::StalePage, _))) || query("__err").is_some();
    view! {
        <Show when=is_refused>
            <Checkbox
                name="overwrite"
                label="Save mine in the place of theirs"
                hint="What is published stays in the versions; a draft that somebody else saved is replaced."
                value="true"
            />
        </Show>
    }
}

#[component]
fn Who(settings: AgentSettings, choices: AgentChoices) -> impl IntoView {
    let client = settings.client_id.map(|id| id.to_string()).unwrap_or_default();
    let mut clients = options_of(choices.clients.iter().map(|client| (client.id.to_string(), client.name.clone())));
    if !client.is_empty() && !clients.iter().any(|(id, _)| *id == client) {
        clients.push((client.clone(), "Keep the present client".to_owned()));
    }
    view! {
        <Fieldset legend="Basics" class="two">
            <TextInput name="name" label="Name" value=settings.name required=true maxlength=64 hint="As people in your agency know it."/>
            <Select name="client_id" label="Client" options=clients value=client prompt="Whole agency" mark=false hint="Whom it works for."/>
            <TextInput name="tags" label="Tags" value=settings.tags.join(", ") hint="Separated by commas."/>
            <Select
                name="direction"
                label="Usual direction of calls"
                options=vec![("outbound".into(), "Outbound: the agent calls".into()), ("inbound".into(), "Inbound: people call the agent".into())]
                value=match settings.direction { CallDirection::Inbound => "inbound", CallDirection::Outbound => "outbound" }
                required=true
            />
            <TextArea name="description" label="Description" value=settings.description rows=2 maxlength=1000/>
        </Fieldset>
    }
}

#[component]
fn Told(settings: AgentSettings, choices: AgentChoices, is_new: bool) -> impl IntoView {
    let id = settings.prompt_id.map(|id| id.to_string()).unwrap_or_default();
    let mut prompts = options_of(choices.prompts.iter().map(|prompt| (prompt.id.to_string(), prompt.name.clone())));
    if !id.is_empty() && !prompts.iter().any(|(known, _)| *known == id) {
        prompts.push((id.clone(), "Keep the present prompt (deactivated)".to_owned()));
    }
    let editor = (!id.is_empty()).then(|| {
        view! { <p class="sub">"A prompt is written and tried in its own editor: "<a class="link" href=format!("/prompts/{id}")>"open this prompt"</a>"."</p> }
    });
    let value = id.clone();
    view! {
        <Fieldset legend="Prompt" hint="What the agent is told. Several agents can have the same prompt.">
            <Select
                name="prompt_id"
                label="Prompt"
                options=prompts
                value
                prompt="Write a new one below"
                mark=false
                hint="With a prompt chosen, the text below is ignored."
            />
            {editor}
            <TextArea
                name="template"
                label="Text of a new prompt"
                rows={if is_new { 14 } else { 4 }}
                class="prompt-editor"
                mark=false
                hint="Write variables in double braces, for example {{first_name}}. They are filled from the contact and the campaign."
            />
        </Fieldset>
    }
}
