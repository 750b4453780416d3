//! Accounts at Twilio and Plivo: tried before they are stored, numbers taken in once, calls placed through the voice service over them, signed
//! reports, and everything taken back when they are disconnected.

use serde_json::{Value, json};

use super::support::agency::Works;
use super::support::{Agency, World, owner_lines, owner_value, run, unique};

/// An account of the agency at the carrier's stand-in.
pub(super) struct Account {
    pub kind: &'static str,
    pub id: String,
    pub token: String,
}

impl Account {
    pub fn new(kind: &'static str) -> Self {
        let begins = if kind == "twilio" { "AC" } else { "MA" };
        let id = format!("{begins}{}", unique("0").replace(|c: char| !c.is_ascii_alphanumeric(), ""));
        Self { kind, id, token: format!("sandbox-{}", unique("carrier")) }
    }

    fn fields(&self) -> [(&'static str, &str); 4] {
        [("name", ""), ("mode", "sandbox"), ("account", &self.id), ("token", &self.token)]
    }

    pub async fn connect(&self, agency: &Agency) -> String {
        let page = format!("/integrations/new/{}", self.kind);
        let id = agency.owner.made_on(&page, "connect_carrier", &self.fields()).await;
        agency.drain().await;
        id
    }
}

pub(super) async fn numbers(agency: &Agency, integration: &str) -> Vec<Value> {
    let list = agency.owner.done("list_numbers", &[("query[carrier]", integration)]).await.json();
    list["page"]["rows"].as_array().expect("rows").clone()
}

fn states(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["status"].as_str().unwrap_or_default()).collect()
}

async fn state(world: &World, integration: &str) -> (String, Option<String>) {
    let sql = |what: &str| format!("select {what} from integrations where id = '{integration}'");
    (owner_value(world, &sql("status::text")).await, owner_value(world, &sql("problem")).await)
}

/// What the carrier told of the call, sent once more; signed with this token.
async fn tell(world: &World, account: &Account, token: &str, address: &str, call: &str, status: &str) -> u16 {
    let url = format!("{address}?call={call}");
    let fields: Vec<(&str, &str)> = match account.kind {
        "twilio" => {
            vec![("AccountSid", &account.id), ("CallSid", "CA1"), ("CallStatus", status), ("SequenceNumber", "7")]
        }
        _ => vec![("CallUUID", "u1"), ("CallStatus", status), ("Event", "Hangup")],
    };
    let fields: Vec<(String, String)> = fields.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    world.sandbox.post_signed(account.kind, token, &url, &fields).await.expect("an answer")
}

#[test]
fn a_bad_token_stores_nothing_and_what_was_typed_stays() {
    run(|world| async move {
        let agency = Agency::new(world, "carrier-try").await;
        let typed = [
            ("kind", "twilio"),
            ("name", "Our Twilio"),
            ("mode", "sandbox"),
            ("account", "AC0123"),
            ("token", "wrong"),
        ];
        let refused = agency.owner.rpc("connect_carrier", &typed).await;
        let said = refused.error_at("token").unwrap_or_else(|| panic!("{refused:?}"));
        assert!(said.contains("Twilio refused the credentials") && said.contains("Nothing was stored"), "{said}");
        let back = agency.owner.form("/integrations/new/twilio", "/rpc/connect_carrier", &typed).await.location;
        let page = agency.owner.get(&back.expect("back to the form")).await.text;
        assert!(page.contains("value=\"AC0123\"") && page.contains("value=\"Our Twilio\""), "{page}");
        assert!(!page.contains("value=\"wrong\""), "a token comes back to nobody");
        let closed = [("kind", "twilio"), ("mode", "sandbox"), ("account", "AC0123"), ("token", "sandbox-closed")];
        assert!(agency.owner.rpc("connect_carrier", &closed).await.error_at("account").is_some());
        let odd = [("kind", "plivo"), ("mode", "sandbox"), ("account", "MA/../x"), ("token", "sandbox-x")];
        assert!(agency.owner.rpc("connect_carrier", &odd).await.error_at("account").is_some());
        let stored = format!("select count(*) from integrations where workspace_id = '{}'", agency.workspace_id);
        assert_eq!(owner_value::<i64>(world, &stored).await, 0);

        // One account of a carrier at a time: the voice service dials through one.
        let account = Account::new("twilio");
        account.connect(&agency).await;
        let second = Account::new("twilio");
        let fields = [second.fields().as_slice(), &[("kind", "twilio")]].concat();
        let refused = agency.owner.rpc("connect_carrier", &fields).await;
        assert!(refused.error_at("account").is_some_and(|said| said.contains("Disconnect it first")), "{refused:?}");
        let log = format!(
            "select coalesce(before::text, '') || coalesce(after::text, '') from audit_events where workspace_id = '{}'",
            agency.workspace_id
        );
        let log = owner_lines(world, &log).await.concat();
        assert!(!log.contains(&account.token), "a token stands in the audit log");
    });
}

