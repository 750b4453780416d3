//! When calling hours open: for one contact, which dialling goes by, and for all that wait, which pages show.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use crate::model::{Hours, Opening};
use patchbay_campaigns::CallingWindow;
use patchbay_dialling::server::contacts::Zones;
use patchbay_shared::zone;

/// The moment at which the window opens in the zone; none while it is open there.
/// `now` and the answer are the database's moments; `ahead`: how far the clock that hours of the day go by is before them.
pub(super) fn closed_until(
    zone_name: &str,
    window: &CallingWindow,
    now: DateTime<Utc>,
    ahead: TimeDelta,
) -> Option<DateTime<Utc>> {
    let local_zone = zone::zone(zone_name);
    let local = (now + ahead).with_timezone(&local_zone).naive_local();
    if window.is_open(local) {
        return None;
    }
    let opens = window.next_open(local);
    Some(zone::instant(opens.date(), opens.time(), local_zone) - ahead)
}

/// For whom the hours are closed now, soonest opening first. Zones that open at the same moment are one entry.
pub(super) fn closed(zones: &Zones, window: &CallingWindow, now: DateTime<Utc>, ahead: TimeDelta) -> Hours {
    let mut openings: BTreeMap<DateTime<Utc>, Vec<(&str, i64)>> = BTreeMap::new();
    for (name, contacts) in &zones.contacts {
        if let Some(at) = closed_until(name, window, now, ahead) {
            openings.entry(at).or_default().push((name, *contacts));
        }
    }
    let closed = openings.into_iter().filter_map(|(at, zones)| {
        let (name, _) = zones.iter().max_by_key(|(_, contacts)| *contacts)?;
        let contacts = zones.iter().map(|(_, contacts)| contacts).sum();
        let text = opening_text(at + ahead, now + ahead, name);
        Some(Opening { at: text, zone: name.replace('_', " "), other_zones: zones.len() as i64 - 1, contacts })
    });
    Hours {
        closed: closed.collect(),
        contacts: zones.contacts.iter().map(|(_, contacts)| contacts).sum(),
        more: zones.more,
    }
}

/// `today 15:00`, `Mon 09:00` in the coming six days, else `Mon 7 Dec, 09:00`: by the clock of the zone.
fn opening_text(at: DateTime<Utc>, now: DateTime<Utc>, zone_name: &str) -> String {
    let local_zone = zone::zone(zone_name);
    let (at, today) = (at.with_timezone(&local_zone), now.with_timezone(&local_zone).date_naive());
    match at.date_naive().num_days_from_ce() - today.num_days_from_ce() {
        0 => at.format("today %H:%M").to_string(),
        1..6 => at.format("%a %H:%M").to_string(),
        _ => at.format("%a %-d %b, %H:%M").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_for_whom_the_hours_open_when() {
        // A Saturday, 18:00 in Zürich and noon in New York.
        let now: DateTime<Utc> = "2026-11-28T17:00:00Z".parse().unwrap();
        let zones = |list: &[(&str, i64)]| Zones {
            contacts: list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            more: false,
        };
        let window = CallingWindow::default();
        let text = |list| closed(&zones(list), &window, now, TimeDelta::zero()).text();
        let weekdays = text(&[("Europe/Zurich", 5), ("Europe/Berlin", 2)]);
        assert_eq!(weekdays.as_deref(), Some("Opens Mon 09:00 for 7 of 7 contacts (Europe/Zurich and 1 more zone)."));
        let two = text(&[("Europe/Zurich", 1), ("America/New_York", 3)]);
        assert_eq!(
            two.as_deref(),
            Some(
                "Opens Mon 09:00 for 1 of 4 contacts (Europe/Zurich), Mon 09:00 for 3 of 4 contacts (America/New York)."
            )
        );
        let saturday = CallingWindow { days: vec![6], ..window };
        let open = closed(&zones(&[("America/New_York", 3)]), &saturday, now, TimeDelta::zero());
        assert_eq!((open.text(), open.waiting_text()), (None, None));
        let some = closed(&zones(&[("America/New_York", 3), ("Asia/Tokyo", 2)]), &saturday, now, TimeDelta::zero());
        assert_eq!(
            some.waiting_text().as_deref(),
            Some("Calling hours open Sat 5 Dec, 09:00 (Asia/Tokyo) for 2 contacts.")
        );
        let tomorrow = CallingWindow { days: vec![7, 1], ..saturday };
        let all = closed(&zones(&[("America/New_York", 1)]), &tomorrow, now, TimeDelta::zero());
        assert_eq!(
            all.waiting_text().as_deref(),
            Some("Waiting: calling hours open Sun 09:00 (America/New York) for 1 contact.")
        );
    }
}
