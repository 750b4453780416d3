//! The sections of the agent's form: how it speaks, how long, and what it knows.

use leptos::prelude::*;

use super::detail::VoiceSample;
use crate::model::config::MOST_SILENCES;
use crate::model::{
    AgentConfig, AgentSettings, AtVoicemail, FirstSpeaker, LANGUAGES, Memory, OpeningKind, SilenceEnds,
};
use patchbay_connections::model::VoiceCatalog;
use patchbay_shared::Tone;
use patchbay_ui::*;

#[component]
pub(super) fn VoiceFields(settings: AgentSettings, catalog: VoiceCatalog) -> impl IntoView {
    let AgentSettings { language, llm_model: model, config, .. } = settings;
    let mut languages = options_of(LANGUAGES.iter().copied());
    if !languages.iter().any(|(code, _)| *code == language) {
        languages.push((language.clone(), language.clone()));
    }
    // What is set now can always be kept, even while the service cannot be asked.
    let mut models = options_of(catalog.models.iter().map(|name| (name.clone(), name.clone())));
    if !models.iter().any(|(name, _)| *name == model) {
        models.insert(0, (model.clone(), model.clone()));
    }
    let mut voices = options_of(catalog.voices.iter().map(|voice| (voice.id.clone(), voice.label())));
    // The service takes a voice's name as well as its id.
    let voice = catalog.voices.iter().find(|voice| voice.name == config.voice);
    let voice = voice.map_or_else(|| config.voice.clone(), |voice| voice.id.clone());
    if !voice.is_empty() && !voices.iter().any(|(id, _)| *id == voice) {
        voices.insert(0, (voice.clone(), format!("Keep the present voice ({voice})")));
    }
    let with_sample: Vec<String> =
        catalog.voices.iter().filter(|voice| voice.has_sample).map(|voice| voice.id.clone()).collect();
    let chosen = RwSignal::new(voice.clone());
    let choose = move |event: leptos::ev::Event| chosen.set(event_target_value(&event));
    let can_be_heard = Memo::new(move |_| chosen.with(|chosen| with_sample.contains(chosen)));
    view! {
        <Fieldset legend="Voice and behaviour" class="two">
            {catalog.note.map(|note| view! { <Callout tone=Tone::Warn><p>{note}" You can still save: the current settings are kept."</p></Callout> })}
            <Select name="language" label="Language" options=languages value=language required=true/>
            <Select name="llm_model" label="Model" options=models value=model required=true/>
            <div class="voice" on:change=choose>
                <Select name="voice" label="Voice" options=voices value=voice prompt="The service's default voice" mark=false/>
                <div class="voice-sample-room">
                    <Show when=move || can_be_heard.get()><VoiceSample id=chosen/></Show>
                </div>
            </div>
            <TextInput
                name="temperature"
                label="Temperature"
                value=config.temperature.to_string()
                class="short"
                inputmode="decimal"
                required=true
                hint="0 is consistent, 1 is varied."
            />
            <Checkbox
                name="recording"
                label="Record calls"
                hint="Where the law requires consent, ask for it in the opening."
                checked=config.is_recorded
                value="true"
            />
        </Fieldset>
    }
}

#[component]
pub(super) fn OpeningFields(config: AgentConfig) -> impl IntoView {
    let speakers = options_of(FirstSpeaker::ALL.iter().map(|who| (who.as_str(), who.label())));
    let kinds = options_of(OpeningKind::ALL.iter().map(|kind| (kind.as_str(), kind.label())));
    view! {
        <Fieldset legend="Opening" class="two" hint="Somebody who calls is always greeted by the agent.">
            <Select name="first_speaker" label="Speaks first" options=speakers value=config.first_speaker.as_str() required=true/>
            <Select name="opening" label="How the opening is said" options=kinds value=config.opening.as_str() required=true/>
            <TextArea
                name="greeting"
                label="Opening"
                value=config.greeting
                rows=2
                maxlength=1000
                hint="What the agent says first. Leave empty to leave it to the prompt."
            />
            <Checkbox
                name="uninterruptible"
                label="Nobody can break in on the opening"
                hint="For words that must be heard, such as that the call is recorded."
                checked=config.uninterruptible
                value="true"
            />
            <TextInput
                name="greeting_delay"
                label="Wait before the opening"
                value=config.greeting_delay.to_string()
                class="short"
                inputmode="decimal"
                suffix_text="s"
                hint="When the agent speaks first: 0 to 30."
            />
            <TextInput
                name="silence"
                label="Speaks anyway after"
                value=config.silence.to_string()
                class="short"
                inputmode="decimal"
                suffix_text="s"
                hint="When the other person should speak first and does not: 1 to 60."
            />
        </Fieldset>
    }
}

