use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::board::{LineBoard, Pace, Results, Seats};
use crate::model::{BatchStatus, BatchView, members};
use crate::server_fns::{PauseBatch, ResumeBatch, StopBatch, get_batch};
use patchbay_calls::model::figures::{Term, share_text, unpriced_text};
use patchbay_calls::model::{CallQuery, ResultFilter, term};
use patchbay_shared::money::count_text;
use patchbay_shell::HistoryLink;
use patchbay_ui::*;

/// One batch, live.
#[lazy]
pub fn batch_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let batch = load(id, get_batch);
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::follow(&[format!("batch:{id}")], move || batch.refetch());
        let seats = StoredValue::new(Seats::default());
        let view = move |batch: BatchView| view! { <Detail batch seats/> };
        view! { <PageBoundary data=batch view/> }.into_any()
    })
}

#[component]
fn Detail(batch: BatchView, seats: StoredValue<Seats>) -> impl IntoView {
    let (status, is_over) = (batch.status, batch.status.is_over());
    let head = batch.clone();
    view! {
        <PageTitle text=batch.name.clone() parents=vec![crumb("Batches", "/batches")]/>
        <PageHead
            title=batch.name.clone()
            sub_view={
                let batch = batch.clone();
                move || view! { <Sub batch/> }
            }
            tags=move || view! { <Tag tone=status.tone()><StatusDot tone=status.tone() on=true/>{status.label()}</Tag> }
            actions=move || view! { <HistoryLink id=head.id.to_string()/> <Actions batch=head/> }
        />
        <Trouble batch=batch.clone()/>
        <Summary batch=batch.clone()/>
        {(!is_over).then(|| view! { <LineBoard lines=batch.lines.clone() concurrency=batch.concurrency seats/> })}
        <div class="cols batch">
            <Pace pace=batch.pace.clone()/>
            <Results batch=batch.clone()/>
        </div>
    }
}

#[component]
fn Sub(batch: BatchView) -> impl IntoView {
    let when = match (&batch.started, &batch.scheduled_for) {
        (Some(at), _) => format!(" · started {}", at.when()),
        (None, Some(at)) => format!(" · starts {}", at.when()),
        _ => String::new(),
    };
    let by = match (batch.created_by, batch.for_call_backs) {
        (Some(name), _) => format!(", created by {name}"),
        (None, true) => " · made by Patchbay for call-backs that are due".to_owned(),
        (None, false) => String::new(),
    };
    let agent = batch.agent.map(|agent| format!(" · agent {agent}")).unwrap_or_default();
    view! {
        {batch.client}" · "<a class="link" href=format!("/campaigns/{}", batch.campaign_id)>{batch.campaign}</a>{agent}{when}{by}
    }
}

#[component]
fn Actions(batch: BatchView) -> impl IntoView {
    let (pause, resume, stop) =
        (FormAction::of::<PauseBatch>(), FormAction::of::<ResumeBatch>(), FormAction::of::<StopBatch>());
    let id = batch.id.to_string();
    let (pause_id, resume_id, stop_id) = (id.clone(), id.clone(), id.clone());
    let is_over = batch.status.is_over();
    let can_resume =
        batch.status == BatchStatus::Paused || (batch.status == BatchStatus::Failed && !batch.for_call_backs);
    let on_the_line = batch.lines.len();
    let mut warning = match batch.progress.waiting {
        1 => "1 contact goes back to the campaign.".to_owned(),
        more => format!("{} contacts go back to the campaign.", count_text(more)),
    };
    match on_the_line {
        0 => {}
        1 => warning += " 1 call in progress continues until it ends.",
        more => warning += &format!(" {more} calls in progress continue until they end."),
    }
    view! {
        <a class="btn" href=format!("/batches/{id}/results.csv") rel="external"><Icon name="download" small=true/>"Results"</a>
        {(batch.may_run && !is_over).then(|| view! {
            <DialogLink name="stop" kind=ButtonKind::Danger icon="square">"Stop"</DialogLink>
            <ConfirmForm name="stop" action=stop title="Stop the batch?" text=warning confirm="Stop the batch" cancel="Keep calling" danger=true>
                <input type="hidden" name="id" value=stop_id/>
            </ConfirmForm>
        })}
        {(batch.may_run && !is_over && batch.status != BatchStatus::Paused).then(|| view! {
            <ServerForm action=pause class="inline" prefix="pause-" no_summary=true>
                <input type="hidden" name="id" value=pause_id/>
                <SubmitButton icon="pause">"Pause"</SubmitButton>
            </ServerForm>
        })}
        {(batch.may_run && can_resume).then(|| view! {
            <ServerForm action=resume class="inline" prefix="resume-" no_summary=true>
                <input type="hidden" name="id" value=resume_id/>
                <SubmitButton icon="play">"Resume"</SubmitButton>
            </ServerForm>
        })}
    }
}

