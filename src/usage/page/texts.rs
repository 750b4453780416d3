use chrono::NaiveDate;
use leptos::prelude::*;

use super::file;
use crate::model::{By, Shown, TextUsage};
use patchbay_calls::model::{CallQuery, term};
use patchbay_metering::model::TextSums;
use patchbay_shared::money::{count_text, counted};
use patchbay_ui::address::query_string;
use patchbay_ui::*;

/// Where the messages of some days are listed that figures count; `unpriced`: those that they leave out of the cost.
pub fn texts_listed(
    shown: &Shown,
    (first, last): (NaiveDate, NaiveDate),
    client: Option<String>,
    unpriced: bool,
) -> String {
    let zone = shown.zone.clone().unwrap_or_else(|| CallQuery::OWN_ZONE.to_owned());
    let mut pairs = vec![("from", first.to_string()), ("to", last.to_string()), ("zone", zone)];
    pairs.push(if unpriced { ("priced", "no".to_owned()) } else { ("taken", "yes".to_owned()) });
    pairs.extend(client.map(|client| ("client", client)));
    let pairs: Vec<(String, String)> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    format!("/messages{}", query_string(&pairs))
}

/// What messages cost; what the carrier has not priced leads to where it is listed, and is no zero.
pub fn text_cost(sums: TextSums, unpriced: impl FnOnce() -> String) -> AnyView {
    let left_out = (sums.unpriced > 0).then(|| {
        let text = format!("{} not priced yet", count_text(sums.unpriced));
        view! { <a class="sub text-xs" href=unpriced()>{text}</a> }
    });
    match left_out {
        Some(left_out) if sums.cost.0.is_zero() => left_out.into_any(),
        Some(left_out) => view! { {sums.cost.column()}<br/>{left_out} }.into_any(),
        None => sums.cost.column().into_any(),
    }
}

/// Text messages by client, for the agency, and by day: how many a carrier took, in how many parts, at what cost.
#[component]
pub(crate) fn TextMessages(texts: TextUsage, by: By, shown: Shown) -> impl IntoView {
    let TextUsage { total, days, clients } = texts;
    if total.is_nothing() {
        return ().into_any();
    }
    let sum = format!(
        "{} in {} · {} · not part of the spend above",
        counted(total.messages, "message", "messages"),
        counted(total.parts, "part", "parts"),
        total.cost.text()
    );
    let all = (shown.first, shown.last);
    // The file has a row for each client: whoever is of one has the days with all that they came to.
    let part = (!clients.is_empty()).then_some("texts");
    let by_client = (!clients.is_empty()).then(|| {
        let rows = clients
            .into_iter()
            .map(|row| {
                let id = row.id.to_string();
                let narrowed = id.clone();
                let href = move || with_query(&[("client", Some(&narrowed))]);
                let name = view! { <a class="link" href=href>{row.name}</a> };
                view! { <tr><td>{name}</td>{cells(row.sums, &shown, all, Some(id))}</tr> }
            })
            .collect_view();
        view! {
            <DataTable label="Text messages by client" class="mid" head=|| head("Client")>{rows}</DataTable>
        }
    });
    let rows = days
        .into_iter()
        .map(|row| {
            let cells = cells(row.sums, &shown, (row.day, row.last), query("client"));
            view! { <tr><td class="nowrap">{row.label}</td>{cells}</tr> }
        })
        .collect_view();
    let right = move || {
        view! {
            <span class="sub text-xs" title=term::TEXTS.means>{sum}</span>
            <a class="link" href=move || file(part) rel="external" download=true>"CSV"</a>
        }
    };
    view! {
        <Card title=term::TEXTS.label id="by-text" flush=true class="clip" right>
            {by_client}
            <DataTable label=format!("Text messages by {}", by.as_str()) class="mid" head=move || head(by.label())>{rows}</DataTable>
        </Card>
        <p class="note">{term::TEXTS.means}</p>
    }
    .into_any()
}

fn head(first: &'static str) -> impl IntoView {
    view! {
        <th scope="col">{first}</th>
        <th scope="col" class="num">"Messages"</th>
        <th scope="col" class="num">"Parts"</th>
        <th scope="col" class="num">"Cost"</th>
    }
}

fn cells(sums: TextSums, shown: &Shown, days: (NaiveDate, NaiveDate), client: Option<String>) -> impl IntoView {
    let listed = texts_listed(shown, days, client.clone(), false);
    let cost = text_cost(sums, || texts_listed(shown, days, client, true));
    view! {
        <td class="num"><a class="link" href=listed>{count_text(sums.messages)}</a></td>
        <td class="num">{count_text(sums.parts)}</td>
        <td class="num">{cost}</td>
    }
}
