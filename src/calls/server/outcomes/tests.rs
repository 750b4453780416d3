use super::*;

fn turn(role: &str) -> Turn {
    Turn { role: role.into(), tool_name: None, failed: false, arguments: String::new() }
}

fn used(name: &str, arguments: &str) -> Turn {
    Turn { role: "tool_call".into(), tool_name: Some(name.into()), failed: false, arguments: arguments.into() }
}

fn turns(roles: &str) -> Vec<Turn> {
    roles.chars().map(|c| turn(if c == 'a' { "agent" } else { "user" })).collect()
}

#[test]
fn a_machine_is_told_by_facts_and_a_conversation_by_its_answers() {
    let is_machine = |roles: &str, detected: Option<&str>, end: &str, heard: bool| {
        Facts::of(&turns(roles), detected, Some(end)).is_machine(heard)
    };
    assert!(is_machine("ua", Some("machine"), "agent_hangup", false), "the carrier heard it");
    assert!(!is_machine("auauau", Some("machine"), "hangup", false), "it was wrong: somebody answers");
    assert!(is_machine("a", None, "agent_hangup", false), "the agent spoke to nobody");
    assert!(!is_machine("a", None, "hangup", false), "somebody hung up without a word");
    assert!(!is_machine("a", Some("human"), "agent_hangup", false), "a person was there and said nothing");
    assert!(is_machine("uau", None, "agent_hangup", true), "a model read it, and nobody conversed");
    assert!(!is_machine("auauau", None, "hangup", true), "a model's reading against a conversation");
    assert!(!is_machine("ua", Some("human"), "hangup", true), "a model's reading against the carrier");
    assert!(!is_machine("", None, "hangup", false), "nothing is known");
}

#[test]
fn the_tool_that_leaves_a_message_is_a_fact() {
    let mut said = turns("ua");
    said.push(used("leaveVoicemail", r#"{"message":"Please call us."}"#));
    assert!(Facts::of(&said, None, Some("agent_hangup")).is_machine(false));
    if let Some(last) = said.last_mut() {
        last.failed = true;
    }
    assert!(!Facts::of(&said, None, Some("hangup")).is_machine(false), "it was not left");
}

#[test]
fn a_noted_call_back_gives_its_words() {
    let words = |name: &str, arguments: &str| noted_call_back(&used(name, arguments));
    let asked = r#"{"name":"Ada","time":"10:00","day":"Tuesday"}"#;
    assert_eq!(words("schedule_callback", asked).as_deref(), Some("Tuesday 10:00"));
    assert_eq!(words("scheduleCallBack", r#"{"when":"tomorrow at 3"}"#).as_deref(), Some("tomorrow at 3"));
    assert_eq!(words("book_meeting", asked), None);
    assert_eq!(words("schedule_callback", r#"{"name":"Ada"}"#), None);
    assert_eq!(words("schedule_callback", "not json"), None);
}
