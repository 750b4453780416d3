//! Systems of clients, kept in step: connected, read, written, broken, and mended, through the front door, with the stand-ins of HubSpot
//! and Zoho.

use patchbay_sandbox::{CrmBook, CrmKind};
use serde_json::Value;

use super::support::{Agency, Browser, World, owner_lines, owner_value, run};

/// Makes an integration of client one with the stand-in of HubSpot, and signs in there.
pub async fn connected(world: &World, agency: &Agency, kind: &str) -> String {
    let client = agency.one.id.as_str();
    let name = format!("{kind} of {}", agency.one.secret);
    let fields = [("kind", kind), ("client", client), ("name", name.as_str()), ("mode", "sandbox")];
    let id = agency.owner.made("create_integration", &fields).await;
    let led_to = signed_in(world, &agency.owner, &id).await;
    assert_eq!(led_to, format!("/integrations/{id}/setup"), "the way goes on there");
    id
}

/// Clicks “Connect” at the service. Gives the page that one is led back to.
pub async fn signed_in(world: &World, browser: &Browser, id: &str) -> String {
    let back = world.sandbox.crm_agree(&address(browser, id).await).expect("an address of the service");
    led_back(browser, &back).await
}

async fn address(browser: &Browser, id: &str) -> String {
    let page = browser.done("get_sign_in_page", &[("id", id)]).await.json();
    page["address"].as_str().unwrap_or_else(|| panic!("an address: {page}")).to_owned()
}

async fn led_back(browser: &Browser, back: &str) -> String {
    let path = back.find("/integrations/").map(|at| &back[at..]).expect("our callback");
    let answer = browser.get(path).await;
    answer.location.clone().unwrap_or_else(|| panic!("leads on: {answer:?}"))
}

pub fn book<R>(world: &World, id: &str, work: impl FnOnce(&mut CrmBook) -> R) -> R {
    world.sandbox.crm_book(CrmKind::Hubspot, &format!("sandbox-{id}"), work)
}

/// Starts a sync by hand, and lets it come to its end.
pub async fn synced(agency: &Agency, id: &str, reach: &str) -> Value {
    agency.owner.done("sync_integration", &[("id", id), ("kind", "contacts"), ("reach", reach)]).await;
    agency.drain().await;
    page(agency, id).await
}

pub async fn page(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_integration", &[("id", id)]).await.json()
}

async fn failed(agency: &Agency, id: &str) -> Vec<Value> {
    failed_named(agency, id, "").await
}

/// Those whose name holds this: what fails beside them may be more than a page.
pub async fn failed_named(agency: &Agency, id: &str, name: &str) -> Vec<Value> {
    let page = agency.owner.done("list_failed_records", &[("id", id), ("query[words]", name)]).await.json();
    page["page"]["rows"].as_array().unwrap_or_else(|| panic!("records: {page}")).clone()
}

/// The contact here that a record there is.
pub async fn contact_of(world: &World, id: &str, remote: &str) -> String {
    let sql = format!(
        "select coalesce((select contact_id::text from integration_links where integration_id = '{id}' and kind = 'contact'
                          and remote_id = '{remote}' and removed_at is null), '')"
    );
    owner_value(world, &sql).await
}

pub async fn text(world: &World, sql: &str) -> String {
    owner_value::<Option<String>>(world, sql).await.unwrap_or_default()
}

pub async fn contacts(world: &World, agency: &Agency) -> i64 {
    owner_value(world, &format!("select count(*) from contacts where client_id = '{}'", agency.one.id)).await
}

/// Nobody is here twice: each record has one contact at most, and each contact one record.
pub async fn nobody_twice(world: &World, id: &str) {
    let twice = format!(
        "select contact_id::text from integration_links where integration_id = '{id}' and kind = 'contact' and removed_at is null
         and contact_id is not null group by contact_id having count(*) > 1"
    );
    assert!(owner_lines(world, &twice).await.is_empty(), "a contact belongs to two records");
}

