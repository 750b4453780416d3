//! Asks a model again when the trouble is likely to pass within seconds. Only before the first word: what was said is not said twice.

use super::{ChatAccount, ChatAnswer, ChatDelta, ChatModel, ChatProvider, ChatRequest, ChatStream};
use crate::error::{Kind, ProviderError};
use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// How often, and after which pauses.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryRules {
    /// Requests in all.
    pub attempts: u32,
    /// The first pause; each further one is twice as long.
    pub first_pause: Duration,
    /// Whoever asks us to wait longer gets no second request from here: the caller has the time and can come back.
    pub longest_pause: Duration,
}

impl Default for RetryRules {
    fn default() -> Self {
        Self { attempts: 3, first_pause: Duration::from_millis(400), longest_pause: Duration::from_secs(20) }
    }
}

impl RetryRules {
    /// How long to wait before the next request. None: there is none.
    fn pause(&self, sent: u32, error: &ProviderError) -> Option<Duration> {
        // An answer that can't be understood was paid for, and one that took its whole time would take it again.
        let passes = matches!(error.kind, Kind::RateLimited | Kind::Unavailable | Kind::Network)
            || matches!(error.status, Some(408 | 409));
        if !passes || sent >= self.attempts {
            return None;
        }
        match error.retry_after {
            Some(wait) => Some(wait).filter(|wait| *wait <= self.longest_pause),
            None => {
                let pause = self.first_pause * 2_u32.saturating_pow(sent.saturating_sub(1).min(10));
                // Many who failed at one moment must not come back at one moment.
                let share = RandomState::new().hash_one(sent) % 512;
                Some(pause + pause * u32::try_from(share).unwrap_or(0) / 1024)
            }
        }
    }
}

impl RetryRules {
    /// Sends a request that is safe to send twice, again if need be.
    pub async fn ask<T, F>(&self, mut request: impl FnMut() -> F) -> Result<T, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>>,
    {
        let mut sent = 0;
        loop {
            sent += 1;
            match request().await {
                Err(error) => {
                    let pause = self.pause(sent, &error).ok_or(error)?;
                    tokio::time::sleep(pause).await;
                }
                answer => return answer,
            }
        }
    }
}

/// A model service that is asked again.
pub struct Retrying {
    inner: Arc<dyn ChatProvider>,
    rules: RetryRules,
}

impl Retrying {
    pub fn new(inner: Arc<dyn ChatProvider>, rules: RetryRules) -> Self {
        Self { inner, rules }
    }

    /// The stream once its first word is there.
    async fn begun(&self, request: &ChatRequest) -> Result<ChatStream, ProviderError> {
        let mut stream = self.inner.stream(request).await?;
        let first = stream.next().await.transpose()?;
        Ok(stream::iter(first.map(Ok::<ChatDelta, ProviderError>)).chain(stream).boxed())
    }
}

#[async_trait]
impl ChatProvider for Retrying {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn check_credentials(&self) -> Result<ChatAccount, ProviderError> {
        self.inner.check_credentials().await
    }

    async fn list_models(&self) -> Result<Vec<ChatModel>, ProviderError> {
        self.inner.list_models().await
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatAnswer, ProviderError> {
        self.rules.ask(|| self.inner.complete(request)).await
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, ProviderError> {
        self.rules.ask(|| self.begun(request)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_obey_the_service_and_end() {
        let rules = RetryRules::default();
        let error = |kind| ProviderError::new("openrouter", kind, "");
        let mut limited = error(Kind::RateLimited);
        limited.retry_after = Some(Duration::from_secs(7));
        assert_eq!(rules.pause(1, &limited), Some(Duration::from_secs(7)));
        assert_eq!(rules.pause(3, &limited), None, "three requests are enough");
        limited.retry_after = Some(Duration::from_secs(21));
        assert_eq!(rules.pause(1, &limited), None, "whoever has the time comes back later");
        for (sent, least, most) in [(1, 400, 600), (2, 800, 1200)] {
            let pause = rules.pause(sent, &error(Kind::Unavailable)).unwrap().as_millis();
            assert!((least..=most).contains(&pause), "{pause}");
        }
        for kind in [Kind::Rejected, Kind::Credentials, Kind::NotFound, Kind::Garbage, Kind::Timeout] {
            assert_eq!(rules.pause(1, &error(kind)), None, "{kind:?}");
        }
        let mut conflict = error(Kind::Rejected);
        conflict.status = Some(409);
        assert!(rules.pause(1, &conflict).is_some());
    }
}
