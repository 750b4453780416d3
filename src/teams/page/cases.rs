use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{MANAGE, export_address, top};
use crate::model::views::{CaseResult, TeamCasePage, TeamCaseQuery, TeamCaseRow, TeamCasesPage};
use crate::server_fns::{RemoveTeamCase, RunTeamCase, SaveTeamCase, get_team_case, list_team_cases};
use patchbay_access::Action;
use patchbay_shared::money::counted;
use patchbay_shell::refused;
use patchbay_ui::*;

/// A team's cases.
#[lazy]
pub fn team_cases_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked =
            TeamCaseQuery { words: query("q"), result: query("result"), sort: query("sort"), cursor: query("cursor") };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let page = load(asked, |(team, query)| list_team_cases(team, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("team:{id}")], move || page.refetch());
        view! { <PageBoundary data=page view=move |page: TeamCasesPage| view! { <Cases page/> }/> }.into_any()
    })
}

#[component]
fn Cases(page: TeamCasesPage) -> impl IntoView {
    let TeamCasesPage { head, page } = page;
    let base = format!("/teams/{}/cases", head.id);
    let add = format!("{base}/new");
    let (may_edit, can_run) = (head.may_edit, head.may_run && head.rest.is_none());
    let file = export_address(format!("{base}/export.csv"), &["q", "result", "sort"]);
    let acts = view! {
        <LinkButton href=file icon="download" external=true>"Export"</LinkButton>
        {may_edit.then(|| view! { <LinkButton href=add.clone() kind=ButtonKind::Primary icon="plus">"Add a case"</LinkButton> })}
    }
    .into_any();
    let top = top(&head, "cases", "Test cases", acts, None);
    let playground = format!("/teams/{}/playground", head.id);
    let rows = List::<TeamCaseRow>::new("Test cases")
        .search("q", "Name or words of a message")
        .filter(Filter::words("result", "Last result", CaseResult::ALL))
        .keep(&["sort"])
        .sorted("name")
        .table("mid wrap")
        .column("Case", move |row: &TeamCaseRow| {
            let note = view! { <small>{counted(row.messages, "message", "messages")}</small> };
            cell::who(format!("{base}/{}", row.id), &row.name, note)
        })
        .sort("name")
        .column("Expects", |row: &TeamCaseRow| view! { <span class="break">{row.expects.join(", ")}</span> })
        .column("Last result", |row: &TeamCaseRow| {
            let note = row.note.clone().map(|note| view! { <small class="why break">{note}</small> });
            view! { <div class="who">{cell::state(row.result)}{note}</div> }
        })
        .column("Last run", |row: &TeamCaseRow| match (row.last_run, &row.last_at) {
            (Some(run), Some(at)) => view! { <a class="link" href=format!("/supervisor-runs/{run}")><Time stamp=at.clone()/></a> }.into_any(),
            (Some(run), None) => cell::link(format!("/supervisor-runs/{run}"), "The run"),
            _ => "Never".into_any(),
        })
        .acts("Run", move |row: &TeamCaseRow| can_run.then(|| view! { <RunIt id=row.id.to_string() name=row.name.clone()/> }))
        .empty_view(move || {
            let href = playground.clone();
            view! {
                <EmptyState icon="list-checks" title="No test cases yet" text="A case is a question that is asked again later, with who must answer it and what must be in the answer. The playground makes one of a session.">
                    <LinkButton href icon="message-square">"The playground"</LinkButton>
                </EmptyState>
            }
        })
        .show(page);
    view! { {top}{rows} }
}

#[component]
fn RunIt(id: String, name: String) -> impl IntoView {
    let run = FormAction::of::<RunTeamCase>();
    view! {
        <ServerForm action=run class="inline" prefix=format!("run-{id}") no_summary=true>
            <input type="hidden" name="id" value=id/>
            <button class="btn sm" type="submit" aria-label=format!("Run {name}")><Icon name="play" small=true/>"Run"</button>
        </ServerForm>
    }
}

/// The form of a new case, also of what a run was asked.
#[lazy]
pub fn new_team_case_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("run"));
    let page = load(asked, |(team, run)| get_team_case(team, None, run));
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: TeamCasePage| view! { <Case page/> }/> }.into_any()
    })
}

