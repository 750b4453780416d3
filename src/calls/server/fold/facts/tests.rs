use super::*;
use chrono::{Duration, TimeZone};
use patchbay_shared::ids::CallId;

use crate::model::CallSource;

fn began() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0).single().expect("a time")
}

fn state() -> CallState {
    CallState {
        id: CallId::new(),
        client_id: None,
        agent_id: None,
        batch_id: None,
        campaign_contact_id: None,
        attempt_no: 1,
        provider_call_id: None,
        is_unknown: true,
        is_machine: false,
        error: Some("Nobody knows.".to_owned()),
        started_at: began(),
        joined_at: None,
        ended_at: None,
        end_reason: None,
        summary: None,
        billed_seconds: None,
        voice_cost: Decimal::ZERO,
        carrier_cost: Decimal::ONE,
        billing_status: None,
        billed_at: None,
        duration: None,
        outcome: None,
        transcript_status: Some(TranscriptStatus::Pending),
        analysis_status: Some(AnalysisStatus::Pending),
    }
}

fn ended(talked: bool, seconds: Option<f64>) -> VoiceCall {
    let mut call = VoiceCall::ended_unheard("theirs", began() + Duration::milliseconds(61_500));
    call.end_reason = Some(EndReason::Hangup);
    call.joined = talked.then(|| began() + Duration::seconds(1));
    if seconds.is_some() {
        (call.bill, call.billed_seconds) = (Bill::Billed, seconds);
        call.billing_status = "BILLING_STATUS_BILLED".to_owned();
    }
    call
}

fn told(state: &mut CallState, call: &VoiceCall, after: i64, words: Words) -> Effects {
    let mut effects = Effects::default();
    let news = CallUpdate {
        call,
        event_id: "e",
        event_type: "e",
        occurred_at: began(),
        told_at: began() + Duration::seconds(after),
        payload: serde_json::Value::Null,
        price_per_minute: Decimal::new(6, 2),
        source: CallSource::Webhook,
        words,
    };
    state.learn(&news, &mut effects);
    effects
}

#[test]
fn half_a_second_counts_as_a_whole_one() {
    let after = |millis: i64| whole_seconds(began(), began() + Duration::milliseconds(millis));
    assert_eq!([after(0), after(499), after(500), after(61_499), after(-5_000)], [0, 0, 1, 61, 0]);
}

#[test]
fn of_two_bills_the_later_one_counts_whatever_their_order() {
    for order in [[(10, 30.0), (20, 12.0)], [(20, 12.0), (10, 30.0)]] {
        let mut call = state();
        let mut costs = Vec::new();
        for (after, seconds) in order {
            costs.extend(told(&mut call, &ended(true, Some(seconds)), after, Words::Now).costs);
        }
        assert_eq!((call.billed_seconds, call.voice_cost), (Some(12), Decimal::new(12, 3)));
        assert_eq!(
            costs.iter().map(|(_, amount)| *amount).sum::<Decimal>(),
            call.voice_cost,
            "what the month was told"
        );
    }
}

#[test]
fn an_earlier_start_moves_all_that_the_call_cost() {
    let mut call = state();
    let mut news = ended(true, Some(60.0));
    news.created = Some(began() - Duration::days(1));
    let effects = told(&mut call, &news, 10, Words::Now);
    let all = Decimal::ONE + Decimal::new(6, 2);
    assert_eq!(effects.costs, [(began(), -Decimal::ONE), (began() - Duration::days(1), all)]);
}

#[test]
fn words_are_fetched_now_later_or_never() {
    for (words, fetched, kept) in [(Words::Now, true, true), (Words::Later, false, true), (Words::Never, false, false)]
    {
        let mut call = state();
        let effects = told(&mut call, &ended(true, None), 10, words);
        assert_eq!((effects.fetch_words, call.transcript_status.is_some()), (fetched, kept), "{words:?}");
        assert_eq!((effects.follow, effects.is_settled, call.error.as_deref()), (Some(10), false, None));
        // The same again, with the bill: nothing more is fetched.
        let effects = told(&mut call, &ended(true, Some(1.0)), 20, words);
        assert!(!effects.fetch_words && effects.is_settled && effects.told.is_empty());
    }
}

#[test]
fn somebody_who_answered_after_all_is_told_of_and_a_machine_is_none() {
    let mut call = state();
    told(&mut call, &ended(false, None), 10, Words::Now);
    assert_eq!((call.outcome, call.transcript_status), (Some(ContactOutcome::NoAnswer), None));
    let effects = told(&mut call, &ended(true, None), 20, Words::Now);
    assert_eq!(
        (call.outcome, call.transcript_status),
        (Some(ContactOutcome::Answered), Some(TranscriptStatus::Pending))
    );
    assert!(effects.fetch_words && effects.told.iter().all(|told| !told.is_end));
    let mut call = CallState { is_machine: true, ..state() };
    told(&mut call, &ended(true, None), 10, Words::Now);
    assert_eq!(call.outcome, Some(ContactOutcome::Voicemail));
}
