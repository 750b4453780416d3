//! `patchbay run-job`: the part of a local piece of work that runs in processes of its own. The first one leaves the namespaces of this
//! machine and waits; it ends everything when the worker that started it is gone. The second one is the first process of the new
//! namespaces: it builds a file system of its own, gives up what it may, runs the command as somebody else, and writes down what became of it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, StatVfsMountFlags, statvfs};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change, mount_remount, unmount,
};
use rustix::process::{
    Gid, Pid, PidfdFlags, Resource, Rlimit, Signal, Uid, WaitOptions, chdir, kill_process_group, pidfd_open,
    pivot_root, set_parent_process_death_signal, setrlimit, wait,
};
use rustix::thread::{
    CapabilitySet, UnshareFlags, remove_capability_from_bounding_set, set_no_new_privs, set_thread_gid,
    set_thread_groups, set_thread_uid,
};

use super::spec::{Outcome, Spec};
use crate::archive::LEFT_OUT;

/// Folders with programs and libraries. Nothing else of the machine is there, but for a few files of `/etc`.
const PROGRAMS: [&str; 8] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix"];
const SETTINGS: [&str; 7] =
    ["alternatives", "ca-certificates", "ld.so.cache", "ld.so.conf", "localtime", "nsswitch.conf", "ssl"];
const OF_NETWORK: [&str; 4] = ["hosts", "protocols", "resolv.conf", "services"];
const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];
/// Files that it may give back, and bytes of them.
const MOST_FILES: usize = 2000;
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The two processes. `folder`: of the piece of work. `is_inside`: the second one.
pub fn main(folder: &Path, is_inside: bool) -> u8 {
    let done = if is_inside { second(folder) } else { first(folder) };
    u8::from(done.is_err())
}

fn first(folder: &Path) -> io::Result<()> {
    let spec = Spec::read(folder)?;
    let result = leave(&spec).and_then(|()| {
        let program = std::env::current_exe()?;
        let mut command = Command::new(program);
        command.arg("run-job").arg(folder).arg("--inside").stdin(Stdio::null()).spawn()
    });
    let mut child = match result {
        Ok(child) => child,
        Err(error) => {
            let todo = remedy(spec.own_user.is_none(), setting);
            let said = format!("This machine does not let a job have namespaces of its own: {error}. {todo}");
            return Outcome::Trouble { is_work: false, said }.write(&mut File::create(folder.join("result.json"))?);
        }
    };
    if is_worker_gone(&child)? {
        child.kill()?;
    }
    child.wait().map(|_| ())
}

