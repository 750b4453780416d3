//! One template: `/agents/templates/{id}`. What it has, who has it, its versions, and giving it to a client.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::changes::ChangeTable;
use super::detail::VoiceFact;
use super::templates::TemplateState;
use crate::model::{ClientChoice, FieldChange, TemplateAgent, TemplatePage, TemplatePart, TemplateVersionRow};
use crate::server_fns::{GiveAgentTemplate, SetAgentTemplateActive, get_agent_template};
use patchbay_access::Action;
use patchbay_connections::model::VoiceCatalog;
use patchbay_connections::server_fns::get_voice_catalog;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shell::{HistoryLink, refused, viewer};
use patchbay_ui::*;

/// One template.
#[lazy]
pub fn agent_template_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("version"), query("cursor"));
    let template = load(asked, |(id, version, cursor)| get_agent_template(id, version, cursor));
    // Beside the template, which does not wait for the voice service.
    let catalog = load(|| (), |()| get_voice_catalog());
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ReadWorkshop) {
            return refusal;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("agent_template:{id}")], move || template.refetch());
        let again = Callback::new(move |()| template.refetch());
        view! { <PageBoundary data=template view=move |page: TemplatePage| view! { <Detail page catalog again/> }/> }
            .into_any()
    })
}

#[component]
fn Detail(page: TemplatePage, catalog: Loaded<VoiceCatalog>, again: Callback<()>) -> impl IntoView {
    let TemplatePage {
        id,
        name,
        version,
        is_active,
        source,
        fields,
        prompt,
        tools,
        skills,
        agents,
        count,
        versions,
        compared,
        clients,
        new_agent,
        may_edit,
    } = page;
    let (id, new_agent) = (id.to_string(), new_agent.to_string());
    let acts = {
        let (id, source) = (id.clone(), source.0.to_string());
        move || {
            view! {
                <HistoryLink id=id.clone()/>
                {may_edit.then(|| view! { <Acts id source is_active again/> })}
            }
        }
    };
    let give = may_edit.then(|| match is_active {
        true => {
            let (id, name) = (id.clone(), name.clone());
            view! { <Give id name version agent=new_agent clients/> }.into_any()
        }
        false => view! {
            <Callout tone=Tone::Info>
                <p>"This template is archived: it is given to nobody, and its agents stay as they are. Restore it to give it again."</p>
            </Callout>
        }
        .into_any(),
    });
    let of_versions = id.clone();
    let compared = compared.map(|(other, changes)| view! { <Compared other changes version catalog/> });
    view! {
        <PageTitle text=name.clone() parents=vec![crumb("Agents", "/agents"), crumb("Templates", "/agents/templates")]/>
        <PageHead
            title=name
            sub=format!("Version {version}, made of the agent {}", source.1)
            tags=move || view! { <TemplateState is_active/> }
            actions=acts
        />
        <div class="cols main-side">
            <div class="stack gap-4">
                {give}
                {compared}
                <Card title="Prompt"><pre class="code pre-line">{prompt}</pre></Card>
                <Card title="Versions" flush=true><Versions id=of_versions versions newest=version/></Card>
            </div>
            <div class="stack gap-4">
                <Card title="Agents" flush=true><Agents id agents count newest=version/></Card>
                <Card title="Tools and skills"><Parts tools skills/></Card>
                <Card title="Settings"><Fields fields catalog/></Card>
            </div>
        </div>
    }
}

