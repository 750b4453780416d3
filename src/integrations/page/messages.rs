use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::Top;
use super::{asked, export, own_id};
use crate::model::{MessageRow, MessageState, MessageWay, MessagesPage};
use crate::server_fns::{RetryIntegrationMessage, RetryIntegrationMessages, list_integration_messages};
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Messages to and from a system that takes them one by one.
#[lazy]
pub fn integration_messages_page() -> PageView {
    let params = use_params_map();
    let page = load(
        move || (params.read().get("id").unwrap_or_default(), asked()),
        |(id, query)| list_integration_messages(id, query),
    );
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadIntegrations) {
            return refused;
        }
        live::on_change(&[&format!("integration:{}", own_id())], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: MessagesPage| view! { <Messages page again/> }/> }.into_any()
    })
}

#[component]
fn Messages(page: MessagesPage, again: Callback<()>) -> impl IntoView {
    let MessagesPage { head, page } = page;
    let id = head.id.to_string();
    let may = head.may_manage;
    let (file, all) = (export(format!("/integrations/{id}/messages/export.csv")), id.clone());
    let retry = (may && head.failed > 0).then(|| {
        let action = FormAction::of::<RetryIntegrationMessages>();
        view! {
            <ServerForm action class="inline" prefix="retry-all" no_summary=true on_done=again said="They are sent again">
                <input type="hidden" name="id" value=all/>
                <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw">"Retry all"</SubmitButton>
            </ServerForm>
        }
    });
    let list = List::<MessageRow>::new("Messages")
        .search("q", "Event, words or reason")
        .filter(Filter::words("state", "State", MessageState::ALL))
        .filter(Filter::words("way", "Direction", MessageWay::ALL))
        .keep(&["sort"])
        .sorted("-at")
        .table("mid wrap top cards")
        .column("Event", |row: &MessageRow| {
            let note = view! { <small>{row.way.label()}</small> };
            match &row.about {
                Some(href) => cell::who(href.clone(), &row.event, note),
                None => view! { <div class="who"><span>{row.event.clone()}</span>{note}</div> }.into_any(),
            }
        })
        .column("State", |row: &MessageRow| {
            let note = match (&row.next_try, &row.done) {
                (Some(at), _) => view! { <small>"next try "<Time stamp=at.clone()/></small> }.into_any(),
                (None, Some(at)) => view! { <small><Time stamp=at.clone()/></small> }.into_any(),
                (None, None) => ().into_any(),
            };
            view! { <div class="who">{cell::state(row.state)}{note}</div> }
        })
        .column("What was said", said)
        .class("long")
        .number("Tries", |row: &MessageRow| patchbay_shared::money::counted(row.tries.into(), "try", "tries"))
        .newest("At", |row: &MessageRow| cell::time(&row.at))
        .sort("at")
        .acts("Again", move |row: &MessageRow| {
            let action = FormAction::of::<RetryIntegrationMessage>();
            let (id, message) = (id.clone(), row.id.to_string());
            (row.state == MessageState::Failed).then(|| view! {
                <ServerForm action class="inline" prefix=format!("retry-{message}") no_summary=true on_done=again said="It is sent again">
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="message" value=message.clone()/>
                    <SubmitButton kind=ButtonKind::Plain small=true icon="refresh-cw">"Retry"</SubmitButton>
                </ServerForm>
            })
        })
        .when(may)
        .no_match_in_card()
        .empty("message-square", "No messages yet", "What is told to the system, and what comes from it, stands here with how it was answered.")
        .show(page);
    view! { <Top head tab_of="messages" title="Messages" more=move || view! { {file} {retry} } again/> {list} }
}

/// What was wrong, and behind it what was sent and answered.
fn said(row: &MessageRow) -> AnyView {
    let problem = row.problem.clone().map(|problem| view! { <p>{problem}</p> });
    let status = row.answer_status.map(|status| format!("Answered {status}"));
    let answer = row.answer.clone().map(|answer| view! { <pre class="code wrap">{answer}</pre> });
    let body = row.body.clone();
    view! {
        {problem}
        <details class="more"><summary>{status.unwrap_or_else(|| "The message".to_owned())}</summary><pre class="code wrap">{body}</pre>{answer}</details>
    }
    .into_any()
}
