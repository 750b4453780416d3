use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::runs::spend;
use super::shown::Shown;
use crate::model::{Difference, ResultRow, SuitePage, SuiteRow, SuiteRun, SuiteStatus, TestResult};
use crate::server_fns::{RunTestCases, StopSuiteRun, get_suite_run};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::counted;
use patchbay_shell::refused;
use patchbay_ui::*;

/// One run of an agent's cases, beside another one if that is asked for.
#[lazy]
pub fn suite_run_page() -> PageView {
    let params = use_params_map();
    let narrowed = || (query("result"), query("case"));
    let asked = move || (params.read().get("id").unwrap_or_default(), query("with"), query("shown"), narrowed());
    let run = load(asked, |(id, with, shown, _)| get_suite_run(id, with, shown));
    let narrowed = Memo::new(move |_| narrowed());
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::follow(&[format!("suite_run:{id}")], move || run.refetch());
        let again = Callback::new(move |()| run.refetch());
        view! {
            <PageBoundary data=run view=move |page: SuitePage| {
                let narrowed = narrowed.get();
                view! { <Run page narrowed again/> }
            }/>
        }
        .into_any()
    })
}

#[component]
fn Run(page: SuitePage, narrowed: (Option<String>, Option<String>), again: Callback<()>) -> impl IntoView {
    let SuitePage { agent, run, mut results, mut other, others, shown, gate, gates_production, may_edit } = page;
    let changed = other.as_ref().map(|(_, rows)| Difference::between(rows, &results).text());
    let shown_only = shown_only(&mut results, &narrowed);
    if let Some((_, rows)) = other.as_mut().filter(|_| shown_only.is_some()) {
        rows.retain(|row| results.iter().any(|shown| is_pair(shown, row)));
    }
    let title = format!("Run {}", run.row.number);
    let tests = format!("/agents/{}/tests", agent.id);
    let parents = vec![
        crumb("Agents", "/agents"),
        crumb(agent.name.clone(), format!("/agents/{}", agent.id)),
        crumb("Tests", tests.clone()),
    ];
    let sub = sub(&run, &agent.name);
    let status = run.row.status;
    let export = format!("/test-runs/{}/export.csv", run.row.id);
    let note = run.note.clone().map(|note| view! { <Callout tone=Tone::Warn><p>{note}</p></Callout> });
    let gate = gate_note(&run, gate, gates_production);
    let unpriced = (run.row.unpriced > 0).then(|| {
        let text = format!(
            "{} not priced yet: the service tells no price, and none is entered. The budget counts only what is priced.",
            counted(i64::from(run.row.unpriced), "answer is", "answers are")
        );
        view! {
            <Callout tone=Tone::Info>
                <p>{text}" "<a class="link" href="/connections/models/prices">"Enter a price"</a></p>
            </Callout>
        }
    });
    let acts = may_edit.then(|| view! { <Acts run=run.clone() again/> });
    let run_id = run.row.id.to_string();
    let chosen = other.as_ref().map(|(other, _)| other.row.id.to_string()).unwrap_or_default();
    let compare = (!others.is_empty()).then(|| view! { <Compare others chosen id=run_id/> });
    let open = shown.as_ref().map(|shown| shown.row.id.to_string());
    let grid = run.grid.map(|(id, number)| {
        view! { <a class="link" href=format!("/test-grids/{id}")>{format!("Cell of grid {number}")}</a> }
    });
    view! {
        <PageTitle text=title.clone() parents/>
        <PageHead
            title
            sub
            tags=move || view! { <State tone=status.tone() label=status.label() on=status == SuiteStatus::Running/> {grid} }
            actions=move || view! { <a class="btn" rel="external" href=export.clone()><Icon name="download" small=true/>"Export"</a> {acts} }
        />
        {note}
        {gate}
        {unpriced}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                <Progressed run=run.clone()/>
                {compare}
                {shown_only}
                <Cases run results other changed open/>
            </div>
            <div class="stack gap-4 min0">
                {match shown {
                    Some(shown) => view! { <Shown shown agent=agent.id may_edit/> }.into_any(),
                    None => view! { <Card><p class="sub">"Choose a case to see what was said, and why it passed or failed."</p></Card> }.into_any(),
                }}
            </div>
        </div>
    }
}

fn sub(run: &SuiteRun, agent: &str) -> String {
    let by = run.row.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!(
        "{agent} · {} of {} · version {} with {} ({}) · started {}{by}",
        counted(run.row.counts.all, "case", "cases"),
        run.prompt.1,
        run.row.version,
        run.row.model,
        run.account,
        run.row.started.when()
    )
}

