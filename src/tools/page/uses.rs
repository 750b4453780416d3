use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::list::agent_tabs;
use crate::model::{Origin, UseList, UsePage, UseQuery, UseRow, UseStatus};
use crate::server_fns::{get_tool_use, list_tool_uses};
use patchbay_ui::*;

/// All uses of an agent's tools.
#[lazy]
pub fn tool_uses_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked = UseQuery {
            tool: query("tool"),
            status: query("status"),
            origin: query("origin"),
            sort: query("sort"),
            cursor: query("cursor"),
        };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let uses = load(asked, |(agent, query)| list_tool_uses(agent, query));
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("tools:{id}")], move || uses.refetch());
        view! { <PageBoundary data=uses view=move |list: UseList| view! { <Uses list/> }/> }.into_any()
    })
}

#[component]
fn Uses(list: UseList) -> impl IntoView {
    let UseList { agent, page, tools } = list;
    let path = format!("/agents/{}/tools/calls/export.csv", agent.id);
    let export = move || {
        let here = with_query(&[]);
        format!("{path}{}", here.find('?').map_or("", |at| &here[at..]))
    };
    let tools_href = format!("/agents/{}/tools", agent.id);
    let tools: Vec<(String, String)> = tools.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    let rows = List::<UseRow>::new("Tool uses")
        .filter(Filter::new("tool", "Tool", options_of(tools)))
        .filter(Filter::words("status", "Result", UseStatus::ALL))
        .filter(Filter::words("origin", "Used in", Origin::ALL))
        .table("mid wrap")
        .sorted("-at")
        .column("Tool", |row: &UseRow| cell::who(format!("/tool-calls/{}", row.id), &row.tool_name, view! { <small>{row.answer.clone()}</small> }))
        .column("Result", |row: &UseRow| cell::state(row.status))
        .column("Used in", used_in)
        .number("Took", took)
        .column("At", |row: &UseRow| cell::time(&row.at))
        .sort("at")
        .empty_view(move || {
            let href = tools_href.clone();
            view! {
                <EmptyState icon="activity" title="Not used yet" text="What each tool was asked, and what it answered, is listed here.">
                    <LinkButton href icon="wrench">"The agent’s tools"</LinkButton>
                </EmptyState>
            }
        })
        .show(page);
    view! {
        <PageTitle
            text="Tool uses"
            parents=vec![
                crumb("Agents", "/agents"),
                crumb(agent.name.clone(), format!("/agents/{}", agent.id)),
                crumb("Tools", format!("/agents/{}/tools", agent.id)),
            ]
        />
        <PageHead title="Tool uses" sub=format!("What the tools of {} were asked, and what they answered.", agent.name) actions=move || view! { <a class="btn" rel="external" href=export><Icon name="download" small=true/>"Export"</a> }/>
        <Tabs label="Agent" items=agent_tabs(agent.id, "tools")/>
        {rows}
    }
}

fn used_in(row: &UseRow) -> AnyView {
    match row.call {
        Some(call) => {
            let who = if row.who.is_empty() { "Call".to_owned() } else { row.who.clone() };
            cell::link(format!("/calls/{call}"), &who)
        }
        None => view! { <span class="sub">{row.origin.label()}{(!row.who.is_empty()).then(|| format!(" by {}", row.who))}</span> }.into_any(),
    }
}

fn took(row: &UseRow) -> String {
    row.took_ms.map(|ms| format!("{ms} ms")).unwrap_or_default()
}

/// The newest few uses, on the page of the tools.
#[component]
pub(super) fn UseRows(rows: Vec<UseRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <td><Time stamp=row.at.clone()/></td>
                    <td><a class="mono link" href=format!("/tool-calls/{}", row.id)>{row.tool_name.clone()}</a></td>
                    <td>{used_in(&row)}</td>
                    <td>{cell::state(row.status)}</td>
                    <td class="num">{took(&row)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="Latest uses"
            class="mid"
            head=|| view! {
                <th scope="col">"At"</th>
                <th scope="col">"Tool"</th>
                <th scope="col">"Used in"</th>
                <th scope="col">"Result"</th>
                <th scope="col" class="num">"Took"</th>
            }
        >
            {rows}
        </DataTable>
    }
}

/// One use with what was asked and what came back.
#[lazy]
pub fn tool_use_page() -> PageView {
    let params = use_params_map();
    let found = load(move || params.read().get("id").unwrap_or_default(), get_tool_use);
    Arc::new(move || {
        view! {
            <PageBoundary data=found view=move |row: UsePage| {
                let (agent, name) = (row.agent.clone(), row.tool_name.clone());
                view! {
                    <PageTitle
                        text=name.clone()
                        parents=vec![
                            crumb("Agents", "/agents"),
                            crumb(agent.name.clone(), format!("/agents/{}", agent.id)),
                            crumb("Tools", format!("/agents/{}/tools", agent.id)),
                        ]
                    />
                    <PageHead title=name sub=format!("A tool of {}", agent.name)/>
                    <Card><UseFacts row/></Card>
                }
            }/>
        }
        .into_any()
    })
}

/// What was asked, what came back, and what the model read.
#[component]
pub(super) fn UseFacts(row: UsePage) -> impl IntoView {
    let used = match row.call {
        Some(call) => {
            let who = if row.who.is_empty() { "A call".to_owned() } else { row.who.clone() };
            view! { <a class="link" href=format!("/calls/{call}")>{who}</a> }.into_any()
        }
        None => view! { <span>{row.origin.label()}{(!row.who.is_empty()).then(|| format!(" by {}", row.who))}</span> }
            .into_any(),
    };
    let part = |title: &'static str, text: Option<String>| {
        text.map(|text| view! { <h3 class="mt-2">{title}</h3><pre class="code pre-line">{text}</pre> })
    };
    view! {
        <Facts>
            <Fact label="Result">{cell::state(row.status)}</Fact>
            {row.http_status.map(|status| view! { <Fact label="HTTP status">{status}</Fact> })}
            {row.took_ms.map(|ms| view! { <Fact label="Took">{format!("{ms} ms")}</Fact> })}
            <Fact label="At"><Time stamp=row.at/></Fact>
            <Fact label="Used in">{used}</Fact>
        </Facts>
        <h3 class="mt-2">"Values"</h3>
        <Json value=row.arguments name="values"/>
        {part("Request", row.request)}
        {part("Response", row.response)}
        {part("What the agent reads", row.answer)}
    }
}
