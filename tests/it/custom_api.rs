//! Systems with a JSON interface of their own: what they are told, and what they send; and the recipes of docs/INTEGRATIONS.md, against
//! recorded exchanges.

use std::collections::BTreeMap;

use chrono::Utc;
use patchbay_access::server::SESSION_PROVED;
use patchbay_providers::Secret;
use patchbay_providers::signature::{TOLERANCE, sign_standard, verify_standard};
use patchbay_sandbox::ReceiverManner;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::agency::PASSWORD;
use super::support::{Agency, Answer, Browser, World, age_session, run, sources, unique};

struct System {
    id: String,
    name: String,
    url: String,
}

async fn system(world: &World, agency: &Agency) -> System {
    let fields = [("kind", "custom_api"), ("name", "Own CRM"), ("client", &agency.one.id), ("mode", "live")];
    let id = agency.owner.made("create_integration", &fields).await;
    let name = unique("receiver");
    let url = format!("{}/receiver/{name}", world.sandbox_base);
    System { id, name, url }
}

impl System {
    async fn saved(&self, agency: &Agency, fields: &[(&str, &str)]) {
        let mut all = vec![("id", self.id.as_str()), ("url", &self.url)];
        all.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
        all.extend_from_slice(fields);
        agency.owner.done("save_custom", &all).await;
    }

    async fn refused(&self, agency: &Agency, fields: &[(&str, &str)], at: &str) -> String {
        let mut all = vec![("id", self.id.as_str()), ("url", &self.url)];
        all.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
        all.extend_from_slice(fields);
        let answer = agency.owner.rpc("save_custom", &all).await;
        answer.error_at(at).unwrap_or_else(|| panic!("{fields:?} is refused at {at}: {answer:?}"))
    }

    async fn secret(&self, agency: &Agency, kind: &str) -> String {
        agency.owner.done("make_integration_secret", &[("id", &self.id), ("kind", kind)]).await;
        let made = agency.owner.done("take_integration_secret", &[]).await.json();
        made["secret"].as_str().unwrap_or_else(|| panic!("{kind}: {made}")).to_owned()
    }

    fn path(&self, agency: &Agency) -> String {
        format!("/hooks/integrations/{}/{}", agency.workspace_id, self.id)
    }

    /// Signed by this secret, or with it as a key.
    async fn send(&self, agency: &Agency, secret: &str, id: &str, body: &str) -> Answer {
        let request = agency.owner.raw(Method::POST, &self.path(agency)).header("content-type", "application/json");
        let request = match secret.starts_with("whsec_") {
            true => {
                let now = Utc::now().timestamp().to_string();
                let signature = sign_standard(secret, id, &now, body.as_bytes()).expect("a signature");
                request.header("webhook-id", id).header("webhook-timestamp", now).header("webhook-signature", signature)
            }
            false => request.header("authorization", format!("Bearer {secret}")),
        };
        Browser::answer(request.body(body.to_owned())).await
    }

    async fn messages(&self, agency: &Agency) -> Vec<Value> {
        let list = agency.owner.done("list_integration_messages", &[("id", &self.id)]).await.json();
        list["page"]["rows"].as_array().cloned().unwrap_or_default()
    }
}

async fn contact(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_contact", &[("id", id)]).await.json()
}

