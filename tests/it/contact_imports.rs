//! Imports as people have them: files in every shape, rows that must be mended, workers that die, and who may see what.

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_contacts::server::import;
use patchbay_shared::ids::{ImportId, WorkspaceId};
use serde_json::Value;

use super::support::{Agency, Answer, Browser, World, owner_value, run};

const TEST: Machine = Machine { name: "test", actions: &[Action::ReadContacts, Action::ManageContacts] };
const UPLOAD: &str = "/contacts/imports/upload";

/// Uploads a file for client one. Gives the import's id.
pub(super) async fn uploaded(agency: &Agency, name: &str, bytes: impl Into<Vec<u8>>) -> String {
    let answer = agency.admin.upload(UPLOAD, &[("client", &agency.one.id)], name, bytes.into()).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(answer.location.as_deref().is_some_and(|to| to.ends_with("/mapping")), "{name}: {answer:?}");
    answer.id().expect("an import")
}

async fn view(browser: &Browser, id: &str) -> Value {
    browser.done("get_import", &[("id", id)]).await.json()
}

/// Takes the mapping that was guessed, with `more` on top, and has the file checked.
pub(super) async fn checked(agency: &Agency, id: &str, more: &[(&str, &str)]) -> Value {
    let browser = &agency.admin;
    browser.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", more).await;
    agency.drain().await;
    let seen = view(browser, id).await;
    assert_eq!(seen["status"], "checked", "{seen}");
    seen
}

/// Has the import run to its end.
pub(super) async fn imported(agency: &Agency, id: &str) -> Value {
    // By hand: the page offers it only when there is something to import.
    agency.admin.done("run_import", &[("id", id)]).await;
    agency.drain().await;
    let seen = view(&agency.admin, id).await;
    assert_eq!(seen["status"], "completed", "{seen}");
    seen
}

pub(super) async fn all(agency: &Agency, name: &str, bytes: impl Into<Vec<u8>>, more: &[(&str, &str)]) -> Value {
    let id = uploaded(agency, name, bytes).await;
    checked(agency, &id, more).await;
    imported(agency, &id).await
}

pub(super) async fn found(browser: &Browser, words: &str) -> Vec<Value> {
    let answer = browser.done("list_contacts", &[("query[q]", words)]).await.json();
    answer["rows"].as_array().cloned().unwrap_or_default()
}

pub(super) fn numbers(view: &Value, names: &[&str]) -> Vec<i64> {
    names.iter().map(|name| view[name].as_i64().unwrap_or(-1)).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).expect("a letter of Latin-1")).collect()
}

#[test]
fn a_list_arrives_in_whatever_form_it_comes() {
    run(|world| async move {
        let agency = Agency::new(world, "forms").await;
        let german = |last: u32| {
            format!("Vorname;Name;Firma;Handy;Vertragsart\r\nZoë;Müller;Bäcker & Söhne;079 200 00 0{last};Gold\r\n")
        };
        let files: [(&str, Vec<u8>, u32); 5] = [
            ("german.csv", german(1).into_bytes(), 1),
            ("latin.csv", latin(&german(2)), 2),
            ("excel.txt", utf16(&german(3).replace(';', "\t")), 3),
            ("mac.csv", german(4).replace("\r\n", "\r").into_bytes(), 4),
            ("sep.csv", format!("\u{feff}sep=|\r\n{}", german(5).replace(';', "|")).into_bytes(), 5),
        ];
        for (name, bytes, last) in files {
            let done = all(&agency, name, bytes, &[("form[country]", "CH")]).await;
            assert_eq!(numbers(&done, &["imported", "rejected"]), [1, 0], "{name}: {done}");
            let rows = found(&agency.admin, &format!("+4179200000{last}")).await;
            assert_eq!(rows.len(), 1, "{name}");
            let contact =
                agency.admin.done("get_contact", &[("id", rows[0]["id"].as_str().expect("an id"))]).await.json();
            assert_eq!(
                (&contact["name"], &contact["company"]),
                (&"Zoë Müller".into(), &"Bäcker & Söhne".into()),
                "{name}"
            );
            assert_eq!(contact["attributes"]["vertragsart"], "Gold", "{name}");
        }
    });
}

