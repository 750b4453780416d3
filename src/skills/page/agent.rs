use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::Missing;
use crate::model::{AgentSkill, AgentSkillsPage, LONGEST_TOLD, tokens_text};
use crate::server_fns::{AttachSkill, DetachSkill, MoveSkill, list_agent_skills};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// An agent's skills in the order in which it is told of them, and that text.
#[lazy]
pub fn agent_skills_page() -> PageView {
    let params = use_params_map();
    let skills = load(move || params.read().get("id").unwrap_or_default(), list_agent_skills);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("agent_skills:{id}"), &format!("agent:{id}")], move || skills.refetch());
        let again = Callback::new(move |()| skills.refetch());
        view! { <PageBoundary data=skills view=move |page: AgentSkillsPage| view! { <Skills page again/> }/> }
            .into_any()
    })
}

#[component]
fn Skills(page: AgentSkillsPage, again: Callback<()>) -> impl IntoView {
    let attach = FormAction::of::<AttachSkill>();
    let AgentSkillsPage { agent, skills, others, told, may_edit } = page;
    let (id, last) = (agent.id.to_string(), skills.len());
    let total: i64 = skills.iter().filter(|skill| skill.is_active).map(|skill| i64::from(skill.characters)).sum();
    let room = format!(
        "The agent is told {} tokens of skills, {} percent of what it can be told.",
        tokens_text(total),
        (total * 100 + LONGEST_TOLD as i64 - 1) / LONGEST_TOLD as i64
    );
    let rows = skills
        .into_iter()
        .enumerate()
        .map(|(place, skill)| view! { <Row skill agent=id.clone() may_edit again place last/> })
        .collect_view();
    let table = match last {
        0 => view! {
            <EmptyState icon="wand-sparkles" title="No skills yet" text="With a skill the agent knows what to do when a conversation comes to a certain point.">
                <LinkButton href="/skills" icon="list">"The agency’s skills"</LinkButton>
            </EmptyState>
        }
        .into_any(),
        _ => view! {
            <DataTable
                label="Skills"
                class="mid wrap"
                head=|| view! {
                    <th scope="col">"Skill"</th>
                    <th scope="col" class="num">"Tokens"</th>
                    <th scope="col">"State"</th>
                    <th scope="col"><span class="sr">"Actions"</span></th>
                }
            >
                {rows}
            </DataTable>
        }
        .into_any(),
    };
    let options = options_of(others.into_iter().map(|(id, name)| (id.to_string(), name)));
    let of_form = id.clone();
    let form = (may_edit && !options.is_empty()).then(|| {
        view! {
            <Card title="Add a skill">
                <ServerForm action=attach class="form" prefix="attach" on_done=again said="Skill added">
                    <input type="hidden" name="agent" value=of_form/>
                    <Select name="skill" label="Skill" options prompt="Choose a skill" mark=false/>
                    <FormActs><SubmitButton icon="plus">"Add"</SubmitButton></FormActs>
                </ServerForm>
            </Card>
        }
    });
    let told = told.map(|text| {
        view! {
            <Card title="What it is told">
                <p class="sub">"Behind its prompt, in this form, from its next call on."</p>
                <details class="mt-2"><summary>"Show the text"</summary><pre class="code pre-line mt-2">{text}</pre></details>
            </Card>
        }
    });
    view! {
        <PageTitle text="Skills" parents=vec![crumb("Agents", "/agents"), crumb(agent.name.clone(), format!("/agents/{id}"))]/>
        <PageHead
            title=agent.name.clone()
            sub=room
            tags=move || (!agent.is_active).then(|| view! { <Tag>"Deleted"</Tag> })
        />
        <Tabs label="Agent" items=agent_tabs(agent.id, "skills")/>
        <div class="stack gap-4">
            <Card title="Skills" count=last as i64 flush=true>{table}</Card>
            {form}
            {told}
        </div>
    }
}

#[component]
fn Row(
    skill: AgentSkill,
    agent: String,
    may_edit: bool,
    again: Callback<()>,
    place: usize,
    last: usize,
) -> impl IntoView {
    let (tone, word) = if skill.is_active { (Tone::Ok, "Active") } else { (Tone::Mute, "Deactivated") };
    let (href, name, is_on) = (format!("/skills/{}", skill.id), skill.name.clone(), skill.is_active);
    let acts = may_edit.then(|| view! { <Acts skill=skill.id.to_string() name=skill.name agent again place last/> });
    view! {
        <tr>
            <td>
                <div class="who">
                    <a class="mono" href=href>{name}</a>
                    <small>{skill.description}</small>
                    <Missing tools=skill.missing/>
                </div>
            </td>
            <td class="num">{tokens_text(skill.characters.into())}</td>
            <td><State tone label=word on=is_on/></td>
            <td>{acts}</td>
        </tr>
    }
}

#[component]
fn Acts(skill: String, name: String, agent: String, again: Callback<()>, place: usize, last: usize) -> impl IntoView {
    let (shift, detach) = (FormAction::of::<MoveSkill>(), FormAction::of::<DetachSkill>());
    let move_to = {
        let (skill, name, agent) = (skill.clone(), name.clone(), agent.clone());
        move |to: &'static str, icon: &'static str| {
            let (label, agent, skill) = (format!("Move {name} {to}"), agent.clone(), skill.clone());
            view! {
                <ServerForm action=shift class="inline" prefix=format!("{to}-{skill}") on_done=again no_summary=true>
                    <input type="hidden" name="agent" value=agent/>
                    <input type="hidden" name="skill" value=skill/>
                    <input type="hidden" name="to" value=to/>
                    <button class="btn ghost small" type="submit" aria-label=label><Icon name=icon small=true/></button>
                </ServerForm>
            }
        }
    };
    let up = (place > 0).then(|| move_to("up", "arrow-up"));
    let down = (place + 1 < last).then(|| move_to("down", "arrow-down"));
    let label = format!("Take {name} from the agent");
    view! {
        <div class="row acts">
            {up}
            {down}
            <ServerForm action=detach class="inline" prefix=format!("detach-{skill}") on_done=again no_summary=true said="Skill taken from the agent">
                <input type="hidden" name="agent" value=agent/>
                <input type="hidden" name="skill" value=skill/>
                <button class="btn ghost small" type="submit" aria-label=label><Icon name="trash-2" small=true/></button>
            </ServerForm>
        </div>
    }
}
