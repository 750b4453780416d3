use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::ABOVE;
use crate::model::{RuleForm, RuleOutcome, RulePage, RuleRow, Switched, TextPreview};
use crate::server_fns::{RemoveTextRule, SaveTextRule, SwitchTextRule, get_text_rule};
use patchbay_access::Action;
use patchbay_shared::phone::spaced;
use patchbay_shell::{HistoryLink, refused};
use patchbay_ui::*;

fn above() -> Vec<Crumb> {
    vec![crumb(ABOVE.0, ABOVE.1), crumb("Rules", "/messages/rules")]
}

/// The form of a new rule.
#[lazy]
pub fn new_text_rule_page() -> PageView {
    let page = load(|| (), |()| get_text_rule(None, None));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageTexts) {
            return refused;
        }
        view! {
            <PageTitle text="New rule" parents=above()/>
            <PageHead title="New rule" sub="Sends a text message after calls of one client that end in a certain way, once for each call."/>
            <PageBoundary data=page view=move |page: RulePage| view! { <Card><Form page again=None/></Card> }/>
        }
        .into_any()
    })
}

/// One rule, with its message as a contact would get it.
#[lazy]
pub fn text_rule_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("rule").unwrap_or_default(), query("contact"));
    let page = load(asked, |(id, contact)| get_text_rule(Some(id), contact));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: RulePage| view! { <Present page again/> }/> }.into_any()
    })
}

#[component]
fn Present(page: RulePage, again: Callback<()>) -> impl IntoView {
    let Some(row) = page.row.clone() else { return ().into_any() };
    let (id, enabled, may_edit, name) = (row.id.to_string(), row.enabled, page.may_edit, row.name.clone());
    let acts = {
        let id = id.clone();
        move || {
            view! {
                <HistoryLink id=id.clone()/>
                <LinkButton href=format!("/messages?rule={id}") icon="message-square">"Its messages"</LinkButton>
                {may_edit.then(|| view! { <SwitchIt id=id.clone() enabled again/> })}
            }
        }
    };
    let preview = view! { <PreviewCard id=id.clone() contacts=page.contacts.clone() preview=page.preview.clone()/> };
    let main = match may_edit {
        true => view! { <Card title="The rule"><Form page again=Some(again)/></Card> }.into_any(),
        false => {
            let template = row.template.clone();
            view! { <Card title="Message"><p class="pre-line break">{template}</p></Card> }.into_any()
        }
    };
    let danger = may_edit.then(|| {
        let remove = FormAction::of::<RemoveTextRule>();
        view! {
            <Card title="Remove" class="danger-zone">
                <p class="sub">"It sends nothing any more, and what waits is not sent. Its messages are kept."</p>
                <p class="mt-4"><DialogLink name="remove" kind=ButtonKind::Danger icon="trash-2">"Remove the rule"</DialogLink></p>
            </Card>
            <ConfirmForm
                name="remove"
                action=remove
                title="Remove this rule?"
                text="It sends nothing any more, and what waits is not sent. Its messages are kept. This cannot be undone."
                confirm="Remove"
                danger=true
            >
                <input type="hidden" name="id" value=id/>
            </ConfirmForm>
        }
    });
    view! {
        <PageTitle text=name.clone() parents=above()/>
        <PageHead title=name tags=move || cell::state(Switched::of(enabled)) actions=acts/>
        <div class="cols main-side">
            <div class="stack gap-4 min0">{main}{danger}</div>
            <div class="stack gap-4 min0"><Glance row/>{preview}</div>
        </div>
    }
    .into_any()
}

#[component]
fn Glance(row: RuleRow) -> impl IntoView {
    let outcomes = row.outcomes.iter().map(|outcome| outcome.label()).collect::<Vec<_>>().join("; ");
    let delay = match row.delay_minutes {
        0 => "At once".to_owned(),
        1 => "After 1 minute".to_owned(),
        minutes => format!("After {minutes} minutes"),
    };
    let hours = if row.hours.0 == row.hours.1 {
        "At any time".to_owned()
    } else {
        format!("{} to {}, where the contact is", row.hours.0, row.hours.1)
    };
    view! {
        <Card title="At a glance">
            <Facts>
                <Fact label="Client">{row.client}</Fact>
                <Fact label="After">{outcomes}</Fact>
                <Fact label="When">{delay}</Fact>
                <Fact label="Hours">{hours}</Fact>
                <Fact label="From">{row.number.as_deref().map_or_else(|| "The number of the call".to_owned(), spaced)}</Fact>
                <Fact label="Last message">{cell::time_or(row.last.as_ref(), "None yet")}</Fact>
            </Facts>
        </Card>
    }
}