/// Whether the version may go to production, where the suite has to pass before.
fn gate_note(run: &SuiteRun, gate: Option<String>, gates: bool) -> Option<AnyView> {
    if !gates || run.row.status == SuiteStatus::Running {
        return None;
    }
    let prompt = format!("/prompts/{}", run.prompt.0);
    let version = run.row.version;
    Some(match gate {
        Some(why) => view! {
            <Callout tone=Tone::Warn icon="lock">
                <p><b>{format!("Version {version} may not go to production yet. ")}</b>{why}" "<a class="link" href=prompt>"Fix it in the prompt"</a></p>
            </Callout>
        }
        .into_any(),
        None if run.labels.iter().any(|label| label == "production") => return None,
        None => view! {
            <Callout tone=Tone::Ok icon="check">
                <p>{format!("Version {version} may go to production: the tests pass. ")}<a class="link" href=prompt>"Open the prompt"</a></p>
            </Callout>
        }
        .into_any(),
    })
}

#[component]
fn Acts(run: SuiteRun, again: Callback<()>) -> impl IntoView {
    let stop = FormAction::of::<StopSuiteRun>();
    let rerun = FormAction::of::<RunTestCases>();
    let id = run.row.id.to_string();
    let budget = run.budget.0.to_string();
    match run.row.status {
        SuiteStatus::Running => view! {
            <ServerForm action=stop class="inline" prefix="stop" on_done=again no_summary=true said="Stopped">
                <input type="hidden" name="id" value=id/>
                <SubmitButton kind=ButtonKind::Danger icon="square">"Stop"</SubmitButton>
            </ServerForm>
        }
        .into_any(),
        _ if !run.is_whole => view! { <LinkButton href=format!("/agents/{}/tests#run", run.agent) icon="play">"Run the cases"</LinkButton> }.into_any(),
        _ => view! {
            <ServerForm action=rerun class="inline" prefix="again" on_done=again no_summary=true>
                <input type="hidden" name="agent" value=run.agent.to_string()/>
                <input type="hidden" name="version" value=run.row.version.to_string()/>
                <input type="hidden" name="account" value=run.account_id/>
                <input type="hidden" name="model" value=run.row.model/>
                <input type="hidden" name="budget" value=budget/>
                <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw">"Run again"</SubmitButton>
            </ServerForm>
        }
        .into_any(),
    }
}

#[component]
fn Progressed(run: SuiteRun) -> impl IntoView {
    let counts = run.row.counts;
    let reply = run.reply_ms.map_or_else(|| "–".to_owned(), seconds);
    let waiting = counts.all - counts.ended() - counts.left_out;
    let segments = vec![
        Segment::new("Passed", counts.passed as f64, "ok"),
        Segment::new("Failed", counts.failed as f64, "bad"),
        Segment::new("Error", counts.errors as f64, "warn"),
        Segment::new("Left out", counts.left_out as f64, "mute"),
        Segment::new("To run", waiting as f64, "soft"),
    ];
    let ended = run.ended.clone().map(|at| view! { <p class="note">"Ended "<Time stamp=at/></p> });
    view! {
        <Card>
            <Kpis count=4>
                <Kpi label="Done" value=counts.ended().to_string() unit=format!("of {}", counts.all)/>
                <Kpi label="Passed" value=counts.passed.to_string()/>
                <Kpi label="Reply time, median" value=reply/>
                <Kpi label="Spend" value=spend(&run.row) versus=format!("of {}", run.budget.text())/>
            </Kpis>
            <SegmentBar segments total=counts.all as f64 label=format!("{} of {} run", counts.ended(), counts.all) legend=true/>
            {ended}
        </Card>
    }
}

pub(super) fn seconds(ms: i32) -> String {
    format!("{} s", fixed(f64::from(ms) / 1000.0, 1))
}

/// Leaves the results that the address asks for: of one kind, all that have come to an end, or of one case. Says so, with the way back.
fn shown_only(results: &mut Vec<ResultRow>, (result, case): &(Option<String>, Option<String>)) -> Option<AnyView> {
    if result.is_none() && case.is_none() {
        return None;
    }
    let all = results.len();
    let kind: Option<TestResult> = result.as_deref().and_then(|word| word.parse().ok());
    let has_ended = |row: &ResultRow| matches!(row.result, TestResult::Pass | TestResult::Fail | TestResult::Error);
    results.retain(|row| {
        let fits = match (kind, result.as_deref()) {
            (Some(kind), _) => row.result == kind,
            (None, Some("ended")) => has_ended(row),
            (None, _) => true,
        };
        fits && case.as_ref().is_none_or(|case| row.case.to_string() == *case)
    });
    let name = results.first().filter(|_| case.is_some()).map(|row| format!(", of “{}”", row.name)).unwrap_or_default();
    let word = match (kind, result.as_deref()) {
        (Some(kind), _) => format!(", {}", kind.label().to_lowercase()),
        (None, Some("ended")) => ", come to an end".to_owned(),
        (None, _) => String::new(),
    };
    let text = format!("{} of {all} shown{word}{name}. ", counted(results.len() as i64, "result", "results"));
    let href = move || with_query(&[("result", None), ("case", None)]);
    Some(view! { <p class="note">{text}<a class="link" href=href>"Show all"</a></p> }.into_any())
}

