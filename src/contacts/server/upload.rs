//! The upload: straight to the disk, piece by piece, then a look at its head.

use std::path::Path;

use axum::extract::Extension;
use axum::extract::multipart::Field;
use axum::response::{IntoResponse, Redirect, Response};
use tokio::io::AsyncWriteExt;

use super::import::sniff::{self, Witness};
use super::store::imports;
use super::{files, leftovers, ops};
use crate::{MAX_FILE, UploadProblem};
use patchbay_access::Action;
use patchbay_access::server::{FormFault, Part, Scope, UploadForm, UploadPlace, Visitor, upload_place};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{CampaignId, ClientId, ImportId};

/// `POST /contacts/imports/upload`: fields `client`, `campaign`, then `file`. Goes on to the second step, or back to the first with
/// what was wrong.
pub async fn upload(Extension(visitor): Extension<Visitor>, form: UploadForm) -> Response {
    match take(&visitor, form).await {
        Ok(Ok(id)) => Redirect::to(&format!("/contacts/imports/{id}/mapping")).into_response(),
        Ok(Err(Refused { problem, client, campaign })) => {
            let mut address = format!("/contacts/imports/new?problem={problem}");
            if let Some(client) = client {
                address += &format!("&client={client}");
            }
            if let Some(campaign) = campaign {
                address += &format!("&campaign={campaign}");
            }
            Redirect::to(&address).into_response()
        }
        Err(error) => error.into_response(),
    }
}

struct Refused {
    problem: UploadProblem,
    client: Option<ClientId>,
    campaign: Option<CampaignId>,
}

async fn take(visitor: &Visitor, mut form: UploadForm) -> Result<Result<ImportId, Refused>, AppError> {
    let scope = visitor.scope()?;
    // Ask before anything is written to the disk.
    let mut tx = scope.write(Action::ManageContacts).await?;
    let busy = imports::busy(tx.reading()).await? >= imports::AT_ONCE;
    drop(tx);
    let (mut client, mut campaign) = (scope.client_id(), None);
    let refused = |problem, client, campaign| Ok(Err(Refused { problem, client, campaign }));
    if busy {
        return refused(UploadProblem::TooMany, client, campaign);
    }
    let Some(place) = upload_place(scope.services(), scope.workspace_id()) else {
        return refused(UploadProblem::Uploads, client, campaign);
    };
    loop {
        match form.next().await {
            Ok(Some(Part::Text { name, text })) => match name.as_str() {
                "client" if scope.client_id().is_none() => client = text.parse().ok(),
                "campaign" => campaign = text.parse().ok(),
                _ => {}
            },
            Ok(Some(Part::File(field))) => {
                let Some(client) = client else { return refused(UploadProblem::NoClient, None, campaign) };
                return Ok(store(&scope, place, client, campaign, *field).await?.map_err(|problem| Refused {
                    problem,
                    client: Some(client),
                    campaign,
                }));
            }
            Ok(None) => return refused(UploadProblem::NoFile, client, campaign),
            Err(FormFault::TooLong) => return refused(UploadProblem::LongField, client, campaign),
            Err(FormFault::Broken) => return refused(UploadProblem::Broken, client, campaign),
        }
    }
}

async fn store(
    scope: &Scope,
    place: UploadPlace,
    client: ClientId,
    campaign: Option<CampaignId>,
    field: Field<'_>,
) -> Result<Result<ImportId, UploadProblem>, AppError> {
    // What was left lying takes nobody's place, so it goes before anybody is told that there is none.
    leftovers::clear(scope).await?;
    // Asked again when it has arrived; now, so that nobody uploads a gigabyte in vain.
    let mut tx = scope.read(Action::ManageContacts).await?;
    let no_room = ops::no_room(&mut tx, client, 1, 1).await?;
    drop(tx);
    if let Some(problem) = no_room {
        return Ok(Err(problem));
    }
    let id = ImportId::new();
    let path = files::path(scope.services(), &files::key(scope.workspace_id(), id))?;
    let unclaimed = files::Unclaimed::new(path.clone());
    // What the browser calls the file is shown and never used as a path.
    let file_name: String =
        field.file_name().unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let file_name: String = file_name.chars().filter(|c| !c.is_control()).take(200).collect();
    let kept = keep(&path, field).await;
    let looked = match kept? {
        Ok((bytes, witness)) if bytes > 0 => {
            let turn = files::turn(scope.services(), scope.workspace_id()).await;
            let look = move || sniff::sniff(&path, &witness);
            files::work((turn, place, unclaimed), look).await?
        }
        Ok(_) if file_name.is_empty() => return Ok(Err(UploadProblem::NoFile)),
        Ok(_) => return Ok(Err(UploadProblem::Empty)),
        Err(problem) => return Ok(Err(problem)),
    };
    let ((turn, _place, unclaimed), sniffed) = looked;
    drop(turn);
    let sniffed = match sniffed? {
        Ok(sniffed) => sniffed,
        Err(problem) => return Ok(Err(problem)),
    };
    let file_name = if file_name.is_empty() { "contacts.csv".into() } else { file_name };
    let mut tx = scope.write(Action::ManageContacts).await?;
    if let Err(problem) = ops::take_upload(&mut tx, ops::Uploaded { id, client, campaign, file_name, sniffed }).await? {
        return Ok(Err(problem));
    }
    tx.commit().await?;
    unclaimed.claim();
    Ok(Ok(id))
}

/// Writes the bytes as they come. A file that is too large is read to its end all the same, but not kept: a browser that is cut off
/// while it sends shows its own error page instead of ours.
async fn keep(path: &Path, mut field: Field<'_>) -> Result<Result<(u64, Witness), UploadProblem>, AppError> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(internal)?;
    }
    let mut file = tokio::io::BufWriter::new(tokio::fs::File::create(path).await.map_err(internal)?);
    let (mut bytes, mut witness) = (0_u64, Witness::default());
    loop {
        match field.chunk().await {
            Ok(Some(chunk)) => {
                bytes += chunk.len() as u64;
                if bytes > MAX_FILE * 2 {
                    return Ok(Err(UploadProblem::TooLarge));
                }
                if bytes <= MAX_FILE {
                    witness.watch(&chunk);
                    file.write_all(&chunk).await.map_err(internal)?;
                }
            }
            Ok(None) => break,
            Err(_) => return Ok(Err(UploadProblem::Broken)),
        }
    }
    file.flush().await.map_err(internal)?;
    file.get_ref().sync_all().await.map_err(internal)?;
    Ok(if bytes > MAX_FILE { Err(UploadProblem::TooLarge) } else { Ok((bytes, witness)) })
}
