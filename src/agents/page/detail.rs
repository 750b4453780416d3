use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::changes::{DraftCard, DriftCard, DriftNote};
use super::following::{Following, TemplateCard};
use super::list::{AgentState, Sync};
use crate::model::{
    AgentCampaigns, AgentConfig, AgentPage, AgentStatus, AtVoicemail, FirstSpeaker, MappingRow, SyncState,
    language_name, memory_text, silence_text,
};
use crate::server_fns::{
    CompareAgent, DeactivateAgent, DeleteAgent, DuplicateAgent, RestoreAgent, SetAgentStatus, SyncAgent, get_agent,
};
use patchbay_connections::model::VoiceCatalog;
use patchbay_connections::server_fns::get_voice_catalog;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shared::phone::spaced;
use patchbay_shell::HistoryLink;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// One agent: what it is, whether the voice service has it, and what uses it.
#[lazy]
pub fn agent_detail_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let agent = load(id, get_agent);
    // Beside the agent, which does not wait for the voice service.
    let catalog = load(|| (), |()| get_voice_catalog());
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("agent:{id}")], move || agent.refetch());
        let again = Callback::new(move |()| agent.refetch());
        view! { <PageBoundary data=agent view=move |agent: AgentPage| view! { <Detail agent catalog again/> }/> }
            .into_any()
    })
}

#[component]
fn Detail(agent: AgentPage, catalog: Loaded<VoiceCatalog>, again: Callback<()>) -> impl IntoView {
    let (status, is_active, is_deleted, sync) = (agent.status, agent.is_active, agent.is_deleted, agent.sync);
    let sub = match &agent.client {
        Some(client) => format!("Works for {client}"),
        None => "Works for every client".to_owned(),
    };
    let missing = agent.missing().filter(|_| agent.is_active && agent.status != AgentStatus::Active);
    let copies = view! {
        <Copies id=agent.id.to_string() mappings=agent.mappings.clone() may_edit=agent.may_edit && is_active sync again/>
    };
    let behaviour = view! { <Behaviour agent=agent.clone() catalog/> };
    let uses = view! { <Uses agent=agent.clone()/> };
    let prompt = view! { <PromptCard agent=agent.clone()/> };
    let draft = agent.draft.clone().map(|draft| view! { <DraftCard agent=agent.clone() draft catalog again/> });
    let has_others = agent.mappings.len() > 1;
    let (may_edit, id) = (agent.may_edit && is_active, agent.id.to_string());
    let drifts = agent
        .mappings
        .iter()
        .filter(|mapping| !mapping.drift.is_empty())
        .map(|mapping| view! { <DriftCard id=id.clone() mapping=mapping.clone() may_edit has_others catalog again/> })
        .collect_view();
    let following = agent.template.clone().map(|template| view! { <Following id=id.clone() template may_edit again/> });
    let card = (!is_deleted).then(|| view! { <TemplateCard id=id.clone() template=agent.template.clone() may_edit/> });
    let note = view! { <DriftNote mappings=agent.mappings.clone()/> };
    view! {
        <PageTitle text=agent.name.clone() parents=vec![crumb("Agents", "/agents")]/>
        <PageHead
            title=agent.name.clone()
            sub
            tags=move || view! { <AgentState status is_active is_deleted/> }
            actions={
                let agent = agent.clone();
                move || view! { <HistoryLink id=agent.id.to_string()/> <Actions agent again/> }
            }
        />
        <Tabs label="Agent" items=agent_tabs(agent.id, "overview")/>
        {missing.map(|missing| view! {
            <Callout tone=Tone::Info><p>"Not ready for calls. "{missing}</p></Callout>
        })}
        {note}
        <div class="cols main-side">
            <div class="stack gap-4">
                {draft}
                {following}
                {drifts}
                <Card title="At the voice service" flush=true right=move || view! { <Sync state=sync/> }>
                    {copies}
                </Card>
                {prompt}
            </div>
            <div class="stack gap-4">
                <Card title="Behaviour">{behaviour}</Card>
                <Card title="Used by">{uses}</Card>
                {card}
            </div>
        </div>
        <EndDialogs agent/>
    }
}

