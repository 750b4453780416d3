//! This machine: each piece of work in namespaces and control groups of its own, as a user of its own, started by `patchbay run-job`. It
//! ends when its worker does: what a worker leaves behind is a folder and a control group, and nobody knows how the work ended.

mod groups;
pub mod inside;
mod machine;
mod spec;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use rustix::process::{Pid, Signal, getgid, getuid, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::Instant;

use crate::lines::Lines;
use crate::{Artefact, Checked, Ended, Handle, Heard, How, Target, Trouble, Work, archive, clear_former, named};
pub use groups::{Group, Groups};
use machine::{host, kernel, lives, memory_of_machine_mb, own_mark};
use spec::{Outcome, Spec};

/// Between asking politely and ending by force.
const GRACE: Duration = Duration::from_secs(5);
/// Between two looks at how much memory is in use.
const SAMPLE: Duration = Duration::from_millis(500);
/// The users that jobs run as; none of them has an account.
const FIRST_USER: u32 = 1_900_000_000;
const USERS: u128 = 60_000;

/// What runs in this process at the moment, by name.
#[derive(Default)]
pub struct LocalJobs {
    running: Mutex<HashMap<String, Option<Running>>>,
}

struct Running {
    child: Child,
    /// Held open: its end tells the child that the worker is gone.
    lifeline: Option<ChildStdin>,
    began: Instant,
}

/// This machine.
pub struct LocalTarget {
    /// Where each piece of work has a folder.
    folder: PathBuf,
    /// Patchbay's own program.
    program: PathBuf,
    jobs: Arc<LocalJobs>,
}

impl LocalTarget {
    pub fn new(folder: PathBuf, program: PathBuf, jobs: Arc<LocalJobs>) -> Self {
        Self { folder, program, jobs }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// None: Patchbay is not root, and there are none that it may make.
    fn groups(&self) -> Result<Option<Groups>, Trouble> {
        // Two installations on one machine have folders of their own, and so groups.
        let mark = self
            .folder
            .to_string_lossy()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        match Groups::open(&format!("patchbay-{mark:016x}")) {
            Ok(groups) => Ok(Some(groups)),
            Err(missing) if getuid().is_root() => Err(Trouble::target(missing)),
            Err(_) => Ok(None),
        }
    }

    fn group(&self, name: &str) -> Option<Group> {
        Some(self.groups().ok()??.group(name))
    }

    fn prepare(&self, work: &Work, folder: &Path, group: Option<&Group>) -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join("in"))?;
        for (name, content) in &work.files {
            fs::write(folder.join("in").join(name), content)?;
        }
        fs::write(folder.join("stdin"), &work.stdin)?;
        fs::write(folder.join("worker"), own_mark())?;
        let own_user = (!getuid().is_root()).then(|| (getuid().as_raw(), getgid().as_raw()));
        let spec = Spec {
            command: work.command.clone(),
            environment: work.environment.clone(),
            files: work.files.iter().map(|(name, _)| name.clone()).collect(),
            user: FIRST_USER + u32::try_from(work.job.as_u128() % USERS).unwrap_or(0),
            own_user,
            has_network: work.has_network,
            memory_mb: work.memory_mb,
            disk_mb: work.disk_mb,
            most_processes: work.most_processes,
            doors: group.map(Group::doors).unwrap_or_default(),
            ways_back: group.map(Group::ways_back).unwrap_or_default(),
        };
        spec.write(folder)
    }

