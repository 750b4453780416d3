//! Analyses against the sandbox's own conversations.

use serde_json::{Value, json};

use crate::conversation::{Family, Language, Role, Scenario, Scene, compose};
use crate::{analysis, schema};

/// A prompt of each trade.
const PROMPTS: [&str; 6] = [
    "",
    "You are the voice of a dental practice.",
    "You call about rooftop solar.",
    "You work for a property manager.",
    "You are the voice of a hotel.",
    "You call about insurance.",
];
const OF_CALLERS: [Scenario; 7] = [
    Scenario::Booked,
    Scenario::Rescheduled,
    Scenario::Solved,
    Scenario::Interested,
    Scenario::Callback,
    Scenario::Escalated,
    Scenario::WrongPerson,
];

#[test]
fn an_analysis_finds_what_the_conversation_was_about() {
    for language in Language::ALL {
        for (nth, (scenario, name)) in (0..).zip(Scenario::ALL) {
            for salt in 0..36 {
                let care = matches!(
                    scenario,
                    Scenario::Confirmed
                        | Scenario::Rescheduled
                        | Scenario::Solved
                        | Scenario::Escalated
                        | Scenario::Survey
                );
                let inbound = salt % 3 == 0 && OF_CALLERS.contains(&scenario);
                let either = matches!(scenario, Scenario::Callback | Scenario::Declined | Scenario::DoNotCall);
                let family = if care || (either && salt % 2 == 0) { Family::Care } else { Family::Sales };
                let scene = Scene {
                    seed: 9,
                    salt: format!("{salt}"),
                    language,
                    family,
                    inbound,
                    scenario,
                    prompt: PROMPTS[(salt + nth) % PROMPTS.len()].into(),
                    context: Default::default(),
                };
                let prompt = transcript(&scene);
                let facts = analysis::read(&prompt).expect("a transcript");
                assert_eq!(facts.verdict, Some(scenario), "{} {name}:\n{prompt}", language.code());
                assert_eq!(facts.language, language, "{prompt}");
                for finding in facts.evidence() {
                    assert!(prompt.contains(&finding.quote));
                }
            }
        }
    }
}

#[test]
fn a_look_up_finds_the_person_on_the_line() {
    for (prompt, tool) in PROMPTS.into_iter().zip([
        "crm_lookup",
        "patient_lookup",
        "lead_lookup",
        "tenancy_lookup",
        "booking_lookup",
        "policy_lookup",
    ]) {
        for inbound in [true, false] {
            let scene = Scene {
                seed: 3,
                salt: "look".into(),
                language: Language::English,
                family: Family::Care,
                inbound,
                scenario: Scenario::Solved,
                prompt: prompt.into(),
                context: json!({"contact_name": "Ada Byron"}).as_object().cloned().unwrap_or_default(),
            };
            let conversation = compose(&scene);
            let found: Vec<_> = conversation.turns.iter().filter(|turn| turn.tool.as_deref() == Some(tool)).collect();
            assert_eq!(found.len(), 2, "asked and answered: {:?}", conversation.turns);
            assert!(found[1].text.contains("Ada Byron"), "{}", found[1].text);
            assert!(conversation.summary.contains("Ada Byron"), "{}", conversation.summary);
        }
    }
}

#[test]
fn goals_are_reached_now_and_then_and_more_often_with_a_better_prompt() {
    let goals = |prompt: &str, family: Family| {
        let reached =
            [Scenario::Booked, Scenario::Confirmed, Scenario::Rescheduled, Scenario::Solved, Scenario::Survey];
        let mut rng = crate::rng::Rng::new(5, prompt);
        let count = (0..4_000).filter(|_| reached.contains(&Scenario::draw(family, prompt, &mut rng))).count();
        count as f64 / 4_000.0
    };
    for (family, prompt) in [
        (Family::Sales, "you call about rooftop solar. book a site visit."),
        (Family::Care, "die kontrolle steht an. biete einen termin an."),
        (Family::Care, "you call about the repair that was reported."),
    ] {
        let before = goals(prompt, family);
        let after = goals(&format!("{prompt} offer two times. ask one question at a time."), family);
        assert!((0.13..0.32).contains(&before), "{prompt} {before}");
        assert!(after > before + 0.05 && after < 0.42, "{prompt} {before} {after}");
    }
}

fn transcript(scene: &Scene) -> String {
    let spoken = compose(scene).turns.into_iter().enumerate().filter(|(_, turn)| turn.tool.is_none());
    spoken
        .map(|(index, turn)| {
            let speaker = if turn.role == Role::Agent { "Agent" } else { "Customer" };
            format!("[{index}] {speaker} (0:{:02}): {}\n", turn.start as u32 % 60, turn.text)
        })
        .collect()
}

#[test]
fn a_document_follows_its_schema() {
    let scene = Scene {
        seed: 2,
        salt: "s".into(),
        language: Language::English,
        family: Family::Sales,
        inbound: false,
        scenario: Scenario::Booked,
        prompt: "".into(),
        context: Default::default(),
    };
    let facts = analysis::read(&transcript(&scene));
    let schema = json!({
        "type": "object",
        "properties": {
            "summary": {"type": "string", "maxLength": 400},
            "sentiment": {"enum": ["positive", "neutral", "negative"]},
            "meeting_booked": {"type": "boolean"},
            "meetings_booked": {"type": "integer", "minimum": 0},
            "qualification_reason": {"type": ["string", "null"]},
            "satisfaction": {"type": "integer", "minimum": 1, "maximum": 10},
            "evidence": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/evidence"}},
            "escalation": {"anyOf": [{"type": "object", "properties": {"reason": {"type": "string"}}}, {"type": "null"}]},
            "outcome": {"type": "string", "enum": ["not_interested", "meeting_booked", "other"]},
        },
        "required": ["summary"],
        "$defs": {"evidence": {"type": "object", "properties": {"quote": {"type": "string"}, "message_index": {"type": "integer"}, "claim": {"type": "string"}}}},
    });
    let document = schema::Writer::new(&schema, facts.as_ref(), "").write();
    assert_eq!(document["meeting_booked"], true);
    assert_eq!(document["meetings_booked"], 1);
    assert_eq!(document["sentiment"], "positive");
    assert_eq!(document["outcome"], "meeting_booked");
    assert_eq!(document["escalation"], Value::Null);
    assert!(document["evidence"][0]["message_index"].is_i64(), "{document}");
    assert!((1..=10).contains(&document["satisfaction"].as_i64().unwrap_or(0)));
}
