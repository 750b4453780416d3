//! Changes of one of the demo's agents: what it is told and says beside its prompt, what waits to be published, and what somebody has set
//! at the voice service. There an agent also waits to be adopted.

use serde_json::{Value, json};

use super::agencies::Agency;
use super::story::Served;
use super::visit::{Visit, text};
use patchbay_sandbox::Sandbox;
use patchbay_shared::AppError;

/// Whose agent is changed.
const CLIENT: &str = "Alpenrad Dental";

pub(crate) async fn make(owner: &Visit, sandbox: &Sandbox, agency: &Agency, served: &[Served]) -> Result<(), AppError> {
    let Some(served) = served.iter().find(|served| served.client.name == CLIENT) else { return Ok(()) };
    let (agents, _) = owner.post("client_agents", &[("client", &served.id)]).await?;
    let named = agents.as_array().into_iter().flatten().find(|one| one["name"] == served.client.agent);
    let Some(agent) = named.map(|one| text(&one["id"])) else { return Ok(()) };
    let (page, _) = owner.post("get_agent", &[("id", &agent)]).await?;
    if page["version"] != 1 {
        return Ok(());
    }
    let memory = [
        ("earlier_calls", "3"),
        ("silence_after_1", "15"),
        ("silence_says_1", "Sind Sie noch da?"),
        ("voicemail", "message"),
        ("voicemail_message", "Guten Tag, hier ist die Zahnarztpraxis Alpenrad. Bitte rufen Sie uns zurück."),
        ("publish", "true"),
    ];
    owner.post("save_agent", &as_form(&page, &memory)).await?;
    let is_sent = |page: &Value| page["version"] == 2 && page["sync"] == "synced";
    let page = owner.until("The agent's way to the voice service", "get_agent", &[("id", &agent)], is_sent).await?;

    // Somebody listened to it in the service's own pages.
    sandbox.change_agent(agency.key, &served.callers_id, json!({"temperature": 0.6}));
    owner.post("compare_agent", &[("id", &agent)]).await?;
    sandbox.add_agent(
        agency.key,
        "Reception (trial)",
        json!({"systemPrompt": "You are Rita, the reception. Greet {{first_name}} and ask what it is about.", "temperature": 0.2,
            "languageHint": "en", "selectedTools": [{"toolName": "hangUp"}]}),
    );
    let later =
        [&memory[..5], &[("time_up", "Unsere Zeit ist leider um. Auf Wiederhören."), ("max_minutes", "8")]].concat();
    owner.post("save_agent", &as_form(&page, &later)).await?;
    Ok(())
}

/// The agent's form as its page shows it, with these fields in it.
pub(super) fn as_form<'a>(page: &'a Value, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let settings = &page["settings"];
    let of = |value: &'a Value| value.as_str().unwrap_or_default();
    let mut form = vec![
        ("id", of(&page["id"])),
        ("name", of(&settings["name"])),
        ("description", of(&settings["description"])),
        ("client_id", of(&settings["client_id"])),
        ("language", of(&settings["language"])),
        ("llm_model", of(&settings["llm_model"])),
        ("voice", of(&settings["config"]["voice"])),
        ("temperature", "0.3"),
        ("first_speaker", of(&settings["config"]["first_speaker"])),
        ("max_minutes", "10"),
        ("recording", "true"),
        ("direction", of(&settings["direction"])),
        ("tags", of(&settings["tags"][0])),
        ("prompt_id", of(&settings["prompt_id"])),
    ];
    form.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
    form.extend_from_slice(fields);
    form
}
