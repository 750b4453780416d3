use leptos::prelude::*;

use super::run::seconds;
use crate::model::{By, Line, ResultDetail};
use patchbay_shared::Tone;
use patchbay_shared::ids::AgentId;
use patchbay_ui::*;

/// One result: what was said, what was looked at, and where to go on.
#[component]
pub(super) fn Shown(shown: ResultDetail, agent: AgentId, may_edit: bool) -> impl IntoView {
    let ResultDetail { row, input, expected, actual, checks, transcript, steps, has_changed } = shown;
    let facts = [row.reply_ms.map(seconds), Some(row.cost_text()), Some(format!("{} tokens", row.tokens))];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let why = row.why.clone().map(|why| view! { <Callout tone=row.result.tone()><p>{why}</p></Callout> });
    let changed = has_changed.then(
        || view! { <p class="note">"The case has changed since, or was removed. What stands here is how it was."</p> },
    );
    let lines = transcript.into_iter().map(line).collect_view();
    let checks = checks
        .into_iter()
        .map(|check| {
            let (tone, word) = if check.is_met { (Tone::Ok, "So") } else { (Tone::Bad, "Not so") };
            let why = (!check.why.is_empty()).then(|| view! { <small class="sub">{check.why}</small> });
            view! { <li><State tone label=word/>" "{check.what}" "{why}</li> }
        })
        .collect::<Vec<_>>();
    let checks = (!checks.is_empty())
        .then(|| view! { <h3 class="mt-2">"What was looked at"</h3><ul class="stack">{checks}</ul> });
    let case = format!("/agents/{agent}/tests/{}", row.case);
    view! {
        <Card title=row.name.clone() right=move || view! { {cell::state(row.result)} }>
            <p class="sub">{format!("v{} · {} · run {} · {facts}", row.version, row.model, row.number)}</p>
            {why}
            {changed}
            <h3 class="mt-2">"Conversation"</h3>
            <ol class="stack">{lines}</ol>
            <Facts>
                <Fact label="Caller"><span class="pre-line">{input}</span></Fact>
                <Fact label="Expected"><span class="pre-line">{expected}</span></Fact>
                {actual.map(|actual| view! { <Fact label="The agent said"><span class="pre-line">{actual}</span></Fact> })}
            </Facts>
            {checks}
            <p class="row wrap mt-4">
                <LinkButton href=case icon=if may_edit { "pencil" } else { "eye" }>{if may_edit { "Change or run the case" } else { "The case" }}</LinkButton>
                {steps.map(|id| view! { <LinkButton href=format!("/runs/{id}") icon="activity">"Open the steps"</LinkButton> })}
            </p>
        </Card>
    }
}

fn line(line: Line) -> impl IntoView {
    let (who, note) = match line.by {
        By::Caller => ("Caller".to_owned(), None),
        By::Agent => ("Agent".to_owned(), None),
        By::Tool => {
            let given = line.arguments.map(|given| given.to_string()).unwrap_or_default();
            (line.tool.unwrap_or_default(), Some(given))
        }
    };
    let state = match (line.by, line.is_error, line.is_stubbed) {
        (By::Tool, true, _) => Some(view! { <Tag tone=Tone::Bad>"Failed"</Tag> }),
        (By::Tool, false, true) => Some(view! { <Tag>"answered by the case"</Tag> }),
        (By::Tool, false, false) => Some(view! { <Tag tone=Tone::Info>"really used"</Tag> }),
        _ => None,
    };
    view! {
        <li>
            <b>{who}</b>" "{state}
            {note.map(|note| view! { <div class="mono sub">{note}</div> })}
            <div class="pre-line">{line.text}</div>
        </li>
    }
}
