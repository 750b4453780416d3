use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{above, at_rest};
use crate::model::{LastTime, ScheduleForm, SchedulePage, ScheduleRow, Switched};
use crate::server_fns::{
    RemoveAgentSchedule, RunAgentSchedule, SaveAgentSchedule, SwitchAgentSchedule, get_agent_schedule,
};
use patchbay_access::Action;
use patchbay_shared::zones::zone_options;
use patchbay_shell::{HistoryLink, refused};
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

const LIST: Option<(&str, &str)> = Some(("Schedules", "schedules"));

/// The form of a new schedule.
#[lazy]
pub fn new_schedule_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("times"));
    let page = load(asked, |(agent, times)| get_agent_schedule(agent, None, times));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageAgents) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: SchedulePage| view! { <New page/> }/> }.into_any()
    })
}

/// A schedule with its times, its form, and what became of it.
#[lazy]
pub fn schedule_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let params = params.read();
        (params.get("id").unwrap_or_default(), params.get("schedule").unwrap_or_default(), query("times"))
    };
    let page = load(asked, |(agent, id, times)| get_agent_schedule(agent, Some(id), times));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: SchedulePage| view! { <Present page again/> }/> }.into_any()
    })
}

#[component]
fn New(page: SchedulePage) -> impl IntoView {
    let parents = above(&page.agent, LIST);
    let sub = format!("At its times {} is told something, and does it without a call.", page.agent.name);
    view! {
        <PageTitle text="New schedule" parents/>
        <PageHead title="New schedule" sub/>
        {at_rest(page.rest)}
        <div class="cols main-side">
            <Card><Form form=page.form is_new=true/></Card>
            <NextTimes times=page.times is_try=page.is_try/>
        </div>
    }
}

/// The times that the form says, as its zone's clocks show them.
#[component]
fn NextTimes(times: Vec<String>, is_try: bool) -> impl IntoView {
    let title = if is_try { "Next times, not saved yet" } else { "Next times" };
    let body = match times.is_empty() {
        true => view! { <p class="sub">"Write a line and press “Show next times”."</p> }.into_any(),
        false => {
            let rows = times.into_iter().map(|time| view! { <li>{time}</li> }).collect_view();
            view! { <ul class="list">{rows}</ul> }.into_any()
        }
    };
    view! {
        <Card
            title
            footer=|| view! { <p class="note">"When the clocks change: a time that comes twice runs once, the first time. A time that is skipped runs right after the gap."</p> }
        >
            {body}
        </Card>
    }
}

#[component]
fn Form(form: ScheduleForm, is_new: bool, #[prop(optional)] again: Option<Callback<()>>) -> impl IntoView {
    let save = FormAction::of::<SaveAgentSchedule>();
    let word = if is_new { "Add the schedule" } else { "Save" };
    view! {
        <ServerForm action=save class="form" nostrip:on_done=again>
            <input type="hidden" name="agent" value=form.agent/>
            <input type="hidden" name="id" value=form.id/>
            <TextInput name="name" label="Name" value=form.name mark=false maxlength=80 autocomplete="off" placeholder="Morning report"/>
            <TextInput
                name="cron"
                label="When"
                value=form.cron
                class="mono mid"
                mark=false
                maxlength=100
                autocomplete="off"
                hint="A line of cron: minute, hour, day of the month, month, day of the week. “0 9 * * 1-5” is at 9:00 from Monday to Friday, “*/15 8-17 * * *” every quarter of an hour from 8:00 to 17:45. At least five minutes apart."
            />
            <Select name="timezone" label="Time zone" options=zone_options(&form.timezone) value=form.timezone required=true/>
            <TextArea
                name="input"
                label="What the agent is told"
                value=form.input
                rows=5
                mark=false
                maxlength=4000
                hint="It answers once, and uses its tools on the way: they are really used."
            />
            <TextArea
                name="variables"
                label="Values for the prompt"
                value=form.variables
                rows=3
                hint="For each of the prompt’s variables one line: name = value."
            />
            <FormActs>
                <SubmitButton icon="check">{word}</SubmitButton>
                <SubmitButton kind=ButtonKind::Plain icon="calendar-clock" name="show" value="times">"Show next times"</SubmitButton>
            </FormActs>
        </ServerForm>
    }
}

