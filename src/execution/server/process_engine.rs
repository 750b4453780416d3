//! The engine of commands: a script runs on the job's target, what it writes is kept while it runs, and its files at the end.

use std::pin::pin;
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use uuid::Uuid;

use super::logs::Log;
use super::plain::{cut, storable};
use super::settling::Tried;
use super::starting::Started;
use super::store::attempts::{self, NewArtefact, Written};
use super::store::jobs;
use super::watching::{Halt, watch};
use super::work::patiently;
use super::{circuits, targets};
use crate::model::moves::Happened;
use crate::model::{JobResult, MOST_ARTEFACTS, ProcessEngine};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_shared::AppError;
use patchbay_targets::{Ended, Handle, How, Target, Trouble, TroubleKind, Work};

/// Files of a job.
const MOST_FILES: usize = 50;
/// Between two looks at what it wrote.
const FLUSH: Duration = Duration::from_millis(300);
/// How long a target may take to end what it was told to end.
const GRACE: Duration = Duration::from_secs(40);
/// Times that following is tried when the target does not answer, with a pause in between.
const FOLLOWED: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);

/// How the worker's part of a job went.
pub(super) enum Done {
    /// The try is over. What is left at the target is taken away once that is written down.
    Tried(Tried, Option<Left>),
    /// The target is full.
    Full(String),
    /// Another worker has it.
    Gone,
}

/// What is left at a target.
pub(super) struct Left {
    target: Box<dyn Target>,
    handle: Handle,
}

impl Left {
    /// Takes it away. What cannot be taken away now is found by upkeep.
    pub(super) async fn clear(&self) {
        if let Err(trouble) = self.target.remove(&self.handle).await {
            tracing::warn!(handle = %self.handle.id, cause = %trouble.sentence, "what is left of a job will be taken away later");
        }
    }
}

/// A file's name without its folders.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or("script");
    let kept: String = last.chars().filter(|one| !one.is_control()).take(100).collect();
    if matches!(kept.as_str(), "" | "." | ".." | "out") { "script".to_owned() } else { kept }
}

/// The piece of work that a job is. None: it has no script.
fn work_of(started: &Started, engine: &ProcessEngine) -> Option<Work> {
    let job = &started.job;
    let script = job.config.script.as_ref()?;
    let name = plain_name(&script.name);
    let mut files = vec![(name.clone(), script.content.clone().into_bytes())];
    for (beside, content) in &script.beside {
        let beside = plain_name(beside);
        if files.iter().all(|(known, _)| *known != beside) {
            files.push((beside, content.clone().into_bytes()));
        }
    }
    let mut command = engine.interpreter.clone();
    command.push(name);
    let mut environment = vec![
        ("PATCHBAY_JOB".to_owned(), job.id.to_string()),
        ("PATCHBAY_ATTEMPT".to_owned(), started.attempt.to_string()),
    ];
    environment.extend(job.config.variables.iter().map(|(name, value)| {
        let plain = |one: char| if one.is_ascii_alphanumeric() { one.to_ascii_uppercase() } else { '_' };
        (format!("VAR_{}", name.chars().map(plain).collect::<String>()), value.replace('\0', ""))
    }));
    Some(Work {
        job: job.id.0,
        attempt: started.attempt,
        command,
        environment,
        files,
        stdin: job.prompt.clone().into_bytes(),
        memory_mb: u32::try_from(job.memory_limit_mb).unwrap_or(1),
        cpu_milli: engine.cpu_milli,
        has_network: engine.has_network,
        image: engine.image.clone(),
        timeout: Duration::from_secs(u64::try_from(job.timeout_seconds).unwrap_or(1)),
        disk_mb: engine.disk_mb,
        most_processes: engine.most_processes,
    })
}

