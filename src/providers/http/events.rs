//! Answers that come piece by piece.

use super::{Ask, Endpoint, cause};
use crate::error::{Kind, ProviderError};
use crate::sse::{Event, Reader};
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::{Response, header};
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;

/// Longest time for a whole streamed answer.
const LONGEST: Duration = Duration::from_secs(600);
/// Most bytes of a whole streamed answer: some hundred for each word.
const MOST_BYTES: usize = 64 << 20;

/// Events one by one. An error ends the stream.
pub(crate) type EventStream = BoxStream<'static, Result<Event, ProviderError>>;

/// What a service answers that was asked to stream.
pub(crate) enum Streamed {
    Events(EventStream),
    /// It doesn't stream: the whole answer at once.
    Whole(Value),
}

impl Endpoint {
    /// Sends the request and reads the events of its answer. The answer has to begin within the endpoint's time limit, and no event may
    /// take longer than that to come.
    pub(crate) async fn events(&self, ask: Ask) -> Result<Streamed, ProviderError> {
        let request = self.request(&ask)?.timeout(LONGEST);
        let late = || self.error(&ask, Kind::Timeout, None, "");
        let begun = async {
            let response = request.send().await.map_err(|e| self.broken(&ask, e))?;
            self.accept(&ask, response).await
        };
        let response = tokio::time::timeout(self.timeout, begun).await.map_err(|_| late())??;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if kind.to_ascii_lowercase().contains("json") {
            let status = response.status().as_u16();
            let body = tokio::time::timeout(self.timeout, self.read(&ask, response)).await.map_err(|_| late())??;
            let whole = crate::json::read(&body).map_err(|e| {
                let said = format!("{e}; the answer began: {}", self.excerpt(&ask, &body));
                self.error(&ask, Kind::Garbage, Some(status), &said)
            })?;
            return Ok(Streamed::Whole(whole));
        }
        let state = State {
            provider: self.provider,
            response,
            reader: Reader::new(self.http.settings.json_limit),
            waiting: VecDeque::new(),
            read: 0,
            patience: self.timeout,
            is_over: false,
        };
        Ok(Streamed::Events(stream::try_unfold(state, next).boxed()))
    }
}

struct State {
    provider: &'static str,
    response: Response,
    reader: Reader,
    waiting: VecDeque<Event>,
    read: usize,
    patience: Duration,
    is_over: bool,
}

async fn next(mut state: State) -> Result<Option<(Event, State)>, ProviderError> {
    loop {
        if let Some(event) = state.waiting.pop_front() {
            return Ok(Some((event, state)));
        }
        if state.is_over {
            return Ok(None);
        }
        let error = |kind, said: String| ProviderError::new(state.provider, kind, said);
        let piece = tokio::time::timeout(state.patience, state.response.chunk()).await;
        let piece = piece.map_err(|_| error(Kind::Timeout, "The answer stood still".to_owned()))?;
        let piece = piece.map_err(|e| {
            let kind = if e.is_timeout() { Kind::Timeout } else { Kind::Network };
            error(kind, format!("The answer broke off: {}", cause(&e)))
        })?;
        let Some(piece) = piece else {
            state.is_over = true;
            state.waiting.extend(state.reader.finish());
            continue;
        };
        state.read += piece.len();
        let mut events = Vec::new();
        let fits = state.reader.push(&piece, &mut events).is_ok() && state.read <= MOST_BYTES;
        if !fits {
            return Err(error(Kind::Garbage, "The answer is too large".to_owned()));
        }
        state.waiting.extend(events);
    }
}
