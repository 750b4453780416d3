//! The crates of the source: what each file may use, read from the source itself. What Cargo and the compiler refuse (a circle, a path
//! into another crate's private module) needs no test; how the crates stand on each other is in `layers`, what a process shares in
//! `statics`, and how lower crates reach upper ones in `hooks`.

mod hooks;
mod layers;
mod statics;

use super::support::sources;

fn rust() -> Vec<(String, String)> {
    sources("src", ".rs")
}

/// Lines of code with their numbers: no comments, and nothing after the file's own tests begin.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("mod tests {"))
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Where a test may wait: processes of the program run as they like, a worker is cut off after a while, a stand-in answers late.
const MAY_WAIT: &[(&str, &str)] = &[
    ("tests/it/call_backs_killed.rs", ""),
    ("tests/it/history_killed.rs", ""),
    ("tests/it/killed.rs", ""),
    ("tests/it/clock_steps.rs", ""),
    ("tests/it/execution_killed.rs", ""),
    ("tests/it/webhooks_killed.rs", ""),
    ("tests/it/support/at_rest.rs", ""),
    ("tests/it/support/engine.rs", ""),
    ("tests/it/support/processes.rs", ""),
    ("tests/it/hang_ups.rs", ""),
    ("tests/it/contact_imports.rs", "Duration::from_millis(wait)"),
    ("tests/it/provider_stub.rs", "answer.after"),
    ("tests/it/execution_faults.rs", "let mut looks"),
];

#[test]
fn tests_have_work_done_and_do_not_wait_for_it() {
    // In two parts, so that this file holds none of them.
    let words = [("sl", "eep("), ("sleep_un", "til("), ("yield", "_now("), ("time::inter", "val(")];
    let mut wrong = Vec::new();
    for (path, text) in sources("tests/it", ".rs") {
        for (at, line) in lines(&text) {
            let waits = words.iter().any(|(start, end)| line.contains(&format!("{start}{end}")));
            let may = MAY_WAIT.iter().any(|(file, words)| path == *file && line.contains(words));
            if waits && !may {
                wrong.push(format!("{path}:{at}: {}", line.trim()));
            }
        }
    }
    report("tests that wait for time to pass (Agency::drain has the work done)", wrong);
}

fn report(what: &str, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

/// Crates that exist only in the server half, whole; and `boot` of the product's own package.
const SERVER_CRATES: [&str; 9] =
    ["agent_loop", "boot", "jobs", "mail", "providers", "sandbox", "services", "targets", "users"];

/// The folder below `src` that a file is in: the name of its crate, or `app` and `boot` of the product's own package.
fn crate_of(path: &str) -> &str {
    let below = path.strip_prefix("src/").unwrap_or(path);
    below.split_once('/').map_or("", |(folder, _)| folder)
}

/// The first file of a crate, which says what the crate is.
fn is_card(path: &str) -> bool {
    path.matches('/').count() == 2 && path.ends_with("/lib.rs")
}

fn is_server_path(path: &str) -> bool {
    SERVER_CRATES.contains(&crate_of(path))
        || path.contains("/server/")
        || path.ends_with("/server.rs")
        // The words that both halves use, and their few server-side impls.
        || path.starts_with("src/shared/")
}

#[test]
fn conditional_code_stands_in_the_first_file_of_a_crate() {
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        let first = path == "src/lib.rs" || path == "src/main.rs" || is_card(&path);
        let may = ["shared", "access", "ui"].contains(&crate_of(&path)) || is_server_path(&path);
        for (at, line) in lines(&text) {
            let conditional = line.contains("cfg(") || line.contains("cfg!(") || line.contains("cfg_attr(");
            // The component gallery exists in debug builds only.
            if path == "src/app.rs" && line.contains("cfg!(debug_assertions)") {
                continue;
            }
            if conditional && !line.contains("cfg(test)") && !first && !may {
                wrong.push(format!("{path}:{at}: {}", line.trim()));
            }
        }
    }
    report("cfg outside the first file of a crate", wrong);
}

#[test]
fn a_crate_has_one_conditional_line() {
    let wrong = rust()
        .into_iter()
        .filter(|(path, _)| is_card(path) && !is_server_path(path) && crate_of(path) != "ui")
        .filter_map(|(path, text)| {
            let count = lines(&text).filter(|(_, line)| line.contains("cfg(") && !line.contains("cfg(test)")).count();
            (count > 1).then(|| format!("{path}: {count}"))
        })
        .collect();
    report("crates with more than one cfg line", wrong);
}