#[test]
fn a_crm_is_connected_tried_read_mended_and_left() {
    run(|world| async move {
        let (agency, _) = Agency::ready(world, "step").await;
        let id = connected(world, &agency, "hubspot").await;
        let before = contacts(world, &agency).await;
        let preview = agency.owner.done("preview_integration", &[("id", &id)]).await.json();
        let rows = preview["preview"]["rows"].as_array().expect("rows").clone();
        assert!(rows.len() == 20 && rows.iter().any(|row| row["outcome"] == "new here"), "{preview}");
        assert_eq!(contacts(world, &agency).await, before, "a try writes nothing");

        let hostile = "<script>alert(1)</script>\u{0}\u{202e}";
        let bad = book(world, &id, |book| {
            book.add(&[("firstname", hostile), ("phone", "+49 30 23125 999"), ("email", "no address")])
        });
        let shown = synced(&agency, &id, "everything").await;
        assert_eq!(shown["syncs"][0]["status"], "success", "{shown}");
        let many = contacts(world, &agency).await;
        assert!(many > before + 100, "people came in: {many}");
        nobody_twice(world, &id).await;
        let deals = format!(
            "select count(*) from integration_links where integration_id = '{id}' and kind = 'deal' and contact_id is not null"
        );
        assert!(owner_value::<i64>(world, &deals).await > 20, "deals stand beside their contacts");

        // What cannot be read waits for a person, and nothing else does for it.
        let all = failed_named(&agency, &id, "Peter Brandt").await;
        let peter = all.iter().find(|row| row["label"] == "Peter Brandt").unwrap_or_else(|| panic!("Peter: {all:?}"));
        assert_eq!(peter["remedy"], "edit", "{peter}");
        let record = peter["id"].as_str().expect("an id");
        let refused =
            agency.owner.rpc("edit_failed_record", &[("id", &id), ("record", record), ("phone", "061 555")]).await;
        assert!(refused.error_at("phone").is_some(), "{refused:?}");
        agency
            .owner
            .done("edit_failed_record", &[("id", &id), ("record", record), ("phone", "+41 61 555 09 09")])
            .await;
        agency.drain().await;
        let peter =
            format!("select count(*) from contacts where client_id = '{}' and phone = '+41615550909'", agency.one.id);
        assert_eq!(owner_value::<i64>(world, &peter).await, 1, "the number that was typed");
        let all = failed_named(&agency, &id, "script").await;
        let odd = all.iter().find(|row| row["remote_id"] == bad.as_str()).unwrap_or_else(|| panic!("odd: {all:?}"));
        assert!(
            odd["problem"]
                .as_str()
                .is_some_and(|words| words.contains("no e-mail address") || words.contains("not an e-mail")),
            "{odd}"
        );
        let html = agency.owner.get(&format!("/integrations/{id}/failed")).await.text;
        assert!(!html.contains("<script>alert(1)"), "what others typed is text");

        // The same again changes nothing.
        let many = contacts(world, &agency).await;
        let shown = synced(&agency, &id, "everything").await;
        assert_eq!(contacts(world, &agency).await, many, "{shown}");
        let last = &agency.owner.done("list_integration_syncs", &[("id", &id)]).await.json()["page"]["rows"][2];
        assert_eq!((&last["read"], &last["kind"]), (&Value::from(0), &Value::from("contacts")), "{last}");

        // Paused it rests, and says why nothing can be started. All that failed is tried again; fields are matched by people.
        agency.owner.done("switch_integration", &[("id", &id)]).await;
        let refused =
            agency.owner.rpc("sync_integration", &[("id", &id), ("kind", "contacts"), ("reach", "changes")]).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        agency.owner.done("switch_integration", &[("id", &id), ("on", "on")]).await;
        agency.drain().await;
        agency.owner.done("retry_failed_records", &[("id", &id)]).await;
        agency.drain().await;
        let line = [("id", id.as_str()), ("ours", "detail"), ("own", "city"), ("theirs", "city"), ("direction", "in")];
        agency.owner.done("save_mapping_line", &line).await;

        // Disconnected there, too; and who signs in again doubles nothing.
        agency.owner.done("disconnect_integration", &[("id", &id)]).await;
        assert_eq!(book(world, &id, |book| book.revocations), 1, "ended at the service");
        let tokens = format!("select count(*) from user_tokens where integration_key = 'integration:{id}'");
        assert_eq!(owner_value::<i64>(world, &tokens).await, 0, "and forgotten here");
        agency.owner.done("sign_in_integration", &[("id", &id)]).await;
        assert_eq!(signed_in(world, &agency.owner, &id).await, format!("/integrations/{id}"));
        synced(&agency, &id, "everything").await;
        assert_eq!(contacts(world, &agency).await, many);
        nobody_twice(world, &id).await;

        // A client's people see their own, and no sign-in; others nothing.
        let own = agency.one.admin.done("get_integration", &[("id", &id)]).await.json();
        assert!(own["sign_in"].is_null() && own["head"]["may_manage"] == false, "{own}");
        assert_eq!(agency.two.admin.rpc("get_integration", &[("id", &id)]).await.status, 404);
        assert_ne!(agency.one.viewer.rpc("get_integration", &[("id", &id)]).await.status, 200);
        assert_ne!(
            agency.admin.rpc("disconnect_integration", &[("id", &id)]).await.status,
            200,
            "credentials are the owner's"
        );
    });
}