/// Waits for the second process to end, or for the worker: it holds the other end of the input and writes nothing, so its end is the
/// worker's. Without a thread, because whoever has left a namespace of processes cannot start one.
fn is_worker_gone(child: &Child) -> io::Result<bool> {
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    let (process, input) = (pidfd_open(number, PidfdFlags::empty())?, io::stdin());
    let mut waits = [PollFd::new(&process, PollFlags::IN), PollFd::new(&input, PollFlags::IN)];
    loop {
        match poll(&mut waits, None) {
            Ok(_) if !waits[0].revents().is_empty() => return Ok(false),
            Ok(_) if !waits[1].revents().is_empty() => return Ok(true),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Leaves the namespaces of the machine; what is started next is the first process of new ones.
fn leave(spec: &Spec) -> io::Result<()> {
    let mut flags = UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    flags.set(UnshareFlags::NEWNET, !spec.has_network);
    flags.set(UnshareFlags::NEWUSER, spec.own_user.is_some());
    // What makes it deprecated is the table of open files, which is not left here; and there is one thread.
    #[expect(deprecated)]
    rustix::thread::unshare(flags)?;
    if let Some((user, group)) = spec.own_user {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    }
    Ok(())
}

/// A setting of the kernel.
fn setting(name: &str) -> Option<String> {
    fs::read_to_string(Path::new("/proc/sys").join(name)).ok()
}

/// What to do where the kernel does not let a job have namespaces. `is_root`: Patchbay is. `setting`: the kernel's, by name.
pub fn remedy(is_root: bool, setting: impl Fn(&str) -> Option<String>) -> &'static str {
    let is = |name: &str, value: &str| setting(name).is_some_and(|text| text.trim() == value);
    if is_root {
        "Patchbay is root, but its container keeps it from that: give the container the capability SYS_ADMIN, or run Patchbay as a user of \
         its own."
    } else if is("user/max_user_namespaces", "0") {
        "User namespaces are switched off: set the kernel’s setting user.max_user_namespaces to 10000 (sysctl), or run Patchbay as root."
    } else if is("kernel/unprivileged_userns_clone", "0") {
        "Only root may have user namespaces: set the kernel’s setting kernel.unprivileged_userns_clone to 1 (sysctl), or run Patchbay as root."
    } else if is("kernel/apparmor_restrict_unprivileged_userns", "1") {
        "AppArmor keeps programs without a profile from using user namespaces: give Patchbay a profile that allows userns, set the kernel’s \
         setting kernel.apparmor_restrict_unprivileged_userns to 0 (sysctl), or run Patchbay as root."
    } else {
        "Let Patchbay have user namespaces: its container may forbid them (seccomp), or hide parts of /proc or of /sys. Or run it as root."
    }
}

fn second(folder: &Path) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let spec = Spec::read(folder)?;
    // Opened while the folder can be reached.
    let mut result = File::create(folder.join("result.json"))?;
    let archive = File::create(folder.join("out.tar"))?;
    let outcome = run(folder, &spec).unwrap_or_else(|(is_work, said)| Outcome::Trouble { is_work, said });
    if let Err(error) = give_back(archive, &spec) {
        let _ = writeln!(io::stderr(), "files could not be given back: {error}");
    }
    outcome.write(&mut result)
}

fn run(folder: &Path, spec: &Spec) -> Result<Outcome, (bool, String)> {
    let broken = |what: &'static str| {
        move |error: io::Error| (false, format!("This machine cannot make a place for jobs ({what}): {error}."))
    };
    let input = File::open(folder.join("stdin")).map_err(broken("input"))?;
    let open = |paths: &[std::path::PathBuf]| -> io::Result<Vec<File>> {
        paths.iter().map(|path| File::options().write(true).open(path)).collect()
    };
    let mut doors = open(&spec.doors).map_err(broken("control groups"))?;
    let mut back = open(&spec.ways_back).unwrap_or_default();
    place(folder, spec).map_err(|error| {
        // An ordinary user may be given a namespace in which nothing may be done.
        let is_forbidden = spec.own_user.is_some() && error.kind() == io::ErrorKind::PermissionDenied;
        let (is_work, said) = broken("file system")(error);
        let todo = if is_forbidden { remedy(false, setting) } else { "" };
        (is_work, format!("{said} {todo}").trim_end().to_owned())
    })?;
    give_up(spec).map_err(broken("limits"))?;

    let Some((program, arguments)) = spec.command.split_first() else {
        return Err((true, "There is no command.".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs([
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
        ("HOME", "/work"),
        ("TMPDIR", "/tmp"),
        ("LANG", "C.UTF-8"),
    ]);
    command.envs(spec.environment.iter().map(|(name, value)| (name, value)));
    command.current_dir("/work").stdin(input).process_group(0);
    if spec.own_user.is_none() {
        command.uid(spec.user).gid(spec.user);
    }
    for door in &mut doors {
        door.write_all(b"0").map_err(broken("control groups"))?;
    }
    let started = command.spawn();
    // What watches does not count.
    for door in &mut back {
        let _ = door.write_all(b"0");
    }
    let child = match started {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err((true, format!("There is no program named {program} on this machine.")));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err((true, format!("{program} is no program that may be run.")));
        }
        Err(error) => return Err((false, format!("{program} could not be started: {error}."))),
    };
    let outcome = reap(child.id());
    // Whatever it has left running.
    let _ = kill_process_group(Pid::INIT, Signal::KILL);
    while wait(WaitOptions::empty()).is_ok() {}
    Ok(outcome)
}

/// Waits for the command, and for whatever becomes an orphan meanwhile.
fn reap(command: u32) -> Outcome {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((process, status))) if process.as_raw_nonzero().get().unsigned_abs() == command => {
                return match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Outcome::Exited(code),
                    (None, signal) => Outcome::Signal(signal.unwrap_or(0)),
                };
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Outcome::Signal(0),
        }
    }
}

