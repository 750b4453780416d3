//! When calls were: weekdays and hours as offices keep them, more of them as the weeks go on.

use chrono::{DateTime, Datelike, Duration, NaiveDate, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::{PastOfAgent, Row};
use crate::rng::Rng;

/// Calls relative to an ordinary working day, Monday first.
const WEEK: [f64; 7] = [1.08, 1.14, 1.05, 1.0, 0.86, 0.28, 0.08];
/// Weights of the hours of a local day: calls out keep office hours, calls in begin earlier and go on into the evening.
const HOURS_OUT: [f64; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 2.0, 6.5, 9.5, 9.0, 4.0, 5.5, 8.5, 9.5, 8.0, 6.0, 3.0, 1.0, 0.0, 0.0, 0.0,
    0.0,
];
const HOURS_IN: [f64; 24] = [
    0.2, 0.1, 0.1, 0.1, 0.1, 0.3, 0.8, 2.5, 6.5, 8.0, 7.5, 6.5, 5.0, 5.5, 6.0, 6.0, 6.5, 6.0, 4.0, 2.5, 1.8, 1.2, 0.7,
    0.4,
];
/// A past call is over and billed: the last one began this long before the end.
const LONGEST: Duration = Duration::minutes(15);
/// How much busier the last day is than the first.
const GROWTH: [f64; 2] = [0.72, 1.12];

/// Adds the agent's calls.
pub(super) fn draw(agent: &PastOfAgent, place: u16, seed: u64, rows: &mut Vec<Row>) {
    for (index, at) in agent.exactly.iter().enumerate() {
        let id = Rng::new(seed, &format!("exactly:{}:{index}", agent.agent_id)).uuid();
        rows.push(Row { at: at.timestamp_micros(), id, agent: place });
    }
    let until = agent.until - LONGEST;
    if agent.calls_per_day <= 0.0 || until <= agent.from {
        return;
    }
    let zone: Tz = agent.timezone.parse().unwrap_or(Tz::UTC);
    let (first, last) = (day_of(agent.from, zone), day_of(until, zone));
    let days = (last - first).num_days().max(1) as f64;
    for (nth, day) in first.iter_days().take_while(|day| *day <= last).enumerate() {
        let mut rng = Rng::new(seed, &format!("day:{}:{day}", agent.agent_id));
        let growth = GROWTH[0] + (GROWTH[1] - GROWTH[0]) * (nth as f64 / days);
        let weekday = WEEK[day.weekday().num_days_from_monday() as usize];
        let wanted = agent.calls_per_day * weekday * growth * rng.between([0.82, 1.18]);
        let calls = wanted.floor() as usize + usize::from(rng.chance(wanted.fract()));
        for _ in 0..calls {
            let inbound = rng.chance(agent.inbound);
            let at = moment(day, if inbound { &HOURS_IN } else { &HOURS_OUT }, zone, &mut rng);
            // The direction is part of the id, so that it need not be kept.
            let id = super::telling::id_of(inbound, &mut rng);
            if let Some(at) = at.filter(|at| (agent.from..=until).contains(at)) {
                rows.push(Row { at: at.timestamp_micros(), id, agent: place });
            }
        }
    }
}

/// How many people ring the agent in an hour like this one.
pub(super) fn rings_per_hour(agent: &PastOfAgent, at: DateTime<Utc>) -> f64 {
    let local = at.with_timezone(&agent.timezone.parse().unwrap_or(Tz::UTC));
    let share = HOURS_IN[local.hour() as usize] / HOURS_IN.iter().sum::<f64>();
    agent.calls_per_day * agent.inbound * WEEK[local.weekday().num_days_from_monday() as usize] * share
}

fn day_of(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// None for an hour that the day does not have.
fn moment(day: NaiveDate, hours: &[f64; 24], zone: Tz, rng: &mut Rng) -> Option<DateTime<Utc>> {
    let weights: Vec<(u32, f64)> = (0..).zip(hours.iter().copied()).collect();
    let hour = rng.weighted(&weights);
    let (minute, second) = (rng.below(60) as u32, rng.below(60) as u32);
    let micro = rng.below(1_000_000) as u32;
    let local = day.and_hms_micro_opt(hour, minute, second, micro)?;
    Some(zone.from_local_datetime(&local).earliest()?.with_timezone(&Utc))
}
