use leptos::prelude::*;

use crate::model::{IntegrationHead, IntegrationType, Standing};
use crate::server_fns::{
    DisconnectIntegration, RemoveIntegration, SignInIntegration, SwitchIntegration, SyncIntegration,
};
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shell::ProofField;
use patchbay_ui::*;

/// The pages above one of an integration's.
pub(super) fn above(head: &IntegrationHead, is_own: bool) -> Vec<Crumb> {
    let mut crumbs = vec![crumb("Integrations", "/integrations")];
    if let Some((id, name)) = &head.client {
        crumbs.push(crumb(name.clone(), format!("/clients/{id}")));
    }
    if !is_own {
        crumbs.push(crumb(head.name.clone(), format!("/integrations/{}", head.id)));
    }
    crumbs
}

/// What stands at the top of all pages of an integration: title, name, state, actions, trouble, tabs.
#[component]
pub(super) fn Top(
    head: IntegrationHead,
    /// The tab that is open; empty: the integration's own page.
    #[prop(optional)]
    tab_of: &'static str,
    /// The page's own name, where it is not the integration's.
    #[prop(optional)]
    title: &'static str,
    /// More actions, before the usual ones.
    #[prop(optional, into)]
    more: Option<leptos::children::ViewFnOnce>,
    /// What stands above the tabs.
    #[prop(optional, into)]
    above_tabs: Option<leptos::children::ViewFnOnce>,
    again: Callback<()>,
) -> impl IntoView {
    let parents = above(&head, title.is_empty());
    let text = if title.is_empty() { head.name.clone() } else { title.to_owned() };
    let (standing, mode) = (head.standing, head.mode);
    let is_over = standing == Standing::Failing && !head.is_connected;
    let label = if is_over { "Sign-in ended" } else { standing.label() };
    let mut said: Vec<String> = Vec::new();
    if head.name != head.kind.label() {
        said.push(head.kind.label().to_owned());
    }
    said.push(head.client.as_ref().map_or_else(|| "Whole agency".to_owned(), |(_, name)| name.clone()));
    match (&head.account, &head.account_id) {
        (Some(account), Some(id)) if account != id => said.push(format!("{account} ({id})")),
        (Some(account), _) | (None, Some(account)) => said.push(format!("account {account}")),
        (None, None) => {}
    }
    if let Some(user) = &head.account_user {
        said.push(format!("signed in as {user}"));
    }
    if let Some(at) = &head.last_sync {
        said.push(format!("last sync {}", at.when()));
    }
    let tags = move || {
        let sandbox = mode == patchbay_connections::model::Mode::Sandbox;
        view! {
            <Tag tone=standing.tone()><StatusDot tone=standing.tone() on=standing == Standing::Works/>{label}</Tag>
            {sandbox.then(|| view! { <Tag tone=mode.tone()>{mode.label()}</Tag> })}
        }
    };
    let acts = head.clone();
    let sub = said.join(" · ");
    view! {
        <PageTitle text parents/>
        <PageHead
            title=head.name.clone()
            sub
            tags
            actions=move || view! { {more.map(leptos::children::ViewFnOnce::run)} <Acts head=acts again/> }
        />
        <Trouble head=head.clone()/>
        <SignInWords head=head.clone()/>
        {above_tabs.map(leptos::children::ViewFnOnce::run)}
        <Tabs label="Integration" items=tabs(&head, tab_of)/>
        {head.may_sign_in.then(|| view! { <Dialogs head/> })}
    }
}

fn tabs(head: &IntegrationHead, open: &str) -> Vec<TabItem> {
    let base = format!("/integrations/{}", head.id);
    let mut items = Vec::new();
    let kind = head.kind;
    let own = if kind.is_crm() { "Mapping" } else { "Overview" };
    let first = tab(own, base.clone(), open.is_empty());
    items.push(if kind.is_crm() { first.count(head.mapped) } else { first });
    if kind.is_crm() {
        items.push(tab("Deals", format!("{base}/deals"), open == "deals"));
        items.push(tab("Syncs", format!("{base}/syncs"), open == "syncs").count(head.syncs));
        items.push(tab("Records that failed", format!("{base}/failed"), open == "failed").count(head.failed));
    }
    if kind.takes_messages() {
        items.push(tab("Messages", format!("{base}/messages"), open == "messages"));
    }
    if head.may_manage {
        items.push(tab("Settings", format!("{base}/settings"), open == "settings"));
    }
    items
}

