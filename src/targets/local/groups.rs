//! Control groups of this machine: limits on memory, processes and processor time that the kernel keeps, of version 1 or 2.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::Work;

const MOUNTED: &str = "/sys/fs/cgroup";
/// Of the processor's time: what a quota is given for, in microseconds.
const PERIOD: u64 = 100_000;
const MB: u64 = 1024 * 1024;
/// A group that came so near to its limit was at it: the kernel gives memory in pieces.
const NEAR_MB: u32 = 4;

/// Where groups of ours are made.
#[derive(Debug, Clone)]
pub enum Groups {
    One { memory: PathBuf, pids: PathBuf, cpu: Option<PathBuf> },
    Two(PathBuf),
}

/// The group of one piece of work.
#[derive(Debug, Clone)]
pub struct Group {
    /// Version 2 has one folder for everything.
    is_two: bool,
    memory: PathBuf,
    all: Vec<PathBuf>,
}

impl Groups {
    /// Looks for what there is, and makes the folder that ours lie in. Errors: what is missing, and what to do.
    pub fn open(ours: &str) -> Result<Self, String> {
        Self::open_at(Path::new(MOUNTED), ours)
    }

    /// The same where control groups are mounted somewhere else.
    pub fn open_at(mounted: &Path, ours: &str) -> Result<Self, String> {
        if mounted.join("cgroup.controllers").exists() {
            if !has_all(&mounted.join("cgroup.controllers")) {
                return Err(missing("its controllers memory and pids are not there"));
            }
            let at = mounted.join(ours);
            if let Err(error) = fs::create_dir_all(&at) {
                return Err(missing(&format!("it cannot be written ({error})")));
            }
            let controllers = at.join("cgroup.controllers");
            let above = if has_all(&controllers) { Ok(()) } else { switch_on(mounted) };
            if above.is_ok() && !has(&controllers, "cpu") {
                let _ = fs::write(mounted.join("cgroup.subtree_control"), "+cpu");
            }
            if let Err(error) = above.and_then(|()| switch_on(&at)) {
                // Where a container has groups of its own, its first process lies in their root, and the kernel wants none there.
                let why = match error.kind() {
                    io::ErrorKind::ResourceBusy => {
                        "processes lie in its root group. Before Patchbay starts, make a group below it (mkdir /sys/fs/cgroup/init) and move \
                         them there (write their numbers into its cgroup.procs)"
                    }
                    _ => "memory and pids cannot be switched on below it",
                };
                return Err(missing(&format!("{why} ({error})")));
            }
            return if has_all(&at.join("cgroup.subtree_control")) {
                Ok(Self::Two(at))
            } else {
                Err(missing("memory and pids are not switched on below it"))
            };
        }
        let below = |controller: &str| {
            let at = mounted.join(controller).join(ours);
            let is_there = mounted.join(controller).join("cgroup.procs").exists();
            (is_there && fs::create_dir_all(&at).is_ok()).then_some(at)
        };
        match (below("memory"), below("pids")) {
            (Some(memory), Some(pids)) => Ok(Self::One { memory, pids, cpu: below("cpu") }),
            (None, _) => Err(missing("its controller memory is not there, or cannot be written")),
            (_, None) => Err(missing("its controller pids is not there, or cannot be written")),
        }
    }

    /// For people.
    pub fn version(&self) -> u8 {
        if matches!(self, Self::Two(_)) { 2 } else { 1 }
    }

    pub fn limits_cpu(&self) -> bool {
        match self {
            Self::One { cpu, .. } => cpu.is_some(),
            Self::Two(at) => has(&at.join("cgroup.subtree_control"), "cpu"),
        }
    }

    pub fn group(&self, name: &str) -> Group {
        match self {
            Self::Two(at) => Group { is_two: true, memory: at.join(name), all: vec![at.join(name)] },
            Self::One { memory, pids, cpu } => {
                let all = [Some(memory), Some(pids), cpu.as_ref()].into_iter().flatten().map(|at| at.join(name));
                Group { is_two: false, memory: memory.join(name), all: all.collect() }
            }
        }
    }

    /// Makes the group of a piece of work with its limits.
    pub fn make(&self, work: &Work) -> io::Result<Group> {
        let group = self.group(&work.name());
        for at in &group.all {
            fs::create_dir_all(at)?;
        }
        let bytes = (u64::from(work.memory_mb) * MB).to_string();
        let processes = work.most_processes.to_string();
        let quota = (u64::from(work.cpu_milli) * PERIOD / 1000).max(1000);
        match self {
            Self::Two(_) => {
                fs::write(group.memory.join("memory.max"), &bytes)?;
                // Without swap there is no such file.
                let _ = fs::write(group.memory.join("memory.swap.max"), "0");
                fs::write(group.memory.join("pids.max"), processes)?;
                let _ = fs::write(group.memory.join("cpu.max"), format!("{quota} {PERIOD}"));
            }
            Self::One { pids, cpu, .. } => {
                fs::write(group.memory.join("memory.limit_in_bytes"), &bytes)?;
                let _ = fs::write(group.memory.join("memory.memsw.limit_in_bytes"), &bytes);
                let _ = fs::write(group.memory.join("memory.swappiness"), "0");
                fs::write(pids.join(work.name()).join("pids.max"), processes)?;
                if let Some(cpu) = cpu {
                    let _ = fs::write(cpu.join(work.name()).join("cpu.cfs_quota_us"), quota.to_string());
                }
            }
        }
        Ok(group)
    }
}