/// A file system with programs to read and a working folder of its own.
fn place(folder: &Path, spec: &Spec) -> io::Result<()> {
    let plain = MountFlags::NOSUID | MountFlags::NODEV;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let root = folder.join("root");
    fs::create_dir_all(&root)?;
    mount("tmpfs", &root, "tmpfs", plain, Some(c"size=4m,mode=755"))?;
    for name in PROGRAMS {
        let from = Path::new("/").join(name);
        match fs::symlink_metadata(&from) {
            Ok(kind) if kind.is_symlink() => symlink(fs::read_link(&from)?, root.join(name))?,
            Ok(kind) if kind.is_dir() => bind(&from, &root.join(name))?,
            _ => {}
        }
    }
    fs::create_dir(root.join("etc"))?;
    let network = if spec.has_network { &OF_NETWORK[..] } else { &[] };
    for name in SETTINGS.iter().chain(network) {
        if let Ok(from) = Path::new("/etc").join(name).canonicalize() {
            bind(&from, &root.join("etc").join(name))?;
        }
    }
    fs::write(root.join("etc/passwd"), format!("job:x:{0}:{0}:job:/work:/bin/sh\n", spec.user))?;
    fs::write(root.join("etc/group"), format!("job:x:{}:\n", spec.user))?;
    fs::create_dir(root.join("dev"))?;
    for name in DEVICES {
        let to = root.join("dev").join(name);
        File::create(&to)?;
        mount_bind_recursive(Path::new("/dev").join(name), &to)?;
    }
    for (name, to) in [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        symlink(Path::new("/proc/self").join(to), root.join("dev").join(name))?;
    }
    let folder_of_memory = |name: &str, options: &str| {
        fs::create_dir_all(root.join(name))?;
        let options = std::ffi::CString::new(options).map_err(io::Error::other)?;
        mount("tmpfs", root.join(name), "tmpfs", plain, Some(options.as_c_str())).map_err(io::Error::from)
    };
    folder_of_memory("dev/shm", "size=16m,mode=1777")?;
    folder_of_memory("tmp", "size=64m,mode=1777")?;
    // Without control groups nothing else limits what lies in memory.
    let size = if spec.doors.is_empty() { spec.disk_mb.min(spec.memory_mb) } else { spec.disk_mb };
    folder_of_memory("work", &format!("size={size}m,mode=755,nr_inodes=65536"))?;
    fs::create_dir(root.join("proc"))?;
    mount("proc", root.join("proc"), "proc", plain | MountFlags::NOEXEC, None)?;

    let work = root.join("work");
    let owner = if spec.own_user.is_some() { 0 } else { spec.user };
    let give = |path: &Path| {
        chown(path, Some(owner), Some(owner)).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => io::Error::other(
                "Patchbay is root of a user namespace that lacks the users of jobs, as in a container without root; run it there as a \
                 user of its own",
            ),
            _ => error,
        })
    };
    fs::create_dir(work.join("out"))?;
    for name in &spec.files {
        fs::copy(folder.join("in").join(name), work.join(name))?;
        give(&work.join(name))?;
    }
    give(&work.join("out"))?;
    give(&work)?;

    chdir(&root)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")?;
    mount_remount("/", plain | MountFlags::RDONLY, "")?;
    Ok(())
}

/// Something of the machine, to read.
fn bind(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir(to)?;
    } else {
        File::create(to)?;
    }
    mount_bind_recursive(from, to)?;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    // What the machine's own mount forbids stays forbidden: in a user namespace the kernel refuses to leave it out.
    flags.set(MountFlags::NOEXEC, statvfs(to)?.f_flag.contains(StatVfsMountFlags::NOEXEC));
    Ok(mount_remount(to, flags, "")?)
}

/// Limits of this process and of what it starts, and no way to become more.
fn give_up(spec: &Spec) -> io::Result<()> {
    rustix::system::sethostname(b"job")?;
    let limit = |what, most: u64| setrlimit(what, Rlimit { current: Some(most), maximum: Some(most) });
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, 1024)?;
    // Above all that a job may give back, and what its folder holds.
    limit(Resource::Fsize, u64::from(spec.disk_mb) * 1024 * 1024 + 2 * MOST_BYTES)?;
    if spec.doors.is_empty() {
        limit(Resource::As, u64::from(spec.memory_mb) * 1024 * 1024)?;
        // Of this user in this namespace.
        limit(Resource::Nproc, u64::from(spec.most_processes))?;
    }
    for capability in CapabilitySet::all().iter() {
        // The kernel may not know the newest.
        let _ = remove_capability_from_bounding_set(capability);
    }
    Ok(set_no_new_privs(true)?)
}

/// Puts what lies in `out` into the archive, as the job's own user: what the job may not read is not read for it. Nothing runs any more that
/// could change it. Links and devices are left where they are; of files that are too large only the names go along.
fn give_back(archive: File, spec: &Spec) -> io::Result<()> {
    if spec.own_user.is_none() {
        set_thread_groups(&[])?;
        set_thread_gid(Gid::from_raw(spec.user))?;
        set_thread_uid(Uid::from_raw(spec.user))?;
        // Another user means another beginning.
        set_parent_process_death_signal(Some(Signal::KILL))?;
    }
    let mut archive = tar::Builder::new(archive);
    let out = Path::new("/work/out");
    let (mut folders, mut files, mut bytes) = (Vec::new(), 0, 0);
    if fs::symlink_metadata(out).is_ok_and(|kind| kind.is_dir()) {
        folders.push(out.to_owned());
    }
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries {
            let (Ok(kind), Ok(name)) = (fs::symlink_metadata(&path), path.strip_prefix(out)) else { continue };
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && files < MOST_FILES {
                files += 1;
                let mut header = tar::Header::new_gnu();
                header.set_mode(0o644);
                header.set_size(0);
                // A file may have holes, and be longer than what it takes.
                let content = if kind.size() <= MOST_BYTES - bytes { open_plainly(&path).ok() } else { None };
                let Some(content) = content else {
                    archive.append_data(&mut header, Path::new(LEFT_OUT).join(name), io::empty())?;
                    continue;
                };
                bytes += kind.size();
                header.set_size(kind.size());
                archive.append_data(&mut header, Path::new("out").join(name), content.take(kind.size()))?;
            }
        }
    }
    archive.into_inner()?.sync_all()
}

/// A file itself, and never what a link leads to.
fn open_plainly(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
    File::options().read(true).custom_flags(flags).open(path)
}
