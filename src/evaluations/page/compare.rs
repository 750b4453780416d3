use std::sync::Arc;

use leptos::prelude::*;

use super::run::seconds;
use crate::model::{CaseSum, Change, ComparePage, ComparedCase, ComparedRun, cost_text};
use crate::server_fns::compare_suite_runs;
use patchbay_access::Action;
use patchbay_shared::Money;
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// Two runs of one suite, case by case.
#[lazy]
pub fn compare_runs_page() -> PageView {
    let asked = || (query("a").unwrap_or_default(), query("b"), query("change"));
    let page = load(asked, |(a, b, _)| compare_suite_runs(a, b));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let change = Memo::new(move |_| query("change"));
        view! {
            <PageBoundary data=page view=move |page: ComparePage| {
                let change = change.get().and_then(|word| word.parse::<Change>().ok());
                view! { <Compared page change/> }
            }/>
        }
        .into_any()
    })
}

#[component]
fn Compared(page: ComparePage, change: Option<Change>) -> impl IntoView {
    let ComparePage { agent, runs, a, b, rows } = page;
    let tests = format!("/agents/{}/tests", agent.id);
    let parents = vec![
        crumb("Agents", "/agents"),
        crumb(agent.name.clone(), format!("/agents/{}", agent.id)),
        crumb("Tests", tests.clone()),
        crumb("Test runs", format!("{tests}/runs")),
    ];
    let options = options_of(runs.into_iter().map(|(id, name)| (id.to_string(), name)));
    let (first, second) = (a.run.to_string(), b.as_ref().map(|b| b.run.to_string()).unwrap_or_default());
    let found = match b {
        Some(b) => view! { <Both a b rows change/> }.into_any(),
        None => view! {
            <EmptyState icon="git-compare" title="Choose the other run" text="Any two runs of the agent’s cases can stand beside each other."/>
        }
        .into_any(),
    };
    view! {
        <PageTitle text="Two test runs" parents/>
        <PageHead title="Two test runs" sub=format!("What became of each case of {}, from the first run to the second.", agent.name)/>
        <Tabs label="Agent" items=agent_tabs(agent.id, "tests")/>
        <GetForm action="/test-runs/compare" class="chips" label="Runs">
            <Select name="a" label="First run" options=options.clone() value=first mark=false/>
            <Select name="b" label="Second run" options value=second prompt="Choose a run" mark=false/>
            <button type="submit" class="btn">"Compare"</button>
        </GetForm>
        {found}
    }
}

#[component]
fn Both(a: ComparedRun, b: ComparedRun, rows: Vec<ComparedCase>, change: Option<Change>) -> impl IntoView {
    let count = |change: Change| rows.iter().filter(|row| row.change == change).count();
    let figures = Change::ALL
        .iter()
        .map(|one| {
            let (word, count) = (one.as_str(), count(*one));
            let is_set = change == Some(*one);
            let label = format!("{}: {count}", one.label());
            let href = move || with_query(&[("change", (!is_set).then_some(word))]);
            view! { <a class=if is_set { "chip set" } else { "chip" } href=href aria-current=is_set.then_some("true")>{label}</a> }
        })
        .collect_view();
    let all = rows.len();
    let shown: Vec<ComparedCase> =
        rows.into_iter().filter(|row| change.is_none_or(|change| row.change == change)).collect();
    let is_empty = shown.is_empty();
    let (first, second) = (a.run, b.run);
    let lines = shown
        .into_iter()
        .map(|row| {
            let reply = match (ms(row.a.as_ref()), ms(row.b.as_ref())) {
                (Some(before), Some(after)) => longer(before, after),
                _ => "–".to_owned(),
            };
            let cost = row.dearer.map_or_else(|| "–".to_owned(), dearer);
            let at = |run| format!("/test-runs/{run}?case={}", row.case);
            view! {
                <tr>
                    <td>{row.name.clone()}" "<small class="sub">{row.matcher.label()}</small></td>
                    <td>{cell::state(row.change)}</td>
                    <td>{one_side(row.a.as_ref(), at(first), &row.name, "first run")}</td>
                    <td>{one_side(row.b.as_ref(), at(second), &row.name, "second run")}</td>
                    <td class="num">{reply}</td>
                    <td class="num">{cost}</td>
                </tr>
            }
        })
        .collect_view();
    let table = match (is_empty, all) {
        (true, 0) => view! { <EmptyState icon="activity" title="No cases" text="Neither run has a case."/> }.into_any(),
        (true, _) => view! { <EmptyState icon="filter" title="No case of this kind" text="Choose another kind above." small=true/> }.into_any(),
        (false, _) => {
            let (one, other) = (a.name.clone(), b.name.clone());
            view! {
                <DataTable
                    label="Case by case"
                    class="wide wrap"
                    head=move || view! {
                        <th scope="col">"Case"</th>
                        <th scope="col">"Change"</th>
                        <th scope="col">{one.clone()}</th>
                        <th scope="col">{other.clone()}</th>
                        <th scope="col" class="num">"Reply time"</th>
                        <th scope="col" class="num">"Cost"</th>
                    }
                >
                    {lines}
                </DataTable>
            }
            .into_any()
        }
    };
    view! {
        <div class="cols two"><Side run=a/><Side run=b/></div>
        <nav class="chips" aria-label="Changes">{figures}</nav>
        <Card title="Case by case" flush=true>{table}</Card>
    }
}

/// The figures of one run.
#[component]
fn Side(run: ComparedRun) -> impl IntoView {
    let reply = run.median_ms.map_or_else(|| "–".to_owned(), seconds);
    let spend = cost_text(run.spent, run.unpriced, i32::from(run.counts.ended() > 0));
    let href = format!("/test-runs/{}", run.run);
    let number = format!("Run {}", run.number);
    view! {
        <Card title=run.name right=move || view! { <a class="link" href=href>{number}</a> }>
            <Kpis count=3>
                <Kpi label="Passed" value=run.counts.passed.to_string() unit=format!("of {}", run.counts.all)/>
                <Kpi label="Reply time, median" value=reply/>
                <Kpi label="Spend" value=spend/>
            </Kpis>
            <p class="note">{cell::state(run.status)}</p>
        </Card>
    }
}

fn ms(sum: Option<&CaseSum>) -> Option<i32> {
    sum.and_then(|sum| sum.median_ms)
}

/// How much longer it took: `+0.3 s`.
fn longer(before: i32, after: i32) -> String {
    match after - before {
        less @ ..0 => format!("−{}", seconds(-less)),
        more => format!("+{}", seconds(more)),
    }
}

/// How much more it cost each time: `+$0.0012`.
fn dearer(more: Money) -> String {
    if more.0.is_sign_negative() { more.text() } else { format!("+{}", more.text()) }
}

fn one_side(sum: Option<&CaseSum>, href: String, name: &str, what: &str) -> AnyView {
    let Some(sum) = sum else { return "–".into_any() };
    let counts = sum.counts;
    let text = match (counts.all, counts.ended()) {
        (_, 0) => "Not decided".to_owned(),
        (1, _) if counts.passed == 1 => "Passed".to_owned(),
        (1, _) if counts.errors == 1 => "Error".to_owned(),
        (1, _) => "Failed".to_owned(),
        (_, ended) => format!("{} of {ended} passed", counts.passed),
    };
    let facts =
        [sum.median_ms.map(seconds), Some(sum.cost_text())].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let label = format!("{text}, {name}, {what}");
    view! {
        <div class="who"><a class="link" href=href aria-label=label>{text}</a><small>{facts}</small></div>
    }
    .into_any()
}
