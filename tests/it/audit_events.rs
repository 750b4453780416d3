//! What the audit log holds: every kind of event, with both sides where something was changed, with who, from where and by which request,
//! and no secret.

mod rest;
mod source;

use std::collections::BTreeSet;
use std::time::Duration;

use patchbay_access::server::{EVENTS, Kind};
use reqwest::Method;
use serde_json::Value;
use sqlx::{Connection, PgConnection, Row};

use super::support::agency::PASSWORD;
use super::support::{Agency, Answer, Browser, World, owner_value, run, sources, unique};
use super::tenancy;

/// One row as the database has it.
struct Event {
    seq: i64,
    entity: String,
    action: String,
    kind: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    actor: String,
    user: bool,
    ip: Option<String>,
    request: Option<String>,
}

async fn events(world: &World, agency: &Agency) -> Vec<Event> {
    let mut connection = PgConnection::connect(&world.owner_url).await.expect("the database");
    let rows = sqlx::query(
        "select seq, entity, action, kind, before, after, actor, user_id is not null as has_user, ip, request_id
         from audit_events where workspace_id::text = $1 order by seq",
    )
    .bind(&agency.workspace_id)
    .fetch_all(&mut connection)
    .await
    .expect("the audit log");
    let event = |row: sqlx::postgres::PgRow| Event {
        seq: row.get("seq"),
        entity: row.get("entity"),
        action: row.get("action"),
        kind: row.get("kind"),
        before: row.get("before"),
        after: row.get("after"),
        actor: row.get("actor"),
        user: row.get("has_user"),
        ip: row.get("ip"),
        request: row.get("request_id"),
    };
    rows.into_iter().map(event).collect()
}

/// What is wrong with an event; nothing, it is hoped.
fn faults(event: &Event, secrets: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let listed = EVENTS.iter().find(|(entity, action, _)| (*entity, *action) == (&event.entity, &event.action));
    match (listed, event.kind.as_deref()) {
        (Some((.., kind)), Some(own)) if kind.as_str() == own => {}
        other => faults.push(format!("its kind: {other:?}")),
    }
    let fields = |side: &Option<Value>| side.as_ref().and_then(Value::as_object).cloned();
    match (event.kind.as_deref(), fields(&event.before), fields(&event.after)) {
        (Some("created" | "happened"), None, Some(_)) | (Some("deleted"), Some(_), None) => {}
        (Some("changed"), Some(before), Some(after)) => {
            if before.keys().ne(after.keys()) {
                faults.push("the sides have different fields".to_owned());
            }
            if before == after {
                faults.push("nothing was changed".to_owned());
            }
        }
        _ => faults.push("its sides".to_owned()),
    }
    let by_person = !event.actor.starts_with("Patchbay (");
    if by_person && !(event.user && event.ip.is_some() && event.request.is_some()) {
        faults.push("a person without account, address or request".to_owned());
    }
    let text = format!("{:?} {:?} {}", event.before, event.after, event.actor);
    faults.extend(secrets.iter().filter(|secret| text.contains(**secret)).map(|secret| format!("the secret {secret}")));
    faults
}

