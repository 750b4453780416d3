//! What a CRM knows of a person beside their fields: deals, notes, calls, tasks and meetings, on the page of the contact; and where the
//! contact is in step.

use patchbay_sandbox::{CrmBook, CrmKind};
use serde_json::Value;

use super::integrations::{connected, contact_of, failed_named, synced};
use super::support::{Agency, Browser, World, owner_value, run};

fn book<R>(world: &World, id: &str, work: impl FnOnce(&mut CrmBook) -> R) -> R {
    world.sandbox.crm_book(CrmKind::Hubspot, &format!("sandbox-{id}"), work)
}

async fn systems(browser: &Browser, contact: &str) -> Value {
    browser.done("get_contact", &[("id", contact)]).await.json()["systems"].clone()
}

async fn activities(browser: &Browser, contact: &str, asked: &[(&str, &str)]) -> Vec<Value> {
    let fields: Vec<(&str, &str)> = [("id", contact)].into_iter().chain(asked.iter().copied()).collect();
    let page = browser.done("list_contact_activities", &fields).await.json();
    page["page"]["rows"].as_array().unwrap_or_else(|| panic!("activities: {page}")).clone()
}

fn texts(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| format!("{}|{}", row["title"], row["text"]).replace('"', "")).collect()
}

async fn kept(world: &World, id: &str) -> i64 {
    owner_value(world, &format!("select count(*) from integration_activities where integration_id = '{id}'")).await
}

