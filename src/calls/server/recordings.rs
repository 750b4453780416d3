//! The sound of calls: fetched from the provider, again for some minutes while it isn't there, and kept as one object per call, under a
//! folder per workspace.

use std::io::{BufReader, Cursor};
use std::time::Duration;

use futures::StreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetResult, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt, WriteMultipart};
use serde::{Deserialize, Serialize};

use super::enrich::{self, notify};
use super::peaks::{self, Span};
use super::store::enrichment as store;
use crate::model::Peaks;
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{Job, NewJob};
use patchbay_providers::voice::Recording;
use patchbay_providers::{Kind, ProviderError, VoiceProvider};
use patchbay_services::files_error;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{CallId, WorkspaceId};

/// Seconds before each further question for a recording that isn't there: a quarter of an hour in all.
pub(super) const MISSING: [u64; 7] = [10, 20, 40, 80, 160, 300, 300];
/// The same while the provider or the way to it has trouble: then an hour and a half.
const TROUBLE: [u64; 10] = [10, 20, 40, 80, 160, 300, 600, 1200, 1800, 1800];

/// Asks for the recording of a call once more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FetchRecording {
    pub call: CallId,
    /// How often it has been asked for, the first time with the transcript.
    pub asked: usize,
}

impl Job for FetchRecording {
    const KIND: &'static str = "fetch_recording";
    const ACTIONS: &'static [Action] = &[Action::ReplayQueues, Action::UseConnections];
    // The provider does not keep it for ever, and it costs nothing.
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{}:{}", self.call, self.asked))
    }
}

/// What a question for a recording came to.
pub(crate) enum Sound {
    /// Where it is kept, and how loud it is.
    Kept(String, Option<Peaks>),
    /// It isn't there, or what came is no sound.
    Missing,
    Trouble(ProviderError),
}

/// Asks the provider for the recording and keeps it. Doing it twice is safe.
pub(crate) async fn fetch(
    scope: &Scope,
    voice: &dyn VoiceProvider,
    call: CallId,
    provider_call: &str,
    spans: Vec<Span>,
) -> Result<Sound, AppError> {
    let store = &*scope.services().recordings;
    let kept = match voice.recording(provider_call).await {
        Ok(recording) => keep(store, scope.workspace_id(), call, recording).await?,
        Err(error) => Err(error),
    };
    Ok(match kept {
        Ok(Some(key)) => {
            let peaks = peaks(store, &key, spans).await?;
            Sound::Kept(key, peaks)
        }
        Ok(None) => Sound::Missing,
        Err(error) if error.kind == Kind::NotFound => Sound::Missing,
        Err(error) => Sound::Trouble(error),
    })
}

/// Why there is no recording yet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Absent {
    Missing,
    /// The provider, the way to it or our store has trouble. With how long to wait at least, if somebody said so.
    Trouble(Option<Duration>),
}

/// Has the recording asked for again, if it has not been asked for often enough. `asked`: how often it has been.
pub(crate) async fn ask_again(tx: &mut WriteTx, call: CallId, asked: usize, why: Absent) -> Result<(), AppError> {
    let (waits, longer): (&[u64], _) = match why {
        Absent::Missing => (&MISSING, None),
        Absent::Trouble(longer) => (&TROUBLE, longer),
    };
    let wait = asked.checked_sub(1).and_then(|asked| waits.get(asked)).map(|seconds| Duration::from_secs(*seconds));
    if let Some(wait) = wait.map(|wait| longer.unwrap_or(wait).clamp(wait, Duration::from_secs(3600))) {
        let run_at = tx.reading().now().await? + wait;
        patchbay_jobs::enqueue(tx, &FetchRecording { call, asked }, NewJob { run_at: Some(run_at) }).await?;
    }
    store::await_recording(tx, call, wait.is_some()).await
}

/// Asks once more, and has it asked for again if that came to nothing.
pub(super) async fn run(scope: &Scope, job: &FetchRecording) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let facts = store::facts(tx.reading(), job.call).await?;
    let messages = store::spoken(tx.reading(), job.call).await?;
    drop(tx);
    let Some(provider_call) = facts.provider_call_id.filter(|_| facts.awaits_recording) else {
        return Ok(Verdict::Done);
    };
    let sound = match connections::voice_to_look(scope).await {
        Ok(voice) => fetch(scope, voice.as_ref(), job.call, &provider_call, spans(&messages)).await,
        Err(error) => Err(error),
    };
    if let Ok(Sound::Trouble(error)) = &sound {
        // Shows a refused key on the connection; how it goes on is decided below.
        enrich::refused(scope, error.provider, error).await;
    }
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let absent = match &sound {
        Ok(Sound::Kept(key, peaks)) => {
            store::record_recording(&mut tx, job.call, key, peaks.as_ref()).await?;
            None
        }
        Ok(Sound::Missing) => Some(Absent::Missing),
        Ok(Sound::Trouble(error)) => Some(Absent::Trouble(error.retry_after)),
        // A connection that is off, or a full disk: the page does not say “is being fetched” for ever.
        Err(cause) => {
            tracing::warn!(call_id = %job.call, %cause, "the recording could not be fetched");
            Some(Absent::Trouble(None))
        }
    };
    if let Some(why) = absent {
        ask_again(&mut tx, job.call, job.asked + 1, why).await?;
    }
    notify(&mut tx, job.call, facts.client_id);
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// A turn, as far as the picture of the sound needs it.
pub(crate) struct Spoken {
    pub by_agent: bool,
    pub start_ms: Option<i32>,
    pub end_ms: Option<i32>,
}

