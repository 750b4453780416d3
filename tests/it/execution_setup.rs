//! Engines and targets as people set them up: who may, what is refused and where it says so, secrets that nobody sees again, and a check
//! that says what is wrong.

use serde_json::Value;

use super::support::{Agency, owner_value, run, run_changed};

const KEY: &str = "-----BEGIN PRIVATE KEY-----\ncanary-of-a-key\n-----END PRIVATE KEY-----";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

fn rows(list: &Value) -> Vec<(String, bool)> {
    let rows = list["page"]["rows"].as_array().unwrap_or_else(|| panic!("rows: {list}"));
    let row = |row: &Value| (row["name"].as_str().unwrap_or_default().to_owned(), row["is_default"] == true);
    rows.iter().map(row).collect()
}

#[test]
fn engines_are_made_changed_chosen_and_put_away() {
    run(|world| async move {
        let agency = Agency::new(world, "engines").await;
        let (owner, admin) = (&agency.owner, &agency.admin);
        let empty = owner.get("/execution/engines").await;
        assert!(empty.text.contains("No engines yet") && empty.text.contains("Add the usual ones"), "{}", empty.text);
        owner.filled("/execution/engines", "add_usual_execution", &[]).await;
        // Pressed twice it adds nothing twice.
        owner.done("add_usual_execution", &[]).await;
        let usual = owner.done("list_execution_engines", &[]).await.json();
        assert_eq!(rows(&usual), [("Model".to_owned(), true), ("Shell".to_owned(), false)]);
        let targets = owner.done("list_execution_targets", &[]).await.json();
        assert_eq!(rows(&targets), [("This machine".to_owned(), false)]);

        let new = "/execution/engines/new?type=process";
        let fields = [("name", "Python"), ("interpreter", "python3 -I"), ("memory_mb", "512"), ("network", "true")];
        let python = admin.made_on(new, "save_execution_engine", &fields).await;
        let stored = owner.done("get_execution_engine", &[("id", &python)]).await.json();
        assert_eq!(stored["row"]["about"], "python3 -I, 512 MB, network", "{stored}");
        for (given, field, says) in [
            (("name", "shell"), "name", "of this name already"),
            (("name", ""), "name", "Give the engine a name"),
            (("memory_mb", "much"), "memory_mb", "A whole number from 16 to"),
            (("timeout_seconds", "0"), "timeout_seconds", "A whole number from 1 to"),
            (("interpreter", " "), "interpreter", "Name the program"),
            (("image", "two words"), "image", "no spaces"),
        ] {
            let mut all = vec![("name", "Another"), ("interpreter", "sh")];
            all.retain(|(name, _)| *name != given.0);
            all.push(given);
            let answer = owner.fill(new, "save_execution_engine", &all).await;
            let said = answer.error_at(field).unwrap_or_else(|| panic!("{given:?}: {answer:?}"));
            assert!(answer.status == 422 && said.contains(says), "{given:?}: {said}");
        }
        let half = [("name", "Half"), ("model", "claude-sonnet-4-5")];
        let answer = owner.fill("/execution/engines/new", "save_execution_engine", &half).await;
        assert!(answer.error_at("account").is_some_and(|said| said.contains("belong together")), "{answer:?}");

        // What is refused without script comes back with what was typed.
        let page = format!("/execution/engines/{python}");
        let typed = [("id", python.as_str()), ("kind", "process"), ("name", "Typed here"), ("interpreter", "")];
        let place = owner.form(&page, "/rpc/save_execution_engine", &typed).await.location.expect("back to the form");
        let back = owner.get(&place).await;
        assert!(back.text.contains("Typed here") && back.text.contains("Name the program"), "{}", back.text);

        admin.filled(&page, "default_execution_engine", &[]).await;
        let chosen = owner.done("list_execution_engines", &[]).await.json();
        let wanted = [("Model".to_owned(), false), ("Python".to_owned(), true), ("Shell".to_owned(), false)];
        assert_eq!(rows(&chosen), wanted, "one is the default");
        let refused = owner.rpc("switch_execution_engine", &[("id", &python)]).await;
        assert!(refused.status == 409 && refused.text.contains("Make another one the default first"), "{refused:?}");
        let model = usual["page"]["rows"][0]["id"].as_str().expect("an id");
        owner.filled(&format!("/execution/engines/{model}"), "switch_execution_engine", &[]).await;
        assert_eq!(owner.rpc("default_execution_engine", &[("id", model)]).await.status, 409, "it is deactivated");
        assert_eq!(rows(&owner.done("list_execution_engines", &[]).await.json()).len(), 2);
        let away = owner.done("list_execution_engines", &[("query[state]", "inactive")]).await.json();
        assert_eq!(rows(&away), [("Model".to_owned(), false)]);
        let kinds = owner.done("list_execution_engines", &[("query[type]", "process"), ("query[sort]", "-name")]).await;
        assert_eq!(rows(&kinds.json()), [("Shell".to_owned(), false), ("Python".to_owned(), true)]);
        owner.filled(&format!("/execution/engines/{model}"), "switch_execution_engine", &[]).await;
        let file = owner.get("/execution/engines/export.csv?q=python").await;
        let line = "\nPython,process,\"python3 -I, 512 MB, network\",,2 min,yes,0,active";
        assert!(file.text.trim_end().ends_with(line), "{}", file.text);

        let other = Agency::new(world, "engines-of-others").await;
        for name in ["get_execution_engine", "default_execution_engine", "switch_execution_engine"] {
            assert_eq!(other.owner.rpc(name, &[("id", &python)]).await.status, 404, "{name}");
        }
        assert_eq!(other.owner.rpc("save_execution_engine", &[("id", &python), ("name", "Mine")]).await.status, 404);
        assert_eq!(agency.member.rpc("default_execution_engine", &[("id", model)]).await.status, 403);
        assert_eq!(agency.one.admin.rpc("list_execution_engines", &[]).await.status, 404);
    });
}