#[test]
fn server_words_stay_on_the_servers_side() {
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        if is_server_path(&path) || path == "src/main.rs" {
            continue;
        }
        for (at, line) in lines(&text) {
            // A macro of shared/words.rs hides the one exception from its users.
            for word in ["sqlx", "axum::", "tokio", "reqwest", "object_store", "std::fs", "std::env"] {
                if holds(line, word) && !line.contains("leptos_axum::") {
                    wrong.push(format!("{path}:{at}: {word}: {}", line.trim()));
                }
            }
        }
    }
    report("server words outside server paths", wrong);
}

#[test]
fn a_clients_scope_is_left_in_known_places() {
    let places: Vec<String> =
        rust().into_iter().filter(|(_, text)| text.contains(".beyond_client(")).map(|(path, _)| path).collect();
    let known = [
        "src/batches/server/again.rs",
        "src/batches/server/ops.rs",
        "src/calls/server/prompt.rs",
        "src/campaigns/server/ops.rs",
    ];
    assert_eq!(places, known, "read it before adding it here");
    // And for a count, in the midst of a transaction.
    let places: Vec<String> =
        rust().into_iter().filter(|(_, text)| text.contains(".count_whole_agency(")).map(|(path, _)| path).collect();
    assert_eq!(places, ["src/members/server/invitations.rs", "src/workspaces/server/limits.rs"]);
}

/// Whether `word` stands in `line` and is not the end of a longer word.
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

/// Files beside stores that hold statements: each is about one thing that a store need not know. Nothing is added here.
const BESIDE_STORES: &[&str] = &[
    // The walls themselves, and what stands below every store.
    "src/access/server/db.rs",
    "src/access/server/session.rs",
    "src/access/server/tx.rs",
    "src/access/server/visitor.rs",
    "src/jobs/lease.rs",
    "src/jobs/live.rs",
    "src/jobs/queue.rs",
    "src/jobs/runner.rs",
    "src/jobs/stuck.rs",
    "src/users/throttle.rs",
    "src/workspaces/server/limits.rs",
    "src/workspaces/server/rules.rs",
    // The command line.
    "src/boot/demo.rs",
    "src/boot/doctor.rs",
    "src/boot/embedded_postgres.rs",
    "src/boot/keys.rs",
    // Each holds the statements of one table or one read.
    "src/audit/server/anchors.rs",
    "src/audit/server/chain.rs",
    "src/audit/server/platform.rs",
    "src/batches/server/view.rs",
    "src/calls/server/carrier.rs",
    "src/calls/server/dialled.rs",
    "src/calls/server/follow.rs",
    "src/calls/server/incoming.rs",
    "src/dialling/server/contacts.rs",
    "src/dialling/server/membership.rs",
    "src/members/server/invitations.rs",
    "src/metering/server/budget.rs",
    "src/metering/server/usage.rs",
    "src/platform/server/support.rs",
    "src/sign_in/server/by_passkey.rs",
    "src/sign_in/server/mod.rs",
    "src/sign_in/server/passkeys.rs",
    "src/sign_in/server/resets.rs",
    "src/sign_in/server/second_factor.rs",
    "src/sign_in/server/sessions.rs",
];

#[test]
fn statements_stand_in_stores() {
    let mut wrong = Vec::new();
    let mut beside = Vec::new();
    for (path, text) in rust() {
        let is_store = path.contains("/store/") || path.ends_with("/store.rs");
        let found: Vec<String> = lines(&text)
            .filter(|(_, line)| !is_store && line.contains("sqlx::query"))
            .map(|(at, line)| format!("{path}:{at}: {}", line.trim()))
            .collect();
        match BESIDE_STORES.iter().find(|own| **own == path) {
            Some(own) if !found.is_empty() => beside.push(*own),
            _ => wrong.extend(found),
        }
    }
    let late = BESIDE_STORES.iter().filter(|path| !beside.contains(path));
    wrong.extend(late.map(|path| format!("{path} holds no statement any more; take it out")));
    report("statements outside stores", wrong);
}

#[test]
fn stores_are_private_to_their_crate() {
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        for (at, line) in lines(&text) {
            let line = line.trim();
            // The compiler refuses the rest: what a store offers to others is named beside it, in `server/mod.rs`.
            if line.starts_with("pub mod store") || line.starts_with("pub use store::*") || foreign_store(line) {
                wrong.push(format!("{path}:{at}: {line}"));
            }
        }
    }
    report("stores that other crates can name", wrong);
}

/// Whether the line names the store of another crate: `patchbay_x::store`, `patchbay_x::server::store`.
fn foreign_store(line: &str) -> bool {
    line.match_indices("patchbay_").any(|(at, _)| {
        let path =
            line[at..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next().unwrap_or_default();
        path.split("::").skip(1).any(|part| part == "store")
    })
}

#[test]
fn models_are_pure() {
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        let is_model = path.ends_with("/model.rs") || path.contains("/model/");
        for (at, line) in lines(&text).filter(|_| is_model) {
            for word in ["leptos", "sqlx", "axum", "tokio", "reqwest", "Utc::now", "rand::", "std::fs", "SystemTime"] {
                if holds(line, word) {
                    wrong.push(format!("{path}:{at}: {word}"));
                }
            }
        }
    }
    report("models that do more than think", wrong);
}

