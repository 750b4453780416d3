//! Calls that come in to numbers at the agency's own accounts at Twilio and Plivo: what is set there and taken back, who
//! answers, and what the carrier tells of them afterwards. The carriers are the sandbox's: they ask with signed forms, and
//! do what their own kind of XML says.

use patchbay_sandbox::{Rang, Ring};
use serde_json::{Value, json};

use super::carriers::{Account, numbers};
use super::inbound::{CONTACT, assign, calls, shown};
use super::support::agency::Works;
use super::support::{Agency, World, owner_lines, owner_value, run};

/// Where calls of a number went that somebody else has set up; the address holds what nobody here may read.
const DESK: &str = "https://user:pw0815@desk.example/voice?token=s3cret";

struct Line<'a> {
    world: &'a World,
    agency: &'a Agency,
    works: Works,
    account: Account,
    integration: String,
    /// The number, and its row.
    phone: String,
}

/// An account at the carrier, whose first number rang at somebody's desk until now.
async fn line<'a>(world: &'a World, agency: &'a Agency, agent: (&str, &str), kind: &'static str) -> Line<'a> {
    let account = Account::new(kind);
    let phone = world.sandbox.numbers_at(kind, &account.token).into_iter().min().expect("a number");
    match kind {
        "twilio" => world.sandbox.set_voice(&account.token, &phone, "VoiceUrl", DESK),
        _ => {
            let desk = json!({"app_name": "Desk", "answer_url": DESK, "message_url": "https://desk.example/texts"});
            world.sandbox.set_application(&account.token, &phone, desk);
        }
    }
    let integration = account.connect(agency).await;
    let row = numbers(agency, &integration).await.into_iter().find(|row| row["number"] == phone).expect("its row");
    let number = row["id"].as_str().expect("an id").to_owned();
    let works = Works { number, agent: agent.0.to_owned(), contact: agent.1.to_owned(), ..Works::default() };
    Line { world, agency, works, account, integration, phone }
}

impl Line<'_> {
    fn at_carrier(&self) -> Value {
        self.world.sandbox.calls_at(self.account.kind, &self.account.token, &self.phone)
    }

    /// Whether the carrier asks us about its calls.
    fn comes_here(&self) -> bool {
        let held = self.at_carrier();
        let asked = held["VoiceUrl"].as_str().or(held["answer_url"].as_str()).unwrap_or_default().to_owned();
        let (kind, workspace) = (self.account.kind, &self.agency.workspace_id);
        asked.ends_with(&format!("/webhooks/{kind}/{workspace}/{}/answer", self.integration))
    }

    /// Whether they ring at the desk, as they did.
    fn rings_there(&self) -> bool {
        let held = self.at_carrier();
        match self.account.kind {
            "twilio" => held["VoiceUrl"] == DESK && held["StatusCallback"].as_str().is_none_or(str::is_empty),
            _ => held["app_name"] == "Desk" && held["answer_url"] == DESK,
        }
    }

    async fn ring(&self, sid: &str, leaves: bool) -> Rang {
        let ring = Ring {
            to: self.phone.clone(),
            from: CONTACT.to_owned(),
            carrier: self.account.kind.to_owned(),
            key: Some(self.account.token.clone()),
            leaves,
            call_sid: sid.to_owned(),
            ..Ring::default()
        };
        self.world.sandbox.ring_number(ring).await
    }

    async fn missed(&self, why: &str) {
        let rang = self.ring("", false).await;
        assert!(rang.said.is_some() && rang.joined.is_none(), "{why}: {rang:?}");
        let sql = "select missed_reason from calls where workspace_id = '{}' order by id desc limit 1";
        assert_eq!(owner_value::<String>(self.world, &sql.replace("{}", &self.agency.workspace_id)).await, why);
    }

    /// A question made by hand: to this agency's door, signed with this token.
    async fn ask(&self, workspace: &str, token: &str, to: &str) -> (u16, String) {
        let kind = self.account.kind;
        let public = self.world.db.services().public_url.clone();
        let url = format!("{public}/webhooks/{kind}/{workspace}/{}/answer", self.integration);
        let id = if kind == "twilio" { "CallSid" } else { "CallUUID" };
        let fields = [(id, "by-hand"), ("CallStatus", "ringing"), ("From", CONTACT), ("To", to)];
        let fields: Vec<(String, String)> = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        self.world.sandbox.ask_signed(kind, token, &url, &fields).await.expect("an answer")
    }
}