#[test]
fn what_a_crm_knows_of_a_person_stands_on_the_contacts_page() {
    run(|world| async move {
        let agency = Agency::new(world, "kept").await;
        let id = connected(world, &agency, "hubspot").await;
        let [ada, ben, late, note, meeting] = book(world, &id, |book| {
            for entry in book.contacts() {
                book.remove(&entry.id);
            }
            let ada = book.add(&[("firstname", "Ada"), ("phone", "+4930231250001"), ("email", "ada@example.com")]);
            let ben = book.add(&[("firstname", "Ben"), ("phone", "+4930231250002"), ("email", "ben@example.com")]);
            let late = book.add(&[("firstname", "Late"), ("phone", "061 555")]);
            let html = "<div><p>Hi <b>there</b> &amp; welcome</p><script>alert('crm')</script><p>&lt;img src=x&gt;\u{202e}</p></div>";
            let note =
                book.add_activity("note", &ada, &[("hs_note_body", html), ("hs_timestamp", "2026-03-01T10:00:00Z")]);
            let meeting = book.add_activity(
                "meeting",
                &ben,
                &[
                    ("hs_meeting_title", "Review"),
                    ("hs_meeting_outcome", "COMPLETED"),
                    ("hs_timestamp", "2026-03-02T10:00:00Z"),
                ],
            );
            for at in 1..=7 {
                let (title, day) = (format!("Call {at}"), format!("2026-02-0{at}T10:00:00Z"));
                let values = [("hs_call_title", &*title), ("hs_call_status", "NO_ANSWER"), ("hs_timestamp", &*day)];
                book.add_activity("call", &ada, &values);
            }
            let deal = [
                ("dealname", "Car cover"),
                ("dealstage", "contractsent"),
                ("amount", "12450.5"),
                ("closedate", "2026-12-24T00:00:00Z"),
            ];
            book.add_deal(&ada, &deal);
            book.add_deal(&late, &[("dealname", "Late cover"), ("dealstage", "unheard of")]);
            book.add_activity(
                "task",
                &late,
                &[("hs_task_subject", "Ring Late"), ("hs_timestamp", "2026-03-03T10:00:00Z")],
            );
            // One list may not be read: the others are, and this one comes later as a whole.
            book.faults.hides = "meetings".to_owned();
            [ada, ben, late, note, meeting]
        });
        let shown = synced(&agency, &id, "everything").await;
        assert_eq!(
            (&shown["syncs"][0]["kind"], &shown["syncs"][0]["status"]),
            (&"activities".into(), &"success".into())
        );
        let [ada_here, ben_here] = [contact_of(world, &id, &ada).await, contact_of(world, &id, &ben).await];
        let here = systems(&agency.owner, &ada_here).await;
        assert_eq!(here["systems"][0]["state"], "linked", "{here}");
        let deal = &here["deals"][0];
        assert_eq!(
            (&deal["stage"], &deal["amount"], &deal["closes"]),
            (&"Contract sent".into(), &"12,450.50".into(), &"24 Dec 2026".into())
        );
        assert_eq!((here["activities"].as_array().map(Vec::len), &here["has_more"]), (Some(6), &true.into()), "{here}");
        assert_eq!(here["activities"][0]["text"], "Hi there & welcome\n\n<img src=x>", "plain text");
        assert_eq!(here["activities"][1]["state"], "No answer");
        let html = agency.owner.get(&format!("/contacts/{ada_here}")).await.text;
        assert!(
            html.contains("In other systems") && html.contains("Car cover") && html.contains("Show more"),
            "{html}"
        );
        assert!(!html.contains("alert(&") && !html.contains("<img src=x"), "what others typed is text");
        assert_eq!(systems(&agency.owner, &ben_here).await["activities"].as_array().map(Vec::len), Some(0));
        book(world, &id, |book| book.faults.hides.clear());
        synced(&agency, &id, "changes").await;
        assert_eq!(
            texts(&activities(&agency.owner, &ben_here, &[]).await),
            ["Review|"],
            "all of what could not be read"
        );

        // Who comes in after their deals and activities finds them.
        let waits = failed_named(&agency, &id, "Late").await;
        let record = waits
            .iter()
            .find(|row| row["remote_id"] == late.as_str())
            .and_then(|row| row["id"].as_str())
            .expect("waits");
        agency.owner.done("edit_failed_record", &[("id", &id), ("record", record), ("phone", "+4930231250003")]).await;
        agency.drain().await;
        synced(&agency, &id, "changes").await;
        let late_here = contact_of(world, &id, &late).await;
        let found = systems(&agency.owner, &late_here).await;
        assert_eq!(
            (&found["activities"][0]["title"], &found["deals"][0]["stage"]),
            (&"Ring Late".into(), &"unheard of".into()),
            "{found}"
        );

        // Changed, added and removed there; and killed in the middle, it goes on and doubles nothing.
        book(world, &id, |book| {
            book.change(&note, &[("hs_note_body", "<p>Hi again</p>")]);
            book.add_activity(
                "task",
                &ada,
                &[("hs_task_subject", "Send it"), ("hs_timestamp", "2026-03-09T10:00:00Z")],
            );
            book.remove(&meeting);
        });
        let before = kept(world, &id).await;
        synced(&agency, &id, "changes").await;
        assert_eq!(kept(world, &id).await, before, "one more, one less");
        assert_eq!(texts(&activities(&agency.owner, &ada_here, &[("query[kind]", "note")]).await), ["|Hi again"]);
        book(world, &id, |book| book.change(&ada, &[("email", "ada.b@example.com")]));
        let again = format!(
            "update integrations set config = config || '{{\"read_at\": \"2026-01-01T00:00:00Z\"}}' where id = '{id}';
             with last as (update integration_sync_logs set status = 'running', finished_at = null,
                 cursor = jsonb_build_object('phase', 'pages', 'began', now(), 'reads', true, 'next', 'call', 'pages', 9)
               where id = (select id from integration_sync_logs where integration_id = '{id}' and sync_type = 'activities' order by id limit 1)
               returning workspace_id, id)
             insert into jobs (id, workspace_id, kind, payload, dedupe_key)
             select gen_random_uuid(), workspace_id, 'sync_integration', jsonb_build_object('sync', id), id::text from last"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(again)).execute(&world.owner).await.expect("killed");
        agency.drain().await;
        assert_eq!(kept(world, &id).await, before, "nothing is doubled");
        let between = format!(
            "select count(*) from integration_sync_records r join integration_sync_logs s on s.id = r.sync_id
             where r.integration_id = '{id}' and s.sync_type = 'activities' and r.remote_kind = 'contact' and r.remote_id = '{ada}'"
        );
        assert_eq!(owner_value::<i64>(world, &between).await, 1, "people are not kept waiting by a long list");

        // <https://github.com/airbytehq/airbyte/issues/27199>: whom it belongs to changes without a trace, so all are read now and then.
        book(world, &id, |book| book.associate(&note, &ben));
        let old = format!(
            "update integrations set config = config || '{{\"activities_whole_at\": \"2026-01-01T00:00:00Z\"}}' where id = '{id}'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(old)).execute(&world.owner).await.expect("a week ago");
        synced(&agency, &id, "changes").await;
        assert_eq!(texts(&activities(&agency.owner, &ben_here, &[]).await), ["|Hi again"]);

        // Pages lead on from where they ended, in both orders; the file has all of them.
        let first =
            agency.owner.done("list_contact_activities", &[("id", &ada_here), ("query[words]", "Call ")]).await.json();
        assert_eq!(first["page"]["rows"].as_array().map(Vec::len), Some(7), "{first}");
        let file = agency.owner.get(&format!("/contacts/{ada_here}/activities/export.csv?sort=at")).await.text;
        let lines: Vec<&str> = file.lines().collect();
        assert!(lines.len() == 10 && lines[1].contains("Call 1") && lines[9].contains("Send it"), "{file}");
        let deals = agency
            .owner
            .done("list_integration_deals", &[("id", &id), ("query[state]", "contractsent"), ("query[words]", "Ada")])
            .await
            .json();
        assert_eq!(
            (deals["page"]["rows"].as_array().map(Vec::len), &deals["page"]["rows"][0]["name"]),
            (Some(1), &"Car cover".into()),
            "{deals}"
        );
        let file = agency.owner.get(&format!("/integrations/{id}/deals/export.csv?q=Late")).await.text;
        assert!(file.lines().count() == 2 && file.contains(&late_here), "{file}");

        // What fails says so, with the way to the repair.
        book(world, &id, |book| book.change(&ben, &[("email", "n/a")]));
        synced(&agency, &id, "changes").await;
        let failed = systems(&agency.owner, &ben_here).await["systems"][0].clone();
        assert!(
            failed["state"] == "failed" && failed["repair"].as_str().is_some_and(|name| name.contains("Ben")),
            "{failed}"
        );

        // Two people there are one: all that belongs to them is the one's, and the other one's page says why.
        book(world, &id, |book| {
            book.add_activity("note", &ben, &[("hs_note_body", "Of Ben"), ("hs_timestamp", "2026-03-10T10:00:00Z")]);
            book.change(&ben, &[("email", "ben@example.com")]);
        });
        synced(&agency, &id, "changes").await;
        book(world, &id, |book| book.merge(&ada, &ben));
        synced(&agency, &id, "changes").await;
        assert!(texts(&activities(&agency.owner, &ada_here, &[]).await).contains(&"|Of Ben".to_owned()));
        let gone = systems(&agency.owner, &ben_here).await;
        assert_eq!(
            (&gone["systems"][0]["state"], gone["activities"].as_array().map(Vec::len)),
            (&"removed".into(), Some(0)),
            "{gone}"
        );
        assert!(gone["systems"][0]["words"].as_str().is_some_and(|words| words.contains("merged into")), "{gone}");
        // Gone there, they take along what was done with them; back again, they bring it.
        book(world, &id, |book| book.remove(&late));
        synced(&agency, &id, "changes").await;
        assert!(activities(&agency.owner, &late_here, &[]).await.is_empty());

        // A client's people see what is theirs, where they see integrations at all.
        let own = systems(&agency.one.admin, &ada_here).await;
        assert_eq!(own["deals"][0]["name"], "Car cover", "{own}");
        let viewer = systems(&agency.one.viewer, &ada_here).await;
        assert!(
            ["systems", "deals", "activities"].iter().all(|part| viewer[part].as_array().is_some_and(Vec::is_empty)),
            "{viewer}"
        );
        assert_ne!(agency.one.viewer.rpc("list_contact_activities", &[("id", &ada_here)]).await.status, 200);
        assert_eq!(agency.two.admin.rpc("list_contact_activities", &[("id", &ada_here)]).await.status, 404);
    });
}