#[component]
fn Acts(head: IntegrationHead, again: Callback<()>) -> impl IntoView {
    let id = head.id.to_string();
    let same = id.clone();
    let works = head.standing == Standing::Works;
    let sync = (head.kind.is_crm() && head.may_manage && works).then(|| match head.running {
        Some(sync) => {
            view! { <LinkButton href=format!("/integrations/{id}/syncs/{sync}") icon="refresh-cw">"A sync runs"</LinkButton> }.into_any()
        }
        None => {
            let action = FormAction::of::<SyncIntegration>();
            view! {
                <ServerForm action class="inline" prefix="sync" no_summary=true>
                    <input type="hidden" name="id" value=id.clone()/>
                    <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">"Sync now"</SubmitButton>
                </ServerForm>
            }
            .into_any()
        }
    });
    let switch = (head.may_manage && head.standing != Standing::Unconnected).then(|| {
        let action = FormAction::of::<SwitchIntegration>();
        let paused = head.standing == Standing::Paused;
        view! {
            <ServerForm action class="inline" prefix="switch" no_summary=true on_done=again>
                <input type="hidden" name="id" value=same/>
                {paused.then(|| view! { <input type="hidden" name="on" value="true"/> })}
                <SubmitButton kind=ButtonKind::Plain icon=if paused { "play" } else { "pause" }>{if paused { "Resume" } else { "Pause" }}</SubmitButton>
            </ServerForm>
        }
    });
    let is_off = head.standing == Standing::Unconnected;
    let connect = match head.kind {
        kind if kind.is_crm() => (is_off && head.may_sign_in && !head.is_connected).then(|| {
            view! { <DialogLink name="reconnect" kind=ButtonKind::Primary icon="plug">"Sign in"</DialogLink> }
                .into_any()
        }),
        kind if kind.is_carrier() => (is_off && head.may_sign_in).then(|| {
            let href = format!("/integrations/new/{kind}");
            view! { <LinkButton href kind=ButtonKind::Primary icon="plug">"Connect"</LinkButton> }.into_any()
        }),
        _ => (is_off && head.may_sign_in).then(|| {
            let href = format!("/integrations/{}/settings", head.id);
            view! { <LinkButton href kind=ButtonKind::Primary icon="plug">"Connect"</LinkButton> }.into_any()
        }),
    };
    let leave = head.may_sign_in.then(|| match head.standing {
        Standing::Unconnected => {
            view! { <DialogLink name="remove" kind=ButtonKind::Danger icon="trash-2">"Remove"</DialogLink> }.into_any()
        }
        _ => view! { <DialogLink name="disconnect" kind=ButtonKind::Danger icon="plug">"Disconnect"</DialogLink> }
            .into_any(),
    });
    view! { {connect} {sync} {switch} {leave} }
}

/// What is wrong, how much waits, and what to do.
#[component]
fn Trouble(head: IntegrationHead) -> impl IntoView {
    if head.standing != Standing::Failing {
        return ().into_any();
    }
    let service = head.kind.label();
    let problem = head.problem.clone().unwrap_or_else(|| format!("{service} does not answer as it should."));
    let since = head.problem_at.clone().map(|at| view! { " Since "<Time stamp=at/>"." });
    let waits = waiting_words(&head);
    // Also while a token is kept: it may be the token, or the app at the service, that is wrong.
    let again = head.may_sign_in.then(|| match head.kind {
        kind if kind.is_crm() => {
            view! { <DialogLink name="reconnect" kind=ButtonKind::Primary small=true>"Reconnect"</DialogLink> }
                .into_any()
        }
        kind if kind.is_carrier() => {
            let href = format!("/integrations/new/{kind}");
            view! { <LinkButton href kind=ButtonKind::Primary small=true>"Enter the account again"</LinkButton> }
                .into_any()
        }
        _ => {
            let href = format!("/integrations/{}/settings", head.id);
            let word = if head.is_connected { "Settings" } else { "Sign in again" };
            view! { <LinkButton href kind=ButtonKind::Primary small=true>{word}</LinkButton> }.into_any()
        }
    });
    view! {
        <Callout tone=Tone::Bad>
            <div class="row wrap" role="status">
                <p class="grow"><b>{problem}</b>{since}" "{waits}</p>
                {again}
            </div>
        </Callout>
    }
    .into_any()
}

/// How much waits, in a sentence.
pub(super) fn waiting_words(head: &IntegrationHead) -> String {
    let (others, calls) = head.waits;
    let one = if head.kind.takes_messages() { ("message", "messages") } else { ("contact", "contacts") };
    let mut parts = Vec::new();
    if others > 0 {
        parts.push(counted(others, one.0, one.1));
    }
    if calls > 0 {
        parts.push(counted(calls, "call result", "call results"));
    }
    if parts.is_empty() {
        return "Nothing waits, and nothing is lost.".to_owned();
    }
    let verb = if others + calls == 1 { "waits" } else { "wait" };
    format!("{} {verb} here; nothing is lost.", parts.join(" and "))
}

/// How a sign-in ended that led back here without success.
#[component]
fn SignInWords(head: IntegrationHead) -> impl IntoView {
    let service = head.kind.label();
    let Some(words) = sign_in_words(service, head.kind.is_crm()) else { return ().into_any() };
    let is_other = query("sign_in").as_deref() == Some("other") && head.may_sign_in;
    let other =
        is_other.then(|| view! { <DialogLink name="other-account" small=true>"Use the other account"</DialogLink> });
    view! { <Callout tone=Tone::Warn><div class="row wrap" role="status"><p class="grow">{words}</p>{other}</div></Callout> }.into_any()
}

