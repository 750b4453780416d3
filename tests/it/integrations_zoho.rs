//! Zoho CRM, kept in step from end to end: people in and out, results of calls, who must not be called, who went away, and a sign-in
//! that ends in the middle.

use patchbay_sandbox::{CrmBook, CrmKind};

use super::integrations::{connected, contact_of, contacts, nobody_twice, page, signed_in, synced, text};
use super::support::{Agency, World, owner_lines, owner_value, run};

fn book<R>(world: &World, id: &str, work: impl FnOnce(&mut CrmBook) -> R) -> R {
    world.sandbox.crm_book(CrmKind::Zoho, &format!("sandbox-{id}"), work)
}

/// What a record there says.
fn there(world: &World, id: &str, who: &str, name: &str) -> String {
    book(world, id, |book| {
        let entry = book.contacts().into_iter().find(|entry| entry.id == who).expect("a contact");
        entry.properties.get(name).cloned().unwrap_or_default()
    })
}

async fn email(world: &World, contact: &str) -> String {
    text(world, &format!("select email from contacts where id = '{contact}'")).await
}

#[test]
fn zoho_is_kept_in_step_both_ways() {
    run(|world| async move {
        let agency = Agency::new(world, "zoho").await;
        let id = connected(world, &agency, "zoho").await;
        let before = contacts(world, &agency).await;
        // The sign-in ends in the middle of a page's reading, after trouble of every kind; with another one it goes on.
        book(world, &id, |book| {
            (book.faults.limited, book.faults.failing) = (1, 1);
            (book.faults.repeats_page, book.faults.removes_while_read) = (true, true);
            book.faults.revoke_after = Some(5);
            // The sign-in has no scope for notes: that ends nothing but their reading.
            book.faults.hides = "Notes".to_owned();
        });
        let shown = synced(&agency, &id, "everything").await;
        assert_eq!((&shown["head"]["standing"], &shown["syncs"][0]["status"]), (&"failing".into(), &"running".into()));
        agency.owner.done("sign_in_integration", &[("id", &id)]).await;
        signed_in(world, &agency.owner, &id).await;
        agency.drain().await;
        let shown = page(&agency, &id).await;
        assert_eq!(shown["head"]["standing"], "works", "{shown}");
        let missing = format!("select config ->> 'activities_missing' from integrations where id = '{id}'");
        assert_eq!(text(world, &missing).await, r#"["note"]"#);
        let notes =
            format!("select count(*) from integration_activities where integration_id = '{id}' and kind = 'note'");
        assert_eq!(owner_value::<i64>(world, &notes).await, 0);
        book(world, &id, |book| book.faults.hides.clear());
        let many = contacts(world, &agency).await;
        assert!(many > before + 100, "people came in: {many}");
        nobody_twice(world, &id).await;
        let deals = format!(
            "select count(*) from integration_links where integration_id = '{id}' and kind = 'deal' and contact_id is not null"
        );
        assert!(owner_value::<i64>(world, &deals).await > 20, "deals stand beside their contacts");

        // Changed there, then here.
        let some = format!(
            "select remote_id from integration_links where integration_id = '{id}' and kind = 'contact' and contact_id is not null
             and removed_at is null and agreed ->> 'do_not_call' = '' order by remote_id limit 5"
        );
        let some = owner_lines(world, &some).await;
        let [changed, forbidden, told, removed, merged] = [0, 1, 2, 3, 4].map(|at| some[at].as_str());
        let family = [("Email", "family@example.com"), ("Last_Name", "Family")];
        let nameless = book(world, &id, |book| {
            book.change(changed, &[("Email", "changed.there@example.com")]);
            book.change(forbidden, &[("Do_Not_Call", "true"), ("Email", "n/a")]);
            // An address that two contacts here share tells nobody apart.
            book.change(removed, &family[..1]);
            book.change(merged, &family[..1]);
            book.add(&family)
        });
        let contact = contact_of(world, &id, told).await;
        agency.owner.done("suppress_contact", &[("id", &contact), ("reason", "asked on the phone")]).await;
        synced(&agency, &id, "changes").await;
        assert!(owner_value::<i64>(world, &notes).await > 0, "all of them, once they may be read");
        let own = contact_of(world, &id, changed).await;
        assert_eq!(email(world, &own).await, "changed.there@example.com");
        let forbidden = contact_of(world, &id, forbidden).await;
        let reason = format!("select do_not_call_reason from contacts where id = '{forbidden}'");
        assert_eq!(text(world, &reason).await, "Marked so in Zoho CRM", "though its address is none");
        assert_eq!(there(world, &id, told, "Do_Not_Call"), "true", "the other way round");
        assert_eq!(contact_of(world, &id, &nameless).await, "", "nobody is guessed");
        let phone = text(world, &format!("select phone from contacts where id = '{own}'")).await;
        let here = [("id", own.as_str()), ("form[phone]", &phone), ("form[email]", "changed.here@example.com")];
        agency.owner.done("change_contact", &here).await;
        agency.drain().await;
        assert_eq!(there(world, &id, changed, "Email"), "changed.here@example.com");

        // Gone there, kept here. Merged there: Zoho says that it is gone, and by the number it is found again.
        let (gone, kept) = (contact_of(world, &id, removed).await, contact_of(world, &id, merged).await);
        let name = there(world, &id, merged, "Last_Name");
        let winner = book(world, &id, |book| {
            let winner = book.add(&[("Last_Name", &name)]);
            book.remove(removed);
            book.merge(&winner, merged);
            winner
        });
        let many = contacts(world, &agency).await;
        synced(&agency, &id, "changes").await;
        assert_eq!(contact_of(world, &id, removed).await, "");
        let waits =
            format!("select problem from integration_pending where integration_id = '{id}' and remote_id = '{winner}'");
        assert_eq!(contact_of(world, &id, &winner).await, kept, "{:?}", owner_lines(world, &waits).await);
        assert_eq!(contacts(world, &agency).await, many, "{gone} stays, and nobody is new");
        nobody_twice(world, &id).await;
    });
}

/// A result of a call is written once, though its answer was lost; and what only comes in is not written over, also not at a record that
/// nobody here was linked with.
#[test]
fn results_of_calls_are_written_to_zoho_once() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "zohoresults").await;
        let id = connected(world, &agency, "zoho").await;
        let line =
            [("id", id.as_str()), ("was", "name"), ("ours", "name"), ("theirs", "First_Name"), ("second", "Last_Name")];
        let line: Vec<_> = line.into_iter().chain([("direction", "in")]).collect();
        agency.owner.done("save_mapping_line", &line).await;
        book(world, &id, |book| {
            for entry in book.contacts() {
                book.remove(&entry.id);
            }
        });
        synced(&agency, &id, "everything").await;
        let rita = book(world, &id, |book| {
            book.faults.lost_answers = 1;
            book.add(&[("Last_Name", "Ritter"), ("Phone", "+1 202-555-0113")])
        });
        assert_eq!(contact_of(world, &id, &rita).await, "", "nobody has read it yet");
        let batch = agency.batch(&works.campaign, 1).await;
        agency.finished(&batch).await;
        agency.drain().await;
        for _ in 0..2 {
            synced(&agency, &id, "changes").await;
        }
        let calls = book(world, &id, |book| book.calls());
        let listed = agency.owner.done("list_calls", &[("query[batch]", &batch)]).await.json();
        assert_eq!(calls.len(), listed["page"]["rows"].as_array().map_or(0, Vec::len), "one for each: {calls:?}");
        assert!(calls.iter().any(|entry| entry.contacts.contains(&rita)), "{calls:?}");
        assert_eq!(contact_of(world, &id, &rita).await, works.contact);
        assert_eq!(there(world, &id, &rita, "Last_Name"), "Ritter");
    });
}
