use super::*;
use crate::model::{CsAnalysis, SdrAnalysis};

#[test]
fn figures_outside_their_bounds_and_odd_words_are_no_reason_to_ask_again() {
    let answer = r#"{"summary":"s","sentiment":"Mostly Positive","topics":null,"follow_ups":"Call back","goal_reached":"yes","goal_reason":null,
        "outcome":"Callback scheduled","evidence":[{"claim":"c","quote":"q","position":"2"},{"claim":"none"},7],
        "issues_resolved":["a",1,null],"escalation":false,"satisfaction":7}"#;
    let Answer(cs): Answer<CsAnalysis> = serde_json::from_str(answer).unwrap();
    assert_eq!((cs.reading.sentiment, cs.reading.outcome), (Sentiment::Neutral, HeardOutcome::CallbackScheduled));
    assert_eq!((cs.reading.follow_ups.len(), cs.reading.goal_reached, cs.satisfaction), (1, true, None));
    assert_eq!((cs.issues_resolved.len(), cs.reading.evidence.len(), cs.reading.evidence[0].position), (2, 1, 2));
    let graded =
        |grade: &str| serde_json::from_str::<Answer<CsAnalysis>>(&answer.replace(":7}", grade)).unwrap().0.satisfaction;
    assert_eq!((graded(":\"4\"}"), graded(":4.6}"), graded(":-1}"), graded(":null}")), (Some(4), Some(5), None, None));
    let sdr = |booked: &str| {
        let answer =
            answer.replace("\"issues_resolved\":[\"a\",1,null],\"escalation\":false,\"satisfaction\":7", booked);
        serde_json::from_str::<Answer<SdrAnalysis>>(&answer).map(|sdr| sdr.0.meetings_booked).ok()
    };
    let rest = r#","qualified_lead":true,"qualification_reason":"r","objections":[]"#;
    assert_eq!(sdr(&format!(r#""meetings_booked":-3{rest}"#)), Some(0));
    assert_eq!(sdr(&format!(r#""meetings_booked":"2"{rest}"#)), Some(2));
    assert_eq!(sdr(&rest[1..]), None, "a figure that is left out has not been read");
}
