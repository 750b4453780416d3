//! What of a call at the service is missing here. Pure.

use super::store::calls::Known;
use crate::model::GapKind;
use patchbay_providers::voice::{Bill, VoiceCall};

/// None: everything that the service says of the call is known here.
pub(crate) fn missing(theirs: &VoiceCall, known: Option<&Known>) -> Option<GapKind> {
    let Some(known) = known else { return Some(GapKind::NeverHeardOf) };
    let lacks_end = theirs.ended.is_some() && !known.has_ended;
    let lacks_answer = theirs.joined.is_some() && !known.has_joined;
    if lacks_end || lacks_answer || known.provider_call_id.is_none() {
        return Some(GapKind::WithoutEnd);
    }
    (theirs.ended.is_some() && lacks_bill(theirs, known)).then_some(GapKind::WithoutBill)
}

/// After a refund nothing is billed again, and a bill is compared as it is stored: in whole seconds.
fn lacks_bill(theirs: &VoiceCall, known: &Known) -> bool {
    let Some(seconds) = theirs.charged_seconds() else { return false };
    let is_refunded = theirs.bill == Bill::Refunded;
    !known.is_refunded && (is_refunded || known.billed_seconds != Some(seconds.clamp(0.0, 1e6).ceil() as i32))
}

/// The name of an event that says what the service told when it was asked: the same answer twice is no news, another bill is.
pub(crate) fn state_of(call: &VoiceCall) -> String {
    match (call.ended, call.joined, call.charged_seconds()) {
        (Some(_), _, Some(_)) if call.bill == Bill::Refunded => "listed.refunded".to_owned(),
        (Some(_), _, Some(seconds)) => format!("listed.billed.{}", seconds.ceil()),
        (Some(_), _, None) => "listed.ended".to_owned(),
        (None, Some(_), _) => "listed.joined".to_owned(),
        (None, None, _) => "listed.created".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};
    use uuid::Uuid;

    use super::*;

    fn theirs(ended: bool, bill: Bill, seconds: f64) -> VoiceCall {
        let at = Utc.with_ymd_and_hms(2026, 11, 20, 9, 0, 0).single();
        let call = VoiceCall::ended_unheard("a", at.unwrap_or_default());
        VoiceCall { created: at, joined: at, ended: at.filter(|_| ended), bill, billed_seconds: Some(seconds), ..call }
    }

    fn known(ended: bool, billed: Option<i32>) -> Known {
        Known {
            id: Uuid::nil(),
            provider_call_id: Some("a".to_owned()),
            has_joined: true,
            has_ended: ended,
            billed_seconds: billed,
            is_refunded: false,
        }
    }

    #[test]
    fn what_the_service_knows_and_we_do_not_is_missing() {
        let billed = theirs(true, Bill::Billed, 65.2);
        assert_eq!(missing(&billed, None), Some(GapKind::NeverHeardOf));
        assert_eq!(missing(&billed, Some(&known(false, None))), Some(GapKind::WithoutEnd));
        assert_eq!(missing(&billed, Some(&known(true, None))), Some(GapKind::WithoutBill));
        assert_eq!(missing(&billed, Some(&known(true, Some(65)))), Some(GapKind::WithoutBill), "another bill");
        assert_eq!(missing(&billed, Some(&known(true, Some(66)))), None);
        assert_eq!(missing(&theirs(true, Bill::Open, 65.2), Some(&known(true, None))), None, "nobody has a bill");
        assert_eq!(missing(&theirs(false, Bill::Open, 0.0), Some(&known(false, None))), None, "it goes on");
        let unanswered = Known { has_joined: false, ..known(true, Some(66)) };
        assert_eq!(missing(&billed, Some(&unanswered)), Some(GapKind::WithoutEnd), "somebody had joined");
        let unplaced = Known { provider_call_id: None, ..known(true, Some(66)) };
        assert_eq!(missing(&billed, Some(&unplaced)), Some(GapKind::WithoutEnd), "nobody knew whether it was placed");
    }

    #[test]
    fn a_refund_is_news_once_and_nothing_is_after_it() {
        let refunded = theirs(true, Bill::Refunded, 65.2);
        assert_eq!(missing(&refunded, Some(&known(true, Some(66)))), Some(GapKind::WithoutBill));
        let after = Known { is_refunded: true, ..known(true, Some(0)) };
        assert_eq!(missing(&refunded, Some(&after)), None);
        assert_eq!(missing(&theirs(true, Bill::Billed, 65.2), Some(&after)), None);
    }

    #[test]
    fn another_bill_is_another_event() {
        assert_eq!(state_of(&theirs(true, Bill::Billed, 65.2)), "listed.billed.66");
        assert_eq!(state_of(&theirs(true, Bill::Open, 65.2)), "listed.ended");
        assert_eq!(state_of(&theirs(false, Bill::Open, 0.0)), "listed.joined");
    }
}
