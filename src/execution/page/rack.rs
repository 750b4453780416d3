//! A target with its slots, what is in them, and what is wrong with it.

use leptos::prelude::*;

use super::parts::{MoreMemory, memory_text, of_client, target_icon};
use crate::model::JobStatus;
use crate::model::control::{CircuitBox, SlotJob, TargetCard, TargetState};
use crate::model::job::used;
use crate::server_fns::{MoveWaitingJobs, ProbeCircuit};
use patchbay_shared::Tone;
use patchbay_shared::money::{count_text, counted};
use patchbay_ui::*;

/// Slots that are drawn, each as a socket.
const DRAWN: i64 = 24;

/// One column of the rack.
#[component]
pub(super) fn TargetColumn(card: TargetCard, may_manage: bool) -> impl IntoView {
    let words = format!("{} of {} slots", count_text(card.used), count_text(card.slots));
    let about = format!(
        "{} · pool {} · {} of {}",
        card.kind.label(),
        card.pool,
        memory_text(card.memory_used_mb),
        memory_text(card.memory_mb)
    );
    let takes_none = matches!(card.state, TargetState::CircuitOpen | TargetState::Held | TargetState::Unreachable);
    let dots = (0..card.slots.max(card.used).min(DRAWN))
        .map(|at| match (at < card.used, takes_none) {
            (true, _) => view! { <i class="status-dot info on"></i> }.into_any(),
            (false, true) => view! { <i class="status-dot shut"></i> }.into_any(),
            (false, false) => view! { <i class="status-dot"></i> }.into_any(),
        })
        .collect_view();
    let problem = card.problem.clone().map(|problem| {
        view! { <div class="outage"><div class="h"><Icon name="triangle-alert" small=true/>"It does not answer as it should"</div><span>{problem}</span></div> }
    });
    let circuits =
        card.circuits.clone().into_iter().map(|circuit| view! { <Circuit circuit may_manage/> }).collect_view();
    let jobs = card.jobs.clone().into_iter().map(|job| view! { <Slot job may_manage/> }).collect_view();
    let below = below(&card);
    let href = format!("/execution/targets/{}", card.id);
    view! {
        <section class="card" aria-label=format!("Target {}", card.name)>
            <header>
                <h2 class="row"><Icon name=target_icon(card.kind) small=true/><a href=href>{card.name.clone()}</a></h2>
                {cell::state(card.state)}
                <small>{about}</small>
            </header>
            <div class="jacks">
                <span class="row wrap" role="img" aria-label=words.clone()>{dots}</span>
                <span aria-hidden="true">{words}</span>
            </div>
            {problem}
            {circuits}
            {jobs}
            {below}
        </section>
    }
}

