//! What happened in a run, as a tree: whom the supervisor chose and why, what each worker did, and what waits for a person.

use leptos::prelude::*;

use super::{cost_text, part_text, took_text};
use crate::model::views::{ApprovalView, Choice, JobView, Node, RunView, StepView};
use patchbay_execution::model::{Decision, JobStatus, StepKind};
use patchbay_execution::server_fns::DecideApproval;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_ui::*;

/// What the boxes of a tree need to know beside what they show.
#[derive(Clone)]
pub(super) struct Around {
    pub may_decide: bool,
    /// The page to come back to.
    pub back: String,
    pub again: Callback<()>,
}

/// All that happened in some runs, in order. `next`: who would come next.
#[component]
pub(super) fn Flow(runs: Vec<RunView>, around: Around, #[prop(optional)] next: Option<String>) -> impl IntoView {
    let nodes = runs
        .into_iter()
        .flat_map(|run| {
            let begins = (run.is_open() && run.nodes.is_empty()).then(|| {
                view! {
                    <li class="next">
                        <span class="dot"><Icon name="workflow" small=true/></span>
                        <div class="who"><b>"Supervisor"</b>" reads the message"<span class="r">{run.status.label()}</span></div>
                    </li>
                }
                .into_any()
            });
            let around = around.clone();
            run.nodes.into_iter().map(move |node| of_node(node, &around)).chain(begins).collect::<Vec<_>>()
        })
        .collect_view();
    let next = next.map(|next| {
        view! {
            <li class="next">
                <span class="dot"><Icon name="bot" small=true/></span>
                <div class="who"><b>{next}</b>" comes next"<span class="r">"next"</span></div>
            </li>
        }
    });
    view! { <ol class="flow">{nodes}{next}</ol> }
}

fn of_node(node: Node, around: &Around) -> AnyView {
    match node {
        Node::Supervisor(step) => view! { <Supervisor step/> }.into_any(),
        Node::Job(job) => of_job(job, around),
    }
}

#[component]
fn Supervisor(step: StepView) -> impl IntoView {
    let choice = step.choice.clone();
    let (icon, tone) = match step.kind {
        StepKind::AskedBack => ("message-square", "ok"),
        StepKind::Limit => ("triangle-alert", "bad"),
        _ if step.error.is_some() => ("circle-alert", "bad"),
        StepKind::Composed => ("send", "ok"),
        _ => ("workflow", "ok"),
    };
    let what = match (step.kind, choice.as_ref().and_then(|choice| choice.worker.clone())) {
        (StepKind::Classified, Some(worker)) => view! { " chose "<Tag tone=Tone::Info>{worker}</Tag> }.into_any(),
        (StepKind::Classified, None) if choice.is_some() => " saw that the work is done".into_any(),
        (StepKind::AskedBack, _) => " asked back".into_any(),
        (StepKind::Composed, _) => " composed the answer".into_any(),
        _ => format!(" {}", step.title).into_any(),
    };
    let sure = choice.as_ref().filter(|_| step.kind == StepKind::AskedBack).map(|choice| {
        let below = if choice.mille < choice.threshold {
            format!(", below {}", part_text(choice.threshold))
        } else {
            String::new()
        };
        view! { <span>{format!("confidence {}{below}", part_text(choice.mille))}</span> }
    });
    let error = step.error.clone().map(|error| view! { <p class="why">{error}</p> });
    let said =
        step.result.clone().filter(|_| choice.is_none()).map(|text| view! { <p class="pre-line break">{text}</p> });
    let why = choice.map(|choice| view! { <Why choice/> });
    view! {
        <li class=tone>
            <span class="dot"><Icon name=icon small=true/></span>
            <div class="who"><b>"Supervisor"</b>{what}<span class="r">{sure}{figures(&step)}</span></div>
            {error}
            {said}
            {why}
        </li>
    }
}

