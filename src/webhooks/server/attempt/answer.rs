//! What a receiver's answer means, and what is kept of it.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Attempt;
use patchbay_providers::outside::{OutsideAnswer, OutsideTrouble};

/// What a try has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Delivered,
    /// 410: the receiver wants nothing any more.
    Gone,
    /// `wait`: the seconds that the receiver asks for.
    Failed {
        wait: Option<u64>,
    },
}

/// Headers that are kept, and the characters of each.
const MOST_HEADERS: usize = 50;
const LONGEST_HEADER: usize = 500;

/// Reads the answer, or why there is none, and puts it into the attempt.
pub(super) fn read(answered: Result<OutsideAnswer, OutsideTrouble>, attempt: &mut Attempt) -> Verdict {
    let answer = match answered {
        Ok(answer) => answer,
        Err(trouble) => {
            attempt.error = Some(in_words(&trouble));
            return Verdict::Failed { wait: None };
        }
    };
    attempt.status = Some(i32::from(answer.status));
    attempt.remote.clone_from(&answer.remote);
    attempt.response_headers = Some(json!(kept(&answer)));
    attempt.response_body = Some(plain(&String::from_utf8_lossy(&answer.body), usize::MAX));
    let status = answer.status;
    let verdict = match status {
        200..300 => return Verdict::Delivered,
        410 => Verdict::Gone,
        429 | 500..600 => Verdict::Failed { wait: wait_asked_for(&answer, Utc::now()) },
        _ => Verdict::Failed { wait: None },
    };
    attempt.error = Some(match status {
        300..=399 => {
            let to = answer.redirect().and_then(|to| to.split('?').next()).unwrap_or("another address");
            format!(
                "It points to {}, which is not followed. Set the endpoint to the address that takes events.",
                plain(to, 200)
            )
        }
        401 | 403 => format!("It refused with {status}. The receiver may check the signature with another secret."),
        404 => "It answered 404: nothing takes events at this address.".to_owned(),
        410 => "It answered 410: it wants no more events.".to_owned(),
        429 => "It answered 429: too many at once.".to_owned(),
        _ => format!("It answered {status}."),
    });
    verdict
}

fn in_words(trouble: &OutsideTrouble) -> String {
    match trouble {
        OutsideTrouble::Refused(why) => format!("The address was not asked: {why}."),
        OutsideTrouble::Timeout => format!("No whole answer within {} seconds.", super::LIMIT.as_secs()),
        OutsideTrouble::Unreachable(why) => format!("No connection: {}.", plain(why, 200).trim_end_matches('.')),
        OutsideTrouble::Broken(why) => format!("The connection broke: {}.", plain(why, 200).trim_end_matches('.')),
    }
}

/// Headers of the answer, without what is a secret of the receiver's own.
fn kept(answer: &OutsideAnswer) -> Vec<(String, String)> {
    let hidden = |name: &str| name.eq_ignore_ascii_case("set-cookie") || name.to_ascii_lowercase().contains("auth");
    let all = answer.headers.iter().take(MOST_HEADERS);
    all.map(|(name, value)| {
        let value = if hidden(name) { "•••".to_owned() } else { plain(value, LONGEST_HEADER) };
        (plain(name, 100), value)
    })
    .collect()
}

/// Text with signs for characters that are none to read, so much at most.
fn plain(text: &str, most: usize) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    text.chars().take(most).map(shown).collect()
}

/// Seconds, or a moment as HTTP writes it.
fn wait_asked_for(answer: &OutsideAnswer, now: DateTime<Utc>) -> Option<u64> {
    answer.retry_after().or_else(|| {
        let at = DateTime::parse_from_rfc2822(answer.header("retry-after")?.trim()).ok()?;
        u64::try_from((at.to_utc() - now).num_seconds()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> OutsideAnswer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        OutsideAnswer {
            status,
            content_type: String::new(),
            headers,
            body: body.to_vec(),
            is_cut: false,
            remote: Some("203.0.113.7:443".to_owned()),
        }
    }

    fn told(answer: OutsideAnswer) -> (Verdict, Attempt) {
        let mut attempt = super::super::attempt(&[], "");
        (read(Ok(answer), &mut attempt), attempt)
    }

    #[test]
    fn only_two_hundreds_are_success() {
        let failed = Verdict::Failed { wait: None };
        for (status, verdict) in [
            (200, Verdict::Delivered),
            (204, Verdict::Delivered),
            (301, failed),
            (302, failed),
            (400, failed),
            (401, failed),
            (410, Verdict::Gone),
            (500, failed),
        ] {
            let (found, attempt) = told(answer(status, &[], b""));
            assert_eq!(found, verdict, "{status}");
            assert_eq!(attempt.error.is_none(), verdict == Verdict::Delivered, "{status}: {:?}", attempt.error);
        }
        let (_, attempt) = told(answer(302, &[("location", "https://10.0.0.1/a?token=t")], b""));
        assert!(
            attempt.error.as_deref().is_some_and(|why| why.contains("https://10.0.0.1/a,") && !why.contains("token"))
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_moment() {
        let now = DateTime::parse_from_rfc3339("2026-11-29T12:00:00Z").expect("a moment").to_utc();
        let wait = |value: &str| wait_asked_for(&answer(429, &[("Retry-After", value)], b""), now);
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Sun, 29 Nov 2026 12:02:00 GMT"), Some(120));
        assert_eq!(wait("Sun, 29 Nov 2026 11:00:00 GMT"), None, "over");
        assert_eq!((wait("-5"), wait("soon"), wait("")), (None, None, None));
    }

    #[test]
    fn what_is_kept_can_be_read() {
        let headers = [("set-cookie", "session=canary"), ("x-note", "a\u{7f}b")];
        let (_, attempt) = told(answer(500, &headers, b"\0<b>\x1b[31mno\xff</b>\n"));
        assert_eq!(attempt.response_body.as_deref(), Some("\u{fffd}<b>\u{fffd}[31mno\u{fffd}</b>\n"));
        let kept = attempt.response_headers.expect("headers").to_string();
        assert!(!kept.contains("canary") && !kept.contains('\u{7f}'), "{kept}");
    }
}
