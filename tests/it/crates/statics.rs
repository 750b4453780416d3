//! Nothing that changes belongs to the process: two servers in one process (the tests run some) share nothing. What a crate remembers
//! stands in `services.state::<T>()`.

use super::{is_server_path, lines, report, rust};

/// Statics that change, with the reason why they may: file, name, why.
const MAY: &[(&str, &str, &str)] = &[
    ("src/boot/telemetry.rs", "HANDLE", "the metrics library has one recorder per process"),
    ("src/ui/form_action.rs", "SPENT", "of the browser's tab, where one thread runs; the server never sets it"),
    ("src/ui/live.rs", "HUB", "of the browser's tab: one stream of notices per tab"),
    ("src/jobs/beside.rs", "BESIDE", "of a task, not of the process: what the work at hand has started beside itself"),
];

/// Types that change although nobody holds them alone.
const CHANGING: [&str; 14] = [
    "Mutex",
    "RwLock",
    "Atomic",
    "OnceLock",
    "OnceCell",
    "LazyCell",
    "Cell<",
    "Semaphore",
    "Notify",
    "Condvar",
    "Sender",
    "UnsafeCell",
    "DashMap",
    "Barrier",
];

/// Name and type of each static in a source, with its line. The type may go over several lines.
fn statics(text: &str) -> Vec<(usize, String, String)> {
    let code: Vec<(usize, &str)> = lines(text).collect();
    let mut found = Vec::new();
    for (at, (number, line)) in code.iter().enumerate() {
        let line = line.trim_start();
        let line = if line.starts_with("pub") { line.split_once(' ').map_or("", |(_, rest)| rest) } else { line };
        let Some(rest) = line.strip_prefix("static ") else { continue };
        let rest = code[at + 1..].iter().take(8).fold(rest.to_owned(), |whole, (_, next)| whole + " " + next.trim());
        let declared = rest.split(" = ").next().unwrap_or_default();
        let (name, kind) = declared.split_once(':').unwrap_or((declared, ""));
        found.push((*number, name.trim().to_owned(), kind.trim().to_owned()));
    }
    found
}

#[test]
fn nothing_that_changes_belongs_to_the_process() {
    let (mut wrong, mut used) = (Vec::new(), vec![false; MAY.len()]);
    for (path, text) in rust().into_iter().filter(|(path, _)| !path.contains("tests")) {
        let in_threads = text.contains("thread_local!") && !is_server_path(&path);
        for (line, name, kind) in statics(&text) {
            let changes = name.starts_with("mut ") || CHANGING.iter().any(|word| kind.contains(word));
            if !changes {
                continue;
            }
            let name = name.trim_start_matches("mut ");
            match MAY.iter().position(|(file, own, _)| *file == path && *own == name) {
                Some(at) => used[at] = true,
                None => wrong
                    .push(format!("{path}:{line}: {name}: {kind}{}", if in_threads { " (thread_local)" } else { "" })),
            }
        }
        for word in ["thread_local!", "lazy_static", "once_cell"] {
            let may = word == "thread_local!" && MAY.iter().any(|(file, ..)| *file == path) && !is_server_path(&path);
            if !may && lines(&text).any(|(_, line)| line.contains(word)) {
                wrong.push(format!("{path}: {word}"));
            }
        }
    }
    wrong
        .extend(MAY.iter().zip(used).filter(|(_, used)| !used).map(|(may, _)| format!("{may:?} is gone; take it out")));
    report("statics that change", wrong);
}

#[test]
fn the_search_for_statics_sees_what_changes() {
    let text = "pub(crate) static A: LazyLock<\n    Mutex<u8>,\n> = LazyLock::new(f);\nstatic B: &str = \"Mutex\";\n    static mut C: u8 = 1;\n";
    let found = statics(text);
    let names: Vec<_> = found.iter().map(|(line, name, _)| (*line, name.as_str())).collect();
    assert_eq!(names, [(1, "A"), (4, "B"), (5, "mut C")]);
    assert!(found[0].2.contains("Mutex") && !found[1].2.contains("Mutex"));
}
