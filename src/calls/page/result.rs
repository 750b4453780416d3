use leptos::prelude::*;

use super::detail::moment;
use crate::model::{
    Analysis, AnalysisStatus, CallBackStatus, CallDetail, EnrichmentType, EvidenceLine, Problem, TranscriptStatus,
};
use crate::server_fns::RetryEnrichment;
use patchbay_shared::Tone;
use patchbay_shared::ids::CallId;
use patchbay_shared::money::length_text;
use patchbay_ui::*;

/// What came of the call, or why that is not known yet.
#[component]
pub(crate) fn ResultCard(call: CallDetail, again: Callback<()>) -> impl IntoView {
    let goal = call
        .goal_reached
        .map(|reached| if reached { (Tone::Ok, "Goal reached") } else { (Tone::Mute, "Goal not reached") });
    let (outcome, sentiment) = (call.disposition(), call.sentiment);
    let tags = move || {
        view! {
            {outcome.map(|outcome| view! { <Tag tone=outcome.tone()>{outcome.label()}</Tag> })}
            {goal.map(|(tone, word)| view! { <Tag tone=tone>{word}</Tag> })}
            {sentiment.map(|sentiment| view! { <Tag tone=sentiment.tone()>{sentiment.label()}</Tag> })}
        }
    };
    let summary = call.summary.clone().map(|text| view! { <p class="sub2 text-sm">{text}</p> });
    // Models often write the same sentence twice.
    let is_said = |text: &str| call.summary.as_deref().is_some_and(|summary| summary.contains(text));
    let reason = call
        .analysis
        .as_ref()
        .map(|analysis| analysis.reading().goal_reason.trim().to_owned())
        .filter(|text| !text.is_empty() && !is_said(text));
    let state = state(&call);
    let empty = (summary.is_none() && reason.is_none() && state.is_none())
        .then(|| view! { <p class="sub text-sm">"Nothing was said, so there is nothing to summarise."</p> });
    let has_talk = call.unanswered().is_none();
    let retry = has_talk && call.may_replay && call.analysis_status == Some(AnalysisStatus::Failed);
    let id = call.id;
    let problem =
        call.analysis_problem.clone().filter(|_| has_talk && call.analysis_status != Some(AnalysisStatus::Completed));
    view! {
        <Card title="Result" right=tags>
            <div class="stack gap-2">
                {summary}
                {reason.map(|text| view! { <p class="sub text-xs">{text}</p> })}
                {state.map(|text| view! { <p class="note"><Icon name="clock" small=true/>{text}</p> })}
                <CallBack call=call.clone()/>
                {problem.map(|problem| view! { <Trouble problem/> })}
                {retry.then(|| view! { <div class="row"><TryAgain id kind=EnrichmentType::Analysis text="Run analysis again" again/></div> })}
                {empty}
            </div>
        </Card>
    }
}

/// The call-back that was asked for, or the way to set one.
#[component]
fn CallBack(call: CallDetail) -> impl IntoView {
    if let Some(note) = call.call_back {
        let tone = if note.status == CallBackStatus::NeedsPerson { Tone::Warn } else { Tone::Info };
        return view! {
            <Callout tone icon="phone-forwarded">
                <p>"Call-back: "<a class="link" href=format!("/call-backs/{}", note.id)>{note.text()}</a>{note.why.map(|why| format!(". {why}"))}</p>
            </Callout>
        }
        .into_any();
    }
    call.may_call_back
        .then(|| {
            let href = format!("/call-backs/new?call={}", call.id);
            view! { <p class="note"><Icon name="phone-forwarded" small=true/><a class="link" href=href>"Have this contact called back"</a></p> }
        })
        .into_any()
}

/// Where the reading stands; none when it is there.
fn state(call: &CallDetail) -> Option<&'static str> {
    if call.state.is_open() {
        return Some("The result appears here after the call has ended.");
    }
    if let Some(unanswered) = call.unanswered() {
        return Some(unanswered);
    }
    match (call.transcript_status, call.analysis_status) {
        (Some(TranscriptStatus::Completed), Some(AnalysisStatus::Pending)) => {
            Some("The transcript is waiting for its analysis.")
        }
        (_, Some(AnalysisStatus::Processing)) => Some("The analysis is running."),
        (_, Some(AnalysisStatus::Failed)) if call.is_agency => Some("The analysis failed."),
        (_, Some(AnalysisStatus::Failed)) => Some("The analysis failed. Your agency can run it again."),
        (Some(TranscriptStatus::Failed), _) => Some("Without a transcript there is no result."),
        (Some(TranscriptStatus::Pending | TranscriptStatus::Fetching), Some(AnalysisStatus::Pending))
            if call.seconds.unwrap_or(0) > 0 =>
        {
            Some("The result appears after the transcript.")
        }
        _ => None,
    }
}

