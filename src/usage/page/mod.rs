//! Minutes, tokens and money of the last thirty days.

use std::sync::Arc;

use leptos::prelude::*;

use super::model::{ModelUsage, Numbers, Usage, UsageDay, unpriced_answers_text};
use super::server_fns::get_usage;
use patchbay_calls::model::figures::unpriced_text;
use patchbay_calls::model::{CallQuery, term};
use patchbay_shared::Money;
use patchbay_shared::money::count_text;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

#[lazy]
pub fn usage_page() -> PageView {
    let usage = load(|| query("client"), get_usage);
    Arc::new(move || {
        let export = move || match query("client") {
            Some(client) => format!("/usage.csv?client={client}"),
            None => "/usage.csv".to_owned(),
        };
        view! {
            <PageTitle text="Usage"/>
            <PageHead
                title="Usage"
                sub="The last 30 days, today included"
                actions=move || view! {
                    <LinkButton href=Signal::derive(export) icon="download" external=true>"Export CSV"</LinkButton>
                }
            />
            <PageBoundary data=usage view=move |usage: Usage| view! { <Figures usage/> }/>
        }
        .into_any()
    })
}

#[component]
fn Figures(usage: Usage) -> impl IntoView {
    let total = usage.total.clone();
    if total.calls == 0 && total.tokens == 0 {
        return view! { <EmptyState icon="receipt-text" title="No usage yet" text="Usage appears after the first call."/> }.into_any();
    }
    let numbers = usage.numbers;
    let listed = calls_of(usage.days.first().map(|day| day.day.clone()), None);
    let unpriced = unpriced_text(total.unpriced).map(|text| {
        let href = listed.of_unpriced().address();
        view! { <p class="note"><Icon name="info" small=true/><a class="link" href=href>{text}</a>" and not in these figures."</p> }
    });
    let without_price = unpriced_answers_text(total.unpriced_answers)
        .map(|text| view! { <p class="note"><Icon name="info" small=true/>{text}" and not in these figures."</p> });
    let is_agency = usage.is_agency;
    view! {
        <Kpis count=4>
            <Kpi label=term::SPEND.label value=total.spend().text() href=listed.address() means=term::SPEND.means/>
            <Kpi label=term::CALLS.label value=count_text(total.calls) href=listed.address() means=term::CALLS.means/>
            <Kpi label=term::MINUTES.label value=format!("{:.1}", total.minutes()) means=term::MINUTES.means/>
            <Kpi label="Tokens" value=count_text(total.tokens)/>
        </Kpis>
        {unpriced}
        {without_price}
        <Spend days=usage.days.clone() zone=usage.zone/>
        <Days days=usage.days/>
        {is_agency.then(|| view! { <Models models=usage.models/> })}
        {numbers.map(|numbers| view! { <PhoneNumbers numbers/> })}
    }
    .into_any()
}

/// What numbers cost, by client and month.
#[component]
fn PhoneNumbers(numbers: Numbers) -> impl IntoView {
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
    let file = match query("client") {
        Some(client) => format!("/usage.csv?part=numbers&client={client}"),
        None => "/usage.csv?part=numbers".to_owned(),
    };
    let right = move || {
        view! {
            <span class="sub text-xs" title=term::NUMBERS.means>"Per month, not part of the spend above"</span>
            <a class="link" href=file rel="external" download=true>"CSV"</a>
        }
    };
    view! {
        <Card title=term::NUMBERS.label flush=true class="clip" right>
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
fn Spend(days: Vec<UsageDay>, zone: String) -> impl IntoView {
    let number = |money: patchbay_shared::Money| money.0.to_string().parse::<f64>().unwrap_or(0.0);
    let values =
        |part: fn(&UsageDay) -> patchbay_shared::Money| days.iter().map(|day| number(part(day))).collect::<Vec<f64>>();
    let series = vec![
        Series::new("Voice", "chart-1", values(|day| day.voice)),
        Series::new("Carrier", "chart-3", values(|day| day.carrier)),
        Series::new("Models", "chart-2", values(|day| day.model)),
    ];
    let most = days.iter().max_by_key(|day| day.spend());
    let finding = most.filter(|day| !day.spend().0.is_zero()).map_or_else(
        || "Nothing was spent.".to_owned(),
        |day| format!("Most was spent on {}: {}.", day.label, day.spend().text()),
    );
    let labels = days.iter().map(|day| day.label.clone()).collect();
    view! {
        <Card
            title="Spend by day"
            right=move || view! {
                <Legend items=vec![("Voice", "chart-1"), ("Carrier", "chart-3"), ("Models", "chart-2")]/>
                <span class="sub text-xs">{zone.replace('_', " ")}</span>
            }
        >
            <BarChart label="Spend by day" finding labels series before="$" decimals=2 head="Day"/>
        </Card>
    }
}

#[component]
fn Days(days: Vec<UsageDay>) -> impl IntoView {
    let rows = days
        .into_iter()
        .rev()
        .filter(|day| day.calls > 0 || day.tokens > 0)
        .map(|day| {
            let date = day.day.clone();
            let unpriced = (day.unpriced > 0).then(|| {
                let href = calls_of(Some(date.clone()), Some(date.clone())).of_unpriced().address();
                view! { <br/><a class="sub text-xs" href=href title=term::UNPRICED.means>{format!("{} not priced yet", count_text(day.unpriced))}</a> }
            });
            view! {
                <tr>
                    <td>{day.label.clone()}</td>
                    <td class="num">
                        <a class="link" href=calls_of(Some(date.clone()), Some(date)).address()>{count_text(day.calls)}</a>
                    </td>
                    <td class="num">{format!("{:.1}", day.minutes())}</td>
                    <td class="num">{count_text(day.tokens)}</td>
                    <td class="num">{day.voice.column()}</td>
                    <td class="num">{day.carrier.column()}</td>
                    <td class="num">{day.model.column()}</td>
                    <td class="num">{day.spend().column()}{unpriced}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Usage by day"
                class="mid"
                head=|| view! {
                    <th scope="col">"Day"</th>
                    <th scope="col" class="num">"Calls"</th>
                    <th scope="col" class="num">"Minutes"</th>
                    <th scope="col" class="num">"Tokens"</th>
                    <th scope="col" class="num">"Voice"</th>
                    <th scope="col" class="num">"Carrier"</th>
                    <th scope="col" class="num">"Models"</th>
                    <th scope="col" class="num">"Spend"</th>
                }
            >
                {rows}
            </DataTable>
        </section>
    }
}

/// The calls of some days.
fn calls_of(from: Option<String>, to: Option<String>) -> CallQuery {
    CallQuery { from, to, client: query("client"), ..CallQuery::default() }
}

/// `analysis` as `Analysis`.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[component]
fn Models(models: Vec<ModelUsage>) -> impl IntoView {
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
        <Card title="By model" flush=true class="clip">
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
