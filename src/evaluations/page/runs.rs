use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::{SuiteList, SuiteQuery, SuiteRow, SuiteStatus};
use crate::server_fns::list_suite_runs;
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// All runs of an agent's cases.
#[lazy]
pub fn suite_runs_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked = SuiteQuery {
            status: query("status"),
            version: query("version"),
            sort: query("sort"),
            cursor: query("cursor"),
        };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let runs = load(asked, |(agent, query)| list_suite_runs(agent, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("tests:{id}")], move || runs.refetch());
        view! { <PageBoundary data=runs view=move |list: SuiteList| view! { <Runs list/> }/> }.into_any()
    })
}

#[component]
fn Runs(list: SuiteList) -> impl IntoView {
    let SuiteList { agent, page } = list;
    let tests = format!("/agents/{}/tests", agent.id);
    let path = format!("{tests}/runs/export.csv");
    let export = move || {
        let here = with_query(&[]);
        format!("{path}{}", here.find('?').map_or("", |at| &here[at..]))
    };
    let first = tests.clone();
    let rows = List::<SuiteRow>::new("Test runs")
        .filter(Filter::words("status", "State", SuiteStatus::ALL))
        .narrowed_by(&["version"])
        .keep(&["sort", "version"])
        .table("mid")
        .sorted("-created")
        .column("Run", |row: &SuiteRow| cell::link(format!("/test-runs/{}", row.id), &format!("Run {}", row.number)))
        .column("State", |row: &SuiteRow| cell::state(row.status))
        .column("Version", |row: &SuiteRow| format!("v{}", row.version))
        .column("Model", |row: &SuiteRow| row.model.clone())
        .number("Passed", passed)
        .number("Spend", spend)
        .column("By", |row: &SuiteRow| cell::or(&row.by, "–"))
        .column("Started", |row: &SuiteRow| cell::time(&row.started))
        .sort("created")
        .empty_view(move || {
            let href = first.clone();
            view! {
                <EmptyState icon="activity" title="Not run yet" text="Each run of the cases is kept here, with what came of every case.">
                    <LinkButton href kind=ButtonKind::Primary icon="play">"Run the cases"</LinkButton>
                </EmptyState>
            }
        })
        .show(page);
    view! {
        <PageTitle
            text="Test runs"
            parents=vec![crumb("Agents", "/agents"), crumb(agent.name.clone(), format!("/agents/{}", agent.id)), crumb("Tests", tests)]
        />
        <PageHead
            title="Test runs"
            sub=format!("What came of the cases of {}, each time that they were run.", agent.name)
            actions=move || view! { <a class="btn" rel="external" href=export><Icon name="download" small=true/>"Export"</a> }
        />
        <Tabs label="Agent" items=agent_tabs(agent.id, "tests")/>
        {rows}
    }
}

fn passed(row: &SuiteRow) -> String {
    format!("{} of {}", row.counts.passed, row.counts.all)
}

pub(super) fn spend(row: &SuiteRow) -> String {
    crate::model::cost_text(row.spent, row.unpriced, i32::from(row.counts.ended() > 0))
}

/// The newest few runs.
#[component]
pub(super) fn SuiteRows(rows: Vec<SuiteRow>) -> impl IntoView {
    if rows.is_empty() {
        return view! {
            <EmptyState icon="activity" title="Not run yet" text="What came of the cases is listed here, run by run." small=true/>
        }
        .into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <td><a class="link" href=format!("/test-runs/{}", row.id)>{format!("Run {}", row.number)}</a></td>
                    <td>{cell::state(row.status)}</td>
                    <td>{format!("v{} · {}", row.version, row.model)}</td>
                    <td class="num">{passed(&row)}</td>
                    <td class="num">{spend(&row)}</td>
                    <td><Time stamp=row.started.clone()/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="Latest runs"
            class="mid"
            head=|| view! {
                <th scope="col">"Run"</th>
                <th scope="col">"State"</th>
                <th scope="col">"With"</th>
                <th scope="col" class="num">"Passed"</th>
                <th scope="col" class="num">"Spend"</th>
                <th scope="col">"Started"</th>
            }
        >
            {rows}
        </DataTable>
    }
    .into_any()
}
