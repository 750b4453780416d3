//! Activities of both CRMs: exact requests, documented answers, and all of an account read to the end.

use chrono::Utc;
use patchbay_providers::crm::*;
use patchbay_providers::hubspot::HubSpot;
use patchbay_providers::zoho::Zoho;
use patchbay_providers::{Kind, Secret};
use patchbay_sandbox::CrmKind;
use serde_json::json;
use std::collections::BTreeSet;

use crate::provider_crm::*;
use crate::provider_stub::*;

fn hubspot(base: &str, token: &str) -> HubSpot {
    HubSpot::new(&client(), base, &Secret::from(token)).unwrap()
}

fn zoho(base: &str, token: &str) -> Zoho {
    Zoho::new(&client(), base, &Secret::from(token)).unwrap()
}

#[tokio::test]
async fn activities_are_asked_for_as_documented() {
    let note = json!({"id": "871", "properties": {"hs_note_body": "<p>Called</p>", "hs_timestamp": "2026-03-01T10:00:00.000Z",
        "hs_lastmodifieddate": "2026-03-02T10:00:00.000Z"}, "updatedAt": "2026-03-02T10:00:00.000Z", "archived": false,
        "associations": {"contacts": {"results": [{"id": "123", "type": "note_to_contact"}]}}});
    let linked = json!({"results": [{"from": {"id": "871"}, "to": [{"toObjectId": 123, "associationTypes": []}]}]});
    let pipelines =
        json!({"results": [{"label": "Sales", "id": "default", "stages": [{"label": "Won", "id": "closedwon"}]}]});
    let all = json!({ "results": [note] });
    let stub = Stub::playing([ok(all.clone()), ok(all), ok(linked), ok(pipelines), ok(json!({"odd": 1}))]).await;
    let crm = hubspot(&stub.origin, "CJTW");
    for since in [None, Some(since(1_772_460_000_000))] {
        let page = crm.activities(CrmActivityKind::Note, since, None, 100).await.unwrap();
        assert_eq!(
            (page.activities[0].text.as_str(), page.activities[0].contacts.clone()),
            ("Called", names(&["123"]))
        );
        assert_eq!(page.next, None);
    }
    assert_eq!(crm.stages().await.unwrap(), [("closedwon".to_owned(), "Won".to_owned())]);
    assert_eq!(crm.stages().await.unwrap_err().kind, Kind::Garbage);
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "GET /crm/v3/objects/notes");
    let query = seen[0].query();
    assert!(query.contains(&("associations", "contacts")), "{query:?}");
    let properties = "hs_lastmodifieddate,hs_merged_object_ids,hs_note_body,hs_timestamp";
    assert!(query.contains(&("properties", properties)), "{query:?}");
    assert_eq!(seen[1].line(), "POST /crm/v3/objects/notes/search");
    assert_eq!(seen[1].json()["filterGroups"][0]["filters"][0]["propertyName"], "hs_lastmodifieddate");
    assert_eq!(seen[2].line(), "POST /crm/v4/associations/notes/contacts/batch/read");
    assert_eq!(seen[3].line(), "GET /crm/v3/pipelines/deals");

    let listed = json!({"data": [{"id": "77", "Note_Content": "Called", "Parent_Id": {"name": "Ada", "id": "9"},
        "Modified_Time": "2026-03-02T10:00:00+01:00", "Created_Time": "2026-03-02T10:00:00+01:00"}], "info": {"more_records": false}});
    let stub = Stub::playing([ok(listed), Answer::new(304, "")]).await;
    let crm = zoho(&stub.origin, "1000.8cb9");
    let page = crm.activities(CrmActivityKind::Note, Some(since(1_772_460_000_000)), None, 200).await.unwrap();
    assert_eq!(page.activities[0].contacts, names(&["9"]));
    assert_eq!(crm.activities(CrmActivityKind::Meeting, None, None, 200).await.unwrap(), CrmActivityPage::default());
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "GET /crm/v8/Notes");
    assert_eq!(seen[0].query()[0].1, "Modified_Time,Parent_Id,Note_Title,Note_Content,Created_Time");
    assert!(seen[0].header("if-modified-since").is_some());
    assert_eq!(seen[1].line(), "GET /crm/v8/Events");
}

/// All of every kind, page by page; then only what changed; then what went away.
async fn read_to_the_end<C: Crm>(account: Account<C>, text: &str, stage: (&str, &str)) {
    let person = account.ids()[0].clone();
    for kind in CrmActivityKind::ALL {
        let (mut seen, mut next, mut pages) = (BTreeSet::new(), None, 0);
        loop {
            let page = account.crm.activities(kind, None, next.as_deref(), 50).await.unwrap();
            assert!(page.activities.iter().all(|one| one.contacts.len() == 1 && one.at.is_some() && one.key.is_none()));
            assert!(page.activities.iter().all(|one| !one.title.is_empty() || !one.text.is_empty()), "{page:?}");
            seen.extend(page.activities.into_iter().map(|one| one.id));
            pages += 1;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert!(seen.len() >= 20 && (pages > 1 || kind != CrmActivityKind::Note), "{kind:?}: {}", seen.len());
        let before = Utc::now() - chrono::Duration::seconds(2);
        let new = account.book(|book| book.add_activity(kind.as_str(), &person, &[(text, "New")]));
        let changed = account.crm.activities(kind, Some(before), None, 50).await.unwrap();
        let ids: Vec<&str> = changed.activities.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((ids, changed.activities[0].contacts.clone()), (vec![new.as_str()], vec![person.clone()]));
        account.book(|book| book.remove(&new));
        let (gone, _) = account.crm.removed(CrmObject::Activity(kind), Some(before), None).await.unwrap();
        assert_eq!(gone.into_iter().map(|one| one.id).collect::<Vec<_>>(), [new]);
    }
    let stages = account.crm.stages().await.unwrap();
    assert!(stages.contains(&(stage.0.to_owned(), stage.1.to_owned())), "{stages:?}");
}

#[tokio::test]
async fn all_activities_are_read_and_afterwards_what_changed() {
    let account = Account::new(CrmKind::Hubspot, "sandbox-activities", hubspot).await;
    read_to_the_end(account, "hs_note_body", ("contractsent", "Contract sent")).await;
    let account = Account::new(CrmKind::Zoho, "sandbox-activities", zoho).await;
    read_to_the_end(account, "Description", ("Closed Won", "Closed Won")).await;
}
