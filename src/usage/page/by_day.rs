use leptos::prelude::*;

use super::amount::{amount, carrier};
use super::{file, number};
use crate::model::{By, Shown, Usage, UsageDay};
use patchbay_calls::model::term;
use patchbay_metering::model::Sums;
use patchbay_shared::Money;
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// Spend by day (or week, or month) and kind, beside the days before.
#[component]
pub(crate) fn Spend(usage: Usage) -> impl IntoView {
    let title = format!("Spend by {}", usage.by.as_str());
    let days = usage.days;
    let values = |part: fn(&Sums) -> Money| days.iter().map(|day| number(part(&day.sums))).collect::<Vec<f64>>();
    let series = vec![
        Series::new("Voice", "chart-1", values(|sums| sums.voice)),
        Series::new("Carrier", "chart-3", values(|sums| sums.carrier)),
        Series::new("Models", "chart-2", values(|sums| sums.model)),
    ];
    let before: Vec<f64> = usage.days_before.iter().map(|money| number(*money)).collect();
    let line =
        (days.len() > 1 && before.iter().any(|value| *value > 0.0)).then(|| Series::new("Days before", "ink", before));
    let mut legend = vec![("Voice", "chart-1"), ("Carrier", "chart-3"), ("Models", "chart-2")];
    legend.extend(line.is_some().then_some(("Days before", "ink")));
    let most = days.iter().max_by_key(|day| day.sums.spend());
    let finding = most.filter(|day| !day.sums.spend().0.is_zero()).map_or_else(
        || "Nothing was spent.".to_owned(),
        |day| {
            format!(
                "Most was spent {} {}: {}.",
                if day.day == day.last { "on" } else { "in" },
                day.label,
                day.sums.spend().text()
            )
        },
    );
    let labels = days.iter().map(|day| day.short.clone()).collect();
    let head = if usage.by == By::Week { "Week from" } else { usage.by.label() };
    let listed = usage.shown.listed(query("client")).address();
    let chart = match line {
        Some(line) => {
            view! { <BarChart label=title.clone() finding labels series line before="$" decimals=2 head/> }.into_any()
        }
        None => view! { <BarChart label=title.clone() finding labels series before="$" decimals=2 head/> }.into_any(),
    };
    view! {
        <Card
            title=title.clone()
            right=move || view! { <Legend items=legend/><a class="link" href=listed>"The calls behind it"</a> }
        >
            {chart}
        </Card>
    }
}

/// Each day, week or month with something, the newest first.
#[component]
pub(crate) fn Days(by: By, days: Vec<UsageDay>, shown: Shown) -> impl IntoView {
    let rows = days
        .into_iter()
        .rev()
        .filter(|day| !day.sums.is_nothing())
        .map(|UsageDay { day, last, label, sums, .. }| {
            let listed = shown.listed_between(day, last, query("client"));
            let unpriced = (sums.unpriced > 0).then(|| {
                let href = listed.of_unpriced().address();
                view! { <a class="sub text-xs" href=href title=term::UNPRICED.means>{format!("{} not priced yet", count_text(sums.unpriced))}</a> }
            });
            // What is left out stands below what is there, or alone.
            let spend = match unpriced {
                Some(unpriced) if sums.spend().0.is_zero() => unpriced.into_any(),
                Some(unpriced) => view! { {sums.spend().column()}<br/>{unpriced} }.into_any(),
                None => amount(sums.spend(), sums.unpriced_answers),
            };
            view! {
                <tr>
                    <td class="nowrap">{label}</td>
                    <td class="num"><a class="link" href=listed.address()>{count_text(sums.calls)}</a></td>
                    <td class="num">{fixed(sums.minutes(), 1)}</td>
                    <td class="num">{count_text(sums.tokens)}</td>
                    <td class="num">{count_text(sums.characters)}</td>
                    <td class="num">{amount(sums.voice, sums.unpriced)}</td>
                    <td class="num">{carrier(sums.carrier)}</td>
                    <td class="num">{amount(sums.model, sums.unpriced_answers)}</td>
                    <td class="num">{spend}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card
            title=format!("By {}", by.as_str())
            flush=true
            class="clip"
            right=move || view! { <a class="link" href=move || file(None) rel="external" download=true>"CSV"</a> }
        >
            <DataTable
                label=format!("Usage by {}", by.as_str())
                class="mid"
                head=move || view! {
                    <th scope="col">{by.label()}</th>
                    <th scope="col" class="num">"Calls"</th>
                    <th scope="col" class="num">"Minutes"</th>
                    <th scope="col" class="num">"Tokens"</th>
                    <th scope="col" class="num" title=term::CHARACTERS.means>{term::CHARACTERS.label}</th>
                    <th scope="col" class="num">"Voice"</th>
                    <th scope="col" class="num">"Carrier"</th>
                    <th scope="col" class="num">"Models"</th>
                    <th scope="col" class="num">"Spend"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
}
