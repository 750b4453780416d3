//! What stands beside a run: what it used of what is allowed, and what each of those who acted came to.

use leptos::prelude::*;

use super::{cost_text, tokens_text};
use crate::model::views::{Spent, Used};
use patchbay_shared::money::length_text;
use patchbay_ui::*;

/// How much of its limits a run has used.
#[component]
pub(super) fn Limits(used: Used, change: Option<String>) -> impl IntoView {
    let allowed = used.most_cost.number();
    let cost = cost_text(used.cost, used.is_unpriced);
    let of_cost = used.most_cost.text();
    let right = move || change.map(|href| view! { <a class="link" href=href>"Change"</a> });
    view! {
        <Card title="Limits" right footer=|| view! { <p class="note"><Icon name="info" small=true/>"The run stops at a limit and says so."</p> }>
            <div class="stack gap-3">
                <Meter name="Steps" value=used.steps.to_string() of=used.most_steps.to_string() part=f64::from(used.steps) most=f64::from(used.most_steps) paint="chart-1"/>
                <Meter name="Money" value=cost of=of_cost part=used.cost.number() * 1e6 most=allowed * 1e6 paint="chart-2"/>
                <Meter
                    name="Time"
                    value=length_text(used.seconds)
                    of=length_text(used.most_seconds.into())
                    part=used.seconds as f64
                    most=f64::from(used.most_seconds)
                    paint="chart-3"
                />
                <p class="hint">"The clock stands still while a person is asked."</p>
            </div>
        </Card>
    }
}

#[component]
fn Meter(name: &'static str, value: String, of: String, part: f64, most: f64, paint: &'static str) -> impl IntoView {
    let label = format!("{name}: {value} of {of}");
    let segments = vec![Segment::new(name, part.min(most), paint)];
    view! {
        <div class="meter">
            <div><span>{name}</span><span><b>{value}</b>{format!(" of {of}")}</span></div>
            <SegmentBar segments total=most label/>
        </div>
    }
}

const PAINTS: [&str; 6] = ["chart-1", "chart-3", "chart-2", "chart-4", "chart-5", "chart-6"];

/// Tokens and cost of each of those who acted.
#[component]
pub(super) fn Tokens(spent: Vec<Spent>) -> impl IntoView {
    if spent.is_empty() {
        return view! { <Card title="Tokens"><p class="sub">"Nothing was asked of a model yet."</p></Card> }.into_any();
    }
    let (read, written): (i64, i64) =
        spent.iter().fold((0, 0), |(read, written), one| (read + one.read, written + one.written));
    let sum = format!("{} read · {} written", tokens_text(read), tokens_text(written));
    let words: Vec<String> =
        spent.iter().map(|one| format!("{} {}", one.who, cost_text(one.cost, one.is_unpriced))).collect();
    let paint = |place: usize| PAINTS[place % PAINTS.len()];
    let total: f64 = spent.iter().map(|one| one.cost.number() * 1e6).sum();
    let segments = spent
        .iter()
        .enumerate()
        .map(|(place, one)| Segment::new(one.who.clone(), one.cost.number() * 1e6, paint(place)))
        .collect();
    let rows = spent
        .into_iter()
        .enumerate()
        .map(|(place, one)| {
            view! {
                <tr>
                    <td><span class="key"><i class=format!("sw {}", paint(place)) aria-hidden="true"></i><span class="break">{one.who}</span></span></td>
                    <td class="num">{tokens_text(one.read + one.written)}</td>
                    <td class="num">{cost_text(one.cost, one.is_unpriced)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Tokens" flush=true right=move || view! { <span class="text-xs tnum">{sum}</span> }>
            <div class="pad-x"><SegmentBar segments total label=format!("Cost by member: {}", words.join(", "))/></div>
            <DataTable
                label="Tokens and cost"
                class="compact"
                head=|| view! { <th scope="col">"Who"</th><th scope="col" class="num">"Tokens"</th><th scope="col" class="num">"Cost"</th> }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}
