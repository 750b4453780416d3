use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::grids::GridRows;
use super::runs::SuiteRows;
use crate::model::{CaseQuery, CaseRow, CasesPage, Matcher, RunChoices, TestResult, USUAL_BUDGET};
use crate::server_fns::{GateProduction, RunTestCases, list_test_cases};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::ids::AgentId;
use patchbay_shared::money::counted;
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// An agent's cases, and the form that runs them.
#[lazy]
pub fn test_cases_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked = CaseQuery {
            words: query("q"),
            tag: query("tag"),
            matcher: query("matcher"),
            result: query("result"),
            sort: query("sort"),
            cursor: query("cursor"),
        };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let head =
        load(move || params.read().get("id").unwrap_or_default(), |id| list_test_cases(id, CaseQuery::default()));
    let cases = load(asked, |(agent, query)| list_test_cases(agent, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        // Forms do not follow notices: what is chosen stays.
        live::on_change(&[&format!("tests:{id}")], move || cases.refetch());
        let again = Callback::new(move |()| {
            head.refetch();
            cases.refetch();
        });
        view! { <PageBoundary data=head view=move |page: CasesPage| view! { <Suite page cases again/> }/> }.into_any()
    })
}

#[component]
fn Suite(page: CasesPage, cases: Loaded<CasesPage>, again: Callback<()>) -> impl IntoView {
    let CasesPage { agent, tags, cases: count, choices, gates_production, may_edit, .. } = page;
    let id = agent.id;
    let add = format!("/agents/{id}/tests/new");
    let sub = match &agent.client {
        Some(client) => format!("{} of an agent of {client}", counted(count, "case", "cases")),
        None => format!("{} of an agent of every client", counted(count, "case", "cases")),
    };
    let listed = tags.clone();
    let has_cases = count > 0;
    let side = may_edit.then(|| {
        view! {
            <div class="stack gap-4 min0">
                <RunCard agent=id tags choices has_cases again/>
                <GateCard agent=id gates_production again/>
            </div>
        }
    });
    let all_runs = format!("/agents/{id}/tests/runs");
    let all_grids = format!("/agents/{id}/tests/grids");
    let new_grid = format!("/agents/{id}/tests/grid");
    view! {
        <PageTitle text="Tests" parents=vec![crumb("Agents", "/agents"), crumb(agent.name.clone(), format!("/agents/{id}"))]/>
        <PageHead
            title=agent.name.clone()
            sub
            tags=move || (!agent.is_active).then(|| view! { <Tag>"Deleted"</Tag> })
            actions=move || view! {
                <LinkButton href=move || export_address(id) icon="download" external=true>"Export"</LinkButton>
                {may_edit.then(|| view! { <LinkButton href=new_grid.clone() icon="columns-3">"New grid"</LinkButton> })}
                {may_edit.then(|| view! { <LinkButton href=add.clone() kind=ButtonKind::Primary icon="plus">"Add a case"</LinkButton> })}
            }
        />
        <Tabs label="Agent" items=agent_tabs(id, "tests")/>
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                <BlockBoundary data=cases view=move |page: CasesPage| view! { <Cases page tags=listed.clone()/> }/>
                <BlockBoundary data=cases view=move |page: CasesPage| {
                    let href = all_runs.clone();
                    view! {
                        <Card title="Latest runs" flush=true right=move || view! { <a class="link" href=href.clone()>"All runs"</a> }>
                            <SuiteRows rows=page.latest/>
                        </Card>
                    }
                }/>
                <BlockBoundary data=cases view=move |page: CasesPage| {
                    let href = all_grids.clone();
                    view! {
                        <Card title="Latest grids" flush=true right=move || view! { <a class="link" href=href.clone()>"All grids"</a> }>
                            <GridRows rows=page.grids/>
                        </Card>
                    }
                }/>
            </div>
            {side}
        </div>
    }
}

/// The list's filters go along.
fn export_address(agent: AgentId) -> String {
    let keys = ["q", "tag", "matcher", "result", "sort"];
    let pairs: Vec<(String, String)> = keys.into_iter().filter_map(|key| Some((key.to_owned(), query(key)?))).collect();
    format!("/agents/{agent}/tests/export.csv{}", patchbay_ui::address::query_string(&pairs))
}

#[component]
fn Cases(page: CasesPage, tags: Vec<String>) -> impl IntoView {
    let CasesPage { agent, page, may_edit, .. } = page;
    let id = agent.id;
    let add = format!("/agents/{id}/tests/new");
    let results = [TestResult::Pass, TestResult::Fail, TestResult::Error, TestResult::LeftOut];
    List::<CaseRow>::new("Cases")
        .search("q", "Name or words")
        .filter(Filter::new("tag", "Tag", options_of(tags.into_iter().map(|tag| (tag.clone(), tag)))))
        .filter(Filter::words("matcher", "Compared by", Matcher::ALL))
        .filter(Filter::words("result", "Last result", &results))
        .keep(&["sort"])
        .sorted("name")
        .table("mid wrap")
        .column("Case", move |row: &CaseRow| {
            let note = view! { <small>{row.kind.label()}" · "{row.matcher.label()}</small> };
            let href = format!("/agents/{id}/tests/{}", row.id);
            let tags = row.tags.clone().into_iter().map(|tag| view! { <Tag>{tag}</Tag> }).collect_view();
            view! { {cell::who(href, &row.name, note)} {tags} }
        })
        .sort("name")
        .column("Last result", last)
        .column("Made", |row: &CaseRow| cell::time(&row.created))
        .sort("created")
        .empty_view(move || {
            let href = add.clone();
            view! {
                <EmptyState
                    icon="check"
                    title="No tests yet"
                    text="A case is something that a caller says or wants, and what the agent should answer or do. Run all of them before a new version of the prompt goes to production."
                >
                    {may_edit.then(|| view! { <LinkButton href kind=ButtonKind::Primary icon="plus">"Add the first case"</LinkButton> })}
                </EmptyState>
            }
        })
        .show(page)
}

