//! An agency's own host name. Whoever can write a record into the name's DNS has proved that it is theirs; until then the name counts
//! for nothing, and no link is ever built from what a request says that its host is.

use axum::extract::Request;
use axum::http::header;
use serde_json::json;

use super::store::{self, Owner};
use super::{dns, shown};
use crate::model::{Brand, HostView, host_in};
use patchbay_access::Action;
use patchbay_access::server::{Change, Db, Fields, Machine, ReadTx, Scope, WriteTx, random_token};
use patchbay_jobs::live::Topic;
use patchbay_services::Services;
use patchbay_shared::ids::WorkspaceId;
use patchbay_shared::{AppError, Reason, zone};

/// Hours in a row without its record after which a name is let go.
const MISSES: i32 = 24;

/// The agency on whose host name a request came in.
pub(crate) struct HostTenant {
    pub workspace: WorkspaceId,
    pub brand: Brand,
    /// What its addresses begin with.
    pub base: String,
}

/// The host name that a request names, as DNS knows it. None: an address, or no name at all.
pub(crate) fn named_by(request: &Request) -> Option<String> {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    named.or(request.uri().host()).and_then(plain)
}

/// Whose host name it is. None: the site's own, or one that nobody has proved.
pub(crate) async fn tenant_of(db: &Db, host: Option<String>) -> Result<Option<HostTenant>, AppError> {
    let services = db.services();
    let site = site_host(services)?;
    let Some(host) = host.filter(|host| *host != site) else { return Ok(None) };
    let owner = store::owner_of(db, &host).await?;
    let Some(owner) = owner else { return Ok(None) };
    let brand = shown(services, owner.branding);
    Ok(Some(HostTenant { workspace: owner.workspace, brand, base: base_of(services, &host)? }))
}

/// The host name in a `Host` header.
fn plain(header: &str) -> Option<String> {
    let name = match header.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => header,
    };
    checked(name)
}

/// A host name of at least two parts, in small letters and without marks that DNS has no place for.
fn checked(text: &str) -> Option<String> {
    let Ok(url::Host::Domain(host)) = url::Host::parse(text.trim_end_matches('.')) else { return None };
    let parts: Vec<&str> = host.split('.').collect();
    let fits = |part: &&str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    (parts.len() > 1 && parts.iter().all(fits) && host.len() <= 240).then_some(host)
}

fn site(services: &Services) -> Result<url::Url, AppError> {
    url::Url::parse(&services.public_url).map_err(patchbay_shared::error::internal)
}

/// The installation's own host.
fn site_host(services: &Services) -> Result<String, AppError> {
    Ok(site(services)?.host_str().unwrap_or_default().to_owned())
}

/// What the addresses on a host begin with, without a slash at the end: as the site's own, with this host.
fn base_of(services: &Services, host: &str) -> Result<String, AppError> {
    let mut url = site(services)?;
    url.set_host(Some(host)).map_err(patchbay_shared::error::internal)?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// What the agency's links begin with: its own host once that is proved, else the site's address.
pub async fn link_base(tx: &mut ReadTx) -> Result<String, AppError> {
    match store::host(tx).await?.filter(|row| row.verified_at.is_some()) {
        Some(row) => base_of(tx.services(), &row.host),
        None => Ok(tx.services().public_url.clone()),
    }
}

/// The host name and its records, for its owner.
pub(crate) async fn view(tx: &mut ReadTx) -> Result<HostView, AppError> {
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let row = store::host(tx).await?;
    let host = row.as_ref().map(|row| row.host.clone()).unwrap_or_default();
    Ok(HostView {
        site: site_host(tx.services())?,
        record: if host.is_empty() { String::new() } else { record_name(&host) },
        proof: row.as_ref().map(|row| proof(&row.token)).unwrap_or_default(),
        verified: row.and_then(|row| row.verified_at).map(|at| zone::stamp(at, now, zone)),
        address: if host.is_empty() { String::new() } else { base_of(tx.services(), &host)? },
        host,
    })
}

fn record_name(host: &str) -> String {
    format!("_patchbay.{host}")
}

fn proof(token: &str) -> String {
    format!("patchbay-verify={token}")
}

/// Asks for a host name: for owners, since links for owners lead there. An empty one lets the present one go. The same name again changes nothing. Errors: `Invalid` at `host`.
pub(crate) async fn ask(scope: &Scope, text: &str) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageWorkspace).await?;
    let before = store::host(tx.reading()).await?.map(|row| row.host);
    if text.trim().is_empty() {
        if store::drop_host(&mut tx).await? {
            record(&mut tx, "let go of the host name", json!({ "host": before }), json!({ "host": null })).await?;
        }
        return tx.commit().await;
    }
    let host = checked(host_in(text)).ok_or_else(|| {
        AppError::invalid(
            "host",
            "Write a host name of your own domain, for example voice.example.com. An IP address does not work here.",
        )
    })?;
    if host == site_host(scope.services())? {
        return Err(AppError::invalid(
            "host",
            "This is the address of the whole installation. Choose a name of your own domain.",
        ));
    }
    if before.as_ref() != Some(&host) {
        // Two dozen letters of the usual random ones: they have to be copied into a form elsewhere.
        let token: String = random_token().chars().filter(char::is_ascii_alphanumeric).take(24).collect();
        store::ask_for_host(&mut tx, &host, &token).await?;
        record(&mut tx, "asked for the host name", json!({ "host": before }), json!({ "host": host })).await?;
    }
    tx.commit().await
}

