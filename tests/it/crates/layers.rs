//! How the crates stand on each other. Cargo refuses a circle; that every dependency also goes to a lower layer, and which layer
//! that is, is compared here with the manifests and printed into `docs/ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::{crate_of, is_card, report};
use crate::support::sources;

/// From the top down: the crates of a layer, by their folders, and what stands there. `app, boot` is the product's own package.
const LAYERS: &[(&str, &str)] = &[
    ("app, boot", "the router over all pages, and what puts the process together"),
    ("client_overview, overview, platform", "what sums up others: one client, one agency, all agencies"),
    ("members, queues", "people of an agency, who sign in, and are asked by mail; work that is stuck"),
    (
        "batches, inbound_webhooks, integrations, sign_in, telephone, text_messages",
        "what acts on the layers below: dialling, events from outside, systems that clients use, ways in, the telephone, text messages",
    ),
    (
        "campaigns, contacts, history, mail",
        "whom to call, and how; calls of the past; e-mail in the brand of its sender",
    ),
    ("brand, dialling, usage", "what is made of clients and calls"),
    (
        "calls, clients, evaluations, numbers, schedules, teams",
        "for whom an agent works, on which number, what was said, whether it was right in tests, what sets it off, and with whom it works",
    ),
    (
        "agent_loop, agents, execution",
        "who speaks, on a call or without a telephone; work that is done by engines on targets",
    ),
    ("models, skills", "which model does what, and what it costs; instructions that agents share"),
    ("connections, tools", "accounts at outside services; what an agent may do on a call beside talking"),
    (
        "api_keys, audit, knowledge, metering, prompts, runs, settings",
        "what an agency sets up, and what is written down about it",
    ),
    ("webhooks", "what other systems are told"),
    ("jobs, shell, users, workspaces", "the queue; what pages share; accounts of people and of agencies"),
    ("access", "who is asking, and what they may do"),
    ("sandbox, services, targets, ui", "stand-ins, what the process works with, where jobs run, components"),
    (
        "providers, runner_key, shared",
        "outside services, the proof that the job runner acts, and words that everything uses",
    ),
];

/// How the product's own package is called here.
const PRODUCT: &str = "app, boot";

fn root(file: &str) -> String {
    format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn manifest(file: &str) -> toml::Table {
    let text = std::fs::read_to_string(root(file)).expect("a manifest");
    text.parse().unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The folders below `src` that are crates.
fn folders() -> BTreeSet<String> {
    let all = sources("src", "/lib.rs").into_iter().filter(|(path, _)| is_card(path));
    all.map(|(path, _)| crate_of(&path).to_owned()).collect()
}

/// `inbound_webhooks` is the package `patchbay-inbound-webhooks`.
fn package(folder: &str) -> String {
    format!("patchbay-{}", folder.replace('_', "-"))
}

/// Each crate of the workspace with its manifest, by folder.
fn manifests() -> BTreeMap<String, toml::Table> {
    let one = |folder: String| {
        let found = manifest(&format!("src/{folder}/Cargo.toml"));
        (folder, found)
    };
    let mut all: BTreeMap<_, _> = folders().into_iter().map(one).collect();
    all.insert(PRODUCT.to_owned(), manifest("Cargo.toml"));
    all
}

fn section<'a>(table: &'a toml::Table, name: &str) -> impl Iterator<Item = (&'a String, &'a toml::Value)> {
    table.get(name).and_then(toml::Value::as_table).into_iter().flatten()
}

/// The crates of ours that a manifest names in any of its lists of dependencies, by folder.
fn uses(manifest: &toml::Table) -> BTreeSet<String> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .flat_map(|list| section(manifest, list))
        .filter_map(|(name, _)| Some(name.strip_prefix("patchbay-")?.replace('-', "_")))
        .collect()
}

fn texts<'a>(table: &'a toml::Table, list: &str) -> Vec<&'a str> {
    let list = table.get(list).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

fn has_tests(folder: &str) -> bool {
    let marks = ["#[te", "#[tokio::te"].map(|mark| format!("{mark}st]"));
    sources(&format!("src/{folder}"), ".rs").iter().any(|(_, text)| marks.iter().any(|mark| text.contains(mark)))
}