/// Events that the walk below does not come by, and where they are seen.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("agent", "sync failed", "agents.rs"),
    ("agent", "deleted", "agents.rs"),
    ("agent", "found to differ", "agents.rs"),
    ("agent_template", "saved_version", "templates.rs"),
    ("agent_template", "given", "templates.rs"),
    ("agent_template", "archived", "templates.rs"),
    ("agent_template", "restored", "templates.rs"),
    ("audit_trail", "removed old events", "audit.rs"),
    ("batch", "paused", "main_job.rs"),
    ("batch", "resumed", "main_job.rs"),
    ("batch", "failed", "provider_failures.rs"),
    ("brand", "proved the host name", "brand.rs"),
    ("brand", "let go of the host name", "brand.rs"),
    ("brand", "lost the host name", "brand.rs"),
    ("budget", "changed", "budgets.rs"),
    ("budget", "spent", "budgets.rs"),
    ("budget", "spent 80% of", "budgets.rs"),
    ("call", "asked for the recording", "history_choices.rs"),
    ("call_back", "scheduled", "call_backs.rs"),
    ("call_back", "handed over", "call_backs.rs"),
    ("call_back", "dialled", "call_backs.rs"),
    ("enrichment", "retried", "stuck_work.rs"),
    ("enrichment", "discarded", "stuck_work.rs"),
    ("agent_schedule", "missed", "schedules.rs"),
    ("agent_schedule", "run by hand", "schedules.rs"),
    ("agent_schedule", "switched on", "schedules.rs"),
    ("agent_trigger", "switched on", "schedules.rs"),
    ("error", "resolved", "runs.rs"),
    ("error", "reopened", "runs.rs"),
    ("execution_job", "queued again", "execution_pages.rs"),
    ("execution_job", "moved", "execution_pages.rs"),
    ("execution_job", "cancelled", "execution_pages.rs"),
    ("execution_engine", "made default", "execution_setup.rs"),
    ("execution_engine", "deactivated", "execution_setup.rs"),
    ("execution_engine", "restored", "execution_setup.rs"),
    ("execution_target", "secret changed", "execution_setup.rs"),
    ("execution_target", "held", "execution_setup.rs"),
    ("execution_target", "continued", "execution_setup.rs"),
    ("execution_target", "deactivated", "execution_setup.rs"),
    ("execution_target", "restored", "execution_setup.rs"),
    ("history_import", "completed", "history.rs"),
    ("history_import", "failed", "history.rs"),
    ("import", "completed", "contact_imports.rs"),
    ("import", "failed", "contact_imports.rs"),
    ("import", "reread", "import_files.rs"),
    ("inbound_webhook", "discarded", "webhooks.rs"),
    ("contact", "synchronized", "integrations.rs"),
    ("integration", "signed in again at", "integrations.rs"),
    ("integration", "failed", "integrations.rs"),
    ("integration", "recovered", "integrations.rs"),
    ("integration", "resumed", "integrations.rs"),
    ("integration", "disconnected", "integrations.rs"),
    ("integration", "mapped", "integrations.rs"),
    ("integration", "retried records of", "integrations.rs"),
    ("integration", "forgot erased records of", "integrations_notices.rs"),
    ("integration", "rotated", "custom_api.rs"),
    ("integration", "sent messages of", "slack.rs"),
    ("secrets", "sealed anew", "keys.rs"),
    ("job", "retried", "stuck_work.rs"),
    ("job", "discarded", "stuck_work.rs"),
    ("knowledge_file", "replaced", "knowledge.rs"),
    ("knowledge_file", "asked to index again", "knowledge.rs"),
    ("phone_number", "added", "agents.rs"),
    ("phone_number", "order_failed", "agents.rs"),
    ("phone_number", "release_failed", "below"),
    ("suite_run", "ended", "evaluations.rs"),
    ("test_grid", "ended", "test_grids.rs"),
    ("memory", "written", "tools.rs"),
    ("skill", "moved", "skills.rs"),
    ("skill", "restored", "skills.rs"),
    ("tool", "created", "tools.rs"),
    ("tool", "functions asked for", "tool_servers.rs"),
    ("tool", "functions chosen", "tool_servers.rs"),
    ("tool", "moved", "tools.rs"),
    ("tool", "switched on", "tools.rs"),
    ("tool", "switched off", "tools.rs"),
    ("user", "asked for a new password", "mail.rs"),
    ("user", "failed to sign in", "below"),
    ("user", "set a new password", "passwords.rs"),
    ("user", "turned the second factor on", "second_factor.rs"),
    ("user", "turned the second factor off", "second_factor.rs"),
    ("user", "made new recovery codes", "second_factor.rs"),
    ("user", "added a passkey", "passkeys.rs"),
    ("user", "removed a passkey", "passkeys.rs"),
    ("user", "created", "the platform's log, below"),
    ("user", "left the client", "withheld.rs"),
    ("webhook_endpoint", "resumed", "webhooks_out_faults.rs"),
    ("webhook_endpoint", "switched off", "webhooks_out_faults.rs"),
    ("webhook_endpoint", "replayed deliveries of", "webhooks_out.rs"),
    ("workspace", "invited the owner", "agency_rules.rs"),
];

