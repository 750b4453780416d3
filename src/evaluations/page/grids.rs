use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::{GridList, GridQuery, GridRow, SuiteStatus};
use crate::server_fns::list_test_grids;
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// All grids of an agent's cases.
#[lazy]
pub fn test_grids_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked = GridQuery { status: query("status"), sort: query("sort"), cursor: query("cursor") };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let grids = load(asked, |(agent, query)| list_test_grids(agent, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("tests:{id}")], move || grids.refetch());
        view! { <PageBoundary data=grids view=move |list: GridList| view! { <Grids list/> }/> }.into_any()
    })
}

#[component]
fn Grids(list: GridList) -> impl IntoView {
    let GridList { agent, page, may_edit } = list;
    let tests = format!("/agents/{}/tests", agent.id);
    let path = format!("{tests}/grids/export.csv");
    let export = move || {
        let here = with_query(&[]);
        format!("{path}{}", here.find('?').map_or("", |at| &here[at..]))
    };
    let add = format!("{tests}/grid");
    let first = add.clone();
    let rows = List::<GridRow>::new("Grids")
        .filter(Filter::words("status", "State", SuiteStatus::ALL))
        .keep(&["sort"])
        .table("mid wrap")
        .sorted("-created")
        .column("Grid", |row: &GridRow| cell::link(format!("/test-grids/{}", row.id), &format!("Grid {}", row.number)))
        .column("State", |row: &GridRow| cell::state(row.status))
        .column("Versions and models", GridRow::sides)
        .number("Times each", |row: &GridRow| row.repeats)
        .number("Passed", passed)
        .number("Spend", GridRow::cost_text)
        .column("By", |row: &GridRow| cell::or(&row.by, "–"))
        .column("Started", |row: &GridRow| cell::time(&row.started))
        .sort("created")
        .empty_view(move || {
            let href = first.clone();
            view! {
                <EmptyState
                    icon="columns-3"
                    title="No grids yet"
                    text="A grid runs the cases with several versions of the prompt and several models, and shows what passes where, how fast, and for how much."
                >
                    {may_edit.then(|| view! { <LinkButton href kind=ButtonKind::Primary icon="plus">"Make the first grid"</LinkButton> })}
                </EmptyState>
            }
        })
        .show(page);
    view! {
        <PageTitle
            text="Grids"
            parents=vec![crumb("Agents", "/agents"), crumb(agent.name.clone(), format!("/agents/{}", agent.id)), crumb("Tests", tests)]
        />
        <PageHead
            title="Grids"
            sub=format!("The cases of {}, with several versions and models beside each other.", agent.name)
            actions=move || view! {
                <a class="btn" rel="external" href=export><Icon name="download" small=true/>"Export"</a>
                {may_edit.then(|| view! { <LinkButton href=add.clone() kind=ButtonKind::Primary icon="plus">"New grid"</LinkButton> })}
            }
        />
        <Tabs label="Agent" items=agent_tabs(agent.id, "tests")/>
        {rows}
    }
}

fn passed(row: &GridRow) -> String {
    format!("{} of {}", row.counts.passed, row.counts.all)
}

/// The newest few grids.
#[component]
pub(super) fn GridRows(rows: Vec<GridRow>) -> impl IntoView {
    if rows.is_empty() {
        return view! {
            <EmptyState
                icon="columns-3"
                title="No grids yet"
                text="A grid runs the cases with several versions of the prompt and several models."
                small=true
            />
        }
        .into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <td><a class="link" href=format!("/test-grids/{}", row.id)>{format!("Grid {}", row.number)}</a></td>
                    <td>{cell::state(row.status)}</td>
                    <td>{row.sides()}</td>
                    <td class="num">{passed(&row)}</td>
                    <td class="num">{row.cost_text()}</td>
                    <td><Time stamp=row.started.clone()/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="Latest grids"
            class="mid wrap"
            head=|| view! {
                <th scope="col">"Grid"</th>
                <th scope="col">"State"</th>
                <th scope="col">"Versions and models"</th>
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