#[component]
fn Actions(agent: AgentPage, again: Callback<()>) -> impl IntoView {
    if agent.is_deleted {
        return ().into_any();
    }
    if !agent.is_active {
        return agent
            .may_delete
            .then(|| {
                view! {
                    <DialogLink name="delete" kind=ButtonKind::Danger>"Delete for good"</DialogLink>
                    <Restore id=agent.id.to_string() again/>
                }
            })
            .into_any();
    }
    if !agent.may_edit {
        return ().into_any();
    }
    let (set, duplicate) = (FormAction::of::<SetAgentStatus>(), FormAction::of::<DuplicateAgent>());
    let id = agent.id.to_string();
    let original = id.clone();
    let is_live = agent.status == AgentStatus::Active;
    let (next, word, icon) = if is_live { ("paused", "Pause", "pause") } else { ("active", "Activate", "play") };
    // An agent that lacks something says what above; the button would only answer the same.
    let can = is_live || agent.missing().is_none();
    let kind = if is_live { ButtonKind::Plain } else { ButtonKind::Primary };
    view! {
        {agent.may_delete.then(|| view! {
            <DialogLink name="delete" kind=ButtonKind::Danger>"Delete"</DialogLink>
            <DialogLink name="deactivate" kind=ButtonKind::Plain>"Deactivate"</DialogLink>
        })}
        <ServerForm action=duplicate class="inline" prefix="duplicate">
            <input type="hidden" name="id" value=original/>
            <SubmitButton kind=ButtonKind::Plain icon="copy">"Duplicate"</SubmitButton>
        </ServerForm>
        <LinkButton href=format!("/agents/{id}/edit") icon="pencil">"Edit"</LinkButton>
        {can.then(|| view! {
            <ServerForm action=set class="inline" prefix="status" on_done=again said="State changed">
                <input type="hidden" name="id" value=id.clone()/>
                <input type="hidden" name="status" value=next/>
                <SubmitButton kind icon>{word}</SubmitButton>
            </ServerForm>
        })}
    }
    .into_any()
}

#[component]
fn Restore(id: String, again: Callback<()>) -> impl IntoView {
    let restore = FormAction::of::<RestoreAgent>();
    view! {
        <ServerForm action=restore class="inline" prefix="restore" on_done=again said="Agent restored">
            <input type="hidden" name="id" value=id/>
            <SubmitButton icon="rotate-ccw">"Restore"</SubmitButton>
        </ServerForm>
    }
}

/// How an agent comes to an end: for a while, or for good.
#[component]
fn EndDialogs(agent: AgentPage) -> impl IntoView {
    let (deactivate, delete) = (FormAction::of::<DeactivateAgent>(), FormAction::of::<DeleteAgent>());
    let (id, other) = (agent.id.to_string(), agent.id.to_string());
    let may_delete = agent.may_delete && !agent.is_deleted;
    let rest = (may_delete && agent.is_active).then(|| {
        view! {
            <ConfirmForm
                name="deactivate"
                action=deactivate
                title="Deactivate this agent?"
                text="It takes no more calls and disappears from the lists. Nothing is lost, and you can restore it later."
                confirm="Deactivate"
                danger=true
            >
                <input type="hidden" name="id" value=id/>
            </ConfirmForm>
        }
    });
    view! {
        {rest}
        {may_delete.then(|| view! {
            <ConfirmForm
                name="delete"
                action=delete
                title="Delete this agent for good?"
                text="It is deleted here and at Ultravox, and cannot be brought back. Its calls are kept. Calls that go on now go on to their end."
                confirm="Delete for good"
                danger=true
            >
                <input type="hidden" name="id" value=other/>
                <TextInput name="name" label=format!("Type its name: {}", agent.name) required=true autocomplete="off"/>
            </ConfirmForm>
        })}
    }
}