#[test]
fn numbers_come_in_once_and_rest_while_the_carrier_does_not_have_them() {
    run(|world| async move {
        for kind in ["twilio", "plivo"] {
            let (agency, other) = (Agency::new(world, "carrier-in").await, Agency::new(world, "carrier-out").await);
            let account = Account::new(kind);
            let id = account.connect(&agency).await;
            // Pages overlap at Twilio's stand-in; both are looked at again.
            agency.owner.done("import_carrier_numbers", &[("id", &id)]).await;
            let mut theirs = world.sandbox.numbers_at(kind, &account.token);
            theirs.sort();
            let rows = numbers(&agency, &id).await;
            let ours: Vec<&str> = rows.iter().map(|row| row["number"].as_str().unwrap_or_default()).collect();
            assert_eq!(ours, theirs, "each once");
            assert!(rows.iter().all(|row| row["carrier"] == kind && row["status"] == "active"), "{rows:?}");

            let (gone, number) = (&theirs[1], rows[1]["id"].as_str().expect("an id"));
            let off = rows[2]["id"].as_str().expect("an id");
            agency.owner.done("set_number_status", &[("id", off), ("status", "inactive")]).await;
            world.sandbox.take_number_away(&account.token, gone);
            agency.owner.done("import_carrier_numbers", &[("id", &id)]).await;
            let rows = numbers(&agency, &id).await;
            assert_eq!(states(&rows), ["active", "inactive", "inactive", "active", "active"], "{rows:?}");
            assert!(rows[1]["error"].as_str().is_some_and(|why| why.contains("does not have this number")), "{rows:?}");
            assert!(rows[2]["error"].is_null(), "what a person has switched off stays theirs: {rows:?}");
            let page = agency.owner.get(&format!("/numbers/{number}")).await.text;
            assert!(page.contains(&format!("/integrations/{id}")) && !page.contains("Release for good"), "{page}");
            let refused = agency.owner.rpc("release_number", &[("id", number)]).await;
            assert_eq!(refused.status, 409, "{refused:?}");

            for action in ["import_carrier_numbers", "check_carrier"] {
                assert_eq!(other.owner.rpc(action, &[("id", &id)]).await.status, 404, "{action}");
            }
            let foreign = other.owner.rpc("disconnect_integration", &[("id", &id)]).await;
            assert_eq!(foreign.status, 404, "{foreign:?}");
        }
    });
}

/// A campaign that calls from the first number of the account, dialled to its end. Gives the call.
async fn dialled(world: &World, agency: &Agency, works: &Works, integration: &str) -> (String, String) {
    let rows = numbers(agency, integration).await;
    let (number, phone) =
        (rows[0]["id"].as_str().expect("an id"), rows[0]["number"].as_str().expect("a number").to_owned());
    let campaign = agency.campaign_called(&unique("carrier campaign"), &works.agent, number).await;
    let batch = agency.batch(&campaign, 1).await;
    agency.finished(&batch).await;
    let call = format!("select id::text from calls where batch_id = '{batch}'");
    (owner_value(world, &call).await, phone)
}

