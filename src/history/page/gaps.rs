use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{above, address};
use crate::model::{CheckView, GapCounts, GapKind, GapList, GapQuery, GapRow, close_text, gaps_text, some_text};
use crate::server_fns::{CheckCallGaps, CloseCallGap, CloseCallGaps, list_call_gaps};
use patchbay_access::Action;
use patchbay_connections::model::Provider;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shell::refused;
use patchbay_ui::*;

/// What is missing of the service's calls.
#[lazy]
pub fn call_gaps_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked = GapQuery {
            kind: query("kind"),
            agent: query("agent"),
            from: query("from"),
            to: query("to"),
            sort: query("sort"),
            cursor: query("cursor"),
        };
        (params.read().get("provider").unwrap_or_default(), asked)
    };
    let rows = load(asked, |(provider, query)| list_call_gaps(provider, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| rows.refetch());
        let mut list = List::<GapRow>::new("Gap report");
        for parent in above(true) {
            list = list.under(parent);
        }
        let is_closed = query("kind").as_deref() == Some("closed");
        list = list.subtitle("What Ultravox knows of calls and Patchbay does not. Every ten minutes both are compared, and what is new is closed by itself.")
            .live(&["history"])
            .export("/connections/ultravox/history/gaps.csv")
            .action(from_list(rows, move |list| {
                let open = list.counts.open();
                list.may_close.then(|| view! {
                    <CheckButton again/>
                    {(open > 0).then(|| view! { <CloseAll open again/> })}
                })
                .into_any()
            }))
            .above(from_list(rows, |list| view! { <Kinds counts=list.counts/> <Checked check=list.check/> }.into_any()))
            .keep(&["kind", "sort"])
            .sorted("-began")
            .filter(Filter::date("from", "From"))
            .filter(Filter::date("to", "To"))
            .narrowed_by(&["kind"])
            .what("gaps")
            .table("mid")
            .column("What is missing", |row| cell::state(row.kind))
            .column("Began", |row| cell::time(&row.started))
            .class("nowrap");
        // Those that are closed stand in the order in which they were.
        if !is_closed {
            list = list.sort("began");
        }
        list
            .column("Agent", |row| cell::or(&row.agent, "Not known here"))
            .column("Call at Ultravox", provider_id)
            .class("mono break")
            .column("Why", move |row| why(row, is_closed))
            .class("wrap-text")
            .acts("Close", move |row| view! { <CloseOne row=row.clone() again/> })
            .no_match_in_card()
            .empty_view(|| view! {
                <section class="card">
                    <EmptyState icon="check" title="No open gaps" text="Every call that Ultravox has since it was connected is here. A check of the last thirty days also finds older ones.">
                        <LinkButton href=address("")>"Past calls"</LinkButton>
                    </EmptyState>
                </section>
            })
            .page_of(rows, |list: GapList| {
                let agents = (list.agents.len() > 1).then(|| Filter::new("agent", "Agent", list.agents));
                (list.page, agents.into_iter().collect::<Vec<_>>())
            })
    })
}

fn from_list(rows: Loaded<GapList>, view: impl Fn(GapList) -> AnyView + Send + Sync + 'static) -> impl IntoView {
    let shown = move || Some(view(rows.get()?.ok()?));
    view! { <Transition>{shown}</Transition> }
}

/// The call here, if it is here, by the service's id.
fn provider_id(row: &GapRow) -> AnyView {
    match row.call {
        Some(call) => cell::link(format!("/calls/{call}"), &row.provider_call_id),
        None => row.provider_call_id.clone().into_any(),
    }
}

fn why(row: &GapRow, is_closed: bool) -> AnyView {
    if !is_closed {
        return row.why.clone().into_any();
    }
    let at = row.closed.clone().map(|stamp| view! { " "<Time stamp/> });
    view! { {row.closed_how.clone()}{at} }.into_any()
}

/// Tabs by what is missing. `is_elsewhere`: they lead to the list from a page that shows its first rows.
#[component]
pub(super) fn Kinds(counts: GapCounts, #[prop(optional)] is_elsewhere: bool) -> impl IntoView {
    let items = move || {
        let now = query("kind").filter(|_| !is_elsewhere);
        let item = |label: &'static str, kind: Option<&str>, count: i64| {
            let href = match (is_elsewhere, kind) {
                (true, Some(kind)) => address(&format!("/gaps?kind={kind}")),
                (true, None) => address("/gaps"),
                (false, kind) => with_query(&[("kind", kind), ("cursor", None)]),
            };
            tab(label, href, now.as_deref() == kind).count(some_text(count))
        };
        let of = |kind: GapKind, count: i64| item(kind.label(), Some(kind.as_str()), count);
        vec![
            item("All", None, counts.open()),
            of(GapKind::NeverHeardOf, counts.never_heard_of),
            of(GapKind::WithoutEnd, counts.without_end),
            of(GapKind::WithoutBill, counts.without_bill),
            item("Closed this week", Some("closed"), counts.closed),
        ]
    };
    view! { <Tabs label="What is missing" items=Signal::derive(items)/> }
}