#[test]
fn a_call_to_their_numbers_is_answered_from_ring_to_transcript() {
    run(|world| async move {
        let (agency, ready) = Agency::ready(world, "carrier-rings").await;
        let other = Agency::new(world, "carrier-rings-not").await;
        for kind in ["twilio", "plivo"] {
            let line = line(world, &agency, (&ready.agent, &ready.contact), kind).await;
            let (agency, works) = (line.agency, &line.works);
            let before = calls(agency, "all").await.len();
            let missed_before = calls(agency, "missed").await.len();
            assert!(line.rings_there(), "nothing is changed there before anybody says so");
            assign(agency, works, &[]).await;
            assert!(line.comes_here(), "{}", line.at_carrier());
            let number = shown(agency, works).await;
            assert!(number["route"]["since"].is_object() && number["route"]["error"].is_null(), "{number}");
            let page = agency.owner.get(&format!("/numbers/{}", works.number)).await.text;
            let name = if kind == "twilio" { "Twilio" } else { "Plivo" };
            assert!(
                page.contains(&format!("{name} sends its calls to Patchbay.")) && !page.contains("Telnyx"),
                "{page}"
            );

            let rang = line.ring(&format!("one-{kind}"), false).await;
            assert_eq!((rang.status, rang.asked, &rang.said), (Some(200), 1, &None), "{rang:?}");
            assert!(rang.joined.as_deref().is_some_and(|url| url.starts_with("wss://")), "{rang:?}");
            agency.drain().await;
            let rows = calls(agency, "all").await;
            let id = format!(
                "select id::text from calls where carrier_call_id = 'one-{kind}' and workspace_id = '{}'",
                agency.workspace_id
            );
            let id: String = owner_value(world, &id).await;
            let call = agency.owner.done("get_call", &[("id", &id)]).await.json();
            let state = (rows.len() - before, &call["state"], &call["direction"]);
            assert_eq!(state, (1, &json!("answered"), &json!("inbound")), "{call}");
            assert_eq!((&call["contact_id"], &call["from"]), (&json!(works.contact), &json!(CONTACT)), "{call}");
            assert!(call["turns"].as_array().is_some_and(|turns| turns.len() > 1), "what was said is there: {call}");
            assert!(!call["costs"]["carrier"].is_null() && call["missed"].is_null(), "{call}");
            let told = format!(
                "select e.event_type || ' ' || (l.cost > 0) from call_events e join call_legs l on l.call_id = e.call_id
                 where e.call_id = '{id}' and e.provider = '{kind}' and l.provider = '{kind}'"
            );
            assert_eq!(
                owner_lines(world, &told).await,
                ["completed true"],
                "its end was told, and its price asked for"
            );

            // The same request once more, from whoever has read it, lets nobody listen and makes no second call.
            let again = line.ring(&format!("one-{kind}"), false).await;
            assert!(again.joined.is_none() && again.said.is_some(), "{again:?}");
            let left = line.ring("", true).await;
            assert!(left.joined.is_some(), "{left:?}");
            agency.drain().await;
            assert_eq!(calls(agency, "all").await.len() - before, 2);
            let missed = calls(agency, "missed").await;
            let why = missed.iter().filter(|row| row["missed"].as_str().is_some_and(|why| why.contains("hung up")));
            assert!(missed.len() - missed_before == 1 && why.count() > 0, "{missed:?}");

            // Only the carrier of this account is answered, and only about its own numbers.
            let own = &agency.workspace_id;
            assert_eq!(line.ask(own, "sandbox-somebody", &line.phone).await.0, 401);
            assert_eq!(line.ask(&other.workspace_id, &line.account.token, &line.phone).await.0, 401);
            let rented = "select number from agency_phone_numbers where workspace_id = '{}' and provider = 'telnyx'";
            let rented: String = owner_value(world, &rented.replace("{}", own)).await;
            for to in [rented.as_str(), "+12025550142", "nobody"] {
                let (status, xml) = line.ask(own, &line.account.token, to).await;
                assert!(status == 200 && xml.contains("not in service"), "{to}: {xml}");
            }
            assert_eq!(calls(agency, "all").await.len() - before, 2, "nothing was written down");

            let settings = format!("/clients/{}/settings", agency.one.id);
            let budget = |budget: &'static str| [("monthly_budget", budget), ("budget_action", "hold")];
            agency.owner.filled(&settings, "save_client", &budget("0")).await;
            line.missed("budget").await;
            agency.owner.filled(&settings, "save_client", &budget("")).await;
            // Hours of another day.
            let now = chrono::Utc::now() + chrono::Duration::days(3);
            let day = now.format("%a").to_string().to_lowercase();
            let day = day.as_str();
            let closed = [("when", "hours"), ("zone", "UTC"), ("start", "09:00"), ("end", "17:00"), (day, "on")];
            assign(agency, works, &closed).await;
            line.missed("out_of_hours").await;
            agency.drain().await;
        }
    });
}