    fn spawn(&self, folder: &Path) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg("run-job").arg(folder).env_clear().kill_on_drop(true).process_group(0);
        let child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir("/").spawn()?;
        if let Some(process) = child.id() {
            fs::write(folder.join("process"), process.to_string())?;
        }
        Ok(child)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Option<Running>>> {
        self.jobs.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Target for LocalTarget {
    async fn check(&self) -> Result<Checked, Trouble> {
        let groups = self.groups()?;
        // What checks of lost workers have left.
        for (job, _, handle) in self.ours().await? {
            let mark = fs::read_to_string(self.at(&handle.id).join("worker")).unwrap_or_default();
            if is_check(job) && !lives(&mark) {
                self.remove(&handle).await?;
            }
        }
        let work = Work {
            job: uuid::Uuid::from_u128(uuid::Uuid::now_v7().as_u128() & u128::from(u64::MAX)),
            attempt: 1,
            command: vec!["true".to_owned()],
            environment: Vec::new(),
            files: Vec::new(),
            stdin: Vec::new(),
            memory_mb: 64,
            cpu_milli: 1000,
            has_network: false,
            image: None,
            timeout: Duration::from_secs(20),
            disk_mb: 1,
            most_processes: 16,
        };
        let handle = self.start(&work).await?;
        let mut said = String::new();
        let ended = self
            .follow(&work, &handle, &mut |heard| {
                if let Heard::Err(_, line) = heard {
                    said = line;
                }
            })
            .await;
        self.remove(&handle).await?;
        match ended?.how {
            How::Exited(0) => {}
            other => {
                return Err(Trouble::target(format!("A job that does nothing did not end well: {other:?}. {said}")));
            }
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let memory = memory_of_machine_mb().map_or(String::new(), |mb| format!(", {mb} MB of memory"));
        let limits = match &groups {
            Some(groups) => format!("limits by control groups, version {}", groups.version()),
            None => "limits for each process".to_owned(),
        };
        let about = format!("{}: {}, processors: {processors}{memory}, {limits}", host(), kernel());
        let mut remarks = Vec::new();
        if groups.is_none() {
            remarks.push(
                "Patchbay is not root here and may make no control groups: memory is limited for each process of a job and not for all of \
                 them together, processor time is not limited, and that a job ran out of memory is not recognised."
                    .to_owned(),
            );
        }
        if groups.as_ref().is_some_and(|groups| !groups.limits_cpu()) {
            remarks.push("The controller cpu is missing: jobs may use all processors.".to_owned());
        }
        remarks.push("A job that may use the network also reaches what only this machine reaches.".to_owned());
        Ok(Checked { about, remarks })
    }

    async fn start(&self, work: &Work) -> Result<Handle, Trouble> {
        let name = work.name();
        let handle = Handle { id: name.clone(), host: host() };
        let folder = self.at(&name);
        if folder.exists() {
            return Ok(handle);
        }
        clear_former(self, work).await?;
        let broken = |error: std::io::Error| {
            Trouble::target(format!("This machine cannot take a job: {error}. Look at {}.", self.folder.display()))
        };
        let groups = self.groups()?;
        let group = groups.map(|groups| groups.make(work)).transpose().map_err(broken)?;
        let begun = self.prepare(work, &folder, group.as_ref()).and_then(|()| self.spawn(&folder));
        let mut child = match begun {
            Ok(child) => child,
            Err(error) => {
                self.remove(&handle).await?;
                return Err(broken(error));
            }
        };
        let lifeline = child.stdin.take();
        self.known().insert(name, Some(Running { child, lifeline, began: Instant::now() }));
        Ok(handle)
    }

    async fn follow(
        &self,
        work: &Work,
        handle: &Handle,
        heard: &mut (dyn FnMut(Heard) + Send),
    ) -> Result<Ended, Trouble> {
        let (folder, group) = (self.at(&handle.id), self.group(&handle.id));
        let taken = self.known().get_mut(&handle.id).and_then(Option::take);
        let Some(mut running) = taken else {
            self.end(handle).await?;
            let peak_memory_mb = group.and_then(|group| group.peak_mb());
            let how = How::Lost("The worker that ran it is gone or was given up, and it ended with it.".to_owned());
            return Ok(Ended { how, peak_memory_mb });
        };
        let until = running.began + work.timeout;
        // The machine's clock may be put right meanwhile.
        let (at, since) = (Utc::now(), Instant::now());
        let now = || at + since.elapsed();
        let (mut most, mut is_late) = (0, false);
        {
            let (mut out, mut err) = (Pipe::of(running.child.stdout.take()), Pipe::of(running.child.stderr.take()));
            let mut samples = tokio::time::interval(SAMPLE);
            while out.is_open() || err.is_open() {
                tokio::select! {
                    () = out.read(), if out.is_open() => out.tell(&mut |line| heard(Heard::Out(now(), line))),
                    () = err.read(), if err.is_open() => err.tell(&mut |line| heard(Heard::Err(now(), line))),
                    _ = samples.tick() => {
                        if let Some(mb) = group.as_ref().and_then(Group::usage_mb) {
                            most = most.max(mb);
                            heard(Heard::Memory(mb));
                        }
                    }
                    () = tokio::time::sleep_until(until), if !is_late => {
                        is_late = true;
                        // Not waited for: what it still says is heard meanwhile, and it cannot hold on by saying much.
                        self.ending(handle);
                    }
                }
            }
        }
        let _ = running.child.wait().await;
        drop(running.lifeline);
        self.known().remove(&handle.id);
        let peak = group.as_ref().and_then(Group::peak_mb).or((most > 0).then_some(most));
        let killed = group.as_ref().map_or(0, Group::killed_for_memory);
        let outcome = Outcome::read(&folder);
        let how = match outcome {
            Some(Outcome::Trouble { is_work, said }) => {
                return Err(if is_work { Trouble::work(said) } else { Trouble::target(said) });
            }
            _ if is_late => How::TimedOut,
            _ if folder.join("stopped").exists() => How::Stopped,
            // Also where the command said that all was well: a part of it was ended, and what it made is not whole.
            _ if killed > 0 => How::OutOfMemory(format!(
                "The kernel counts {killed} of its processes that were ended at its limit of {} MB.",
                work.memory_mb
            )),
            Some(Outcome::Exited(code)) => How::Exited(code),
            Some(Outcome::Signal(signal)) => How::Signal(signal),
            None => How::Lost("It was ended from outside before it could say how it went.".to_owned()),
        };
        Ok(Ended { how, peak_memory_mb: peak })
    }

    async fn leave(&self, handle: &Handle) {
        // Its process ends with it: two of them would do the same work.
        self.known().remove(&handle.id);
    }

    async fn end(&self, handle: &Handle) -> Result<(), Trouble> {
        let folder = self.at(&handle.id);
        if folder.exists() {
            let _ = fs::write(folder.join("stopped"), "");
        }
        end(&folder, self.group(&handle.id)).await;
        Ok(())
    }

    async fn collect(
        &self,
        handle: &Handle,
        most_bytes: u64,
        most_files: usize,
    ) -> Result<(Vec<Artefact>, Vec<String>), Trouble> {
        let path = self.at(&handle.id).join("out.tar");
        let read = move || {
            let file = fs::File::open(path);
            file.map(|file| archive::read(std::io::BufReader::new(file), most_bytes, most_files)).unwrap_or_default()
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| Trouble::target("Its files could not be read."))
    }

    async fn remove(&self, handle: &Handle) -> Result<(), Trouble> {
        let Some(_) = named(&handle.id) else { return Ok(()) };
        let folder = self.at(&handle.id);
        end(&folder, None).await;
        if let Some(group) = self.group(&handle.id) {
            group.remove().await;
        }
        self.known().remove(&handle.id);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Trouble::target(format!("{} cannot be removed: {error}.", folder.display())))
            }
            _ => Ok(()),
        }
    }

