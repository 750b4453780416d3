//! Lists, and searches that go on beyond what one search gives.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{HubSpot, MOST, changed, garbage, path, reading, wanted};
use crate::crm::{CrmObject, CrmPage, CrmRecord};
use crate::crm_wire::{id_of, is_id};
use crate::error::{Kind, ProviderError};
use crate::http::Ask;

/// The most records of a page of a search.
const MOST_FOUND: u16 = 200;

/// Where a search goes on. It never counts how many there were: a record that changes meanwhile moves to the end, and the others would
/// move up past the reader. A search of HubSpot's ends after ten thousand, too.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cursor {
    /// Changed at this millisecond or later; this one was the last of the page before.
    From { ms: i64, read: String },
    /// Changed in this millisecond, with an id above this one: more than a page changed at once.
    At { ms: i64, above: String },
}

impl Cursor {
    fn read(text: &str) -> Option<Cursor> {
        let mut parts = text.split(':');
        let (form, ms, id) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let id = Some(id.to_owned()).filter(|id| is_id(id) && parts.next().is_none())?;
        match form {
            "from" => Some(Cursor::From { ms, read: id }),
            "at" => Some(Cursor::At { ms, above: id }),
            _ => None,
        }
    }

    fn write(&self) -> String {
        match self {
            Cursor::From { ms, read } => format!("from:{ms}:{read}"),
            Cursor::At { ms, above } => format!("at:{ms}:{above}"),
        }
    }

    fn body(&self, object: CrmObject, properties: &[String], limit: u16) -> Value {
        let time = changed(object);
        let (filters, sort) = match self {
            Cursor::From { ms, .. } => {
                (json!([{"propertyName": time, "operator": "GTE", "value": ms.to_string()}]), time)
            }
            Cursor::At { ms, above } => (
                json!([
                    {"propertyName": time, "operator": "EQ", "value": ms.to_string()},
                    {"propertyName": "hs_object_id", "operator": "GT", "value": above},
                ]),
                "hs_object_id",
            ),
        };
        json!({
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": properties,
            "limit": limit,
        })
    }

    /// Where it goes on after a page whose last record is `last`. Errors: it would not get on.
    fn next(&self, is_more: bool, last: Option<(i64, &str)>) -> Result<Option<Cursor>, ProviderError> {
        Ok(match (self, is_more, last) {
            (Cursor::From { .. }, false, _) => None,
            // All of that moment are read.
            (Cursor::At { ms, .. }, false, _) => Some(Cursor::From { ms: ms + 1, read: "0".to_owned() }),
            (_, true, None) => return Err(garbage("An empty page names a next one")),
            (Cursor::From { ms, .. }, true, Some((last, id))) if last > *ms => {
                Some(Cursor::From { ms: last, read: id.to_owned() })
            }
            // Ids start anew: the order in which they came was none.
            (Cursor::From { ms, .. }, true, Some((last, _))) if last == *ms => {
                Some(Cursor::At { ms: *ms, above: "0".to_owned() })
            }
            (Cursor::At { ms, above }, true, Some((_, id))) if is_above(id, above) => {
                Some(Cursor::At { ms: *ms, above: id.to_owned() })
            }
            (_, true, Some(_)) => return Err(garbage("A page is not in the order that was asked for")),
        })
    }
}

fn is_above(id: &str, other: &str) -> bool {
    let number = |id: &str| id.parse::<u128>().unwrap_or(0);
    number(id) > number(other)
}

impl HubSpot {
    /// All records, in the order of their ids.
    pub(super) async fn list(
        &self,
        object: CrmObject,
        properties: &[String],
        next: Option<&str>,
        most: u16,
    ) -> Result<CrmPage, ProviderError> {
        let ask = Ask::get(&["crm", "v3", "objects", path(object)])
            .query("limit", most.clamp(1, MOST).to_string())
            .query("properties", wanted(object, properties).join(","))
            .query_some("associations", object.is_of_contacts().then_some("contacts"))
            .query_some("after", next);
        let document = self.client.ask(ask).await?;
        let records = records(object, &document)?;
        let on = reading::next(&document, next)?;
        let total = match (next, &on) {
            (None, None) => u64::try_from(records.len()).ok(),
            (None, Some(_)) => self.count(object).await,
            (Some(_), _) => None,
        };
        Ok(CrmPage { records, next: on, total })
    }

    /// How many there are: a list doesn't say. Nothing hangs on it, so trouble is no error.
    async fn count(&self, object: CrmObject) -> Option<u64> {
        let body = json!({"filterGroups": [], "properties": ["hs_object_id"], "limit": 1});
        self.client.ask(found(object, body)).await.ok()?["total"].as_u64()
    }

