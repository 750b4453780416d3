use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::Missing;
use crate::model::{FileKind, SkillAgent, SkillFile, SkillPage, tokens_text};
use crate::server_fns::{AttachSkill, DetachSkill, SetSkillActive, get_skill};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{HistoryLink, refused};
use patchbay_ui::*;

/// One skill: what it says, and which agents have it.
#[lazy]
pub fn skill_page() -> PageView {
    let params = use_params_map();
    let skill = load(move || params.read().get("id").unwrap_or_default(), get_skill);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("skill:{id}")], move || skill.refetch());
        let again = Callback::new(move |()| skill.refetch());
        view! { <PageBoundary data=skill view=move |page: SkillPage| view! { <Shown page again/> }/> }.into_any()
    })
}

#[component]
fn Shown(page: SkillPage, again: Callback<()>) -> impl IntoView {
    let (id, is_active, may_edit) = (page.id, page.is_active, page.may_edit);
    let text = page.text.clone();
    let kinds = FileKind::ALL
        .iter()
        .map(|kind| {
            let files = page.text.files(*kind).clone();
            (may_edit || !files.is_empty()).then(|| view! { <Files id=id.to_string() kind=*kind files may_edit/> })
        })
        .collect_view();
    view! {
        <PageTitle text=text.name.clone() parents=vec![crumb("Skills", "/skills")]/>
        <PageHead
            title=text.name.clone()
            sub=text.description.clone()
            tags=move || (!is_active).then(|| view! { <Tag>"Deactivated"</Tag> })
            actions=move || view! {
                <HistoryLink id=id.to_string()/>
                <LinkButton href=format!("/skills/{id}/archive.zip") icon="download" external=true>"zip"</LinkButton>
                <LinkButton href=format!("/skills/{id}/archive.tar.gz") icon="download" external=true>"tar.gz"</LinkButton>
                {may_edit.then(|| view! {
                    <SetActive id=id.to_string() is_active again/>
                    <LinkButton href=format!("/skills/{id}/edit") icon="pencil">"Change"</LinkButton>
                })}
            }
        />
        {(!is_active).then(|| view! {
            <Callout tone=Tone::Warn><p>"This skill is deactivated: agents keep it and are not told it until it is restored."</p></Callout>
        })}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                <Card title="Instructions"><pre class="code pre-line">{text.instructions}</pre></Card>
                {kinds}
            </div>
            <div class="stack gap-4 min0">
                <Side page=page.clone()/>
                <Agents page again/>
            </div>
        </div>
    }
}