/// Runs the job, or follows what another worker has started.
pub(super) async fn run(scope: &Scope, started: &Started, engine: &ProcessEngine) -> Result<Done, AppError> {
    let job = &started.job;
    let failed = |why: &str| Done::Tried(Tried::of(Happened::Failed(why.to_owned())), None);
    let Some(work) = work_of(started, engine) else { return Ok(failed("The job has no script to run.")) };
    if work.command.len() < 2 {
        return Ok(failed("The engine names no program that reads the script. Set its interpreter."));
    }
    let target = match targets::reach(scope, &job.snapshot).await {
        Ok(target) => target,
        Err(error @ (AppError::Internal(_) | AppError::Transport(_))) => return Err(error),
        Err(error) => return Ok(Done::Tried(Tried::of(Happened::Trouble(error.to_string())), None)),
    };
    let handle = match (&job.container_id, &job.target_host) {
        (Some(id), Some(host)) => Handle { id: id.clone(), host: host.clone() },
        _ => match target.start(&work).await {
            Ok(handle) => handle,
            Err(trouble) => return Ok(not_started(trouble)),
        },
    };
    let written = match patiently(job.id, |_| keep(scope, started, &handle)).await {
        Ok(Some(written)) => written,
        unkept => {
            target.leave(&handle).await;
            return unkept.map(|_| Done::Gone);
        }
    };
    let log = Log::new(job.id, started.attempt, started.began, started.clock, &written);
    if started.is_taken_over {
        log.remark("The worker was lost. Another one goes on with this try.");
    }
    let Some((ended, halt)) = follow(scope, started, &*target, &work, &handle, &log).await else {
        return Ok(Done::Gone);
    };
    let mut result = result_of(&log);
    if matches!(&ended, Ok(ended) if matches!(ended.how, How::Exited(_) | How::TimedOut | How::OutOfMemory(_))) {
        result.left_out = collect(scope, started, &*target, &handle, &log).await?;
    }
    // What it wrote is there before it is over, for whoever looks then.
    patiently(job.id, |_| log.flush(scope)).await?;
    let peak = ended.as_ref().ok().and_then(|ended| ended.peak_memory_mb).max(log.peak());
    if let Ok(Ended { how: How::Exited(code), .. }) = &ended {
        result.exit_code = Some(*code);
    }
    let is_limit = matches!(halt, Some(Halt::Limit(_)));
    let happened = happened(started, ended, halt, &log);
    let tried = Tried { happened, result, peak_mb: peak.map(|mb| i32::try_from(mb).unwrap_or(i32::MAX)), is_limit };
    Ok(Done::Tried(tried, Some(Left { target, handle })))
}

fn not_started(trouble: Trouble) -> Done {
    match trouble.kind {
        TroubleKind::Full => Done::Full(trouble.sentence),
        TroubleKind::Work => Done::Tried(Tried::of(Happened::Failed(trouble.sentence)), None),
        TroubleKind::Target => Done::Tried(Tried::of(Happened::Trouble(trouble.sentence)), None),
    }
}

/// Notes where it runs, before it is followed. Gives what was kept of its words; none: it is another worker's.
async fn keep(scope: &Scope, started: &Started, handle: &Handle) -> Result<Option<Written>, AppError> {
    let mut tx = scope.write(Action::ManageExecution).await?;
    let job = &started.job;
    if !jobs::keep_place(&mut tx, job.id, &started.lease, &handle.id, &handle.host).await? {
        return Ok(None);
    }
    attempts::keep_place(&mut tx, job.id, started.attempt, &handle.id, &handle.host).await?;
    // The target took it: that is all that the breaker asks.
    circuits::succeeded(&mut tx, job).await?;
    let written = attempts::written(tx.reading(), job.id, started.attempt).await?;
    super::ending::notify(&mut tx, job.id, job.run);
    tx.commit().await?;
    Ok(Some(written))
}

/// Follows it to its end, and ends it when it may not go on. None: it is another worker's now, and is left alone.
async fn follow(
    scope: &Scope,
    started: &Started,
    target: &dyn Target,
    work: &Work,
    handle: &Handle,
    log: &Log,
) -> Option<(Result<Ended, Trouble>, Option<Halt>)> {
    let mut watching = pin!(watch(scope, started));
    let mut tick = tokio::time::interval(FLUSH);
    let mut tries = 0;
    loop {
        let mut hear = |heard| log.hear(heard);
        let halt = {
            let mut following = pin!(target.follow(work, handle, &mut hear));
            let halt = loop {
                tokio::select! {
                    ended = &mut following => break Err(ended),
                    halt = &mut watching => break Ok(halt),
                    _ = tick.tick() => flushed(scope, log).await,
                }
            };
            match halt {
                Err(ended) => Err(ended),
                Ok(Halt::Gone) => return None,
                Ok(halt) => {
                    // Both at once: whoever ends it may wait for whoever follows it.
                    let both = async { tokio::join!(target.end(handle), &mut following) };
                    let ended = match tokio::time::timeout(GRACE, both).await {
                        Ok((Err(trouble), Err(_))) => Err(trouble),
                        Ok((_, ended)) => ended,
                        Err(_) => Err(Trouble {
                            sentence: "The target did not end it when it was told to.".to_owned(),
                            kind: TroubleKind::Target,
                        }),
                    };
                    Ok((ended, halt))
                }
            }
        };
        match halt {
            Ok((ended, halt)) => return Some((ended, Some(halt))),
            Err(Err(trouble)) if trouble.kind == TroubleKind::Target && tries < FOLLOWED => {
                tries += 1;
                tracing::warn!(job = %started.job.id, cause = %trouble.sentence, "a target did not answer while a job ran");
                tokio::time::sleep(PAUSE).await;
                log.hear_again();
            }
            Err(ended) => {
                if ended.is_err() {
                    // Nothing runs on that nobody follows.
                    let _ = target.end(handle).await;
                }
                return Some((ended, None));
            }
        }
    }
}

