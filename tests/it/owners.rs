//! Each table has one crate that writes it, named on the crate's card. Who writes and reads what is read from the statements
//! themselves, and the whole is printed into `docs/ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::{class_of, tables};
use super::sql::{named, pieces, statements};
use super::support::sources;

type Crates = BTreeMap<String, BTreeSet<String>>;

/// Statements that write whichever queue their caller names: the owner of each queue hands in its own table.
const OF_ANY_QUEUE: &str = "src/jobs/lease.rs";
/// Statements that move what is sealed under another key, whichever column it stands in: the document stays as it is.
const OF_ANY_SECRET: &str = "src/boot/keys.rs";

/// What statements name beside the tables of the migrations: the system's catalogue, and a temporary table of imports.
fn is_elsewhere(table: &str) -> bool {
    table.starts_with("pg_") || ["_sqlx_migrations", "import_stage"].contains(&table)
}

/// Which crates write and which read each table.
fn used() -> (Crates, Crates) {
    let (mut writes, mut reads) = (Crates::new(), Crates::new());
    let mut wrong = Vec::new();
    let known: BTreeSet<String> = tables().into_iter().collect();
    for statement in statements() {
        match named(&statement.text) {
            Err(cause) => wrong.push(format!("{}: cannot be read: {cause}", statement.place())),
            Ok(found) => {
                for one in found {
                    let crates = if one.is_written { &mut writes } else { &mut reads };
                    if known.contains(&one.table) {
                        crates.entry(one.table).or_default().insert(statement.folder().to_owned());
                    } else if !(is_elsewhere(&one.table)
                        || (["placeholder", "homes"].contains(&one.table.as_str()) && statement.path == OF_ANY_QUEUE)
                        || (one.table == "placeholder" && statement.path == OF_ANY_SECRET))
                    {
                        wrong.push(format!("{}: no table: {}", statement.place(), one.table));
                    }
                }
            }
        }
    }
    let pieces = pieces(&tables());
    wrong.extend(pieces.iter().map(|piece| format!("{}: a piece of a statement: {}", piece.place(), piece.text)));
    assert!(wrong.is_empty(), "{wrong:#?}");
    (writes, reads)
}

/// The cards: crate, file, and the doc comment that the file begins with, as one line.
fn cards() -> Vec<(String, String, String)> {
    let is_card = |path: &str| {
        let below = path.strip_prefix("src/").unwrap_or_default();
        below.matches('/').count() == 1 && (below.ends_with("/mod.rs") || below.ends_with("/lib.rs"))
    };
    sources("src", ".rs")
        .into_iter()
        .filter(|(path, _)| is_card(path))
        .map(|(path, text)| {
            let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
            let card = lines.collect::<Vec<_>>().join(" ");
            (path.split('/').nth(1).unwrap_or_default().to_owned(), path, card)
        })
        .collect()
}

/// The tables in a card's sentence that begins with `verb` ("Owns", "Reads"): `Owns the tables a, b and c`.
fn on_card(card: &str, verb: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in [format!("{verb} the tables "), format!("{verb} the table ")] {
        for (at, _) in card.match_indices(&start) {
            for word in card[at + start.len()..].split_whitespace() {
                let name = word.trim_end_matches([',', '.', ';', ':']);
                if name != "and" && !known.contains(name) {
                    break;
                }
                if name != "and" {
                    found.insert(name.to_owned());
                }
                if !word.ends_with(',') && word != name {
                    break;
                }
            }
        }
    }
    found
}

