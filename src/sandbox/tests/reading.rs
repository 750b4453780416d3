//! Analyses against the sandbox's own conversations.

use serde_json::{Value, json};

use crate::conversation::{Family, Language, Role, Scenario, Scene, compose};
use crate::{analysis, schema};

#[test]
fn an_analysis_finds_what_the_conversation_was_about() {
    for language in Language::ALL {
        for (scenario, name) in Scenario::ALL {
            for salt in 0..30 {
                let care = matches!(
                    scenario,
                    Scenario::Confirmed
                        | Scenario::Rescheduled
                        | Scenario::Solved
                        | Scenario::Escalated
                        | Scenario::Survey
                );
                let family = if care { Family::Care } else { Family::Sales };
                let scene = Scene {
                    seed: 9,
                    salt: format!("{salt}"),
                    language,
                    family,
                    scenario,
                    prompt: "".into(),
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
