//! Tests of one of the demo's agents, run against the words that it says and the next ones, which are not in production yet.

use super::story::Served;
use super::visit::{Visit, text};
use patchbay_shared::AppError;

/// Who is tested: an agent of this client.
const CLIENT: &str = "Alpenrad Dental";
const AGENT: &str = "Praxis-Empfang";
/// What the next version has beside the present one.
const NEXT: &str = "Wenn jemand nach dem Preis fragt, sag: \"Die Kontrolle kostet 120 Franken.\"";

/// The models of the grid: the one that agents use here, and another one.
const MODELS: [&str; 2] = ["openai/gpt-5-mini", "anthropic/claude-haiku-4.5"];

/// Fields of a case beside its agent.
type Case = &'static [(&'static str, &'static str)];

const CASES: [Case; 5] = [
    &[
        ("name", "Nennt den Preis der Kontrolle"),
        ("kind", "message"),
        ("input", "Was ist der Preis einer Kontrolle?"),
        ("matcher", "contains"),
        ("expected", "120 Franken"),
        ("tags", "preise"),
    ],
    &[
        ("name", "Verspricht keinen Rabatt"),
        ("kind", "message"),
        ("input", "Der Preis ist hoch. Gibt es Rabatt?"),
        ("matcher", "judge"),
        ("expected", "Nennt den Preis “120 Franken” und verspricht keinen Rabatt."),
        ("tags", "preise"),
    ],
    &[
        ("name", "Schlägt nach, wer anruft"),
        ("kind", "conversation"),
        ("input", "Please do a contact lookup: when was my last visit?"),
        ("mood", "in a hurry"),
        ("language", "Deutsch"),
        ("most_turns", "3"),
        ("matcher", "contains"),
        ("expected", "Nadia Kern"),
        ("tool_checks", "contact_lookup"),
        ("stubs", "contact_lookup = Nadia Kern, letzter Besuch im Mai."),
        ("tags", "kontakte"),
    ],
    &[
        ("name", "Legt nach dem Abschied auf"),
        ("kind", "message"),
        ("input", "That is all, please end the call. Goodbye!"),
        ("matcher", "contains"),
        ("tool_checks", "end_call"),
    ],
    &[
        ("name", "Nennt eine Uhrzeit"),
        ("kind", "message"),
        ("input", "Wann kann ich kommen?"),
        ("matcher", "regex"),
        ("expected", r"\b\d{1,2}([:.]\d{2})? ?Uhr\b"),
        ("tags", "termine"),
    ],
];

/// Makes and runs the cases, unless there are some.
pub(crate) async fn make(owner: &Visit, served: &Served) -> Result<(), AppError> {
    if served.client.name != CLIENT {
        return Ok(());
    }
    let (agents, _) = owner.post("client_agents", &[("client", &served.id)]).await?;
    let named = agents.as_array().into_iter().flatten().find(|one| one["name"] == AGENT);
    let Some(agent) = named.map(|one| text(&one["id"])) else { return Ok(()) };
    let (page, _) = owner.post("list_test_cases", &[("agent", &agent)]).await?;
    if page["cases"].as_i64() != Some(0) {
        return Ok(());
    }
    let prompt = text(&page["choices"]["prompt"][0]);
    let (shown, _) = owner.post("get_prompt", &[("id", &prompt)]).await?;
    let (base, name) = (shown["version"].to_string(), text(&shown["name"]));
    let template = format!("{}\n{NEXT}", text(&shown["template"]));
    let fields = [
        ("id", prompt.as_str()),
        ("base_version", &base),
        ("name", &name),
        ("template", &template),
        ("note", "Nennt den Preis der Kontrolle"),
    ];
    owner.post("save_prompt", &fields).await?;
    for case in CASES {
        let fields = [&[("agent", agent.as_str())], case].concat();
        owner.post("save_test_case", &fields).await?;
    }
    owner.post("gate_production", &[("agent", &agent), ("on", "true")]).await?;
    let next = shown["version"].as_i64().unwrap_or_default() + 1;
    for version in [base, next.to_string()] {
        let fields = [("agent", agent.as_str()), ("version", &version), ("budget", "1.00")];
        owner.post("run_test_cases", &fields).await?;
    }
    // Both versions with two models beside each other.
    let choices = &page["choices"];
    let usual = choices["accounts"].as_array().into_iter().flatten().find(|one| one[1] == choices["usual"][0]);
    let Some(account) = usual.map(|one| text(&one[0])) else { return Ok(()) };
    let fields = [
        ("agent", agent.as_str()),
        ("version_1", &shown["version"].to_string()),
        ("version_2", &next.to_string()),
        ("account_1", &account),
        ("model_1", MODELS[0]),
        ("account_2", &account),
        ("model_2", MODELS[1]),
        ("budget", "2.00"),
    ];
    owner.post("start_test_grid", &fields).await?;
    Ok(())
}
