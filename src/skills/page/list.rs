use std::sync::Arc;

use leptos::prelude::*;

use super::MANAGE;
use crate::model::{SkillQuery, SkillRow, tokens_text};
use crate::server_fns::list_skills;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// The agency's skills.
#[lazy]
pub fn skills_page() -> PageView {
    let asked = || SkillQuery {
        words: query("q"),
        category: query("category"),
        tag: query("tag"),
        state: query("state"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_skills);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let may_edit = viewer().may(MANAGE);
        List::<SkillRow>::new("Skills")
            .subtitle("What agents can do well: instructions with references, written once and told to every agent that has them.")
            .live(&["skills"])
            .export("/skills/export.csv")
            .action(view! { <LinkButton href=archive_address icon="download" external=true>"Archive"</LinkButton> })
            .action(may_edit.then(|| view! { <LinkButton href="/skills/imports/new" icon="upload">"Import"</LinkButton> }))
            .add(may_edit, "plus", "/skills/new", "New skill")
            .search("q", "Name, description or instructions")
            .filter(Filter::new("state", "State", options_of([("inactive", "Deactivated"), ("all", "All")])))
            .sorted("name")
            .keep(&["client", "sort"])
            .narrowed_by(&["category", "tag"])
            .table("mid")
            .column("Skill", |row| {
                cell::who(format!("/skills/{}", row.id), &row.name, cell::tagged(&row.description, &row.tags))
            })
            .sort("name")
            .column("Category", |row| row.category.clone())
            .number("Agents", |row| count_text(row.agents))
            .number("Tokens", |row| tokens_text(row.characters.into()))
            .column("Changed", |row| cell::time(&row.updated))
            .sort("changed")
            .column("State", |row| {
                let (tone, label) = if row.is_active { (Tone::Ok, "Active") } else { (Tone::Mute, "Deactivated") };
                view! { <State tone label on=row.is_active/> }
            })
            .empty(
                "wand-sparkles",
                "No skills yet",
                "A skill says when to use it and what to do then: book a visit, handle a complaint, read a price list.",
            )
            .first("Write the first skill")
            .page_of(rows, |list| {
                let choices = |key, label, words: Vec<String>| {
                    let options = options_of(words.into_iter().map(|word| (word.clone(), word)));
                    (!options.is_empty()).then(|| Filter::new(key, label, options))
                };
                let filters = [choices("category", "Category", list.categories), choices("tag", "Tag", list.tags)];
                (list.page, filters.into_iter().flatten().collect::<Vec<_>>())
            })
    })
}

/// The skills of the list as an archive: its filters go along.
fn archive_address() -> String {
    let here = with_query(&[("cursor", None)]);
    format!("/skills/archive.zip{}", here.find('?').map_or("", |at| &here[at..]))
}
