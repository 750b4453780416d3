//! Pages by address: read once, stored like a file, and read again when somebody says so.

use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use url::Url;

use super::store::entries::NewFile;
use super::{MANAGE, files, ops};
use crate::model::kind::{HEAD, Parts};
use crate::model::{CollectionId, EntryId, Kind};
use patchbay_access::server::Scope;
use patchbay_providers::outside::{OutsideAsk, OutsideTrouble};
use patchbay_services::Services;
use patchbay_services::files_error;
use patchbay_shared::AppError;

/// The largest page, and how long it may take.
const MAX_PAGE: usize = 10 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);
const MAX_ADDRESS: usize = 1_000;
const MOST_REDIRECTS: usize = 4;

/// Reads a page into a collection. Errors: `Invalid` at `address`, `NotFound`.
pub(crate) async fn add(scope: &Scope, id: CollectionId, address: &str) -> Result<(), AppError> {
    store(scope, id, None, address).await
}

/// Reads a page by address again, or indexes a file again. Gives its collection. Errors: `Conflict`, `NotFound`.
pub(crate) async fn again(scope: &Scope, id: EntryId) -> Result<CollectionId, AppError> {
    let mut tx = scope.write(MANAGE).await?;
    let entry = ops::stored(tx.reading(), id).await?;
    let Some(address) = entry.source_url else {
        let collection = ops::reindex(&mut tx, id).await?;
        tx.commit().await?;
        return Ok(collection);
    };
    // Nothing is held while the page is asked for.
    drop(tx);
    store(scope, entry.collection, Some(id), &address).await?;
    Ok(entry.collection)
}

async fn store(scope: &Scope, id: CollectionId, in_place_of: Option<EntryId>, address: &str) -> Result<(), AppError> {
    let mut tx = scope.write(MANAGE).await?;
    let no_room = ops::no_room(tx.reading(), id, in_place_of, 1).await?;
    drop(tx);
    if let Some(problem) = no_room {
        return Err(AppError::invalid("address", problem.label()));
    }
    let page = read(scope.services(), address).await.map_err(|why| AppError::invalid("address", why))?;
    let (file, key) = ops::new_file(scope);
    let files = files::store(scope.services());
    let unclaimed = files::Unclaimed::new(files, &key);
    let bytes = i64::try_from(page.body.len()).unwrap_or(i64::MAX);
    files.put(&Path::from(key.as_str()), PutPayload::from(page.body)).await.map_err(files_error)?;
    let new = NewFile { file, key: &key, name: &page.name, source_url: Some(&page.address), kind: page.kind, bytes };
    let mut tx = scope.write(MANAGE).await?;
    if let Err(problem) = ops::take_in(&mut tx, id, in_place_of, &new).await? {
        return Err(AppError::invalid("address", problem.label()));
    }
    // Before the commit: of one that was done and not heard of, the file must stay. One too many does no harm.
    unclaimed.claim();
    tx.commit().await?;
    Ok(())
}

struct Page {
    /// As it was typed: where it is asked for next time, too.
    address: String,
    name: String,
    kind: Kind,
    body: Vec<u8>,
}

/// Errors: a sentence for the field.
async fn read(services: &Services, address: &str) -> Result<Page, String> {
    let address = address.trim();
    if address.is_empty() || address.len() > MAX_ADDRESS {
        return Err("Enter the address of a page, for example https://www.example.com/prices.".to_owned());
    }
    let whole = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    let mut url = Url::parse(&whole).map_err(|_| {
        "This is no web address. Copy it from the address bar, for example https://www.example.com/prices.".to_owned()
    })?;
    url.set_fragment(None);
    let asked = url.clone();
    let except = services.sandbox.as_ref().map(|sandbox| sandbox.tools.clone());
    for _ in 0..=MOST_REDIRECTS {
        let ask = OutsideAsk {
            method: "GET".to_owned(),
            url: url.to_string(),
            headers: vec![(
                "accept".to_owned(),
                "text/html, text/*;q=0.9, application/pdf;q=0.8, */*;q=0.5".to_owned(),
            )],
            body: None,
            timeout: PATIENCE,
            limit: MAX_PAGE,
            except: except.clone(),
        };
        let answer = services.http.ask_outside(&ask).await.map_err(|trouble| sentence(&trouble))?;
        if let Some(to) = answer.redirect() {
            url = url.join(to).map_err(|_| "The page leads to an address that is none.".to_owned())?;
            continue;
        }
        if answer.status != 200 {
            return Err(format!(
                "The page answers with the error {}. Open it in a browser without being signed in, and check the address.",
                answer.status
            ));
        }
        if answer.is_cut {
            return Err("The page is larger than 10 MB. Save it as a file and upload that.".to_owned());
        }
        let mut parts = Parts::default();
        parts.look(&answer.body);
        let head = &answer.body[..answer.body.len().min(HEAD)];
        // A part of a page has no head that says what it is.
        let ending = if answer.content_type.to_lowercase().starts_with("text/html") { ".html" } else { url.path() };
        let kind = Kind::of(head, parts, ending).map_err(|problem| problem.label().to_owned())?;
        return Ok(Page { address: asked.to_string(), name: name(&asked), kind, body: answer.body });
    }
    Err("The page leads on and on to other addresses. Enter the last one.".to_owned())
}

/// `www.example.com/prices`.
fn name(url: &Url) -> String {
    let name = format!("{}{}", url.host_str().unwrap_or_default(), url.path().trim_end_matches('/'));
    patchbay_shared::text::one_line(&name).chars().take(200).collect()
}

fn sentence(trouble: &OutsideTrouble) -> String {
    match trouble {
        OutsideTrouble::Refused(why) => format!("This address cannot be read: {why}. Enter a public https address."),
        OutsideTrouble::Timeout => {
            "The page did not answer within 20 seconds. Try again, or save it as a file.".to_owned()
        }
        OutsideTrouble::Unreachable(_) => "Nothing answers at this address. Check how it is written.".to_owned(),
        OutsideTrouble::Broken(_) => "The connection to the page broke off. Try again.".to_owned(),
    }
}
