//! What differs between two texts, word by word, in bounded time.

use std::time::{Duration, Instant};

use similar::{ChangeTag, DiffOp, InlineChange, InlineChangeMode, InlineChangeOptions, TextDiff};

use super::store::{self, labels as moves, unsaved};
use crate::model::{Diff, DiffPage, DiffRow, DiffSide, MergePage, Unsaved};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::PromptId;

/// How long is looked for the smallest difference. After that larger pieces count as changed: the answer is right all the same.
const LONGEST: Duration = Duration::from_millis(400);
/// Equal lines around a change.
const AROUND: usize = 3;
/// The most rows on a page.
const MOST_ROWS: usize = 3000;

/// Two versions side by side: those of the address, else what agents say and the newest. Errors: `NotFound`.
pub(crate) async fn page(
    tx: &mut ReadTx,
    id: PromptId,
    from: Option<i32>,
    to: Option<i32>,
    all: bool,
) -> Result<DiffPage, AppError> {
    let prompt = store::get(tx, id).await?;
    let spoken = store::spoken(tx, id).await?.map_or(prompt.version, |(version, _)| version);
    let to = to.unwrap_or(prompt.version);
    // Against what agents say; for that itself against the version before it.
    let from = from.unwrap_or(if spoken == to { (to - 1).max(1) } else { spoken });
    let (old, new) = (store::version_text(tx, id, from).await?, store::version_text(tx, id, to).await?);
    Ok(DiffPage {
        id,
        name: prompt.name,
        is_active: prompt.is_active,
        version: prompt.version,
        from,
        to,
        versions: store::versions(tx, id).await?,
        labels: moves::list(tx, id).await?,
        spoken,
        is_waiting: moves::waiting(tx, id).await?.is_some(),
        needs_second_person: prompt.needs_second_person,
        diff: between(old, new, all).await?,
        may_edit: tx.scope().may(Action::ManagePrompts),
    })
}

/// The viewer's text that could not be saved, if one waits, beside the newest version. Errors: `NotFound`.
pub(crate) async fn merge(tx: &mut ReadTx, id: PromptId) -> Result<MergePage, AppError> {
    let prompt = store::get(tx, id).await?;
    let author = store::newest_author(tx, id).await?.map_or_else(|| "Somebody".to_owned(), |(name, _)| name);
    let mine = match unsaved::get(tx, id).await? {
        Some(kept) => Some(Unsaved {
            diff: between(prompt.template.clone(), kept.template.clone(), false).await?,
            template: kept.template,
            base: kept.base,
        }),
        None => None,
    };
    Ok(MergePage {
        id,
        name: prompt.name,
        description: prompt.description,
        tags: prompt.tags,
        tools: prompt.tools.0,
        version: prompt.version,
        author,
        theirs: prompt.template,
        mine,
        is_active: prompt.is_active,
    })
}

/// Beside the other work of the process: long texts take a moment.
async fn between(old: String, new: String, all: bool) -> Result<Diff, AppError> {
    tokio::task::spawn_blocking(move || compared(&old, &new, all, Instant::now() + LONGEST)).await.map_err(internal)
}

fn compared(old: &str, new: &str, all: bool, until: Instant) -> Diff {
    let lines = TextDiff::configure().newline_terminated(true).deadline(until).diff_lines(old, new);
    let mut options = InlineChangeOptions::new();
    options.mode(InlineChangeMode::Words).min_ratio(0.2).semantic_cleanup(true);
    let mut diff = Diff::default();
    let mut rows = Vec::new();
    for op in lines.ops() {
        if let DiffOp::Equal { old_index, new_index, len } = *op {
            for at in 0..len {
                let text = lines.new_slice(new_index + at).unwrap_or_default();
                let side = DiffSide { line: new_index + at + 1, pieces: vec![(false, without_end(text).to_owned())] };
                rows.push(DiffRow::Same(side, old_index + at + 1));
            }
            continue;
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let changes: Vec<InlineChange<'_, str>> =
            lines.iter_inline_changes_with_options_deadline(op, options, Some(until)).collect();
        // Lines with next to nothing in common count as a whole.
        let is_whole = !changes.iter().any(|change| change.values().iter().any(|(marked, _)| *marked));
        for change in &changes {
            match (change.tag(), change.old_index(), change.new_index()) {
                (ChangeTag::Delete, Some(line), _) => left.push(side(change, line, is_whole, &mut diff.words_out)),
                (ChangeTag::Insert, _, Some(line)) => right.push(side(change, line, is_whole, &mut diff.words_in)),
                _ => {}
            }
        }
        diff.lines += left.len().max(right.len());
        let (mut left, mut right) = (left.into_iter(), right.into_iter());
        loop {
            match (left.next(), right.next()) {
                (None, None) => break,
                (one, other) => rows.push(DiffRow::Changed(one, other)),
            }
        }
    }
    diff.rows = if all { rows } else { only_changes(rows) };
    diff.is_cut = diff.rows.len() > MOST_ROWS;
    diff.rows.truncate(MOST_ROWS);
    diff
}

/// A line's pieces.
fn side(change: &InlineChange<'_, str>, line: usize, is_whole: bool, words: &mut usize) -> DiffSide {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    for (marked, text) in change.values() {
        let (marked, text) = (*marked || is_whole, without_end(text));
        if marked {
            *words += text.split_whitespace().count();
        }
        match pieces.last_mut() {
            Some((last, before)) if *last == marked => before.push_str(text),
            _ if text.is_empty() => {}
            _ => pieces.push((marked, text.to_owned())),
        }
    }
    DiffSide { line: line + 1, pieces }
}

fn without_end(text: &str) -> &str {
    text.trim_end_matches(['\n', '\r'])
}

/// Leaves out equal lines that are far from a change.
fn only_changes(rows: Vec<DiffRow>) -> Vec<DiffRow> {
    let is_changed: Vec<bool> = rows.iter().map(|row| matches!(row, DiffRow::Changed(..))).collect();
    let mut near = vec![false; rows.len()];
    for (at, _) in is_changed.iter().enumerate().filter(|(_, changed)| **changed) {
        let end = (at + AROUND + 1).min(rows.len());
        near[at.saturating_sub(AROUND)..end].fill(true);
    }
    let mut kept: Vec<DiffRow> = Vec::new();
    for (row, near) in rows.into_iter().zip(near) {
        match kept.last_mut() {
            _ if near => kept.push(row),
            Some(DiffRow::Gap(lines)) => *lines += 1,
            _ => kept.push(DiffRow::Gap(1)),
        }
    }
    kept
}

#[cfg(test)]
mod tests;
