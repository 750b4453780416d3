//! Searching the agency's documents.

use super::{Ask, Done};
use crate::model::{KeptPassage, Knowledge, Origin};
use patchbay_access::Action;
use patchbay_knowledge::server::{self as documents, Question};
use patchbay_shared::AppError;
use patchbay_shared::ids::CollectionId;

pub(super) async fn run(ask: &Ask<'_>, config: &Knowledge) -> Result<Done, AppError> {
    let mut tx = ask.scope.read(Action::ReadWorkshop).await?;
    let known = documents::collections(&mut tx).await?;
    drop(tx);
    // What is another client's, this call's client does not hear.
    let is_open = |client| client == ask.invocation.client;
    let may = known.iter().filter(|one| one.client.is_none() || is_open(one.client)).map(|one| one.id);
    let chosen: Vec<CollectionId> = may.filter(|id| config.collections.contains(id)).collect();
    if chosen.is_empty() {
        return Ok(Done::failed("There are no documents to search for this client."));
    }
    let limit = usize::try_from(config.passages).unwrap_or(1);
    let text = ask.text("question");
    let question = Question {
        text: &text,
        collections: &chosen,
        limit,
        // What a try or a test costs is the agency's own.
        client: ask.invocation.client.filter(|_| ask.invocation.origin == Origin::Call),
        agent: Some(ask.tool.agent),
    };
    let (passages, way) = documents::search(ask.scope, &question).await?;
    let response = Some(format!("Searched {}", way.text()));
    if passages.is_empty() {
        let nothing = Done::said("Nothing about this is in the documents. Say that you do not know.");
        return Ok(Done { response, ..nothing });
    }
    let told = passages.iter().zip(1..).map(|(passage, number)| {
        let place = if passage.place.is_empty() { String::new() } else { format!(", {}", passage.place) };
        format!("[{number}] {}{place}\n{}", passage.file, passage.text)
    });
    let text = told.collect::<Vec<_>>().join("\n\n");
    let kept = passages.into_iter().map(|passage| KeptPassage {
        entry: passage.entry,
        chunk: passage.chunk,
        collection: passage.collection,
        file: passage.file,
        place: passage.place,
        found_by: passage.found_by,
    });
    Ok(Done { response, passages: kept.collect(), ..Done::said(text) })
}
