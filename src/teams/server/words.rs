//! What a team is, in words: for versions beside each other, and for whoever only reads.

use std::collections::HashMap;

use uuid::Uuid;

use crate::model::rules::number_text;
use crate::model::views::VersionChange;
use crate::model::{TeamMode, TeamSnapshot};
use patchbay_execution::model::{ApprovalRule, AsksFor};
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::length_text;

pub(crate) type Names = HashMap<Uuid, String>;

/// Everything that a snapshot names by id.
pub(crate) fn ids(snapshot: &TeamSnapshot) -> Vec<Uuid> {
    let settings = &snapshot.settings;
    let members = snapshot.members.iter().map(|member| member.agent.0);
    let workers = settings.rules.iter().filter_map(|rule| match rule.when {
        AsksFor::Worker { agent } => Some(agent.0),
        _ => None,
    });
    let shared = settings.collections.iter().map(|id| id.0).chain(settings.skills.iter().map(|id| id.0));
    let places = settings.engine.map(|id| id.0).into_iter().chain(settings.target.map(|id| id.0));
    members.chain(workers).chain(shared).chain(places).chain(settings.account.map(|id| id.0)).collect()
}

/// What a team is, line by line: what, and how it is.
pub(crate) fn facts(snapshot: &TeamSnapshot, names: &Names) -> Vec<(String, String)> {
    let settings = &snapshot.settings;
    let name = |id: Uuid| names.get(&id).cloned().unwrap_or_else(|| "Something that was removed".to_owned());
    let list = |ids: Vec<Uuid>| ids.into_iter().map(name).collect::<Vec<_>>().join("\n");
    let members = snapshot.members.iter().enumerate();
    let members: Vec<String> =
        members.map(|(place, member)| format!("{}. {}: {}", place + 1, name(member.agent.0), member.role)).collect();
    let rules: Vec<String> = settings.rules.iter().map(|rule| rule_text(rule, names)).collect();
    let how = match snapshot.mode {
        TeamMode::Coordinate => "Members work one after the other",
        TeamMode::Supervisor => "A supervisor decides",
    };
    let model = match (&settings.model, settings.account) {
        (Some(model), Some(account)) => format!("{model}, {}", name(account.0)),
        _ => "The model that agents use".to_owned(),
    };
    let rows = [
        ("Name", snapshot.name.clone()),
        ("What it is for", snapshot.description.clone()),
        ("How it works", how.to_owned()),
        ("Members", members.join("\n")),
        ("Instructions", settings.instructions.clone()),
        ("Model", model),
        ("Asks back below", fixed(f64::from(settings.threshold) / 100.0, 2)),
        ("Steps", settings.most_steps.to_string()),
        ("Money", format!("${}", settings.most_cost)),
        ("Time", length_text(settings.most_seconds.into())),
        ("Engine", settings.engine.map_or_else(|| "The default engine".to_owned(), |id| name(id.0))),
        ("Target", settings.target.map_or_else(|| "The first active target".to_owned(), |id| name(id.0))),
        ("Memory of scripts", format!("{} MB", settings.memory_mb)),
        ("Shared knowledge", list(settings.collections.iter().map(|id| id.0).collect())),
        ("Shared skills", list(settings.skills.iter().map(|id| id.0).collect())),
        ("Approval", rules.join("\n")),
    ];
    rows.into_iter().map(|(what, how)| (what.to_owned(), how)).collect()
}

fn rule_text(rule: &ApprovalRule, names: &Names) -> String {
    let when = match &rule.when {
        AsksFor::Tool { name, argument: Some(argument), above: Some(above) } => {
            format!("when {name} is used with {argument} above {}", number_text(*above))
        }
        AsksFor::Tool { name, .. } => format!("each time {name} is used"),
        AsksFor::Worker { agent } => {
            let name = names.get(&agent.0).cloned().unwrap_or_else(|| "an agent that was removed".to_owned());
            format!("before {name} works")
        }
        AsksFor::Cost { above } => format!("when the run has cost more than ${above}"),
        AsksFor::Process => "before a script is run".to_owned(),
    };
    let who = if rule.for_client { ", also the client’s admins" } else { "" };
    format!("{}: {when}, {} min{who}", rule.name, rule.minutes)
}

/// What differs between two states.
pub(crate) fn changes(from: &TeamSnapshot, to: &TeamSnapshot, names: &Names) -> Vec<VersionChange> {
    let pairs = facts(from, names).into_iter().zip(facts(to, names));
    let differing = pairs.filter(|((_, before), (_, after))| before != after);
    differing.map(|((what, before), (_, after))| VersionChange { what, before, after }).collect()
}
