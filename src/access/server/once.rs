//! What is shown once: a link, a key, recovery codes. It waits, sealed, in the session of whoever made it until the next page has
//! shown it, so that this works with and without script.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Visitor;
use patchbay_providers::Binding;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

fn place(visitor: &Visitor, kind: &str) -> Result<Binding, AppError> {
    let viewer = visitor.viewer()?;
    let workspace = viewer.workspace.as_ref().map(|home| home.id.0).unwrap_or_default();
    Ok(Binding::new(workspace, format!("user:{}", viewer.user_id), kind))
}

/// Keeps `value` for the next page that asks for `kind`.
pub async fn keep<T: Serialize>(visitor: &Visitor, kind: &str, value: &T) -> Result<(), AppError> {
    let sealed = visitor.db.services().ring.seal(&place(visitor, kind)?, value).map_err(internal)?;
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    session.insert(kind, sealed).await.map_err(internal)
}

/// What was kept, which goes on being kept.
pub async fn peek<T: DeserializeOwned>(visitor: &Visitor, kind: &str) -> Result<Option<T>, AppError> {
    let place = place(visitor, kind)?;
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    let Some(sealed) = session.get::<String>(kind).await.map_err(internal)? else { return Ok(None) };
    // Sealed with a key that is gone: as good as never kept.
    Ok(visitor.db.services().ring.open(&place, &sealed).ok())
}

/// What was kept, for the last time.
pub async fn take<T: DeserializeOwned>(visitor: &Visitor, kind: &str) -> Result<Option<T>, AppError> {
    let kept = peek(visitor, kind).await?;
    if kept.is_some() {
        let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
        session.remove::<String>(kind).await.map_err(internal)?;
    }
    Ok(kept)
}