#[test]
fn a_system_is_told_by_template_signed_and_again_until_it_has_it() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "custom").await;
        let system = system(world, &agency).await;
        for private in ["https://127.0.0.1/x", "http://example.com/x", "https://169.254.169.254/", "nonsense"] {
            system.refused(&agency, &[("url", private), ("events[]", "contact.suppressed")], "url").await;
        }
        let event = ("events[]", "contact.suppressed");
        system.refused(&agency, &[event, ("template", "{\"a\": \"{{data.name}}\"")], "template").await;
        system.refused(&agency, &[event, ("headers", "Authorization: Bearer x")], "headers").await;
        system.refused(&agency, &[event, ("secret_headers", "X-Key: •••")], "secret_headers").await;
        system.refused(&agency, &[event, ("headers", "Webhook-Id: mine")], "headers").await;
        system.refused(&agency, &[("incoming", "/name = name")], "incoming").await;
        let template = r#"{"what": "{{type}}", "who": "{{data.name}}", "why": "{{data.do_not_call_reason}}", "flag": {{data.do_not_call}}, "all": {{data.details}}}"#;
        let fields = [
            event,
            ("template", template),
            ("headers", "X-Source: patchbay"),
            ("secret_headers", "X-Api-Key: very-secret-1234"),
            ("answers", "/person/id = detail:crm_id"),
        ];
        system.saved(&agency, &fields).await;
        let secret = system.secret(&agency, "outgoing").await;

        // A dry run shows both sides, without the secret, also where the system says it back.
        let manner =
            |status: u16, body: &str| ReceiverManner { status, body: body.to_owned(), ..ReceiverManner::default() };
        world.sandbox.receive_as(&system.name, manner(200, r#"{"echo": "very-secret-1234"}"#));
        agency.owner.done("test_custom", &[("id", &system.id)]).await;
        let tried = agency.owner.done("get_integration_settings", &[("id", &system.id), ("tried", "1")]).await.json();
        let tried = &tried["tried"];
        assert!(tried["is_ok"] == true && tried.to_string().contains("webhook-signature"), "{tried}");
        assert!(!tried.to_string().contains("very-secret-1234"), "{tried}");

        // Trouble first; then it has it, signed by the secret that was shown, and its answer becomes a detail of the contact.
        world.sandbox.receive_as(&system.name, manner(503, "later"));
        let id = agency.contact("+12025550180").await;
        let reason = "\"Stop\\\", she said";
        agency.owner.done("suppress_contact", &[("id", &id), ("reason", reason)]).await;
        agency.background.drain_for(std::time::Duration::from_secs(3)).await;
        world.sandbox.receive_as(&system.name, manner(200, r#"{"person": {"id": 4711}}"#));
        agency.drain().await;
        let received = world.sandbox.received(&system.name);
        assert!(received.len() >= 3, "{received:?}");
        let (first, last) = (&received[1], received.last().expect("a request"));
        assert_eq!(first.headers["webhook-id"], last.headers["webhook-id"], "one id for all tries");
        assert!(last.headers["x-source"] == "patchbay" && last.headers["x-api-key"] == "very-secret-1234");
        let header = |name: &str| last.headers.get(name).map(String::as_str);
        let body = last.body.as_bytes();
        let (time, signature) = (header("webhook-timestamp"), header("webhook-signature"));
        let known = [Secret::new(secret)];
        verify_standard(&known, &last.headers["webhook-id"], time, signature, body, Utc::now(), TOLERANCE)
            .expect("signed");
        let told: Value = serde_json::from_str(&last.body).expect("JSON");
        assert!(told["why"] == reason && told["flag"] == true && told["what"] == "contact.suppressed", "{told}");
        assert_eq!(contact(&agency, &id).await["attributes"]["crm_id"], "4711");

        // What it refuses for good fails, and the next goes on; refused credentials make everything wait.
        let mut names = Vec::new();
        for (status, phone) in [(422, "+12025550181"), (401, "+12025550182")] {
            world.sandbox.receive_as(&system.name, manner(status, "no: very-secret-1234"));
            let id = agency.contact(phone).await;
            agency.owner.done("suppress_contact", &[("id", &id), ("reason", "no")]).await;
            agency.background.drain_for(std::time::Duration::from_secs(3)).await;
            names.push(id);
        }
        let messages = system.messages(&agency).await;
        let states: BTreeMap<String, usize> = messages.iter().fold(BTreeMap::new(), |mut all, row| {
            *all.entry(row["state"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            all
        });
        assert_eq!(
            states,
            BTreeMap::from([("failed".into(), 1), ("sent".into(), 1), ("waiting".into(), 1)]),
            "{messages:?}"
        );
        assert!(!json!(messages).to_string().contains("very-secret-1234"), "{messages:?}");
        let settings = agency.owner.done("get_integration_settings", &[("id", &system.id)]).await.json();
        assert!(settings["head"]["problem"].as_str().is_some_and(|why| why.contains("credentials")), "{settings}");
        assert!(!settings.to_string().contains("very-secret-1234"));
        // Another address is not given the values that were typed for the first one.
        let elsewhere = [event, ("url", "https://example.com/x"), ("secret_headers", "X-Api-Key: •••")];
        system.refused(&agency, &elsewhere, "secret_headers").await;
        world.sandbox.receive_as(&system.name, manner(204, ""));
        system.saved(&agency, &[event, ("secret_headers", "X-Api-Key: •••")]).await;
        agency.drain().await;
        let last = world.sandbox.received(&system.name).pop().expect("a request");
        assert!(
            last.headers["x-api-key"] == "very-secret-1234" && last.body.contains("contact.suppressed"),
            "{last:?}"
        );
    });
}

#[test]
fn what_a_system_sends_is_taken_once_and_said_in_words_what_is_wrong() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "custom-in").await;
        let system = system(world, &agency).await;
        let map = "/person/first = first_name\n/person/last = last_name\n/phone = phone\n/mail = email\n/stop = do_not_call\n/size = detail:size";
        system.saved(&agency, &[("url", ""), ("incoming", map)]).await;
        let (secret, key) = (system.secret(&agency, "incoming").await, system.secret(&agency, "key").await);
        let one = r#"{"person": {"first": "Ada", "last": "Lovelace"}, "phone": "+1 202 555 0185", "mail": "ada@example.com", "size": 42}"#;

        // Nobody's, somebody else's, of another time, at another address: all the same.
        let wrong = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(system.send(&agency, wrong, "a1", one).await.status, 401);
        assert_eq!(system.send(&agency, "pbi_nonsense", "", one).await.status, 401);
        let bare = agency.owner.raw(Method::POST, &system.path(&agency)).body(one.to_owned());
        assert_eq!(Browser::answer(bare).await.status, 401);
        let elsewhere = System { id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(), ..system_of(&system) };
        assert_eq!(elsewhere.send(&agency, &secret, "a1", one).await.status, 401);
        let huge = format!("{{\"phone\": \"{}\"}}", "1".repeat(300_000));
        assert_eq!(system.send(&agency, &secret, "a0", &huge).await.status, 413);

        let made = system.send(&agency, &secret, "a1", one).await;
        assert_eq!(made.status, 202, "{made:?}");
        let id = made.json()["contacts"][0]["contact"].as_str().expect("a contact").to_owned();
        assert_eq!(made.json()["contacts"][0]["result"], "created");
        let found = contact(&agency, &id).await;
        assert!(found["name"] == "Ada Lovelace" && found["phone"] == "+12025550185", "{found}");
        assert_eq!(found["attributes"]["size"], "42");
        // The same id again is the same answer; the same content without an id changes nothing.
        let again = system.send(&agency, &secret, "a1", r#"{"phone": "+1 202 555 0199"}"#).await;
        assert_eq!((again.status, again.json()), (202, made.json()));
        let same = system.send(&agency, &key, "", one).await;
        assert_eq!(same.json()["contacts"][0]["result"], "same", "{same:?}");

        // Families share an address: another number is another person. A yes to “do not call” counts beside a value that is wrong.
        let other = r#"{"person": {"first": "Byron"}, "phone": "+1 202 555 0186", "mail": "ada@example.com"}"#;
        let other = system.send(&agency, &key, "", other).await.json();
        assert_eq!(other["contacts"][0]["result"], "created", "{other}");
        assert_eq!(contact(&agency, &id).await["phone"], "+12025550185");
        let stops =
            system.send(&agency, &key, "", r#"{"phone": "+1 202 555 0186", "mail": "none", "stop": "yes"}"#).await;
        assert!(stops.status == 422 && stops.json()["errors"][0]["field"] == "email", "{stops:?}");
        let other = contact(&agency, other["contacts"][0]["contact"].as_str().expect("a contact")).await;
        assert!(other["do_not_call"] == true && other["email"] == "ada@example.com", "{other}");

        // One record that is wrong stops no other; a yes to “do not call” stays, whatever comes later.
        let some = json!([
            {"phone": "+1 202 555 0185", "stop": "Yes", "size": "L"}, {"phone": "nonsense"}, {"mail": "nobody@example.com"},
            {"mail": "ADA@example.com", "stop": "no"},
        ]);
        let mixed = system.send(&agency, &key, "", &some.to_string()).await;
        let body = mixed.json();
        assert_eq!(mixed.status, 202, "{body}");
        assert!(body["errors"][0]["record"] == 1 && body["errors"][0]["field"] == "phone", "{body}");
        assert!(body["errors"][1]["error"].as_str().is_some_and(|why| why.contains("needs a phone number")), "{body}");
        assert_eq!(body["contacts"].as_array().map(Vec::len), Some(2), "{body}");
        let found = contact(&agency, &id).await;
        assert!(found["do_not_call"] == true && found["attributes"]["size"] == "L", "{found}");
        assert!(found["do_not_call_reason"].as_str().is_some_and(|why| why.contains("Own CRM")), "{found}");
        for (wrong, why) in [("{", "JSON"), ("[]", "empty"), ("17", "object"), (r#"{"a": 1}"#, "phone number")] {
            let refused = system.send(&agency, &secret, &unique("w"), wrong).await;
            assert!(refused.status == 422 && refused.text.contains(why), "{wrong}: {refused:?}");
        }
        // Another client's contact with the same number is another one.
        let log = system.messages(&agency).await;
        assert!(
            log.iter().any(|row| row["state"] == "refused") && log.iter().any(|row| row["state"] == "taken"),
            "{log:?}"
        );
        assert!(!json!(log).to_string().contains(&key) && !json!(log).to_string().contains(&secret));

        // Another key ends the one before; another secret leaves it a day.
        let fresh = system.secret(&agency, "incoming").await;
        assert_eq!(system.send(&agency, &secret, "b1", one).await.status, 202);
        assert_eq!(system.send(&agency, &fresh, "b2", one).await.status, 202);
        let new_key = system.secret(&agency, "key").await;
        assert_eq!(system.send(&agency, &key, "", one).await.status, 401);
        agency.owner.done("switch_integration", &[("id", &system.id)]).await;
        let off = system.send(&agency, &new_key, "", one).await;
        assert!(off.status == 409 && off.text.contains("switched off"), "{off:?}");

        // Disconnected, what it spoke with is gone for good. An owner connects it again, and types credentials: nobody else does.
        agency.owner.done("switch_integration", &[("id", &system.id), ("on", "on")]).await;
        agency.owner.done("disconnect_integration", &[("id", &system.id)]).await;
        let same = [("id", system.id.as_str()), ("url", ""), ("incoming", map)];
        assert_eq!(agency.admin.rpc("save_custom", &same).await.status, 409);
        agency.owner.done("save_custom", &same).await;
        assert_eq!(system.send(&agency, &new_key, "", one).await.status, 401);
        let shown = agency.owner.done("get_integration_settings", &[("id", &system.id)]).await.json();
        assert!(shown["head"]["standing"] == "works" && shown["custom"]["has_key"] == false, "{shown}");
        let typed = [("id", system.id.as_str()), ("url", system.url.as_str()), ("secret_headers", "X-Api-Key: typed")];
        assert_eq!(agency.admin.rpc("save_custom", &typed).await.status, 403);

        // Whoever types a secret proves who they are; what stands beside it is not held up.
        age_session(world, &agency.owner_email(), SESSION_PROVED, 301).await;
        let settings = format!("/integrations/{}/settings", system.id);
        assert!(
            agency.owner.get(&settings).await.text.contains("Only when you type a secret header."),
            "asked at once"
        );
        let refused = agency.owner.fill(&settings, "save_custom", &typed[1..]).await;
        assert!(refused.error_at("current").is_some(), "{refused:?}");
        // Without script secrets do not come back, which is said.
        let back = agency.owner.form(&settings, "/rpc/save_custom", &typed).await.location.expect("back to the form");
        assert!(agency.owner.get(&back).await.text.contains("Secret headers that you typed were not kept."), "{back}");
        agency.owner.done("save_custom", &typed[..2]).await;
        let proved: Vec<(&str, &str)> = typed.into_iter().chain([("current", PASSWORD)]).collect();
        agency.owner.done("save_custom", &proved).await;
        age_session(world, &agency.owner_email(), SESSION_PROVED, 301).await;
        let kept = [typed[0], typed[1], ("secret_headers", "X-Api-Key: •••"), ("headers", "X-Source: patchbay")];
        agency.owner.done("save_custom", &kept).await;
    });
}

fn system_of(system: &System) -> System {
    System { id: system.id.clone(), name: system.name.clone(), url: system.url.clone() }
}

/// Exchanges as public documents and captures of others have them, with names and numbers of nobody.
fn recorded() -> Vec<(String, Value)> {
    let files = sources("tests/it/recorded", ".json").into_iter();
    files.map(|(path, text)| (path, serde_json::from_str(&text).expect("JSON"))).collect()
}

#[test]
fn the_recipes_fit_what_was_recorded() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "recipes").await;
        let recipes =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/INTEGRATIONS.md")).expect("recipes");
        let all = recorded();
        assert!(all.len() >= 8, "a way in and a way out each");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for (path, one) in all {
            let system = system(world, &agency).await;
            // What a person is told to type is what is tried here.
            for typed in ["incoming", "template", "answers", "records"] {
                let value = text(&one[typed]);
                assert!(
                    value.lines().all(|line| recipes.contains(line.trim())),
                    "{path}: {typed} is not in the document"
                );
            }
            if one["way"] == "in" {
                system
                    .saved(
                        &agency,
                        &[("url", ""), ("incoming", &text(&one["incoming"])), ("records", &text(&one["records"]))],
                    )
                    .await;
                let key = system.secret(&agency, "key").await;
                let answer = system.send(&agency, &key, "", &one["body"].to_string()).await;
                assert_eq!(answer.status, 202, "{path}: {answer:?}");
                let id = text(&answer.json()["contacts"][0]["contact"]);
                let found = contact(&agency, &id).await;
                for (field, value) in one["becomes"].as_object().expect("fields") {
                    let is = if found[field].is_null() { &found["attributes"][field] } else { &found[field] };
                    assert_eq!(is, value, "{path}: {field} of {found}");
                }
                // What is told of it is given out before the next one listens.
                agency.drain().await;
                continue;
            }
            let answer = match &one["answer"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            world.sandbox.receive_as(&system.name, ReceiverManner { body: answer, ..ReceiverManner::default() });
            let fields = [
                ("events[]", "contact.suppressed"),
                ("template", &text(&one["template"])),
                ("secret_headers", &text(&one["secret_headers"])),
                ("headers", &text(&one["headers"])),
                ("answers", &text(&one["answers"])),
            ];
            system.saved(&agency, &fields).await;
            let phone = text(&one["phone"]);
            let id = agency.contact(&phone).await;
            agency.owner.done("suppress_contact", &[("id", &id), ("reason", "Asked")]).await;
            agency.drain().await;
            let received = world.sandbox.received(&system.name);
            let sent = received.last().unwrap_or_else(|| panic!("{path}: nothing came"));
            let mut body: Value = serde_json::from_str(&sent.body).expect("JSON");
            let name = text(&contact(&agency, &id).await["name"]);
            // What differs each time.
            replace(&mut body, &name, "NAME");
            replace(&mut body, &id, "CONTACT");
            if body["event"]["at"].is_string() {
                body["event"]["at"] = "AT".into();
            }
            match &one["sends"] {
                // The whole event.
                Value::Null => {
                    assert!(body["type"] == "contact.suppressed" && body["data"]["phone"] == one["phone"], "{body}")
                }
                sends => assert_eq!(&body, sends, "{path}"),
            }
            for header in one["names_of_headers"].as_array().into_iter().flatten() {
                assert!(sent.headers.contains_key(header.as_str().unwrap_or_default()), "{path}: {header}");
            }
            let found = contact(&agency, &id).await;
            for (field, value) in one["becomes"].as_object().into_iter().flatten() {
                assert_eq!(&found["attributes"][field], value, "{path}: {field}");
            }
            agency.owner.done("switch_integration", &[("id", &system.id)]).await;
        }
    });
}

fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if !from.is_empty() => *text = text.replace(from, to),
        Value::Array(all) => all.iter_mut().for_each(|one| replace(one, from, to)),
        Value::Object(all) => all.values_mut().for_each(|one| replace(one, from, to)),
        _ => {}
    }
}
