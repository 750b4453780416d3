//! [server] Where jobs run: on this machine, in a Docker engine, in a Kubernetes cluster, each behind the trait `Target`. Knows no agency, no
//! row and no model: it is given a piece of work and tells what became of it. Owns no table.
//!
//! The surprising parts: a piece of work has a name of its own (job and try), so that starting it twice finds what is there; and what a
//! target says of memory is read twice, because neither its flag nor the exit code alone is to be believed.

mod archive;
mod docker;
mod kubernetes;
mod lines;
mod local;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use docker::{DockerKeys, DockerTarget, Reach};
pub use kubernetes::{KubernetesKeys, KubernetesTarget};
pub use local::{Group, Groups, LocalJobs, LocalTarget, inside};

/// A piece of work. All that is in it comes from a snapshot: what is changed afterwards elsewhere changes nothing here.
#[derive(Debug, Clone)]
pub struct Work {
    /// Names it at the target: `patchbay-{job}-{attempt}`.
    pub job: uuid::Uuid,
    pub attempt: i32,
    /// The program and its arguments. Never read by a shell of ours.
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// Lie in the working folder when it begins: plain names, no folders.
    pub files: Vec<(String, Vec<u8>)>,
    pub stdin: Vec<u8>,
    pub memory_mb: u32,
    /// Thousandths of a processor.
    pub cpu_milli: u32,
    pub has_network: bool,
    /// For targets of containers.
    pub image: Option<String>,
    /// From its start to its end.
    pub timeout: Duration,
    /// Megabytes that its working folder may hold.
    pub disk_mb: u32,
    pub most_processes: u32,
}

impl Work {
    /// What it is called wherever it runs.
    pub fn name(&self) -> String {
        format!("patchbay-{}-{}", self.job, self.attempt)
    }
}

/// Ends and takes away former tries of the same job: two of them never run side by side. Errors: it is not known whether one runs.
async fn clear_former(target: &dyn Target, work: &Work) -> Result<(), Trouble> {
    if work.attempt <= 1 {
        return Ok(());
    }
    for (job, attempt, handle) in target.ours().await? {
        if job == work.job && attempt < work.attempt {
            target.end(&handle).await?;
            target.remove(&handle).await?;
        }
    }
    Ok(())
}

/// The job and the try behind a name of ours.
fn named(name: &str) -> Option<(uuid::Uuid, i32)> {
    let (job, attempt) = name.trim_start_matches('/').strip_prefix("patchbay-")?.rsplit_once('-')?;
    Some((job.parse().ok()?, attempt.parse().ok()?))
}

/// Where a started piece of work is: kept in the database, so that another worker finds it again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Handle {
    /// A container's id, a Kubernetes job's name, a control group of this machine.
    pub id: String,
    /// The machine or node.
    pub host: String,
}

/// What comes while it runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Out(DateTime<Utc>, String),
    Err(DateTime<Utc>, String),
    /// Megabytes in use now.
    Memory(u32),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub how: How,
    pub peak_memory_mb: Option<u32>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// By itself, with this code.
    Exited(i32),
    /// More memory than it may have was wanted. The sentence says how that is known.
    OutOfMemory(String),
    /// Its time was up, and it was ended.
    TimedOut,
    /// `end` was called.
    Stopped,
    /// A signal of somebody else's.
    Signal(i32),
    /// It is not there any more, and nobody knows how it ended.
    Lost(String),
}

/// A file that it left in the folder `out` of its working folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Artefact {
    /// A path below `out`, without a leading slash, without `..`.
    pub name: String,
    pub content: Vec<u8>,
}

/// Why a target did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// For people: what happened and what to do. No secrets.
    pub sentence: String,
    pub kind: TroubleKind,
}

impl Trouble {
    fn target(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), kind: TroubleKind::Target }
    }

    fn full(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), kind: TroubleKind::Full }
    }

    fn work(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), kind: TroubleKind::Work }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// The target does not answer, or not as it should: another job would fare the same. Counts for the breaker.
    Target,
    /// The target is full now; later it may go.
    Full,
    /// This work can never start here: its image is missing, its command does not exist, it wants more than there is.
    Work,
}

/// What a check of a target found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What it is, for people: `Docker 27.1, API 1.46, 8 processors, 16 GB`.
    pub about: String,
    /// What does not stand in the way of jobs and should be known.
    pub remarks: Vec<String>,
}

/// A place where work runs.
#[async_trait]
pub trait Target: Send + Sync {
    /// Whether jobs could run here now. Errors: what is wrong, and what to do.
    async fn check(&self) -> Result<Checked, Trouble>;

    /// Starts it, or finds what was started under this name before.
    async fn start(&self, work: &Work) -> Result<Handle, Trouble>;

    /// Follows it to its end. `heard` is called for each line and sample, in order; it may be slow, and what it does not take stays in the
    /// target. Lines are cut at 4,000 bytes. Also ends it when its time is up.
    async fn follow(
        &self,
        work: &Work,
        handle: &Handle,
        heard: &mut (dyn FnMut(Heard) + Send),
    ) -> Result<Ended, Trouble>;

    /// This process does not follow it, and says no more of it. What can go on without this process goes on, and is another one's to follow.
    async fn leave(&self, _handle: &Handle) {}

    /// Really ends it: politely, then by force. Safe to repeat.
    async fn end(&self, handle: &Handle) -> Result<(), Trouble>;

    /// The files that it left, up to so many bytes together and so many files. Files beyond are left out; their names are given.
    async fn collect(
        &self,
        handle: &Handle,
        most_bytes: u64,
        most_files: usize,
    ) -> Result<(Vec<Artefact>, Vec<String>), Trouble>;

    /// Takes away what is left of it. Safe to repeat.
    async fn remove(&self, handle: &Handle) -> Result<(), Trouble>;

    /// What of ours is there: job, try, handle. For clearing away what a lost worker left.
    async fn ours(&self) -> Result<Vec<(uuid::Uuid, i32, Handle)>, Trouble>;
}
