//! What the source writes into the audit log: read from the source itself, because an event that no test comes by is seen only by whoever
//! runs a debug build.

use std::collections::BTreeSet;

use super::{EVENTS, sources};

/// Actions that are no literal where they are written down: file, expression, record, and the words that it can be.
const SPOKEN: &[(&str, &str, &str, &[&str])] = &[
    ("src/agents/server/lifecycle.rs", "action", "agent", &["deactivated", "restored"]),
    ("src/campaigns/server/ops.rs", "verb", "campaign", &["activated", "paused", "archived", "restored"]),
    ("src/clients/server/ops.rs", "action", "client", &["archived", "restored"]),
    ("src/contacts/server/import/run.rs", "status.as_str()", "import", &["completed", "failed"]),
    ("src/history/server/ops.rs", "action", "history_import", &["cancelled", "completed", "failed"]),
    ("src/members/server/ops.rs", "status.as_str()", "user", &["active", "suspended"]),
    ("src/integrations/server/ops.rs", "action", "integration", &["failed", "recovered"]),
    ("src/models/server/ops.rs", "action", "model", &["chosen", "changed", "taken_back"]),
    ("src/numbers/server/ops.rs", "action", "phone_number", &["added", "ordered", "activated", "deactivated"]),
    ("src/numbers/server/carriers.rs", "action", "phone_number", &["activated", "deactivated"]),
    ("src/platform/server/ops.rs", "status.as_str()", "workspace", &["active", "suspended"]),
    ("src/webhooks/server/endpoints.rs", "action", "webhook_endpoint", &["paused", "resumed"]),
];

/// What an action is in the source: where, the expression, the record, and the kind if it stands beside it.
type Written = (String, String, String, Option<String>);

/// A function that writes events of one record, and is told the action.
struct Recorder {
    path: String,
    name: String,
    entity: String,
    /// Among the arguments, `self` left out.
    place: usize,
    arguments: usize,
    is_private: bool,
}