#[test]
fn every_event_has_the_sides_of_its_kind_who_and_whence_and_no_secret() {
    run(|world| async move {
        let (agency, key, platform) = tenancy::walked(world).await;
        let id = agency.workspace_id.as_str();
        // What the walk leaves out.
        let new = "four green kettles whistle";
        let made = [("name", "Canary"), ("scopes[]", "calls:read"), ("rate_limit", "10"), ("days", "")];
        agency.owner.done("create_api_key", &made).await;
        let shown = agency.owner.done("take_api_key", &[]).await.json();
        let api_key = shown["key"].as_str().expect("a key").to_owned();
        agency.owner.done("change_password", &[("current", PASSWORD), ("password", new)]).await;
        agency.owner.get("/calls.csv?outcome=answered").await;
        agency.owner.filled("/clients/new", "save_client", &[("name", "Budgeted"), ("monthly_budget", "12")]).await;
        platform.done("end_support_session", &[]).await;
        let terms = [("id", id), ("plan", "enterprise"), ("lines", "500")];
        platform.done("save_workspace_terms", &terms).await;
        for (status, reason) in [("suspended", "Unpaid"), ("active", "Paid")] {
            platform.done("set_workspace_status", &[("id", id), ("status", status), ("reason", reason)]).await;
        }
        agency.drain().await;
        let secrets = [PASSWORD, new, key.as_str(), api_key.as_str(), "$argon2"];
        let mut all = events(world, &agency).await;
        all.extend(events(world, &rest::done(world, new).await).await);
        let wrong: Vec<String> = all
            .iter()
            .flat_map(|event| {
                faults(event, &secrets).into_iter().map(move |fault| {
                    format!(
                        "{} {} {}: {fault} {:?} {:?}",
                        event.seq, event.entity, event.action, event.before, event.after
                    )
                })
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let seen: BTreeSet<(&str, &str)> =
            all.iter().map(|event| (event.entity.as_str(), event.action.as_str())).collect();
        let missing: Vec<_> = EVENTS
            .iter()
            .map(|(entity, action, _)| (*entity, *action))
            .filter(|event| !seen.contains(event) && !ELSEWHERE.iter().any(|(e, a, _)| (*e, *a) == *event))
            .collect();
        assert!(missing.is_empty(), "listed and never written: {missing:?}");
    });
}

#[test]
fn every_listed_event_stands_in_the_source() {
    let text: String = sources("src", ".rs")
        .into_iter()
        .filter(|(path, _)| path != "src/access/server/audit/events.rs")
        .map(|(_, text)| text)
        .collect();
    // Some are the words of a state.
    let dead: Vec<_> = EVENTS.iter().filter(|(_, action, _)| !text.contains(&format!("\"{action}\""))).collect();
    assert!(dead.is_empty(), "{dead:?}");
    let twice: BTreeSet<_> = EVENTS.iter().map(|(entity, action, _)| (entity, action)).collect();
    assert_eq!(twice.len(), EVENTS.len(), "an event is listed twice");
    assert!(ELSEWHERE.iter().all(|(e, a, _)| EVENTS.iter().any(|(entity, action, _)| (entity, action) == (e, a))));
    assert!(EVENTS.iter().any(|(.., kind)| *kind == Kind::Deleted));
}

/// The rows that the owner's page shows with these filters.
async fn filtered(browser: &Browser, filters: &[(&str, &str)]) -> Vec<Value> {
    let fields: Vec<(String, &str)> = filters.iter().map(|(name, value)| (format!("query[{name}]"), *value)).collect();
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    if fields.is_empty() {
        fields.push(("query[entity]", ""));
    }
    let answer = browser.done("list_audit_events", &fields).await.json();
    answer["page"]["rows"].as_array().expect("rows").clone()
}

#[test]
fn sign_ins_sign_outs_and_refusals_of_a_known_account_are_written_down() {
    run(|world| async move {
        let agency = Agency::new(world, "doors").await;
        let email = agency.owner_email();
        let elsewhere = Browser::signed_in(world, &email).await;
        let newest = filtered(&agency.owner, &[("action", "signed in")]).await.remove(0);
        assert!(newest["actor"] == "Olga Owner (sign-in)" && newest["ip"] == "127.0.0.1", "{newest}");
        assert!(newest["changes"].to_string().contains("password"), "{newest}");
        elsewhere.done("sign_out", &[]).await;
        assert_eq!(filtered(&agency.owner, &[("action", "signed out")]).await.len(), 1);
        elsewhere.rpc("sign_out", &[]).await;
        assert_eq!(filtered(&agency.owner, &[("action", "signed out")]).await.len(), 1, "nobody signed out");
        let stranger = Browser::from_address(world, "127.0.0.77");
        let refusals = refusals([&agency], async || {
            let known = stranger.rpc("sign_in", &[("email", &email), ("password", "not this one at all")]).await;
            let nobody = stranger.rpc("sign_in", &[("email", "nobody@doors.example"), ("password", "x")]).await;
            assert_eq!((known.status, &known.text), (nobody.status, &nobody.text), "the answer is the same");
        });
        let refusals = refusals.await.remove(0);
        assert_eq!(refusals.len(), 1);
        let refusal = &refusals[0];
        // From where is not said at the site's own door: it may have been meant for another agency (same_address.rs).
        assert!(refusal["ip"].is_null() && refusal["actor"] == "Patchbay (sign-in)", "{refusal}");
        assert!(!refusal.to_string().contains("not this one"), "{refusal}");
    });
}

/// The refused sign-ins in the agencies' logs after `tries`, of which each agency is to hear. A refusal is written down after the answer;
/// open pages hear of it.
pub async fn refusals<const N: usize>(agencies: [&Agency; N], tries: impl AsyncFnOnce()) -> Vec<Vec<Value>> {
    let mut news = Vec::new();
    for agency in agencies {
        news.push(agency.owner.raw(Method::GET, "/events?topics=audit").send().await.expect("news"));
    }
    tries().await;
    let mut all = Vec::new();
    for (agency, mut news) in agencies.iter().zip(news) {
        let mut heard = String::new();
        while !heard.contains("audit") {
            let piece =
                tokio::time::timeout(Duration::from_secs(30), news.chunk()).await.expect("news of the audit log");
            heard += &String::from_utf8_lossy(&piece.expect("the stream goes on").expect("more to come"));
        }
        all.push(filtered(&agency.owner, &[("action", "failed to sign in")]).await);
    }
    all
}

#[test]
fn whoever_saves_a_file_is_written_down_with_filters_and_rows() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "taken-out").await;
        let exports = async |browser: &Browser| filtered(browser, &[("entity", "export")]).await;
        agency.member.get("/calls.csv?outcome=answered&q=%00%0d%0a").await;
        let newest = exports(&agency.owner).await.remove(0);
        let changes = newest["changes"].to_string();
        assert!(newest["actor"].as_str().is_some_and(|who| who.starts_with("Petra Person")), "{newest}");
        for part in ["calls.csv", "outcome", "answered", "rows"] {
            assert!(changes.contains(part), "{part}: {newest}");
        }
        let call = &works.call;
        let files = [
            format!("/calls/{call}/recording.wav?download=1"),
            format!("/calls/{call}/transcript.txt"),
            format!("/batches/{}/results.csv", works.batch),
            format!("/campaigns/{}/contacts.csv", works.campaign),
            "/contacts/export.csv".to_owned(),
            "/usage.csv".to_owned(),
            "/settings/audit.csv".to_owned(),
        ];
        for file in &files {
            let before = exports(&agency.owner).await.len();
            assert_eq!(agency.owner.get(file).await.status, 200, "{file}");
            let now = exports(&agency.owner).await;
            assert_eq!(now.len(), before + 1, "{file}");
            let path = file.split('?').next().expect("a path");
            assert!(now[0]["changes"].to_string().contains(path), "{file}: {}", now[0]);
        }
        // Listening is no download, a file that is refused is none, and the template is nobody's.
        let before = exports(&agency.owner).await.len();
        agency.owner.get(&format!("/calls/{call}/recording.wav")).await;
        agency.owner.get("/contacts/imports/template.csv").await;
        assert_eq!(agency.one.viewer.get("/settings/audit.csv").await.status, 404);
        assert_eq!(exports(&agency.owner).await.len(), before);
        // A client's people leave their rows in their client's part.
        agency.one.admin.get("/calls.csv").await;
        assert_eq!(exports(&agency.one.admin).await.len(), 1);
        assert!(exports(&agency.two.admin).await.is_empty());
    });
}