/// The words for `?sign_in=`. `has_records`: what is known of the other account's records goes with it.
pub(super) fn sign_in_words(service: &str, has_records: bool) -> Option<String> {
    Some(match query("sign_in")?.as_str() {
        "denied" => {
            format!("Nobody was signed in: the question at {service} was answered with no. Nothing has changed.")
        }
        "old" => "That sign-in took too long, or was used already. Begin it again.".to_owned(),
        "browser" => "That sign-in was begun in another browser. Begin it again in this one.".to_owned(),
        "other" if !has_records => format!(
            "You signed in to another account at {service} than before, and nothing has changed. Sign in again with the old one, or use the other one: what waits is then told there."
        ),
        "other" => format!(
            "You signed in to another account at {service} than before. Sign in again with the old one, or use the other one: what was linked to records of the old account is then forgotten here, contacts stay."
        ),
        _ => format!("{service} did not finish the sign-in. Try it again in some minutes."),
    })
}

#[component]
fn Dialogs(head: IntegrationHead) -> impl IntoView {
    let service = head.kind.label();
    let id = head.id.to_string();
    let (leave, remove, again, other) = (
        FormAction::of::<DisconnectIntegration>(),
        FormAction::of::<RemoveIntegration>(),
        FormAction::of::<SignInIntegration>(),
        FormAction::of::<SignInIntegration>(),
    );
    let text = match head.kind {
        IntegrationType::Hubspot | IntegrationType::Zoho => format!(
            "The sign-in is ended at {service} too, and nothing is read or written any more. Contacts stay here, and records stay there. Which is which stays known, so that signing in again doubles nothing."
        ),
        IntegrationType::Twilio | IntegrationType::Plivo => {
            format!("The account’s numbers place and take no more calls here. Nothing is changed at {service} itself.")
        }
        _ => format!(
            "{service} is told nothing any more, and the secrets for it are deleted. The log of messages stays."
        ),
    };
    let (same, third, gone) = (id.clone(), id.clone(), id.clone());
    let is_live = head.mode == patchbay_connections::model::Mode::Live;
    // The agency's app at the service is forgotten when an integration is disconnected, and may be another one now.
    // Slack may have been connected with a token, and then there was no app.
    let is_crm = head.kind.is_crm();
    let is_known = is_crm && head.account_id.is_some() && head.standing != Standing::Unconnected;
    let app = move || is_live.then(|| view! { <AppFields service is_known/> });
    let reconnect = is_crm.then(|| {
        view! {
            <ConfirmForm
                name="reconnect"
                action=again
                title=format!("Sign in at {service}")
                text=format!("You are led to {service}, and back here when you have signed in. What waits goes on by itself afterwards.")
                confirm="Go on"
            >
                <input type="hidden" name="id" value=same/>
                {app()}
                <ProofField/>
            </ConfirmForm>
        }
    });
    let other = (is_crm || head.kind == IntegrationType::Slack).then(|| {
        let text = match is_crm {
            true => "What was linked to records of the old account is forgotten here. Contacts stay, and are matched by phone number and e-mail address.",
            false => "You choose the channel anew. What waits is told there.",
        };
        view! {
            <ConfirmForm
                name="other-account"
                action=other
                title="Use the other account?"
                text
                confirm="Sign in with the other account"
                danger=true
            >
                <input type="hidden" name="id" value=third/>
                <input type="hidden" name="other" value="true"/>
                {app()}
                <ProofField/>
            </ConfirmForm>
        }
    });
    view! {
        <ConfirmForm name="disconnect" action=leave title=format!("Disconnect {}?", head.name) text confirm="Disconnect" danger=true>
            <input type="hidden" name="id" value=id/>
            <ProofField/>
        </ConfirmForm>
        <ConfirmForm
            name="remove"
            action=remove
            title=format!("Remove {}?", head.name)
            text="It goes from the list, with its mapping and with what is known of its records. Contacts and calls stay. This cannot be undone."
            confirm="Remove"
            danger=true
        >
            <input type="hidden" name="id" value=gone/>
        </ConfirmForm>
        {reconnect}
        {other}
    }
}

/// The agency's own app at the service.
#[component]
pub(super) fn AppFields(
    service: &'static str,
    /// One was typed before, and goes on when none is typed.
    #[prop(optional)]
    is_known: bool,
) -> impl IntoView {
    let hint = match is_known {
        true => "Empty: the app that was typed before. Type both when it was changed at the service.".to_owned(),
        false => format!("You make an app once in the developer pages of {service}. Live mode only."),
    };
    view! {
        <TextInput
            name="app_id"
            label="Client ID of your app"
            class="mono"
            autocomplete="off"
            maxlength=300
            mark=false
            hint
        />
        <TextInput name="app_secret" label="Client secret of your app" kind="password" autocomplete="off" maxlength=300 mark=false/>
    }
}