/// Who spoke when. A turn without an end lasts until the next one.
pub(crate) fn spans(spoken: &[Spoken]) -> Vec<Span> {
    let seconds = |ms: i32| f64::from(ms) / 1000.0;
    spoken
        .iter()
        .enumerate()
        .filter_map(|(index, turn)| {
            let from = turn.start_ms?;
            let next = spoken.get(index + 1).and_then(|next| next.start_ms);
            let to = turn.end_ms.or(next).unwrap_or(from.saturating_add(5000));
            Some(Span { by_agent: turn.by_agent, from: seconds(from), to: seconds(to) })
        })
        .collect()
}

/// Kinds of sound by how their files begin, with the ending of a file's name and the media type. What a service calls its answer counts
/// for nothing: error pages come as `audio/wav`, and recordings as anything.
const KINDS: [(&str, &str); 5] =
    [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("ogg", "audio/ogg"), ("flac", "audio/flac"), ("m4a", "audio/mp4")];
/// So many bytes tell.
const HEAD: usize = 12;

/// The kind of a file that begins like this. None: it is no sound.
fn kind_of(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'R', b'I', b'F', b'F' | b'X', _, _, _, _, b'W', b'A', b'V', b'E', ..]
        | [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("wav"),
        [b'I', b'D', b'3', ..] => Some("mp3"),
        // The sync bits of a frame, of layer III or II. Nobody writes layer I, and the mark of UTF-16 (FF FE) looks like it.
        [0xff, second, ..] if second & 0xe0 == 0xe0 && matches!(second & 0x06, 0x02 | 0x04) => Some("mp3"),
        [b'O', b'g', b'g', b'S', ..] => Some("ogg"),
        [b'f', b'L', b'a', b'C', ..] => Some("flac"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("m4a"),
        _ => None,
    }
}

/// The ending and the media type of what is kept under this name.
pub(crate) fn kind_of_key(key: &str) -> (&'static str, &'static str) {
    let ending = key.rsplit('.').next().unwrap_or_default();
    KINDS.into_iter().find(|(known, _)| *known == ending).unwrap_or(KINDS[0])
}

/// Writes the sound piece by piece under a temporary name and gives it its own when it is whole. Doing it twice is safe.
/// None: what came is no sound. Errors: ours outside, the provider's inside.
async fn keep(
    store: &dyn ObjectStore,
    workspace: WorkspaceId,
    call: CallId,
    recording: Recording,
) -> Result<Result<Option<String>, ProviderError>, AppError> {
    let mut pieces = recording.bytes;
    let mut head = Vec::new();
    while head.len() < HEAD {
        match pieces.next().await {
            Some(Ok(piece)) => head.extend_from_slice(&piece),
            Some(Err(error)) => return Ok(Err(error)),
            None => break,
        }
    }
    let Some(ending) = kind_of(&head) else { return Ok(Ok(None)) };
    let key = format!("{workspace}/{call}.{ending}");
    let upload = store.put_multipart(&Path::from(key.as_str())).await.map_err(files_error)?;
    let mut writer = WriteMultipart::new(upload);
    let mut written = head.len();
    writer.put(head.into());
    while let Some(piece) = pieces.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                let _ = writer.abort().await;
                return Ok(Err(error));
            }
        };
        written += piece.len();
        writer.wait_for_capacity(2).await.map_err(files_error)?;
        writer.put(piece);
    }
    // A bare header is no sound.
    if written <= 44 {
        let _ = writer.abort().await;
        return Ok(Ok(None));
    }
    writer.finish().await.map_err(files_error)?;
    Ok(Ok(Some(key)))
}

/// How loud each side was. None when the file is no sound we can read.
pub(crate) async fn peaks(store: &dyn ObjectStore, key: &str, spans: Vec<Span>) -> Result<Option<Peaks>, AppError> {
    let found = store.get(&Path::from(key)).await.map_err(files_error)?;
    let payload = match found.payload {
        GetResultPayload::File(file, _) => Ok(file),
        GetResultPayload::Stream(mut pieces) => {
            let mut all = Vec::new();
            while let Some(piece) = pieces.next().await {
                all.extend_from_slice(&piece.map_err(files_error)?);
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
        other => files_error(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_sound_by_how_it_begins() {
        for (head, kind) in [
            (&b"RIFF\x24\0\0\0WAVEfmt "[..], Some("wav")),
            (b"RF64\xff\xff\xff\xffWAVE", Some("wav")),
            (b"ID3\x04\0\0\0\0\0\0\0\0", Some("mp3")),
            (b"\xff\xfb\x90\x64\0\0\0\0\0\0\0\0", Some("mp3")),
            (b"OggS\0\x02\0\0\0\0\0\0", Some("ogg")),
            (b"\0\0\0\x20ftypM4A ", Some("m4a")),
            (b"<html><head><title>502", None),
            (b"{\"detail\":\"Not found.\"}", None),
            (b"RIFF\x24\0\0\0AVI LIST", None),
            (b"\xff\xfe<\0h\0t\0m\0l\0>\0", None),
            (b"", None),
        ] {
            assert_eq!(kind_of(head), kind, "{}", String::from_utf8_lossy(head));
        }
        assert_eq!(kind_of_key("w/c.mp3"), ("mp3", "audio/mpeg"));
        assert_eq!(kind_of_key("w/c"), ("wav", "audio/wav"));
    }

    #[test]
    fn it_is_asked_for_during_a_quarter_of_an_hour() {
        assert!((900..1200).contains(&MISSING.iter().sum::<u64>()));
        assert!(TROUBLE.iter().sum::<u64>() > 3600);
    }
}
