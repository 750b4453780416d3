//! Pages of integrations: who sees which, forms that keep what was typed, lists with filters and files, and words of others that do nothing.

use super::integrations::connected;
use super::support::{Agency, World, owner_value, run, unique};

const HOSTILE: &str = "<script>alert('crm')</script>";

/// A CRM of client one with a sync and a record that failed, a Slack of the client with a message that failed, a system of its own, and an
/// account of the agency at a carrier.
pub async fn kept(world: &World, agency: &Agency) -> [String; 7] {
    let crm = connected(world, agency, "hubspot").await;
    let asked = [("id", crm.as_str()), ("kind", "contacts"), ("reach", "everything")];
    let led_to = agency.owner.done("sync_integration", &asked).await.location.expect("leads to the sync");
    let sync = led_to.rsplit('/').next().expect("an id").to_owned();
    let record = failed_record(world, agency, &crm, "Peter", "The number is too short.", "edit").await;
    let slack = system(agency, "slack", "Channel").await;
    agency.owner.done("connect_slack", &[("id", &slack), ("token", "")]).await;
    let message = message(world, agency, &slack, "failed", "Told").await;
    let custom = system(agency, "custom_api", "Own").await;
    let account = format!("AC{}", unique("0").replace(|letter: char| !letter.is_ascii_alphanumeric(), ""));
    let token = format!("sandbox-{}", unique("carrier"));
    let fields = [("kind", "twilio"), ("name", ""), ("mode", "sandbox"), ("account", &*account), ("token", &*token)];
    let carrier = agency.owner.made("connect_carrier", &fields).await;
    [crm, sync, record, slack, message, custom, carrier]
}

/// A system of client one that takes messages.
async fn system(agency: &Agency, kind: &str, name: &str) -> String {
    let name = format!("{name} of {}", agency.one.secret);
    let fields = [("client", agency.one.id.as_str()), ("name", name.as_str()), ("mode", "sandbox")];
    agency.owner.made_on(&format!("/integrations/new/{kind}"), "create_integration", &fields).await
}

/// A record that could not be read, as a sync leaves it.
async fn failed_record(world: &World, agency: &Agency, crm: &str, name: &str, why: &str, remedy: &str) -> String {
    let sql = format!(
        "insert into integration_pending (workspace_id, id, integration_id, client_id, direction, kind, remote_id, label, tries, problem, remedy, detail)
         values ('{}', uuidv7(), '{crm}', '{}', 'read', 'contact', gen_random_uuid()::text, $w${name}$w$, 5, $w${why}$w$, '{remedy}',
                 '{{\"field\": \"company\", \"ours\": \"Mill Lane 4\", \"theirs\": \"Mill Lane 40\"}}') returning id::text",
        agency.workspace_id, agency.one.id
    );
    owner_value(world, &sql.replace("uuidv7()", "gen_random_uuid()")).await
}

/// A message, as it is kept after its tries.
async fn message(world: &World, agency: &Agency, integration: &str, state: &str, body: &str) -> String {
    let sql = format!(
        "insert into integration_messages (workspace_id, id, integration_id, client_id, direction, event_type, body, state, tries, problem)
         values ('{}', gen_random_uuid(), '{integration}', '{}', 'out', 'call.failed', $w${body}$w$, '{state}', 5, 'channel_not_found')
         returning id::text",
        agency.workspace_id, agency.one.id
    );
    owner_value(world, &sql).await
}

