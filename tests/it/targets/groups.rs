//! Control groups of both versions, by files such as the kernel has, and what is said where jobs cannot be limited.

use std::fs;
use std::path::PathBuf;

use patchbay_targets::{Groups, inside};

use super::{Folder, script};

#[test]
fn limits_are_written_and_ends_are_read_in_both_versions() {
    let folder = Folder::new();
    let two = Groups::Two(folder.0.join("two"));
    let [memory, pids, cpu] = ["memory", "pids", "cpu"].map(|name| folder.0.join(name));
    let one = Groups::One { memory: memory.clone(), pids: pids.clone(), cpu: Some(cpu.clone()) };
    let work = script("true");
    let name = work.name();
    let at = folder.0.join("two").join(&name);
    let made = two.make(&work).expect("a group");
    let text = |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (file, limit) in
        [("memory.max", "67108864"), ("memory.swap.max", "0"), ("pids.max", "24"), ("cpu.max", "100000 100000")]
    {
        assert_eq!(text(at.join(file)), limit, "{file}");
    }
    assert_eq!(made.doors(), [at.join("cgroup.procs")]);
    let own = "0::/system.slice/patchbay.service\n";
    assert_eq!(made.ways_back_of(own), [PathBuf::from("/sys/fs/cgroup/system.slice/patchbay.service/cgroup.procs")]);
    assert_eq!((two.version(), two.limits_cpu()), (2, false));
    fs::write(folder.0.join("two/cgroup.subtree_control"), "cpu memory pids\n").expect("a file");
    assert!(two.limits_cpu());
    // Kernels before 5.19 do not say the most that was in use.
    fs::write(at.join("memory.current"), "1048577\n").expect("a file");
    assert_eq!((made.usage_mb(), made.peak_mb(), made.killed_for_memory()), (Some(2), None, 0));
    fs::write(at.join("memory.peak"), "67108864\n").expect("a file");
    assert_eq!(made.peak_mb(), Some(64));
    for (events, killed) in [
        ("low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\noom_group_kill 0\n", 2),
        ("low 0\nhigh 0\nmax 12\noom 2\noom_kill 0\noom_group_kill 0\n", 0),
        // The whole machine had no memory left: that was not this job's limit.
        ("low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\noom_group_kill 0\n", 0),
        ("nonsense\n", 0),
    ] {
        fs::write(at.join("memory.events"), events).expect("a file");
        assert_eq!(made.killed_for_memory(), killed, "{events}");
    }

    let made = one.make(&work).expect("a group");
    assert_eq!(text(memory.join(&name).join("memory.limit_in_bytes")), "67108864");
    assert_eq!(text(pids.join(&name).join("pids.max")), "24");
    assert_eq!(text(cpu.join(&name).join("cpu.cfs_quota_us")), "100000");
    assert_eq!((one.version(), one.limits_cpu(), made.doors().len()), (1, true, 3));
    let own = "9:name=systemd:/\n8:pids:/a\n4:cpu,cpuacct:/c\n3:memory:/m/n\n0::/\n";
    let back =
        ["memory/m/n", "pids/a", "cpu/c"].map(|path| PathBuf::from(format!("/sys/fs/cgroup/{path}/cgroup.procs")));
    assert_eq!(made.ways_back_of(own), back);
    fs::write(memory.join(&name).join("memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
        .expect("a file");
    assert_eq!(made.killed_for_memory(), 3, "a kernel that says no more");
    for (peak, killed) in [("67108864\n", 3), ("66000000\n", 3), ("30000000\n", 0)] {
        fs::write(memory.join(&name).join("memory.max_usage_in_bytes"), peak).expect("a file");
        assert_eq!(made.killed_for_memory(), killed, "{peak}");
    }
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let folder = Folder::new();
    let refused = |what: &str| {
        let said = Groups::open_at(&folder.0, "patchbay-test").expect_err("jobs cannot be limited");
        assert!(said.contains(what) && said.contains("or run Patchbay as a user of its own"), "{said}");
    };
    refused("its controller memory is not there");
    let all = folder.0.join("cgroup.controllers");
    fs::write(&all, "cpuset cpu io\n").expect("a file");
    refused("its controllers memory and pids are not there");
    fs::write(&all, "cpuset cpu io memory pids\n").expect("a file");
    fs::write(folder.0.join("patchbay-test"), "a file in its place").expect("a file");
    refused("it cannot be written");
    fs::remove_file(folder.0.join("patchbay-test")).expect("removed");
    fs::create_dir(folder.0.join("cgroup.subtree_control")).expect("a folder");
    refused("memory and pids cannot be switched on below it");
    // Somebody has switched on all but the processor at the root.
    let most = Folder::new();
    fs::create_dir(most.0.join("patchbay-test")).expect("a folder");
    for (file, names) in
        [("cgroup.controllers", "cpu memory pids\n"), ("patchbay-test/cgroup.controllers", "memory pids\n")]
    {
        fs::write(most.0.join(file), names).expect("a file");
    }
    let _ = Groups::open_at(&most.0, "patchbay-test");
    assert_eq!(fs::read_to_string(most.0.join("cgroup.subtree_control")).expect("it was written"), "+cpu");

    let is = |name: &'static str, value: &'static str| move |asked: &str| (asked == name).then(|| format!("{value}\n"));
    let none = |_: &str| None;
    assert!(inside::remedy(true, none).contains("SYS_ADMIN"));
    assert!(inside::remedy(false, is("user/max_user_namespaces", "0")).contains("user.max_user_namespaces to 10000"));
    let apparmor = "kernel/apparmor_restrict_unprivileged_userns";
    assert!(inside::remedy(false, is(apparmor, "1")).contains("AppArmor"));
    assert!(
        inside::remedy(false, is("kernel/unprivileged_userns_clone", "0")).contains("unprivileged_userns_clone to 1")
    );
    for setting in [is(apparmor, "0"), is("kernel/unprivileged_userns_clone", "1")] {
        assert!(inside::remedy(false, setting).contains("its container may forbid them"));
    }
}
