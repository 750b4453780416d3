//! HubSpot: exact requests, documented answers, and what is reported of it in the field.

use chrono::Utc;
use patchbay_providers::crm::*;
use patchbay_providers::hubspot::HubSpot;
use patchbay_providers::{Kind, Secret};
use patchbay_sandbox::CrmKind;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::provider_crm::*;
use crate::provider_stub::*;

const KEY: &str = "0195a7f2-7c1e-7d10-9c6b-0a1b2c3d4e5f";

fn at(base: &str, token: &str) -> HubSpot {
    HubSpot::new(&client(), base, &Secret::from(token)).unwrap()
}

#[tokio::test]
async fn lists_and_searches_are_sent_and_read_as_documented() {
    let listed = json!({"results": [{"id": "123", "properties": {"email": "ada@example.test", "firstname": "Ada", "company": null,
        "lastmodifieddate": "2026-03-01T10:00:00.000Z", "hs_object_id": "123", "hs_merged_object_ids": "120;121"},
        "createdAt": "2026-01-05T09:00:00.000Z", "updatedAt": "2026-03-01T10:00:00.000Z", "archived": false}],
        "paging": {"next": {"after": "124", "link": "https://api.hubapi.com/crm/v3/objects/contacts?after=124"}}});
    let found = json!({"total": 1, "results": [{"id": "900", "properties": {"dealname": "Cover", "amount": "1200", "hs_lastmodifieddate": "2026-03-02T10:00:00Z"},
        "createdAt": "2026-01-05T09:00:00Z", "updatedAt": "2026-03-02T10:00:00Z", "archived": false}]});
    let linked = json!({"status": "COMPLETE", "results": [{"from": {"id": "900"}, "to": [{"toObjectId": 123, "associationTypes": []}]}]});
    let limits = |answer: Answer| {
        answer
            .header("x-hubspot-ratelimit-max", "190")
            .header("x-hubspot-ratelimit-remaining", "178")
            .header("x-hubspot-ratelimit-interval-milliseconds", "10000")
    };
    let stub =
        Stub::playing([limits(ok(listed)), ok(json!({"total": 4817, "results": []})), ok(found), ok(linked)]).await;
    let crm = at(&stub.origin, "CJTW");
    let page =
        crm.page(CrmObject::Contact, &names(&["email", "firstname", "bad name"]), None, None, 500).await.unwrap();
    let record = &page.records[0];
    assert_eq!((record.id.as_str(), record.merged.clone()), ("123", names(&["120", "121"])));
    assert_eq!(record.properties.get("email").map(String::as_str), Some("ada@example.test"));
    assert!(!record.properties.contains_key("company"), "without a value it is left out");
    assert_eq!((page.next.as_deref(), page.total), (Some("124"), Some(4_817)));
    assert_eq!(
        crm.limit(),
        Some(CrmLimit { most: Some(190), left: Some(178), seconds: Some(10), ..CrmLimit::default() })
    );

    let page =
        crm.page(CrmObject::Deal, &names(&["dealname"]), Some(since(1_772_460_000_000)), None, 200).await.unwrap();
    assert_eq!((page.total, page.next, page.records[0].contacts.clone()), (Some(1), None, names(&["123"])));
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "GET /crm/v3/objects/contacts");
    assert_eq!(seen[0].header("authorization"), Some("Bearer CJTW"));
    assert_eq!(
        seen[0].query(),
        [("limit", "100"), ("properties", "lastmodifieddate,hs_merged_object_ids,email,firstname")]
    );
    assert_eq!(seen[1].line(), "POST /crm/v3/objects/contacts/search", "a list does not say how many there are");
    assert_eq!(seen[2].line(), "POST /crm/v3/objects/deals/search");
    let wanted = json!({"filterGroups": [{"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1772460000000"}]}],
        "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}],
        "properties": ["hs_lastmodifieddate", "hs_merged_object_ids", "dealname"], "limit": 200});
    assert_eq!(seen[2].json(), wanted);
    assert_eq!(seen[3].line(), "POST /crm/v4/associations/deals/contacts/batch/read");
}

