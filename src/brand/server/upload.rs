use axum::extract::Extension;
use axum::extract::multipart::Field;
use axum::response::{IntoResponse, Redirect, Response};

use super::{logos, ops, store};
use crate::model::{LogoProblem, MAX_LOGO};
use patchbay_access::Action;
use patchbay_access::server::{FormFault, Part, UploadForm, Visitor};
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;

/// `POST /settings/brand/logo`: the field `client` for a client's logo, then `file`. Goes back to the page, with what was wrong.
pub(crate) async fn upload(Extension(visitor): Extension<Visitor>, form: UploadForm) -> Response {
    match take(&visitor, form).await {
        Ok((client, problem)) => {
            let words = problem.map_or_else(|| "saved=1".to_owned(), |problem| format!("problem={problem}"));
            Redirect::to(&ops::page(client, &words)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn take(visitor: &Visitor, mut form: UploadForm) -> Result<(Option<ClientId>, Option<LogoProblem>), AppError> {
    let scope = visitor.scope()?;
    // Ask before anything is read.
    drop(scope.write(Action::ManageBrand).await?);
    let mut client = None;
    loop {
        match form.next().await {
            Ok(Some(Part::Text { name, text })) => {
                if name == "client" && !text.is_empty() {
                    let id: ClientId = text.parse()?;
                    let mut tx = scope.write(Action::ManageBrand).await?;
                    store::client(tx.reading(), id).await?;
                    client = Some(id);
                }
            }
            Ok(Some(Part::File(field))) => {
                let judged = read(*field).await.and_then(|bytes| Ok((logos::judge(&bytes)?, bytes)));
                let (ending, bytes) = match judged {
                    Ok(judged) => judged,
                    Err(problem) => return Ok((client, Some(problem))),
                };
                let name = logos::keep(&*scope.services().logos, bytes, ending).await?;
                if let Err(error) = ops::set_logo(&scope, client, Some(name.clone())).await {
                    logos::delete(&*scope.services().logos, &name).await;
                    return Err(error);
                }
                return Ok((client, None));
            }
            Ok(None) => return Ok((client, Some(LogoProblem::NoFile))),
            Err(FormFault::TooLong) => return Ok((client, Some(LogoProblem::LongField))),
            Err(FormFault::Broken) => return Ok((client, Some(LogoProblem::Broken))),
        }
    }
}

/// The bytes of a field. What is too large is read to its end all the same, but not kept: a browser that is cut off while it sends
/// shows its own error page instead of ours.
async fn read(mut field: Field<'_>) -> Result<Vec<u8>, LogoProblem> {
    let (mut bytes, mut is_too_large) = (Vec::new(), false);
    loop {
        match field.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= MAX_LOGO => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => is_too_large = true,
            Ok(None) if is_too_large => return Err(LogoProblem::TooLarge),
            Ok(None) => return Ok(bytes),
            Err(_) if is_too_large => return Err(LogoProblem::TooLarge),
            Err(_) => return Err(LogoProblem::Broken),
        }
    }
}