/// Why it does not go on, and what to do.
#[component]
fn Trouble(batch: BatchView) -> impl IntoView {
    if let Some(reason) = batch.waits {
        let raise = batch.may_raise.then(|| {
            view! { " "<a class="link" href=format!("/clients/{}/settings", batch.client_id)>"Change the budget"</a> }
        });
        return view! { <Callout tone=patchbay_shared::Tone::Warn icon="gauge"><p><b>"The batch is waiting. "</b>{reason}{raise}</p></Callout> }
            .into_any();
    }
    let line = match batch.status {
        BatchStatus::Failed => batch.error.map(|reason| (patchbay_shared::Tone::Bad, format!("The batch failed. {reason} Contacts that were not called are back in the campaign; resuming takes them again."))),
        BatchStatus::Paused => Some(match (batch.pause_reason, batch.paused_by) {
            (Some(reason), _) => (patchbay_shared::Tone::Warn, format!("Patchbay paused this batch. {reason}")),
            (None, Some(name)) => (patchbay_shared::Tone::Info, format!("Paused by {name}. No new calls start; calls in progress continue.")),
            (None, None) => (patchbay_shared::Tone::Info, "Paused. No new calls start; calls in progress continue.".to_owned()),
        }),
        BatchStatus::Stopped => {
            let (at, by) = batch.stopped.map_or((String::new(), String::new()), |(at, by)| {
                (format!(" {}", at.when()), by.map(|name| format!(" by {name}")).unwrap_or_default())
            });
            Some((patchbay_shared::Tone::Info, format!("Stopped{by}{at}. Contacts that were not called are back in the campaign.")))
        }
        _ => None,
    };
    line.map(|(tone, text)| view! { <Callout tone=tone icon="triangle-alert"><p>{text}</p></Callout> }).into_any()
}

#[component]
fn Summary(batch: BatchView) -> impl IntoView {
    let progress = batch.progress;
    let done = progress.done();
    let calls = CallQuery { batch: Some(batch.id.to_string()), ..CallQuery::default() };
    let listed = |more: &str| members(batch.campaign_id, batch.id, more);
    let unpriced = unpriced_text(batch.unpriced).map(|text| {
        view! { <small><a class="link" href=calls.of_unpriced().address() title=term::UNPRICED.means>{text}</a></small> }
    });
    let label = format!("{} of {}", count_text(done), count_text(progress.total));
    let part = |term: Term, count: i64, paint, more| {
        Segment::new(term.label, count as f64, paint).href(listed(more)).means(term.means)
    };
    let segments = vec![
        part(term::REACHED, progress.reached, "ok", "&result=reached"),
        part(term::CONTACTS_NOT_REACHED, progress.not_reached, "chart-6", "&result=not_reached"),
        part(term::CONTACTS_FAILED, progress.failed, "bad", "&result=failed"),
        part(term::ON_THE_LINE, progress.calling, "live", "&status=calling"),
        part(term::WAITING, progress.waiting, "soft", "&status=scheduled"),
    ];
    let outside = batch.hours.waiting_text();
    view! {
        <section class="card batch-sum">
            <div class="figures">
                <div title=term::DONE.means><span class="lbl">"Contacts done"</span><b class="big"><a href=listed("&result=done")>{count_text(done)}</a><small>" of "{count_text(progress.total)}</small></b></div>
                <div class="mid" title=term::ANSWERED.means><span class="lbl">"Calls answered"</span><b><a href=calls.of_result(ResultFilter::Answered).address()>{count_text(batch.answered)}</a></b></div>
                <div class="mid" title=term::GOALS.means><span class="lbl">{term::GOALS.label}</span><b><a href=calls.of_goals().address()>{count_text(batch.goals)}</a><small title=term::GOAL_RATE.means>{(batch.answered > 0).then(|| format!(" {} of answered", share_text(batch.goals, batch.answered)))}</small></b></div>
                <div class="mid" title=term::TRY_AGAIN.means><span class="lbl">{term::TRY_AGAIN.label}</span><b><a href=listed("&status=scheduled&tried=yes")>{count_text(progress.to_retry)}</a></b></div>
                {batch.spend.map(|spend| view! { <div class="mid" title=term::SPEND.means><span class="lbl">{term::SPEND.label}</span><b><a href=calls.address()>{spend.text()}</a>{unpriced}</b></div> })}
                {batch.ends_about.map(|at| view! { <div class="mid push right"><span class="lbl">"Ends about"</span><b>{at}</b></div> })}
            </div>
            <SegmentBar label=label total=progress.total.max(1) as f64 segments=segments large=true legend=true/>
            {(batch.left > 0).then(|| view! { <p class="note"><Icon name="phone-forwarded" small=true/>{left_text(batch.left)}</p> })}
            {outside.map(|text| view! { <p class="note waits" role="status"><Icon name="clock" small=true/>{text}</p> })}
            <p class="note"><Icon name="clock" small=true/>{format!("Calling hours: {}, in the contact's own time zone.", batch.window)}</p>
        </section>
    }
}

fn left_text(left: i64) -> String {
    let contacts = patchbay_shared::money::counted(left, "contact", "contacts");
    format!(
        "{contacts} left this batch because of a call-back: another batch makes it, or a person decides. They are not counted here."
    )
}
