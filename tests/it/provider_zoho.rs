//! Zoho CRM: exact requests, documented answers, and what is reported of it in the field.

use chrono::{DateTime, Utc};
use patchbay_providers::crm::*;
use patchbay_providers::zoho::Zoho;
use patchbay_providers::{Kind, Secret};
use patchbay_sandbox::CrmKind;
use serde_json::json;
use std::collections::BTreeSet;

use crate::provider_crm::*;
use crate::provider_stub::*;

fn at(base: &str, token: &str) -> Zoho {
    Zoho::new(&client(), base, &Secret::from(token)).unwrap()
}

#[tokio::test]
async fn a_list_is_sent_and_read_as_documented() {
    let listed = json!({"data": [{"id": "3652397000000649013", "First_Name": "Ada", "Last_Name": "Lovelace", "Email": "ada@example.test",
        "Phone": "+13125550111", "Modified_Time": "2026-03-02T10:00:00+01:00", "Account_Name": {"name": "ACME", "id": "3652397000000624046"}}],
        "info": {"per_page": 200, "count": 1, "page": 1, "sort_by": "id", "sort_order": "desc", "more_records": true, "next_page_token": "c8582xx"}});
    let stub = Stub::playing([ok(listed).header("x-api-credits-remaining", "24000"), Answer::new(304, "")]).await;
    let crm = at(&stub.origin, "1000.8cb9");
    let since = DateTime::parse_from_rfc3339("2026-03-01T10:00:00.750Z").unwrap().with_timezone(&Utc);
    let page = crm.page(CrmObject::Contact, &names(&["Email"]), Some(since), None, 200).await.unwrap();
    assert_eq!(page.records[0].id, "3652397000000649013");
    assert_eq!(page.records[0].properties.get("Account_Name").map(String::as_str), Some("ACME"));
    let next = page.next.expect("there is more");
    assert_eq!(crm.limit().and_then(|limit| limit.daily_left), Some(24_000));
    // Nothing more has changed: an answer without a body.
    let page = crm.page(CrmObject::Contact, &names(&["Email"]), Some(since), Some(&next), 200).await.unwrap();
    assert_eq!(page, CrmPage::default());
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "GET /crm/v8/Contacts");
    assert_eq!(seen[0].header("authorization"), Some("Zoho-oauthtoken 1000.8cb9"));
    assert_eq!(seen[0].header("if-modified-since"), Some("2026-03-01T10:00:00+00:00"));
    let wanted = [
        ("fields", "Modified_Time,Email"),
        ("sort_by", "id"),
        ("sort_order", "asc"),
        ("per_page", "200"),
        ("page", "1"),
    ];
    assert_eq!(seen[0].query(), wanted);

    let cases = [
        (
            Answer::json(
                401,
                r#"{"code":"INVALID_TOKEN","details":{},"message":"invalid oauth token","status":"error"}"#,
            ),
            Kind::Credentials,
        ),
        (Answer::json(429, r#"{"code":"TOO_MANY_REQUESTS","message":"too many","status":"error"}"#), Kind::RateLimited),
        (
            Answer::json(400, r#"{"data":[{"code":"INTERNAL_ERROR","message":"x","status":"error"}]}"#),
            Kind::Unavailable,
        ),
        (Answer::new(200, "<html>"), Kind::Garbage),
        (ok(json!({"data": [], "info": {"more_records": true}})), Kind::Garbage),
    ];
    for (answer, kind) in cases {
        let stub = Stub::playing([answer]).await;
        let error = at(&stub.origin, "1000.8cb9").page(CrmObject::Contact, &[], None, None, 100).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
    // A good token that may not do this looks like one that is good no more: asking for a new one would end the sign-in.
    let mismatch = r#"{"code":"OAUTH_SCOPE_MISMATCH","details":{},"message":"invalid oauth scope","status":"error"}"#;
    let stub = Stub::playing([Answer::json(401, mismatch)]).await;
    let error = at(&stub.origin, "1000.8cb9").page(CrmObject::Contact, &[], None, None, 100).await.unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Credentials, Some(403)));
}

/// <https://github.com/airbytehq/airbyte/issues/30977>: page numbers reach two thousand records, and the rest was never read.
#[tokio::test]
async fn more_than_two_thousand_contacts_are_read_to_the_end() {
    let account = Account::new(CrmKind::Zoho, "sandbox-many", at).await;
    let before = Utc::now() - chrono::Duration::seconds(2);
    account.book(|book| {
        for at in 0..2_000 {
            book.add(&[("Last_Name", &format!("Person {at}"))]);
        }
    });
    let (all, count) = account.read(None, 200).await;
    assert_eq!((all.len(), count), (2_240, 2_240));
    let first = account.crm.page(CrmObject::Contact, &[], None, None, 200).await.unwrap();
    assert_eq!(first.total, Some(2_240));
    let (new, _) = account.read(Some(before), 200).await;
    assert_eq!(new.len(), 2_000);
    // A token that is good no more begins anew instead of ending the sync for good.
    let page = account.crm.page(CrmObject::Contact, &[], None, Some("token:0:old"), 200).await.unwrap();
    assert_eq!((page.records.len(), page.next.as_deref()), (200, Some("page:1:2")));
    account.book(|book| {
        book.faults.repeats_page = true;
        book.faults.removes_while_read = true;
    });
    let (left, _) = account.read(None, 100).await;
    let there: BTreeSet<String> = account.ids().into_iter().collect();
    // Whoever stands behind one that went away moves up; the next reading has them.
    assert!(there.difference(&left).count() <= 2, "{}", there.difference(&left).count());
    let (gone, _) = account.crm.removed(CrmObject::Contact, Some(before), None).await.unwrap();
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|one| one.at >= Some(before - chrono::Duration::seconds(1))), "{gone:?}");
}