/// How long a step took, and what it cost.
fn figures(step: &StepView) -> AnyView {
    let took = (step.took_ms > 0).then(|| view! { <span>{took_text(step.took_ms.into())}</span> });
    let cost = match (step.cost, step.tokens) {
        (Some(cost), _) => Some(cost_text(cost, false)),
        (None, 1..) => Some("not priced".to_owned()),
        _ => None,
    };
    view! { {took}{cost.map(|cost| view! { <span>{cost}</span> })} }.into_any()
}

/// Whom the supervisor chose, why, and how well each worker fits.
#[component]
pub(super) fn Why(choice: Choice) -> impl IntoView {
    let (threshold, mille) = (choice.threshold, choice.mille);
    let reason = (!choice.reason.is_empty()).then(|| view! { <b>"Why: "</b>{format!("“{}” ", choice.reason)} });
    let task = (!choice.task.is_empty()).then(|| view! { <b>"Task: "</b>{format!("“{}”", choice.task)} });
    let fits = choice
        .fits
        .into_iter()
        .map(|fit| {
            let part = if fit.is_chosen { mille } else { fit.mille };
            let label = format!("{}, the threshold is {}", part_text(part), part_text(threshold));
            let (strong, paint) = if fit.is_chosen { ("strong", "fill-chart-1") } else { ("", "fill-mute") };
            view! {
                <span class=format!("break {strong}")>{fit.name}</span>
                <svg class="fit" viewBox="0 0 1000 12" preserveAspectRatio="none" role="img" aria-label=label>
                    <rect class="fill-soft" x="0" y="3" width="1000" height="6"></rect>
                    <rect class=paint x="0" y="3" width=part.to_string() height="6"></rect>
                    <rect class="fill-ink" x=threshold.saturating_sub(4).to_string() y="0" width="8" height="12"></rect>
                </svg>
                <span class=format!("num {strong}")>{part_text(part)}</span>
            }
        })
        .collect::<Vec<_>>();
    let bars = (!fits.is_empty()).then(|| {
        view! {
            <div class="fits" role="group" aria-label="How sure the supervisor is">
                {fits}
                <small>{format!("Confidence. The mark is at {}; below it the supervisor asks back.", part_text(threshold))}</small>
            </div>
        }
    });
    view! { <p class="break">{reason}{task}</p>{bars} }
}

fn of_job(job: JobView, around: &Around) -> AnyView {
    let waits = job.approvals.iter().any(|approval| approval.decision.is_none());
    let class = match job.status {
        JobStatus::Completed => "ok",
        JobStatus::Failed | JobStatus::Oom | JobStatus::FailedCircuitOpen => "bad",
        JobStatus::AwaitingApproval => "warn",
        JobStatus::Queued => "next",
        JobStatus::Running => "live",
    };
    let is_script = job.prompt_version.is_none() && job.steps.iter().all(|step| step.kind == StepKind::Process);
    let icon = if is_script { "wrench" } else { "bot" };
    let prompt = job.prompt_version.map(|version| view! { <span class="sub">{format!("prompt v{version}")}</span> });
    let state = (job.status != JobStatus::Completed).then(|| cell::state(job.status));
    let numbers = job.numbers.map(|(from, to)| match from == to {
        true => format!("step {from}"),
        false => format!("steps {from}–{to}"),
    });
    // An approval took as long as a person was waited for.
    let worked = job.steps.iter().filter(|step| step.kind != StepKind::Approval);
    let took: i64 = worked.map(|step| i64::from(step.took_ms)).sum();
    let took = if took > 0 { Some(took) } else { job.took_ms };
    let took = took.map(|took| if waits { format!("{}, then waiting", took_text(took)) } else { took_text(took) });
    let cost = (!job.steps.is_empty() && !is_script).then(|| cost_text(job.cost, job.is_unpriced));
    let right = [numbers, took, cost].into_iter().flatten().map(|text| view! { <span>{text}</span> }).collect_view();
    let steps = job.steps.into_iter().filter(|step| step.kind != StepKind::Approval).map(of_step).collect_view();
    let approvals =
        job.approvals.into_iter().map(|approval| view! { <Ask approval around=around.clone()/> }).collect_view();
    let children: Vec<AnyView> = job.children.into_iter().map(|child| of_job(child, around)).collect();
    let children = (!children.is_empty()).then(|| view! { <ol class="flow inner">{children}</ol> });
    let reason =
        job.reason.filter(|_| job.status != JobStatus::Completed).map(|reason| view! { <p class="why">{reason}</p> });
    let output = job.output.map(|output| {
        view! { <details><summary>"What it answered"</summary><p class="pre-line break">{output}</p></details> }
    });
    let files = (job.artefacts > 0).then(|| format!(" · {}", counted(job.artefacts, "file", "files")));
    let tries = (job.retries > 0).then(|| format!(" · try {}", job.retries + 1));
    let label = format!("The job of {}: {}", job.who, job.title);
    view! {
        <li class=class>
            <span class="dot"><Icon name=icon small=true/></span>
            <div class="who"><b class="break">{job.who}</b>{prompt}{state}<span class="r">{right}</span></div>
            <p class="note">
                <a class="link" href=format!("/jobs/{}", job.id) aria-label=label>"Job"</a>
                {format!(" · {} on {}", job.engine, job.target)}{tries}{files}
            </p>
            {reason}
            <div class="done">{steps}{approvals}{children}</div>
            {output}
        </li>
    }
    .into_any()
}

