use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::{logos, style, upload};
use patchbay_access::server::Db;
use patchbay_shared::AppError;

/// For files whose address changes with their contents.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Uploads. They need a signed-in visitor.
pub fn routes() -> Router<Db> {
    // What is larger than any logo by far is not read to its end.
    let most = DefaultBodyLimit::max(8 * 1024 * 1024);
    Router::new().route("/settings/brand/logo", post(upload::upload).layer(most))
}

/// Style sheets and logos. Outside the session: the sign-in page shows them, and nothing about them is secret.
pub fn open() -> Router<Db> {
    Router::new().route("/brand/{file}", get(sheet)).route("/brand/logo/{file}", get(logo))
}

async fn sheet(State(db): State<Db>, Path(file): Path<String>) -> Result<Response, AppError> {
    let text = style::find(&db.services().state(), &file).ok_or(AppError::NotFound)?;
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, FOR_EVER)];
    Ok((headers, text).into_response())
}

async fn logo(State(db): State<Db>, Path(file): Path<String>) -> Result<Response, AppError> {
    let (bytes, media) = logos::read(&*db.services().logos, &file).await?;
    let headers = [
        (header::CONTENT_TYPE, media),
        (header::CACHE_CONTROL, FOR_EVER),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    Ok((headers, bytes).into_response())
}
