use std::sync::Arc;

use leptos::prelude::*;

use super::MANAGE;
use super::meaning::InForce;
use crate::model::{CollectionList, CollectionQuery, CollectionRow, bytes_text};
use crate::server_fns::list_knowledge;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::{count_text, counted};
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// The agency's collections.
#[lazy]
pub fn knowledge_page() -> PageView {
    let asked = || CollectionQuery {
        words: query("q"),
        client: query("client"),
        of: query("of"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_knowledge);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        List::<CollectionRow>::new("Knowledge")
            .label("Collections")
            .subtitle("Files and pages that agents look things up in.")
            .live(&["knowledge"])
            .above(view! { <BlockBoundary data=rows view=move |list: CollectionList| view! { <InForce meaning=list.meaning/> }/> })
            .export("/knowledge/export.csv")
            .add(viewer().may(MANAGE), "plus", "/knowledge/new", "New collection")
            .search("q", "Name or description")
            .sorted("name")
            .keep(&["client", "sort"])
            .narrowed_by(&["client"])
            .table("mid")
            .column("Collection", |row| {
                let note = view! { <small>{row.description.clone()}</small> };
                cell::who(format!("/knowledge/{}", row.id), &row.name, note)
            })
            .sort("name")
            .column("For", |row| cell::or(&row.client, "Every client"))
            .column("State", state)
            .number("Files", |row| count_text(row.entries))
            .number("Passages", |row| count_text(row.passages))
            .number("Size", |row| bytes_text(row.bytes))
            .column("Made", |row| cell::time(&row.created))
            .sort("created")
            .empty(
                "book-open",
                "No knowledge yet",
                "A collection holds price lists, handbooks and pages. Agents look things up in it while they talk, and say where it stands.",
            )
            .first("Make the first collection")
            .page_of(rows, |list| {
                let mut of = vec![("all".to_owned(), "Every client".to_owned())];
                of.extend(list.clients.into_iter().map(|(id, name)| (id.to_string(), name)));
                (list.page, vec![Filter::new("of", "For", of)])
            })
    })
}

fn state(row: &CollectionRow) -> AnyView {
    let (tone, label) = match (row.failed, row.busy, row.entries) {
        (1.., ..) => (Tone::Bad, format!("{} failed", count_text(row.failed))),
        (0, 1.., _) => (Tone::Info, format!("{} to index", counted(row.busy, "file", "files"))),
        (_, _, 1..) => (Tone::Ok, "Indexed".to_owned()),
        _ => (Tone::Mute, "Empty".to_owned()),
    };
    view! { <State tone label/> }.into_any()
}