#[component]
pub(super) fn Limits(config: AgentConfig) -> impl IntoView {
    let ends = options_of(SilenceEnds::ALL.iter().map(|ends| (ends.as_str(), ends.label())));
    let rows = (0..MOST_SILENCES)
        .map(|place| {
            let (after, says, ends_with) = match config.silences.get(place) {
                Some(silence) => (silence.after.to_string(), silence.says.clone(), silence.ends),
                None => (String::new(), String::new(), SilenceEnds::No),
            };
            let at = place + 1;
            view! {
                <TextInput
                    name=format!("silence_after_{at}")
                    label=format!("Silence {at}: after")
                    value=after
                    class="short"
                    kind="number"
                    min="1"
                    max="600"
                    suffix_text="s"
                    mark=false
                />
                <Select name=format!("silence_ends_{at}") label=format!("Silence {at}: then") options=ends.clone() value=ends_with.as_str() mark=false/>
                <TextInput name=format!("silence_says_{at}") label=format!("Silence {at}: what is said") value=says maxlength=1000 mark=false/>
            }
        })
        .collect_view();
    view! {
        <Fieldset
            legend="Length and silence"
            class="two"
            hint="When the other person says nothing, the agent says these in their order. Each counts from the one before."
        >
            <TextInput
                name="join_seconds"
                label="Time to answer"
                value=config.join_seconds.to_string()
                class="short"
                kind="number"
                min="10"
                max="120"
                suffix_text="s"
                hint="How long it may ring: 10 to 120."
            />
            <TextInput
                name="max_minutes"
                label="Longest call"
                value=config.max_minutes.to_string()
                class="short"
                kind="number"
                min="1"
                max="120"
                suffix_text="min"
                required=true
            />
            <TextInput name="time_up" label="Said when the time is over" value=config.time_up maxlength=1000 hint="Leave empty to end without words."/>
            {rows}
        </Fieldset>
    }
}

#[component]
pub(super) fn Mailbox(config: AgentConfig) -> impl IntoView {
    let ways = options_of(AtVoicemail::ALL.iter().map(|way| (way.as_str(), way.label())));
    view! {
        <Fieldset
            legend="Mailboxes and screeners"
            class="two"
            hint="The agent hears from what is said that no person answered."
        >
            <Select name="voicemail" label="At a mailbox" options=ways value=config.voicemail.as_str() required=true/>
            <TextArea
                name="voicemail_message"
                label="Message for mailboxes"
                value=config.voicemail_message
                rows=2
                maxlength=1000
                mark=false
                hint="Said word for word. Variables such as {{first_name}} are filled in."
            />
            <TextArea
                name="screener"
                label="At a call screener"
                value=config.screener
                rows=2
                maxlength=1000
                mark=false
                hint="What to answer when an automatic screener asks who is calling and why. Leave empty to leave it to the prompt."
            />
        </Fieldset>
    }
}

#[component]
pub(super) fn MemoryFields(memory: Memory) -> impl IntoView {
    view! {
        <Fieldset
            legend="Memory"
            class="two"
            hint="What the agent is told of earlier calls with the same contact, when a call is made or comes in: when it was, how it ended, and its summary."
        >
            <TextInput
                name="earlier_calls"
                label="Earlier calls"
                value=memory.calls.to_string()
                class="short"
                kind="number"
                min="0"
                max="20"
                hint="The newest ones. 0: it is told nothing."
            />
            <TextInput
                name="earlier_days"
                label="Not older than"
                value=memory.days.to_string()
                class="short"
                kind="number"
                min="1"
                max="730"
                suffix_text="days"
            />
            <TextInput
                name="earlier_tokens"
                label="At most"
                value=memory.tokens.to_string()
                class="short"
                kind="number"
                min="50"
                max="4000"
                suffix_text="tokens"
                hint="Older calls are left out first."
            />
        </Fieldset>
    }
}
