//! What sets one of the demo's agents off without a call: a schedule, and a trigger that the practice's calendar calls.

use chrono::Utc;
use serde_json::{Map, Value, json};

use super::story::{self, Served};
use super::visit::{Visit, id_in, text};
use patchbay_providers::signature::sign_standard;
use patchbay_shared::AppError;

/// Whose agent it is.
const CLIENT: &str = "Alpenrad Dental";
const CANCELLED: [(&str, &str); 3] =
    [("termin-4711", "Di 09:30"), ("termin-4718", "Mi 14:00"), ("termin-4733", "Do 08:15")];

/// Makes both and has them run, unless they are there.
pub(crate) async fn make(owner: &Visit, served: &Served) -> Result<(), AppError> {
    if served.client.name != CLIENT {
        return Ok(());
    }
    let (agents, _) = owner.post("client_agents", &[("client", &served.id)]).await?;
    let Some(agent) = story::found(agents.as_array(), served.client.desk.0) else { return Ok(()) };
    let (listed, _) = owner.post("list_agent_schedules", &[("agent", &agent)]).await?;
    if listed["page"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    let (page, _) = owner.post("get_agent", &[("id", &agent)]).await?;
    let names: Vec<String> = page["prompt"]["variables"].as_array().into_iter().flatten().map(text).collect();
    let values: Vec<String> = names.iter().map(|name| format!("{name} = Praxisteam")).collect();
    let schedule = [
        ("agent", agent.as_str()),
        ("name", "Morgenbericht"),
        ("cron", "30 7 * * 1-5"),
        ("timezone", "Europe/Zurich"),
        ("input", "Fass in drei Sätzen zusammen, worauf das Team heute am Telefon achten soll."),
        ("variables", &values.join("\n")),
    ];
    let (_, location) = owner.post("save_agent_schedule", &schedule).await?;
    let schedule = id_in(&location);
    for _ in 0..2 {
        owner.post("run_agent_schedule", &[("agent", &agent), ("id", &schedule)]).await?;
    }
    owner.post("save_agent_trigger", &[("agent", &agent), ("name", "Kalender: abgesagte Termine")]).await?;
    let (made, _) = owner.post("take_trigger_secret", &[]).await?;
    for (id, when) in CANCELLED {
        let mut sent: Map<String, Value> = names.iter().map(|name| (name.clone(), json!("Praxisteam"))).collect();
        sent.insert("abgesagt".to_owned(), json!(when));
        sent.insert("frage".to_owned(), json!("Wen rufen wir an, damit der Termin nicht leer bleibt?"));
        let (body, now) = (Value::Object(sent).to_string(), Utc::now().timestamp().to_string());
        let signature = sign_standard(&text(&made["secret"]), id, &now, body.as_bytes()).unwrap_or_default();
        let headers = [("webhook-id", id), ("webhook-timestamp", &now), ("webhook-signature", &signature)];
        owner.send_signed(&text(&made["address"]), &headers, body).await?;
    }
    Ok(())
}
