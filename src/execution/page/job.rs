use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::job_parts::{Files, Log, Memory, path, reason_now, tone};
use super::jobs::state;
use super::parts::{ApprovalCard, MoreMemory};
use crate::model::JobStatus;
use crate::model::approval::ApprovalRow;
use crate::model::job::{AttemptRow, Job, JobPage, JobStep, took_text};
use crate::server_fns::{CancelExecutionJob, MoveExecutionJob, RequeueExecutionJob, get_execution_job};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::{count_text, counted};
use patchbay_shell::{HistoryLink, refused};
use patchbay_ui::*;

/// One job: how it stands, what it wrote, did and left.
#[lazy]
pub fn job_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let attempt = query("attempt").and_then(|number| number.parse::<i32>().ok());
        (params.read().get("id").unwrap_or_default(), attempt)
    };
    let found = load(asked, |(id, attempt)| get_execution_job(id, attempt));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let params = use_params_map();
        // The page stays while the person goes from job to job, so what it listens to follows the address.
        Effect::new(move |_| {
            let id = params.read().get("id").unwrap_or_default();
            live::follow(&[format!("execution_job:{id}")], move || found.refetch());
        });
        let again = Callback::new(move |()| found.refetch());
        view! { <PageBoundary data=found view=move |page: JobPage| view! { <Page page again/> }/> }.into_any()
    })
}

#[component]
fn Page(page: JobPage, again: Callback<()>) -> impl IntoView {
    let job = Arc::new(page.job);
    let id = job.id.to_string();
    let status = job.status;
    let parents = vec![crumb("Teams", "/teams"), crumb("Execution", "/execution"), crumb("Jobs", "/jobs")];
    let is_over = matches!(status, JobStatus::Completed | JobStatus::Failed | JobStatus::Oom);
    let can_move = matches!(status, JobStatus::Queued | JobStatus::FailedCircuitOpen) && !page.targets.is_empty();
    let (may_manage, more) = (page.may_manage, page.more_memory_mb.filter(|_| status == JobStatus::Oom));
    let is_ending = job.is_being_cancelled;
    let acts = {
        let id = id.clone();
        move || {
            let more = more.filter(|_| may_manage);
            view! {
                <HistoryLink id=id.clone()/>
                {(may_manage && can_move).then(|| view! { <DialogLink name="move" icon="arrow-right">"Move"</DialogLink> })}
                {(may_manage && !is_over && !is_ending).then(|| view! { <DialogLink name="cancel" kind=ButtonKind::Danger icon="square">"Cancel"</DialogLink> })}
                {(may_manage && is_over).then(|| view! { <DialogLink name="again" icon="rotate-ccw">"Queue again"</DialogLink> })}
                {more.map(|memory_mb| view! { <MoreMemory id=id.clone() memory_mb primary=true/> })}
            }
        }
    };
    let waiting: Vec<ApprovalRow> = page.approvals.iter().filter(|row| row.left.is_some()).cloned().collect();
    let back = format!("/jobs/{id}");
    let waiting = waiting
        .into_iter()
        .map(|row| view! { <ApprovalCard row may_decide=page.may_decide back=back.clone()/> })
        .collect_view();
    let has_memory = page.memory.len() > 1;
    let limit = page
        .attempts
        .iter()
        .find(|row| row.number == page.shown)
        .map_or(job.memory_limit_mb, |row| row.memory_limit_mb);
    let dialogs = may_manage.then(|| view! { <Dialogs job=job.clone() targets=page.targets.clone() again/> });
    let reason = reason_now(job.reason.clone(), status).map(|reason| view! { <p class="break"><b>{reason}</b></p> });
    let (title, nodes, next, made_of) = (job.title.clone(), path(&job), job.next.clone(), job.made_of.clone());
    let has_files = page.log_lines > 0 || !page.artefacts.is_empty();
    let files = has_files.then(|| {
        view! { <Card title="Files"><Files id=id.clone() rows=page.artefacts lines=page.log_lines attempt=page.shown/></Card> }
    });
    let (below, of_outcome) = (sub(&job), job.clone());
    view! {
        <PageTitle text=title.clone() parents/>
        <PageHead title tags=move || state(status) sub_view=move || below actions=acts/>
        <RouteChain nodes live=status == JobStatus::Running/>
        <Callout tone=tone(status)>{reason}<p>{next}</p></Callout>
        {waiting}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                <Outcome job=of_outcome/>
                <LogCard lines=page.log total=page.log_lines attempts=page.attempts.clone() shown=page.shown/>
                {has_memory.then(|| view! { <Card title="Memory"><Memory samples=page.memory limit/></Card> })}
                <Steps steps=page.steps/>
            </div>
            <div class="stack gap-4 min0">
                <About job/>
                {files}
                <Children rows=page.children/>
                <Decided rows=page.approvals/>
            </div>
        </div>
        <Attempts rows=page.attempts/>
        <Card title="What it was made of">
            <p class="sub">"As it was when the job was made. Later changes of the agent, the engine, the target or the team change nothing here."</p>
            <Json value=made_of name="job" open=1/>
        </Card>
        {dialogs}
    }
}