/// A platform admin, signed in.
async fn platform_admin(world: &World) -> Browser {
    let email = format!("{}@platform.example", unique("pat"));
    patchbay_platform::server::ops::create_admin(&world.db, "Pat Platform", &email, PASSWORD).await.expect("an admin");
    Browser::signed_in(world, &email).await
}

#[test]
fn the_audit_log_is_narrowed_by_key_support_session_client_and_record() {
    run(|world| async move {
        let agency = Agency::new(world, "narrowed").await;
        let (owner, one) = (&agency.owner, agency.one.id.as_str());
        // By a key.
        let made = [("name", "Sync"), ("scopes[]", "contacts:write"), ("rate_limit", "0"), ("days", "")];
        owner.done("create_api_key", &made).await;
        let key = owner.done("take_api_key", &[]).await.json()["key"].as_str().expect("a key").to_owned();
        let id = owner.done("list_api_keys", &[]).await.json()["rows"][0]["id"].as_str().expect("an id").to_owned();
        assert!(filtered(owner, &[("key", &id)]).await.is_empty());
        let contact = serde_json::json!({ "client_id": one, "name": "By a program", "phone": "+12025550177" });
        let post = owner.raw(Method::POST, "/v1/contacts").bearer_auth(&key).json(&contact);
        let answer = Browser::answer(post).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        let rows = filtered(owner, &[("key", &id)]).await;
        assert!(rows.len() == 1 && rows[0]["entity"] == "contact", "{rows:?}");
        let record = rows[0]["entity_id"].as_str().expect("an id").to_owned();
        // By a record, which its page leads to.
        let rows = filtered(owner, &[("record", &record)]).await;
        assert_eq!(rows.len(), 1);
        let page = owner.get(&format!("/settings/audit?record={record}")).await;
        assert!(page.text.contains("By a program"), "the filter says what it is: {}", page.text);
        assert!(filtered(owner, &[("record", "nonsense")]).await.is_empty());
        // By client.
        let rows = filtered(owner, &[("client", one)]).await;
        assert!(rows.len() >= 2 && rows.iter().all(|row| row["client"] == agency.one.secret.as_str()), "{rows:?}");
        // By a support session: its beginning, what was saved in it, its end.
        let pat = platform_admin(world).await;
        let support = format!("/platform/{}", agency.workspace_id);
        pat.filled(&support, "open_support_session", &[("reason", "Ticket 4711")]).await;
        assert_eq!(pat.get("/calls.csv").await.status, 200);
        pat.done("end_support_session", &[]).await;
        let list = owner.done("list_audit_events", &[("query[entity]", "")]).await.json();
        let session = list["supports"][0][0].as_str().expect("a support session").to_owned();
        let rows = filtered(owner, &[("support", &session)]).await;
        let did: Vec<&str> = rows.iter().filter_map(|row| row["action"].as_str()).collect();
        assert_eq!(did, ["ended", "exported", "opened"], "{rows:?}");
        for row in &rows {
            assert!(row["actor"].as_str().is_some_and(|who| who.contains("Pat Platform")), "{row}");
            assert_eq!(row["ip"], "127.0.0.1", "{row}");
        }
        // A client's admin is offered none of it, and the filters open nothing.
        let list = agency.one.admin.done("list_audit_events", &[("query[entity]", "")]).await.json();
        for offered in ["keys", "supports", "clients"] {
            assert_eq!(list[offered], serde_json::json!([]), "{offered}");
        }
        assert!(filtered(&agency.one.admin, &[("client", &agency.two.id)]).await.is_empty());
        assert!(filtered(&agency.one.admin, &[("support", &session)]).await.is_empty());
    });
}

