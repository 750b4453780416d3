//! Fetches what was said and the sound of it.

use std::time::Duration;

use super::counted;
use super::enrich::{self, notify, refused, taken_over};
use super::outcomes;
use super::recordings::{self, Absent, Sound, Spoken};
use super::store::enrichment::{self as store, NewMessage};
use super::transfers::NOTE;
use crate::model::{EnrichmentType, TranscriptStatus};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::lease::{self, Claim, ENRICHMENTS};
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::voice::{MessageRole, VoiceMessage};
use patchbay_shared::ids::CallId;
use patchbay_webhooks::model::EventType;

/// When to look again at a call that the provider says is still going on.
const STILL_TALKING: Duration = Duration::from_secs(15);

/// Gets messages, summary and recording from the provider and stores them; then the analysis may begin. A recording that isn't there yet
/// keeps nothing else waiting: it is asked for again by itself. Doing it twice is safe.
pub(super) async fn fetch(scope: &Scope, claim: &Claim, call: CallId) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let facts = store::facts(tx.reading(), call).await?;
    if !facts.talked {
        // Nobody answered, so there is nothing to fetch, and that is no failure.
        store::set_no_conversation(&mut tx, call).await?;
        if !lease::finish(tx.conn(), ENRICHMENTS, claim).await? {
            return Err(taken_over());
        }
        notify(&mut tx, call, facts.client_id);
        tx.commit().await?;
        return Ok(Verdict::Marked);
    }
    let Some(provider_call) = facts.provider_call_id.clone() else {
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
        Err(error) => return Err(refused(scope, error.provider, &error).await),
    };
    if told.ended.is_none() {
        return Ok(Verdict::Later(STILL_TALKING));
    }
    let messages = match voice.list_messages(&provider_call).await {
        Ok(messages) => stored(messages),
        Err(error) => return Err(refused(scope, error.provider, &error).await),
    };
    // Nothing says that a call is recorded: then one question will do.
    let sound = match told.is_recorded {
        Some(false) => None,
        _ if facts.has_recording_wish => None,
        _ if told.joined.is_none() => None,
        _ => Some(
            recordings::fetch(scope, voice.as_ref(), call, &provider_call, recordings::spans(&spoken(&messages)))
                .await?,
        ),
    };
    if let Some(Sound::Trouble(error)) = &sound {
        tracing::info!(%call, cause = %error, "the recording could not be fetched; asking again later");
    }
    let has_joined = told.joined.is_some();
    let was_spoken = messages.iter().any(|message| matches!(message.role, "agent" | "user"));
    let summary = told.summary.or(told.short_summary).filter(|text| !text.trim().is_empty());

    let mut tx = scope.write(Action::ReplayQueues).await?;
    store::replace_messages(&mut tx, call, facts.client_id, &messages).await?;
    store::record_transcript(&mut tx, call, summary.as_deref(), was_spoken, characters_spoken(&messages)).await?;
    counted::touch(&mut tx, call).await?;
    outcomes::by_transcript(&mut tx, call).await?;
    match &sound {
        Some(Sound::Kept(key, peaks)) => store::record_recording(&mut tx, call, key, peaks.as_ref()).await?,
        Some(Sound::Missing) if told.is_recorded.is_some() => {
            recordings::ask_again(&mut tx, call, 1, Absent::Missing).await?
        }
        Some(Sound::Trouble(error)) => {
            recordings::ask_again(&mut tx, call, 1, Absent::Trouble(error.retry_after)).await?
        }
        _ => {}
    }
    if was_spoken {
        enrich::enqueue_again(&mut tx, call, EnrichmentType::Analysis).await?;
    } else if has_joined {
        // Nobody spoke, so no model reads it: all that will be known of the call is known.
        super::told::tell(&mut tx, &[(call, EventType::AnalysisCompleted)]).await?;
    }
    if !lease::finish(tx.conn(), ENRICHMENTS, claim).await? {
        return Err(taken_over());
    }
    notify(&mut tx, call, facts.client_id);
    tx.commit().await?;
    Ok(Verdict::Marked)
}

/// Characters that the agent said.
fn characters_spoken(messages: &[NewMessage]) -> i32 {
    let spoken = messages.iter().filter(|message| message.role == "agent");
    i32::try_from(spoken.map(|message| message.text.chars().count()).sum::<usize>()).unwrap_or(i32::MAX)
}

fn spoken(messages: &[NewMessage]) -> Vec<Spoken> {
    let spoken = messages.iter().filter(|message| matches!(message.role, "agent" | "user"));
    let spoken = spoken.map(|message| Spoken {
        by_agent: message.role == "agent",
        start_ms: message.start_ms,
        end_ms: message.end_ms,
    });
    spoken.collect()
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
            let text = message.text;
            // Turns without words are noise; a tool's empty answer is an answer.
            if matches!(role, "agent" | "user") && text.trim().is_empty() {
                return None;
            }
            // What the product tells the agent comes as a turn of the caller's.
            if role == "user" && text.trim_start().starts_with(NOTE) {
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
                tool_name: message.tool_name,
                invocation_id: message.invocation_id,
                error_details: message.error_details,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_agent_is_told_is_nothing_that_the_caller_said() {
        let turn = |text: String| VoiceMessage {
            role: MessageRole::User,
            text,
            tool_name: None,
            invocation_id: None,
            error_details: None,
            start_seconds: None,
            end_seconds: None,
        };
        let kept =
            stored(vec![turn("Put me through.".to_owned()), turn(format!("{NOTE} Front desk was not reached."))]);
        assert_eq!(kept.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["Put me through."]);
    }
}
