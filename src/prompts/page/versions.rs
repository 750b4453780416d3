use leptos::prelude::*;

use super::checks::Variables;
use super::labels::{Labels, label_tone};
use crate::model::{PRODUCTION, PromptPage, VersionRow};
use crate::server_fns::{MovePromptLabel, RestorePromptVersion};
use patchbay_shared::Tone;
use patchbay_ui::*;

/// What can be done with an older version that is being looked at.
#[component]
pub(crate) fn VersionActions(prompt: PromptPage, done: Callback<()>) -> impl IntoView {
    let restore = FormAction::of::<RestorePromptVersion>();
    let release = FormAction::of::<MovePromptLabel>();
    let (id, shown) = (prompt.id.to_string(), prompt.shown);
    let newest = format!("/prompts/{id}");
    let is_production = prompt.versions.iter().any(|row| row.version == shown && row.is_production());
    let can = prompt.may_edit && prompt.is_active;
    let hidden = {
        let id = id.clone();
        move || {
            view! {
                <input type="hidden" name="id" value=id.clone()/>
                <input type="hidden" name="version" value=shown.to_string()/>
            }
        }
    };
    let hidden_too = hidden.clone();
    let diff = format!("/prompts/{id}/diff?from={shown}&to={}", prompt.version);
    let (word, said) = match prompt.needs_second_person {
        true => ("Ask to use it in production", "Asked for: it waits for a second person"),
        false => ("Use in production", "Version in production"),
    };
    view! {
        <Callout tone=Tone::Info>
            <p>{format!("This is version {shown}. Saved versions never change. ")}<a class="link" href=newest>"Show the newest"</a>" "<a class="link" href=diff>"Compare with the newest"</a></p>
            {can.then(|| view! {
                <div class="row wrap mt-2">
                    <ServerForm action=restore class="inline" prefix="restore" on_done=done said="Version restored as the newest">
                        {hidden()}
                        <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw" small=true>"Restore as a new version"</SubmitButton>
                    </ServerForm>
                    {(!is_production && prompt.waiting.is_none()).then(|| view! {
                        <ServerForm action=release class="inline" prefix="release" on_done=done said>
                            {hidden_too()}
                            <input type="hidden" name="label" value=PRODUCTION/>
                            <SubmitButton kind=ButtonKind::Plain icon="check" small=true>{word}</SubmitButton>
                        </ServerForm>
                    })}
                </div>
            })}
        </Callout>
    }
}

/// Labels, versions, variables, and where the prompt is used.
#[component]
pub(crate) fn Side(prompt: PromptPage, done: Callback<()>) -> impl IntoView {
    let (id, shown, newest) = (prompt.id.to_string(), prompt.shown, prompt.version);
    let count = prompt.versions.len() as i64;
    let labels = prompt.clone();
    let (checks, tokens) = (prompt.variables, prompt.tokens);
    let campaigns = (!prompt.campaigns.is_empty()).then(|| {
        let links = prompt
            .campaigns
            .into_iter()
            .map(|campaign| view! { <li><a class="link" href=format!("/campaigns/{}", campaign.id)>{campaign.name}</a><span class="x sub">"Campaign"</span></li> })
            .collect_view();
        view! { <ul class="list">{links}</ul> }
    });
    let versions = prompt
        .versions
        .into_iter()
        .map(|row| {
            let href = if row.version == newest {
                format!("/prompts/{id}")
            } else {
                format!("/prompts/{id}?version={}", row.version)
            };
            view! { <Version href current=row.version == shown row/> }
        })
        .collect_view();
    let agents = match prompt.agents.is_empty() {
        true => view! { <p class="sub">"No agent uses it yet. Choose it on an agent’s page."</p> }.into_any(),
        false => {
            let rows = prompt
                .agents
                .into_iter()
                .map(|agent| {
                    let tone = if agent.is_live { Tone::Ok } else { Tone::Mute };
                    let word = if agent.is_live { "Active" } else { "Not active" };
                    view! {
                        <li>
                            <a class="link" href=format!("/agents/{}", agent.id)>{agent.name}</a>
                            <span class="x"><State tone label=word on=agent.is_live/></span>
                        </li>
                    }
                })
                .collect_view();
            view! { <ul class="list">{rows}</ul> }.into_any()
        }
    };
    view! {
        <div class="stack gap-4">
            <Labels prompt=labels done/>
            <Card title="Versions" count flush=true><nav class="versions" aria-label="Versions">{versions}</nav></Card>
            <Variables checks tokens/>
            <Card title="Used by">{agents}{campaigns}</Card>
        </div>
    }
}

#[component]
fn Version(href: String, current: bool, row: VersionRow) -> impl IntoView {
    let labels = row
        .labels
        .into_iter()
        .map(|label| {
            let tone = label_tone(&label);
            view! { <Tag tone>{label}</Tag> }
        })
        .collect_view();
    let author = row.author.unwrap_or_else(|| "Patchbay".to_owned());
    view! {
        <a href=href aria-current=current.then_some("true")>
            <span class="row">
                <b>{format!("Version {}", row.version)}</b>
                {labels}
            </span>
            {(!row.note.is_empty()).then(|| view! { <span>{row.note}</span> })}
            <small>{author}", "<Time stamp=row.saved/></small>
        </a>
    }
}