#[tokio::test]
async fn every_trouble_is_told_apart() {
    let limited = json!({"status": "error", "message": "You have reached your ten_secondly_rolling limit.", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"});
    let daily = json!({"status": "error", "message": "You have reached your daily limit.", "policyName": "DAILY"});
    let expired = json!({"status": "error", "category": "EXPIRED_AUTHENTICATION", "message": "The OAuth token CJTW-token expired"});
    let cases = [
        (
            Answer::json(429, limited.to_string()).header("x-hubspot-ratelimit-interval-milliseconds", "10000"),
            Kind::RateLimited,
            Some(10),
        ),
        (Answer::json(429, daily.to_string()), Kind::RateLimited, Some(3600)),
        (Answer::json(401, expired.to_string()), Kind::Credentials, None),
        (Answer::json(477, "{}").header("retry-after", "60"), Kind::Unavailable, Some(60)),
        (Answer::new(502, "<html>Bad gateway</html>"), Kind::Unavailable, None),
        (Answer::new(200, "<html>One moment"), Kind::Garbage, None),
        (ok(json!({"results": "none"})), Kind::Garbage, None),
        (ok(json!({"results": [], "paging": {"next": {"after": "7"}}})), Kind::Garbage, None),
    ];
    for (answer, kind, wait) in cases {
        let stub = Stub::playing([answer]).await;
        let error =
            at(&stub.origin, "CJTW-token").page(CrmObject::Contact, &[], None, Some("7"), 100).await.unwrap_err();
        assert_eq!((error.kind, error.retry_after), (kind, wait.map(Duration::from_secs)), "{error}");
        assert!(!error.to_string().contains("CJTW-token") && error.provider == "hubspot", "{error}");
        assert!(error.to_string().starts_with("HubSpot"), "{error}");
    }
}

/// <https://github.com/airbytehq/airbyte/issues/43317>: HubSpot changes all contacts in one millisecond, and whoever goes on from that time
/// never gets on.
#[tokio::test]
async fn all_that_changed_at_once_is_read_and_the_reading_ends() {
    let account = Account::new(CrmKind::Hubspot, "sandbox-at-once", at).await;
    let (all, count) = account.read(None, 100).await;
    assert_eq!((all.len(), count), (240, 240));
    let before = Utc::now() - chrono::Duration::seconds(1);
    let (new, _) = account.read(Some(before), 50).await;
    assert!(new.is_empty(), "nothing has changed");

    let ids = account.ids();
    account.book(|book| book.touch(&ids));
    let late = account.book(|book| book.add(&[("email", "late@example.com"), ("lastname", "Late")]));
    let (new, count) = account.read(Some(before), 50).await;
    assert_eq!(new.len(), 241, "each of them, the one after that moment too");
    assert!(new.contains(&late) && count <= 241 + 2 * 50, "{count}");
    // A page that comes twice and a record that goes away while it is read lose nobody else.
    account.book(|book| {
        book.faults.repeats_page = true;
        book.faults.removes_while_read = true;
    });
    let (left, _) = account.read(Some(before), 50).await;
    let there: BTreeSet<String> = account.ids().into_iter().collect();
    assert_eq!(there.len(), 239);
    assert!(left.is_superset(&there));
    account.book(|book| book.faults.repeats_page = true);
    assert_eq!(account.read(None, 50).await.0, there, "the list of all, too");
    account.book(|book| book.faults.is_stuck = true);
    let first = account.crm.page(CrmObject::Contact, &[], None, None, 50).await.unwrap().next;
    let stuck = account.crm.page(CrmObject::Contact, &[], None, first.as_deref(), 50).await.unwrap_err();
    assert_eq!(stuck.kind, Kind::Garbage, "{stuck}");
}

#[tokio::test]
async fn contacts_are_written_and_each_has_its_own_fate() {
    let account = Account::new(CrmKind::Hubspot, "sandbox-writing", at).await;
    let ids = account.ids();
    account.book(|book| {
        book.remove(&ids[2]);
        book.merge(&ids[4], &ids[3]);
    });
    let city = |id: &str, city: &str| (id.to_owned(), values(&[("city", city)]));
    // Without a bad value: who is gone is told, who was merged is written where it lives on.
    let rows = [city(&ids[0], "Bern"), city(&ids[2], "Bern"), city(&ids[3], "Basel"), city("../1", "Bern")];
    let written = account.crm.update(&rows).await.unwrap();
    assert_eq!(written[0], Ok(ids[0].clone()));
    assert!(matches!(&written[1], Err(refusal) if refusal.is_gone), "{:?}", written[1]);
    assert_eq!(written[2], Ok(ids[4].clone()));
    assert!(matches!(&written[3], Err(refusal) if !refusal.is_gone && !refusal.may_repeat));
    // A value that there is no option of refuses the whole batch at HubSpot: here only its own record.
    let outcome = |id: &str, word: &str| (id.to_owned(), values(&[("pb_last_outcome", word)]));
    let written = account
        .crm
        .update(&[outcome(&ids[5], "busy"), outcome(&ids[6], "needs_quote"), outcome(&ids[7], "declined")])
        .await
        .unwrap();
    assert_eq!((&written[0], &written[2]), (&Ok(ids[5].clone()), &Ok(ids[7].clone())));
    let refusal = written[1].clone().unwrap_err();
    assert_eq!(refusal.property.as_deref(), Some("pb_last_outcome"));
    assert_eq!(
        refusal.message,
        "needs_quote was not one of the allowed options: [No answer, Answered, Voicemail, Busy, Declined]"
    );
    let shown = account.book(|book| book.contacts());
    let has =
        |id: &str, name: &str| shown.iter().find(|one| one.id == id).and_then(|one| one.properties.get(name).cloned());
    assert_eq!(has(&ids[0], "city").as_deref(), Some("Bern"));
    assert_eq!(has(&ids[4], "city").as_deref(), Some("Basel"));
    assert_eq!(has(&ids[7], "pb_last_outcome").as_deref(), Some("declined"));

    // One record is read where it lives on; one that is gone is none.
    let read = account.crm.get(CrmObject::Contact, &ids[3], &names(&["city"])).await.unwrap().expect("the winner");
    assert!(read.id == ids[4] && read.merged.contains(&ids[3]), "{read:?}");
    assert_eq!(account.crm.get(CrmObject::Contact, &ids[2], &[]).await.unwrap(), None);
    let (gone, next) = account.crm.removed(CrmObject::Contact, None, None).await.unwrap();
    assert_eq!((gone.len(), gone[0].id.as_str(), next), (1, ids[2].as_str(), None));

    // Found by the address, by the number in another form, or made.
    let upsert = async |all: &[(&str, &str)]| account.crm.upsert(&values(all), &values(all)).await.unwrap();
    let found = upsert(&[("email", "Hanna.Vogt@example.com"), ("city", "Bonn")]).await;
    assert_eq!(found, Ok(ids[0].clone()));
    let found = upsert(&[("phone", "001 312 555-0176"), ("city", "Joliet")]).await;
    assert_eq!(found, Ok(ids[5].clone()));
    assert_eq!(account.book(|book| book.contacts().len()), 238, "nobody was made");
    let made = upsert(&[("phone", "+447700900123"), ("lastname", "New")]).await.unwrap();
    assert!(account.book(|book| book.contacts().iter().any(|one| one.id == made)));
    assert!(upsert(&[("lastname", "New")]).await.is_err());
    // Of one that was there only what may be written is.
    let (new, known) = (values(&[("phone", "+447700900123"), ("lastname", "Other")]), values(&[("city", "Ely")]));
    assert_eq!(account.crm.upsert(&new, &known).await.unwrap(), Ok(made.clone()));
    assert_eq!(account.crm.upsert(&new, &values(&[])).await.unwrap(), Ok(made.clone()));
    let entry = account.book(|book| book.contacts().into_iter().find(|one| one.id == made)).expect("it is there");
    assert_eq!((entry.properties["lastname"].as_str(), entry.properties["city"].as_str()), ("New", "Ely"));
}

/// <https://github.com/HubSpot/hubspot-api-nodejs/issues/548>: a batch answers that all went well, and nothing was written.
#[tokio::test]
async fn a_batch_that_says_nothing_of_a_record_has_not_written_it() {
    let done = json!({"status": "COMPLETE", "results": [{"id": "1", "properties": {}}]});
    let stub = Stub::playing([ok(done), ok(json!({"id": "2", "properties": {"city": "Bern"}}))]).await;
    let rows = ["1", "2"].map(|id| (id.to_owned(), values(&[("city", "Bern")])));
    let written = at(&stub.origin, "CJTW").update(&rows).await.unwrap();
    assert_eq!(written, [Ok("1".to_owned()), Ok("2".to_owned())]);
    let lines: Vec<String> = stub.seen().iter().map(Seen::line).collect();
    assert_eq!(lines, ["POST /crm/v3/objects/contacts/batch/update", "PATCH /crm/v3/objects/contacts/2"]);
    // Trouble after some were written: those are known, and the others may be tried again.
    let done = json!({"status": "COMPLETE", "results": [{"id": "1", "properties": {}}]});
    let stub = Stub::playing([ok(done), Answer::json(503, "{}")]).await;
    let written = at(&stub.origin, "CJTW").update(&rows).await.unwrap();
    assert_eq!(written[0], Ok("1".to_owned()));
    assert!(matches!(&written[1], Err(refusal) if refusal.may_repeat && !refusal.is_gone), "{written:?}");
}

#[tokio::test]
async fn a_call_is_written_once_though_its_answer_was_lost() {
    let account = Account::new(CrmKind::Hubspot, "sandbox-once", at).await;
    let ids = account.ids();
    account.book(|book| book.faults.lost_answers = 1);
    let lost = account.crm.write_call(&call(&ids[0], KEY)).await.unwrap_err();
    assert!(lost.outcome_unknown(), "{lost}");
    let id = account.crm.write_call(&call(&ids[0], KEY)).await.unwrap().unwrap();
    assert_eq!(account.crm.write_call(&call(&ids[0], KEY)).await.unwrap(), Ok(id.clone()));
    let calls = account.book(|book| book.calls());
    assert_eq!((calls.len(), calls[0].id.clone(), calls[0].contacts.clone()), (1, id, vec![ids[0].clone()]));
    let body = &calls[0].properties["hs_call_body"];
    assert!(
        body.starts_with("Booked &lt;b&gt;Monday&lt;/b&gt;<br>https://patchbay.test/calls/1?a=1&amp;b=2<br>Ref. "),
        "{body}"
    );
    assert_eq!(calls[0].properties["hs_call_duration"], "184000");

    // A contact that is gone, and one that was merged away.
    account.book(|book| {
        book.remove(&ids[1]);
        book.merge(&ids[3], &ids[2]);
    });
    let gone = account.crm.write_call(&call(&ids[1], "00000001-gone")).await.unwrap().unwrap_err();
    assert!(gone.is_gone && !gone.may_repeat, "{gone:?}");
    assert!(account.crm.write_call(&call(&ids[2], "00000002-merged")).await.unwrap().is_ok());
    assert_eq!(account.book(|book| book.calls())[1].contacts, [ids[3].clone()]);

    let task = task(&ids[0], "00000003-task");
    let made = account.crm.write_task(&task).await.unwrap().unwrap();
    assert_eq!(account.crm.write_task(&task).await.unwrap(), Ok(made));
    assert_eq!(account.book(|book| book.tasks().len()), 1);
    // Odd values lose no more than themselves, and a token that ends is told as such.
    account.book(|book| book.faults.odd_values = true);
    let page = account.crm.page(CrmObject::Contact, &names(&["city"]), None, None, 1).await.unwrap();
    assert_eq!(page.records[0].properties.get("city").map(String::as_str), Some("Ber\u{fffd}lin;7"));
    account.book(|book| book.faults.revoke_after = Some(0));
    assert_eq!(account.crm.account().await.unwrap_err().kind, Kind::Credentials);
}
