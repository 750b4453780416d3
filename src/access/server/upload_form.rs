//! Forms with a file (`multipart/form-data`). Everything before the file must be small: a parser that looks for the end of a field, of
//! a header or of the first boundary keeps what it has read so far, so whoever sends no such end would fill the memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{FromRequest, Multipart, Request};
use futures::{Stream, StreamExt};

/// The most bytes before the file: boundaries, headers and all other fields together.
pub const MAX_BEFORE_FILE: usize = 64 * 1024;
/// Bytes that the parser gets at once until the file begins. It takes a piece whenever it is asked for something, also when it has
/// enough, so that it is a few pieces ahead of what it gives.
const PIECE: usize = 512;

/// A form with fields of text and then, in fields `file`, files of any size, each read to its end before the next.
pub struct UploadForm {
    form: Multipart,
    meter: Arc<Meter>,
}

/// The next thing in the form.
pub enum Part<'a> {
    Text {
        name: String,
        text: String,
    },
    /// Whoever reads it counts its bytes.
    File(Box<Field<'a>>),
}

/// Why the form cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormFault {
    /// More than `MAX_BEFORE_FILE` came and no file.
    TooLong,
    /// The connection broke off, or this is no such form.
    Broken,
}

impl UploadForm {
    /// The next field, or none at the end.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, FormFault> {
        let meter = &self.meter;
        // What stands between two files must be as small as what stands before the first.
        let is_after_file = meter.reached_file.swap(false, Ordering::Relaxed);
        if is_after_file {
            meter.left.store(MAX_BEFORE_FILE, Ordering::Relaxed);
        }
        let Some(field) = self.form.next_field().await.map_err(|_| meter.fault())? else { return Ok(None) };
        if field.name() == Some("file") {
            meter.reached_file.store(true, Ordering::Relaxed);
            return Ok(Some(Part::File(Box::new(field))));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let text = field.text().await.map_err(|_| meter.fault())?;
        Ok(Some(Part::Text { name, text }))
    }
}

impl<S: Send + Sync> FromRequest<S> for UploadForm {
    type Rejection = MultipartRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let meter = Arc::new(Meter { left: AtomicUsize::new(MAX_BEFORE_FILE), ..Meter::default() });
        let (parts, body) = request.into_parts();
        let body = Body::from_stream(metered(body.into_data_stream(), meter.clone()));
        Ok(Self { form: Multipart::from_request(Request::from_parts(parts, body), state).await?, meter })
    }
}

#[derive(Default)]
struct Meter {
    left: AtomicUsize,
    reached_file: AtomicBool,
    is_spent: AtomicBool,
}

impl Meter {
    fn reached_file(&self) -> bool {
        self.reached_file.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> std::io::Result<()> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| {
            self.is_spent.store(true, Ordering::Relaxed);
            std::io::Error::other("the fields before the file are too long")
        })
    }

    fn fault(&self) -> FormFault {
        if self.is_spent.load(Ordering::Relaxed) { FormFault::TooLong } else { FormFault::Broken }
    }
}

/// The body in small counted pieces until the file is reached, then as it comes.
fn metered(body: BodyDataStream, meter: Arc<Meter>) -> impl Stream<Item = Result<Bytes, axum::BoxError>> {
    futures::stream::try_unfold((body, Bytes::new()), move |(mut body, mut held)| {
        let meter = meter.clone();
        async move {
            if !meter.reached_file() {
                // The parser takes all that is ready before it looks at any of it, so the next piece is not ready at once: otherwise
                // the beginning of a file would be counted as what comes before it.
                tokio::task::yield_now().await;
            }
            if held.is_empty() {
                let Some(chunk) = body.next().await else { return Ok(None) };
                held = chunk?;
            }
            if meter.reached_file() {
                return Ok(Some((held, (body, Bytes::new()))));
            }
            let piece = held.split_to(held.len().min(PIECE));
            meter.take(piece.len())?;
            Ok(Some((piece, (body, held))))
        }
    })
}
