//! This process and this machine, by name.

use std::fs;

/// Names this process, also when its number is given to another one later.
pub(super) fn own_mark() -> String {
    mark_of("self").unwrap_or_default()
}

fn mark_of(process: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let number = stat.split(' ').next()?.to_owned();
    // The name stands in parentheses and may hold anything; the time of the start is the twentieth after it.
    let began = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.to_owned();
    Some(format!("{number} {began}"))
}

pub(super) fn lives(mark: &str) -> bool {
    let number = mark.split(' ').next().unwrap_or_default();
    !number.is_empty() && mark_of(number).as_deref() == Some(mark)
}

pub(super) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

pub(super) fn kernel() -> String {
    let name = rustix::system::uname();
    format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy())
}

pub(super) fn memory_of_machine_mb() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