#[test]
fn who_must_not_be_called_there_is_not_called_here_and_the_other_way_round() {
    run(|world| async move {
        let (agency, _) = Agency::ready(world, "flags").await;
        let id = connected(world, &agency, "hubspot").await;
        synced(&agency, &id, "everything").await;
        let some = format!(
            "select remote_id from integration_links where integration_id = '{id}' and kind = 'contact' and contact_id is not null
             and agreed ->> 'do_not_call' = '' order by remote_id limit 4"
        );
        let some = owner_lines(world, &some).await;
        let [hanna, grace, oskar, aisha] = [&*some[0], &*some[1], &*some[2], &*some[3]];
        let property = "do_not_call";

        // There, then here, also when something else of the record is wrong.
        book(world, &id, |book| book.change(hanna, &[(property, "true"), ("email", "n/a")]));
        synced(&agency, &id, "changes").await;
        let here = contact_of(world, &id, hanna).await;
        let reason = format!("select do_not_call_reason from contacts where id = '{here}'");
        assert_eq!(text(world, &reason).await, "Marked so in HubSpot");
        // Taken back there: it stays here, and is told there again.
        book(world, &id, |book| book.change(hanna, &[(property, "false"), ("email", "someone.new@example.com")]));
        synced(&agency, &id, "changes").await;
        agency.drain().await;
        assert_eq!(text(world, &reason).await, "Marked so in HubSpot", "yes wins");
        synced(&agency, &id, "changes").await;
        let there = |who: &str| {
            book(world, &id, |book| {
                let entry = book.contacts().into_iter().find(|entry| entry.id == who).expect("a contact");
                entry.properties.get(property).cloned().unwrap_or_default()
            })
        };
        assert_eq!(there(hanna), "true");

        // Here, then there, by itself.
        let contact = contact_of(world, &id, grace).await;
        agency.owner.done("suppress_contact", &[("id", &contact), ("reason", "asked on the phone")]).await;
        agency.drain().await;
        assert_eq!(there(grace), "true");

        // Matched only later: whoever was marked before is found, though nothing about the record changed since.
        let line = |direction| {
            let same = [("id", id.as_str()), ("was", property), ("ours", property), ("theirs", property)];
            same.into_iter().chain([("direction", direction)]).collect::<Vec<_>>()
        };
        agency.owner.done("save_mapping_line", &line("kept")).await;
        book(world, &id, |book| book.change(aisha, &[(property, "true")]));
        synced(&agency, &id, "changes").await;
        let later = format!(
            "update integrations set config = jsonb_set(config, '{{contacts_until}}', to_jsonb('2100-01-01T00:00:00Z'::text))
             where id = '{id}'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(later)).execute(&world.owner).await.expect("all is known");
        let marked = format!("select do_not_call from contacts where id = '{}'", contact_of(world, &id, aisha).await);
        assert!(!owner_value::<bool>(world, &marked).await, "nobody reads the field");
        agency.owner.done("save_mapping_line", &line("both")).await;
        agency.drain().await;
        assert!(owner_value::<bool>(world, &marked).await, "all are read with it");

        // Gone there: kept here. Merged there: the contact belongs to the other one.
        let nobody = book(world, &id, |book| book.add(&[("firstname", "Oskar"), ("lastname", "Blum junior")]));
        book(world, &id, |book| {
            book.remove(grace);
            book.merge(&nobody, oskar);
        });
        let blum = contact_of(world, &id, oskar).await;
        synced(&agency, &id, "changes").await;
        assert_eq!(contact_of(world, &id, grace).await, "", "the link says that it is gone");
        let kept = format!("select count(*) from contacts where id = '{contact}'");
        assert_eq!(owner_value::<i64>(world, &kept).await, 1, "the contact stays");
        assert_eq!(contact_of(world, &id, &nobody).await, blum, "a merge moves the link");
        nobody_twice(world, &id).await;
    });
}

