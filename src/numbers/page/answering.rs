//! Whom a number belongs to, who answers it, and where its calls go.

use leptos::prelude::*;

use crate::model::{AnswerHours, CLOSED, ConnectionKind, NumberPage, NumberStatus, UNAVAILABLE, carrier_name};
use crate::server_fns::{AssignNumber, CheckNumberRoute};
use patchbay_agents::model::CallDirection;
use patchbay_shared::Tone;
use patchbay_shared::window::CallingWindow;
use patchbay_shared::zones::zone_options;
use patchbay_ui::*;

#[component]
pub(super) fn Assign(number: NumberPage, again: Callback<()>) -> impl IntoView {
    let assign = FormAction::of::<AssignNumber>();
    let clients = options_of(number.clients.iter().map(|client| (client.id.to_string(), client.name.clone())));
    let agents = options_of(number.agents.iter().map(|agent| {
        let client = agent.client.as_deref().unwrap_or("whole agency");
        let way = if agent.is_for_callers { ", answers calls" } else { "" };
        (agent.id.to_string(), format!("{} ({client}{way})", agent.name))
    }));
    let answering = number.answering.clone();
    let directions = options_of([("outbound", "Agents call from it"), ("inbound", "People call it")]);
    let carrier = carrier_name(&number.row.carrier).to_owned();
    let id = |id: Option<patchbay_shared::ids::AgentId>| id.map(|id| id.to_string()).unwrap_or_default();
    view! {
        <ServerForm action=assign class="form" on_done=again said="Number saved">
            <input type="hidden" name="id" value=number.row.id.to_string()/>
            <Select
                name="client_id"
                label="Client"
                options=clients
                value=number.client_id.map(|id| id.to_string()).unwrap_or_default()
                prompt="Whole agency"
                mark=false
                hint="Only this client’s campaigns may call from it, and callers are looked up among this client’s contacts."
            />
            <Select
                name="direction"
                label="Direction"
                options=directions
                value=number.row.direction.as_str()
                required=true
                hint=format!("When people call it and it is said below what happens then, {carrier} is told to send its calls here. Agents can still call from it.")
            />
            <Select
                name="agent_id"
                label="Agent"
                options=agents.clone()
                value=id(number.agent_id)
                prompt="None"
                mark=false
                hint="Who answers when somebody calls it."
            />
            <Hours hours=answering.hours zone=number.zone.clone()/>
            <Select
                name="after_hours_agent_id"
                label="Agent outside these hours"
                options=agents
                value=id(answering.after_hours_agent_id)
                prompt="None: callers hear the sentence below"
                mark=false
            />
            <TextArea
                name="after_hours_words"
                label="What callers hear outside these hours"
                value=answering.after_hours_words.unwrap_or_default()
                rows=2
                maxlength=500
                mark=false
                hint=format!("When no agent answers then. Left empty, they hear: “{CLOSED}”")
            />
            <TextArea
                name="fallback_words"
                label="What callers hear when nobody can answer"
                value=answering.fallback_words.unwrap_or_default()
                rows=2
                maxlength=500
                mark=false
                hint=format!("When the agent cannot take the call. Left empty, they hear: “{UNAVAILABLE}”")
            />
            <FormActs><SubmitButton>"Save"</SubmitButton></FormActs>
        </ServerForm>
    }
}

#[component]
fn Hours(hours: Option<AnswerHours>, zone: String) -> impl IntoView {
    let when = if hours.is_some() { "hours" } else { "always" };
    let zone = hours.as_ref().map_or(zone, |hours| hours.zone.clone());
    let window = hours.map_or_else(CallingWindow::default, |hours| hours.window);
    let days = [
        ("mon", "Monday"),
        ("tue", "Tuesday"),
        ("wed", "Wednesday"),
        ("thu", "Thursday"),
        ("fri", "Friday"),
        ("sat", "Saturday"),
        ("sun", "Sunday"),
    ];
    let days = (1_u8..)
        .zip(days)
        .map(|(day, (name, label))| view! { <Checkbox name=name label=label checked=window.days.contains(&day) value="on"/> })
        .collect_view();
    view! {
        <RadioCards
            name="when"
            legend="The agent answers"
            options=vec![
                RadioOption::new("always", "At all hours", "Every call, day and night."),
                RadioOption::new("hours", "At these hours", "Outside them another agent answers, or callers hear a sentence."),
            ]
            value=when
        />
        <Fieldset legend="Days"><div class="row wrap">{days}</div></Fieldset>
        <div class="form two">
            <DateTimeInput name="start" label="From" value=window.start.format("%H:%M").to_string() time_only=true/>
            <DateTimeInput
                name="end"
                label="Until"
                value=window.end.format("%H:%M").to_string()
                time_only=true
                hint="Earlier than “From” means past midnight."
            />
        </div>
        <Select name="zone" label="Time zone" options=zone_options(&zone) value=zone.clone() mark=false/>
    }
}