fn sub(job: &Job) -> AnyView {
    let team = job
        .team
        .clone()
        .map(|(id, name)| view! { "For the team "<a class="link" href=format!("/teams/{id}")>{name}</a>" · " });
    let parent = job
        .parent
        .clone()
        .map(|(id, title)| view! { "Asked for by "<a class="link" href=format!("/jobs/{id}")>{title}</a>" · " });
    let by = job.asked_by.clone().map(|by| format!("{by} · "));
    view! { {team}{parent}{by}"made "<Time stamp=job.made.clone()/> }.into_any()
}

/// What it was told, and what came of it.
#[component]
fn Outcome(job: Arc<Job>) -> impl IntoView {
    let prompt = job.prompt.clone();
    let told = (!prompt.is_empty())
        .then(|| view! { <Card title="What it was told"><p class="pre-line break">{prompt}</p></Card> });
    let result = job.result.clone().map(|result| {
        let code = result.exit_code.map(|code| view! { <p class="sub">{format!("It ended with the code {code}.")}</p> });
        let cut = result.is_cut.then(|| view! { <p class="note">"The end of it: it was longer than what is kept."</p> });
        let left_out = (!result.left_out.is_empty()).then(|| {
            view! { <p class="note">{format!("Left out, because there were too many files or they were too large: {}", result.left_out.join(", "))}</p> }
        });
        view! {
            <Card title="What came of it">
                {code}
                <pre class="code wrap" tabindex="0" aria-label="What came of it">{result.output}</pre>
                {cut}{left_out}
            </Card>
        }
    });
    view! { {told}{result} }
}

#[component]
fn LogCard(lines: Vec<crate::model::job::LogLine>, total: i64, attempts: Vec<AttemptRow>, shown: i32) -> impl IntoView {
    let cut = total - lines.len() as i64;
    let numbers: Vec<i32> = attempts.iter().rev().map(|row| row.number).collect();
    let tries = (numbers.len() > 1).then(|| {
        let links = numbers
            .into_iter()
            .map(|number| {
                let is_set = number == shown;
                let class = if is_set { "chip set" } else { "chip" };
                let word = number.to_string();
                view! {
                    <a class=class href=move || with_query(&[("attempt", Some(&word))]) aria-current=is_set.then_some("true")>{format!("Try {number}")}</a>
                }
            })
            .collect_view();
        view! { <div class="chips">{links}</div> }
    });
    view! {
        <Card title="Log">
            {tries}
            {(cut > 0).then(|| view! { <p class="note">{format!("{} before these are in the full log.", counted(cut, "line", "lines"))}</p> })}
            <Log lines/>
        </Card>
    }
}