#[test]
fn bad_rows_are_said_kept_and_can_come_again() {
    run(|world| async move {
        let agency = Agency::new(world, "bad-rows").await;
        let file = format!(
            "name,phone,time zone\nAda,+41792000101,\n\nBea,12,\nCyd,4.17912E+10,\nDan,+41792000101,\n,,\n\"Eve,+41792000102,\n\
             Fay,+41792000103,,x\nGus,+41792000104,Mars\nH\0l,+41792000105,\n{},+41792000106,\n=1+1,+41792000107,\n",
            "x".repeat(1_000_000)
        );
        let id = uploaded(&agency, "bad.csv", file).await;
        let seen = checked(&agency, &id, &[]).await;
        assert_eq!(
            numbers(&seen["preview"]["check"], &["fresh", "doubled", "rejected", "rows"]),
            [3, 1, 7, 11],
            "{seen}"
        );
        let done = imported(&agency, &id).await;
        assert_eq!(numbers(&done, &["imported", "doubled", "rejected", "rows"]), [3, 1, 7, 11], "{done}");
        let lines: Vec<i64> = done["problems"]
            .as_array()
            .expect("problems")
            .iter()
            .map(|problem| problem["line"].as_i64().expect("a line"))
            .collect();
        // Line 8 opens a quote and never closes it: it alone pays for that, and as itself it is a contact.
        assert_eq!(lines, [4, 5, 6, 7, 9, 10, 11, 12], "{done}");
        let rejected = agency.admin.get(&format!("/contacts/imports/{id}/rejected.csv")).await;
        assert!(
            rejected.text.starts_with("\u{feff}Line,Rejected because,name,phone,time zone\r\n"),
            "{}",
            rejected.text
        );
        assert!(rejected.text.contains("+41 79 200 01 01 stands further up in the file."), "{}", rejected.text);
        // The same file again, as it came out, with one row mended.
        let mended = rejected.text.replace("Bea,12,", "Bea,'+41792000108,");
        let again = all(&agency, "mended.csv", mended, &[]).await;
        assert_eq!(again["imported"], 1, "{again}");
        assert_eq!(found(&agency.admin, "+41792000107").await[0]["name"], "=1+1");
        // What goes out comes back as it was, formulas and all.
        let export = agency.admin.get("/contacts/export.csv").await.text;
        assert!(export.contains("'=1+1,+41792000107"), "{export}");
        assert_eq!(all(&agency, "export.csv", export, &[]).await["kept"], 4);
    });
}

#[test]
fn known_numbers_stay_or_are_updated_and_no_stays_no() {
    run(|world| async move {
        let agency = Agency::new(world, "known").await;
        let head = "name,phone,company,do not call,tier\n";
        all(&agency, "a.csv", format!("{head}Ada,+41792000201,Old,,gold\nBea,+41792000202,,yes,\n"), &[]).await;
        let kept =
            all(&agency, "b.csv", format!("{head}Other,+41792000201,New,yes,\n"), &[("form[duplicates]", "skip")])
                .await;
        assert_eq!(numbers(&kept, &["kept", "updated"]), [1, 0], "{kept}");
        let ada = found(&agency.admin, "+41792000201").await;
        // Who asked not to be called is not called, even where the rest of the row is passed over.
        assert_eq!((&ada[0]["name"], &ada[0]["do_not_call"]), (&"Ada".into(), &true.into()));
        let rows = format!("{head},+41792000201,New,no,\nB,+41792000202,,,\n");
        let updated = all(&agency, "c.csv", rows, &[("form[duplicates]", "update")]).await;
        assert_eq!(numbers(&updated, &["updated", "imported"]), [2, 0], "{updated}");
        let id = ada[0]["id"].as_str().expect("an id");
        let ada = agency.admin.done("get_contact", &[("id", id)]).await.json();
        assert_eq!(
            (&ada["name"], &ada["company"], &ada["attributes"]["tier"]),
            (&"Ada".into(), &"New".into(), &"gold".into())
        );
        assert_eq!(ada["do_not_call"], true);
        let listed = agency.admin.done("list_contacts", &[("query[suppressed]", "yes")]).await.json();
        assert_eq!(listed["rows"].as_array().map(Vec::len), Some(2));
        assert_eq!(agency.admin.rpc("suppress_contact", &[("id", id), ("reason", " ")]).await.status, 422);
    });
}

/// Rows in several pieces, with one wrong and one doubled number per hundred.
fn large(prefix: &str, rows: u32) -> String {
    let mut text = String::from("name,phone\n");
    for row in 0..rows {
        match row % 100 {
            50 => text += "Wrong,123\n",
            51 => text += &format!("Double,+4179{prefix}{:04}\n", row - 50),
            _ => text += &format!("Person {row},+4179{prefix}{row:04}\n"),
        }
    }
    text
}