fn last(row: &CaseRow) -> AnyView {
    let Some(last) = &row.last else { return view! { <span class="sub">"Not run yet"</span> }.into_any() };
    let changed = last.has_changed.then(|| view! { <small class="sub">" changed since"</small> });
    view! {
        {cell::state(last.result)}
        <small><a class="link" href=format!("/test-runs/{}", last.run)>{format!("run {}", last.number)}</a>{changed}</small>
    }
    .into_any()
}

/// The form that runs all cases, or those with a tag.
#[component]
fn RunCard(
    agent: AgentId,
    tags: Vec<String>,
    choices: RunChoices,
    has_cases: bool,
    again: Callback<()>,
) -> impl IntoView {
    let action = FormAction::of::<RunTestCases>();
    let Some((prompt, name)) = choices.prompt.clone() else {
        return view! {
            <Card title="Run the cases">
                <p class="sub">"The agent has no prompt yet. Cases are run against a version of its prompt."</p>
                <p class="mt-4"><LinkButton href=format!("/agents/{agent}/edit") icon="pencil">"Give it a prompt"</LinkButton></p>
            </Card>
        }
        .into_any();
    };
    let tags = options_of(tags.into_iter().map(|tag| (tag.clone(), tag)));
    view! {
        <Card title="Run the cases" id="run">
            <ServerForm action prefix="run" on_done=again>
                <input type="hidden" name="agent" value=agent.to_string()/>
                <p class="sub">"Against a version of "<a class="link" href=format!("/prompts/{prompt}")>{name}</a>"."</p>
                <Versions choices=choices.clone()/>
                <ModelFields choices/>
                {(!tags.is_empty()).then(|| view! { <Select name="tag" label="Cases" options=tags prompt="All cases" mark=false/> })}
                <TextInput
                    name="budget"
                    label="Budget"
                    value=USUAL_BUDGET
                    class="short"
                    prefix_text="$"
                    inputmode="decimal"
                    required=true
                    hint="The run stops once its answers cost as much."
                />
                <FormActs><SubmitButton icon="play">"Run"</SubmitButton></FormActs>
                {(!has_cases).then(|| view! { <p class="note">"There is no case yet."</p> })}
            </ServerForm>
        </Card>
    }
    .into_any()
}

/// Which version is run.
#[component]
pub(super) fn Versions(choices: RunChoices) -> impl IntoView {
    let options = choices.versions.iter().map(|(version, labels)| {
        let labels = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
        (version.to_string(), format!("Version {version}{labels}"))
    });
    let prompt = match choices.spoken {
        Some(version) => format!("What is in use: version {version}"),
        None => "What is in use".to_owned(),
    };
    view! { <Select name="version" label="Version" options=options_of(options) value=query("version").unwrap_or_default() prompt mark=false/> }
}

/// Which model is asked.
#[component]
pub(super) fn ModelFields(choices: RunChoices) -> impl IntoView {
    let used = match &choices.usual {
        Some((account, model)) => format!("What the agent uses: {model} ({account})"),
        None => "No model is set up".to_owned(),
    };
    view! {
        <Select name="account" label="Account" options=options_of(choices.accounts) prompt=used mark=false/>
        <TextInput name="model" label="Model" class="mono" maxlength=200 hint="With an account: the model’s name as the service writes it."/>
    }
}

#[component]
fn GateCard(agent: AgentId, gates_production: bool, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<GateProduction>();
    let text = match gates_production {
        true => {
            "A version of the prompt goes to production only after all cases have passed with it, as they are now and with the agent’s own model."
        }
        false => "Versions of the prompt go to production whatever the tests say.",
    };
    let (tone, word) = if gates_production { (Tone::Ok, "Required") } else { (Tone::Mute, "Not required") };
    view! {
        <Card title="Before production" right=move || view! { <State tone label=word on=gates_production/> }>
            <p class="sub">{text}</p>
            <ServerForm action prefix="gate" class="mt-4" on_done=again no_summary=true said="Saved">
                <input type="hidden" name="agent" value=agent.to_string()/>
                {(!gates_production).then(|| view! { <input type="hidden" name="on" value="true"/> })}
                <SubmitButton kind=ButtonKind::Plain>{if gates_production { "Do not require it" } else { "Require passing tests" }}</SubmitButton>
            </ServerForm>
        </Card>
    }
}
