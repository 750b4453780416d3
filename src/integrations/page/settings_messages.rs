use std::sync::Arc;

use leptos::prelude::*;

use super::own_id;
use crate::model::{CustomMethod, CustomSettings, IntegrationHead, NewIntegrationSecret, OUTCOMES, Standing, Tried};
use crate::server_fns::{MakeIntegrationSecret, SaveCustom, TestCustom, take_integration_secret};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{ProofField, refused};
use patchbay_ui::form::typed;
use patchbay_ui::*;
use patchbay_webhooks::model::EventType;

pub(super) fn event_boxes(offered: &[EventType], chosen: &[String]) -> AnyView {
    let options = offered.iter().map(|kind| RadioOption::new(kind.as_str(), kind.label(), "")).collect();
    view! { <Boxes name="events" legend="Events" options chosen=chosen.to_vec()/> }.into_any()
}

pub(super) fn outcome_boxes(chosen: &[String]) -> AnyView {
    let options = OUTCOMES.iter().map(|(word, label)| RadioOption::new(*word, *label, "")).collect();
    view! { <Boxes name="outcomes" legend="Only calls that ended so" options chosen=chosen.to_vec() hint="None ticked: all calls."/> }
        .into_any()
}

/// How a system of the agency's own is spoken to.
#[component]
pub(super) fn CustomSettingsCards(head: IntegrationHead, custom: CustomSettings, again: Callback<()>) -> impl IntoView {
    let (save, test) = (FormAction::of::<SaveCustom>(), FormAction::of::<TestCustom>());
    let id = head.id.to_string();
    let CustomSettings { form, intake, has_key, has_incoming_secret } = custom;
    let offered: Vec<EventType> = EventType::offered().collect();
    let has_address = !form.url.is_empty();
    // Others keep what an owner has typed.
    let (may_sign_in, kept) = (head.may_sign_in, form.secret_headers.clone());
    let secret_headers = move || {
        match may_sign_in {
        true => view! { <NotKept/> <TextArea name="secret_headers" label="Secret headers" value=kept.clone() rows=2 class="mono" maxlength=40000 placeholder="Authorization: Bearer …" hint="The same, but stored encrypted. ••• keeps the value that is there."/> }.into_any(),
        false => view! { <input type="hidden" name="secret_headers" value=kept.clone()/> }.into_any(),
    }
    };
    let (same, third, shown) = (id.clone(), id.clone(), intake.clone());
    let methods = options_of(CustomMethod::ALL.iter().map(|method| (method.as_str(), method.label())));
    let try_it = move || {
        has_address.then(|| {
            view! {
                <ServerForm action=test class="inline" prefix="test" no_summary=true on_done=again>
                    <input type="hidden" name="id" value=third/>
                    <SubmitButton kind=ButtonKind::Plain small=true icon="send">"Send an example"</SubmitButton>
                </ServerForm>
            }
        })
    };
    let secrets = [
        (
            "outgoing",
            "Signs what Patchbay sends",
            has_address && head.standing != Standing::Unconnected,
            "Make another signing secret",
        ),
        ("incoming", "Signs what the system sends here", has_incoming_secret, "Make a secret for what comes in"),
        ("key", "Speaks for senders that cannot sign", has_key, "Make a key"),
    ];
    let secrets = head.may_sign_in.then(|| {
        let rows = secrets
            .map(|(kind, means, is_there, word)| {
                let state = if is_there { "There is one." } else { "None yet." };
                view! { <li><div class="grow"><b>{means}</b><small>{state}</small></div><DialogLink name=format!("secret-{kind}") class="link x">{word}</DialogLink></li> }
            })
            .into_iter()
            .collect_view();
        let dialogs = ["outgoing", "incoming", "key"]
            .map(|kind| {
                let action = FormAction::of::<MakeIntegrationSecret>();
                let id = id.clone();
                let text = match kind {
                    "key" => "It is shown once. The one before it ends at once.",
                    _ => "It is shown once. The one before it goes on for 24 hours, so that the system can change over. Make another one twice to end it at once.",
                };
                view! {
                    <ConfirmForm
                        name=format!("secret-{kind}")
                        action
                        title="Make another one?"
                        text
                        confirm="Make it"
                    >
                        <input type="hidden" name="id" value=id/>
                        <input type="hidden" name="kind" value=kind/>
                        <ProofField/>
                    </ConfirmForm>
                }
            })
            .into_iter()
            .collect_view();
        view! { <Card title="Secrets"><ul class="list">{rows}</ul></Card> {dialogs} }
    });
    view! {
        <ServerForm action=save class="stack gap-4" prefix="custom" on_done=again said="Saved">
            <input type="hidden" name="id" value=same/>
            <Card title="What goes out" class="form">
                <div class="form">
                    <TextInput name="url" label="Address" kind="url" value=form.url.clone() class="mono" maxlength=2000 placeholder="https://example.com/hook" hint="A public address. Empty: nothing goes out."/>
                    <Select name="method" label="Method" options=methods value=form.method.clone() mark=false/>
                    <TextArea name="headers" label="Headers" value=form.headers.clone() rows=2 class="mono" maxlength=40000 placeholder="X-Source: patchbay" hint="Name: value, one a line."/>
                    {secret_headers()}
                    {event_boxes(&offered, &form.events)}
                    {outcome_boxes(&form.outcomes)}
                    <TextArea name="template" label="Template" value=form.template.clone() rows=8 class="mono" maxlength=16000 placeholder="{\"phone\": \"{{data.to}}\", \"result\": \"{{data.outcome}}\"}" hint="JSON with {{data.outcome}} and the like. Empty: the event as it is."/>
                    <TextArea name="answers" label="Taken from the answer" value=form.answers.clone() rows=2 class="mono" maxlength=40000 placeholder="/id = detail:ticket" hint="Place in the answer = detail of the contact, one a line."/>
                </div>
            </Card>
            <Card title="What comes in">
                <div class="form">
                    <p class="row wrap"><code class="break">{shown}</code><CopyButton text=intake label="Copy the address"/></p>
                    <TextInput name="records" label="Where the records stand" value=form.records.clone() class="mono" maxlength=300 placeholder="/contacts" hint="Empty: what comes in is one record, or a list of them."/>
                    <TextArea name="incoming" label="Fields of a contact" value=form.incoming.clone() rows=5 class="mono" maxlength=40000 placeholder="/phone = phone" hint="Place in the record = field, one a line: phone, name, email, company, do_not_call or detail:name. Empty: nothing is taken in."/>
                </div>
            </Card>
            {may_sign_in.then(|| view! { <ProofField only="Only when you type a secret header."/> })}
            <FormActs><SubmitButton icon="check">"Save"</SubmitButton></FormActs>
        </ServerForm>
        <Card title="Try it" right=try_it>
            <p class="sub">"Sends an example by what is saved, signed as a real one, and shows what was answered."</p>
        </Card>
        {secrets}
    }
}

