//! How long a service asks us to wait.

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use std::time::Duration;

/// No service is obeyed for longer than this.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Reads `Retry-After` (seconds or an HTTP date), else `x-ratelimit-reset` when nothing remains
/// (seconds to go, or a Unix time in seconds or milliseconds).
pub fn wait_asked_for(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let seconds = match text("retry-after") {
        Some(value) => match value.parse::<f64>() {
            Ok(seconds) => Some(seconds),
            Err(_) => DateTime::parse_from_rfc2822(value).ok().map(|at| until(at.timestamp_millis() as f64, now)),
        },
        None => None,
    };
    let seconds = seconds.or_else(|| {
        let value = text("x-ratelimit-reset")?.parse::<f64>().ok()?;
        Some(match value {
            ms if ms >= 1e11 => until(ms, now),
            s if s >= 1e9 => until(s * 1000.0, now),
            s => s,
        })
    })?;
    if !seconds.is_finite() {
        return None;
    }
    Some(Duration::from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64())))
}

fn until(unix_ms: f64, now: DateTime<Utc>) -> f64 {
    (unix_ms - now.timestamp_millis() as f64) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(name: &'static str, value: &str) -> Option<u64> {
        let now = DateTime::parse_from_rfc3339("2026-03-02T14:00:00Z").unwrap().with_timezone(&Utc);
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        wait_asked_for(&headers, now).map(|w| w.as_secs())
    }

    #[test]
    fn every_form_of_waiting() {
        assert_eq!(wait("retry-after", "7"), Some(7));
        assert_eq!(wait("retry-after", "Mon, 02 Mar 2026 14:00:30 GMT"), Some(30));
        assert_eq!(wait("retry-after", "Mon, 02 Mar 2026 13:00:00 GMT"), Some(0), "a past date means now");
        assert_eq!(wait("retry-after", "99999999999"), Some(24 * 3600), "nobody is obeyed for years");
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("retry-after", "NaN"), None);
        assert_eq!(wait("x-ratelimit-reset", "12"), Some(12));
        assert_eq!(wait("x-ratelimit-reset", "1772460010"), Some(10));
        assert_eq!(wait("x-ratelimit-reset", "1772460010000"), Some(10));
    }
}