#[test]
fn the_platform_has_a_log_of_its_own() {
    run(|world| async move {
        let agency = Agency::new(world, "overseen").await;
        let (pat, id) = (platform_admin(world).await, agency.workspace_id.as_str());
        let of = async |filters: &[(&str, &str)]| {
            let mut fields = vec![("query[agency]", id)];
            fields.extend(filters);
            pat.done("list_platform_events", &fields).await.json()["page"]["rows"].as_array().expect("rows").clone()
        };
        assert_eq!(of(&[]).await.len(), 1, "the agency was created");
        pat.done("save_workspace_terms", &[("id", id), ("plan", "enterprise"), ("lines", "500")]).await;
        pat.done("set_workspace_status", &[("id", id), ("status", "suspended"), ("reason", "Unpaid")]).await;
        pat.done("set_workspace_status", &[("id", id), ("status", "suspended"), ("reason", "Again")]).await;
        pat.done("set_workspace_status", &[("id", id), ("status", "active"), ("reason", "")]).await;
        pat.filled(&format!("/platform/{id}"), "open_support_session", &[("reason", "=1+2")]).await;
        assert_eq!(pat.rpc("list_platform_events", &[("query[agency]", id)]).await.status, 404, "in a session");
        pat.done("end_support_session", &[]).await;
        let rows = of(&[]).await;
        let did: Vec<&str> = rows.iter().filter_map(|row| row["action"].as_str()).collect();
        assert_eq!(did, ["ended", "opened", "active", "suspended", "changed", "created"], "{rows:?}");
        assert!(rows[4]["changes"].to_string().contains("enterprise"), "{}", rows[4]);
        assert!(rows.iter().take(5).all(|row| row["ip"] == "127.0.0.1"), "{rows:?}");
        assert_eq!(of(&[("query[action]", "suspended")]).await.len(), 1);
        assert!(of(&[("query[actor]", "Nobody of this name")]).await.is_empty());
        assert!(of(&[("query[to]", "2001-01-01")]).await.is_empty());
        // Their own accounts, too.
        let own = pat.done("list_platform_events", &[("query[action]", "signed in")]).await.text;
        assert!(own.contains("Pat Platform"), "{own}");
        let page = pat.get(&format!("/platform/log?agency={id}")).await;
        assert!(page.status == 200 && page.text.contains("Unpaid"), "{}", page.text);
        let file = pat.get(&format!("/platform/log.csv?agency={id}")).await;
        let mut reader = csv::ReaderBuilder::new().from_reader(file.text.as_bytes());
        let cells: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(cells.len(), 6, "{}", file.text);
        assert!(cells.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{}", file.text);
        for browser in [&agency.owner, &agency.one.admin] {
            assert_eq!(browser.get("/platform/log").await.status, 404);
            assert_eq!(browser.get("/platform/log.csv").await.status, 404);
        }
        // Its chain is whole, and a changed row is found. Under a lock, since other tests write into the same log.
        let mut connection = PgConnection::connect(&world.owner_url).await.expect("the database");
        let seq = rows[0]["seq"].as_i64().expect("a number");
        let walk = async || {
            let mut tx = patchbay_access::server::SystemTx::open(&world.db, "test").await.expect("a transaction");
            patchbay_audit::server::platform::verify(&mut tx).await.expect("the log can be read")
        };
        assert!(walk().await.is_ok());
        let change = |reason: &str| format!("update platform_events set request_id = {reason} where seq = {seq}");
        let was: Option<String> =
            owner_value(world, &format!("select request_id from platform_events where seq = {seq}")).await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(change("'forged'"))).execute(&mut connection).await.expect("a forgery");
        assert_eq!(walk().await, Err(seq));
        let was = was.map_or("null".to_owned(), |was| format!("'{was}'"));
        sqlx::raw_sql(sqlx::AssertSqlSafe(change(&was))).execute(&mut connection).await.expect("it as it was");
        assert!(walk().await.is_ok());
    });
}

