use leptos::prelude::*;

use super::keys::Ticking;
use crate::model::{CallDirection, CallList, CallRow, CallState, CallView, Disposition, term};
use patchbay_shared::money::length_text;
use patchbay_shared::phone::spaced;
use patchbay_shared::{Money, Page, Tone};
use patchbay_ui::*;

/// The table: calls that go on first, then the page.
#[component]
pub(crate) fn Rows(list: CallList) -> impl IntoView {
    let (cost, client) = (list.sees_cost, list.is_agency);
    let query = list.query;
    let is_missed = query.call_view() == CallView::Missed;
    let rows = list.live.into_iter().chain(list.page.rows).enumerate().collect();
    let table = List::<(usize, CallRow)>::new("Calls")
        .table("wide")
        .column("State", |(_, row)| {
            let missed = row.missed.clone().map(|why| view! { <small class="sub">{why}</small> });
            view! { <div class="who"><span title=row.state.means()><State tone=row.state.tone() label=row.state.label() on=row.state != CallState::NoAnswer/></span>{missed}</div> }
        })
        .newest("Started", |(_, row)| cell::time(&row.started))
        .class("nowrap")
        .column("Contact", move |(index, row)| contact(*index, row, query.call_address(row.id), is_missed))
        .column("Agent", |(_, row)| or_dash(row.agent.clone()))
        .column("Client", |(_, row)| or_dash(row.client.clone()))
        .class("sub2")
        .when(client)
        .column("Direction", |(_, row)| view! { <span class="row"><Way direction=row.direction/></span> })
        .number("Length", |(_, row)| match (row.state.is_open(), row.seconds) {
            (true, Some(seconds)) => view! { <Ticking seconds/> }.into_any(),
            (false, seconds) | (_, seconds @ None) => or_dash(seconds.map(length_text)),
        })
        .column("Outcome", |(_, row)| outcome(row))
        .column("Sentiment", |(_, row)| match row.sentiment {
            Some(sentiment) => view! { <Tag tone=sentiment.tone()>{sentiment.label()}</Tag> }.into_any(),
            None => or_dash(None),
        })
        .number("Cost", |(_, row)| match (row.cost, row.is_unpriced) {
            (None, true) => view! { <span class="sub" title=term::UNPRICED.means>{term::UNPRICED.label}</span> }.into_any(),
            (cost, _) => or_dash(cost.map(Money::column)),
        })
        .when(cost)
        .note("25 per page")
        .show(Page { rows, newer: list.page.newer, older: list.page.older });
    view! {
        {table}
        <p class="note js-only only-wide"><kbd>"J"</kbd><kbd>"K"</kbd>" to move between calls "<kbd>"Enter"</kbd>" to open one"</p>
    }
}

fn or_dash(text: Option<String>) -> AnyView {
    text.map_or_else(|| view! { <span class="sub">"–"</span> }.into_any(), IntoAny::into_any)
}

fn contact(index: usize, row: &CallRow, href: String, is_missed: bool) -> AnyView {
    let title = row.title().to_owned();
    // Under a number there is no need to say the number again.
    let number = row.number.as_ref().filter(|number| **number != title).map(|number| spaced(number));
    let add = row.add_contact.clone().filter(|_| is_missed);
    view! {
        <div class="who">
            <a id=format!("row-{index}") href=href>{title}</a>
            {number.map(|number| view! { <small class="mono">{number}</small> })}
            {add.map(|href| view! { <small><a class="link" href=href>"Add as contact"</a></small> })}
        </div>
    }
    .into_any()
}

fn outcome(row: &CallRow) -> AnyView {
    // The state says the rest.
    let says_more = |outcome: &Disposition| matches!(outcome, Disposition::SaidNo | Disposition::CallBack);
    let outcome =
        row.disposition().filter(says_more).map(|outcome| view! { <Tag tone=outcome.tone()>{outcome.label()}</Tag> });
    let goal = row.goal_reached.filter(|reached| *reached).map(|_| view! { <Tag tone=Tone::Ok>"Goal"</Tag> });
    let help = row.needs_help.then(|| view! { <Tag tone=Tone::Warn>"Analysis failed"</Tag> });
    let none = (outcome.is_none() && goal.is_none() && help.is_none()).then(|| or_dash(None));
    view! {
        <span class="row">{outcome}{goal}{help}{none}
            {row.is_reviewed.then(|| view! { <span class="ok-ink" title="Reviewed"><Icon name="check" small=true/><span class="sr">"Reviewed"</span></span> })}
        </span>
    }
    .into_any()
}

/// In or out, as icon and word.
#[component]
pub(crate) fn Way(direction: CallDirection) -> impl IntoView {
    let icon = if direction == CallDirection::Inbound { "phone-incoming" } else { "phone-outgoing" };
    view! { <Icon name=icon small=true/>{direction.label()} }
}
