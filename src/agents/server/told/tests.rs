use super::*;

fn sent(settings: &AgentSettings) -> HeldAgent {
    let spec = spec(settings, "Desk".into(), "Be brief.".into(), VoiceTools::default());
    HeldAgent { spec, ..HeldAgent::default() }
}

#[test]
fn what_was_added_to_a_prompt_is_told_from_it() {
    let mut config = AgentConfig { screener: "This is {{agency}}.".into(), ..AgentConfig::default() };
    config.memory.calls = 2;
    let told = words("Be brief.", &config, None, Some("## Skill"));
    assert!(told.contains("This is {{agency}}.") && told.ends_with("{{patchbay_earlier_calls}}"), "{told}");
    assert_eq!(own_words(&told), "Be brief.");
    assert_eq!(words("Be brief.", &AgentConfig::default(), None, None), "Be brief.");
}

#[test]
fn a_change_there_is_found_kept_and_taken_over() {
    let settings = AgentSettings::default();
    let held = sent(&settings);
    let mut there = held.clone();
    there.spec.voice = Some("Jana".into());
    there.spec.max_duration = Some(Duration::from_secs(90));
    let found = drift(&held, &there);
    let keys: Vec<&str> = found.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["voice", "max_minutes"]);

    // Somebody changes the voice here: that one is sent. The duration stays as it is there, and is still known as different.
    let mut changed = settings.clone();
    changed.config.voice = "Lena".into();
    let wanted = sent(&changed).spec;
    let kept = keep_theirs(wanted.clone(), &held, &there);
    assert_eq!((kept.voice.as_deref(), kept.max_duration), (Some("Lena"), Some(Duration::from_secs(90))));
    let now = HeldAgent { spec: kept.clone(), ..HeldAgent::default() };
    let held = to_hold(now.clone(), &wanted, &kept);
    assert_eq!(drift(&held, &now).len(), 1);

    let mut taken = settings;
    take(&mut taken, &there.spec, &["voice", "max_minutes"]);
    assert_eq!((taken.config.voice.as_str(), taken.config.max_minutes), ("Jana", 2));
}

#[test]
fn everything_that_is_sent_can_be_read_back() {
    let config = AgentConfig {
        first_speaker: Speaker::User,
        greeting: "Say hello.".into(),
        opening: OpeningKind::Guided,
        silence: 4.5,
        silences: vec![Silence { after: 20, says: "Hello?".into(), ends: SilenceEnds::Strict }],
        time_up: "Time is up.".into(),
        ..AgentConfig::default()
    };
    let settings = AgentSettings { config, ..AgentSettings::default() };
    let mut read = AgentSettings::default();
    take(&mut read, &sent(&settings).spec, &ALL);
    assert_eq!(read, settings);
    assert_eq!(
        (listed("en-us").as_deref(), listed("de-LU").as_deref(), listed("tlh")),
        (Some("en-US"), Some("de"), None)
    );
}

#[test]
fn a_mailbox_has_a_tool_of_its_own_and_only_while_it_is_wanted() {
    let config =
        AgentConfig { voicemail: AtVoicemail::Message, voicemail_message: "Call us.".into(), ..AgentConfig::default() };
    let (with, name) = tools(VoiceTools::default(), &config);
    assert_eq!((with.ours[0].name(), name.as_deref()), (AT_VOICEMAIL, Some(AT_VOICEMAIL)));
    let (without, name) = tools(VoiceTools::default(), &AgentConfig::default());
    assert_eq!((without.ours.len(), without.former, name), (0, vec![AT_VOICEMAIL.to_owned()], None));
    let own = BuiltInTool {
        built_in: "leaveVoicemail".into(),
        name: "machine".into(),
        description: "Leaves a message.".into(),
        overrides: json!({}),
    };
    let own = VoiceTools { ours: vec![VoiceTool::BuiltIn(own)], ..VoiceTools::default() };
    let (kept, name) = tools(own, &config);
    assert_eq!((kept.ours.len(), name.as_deref()), (1, Some("machine")));
}