#[test]
fn everybody_sees_the_integrations_that_are_theirs() {
    run(|world| async move {
        let agency = Agency::new(world, "intpages").await;
        let [crm, sync, record, slack, _, custom, carrier] = kept(world, &agency).await;
        let pages = [
            format!("/integrations/{crm}"),
            format!("/integrations/{crm}/syncs"),
            format!("/integrations/{crm}/syncs/{sync}"),
            format!("/integrations/{crm}/failed"),
            format!("/integrations/{slack}/messages"),
        ];
        let (one, two) = (&agency.one, &agency.two);
        for page in &pages {
            for browser in [&agency.owner, &agency.admin, &agency.member, &one.admin] {
                let shown = browser.get(page).await;
                assert_eq!(shown.status, 200, "{page}: {:.500}", shown.text);
            }
            for browser in [&one.viewer, &two.admin, &two.viewer] {
                assert_eq!(browser.get(page).await.status, 404, "{page}");
            }
        }
        // How one signs in is for the agency alone, and only who manages repairs.
        let shown = agency.owner.get(&pages[0]).await.text;
        assert!(shown.contains("Signed in by") && shown.contains("disconnect_integration"), "{shown}");
        let shown = one.admin.get(&pages[0]).await.text;
        assert!(!shown.contains("Signed in by") && !shown.contains("_integration\""), "{shown}");
        let failed = one.admin.get(&pages[3]).await.text;
        assert!(failed.contains("Peter") && !failed.contains("edit_failed_record"), "{failed}");
        assert!(agency.admin.get(&pages[3]).await.text.contains("edit_failed_record"));
        let retried = [("id", crm.as_str()), ("record", record.as_str())];
        assert_eq!(agency.member.rpc("retry_failed_record", &retried).await.status, 403);

        // One page for all that is connected; a client's people see their own systems alone.
        let list = agency.owner.get("/integrations").await.text;
        for words in [&*crm, &*slack, &*custom, &*carrier, "/integrations/new/zoho", "/connections/ultravox"] {
            assert!(list.contains(words), "{words}: {list}");
        }
        let list = one.admin.get("/integrations").await.text;
        assert!(list.contains(&crm) && !list.contains(&carrier) && !list.contains("/integrations/new/"), "{list}");
        assert!(!two.admin.get("/integrations").await.text.contains(&crm));
        // The addresses of before lead on.
        assert_eq!(agency.owner.get("/connections").await.location.as_deref(), Some("/integrations"));
        let led_to = agency.owner.get("/integrations/telnyx").await.location;
        assert_eq!(led_to.as_deref(), Some("/connections/telnyx"));

        // Disconnected in place, connected again in place, removed for good.
        let id = [("id", crm.as_str())];
        agency.owner.filled(&pages[0], "disconnect_integration", &id).await;
        let shown = agency.owner.get(&pages[0]).await.text;
        assert!(shown.contains("Not connected") && shown.contains("remove_integration"), "{shown}");
        agency.owner.filled(&pages[0], "remove_integration", &id).await;
        assert_eq!(agency.owner.get(&pages[0]).await.status, 404);
    });
}

#[test]
fn what_failed_is_found_filtered_and_saved_and_words_of_others_do_nothing() {
    run(|world| async move {
        let agency = Agency::new(world, "intlists").await;
        let crm = connected(world, &agency, "hubspot").await;
        let many = 61;
        for at in 0..many {
            let remedy = if at % 2 == 0 { "retry" } else { "choose" };
            failed_record(world, &agency, &crm, &format!("Record {at:02}"), "HubSpot answered 502.", remedy).await;
        }
        failed_record(world, &agency, &crm, HOSTILE, &format!("{HOSTILE} \u{202e}is no name"), "edit").await;
        let list = async |fields: &[(&str, &str)]| {
            let fields: Vec<(&str, &str)> = [("id", crm.as_str())].into_iter().chain(fields.iter().copied()).collect();
            agency.owner.done("list_failed_records", &fields).await.json()
        };
        let count = |page: &serde_json::Value| page["page"]["rows"].as_array().expect("rows").len();
        let first = list(&[]).await;
        assert_eq!(count(&first), 50);
        let rest = list(&[("query[cursor]", first["page"]["older"].as_str().expect("more"))]).await;
        assert_eq!((count(&rest), rest["page"]["older"].is_null()), (12, true), "{rest}");
        assert_eq!(count(&list(&[("query[remedy]", "choose")]).await), 30);
        assert_eq!(count(&list(&[("query[words]", "Record 07")]).await), 1);
        assert_eq!(count(&list(&[("query[words]", "100%")]).await), 0);
        assert_eq!(count(&list(&[("query[remedy]", "nonsense"), ("query[cursor]", "onothing")]).await), 0);

        let file = agency.owner.get(&format!("/integrations/{crm}/failed/export.csv?remedy=choose")).await.text;
        assert_eq!(file.lines().count(), 31, "{file}");
        let page = agency.owner.get(&format!("/integrations/{crm}/failed?remedy=choose")).await.text;
        assert!(page.contains("Keep ours: Mill Lane 4") && page.contains("Keep HubSpot’s: Mill Lane 40"), "{page}");
        for path in [String::new(), "/failed?remedy=edit".to_owned()] {
            let page = agency.owner.get(&format!("/integrations/{crm}{path}")).await.text;
            assert!(!page.contains(HOSTILE), "{path} runs nothing of others");
        }
        assert!(
            agency.owner.get(&format!("/integrations/{crm}/failed?remedy=edit")).await.text.contains("&lt;script&gt;")
        );
        let page = agency.owner.get("/integrations?q=nobody+has+this").await.text;
        assert!(page.contains("No systems match"), "{page}");
        let found =
            agency.owner.done("list_integrations", &[("query[kind]", "hubspot"), ("query[state]", "works")]).await;
        assert_eq!(found.json()["page"]["rows"].as_array().map(Vec::len), Some(1), "{found:?}");
        // Those that need a person, as the dashboard counts them: also one that works, but has given up a record.
        let needs = async || {
            let found = agency.owner.done("list_integrations", &[("query[state]", "needs")]).await.json();
            found["page"]["rows"].as_array().map(Vec::len)
        };
        assert_eq!(needs().await, Some(0));
        let give_up = format!(
            "with gone as (update integration_pending set given_up_at = now()
               where integration_id = '{crm}' and remedy = 'edit' returning 1) select count(*) from gone"
        );
        assert_eq!(owner_value::<i64>(world, &give_up).await, 1);
        assert_eq!(needs().await, Some(1));
    });
}

