use std::sync::Arc;

use leptos::prelude::*;

use super::MANAGE;
use crate::model::TeamMode;
use crate::model::views::{NewTeamPage, TeamQuery, TeamRow, TeamState};
use crate::server_fns::{CreateTeam, get_new_team, list_teams};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::{count_text, counted};
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// The agency's teams.
#[lazy]
pub fn teams_page() -> PageView {
    let asked = || TeamQuery {
        words: query("q"),
        mode: query("mode"),
        client: query("client"),
        state: query("state"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_teams);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let may_edit = viewer().may(MANAGE);
        List::<TeamRow>::new("Teams")
            .subtitle("Agents that work together on what they are asked, under limits and approval.")
            .live(&["teams", "supervisor_runs"])
            .export("/teams/export.csv")
            .action(view! { <LinkButton href="/supervisor-runs" icon="workflow">"All runs"</LinkButton> })
            .action(view! { <LinkButton href="/execution" icon="server">"Execution"</LinkButton> })
            .add(may_edit, "plus", "/teams/new", "New team")
            .search("q", "Name or what it is for")
            .filter(Filter::words("mode", "Mode", TeamMode::ALL))
            .filter(Filter::new("state", "State", options_of([("inactive", "Deactivated"), ("all", "All")])))
            .sorted("name")
            .keep(&["client", "sort"])
            .narrowed_by(&["client"])
            .table("mid wrap")
            .column("Team", |row| {
                let note = view! { <small class="break">{row.description.clone()}</small> };
                cell::who(format!("/teams/{}", row.id), &row.name, note)
            })
            .sort("name")
            .column("Mode", |row| row.mode.label())
            .column("Client", |row| cell::or(&row.client, "Every client"))
            .number("Members", |row| count_text(row.members))
            .column("For a person", |row| {
                let (href, waiting) = (format!("/teams/{}/runs?waiting=person", row.id), row.waiting);
                (waiting > 0).then(|| {
                    view! { <a class="link" href=href><Tag tone=Tone::Warn>{counted(waiting, "run waits", "runs wait")}</Tag></a> }
                })
            })
            .column("Last run", |row| cell::time_or(row.last_run.as_ref(), "Never"))
            .column("Changed", |row| cell::time(&row.updated))
            .sort("changed")
            .column("State", |row| cell::state(TeamState::of(row.is_active)))
            .empty_view(move || view! { <Modes may_edit/> })
            .page_of(rows, |list| (list.page, Vec::new()))
    })
}

/// What stands there while there is no team: the two ways in which one works.
#[component]
fn Modes(may_edit: bool) -> impl IntoView {
    view! {
        <EmptyState icon="users-round" title="No teams yet" text="A team takes a message, and its members work on it. There are two ways.">
            {may_edit.then(|| view! { <LinkButton href="/teams/new" kind=ButtonKind::Primary icon="plus">"Make the first team"</LinkButton> })}
        </EmptyState>
        <div class="cols two modes">
            <Card title="Supervisor">
                <div class="row wrap mode-picture" aria-hidden="true">
                    <Icon name="message-square" size="l"/><Icon name="chevron-right" small=true/><Icon name="workflow" size="l"/>
                    <Icon name="chevron-right" small=true/><Icon name="bot" size="l"/>
                </div>
                <p>"A supervisor reads the message, picks the worker that fits, and says why and how sure it is. Below a threshold it asks back."</p>
            </Card>
            <Card title="Coordinate">
                <div class="row wrap mode-picture" aria-hidden="true">
                    <Icon name="message-square" size="l"/><Icon name="chevron-right" small=true/><Icon name="bot" size="l"/>
                    <Icon name="chevron-right" small=true/><Icon name="bot" size="l"/><Icon name="chevron-right" small=true/><Icon name="bot" size="l"/>
                </div>
                <p>"Members work on the message one after the other, in their order. Each sees what came before; at the end one answer is composed."</p>
            </Card>
        </div>
    }
}

/// The form of a new team.
#[lazy]
pub fn new_team_page() -> PageView {
    let page = load(|| (), |()| get_new_team());
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: NewTeamPage| view! { <New page/> }/> }.into_any()
    })
}

#[component]
fn New(page: NewTeamPage) -> impl IntoView {
    let create = FormAction::of::<CreateTeam>();
    view! {
        <PageTitle text="New team" parents=vec![crumb("Teams", "/teams")]/>
        <PageHead title="New team" sub="Its members, limits and rules come next."/>
        <Card>
            <ServerForm action=create class="form">
                <TextInput name="name" label="Name" required=true maxlength=80 autocomplete="off" placeholder="Policy service"/>
                <TextArea name="description" label="What it is for" rows=2 maxlength=500 hint="The supervisor is told it, and other agents that may ask the team."/>
                <ModeChoice value=TeamMode::Supervisor/>
                <Select
                    name="client"
                    label="Client"
                    options=page.clients
                    value=query("client").unwrap_or_default()
                    prompt="Every client"
                    mark=false
                    hint="A client’s team has agents of this client and agents of the whole agency."
                />
                <FormActs>
                    <SubmitButton icon="check">"Make the team"</SubmitButton>
                    <a class="btn ghost" href="/teams">"Cancel"</a>
                </FormActs>
            </ServerForm>
        </Card>
    }
}

/// How a team works.
#[component]
pub(super) fn ModeChoice(value: TeamMode) -> impl IntoView {
    let options = vec![
        RadioOption::new(
            "supervisor",
            "Supervisor",
            "Picks the worker that fits each message, and asks back when it is not sure.",
        ),
        RadioOption::new(
            "coordinate",
            "Coordinate",
            "All members work one after the other, each seeing what came before.",
        ),
    ];
    view! { <RadioCards name="mode" legend="How it works" options value=value.as_str() required=true/> }
}