#[test]
fn a_sign_in_that_ends_in_the_middle_has_everything_wait_and_go_on_after_the_next() {
    run(|world| async move {
        let (agency, _) = Agency::ready(world, "revoked").await;
        let id = connected(world, &agency, "hubspot").await;
        // A storm of refusals, a page that comes twice, somebody removed while reading, and then the end of the sign-in.
        book(world, &id, |book| {
            (book.faults.limited, book.faults.failing) = (2, 1);
            (book.faults.repeats_page, book.faults.removes_while_read) = (true, true);
            book.faults.revoke_after = Some(5);
        });
        let shown = synced(&agency, &id, "everything").await;
        assert_eq!(shown["head"]["standing"], "failing", "{shown}");
        assert_eq!(shown["syncs"][0]["status"], "running", "it keeps its place: {shown}");
        let some = contacts(world, &agency).await;
        let dashboard = agency.owner.get("/dashboard").await.text;
        assert!(dashboard.contains(&format!("/integrations/{id}")), "the dashboard says so");
        agency.drain().await;
        assert_eq!(contacts(world, &agency).await, some, "nothing goes on by itself");

        agency.owner.done("sign_in_integration", &[("id", &id)]).await;
        assert_eq!(signed_in(world, &agency.owner, &id).await, format!("/integrations/{id}"));
        agency.drain().await;
        let shown = page(&agency, &id).await;
        assert_eq!(shown["head"]["standing"], "works", "{shown}");
        assert!(
            shown["syncs"].as_array().is_some_and(|all| all.iter().all(|sync| sync["status"] == "success")),
            "{shown}"
        );
        assert!(contacts(world, &agency).await > 100);
        nobody_twice(world, &id).await;

        // Once more from the beginning, as a worker that was killed would: the same place, the same steps.
        let many = contacts(world, &agency).await;
        let again = format!(
            "with last as (update integration_sync_logs set status = 'running', finished_at = null,
                 cursor = jsonb_build_object('phase', 'pages', 'began', now())
               where id = (select id from integration_sync_logs where integration_id = '{id}' and sync_type = 'contacts' order by id limit 1)
               returning workspace_id, id)
             insert into jobs (id, workspace_id, kind, payload, dedupe_key)
             select gen_random_uuid(), workspace_id, 'sync_integration', jsonb_build_object('sync', id), id::text from last"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(again)).execute(&world.owner).await.expect("killed");
        agency.drain().await;
        assert_eq!(contacts(world, &agency).await, many, "nothing is doubled");
        nobody_twice(world, &id).await;
    });
}

#[test]
fn two_who_renew_at_once_renew_once_and_callbacks_are_checked() {
    run(|world| async move {
        let agency = Agency::new(world, "renew").await;
        let id = connected(world, &agency, "hubspot").await;
        let soon = |when: &str| {
            format!("update user_tokens set expires_at = now() {when} where integration_key = 'integration:{id}'")
        };
        for when in ["+ interval '1 minute'", "- interval '1 minute'"] {
            book(world, &id, |book| (book.refreshes, book.faults.token_ms) = (0, 300));
            sqlx::raw_sql(sqlx::AssertSqlSafe(soon(when))).execute(&world.owner).await.expect("it ends soon");
            let fields = [("id", id.as_str())];
            let ask = || agency.owner.rpc("preview_integration", &fields);
            let (one, other) = tokio::join!(ask(), ask());
            assert_eq!((one.status, other.status), (200, 200), "{one:?} {other:?}");
            assert_eq!(book(world, &id, |book| book.refreshes), 1, "{when}");
        }
        // One that looks good and is refused is renewed once.
        book(world, &id, |book| {
            book.refreshes = 0;
            book.expire();
        });
        agency.owner.done("preview_integration", &[("id", &id)]).await;
        assert_eq!(book(world, &id, |book| book.refreshes), 1);

        // A callback is somebody's, once, and in one browser.
        let wanted = |word: &str| format!("/integrations/{id}?sign_in={word}");
        agency.owner.done("sign_in_integration", &[("id", &id)]).await;
        let place = address(&agency.owner, &id).await;
        let denied = world.sandbox.crm_deny(&place).expect("an address");
        assert_eq!(led_back(&agency.owner, &denied).await, wanted("denied"));
        let late = world.sandbox.crm_agree(&place).expect("an address");
        assert_eq!(led_back(&agency.owner, &late).await, wanted("old"), "it was used");
        agency.owner.done("sign_in_integration", &[("id", &id)]).await;
        let place = address(&agency.owner, &id).await;
        let good = world.sandbox.crm_agree(&place).expect("an address");
        let elsewhere = Browser::signed_in(world, &agency.owner_email()).await;
        assert_eq!(
            led_back(&elsewhere, &good).await,
            "/integrations?sign_in=browser",
            "another browser of the same person"
        );
        agency.owner.done("sign_in_integration", &[("id", &id)]).await;
        let place = address(&agency.owner, &id).await;
        let other = world.sandbox.crm_agree_as(&place, &format!("sandbox-other-{id}")).expect("an address");
        assert_eq!(led_back(&agency.owner, &other).await, wanted("other"), "another account than before");
        let account = format!("select account_id from integrations where id = '{id}'");
        let known = text(world, &account).await;
        agency.owner.done("sign_in_integration", &[("id", &id), ("other", "on")]).await;
        let place = address(&agency.owner, &id).await;
        let other = world.sandbox.crm_agree_as(&place, &format!("sandbox-other-{id}")).expect("an address");
        assert_eq!(led_back(&agency.owner, &other).await, format!("/integrations/{id}"));
        assert_ne!(text(world, &account).await, known);
    });
}

