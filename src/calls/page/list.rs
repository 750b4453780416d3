use std::sync::Arc;

use leptos::prelude::*;

use super::keys::walk_rows;
use super::rows::Rows;
use crate::model::{
    CallBackStatus, CallChoices, CallList, CallQuery, CallSource, CallView, Disposition, ResultFilter, Sentiment, term,
};
use crate::server_fns::{list_call_choices, list_calls};
use patchbay_access::Action;
use patchbay_shared::money::counted;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// Every call, newest first.
#[lazy]
pub fn calls_page() -> PageView {
    // The filters depend on less than the rows, and stay as they are while rows are refreshed.
    let narrow = || CallQuery {
        client: query("client"),
        batch: query("batch"),
        contact: query("contact"),
        prompt: query("prompt"),
        version: query("version"),
        zone: query("zone"),
        ..CallQuery::default()
    };
    let list = load(|| CallQuery::read(query), list_calls);
    let choices = load(narrow, list_call_choices);
    Arc::new(move || {
        live::on_change(&["calls"], move || list.refetch());
        walk_rows();
        // What the person looks at. Fresh data changes its rows; new calls wait behind a button.
        let held = StoredValue::new(None::<CallList>);
        Effect::new(move |_| {
            if let Some(Ok(fresh)) = list.get() {
                held.update_value(|held| {
                    if held.as_ref().is_none_or(|held| held.query != fresh.query) {
                        *held = Some(fresh);
                    }
                });
            }
        });
        let show_new = move || {
            held.set_value(None);
            list.refetch();
        };
        let export = move || format!("/calls.csv?{}", CallQuery::read(query).text());
        view! {
            <PageTitle text="Calls"/>
            <PageHead
                title="Calls"
                actions=move || view! {
                    <LinkButton href=Signal::derive(export) icon="download" external=true>"Export CSV"</LinkButton>
                }
            />
            <BlockBoundary data=list view=move |list: CallList| view! { <Views list/> }/>
            <BlockBoundary data=choices view=move |choices: CallChoices| view! { <Filters choices/> }/>
            <PageBoundary
                data=list
                view=move |fresh: CallList| {
                    let shown = held.with_value(|held| {
                        held.as_ref().filter(|held| held.query == fresh.query).map(|held| held.refreshed(&fresh))
                    });
                    let (shown, new) = shown.unwrap_or((fresh, 0));
                    view! { <Calls list=shown new show_new/> }
                }
            />
        }
        .into_any()
    })
}

#[component]
fn Views(list: CallList) -> impl IntoView {
    let now = list.query.call_view();
    let tabs: Vec<TabItem> = list
        .counts
        .iter()
        .map(|(view, count)| tab(view.label(), list.query.address_in(*view), *view == now).count(count))
        .collect();
    view! { <Tabs label="Views" items=tabs/> }
}

#[component]
fn Filters(choices: CallChoices) -> impl IntoView {
    let mut filters = vec![
        Filter::date("from", "From"),
        Filter::date("to", "To"),
        Filter::new("agent", "Agent", choices.agents),
        Filter::new("campaign", "Campaign", choices.campaigns),
        Filter::new("direction", "Direction", options_of([("inbound", "Inbound"), ("outbound", "Outbound")])).rare(),
        Filter::words("result", "Result", ResultFilter::ALL),
        Filter::new("goal", "Goal", options_of([("yes", "Reached"), ("no", "Not reached")])),
        Filter::words("outcome", "Outcome", Disposition::ALL).rare(),
        Filter::words("sentiment", "Sentiment", Sentiment::ALL).rare(),
        Filter::words("call_back", "Call-back", CallBackStatus::ALL).rare(),
    ];
    if viewer().sees_cost() {
        filters.push(Filter::new("priced", "Price", options_of([("no", term::UNPRICED.label)])).rare());
    }
    if viewer().may(Action::ReadWorkshop) {
        filters.push(Filter::words("source", "Source", CallSource::ALL).rare());
        filters.push(Filter::new("reviewed", "Reviewed", options_of([("yes", "Yes"), ("no", "No")])).rare());
    }
    let narrowed = choices
        .narrowed
        .into_iter()
        .map(|(kind, name)| {
            let (key, label) = match kind.as_str() {
                "batch" => ("batch", "Batch"),
                "zone" => ("zone", "Days in"),
                "prompt" => ("prompt", "Prompt"),
                _ => ("contact", "Contact"),
            };
            view! {
                <a class="chip set" href=move || without(key)>
                    <span class="sr">"Remove filter: "</span>{label}" "<b>{name}</b><Icon name="x" small=true/>
                </a>
            }
        })
        .collect_view();
    view! {
        <FilterBar search="q" placeholder="Words, name or number" filters keep=vec!["view", "client", "batch", "contact", "prompt", "version", "zone"]>
            {narrowed}
        </FilterBar>
    }
}

