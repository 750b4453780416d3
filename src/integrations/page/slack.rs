use leptos::prelude::*;

use super::connect::CallbackAddress;
use super::head::AppFields;
use super::settings_messages::{event_boxes, outcome_boxes};
use crate::model::{IntegrationHead, SLACK_EVENTS, SlackApp, SlackForm, SlackSettings};
use crate::server_fns::{ConnectSlack, SaveSlack, SignInIntegration, TestSlack};
use patchbay_connections::model::Mode;
use patchbay_shared::Tone;
use patchbay_shell::ProofField;
use patchbay_ui::*;

/// Where messages of a Slack go, and about what; and how one signs in there.
#[component]
pub(super) fn SlackSettingsCards(head: IntegrationHead, slack: SlackSettings, again: Callback<()>) -> impl IntoView {
    let id = head.id.to_string();
    let SlackSettings { form, by_webhook, channels, note, app } = slack;
    let is_on = head.is_connected;
    let sign_in = app.map(|app| view! { <SignIn head app/> });
    if !is_on {
        let nobody = sign_in.is_none().then(|| {
            view! { <Callout tone=Tone::Info><p>"Nobody is signed in at Slack. An owner of the agency can do that here."</p></Callout> }
        });
        return view! { {nobody} {sign_in} }.into_any();
    }
    let (save, test) = (FormAction::of::<SaveSlack>(), FormAction::of::<TestSlack>());
    let is_new = form.events.is_empty() && form.troubles.is_none();
    let first = is_new.then(|| {
        view! { <Callout tone=Tone::Ok><p>"You are signed in at Slack. Choose what is told: nothing is sent before."</p></Callout> }
    });
    let channel = channel_field(&form, by_webhook, channels, note);
    let (same, third) = (id.clone(), id);
    view! {
        {first}
        <Card
            title="What is told, and where"
            right=move || view! {
                <ServerForm action=test class="inline" prefix="test" no_summary=true on_done=again>
                    <input type="hidden" name="id" value=third/>
                    <SubmitButton kind=ButtonKind::Plain small=true icon="send">"Send a test"</SubmitButton>
                </ServerForm>
            }
        >
            <ServerForm action=save class="form" prefix="slack" on_done=again said="Saved">
                <input type="hidden" name="id" value=same/>
                {channel}
                {event_boxes(&SLACK_EVENTS, &form.events)}
                {outcome_boxes(&form.outcomes)}
                <Checkbox name="troubles" label="Trouble of other integrations, too" checked=form.troubles.is_some()/>
                <FormActs><SubmitButton icon="check">"Save"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
        {sign_in}
    }
    .into_any()
}

fn channel_field(
    form: &SlackForm,
    by_webhook: bool,
    channels: Vec<crate::model::SlackChannel>,
    note: Option<String>,
) -> AnyView {
    if by_webhook {
        return view! { <p class="note">"The address that was typed has one channel of its own."</p> }.into_any();
    }
    let mut options: Vec<(String, String)> = channels
        .into_iter()
        .map(|channel| {
            let lock = if channel.is_private { " (private)" } else { "" };
            let out = if channel.is_member || channel.id == form.channel { "" } else { ", invite the app first" };
            (format!("{} {}", channel.id, channel.name), format!("#{}{lock}{out}", channel.name))
        })
        .collect();
    let own = format!("{} {}", form.channel, form.channel_name);
    let value = options
        .iter()
        .find(|(value, _)| value.split(' ').next() == Some(form.channel.as_str()))
        .map(|(value, _)| value.clone());
    let value = value.unwrap_or_else(|| if form.channel.is_empty() { String::new() } else { own.clone() });
    if !value.is_empty() && !options.iter().any(|(known, _)| *known == value) {
        options.push((own, format!("#{}", form.channel_name)));
    }
    let note = note.map(|note| {
        view! { <Callout tone=Tone::Warn><p>{format!("Slack’s channels cannot be listed at the moment. {note}")}</p></Callout> }
    });
    view! { {note} <Select name="channel" label="Channel" options value prompt="Choose a channel" required=true/> }
        .into_any()
}

/// The ways to sign in: at Slack itself, or with what was made there.
#[component]
fn SignIn(head: IntegrationHead, app: SlackApp) -> impl IntoView {
    let id = head.id.to_string();
    let (connect, sign_in) = (FormAction::of::<ConnectSlack>(), FormAction::of::<SignInIntegration>());
    let is_sandbox = head.mode == Mode::Sandbox;
    let (title, word) = match head.is_connected {
        true => ("Sign in again", "Sign in with Slack again"),
        false => ("Sign in with Slack", "Sign in with Slack"),
    };
    let own_app = (!is_sandbox).then(|| {
        let scopes = app
            .scopes
            .iter()
            .enumerate()
            .map(|(place, scope)| {
                let comma = (place > 0).then_some(", ");
                view! { {comma}<code>{scope.clone()}</code> }
            })
            .collect_view();
        view! {
            <AppFields service="Slack" is_known=app.is_known/>
            <CallbackAddress callback=app.callback.clone()/>
            <p class="note">"Bot token scopes of the app: "{scopes}</p>
        }
    });
    let hint = if is_sandbox {
        "In the sandbox any word that begins with sandbox- will do."
    } else {
        "The bot token of an app in Slack, which begins with xoxb-, or the address of an incoming webhook."
    };
    let same = id.clone();
    view! {
        <Card title>
            <ServerForm action=sign_in class="form" prefix="oauth">
                <input type="hidden" name="id" value=id/>
                <p class="sub">"You are led to Slack, agree and choose the channel there, and are led back."</p>
                {own_app}
                <ProofField/>
                <FormActs><SubmitButton icon="arrow-right">{word}</SubmitButton></FormActs>
            </ServerForm>
        </Card>
        <Card title="Or with a token or an address">
            <ServerForm action=connect class="form" prefix="token">
                <input type="hidden" name="id" value=same/>
                <TextInput name="token" label="Bot token or webhook address" kind="password" autocomplete="off" maxlength=400 mark=false hint/>
                <p class="note">"It is tried first. If Slack refuses it, nothing changes. It is stored encrypted and never shown again."</p>
                <ProofField/>
                <FormActs><SubmitButton kind=ButtonKind::Plain>"Try and save"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}
