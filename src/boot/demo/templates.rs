//! A template of the demo: an agent that asks how it went, which two other clients were given. One of them has taken over its second
//! version.

use super::changes::as_form;
use super::story::{self, Served};
use super::tools;
use super::visit::{Visit, id_in, text};
use patchbay_shared::AppError;

/// Whose agent the template is made of, and who is given it.
const SOURCE: &str = "Northbeam Solar";
const GIVEN: [&str; 2] = ["Hotel Costa Clara", "Sabarmati Insurance"];
const NAME: &str = "Satisfaction survey";
const PROMPT: &str = "You call {{contact_name}} after a visit or a call, and ask how satisfied they were, from one to five, and why. \
     Thank them. If something went wrong, say that somebody will call back, and note what it is about. Be brief and friendly.";

/// Makes the template and gives it. What is there already stays.
pub(crate) async fn make(owner: &Visit, served: &[Served]) -> Result<(), AppError> {
    let of = |name: &str| served.iter().find(|served| served.client.name == name);
    let Some(source) = of(SOURCE) else { return Ok(()) };
    let (known, _) = owner.post("list_agent_templates", &[("query[state]", "all")]).await?;
    if known["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    let agent = agent(owner, &source.id).await?;
    let fields = [("agent", agent.as_str()), ("name", NAME), ("note", "As it asks for Northbeam Solar")];
    let (_, location) = owner.post("save_agent_template", &fields).await?;
    let template = id_in(&location);
    let mut made = Vec::new();
    for client in GIVEN.iter().filter_map(|name| of(name)) {
        let fields = [("template", template.as_str()), ("client_id", client.id.as_str()), ("name", NAME)];
        let (_, location) = owner.post("give_agent_template", &fields).await?;
        let given = id_in(&location);
        owner.post("publish_agent", &[("id", &given)]).await?;
        made.push(given);
    }
    // It moves on, and the first client's agent follows.
    let (page, _) = owner.post("get_agent", &[("id", &agent)]).await?;
    let better = [
        ("max_minutes", "4"),
        ("time_up", "I am sorry, our time is up. Thank you for your answers. Goodbye."),
        ("silence_after_1", "12"),
        ("silence_says_1", "Are you still there?"),
        ("publish", "true"),
    ];
    owner.post("save_agent", &as_form(&page, &better)).await?;
    let next =
        [("agent", agent.as_str()), ("template", &template), ("note", "Asks when nobody speaks, and ends in time")];
    owner.post("save_agent_template", &next).await?;
    if let Some(first) = made.first() {
        owner.post("take_from_template", &[("id", first.as_str()), ("version", "2"), ("field", "")]).await?;
        owner.post("publish_agent", &[("id", first)]).await?;
    }
    Ok(())
}

/// The agent that the template is made of, with tools and a skill.
async fn agent(owner: &Visit, client: &str) -> Result<String, AppError> {
    let (agents, _) = owner.post("client_agents", &[("client", client)]).await?;
    if let Some(known) = story::found(agents.as_array(), NAME) {
        return Ok(known);
    }
    let (catalog, _) = owner.post("get_voice_catalog", &[]).await?;
    let model = catalog["models"].as_array().and_then(|models| models.first()).map(text).unwrap_or_default();
    let fields = [
        ("name", NAME),
        ("description", "Asks customers how it went"),
        ("client_id", client),
        ("language", "en"),
        ("llm_model", &model),
        ("temperature", "0.3"),
        ("first_speaker", "agent"),
        ("max_minutes", "10"),
        ("recording", "true"),
        ("direction", "outbound"),
        ("tags", "cs"),
        ("template", PROMPT),
    ];
    let (_, location) = owner.post("save_agent", &fields).await?;
    let agent = id_in(&location);
    tools::give(owner, &agent).await?;
    let (skills, _) = owner.post("list_skills", &[("query[words]", "complaints")]).await?;
    if let Some(skill) = skills["page"]["rows"][0]["id"].as_str() {
        owner.post("attach_skill", &[("agent", agent.as_str()), ("skill", skill)]).await?;
    }
    Ok(agent)
}