#[component]
fn Trouble(problem: Problem) -> impl IntoView {
    view! {
        <Callout tone=Tone::Warn>
            {problem.error}
            {problem.next.map(|next| format!(" Will be retried {}.", next.when()))}
        </Callout>
    }
}

/// A button that has the transcript or the analysis done anew.
#[component]
pub(crate) fn TryAgain(id: CallId, kind: EnrichmentType, text: &'static str, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<RetryEnrichment>();
    view! {
        <ServerForm action class="inline" prefix=kind.as_str() on_done=again>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="kind" value=kind.as_str()/>
            <input type="hidden" name="list" value=query("list")/>
            <SubmitButton kind=ButtonKind::Plain icon="refresh-cw" small=true>{text}</SubmitButton>
        </ServerForm>
    }
}

/// What the analysis found, by the kind of campaign.
#[component]
pub(crate) fn AnalysisCard(call: CallDetail, again: Callback<()>) -> impl IntoView {
    let Some(analysis) = call.analysis else { return ().into_any() };
    let reading = analysis.reading().clone();
    let own = match analysis {
        Analysis::Sdr(sdr) => view! {
            <Facts>
                <Fact label="Meetings booked">{sdr.meetings_booked.to_string()}</Fact>
                {sdr.meeting_time.map(|time| view! { <Fact label="Meeting">{time}</Fact> })}
                <Fact label="Qualified"><YesNo yes=sdr.qualified_lead/></Fact>
            </Facts>
            <p class="sub text-xs">{sdr.qualification_reason}</p>
            <Listed title="Objections" items=sdr.objections/>
        }
        .into_any(),
        Analysis::Cs(cs) => view! {
            <Facts>
                <Fact label="Satisfaction">{cs.satisfaction.map_or_else(|| "unclear".to_owned(), |grade| format!("{grade} of 5"))}</Fact>
                <Fact label="Escalation"><YesNo yes=cs.escalation good=false/></Fact>
            </Facts>
            {cs.escalation_reason.map(|reason| view! { <p class="sub text-xs">{reason}</p> })}
            <Listed title="Resolved" items=cs.issues_resolved/>
        }
        .into_any(),
    };
    let topics = reading.topics.into_iter().map(|topic| view! { <Tag>{topic}</Tag> }).collect_view();
    let id = call.id;
    let may_replay = call.may_replay && call.analysis_status == Some(AnalysisStatus::Completed);
    let model = call.analysis_model.map(|(model, _, _)| model);
    view! {
        <Card title="Analysis">
            <div class="stack gap-3">
                {own}
                {reading.callback_at.map(|at| view! { <Facts><Fact label="Callback">{at}</Fact></Facts> })}
                <Listed title="To do" items=reading.follow_ups/>
                <div class="row wrap">{topics}</div>
                {(may_replay || model.is_some()).then(|| view! {
                    <div class="row between">
                        <span class="sub text-xs">{model}</span>
                        {may_replay.then(|| view! { <TryAgain id kind=EnrichmentType::Analysis text="Run analysis again" again/> })}
                    </div>
                })}
            </div>
        </Card>
    }
    .into_any()
}

#[component]
fn YesNo(yes: bool, #[prop(default = true)] good: bool) -> impl IntoView {
    let tone = match (yes, good) {
        (true, true) => Tone::Ok,
        (true, false) => Tone::Warn,
        _ => Tone::Mute,
    };
    view! { <Tag tone=tone>{if yes { "Yes" } else { "No" }}</Tag> }
}

#[component]
fn Listed(title: &'static str, items: Vec<String>) -> impl IntoView {
    (!items.is_empty()).then(|| {
        let rows = items.into_iter().map(|item| view! { <li>{item}</li> }).collect_view();
        view! { <div><h3 class="text-xs sub medium">{title}</h3><ul class="list">{rows}</ul></div> }
    })
}

/// What the statements rest on; each line leads to its place in the talk.
#[component]
pub(crate) fn EvidenceCard(lines: Vec<EvidenceLine>) -> impl IntoView {
    (!lines.is_empty()).then(|| {
        let count = lines.len() as i64;
        let rows = lines
            .into_iter()
            .map(|line| {
                let at = line.place().map(|(second, anchor)| {
                    view! { <a class="link num" href=move || moment(second, &anchor)>{length_text(second)}</a> }
                });
                view! { <div class="score"><span>{line.claim}</span>{at}<small>"“"{line.quote}"”"</small></div> }
            })
            .collect_view();
        view! { <Card title="Evidence" count=count>{rows}</Card> }
    })
}