async fn flushed(scope: &Scope, log: &Log) {
    if let Err(error) = log.flush(scope).await {
        tracing::warn!(cause = %error, "what a job wrote will be kept in a moment");
    }
}

fn result_of(log: &Log) -> JobResult {
    let (output, is_cut) = log.output();
    JobResult { output: storable(&output), is_cut, ..JobResult::default() }
}

/// Keeps the files that it left. Gives the names of those that are not kept.
async fn collect(
    scope: &Scope,
    started: &Started,
    target: &dyn Target,
    handle: &Handle,
    log: &Log,
) -> Result<Vec<String>, AppError> {
    let (files, mut left_out) = match target.collect(handle, MOST_ARTEFACTS, MOST_FILES).await {
        Ok(found) => found,
        Err(trouble) => {
            log.remark(&format!("Its files could not be fetched. {}", trouble.sentence));
            return Ok(Vec::new());
        }
    };
    let job = &started.job;
    let workspace = scope.workspace_id();
    let mut kept = Vec::new();
    for (place, file) in files.into_iter().enumerate() {
        let key = format!("{workspace}/{}/{}/{place}", job.id, started.attempt);
        let name = storable(cut(&file.name, 300));
        let bytes = i64::try_from(file.content.len()).unwrap_or(i64::MAX);
        match scope.services().artefacts.put(&Path::from(key.as_str()), file.content.into()).await {
            Ok(_) => {
                let content_type = content_type(&name);
                kept.push(NewArtefact { id: Uuid::now_v7(), name, bytes, content_type, key });
            }
            Err(error) => {
                tracing::error!(job = %job.id, cause = %error, "a file of a job could not be stored");
                left_out.push(name);
            }
        }
    }
    patiently(job.id, |_| keep_files(scope, started, &kept)).await?;
    if !left_out.is_empty() {
        log.remark(&format!("Files left out, because there are too many or they are too large: {}", left_out.len()));
    }
    Ok(left_out.iter().take(MOST_FILES).map(|name| storable(cut(name, 300))).collect())
}

async fn keep_files(scope: &Scope, started: &Started, files: &[NewArtefact]) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageExecution).await?;
    attempts::set_artefacts(&mut tx, started.job.id, started.attempt, files).await?;
    tx.commit().await
}

/// What a file is, by its name. A page or a program is handed out as plain text: it would otherwise run in whoever opens it.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("txt" | "log" | "md" | "html" | "htm" | "xml" | "js" | "py" | "sh" | "svg") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn happened(started: &Started, ended: Result<Ended, Trouble>, halt: Option<Halt>, log: &Log) -> Happened {
    let seconds = started.job.timeout_seconds;
    let late = || format!("It ran for longer than its {seconds} seconds and was ended.");
    match (halt, ended) {
        // What it was told to end may still run at a target that does not answer; upkeep looks for it.
        (Some(Halt::Cancelled), _) => Happened::Cancelled(String::new()),
        (Some(Halt::Limit(why)), _) => Happened::Cancelled(why),
        (Some(Halt::Late), _) => Happened::TimedOut(late()),
        (Some(Halt::Gone) | None, Err(trouble)) => match trouble.kind {
            TroubleKind::Work => Happened::Failed(trouble.sentence),
            TroubleKind::Full => Happened::Passing(trouble.sentence),
            TroubleKind::Target => Happened::Trouble(trouble.sentence),
        },
        (Some(Halt::Gone) | None, Ok(ended)) => match ended.how {
            How::Exited(0) => Happened::Completed,
            How::Exited(code) => match log.last_error() {
                last if last.is_empty() => Happened::Failed(format!("It ended with exit code {code}.")),
                last => Happened::Failed(format!("It ended with exit code {code}: {last}")),
            },
            How::OutOfMemory(why) => {
                let limit = started.job.memory_limit_mb;
                Happened::OutOfMemory(format!("It wanted more than its {limit} MB of memory. {why}"))
            }
            How::TimedOut => Happened::TimedOut(late()),
            How::Stopped => Happened::Passing("It was ended at its target by somebody else.".to_owned()),
            How::Signal(signal) => {
                Happened::Passing(format!("It was ended by signal {signal}, which Patchbay did not send."))
            }
            How::Lost(why) => Happened::Lost(format!("Nobody knows how it ended. {why}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_have_no_folders() {
        for (name, plain) in [
            ("scripts/report.py", "report.py"),
            ("../../etc/passwd", "passwd"),
            ("a\\b.sh", "b.sh"),
            ("", "script"),
            ("..", "script"),
            ("out", "script"),
        ] {
            assert_eq!(plain_name(name), plain, "{name}");
        }
    }

    #[test]
    fn nothing_is_handed_out_that_a_browser_runs() {
        for name in ["page.html", "x.SVG", "y.js", "z"] {
            assert!(
                content_type(name).starts_with("text/plain") || content_type(name).starts_with("application/o"),
                "{name}"
            );
        }
    }
}
