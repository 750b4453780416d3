//! What the demo's agents may do on their calls beside talking.

use super::story::Served;
use super::visit::{Visit, id_in};
use patchbay_shared::AppError;

/// The kinds that every agent of the demo has.
const KINDS: [(&str, &str, &str); 2] = [
    (
        "contact_lookup",
        "contact_lookup",
        "Looks up who is on the call. Use it at the beginning, before you ask for details that may be known.",
    ),
    ("end_call", "end_call", "Ends the call. Use it after both have said goodbye."),
];

/// Gives an agent its tools, unless it has some.
pub(super) async fn give(owner: &Visit, agent: &str) -> Result<(), AppError> {
    let (page, _) = owner.post("list_agent_tools", &[("agent", agent)]).await?;
    if page["tools"].as_array().is_some_and(|tools| !tools.is_empty()) {
        return Ok(());
    }
    for (kind, name, about) in KINDS {
        let fields = [("agent", agent), ("kind", kind), ("tool_name", name), ("description", about)];
        owner.post("save_agent_tool", &fields).await?;
    }
    Ok(())
}

/// Gives the agent who answers at one client what other systems know: orders of a server of functions, and a web search. `at`: where the
/// stand-ins have such systems.
pub(super) async fn from_outside(owner: &Visit, served: &Served, at: &str) -> Result<(), AppError> {
    if served.client.name != "Northbeam Solar" {
        return Ok(());
    }
    let (agents, _) = owner.post("client_agents", &[("client", &served.id)]).await?;
    let Some(agent) = super::story::found(agents.as_array(), served.client.desk.0) else { return Ok(()) };
    let (page, _) = owner.post("list_agent_tools", &[("agent", &agent)]).await?;
    if page["tools"].as_array().is_some_and(|tools| tools.iter().any(|tool| tool["kind"] == "mcp")) {
        return Ok(());
    }
    let address = format!("{at}/search?q={{query}}");
    let search = [
        ("agent", agent.as_str()),
        ("kind", "web_search"),
        ("tool_name", "search_web"),
        ("description", "Searches the web, for questions about rebates that are not in the documents."),
        ("address", &address),
        ("secret_headers", "X-Subscription-Token: sandbox"),
        ("results_at", "web.results"),
        ("title_at", "title"),
        ("link_at", "url"),
        ("text_at", "description"),
    ];
    owner.post("save_agent_tool", &search).await?;
    // The second one never answers.
    let people = [
        ("agent", agent.as_str()),
        ("kind", "transfer"),
        ("tool_name", "transfer_call"),
        (
            "description",
            "Puts the caller through to a person. Use it when they ask for somebody, or when you cannot help.",
        ),
        (
            "destinations",
            "Front desk | +12025550013 | Appointments and everything else\nFitters | +12025550002 | A fault of a system that runs",
        ),
        ("ring_seconds", "20"),
        ("ring_words", "One moment please, I am putting you through."),
        ("no_answer", "agent"),
    ];
    owner.post("save_agent_tool", &people).await?;
    let address = format!("{at}/mcp/shop");
    let server = [("agent", agent.as_str()), ("kind", "mcp"), ("tool_name", "orders"), ("address", &address)];
    let (_, location) = owner.post("save_agent_tool", &server).await?;
    let id = id_in(&location);
    let tool = [("agent", agent.as_str()), ("id", id.as_str())];
    owner.post("list_tool_functions", &tool).await?;
    let (page, _) = owner.post("get_agent_tool", &tool).await?;
    let offered = page["offers"]["rows"].as_array().cloned().unwrap_or_default();
    let wanted = offered.iter().filter(|row| row["name"] == "find_order" || row["name"] == "shop.stock");
    let marks: Vec<String> = wanted.filter_map(|row| row["mark"].as_str()).map(|mark| format!("mark_{mark}")).collect();
    let mut choice = tool.to_vec();
    choice.extend(marks.iter().map(|mark| (mark.as_str(), "true")));
    owner.post("choose_tool_functions", &choice).await?;
    Ok(())
}
