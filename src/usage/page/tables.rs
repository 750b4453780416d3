use leptos::prelude::*;

use super::{capital, file};
use crate::model::{ModelUsage, Numbers, unpriced_answers_text};
use patchbay_calls::model::term;
use patchbay_shared::Money;
use patchbay_shared::money::count_text;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

/// What numbers cost, by client and month.
#[component]
pub(crate) fn PhoneNumbers(numbers: Numbers) -> impl IntoView {
    if numbers.rows.is_empty() {
        return ().into_any();
    }
    // Where no row says an amount, neither does the sum.
    let sum = |at: usize| {
        let amounts: Vec<Money> =
            numbers.rows.iter().filter(|row| row.is_priced).filter_map(|row| row.months[at]).collect();
        if amounts.is_empty() { "–".to_owned() } else { Money(amounts.iter().map(|money| money.0).sum()).column() }
    };
    let sums = (0..numbers.months.len()).map(|at| view! { <td class="num"><b>{sum(at)}</b></td> }).collect_view();
    let unknown = numbers.rows.iter().filter(|row| !row.is_priced).count();
    let remark = (unknown > 0).then(|| {
        let words = if unknown == 1 { "1 number is".to_owned() } else { format!("{unknown} numbers are") };
        view! { <p class="note"><Icon name="info" small=true/>{format!("{words} not priced yet and not in the total.")}</p> }
    });
    let rows = numbers
        .rows
        .into_iter()
        .map(|row| {
            let is_priced = row.is_priced;
            let cells = row
                .months
                .into_iter()
                .map(|rent| {
                    let text = match rent {
                        None => "–".to_owned(),
                        Some(_) if !is_priced => term::UNPRICED.label.to_owned(),
                        Some(rent) => rent.column(),
                    };
                    view! { <td class="num">{text}</td> }
                })
                .collect_view();
            view! {
                <tr>
                    <td class="mono"><a class="link" href=format!("/numbers/{}", row.id)>{spaced(&row.number)}</a></td>
                    <td>{row.client.unwrap_or_else(|| "The whole agency".to_owned())}</td>
                    {cells}
                </tr>
            }
        })
        .collect_view();
    let months = numbers.months;
    let right = move || {
        view! {
            <span class="sub text-xs" title=term::NUMBERS.means>"Per month, not part of the spend above"</span>
            <a class="link" href=move || file(Some("numbers")) rel="external" download=true>"CSV"</a>
        }
    };
    view! {
        <Card title=term::NUMBERS.label id="by-number" flush=true class="clip" right>
            <DataTable
                label="Phone numbers by month"
                class="mid"
                head=move || view! {
                    <th scope="col">"Number"</th>
                    <th scope="col">"Client"</th>
                    {months.iter().map(|month| view! { <th scope="col" class="num">{month.clone()}</th> }).collect_view()}
                }
            >
                {rows}
                <tr><td>"Total"</td><td></td>{sums}</tr>
            </DataTable>
        </Card>
        {remark}
        <p class="note">{term::NUMBERS.means}</p>
    }
    .into_any()
}

#[component]
pub(crate) fn Models(models: Vec<ModelUsage>) -> impl IntoView {
    if models.is_empty() {
        return ().into_any();
    }
    let rows = models
        .into_iter()
        .map(|row| {
            // A price that the service did not say is no zero.
            let cost = row.cost.map_or_else(|| term::UNPRICED.label.to_owned(), Money::column);
            let left_out = row
                .cost
                .and(unpriced_answers_text(row.unpriced))
                .map(|text| view! { " "<small class="sub">{text}</small> });
            let estimated = row.is_estimated.then(|| view! { " "<Tag>"partly estimated"</Tag> });
            view! {
                <tr>
                    <td class="mono">{row.model}</td>
                    <td>{capital(&row.purpose)}{estimated}</td>
                    <td class="num">{count_text(row.answers)}</td>
                    <td class="num">{count_text(row.prompt_tokens)}</td>
                    <td class="num">{count_text(row.completion_tokens)}</td>
                    <td class="num">{cost}{left_out}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card
            title="By model"
            id="by-model"
            flush=true
            class="clip"
            right=|| view! { <a class="link" href=move || file(Some("models")) rel="external" download=true>"CSV"</a> }
        >
            <DataTable
                label="Usage by model"
                class="mid"
                head=|| view! {
                    <th scope="col">"Model"</th>
                    <th scope="col">"For"</th>
                    <th scope="col" class="num">"Requests"</th>
                    <th scope="col" class="num">"Input tokens"</th>
                    <th scope="col" class="num">"Output tokens"</th>
                    <th scope="col" class="num">"Spend"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}
