use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::run::seconds;
use crate::model::{Came, CaseInCell, GridCase, GridCell, GridPage, SuiteStatus, TestResult};
use crate::server_fns::{StopTestGrid, get_test_grid};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shell::refused;
use patchbay_ui::*;

/// One grid: its cells beside each other, and every case over all of them.
#[lazy]
pub fn test_grid_page() -> PageView {
    let params = use_params_map();
    let grid = load(move || (params.read().get("id").unwrap_or_default(), query("only")), |(id, _)| get_test_grid(id));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::follow(&[format!("test_grid:{id}")], move || grid.refetch());
        let again = Callback::new(move |()| grid.refetch());
        let only = Memo::new(move |_| query("only"));
        view! {
            <PageBoundary data=grid view=move |page: GridPage| {
                let only_differing = only.get().as_deref() == Some("differences");
                view! { <Grid page only_differing again/> }
            }/>
        }
        .into_any()
    })
}

#[component]
fn Grid(page: GridPage, only_differing: bool, again: Callback<()>) -> impl IntoView {
    let agent = page.agent.id;
    let tests = format!("/agents/{agent}/tests");
    let parents = vec![
        crumb("Agents", "/agents"),
        crumb(page.agent.name.clone(), format!("/agents/{agent}")),
        crumb("Tests", tests.clone()),
        crumb("Grids", format!("{tests}/grids")),
    ];
    let title = format!("Grid {}", page.row.number);
    let status = page.row.status;
    let export = format!("/test-grids/{}/export.csv", page.row.id);
    let acts = page.may_edit.then(|| view! { <Acts page=page.clone() again/> });
    let notes = notes(&page);
    let gate = gate_note(&page);
    let sub = sub(&page);
    view! {
        <PageTitle text=title.clone() parents/>
        <PageHead
            title
            sub
            tags=move || view! { <State tone=status.tone() label=status.label() on=status == SuiteStatus::Running/> }
            actions=move || view! { <a class="btn" rel="external" href=export.clone()><Icon name="download" small=true/>"Export"</a> {acts} }
        />
        {notes}
        <Progressed page=page.clone()/>
        <Cells cells=page.cells.clone()/>
        {gate}
        <Cases cases=page.cases cells=page.cells only_differing/>
    }
}

fn sub(page: &GridPage) -> String {
    let row = &page.row;
    let by = row.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let each = if row.repeats > 1 { format!(", {} times each", row.repeats) } else { String::new() };
    format!(
        "{} · {} of {} in {}{each} · started {}{by}",
        page.agent.name,
        counted(page.cases.len() as i64, "case", "cases"),
        page.prompt.1,
        counted(page.cells.len() as i64, "cell", "cells"),
        row.started.when()
    )
}