#[test]
fn a_batch_over_their_numbers_reaches_its_people_and_reports_count_once() {
    run(|world| async move {
        for kind in ["twilio", "plivo"] {
            let (agency, works) = Agency::ready(world, "carrier-dial").await;
            let account = Account::new(kind);
            let id = account.connect(&agency).await;
            assert_eq!(world.sandbox.trunk_account(&works.key, kind).as_deref(), Some(&*account.id));
            assert_eq!(state(world, &id).await, ("active".into(), None));
            let (call, phone) = dialled(world, &agency, &works, &id).await;
            let asked = world.sandbox.call_log(Some(&works.key));
            let asked = asked.last().expect("a request");
            assert!(asked.placed && asked.from.as_deref() == Some(&*phone), "{asked:?}");
            let one = |what: &str| format!("select {what} from calls where id = '{call}'");
            let was =
                owner_value::<bool>(world, &one("joined_at is not null and ended_at is not null and carrier_cost > 0"))
                    .await;
            assert!(was, "the call was held, and the carrier's price was asked for");
            let told = format!(
                "select provider || ' ' || event_type from call_events where call_id = '{call}' and provider = '{kind}'"
            );
            assert_eq!(owner_lines(world, &told).await, [format!("{kind} completed")]);

            let public = world.db.services().public_url.clone();
            let address = format!("{public}/hooks/{kind}/{}/{id}/status", agency.workspace_id);
            assert_eq!(tell(world, &account, "sandbox-somebody", &address, &call, "failed").await, 401, "forged");
            let other = Agency::new(world, "carrier-forged").await;
            let elsewhere = format!("{public}/hooks/{kind}/{}/{id}/status", other.workspace_id);
            assert_eq!(tell(world, &account, &account.token, &elsewhere, &call, "failed").await, 401, "another agency");
            let unsigned = agency.owner.raw(reqwest::Method::POST, &address[public.len()..]).body("CallStatus=failed");
            assert_eq!(unsigned.send().await.expect("an answer").status().as_u16(), 401);
            for _ in 0..2 {
                assert_eq!(tell(world, &account, &account.token, &address, &call, "busy").await, 204);
            }
            assert_eq!(owner_lines(world, &told).await.len(), 2, "a report that is replayed adds nothing");
            agency.drain().await;
            assert!(owner_value::<bool>(world, &one("joined_at is not null")).await);
        }
    });
}

#[test]
fn disconnecting_takes_back_what_was_set_and_nothing_else() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "carrier-leave").await;
        // Somebody has set up Plivo at the voice service by hand.
        world.sandbox.set_trunk_account(&works.key, "plivo", json!({"authId": "MAOTHER", "authToken": "by-hand"}));
        let (twilio, plivo) = (Account::new("twilio"), Account::new("plivo"));
        let (one, two) = (twilio.connect(&agency).await, plivo.connect(&agency).await);
        assert_eq!(world.sandbox.trunk_account(&works.key, "plivo").as_deref(), Some("MAOTHER"), "nothing was erased");
        let (status, problem) = state(world, &two).await;
        assert!(status == "error" && problem.is_some_and(|said| said.contains("MAOTHER")));
        agency.owner.done("disconnect_integration", &[("id", &two)]).await;
        assert_eq!(world.sandbox.trunk_account(&works.key, "plivo").as_deref(), Some("MAOTHER"));

        agency.owner.done("switch_integration", &[("id", &one)]).await;
        let rested = numbers(&agency, &one).await;
        assert!(
            rested
                .iter()
                .all(|row| row["status"] == "inactive"
                    && row["error"].as_str().is_some_and(|why| why.contains("paused"))),
            "{rested:?}"
        );
        agency.owner.done("switch_integration", &[("id", &one), ("on", "true")]).await;
        agency.drain().await;
        assert!(numbers(&agency, &one).await.iter().all(|row| row["status"] == "active"));

        agency.owner.done("disconnect_integration", &[("id", &one)]).await;
        assert_eq!(world.sandbox.trunk_account(&works.key, "twilio"), None);
        let rows = numbers(&agency, &one).await;
        assert!(rows.len() == 5 && rows.iter().all(|row| row["status"] == "inactive"), "{rows:?}");
        let tokens =
            format!("select count(*) from user_tokens where integration_key = 'integration:{one}' and is_active");
        assert_eq!(owner_value::<i64>(world, &tokens).await, 0);
        let telnyx = agency.owner.done("get_number", &[("id", &works.number)]).await.json();
        assert_eq!(telnyx["row"]["status"], "active", "numbers of others are as they were");

        // The same account once more: in the same place, and its numbers are used again.
        assert_eq!(twilio.connect(&agency).await, one);
        assert!(numbers(&agency, &one).await.iter().all(|row| row["status"] == "active"));
        assert_eq!(world.sandbox.trunk_account(&works.key, "twilio").as_deref(), Some(&*twilio.id));
        assert_eq!(state(world, &one).await, ("active".into(), None));
        // A person decides that this account is used, whatever somebody set up.
        plivo.connect(&agency).await;
        agency.owner.done("set_carrier_again", &[("id", &two)]).await;
        assert_eq!(world.sandbox.trunk_account(&works.key, "plivo").as_deref(), Some(&*plivo.id));
        assert_eq!(state(world, &two).await, ("active".into(), None));
    });
}