#[component]
fn Steps(steps: Vec<JobStep>) -> impl IntoView {
    (!steps.is_empty()).then(|| {
        let rows = steps
            .into_iter()
            .map(|step| {
                let tone = if step.error.is_some() { Tone::Bad } else { step.kind.tone() };
                let tokens = step.tokens.map(|tokens| format!(" · {} tokens", count_text(tokens)));
                let cost = match (step.cost, step.tokens) {
                    (Some(cost), _) => Some(format!(" · {}", cost.text())),
                    (None, Some(_)) => Some(" · not priced".to_owned()),
                    (None, None) => None,
                };
                view! {
                    <li>
                        <StatusDot tone/>
                        <div class="grow">
                            <b>{step.title}</b>
                            <small>{step.kind.label()}" · "<Time stamp=step.at/>{format!(" · {}", took_text(step.took_ms))}{tokens}{cost}</small>
                            {step.error.map(|error| view! { <small class="bad-ink">{error}</small> })}
                            <details class="more"><summary>"What went in and came out"</summary><Json value=step.payload name="step" open=1/></details>
                        </div>
                    </li>
                }
            })
            .collect_view();
        view! { <Card title="Steps"><ul class="list">{rows}</ul></Card> }
    })
}

#[component]
fn About(job: Arc<Job>) -> impl IntoView {
    let cost = match (job.is_unpriced, job.cost.0.is_zero()) {
        (true, true) => "Not priced yet".to_owned(),
        (true, false) => format!("{} without what is not priced yet", job.cost.text()),
        (false, _) => job.cost.text(),
    };
    let memory = match job.peak_memory_mb {
        Some(peak) => format!("{} of {} MB at most", count_text(peak.into()), count_text(job.memory_limit_mb.into())),
        None => format!("up to {} MB", count_text(job.memory_limit_mb.into())),
    };
    let retries = format!("{} of {}", job.retry_count, job.max_retries);
    let longest = took_text(i64::from(job.timeout_seconds) * 1000);
    let Job { pool, client, started, ended, took_ms, lease, container, host, steps, tokens, cancelled_by, .. } =
        (*job).clone();
    let text = |label: &'static str, value: Option<String>| {
        value.map(|value| view! { <Fact label class="mono">{value}</Fact> })
    };
    view! {
        <Card title="About it">
            <Facts>
                <Fact label="Pool">{pool}</Fact>
                {client.map(|(id, name)| view! { <Fact label="Client"><a class="link" href=format!("/clients/{id}")>{name}</a></Fact> })}
                <Fact label="Retries">{retries}</Fact>
                <Fact label="Memory">{memory}</Fact>
                <Fact label="Time of a try">{longest}</Fact>
                {started.map(|at| view! { <Fact label="Started"><Time stamp=at/></Fact> })}
                {ended.map(|at| view! { <Fact label="Ended"><Time stamp=at/></Fact> })}
                {took_ms.map(|ms| view! { <Fact label="Took">{took_text(ms)}</Fact> })}
                {text("Lease", lease)}
                {text("Container", container)}
                {text("Host", host)}
                {(steps > 0).then(|| view! { <Fact label="Steps">{steps}</Fact> })}
                {(tokens > 0).then(|| view! { <Fact label="Tokens">{count_text(tokens)}</Fact> })}
                <Fact label="Cost">{cost}</Fact>
                {cancelled_by.map(|by| view! { <Fact label="Cancelled by">{by}</Fact> })}
            </Facts>
        </Card>
    }
}

#[component]
fn Children(rows: Vec<(patchbay_shared::ids::ExecutionJobId, String, JobStatus)>) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        let rows = rows
            .into_iter()
            .map(|(id, title, status)| view! { <li><a class="link grow" href=format!("/jobs/{id}")>{title}</a>{state(status)}</li> })
            .collect_view();
        view! { <Card title="Jobs that it asked for"><ul class="list">{rows}</ul></Card> }
    })
}