#[component]
pub(super) fn Assigned(number: NumberPage) -> impl IntoView {
    let hours = number.answering.hours.as_ref().map_or_else(|| "At all hours".to_owned(), AnswerHours::text);
    view! {
        <Facts>
            <Fact label="Client">{number.row.client.unwrap_or_else(|| "Whole agency".into())}</Fact>
            <Fact label="Direction">{number.row.direction.label()}</Fact>
            <Fact label="Agent">{number.row.agent.unwrap_or_else(|| "None".into())}</Fact>
            <Fact label="Answers">{hours}</Fact>
            <Fact label="Outside these hours">{number.after_hours_agent.unwrap_or_else(|| "Nobody".into())}</Fact>
        </Facts>
    }
}

/// Where the carrier sends the number's calls.
#[component]
pub(super) fn RouteCard(number: NumberPage, can: bool, again: Callback<()>) -> impl IntoView {
    let is_called = number.row.direction == CallDirection::Inbound;
    let is_active = number.row.status == NumberStatus::Active;
    let answering = &number.answering;
    let is_answered = number.agent_id.is_some()
        || answering.after_hours_agent_id.is_some()
        || answering.after_hours_words.is_some()
        || answering.fallback_words.is_some();
    let route = number.route;
    let carrier = carrier_name(&number.row.carrier).to_owned();
    let words = match (&route.since, is_called) {
        (Some(_), true) if route.drift.is_some() || route.error.is_some() => {
            "Patchbay should answer its calls.".to_owned()
        }
        (Some(_), true) => format!("{carrier} sends its calls to Patchbay."),
        (Some(_), false) => format!(
            "{carrier} still sends its calls to Patchbay. Callers hear that nobody can answer, and the call is listed as missed."
        ),
        (None, true) if !is_active => "The number is not active, so nobody is told to send its calls here.".to_owned(),
        (None, true) if !is_answered => {
            format!("Nobody was chosen to answer it, so its calls go where the {carrier} account sends them.")
        }
        (None, true) => format!("{carrier} does not send its calls to Patchbay yet."),
        (None, false) => {
            format!("Its calls go where the {carrier} account sends them. Patchbay does not answer them.")
        }
    };
    let unchecked = route.unchecked.map(|why| format!("{carrier} could not be asked last time. {why}"));
    let waiting = format!("{carrier} is being told now.");
    let check = FormAction::of::<CheckNumberRoute>();
    let listed = format!("/calls?direction=inbound&q={}", number.row.number.trim_start_matches('+'));
    // Looking changes nothing at the carrier. Where something differs, a person says that it is to be set.
    let sets = is_called && is_answered && (route.drift.is_some() || route.error.is_some() || route.since.is_none());
    let word = match (sets, route.since.is_some()) {
        (false, _) => format!("Check at {carrier}"),
        (true, true) => "Set again".to_owned(),
        (true, false) => format!("Set at {carrier}"),
    };
    let elsewhere = route.elsewhere.filter(|_| !route.is_waiting).map(|found| {
        let what = match found.kind {
            ConnectionKind::Ours if number.account.is_some() => "Patchbay".to_owned(),
            ConnectionKind::Ours => "Patchbay’s own application".to_owned(),
            kind => {
                found.name.clone().map_or_else(|| kind.label().to_owned(), |name| format!("{}: {name}", kind.label()))
            }
        };
        view! { <Fact label="Its calls go to">{what}" "<span class="mono break sub">{found.id}</span></Fact> }
    });
    let shared = route.shared_drift.map(|what| {
        view! { <Callout tone=Tone::Warn><p>{what}" "<a class="link" href="/connections/telnyx">"Open Telnyx"</a></p></Callout> }
    });
    view! {
        <Card title="Incoming calls">
            <div class="stack gap-3">
                <p class="sub">{words}</p>
                {route.drift.map(|what| view! { <Callout tone=Tone::Warn><p>{what}</p></Callout> })}
                {route.error.map(|error| view! { <Callout tone=Tone::Warn><p>{error}</p></Callout> })}
                {shared}
                {unchecked.map(|said| view! { <p class="note">{said}</p> })}
                {route.is_waiting.then(|| view! { <p class="note">{waiting}</p> })}
                <Facts>
                    {route.since.map(|at| view! { <Fact label="Here since"><Time stamp=at/></Fact> })}
                    {elsewhere}
                    {route.checked.map(|at| view! { <Fact label="Last checked"><Time stamp=at/></Fact> })}
                </Facts>
            </div>
            {is_called.then(|| view! {
                <p class="note mt-4">"Each call takes a line of the agency’s plan. When all are in use, the caller hears that nobody can answer, and the call is listed as missed."</p>
            })}
            <p class="mt-4"><a class="link" href=listed>"Calls to this number"</a></p>
            {(can && is_active).then(|| view! {
                <ServerForm action=check class="inline" prefix="route" on_done=again said="The carrier is being asked">
                    <input type="hidden" name="id" value=number.row.id.to_string()/>
                    {sets.then(|| view! { <input type="hidden" name="set" value="on"/> })}
                    <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">{word.clone()}</SubmitButton>
                </ServerForm>
            })}
        </Card>
    }
}
