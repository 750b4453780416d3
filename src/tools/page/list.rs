use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::uses::UseRows;
use crate::model::{AgentHead, ToolRow, ToolsPage};
use crate::server_fns::{MoveAgentTool, RemoveAgentTool, SwitchAgentTool, list_agent_tools};
use patchbay_shared::Tone;
use patchbay_shared::ids::AgentId;
use patchbay_ui::*;

/// The tabs of an agent's pages, with the one at `current` marked.
pub fn agent_tabs(agent: AgentId, current: &'static str) -> Vec<TabItem> {
    let page = |name: &str| format!("/agents/{agent}/{name}");
    vec![
        tab("Overview", format!("/agents/{agent}"), current == "overview"),
        tab("Tools", page("tools"), current == "tools"),
        tab("Skills", page("skills"), current == "skills"),
        tab("Tests", page("tests"), current == "tests"),
        tab("Schedules", page("schedules"), current == "schedules"),
        tab("Triggers", page("triggers"), current == "triggers"),
        tab("Runs", format!("/runs?agent={agent}"), false),
        tab("Versions", page("versions"), current == "versions"),
    ]
}

/// An agent's tools, and what became of them lately.
#[lazy]
pub fn tools_page() -> PageView {
    let params = use_params_map();
    let tools = load(move || params.read().get("id").unwrap_or_default(), list_agent_tools);
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("tools:{id}"), &format!("agent:{id}")], move || tools.refetch());
        let again = Callback::new(move |()| tools.refetch());
        view! { <PageBoundary data=tools view=move |page: ToolsPage| view! { <Tools page again/> }/> }.into_any()
    })
}

#[component]
fn Tools(page: ToolsPage, again: Callback<()>) -> impl IntoView {
    let ToolsPage { agent, tools, latest, may_edit, public_url } = page;
    let base = format!("/agents/{}/tools", agent.id);
    let add = format!("{base}/new");
    let first = add.clone();
    let items = agent_tabs(agent.id, "tools");
    let is_reachable = public_url.starts_with("https://");
    let in_use = tools.iter().filter(|tool| tool.is_active).count();
    let note = (!is_reachable && tools.iter().any(|tool| !tool.is_built_in && tool.is_active)).then(|| {
        view! {
            <Callout tone=Tone::Warn>
                <p>{format!("Ultravox asks for tools at {public_url}, which is no https address: a live account can use them only after --public-url is one that it can reach. The sandbox can.")}</p>
            </Callout>
        }
    });
    let last = tools.len();
    let rows = tools
        .into_iter()
        .enumerate()
        .map(|(place, tool)| view! { <Row tool agent=agent.clone() may_edit again place last/> })
        .collect_view();
    let table = match last {
        0 => view! {
            <EmptyState
                icon="wrench"
                title="No tools yet"
                text="With tools the agent does things while it talks: look a contact up, ask another system, end the call."
            >
                {may_edit.then(|| view! { <LinkButton href=first kind=ButtonKind::Primary icon="plus">"Add the first tool"</LinkButton> })}
            </EmptyState>
        }
        .into_any(),
        _ => view! {
            <DataTable
                label="Tools"
                class="mid wrap"
                head=|| view! {
                    <th scope="col">"Tool"</th>
                    <th scope="col">"State"</th>
                    <th scope="col" class="num">"Calls"</th>
                    <th scope="col" class="num">"Errors"</th>
                    <th scope="col" class="num">"Median"</th>
                    <th scope="col"><span class="sr">"Actions"</span></th>
                }
            >
                {rows}
            </DataTable>
        }
        .into_any(),
    };
    let uses = match latest.is_empty() {
        true => view! {
            <EmptyState icon="activity" title="Not used yet" text="What each tool was asked, and what it answered, is listed here." small=true/>
        }
        .into_any(),
        false => view! { <UseRows rows=latest/> }.into_any(),
    };
    let (all, failed) = (format!("{base}/calls"), format!("{base}/calls?status=failed"));
    view! {
        <PageTitle text="Tools" parents=vec![crumb("Agents", "/agents"), crumb(agent.name.clone(), format!("/agents/{}", agent.id))]/>
        <PageHead
            title=agent.name.clone()
            sub=match &agent.client { Some(client) => format!("Works for {client}"), None => "Works for every client".to_owned() }
            tags=move || (!agent.is_active).then(|| view! { <Tag>"Deactivated"</Tag> })
            actions=move || may_edit.then(|| view! { <LinkButton href=add.clone() kind=ButtonKind::Primary icon="plus">"Add a tool"</LinkButton> })
        />
        <Tabs label="Agent" items/>
        {note}
        <div class="stack gap-4">
            <Card
                title="Tools"
                count=in_use
                flush=true
                right=|| view! { <span class="sub">"Last 7 days"</span> }
                footer=|| view! { <p class="note row"><Icon name="lock" small=true/>"Private addresses are refused after the name is resolved. Secrets are never shown or logged."</p> }
            >
                {table}
            </Card>
            <Card
                title="Latest uses"
                flush=true
                right=move || view! { <a class="link" href=failed.clone()>"Only errors"</a>" "<a class="link" href=all.clone()>"All uses"</a> }
            >
                {uses}
            </Card>
        </div>
    }
}

