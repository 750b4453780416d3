//! Requests that come slowly. Whoever opens connections and sends a byte now and then would hold one each for as long as they like
//! ("slow loris"). So a request's head has a time limit, the pieces of its body may not be too far apart, and everything but an upload
//! has to be there in time; an upload takes as long as it takes, while bytes keep coming.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures::{StreamExt, stream};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The longest head of a request: address, cookies and other headers together. More is answered with 431.
const MOST_HEAD: usize = 64 * 1024;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the head of a request, and between two requests on one connection.
    pub head: Duration,
    /// Between two pieces of a body.
    pub piece: Duration,
    /// For a whole body that is no upload.
    pub body: Duration,
}

impl Patience {
    pub(crate) fn of_seconds(seconds: u64) -> Self {
        let piece = Duration::from_secs(seconds);
        Self { head: piece, piece, body: piece * 2 }
    }
}

/// A body came too slowly.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body came too slowly")
    }
}

impl std::error::Error for TooSlow {}

impl TooSlow {
    pub(crate) fn is_cause_of(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<Self>() {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// Gives a request's body its time limits. Whoever reads it gets an error when they are over.
pub(crate) async fn limit_body(State(patience): State<Patience>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_upload = kind.starts_with("multipart/form-data");
    let end = (!is_upload).then(|| Instant::now() + patience.body);
    next.run(request.map(|body| paced(body, patience.piece, end))).await
}

fn paced(body: Body, piece: Duration, end: Option<Instant>) -> Body {
    Body::from_stream(stream::try_unfold(body.into_data_stream(), move |mut pieces| async move {
        let next = Instant::now() + piece;
        match timeout_at(end.map_or(next, |end| end.min(next)), pieces.next()).await {
            Ok(Some(piece)) => Ok::<_, axum::BoxError>(Some((piece?, pieces))),
            Ok(None) => Ok(None),
            Err(_) => Err(TooSlow.into()),
        }
    }))
}

/// Takes connections until `stop`, and then waits for the requests that are under way.
pub(crate) async fn serve(listener: TcpListener, router: Router, patience: Patience, stop: CancellationToken) {
    // Nothing is ever sent: the channel closes when the last connection has let go of its end.
    let (open, mut closed) = mpsc::channel::<()>(1);
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            taken = listener.accept() => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    // Of one connection that is gone already, or of all: too many files are open.
                    tracing::debug!(cause = %error, "a connection was not taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (router, stop, open) = (router.clone(), stop.clone(), open.clone());
        tokio::spawn(async move {
            talk(stream, peer, router, patience, stop).await;
            drop(open);
        });
    }
    drop(open);
    closed.recv().await;
}

async fn talk(stream: TcpStream, peer: SocketAddr, router: Router, patience: Patience, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(MOST_HEAD);
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(cause = %error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::middleware;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(3600);

    /// A server that answers with the length of what it was sent. Whoever asks gets all that it says until it hangs up.
    async fn ask(patience: Patience, request: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/", post(|body: String| async move { body.len().to_string() }))
            .layer(middleware::from_fn_with_state(patience, limit_body));
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, app, patience, stop.clone()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        stop.cancel();
        server.await.unwrap();
        answer
    }

    #[tokio::test]
    async fn half_a_request_does_not_stay_open() {
        let impatient = Patience { head: SHORT, piece: LONG, body: LONG };
        assert_eq!(ask(impatient, "").await, "", "nothing at all");
        assert_eq!(ask(impatient, "POST / HTTP/1.1\r\nhost: a\r\nx-a: b\r\n").await, "", "half a head");
        let whole = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
        assert!(ask(impatient, whole).await.ends_with("\r\n\r\n3"), "a connection without a further request");
        let half = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 30\r\n\r\nabc";
        let answer = ask(Patience { head: SHORT, piece: SHORT, body: LONG }, half).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "a body that stops: {answer}");
        let answer = ask(Patience { head: SHORT, piece: LONG, body: SHORT }, half).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "a body that never comes to its end: {answer}");
    }

    #[tokio::test]
    async fn an_upload_goes_on_while_bytes_keep_coming_and_nothing_else_does() {
        let (send, sent) = mpsc::channel::<Result<axum::body::Bytes, axum::BoxError>>(1);
        let pieces = stream::unfold(sent, |mut sent| async move { Some((sent.recv().await?, sent)) });
        let body = paced(Body::from_stream(pieces), LONG, None);
        let reading = tokio::spawn(axum::body::to_bytes(body, usize::MAX));
        for _ in 0..100 {
            send.send(Ok("x".into())).await.unwrap();
        }
        drop(send);
        assert_eq!(reading.await.unwrap().unwrap().len(), 100);
        let stalled =
            paced(Body::from_stream(stream::pending::<Result<String, axum::BoxError>>()), LONG, Some(Instant::now()));
        let error = axum::body::to_bytes(stalled, usize::MAX).await.unwrap_err();
        assert!(TooSlow::is_cause_of(&error), "{error:?}");
    }
}