#[test]
fn a_failed_release_of_a_number_is_written_down() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "kept-number").await;
        let campaign = format!("/campaigns/{}", works.campaign);
        assert_eq!(agency.owner.get(&campaign).await.status, 200);
        agency.owner.done("switch_connection", &[("provider", "telnyx")]).await;
        let answer = agency.owner.fill(&format!("/numbers/{}", works.number), "release_number", &[]).await;
        assert_ne!(answer.status, 200, "{answer:?}");
        let newest = filtered(&agency.owner, &[("record", &works.number)]).await.remove(0);
        assert_eq!(newest["action"], "release_failed", "{newest}");
        assert!(newest["changes"].to_string().contains("could not be given back"), "{newest}");
        let newest = filtered(&agency.owner, &[("record", &works.number)]).await.remove(1);
        assert_eq!(newest["action"], "deactivated", "{newest}");
        assert_eq!(newest["changes"], serde_json::json!([["status", "active", "inactive"]]), "{newest}");
        // Tried again, it is out of use already, and given back it is that once.
        let page = format!("/numbers/{}", works.number);
        agency.owner.done("switch_connection", &[("provider", "telnyx"), ("on", "true")]).await;
        let fields = [("id", works.number.as_str())];
        let (first, second) =
            tokio::join!(agency.owner.rpc("release_number", &fields), agency.owner.rpc("release_number", &fields));
        for answer in [first, second] {
            assert!(matches!(answer.status, 200 | 302 | 409), "{answer:?}");
        }
        assert!(agency.owner.get(&page).await.text.contains("eleased"));
        let rows = filtered(&agency.owner, &[("record", &works.number)]).await;
        let times = |action: &str| rows.iter().filter(|row| row["action"] == action).count();
        assert_eq!((times("released"), times("release_failed"), times("deactivated")), (1, 1, 1), "{rows:?}");
    });
}