#[test]
fn each_folder_is_a_crate_of_the_workspace() {
    let (all, mut wrong) = (manifests(), Vec::new());
    let product = &all[PRODUCT];
    let workspace = product["workspace"].as_table().expect("a workspace");
    let members: BTreeSet<&str> = texts(workspace, "members").into_iter().collect();
    let wanted: BTreeSet<String> = folders().iter().map(|folder| format!("src/{folder}")).collect();
    assert_eq!(members, wanted.iter().map(String::as_str).collect(), "members of the workspace");
    for (folder, found) in all.iter().filter(|(folder, _)| *folder != PRODUCT) {
        let name = found["package"].get("name").and_then(toml::Value::as_str);
        let path = workspace["dependencies"]
            .get(package(folder))
            .and_then(|own| own.get("path"))
            .and_then(|path| path.as_str());
        let is_so = |table: &str, key: &str, wanted: toml::Value| {
            found.get(table).and_then(|own| own.get(key)) == Some(&wanted)
        };
        let checks = [
            (name == Some(&package(folder)), "is not called after its folder"),
            (path == Some(&format!("src/{folder}")), "is not in [workspace.dependencies]"),
            (all.values().any(|other| uses(other).contains(folder)), "is used by nobody"),
            (is_so("lints", "workspace", true.into()), "has lints of its own"),
            (is_so("lib", "path", "lib.rs".into()), "does not begin in lib.rs"),
            (is_so("lib", "doctest", false.into()), "is built once more for doctests"),
            (
                has_tests(folder) != is_so("lib", "test", false.into()),
                "has tests that nobody runs, or is built for tests that it has not",
            ),
            (is_so("package", "publish", false.into()), "could be published"),
        ];
        wrong.extend(checks.iter().filter(|(is_well, _)| !is_well).map(|(_, what)| format!("src/{folder} {what}")));
    }
    report("crates", wrong);
}

/// The features of `folder` that have to do with the two halves: both lists name every crate that has both halves too, and crates of
/// the server alone come with `ssr` only. A forgotten one is hidden in a build of the whole, where another crate turns it on.
fn halves(folder: &str, all: &BTreeMap<String, toml::Table>) -> Vec<String> {
    let found = &all[folder];
    let features = found.get("features").and_then(toml::Value::as_table);
    let mut wrong = Vec::new();
    for (name, value) in section(found, "dependencies") {
        let Some(own) = name.strip_prefix("patchbay-").map(|own| own.replace('-', "_")) else { continue };
        let is_optional = value.get("optional").and_then(toml::Value::as_bool) == Some(true);
        let has_halves = all.get(&own).is_some_and(|own| own.contains_key("features"));
        let turns_on = |half: &str, what: String| features.is_some_and(|all| texts(all, half).contains(&what.as_str()));
        let is_well = match (features.is_some(), has_halves) {
            (true, true) => {
                ["ssr", "hydrate"].iter().all(|half| turns_on(half, format!("{name}/{half}"))) && !is_optional
            }
            (true, false) => {
                let dep = format!("dep:{name}");
                is_optional && turns_on("ssr", dep.clone()) && !turns_on("hydrate", dep)
            }
            (false, true) => value.as_table().is_some_and(|own| texts(own, "features").contains(&"ssr")),
            (false, false) => !is_optional,
        };
        if !is_well {
            wrong.push(format!("{folder}: {name}"));
        }
    }
    wrong
}

#[test]
fn both_halves_run_through_all_crates() {
    let all = manifests();
    report("features that are not passed on", all.keys().flat_map(|folder| halves(folder, &all)).collect());
}

#[test]
fn what_a_manifest_names_is_used() {
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in sources("src", ".rs") {
        let folder = crate_of(&path);
        let folder = if ["", "app", "boot"].contains(&folder) { PRODUCT } else { folder };
        named.entry(folder.to_owned()).or_default().push_str(&text);
    }
    let mut wrong = Vec::new();
    for (folder, found) in manifests() {
        let text = &named[&folder];
        for own in uses(&found) {
            let word = format!("patchbay_{own}");
            let is_named = text.match_indices(&word).any(|(at, _)| {
                !text[at + word.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
            });
            if !is_named {
                wrong.push(format!("{folder} does not use {own}"));
            }
        }
    }
    report("dependencies for nothing", wrong);
}

/// The layer of each crate, counted from the bottom.
fn levels() -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (level, (crates, _)) in LAYERS.iter().rev().enumerate() {
        let crates = if *crates == PRODUCT { vec![PRODUCT] } else { crates.split(", ").collect() };
        for own in crates {
            assert!(found.insert(own.to_owned(), level).is_none(), "{own} stands on two layers");
        }
    }
    found
}

