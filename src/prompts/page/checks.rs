use leptos::prelude::*;

use crate::model::{PromptPage, Source, VariableCheck};
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// What nothing fills, at its place, and tools that agents lack. Stands above the text.
#[component]
pub(super) fn ToFix(prompt: PromptPage) -> impl IntoView {
    let unknown: Vec<_> = prompt
        .variables
        .into_iter()
        .filter_map(|check| match check.source {
            Source::Unknown { nearest } => Some((check.name, check.lines, nearest)),
            _ => None,
        })
        .map(|(name, lines, nearest)| {
            let nearest = nearest.map(|near| view! { " The nearest name is " <code class="tok var">{near}</code> "." });
            view! {
                <li>
                    {format!("{}: nothing fills ", places(&lines))}<code class="tok bad">{name}</code>
                    ": no call, no campaign and no contact’s field."{nearest}
                </li>
            }
        })
        .collect();
    let lacking = prompt
        .lacking
        .into_iter()
        .map(|agent| {
            let tools = agent.missing.join(", ");
            view! {
                <li>
                    <a class="link" href=format!("/agents/{}/tools", agent.id)>{agent.name}</a>
                    " lacks " <code class="tok bad">{tools}</code> ". "
                    <a class="link" href=format!("/agents/{}/tools/new", agent.id)>"Add the tool"</a>
                </li>
            }
        })
        .collect_view();
    let is_clean = unknown.is_empty() && lacking.is_empty();
    (!is_clean).then(|| view! { <Callout tone=Tone::Warn><ul class="stack">{unknown}{lacking}</ul></Callout> })
}

/// `Line 3`, `Lines 3, 14`.
fn places(lines: &[usize]) -> String {
    let text = lines.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    if lines.len() == 1 { format!("Line {text}") } else { format!("Lines {text}") }
}

/// The variables of the text with where each comes from, and how long the text is for a model.
#[component]
pub(super) fn Variables(checks: Vec<VariableCheck>, tokens: usize) -> impl IntoView {
    let count = checks.len() as i64;
    let rows = checks.into_iter().map(|check| view! { <Variable check/> }).collect_view();
    let list = match count {
        0 => view! { <p class="body pad sub">"The text asks for none. {{first_name}} would be filled from the contact."</p> }.into_any(),
        _ => view! { <ul class="list">{rows}</ul> }.into_any(),
    };
    let tokens = format!("About {} tokens", count_text(tokens as i64));
    view! {
        <Card
            title="Variables"
            count
            flush=true
            right=move || view! { <span class="sub">{tokens}</span> }
            footer=|| view! { <p class="note">"The tokens of the text are estimated: each model counts in its own way."</p> }
        >
            {list}
        </Card>
    }
}

#[component]
fn Variable(check: VariableCheck) -> impl IntoView {
    let (tone, word, about) = match check.source {
        Source::Contact => (Tone::Ok, "Filled", "From the contact".into_any()),
        Source::Campaign => (Tone::Ok, "Filled", "From the campaign, on the calls that it makes".into_any()),
        Source::Incoming => (Tone::Ok, "Filled", "On calls that come in".into_any()),
        Source::Field => (Tone::Ok, "Filled", "A field of the contacts".into_any()),
        Source::Campaigns { lacking } if lacking.is_empty() => {
            (Tone::Ok, "Filled", "From every campaign of its agents".into_any())
        }
        Source::Campaigns { lacking } => {
            let links = lacking
                .into_iter()
                .map(|campaign| view! { " "<a class="link" href=format!("/campaigns/{}", campaign.id)>{campaign.name}</a> })
                .collect_view();
            (Tone::Warn, "Partly", view! { "Not in" {links} }.into_any())
        }
        Source::Unknown { nearest } => {
            let near = nearest.map(|near| format!(" Nearest: {near}")).unwrap_or_default();
            (Tone::Bad, "Unknown", format!("Nothing fills it.{near}").into_any())
        }
    };
    view! {
        <li>
            <div><code>{check.name}</code><small>{places(&check.lines)}" · "{about}</small></div>
            <span class="x"><State tone label=word/></span>
        </li>
    }
}
