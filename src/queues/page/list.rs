use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{QueueList, QueueName, QueueQuery, QueueRow, QueueView};
use crate::server_fns::{DiscardWork, RetryFailedWork, RetryWork, list_queue};
use patchbay_shared::money::count_text;
use patchbay_shell::SettingsNav;
use patchbay_ui::*;

/// Work of all queues: what is stuck, and on request all of it.
#[lazy]
pub fn queues_page() -> PageView {
    let asked =
        || QueueQuery { queue: query("queue"), status: query("status"), sort: query("sort"), cursor: query("cursor") };
    let rows = load(asked, list_queue);
    Arc::new(move || {
        List::<QueueRow>::new("Stuck work")
            .under(crumb("Settings", "/settings/profile"))
            .subtitle(
                "What Patchbay does in the background: work that failed, that waits after a failure, or that waits for too long. What was done already is never done twice.",
            )
            .live(&["webhooks", "queues", "batches"])
            .export("/queues.csv")
            .action(when_failed(rows, |list| {
                let text = format!("Try {} failed again", count_text(list.failed));
                view! { <DialogLink name="retry" icon="rotate-ccw">{text}</DialogLink> }.into_any()
            }))
            .above(when_failed(rows, |list| view! { <RetryAll list/> }.into_any()))
            .within(|list| {
                view! {
                    <div class="cols settings">
                        <SettingsNav current="/queues"/>
                        <div class="stack gap-4 min0">{list}</div>
                    </div>
                }
            })
            .filter(Filter::words("queue", "Queue", QueueName::ALL))
            .filter(Filter::words("status", "State", QueueView::ALL))
            .filter(Filter::new("sort", "Order", options_of([("oldest", "Oldest first")])))
            .what("work")
            .no_match_in_card()
            .table("mid wrap")
            .column("Work", |row| {
                let queue = row.queue.label();
                let name = match row.href.clone() {
                    Some(href) => view! { <a class="link" href=href>{row.kind.clone()}</a> }.into_any(),
                    None => view! { <b>{row.kind.clone()}</b> }.into_any(),
                };
                view! { <div class="who">{name}<small>{queue}</small></div> }
            })
            .column("State", |row| cell::state(row.status))
            .column("Since", |row| {
                let time = cell::time(&row.created);
                view! { <div class="who">{time}<small>{row.age.clone()}</small></div> }
            })
            .number("Tries", |row| row.attempts)
            .column("Next try", |row| row.next.as_ref().map(cell::time))
            .column("Why", |row| row.note.clone())
            .class("sub long")
            .acts("What to do", |row| view! { <Acts row=row.clone()/> })
            .note("50 per page")
            .empty_view(|| view! {
                <section class="card">
                    <EmptyState icon="circle-check" title="Nothing is stuck" text="Work that fails, or waits for too long, appears here with the reason.">
                        <LinkButton href="/queues?status=all">"All work"</LinkButton>
                    </EmptyState>
                </section>
            })
            .page_of(rows, |list: QueueList| list.page)
    })
}

/// What is there only while work has failed, for those who may have it tried again.
fn when_failed(rows: Loaded<QueueList>, view: fn(QueueList) -> AnyView) -> impl IntoView {
    let shown = move || {
        let list = rows.get()?.ok()?;
        (list.may_retry && list.failed > 0).then(|| view(list))
    };
    view! { <Transition>{shown}</Transition> }
}

/// What the button does, no more and no less.
fn what_goes(list: &QueueList) -> String {
    let pieces = match list.failed {
        1 => "1 piece of failed work goes".to_owned(),
        many => format!("{} pieces of failed work go", count_text(many)),
    };
    let mut text = format!(
        "With the filters as they are, {pieces} back into the queues, with all tries. What was done already is not done twice."
    );
    if list.has_more {
        text.push_str(" There is more than goes at once: the rest stays here, for another time.");
    }
    if list.has_others {
        text.push_str(" Batches and imports that failed are not among them: each goes on from its own row or page.");
    }
    text
}

/// The address of this list, for the way back.
fn here() -> String {
    with_query(&[("dialog", None)])
}

#[component]
fn RetryAll(list: QueueList) -> impl IntoView {
    let retry = FormAction::of::<RetryFailedWork>();
    view! {
        <ConfirmForm
            name="retry"
            action=retry
            title="Try failed work again?"
            text=what_goes(&list)
            confirm="Try again"
        >
            <input type="hidden" name="queue" value=query("queue").unwrap_or_default()/>
            <input type="hidden" name="status" value=query("status").unwrap_or_default()/>
            <input type="hidden" name="back" value=here()/>
        </ConfirmForm>
    }
}

#[component]
fn Acts(row: QueueRow) -> impl IntoView {
    let (retry, discard) = (FormAction::of::<RetryWork>(), FormAction::of::<DiscardWork>());
    let (source, id, name) = (row.source.clone(), row.id.clone(), row.kind.clone());
    let (source_too, id_too, name_too) = (row.source.clone(), row.id.clone(), row.kind.clone());
    view! {
        {row.may_retry.then(|| view! {
            <ServerForm action=retry class="inline" prefix=format!("retry-{id}-") no_summary=true>
                <input type="hidden" name="source" value=source/>
                <input type="hidden" name="id" value=id.clone()/>
                <input type="hidden" name="back" value=here()/>
                <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw">"Try again"<span class="sr">{format!(": {name}")}</span></SubmitButton>
            </ServerForm>
        })}
        {row.may_discard.then(|| view! {
            <ServerForm action=discard class="inline" prefix=format!("discard-{id_too}-") no_summary=true>
                <input type="hidden" name="source" value=source_too/>
                <input type="hidden" name="id" value=id_too.clone()/>
                <input type="hidden" name="back" value=here()/>
                <SubmitButton kind=ButtonKind::Ghost icon="x">"Set aside"<span class="sr">{format!(": {name_too}")}</span></SubmitButton>
            </ServerForm>
        })}
    }
}
