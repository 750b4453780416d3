//! What HubSpot tells by itself: which records changed, not how. They come in any order, and more than once.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::crm::CrmObject;
use crate::crm_wire::id_of;

/// The most that one request may hold. HubSpot says a hundred.
const MOST: usize = 1_000;
/// Records of one merge.
const MOST_MERGED: usize = 100;

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is new, changed, came back or lives on as another: reading it tells which.
    Changed,
    Removed,
    /// It was removed for good, because the person asked for it.
    Erased,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubSpotNotice {
    /// The same when the event comes again: HubSpot's ids of event and subscription, and its time.
    pub key: String,
    /// The account that it happened in.
    pub portal: String,
    /// None: a kind of record or event that is not read.
    pub about: Option<(CrmObject, Told)>,
    /// The record; after a merge all that took part.
    pub ids: Vec<String>,
    pub at: DateTime<Utc>,
}

/// The events of a request. None: it is none of HubSpot's.
pub fn read_notices(body: &[u8]) -> Option<Vec<HubSpotNotice>> {
    let document = crate::json::read(body).ok()?;
    let all = document.as_array().filter(|all| all.len() <= MOST)?;
    all.iter().map(notice).collect()
}

fn notice(value: &Value) -> Option<HubSpotNotice> {
    let number = |name: &str| id_of(&value[name]);
    let (event, portal) = (number("eventId")?, number("portalId")?);
    let subscription = number("subscriptionId").unwrap_or_default();
    let at = number("occurredAt").and_then(|ms| DateTime::from_timestamp_millis(ms.parse().ok()?))?;
    let kind = value["subscriptionType"].as_str()?;
    let (object, what) = kind.split_once('.')?;
    let object = match (object, value["objectTypeId"].as_str()) {
        ("contact", _) | ("object", Some("0-1")) => Some(CrmObject::Contact),
        ("deal", _) | ("object", Some("0-3")) => Some(CrmObject::Deal),
        _ => None,
    };
    let told = match what {
        "creation" | "propertyChange" | "merge" | "restore" => Some(Told::Changed),
        "deletion" => Some(Told::Removed),
        "privacyDeletion" => Some(Told::Erased),
        _ => None,
    };
    let mut ids: Vec<String> = ["objectId", "primaryObjectId", "newObjectId"].into_iter().filter_map(number).collect();
    let merged = value["mergedObjectIds"].as_array().map(Vec::as_slice).unwrap_or_default();
    ids.extend(merged.iter().take(MOST_MERGED).filter_map(id_of));
    ids.sort();
    ids.dedup();
    let about = object.zip(told).filter(|_| !ids.is_empty());
    let key = format!("{event}:{subscription}:{}", at.timestamp_millis());
    Some(HubSpotNotice { key, portal, about, ids, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Option<Vec<HubSpotNotice>> {
        read_notices(value.to_string().as_bytes())
    }

    fn event(kind: &str) -> Value {
        json!({"eventId": 1001, "subscriptionId": 22, "portalId": 62515, "appId": 54321, "occurredAt": 1_772_460_445_999_i64,
            "subscriptionType": kind, "attemptNumber": 0, "objectId": 123})
    }

    #[test]
    fn events_say_what_is_to_be_read() {
        let about = |value: Value| read(json!([value])).expect("an event")[0].about;
        assert_eq!(about(event("contact.propertyChange")), Some((CrmObject::Contact, Told::Changed)));
        assert_eq!(about(event("contact.privacyDeletion")), Some((CrmObject::Contact, Told::Erased)));
        assert_eq!(about(event("deal.deletion")), Some((CrmObject::Deal, Told::Removed)));
        assert_eq!(about(event("company.creation")), None);
        let mut generic = event("object.creation");
        generic["objectTypeId"] = json!("0-1");
        assert_eq!(about(generic), Some((CrmObject::Contact, Told::Changed)));
        let mut merge = event("contact.merge");
        (merge["primaryObjectId"], merge["newObjectId"]) = (json!(123), json!("126"));
        merge["mergedObjectIds"] = json!([123, 125, "../x", null]);
        let read = &read(json!([merge])).expect("an event")[0];
        assert_eq!(read.ids, ["123", "125", "126"]);
        assert_eq!((read.key.as_str(), read.portal.as_str()), ("1001:22:1772460445999", "62515"));
    }

    #[test]
    fn what_is_odd_is_none_of_hubspots() {
        for odd in
            [json!({}), json!("x"), json!([1]), json!([{"eventId": 1}]), json!(vec![event("contact.merge"); 1_001])]
        {
            assert_eq!(read(odd), None);
        }
        assert_eq!(read(json!([])), Some(Vec::new()));
        let mut odd = event("contact.creation");
        odd["objectId"] = json!({"odd": "\u{0}"});
        assert_eq!(read(json!([odd])).expect("an event")[0].about, None, "without an id there is nothing to read");
        let mut odd = event("contact.creation");
        odd["occurredAt"] = json!(u64::MAX);
        assert_eq!(read(json!([odd])), None);
    }
}