/// This page without a filter. A version is one of a prompt.
fn without(key: &str) -> String {
    if key == "prompt" { with_query(&[(key, None), ("version", None)]) } else { with_query(&[(key, None)]) }
}

#[component]
fn Calls(list: CallList, new: usize, show_new: impl Fn() + Clone + Send + Sync + 'static) -> impl IntoView {
    let view_now = list.query.call_view();
    let is_empty = list.page.rows.is_empty() && list.live.is_empty();
    let waiting = (new > 0).then(|| counted(new as i64, "new call", "new calls"));
    let body = if !is_empty {
        view! { <Rows list/> }.into_any()
    } else if list.query.is_narrowed() {
        view! { <NoMatch what="calls"/> }.into_any()
    } else {
        view! { <Nothing view_now is_agency=list.is_agency/> }.into_any()
    };
    view! {
        <div role="status">
            {waiting.map(|words| {
                let show_new = show_new.clone();
                view! { <button type="button" class="new-rows" on:click=move |_| show_new()>{words}</button> }
            })}
        </div>
        {body}
    }
}

#[component]
fn Nothing(view_now: CallView, is_agency: bool) -> impl IntoView {
    match view_now {
        CallView::Live => view! {
            <EmptyState icon="phone-off" title="Nobody is on the line" text="Calls in progress appear here."/>
        }
        .into_any(),
        CallView::Review => view! {
            <EmptyState icon="circle-check" title="Everything is reviewed" text="Calls that nobody has reviewed appear here."/>
        }
        .into_any(),
        CallView::Person => view! {
            <EmptyState icon="circle-check" title="Nobody waits for a person" text="Calls of the last seven days in which somebody asked for a person appear here until they are reviewed."/>
        }
        .into_any(),
        CallView::Missed => view! {
            <EmptyState icon="circle-check" title="No missed calls" text="Calls that came in and that nobody answered appear here until they are reviewed.">
                <LinkButton href="/numbers?direction=inbound">"Who answers"</LinkButton>
            </EmptyState>
        }
        .into_any(),
        CallView::Problems => view! {
            <EmptyState icon="circle-check" title="No problems" text="Calls that could not be placed or were cut off, and calls whose transcript or analysis failed, appear here."/>
        }
        .into_any(),
        CallView::All if is_agency => view! {
            <EmptyState icon="phone" title="No calls yet" text="Start a batch, or give an agent a number that people can call.">
                {viewer().may(Action::RunBatches).then(|| view! {
                    <LinkButton href="/batches/new" kind=ButtonKind::Primary icon="plus">"New batch"</LinkButton>
                })}
                <LinkButton href="/numbers">"Phone numbers"</LinkButton>
            </EmptyState>
        }
        .into_any(),
        CallView::All => view! {
            <EmptyState icon="phone" title="No calls yet" text="Calls appear here as soon as your agency's agents speak with someone."/>
        }
        .into_any(),
    }
}