/// `a`, `a and b`, `a, b and c`
fn listed(names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Everything that the tests here compare.
struct Ownership {
    /// The crate whose card says that it owns the table.
    owners: Crates,
    writes: Crates,
    /// Tables of other crates that a crate reads.
    foreign: Crates,
    cards: Vec<(String, String, String)>,
    known: BTreeSet<String>,
}

fn ownership() -> Ownership {
    let known: BTreeSet<String> = tables().into_iter().collect();
    let ((writes, reads), cards) = (used(), cards());
    let mut owners = Crates::new();
    for (folder, _, card) in &cards {
        for table in on_card(card, "Owns", &known) {
            owners.entry(table).or_default().insert(folder.clone());
        }
    }
    let mut foreign = Crates::new();
    for (table, crates) in &reads {
        for folder in crates.iter().filter(|folder| !owners.get(table).is_some_and(|owners| owners.contains(*folder))) {
            foreign.entry(folder.clone()).or_default().insert(table.clone());
        }
    }
    Ownership { owners, writes, foreign, cards, known }
}

#[test]
fn each_table_has_one_crate_that_writes_it() {
    let all = ownership();
    let mut wrong = Vec::new();
    for table in &all.known {
        let owners = all.owners.get(table).cloned().unwrap_or_default();
        if owners.len() != 1 {
            wrong.push(format!(
                "{table} has {} owners: {owners:?}. One card says \"Owns the table {table}\"",
                owners.len()
            ));
        }
        let writers = all.writes.get(table).cloned().unwrap_or_default();
        for writer in writers.difference(&owners) {
            wrong.push(format!("{writer} writes {table}, which is {}'s", listed(&owners)));
        }
        for owner in owners.difference(&writers) {
            wrong.push(format!("{owner} owns {table} and never writes it"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const PRINT: &str = "PATCHBAY_PRINT=1 cargo test --features ssr --test it owners";

/// The sentence in which a card says what it reads of others, as lines of the card.
fn sentence(tables: &BTreeSet<String>) -> String {
    let plural = if tables.len() == 1 { "" } else { "s" };
    let (mut text, mut line) = (String::new(), "//!".to_owned());
    for word in format!("Reads the table{plural} {}.", listed(tables)).split(' ') {
        if line.len() + word.len() > 130 {
            text.push_str(&line);
            text.push('\n');
            line = "//!".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    text + &line + "\n"
}

/// The file with that sentence as the end of its card, and no other one.
fn with_sentence(file: &str, tables: &BTreeSet<String>) -> String {
    let (mut card, mut rest, mut in_sentence) = (String::new(), String::new(), false);
    let mut lines = file.lines().peekable();
    while let Some(line) = lines.next_if(|line| line.starts_with("//!")) {
        in_sentence |= line.starts_with("//! Reads the table");
        if !in_sentence {
            card.push_str(line);
            card.push('\n');
        }
        in_sentence &= !line.ends_with('.');
    }
    lines.for_each(|line| {
        rest.push_str(line);
        rest.push('\n');
    });
    if !tables.is_empty() {
        card.push_str(&sentence(tables));
    }
    card + &rest
}

#[test]
fn a_crate_says_what_it_reads_of_others() {
    let all = ownership();
    let mut wrong = Vec::new();
    for (folder, path, card) in &all.cards {
        let wanted = all.foreign.get(folder).cloned().unwrap_or_default();
        if on_card(card, "Reads", &all.known) == wanted {
            continue;
        }
        if std::env::var_os("PATCHBAY_PRINT").is_some() {
            let file = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&file).expect("a card");
            std::fs::write(&file, with_sentence(&text, &wanted)).expect("a card");
        } else {
            wrong.push(format!(
                "{path}: {}",
                if wanted.is_empty() { "reads no other crate's table".into() } else { sentence(&wanted) }
            ));
        }
    }
    let without: Vec<&String> =
        all.foreign.keys().filter(|folder| !all.cards.iter().any(|(own, ..)| own == *folder)).collect();
    assert!(without.is_empty(), "crates with statements and without a card: {without:?}");
    assert!(wrong.is_empty(), "cards that are out of date (`{PRINT}` writes them): {wrong:#?}");
}

const BEGIN: &str = "<!-- owners -->";
const END: &str = "<!-- /owners -->";

/// The table of tables, as Markdown.
fn printed(all: &Ownership) -> String {
    let mut text = String::from("| table | class | owner | read by |\n|---|---|---|---|\n");
    for table in &all.known {
        let owners = all.owners.get(table).cloned().unwrap_or_default();
        let readers: BTreeSet<String> =
            all.foreign.iter().filter(|(_, tables)| tables.contains(table)).map(|(folder, _)| folder.clone()).collect();
        text.push_str(&format!("| {table} | {} | {} | {} |\n", class_of(table), listed(&owners), listed(&readers)));
    }
    text
}

#[test]
fn the_printed_table_of_owners_is_the_one_that_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).expect("docs/ARCHITECTURE.md");
    let (head, rest) = text.split_once(BEGIN).expect("a place for the table of owners");
    let (found, tail) = rest.split_once(END).expect("its end");
    let wanted = format!("\n{}", printed(&ownership()));
    if std::env::var_os("PATCHBAY_PRINT").is_some() {
        std::fs::write(path, format!("{head}{BEGIN}{wanted}{END}{tail}")).expect("docs/ARCHITECTURE.md");
    } else {
        assert_eq!(found, wanted, "docs/ARCHITECTURE.md is out of date: `{PRINT}`");
    }
}