#[component]
fn SetActive(id: String, is_active: bool, again: Callback<()>) -> impl IntoView {
    let set = FormAction::of::<SetSkillActive>();
    let (word, icon) = if is_active { ("Deactivate", "x") } else { ("Restore", "rotate-ccw") };
    view! {
        <ServerForm action=set class="inline" prefix="active" on_done=again said="State changed">
            <input type="hidden" name="id" value=id/>
            {(!is_active).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn Files(id: String, kind: FileKind, files: Vec<SkillFile>, may_edit: bool) -> impl IntoView {
    let (title, note) = match kind {
        FileKind::Reference => ("References", "What the instructions refer to. Agents are told all of it."),
        FileKind::Script => ("Scripts", "Agents are told them as text. They are never run."),
    };
    let count = files.len() as i64;
    let add = format!("/skills/{id}/file?kind={kind}");
    let rows = files
        .into_iter()
        .map(|file| {
            let href = format!("/skills/{id}/file?kind={kind}&name={}", address::escape(&file.name));
            let label = format!("Change {}", file.name);
            let change = may_edit.then(|| view! { <a class="link" href=href aria-label=label>"Change"</a> });
            view! {
                <details class="mt-2">
                    <summary><code class="break">{file.name}</code>" "<small class="sub">{tokens_text(file.content.chars().count() as i64)}" tokens"</small></summary>
                    <pre class="code pre-line mt-2">{file.content}</pre>
                    {change}
                </details>
            }
        })
        .collect_view();
    let right = move || may_edit.then(|| view! { <a class="link" href=add>"Add"</a> });
    view! { <Card title count right><p class="sub">{note}</p>{rows}</Card> }
}

#[component]
fn Side(page: SkillPage) -> impl IntoView {
    let text = page.text;
    let words =
        |list: Vec<String>| list.into_iter().map(|word| view! { <Tag class="outline">{word}</Tag> }).collect_view();
    let metadata = text
        .metadata
        .into_iter()
        .map(|(key, value)| view! { <Fact label=key><span class="break">{value}</span></Fact> })
        .collect_view();
    view! {
        <Card title="About">
            <Facts>
                <Fact label="Told">{format!("{} tokens", tokens_text(page.characters.into()))}</Fact>
                {(!text.category.is_empty()).then(|| view! { <Fact label="Category">{text.category}</Fact> })}
                {(!text.tags.is_empty()).then(|| view! { <Fact label="Tags"><span class="row wrap">{words(text.tags)}</span></Fact> })}
                {(!text.allowed_tools.is_empty()).then(|| view! { <Fact label="Tools for it"><code class="break">{text.allowed_tools.join(", ")}</code></Fact> })}
                {(!text.license.is_empty()).then(|| view! { <Fact label="License"><span class="break">{text.license}</span></Fact> })}
                {metadata}
                <Fact label="Changed"><Time stamp=page.updated/></Fact>
            </Facts>
        </Card>
    }
}

#[component]
fn Agents(page: SkillPage, again: Callback<()>) -> impl IntoView {
    let attach = FormAction::of::<AttachSkill>();
    let (id, may_attach) = (page.id.to_string(), page.may_attach);
    let count = page.agents.len() as i64;
    let rows = match page.agents.is_empty() {
        true => view! { <p class="sub">"No agent has it yet."</p> }.into_any(),
        false => {
            let rows = page
                .agents
                .into_iter()
                .map(|agent| view! { <AgentRow agent skill=id.clone() may_attach again/> })
                .collect_view();
            view! { <ul class="list">{rows}</ul> }.into_any()
        }
    };
    let options = options_of(page.others.into_iter().map(|agent| (agent.id.to_string(), agent.name)));
    let form = (may_attach && page.is_active && !options.is_empty()).then(|| {
        view! {
            <ServerForm action=attach class="form mt-4" prefix="attach" on_done=again said="Agent told">
                <input type="hidden" name="skill" value=id.clone()/>
                <input type="hidden" name="from" value="skill"/>
                <Select name="agent" label="Give it to" options prompt="Choose an agent" mark=false/>
                <FormActs><SubmitButton kind=ButtonKind::Plain icon="plus">"Give"</SubmitButton></FormActs>
            </ServerForm>
        }
    });
    view! { <Card title="Agents" count>{rows}{form}</Card> }
}

#[component]
fn AgentRow(agent: SkillAgent, skill: String, may_attach: bool, again: Callback<()>) -> impl IntoView {
    let detach = FormAction::of::<DetachSkill>();
    let id = agent.id.to_string();
    let label = format!("Take it from {}", agent.name);
    let take = (may_attach && agent.is_active).then(|| {
        view! {
            <ServerForm action=detach class="inline" prefix=format!("detach-{id}") on_done=again said="Skill taken from the agent" no_summary=true>
                <input type="hidden" name="agent" value=id/>
                <input type="hidden" name="skill" value=skill/>
                <input type="hidden" name="from" value="skill"/>
                <button class="btn ghost small" type="submit" aria-label=label><Icon name="x" small=true/></button>
            </ServerForm>
        }
    });
    view! {
        <li>
            <div class="who">
                <a class="link" href=format!("/agents/{}/skills", agent.id)>{agent.name}</a>
                {(!agent.is_active).then(|| view! { <small>"Deleted"</small> })}
                <Missing tools=agent.missing/>
            </div>
            <span class="x">{take}</span>
        </li>
    }
}
