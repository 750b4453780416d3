use std::sync::Arc;

use leptos::prelude::*;

use crate::server_fns::{ChangeCampaign, CreateCampaign, get_campaign_choices};
use crate::{Campaign, CampaignChoices, CampaignForm, CampaignType, Choice, FILLED_BY_CONTACT};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::phone::spaced;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The form for a new campaign: first the client, because agents and numbers go by it.
#[lazy]
pub fn new_campaign_page() -> PageView {
    let choices = load(|| query("client"), get_campaign_choices);
    Arc::new(move || {
        view! {
            <PageTitle text="New campaign" parents=vec![crumb("Campaigns", "/campaigns")]/>
            <PageBoundary data=choices view=move |choices: CampaignChoices| view! { <NewForm choices/> }/>
        }
        .into_any()
    })
}

#[component]
fn NewForm(choices: CampaignChoices) -> impl IntoView {
    let Some(client) = choices.client_id else {
        let clients = options_of(choices.clients.into_iter().map(|choice| (choice.id, choice.label)));
        return view! {
            <PageHead title="New campaign" sub="Choose the client first: it decides which agents and numbers you can use."/>
            <Card>
                <GetForm action="/campaigns/new" class="form">
                    <Select name="client" label="Client" options=clients prompt="Choose a client" required=true/>
                    <FormActs>
                        <SubmitButton>"Continue"</SubmitButton>
                        <a class="btn ghost" href="/campaigns">"Cancel"</a>
                    </FormActs>
                </GetForm>
            </Card>
        }
        .into_any();
    };
    let create = FormAction::of::<CreateCampaign>();
    let form = CampaignForm {
        kind: CampaignType::Sdr.as_str().into(),
        start: "09:00".into(),
        end: "19:00".into(),
        max_attempts: "2".into(),
        retry_minutes: "60".into(),
        mon: Some("on".into()),
        tue: Some("on".into()),
        wed: Some("on".into()),
        thu: Some("on".into()),
        fri: Some("on".into()),
        ..CampaignForm::default()
    };
    view! {
        <PageHead title="New campaign" sub=format!("For {}. It starts as a draft.", choices.client_name)/>
        <ServerForm action=create class="form">
            <input type="hidden" name="client" value=client.to_string()/>
            <Fields form choices/>
            <FormActs>
                <SubmitButton>"Create campaign"</SubmitButton>
                <a class="btn ghost" href="/campaigns">"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
    .into_any()
}

/// The settings of a present campaign.
#[component]
pub(crate) fn EditForm(campaign: Campaign, choices: Loaded<CampaignChoices>) -> impl IntoView {
    view! {
        <BlockBoundary
            data=choices
            view=move |choices: CampaignChoices| view! { <ChangeForm campaign=campaign.clone() choices/> }
        />
    }
}

#[component]
fn ChangeForm(campaign: Campaign, mut choices: CampaignChoices) -> impl IntoView {
    let change = FormAction::of::<ChangeCampaign>();
    // What is chosen now stays in the lists, also when nobody could choose it any more.
    let (agent, number) = (campaign.agent_id.to_string(), campaign.number_id.to_string());
    keep(&mut choices.agents, agent, campaign.agent_name.clone());
    keep(&mut choices.numbers, number, campaign.from_number.clone());
    let form = CampaignForm::of(&campaign);
    view! {
        <ServerForm action=change class="form">
            <input type="hidden" name="id" value=campaign.id.to_string()/>
            <Fields form choices/>
            <FormActs><SubmitButton>"Save"</SubmitButton></FormActs>
        </ServerForm>
    }
}

fn keep(choices: &mut Vec<Choice>, id: String, label: Option<String>) {
    if !choices.iter().any(|choice| choice.id == id) {
        let choice = match label {
            Some(label) => Choice { id, label, note: Some("no longer usable".into()) },
            // The agency's own, which its clients' people do not see.
            None => Choice { id, label: "As the agency chose".into(), note: None },
        };
        choices.insert(0, choice);
    }
}

#[component]
fn Fields(form: CampaignForm, choices: CampaignChoices) -> impl IntoView {
    let days = [
        ("form[mon]", "Monday", &form.mon),
        ("form[tue]", "Tuesday", &form.tue),
        ("form[wed]", "Wednesday", &form.wed),
        ("form[thu]", "Thursday", &form.thu),
        ("form[fri]", "Friday", &form.fri),
        ("form[sat]", "Saturday", &form.sat),
        ("form[sun]", "Sunday", &form.sun),
    ]
    .map(|(name, label, ticked)| view! { <Checkbox name=name label=label checked=ticked.is_some() value="on"/> })
    .collect_view();
    let no_agent = choices.agents.is_empty();
    let no_number = choices.numbers.is_empty();
    let spaced = |choice: Choice| Choice { label: spaced(&choice.label), ..choice };
    let numbers = choices.numbers.into_iter().map(spaced).collect();
    view! {
        {(no_agent || no_number).then(|| view! { <Missing no_agent no_number/> })}
        <Card title="Basics">
            <div class="form two">
                <TextInput name="form[name]" label="Name" value=form.name required=true maxlength=120/>
                <RadioCards
                    name="form[kind]"
                    legend="For"
                    options=vec![
                        RadioOption::new("sdr", "Sales development", "The analysis looks for meetings and qualified leads."),
                        RadioOption::new("cs", "Customer service", "The analysis looks for solved issues and satisfaction."),
                    ]
                    value=form.kind
                />
                <Select name="form[agent]" label="Agent" options=labels(choices.agents) value=form.agent prompt="Choose an agent" required=true/>
                <Select name="form[number]" label="Call from" options=labels(numbers) value=form.number prompt="Choose a number" required=true/>
                <TextArea name="form[goal]" label="Goal" value=form.goal rows=3 hint="In a sentence or two: what counts as reached. Prompts can read it as {{goal}}."/>
            </div>
        </Card>
        <Card title="Variables">
            <TextArea
                name="form[variables]"
                label="Values for the prompt"
                value=form.variables
                rows=6
                class="mono"
                hint="One name = value per line. A contact's own value for the same name takes precedence."
            />
            <Placeholders placeholders=choices.placeholders/>
        </Card>
        <Card title="Calling hours and attempts">
            <Fieldset legend="Days" class="row wrap">{days}</Fieldset>
            <div class="form two mt-4">
                <DateTimeInput name="form[start]" label="From" value=form.start time_only=true required=true hint="In the contact's own time zone."/>
                <DateTimeInput name="form[end]" label="Until" value=form.end time_only=true required=true hint="Nobody is dialled from this minute on."/>
                <TextInput name="form[max_attempts]" label="Calls to one contact at most" kind="number" min="1" max="10" value=form.max_attempts class="short" required=true/>
                <TextInput
                    name="form[retry_minutes]"
                    label="Wait before the next attempt"
                    kind="number"
                    min="1"
                    max="10080"
                    value=form.retry_minutes
                    class="short"
                    suffix_text="min"
                    required=true
                />
            </div>
        </Card>
    }
}

fn labels(choices: Vec<Choice>) -> Vec<(String, String)> {
    choices
        .into_iter()
        .map(|choice| match choice.note {
            Some(note) => (choice.id, format!("{} ({note})", choice.label)),
            None => (choice.id, choice.label),
        })
        .collect()
}

#[component]
fn Missing(no_agent: bool, no_number: bool) -> impl IntoView {
    if !viewer().may(Action::ReadWorkshop) {
        return view! {
            <Callout tone=Tone::Warn>
                {no_agent.then(|| view! { <p>"No agent is yours alone yet. Ask your agency for one."</p> })}
                {no_number.then(|| view! { <p>"No number is yours alone yet. Ask your agency for one."</p> })}
            </Callout>
        }
        .into_any();
    }
    view! {
        <Callout tone=Tone::Warn>
            {no_agent.then(|| view! { <p>"No agent works for this client yet. " <a class="link" href="/agents">"Set one up"</a></p> })}
            {no_number.then(|| view! { <p>"There is no active number to call from. " <a class="link" href="/numbers">"Get a number"</a></p> })}
        </Callout>
    }
    .into_any()
}

/// Which names each agent's prompt asks for, so that nobody has to look them up.
#[component]
fn Placeholders(placeholders: Vec<(String, Vec<String>)>) -> impl IntoView {
    let mut names: Vec<String> = placeholders.into_iter().flat_map(|(_, names)| names).collect();
    names.sort();
    names.dedup();
    names.retain(|name| !FILLED_BY_CONTACT.contains(&name.as_str()));
    let filled = FILLED_BY_CONTACT.map(|name| format!("{{{{{name}}}}}")).join(", ");
    view! {
        {(!names.is_empty()).then(|| view! {
            <p class="sub">"Prompts of these agents ask for: " <span class="mono">{names.join(", ")}</span> "."</p>
        })}
        <p class="sub">"Filled in automatically: " <span class="mono">{filled}</span> ", and every column that was imported as a variable."</p>
    }
}
