//! Fetches what was said and the sound of it.

use std::time::Duration;

use super::enrich::{self, notify, refused, taken_over};
use super::peaks::Span;
use super::recordings::{self, Trouble};
use super::store::enrichment::{self as store, NewMessage};
use crate::model::{EnrichmentType, Peaks, TranscriptStatus};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::lease::{self, Claim, ENRICHMENTS};
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::VoiceProvider;
use patchbay_providers::voice::{MessageRole, VoiceMessage};
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// From this attempt on a recording that does not come keeps the transcript no longer.
const WITHOUT_SOUND_FROM: i32 = 4;

/// When to look again at a call that the provider says is still going on.
const STILL_TALKING: Duration = Duration::from_secs(15);

/// Gets messages, summary and recording from the provider and stores them; then the analysis may begin. Doing it twice is safe.
pub(super) async fn fetch(scope: &Scope, claim: &Claim, call: CallId) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let facts = store::facts(tx.reading(), call).await?;
    let Some(provider_call) = facts.provider_call_id else {
        return Err(Failure {
            error: "The provider has no record of this call, so there is no transcript.".into(),
            retry_after: None,
            permanent: true,
        });
    };
    store::set_transcript_status(&mut tx, call, TranscriptStatus::Fetching).await?;
    notify(&mut tx, call, facts.client_id);
    tx.commit().await?;

    let voice = connections::voice_to_look(scope).await?;
    let told = match voice.get_call(&provider_call).await {
        Ok(told) => told,
        Err(error) => return Err(refused(scope, &error).await),
    };
    if told.ended.is_none() {
        return Ok(Verdict::Later(STILL_TALKING));
    }
    let messages = match voice.list_messages(&provider_call).await {
        Ok(messages) => stored(messages),
        Err(error) => return Err(refused(scope, &error).await),
    };
    let sound = if told.is_recorded && told.joined.is_some() {
        sound(scope, claim, voice.as_ref(), &provider_call, call, &messages).await?
    } else {
        None
    };
    let was_spoken = messages.iter().any(|message| matches!(message.role, "agent" | "user"));
    let summary = told.summary.or(told.short_summary).map(|text| clean(&text)).filter(|text| !text.trim().is_empty());

    let mut tx = scope.write(Action::ReplayQueues).await?;
    store::replace_messages(&mut tx, call, facts.client_id, &messages).await?;
    let recording = sound.as_ref().map(|(key, peaks)| (key.as_str(), peaks.as_ref()));
    store::record_transcript(&mut tx, call, summary.as_deref(), recording, was_spoken).await?;
    if was_spoken {
        enrich::enqueue_again(&mut tx, call, EnrichmentType::Analysis).await?;
    }
    if !lease::finish(tx.conn(), ENRICHMENTS, claim).await? {
        return Err(taken_over());
    }
    notify(&mut tx, call, facts.client_id);
    tx.commit().await?;
    Ok(Verdict::Marked)
}

/// Keeps the recording. None: there is none, or it did not come after several tries.
async fn sound(
    scope: &Scope,
    claim: &Claim,
    voice: &dyn VoiceProvider,
    provider_call: &str,
    call: CallId,
    messages: &[NewMessage],
) -> Result<Option<(String, Option<Peaks>)>, Failure> {
    let store = &*scope.services().recordings;
    let key = recordings::key(scope.workspace_id(), call);
    let kept = match voice.recording(provider_call).await {
        Ok(recording) => recordings::keep(store, &key, recording).await,
        Err(error) if recordings::is_missing(&error) => Ok(false),
        Err(error) => Err(Trouble::Provider(error)),
    };
    match kept {
        Ok(false) => Ok(None),
        Ok(true) => {
            let peaks = recordings::peaks(store, &key, spans(messages)).await?;
            Ok(Some((key, peaks)))
        }
        Err(trouble) if claim.attempt >= WITHOUT_SOUND_FROM => {
            tracing::warn!(%call, cause = ?trouble, "the transcript is kept without its recording");
            Ok(None)
        }
        Err(Trouble::Provider(error)) => Err(refused(scope, &error).await),
        Err(Trouble::Ours(error)) => Err(AppError::into(error)),
    }
}

fn stored(messages: Vec<VoiceMessage>) -> Vec<NewMessage> {
    let mut out: Vec<NewMessage> = messages
        .into_iter()
        .filter_map(|message| {
            let role = match message.role {
                MessageRole::Agent => "agent",
                MessageRole::User => "user",
                MessageRole::ToolCall => "tool_call",
                MessageRole::ToolResult => "tool_result",
                MessageRole::Other(_) => return None,
            };
            let text = clean(&message.text);
            // Turns without words are noise; a tool's empty answer is an answer.
            if matches!(role, "agent" | "user") && text.trim().is_empty() {
                return None;
            }
            let ms = |seconds: Option<f64>| {
                seconds.map(|seconds| (seconds * 1000.0).round().clamp(0.0, f64::from(i32::MAX)) as i32)
            };
            Some(NewMessage {
                role,
                text,
                start_ms: ms(message.start_seconds),
                end_ms: ms(message.end_seconds),
                tool_name: message.tool_name.as_deref().map(clean),
                invocation_id: message.invocation_id.as_deref().map(clean),
                error_details: message.error_details.as_deref().map(clean),
            })
        })
        .collect();
    // Without a time of its own a message stands where the one before it began.
    let mut last = None;
    for message in &mut out {
        message.start_ms = message.start_ms.or(last);
        last = message.start_ms;
    }
    out
}

/// PostgreSQL takes every character but this one.
fn clean(text: &str) -> String {
    text.replace('\0', "")
}

/// Who spoke when. A turn without an end lasts until the next one.
fn spans(messages: &[NewMessage]) -> Vec<Span> {
    let spoken: Vec<&NewMessage> = messages.iter().filter(|message| matches!(message.role, "agent" | "user")).collect();
    let seconds = |ms: i32| f64::from(ms) / 1000.0;
    spoken
        .iter()
        .enumerate()
        .filter_map(|(index, message)| {
            let from = message.start_ms?;
            let next = spoken.get(index + 1).and_then(|next| next.start_ms);
            let to = message.end_ms.or(next).unwrap_or(from + 5000);
            Some(Span { by_agent: message.role == "agent", from: seconds(from), to: seconds(to) })
        })
        .collect()
}