#[test]
fn a_targets_secret_is_sealed_and_a_check_says_what_is_wrong() {
    run(|world| async move {
        let agency = Agency::new(world, "targets").await;
        let (owner, admin) = (&agency.owner, &agency.admin);
        let new = "/execution/targets/new?type=docker";
        for (given, field, says) in [
            (("address", "http://engine.example:2375"), "address", "begins with https://"),
            (("address", "https://engine.example:2376/v1"), "address", "nothing behind the port"),
            (("address", "https://a:b@engine.example:2376"), "address", "begins with https://"),
            (("authority", ""), "authority", "ca.pem"),
            (("authority", "MIIB"), "authority", "in PEM"),
            (("pool", "Pool 1"), "pool", "Small letters"),
            (("slots", "0"), "slots", "A whole number"),
        ] {
            let mut all = vec![("name", "Engine"), ("address", "https://127.0.0.1:9"), ("authority", PEM)];
            all.retain(|(name, _)| *name != given.0);
            all.push(given);
            let answer = owner.fill(new, "save_execution_target", &all).await;
            let said = answer.error_at(field).unwrap_or_else(|| panic!("{given:?}: {answer:?}"));
            assert!(said.contains(says), "{given:?}: {said}");
        }
        let fields = [("name", "Engine"), ("address", "https://127.0.0.1:9"), ("authority", PEM), ("pool", "far")];
        let engine = admin.made_on(new, "save_execution_target", &fields).await;
        let page = format!("/execution/targets/{engine}");
        let sealing = [("id", engine.as_str()), ("secret", KEY)];
        assert_eq!(admin.rpc("seal_execution_target", &sealing).await.status, 403, "secrets are the owner's");
        let wrong = owner.rpc("seal_execution_target", &[("id", &engine), ("secret", "no key")]).await;
        assert!(wrong.error_at("secret").is_some_and(|said| said.contains("private key in PEM")), "{wrong:?}");
        owner.filled(&page, "seal_execution_target", &[("secret", KEY)]).await;
        let sealed = format!("select coalesce(secret, 'none') from execution_targets where id = '{engine}'");
        let stored: String = owner_value(world, &sealed).await;
        assert!(stored.len() > 60 && !stored.contains("canary"), "{stored}");
        let audit = "select string_agg(coalesce(before::text, '') || coalesce(after::text, ''), ' ') from audit_events \
                     where entity = 'execution_target' and entity_id = ";
        let audit: String = owner_value(world, &format!("{audit}'{engine}'")).await;
        assert!(audit.contains("\"secret\"") && !audit.contains("canary"), "{audit}");
        for shown in [
            owner.get(&page).await,
            owner.get("/execution/targets").await,
            owner.done("get_execution_target", &[("id", &engine)]).await,
        ] {
            assert!(!shown.text.contains("canary") && !shown.text.contains(&stored), "{}", shown.text);
        }

        // The certificate is none, which is found out when it is to be used.
        admin.filled(&page, "check_execution_target", &[]).await;
        let checked = owner.done("get_execution_target", &[("id", &engine)]).await.json();
        let problem = checked["row"]["problem"].as_str().unwrap_or_default();
        assert!(problem.contains("certificates cannot be used") && !problem.contains("canary"), "{checked}");
        assert!(checked["row"]["checked"].is_object() && owner.get(&page).await.text.contains("The last check failed"));
        // At another address it has to be given again: nobody has a key sent to a place of their own.
        admin.filled(&page, "save_execution_target", &[("address", "https://127.0.0.1:10")]).await;
        assert_eq!(owner_value::<String>(world, &sealed).await, "none");
        let elsewhere = owner.done("get_execution_target", &[("id", &engine)]).await.json();
        assert!(elsewhere["row"]["problem"].is_null() && elsewhere["has_secret"] == false, "{elsewhere}");

        owner.done("add_usual_execution", &[]).await;
        assert_eq!(rows(&owner.done("list_execution_targets", &[]).await.json()).len(), 1, "there is one already");
        let here = [("kind", "local"), ("name", "Here"), ("slots", "2"), ("memory_mb", "512"), ("cpu_milli", "1000")];
        let here = owner.made("save_execution_target", &here).await;
        owner.filled(&format!("/execution/targets/{here}"), "check_execution_target", &[]).await;
        let well = owner.done("get_execution_target", &[("id", &here)]).await.json();
        assert!(well["row"]["problem"].is_null(), "{well}");
        assert!(well["found"][0].as_str().is_some_and(|about| about.contains("Linux")), "{well}");

        for (held, word) in [(true, "Held"), (false, "Takes jobs")] {
            admin.filled(&format!("/execution/targets/{here}"), "hold_execution_target", &[]).await;
            let row = owner.done("get_execution_target", &[("id", &here)]).await.json();
            assert_eq!(row["row"]["held"].is_object(), held, "{row}");
            assert!(owner.get("/execution/targets").await.text.contains(word));
        }
        for (state, count) in [("inactive", 1), ("all", 2)] {
            owner.done("switch_execution_target", &[("id", &here)]).await;
            let list = owner.done("list_execution_targets", &[("query[state]", state)]).await.json();
            assert_eq!(rows(&list).len(), count, "{list}");
        }
        owner.done("switch_execution_target", &[("id", &here), ("on", "true")]).await;
        let file = owner.get("/execution/targets/export.csv").await;
        assert!(
            file.text.contains("\nEngine,docker,https://127.0.0.1:10,far,4,2048,4000,0,0,active,"),
            "{}",
            file.text
        );

        let other = Agency::new(world, "targets-of-others").await;
        let names =
            ["check_execution_target", "hold_execution_target", "switch_execution_target", "seal_execution_target"];
        for name in names {
            assert_eq!(other.owner.rpc(name, &[("id", &engine)]).await.status, 404, "{name}");
        }
        assert_eq!(agency.member.rpc("check_execution_target", &[("id", &here)]).await.status, 403);
        assert_eq!(agency.one.admin.rpc("list_execution_targets", &[]).await.status, 404);
    });
}