#[component]
fn Present(page: SchedulePage, again: Callback<()>) -> impl IntoView {
    let parents = above(&page.agent, LIST);
    let SchedulePage { agent, form, row, times, is_try, rest, may_edit, run_key } = page;
    let Some(row) = row else { return ().into_any() };
    let (id, name, enabled) = (row.id, row.name.clone(), row.enabled);
    let can_run = may_edit && rest.is_none();
    let acts = {
        let agent = agent.clone();
        move || {
            let agent = agent.id.to_string();
            let switch = may_edit.then(|| view! { <SwitchIt agent=agent.clone() id=id.to_string() enabled again/> });
            view! {
                <HistoryLink id=id.to_string()/>
                <LinkButton href=format!("/runs?schedule={id}") icon="activity">"Its runs"</LinkButton>
                {switch}
                {can_run.then(|| view! { <RunNow agent id=id.to_string() key=run_key.to_string()/> })}
            }
        }
    };
    let told = form.input.clone();
    let main = match may_edit {
        true => view! { <Card title="The schedule"><Form form is_new=false again/></Card> }.into_any(),
        false => view! { <Card title="What the agent is told"><p class="pre-line break">{told}</p></Card> }.into_any(),
    };
    let danger = may_edit.then(|| {
        view! {
            <Card title="Remove" class="danger-zone">
                <p class="sub">"Nothing runs at its times any more. Its runs are kept."</p>
                <p class="mt-4"><DialogLink name="remove" kind=ButtonKind::Danger icon="trash-2">"Remove the schedule"</DialogLink></p>
            </Card>
        }
    });
    let remove = FormAction::of::<RemoveAgentSchedule>();
    let dialog = may_edit.then(|| {
        view! {
            <ConfirmForm
                name="remove"
                action=remove
                title="Remove this schedule?"
                text="Nothing runs at its times any more. Its runs are kept. This cannot be undone."
                confirm="Remove"
                danger=true
            >
                <input type="hidden" name="agent" value=agent.id.to_string()/>
                <input type="hidden" name="id" value=id.to_string()/>
            </ConfirmForm>
        }
    });
    view! {
        <PageTitle text=name.clone() parents/>
        <PageHead title=name tags=move || cell::state(Switched::of(enabled)) actions=acts/>
        <Tabs label="Agent" items=agent_tabs(agent.id, "schedules")/>
        {at_rest(rest)}
        <div class="cols main-side">
            <div class="stack gap-4 min0">{main}{danger}</div>
            <div class="stack gap-4 min0">
                <About row/>
                <NextTimes times is_try/>
            </div>
        </div>
        {dialog}
    }
    .into_any()
}

/// The line in words, and how its last time was dealt with.
#[component]
fn About(row: ScheduleRow) -> impl IntoView {
    let last = match row.last {
        Some(LastTime { at, result, note, run }) => {
            let run = run.map(|run| view! { " · "<a class="link" href=format!("/runs/{run}")>"the run"</a> });
            let note = note.map(|note| view! { <small class="sub">{note}</small> });
            view! { <div class="who"><span>{cell::state(result)}" "<Time stamp=at/>{run}</span>{note}</div> }.into_any()
        }
        None => "No time has come yet".into_any(),
    };
    view! {
        <Card title="At a glance">
            <Facts>
                <Fact label="Line" class="mono">{row.cron}</Fact>
                <Fact label="In words">{row.said}</Fact>
                <Fact label="Time zone">{row.timezone.replace('_', " ")}</Fact>
                <Fact label="Next">{cell::time_or(row.next.as_ref(), "Switched off")}</Fact>
                <Fact label="Last">{last}</Fact>
            </Facts>
        </Card>
    }
}

#[component]
fn SwitchIt(agent: String, id: String, enabled: bool, again: Callback<()>) -> impl IntoView {
    let switch = FormAction::of::<SwitchAgentSchedule>();
    let (word, icon) = if enabled { ("Switch off", "pause") } else { ("Switch on", "play") };
    view! {
        <ServerForm action=switch class="inline" prefix="switch" on_done=again no_summary=true said="Saved">
            <input type="hidden" name="agent" value=agent/>
            <input type="hidden" name="id" value=id/>
            {(!enabled).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn RunNow(agent: String, id: String, key: String) -> impl IntoView {
    let run = FormAction::of::<RunAgentSchedule>();
    view! {
        <ServerForm action=run class="inline" prefix="run" no_summary=true>
            <input type="hidden" name="agent" value=agent/>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="key" value=key/>
            <SubmitButton icon="play">"Run now"</SubmitButton>
        </ServerForm>
    }
}
