use leptos::prelude::*;

use crate::model::{Outcomes, VersionOutcome};
use patchbay_shared::ids::PromptId;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// What calls came to with each version. Every figure leads to exactly its calls.
#[component]
pub(super) fn OutcomeCard(id: PromptId, outcomes: Outcomes) -> impl IntoView {
    let note = format!("Calls of the last {} days", outcomes.days);
    let rows = outcomes.rows.into_iter().map(|row| view! { <Row id row/> }).collect_view();
    let table = match rows.is_empty() {
        true => view! {
            <EmptyState icon="phone" title="No calls yet" text="How calls go with each version is shown here once agents have said it." small=true>
                <LinkButton href="/test-call" icon="phone">"Make a test call"</LinkButton>
            </EmptyState>
        }
        .into_any(),
        false => view! {
            <DataTable
                label="Results by version"
                class="mid"
                head=|| view! {
                    <th scope="col">"Version"</th>
                    <th scope="col" class="num">"Calls"</th>
                    <th scope="col" class="num">"Answered"</th>
                    <th scope="col" class="num">"Goals reached"</th>
                    <th scope="col" class="num">"Goal rate"</th>
                    <th scope="col" class="num">"Range"</th>
                }
            >
                {rows}
            </DataTable>
        }
        .into_any(),
    };
    view! {
        <Card
            title="Results by version"
            id="results"
            flush=true
            right=move || view! { <span class="sub">{note}</span> }
            footer=|| view! { <p class="note">"The goal rate lies within the range with 95 % certainty (Wilson). Where two ranges overlap, the versions may be equally good."</p> }
        >
            {table}
        </Card>
    }
}

#[component]
fn Row(id: PromptId, row: VersionOutcome) -> impl IntoView {
    let figure = |count: i64, href: String| view! { <a class="link" href=href>{count_text(count)}</a> };
    view! {
        <tr>
            <td><a class="link" href=format!("/prompts/{id}?version={}", row.version)>{format!("v{}", row.version)}</a></td>
            <td class="num">{figure(row.calls, row.calls_at)}</td>
            <td class="num">{figure(row.answered, row.answered_at)}</td>
            <td class="num">{figure(row.goals, row.goals_at)}</td>
            <td class="num">{row.goal_rate}</td>
            <td class="num">{row.interval}</td>
        </tr>
    }
}