async fn count(world: &World, table: &str, import: &str) -> i64 {
    owner_value(world, &format!("select count(*) from {table} where import_id = '{import}'")).await
}

#[test]
fn workers_that_die_or_race_lose_and_double_nobody() {
    run(|world| async move {
        let agency = Agency::new(world, "race").await;
        let id = uploaded(&agency, "large.csv", large("300", 9_900)).await;
        let seen = checked(&agency, &id, &[]).await;
        assert_eq!(numbers(&seen["preview"]["check"], &["fresh", "rejected", "doubled"]), [9_702, 99, 99]);
        let (workspace, import): (WorkspaceId, ImportId) =
            (agency.workspace_id.parse().expect("an id"), id.parse().expect("an id"));
        agency.admin.filled(&format!("/contacts/imports/{id}"), "run_import", &[]).await;
        // Beside the real worker, others that are cut off at any moment.
        let cut_off = async {
            for wait in [1, 3, 9, 27, 81, 200, 400] {
                let db = world.db.clone();
                let other =
                    tokio::spawn(async move { import::run(&Scope::of_operator(db, workspace, TEST), import).await });
                tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
                other.abort();
            }
        };
        tokio::join!(agency.drain(), cut_off);
        // A worker that lost against one that was cut off afterwards comes back.
        agency.drain().await;
        let done = view(&agency.admin, &id).await;
        assert_eq!(numbers(&done, &["imported", "rejected", "doubled", "kept"]), [9_702, 99, 99, 0], "{done}");
        assert_eq!(count(world, "contacts", &id).await, 9_702);
        assert_eq!(count(world, "contact_import_rejects", &id).await, 198);
        // Running it again changes nothing.
        import::run(&Scope::of_operator(world.db.clone(), workspace, TEST), import).await.expect("nothing to do");
        assert_eq!(count(world, "contacts", &id).await, 9_702);
    });
}

#[test]
fn a_cancelled_import_keeps_what_is_in() {
    run(|world| async move {
        let agency = Agency::new(world, "cancel").await;
        let id = uploaded(&agency, "large.csv", large("400", 9_900)).await;
        checked(&agency, &id, &[]).await;
        agency.admin.filled(&format!("/contacts/imports/{id}"), "run_import", &[]).await;
        let fields = [("id", id.as_str())];
        tokio::join!(agency.drain(), agency.admin.done("cancel_import", &fields));
        let done = view(&agency.admin, &id).await;
        assert!(done["status"] == "cancelled" || done["status"] == "completed", "{done}");
        assert_eq!(done["imported"], count(world, "contacts", &id).await);
        assert_eq!(agency.admin.rpc("run_import", &[("id", &id)]).await.status, 409);
    });
}

#[test]
fn strangers_and_other_clients_see_nothing() {
    run(|world| async move {
        let (agency, other) = tokio::join!(Agency::new(world, "mine"), Agency::new(world, "theirs"));
        let file = "name,phone\nSecret Sara,+41792000501\nWrong,1\n";
        let id = uploaded(&agency, "secret.csv", file).await;
        checked(&agency, &id, &[]).await;
        imported(&agency, &id).await;
        let contact = found(&agency.admin, "Secret Sara").await[0]["id"].as_str().expect("an id").to_owned();
        let refused = |answer: Answer| assert_eq!(answer.status, 404, "{answer:?}");
        for browser in [&other.owner, &agency.two.admin, &agency.two.viewer] {
            refused(browser.rpc("get_import", &[("id", &id)]).await);
            refused(browser.rpc("get_contact", &[("id", &contact)]).await);
            refused(browser.get(&format!("/contacts/imports/{id}/rejected.csv")).await);
            assert!(found(browser, "Secret").await.is_empty());
            assert!(!browser.get("/contacts/export.csv").await.text.contains("Secret"));
        }
        for browser in [&other.owner, &agency.two.admin] {
            refused(browser.rpc("change_contact", &[("id", &contact), ("form[phone]", "+41792000502")]).await);
            refused(browser.rpc("suppress_contact", &[("id", &contact), ("reason", "x")]).await);
            refused(browser.rpc("cancel_import", &[("id", &id)]).await);
        }
        // The client's own viewer reads and changes nothing.
        assert_eq!(found(&agency.one.viewer, "Secret").await.len(), 1);
        refused(agency.one.viewer.rpc("suppress_contact", &[("id", &contact), ("reason", "x")]).await);
    });
}
