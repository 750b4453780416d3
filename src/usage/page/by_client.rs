use leptos::prelude::*;

use super::{amount, file, moved, number};
use crate::model::{AgentUsage, ClientUsage, Compared, Shown};
use patchbay_calls::model::{CallQuery, term};
use patchbay_metering::model::Sums;
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// Who used how much: clients, and below each with more than one agent its agents.
#[component]
pub(crate) fn Clients(
    clients: Vec<ClientUsage>,
    others: Option<(i64, Compared)>,
    shown: Shown,
    total: Sums,
) -> impl IntoView {
    if clients.is_empty() {
        return ().into_any();
    }
    let rows = clients.into_iter().map(|client| rows_of(client, &shown, &total)).collect_view();
    let others = others.map(|(count, all)| {
        let name = format!("{} other clients", count_text(count));
        view! { <tr><td>{name}</td>{cells(&all, None, &total)}</tr> }
    });
    view! {
        <Card
            title="By client and agent"
            flush=true
            class="clip"
            right=|| view! {
                <a class="link" href="#by-model">"By model"</a>
                <a class="link" href="#by-number">"By number"</a>
                <a class="link" href=move || file(Some("agents")) rel="external" download=true>"CSV"</a>
            }
        >
            <DataTable
                label="Usage by client and agent"
                class="mid"
                head=|| view! {
                    <SortHead label="Client, agent" key="client" default="-spend"/>
                    <SortHead label="Calls" key="calls" default="-spend" num=true descending_first=true/>
                    <SortHead label="Minutes" key="minutes" default="-spend" num=true descending_first=true/>
                    <SortHead label="Tokens" key="tokens" default="-spend" num=true descending_first=true/>
                    <SortHead label="Spend" key="spend" default="-spend" num=true descending_first=true/>
                    <th scope="col" class="num">"Change"</th>
                    <th scope="col">"Course"</th>
                    <th scope="col" class="num">"Share"</th>
                    <th scope="col"><span class="sr">"Not priced yet"</span></th>
                }
            >
                {rows}
                {others}
            </DataTable>
        </Card>
    }
    .into_any()
}

fn rows_of(client: ClientUsage, shown: &Shown, total: &Sums) -> AnyView {
    let id = client.id.map(|id| id.to_string());
    // Calls without a client are in no list of their own; those of a client are.
    let listed = id.clone().map(|id| shown.listed(Some(id)));
    let name = match id {
        Some(id) => {
            let href = move || with_query(&[("client", Some(&id))]);
            view! { <a class="link" href=href>{client.name}</a> }.into_any()
        }
        None => client.name.into_any(),
    };
    let mut agents = client.agents;
    let only = if agents.len() == 1 { agents.pop() } else { None };
    let beside = only.map(|agent| view! { <span class="sub">" · "{agent.name}</span> });
    let below = agents
        .into_iter()
        .map(|AgentUsage { id, name, all }| {
            let calls = listed.clone().zip(id).map(|(listed, id)| CallQuery { agent: Some(id.to_string()), ..listed });
            view! { <tr><td class="indent">{name}</td>{cells(&all, calls, total)}</tr> }
        })
        .collect_view();
    view! { <tr><td>{name}{beside}</td>{cells(&client.all, listed, total)}</tr>{below} }.into_any()
}

/// Everything behind the name. `listed`: where its calls are listed.
fn cells(all: &Compared, listed: Option<CallQuery>, total: &Sums) -> impl IntoView {
    let sums = all.sums;
    let calls = match &listed {
        Some(listed) => view! { <a class="link" href=listed.address()>{count_text(sums.calls)}</a> }.into_any(),
        None => count_text(sums.calls).into_any(),
    };
    let (percent, way) = moved(number(sums.spend()), number(all.before.spend()));
    let (arrow, spoken) = match way {
        Direction::Up => ("↑ ", "up "),
        Direction::Down => ("↓ ", "down "),
        Direction::Same => ("", ""),
    };
    let moved = if percent.is_empty() { "–".to_owned() } else { percent };
    let share = match number(total.spend()) {
        whole if whole > 0.0 => format!("{}%", fixed(number(sums.spend()) * 100.0 / whole, 1)),
        _ => "–".to_owned(),
    };
    let points = all.spend_by_part.clone();
    let unpriced = (sums.unpriced > 0).then(|| {
        let text = format!("{} not priced yet", count_text(sums.unpriced));
        match &listed {
            Some(listed) => {
                let href = listed.of_unpriced().address();
                view! { <a class="tag warn" href=href title=term::UNPRICED.means>{text}</a> }.into_any()
            }
            None => view! { <span class="tag warn" title=term::UNPRICED.means>{text}</span> }.into_any(),
        }
    });
    view! {
        <td class="num">{calls}</td>
        <td class="num">{fixed(sums.minutes(), 1)}</td>
        <td class="num">{count_text(sums.tokens)}</td>
        <td class="num">{amount(sums.spend(), sums.unpriced + sums.unpriced_answers)}</td>
        <td class="num"><span aria-hidden="true">{arrow}</span><span class="sr">{spoken}</span>{moved}</td>
        <td>{(points.len() > 1).then(|| view! { <Spark points/> })}</td>
        <td class="num">{share}</td>
        <td>{unpriced}</td>
    }
}