/// When both were compared last, and when they are next.
#[component]
pub(super) fn Checked(check: CheckView) -> impl IntoView {
    let said = match (&check.checked, &check.from) {
        (Some(at), Some(from)) => format!(
            "Checked {}: {} since {}.",
            at.when(),
            counted(check.compared, "call compared", "calls compared"),
            from.text
        ),
        _ => "Not checked yet.".to_owned(),
    };
    let next = match (check.is_running, &check.next) {
        (true, _) => " A check is running.".to_owned(),
        (false, Some(at)) => format!(" Next {}.", at.when()),
        (false, None) => String::new(),
    };
    view! {
        <p class="sub text-xs" role="status">{said}{next}</p>
        {check.error.map(|error| view! { <Callout tone=Tone::Warn><p>{format!("The last check did not get to its end. {error}")}</p></Callout> })}
    }
}

#[component]
pub(super) fn CheckButton(again: Callback<()>) -> impl IntoView {
    let check = FormAction::of::<CheckCallGaps>();
    view! {
        <ServerForm action=check class="inline" prefix="check" on_done=again said="A check of the last 30 days begins" no_summary=true>
            <input type="hidden" name="provider" value=Provider::Ultravox.as_str()/>
            <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">"Check for gaps now"</SubmitButton>
        </ServerForm>
    }
}

/// Closes all open gaps, after a question: each can bring in a call.
#[component]
pub(super) fn CloseAll(open: i64, again: Callback<()>) -> impl IntoView {
    let close = FormAction::of::<CloseCallGaps>();
    view! {
        <DialogLink name="close-gaps" icon="check" small=true>{close_text(open)}</DialogLink>
        <ConfirmForm
            name="close-gaps"
            action=close
            title="Close all open gaps?"
            text=format!("{}: calls that were never heard of are imported with their transcripts, and Ultravox is asked again for ends and bills.", gaps_text(open))
            confirm="Close them"
            on_done=again
            said="The gaps are being closed"
        >
            <input type="hidden" name="provider" value=Provider::Ultravox.as_str()/>
        </ConfirmForm>
    }
}

#[component]
fn CloseOne(row: GapRow, again: Callback<()>) -> impl IntoView {
    let may_close = patchbay_shell::viewer().may(Action::ReplayQueues);
    (may_close && row.closed.is_none()).then(|| {
        let close = FormAction::of::<CloseCallGap>();
        let kind = row.kind;
        view! {
            <ServerForm action=close class="inline" prefix=format!("close-{}", row.id) on_done=again said="Gap closed" no_summary=true>
                <input type="hidden" name="provider" value=Provider::Ultravox.as_str()/>
                <input type="hidden" name="id" value=row.id.to_string()/>
                <SubmitButton kind=ButtonKind::Ghost small=true>{kind.closing()}<span class="sr">{format!(" {}", row.provider_call_id)}</span></SubmitButton>
            </ServerForm>
        }
    })
}

/// The first gaps, on the page of the past.
#[component]
pub(super) fn GapTable(rows: Vec<GapRow>, may_close: bool, again: Callback<()>) -> impl IntoView {
    let lines = rows
        .into_iter()
        .map(|row| {
            let (id, started) = (provider_id(&row), row.started.clone());
            let agent = row.agent.clone().unwrap_or_else(|| "Not known here".to_owned());
            let kind = row.kind;
            view! {
                <tr>
                    <td>{cell::state(kind)}</td>
                    <td class="nowrap"><Time stamp=started/></td>
                    <td>{agent}</td>
                    <td class="mono break">{id}</td>
                    <td class="wrap-text">{row.why.clone()}</td>
                    <td class="acts">{may_close.then(|| view! { <CloseOne row again/> })}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="Open gaps"
            class="mid"
            head=|| view! {
                <th scope="col">"What is missing"</th>
                <th scope="col">"Began"</th>
                <th scope="col">"Agent"</th>
                <th scope="col">"Call at Ultravox"</th>
                <th scope="col">"Why"</th>
                <th scope="col"><span class="sr">"Close"</span></th>
            }
        >
            {lines}
        </DataTable>
    }
}
