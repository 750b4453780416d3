use serde_json::Map;

use super::{Family, Language, Role, Scenario, Scene, compose};

fn scene(language: Language, scenario: Scenario, salt: &str) -> Scene {
    let family = match scenario {
        Scenario::Confirmed | Scenario::Rescheduled | Scenario::Solved | Scenario::Escalated | Scenario::Survey => {
            Family::Care
        }
        _ => Family::Sales,
    };
    Scene {
        seed: 4,
        salt: salt.to_owned(),
        language,
        family,
        inbound: false,
        scenario,
        prompt: "".into(),
        context: Map::new(),
    }
}

#[test]
fn the_same_scene_is_spoken_the_same_way() {
    let scene = scene(Language::German, Scenario::Booked, "a");
    assert_eq!(compose(&scene), compose(&scene));
    let other = Scene { salt: "b".to_owned(), ..scene.clone() };
    assert_ne!(compose(&scene).turns, compose(&other).turns);
}

#[test]
fn every_plot_is_spoken_in_every_language_and_times_only_go_forward() {
    for language in Language::ALL {
        for (scenario, name) in Scenario::ALL {
            for salt in 0..20 {
                let conversation = compose(&scene(language, scenario, &salt.to_string()));
                let about = format!("{} {name} {salt}", language.code());
                assert!(conversation.turns.len() >= 2, "{about}");
                let spoken = conversation.turns.iter().filter(|turn| turn.tool.is_none()).count();
                assert!(spoken <= 26, "{about}: {spoken} turns");
                let mut clock = 0.0;
                for turn in &conversation.turns {
                    assert!(turn.start >= clock && turn.end >= turn.start, "{about}: {turn:?}");
                    assert!(!turn.text.contains('{') || turn.tool.is_some(), "{about}: {}", turn.text);
                    assert!(!turn.text.is_empty() || turn.error.is_some(), "{about}");
                    clock = turn.end;
                }
                assert!(conversation.length >= clock, "{about}");
                assert!(conversation.turns.iter().any(|turn| turn.role == Role::Agent), "{about}");
            }
        }
    }
}

#[test]
fn the_context_fills_the_conversation() {
    let context = serde_json::json!({"customer": {"name": "Ada Byron", "company": "Engine Works"}});
    let mut scene = scene(Language::English, Scenario::Booked, "c");
    scene.context = context.as_object().cloned().unwrap_or_default();
    scene.prompt = "You are Kim, a friendly caller.\nProduct: analytical engines".into();
    let all: String = compose(&scene).turns.iter().map(|turn| turn.text.as_str()).collect();
    for word in ["Ada", "Kim", "analytical engines"] {
        assert!(all.contains(word), "{word}: {all}");
    }
}
