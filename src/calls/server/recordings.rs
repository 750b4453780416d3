//! Where the sound of calls is kept: one object per call, under a folder per workspace.

use std::io::{BufReader, Cursor};

use futures::StreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetResult, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt, WriteMultipart};

use super::peaks::{self, Span};
use crate::model::Peaks;
use patchbay_providers::voice::Recording;
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{CallId, WorkspaceId};

/// The name under which a call's sound is kept.
pub(crate) fn key(workspace: WorkspaceId, call: CallId) -> String {
    format!("{workspace}/{call}.wav")
}

/// Why a recording did not get here.
#[derive(Debug)]
pub(crate) enum Trouble {
    Provider(ProviderError),
    Ours(AppError),
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        Self::Ours(error)
    }
}

/// Writes the sound piece by piece under a temporary name and gives it its own when it is whole. Doing it twice is safe.
/// False: what came holds no sound.
pub(crate) async fn keep(store: &dyn ObjectStore, key: &str, recording: Recording) -> Result<bool, Trouble> {
    let path = Path::from(key);
    let upload = store.put_multipart(&path).await.map_err(internal)?;
    let mut writer = WriteMultipart::new(upload);
    let (mut pieces, mut written) = (recording.bytes, 0_usize);
    while let Some(piece) = pieces.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                let _ = writer.abort().await;
                return Err(Trouble::Provider(error));
            }
        };
        written += piece.len();
        writer.wait_for_capacity(2).await.map_err(internal)?;
        writer.put(piece);
    }
    // A bare header is no sound.
    if written <= 44 {
        let _ = writer.abort().await;
        return Ok(false);
    }
    writer.finish().await.map_err(internal)?;
    Ok(true)
}

/// A recording that is not there is no trouble.
pub(crate) fn is_missing(error: &ProviderError) -> bool {
    error.kind == Kind::NotFound
}

/// How loud each side was. None when the file is no sound we can read.
pub(crate) async fn peaks(store: &dyn ObjectStore, key: &str, spans: Vec<Span>) -> Result<Option<Peaks>, AppError> {
    let found = store.get(&Path::from(key)).await.map_err(internal)?;
    let payload = match found.payload {
        GetResultPayload::File(file, _) => Ok(file),
        GetResultPayload::Stream(mut pieces) => {
            let mut all = Vec::new();
            while let Some(piece) = pieces.next().await {
                all.extend_from_slice(&piece.map_err(internal)?);
            }
            Err(all)
        }
    };
    let read = tokio::task::spawn_blocking(move || match payload {
        Ok(file) => peaks::of_wav(BufReader::new(file), &spans),
        Err(bytes) => peaks::of_wav(Cursor::new(bytes), &spans),
    });
    Ok(read.await.map_err(internal)?.inspect_err(|cause| tracing::warn!(%cause, "a recording has no peaks")).ok())
}

/// Size, time and tag of a stored recording. Errors: `NotFound`.
pub(crate) async fn head(store: &dyn ObjectStore, key: &str) -> Result<ObjectMeta, AppError> {
    store.head(&Path::from(key)).await.map_err(missing)
}

/// The bytes, or a range of them. Errors: `NotFound`.
pub(crate) async fn read(
    store: &dyn ObjectStore,
    key: &str,
    range: Option<std::ops::Range<u64>>,
) -> Result<GetResult, AppError> {
    store.get_opts(&Path::from(key), GetOptions::new().with_range(range)).await.map_err(missing)
}

fn missing(error: object_store::Error) -> AppError {
    match error {
        object_store::Error::NotFound { .. } => AppError::NotFound,
        other => internal(other),
    }
}
