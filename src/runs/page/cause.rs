use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::causes::state;
use crate::model::{CausePage, CauseState, ErrorRow};
use crate::server_fns::{ResolveErrorCause, get_error_cause};
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// One cause, and the times that its error came.
#[lazy]
pub fn error_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("cursor"));
    let found = load(asked, |(id, cursor)| get_error_cause(id, cursor));
    Arc::new(move || {
        live::on_change(&["errors"], move || found.refetch());
        let again = Callback::new(move |()| found.refetch());
        view! { <PageBoundary data=found view=move |page: CausePage| view! { <Page page again/> }/> }.into_any()
    })
}

#[component]
fn Page(page: CausePage, again: Callback<()>) -> impl IntoView {
    let CausePage { cause, resolved, may_resolve, errors } = page;
    let is_open = cause.state == CauseState::Open;
    let id = cause.id;
    let title: String = cause.message.chars().take(120).collect();
    let came_again = cause.reopened.clone().map(|at| {
        view! { <Callout tone=Tone::Warn><p>{format!("It was resolved and came again {}, so it is open again.", at.when())}</p></Callout> }
    });
    let acts = move || may_resolve.then(|| view! { <Resolve id=id.to_string() is_open again/> });
    let tag = state(&cause);
    let rows = List::<ErrorRow>::new("Times that it came")
        .table("wide wrap top")
        .newest("At", |row: &ErrorRow| cell::time(&row.at))
        .column("Run", |row| match row.run {
            Some(run) => cell::link(format!("/runs/{run}"), "Open the run"),
            None => "–".into_any(),
        })
        .column("Agent", |row| match &row.agent {
            Some((id, name)) => cell::link(format!("/agents/{id}"), name),
            None => "–".into_any(),
        })
        .column("Client", |row| cell::or(&row.client, "–"))
        .column("Message", |row| {
            let has_more = row.metadata.as_object().is_some_and(|more| !more.is_empty());
            let more = has_more.then(|| view! { <details class="more"><summary>"Data"</summary><Json value=row.metadata.clone() name="data" open=1/></details> });
            view! { <p class="pre-line">{row.message.clone()}</p>{more} }
        })
        .empty("activity", "Nothing kept", "What was said each time is not kept any more.")
        .show(errors);
    view! {
        <PageTitle text=title.clone() parents=vec![crumb("Runs", "/runs"), crumb("Errors", "/errors")]/>
        <PageHead title tags=move || tag actions=acts/>
        {came_again}
        <Card>
            <Facts>
                <Fact label="From">{cause.source.label()}</Fact>
                <Fact label="Code" class="mono">{cause.code}</Fact>
                <Fact label="Times">{count_text(cause.count)}</Fact>
                <Fact label="First seen"><Time stamp=cause.first_seen/></Fact>
                <Fact label="Last seen"><Time stamp=cause.last_seen/></Fact>
                {resolved.map(|(at, by)| view! { <Fact label="Resolved"><Time stamp=at/>{(!by.is_empty()).then(|| format!(" by {by}"))}</Fact> })}
            </Facts>
        </Card>
        {rows}
    }
}

#[component]
fn Resolve(id: String, is_open: bool, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<ResolveErrorCause>();
    let said = if is_open { "Resolved" } else { "Open again" };
    view! {
        <ServerForm action class="inline" prefix="resolve" no_summary=true on_done=again said>
            <input type="hidden" name="id" value=id/>
            {if is_open {
                view! { <input type="hidden" name="on" value="true"/><SubmitButton icon="check">"Mark resolved"</SubmitButton> }.into_any()
            } else {
                view! { <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw">"Open again"</SubmitButton> }.into_any()
            }}
        </ServerForm>
    }
}