    async fn ours(&self) -> Result<Vec<(uuid::Uuid, i32, Handle)>, Trouble> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(Vec::new()) };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        // Those of this process too: whether a try is over, the rows of jobs know.
        let is_left = |name: &String| {
            let mark = fs::read_to_string(self.at(name).join("worker")).unwrap_or_default();
            mark == own_mark() || !lives(&mark)
        };
        let left = names.filter(is_left).filter_map(|name| {
            let (job, attempt) = named(&name)?;
            Some((job, attempt, Handle { id: name, host: host() }))
        });
        Ok(left.collect())
    }
}

impl LocalTarget {
    /// Ends it beside whatever else is done.
    fn ending(&self, handle: &Handle) {
        let (folder, group) = (self.at(&handle.id), self.group(&handle.id));
        tokio::spawn(async move { end(&folder, group).await });
    }
}

/// Politely, then by force.
async fn end(folder: &Path, group: Option<Group>) {
    if let Some(group) = group {
        group.signal(Signal::TERM);
        wait_for(GRACE, || group.is_empty()).await;
        for _ in 0..100 {
            if group.is_empty() {
                break;
            }
            group.signal(Signal::KILL);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // It says how it went and what it leaves, unless it had not begun.
        wait_for(GRACE, || process(folder).is_none()).await;
    }
    // Everything ends with the first of the two processes.
    if let Some(process) = process(folder) {
        let _ = kill_process(process, Signal::KILL);
    }
}

async fn wait_for(most: Duration, is_so: impl Fn() -> bool) {
    let until = Instant::now() + most;
    while !is_so() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The first process of a piece of work, while it lives. Its number may be somebody else's later, so its name is looked at.
fn process(folder: &Path) -> Option<Pid> {
    let number: i32 = fs::read_to_string(folder.join("process")).ok()?.parse().ok()?;
    let name = fs::read(format!("/proc/{number}/cmdline")).ok()?;
    let wanted = folder.as_os_str().as_encoded_bytes();
    if name.windows(wanted.len()).any(|part| part == wanted) { Pid::from_raw(number) } else { None }
}

/// One of the two ways that a piece of work speaks.
struct Pipe<R> {
    from: Option<R>,
    buffer: Vec<u8>,
    lines: Lines,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    fn of(from: Option<R>) -> Self {
        Self { from, buffer: Vec::with_capacity(64 * 1024), lines: Lines::default() }
    }

    fn is_open(&self) -> bool {
        self.from.is_some()
    }

    /// Takes what is there into the buffer; dropped in between it has taken nothing.
    async fn read(&mut self) {
        self.buffer.clear();
        if let Some(from) = &mut self.from
            && !matches!(from.read_buf(&mut self.buffer).await, Ok(read) if read > 0)
        {
            self.from = None;
        }
    }

    fn tell(&mut self, each: &mut dyn FnMut(String)) {
        self.lines.take(&self.buffer, &mut *each);
        if self.from.is_none()
            && let Some(rest) = self.lines.rest()
        {
            each(rest);
        }
    }
}

/// The job of a check is in no row: its id has nothing in the upper half.
fn is_check(job: uuid::Uuid) -> bool {
    job.as_u128() >> 64 == 0
}
