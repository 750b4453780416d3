//! Two runs beside each other.

use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{Run, RunStep, tokens_text, took_text};
use patchbay_ui::*;

/// Chooses another run, and shows the two beside each other.
#[component]
pub(super) fn Compare(run: Arc<Run>, with: Option<Run>, others: Vec<(String, String)>) -> impl IntoView {
    if others.is_empty() && with.is_none() {
        return ().into_any();
    }
    let chosen = with.as_ref().map(|with| with.id.to_string()).unwrap_or_default();
    let mut others = others;
    if let Some(with) = &with
        && others.iter().all(|(id, _)| *id != chosen)
    {
        others.insert(0, (chosen.clone(), format!("{}, {}", with.title, with.started.text)));
    }
    let here = format!("/runs/{}", run.id);
    let tables = with.map(|with| view! { <Both run=run.clone() with/> });
    view! {
        <Card title="Compare with another run" id="compare">
            <GetForm action=here class="inline row wrap">
                <Select name="with" label="Run of this agent" options=others value=chosen prompt="Choose a run" mark=false/>
                <Button submit=true icon="git-compare">"Compare"</Button>
            </GetForm>
            {tables}
        </Card>
    }
    .into_any()
}

#[component]
fn Both(run: Arc<Run>, with: Run) -> impl IntoView {
    let facts: [(&'static str, [String; 2]); 7] = [
        ("Status", [run.status.label().to_owned(), with.status.label().to_owned()]),
        ("Prompt version", [version(&run), version(&with)]),
        ("Length", [length(&run), length(&with)]),
        ("Steps", [run.steps.len().to_string(), with.steps.len().to_string()]),
        ("Failed steps", [run.failed_steps().to_string(), with.failed_steps().to_string()]),
        ("Tokens", [tokens(&run), tokens(&with)]),
        ("Cost", [cost(&run), cost(&with)]),
    ];
    let facts = facts
        .into_iter()
        .map(|(label, [one, other])| {
            let differs = one != other;
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    <td>{one}</td>
                    <td>{if differs { view! { <b>{other}</b> }.into_any() } else { other.into_any() }}</td>
                </tr>
            }
        })
        .collect_view();
    let most = run.steps.len().max(with.steps.len());
    let steps = (0..most)
        .map(|place| {
            view! {
                <tr>
                    <td class="num">{place + 1}</td>
                    <td>{run.steps.get(place).map(said)}</td>
                    <td>{with.steps.get(place).map(said)}</td>
                </tr>
            }
        })
        .collect_view();
    let (one, other) = (run.title.clone(), with.title.clone());
    let other_href = format!("/runs/{}", with.id);
    view! {
        <DataTable
            label="The two runs"
            class="mid wrap"
            head=move || view! {
                <th scope="col"><span class="sr">"What"</span></th>
                <th scope="col">{one}" (this run)"</th>
                <th scope="col"><a class="link" href=other_href>{other}</a></th>
            }
        >
            {facts}
        </DataTable>
        <DataTable
            label="Steps of both"
            class="wide wrap top"
            head=|| view! { <th scope="col" class="num">"Step"</th><th scope="col">"This run"</th><th scope="col">"The other run"</th> }
        >
            {steps}
        </DataTable>
    }
}

fn version(run: &Run) -> String {
    run.prompt_version.map_or_else(|| "–".to_owned(), |version| format!("v{version}"))
}

fn length(run: &Run) -> String {
    run.took_ms.map_or_else(|| "–".to_owned(), took_text)
}

fn tokens(run: &Run) -> String {
    tokens_text(run.read, run.written).unwrap_or_else(|| "–".to_owned())
}

fn cost(run: &Run) -> String {
    if run.is_unpriced { "Not priced yet".to_owned() } else { run.cost.text() }
}

fn said(step: &RunStep) -> impl IntoView + use<> {
    let text: String = step.message.chars().take(300).collect();
    let note = match (step.took_ms, step.error.is_some()) {
        (Some(ms), false) => format!("{}, {}", step.event.label(), took_text(ms)),
        (Some(ms), true) => format!("{}, {}, failed", step.event.label(), took_text(ms)),
        (None, true) => format!("{}, failed", step.event.label()),
        (None, false) => step.event.label().to_owned(),
    };
    view! { <div class="who"><span>{text}</span><small>{note}</small></div> }
}