fn of_step(step: StepView) -> AnyView {
    let icon = match step.kind {
        StepKind::Tool => "wrench",
        StepKind::Process => "server",
        StepKind::Limit => "triangle-alert",
        _ => "zap",
    };
    let name = if step.kind == StepKind::Tool { "mono" } else { "" };
    let state = match &step.error {
        Some(_) => view! { <Tag tone=Tone::Bad>"Failed"</Tag> }.into_any(),
        None if step.kind == StepKind::Tool => view! { <Tag tone=Tone::Ok>"Done"</Tag> }.into_any(),
        None => ().into_any(),
    };
    let figures = figures(&step);
    let error = step.error.map(|error| view! { <p class="why break">{error}</p> });
    let short = step.result.as_ref().map(|text| text.chars().take(200).collect::<String>());
    let is_long = step.result.as_ref().is_some_and(|text| text.chars().count() > 200);
    let details = (is_long || step.sent.is_some()).then(|| {
        let sent = step.sent.map(|sent| view! { <small>"Sent"</small><pre class="code pre-line break">{sent}</pre> });
        let result = step
            .result
            .map(|result| view! { <small>"Came back"</small><pre class="code pre-line break">{result}</pre> });
        view! { <details><summary>"Details"</summary>{sent}{result}</details> }
    });
    let short = short.filter(|_| step.kind != StepKind::Model).map(|text| view! { <code class="break">{text}</code> });
    view! {
        <div class="act">
            <div class="h"><Icon name=icon small=true/><b class=format!("break {name}")>{step.title}</b><span class="r">{state}{figures}</span></div>
            {error}
            {short}
            {details}
        </div>
    }
    .into_any()
}