/// Looks into DNS for the proof. Errors: `Conflict` without a name; `Invalid` at `host` with what DNS said instead.
pub(crate) async fn check(scope: &Scope) -> Result<(), AppError> {
    let row = {
        let mut tx = scope.write(Action::ManageWorkspace).await?;
        store::host(tx.reading()).await?
    };
    let row = row.ok_or_else(|| AppError::Conflict(Reason::NotReady, "Save a host name first.".into()))?;
    let (name, wanted) = (record_name(&row.host), proof(&row.token));
    let refuse = |message: String| Err(AppError::invalid("host", message));
    // No transaction is open while others are asked.
    let found = match dns::texts(scope.services().dns, &name).await {
        Ok(found) => found,
        Err(error) => {
            tracing::info!(cause = %error, "DNS did not answer");
            return refuse(format!("DNS did not answer for {name}. Wait a minute, then check again."));
        }
    };
    if !found.contains(&wanted) {
        if found.is_empty() {
            return refuse(format!(
                "There is no TXT record at {name}. Create it as shown below; it can take an hour until it is visible everywhere."
            ));
        }
        let seen: String = found.join(", ").chars().filter(|letter| !letter.is_control()).take(120).collect();
        return refuse(format!("The TXT record at {name} says “{seen}”. It has to say “{wanted}”."));
    }
    if let Some(other) = store::owner_of(scope.db(), &row.host).await?.filter(|o| o.workspace != scope.workspace_id()) {
        if found.contains(&proof(&other.token)) {
            return refuse(format!(
                "Another agency already uses {}, and its record is still there. Remove that record from DNS, then check again.",
                row.host
            ));
        }
        lose(scope.db(), &other, &row.host).await?;
    }
    let mut tx = scope.write(Action::ManageWorkspace).await?;
    if store::set_proved(&mut tx, &row.host, &row.token, true).await? {
        let state = |proved: bool| json!({ "host": row.host, "proved": proved });
        record(&mut tx, "proved the host name", state(false), state(true)).await?;
    }
    tx.commit().await
}

/// Notes what DNS says of a name, and lets it go.
const UPKEEP: Machine = Machine { name: "host names", actions: &[Action::ManageBrand] };

/// Looks every proved name up again, once an hour. Whoever lets a domain go must not leave its links to the next one who has it: a name
/// whose record is gone a day long is let go. That DNS does not answer counts for nothing.
pub async fn look_again(db: &Db) -> Result<(), AppError> {
    for (workspace, host, token) in store::proved(db).await? {
        let Ok(found) = dns::texts(db.services().dns, &record_name(&host)).await else { continue };
        let scope = Scope::of_upkeep(db.clone(), workspace, UPKEEP);
        let mut tx = scope.write(Action::ManageBrand).await?;
        let misses = store::note(&mut tx, &host, &token, found.contains(&proof(&token))).await?;
        if misses >= MISSES && store::set_proved(&mut tx, &host, &token, false).await? {
            record_loss(&mut tx, &host).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Somebody else has proved the name, and the former owner's proof is gone: their links must not lead there any more.
async fn lose(db: &Db, owner: &Owner, host: &str) -> Result<(), AppError> {
    let scope = Scope::of_upkeep(db.clone(), owner.workspace, UPKEEP);
    let mut tx = scope.write(Action::ManageBrand).await?;
    if store::set_proved(&mut tx, host, &owner.token, false).await? {
        record_loss(&mut tx, host).await?;
    }
    tx.commit().await
}

async fn record_loss(tx: &mut WriteTx, host: &str) -> Result<(), AppError> {
    let state = |proved: bool| json!({ "host": host, "proved": proved });
    record(tx, "lost the host name", state(true), state(false)).await
}

async fn record(
    tx: &mut WriteTx,
    action: &str,
    before: serde_json::Value,
    after: serde_json::Value,
) -> Result<(), AppError> {
    tx.audit(Change {
        action,
        entity: "brand",
        entity_id: None,
        client_id: None,
        fields: Fields::Changed { before, after },
    })
    .await?;
    tx.notify(Topic::list("brand"), None);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_names_and_nothing_else() {
        assert_eq!(plain("Voice.Halden.example:3000").as_deref(), Some("voice.halden.example"));
        assert_eq!(plain("voice.halden.example.").as_deref(), Some("voice.halden.example"));
        assert_eq!(checked("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
        for none in [
            "",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:3000",
            "[::1]:3000",
            "0x7f.1",
            "a..b",
            "-a.example",
            "a_b.example",
            "*.halden.example",
            "a b.example",
            "a.example/path",
            "a.example:80:90",
        ] {
            assert_eq!(plain(none), None, "{none}");
        }
    }
}
