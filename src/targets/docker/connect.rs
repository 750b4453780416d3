//! The way to a Docker engine: a socket of this machine, or TLS with the engine's own authority and a client's certificate.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::{DockerKeys, Reach};
use crate::Trouble;
use patchbay_providers::public_address::is_public;

/// Seconds for the beginning of an answer; stopping a container takes a while.
const PATIENCE: u64 = 30;
/// Bytes of one answer that are read, and how many at once.
const MOST: usize = 64 * 1024 * 1024;
const PIECE: usize = 16 * 1024;

pub(super) fn connect(address: &str, keys: &DockerKeys, reach: Reach) -> Result<Docker, Trouble> {
    if let Some(path) = address.strip_prefix("unix://") {
        if reach != Reach::Anywhere {
            return Err(Trouble::target("Sockets of this machine are not to be used for targets."));
        }
        return Docker::connect_with_socket(path, PATIENCE, API_DEFAULT_VERSION).map_err(|error| {
            let what = format!("There is no Docker engine at {path}: {error}. Start it, or change the address.");
            Trouble::target(what)
        });
    }
    let config = tls(keys).map_err(|what| Trouble::target(format!("The certificates cannot be used: {what}.")))?;
    let lookup = tower::service_fn(move |name: Name| async move {
        let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
        // One private address among public ones is a trap: the whole name is refused.
        if reach == Reach::Public && found.iter().any(|at| !is_public(at.ip())) {
            return Err(io::Error::other("private and special addresses are not allowed"));
        }
        Ok(found.into_iter())
    });
    let mut http = HttpConnector::new_with_resolver(lookup);
    http.enforce_http(false);
    http.set_connect_timeout(Some(std::time::Duration::from_secs(10)));
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().wrap_connector(http);
    // A connection for each request, so that each has its limit.
    let limited = tower::service_fn(move |address| {
        let connecting = tower::ServiceExt::oneshot(connector.clone(), address);
        Box::pin(async move { connecting.await.map(|stream| Limited { stream, left: MOST }) })
    });
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(limited);
    let send = move |request: BollardRequest| {
        let client = client.clone();
        async move { client.request(request).await.map_err(bollard::errors::Error::from) }
    };
    let docker = Docker::connect_with_custom_transport(send, Some(address), PATIENCE, API_DEFAULT_VERSION);
    docker.map_err(|error| Trouble::target(format!("{address} cannot be asked: {error}.")))
}

/// A connection that ends when the other side has said so much. Whoever follows a log asks on from where it was.
struct Limited<S> {
    stream: S,
    left: usize,
}

impl<S: Read + Unpin> Read for Limited<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the engine says more than is read")));
        }
        let mut piece = [0; PIECE];
        let most = PIECE.min(self.left).min(into.remaining());
        let mut read = ReadBuf::new(&mut piece[..most]);
        let polled = Pin::new(&mut self.stream).poll_read(cx, read.unfilled());
        if matches!(polled, Poll::Ready(Ok(()))) {
            let filled = read.filled();
            self.left -= filled.len();
            into.put_slice(filled);
        }
        polled
    }
}

impl<S: Write + Unpin> Write for Limited<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: Connection> Connection for Limited<S> {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

fn tls(keys: &DockerKeys) -> Result<ClientConfig, String> {
    let certificates = |pem: &str| -> Result<Vec<CertificateDer<'static>>, String> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        read.map_err(|error| error.to_string())
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(keys.authority.as_deref().unwrap_or_default())? {
        roots.add(certificate).map_err(|error| format!("the authority: {error}"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    match (&keys.certificate, &keys.key) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| "the client’s key is no private key in PEM".to_owned())?;
            config.with_client_auth_cert(certificates(certificate)?, key).map_err(|error| error.to_string())
        }
        _ => Ok(config.with_no_client_auth()),
    }
}
