//! The words that figures are counted in, each with what it means. `docs/GLOSSARY.md` says the same at more length, and a test
//! compares the two. What a row counts as is decided by the generated columns of `migrations/0024_results.sql` alone.

use super::ContactOutcome;
use patchbay_shared::decimals::fixed;

patchbay_shared::words! {
    /// What an ended call came to: the column `calls.result`.
    pub CallResult: "text" {
        Answered = "answered", "Answered", Ok;
        Voicemail = "voicemail", "Voicemail", Info;
        NoAnswer = "no_answer", "No answer", Mute;
        Busy = "busy", "Busy", Mute;
        /// The ring was refused. Somebody who picked up and refused said no.
        Declined = "declined", "Declined", Mute;
        Failed = "failed", "Failed", Bad;
    }
    /// What calls can be narrowed to: one result, or several of them.
    pub ResultFilter: "text" {
        Ended = "ended", "Ended", Mute;
        Answered = "answered", "Answered", Ok;
        NotReached = "not_reached", "Not reached", Mute;
        Voicemail = "voicemail", "Voicemail", Info;
        NoAnswer = "no_answer", "No answer", Mute;
        Busy = "busy", "Busy", Mute;
        Declined = "declined", "Declined", Mute;
        Failed = "failed", "Failed", Bad;
    }
    /// What a contact of a campaign came to: the column `campaign_contacts.result`. `done` is all three.
    pub ContactResult: "text" {
        Reached = "reached", "Reached", Ok;
        NotReached = "not_reached", "Not reached", Mute;
        Failed = "failed", "Failed", Bad;
    }
    /// What came of a call for the person who was called. The stored outcome has one word for a refused ring and for a refusal on
    /// the line; these are two.
    pub Disposition: "text" {
        Talked = "talked", "Answered", Ok;
        CallBack = "call_back", "Call back", Info;
        SaidNo = "said_no", "Said no", Warn;
        Voicemail = "voicemail", "Voicemail", Info;
        NoAnswer = "no_answer", "No answer", Mute;
        Busy = "busy", "Busy", Mute;
        Declined = "declined", "Declined", Mute;
    }
}

impl CallResult {
    /// Hover text.
    pub fn means(self) -> &'static str {
        match self {
            Self::Answered => term::ANSWERED.means,
            Self::Voicemail => term::VOICEMAIL.means,
            Self::NoAnswer => term::NO_ANSWER.means,
            Self::Busy => term::BUSY.means,
            Self::Declined => term::DECLINED.means,
            Self::Failed => term::FAILED.means,
        }
    }
}

impl ResultFilter {
    /// The results that it lets through; empty: every one.
    pub fn results(self) -> Vec<CallResult> {
        use CallResult::*;
        match self {
            Self::Ended => Vec::new(),
            Self::Answered => vec![Answered],
            Self::NotReached => vec![Voicemail, NoAnswer, Busy, CallResult::Declined],
            Self::Voicemail => vec![Voicemail],
            Self::NoAnswer => vec![NoAnswer],
            Self::Busy => vec![Busy],
            Self::Declined => vec![CallResult::Declined],
            Self::Failed => vec![Failed],
        }
    }
}

impl ContactResult {
    /// Hover text.
    pub fn means(self) -> &'static str {
        match self {
            Self::Reached => term::REACHED.means,
            Self::NotReached => term::CONTACTS_NOT_REACHED.means,
            Self::Failed => term::CONTACTS_FAILED.means,
        }
    }
}

impl Disposition {
    /// `answered`: a person was on the line.
    pub fn of(outcome: ContactOutcome, answered: bool) -> Self {
        match outcome {
            ContactOutcome::Answered => Self::Talked,
            ContactOutcome::CallbackScheduled => Self::CallBack,
            ContactOutcome::Declined if answered => Self::SaidNo,
            ContactOutcome::Declined => Self::Declined,
            ContactOutcome::Voicemail => Self::Voicemail,
            ContactOutcome::NoAnswer => Self::NoAnswer,
            ContactOutcome::Busy => Self::Busy,
        }
    }

    /// The stored outcome, and whether a person must have been on the line; none: it does not matter.
    pub fn stored(self) -> (ContactOutcome, Option<bool>) {
        match self {
            Self::Talked => (ContactOutcome::Answered, None),
            Self::CallBack => (ContactOutcome::CallbackScheduled, None),
            Self::SaidNo => (ContactOutcome::Declined, Some(true)),
            Self::Declined => (ContactOutcome::Declined, Some(false)),
            Self::Voicemail => (ContactOutcome::Voicemail, None),
            Self::NoAnswer => (ContactOutcome::NoAnswer, None),
            Self::Busy => (ContactOutcome::Busy, None),
        }
    }
}

/// A word that figures are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub label: &'static str,
    /// One sentence or two for hover and screen readers.
    pub means: &'static str,
}

/// Every word, in the order of the glossary.
pub mod term {
    use super::Term;