#[tokio::test]
async fn rows_are_written_in_their_types_and_have_their_own_fates() {
    let account = Account::new(CrmKind::Zoho, "sandbox-rows", at).await;
    let ids = account.ids();
    account.book(|book| book.remove(&ids[2]));
    let row = |id: &str, all: &[(&str, &str)]| (id.to_owned(), values(all));
    let rows = [
        row(
            &ids[0],
            &[
                ("Do_Not_Call", "true"),
                ("Call_Score", "48"),
                ("Callback_At", "2026-11-23T10:00:00.000Z"),
                ("Interests", "Car;Life"),
            ],
        ),
        row(&ids[1], &[("Last_Call_Outcome", "Needs quote")]),
        row(&ids[2], &[("Mailing_City", "Bern")]),
        row("x", &[("Mailing_City", "Bern")]),
    ];
    let written = account.crm.update(&rows).await.unwrap();
    assert_eq!(written[0], Ok(ids[0].clone()), "{written:?}");
    assert!(
        matches!(&written[1], Err(refusal) if refusal.property.as_deref() == Some("Last_Call_Outcome") && refusal.message.contains("takes picklist")),
        "{written:?}"
    );
    assert!(matches!(&written[2], Err(refusal) if refusal.is_gone), "{written:?}");
    assert!(matches!(&written[3], Err(refusal) if !refusal.is_gone), "{written:?}");
    // All rows wrong is a refusal of the request: still each has its fate.
    let written = account.crm.update(&[row(&ids[1], &[("Call_Score", "many")])]).await.unwrap();
    assert!(
        matches!(&written[0], Err(refusal) if refusal.message == "invalid data: Call_Score takes integer"),
        "{written:?}"
    );
    let read =
        account.crm.get(CrmObject::Contact, &ids[0], &names(&["Do_Not_Call", "Interests"])).await.unwrap().unwrap();
    assert_eq!(read.properties.get("Do_Not_Call").map(String::as_str), Some("true"));
    assert_eq!(read.properties.get("Interests").map(String::as_str), Some("Car;Life"));
    assert_eq!(account.crm.get(CrmObject::Contact, &ids[2], &[]).await.unwrap(), None);

    let upsert = async |all: &[(&str, &str)]| account.crm.upsert(&values(all), &values(all)).await.unwrap();
    let found = upsert(&[("Email", "Hanna.Vogt@example.com"), ("Last_Name", "Vogt")]).await;
    assert_eq!(found, Ok(ids[0].clone()));
    let found = upsert(&[("Phone", "+1 312 555 0184")]).await;
    assert!(found.is_ok(), "{found:?}");
    assert_eq!(account.ids().len(), 239, "nobody was made");
    let nameless = upsert(&[("Phone", "+447700900123")]).await.unwrap_err();
    assert_eq!(nameless.property.as_deref(), Some("Last_Name"));
    // Of one that was there only what may be written is; two with the same address are nobody's.
    let new = values(&[("Email", "hanna.vogt@example.com"), ("Last_Name", "Other")]);
    for known in [values(&[("Mailing_City", "Ely")]), values(&[])] {
        assert_eq!(account.crm.upsert(&new, &known).await.unwrap(), Ok(ids[0].clone()));
    }
    let entry = account.book(|book| book.contacts().into_iter().find(|one| one.id == ids[0])).expect("it is there");
    assert_eq!((entry.properties["Last_Name"].as_str(), entry.properties["Mailing_City"].as_str()), ("Vogt", "Ely"));
    account.book(|book| book.change(&ids[1], &[("Email", "hanna.vogt@example.com")]));
    let refusal = upsert(&[("Email", "hanna.vogt@example.com"), ("Last_Name", "Vogt")]).await.unwrap_err();
    assert_eq!(refusal.message, "Several contacts in Zoho CRM have this e-mail address");
}

