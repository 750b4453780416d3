use super::super::USUAL_MODEL;
use super::*;

fn filled() -> AgentForm {
    AgentForm {
        name: "Booking desk".into(),
        language: "de".into(),
        llm_model: USUAL_MODEL.into(),
        temperature: "0,4".into(),
        first_speaker: "agent".into(),
        max_minutes: "10".into(),
        ..AgentForm::default()
    }
}

fn fields_of(form: &AgentForm) -> Vec<String> {
    let AppError::Invalid(errors) = form.check().unwrap_err() else { panic!("not about fields") };
    errors.0.iter().map(|(field, _)| field.clone()).collect()
}

#[test]
fn a_chosen_prompt_is_used_and_a_written_one_is_made() {
    let id = PromptId(uuid::Uuid::from_u128(7));
    let text =
        |prompt: &str| AgentForm { prompt_id: prompt.into(), template: "You are Sam.\r\nBe brief.".into(), ..filled() };
    assert_eq!(text("").check().unwrap().prompt, PromptWish::Write("You are Sam.\nBe brief.".to_owned()));
    assert_eq!(text(&id.to_string()).check().unwrap().prompt, PromptWish::Use(id));
    assert_eq!(filled().check().unwrap().prompt, PromptWish::None);
}

#[test]
fn every_wrong_field_is_named() {
    let form = AgentForm {
        temperature: "2".into(),
        max_minutes: "0".into(),
        language: "xx".into(),
        name: " ".into(),
        ..filled()
    };
    assert_eq!(fields_of(&form), ["name", "language", "temperature", "max_minutes"]);
    let form = AgentForm {
        join_seconds: "5".into(),
        silence: "NaN".into(),
        silence_says_2: "Hello?".into(),
        silence_after_3: "20".into(),
        voicemail: "message".into(),
        screener: "Say {{who".into(),
        earlier_tokens: "-1".into(),
        ..filled()
    };
    let mut named = fields_of(&form);
    named.sort_unstable();
    let wanted = [
        "earlier_tokens",
        "join_seconds",
        "screener",
        "silence",
        "silence_after_2",
        "silence_says_3",
        "voicemail_message",
    ];
    assert_eq!(named, wanted);
}

#[test]
fn what_is_left_out_is_as_for_a_new_agent() {
    let config = filled().check().unwrap().settings.config;
    assert_eq!(AgentConfig { temperature: 0.3, is_recorded: true, ..config }, AgentConfig::default());
}