/// The source without comments and tests.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// What stands between the bracket at `open` and its partner, cut at the commas in between.
fn group(code: &str, open: usize) -> Vec<String> {
    let (mut parts, mut depth, mut is_text, mut is_escaped) = (vec![String::new()], 0, false, false);
    for letter in code[open..].chars() {
        if is_text {
            is_text = letter != '"' || is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
        } else {
            match letter {
                '"' => is_text = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if letter == ',' && depth == 1 {
                parts.push(String::new());
                continue;
            }
        }
        parts.last_mut().expect("a part").push(letter);
    }
    // The opening bracket is in the first one.
    parts[0].remove(0);
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Where `word` stands and is not the end of a longer one.
fn places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(|at| {
        !code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
            || code[..*at].ends_with("::")
    })
}

/// The literals in an expression; none if it says something that is no literal as well.
fn words(expression: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = expression.split('"').collect();
    let is_choice = expression.starts_with('"') || expression.starts_with("if ");
    (is_choice && parts.len() > 2).then(|| parts.into_iter().skip(1).step_by(2).collect())
}

fn kind(arguments: &[String]) -> Option<String> {
    let named = arguments.iter().find_map(|part| part.trim_start_matches("fields: ").strip_prefix("Fields::"))?;
    let word = named.split(|letter: char| !letter.is_alphanumeric()).next()?.to_lowercase();
    ["created", "changed", "deleted", "happened"].contains(&word.as_str()).then_some(word)
}

/// The function around a place: its name, parameters, and whether other files can call it.
fn around(code: &str, at: usize) -> (String, Vec<String>, bool) {
    let start = code[..at].rfind("fn ").expect("a function");
    let open = start + code[start..].find('(').expect("parameters");
    let name = code[start + 3..open].split('<').next().expect("a name").to_owned();
    let line = code[..start].rsplit('\n').next().unwrap_or_default();
    let parameters = group(code, open).into_iter().filter(|one| !one.ends_with("self")).collect();
    (name, parameters, !line.contains("pub"))
}

/// What a name was given in the last `let (…) = (…)` before a place.
fn bound(code: &str, at: usize, name: &str) -> Option<String> {
    let open = code[..at].rfind("let (")? + "let ".len();
    let place = group(code, open).iter().position(|one| one == name)?;
    let values = open + code[open..at].find("= (")? + "= ".len();
    group(code, values).into_iter().nth(place)
}

fn written() -> Vec<Written> {
    let files: Vec<(String, String)> = sources("src", ".rs")
        .into_iter()
        .filter(|(path, _)| {
            path != "src/access/server/audit.rs"
                && path != "src/access/server/audit/events.rs"
                && !path.contains("tests")
        })
        .map(|(path, text)| (path, code(&text)))
        .collect();
    let (mut found, mut recorders) = (Vec::new(), Vec::new());
    for (path, code) in &files {
        for at in places(code, "Change {") {
            let fields = group(code, at + "Change ".len());
            let field = |name: &str| {
                let value = fields.iter().find_map(|field| field.strip_prefix(&format!("{name}: ")));
                value.map(str::to_owned).or_else(|| bound(code, at, name))
            };
            let Some(entity) = field("entity").map(|entity| entity.trim_matches('"').to_owned()) else {
                // Another crate's `Change`.
                continue;
            };
            let (name, parameters, is_private) = around(code, at);
            match (field("action"), parameters.iter().position(|one| one.starts_with("action:"))) {
                (Some(action), _) => found.push((path.clone(), action, entity, kind(&fields))),
                (None, Some(place)) => {
                    let (path, arguments) = (path.clone(), parameters.len());
                    recorders.push(Recorder { path, name, entity, place, arguments, is_private });
                }
                (None, None) => found.push((path.clone(), "action".into(), entity, kind(&fields))),
            }
        }
    }
    assert!(recorders.len() >= 15, "the search finds only {} functions that record", recorders.len());
    for recorder in recorders {
        let folder = |path: &str| path.split('/').nth(1).map(str::to_owned);
        let call = format!("{}(", recorder.name);
        for (path, code) in &files {
            let may = *path == recorder.path || (!recorder.is_private && folder(path) == folder(&recorder.path));
            for at in places(code, &call).filter(|at| may && !code[..*at].ends_with("fn ")) {
                let arguments = group(code, at + call.len() - 1);
                if arguments.len() == recorder.arguments {
                    let action = arguments[recorder.place].clone();
                    found.push((path.clone(), action, recorder.entity.clone(), kind(&arguments)));
                }
            }
        }
    }
    found
}

#[test]
fn every_event_that_the_source_writes_is_listed() {
    let mut wrong = BTreeSet::new();
    let mut used = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (path, action, entity, kind) in written() {
        let spoken = SPOKEN.iter().position(|one| (one.0, one.1) == (path.as_str(), action.as_str()));
        used.extend(spoken);
        let (entity, words, kind) = match (spoken.map(|at| SPOKEN[at]), words(&action)) {
            // One name can stand for several events of a file, which are not all of one kind.
            (Some((_, _, entity, words)), _) => (entity, words.to_vec(), None),
            (None, Some(words)) => (entity.as_str(), words, kind),
            (None, None) => {
                wrong.insert(format!("{path}: say which words {action} can be, of {entity}"));
                continue;
            }
        };
        for word in words {
            seen.insert((entity.to_owned(), word.to_owned()));
            let is_listed = EVENTS.iter().any(|(listed, action, of)| {
                (*listed, *action) == (entity, word) && kind.as_ref().is_none_or(|kind| kind == of.as_str())
            });
            if !is_listed {
                wrong.insert(format!("{path}: not in the list of audit events: {entity} {word} {kind:?}"));
            }
        }
    }
    let unseen: Vec<_> =
        EVENTS.iter().filter(|(entity, action, _)| !seen.contains(&((*entity).into(), (*action).into()))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(used.len(), SPOKEN.len(), "the source says some of these no more: {SPOKEN:?}");
    assert!(unseen.is_empty(), "listed, and the search does not see who writes it: {unseen:?}");
}