    macro_rules! terms {
        ($($name:ident = $label:literal, $means:literal;)+) => {
            $(#[doc = $means] pub const $name: Term = Term { label: $label, means: $means };)+
            /// All of them.
            pub const ALL: &[Term] = &[$($name),+];
        };
    }

    terms! {
        CALLS = "Calls", "Calls that started in the time, in and out, those that go on included. Each attempt is a call.";
        LIVE = "Live", "Calls that go on now: dialling, ringing, talking, or being checked with the voice service.";
        ENDED = "Ended", "Calls that are over: answered, not reached or failed.";
        ANSWERED = "Answered", "Calls that a person answered, also when the person said no or the line broke later.";
        ANSWER_RATE = "Answer rate", "Answered calls as a share of ended calls.";
        NOT_REACHED = "Not reached", "Ended calls in which no person was reached: no answer, busy, declined or voicemail.";
        NO_ANSWER = "No answer", "The phone rang and nobody picked up.";
        BUSY = "Busy", "The line was busy.";
        DECLINED = "Declined", "The other side refused the ring before anybody spoke. Somebody who picked up and refused said no.";
        VOICEMAIL = "Voicemail", "A machine answered.";
        FAILED = "Failed", "The call could not be made or was lost before anybody answered.";
        SAID_NO = "Said no", "A person answered and refused. The call counts as answered.";
        CALL_BACK = "Call back", "A person answered, and a call-back was scheduled. The call counts as answered.";
        GOALS = "Goals reached", "Answered calls in which the campaign's goal was reached, as the analysis read it.";
        GOAL_RATE = "Goal rate", "Goals reached as a share of answered calls.";
        MINUTES = "Minutes", "Minutes from the answer to the end of a call, machines included.";
        MEDIAN = "Median length", "Half of the answered calls were shorter, half longer.";
        SPEND = "Spend", "What calls cost: voice service, carrier and models. Calls that are not priced yet are not in it, nor are text messages and phone numbers.";
        UNPRICED = "Not priced yet", "Calls with talk that the voice service has not billed yet. Their cost is not known, which is not the same as zero.";
        COST_PER_GOAL = "Cost per goal", "Spend divided by the goals reached in the same time.";
        CHARACTERS = "Characters", "Characters that agents said, as the transcripts have them.";
        TEXTS = "Text messages", "Messages that a carrier took from us, by when it did, and what they cost. They count in a client’s budget, and are no part of the spend.";
        NUMBERS = "Phone numbers", "What the carrier charges for numbers by calendar month (UTC). The first month counts from the day of purchase; later months count in full, also the month of release.";
        CONTACTS = "Contacts", "People of a campaign. Each counts once, however often they are called.";
        REACHED = "Reached", "Contacts whose last call a person answered.";
        CONTACTS_NOT_REACHED = "Not reached", "Contacts who were called as often as the campaign allows without a person answering.";
        CONTACTS_FAILED = "Failed", "Contacts who could not be called. The reason stands beside each.";
        DONE = "Done", "Contacts who are reached, not reached or failed: they are not called again.";
        WAITING = "Waiting", "Contacts whose turn is still to come.";
        TRY_AGAIN = "To try again", "Waiting contacts who have been called before.";
        ON_THE_LINE = "On the line", "Contacts who are being called now.";
    }
}

/// A share in percent with one decimal: `47.1%`; a dash when there is nothing to share.
pub fn share_text(part: i64, whole: i64) -> String {
    if whole > 0 { format!("{}%", fixed(part as f64 * 100.0 / whole as f64, 1)) } else { "–".to_owned() }
}

/// Between which shares the true one lies with 95 % certainty, after Wilson, which holds for few calls and for shares near none and all.
/// In percent. None: there is nothing to share.
fn wilson(part: i64, whole: i64) -> Option<(f64, f64)> {
    /// How many standard deviations hold 95 % of a normal distribution.
    const Z: f64 = 1.959_964;
    let n = whole as f64;
    (whole > 0).then(|| {
        let share = part as f64 / n;
        let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let reach = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / (1.0 + Z * Z / n);
        ((middle - reach).max(0.0) * 100.0, (middle + reach).min(1.0) * 100.0)
    })
}

/// The interval of a share, `43.2–48.0%`; a dash when there is nothing to share.
pub fn interval_text(part: i64, whole: i64) -> String {
    let text = |(low, high): (f64, f64)| format!("{}–{}%", fixed(low, 1), fixed(high, 1));
    wilson(part, whole).map_or_else(|| "–".to_owned(), text)
}

/// The remark beside a sum of money that leaves calls out; none when there are none.
pub fn unpriced_text(calls: i64) -> Option<String> {
    match calls {
        0 => None,
        1 => Some("1 call is not priced yet".to_owned()),
        more => Some(format!("{} calls are not priced yet", patchbay_shared::money::count_text(more))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disposition_finds_what_it_was_made_of() {
        for disposition in Disposition::ALL {
            let (outcome, answered) = disposition.stored();
            assert_eq!(Disposition::of(outcome, answered.unwrap_or_default()), *disposition);
        }
        assert_ne!(
            Disposition::of(ContactOutcome::Declined, true),
            Disposition::of(ContactOutcome::Declined, false),
            "a refused ring is not somebody who said no"
        );
    }

    #[test]
    fn an_interval_is_narrow_for_many_calls_and_stays_between_none_and_all() {
        // 735 of 1,612, by hand and as other calculators have it.
        assert_eq!(interval_text(735, 1612), "43.2–48.0%");
        assert_eq!((interval_text(0, 10).as_str(), interval_text(10, 10).as_str()), ("0.0–27.8%", "72.2–100.0%"));
        assert_eq!((interval_text(1, 2).as_str(), interval_text(0, 0).as_str()), ("9.5–90.5%", "–"));
    }

    #[test]
    fn every_result_is_answered_not_reached_or_failed_and_only_one_of_them() {
        for result in CallResult::ALL {
            let groups = [ResultFilter::Answered, ResultFilter::NotReached, ResultFilter::Failed];
            assert_eq!(groups.iter().filter(|group| group.results().contains(result)).count(), 1, "{result}");
        }
    }
}
