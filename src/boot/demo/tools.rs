//! What the demo's agents may do on their calls beside talking.

use super::visit::Visit;
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