#[test]
fn a_rotated_key_names_the_old_one_and_a_check_its_connection() {
    run(|world| async move {
        let agency = Agency::new(world, "named").await;
        agency.connect(world).await;
        let owner = &agency.owner;
        let made = [("name", "Sync"), ("scopes[]", "calls:read"), ("rate_limit", "0"), ("days", "")];
        owner.done("create_api_key", &made).await;
        let old = owner.done("list_api_keys", &[]).await.json()["rows"][0].clone();
        let (id, prefix) = (old["id"].as_str().expect("an id"), old["prefix"].as_str().expect("a prefix"));
        owner.done("rotate_api_key", &[("id", id)]).await;
        let rows = filtered(owner, &[("record", id)]).await;
        let did: Vec<&str> = rows.iter().filter_map(|row| row["action"].as_str()).collect();
        assert_eq!(did, ["rotated", "created"], "{rows:?}");
        let new = filtered(owner, &[("action", "created"), ("entity", "api_key")]).await.remove(0);
        assert!(new["changes"].to_string().contains(prefix), "the new one names the old one: {new}");
        owner.done("check_connection", &[("provider", "ultravox")]).await;
        let checked = filtered(owner, &[("action", "checked"), ("entity", "connection")]).await;
        assert!(checked.len() == 1 && checked[0]["changes"].to_string().contains("ultravox"), "{checked:?}");
        let profile = [("name", "Olga Renamed"), ("timezone", "UTC")];
        owner.done("save_profile", &profile).await;
        owner.done("save_profile", &profile).await;
        let rows = filtered(owner, &[("action", "changed own profile")]).await;
        assert_eq!(rows.len(), 1, "the same again changes nothing: {rows:?}");
        assert!(rows[0]["changes"].to_string().contains("Olga Owner"), "with the name from before: {}", rows[0]);
    });
}

/// The page at this address, or the one that it leads to: an empty filter is taken out of the address.
async fn opened(browser: &Browser, address: &str) -> Answer {
    let answer = browser.get(address).await;
    match &answer.location {
        Some(plain) if answer.status == 303 && address.ends_with('=') => {
            assert_eq!(address.split_once('?').map(|(path, _)| path), Some(plain.as_str()), "{address}");
            browser.get(plain).await
        }
        _ => answer,
    }
}

#[test]
fn far_days_and_what_is_no_day_never_break_a_list_a_file_or_the_api() {
    run(|world| async move {
        let agency = Agency::new(world, "far-days").await;
        let pat = platform_admin(world).await;
        let terms = [("name", "Days"), ("scopes[]", "calls:read"), ("rate_limit", "0"), ("days", "")];
        agency.owner.done("create_api_key", &terms).await;
        let key = agency.owner.done("take_api_key", &[]).await.json()["key"].as_str().expect("a key").to_owned();
        let days = [
            "0000-01-01",
            "9999-12-31",
            "275760-09-13",
            "-1",
            "-271821-04-20",
            "2024-02-30",
            "",
            "+262143-12-31",
            "%00",
        ];
        let mut wrong = Vec::new();
        for day in days {
            for field in ["from", "to"] {
                let ask = format!("{field}={}", day.replace('+', "%2B"));
                for path in ["/calls", "/calls.csv", "/settings/audit", "/settings/audit.csv"] {
                    let answer = opened(&agency.owner, &format!("{path}?{ask}")).await;
                    let clear = answer.text.contains("This is no day") || answer.status == 200;
                    if !matches!(answer.status, 200 | 422) || !clear {
                        wrong.push(format!("{path}?{ask}: {} {:.200}", answer.status, answer.text));
                    }
                }
                for path in ["/platform/log", "/platform/log.csv"] {
                    let answer = opened(&pat, &format!("{path}?{ask}")).await;
                    if !matches!(answer.status, 200 | 422) {
                        wrong.push(format!("{path}?{ask}: {}", answer.status));
                    }
                }
                let request = agency.owner.raw(Method::GET, &format!("/v1/calls?{ask}")).bearer_auth(&key);
                let answer = Browser::answer(request).await;
                if !matches!(answer.status, 200 | 400 | 422) {
                    wrong.push(format!("/v1/calls?{ask}: {} {}", answer.status, answer.text));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}
