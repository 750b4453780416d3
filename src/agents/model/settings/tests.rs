use super::*;

#[test]
fn what_changed_is_named_field_by_field() {
    let before = AgentSettings { name: "Desk".into(), ..AgentSettings::default() };
    let mut after = before.clone();
    after.config.voice = "lena".into();
    after.config.memory.calls = 2;
    let found = changes(&before, &after, &Names::default());
    let keys: Vec<&str> = found.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["voice", "memory"]);
    assert_eq!(found[1].before, "Nothing");
    assert_eq!(changes(&before, &before, &Names::default()), []);
}

#[test]
fn settings_of_an_older_form_are_read() {
    let old = r#"{"name":"Desk","language":"de","config":{"voice":"lena","max_minutes":5}}"#;
    let read: AgentSettings = serde_json::from_str(old).expect("settings");
    assert_eq!((read.config.max_minutes, read.config.silence), (5, 8.0));
}