#[tokio::test]
async fn a_call_and_a_task_are_written_once() {
    let account = Account::new(CrmKind::Zoho, "sandbox-zoho-once", at).await;
    let ids = account.ids();
    account.book(|book| book.faults.lost_answers = 1);
    let lost = account.crm.write_call(&call(&ids[0], "00000001-once")).await.unwrap_err();
    assert!(lost.outcome_unknown(), "{lost}");
    let id = account.crm.write_call(&call(&ids[0], "00000001-once")).await.unwrap().unwrap();
    let calls = account.book(|book| book.calls());
    assert_eq!((calls.len(), calls[0].id.clone(), calls[0].contacts.clone()), (1, id, vec![ids[0].clone()]));
    assert_eq!(calls[0].properties["Call_Duration"], "03:04");
    account.book(|book| book.remove(&ids[1]));
    let gone = account.crm.write_call(&call(&ids[1], "00000002-gone")).await.unwrap().unwrap_err();
    assert!(gone.is_gone, "{gone:?}");
    let task = task(&ids[0], "00000003-task");
    let made = account.crm.write_task(&task).await.unwrap().unwrap();
    assert_eq!(account.crm.write_task(&task).await.unwrap(), Ok(made));
    let whose = account.crm.account().await.unwrap();
    assert_eq!((whose.name.as_str(), whose.user.as_str()), ("Cobalt Insurance", "r.kessler@cobalt.example"));
    let properties = account.crm.properties(CrmObject::Contact).await.unwrap();
    let outcome = properties.iter().find(|one| one.name == "Last_Call_Outcome").expect("it is listed");
    assert_eq!((outcome.kind, outcome.options.len()), ("list", 5));
    let deals = account.crm.page(CrmObject::Deal, &names(&["Deal_Name", "Amount"]), None, None, 200).await.unwrap();
    assert!(
        deals.records.len() == 60 && deals.records.iter().all(|deal| deal.contacts.len() == 1),
        "{}",
        deals.records.len()
    );
}