/// Something waits for a person, or was decided by one.
#[component]
pub(super) fn Ask(approval: ApprovalView, around: Around) -> impl IntoView {
    let id = approval.id.to_string();
    let page = format!("/approvals/{id}");
    let rows = approval
        .details
        .iter()
        .cloned()
        .map(|(name, value)| view! { <Fact label=name><span class="break">{value}</span></Fact> })
        .collect_view();
    let facts = (!approval.details.is_empty()).then(|| view! { <Facts wide=true>{rows}</Facts> });
    let rule = format!("Rule “{}” asks for a person.", approval.rule);
    let tool = approval.tool.clone().map(|tool| view! { " Tool "<code class="break">{tool}</code>"." });
    let (state, end) = match approval.decision {
        None => (
            view! { <Tag tone=Tone::Warn>"Awaiting approval"</Tag> }.into_any(),
            view! { <Icon name="clock" small=true/>{approval.left.as_ref().map_or_else(|| "time is up".to_owned(), |left| format!("ends in {left}"))} }.into_any(),
        ),
        Some(decision) => (
            view! { <Tag tone=tone_of(decision)>{decision.label()}</Tag> }.into_any(),
            view! { {approval.decided_by.clone().unwrap_or_else(|| "Patchbay".to_owned())}" · "{cell::time(approval.decided.as_ref())} }.into_any(),
        ),
    };
    let note =
        (!approval.note.is_empty()).then(|| view! { <p class="pre-line break">{format!("“{}”", approval.note)}</p> });
    let edited = approval.edited.clone().map(|text| {
        view! { <details><summary>"As it was approved"</summary><pre class="code pre-line break">{text}</pre></details> }
    });
    let opened = approval
        .opened_by
        .clone()
        .filter(|_| approval.decision.is_none())
        .map(|name| view! { <p>{format!("{name} has it open.")}</p> });
    let is_open = approval.decision.is_none();
    let before = is_open.then_some(" Nothing is done before.");
    let is_over = approval.left.is_none();
    let forms = (is_open && !is_over && around.may_decide)
        .then(|| view! { <Decide id=id.clone() content=approval.content.clone() around/> });
    view! {
        <div class=if is_open { "ask" } else { "ask held" }>
            <div class="h"><Icon name="shield-check" small=true/><b class="break">{approval.title}</b>{state}<span class="r">{end}</span></div>
            <p>{rule}{tool}{before}" "<a class="link" href=page>"The whole question"</a></p>
            {facts}
            {opened}
            {note}
            {edited}
            {forms}
        </div>
    }
}

fn tone_of(decision: Decision) -> Tone {
    patchbay_shared::Word::tone(decision)
}

#[component]
fn Decide(id: String, content: String, around: Around) -> impl IntoView {
    let action = FormAction::of::<DecideApproval>;
    let (approving, editing, rejecting) = (action(), action(), action());
    let own = |decision: &str| vec![("id", id.clone()), ("decision", decision.to_owned())];
    let (of_edit, of_reject) = (own("edited"), own("rejected"));
    let hidden = {
        let back = around.back.clone();
        let id = id.clone();
        move |decision: &'static str| {
            view! {
                <input type="hidden" name="id" value=id.clone()/>
                <input type="hidden" name="decision" value=decision/>
                <input type="hidden" name="back" value=back.clone()/>
            }
        }
    };
    let (approve, edit, reject) = (hidden.clone(), hidden.clone(), hidden);
    let again = around.again;
    view! {
        <div class="acts">
            <ServerForm action=approving class="inline" prefix=format!("approve-{id}") on_done=again no_summary=true said="Approved">
                {approve("approved")}
                <SubmitButton icon="check" small=true>"Approve"</SubmitButton>
            </ServerForm>
            <details class="more">
                <summary class="btn sm"><Icon name="pencil" small=true/>"Edit and approve"</summary>
                <ServerForm action=editing own=of_edit class="form" prefix=format!("edit-{id}") on_done=again said="Approved">
                    {edit("edited")}
                    <TextArea name="content" label="What is done" value=content rows=6 mark=false class="prompt-editor"/>
                    <FormActs><SubmitButton icon="check" small=true>"Approve this"</SubmitButton></FormActs>
                </ServerForm>
            </details>
            <details class="more">
                <summary class="btn sm danger"><Icon name="x" small=true/>"Reject"</summary>
                <ServerForm action=rejecting own=of_reject class="form" prefix=format!("reject-{id}") on_done=again said="Rejected">
                    {reject("rejected")}
                    <TextArea name="note" label="Why" rows=2 required=true maxlength=1000 hint="The worker is told it."/>
                    <FormActs><SubmitButton kind=ButtonKind::Danger icon="x" small=true>"Reject it"</SubmitButton></FormActs>
                </ServerForm>
            </details>
        </div>
    }
}