#[test]
fn forms_say_what_to_do_and_keep_what_was_typed() {
    run(|world| async move {
        let agency = Agency::new(world, "intforms").await;
        let owner = &agency.owner;
        // A new one: whose it is, and in live mode the agency's app.
        let refused = owner.rpc("create_integration", &[("kind", "hubspot"), ("mode", "live"), ("name", "x")]).await;
        for field in ["client", "app_id", "app_secret"] {
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
        let typed = [("kind", "zoho"), ("mode", "sandbox"), ("name", "Kept words"), ("client", ""), ("region", "eu")];
        let back = owner.form("/integrations/new/zoho", "/rpc/create_integration", &typed).await;
        let text = owner.get(back.location.as_deref().expect("back to the form")).await.text;
        assert!(text.contains("Kept words") && text.contains("Choose the client whose system it is"), "{text}");
        assert_eq!(owner.get("/integrations/new/nothing").await.status, 404);
        assert_eq!(agency.admin.get("/integrations/new/hubspot").await.status, 403);

        // A line of the mapping: added, matched, refused where it makes no sense, taken out.
        let crm = connected(world, &agency, "hubspot").await;
        let page = |rest: &str| format!("/integrations/{crm}/mapping{rest}");
        let line = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
            let own = [("id", crm.as_str())];
            own.iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let send = async |fields: &[(&str, &str)]| {
            let fields = line(fields);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            owner.rpc("save_mapping_line", &fields).await
        };
        let wrong = send(&[("ours", "outcome"), ("theirs", "x"), ("direction", "both"), ("values", "no pair")]).await;
        assert!(wrong.error_at("direction").is_some() && wrong.error_at("values").is_some(), "{wrong:?}");
        let wrong = send(&[("ours", "detail"), ("theirs", "<b>"), ("direction", "in")]).await;
        assert!(wrong.error_at("own").is_some() && wrong.error_at("theirs").is_some(), "{wrong:?}");
        let added = [("ours", "detail"), ("own", "policy"), ("theirs", "policy_number"), ("direction", "in")];
        assert_eq!(send(&added).await.status, 200);
        assert!(send(&added).await.error_at("ours").is_some(), "each field has one line");
        // Two fields of ours never write into one of theirs.
        let out = |own: &'static str| [("ours", "detail"), ("own", own), ("theirs", "city"), ("direction", "out")];
        assert_eq!(send(&out("town")).await.status, 200);
        assert!(send(&out("place")).await.error_at("theirs").is_some());
        let text = owner.get(&page("?line=detail:policy")).await.text;
        assert!(text.contains("policy_number") && text.contains("Take this field out"), "{text}");
        assert_eq!(send(&[("was", "detail:policy"), ("remove", "true")]).await.status, 200);
        assert!(!owner.get(&page("")).await.text.contains("policy_number</code>"));

        // Settings: contacts always, a country of the list, a rhythm of the list.
        let settings = format!("/integrations/{crm}/settings");
        let wrong =
            [("id", crm.as_str()), ("name", "a\u{7}b"), ("every", "1"), ("country", "XX"), ("types[]", "deals")];
        let refused = owner.rpc("save_integration_settings", &wrong).await;
        assert!(refused.status == 422, "{refused:?}");
        owner
            .filled(
                &settings,
                "save_integration_settings",
                &[("name", "CRM of Basel"), ("every", "60"), ("country", "CH")],
            )
            .await;
        // The same form stands in the flow of setting up, where the fields come next.
        let next = owner.filled(&format!("/integrations/{crm}/setup"), "save_integration_settings", &[]).await;
        assert_eq!(next.location, Some(format!("/integrations/{crm}/mapping")));
        let text = owner.get(&format!("/integrations/{crm}")).await.text;
        assert!(text.contains("CRM of Basel") && text.contains("Switzerland if no country"), "{text}");
        let audit = format!("select count(*) from audit_events where entity_id = '{crm}'");
        assert!(owner_value::<i64>(world, &audit).await >= 4, "each change is in the audit log");
        // Somebody else's: as if it were not there.
        let foreign = Agency::new(world, "intforeign").await;
        assert_eq!(foreign.owner.get(&settings).await.status, 404);
        assert_eq!(foreign.owner.rpc("sync_integration", &[("id", &crm)]).await.status, 404);
    });
}
