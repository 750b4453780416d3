//! Events of a service, put together to an answer.

use super::{ChatAnswer, ChatDelta, ChatStream};
use crate::error::ProviderError;
use crate::http::EventStream;
use crate::sse::Event;
use futures::stream::{self, StreamExt};

/// What an event brought.
pub(crate) enum Heard {
    Nothing,
    Words(String),
    /// The service says that this was all.
    End,
}

/// Puts the events of one service together.
pub(crate) trait Gather: Send + 'static {
    /// Takes one event. Errors: what the service says went wrong.
    fn take(&mut self, event: &Event) -> Result<Heard, ProviderError>;
    /// Why the model stopped is known: what is missing after it is no part of the answer.
    fn is_complete(&self) -> bool;
    /// The answer. Errors: `Network` when it broke off.
    fn finish(&mut self) -> Result<ChatAnswer, ProviderError>;
}

/// The words as they come, then the answer. An answer that breaks off is an error, never a short answer.
pub(crate) fn deltas(events: EventStream, gather: impl Gather) -> ChatStream {
    stream::unfold(Some((events, gather)), |state| async move {
        let (mut events, mut gather) = state?;
        loop {
            let heard = match events.next().await {
                Some(Ok(event)) => gather.take(&event),
                // The answer stands: only its counts may be missing.
                Some(Err(_)) | None if gather.is_complete() => Ok(Heard::End),
                Some(Err(error)) => Err(error),
                None => Ok(Heard::End),
            };
            match heard {
                Ok(Heard::Nothing) => {}
                Ok(Heard::Words(words)) if words.is_empty() => {}
                Ok(Heard::Words(words)) => return Some((Ok(ChatDelta::Text(words)), Some((events, gather)))),
                Ok(Heard::End) => return Some((gather.finish().map(ChatDelta::Done), None)),
                Err(error) => return Some((Err(error), None)),
            }
        }
    })
    .boxed()
}

/// An answer that came whole.
pub(crate) fn at_once(answer: ChatAnswer) -> ChatStream {
    let words = Some(answer.text.clone()).filter(|text| !text.is_empty()).map(ChatDelta::Text);
    stream::iter(words.into_iter().chain([ChatDelta::Done(answer)]).map(Ok)).boxed()
}
