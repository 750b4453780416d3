use leptos::prelude::*;

use super::keys::Ticking;
use crate::model::{CallDirection, CallList, CallQuery, CallRow, CallState};
use patchbay_shared::money::length_text;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

/// The table: calls that go on first, then the page.
#[component]
pub fn Rows(list: CallList) -> impl IntoView {
    let (cost, client) = (list.sees_cost, list.is_agency);
    let query = list.query.clone();
    let rows = list
        .live
        .into_iter()
        .chain(list.page.rows)
        .enumerate()
        .map(|(index, row)| view! { <Row row index query=query.clone() cost client/> })
        .collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Calls"
                class="wide"
                head=move || view! {
                    <th scope="col">"State"</th>
                    <th scope="col" aria-sort="descending">"Started ↓"</th>
                    <th scope="col">"Contact"</th>
                    <th scope="col">"Agent"</th>
                    {client.then(|| view! { <th scope="col">"Client"</th> })}
                    <th scope="col">"Way"</th>
                    <th scope="col" class="num">"Length"</th>
                    <th scope="col">"Outcome"</th>
                    <th scope="col">"Sentiment"</th>
                    {cost.then(|| view! { <th scope="col" class="num">"Cost"</th> })}
                }
            >
                {rows}
            </DataTable>
            <Pager newer=list.page.newer older=list.page.older note="25 per page"/>
        </section>
        <p class="note js-only only-wide"><kbd>"J"</kbd><kbd>"K"</kbd>" move between calls "<kbd>"Enter"</kbd>" opens one"</p>
    }
}

#[component]
fn Row(row: CallRow, index: usize, query: CallQuery, cost: bool, client: bool) -> impl IntoView {
    let dash = || view! { <span class="sub">"–"</span> }.into_any();
    let href = query.call_address(row.id);
    let title = row.title().to_owned();
    // Under a number there is no need to say the number again.
    let number = row.number.clone().filter(|number| *number != title);
    let length = match (row.state.is_open(), row.seconds) {
        (true, Some(seconds)) => view! { <Ticking seconds/> }.into_any(),
        (false, Some(seconds)) => length_text(seconds).into_any(),
        (_, None) => dash(),
    };
    let outcome = row.outcome.map(|outcome| view! { <Tag tone=outcome.tone()>{outcome.label()}</Tag> });
    let goal =
        row.goal_reached.filter(|reached| *reached).map(|_| view! { <Tag tone=patchbay_shared::Tone::Ok>"Goal"</Tag> });
    let help = row.needs_help.then(|| view! { <Tag tone=patchbay_shared::Tone::Warn>"Not read"</Tag> });
    let has_none = outcome.is_none() && goal.is_none() && help.is_none();
    let sentiment = match row.sentiment {
        Some(sentiment) => view! { <Tag tone=sentiment.tone()>{sentiment.label()}</Tag> }.into_any(),
        None => dash(),
    };
    let price = match row.cost {
        Some(cost) => cost.text().into_any(),
        None => dash(),
    };
    view! {
        <tr>
            <td><State tone=row.state.tone() label=row.state.label() on=row.state != CallState::NoAnswer/></td>
            <td class="nowrap"><Time stamp=row.started/></td>
            <td>
                <div class="who">
                    <a id=format!("row-{index}") href=href>{title}</a>
                    {number.map(|number| view! { <small class="mono">{spaced(&number)}</small> })}
                </div>
            </td>
            <td>{row.agent.map_or_else(dash, IntoAny::into_any)}</td>
            {client.then(|| view! { <td class="sub2">{row.client.map_or_else(dash, IntoAny::into_any)}</td> })}
            <td><span class="row"><Way direction=row.direction/></span></td>
            <td class="num">{length}</td>
            <td>
                <span class="row">{outcome}{goal}{help}{has_none.then(dash)}
                    {row.is_reviewed.then(|| view! { <span class="ok-ink" title="Reviewed"><Icon name="check" small=true/><span class="sr">"Reviewed"</span></span> })}
                </span>
            </td>
            <td>{sentiment}</td>
            {cost.then(|| view! { <td class="num">{price}</td> })}
        </tr>
    }
}

/// In or out, as icon and word.
#[component]
pub fn Way(direction: CallDirection) -> impl IntoView {
    let icon = if direction == CallDirection::Inbound { "phone-incoming" } else { "phone-outgoing" };
    view! { <Icon name=icon small=true/>{direction.label()} }
}
