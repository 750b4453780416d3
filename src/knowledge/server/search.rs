//! Finding: what a question gets, for agents and for the people who try one.

use super::store::chunks;
use crate::model::{Asked, ChunkId, CollectionId, EntryId, Hit, Kind, MAX_QUESTION, Piece};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_shared::AppError;

/// Passages that a person is shown.
const SHOWN: usize = 6;
/// What stands around a word of the question. No passage holds these letters: they are taken out when a file is read.
const MARKS: [char; 2] = ['\u{e000}', '\u{e001}'];

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
    /// From 0 to 1: the share of the question's words that it has, mostly.
    pub score: f64,
}

/// The passages of these collections that fit a question best. Collections that are gone, or another agency's, have none.
pub async fn search(
    scope: &Scope,
    question: &str,
    collections: &[CollectionId],
    limit: usize,
) -> Result<Vec<Passage>, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let found = found(&mut tx, question, collections, limit).await?;
    Ok(found
        .into_iter()
        .map(|row| Passage {
            entry: row.entry,
            chunk: row.chunk,
            collection: row.collection,
            file: row.file,
            place: row.place,
            text: row.body,
            score: f64::from(row.score),
        })
        .collect())
}

async fn found(
    tx: &mut ReadTx,
    question: &str,
    collections: &[CollectionId],
    limit: usize,
) -> Result<Vec<chunks::Found>, AppError> {
    // A model may ask with a whole conversation, and with characters that no text has.
    let question: String = question.chars().filter(|letter| *letter != '\0').take(MAX_QUESTION).collect();
    if question.trim().is_empty() || collections.is_empty() {
        return Ok(Vec::new());
    }
    chunks::search(tx, &question, collections, limit).await
}

/// The same for a person, with the words of the question marked.
pub(super) async fn ask(tx: &mut ReadTx, collection: CollectionId, question: &str) -> Result<Asked, AppError> {
    let began = std::time::Instant::now();
    let found = found(tx, question, &[collection], SHOWN).await?;
    let texts: Vec<(&str, &str)> =
        found.iter().map(|row| (row.words_config.as_deref().unwrap_or("simple"), row.body.as_str())).collect();
    let question: String = question.chars().filter(|letter| *letter != '\0').take(MAX_QUESTION).collect();
    let marked = chunks::marked(tx, &question, &texts).await?;
    let hits = found
        .iter()
        .zip(marked)
        .map(|(row, text)| Hit {
            entry: row.entry,
            kind: row.kind.parse().unwrap_or(Kind::Text),
            file: row.file.clone(),
            place: row.place.clone(),
            pieces: pieces(&text),
            score: f64::from(row.score),
        })
        .collect();
    Ok(Asked { hits, took_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or_default() })
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