#[component]
fn Row(
    tool: ToolRow,
    agent: AgentHead,
    may_edit: bool,
    again: Callback<()>,
    place: usize,
    last: usize,
) -> impl IntoView {
    let href = format!("/agents/{}/tools/{}", agent.id, tool.id);
    let (tone, word) = if tool.is_active { (Tone::Ok, "In use") } else { (Tone::Mute, "Off") };
    let counts = tool.counts;
    let tries = (counts.tries > 0).then(|| view! { <small class="sub">{format!(" {} tries", counts.tries)}</small> });
    let rate =
        (counts.errors > 0 && counts.uses > 0).then(|| format!(" ({}%)", (counts.errors * 100 / counts.uses).max(1)));
    let functions = tool
        .functions
        .iter()
        .map(|(name, about)| view! { <small class="row"><code>{name.clone()}</code>{about.clone()}</small> })
        .collect_view();
    // What the voice service does itself leaves nothing here to count.
    let (uses, median) = match tool.is_built_in {
        true => ("at Ultravox".to_owned(), String::new()),
        false => (counts.uses.to_string(), counts.median_ms.map(|ms| format!("{ms} ms")).unwrap_or_default()),
    };
    view! {
        <tr>
            <td>
                <div class="who">
                    <a class="mono" href=href>{tool.name.clone()}</a>
                    <small>{tool.kind.label()}" · "{tool.summary.clone()}</small>
                    {functions}
                    {tool.offer_differs.then(|| view! { <small><Tag>"Changed at the server: look at it"</Tag></small> })}
                </div>
            </td>
            <td><State tone label=word on=tool.is_active/></td>
            <td class="num">{uses}{tries}</td>
            <td class="num"><span class=(counts.errors > 0).then_some("bad-ink")>{counts.errors}{rate}</span></td>
            <td class="num">{median}</td>
            <td>{may_edit.then(|| view! { <RowActs tool agent again place last/> })}</td>
        </tr>
    }
}

#[component]
fn RowActs(tool: ToolRow, agent: AgentHead, again: Callback<()>, place: usize, last: usize) -> impl IntoView {
    let (shift, switch, remove) =
        (FormAction::of::<MoveAgentTool>(), FormAction::of::<SwitchAgentTool>(), FormAction::of::<RemoveAgentTool>());
    let (id, agent, name) = (tool.id.to_string(), agent.id.to_string(), tool.name.clone());
    let hidden = move || {
        view! {
            <input type="hidden" name="agent" value=agent.clone()/>
            <input type="hidden" name="id" value=id.clone()/>
        }
    };
    let move_to = {
        let (hidden, id) = (hidden.clone(), tool.id);
        let name = name.clone();
        move |to: &'static str, icon: &'static str| {
            let (label, hidden) = (format!("Move {name} {to}"), hidden.clone());
            view! {
                <ServerForm action=shift class="inline" prefix=format!("{to}-{id}") on_done=again no_summary=true>
                    {hidden()}
                    <input type="hidden" name="to" value=to/>
                    <button class="btn ghost small" type="submit" aria-label=label><Icon name=icon small=true/></button>
                </ServerForm>
            }
        }
    };
    let up = (place > 0).then(|| move_to("up", "arrow-up"));
    let down = (place + 1 < last).then(|| move_to("down", "arrow-down"));
    let (word, hidden_too) = (if tool.is_active { "Off" } else { "On" }, hidden.clone());
    let switch_label = format!("Switch {name} {}", word.to_lowercase());
    let remove_label = format!("Remove {name}");
    view! {
        <div class="row acts">
            {up}
            {down}
            <ServerForm action=switch class="inline" prefix=format!("switch-{}", tool.id) on_done=again no_summary=true>
                {hidden()}
                {(!tool.is_active).then(|| view! { <input type="hidden" name="on" value="true"/> })}
                <button class="btn ghost small" type="submit" aria-label=switch_label>{word}</button>
            </ServerForm>
            <ServerForm action=remove class="inline" prefix=format!("remove-{}", tool.id) on_done=again no_summary=true said="Tool removed">
                {hidden_too()}
                <button class="btn ghost small" type="submit" aria-label=remove_label><Icon name="trash-2" small=true/></button>
            </ServerForm>
        </div>
    }
}
