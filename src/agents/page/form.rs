use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::detail::VoiceSample;
use crate::model::CallDirection;
use crate::model::{AgentChoices, AgentConfig, AgentPage, FirstSpeaker, LANGUAGES, USUAL_MODEL};
use crate::server_fns::{SaveAgent, get_agent, get_agent_choices};
use patchbay_access::Action;
use patchbay_connections::model::VoiceCatalog;
use patchbay_connections::server_fns::get_voice_catalog;
use patchbay_prompts::page::PromptConflict;
use patchbay_shared::{AppError, Tone};
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
            <PageHead title="New agent" sub="It starts as a draft. It takes calls once you activate it."/>
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
                        <PageHead title=format!("Edit {name}") sub="Saving updates the agent at the voice service. Calls in progress keep the settings they started with."/>
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
    let config = agent.as_ref().map(|agent| agent.config.clone()).unwrap_or_default();
    let id = agent.as_ref().map(|agent| agent.id.to_string()).unwrap_or_default();
    let back = if id.is_empty() { "/agents".to_owned() } else { format!("/agents/{id}") };
    if !may_edit {
        return view! { <Callout tone=Tone::Info><p>"This agent is deleted. Restore it first, then change it. "<a class="link" href=back>"Back"</a></p></Callout> }
            .into_any();
    }
    let is_new = agent.is_none();
    let person = viewer().user_id.to_string();
    // A new agent begins with the client of the address: what is typed for one is not put back for another.
    let draft_of = match query("client").filter(|_| is_new) {
        Some(client) => format!("{person}:{client}"),
        None => person,
    };
    view! {
        <ServerForm action=save class="form" draft_of>
            <input type="hidden" name="id" value=id/>
            <PromptConflict error=Signal::derive(move || save.answer().and_then(Result::err))/>
            <Who agent=agent.clone() choices=choices.clone()/>
            <Told agent=agent.clone() choices/>
            <Speech agent config catalog/>
            <FormActs sticky=true>
                <SubmitButton>{if is_new { "Create agent" } else { "Save" }}</SubmitButton>
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
    .into_any()
}

#[component]
fn Who(agent: Option<AgentPage>, choices: AgentChoices) -> impl IntoView {
    let client = agent.as_ref().and_then(|agent| agent.client_id).map(|id| id.to_string());
    // A new agent begins with the client that the switcher is set to.
    let client = client.or_else(|| query("client").filter(|_| agent.is_none())).unwrap_or_default();
    let clients = options_of(choices.clients.iter().map(|client| (client.id.to_string(), client.name.clone())));
    let direction = agent
        .as_ref()
        .and_then(|agent| agent.mappings.first())
        .map_or(CallDirection::Outbound, |first| first.direction);
    let (name, description, tags) =
        agent.map(|agent| (agent.name, agent.description, agent.tags.join(", "))).unwrap_or_default();
    view! {
        <Fieldset legend="Basics" class="two">
            <TextInput name="name" label="Name" value=name required=true maxlength=64 hint="As people in your agency know it."/>
            <Select name="client_id" label="Client" options=clients value=client prompt="Whole agency" mark=false hint="Whom it works for."/>
            <TextInput name="tags" label="Tags" value=tags hint="Separated by commas."/>
            <Select
                name="direction"
                label="Usual direction of calls"
                options=vec![("outbound".into(), "Outbound: the agent calls".into()), ("inbound".into(), "Inbound: people call the agent".into())]
                value=direction.as_str()
                required=true
            />
            <TextArea name="description" label="Description" value=description rows=2 maxlength=1000/>
        </Fieldset>
    }
}

