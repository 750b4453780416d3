//! Minutes, tokens and money of the last thirty days.

use std::sync::Arc;

use leptos::prelude::*;

use super::model::{ModelUsage, Usage, UsageDay};
use super::server_fns::get_usage;
use patchbay_shared::money::count_text;
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
    let unpriced = match usage.unpriced {
        0 => None,
        1 => Some("1 call is not priced yet and in no figure.".to_owned()),
        more => Some(format!("{} calls are not priced yet and in no figure.", count_text(more))),
    };
    let is_agency = usage.is_agency;
    view! {
        <Kpis count=4>
            <Kpi label="Spend" value=total.spend().text()/>
            <Kpi label="Calls" value=count_text(total.calls)/>
            <Kpi label="Minutes" value=format!("{:.1}", total.minutes())/>
            <Kpi label="Tokens" value=count_text(total.tokens)/>
        </Kpis>
        {unpriced.map(|text| view! { <p class="note"><Icon name="info" small=true/>{text}</p> })}
        <Spend days=usage.days.clone() zone=usage.zone/>
        <Days days=usage.days/>
        {is_agency.then(|| view! { <Models models=usage.models/> })}
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
            view! {
                <tr>
                    <td>{day.label.clone()}</td>
                    <td class="num">
                        <a class="link" href=move || calls_of(&date)>{count_text(day.calls)}</a>
                    </td>
                    <td class="num">{format!("{:.1}", day.minutes())}</td>
                    <td class="num">{count_text(day.tokens)}</td>
                    <td class="num">{day.voice.text()}</td>
                    <td class="num">{day.carrier.text()}</td>
                    <td class="num">{day.model.text()}</td>
                    <td class="num">{day.spend().text()}</td>
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

/// The calls of one day.
fn calls_of(day: &str) -> String {
    let client = query("client").map(|id| format!("&client={id}")).unwrap_or_default();
    format!("/calls?from={day}&to={day}{client}")
}

#[component]
fn Models(models: Vec<ModelUsage>) -> impl IntoView {
    if models.is_empty() {
        return ().into_any();
    }
    let rows = models
        .into_iter()
        .map(|row| {
            let estimated = row.is_estimated.then(|| view! { " "<Tag>"partly estimated"</Tag> });
            view! {
                <tr>
                    <td class="mono">{row.model}</td>
                    <td>{row.purpose}{estimated}</td>
                    <td class="num">{count_text(row.answers)}</td>
                    <td class="num">{count_text(row.prompt_tokens)}</td>
                    <td class="num">{count_text(row.completion_tokens)}</td>
                    <td class="num">{row.cost.text()}</td>
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
                    <th scope="col" class="num">"Answers"</th>
                    <th scope="col" class="num">"Tokens read"</th>
                    <th scope="col" class="num">"Tokens written"</th>
                    <th scope="col" class="num">"Spend"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}