#[test]
fn an_installation_keeps_agencies_from_its_own_machine_unless_it_says_otherwise() {
    run_changed(
        |options| options.local_targets = None,
        |world| async move {
            let agency = Agency::new(&world, "kept-away").await;
            let owner = &agency.owner;
            let usual =
                [("name", "Mine"), ("slots", "1"), ("memory_mb", "512"), ("cpu_milli", "1000"), ("namespace", "jobs")];
            let with = |more: &[(&'static str, &'static str)]| [&usual[..], more].concat();
            for (more, field, says) in [
                (with(&[("kind", "local")]), "kind", "--local-targets on"),
                (
                    with(&[("kind", "docker"), ("address", "unix:///var/run/docker.sock")]),
                    "address",
                    "--local-targets on",
                ),
                (with(&[("kind", "kubernetes")]), "address", "--local-targets on"),
                (
                    with(&[("kind", "kubernetes"), ("address", "http://127.0.0.1:8001")]),
                    "address",
                    "begins with https://",
                ),
                (with(&[("kind", "kubernetes"), ("address", "https://10.0.0.1:6443")]), "address", "Private addresses"),
                (with(&[("kind", "kubernetes"), ("address", "https://0x7f.1:6443")]), "address", "Private addresses"),
                (
                    with(&[("kind", "kubernetes"), ("address", "https://db.internal:6443")]),
                    "address",
                    "Private addresses",
                ),
                (
                    with(&[("kind", "kubernetes"), ("address", "https://cluster.example:22")]),
                    "address",
                    "Only the ports",
                ),
            ] {
                let answer = owner.rpc("save_execution_target", &more).await;
                let said = answer.error_at(field).unwrap_or_else(|| panic!("{more:?}: {answer:?}"));
                assert!(said.contains(says), "{more:?}: {said}");
            }
            owner.done("add_usual_execution", &[]).await;
            assert!(rows(&owner.done("list_execution_targets", &[]).await.json()).is_empty(), "not even the usual one");
            let page = owner.get("/execution/targets/new").await;
            assert!(page.text.contains("--local-targets on"), "{}", page.text);
            // One that was made while it was allowed is not reached any more.
            let made = "insert into execution_targets (workspace_id, id, name, type, connection_config, capacity) \
                        values ('{id}', gen_random_uuid(), 'Here', 'local', '{\"type\": \"local\"}', \
                        '{\"slots\": 1, \"memory_mb\": 64, \"cpu_milli\": 1000}') returning id::text";
            let here: String = owner_value(&world, &made.replace("{id}", &agency.workspace_id)).await;
            owner.done("check_execution_target", &[("id", &here)]).await;
            let row = owner.done("get_execution_target", &[("id", &here)]).await.json();
            assert!(row["row"]["problem"].as_str().is_some_and(|said| said.contains("--local-targets on")), "{row}");
        },
    );
}