#[component]
fn Told(agent: Option<AgentPage>, choices: AgentChoices) -> impl IntoView {
    let prompt = agent.and_then(|agent| agent.prompt);
    let mut prompts = options_of(choices.prompts.iter().map(|prompt| (prompt.id.to_string(), prompt.name.clone())));
    if let Some(own) = &prompt
        && !prompts.iter().any(|(id, _)| *id == own.id.to_string())
    {
        prompts.push((own.id.to_string(), format!("{} (deactivated)", own.name)));
    }
    let (id, version, template) =
        prompt.map(|prompt| (prompt.id.to_string(), prompt.version.to_string(), prompt.template)).unwrap_or_default();
    view! {
        <Fieldset
            legend="Prompt"
            hint="Choose a prompt, or write one here. A changed text becomes the prompt's next version and goes into production."
        >
            <input type="hidden" name="base_prompt" value=id.clone()/>
            <input type="hidden" name="base_version" value=version/>
            <Select
                name="prompt_id"
                label="Prompt"
                options=prompts
                value=id
                prompt="Write a new one below"
                mark=false
                hint="If you choose another prompt, the text below is ignored."
            />
            <TextArea
                name="template"
                label="Prompt text"
                value=template
                rows=14
                class="prompt-editor"
                mark=false
                hint="Write variables in double braces, for example {{first_name}}. They are filled from the contact and the campaign."
            />
        </Fieldset>
    }
}

#[component]
fn Speech(agent: Option<AgentPage>, config: AgentConfig, catalog: VoiceCatalog) -> impl IntoView {
    let language = agent.as_ref().map_or_else(|| "en".to_owned(), |agent| agent.language.clone());
    let model = agent.map_or_else(
        || catalog.models.first().cloned().unwrap_or_else(|| USUAL_MODEL.to_owned()),
        |agent| agent.llm_model,
    );
    let mut languages = options_of(LANGUAGES.iter().copied());
    if !languages.iter().any(|(code, _)| *code == language) {
        languages.push((language.clone(), language.clone()));
    }
    // What is set now can always be kept, even while the service cannot be asked.
    let mut models = options_of(catalog.models.iter().map(|name| (name.clone(), name.clone())));
    if !models.iter().any(|(name, _)| *name == model) {
        models.insert(0, (model.clone(), model.clone()));
    }
    let mut voices = options_of(catalog.voices.iter().map(|voice| (voice.id.clone(), voice.label())));
    // The service takes a voice's name as well as its id.
    let voice = catalog.voices.iter().find(|voice| voice.name == config.voice);
    let voice = voice.map_or_else(|| config.voice.clone(), |voice| voice.id.clone());
    if !voice.is_empty() && !voices.iter().any(|(id, _)| *id == voice) {
        voices.insert(0, (voice.clone(), format!("Keep the present voice ({voice})")));
    }
    let with_sample: Vec<String> =
        catalog.voices.iter().filter(|voice| voice.has_sample).map(|voice| voice.id.clone()).collect();
    let chosen = RwSignal::new(voice.clone());
    let choose = move |event: leptos::ev::Event| chosen.set(event_target_value(&event));
    let can_be_heard = Memo::new(move |_| chosen.with(|chosen| with_sample.contains(chosen)));
    let speakers = options_of(FirstSpeaker::ALL.iter().map(|who| (who.as_str(), who.label())));
    view! {
        <Fieldset legend="Voice and behaviour" class="two">
            {catalog.note.map(|note| view! { <Callout tone=Tone::Warn><p>{note}" You can still save: the current settings are kept."</p></Callout> })}
            <Select name="language" label="Language" options=languages value=language required=true/>
            <Select name="llm_model" label="Model" options=models value=model required=true/>
            <div class="voice" on:change=choose>
                <Select name="voice" label="Voice" options=voices value=voice prompt="The service's default voice" mark=false/>
                <div class="voice-sample-room">
                    <Show when=move || can_be_heard.get()><VoiceSample id=chosen/></Show>
                </div>
            </div>
            <TextInput
                name="temperature"
                label="Temperature"
                value=config.temperature.to_string()
                class="short"
                inputmode="decimal"
                required=true
                hint="0 is consistent, 1 is varied."
            />
            <Select name="first_speaker" label="Speaks first" options=speakers value=config.first_speaker.as_str() required=true/>
            <TextInput
                name="max_minutes"
                label="Maximum call length"
                value=config.max_minutes.to_string()
                class="short"
                kind="number"
                min="1"
                max="120"
                suffix_text="min"
                required=true
            />
            <TextArea
                name="greeting"
                label="Greeting"
                value=config.greeting
                rows=2
                maxlength=1000
                hint="Spoken exactly as written. Leave empty to let the agent choose its greeting."
            />
            <Checkbox
                name="recording"
                label="Record calls"
                hint="Where the law requires consent, ask for it in the greeting."
                checked=config.is_recorded
                value="true"
            />
        </Fieldset>
    }
}