/// Whether a file names this controller.
fn has(file: &Path, controller: &str) -> bool {
    fs::read_to_string(file).unwrap_or_default().split_whitespace().any(|word| word == controller)
}

fn has_all(file: &Path) -> bool {
    has(file, "memory") && has(file, "pids")
}

/// Has the groups below this one limited. One by one: a write that names a controller that is not there does nothing at all.
fn switch_on(at: &Path) -> io::Result<()> {
    let file = at.join("cgroup.subtree_control");
    fs::write(&file, "+memory +pids")?;
    let _ = fs::write(&file, "+cpu");
    Ok(())
}

fn missing(what: &str) -> String {
    format!(
        "Patchbay runs as root, and control groups cannot limit what a job takes: {what}. Mount {MOUNTED} so that Patchbay may write it, or \
         run Patchbay as a user of its own."
    )
}

impl Group {
    /// The files that a process writes 0 into to be of the group.
    pub fn doors(&self) -> Vec<PathBuf> {
        self.all.iter().map(|at| at.join("cgroup.procs")).collect()
    }

    /// The files that lead back into the groups that this process is in.
    pub fn ways_back(&self) -> Vec<PathBuf> {
        self.ways_back_of(&fs::read_to_string("/proc/self/cgroup").unwrap_or_default())
    }

    /// `own`: which groups a process is in, as the kernel says it.
    pub fn ways_back_of(&self, own: &str) -> Vec<PathBuf> {
        let at = |controller: &str| {
            own.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':').skip(1);
                let (names, path) = (parts.next()?, parts.next()?);
                names.split(',').any(|name| name == controller).then(|| path.trim_start_matches('/').to_owned())
            })
        };
        let mounted = Path::new(MOUNTED);
        if self.is_two {
            return at("").map(|path| mounted.join(path).join("cgroup.procs")).into_iter().collect();
        }
        let of = |name: &&str| Some(mounted.join(name).join(at(name)?).join("cgroup.procs"));
        ["memory", "pids", "cpu"][..self.all.len()].iter().filter_map(of).collect()
    }

    /// Megabytes that are in use.
    pub fn usage_mb(&self) -> Option<u32> {
        self.megabytes(if self.is_two { "memory.current" } else { "memory.usage_in_bytes" })
    }

    /// The most that was in use. Kernels before 5.19 do not say it of version 2.
    pub fn peak_mb(&self) -> Option<u32> {
        self.megabytes(if self.is_two { "memory.peak" } else { "memory.max_usage_in_bytes" })
    }

    fn megabytes(&self, file: &str) -> Option<u32> {
        let bytes: u64 = fs::read_to_string(self.memory.join(file)).ok()?.trim().parse().ok()?;
        u32::try_from(bytes.div_ceil(MB)).ok()
    }

    /// How many processes the kernel ended because the group was at its limit. Those that it ended because the whole machine had no memory
    /// left are counted by it, too, and are none of these.
    pub fn killed_for_memory(&self) -> u64 {
        let read = |file: &str| fs::read_to_string(self.memory.join(file)).unwrap_or_default();
        let text = read(if self.is_two { "memory.events" } else { "memory.oom_control" });
        let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        let is_at_limit = match self.is_two {
            true => of("oom ") != Some(0),
            // Version 1 does not say whose want it was, and kernels of today do not count how often the limit was reached.
            false => match (self.peak_mb(), self.megabytes("memory.limit_in_bytes")) {
                (Some(peak), Some(limit)) => peak + NEAR_MB >= limit,
                _ => true,
            },
        };
        if is_at_limit { of("oom_kill ").unwrap_or(0) } else { 0 }
    }

    fn members(&self) -> Vec<Pid> {
        let text = self.all.iter().find_map(|at| fs::read_to_string(at.join("cgroup.procs")).ok());
        text.unwrap_or_default().lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.members().is_empty()
    }

    /// To every process of it.
    pub fn signal(&self, signal: Signal) {
        if signal == Signal::KILL && self.is_two {
            let _ = fs::write(self.memory.join("cgroup.kill"), "1");
        }
        for process in self.members() {
            let _ = kill_process(process, signal);
        }
    }

    /// Ends what is in it and takes it away.
    pub async fn remove(&self) {
        for _ in 0..100 {
            self.signal(Signal::KILL);
            let gone = self.all.iter().filter(|at| at.exists()).all(|at| fs::remove_dir(at).is_ok());
            if gone {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tracing::warn!(group = %self.memory.display(), "a control group cannot be removed");
    }
}