/// Secrets are not among what comes back with a form that was refused without script.
#[component]
fn NotKept() -> impl IntoView {
    matches!(typed("secret_headers"), Some(None)).then(|| {
        view! { <Callout tone=Tone::Warn><p>"Secret headers that you typed were not kept. Type them again."</p></Callout> }
    })
}

/// How a message by hand went.
#[component]
pub(super) fn TriedCard(tried: Tried) -> impl IntoView {
    let (tone, word) = if tried.is_ok { (Tone::Ok, "Arrived") } else { (Tone::Bad, "Did not arrive") };
    let problem = (!tried.problem.is_empty()).then(|| view! { <p>{tried.problem.clone()}</p> });
    let block = |title: &'static str, text: String| {
        (!text.is_empty()).then(|| view! { <h3>{title}</h3><pre class="code wrap">{text}</pre> })
    };
    view! {
        <Card title="The try" right=move || view! { <Tag tone>{word}</Tag> }>
            <div class="stack gap-3" role="status">{problem}{block("Sent", tried.request)}{block("Answered", tried.answer)}</div>
        </Card>
    }
}

/// A secret, this once.
#[lazy]
pub fn integration_secret_page() -> PageView {
    let made = load(|| (), |()| take_integration_secret());
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageConnections) {
            return refused;
        }
        let id = own_id();
        view! { <PageBoundary data=made view={move |made: Option<NewIntegrationSecret>| view! { <Secret made id=id.clone()/> }}/> }.into_any()
    })
}

#[component]
fn Secret(made: Option<NewIntegrationSecret>, id: String) -> impl IntoView {
    let back = format!("/integrations/{id}/settings");
    let parents = vec![crumb("Integrations", "/integrations"), crumb("Settings", back.clone())];
    let body = match made.filter(|made| made.integration == id) {
        Some(made) => {
            let secret = made.secret.clone();
            let means = match made.kind.as_str() {
                "outgoing" => "With it the system checks that a request comes from Patchbay.",
                "incoming" => "With it the system signs what it sends here, as Standard Webhooks says.",
                _ => "The system sends it along as a key, if it cannot sign.",
            };
            view! {
                <Card title=made.name>
                    <div class="stack gap-3">
                        <p>{means}" It is shown this once."</p>
                        <p class="secret"><code>{secret.clone()}</code><CopyButton text=secret label="Copy the secret"/></p>
                        {(!made.address.is_empty()).then(|| view! { <Facts><Fact label="Address" class="mono break">{made.address}</Fact></Facts> })}
                    </div>
                </Card>
            }
            .into_any()
        }
        None => view! { <Callout tone=Tone::Info><p>"A secret is shown once, right after it was made. Make another one if this one is lost."</p></Callout> }.into_any(),
    };
    view! {
        <PageTitle text="Secret" parents/>
        <PageHead title="Secret"/>
        {body}
        <p><LinkButton href=back icon="arrow-left">"Back to the settings"</LinkButton></p>
    }
}