/// Why cells ended early, each reason once, and what has no price.
fn notes(page: &GridPage) -> impl IntoView + use<> {
    let mut reasons: Vec<String> = page.cells.iter().filter_map(|cell| cell.note.clone()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let reasons =
        reasons.into_iter().map(|why| view! { <Callout tone=Tone::Warn><p>{why}</p></Callout> }).collect_view();
    let unpriced = (page.row.unpriced > 0).then(|| {
        let text = format!(
            "{} not priced yet: the service tells no price, and none is entered. The budget counts only what is priced.",
            counted(i64::from(page.row.unpriced), "answer is", "answers are")
        );
        view! {
            <Callout tone=Tone::Info><p>{text}" "<a class="link" href="/connections/models/prices">"Enter a price"</a></p></Callout>
        }
    });
    view! { {reasons} {unpriced} }
}

/// Which cells decide about production, by the rule of all test runs.
fn gate_note(page: &GridPage) -> impl IntoView + use<> {
    let deciding: Vec<String> = page
        .cells
        .iter()
        .filter(|cell| cell.decides)
        .map(|cell| format!("v{} with {}", cell.version, cell.model))
        .collect();
    let rule = "Before production a cell counts for its version as any test run does: if it has all cases, and the model that the agent uses in tests.";
    let here = match deciding.is_empty() {
        true => " None of these does.".to_owned(),
        false => format!(" Here: {}.", deciding.join(", ")),
    };
    let usual = page.usual.clone().map(|usual| format!(" The agent uses {usual}.")).unwrap_or_default();
    let gates = match page.gates_production {
        true => " The tests have to pass before a version goes to production.",
        false => " At present versions go to production whatever the tests say.",
    };
    view! { <p class="note">{rule}{here}{usual}{gates}</p> }
}

#[component]
fn Acts(page: GridPage, again: Callback<()>) -> impl IntoView {
    let stop = FormAction::of::<StopTestGrid>();
    match page.row.status {
        SuiteStatus::Running => view! {
            <ServerForm action=stop class="inline" prefix="stop" on_done=again no_summary=true said="Stopped">
                <input type="hidden" name="id" value=page.row.id.to_string()/>
                <SubmitButton kind=ButtonKind::Danger icon="square">"Stop all"</SubmitButton>
            </ServerForm>
        }
        .into_any(),
        _ => view! { <LinkButton href=page.again icon="rotate-ccw">"Run again"</LinkButton> }.into_any(),
    }
}

#[component]
fn Progressed(page: GridPage) -> impl IntoView {
    let counts = page.row.counts;
    let waiting = counts.all - counts.ended() - counts.left_out;
    let segments = vec![
        Segment::new("Passed", counts.passed as f64, "ok"),
        Segment::new("Failed", counts.failed as f64, "bad"),
        Segment::new("Error", counts.errors as f64, "warn"),
        Segment::new("Left out", counts.left_out as f64, "mute"),
        Segment::new("To run", waiting as f64, "soft"),
    ];
    let differing = page.cases.iter().filter(|case| case.differs()).count();
    let spend = page.row.cost_text();
    let budget = match page.set_aside.0.is_zero() {
        true => format!("of {}", page.row.budget.text()),
        false => format!("of {}, {} set aside", page.row.budget.text(), page.set_aside.text()),
    };
    let ended = page.ended.clone().map(|at| view! { <p class="note">"Ended "<Time stamp=at/></p> });
    view! {
        <Card>
            <Kpis count=4>
                <Kpi label="Done" value=counts.ended().to_string() unit=format!("of {}", counts.all)/>
                <Kpi label="Passed" value=counts.passed.to_string()/>
                <Kpi label="Cases that differ" value=differing.to_string() unit=format!("of {}", page.cases.len())/>
                <Kpi label="Spend" value=spend versus=budget/>
            </Kpis>
            <SegmentBar segments total=counts.all as f64 label=format!("{} of {} run", counts.ended(), counts.all) legend=true/>
            {ended}
        </Card>
    }
}

/// Where the results of a cell are: all that have come to an end, or those of one kind.
fn results_of(cell: &GridCell, kind: &str) -> String {
    format!("/test-runs/{}?result={kind}", cell.run)
}

/// A number that leads to its results; none leads nowhere.
fn count_of(count: i64, cell: &GridCell, result: TestResult) -> AnyView {
    match count {
        0 => "0".into_any(),
        _ => {
            let label = format!("{count} {}: {}", result.label(), name_of(cell));
            view! { <a class="link" href=results_of(cell, result.as_str()) aria-label=label>{count}</a> }.into_any()
        }
    }
}

fn name_of(cell: &GridCell) -> String {
    format!("v{} with {} ({})", cell.version, cell.model, cell.account)
}

fn time_of(ms: Option<i32>, cell: &GridCell, what: &str) -> AnyView {
    match ms {
        None => "–".into_any(),
        Some(ms) => {
            let label = format!("{}, {what}: {}", seconds(ms), name_of(cell));
            view! { <a class="link" href=results_of(cell, "ended") aria-label=label>{seconds(ms)}</a> }.into_any()
        }
    }
}

#[component]
fn Cells(cells: Vec<GridCell>) -> impl IntoView {
    let rows = cells
        .into_iter()
        .map(|cell| {
            let labels = cell.labels.clone().into_iter().map(|label| view! { " "<Tag>{label}</Tag> }).collect_view();
            let passed = match cell.pass_rate() {
                None => "–".into_any(),
                Some(rate) => {
                    let count = format!("{} of {}", cell.counts.passed, cell.counts.ended());
                    let label = format!("{count} passed: {}", name_of(&cell));
                    let href = results_of(&cell, TestResult::Pass.as_str());
                    view! { {rate}" "<a class="link" href=href aria-label=label>{count}</a> }.into_any()
                }
            };
            let decides = cell.decides.then(|| view! { " "<Tag tone=Tone::Info>"Counts for production"</Tag> });
            let waiting = cell.counts.all - cell.counts.ended() - cell.counts.left_out;
            let waiting = (waiting > 0).then(|| view! { <small class="sub">{format!(" {waiting} to run")}</small> });
            let cost = match cell.counts.ended() {
                0 => "–".into_any(),
                _ => {
                    let label = format!("{} a case: {}", cell.cost_per_case(), name_of(&cell));
                    view! { <a class="link" href=results_of(&cell, "ended") aria-label=label>{cell.cost_per_case()}</a> }.into_any()
                }
            };
            view! {
                <tr>
                    <td>
                        <a class="link" href=format!("/test-runs/{}", cell.run)>{format!("v{} · {}", cell.version, cell.model)}</a>
                        {labels}
                        <small class="sub">{format!(" {} · run {}", cell.account, cell.number)}</small>
                        {decides}
                    </td>
                    <td>{cell::state(cell.status)}{waiting}</td>
                    <td class="num">{passed}</td>
                    <td class="num">{count_of(cell.counts.failed, &cell, TestResult::Fail)}</td>
                    <td class="num">{count_of(cell.counts.errors, &cell, TestResult::Error)}</td>
                    <td class="num">{count_of(cell.counts.left_out, &cell, TestResult::LeftOut)}</td>
                    <td class="num">{time_of(cell.median_ms, &cell, "median reply time")}</td>
                    <td class="num">{time_of(cell.p95_ms, &cell, "reply time that 19 of 20 cases stay below")}</td>
                    <td class="num">{cost}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Versions and models" flush=true>
            <DataTable
                label="Versions and models"
                class="wide wrap"
                head=|| view! {
                    <th scope="col">"Version and model"</th>
                    <th scope="col">"State"</th>
                    <th scope="col" class="num">"Passed"</th>
                    <th scope="col" class="num">"Failed"</th>
                    <th scope="col" class="num">"Error"</th>
                    <th scope="col" class="num">"Left out"</th>
                    <th scope="col" class="num">"Reply, median"</th>
                    <th scope="col" class="num">"Reply, 95%"</th>
                    <th scope="col" class="num">"Cost per case"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
}

#[component]
fn Cases(cases: Vec<GridCase>, cells: Vec<GridCell>, only_differing: bool) -> impl IntoView {
    let heads = cells
        .iter()
        .map(|cell| view! { <th scope="col">{format!("v{} · {}", cell.version, cell.model)}</th> })
        .collect_view();
    let all = cases.len();
    let shown: Vec<GridCase> = cases.into_iter().filter(|case| !only_differing || case.differs()).collect();
    let is_empty = shown.is_empty();
    let rows = shown
        .into_iter()
        .map(|case| {
            let differs = case.differs().then(|| view! { " "<Tag tone=Tone::Warn>"Differs"</Tag> });
            let found: Vec<AnyView> = case
                .cells
                .iter()
                .zip(&cells)
                .map(|(came, cell)| view! { <td>{in_cell(came.as_ref(), &case, cell)}</td> }.into_any())
                .collect();
            view! {
                <tr>
                    <td>{case.name.clone()}" "<small class="sub">{case.matcher.label()}</small>{differs}</td>
                    {found}
                </tr>
            }
        })
        .collect_view();
    let right = move || match only_differing {
        true => view! { <a class="link" href=move || with_query(&[("only", None)])>{format!("All {all} cases")}</a> }
            .into_any(),
        false => {
            view! { <a class="link" href=move || with_query(&[("only", Some("differences"))])>"Only differences"</a> }
                .into_any()
        }
    };
    let table = match is_empty {
        true => view! {
            <EmptyState icon="check" title="No case differs" text="Every case that has come to an end came out the same with all versions and models." small=true/>
        }
        .into_any(),
        false => view! {
            <DataTable label="Cases" class="wide wrap" head=move || view! { <th scope="col">"Case"</th>{heads} }>
                {rows}
            </DataTable>
        }
        .into_any(),
    };
    view! { <Card title="Cases" flush=true right>{table}</Card> }
}

fn in_cell(came: Option<&CaseInCell>, case: &GridCase, cell: &GridCell) -> AnyView {
    let Some(found) = came else { return "–".into_any() };
    let (tone, word) = match (found.came(), found.counts.left_out, cell.status) {
        (Came::Passed, ..) => (Tone::Ok, "Passed"),
        (Came::Failed, ..) if found.counts.failed == 0 => (Tone::Warn, "Error"),
        (Came::Failed, ..) => (Tone::Bad, "Failed"),
        (Came::Unsteady, ..) => (Tone::Warn, "Unsteady"),
        (Came::Undecided, 1.., _) => (Tone::Mute, "Left out"),
        (Came::Undecided, _, SuiteStatus::Running) => (Tone::Info, "To run"),
        (Came::Undecided, ..) => (Tone::Mute, "Not run"),
    };
    let times = (found.counts.all > 1).then(|| format!(" {} of {}", found.counts.passed, found.counts.ended()));
    let reply = found.median_ms.map(|ms| format!(" {}", seconds(ms)));
    let label = format!("{word}: {}, v{} with {}", case.name, cell.version, cell.model);
    let href = format!("/test-runs/{}?case={}", cell.run, case.case);
    view! {
        <a class="link" href=href aria-label=label>{cell::state_of(tone, word)}</a>
        <small class="sub">{times}{reply}</small>
    }
    .into_any()
}
