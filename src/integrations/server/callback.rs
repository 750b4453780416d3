use axum::extract::Query;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Extension, Router};

use super::connecting;
use super::signing_in::{self, Callback, Failed};
use patchbay_access::server::{Db, Visitor};

/// Where services lead people back to who have signed in there. Inside the session.
pub fn routes() -> Router<Db> {
    Router::new().route("/integrations/callback", get(callback))
}

/// Always a page with words: whoever comes here has just left another site.
async fn callback(Extension(visitor): Extension<Visitor>, Query(callback): Query<Callback>) -> Redirect {
    if let Err(error) = connecting::sign_in_ended(&visitor).await {
        tracing::warn!(cause = %error, "the way to a sign-in that has ended is still there");
    }
    match signing_in::finish_sign_in(&visitor, &callback).await {
        Ok(next) => Redirect::to(&next),
        Err((id, failed)) => {
            if let Failed::Error(error) = &failed {
                tracing::warn!(cause = %error, "a sign-in at another system was not finished");
            }
            let at = id.map(|id| format!("/{id}")).unwrap_or_default();
            Redirect::to(&format!("/integrations{at}?sign_in={}", failed.word()))
        }
    }
}
