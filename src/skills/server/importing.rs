//! Archives that come in: unpacked, kept for a look, and taken skill by skill in one transaction.

use std::collections::BTreeMap;

use axum::extract::Extension;
use axum::response::{IntoResponse, Redirect, Response};

use super::archive::{self, MAX_PACKED, Refused};
use super::store::imports::Waiting;
use super::store::{self, Stored, attached, imports};
use super::{MANAGE, ops};
use crate::model::{
    ArchiveProblem, FileKind, ImportForm, ImportPage, ImportRow, ImportState, SkillFile, SkillText, characters,
};
use patchbay_access::server::{Part, ReadTx, UploadForm, Visitor, WriteTx, upload_place};
use patchbay_shared::error::internal;
use patchbay_shared::ids::{SkillId, SkillImportId};
use patchbay_shared::{AppError, Reason};

/// Archives of one agency that wait to be looked at.
const MOST_WAITING: i64 = 20;
/// What is read of a file that is too large, and not kept: a browser shows an answer only once it has sent all.
const MOST_SENT: usize = 64 * 1024 * 1024;
/// Characters of instructions that the page shows of each skill.
const SHOWN: usize = 1_500;

/// `POST /skills/imports`: one field `file`. Leads to what is in it, or back with what was wrong.
pub(super) async fn upload(Extension(visitor): Extension<Visitor>, form: UploadForm) -> Response {
    match take(&visitor, form).await {
        Ok(Ok(id)) => Redirect::to(&format!("/skills/imports/{id}")).into_response(),
        Ok(Err(refused)) => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("problem", refused.problem.as_str());
            if !refused.at.is_empty() {
                query.append_pair("at", &refused.at);
            }
            Redirect::to(&format!("/skills/imports/new?{}", query.finish())).into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn take(visitor: &Visitor, mut form: UploadForm) -> Result<Result<SkillImportId, Refused>, AppError> {
    let scope = visitor.scope()?;
    let refused = |problem| Ok(Err(Refused { problem, at: String::new() }));
    // Nothing is read for somebody who may not.
    drop(scope.write(MANAGE).await?);
    let Some(place) = upload_place(scope.services(), scope.workspace_id()) else {
        return refused(ArchiveProblem::Busy);
    };
    let (mut bytes, mut name, mut sent) = (Vec::new(), String::new(), 0);
    for _ in 0..10 {
        let mut field = match form.next().await {
            Ok(Some(Part::File(field))) => field,
            Ok(Some(Part::Text { .. })) => continue,
            Ok(None) => break,
            Err(_) => return refused(ArchiveProblem::Broken),
        };
        let last = field.file_name().unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
        name = patchbay_shared::text::one_line(last).chars().take(200).collect();
        loop {
            match field.chunk().await {
                Ok(Some(piece)) => {
                    sent += piece.len();
                    match sent <= MAX_PACKED {
                        true => bytes.extend_from_slice(&piece),
                        false => bytes.clear(),
                    }
                    if sent > MOST_SENT {
                        return refused(ArchiveProblem::Large);
                    }
                }
                Ok(None) => break,
                Err(_) => return refused(ArchiveProblem::Broken),
            }
        }
        break;
    }
    if sent > MAX_PACKED {
        return refused(ArchiveProblem::Large);
    }
    if bytes.is_empty() {
        return refused(ArchiveProblem::NoFile);
    }
    // The place goes along: whoever hangs up meanwhile does not get another one while this one is at work.
    let read = move || {
        let _place = place;
        archive::read(&bytes)
    };
    let found = match tokio::task::spawn_blocking(read).await.map_err(internal)? {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let id = SkillImportId::new();
    let mut tx = scope.write(MANAGE).await?;
    imports::forget_old(&mut tx).await?;
    if imports::count(tx.reading()).await? >= MOST_WAITING {
        return refused(ArchiveProblem::Waiting);
    }
    imports::insert(&mut tx, id, &name, &found.skills, &found.left_out).await?;
    tx.commit().await?;
    Ok(Ok(id))
}

/// What taking it would do now. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: SkillImportId) -> Result<ImportPage, AppError> {
    let Waiting { file_name, skills, left_out } = imports::get(tx, id).await?;
    let known = known(tx, &skills).await?;
    let ids: Vec<SkillId> = known.values().map(|stored| stored.id).collect();
    let counts = attached::counts(tx, &ids).await?;
    let mut rows = Vec::new();
    for text in &skills {
        let before = known.get(&text.name);
        let agents = before.and_then(|stored| counts.get(&stored.id)).copied().unwrap_or_default();
        rows.push(ImportRow {
            name: text.name.clone(),
            description: text.description.clone(),
            beginning: text.instructions.chars().take(SHOWN).collect(),
            references: text.references.len(),
            scripts: text.scripts.len(),
            characters: characters(text) as i64,
            state: state(before, text),
            known: before.map(|stored| stored.id),
            revision: before.map_or(0, |stored| stored.revision),
            is_inactive: before.is_some_and(|stored| !stored.is_active),
            agents,
            changes: before.map(|stored| changes(&stored.text, text)).unwrap_or_default(),
        });
    }
    Ok(ImportPage { id, file_name, rows, left_out })
}

async fn known(tx: &mut ReadTx, skills: &[SkillText]) -> Result<BTreeMap<String, Stored>, AppError> {
    let names: Vec<String> = skills.iter().map(|text| text.name.clone()).collect();
    let stored = store::named(tx, &names).await?;
    Ok(stored.into_iter().map(|stored| (stored.text.name.clone(), stored)).collect())
}

fn state(before: Option<&Stored>, text: &SkillText) -> ImportState {
    match before {
        None => ImportState::New,
        Some(stored) if stored.text == *text => ImportState::Same,
        Some(_) => ImportState::Changes,
    }
}

/// Words for what differs.
fn changes(before: &SkillText, after: &SkillText) -> Vec<String> {
    let parts = [
        ("description", before.description != after.description),
        ("instructions", before.instructions != after.instructions),
        ("category", before.category != after.category),
        ("license", before.license != after.license),
        ("metadata", before.metadata != after.metadata),
        ("tools", before.allowed_tools != after.allowed_tools),
        ("tags", before.tags != after.tags),
    ];
    let mut changes: Vec<String> =
        parts.into_iter().filter(|(_, differs)| *differs).map(|(word, _)| word.to_owned()).collect();
    for kind in FileKind::ALL {
        let (old, new) = (before.files(*kind), after.files(*kind));
        let has = |files: &[SkillFile], name: &str| files.iter().any(|file| file.name == name);
        changes.extend(new.iter().filter(|file| !old.contains(file)).map(|file| match has(old, &file.name) {
            true => file.name.clone(),
            false => format!("{} added", file.name),
        }));
        let gone = old.iter().filter(|file| !has(new, &file.name));
        changes.extend(gone.map(|file| format!("{} removed", file.name)));
    }
    changes
}

/// Takes what was chosen, all or nothing. Errors: `NotFound` when it was taken already; `Conflict` when a skill is not as it was shown.
pub(crate) async fn apply(tx: &mut WriteTx, form: &ImportForm) -> Result<(), AppError> {
    let id: SkillImportId = form.id.parse()?;
    imports::lock(tx, id).await?;
    let skills: Vec<SkillText> = imports::get(tx.reading(), id).await?.skills;
    let chosen: Vec<SkillText> = skills.into_iter().filter(|text| form.revision(&text.name).is_some()).collect();
    if chosen.is_empty() {
        return Err(AppError::invalid("", "Choose at least one skill."));
    }
    let names: Vec<String> = chosen.iter().map(|text| text.name.clone()).collect();
    store::lock_named(tx, &names).await?;
    let known = known(tx.reading(), &chosen).await?;
    let mut changed: Vec<SkillId> = Vec::new();
    for text in &chosen {
        let before = known.get(&text.name);
        if form.revision(&text.name) != Some(before.map_or(0, |stored| stored.revision)) {
            let message =
                format!("{} was changed meanwhile. Load the page again and look at what would change.", text.name);
            return Err(AppError::Conflict(Reason::StalePage, message));
        }
        match before {
            None => {
                let id = ops::create(tx, text).await?;
                ops::notify(tx, id);
            }
            Some(stored) if stored.text == *text => {}
            Some(stored) => {
                ops::write(tx, stored, text).await?;
                ops::notify(tx, stored.id);
                changed.push(stored.id);
            }
        }
    }
    ops::tell(tx, &changed).await?;
    imports::delete(tx, id).await
}

/// Forgets an archive. Errors: `NotFound` when it was taken or discarded already.
pub(crate) async fn discard(tx: &mut WriteTx, id: SkillImportId) -> Result<(), AppError> {
    imports::lock(tx, id).await?;
    imports::delete(tx, id).await
}
