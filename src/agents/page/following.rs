//! An agent beside its template, on the agent's page: what differs, and taking it over.

use leptos::prelude::*;

use crate::model::{AgentTemplate, ChangedWhere, TemplateChange, is_behind};
use crate::server_fns::{KeepBesideTemplate, TakeFromTemplate};
use patchbay_shared::Tone;
use patchbay_ui::*;

/// What a cell shows of a text, in characters.
const LONGEST: usize = 600;

/// Where an agent comes from, in one card; without a template, how to make one of it.
#[component]
pub(super) fn TemplateCard(id: String, template: Option<AgentTemplate>, may_edit: bool) -> impl IntoView {
    let make = format!("/agents/{id}/template");
    let Some(template) = template else {
        return view! {
            <Card title="Template">
                <p class="sub">"This agent follows no template."</p>
                {may_edit.then(|| view! { <p class="mt-2"><LinkButton href=make icon="copy" small=true>"Make template"</LinkButton></p> })}
            </Card>
        }
        .into_any();
    };
    let left_out = template
        .left_out
        .into_iter()
        .map(|text| view! { <li><Icon name="info"/><span>{text}</span></li> })
        .collect_view();
    let unspoken = template.unspoken.map(|(prompt, version)| {
        view! {
            <p class="sub mt-2">
                "The template’s words are "<a class="link" href=format!("/prompts/{prompt}")>{format!("version {version} of the prompt")}</a>
                ", which is not in production yet."
            </p>
        }
    });
    let has_left_out = !left_out.is_empty();
    let state = match (template.is_active, template.version == template.newest) {
        (false, _) => "It is archived: what it has is not taken over any more.".to_owned(),
        (_, true) => "It is the newest one.".to_owned(),
        (_, false) => format!("Version {} is the newest.", template.newest),
    };
    view! {
        <Card title="Template">
            <p>
                <a class="link" href=format!("/agents/templates/{}", template.id)>{template.name}</a>
                {format!(", version {}. {state}", template.version)}
            </p>
            {unspoken}
            {has_left_out.then(|| view! { <p class="sub mt-2">"Not given with it:"</p><ul class="list">{left_out}</ul> })}
            {may_edit.then(|| view! { <p class="mt-2"><LinkButton href=make icon="copy" small=true>"Make template"</LinkButton></p> })}
        </Card>
    }
    .into_any()
}

/// What the template's newest version has, beside what is here.
#[component]
pub(super) fn Following(id: String, template: AgentTemplate, may_edit: bool, again: Callback<()>) -> impl IntoView {
    let AgentTemplate { name, is_active, version, newest, changes, parts, .. } = template;
    if !is_active || version == newest {
        return ().into_any();
    }
    let can_take = changes.iter().any(|change| change.place == ChangedWhere::There);
    let is_behind = is_behind(&changes);
    let rows = changes
        .into_iter()
        .map(|change| view! { <Change id=id.clone() change newest may_edit again/> })
        .collect::<Vec<_>>();
    let table = (!rows.is_empty()).then(|| {
        view! {
            <DataTable
                label="What differs from the template"
                class="mid wrap"
                head=move || view! {
                    <th scope="col">"Field"</th>
                    <th scope="col">{format!("Version {version}")}</th>
                    <th scope="col">{format!("Version {newest}")}</th>
                    <th scope="col">"Here"</th>
                    <th scope="col">"Changed"</th>
                    <th scope="col"><span class="sr">"Action"</span></th>
                }
            >
                {rows}
            </DataTable>
        }
    });
    let parts = parts.into_iter().map(|part| view! { <p class="sub">{part}</p> }).collect_view();
    let has_parts = !parts.is_empty();
    let tabs = view! {
        <p class="sub">
            "Tools and skills are given on the agent’s "
            <a class="link" href=format!("/agents/{id}/tools")>"Tools"</a>" and "<a class="link" href=format!("/agents/{id}/skills")>"Skills"</a>" tabs."
        </p>
    };
    let note = match is_behind {
        true => {
            "What you take over goes into the draft, and calls use it once you publish that. The prompt’s text is saved as a version that is not in production yet; where other agents use the prompt, as a new prompt for this one."
        }
        false => "Nothing of it is lacking here. Say so, and the agent follows the newest version.",
    };
    let acts = may_edit.then(|| view! { <Acts id=id.clone() newest can_take is_behind again/> });
    view! {
        <Card
            title=format!("Template has version {newest}")
            flush=true
            right=move || view! { <Tag tone=Tone::Info>{name}</Tag> }
        >
            <p class="sub pad">{note}</p>
            {table}
            {has_parts.then(|| view! { <div class="pad">{parts}{tabs}</div> })}
            {acts}
        </Card>
    }
    .into_any()
}

#[component]
fn Acts(id: String, newest: i32, can_take: bool, is_behind: bool, again: Callback<()>) -> impl IntoView {
    let (take, keep) = (FormAction::of::<TakeFromTemplate>(), FormAction::of::<KeepBesideTemplate>());
    let other = id.clone();
    let word = if is_behind { "Keep the rest as it is here" } else { "Follow the newest version" };
    view! {
        <div class="row wrap pad">
            {can_take.then(|| view! {
                <ServerForm action=take class="inline" prefix="take" on_done=again said="Taken over into the draft">
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="version" value=newest.to_string()/>
                    <input type="hidden" name="field" value=""/>
                    <SubmitButton icon="download">"Take over all that do not clash"</SubmitButton>
                </ServerForm>
            })}
            <ServerForm action=keep class="inline" prefix="keep" on_done=again said="Kept as it is here">
                <input type="hidden" name="id" value=other/>
                <input type="hidden" name="version" value=newest.to_string()/>
                <SubmitButton kind=ButtonKind::Plain>{word}</SubmitButton>
            </ServerForm>
        </div>
    }
}

#[component]
fn Change(id: String, change: TemplateChange, newest: i32, may_edit: bool, again: Callback<()>) -> impl IntoView {
    let take = FormAction::of::<TakeFromTemplate>();
    let TemplateChange { key, label, place, was, there, here } = change;
    let value = |text: String| match text.is_empty() {
        true => view! { <span class="sub">"Nothing"</span> }.into_any(),
        // Of a long prompt its beginning.
        false if text.chars().count() > LONGEST => {
            format!("{}…", text.chars().take(LONGEST).collect::<String>()).into_any()
        }
        false => text.into_any(),
    };
    let prefix = format!("take-{key}");
    let of = label.clone();
    let act = (may_edit && place != ChangedWhere::Here).then(|| {
        view! {
            <ServerForm action=take class="inline" prefix on_done=again said="Taken over into the draft">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="version" value=newest.to_string()/>
                <input type="hidden" name="field" value=key/>
                <SubmitButton kind=ButtonKind::Plain small=true>"Take over"<span class="sr">{format!(": {of}")}</span></SubmitButton>
            </ServerForm>
        }
    });
    view! {
        <tr>
            <th scope="row">{label}</th>
            <td class="pre-line break">{value(was)}</td>
            <td class="pre-line break">{value(there)}</td>
            <td class="pre-line break">{value(here)}</td>
            <td><Tag tone=place.tone()>{place.label()}</Tag></td>
            <td>{act}</td>
        </tr>
    }
}
