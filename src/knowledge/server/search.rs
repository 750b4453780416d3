//! Finding: what a question gets, for agents and for the people who try one. By words always, and by meaning where a model for that is in
//! force: then two rankings become one. Trouble with the model never fails a search.

use std::collections::HashMap;

use super::meaning::{self, Asked as Meant};
use super::store::{chunks, vectors as stored};
use super::vectors::{self, RANKED, Ranked};
use crate::model::{Asked, ChunkId, CollectionId, EntryId, FoundBy, Hit, Kind, MAX_QUESTION, Piece, Way};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ClientId};

/// Passages that a person is shown.
const SHOWN: usize = 6;
/// Passages whose signs agree most with the question's: the exact nearness of so many is computed.
const CANDIDATES: i64 = 200;
/// What stands around a word of the question. No passage holds these letters: they are taken out when a file is read.
const MARKS: [char; 2] = ['\u{e000}', '\u{e001}'];

/// A question of an agent.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    pub text: &'a str,
    /// Those that are gone, or another agency's, have no passages.
    pub collections: &'a [CollectionId],
    /// The most passages.
    pub limit: usize,
    /// For whom it is asked, on whose account its meaning goes.
    pub client: Option<ClientId>,
    pub agent: Option<AgentId>,
}

/// A passage that fits a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    pub entry: EntryId,
    /// Changes when the file is indexed again: whoever keeps it keeps the text, too.
    pub chunk: ChunkId,
    pub collection: CollectionId,
    pub file: String,
    pub place: String,
    pub text: String,
    pub found_by: FoundBy,
}

/// The passages of these collections that fit a question best, and how they were looked for.
pub async fn search(scope: &Scope, question: &Question<'_>) -> Result<(Vec<Passage>, Way), AppError> {
    let (client, agent) = (question.client, question.agent);
    let text = asked_text(question.text);
    let meant = meant(scope, &text, question.collections, client, agent).await?;
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (rows, way) = found(&mut tx, &text, meant, question.collections, question.limit).await?;
    let passages = rows.into_iter().map(|(ranked, row)| Passage {
        entry: row.entry,
        chunk: row.chunk,
        collection: row.collection,
        file: row.file,
        place: row.place,
        text: row.body,
        found_by: FoundBy::of(ranked.words.is_some(), ranked.meaning.is_some()),
    });
    Ok((passages.collect(), way))
}

/// A model may ask with a whole conversation, and with characters that no text has.
fn asked_text(question: &str) -> String {
    question.chars().filter(|letter| *letter != '\0').take(MAX_QUESTION).collect()
}

/// Nothing is asked of the model for a question that is none.
async fn meant(
    scope: &Scope,
    question: &str,
    collections: &[CollectionId],
    client: Option<ClientId>,
    agent: Option<AgentId>,
) -> Result<Meant, AppError> {
    if question.trim().is_empty() || collections.is_empty() {
        return Ok(Meant::Off);
    }
    meaning::of_question(scope, question, client, agent).await
}

/// The best passages in their order, with what each way of searching says of them.
async fn found(
    tx: &mut ReadTx,
    question: &str,
    meant: Meant,
    collections: &[CollectionId],
    limit: usize,
) -> Result<(Vec<(Ranked, chunks::Found)>, Way), AppError> {
    if question.trim().is_empty() || collections.is_empty() {
        return Ok((Vec::new(), Way::Words));
    }
    let words = chunks::ranked(tx, question, collections, RANKED).await?;
    let (near, way) = match meant {
        Meant::Off => (Vec::new(), Way::Words),
        Meant::Unknown { model, why } => (Vec::new(), Way::WordsAlone { model, why }),
        Meant::Known { model, set, vector } => {
            let candidates = stored::near(tx, set, &vectors::signs(&vector), collections, CANDIDATES).await?;
            (vectors::nearest(&vector, &candidates), Way::WordsAndMeaning { model })
        }
    };
    let mut ranked = vectors::fused(&words, &near);
    ranked.truncate(limit);
    let ids: Vec<ChunkId> = ranked.iter().map(|one| one.chunk).collect();
    let rows = chunks::found(tx, &ids).await?;
    let mut rows: HashMap<ChunkId, chunks::Found> = rows.into_iter().map(|row| (row.chunk, row)).collect();
    let rows = ranked.into_iter().filter_map(|one| Some((one, rows.remove(&one.chunk)?)));
    Ok((rows.collect(), way))
}

/// The same for a person, with the words of the question marked.
pub(super) async fn ask(scope: &Scope, collection: CollectionId, question: &str) -> Result<Asked, AppError> {
    let began = std::time::Instant::now();
    let question = asked_text(question);
    let meant = meant(scope, &question, &[collection], None, None).await?;
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (found, way) = found(&mut tx, &question, meant, &[collection], SHOWN).await?;
    let texts: Vec<(&str, &str)> =
        found.iter().map(|(_, row)| (row.words_config.as_deref().unwrap_or("simple"), row.body.as_str())).collect();
    let marked = chunks::marked(&mut tx, &question, &texts).await?;
    let hits = found
        .iter()
        .zip(marked)
        .map(|((ranked, row), text)| Hit {
            entry: row.entry,
            kind: row.kind.parse().unwrap_or(Kind::Text),
            file: row.file.clone(),
            place: row.place.clone(),
            pieces: pieces(&text),
            words: ranked.words.map(f64::from),
            meaning: ranked.meaning.map(f64::from),
        })
        .collect();
    Ok(Asked { hits, took_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or_default(), way })
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    for (at, part) in text.split(MARKS).enumerate() {
        if !part.is_empty() {
            out.push(Piece { text: part.to_owned(), is_marked: at % 2 == 1 });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_words_are_pieces_of_their_own() {
        let pieces = pieces("a \u{e000}cleaning\u{e001} costs");
        let said: Vec<(&str, bool)> = pieces.iter().map(|piece| (piece.text.as_str(), piece.is_marked)).collect();
        assert_eq!(said, [("a ", false), ("cleaning", true), (" costs", false)]);
    }
}