/// One case.
#[lazy]
pub fn team_case_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let params = params.read();
        (params.get("id").unwrap_or_default(), params.get("case").unwrap_or_default())
    };
    let page = load(asked, |(team, id)| get_team_case(team, Some(id), None));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: TeamCasePage| view! { <Case page/> }/> }.into_any()
    })
}

#[component]
fn Case(page: TeamCasePage) -> impl IntoView {
    let TeamCasePage { head, form, workers, row } = page;
    let base = format!("/teams/{}", head.id);
    let name = row.as_ref().map_or_else(|| "New test case".to_owned(), |row| row.name.clone());
    let parents = vec![
        crumb("Teams", "/teams"),
        crumb(head.name.clone(), base.clone()),
        crumb("Test cases", format!("{base}/cases")),
    ];
    let acts = {
        let id = form.id.clone();
        let (can_run, named) = (row.is_some() && head.may_run && head.rest.is_none(), name.clone());
        move || can_run.then(|| view! { <RunIt id name=named/> })
    };
    let danger =
        (row.is_some() && head.may_edit).then(|| view! { <RemoveCase team=head.id.to_string() id=form.id.clone()/> });
    let last = row.map(|row| {
        let run = row.last_run.map(|run| view! { <a class="link" href=format!("/supervisor-runs/{run}")>"The run"</a> });
        let note = row.note.map(|note| view! { <p class="why pre-line break">{note}</p> });
        view! { <Card title="Last result"><p class="row wrap">{cell::state(row.result)}{cell::time(row.last_at.as_ref())}{run}</p>{note}</Card> }
    });
    let main = match head.may_edit {
        true => view! { <CaseFieldset form workers/> }.into_any(),
        false => view! { <p class="pre-line break">{form.messages}</p> }.into_any(),
    };
    view! {
        <PageTitle text=name.clone() parents/>
        <PageHead title=name sub=format!("Of {}", head.name) actions=acts/>
        <div class="cols main-side">
            <Card>{main}</Card>
            <div class="stack gap-4 min0">{last}{danger}</div>
        </div>
    }
}

#[component]
fn CaseFieldset(form: crate::model::form::CaseForm, workers: Vec<(String, String)>) -> impl IntoView {
    let save = FormAction::of::<SaveTeamCase>();
    view! {
        <ServerForm action=save class="form">
            <input type="hidden" name="team" value=form.team/>
            <input type="hidden" name="id" value=form.id/>
            <input type="hidden" name="from_run" value=form.from_run/>
            <TextInput name="name" label="Name" value=form.name required=true maxlength=80 autocomplete="off"/>
            <TextArea
                name="messages"
                label="Messages"
                value=form.messages
                rows=8
                required=true
                hint="What the team is asked, in order, in one session. A line of three hyphens (---) stands between two messages."
            />
            <Fieldset legend="What must hold after the last message">
                <Select name="worker" label="Worker" options=workers value=form.worker prompt="Any" mark=false/>
                <Checkbox name="asks_approval" label="Approval is asked" checked=form.asks_approval.is_some()/>
                <TextInput name="output_contains" label="The answer contains" value=form.output_contains maxlength=500 autocomplete="off"/>
            </Fieldset>
            <FormActs><SubmitButton icon="check">"Save the case"</SubmitButton></FormActs>
        </ServerForm>
    }
}

#[component]
fn RemoveCase(team: String, id: String) -> impl IntoView {
    let remove = FormAction::of::<RemoveTeamCase>();
    view! {
        <Card title="Remove" class="danger-zone">
            <p class="sub">"Runs of it are kept."</p>
            <p class="mt-4"><DialogLink name="remove" kind=ButtonKind::Danger icon="trash-2">"Remove the case"</DialogLink></p>
        </Card>
        <ConfirmForm name="remove" action=remove title="Remove this case?" text="It is not run any more. Runs of it are kept." confirm="Remove" danger=true>
            <input type="hidden" name="team" value=team/>
            <input type="hidden" name="id" value=id/>
        </ConfirmForm>
    }
}
