//! Files: read piece by piece, up to a limit, after at most one redirect.

use super::{Ask, Endpoint, cause};
use crate::error::{Kind, ProviderError};
use crate::public_address::check_url;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::{RequestBuilder, Response, header};
use url::Url;

/// A file on its way.
pub struct Download {
    /// The media type the service named, such as `audio/wav`.
    pub content_type: String,
    /// The length in bytes, when the service said so.
    pub length: Option<u64>,
    /// The pieces. An error ends the stream.
    pub bytes: BoxStream<'static, Result<Bytes, ProviderError>>,
}

impl Endpoint {
    /// Downloads a file. One redirect is followed: within the service with the key, elsewhere without it and only to
    /// a public HTTPS address.
    pub async fn download(&self, ask: Ask) -> Result<Download, ProviderError> {
        let request = self.request(&ask)?;
        self.file(ask, request).await
    }

    /// The same for an address that the service named, under the rules of a redirect to it.
    pub async fn download_at(&self, address: &str) -> Result<Download, ProviderError> {
        let ask = Ask::get(&[]);
        let refuse = |why: String| {
            self.error(&ask, Kind::Garbage, None, &format!("It named an address, which is refused: {why}"))
        };
        let target = Url::parse(address).map_err(|why| refuse(why.to_string()))?;
        let request = self.at(target).map_err(refuse)?;
        self.file(ask, request).await
    }

    async fn file(&self, ask: Ask, request: RequestBuilder) -> Result<Download, ProviderError> {
        let first = self.send(&ask, request).await?;
        let response = if first.status().is_redirection() {
            let second = self.redirected(&ask, &first)?;
            let response = self.send(&ask, second).await?;
            self.accept(&ask, response).await.map_err(|error| self.refused_elsewhere(&ask, error))?
        } else {
            self.accept(&ask, first).await?
        };
        let limit = self.http.settings.download_limit;
        let length = response.content_length();
        if length.is_some_and(|length| length > limit) {
            return Err(self.error(&ask, Kind::Garbage, Some(response.status().as_u16()), "The file is too large"));
        }
        let content_type = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("application/octet-stream")
            .to_owned();
        Ok(Download { content_type, length, bytes: pieces(self.provider, response, limit) })
    }

    async fn send(&self, ask: &Ask, request: RequestBuilder) -> Result<Response, ProviderError> {
        let limit = self.http.settings.download_timeout;
        request.timeout(limit).send().await.map_err(|e| self.broken(ask, e))
    }

    /// The service took the key and said where the file is, so what is said there is nothing about the key: the address has expired, or
    /// the file isn't there yet. A new address may be good.
    fn refused_elsewhere(&self, ask: &Ask, error: ProviderError) -> ProviderError {
        if !matches!(error.kind, Kind::Credentials | Kind::NotFound | Kind::Rejected) {
            return error;
        }
        let said = format!("The place where the file is kept refused it: {}", error.message);
        self.error(ask, Kind::NotFound, error.status, &said)
    }

    fn redirected(&self, ask: &Ask, response: &Response) -> Result<RequestBuilder, ProviderError> {
        let refuse = |why: &str| {
            let said = format!("It sent us to another address, which is refused: {why}");
            self.error(ask, Kind::Garbage, Some(response.status().as_u16()), &said)
        };
        let target: Url = response
            .headers()
            .get(header::LOCATION)
            .and_then(|v| v.to_str().ok())
            .and_then(|to| response.url().join(to).ok())
            .ok_or_else(|| refuse("there is no address"))?;
        self.at(target).map_err(|why| refuse(&why))
    }

    /// Within the service with the key, elsewhere without it and only over public HTTPS. Errors: why the address is refused.
    fn at(&self, target: Url) -> Result<RequestBuilder, String> {
        if target.origin() == self.base.origin() {
            return Ok(self.http.direct.get(target).headers(self.headers.clone()));
        }
        check_url(&target).map_err(|why| why.to_string())?;
        Ok(self.http.outside.get(target))
    }
}

fn pieces(provider: &'static str, response: Response, limit: u64) -> BoxStream<'static, Result<Bytes, ProviderError>> {
    stream::try_unfold((response, 0_u64), move |(mut response, read)| async move {
        let broken = |e: reqwest::Error| {
            let kind = if e.is_timeout() { Kind::Timeout } else { Kind::Network };
            ProviderError::new(provider, kind, cause(&e))
        };
        let Some(piece) = response.chunk().await.map_err(broken)? else {
            return Ok(None);
        };
        let read = read + piece.len() as u64;
        if read > limit {
            return Err(ProviderError::new(provider, Kind::Garbage, "The file is too large"));
        }
        Ok(Some((piece, (response, read))))
    })
    .boxed()
}