#[test]
fn pages_render_the_same_on_both_sides() {
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        let is_view = path.contains("/page/")
            || path.ends_with("/page.rs")
            || ["ui", "shell", "app"].contains(&crate_of(&path))
            || path == "src/app.rs";
        for (at, line) in lines(&text).filter(|_| is_view) {
            for word in [
                "style=",
                "style:",
                "Utc::now",
                "Local::now",
                "rand::",
                "Instant::now",
                "new_v4",
                "new_v7",
                "attr:style",
                "inner_html",
                "set_inner_html",
            ] {
                // Text that becomes markup is made by these functions alone: each escapes what is not its own constant.
                let escaped = word.ends_with("inner_html")
                    && match path.as_str() {
                        "src/ui/input.rs" => line.contains("=as_html(&text)"),
                        "src/ui/toast.rs" => line.contains("(&message_html("),
                        "src/ui/preferences.rs" => line.contains("=buttons_html("),
                        "src/ui/shortcuts.rs" => line.contains("| rows_html(go))"),
                        _ => false,
                    };
                if holds(line, word) && !escaped {
                    wrong.push(format!("{path}:{at}: {word}: {}", line.trim()));
                }
            }
            // Handlers of the browser's own (`onclick="…"`) are forbidden by the content security policy.
            for word in ["onclick=", "onchange=", "onsubmit=", "oninput=", "javascript:"] {
                if line.contains(word) {
                    wrong.push(format!("{path}:{at}: {word}"));
                }
            }
        }
    }
    report("views with a clock, chance or inline style", wrong);
}

#[test]
fn nothing_is_left_undone() {
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        for (at, line) in text.lines().enumerate() {
            for word in ["todo!", "unimplemented!", "TODO", "FIXME", "XXX", "dbg!", "allow(unused", "allow(dead_code"] {
                if line.contains(word) {
                    wrong.push(format!("{path}:{}: {word}", at + 1));
                }
            }
            for word in [".unwrap()", "println!", "eprintln!"] {
                let may = path.starts_with("src/boot/") && word != ".unwrap()";
                if holds_code(line, word)
                    && !may
                    && !path.contains("tests")
                    && lines(&text).any(|(number, _)| number == at + 1)
                {
                    wrong.push(format!("{path}:{}: {word}", at + 1));
                }
            }
        }
    }
    report("left undone", wrong);
}

fn holds_code(line: &str, word: &str) -> bool {
    !line.trim_start().starts_with("//") && line.contains(word)
}

#[test]
fn files_are_small_and_named_after_what_they_hold() {
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        let length = text.lines().count();
        // Words of a language and tables of zones are lists, not code.
        if length > 450 && !path.contains("/conversation/") {
            wrong.push(format!("{path} has {length} lines"));
        }
        let name = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        if ["utils", "util", "helpers", "helper", "common", "manager", "service", "misc"].contains(&name) {
            wrong.push(format!("{path} says nothing by its name"));
        }
        if (is_card(&path) || path == "src/lib.rs") && !text.starts_with("//!") {
            wrong.push(format!("{path} does not say what its crate is"));
        }
    }
    report("files", wrong);
}

#[test]
fn server_functions_are_thin_and_posted() {
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        if path.ends_with("/server_fns.rs") && text.contains("sqlx::") {
            wrong.push(format!("{path}: SQL in a server function"));
        }
        for (at, line) in lines(&text) {
            if line.contains("GetUrl") || line.contains("GetCbor") {
                wrong.push(format!("{path}:{at}: a link of another site could call it"));
            }
            if line.trim_start().starts_with("#[server(") && line.contains("prefix") && !line.contains("endpoint = ") {
                wrong.push(format!("{path}:{at}: its address changes with the folder"));
            }
            // Nobody says on trust which agency they are.
            if line.trim_start().starts_with("workspace_id:") && path.ends_with("/server_fns.rs") {
                wrong.push(format!("{path}:{at}: a workspace id from outside"));
            }
        }
    }
    report("server functions", wrong);
}

#[test]
fn stores_and_verbs_say_what_they_hold() {
    let wrong = rust()
        .into_iter()
        .filter(|(path, _)| path.ends_with("/server/ops.rs") || path.ends_with("/server/store.rs"))
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path)
        .collect();
    report("files without a first sentence", wrong);
}