#[component]
fn Acts(id: String, source: String, is_active: bool, again: Callback<()>) -> impl IntoView {
    let set = FormAction::of::<SetAgentTemplateActive>();
    let next = format!("/agents/{source}/template?into={id}");
    let (word, icon, said) = match is_active {
        true => ("Archive", "eye-off", "Template archived"),
        false => ("Restore", "rotate-ccw", "Template restored"),
    };
    view! {
        {is_active.then(|| view! { <LinkButton href=next icon="copy">"New version"</LinkButton> })}
        <ServerForm action=set class="inline" prefix="state" on_done=again said>
            <input type="hidden" name="id" value=id/>
            {(!is_active).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}

/// Makes an agent of it for a client.
#[component]
fn Give(id: String, name: String, version: i32, agent: String, clients: Vec<ClientChoice>) -> impl IntoView {
    let give = FormAction::of::<GiveAgentTemplate>();
    if clients.is_empty() {
        return view! {
            <Card title="Give to a client">
                <EmptyState icon="building-2" title="No client yet" text="Add a client first, then give it an agent of this template." small=true>
                    <LinkButton href="/clients/new" icon="plus">"New client"</LinkButton>
                </EmptyState>
            </Card>
        }
        .into_any();
    }
    let clients = options_of(clients.into_iter().map(|client| (client.id.to_string(), client.name)));
    view! {
        <Card title="Give to a client">
            <ServerForm action=give class="form two" prefix="give" draft_of=viewer().user_id.to_string()>
                <input type="hidden" name="template" value=id/>
                <input type="hidden" name="version" value=version.to_string()/>
                <input type="hidden" name="agent" value=agent/>
                <Select name="client_id" label="Client" options=clients prompt="Choose a client" required=true/>
                <TextInput name="name" label="Name of the agent" value=name required=true maxlength=64/>
                <p class="sub full">
                    "The client gets an agent as a draft, with a prompt of its own. Nothing is sent to the voice service until you publish it."
                </p>
                <FormActs><SubmitButton icon="send">"Make the agent"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
    .into_any()
}

#[component]
fn Compared(other: i32, changes: Vec<FieldChange>, version: i32, catalog: Loaded<VoiceCatalog>) -> impl IntoView {
    let title = format!("Version {other} beside version {version}");
    match changes.is_empty() {
        true => view! { <Card title><p class="sub">"They are the same."</p></Card> }.into_any(),
        false => view! {
            <Card title flush=true>
                <ChangeTable changes before=format!("Version {other}") after=format!("Version {version}") catalog/>
            </Card>
        }
        .into_any(),
    }
}

#[component]
fn Versions(id: String, versions: patchbay_shared::Page<TemplateVersionRow>, newest: i32) -> impl IntoView {
    let path = format!("/agents/templates/{id}");
    List::<TemplateVersionRow>::new("Versions")
        .note("20 per page")
        .keep(&["version"])
        .table("mid wrap")
        .column("Version", move |row: &TemplateVersionRow| {
            let href = format!("{path}?version={}", row.version);
            let note = (row.version == newest).then(|| view! { <Tag>"Newest"</Tag> });
            view! { <a class="link" href=href>{format!("Version {}", row.version)}</a>" "{note} }
        })
        .column("What is new", |row: &TemplateVersionRow| match row.note.is_empty() {
            true => row.changed.join(", "),
            false => row.note.clone(),
        })
        .column("By", |row: &TemplateVersionRow| cell::or(&row.author, "Patchbay"))
        .newest("At", |row: &TemplateVersionRow| cell::time(&row.at))
        .show(versions)
}

#[component]
fn Agents(id: String, agents: Vec<TemplateAgent>, count: i64, newest: i32) -> impl IntoView {
    if agents.is_empty() {
        return view! {
            <EmptyState icon="bot" title="Nobody has it yet" text="Give it to a client: the client’s agent then follows it." small=true/>
        }
        .into_any();
    }
    let rows = agents
        .into_iter()
        .map(|agent| {
            let is_behind = agent.version < newest;
            let tone = if is_behind { Tone::Warn } else { Tone::Mute };
            view! {
                <tr>
                    <td>
                        <div class="who">
                            <a href=format!("/agents/{}", agent.id)>{agent.name}</a>
                            <small>{agent.client.unwrap_or_else(|| "Whole agency".to_owned())}</small>
                        </div>
                    </td>
                    <td><Tag tone>{format!("Version {}", agent.version)}</Tag></td>
                </tr>
            }
        })
        .collect_view();
    let all = format!("All {}", counted(count, "agent", "agents"));
    view! {
        <DataTable
            label="Agents of this template"
            head=|| view! { <th scope="col">"Agent"</th><th scope="col">"Follows"</th> }
        >
            {rows}
        </DataTable>
        <p class="pad"><a class="link" href=format!("/agents?template={id}")>{all}</a></p>
    }
    .into_any()
}

#[component]
fn Parts(tools: Vec<TemplatePart>, skills: Vec<TemplatePart>) -> impl IntoView {
    if tools.is_empty() && skills.is_empty() {
        return view! { <p class="sub">"It has no tools and no skills."</p> }.into_any();
    }
    let list = |icon: &'static str, parts: Vec<TemplatePart>| {
        parts
            .into_iter()
            .map(|part| {
                let limits =
                    part.limits.into_iter().map(|limit| view! { <small class="sub">{limit}</small> }).collect_view();
                view! { <li><Icon name=icon/><div class="who"><span>{part.name}</span>{limits}</div></li> }
            })
            .collect_view()
    };
    view! { <ul class="list">{list("wrench", tools)}{list("book-open", skills)}</ul> }.into_any()
}

/// Every setting; one that is empty says so.
#[component]
fn Fields(fields: Vec<(String, String, String)>, catalog: Loaded<VoiceCatalog>) -> impl IntoView {
    let rows = fields
        .into_iter()
        .map(|(key, label, value)| match key.as_str() {
            "voice" => {
                let voice = move |catalog: VoiceCatalog| view! { <VoiceFact catalog id=value.clone()/> };
                view! { <Fact label class="break"><BlockBoundary data=catalog view=voice/></Fact> }.into_any()
            }
            _ if value.is_empty() => view! { <Fact label><span class="sub">"Nothing"</span></Fact> }.into_any(),
            _ => view! { <Fact label class="pre-line break">{value}</Fact> }.into_any(),
        })
        .collect_view();
    view! { <Facts>{rows}</Facts> }
}