/// What people decided in it.
#[component]
fn Decided(rows: Vec<ApprovalRow>) -> impl IntoView {
    let rows: Vec<AnyView> = rows
        .into_iter()
        .filter_map(|row| {
            let decided = row.decided?;
            let said = decided.said();
            let item = view! {
                <li>
                    <StatusDot tone=decided.decision.tone()/>
                    <div><b><a href=format!("/approvals/{}", row.id)>{row.title}</a></b><small>{said}", "<Time stamp=decided.at/></small></div>
                </li>
            };
            Some(item.into_any())
        })
        .collect();
    (!rows.is_empty()).then(|| view! { <Card title="Approvals"><ul class="list">{rows}</ul></Card> })
}

#[component]
fn Attempts(rows: Vec<AttemptRow>) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        let rows = rows
            .into_iter()
            .map(|row| {
                let outcome = match row.outcome {
                    Some(outcome) => cell::state(outcome),
                    None => cell::state(JobStatus::Running),
                };
                let memory = match row.peak_memory_mb {
                    Some(peak) => format!("{} of {} MB", count_text(peak.into()), count_text(row.memory_limit_mb.into())),
                    None => format!("{} MB", count_text(row.memory_limit_mb.into())),
                };
                view! {
                    <tr>
                        <td>{row.number}</td>
                        <td>{outcome}</td>
                        <td class="sub long">{row.reason}</td>
                        <td class="num">{row.exit_code}</td>
                        <td class="num">{memory}</td>
                        <td class="mono break">{row.container}</td>
                        <td class="mono break">{row.host}</td>
                        <td class="mono break">{row.worker}</td>
                        <td><Time stamp=row.started/></td>
                        <td class="num">{row.took_ms.map(took_text)}</td>
                    </tr>
                }
            })
            .collect_view();
        let head = || {
            let plain = |word: &'static str| view! { <th scope="col">{word}</th> };
            let number = |word: &'static str| view! { <th scope="col" class="num">{word}</th> };
            view! {
                {plain("Try")}{plain("How it ended")}{plain("Why")}{number("Code")}{number("Memory")}{plain("Container")}{plain("Host")}{plain("Worker")}
                {plain("Started")}{number("Took")}
            }
            .into_any()
        };
        view! {
            <section class="card clip">
                <header><h2>"Tries"</h2></header>
                <DataTable label="Tries" class="wide wrap" head>{rows}</DataTable>
            </section>
        }
    })
}

#[component]
fn Dialogs(job: Arc<Job>, targets: Vec<(String, String)>, again: Callback<()>) -> impl IntoView {
    let (cancel, requeue, moved) = (
        FormAction::of::<CancelExecutionJob>(),
        FormAction::of::<RequeueExecutionJob>(),
        FormAction::of::<MoveExecutionJob>(),
    );
    let id = job.id.to_string();
    let (of_again, of_move, others) = (id.clone(), id.clone(), targets.clone());
    let (memory, before) = (job.memory_limit_mb.to_string(), format!("{}, as before", job.target.1));
    let text = match job.status {
        JobStatus::Running => {
            "What it does is really ended, also in its container. Files and log that are there so far are kept."
        }
        _ => "It never starts. What waits for a decision is withdrawn.",
    };
    view! {
        <ConfirmForm name="cancel" action=cancel title="Cancel this job?" text confirm="Cancel the job" cancel="Leave it" danger=true on_done=again>
            <input type="hidden" name="id" value=id/>
        </ConfirmForm>
        <ConfirmForm name="again" action=requeue title="Queue this job again?" text="It starts from its beginning, with the same snapshot of agent and engine." confirm="Queue again" on_done=again>
            <input type="hidden" name="id" value=of_again/>
            <TextInput name="memory_mb" label="Memory" value=memory inputmode="numeric" suffix_text="MB" class="short" mark=false/>
            <Select name="target" label="Target" options=others prompt=before mark=false/>
        </ConfirmForm>
        <ConfirmForm name="move" action=moved title="Move this job?" text="It starts on the other target as soon as there is room." confirm="Move" on_done=again>
            <input type="hidden" name="id" value=of_move/>
            <Select name="target" label="Move to" options=targets required=true/>
        </ConfirmForm>
    }
}