#[component]
fn Copies(
    id: String,
    mappings: Vec<MappingRow>,
    may_edit: bool,
    sync: SyncState,
    again: Callback<()>,
) -> impl IntoView {
    let (send, compare) = (FormAction::of::<SyncAgent>(), FormAction::of::<CompareAgent>());
    let can_compare = mappings.iter().any(|mapping| mapping.compared.is_some());
    let word = if sync == SyncState::Failing { "Try again" } else { "Sync again" };
    let form = may_edit.then(|| {
        let compared = id.clone();
        view! {
            <div class="row wrap pad">
                <ServerForm action=send class="inline" prefix="sync" on_done=again said="Syncing with the voice service">
                    <input type="hidden" name="id" value=id/>
                    <SubmitButton kind=ButtonKind::Plain icon="refresh-cw" small=true>{word}</SubmitButton>
                </ServerForm>
                {can_compare.then(|| view! {
                    <ServerForm action=compare class="inline" prefix="compare" on_done=again said="Looking at the voice service">
                        <input type="hidden" name="id" value=compared/>
                        <SubmitButton kind=ButtonKind::Plain icon="search" small=true>"Compare now"</SubmitButton>
                    </ServerForm>
                })}
            </div>
        }
    });
    if mappings.is_empty() {
        return view! {
            <EmptyState
                icon="building-2"
                title="No client yet"
                text="An agent has one copy at the voice service for each client. Add a client first, then send the agent."
                small=true
            >
                <LinkButton href="/clients" icon="building-2">"Clients"</LinkButton>
            </EmptyState>
            {form}
        }
        .into_any();
    }
    let rows = mappings
        .into_iter()
        .map(|mapping| {
            let version = mapping.prompt_version.map_or_else(|| "None yet".to_owned(), |version| format!("v{version}"));
            // Nothing waits for an agent without words.
            let state = if sync == SyncState::Nothing { SyncState::Nothing } else { mapping.sync };
            view! {
                <tr>
                    <td>
                        <div class="who">
                            <a href=format!("/clients/{}", mapping.client_id)>{mapping.client}</a>
                            {mapping.error.map(|error| view! { <small class="bad-ink">{error}</small> })}
                        </div>
                    </td>
                    <td><Sync state/></td>
                    <td>{version}</td>
                    <td>{mapping.direction.label()}</td>
                    <td>{cell::time_or(mapping.compared.as_ref(), "Not yet")}</td>
                    <td class="mono break">{mapping.provider_agent_id.unwrap_or_else(|| "Not created yet".into())}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="Copies at the voice service"
            class="mid wrap"
            head=|| view! {
                <th scope="col">"Client"</th>
                <th scope="col">"State"</th>
                <th scope="col">"Prompt version"</th>
                <th scope="col">"Direction"</th>
                <th scope="col">"Compared"</th>
                <th scope="col">"Agent ID at the provider"</th>
            }
        >
            {rows}
        </DataTable>
        {form}
    }
    .into_any()
}

#[component]
fn PromptCard(agent: AgentPage) -> impl IntoView {
    let edit = format!("/agents/{}/edit", agent.id);
    let may_edit = agent.may_edit && agent.is_active;
    let waiting = agent.draft.as_ref().and_then(|draft| draft.settings.prompt_id);
    if let (None, Some(waiting)) = (&agent.prompt, waiting) {
        let text = "The draft has a prompt. The agent says it once you publish the draft.";
        return view! {
            <Card title="Prompt">
                <p class="sub">{text}" "<a class="link" href=format!("/prompts/{waiting}")>"Read it"</a></p>
            </Card>
        }
        .into_any();
    }
    let Some(prompt) = agent.prompt else {
        return view! {
            <Card title="Prompt">
                <EmptyState icon="file-text" title="No prompt yet" text="Choose or write a prompt: the instructions that the agent follows." small=true>
                    {may_edit.then(|| view! { <LinkButton href=edit kind=ButtonKind::Primary>"Choose or write a prompt"</LinkButton> })}
                </EmptyState>
            </Card>
        }
        .into_any();
    };
    let href = format!("/prompts/{}", prompt.id);
    let footer_href = href.clone();
    let state = match prompt.spoken == prompt.version {
        true => format!("The agent says version {}, the newest.", prompt.spoken),
        false => format!("The agent says version {}; version {} is the newest.", prompt.spoken, prompt.version),
    };
    let has_variables = !prompt.variables.is_empty();
    let variables =
        prompt.variables.into_iter().map(|name| view! { <Tag class="outline mono">{name}</Tag> }).collect_view();
    view! {
        <Card title=prompt.name footer=move || view! { <a class="link push" href=footer_href>"Open the prompt and its versions"</a> }>
            <div class="stack gap-3">
                <p class="sub">{state}</p>
                <pre class="code pre-line">{prompt.template}</pre>
                {has_variables.then(|| view! { <div class="row wrap"><span class="sub">"Variables"</span>{variables}</div> })}
            </div>
        </Card>
    }
    .into_any()
}

#[component]
fn Behaviour(agent: AgentPage, catalog: Loaded<VoiceCatalog>) -> impl IntoView {
    let config: AgentConfig = agent.config;
    let greeting = match config.greeting.is_empty() {
        true => "As the prompt says".to_owned(),
        false => format!("{} ({})", config.greeting, config.opening.label().to_lowercase()),
    };
    let silences: Vec<String> = config.silences.iter().map(silence_text).collect();
    let silences = if silences.is_empty() { "Nothing is said".to_owned() } else { silences.join(" ") };
    let mailbox = match config.voicemail {
        AtVoicemail::Message => format!("Leaves a message: {}", config.voicemail_message),
        other => other.label().to_owned(),
    };
    let screener = if config.screener.is_empty() { "As the prompt says".to_owned() } else { config.screener };
    let memory = if config.memory.is_on() { memory_text(&config.memory) } else { "Nothing".to_owned() };
    let voice = config.voice;
    let voice = move |catalog: VoiceCatalog| view! { <VoiceFact catalog id=voice.clone()/> };
    let first = match config.first_speaker {
        FirstSpeaker::Agent => "The agent".to_owned(),
        FirstSpeaker::User => format!("The other person; the agent after {} seconds of silence", config.silence),
    };
    let tags = agent.tags.into_iter().map(|tag| view! { <Tag class="outline">{tag}</Tag> }).collect_view();
    view! {
        {(!agent.description.is_empty()).then(|| view! { <p class="pre-line sub">{agent.description}</p> })}
        <Facts class="mt-2">
            <Fact label="Language">{language_name(&agent.language)}</Fact>
            <Fact label="Model">{agent.llm_model}</Fact>
            <Fact label="Voice" class="break"><BlockBoundary data=catalog view=voice/></Fact>
            <Fact label="Temperature">{format!("{}", config.temperature)}</Fact>
            <Fact label="Speaks first">{first}</Fact>
            <Fact label="Opening">{greeting}</Fact>
            <Fact label="Time to answer">{format!("{} s", config.join_seconds)}</Fact>
            <Fact label="Longest call">{format!("{} min", config.max_minutes)}</Fact>
            <Fact label="When nobody speaks">{silences}</Fact>
            <Fact label="At a mailbox">{mailbox}</Fact>
            <Fact label="At a call screener">{screener}</Fact>
            <Fact label="Told of earlier calls">{memory}</Fact>
            <Fact label="Recording">{if config.is_recorded { "On" } else { "Off" }}</Fact>
            <Fact label="Published"><a class="link" href=format!("/agents/{}/versions", agent.id)>{format!("Version {}", agent.version)}</a></Fact>
            <Fact label="Changed"><Time stamp=agent.updated/></Fact>
        </Facts>
        <div class="row wrap mt-2">{tags}</div>
    }
}

/// Which voice it is, by name, and how it sounds.
#[component]
pub(super) fn VoiceFact(catalog: VoiceCatalog, id: String) -> impl IntoView {
    if id.is_empty() {
        return "The service's default voice".into_any();
    }
    match catalog.voices.iter().find(|voice| voice.id == id || voice.name == id) {
        Some(voice) => {
            let (name, description) = (voice.label(), voice.description.clone());
            let sample = voice.has_sample.then(|| view! { <VoiceSample id=voice.id.clone()/> });
            view! {
                <span>{name}</span>
                {description.map(|text| view! { <small class="sub">" "{text}</small> })}
                {sample}
            }
            .into_any()
        }
        // The service could not be asked, or no longer offers it.
        None => {
            let why = if catalog.note.is_some() {
                "Name not available now"
            } else {
                "No longer offered by the voice service"
            };
            view! { <span>{why}</span> <small class="mono sub break">{id}</small> }.into_any()
        }
    }
}

/// A voice that can be heard. The browser's own player: it works without script too.
#[component]
pub(crate) fn VoiceSample(#[prop(into)] id: Signal<String>) -> impl IntoView {
    let src = move || format!("/agents/voices/{}/sample", patchbay_ui::address::escape(&id.get()));
    view! { <audio class="voice-sample" controls preload="none" src=src aria-label="Sample of this voice"></audio> }
}

#[component]
fn Uses(agent: AgentPage) -> impl IntoView {
    let id = agent.id;
    let numbers = agent
        .numbers
        .into_iter()
        .map(|number| view! { <li><Icon name="phone"/><a class="link mono" href=format!("/numbers/{}", number.id)>{spaced(&number.number)}</a></li> })
        .collect_view();
    let AgentCampaigns { newest, count, open_batches } = agent.campaigns;
    let more = count > newest.len() as i64;
    let campaigns = newest
        .into_iter()
        .map(|(id, name, state)| view! { <li><Icon name="megaphone"/><a class="link" href=format!("/campaigns/{id}")>{name}</a><span class="sub x">{state}</span></li> })
        .collect_view();
    let batches = open_batches
        .into_iter()
        .map(|(id, name)| view! { <li><Icon name="list-checks"/><a class="link" href=format!("/batches/{id}")>{name}</a></li> })
        .collect_view();
    let clients = counted(agent.mappings.len() as i64, "client", "clients");
    view! {
        <ul class="list">
            <li><Icon name="building-2"/><span>{clients}</span></li>
            {numbers}
            {campaigns}
            {more.then(|| view! { <li><Icon name="megaphone"/><a class="link" href=format!("/campaigns?agent={id}")>{format!("All {}", counted(count, "campaign", "campaigns"))}</a></li> })}
            {batches}
            <li><Icon name="phone-call"/><a class="link" href=format!("/calls?agent={id}")>"All calls"</a></li>
        </ul>
    }
}
