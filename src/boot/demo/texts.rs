//! Text messages of one of the demo's clients: a rule for calls that reached nobody, and two people who answer what the practice writes.

use super::story::Served;
use super::visit::{Visit, id_in, text};
use patchbay_shared::AppError;
use patchbay_shared::ids::TextMessageId;

/// Whose contacts are written to.
const CLIENT: &str = "Alpenrad Dental";
/// By the last digits of their numbers the sandbox has one of them say yes, and the other one STOP.
const PEOPLE: [(&str, &str, &str); 2] = [
    (
        "Vreni Amstutz",
        "+41445550041",
        "Guten Tag, hier ist Alpenrad Dental. Passt Ihnen der Termin am Dienstag um 9.30 Uhr?",
    ),
    (
        "Beat Zgraggen",
        "+41445550040",
        "Guten Tag, hier ist Alpenrad Dental. Möchten Sie Ihre Kontrolle vereinbaren? Antworten Sie STOP, um nichts mehr zu erhalten.",
    ),
];

/// Makes the rule and writes, unless there is a rule.
pub(crate) async fn make(owner: &Visit, served: &Served) -> Result<(), AppError> {
    if served.client.name != CLIENT {
        return Ok(());
    }
    let (rules, _) = owner.post("list_text_rules", &[("query[client]", &served.id)]).await?;
    if rules["page"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    let rule = [
        ("name", "Nicht erreicht"),
        ("client", served.id.as_str()),
        ("no_answer", "on"),
        ("voicemail", "on"),
        ("missed", "on"),
        (
            "template",
            "Guten Tag {{contact_name}}, wir haben Sie nicht erreicht. Rufen Sie uns zurück, wann es Ihnen passt. {{client_name}}. Mit STOP erhalten Sie nichts mehr.",
        ),
        // The demo is looked at by night, too.
        ("hours_start", "00:00"),
        ("hours_end", "00:00"),
    ];
    owner.post("save_text_rule", &rule).await?;
    for (name, phone, words) in PEOPLE {
        let fields = [("client", served.id.as_str()), ("form[name]", name), ("form[phone]", phone)];
        let (_, location) = owner.post("create_contact", &fields).await?;
        let contact = id_in(&location);
        let (thread, _) = owner.post("get_text_thread", &[("contact", &contact)]).await?;
        let number = text(&thread["numbers"][0]["id"]);
        let key = TextMessageId::new().to_string();
        if !number.is_empty() {
            let fields = [("contact", contact.as_str()), ("number", &number), ("message", words), ("key", &key)];
            owner.post("send_text", &fields).await?;
        }
    }
    Ok(())
}