#[test]
fn every_dependency_goes_to_a_lower_layer() {
    let (levels, all) = (levels(), manifests());
    let standing: Vec<&String> = levels.keys().collect();
    assert_eq!(standing, all.keys().collect::<Vec<_>>(), "each crate stands on one layer");
    let mut wrong = Vec::new();
    for (folder, found) in &all {
        for own in uses(found).iter().filter(|own| levels[*own] >= levels[folder]) {
            wrong.push(format!("{folder} (layer {}) uses {own} (layer {})", levels[folder], levels[own]));
        }
    }
    report("dependencies that do not go down", wrong);
}

/// What a crate uses and none of the crates that it uses does: everything else follows from these.
fn stands_on(folder: &str, all: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    fn below(folder: &str, all: &BTreeMap<String, BTreeSet<String>>, found: &mut BTreeSet<String>) {
        for own in &all[folder] {
            if found.insert(own.clone()) {
                below(own, all, found);
            }
        }
    }
    let mut implied = BTreeSet::new();
    all[folder].iter().for_each(|own| below(own, all, &mut implied));
    all[folder].difference(&implied).cloned().collect()
}

/// The first sentence of a crate's first file.
fn says(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let card = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let sentence = card.split_inclusive(". ").next().unwrap_or_default().trim();
    sentence.strip_prefix("[server] ").unwrap_or(sentence).to_owned()
}

/// Both tables, as Markdown.
fn printed() -> String {
    let mut text = String::from("| layer | crates | what stands there |\n|---|---|---|\n");
    for (level, (crates, what)) in LAYERS.iter().rev().enumerate().rev() {
        text.push_str(&format!("| {level} | {crates} | {what} |\n"));
    }
    text.push_str("\n| crate | what it is | stands on |\n|---|---|---|\n");
    let all: BTreeMap<_, _> = manifests().iter().map(|(folder, found)| (folder.clone(), uses(found))).collect();
    for (path, card) in sources("src", "/lib.rs").into_iter().filter(|(path, _)| is_card(path)) {
        let folder = crate_of(&path);
        text.push_str(&format!("| {folder} | {} | {} |\n", says(&card), stands_on(folder, &all).join(", ")));
    }
    text
}

const BEGIN: &str = "<!-- layers -->";
const END: &str = "<!-- /layers -->";
const PRINT: &str = "PATCHBAY_PRINT=1 cargo test --features ssr --test it crates::layers";

#[test]
fn the_printed_table_of_layers_is_the_one_that_is_true() {
    let path = root("docs/ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).expect("docs/ARCHITECTURE.md");
    let (head, rest) = text.split_once(BEGIN).expect("a place for the table of layers");
    let (found, tail) = rest.split_once(END).expect("its end");
    let wanted = format!("\n{}", printed());
    if std::env::var_os("PATCHBAY_PRINT").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{wanted}{END}{tail}")).expect("docs/ARCHITECTURE.md");
    } else {
        assert_eq!(found, wanted, "docs/ARCHITECTURE.md is out of date: `{PRINT}`");
    }
}

#[test]
fn files_that_the_documents_name_exist() {
    let mut wrong = Vec::new();
    for document in ["docs/ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root(document)).expect(document);
        let quoted = text.split('`').skip(1).step_by(2);
        let is_path = |word: &&str| {
            ["src/", "tests/", "docs/", "migrations/", "scripts/"].iter().any(|folder| word.starts_with(folder))
                && !word.contains(['<', ' ', '*'])
        };
        let gone = quoted.filter(is_path).filter(|word| !std::path::Path::new(&root(word)).exists());
        wrong.extend(gone.map(|word| format!("{document}: {word}")));
    }
    report("files that are not there", wrong);
}
