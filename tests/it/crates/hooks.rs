//! How a lower crate reaches an upper one: it enqueues a job whose handler, or calls a hook whose function, the upper crate has and
//! `boot` registers. So every job has a handler and every hook a function, and nobody but `boot` knows both sides.

use std::collections::BTreeSet;

use super::{crate_of, lines, report, rust};

/// Files beside `server/jobs.rs` that say what their jobs do.
const HANDLERS: [&str; 2] = ["src/calls/server/follow.rs", "src/mail/lib.rs"];

/// The code of a file without its comments and tests, on one line.
fn code(text: &str) -> String {
    lines(text).map(|(_, line)| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The word that follows each `start` in `code`.
fn after(code: &str, start: &str) -> BTreeSet<String> {
    code.match_indices(start)
        .map(|(at, _)| {
            let rest = code[at + start.len()..].trim_start();
            rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
        })
        .filter(|word: &String| !word.is_empty())
        .collect()
}

#[test]
fn boot_registers_what_every_job_does() {
    let work = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/boot/work.rs")).expect("boot/work.rs");
    let (mut jobs, mut handled, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (path, text) in rust() {
        let (code, own) = (code(&text), crate_of(&path));
        jobs.extend(after(&code, "impl Job for "));
        if own == "jobs" {
            continue;
        }
        if code.contains("registry.add") || code.contains("Queue::new(") {
            let is_named = work.contains(&format!("patchbay_{own}::"));
            let may = path == format!("src/{own}/server/jobs.rs") || HANDLERS.contains(&path.as_str());
            if code.contains("registry.add") && !may {
                wrong.push(format!("{path} says what jobs do; that stands in server/jobs.rs"));
            }
            if !is_named {
                wrong.push(format!("{path}: boot/work.rs does not register it"));
            }
            // `registry.add::<X, …>`, `registry.add(|scope, job: X| …)` or `registry.add(|scope, _: X| …)`
            handled.extend(after(&code, "registry.add::<"));
            handled.extend(after(&code, ", job: "));
            handled.extend(after(&code, "registry.add(|scope, _: "));
        }
        if own != "boot" && (code.contains(".register(") || code.contains("register(&mut")) {
            wrong.push(format!("{path} registers jobs; boot does that"));
        }
    }
    wrong.extend(jobs.difference(&handled).map(|job| format!("nobody does the job {job}")));
    assert!(jobs.len() >= 9, "the search finds only {jobs:?}");
    report("jobs", wrong);
}

#[test]
fn boot_gives_a_function_for_every_hook() {
    let (mut called, mut given, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (path, text) in rust() {
        let code = code(&text);
        called.extend(after(&code, "hooks.get::<"));
        let adds = after(&code, "hooks.add(");
        if !adds.is_empty() && path != "src/boot/services.rs" {
            wrong.push(format!("{path} gives hooks; src/boot/services.rs does that"));
        }
        given.extend(adds);
    }
    assert!(called.len() >= 7, "the search finds only {called:?}");
    wrong.extend(called.difference(&given).map(|hook| format!("boot gives no {hook}")));
    wrong.extend(given.difference(&called).map(|hook| format!("nobody calls {hook}")));
    report("hooks", wrong);
}