#[component]
fn PreviewCard(id: String, contacts: Vec<(String, String)>, preview: Option<TextPreview>) -> impl IntoView {
    let Some(preview) = preview else {
        return view! { <Card title="Preview"><p class="sub">"The client has no contact yet to show the message for."</p></Card> }.into_any();
    };
    let text = match preview.text {
        Ok(text) => view! { <p class="pre-line break">{text}</p> }.into_any(),
        Err(why) => view! { <p class="sub">{format!("Not sent to this contact: {why}")}</p> }.into_any(),
    };
    let length = preview.length.map(|length| view! { <p class="note">{length.text()}</p> });
    let action = Signal::derive(move || format!("/messages/rules/{id}"));
    view! {
        <Card title="Preview">
            {text}
            {length}
            <GetForm action class="form mt-4">
                <Select name="contact" label="For" options=contacts value=preview.contact/>
                <FormActs><SubmitButton kind=ButtonKind::Plain icon="eye">"Show"</SubmitButton></FormActs>
            </GetForm>
        </Card>
    }
    .into_any()
}

#[component]
fn Form(page: RulePage, again: Option<Callback<()>>) -> impl IntoView {
    let save = FormAction::of::<SaveTextRule>();
    let RulePage { row, form, clients, numbers, .. } = page;
    let (word, done) = if row.is_some() { ("Save", "Saved") } else { ("Add the rule", "Rule added") };
    let numbers = options_of(numbers.into_iter().map(|choice| (choice.id.to_string(), spaced(&choice.number))));
    let client = if form.client.is_empty() { query("client").unwrap_or_default() } else { form.client.clone() };
    let ticks = RuleOutcome::ALL
        .iter()
        .map(|outcome| {
            view! { <Checkbox name=outcome.as_str() label=outcome.label() checked=form.has(*outcome) value="on"/> }
        })
        .collect_view();
    let RuleForm { id, name, template, number, delay_minutes, hours_start, hours_end, .. } = form;
    view! {
        <ServerForm action=save class="form" nostrip:on_done=again said=done>
            <input type="hidden" name="id" value=id/>
            <TextInput name="name" label="Name" value=name required=true maxlength=120 autocomplete="off" placeholder="Missed calls"/>
            <Select name="client" label="Client" options=clients value=client prompt="Choose a client" required=true/>
            <Fieldset legend="After calls that end so">{ticks}</Fieldset>
            <TextArea
                name="template"
                label="Message"
                value=template
                rows=5
                required=true
                maxlength=1600
                hint="With {{first_name}}, {{contact_name}}, {{company}}, {{email}}, {{phone}}, {{client_name}}, {{agent_name}} and the contact’s own details. Where one of them has no value, nothing is sent. Say who writes, and that STOP ends messages."
            />
            <Select
                name="number"
                label="From"
                options=numbers
                value=number
                prompt="The number of the call"
                mark=false
                hint="Where the call’s number carries no messages, the first one of the client that does."
            />
            <TextInput
                name="delay_minutes"
                label="Minutes after the call"
                value=delay_minutes
                class="short"
                mark=false
                inputmode="numeric"
                hint="Empty: at once. At most a week, which is 10,080."
            />
            <TextInput name="hours_start" label="Not before" value=hours_start class="short" mark=false kind="time"/>
            <TextInput
                name="hours_end"
                label="Not after"
                value=hours_end
                class="short"
                mark=false
                kind="time"
                hint="Where the contact is, on any day. What is due at another hour waits. Both alike: at any time."
            />
            <FormActs><SubmitButton icon="check">{word}</SubmitButton></FormActs>
        </ServerForm>
    }
}

#[component]
fn SwitchIt(id: String, enabled: bool, again: Callback<()>) -> impl IntoView {
    let switch = FormAction::of::<SwitchTextRule>();
    let (word, icon) = if enabled { ("Switch off", "pause") } else { ("Switch on", "play") };
    view! {
        <ServerForm action=switch class="inline" prefix="switch" on_done=again no_summary=true said="Saved">
            <input type="hidden" name="id" value=id/>
            {(!enabled).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}