    /// What changed since.
    pub(super) async fn search(
        &self,
        object: CrmObject,
        properties: &[String],
        since: DateTime<Utc>,
        next: Option<&str>,
        most: u16,
    ) -> Result<CrmPage, ProviderError> {
        let cursor = match next {
            None => Cursor::From { ms: since.timestamp_millis(), read: "0".to_owned() },
            Some(text) => Cursor::read(text)
                .ok_or_else(|| ProviderError::new(super::NAME, Kind::Rejected, "The cursor of the page is none"))?,
        };
        // A page of one could never get beyond two that changed at once.
        let body = cursor.body(object, &wanted(object, properties), most.clamp(2, MOST_FOUND));
        let document = self.client.ask(found(object, body)).await?;
        let mut records = records(object, &document)?;
        let is_more = reading::next(&document, None)?.is_some();
        let last = records.last().and_then(|last| Some((last.changed_at?.timestamp_millis(), last.id.as_str())));
        let on = cursor.next(is_more, last)?.map(|next| next.write());
        if let Cursor::From { read, .. } = &cursor {
            records.retain(|record| record.id != *read);
        }
        if object.is_of_contacts() {
            self.add_contacts(object, &mut records).await?;
        }
        // What is left of a search that goes on is no total.
        let total = document["total"].as_u64().filter(|_| next.is_none());
        Ok(CrmPage { next: on, records, total })
    }

    /// A search says nothing of whom a deal or an activity belongs to.
    async fn add_contacts(&self, object: CrmObject, found: &mut [CrmRecord]) -> Result<(), ProviderError> {
        if found.is_empty() {
            return Ok(());
        }
        let inputs: Vec<Value> = found.iter().map(|record| json!({"id": record.id})).collect();
        let ways = ["crm", "v4", "associations", path(object), "contacts", "batch", "read"];
        let document = self.client.ask(Ask::post(&ways, json!({"inputs": inputs})).repeatable()).await?;
        let all = document["results"].as_array().ok_or_else(|| garbage("It listed no associations"))?;
        for one in all {
            let Some(from) = id_of(&one["from"]["id"]) else { continue };
            let Some(record) = found.iter_mut().find(|record| record.id == from) else { continue };
            let to = one["to"].as_array().map(Vec::as_slice).unwrap_or_default();
            record.contacts.extend(to.iter().filter_map(|one| id_of(&one["toObjectId"])));
            record.contacts.sort();
            record.contacts.dedup();
        }
        Ok(())
    }
}

/// A search: a POST that changes nothing.
pub(super) fn found(object: CrmObject, body: Value) -> Ask {
    Ask::post(&["crm", "v3", "objects", path(object), "search"], body).repeatable()
}

fn records(object: CrmObject, document: &Value) -> Result<Vec<CrmRecord>, ProviderError> {
    // Without a list it is not known that there is nothing.
    let all = document["results"].as_array().ok_or_else(|| garbage("It listed no records"))?;
    let live = all.iter().filter(|one| one["archived"] != json!(true));
    Ok(live.filter_map(|one| reading::record(object, one)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(ms: i64, read: &str) -> Cursor {
        Cursor::From { ms, read: read.to_owned() }
    }

    fn at(ms: i64, above: &str) -> Cursor {
        Cursor::At { ms, above: above.to_owned() }
    }

    #[test]
    fn a_cursor_survives_being_written() {
        for cursor in [from(1_772_460_000_000, "77"), at(1_772_460_000_000, "512")] {
            assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        }
        for odd in ["", "from:1", "from:a:1", "at:1:../x", "from:1:2:3", "on:1:5"] {
            assert_eq!(Cursor::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_search_gets_on_whatever_changed_at_once() {
        let next = |cursor: Cursor, is_more, last| cursor.next(is_more, last).ok();
        assert_eq!(next(from(5, "0"), true, Some((9, "7"))), Some(Some(from(9, "7"))));
        assert_eq!(next(from(5, "0"), false, Some((9, "7"))), Some(None));
        // More than a page changed in one millisecond: by their ids, then on from the next millisecond.
        assert_eq!(next(from(5, "0"), true, Some((5, "7"))), Some(Some(at(5, "0"))));
        assert_eq!(next(at(5, "0"), true, Some((5, "300"))), Some(Some(at(5, "300"))));
        assert_eq!(next(at(5, "300"), true, Some((5, "90000"))), Some(Some(at(5, "90000"))));
        assert_eq!(next(at(5, "90000"), false, None), Some(Some(from(6, "0"))));
        // What would never end ends.
        assert_eq!(next(at(5, "300"), true, Some((5, "300"))), None);
        assert_eq!(next(from(5, "0"), true, Some((4, "7"))), None);
        assert_eq!(next(from(5, "0"), true, None), None);
    }
}
