//! Uploads: straight into the object store, piece by piece, with a look at what comes first.

use axum::extract::multipart::Field;
use axum::extract::{Extension, Path};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt, WriteMultipart};

use super::store::entries::NewFile;
use super::{MANAGE, files, ops};
use crate::model::kind::{HEAD, Parts};
use crate::model::{CollectionId, EntryId, Kind, MAX_FILE, UploadProblem};
use patchbay_access::server::{Part, Scope, UploadForm, Visitor, upload_place};
use patchbay_services::files_error;
use patchbay_shared::AppError;

/// Files of one form.
const AT_ONCE: usize = 50;

/// `POST /knowledge/{id}/files`: one or more fields `file`. Goes back to the page, with what was wrong.
pub(super) async fn upload(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    form: UploadForm,
) -> Response {
    let taken = match id.parse() {
        Ok(id) => take(&visitor, id, None, form).await,
        Err(error) => Err(error),
    };
    answer(&id, taken)
}

/// `POST /knowledge/{id}/files/{entry}`: one field `file` that takes the place of another one.
pub(super) async fn replace(
    Extension(visitor): Extension<Visitor>,
    Path((id, entry)): Path<(String, String)>,
    form: UploadForm,
) -> Response {
    let taken = match (id.parse(), entry.parse()) {
        (Ok(id), Ok(entry)) => take(&visitor, id, Some(entry), form).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    answer(&id, taken)
}

/// How many files came in, and the first that did not.
#[derive(Default)]
struct Taken {
    added: usize,
    refused: Option<(UploadProblem, String)>,
}

fn answer(id: &str, taken: Result<Taken, AppError>) -> Response {
    let taken = match taken {
        Ok(taken) => taken,
        Err(error) => return error.into_response(),
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if taken.added > 0 {
        query.append_pair("added", &taken.added.to_string());
    }
    if let Some((problem, file)) = &taken.refused {
        query.append_pair("problem", problem.as_str());
        query.append_pair("file", file);
    }
    Redirect::to(&format!("/knowledge/{id}?{}", query.finish())).into_response()
}

async fn take(
    visitor: &Visitor,
    id: CollectionId,
    in_place_of: Option<EntryId>,
    mut form: UploadForm,
) -> Result<Taken, AppError> {
    let scope = visitor.scope()?;
    let refused = |problem, file: String, added| Ok(Taken { added, refused: Some((problem, file)) });
    // Asked again when a file has arrived; now, so that nobody uploads in vain and nothing is written for somebody who may not.
    let mut tx = scope.write(MANAGE).await?;
    let no_room = ops::no_room(tx.reading(), id, in_place_of, 1).await?;
    drop(tx);
    if let Some(problem) = no_room {
        return refused(problem, String::new(), 0);
    }
    let Some(_place) = upload_place(scope.services(), scope.workspace_id()) else {
        return refused(UploadProblem::Busy, String::new(), 0);
    };
    let mut taken = Taken::default();
    let most = if in_place_of.is_some() { 1 } else { AT_ONCE };
    for _ in 0..most + 10 {
        let field = match form.next().await {
            Ok(Some(Part::File(field))) => field,
            Ok(Some(Part::Text { .. })) => continue,
            Ok(None) => break,
            Err(_) => return refused(UploadProblem::Broken, String::new(), taken.added),
        };
        let name = file_name(&field);
        // A browser sends a field without a name and content when nothing was chosen.
        match store(&scope, id, in_place_of, &name, *field).await? {
            Ok(()) => taken.added += 1,
            Err(UploadProblem::Empty) if name.is_empty() => continue,
            // What is left of this file would have to be read to reach the next one.
            Err(problem @ (UploadProblem::Large | UploadProblem::Broken)) => {
                taken.refused = Some((problem, name));
                return Ok(taken);
            }
            Err(problem) if taken.refused.is_none() => taken.refused = Some((problem, name)),
            Err(_) => {}
        }
        if taken.added >= most {
            break;
        }
    }
    if taken.added == 0 && taken.refused.is_none() {
        return refused(UploadProblem::NoFile, String::new(), 0);
    }
    Ok(taken)
}

/// What the browser calls the file: shown, and never used as a path.
fn file_name(field: &Field<'_>) -> String {
    let name = field.file_name().unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    patchbay_shared::text::one_line(name).chars().take(200).collect()
}

async fn store(
    scope: &Scope,
    id: CollectionId,
    in_place_of: Option<EntryId>,
    name: &str,
    mut field: Field<'_>,
) -> Result<Result<(), UploadProblem>, AppError> {
    let (file, key) = ops::new_file(scope);
    let store = files::store(scope.services());
    let unclaimed = files::Unclaimed::new(store, &key);
    let mut writer = None::<WriteMultipart>;
    let (mut look, mut bytes) = (Look::default(), 0_u64);
    loop {
        let piece = match field.chunk().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(_) => return abort(writer, UploadProblem::Broken).await,
        };
        bytes += piece.len() as u64;
        if bytes > MAX_FILE {
            return abort(writer, UploadProblem::Large).await;
        }
        look.at(&piece);
        let open = match &mut writer {
            Some(open) => open,
            None => {
                let upload = store.put_multipart(&Key::from(key.as_str())).await.map_err(files_error)?;
                writer.insert(WriteMultipart::new(upload))
            }
        };
        open.wait_for_capacity(4).await.map_err(files_error)?;
        open.put(piece);
    }
    let kind = match Kind::of(&look.head, look.parts, name) {
        Ok(kind) => kind,
        Err(problem) => return abort(writer, problem).await,
    };
    let Some(open) = writer else { return Ok(Err(UploadProblem::Empty)) };
    open.finish().await.map_err(files_error)?;
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let name = if name.is_empty() { "Without a name" } else { name };
    let new = NewFile { file, key: &key, name, source_url: None, kind, bytes };
    let mut tx = scope.write(MANAGE).await?;
    if let Err(problem) = ops::take_in(&mut tx, id, in_place_of, &new).await? {
        return Ok(Err(problem));
    }
    // Before the commit: of one that was done and not heard of, the file must stay. One too many does no harm.
    unclaimed.claim();
    tx.commit().await?;
    Ok(Ok(()))
}

async fn abort(writer: Option<WriteMultipart>, problem: UploadProblem) -> Result<Result<(), UploadProblem>, AppError> {
    if let Some(writer) = writer
        && let Err(error) = writer.abort().await
    {
        tracing::warn!(cause = %error, "could not take back a file that was refused");
    }
    Ok(Err(problem))
}

/// The beginning of a file, and what its archive names, as the file goes by.
#[derive(Default)]
struct Look {
    head: Vec<u8>,
    parts: Parts,
    /// The end of the piece before: a name may lie across two pieces.
    tail: Vec<u8>,
}

impl Look {
    fn at(&mut self, piece: &Bytes) {
        let missing = HEAD.saturating_sub(self.head.len());
        self.head.extend_from_slice(&piece[..piece.len().min(missing)]);
        if self.head.starts_with(b"PK") {
            self.tail.extend_from_slice(piece);
            self.parts.look(&self.tail);
            self.tail = self.tail.split_off(self.tail.len().saturating_sub(32));
        }
    }
}