/// What is not named: further running jobs, and those that wait.
fn below(card: &TargetCard) -> AnyView {
    let parts = [
        (card.more > 0).then(|| format!("{} run", counted(card.more, "more", "more"))),
        (card.queued > 0).then(|| format!("{} queued", count_text(card.queued))),
        (card.awaiting > 0).then(|| format!("{} for approval", count_text(card.awaiting))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let words = match (parts.is_empty(), card.jobs.is_empty()) {
        (true, true) => "Nothing runs here now".to_owned(),
        (true, false) => "Nothing else waits".to_owned(),
        (false, _) => parts.join(", "),
    };
    let (tone, on) = if card.more > 0 { (Tone::Info, true) } else { (Tone::Mute, !parts.is_empty()) };
    let all = of_client(&format!("/jobs?target={}", card.id));
    view! { <div class="free"><StatusDot tone on/><span>{words}</span><a class="link" href=all>"All"</a></div> }
        .into_any()
}

#[component]
fn Slot(job: SlotJob, may_manage: bool) -> impl IntoView {
    let id = job.id.to_string();
    let (class, tone) = match job.status {
        JobStatus::Oom => ("slot bad", Tone::Bad),
        JobStatus::Running => ("slot", Tone::Info),
        _ => ("slot wait", Tone::Warn),
    };
    // A person may give a job more tries than it had.
    let tries = match job.try_number <= job.tries {
        true => format!("try {} of {}", job.try_number, job.tries),
        false => format!("try {}", job.try_number),
    };
    let (left, right) = match job.status {
        JobStatus::Oom => {
            let peak = job.peak_mb.map(|peak| format!(", peak {} MB", count_text(peak.into()))).unwrap_or_default();
            (format!("limit {} MB{peak}", count_text(job.limit_mb.into())), tries)
        }
        JobStatus::Running => {
            let memory = match job.memory_mb {
                Some(memory) => format!("{} of {} MB", count_text(memory.into()), count_text(job.limit_mb.into())),
                None => format!("up to {} MB", count_text(job.limit_mb.into())),
            };
            let lease = job.lease.map(|lease| format!("lease {lease} · ")).unwrap_or_default();
            (memory, format!("{lease}{tries}"))
        }
        _ => (job.reason.clone().unwrap_or_default(), tries),
    };
    let bar = job.memory_mb.filter(|_| job.status == JobStatus::Running).map(|memory| {
        let (share, is_close) = used(memory, job.limit_mb);
        let paint = if is_close { "fill-warn" } else { "fill-chart-3" };
        view! {
            <svg class="seg" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                <rect class=paint x="0" y="0" width=share height="10"></rect>
            </svg>
        }
    });
    let own = id.clone();
    let more = job.more_mb.filter(|_| may_manage).map(|memory_mb| {
        view! { <div class="acts"><MoreMemory id memory_mb back=with_query(&[])/></div> }
    });
    view! {
        <div class=class>
            <div class="h">
                <StatusDot tone/>
                <b><a href=format!("/jobs/{own}")>{job.title}</a></b>
                <span class="sr">{format!(", {}, ", job.status.label())}</span>
                <a class="link" href=move || with_query(&[("job", Some(&own))]) aria-label="Show below"><Icon name="chevron-down" small=true/></a>
                <span class="mono">{job.time}</span>
            </div>
            <small><span>{left}</span><span>{right}</span></small>
            {bar}
            {more}
        </div>
    }
}

#[component]
fn Circuit(circuit: CircuitBox, may_manage: bool) -> impl IntoView {
    let id = circuit.id.to_string();
    let head = match (&circuit.probe_in, circuit.is_probing) {
        (_, true) => view! { "A job is trying it now" }.into_any(),
        (Some(left), _) => view! { "Next probe in "<span class="mono">{left.clone()}</span> }.into_any(),
        (None, _) => view! { "The probe is due" }.into_any(),
    };
    let reason = circuit.reason.clone().map(|reason| format!(": {reason}")).unwrap_or_default();
    let words = format!(
        "{} of the engine {} failed in a row{reason} New jobs wait, running ones go on.",
        counted(circuit.failures.into(), "start", "starts"),
        circuit.engine
    );
    let (probe, to) = (FormAction::of::<ProbeCircuit>(), FormAction::of::<MoveWaitingJobs>());
    let of_probe = id.clone();
    let can_probe = may_manage && !circuit.is_probing && circuit.waiting > 0;
    let probe = can_probe.then(|| {
        view! {
            <ServerForm action=probe class="inline" prefix=format!("probe-{of_probe}") no_summary=true said="One job tries now">
                <input type="hidden" name="circuit" value=of_probe/>
                <input type="hidden" name="back" value=with_query(&[])/>
                <SubmitButton kind=ButtonKind::Plain small=true icon="zap">"Probe now"</SubmitButton>
            </ServerForm>
        }
    });
    let waiting = circuit.waiting;
    let moving = circuit.move_to.clone().filter(|_| may_manage && waiting > 0).map(|(target, name)| {
        view! {
            <ServerForm action=to class="inline" prefix=format!("move-{id}") no_summary=true said="Moved">
                <input type="hidden" name="circuit" value=id/>
                <input type="hidden" name="target" value=target.to_string()/>
                <input type="hidden" name="back" value=with_query(&[])/>
                <SubmitButton kind=ButtonKind::Plain small=true icon="arrow-right">{format!("Move {} queued to {name}", count_text(waiting))}</SubmitButton>
            </ServerForm>
        }
    });
    view! {
        <div class="outage">
            <div class="h"><Icon name="zap" small=true/>{head}</div>
            <span>{words}</span>
            <div class="row wrap">{probe}{moving}</div>
        </div>
    }
}