#[test]
fn what_was_set_there_before_is_set_again_and_no_secret_of_it_is_shown() {
    run(|world| async move {
        let (agency, ready) = Agency::ready(world, "carrier-back").await;
        for kind in ["twilio", "plivo"] {
            let line = line(world, &agency, (&ready.agent, &ready.contact), kind).await;
            let (agency, works) = (line.agency, &line.works);
            assign(agency, works, &[]).await;
            assert!(line.comes_here(), "{}", line.at_carrier());
            if kind == "plivo" {
                assert_eq!(line.at_carrier()["message_url"], "https://desk.example/texts", "texts go where they went");
            }
            // Somebody takes the number back at the carrier: the page says so, and a person sets it again.
            match kind {
                "twilio" => world.sandbox.set_voice(&line.account.token, &line.phone, "VoiceUrl", DESK),
                _ => world.sandbox.set_application(&line.account.token, &line.phone, json!({"app_name": "Desk"})),
            }
            agency.owner.done("check_number_route", &[("id", &works.number)]).await;
            agency.drain().await;
            assert!(!line.comes_here(), "looking changes nothing");
            let page = agency.owner.get(&format!("/numbers/{}", works.number)).await.text;
            let named = if kind == "twilio" { "the address https://desk.example/…" } else { "“Desk”" };
            assert!(page.contains("Set again") && page.contains(named), "{page}");
            agency.owner.done("check_number_route", &[("id", &works.number), ("set", "on")]).await;
            agency.drain().await;
            assert!(line.comes_here(), "{}", line.at_carrier());

            // What is ours and somebody has changed is set again, and is not taken for what was there before. Looking at the account leaves
            // it as it is.
            match kind {
                "twilio" => world.sandbox.set_voice(&line.account.token, &line.phone, "VoiceMethod", "GET"),
                _ => {
                    let changes = json!({"answer_url": "https://desk.example/other"});
                    world.sandbox.edit_application(&line.account.token, &line.phone, changes);
                }
            }
            let changed = line.at_carrier();
            agency.owner.done("check_carrier", &[("id", &line.integration)]).await;
            agency.drain().await;
            assert_eq!(line.at_carrier(), changed, "looking changes nothing");
            agency.owner.done("check_number_route", &[("id", &works.number), ("set", "on")]).await;
            agency.drain().await;
            assert!(line.comes_here() && line.at_carrier() != changed, "{}", line.at_carrier());

            // The calls are told of no more: that is said, too.
            if kind == "twilio" {
                world.sandbox.set_voice(&line.account.token, &line.phone, "StatusCallback", "");
                agency.owner.done("check_number_route", &[("id", &works.number)]).await;
                agency.drain().await;
                let number = shown(agency, works).await;
                let drift = number["route"]["drift"].as_str().unwrap_or_default();
                assert!(drift.contains("tells nobody"), "{number}");
            }

            // A paused account answers no calls, and has them again when it goes on.
            agency.owner.done("switch_integration", &[("id", &line.integration)]).await;
            agency.drain().await;
            assert!(line.rings_there(), "{}", line.at_carrier());
            agency.owner.done("switch_integration", &[("id", &line.integration), ("on", "true")]).await;
            agency.drain().await;
            assert!(line.comes_here(), "{}", line.at_carrier());
            assign(agency, works, &[("direction", "outbound")]).await;
            assert!(line.rings_there(), "{}", line.at_carrier());
            assert!(shown(agency, works).await["route"]["since"].is_null());

            // Disconnected, nobody could check who asks: a number that went nowhere before goes nowhere again.
            assign(agency, works, &[]).await;
            let rows = numbers(agency, &line.integration).await;
            let second = rows.iter().find(|row| row["number"] != line.phone.as_str()).expect("another number");
            let phone = second["number"].as_str().expect("a number");
            let fields = [
                ("id", second["id"].as_str().expect("an id")),
                ("client_id", agency.one.id.as_str()),
                ("agent_id", works.agent.as_str()),
                ("direction", "inbound"),
            ];
            agency.owner.done("assign_number", &fields).await;
            agency.drain().await;
            let at = |phone: &str| world.sandbox.calls_at(kind, &line.account.token, phone);
            assert!(at(phone).to_string().contains("/answer"), "{}", at(phone));
            let number = format!("+1202555{}", if kind == "twilio" { "0161" } else { "0162" });
            let person = agency.contact(&number).await;
            let write = async || {
                let key = uuid::Uuid::now_v7().to_string();
                let from = ("number", second["id"].as_str().expect("an id"));
                let fields = [("contact", person.as_str()), from, ("message", "Shall we call?"), ("key", &key)];
                agency.owner.done("send_text", &fields).await;
                agency.drain().await;
            };
            write().await;
            agency.owner.done("disconnect_integration", &[("id", &line.integration)]).await;
            agency.drain().await;
            assert!(line.rings_there(), "{}", line.at_carrier());
            assert!(!at(phone).to_string().contains("/answer"), "{}", at(phone));
            assert_eq!(line.ask(&agency.workspace_id, &line.account.token, &line.phone).await.0, 401);

            // STOP goes on being told when the calls are gone, and after they were here once more.
            let texts = |held: &Value| held["message_url"].as_str().is_some_and(|url| url.contains("/hooks/texts/"));
            assert!(kind == "twilio" || texts(&at(phone)), "{}", at(phone));
            assert_eq!(line.account.connect(agency).await, line.integration);
            assert!(at(phone).to_string().contains("/answer"), "{}", at(phone));
            if kind == "plivo" {
                world.sandbox.edit_application(&line.account.token, phone, json!({"message_url": ""}));
            }
            let told = format!(
                "select count(*) from text_numbers where url <> '' and number_id = '{}'",
                second["id"].as_str().expect("an id")
            );
            assert_eq!(owner_value::<i64>(world, &told).await, 0, "before the next message it is told again");
            write().await;
            world.sandbox.text_in(kind, &line.account.token, &number, phone, "STOP").await;
            let stopped = format!("select do_not_call from contacts where id = '{person}'");
            assert!(owner_value::<bool>(world, &stopped).await, "{kind}: STOP was heard");

            // What was kept to go back is sealed, and shown to nobody.
            let log = format!(
                "select coalesce(before::text, '') || coalesce(after::text, '') from audit_events where workspace_id = '{0}'
                 union all select coalesce(calls_before, '') || coalesce(carrier_connection, '') || coalesce(route_error, '')
                 from agency_phone_numbers where workspace_id = '{0}'",
                agency.workspace_id
            );
            let seen = owner_lines(world, &log).await.concat() + &page + &shown(agency, works).await.to_string();
            assert!(!seen.contains("s3cret") && !seen.contains("pw0815"), "{seen}");
        }
    });
}