#[test]
fn results_of_calls_are_written_once_and_what_both_changed_is_chosen() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "results").await;
        let id = connected(world, &agency, "hubspot").await;
        let there = book(world, &id, |book| {
            for entry in book.contacts() {
                book.remove(&entry.id);
            }
            book.add(&[("phone", "+1 202-555-0113"), ("email", "rita@example.com")])
        });
        synced(&agency, &id, "everything").await;
        assert_eq!(contact_of(world, &id, &there).await, works.contact, "found by the number");

        // The answer to the making is lost: it is found again, and not made twice.
        book(world, &id, |book| book.faults.lost_answers = 1);
        let batch = agency.batch(&works.campaign, 1).await;
        agency.finished(&batch).await;
        agency.drain().await;
        let mut calls = book(world, &id, |book| book.calls());
        for _ in 0..3 {
            if !calls.is_empty() {
                break;
            }
            synced(&agency, &id, "changes").await;
            calls = book(world, &id, |book| book.calls());
        }
        synced(&agency, &id, "changes").await;
        let again = book(world, &id, |book| book.calls());
        let listed = agency.owner.done("list_calls", &[("query[batch]", &batch)]).await.json();
        let made = listed["page"]["rows"].as_array().map_or(0, Vec::len);
        assert_eq!(again.len(), made, "one activity for each call: {again:?}");
        assert!(again.iter().any(|entry| entry.contacts.contains(&there)), "{again:?}");
        let taken = format!(
            "select count(*) from integration_activities where integration_id = '{id}' and body like '%/calls/%'"
        );
        assert_eq!(owner_value::<i64>(world, &taken).await, 0, "what we wrote is not read as somebody else's");
        assert!(again[0].properties.values().any(|value| value.contains("/calls/")), "with the link: {again:?}");

        // Both change the address within a minute: a person chooses.
        for (ours, wins) in [("mine@example.com", "ours"), ("more@example.com", "theirs")] {
            let changed = [("id", works.contact.as_str()), ("form[phone]", "+12025550113"), ("form[email]", ours)];
            agency.owner.done("change_contact", &changed).await;
            let theirs = format!("{wins}.theirs@example.com");
            book(world, &id, |book| book.change(&there, &[("email", theirs.as_str())]));
            synced(&agency, &id, "changes").await;
            let all = failed(&agency, &id).await;
            let row =
                all.iter().find(|row| row["remote_id"] == there.as_str()).unwrap_or_else(|| panic!("{wins}: {all:?}"));
            assert_eq!(row["remedy"], "choose", "{row}");
            let record = row["id"].as_str().expect("an id");
            agency.owner.done("choose_record_value", &[("id", &id), ("record", record), ("keep", wins)]).await;
            agency.drain().await;
            let email = format!("select email from contacts where id = '{}'", works.contact);
            let here = text(world, &email).await;
            let entry = book(world, &id, |book| book.contacts().into_iter().find(|entry| entry.id == there));
            let their = entry.and_then(|entry| entry.properties.get("email").cloned()).unwrap_or_default();
            let wanted = if wins == "ours" { ours } else { theirs.as_str() };
            assert_eq!((here.as_str(), their.as_str()), (wanted, wanted), "{wins}");
        }
    });
}
