use super::*;

fn text(change: impl Fn(&mut TemplateText)) -> TemplateText {
    let mut text = TemplateText { prompt: "Be brief.".into(), ..TemplateText::default() };
    change(&mut text);
    text
}

#[test]
fn each_field_says_who_has_changed_it() {
    let was = text(|_| ());
    let there = text(|text| {
        text.settings.config.max_minutes = 5;
        text.settings.config.greeting = "Hello.".into();
        text.settings.language = "de".into();
        text.prompt = "Be brief and kind.".into();
    });
    let mut here = AgentSettings { name: "Own name".into(), ..was.settings.clone() };
    here.config.greeting = "Good day.".into();
    here.config.temperature = 0.7;
    here.language = "de".into();
    let found = compare(&was, &there, &here, Some("Be brief."));
    let found: Vec<_> = found.iter().map(|change| (change.key.as_str(), change.place)).collect();
    assert_eq!(
        found,
        [
            ("temperature", ChangedWhere::Here),
            ("greeting", ChangedWhere::Both),
            ("max_minutes", ChangedWhere::There),
            (PROMPT, ChangedWhere::There),
        ],
        "what both have made the same is no difference"
    );
}

#[test]
fn every_field_of_a_template_can_be_taken_over() {
    let settings = AgentSettings::default();
    for (key, ..) in template_fields(&settings) {
        assert!(take_field(&mut settings.clone(), &settings, &key), "{key}");
    }
    assert!(!take_field(&mut settings.clone(), &settings, "client_id"));

    let (mut here, mut there) = (settings.clone(), settings);
    here.config.voicemail = AtVoicemail::Message;
    here.config.voicemail_message = "Call us back.".into();
    there.config.voicemail = AtVoicemail::HangUp;
    take_field(&mut here, &there, "voicemail_message");
    assert_eq!((here.config.voicemail, here.config.voicemail_message.as_str()), (AtVoicemail::HangUp, ""));
}
