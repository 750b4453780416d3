//! What the demo's agents can do well: skills that the owner imports, looks at, takes, and gives to every agent.

use super::visit::{Visit, id_in};
use patchbay_shared::AppError;

/// By their names, which are also those of the files.
const SKILLS: [(&str, &str); 3] = [
    ("spelling-names", include_str!("skills/spelling-names.md")),
    ("complaints", include_str!("skills/complaints.md")),
    ("naming-times", include_str!("skills/naming-times.md")),
];

/// Brings the skills in and gives them to the agency's agents. What is there already stays.
pub(crate) async fn fill(owner: &Visit) -> Result<(), AppError> {
    let (known, _) = owner.post("list_skills", &[("query[state]", "all")]).await?;
    if known["page"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    for (name, text) in SKILLS {
        let location = owner.send_file("/skills/imports", &format!("{name}.md"), text.as_bytes().to_vec()).await?;
        let (import, take) = (id_in(&location), format!("take_{name}"));
        owner.post("import_skills", &[("id", import.as_str()), (take.as_str(), "0")]).await?;
    }
    let (skills, _) = owner.post("list_skills", &[]).await?;
    let (agents, _) = owner.post("list_agents", &[]).await?;
    let ids = |list: &serde_json::Value| {
        let rows = list["page"]["rows"].as_array().cloned().unwrap_or_default();
        rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    for agent in ids(&agents) {
        for skill in ids(&skills) {
            owner.post("attach_skill", &[("agent", agent.as_str()), ("skill", skill.as_str())]).await?;
        }
    }
    Ok(())
}