/// Which other run stands beside this one.
#[component]
fn Compare(others: Vec<SuiteRow>, chosen: String, id: String) -> impl IntoView {
    let options = others.into_iter().map(|row| {
        (
            row.id.to_string(),
            format!(
                "Run {}: v{} with {}, {} of {} passed",
                row.number, row.version, row.model, row.counts.passed, row.counts.all
            ),
        )
    });
    let action = format!("/test-runs/{id}");
    let detail = (!chosen.is_empty()).then(|| {
        let href = format!("/test-runs/compare?a={chosen}&b={id}");
        view! { <p class="note"><a class="link" href=href>"What changed, case by case"</a></p> }
    });
    view! {
        <GetForm action class="chips" label="Compare">
            <Select name="with" label="Compare with" options=options_of(options) value=chosen prompt="No other run" mark=false/>
            <button type="submit" class="btn">"Compare"</button>
        </GetForm>
        {detail}
    }
}

/// The same case, run the same time.
fn is_pair(one: &ResultRow, other: &ResultRow) -> bool {
    (one.case, one.time) == (other.case, other.time)
}

#[component]
fn Cases(
    run: SuiteRun,
    results: Vec<ResultRow>,
    other: Option<(SuiteRun, Vec<ResultRow>)>,
    changed: Option<String>,
    open: Option<String>,
) -> impl IntoView {
    let name = |run: &SuiteRun| format!("v{} · {} · run {}", run.row.version, run.row.model, run.row.number);
    let (head, second) = (name(&run), other.as_ref().map(|(other, _)| name(other)));
    let changed = changed.map(|text| view! { <p class="note">{text}</p> });
    let mut beside: Vec<ResultRow> = other.map(|(_, rows)| rows).unwrap_or_default();
    let has_other = second.is_some();
    let is_repeated = results.iter().chain(&beside).any(|row| row.time > 1);
    let time_of = |time: i32| is_repeated.then(|| format!(", time {time}"));
    let mut rows: Vec<AnyView> = Vec::new();
    for row in results {
        let place = beside.iter().position(|one| is_pair(one, &row));
        let other = place.map(|place| beside.remove(place));
        let differs = other.as_ref().is_some_and(|other| other.result != row.result);
        let first = cell_of(Some(row.clone()), &open);
        let other = has_other.then(|| view! { <td>{cell_of(other, &open)}</td> });
        rows.push(
            view! {
                <tr>
                    <td>
                        {row.name}" "<small class="sub">{row.matcher.label()}{time_of(row.time)}</small>
                        {differs.then(|| view! { " "<Tag tone=Tone::Warn>"Differs"</Tag> })}
                    </td>
                    <td>{first}</td>
                    {other}
                </tr>
            }
            .into_any(),
        );
    }
    // What only the other run had.
    for row in beside {
        let name = format!("{}{}", row.name, time_of(row.time).unwrap_or_default());
        let cell = cell_of(Some(row), &open);
        rows.push(
            view! { <tr><td>{name}" "<Tag tone=Tone::Warn>"Differs"</Tag></td><td>{cell_of(None, &open)}</td><td>{cell}</td></tr> }.into_any(),
        );
    }
    let second = second.map(|second| view! { <th scope="col">{second}</th> });
    view! {
        <Card title="Cases" flush=true footer=move || changed>
            <DataTable label="Cases" class="mid wrap" head=move || view! { <th scope="col">"Case"</th><th scope="col">{head}</th>{second} }>
                {rows}
            </DataTable>
        </Card>
    }
}

fn cell_of(row: Option<ResultRow>, open: &Option<String>) -> AnyView {
    let Some(row) = row else { return view! { <span class="sub">"–"</span> }.into_any() };
    let id = row.id.to_string();
    let is_open = open.as_deref() == Some(id.as_str());
    let facts = match row.result {
        TestResult::Waiting | TestResult::Running | TestResult::LeftOut => String::new(),
        _ => [row.reply_ms.map(seconds), Some(row.cost_text())].into_iter().flatten().collect::<Vec<_>>().join(" · "),
    };
    let why = row.why.clone().filter(|_| matches!(row.result, TestResult::Fail | TestResult::Error));
    let why = why.map(|why| why.chars().take(160).collect::<String>());
    let label = format!("{}: {}", row.result.label(), row.name);
    view! {
        <div class="who">
            <a class="link" href=move || with_query(&[("shown", Some(&id))]) aria-current=is_open.then_some("true") aria-label=label>
                {cell::state(row.result)}
            </a>
            <small>{facts}</small>
            {why.map(|why| view! { <small>{why}</small> })}
        </div>
    }
    .into_any()
}
