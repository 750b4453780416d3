//! Outgoing webhooks: what is told to whom, signed as the reference verifier wants it, sent again and replayed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use patchbay_sandbox::{Received, ReceiverManner};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::contact_imports;
use super::support::{Agency, Browser, World, owner_lines, owner_value, run, unique};

/// An endpoint of an agency, and the receiver that it leads to.
pub(super) struct Endpoint {
    pub id: String,
    pub receiver: String,
    pub secret: String,
}

impl Endpoint {
    /// Makes one, for a client or for all. Its secret is the one that is shown once.
    pub async fn new(world: &World, owner: &Browser, client: &str, events: &[&str]) -> Self {
        let receiver = unique("receiver");
        let url = format!("{}/receiver/{receiver}", world.sandbox_base);
        let names: Vec<String> = (0..events.len()).map(|at| format!("events[{at}]")).collect();
        let mut fields = vec![("id", ""), ("name", receiver.as_str()), ("client", client), ("url", url.as_str())];
        fields.extend(names.iter().map(String::as_str).zip(events.iter().copied()));
        owner.done("save_webhook_endpoint", &fields).await;
        let made = owner.done("take_webhook_secret", &[]).await.json();
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{name} in {made}")).to_owned();
        Self { id: text("endpoint"), secret: text("secret"), receiver }
    }

    pub fn received(&self, world: &World) -> Vec<Received> {
        world.sandbox.received(&self.receiver)
    }

    pub fn answers(&self, world: &World, manner: ReceiverManner) {
        world.sandbox.receive_as(&self.receiver, manner);
    }

    /// Deliveries of it, as the table has them: how many in each state.
    pub async fn states(&self, world: &World) -> BTreeMap<String, usize> {
        let sql = format!("select state from webhook_deliveries where endpoint_id = '{}'", self.id);
        let mut states = BTreeMap::new();
        for state in owner_lines(world, &sql).await {
            *states.entry(state).or_default() += 1;
        }
        states
    }
}

/// What the reference verifier says of a request.
pub(super) fn is_signed(received: &Received, secret: &str) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in &received.headers {
        let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        headers.extend(pair.map(|(name, value)| (Some(name), value)));
    }
    let verifier = standardwebhooks::Webhook::new(secret).expect("a secret");
    verifier.verify(received.body.as_bytes(), &headers).is_ok()
}

pub(super) fn id_of(received: &Received) -> &str {
    received.headers.get("webhook-id").map_or("", String::as_str)
}

fn body(received: &Received) -> Value {
    serde_json::from_str(&received.body).expect("a body of JSON")
}

/// The names of all fields in it, whatever their depth.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(all) => {
            all.iter().flat_map(|(name, value)| [vec![name.clone()], names(value)].concat()).collect()
        }
        Value::Array(all) => all.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn with_status(status: u16) -> ReceiverManner {
    ReceiverManner { status, ..ReceiverManner::default() }
}

#[test]
fn what_happened_is_told_signed_frozen_and_to_nobody_else() {
    run(|world| async move {
        let (agency, other) = (Agency::new(world, "tells").await, Agency::new(world, "other").await);
        let kinds = ["contact.changed", "contact.suppressed"];
        let own = Endpoint::new(world, &agency.owner, &agency.one.id, &kinds).await;
        let all = Endpoint::new(world, &agency.owner, "", &kinds).await;
        let second = Endpoint::new(world, &agency.owner, &agency.two.id, &kinds).await;
        let elsewhere = Endpoint::new(world, &other.owner, "", &kinds).await;
        own.answers(world, with_status(503));
        let contact = agency.contact("+12025550121").await;
        agency.background.drain_for(Duration::ZERO).await;
        assert_eq!(own.received(world).len(), 1, "one try");
        // The contact has another name before the second try.
        let fields = [
            ("id", contact.as_str()),
            ("form[name]", "Renamed Zoë 🦊"),
            ("form[phone]", "+12025550121"),
            ("form[timezone]", "UTC"),
        ];
        agency.owner.done("change_contact", &fields).await;
        own.answers(world, with_status(204));
        agency.drain().await;
        let suppress = [("id", contact.as_str()), ("reason", "Asked by phone")];
        agency.owner.done("suppress_contact", &suppress).await;
        agency.drain().await;

        let came = own.received(world);
        let kinds: Vec<Value> = came.iter().map(|one| body(one)["type"].clone()).collect();
        assert_eq!(kinds.len(), 4, "a failure, the rename, the second try, the suppression: {kinds:?}");
        assert!(came.iter().all(|one| is_signed(one, &own.secret)), "{came:?}");
        assert!(!is_signed(&came[0], &all.secret), "each endpoint has a secret of its own");
        let again: Vec<&Received> = came.iter().filter(|one| id_of(one) == id_of(&came[0])).collect();
        assert_eq!(again.len(), 2);
        assert_eq!(again[0].body, again[1].body, "frozen when it happened");
        assert!(again[0].body.contains("Carla Contact") && !again[0].body.contains("Renamed"));
        let ids: BTreeSet<&str> = came.iter().map(id_of).collect();
        assert_eq!(ids.len(), 3);
        let last = body(came.last().expect("one"));
        assert_eq!((&last["type"], &last["data"]["do_not_call"]), (&"contact.suppressed".into(), &true.into()));
        assert_eq!(last["data"]["contact_id"], contact.as_str());
        // The endpoint of all clients knows the events by the same ids.
        let told: BTreeSet<String> = all.received(world).iter().map(|one| id_of(one).to_owned()).collect();
        assert_eq!(told, ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!((second.received(world).len(), elsewhere.received(world).len()), (0, 0), "nobody else's");

        // Who comes with a list of people who must not be called is new, and told as that, too.
        let list = "name,phone,do not call\nDora,+12025550129,yes\n";
        contact_imports::all(&agency, "stop.csv", list, &[]).await;
        let last: BTreeSet<String> = own.received(world)[4..].iter().map(|one| body(one)["type"].to_string()).collect();
        assert_eq!(last, BTreeSet::from(["\"contact.changed\"".to_owned(), "\"contact.suppressed\"".to_owned()]));

        // The secret was shown once, and stands nowhere.
        assert_eq!(agency.owner.done("take_webhook_secret", &[]).await.json(), Value::Null);
        let kept = format!(
            "select t::text from webhook_endpoints t where id = '{0}' union all select t::text from webhook_attempts t
             where delivery_id in (select id from webhook_deliveries where endpoint_id = '{0}')
             union all select t::text from audit_events t where entity_id = '{0}' union all select payload::text from jobs where workspace_id = '{1}'",
            own.id, agency.workspace_id
        );
        let kept = owner_lines(world, &kept).await.join("\n");
        let bare = own.secret.trim_start_matches("whsec_");
        assert!(kept.contains("webhook-signature") && !kept.contains(bare), "{kept}");
        let page = agency.owner.get(&format!("/settings/webhooks/{}", own.id)).await;
        assert!(page.status == 200 && !page.text.contains(bare), "{}", page.status);
    });
}

#[test]
fn both_secrets_sign_while_one_takes_the_place_of_the_other() {
    run(|world| async move {
        let agency = Agency::new(world, "rotates").await;
        let endpoint = Endpoint::new(world, &agency.owner, "", &["contact.changed"]).await;
        let rotate = |hours: &'static str| {
            let (owner, id) = (agency.owner.clone(), endpoint.id.clone());
            async move { owner.rpc("rotate_webhook_secret", &[("id", &id), ("hours", hours)]).await }
        };
        assert!(rotate("0").await.error_at("hours").is_some() && rotate("169").await.error_at("hours").is_some());
        assert_eq!(rotate("1").await.status, 200);
        let new = agency.owner.done("take_webhook_secret", &[]).await.json();
        let new = new["secret"].as_str().expect("a secret").to_owned();
        assert_eq!(rotate("1").await.status, 409, "one at a time");
        agency.contact("+12025550122").await;
        agency.drain().await;
        let came = endpoint.received(world);
        assert_eq!(came.len(), 1);
        assert!(is_signed(&came[0], &endpoint.secret) && is_signed(&came[0], &new), "{came:?}");
        agency.owner.done("drop_old_webhook_secret", &[("id", &endpoint.id)]).await;
        agency.owner.done("send_test_event", &[("id", &endpoint.id)]).await;
        agency.drain().await;
        let test = &endpoint.received(world)[1];
        assert!(is_signed(test, &new) && !is_signed(test, &endpoint.secret), "{test:?}");
        assert_eq!(body(test)["type"], "test");
    });
}

#[test]
fn a_range_is_sent_again_with_its_ids_and_bodies() {
    run(|world| async move {
        let agency = Agency::new(world, "replays").await;
        let endpoint = Endpoint::new(world, &agency.owner, &agency.one.id, &["contact.changed"]).await;
        let file: String = (0..12).map(|n| format!("Person {n},+1202555{:04}\n", 4000 + n)).collect();
        contact_imports::all(&agency, "people.csv", format!("name,phone\n{file}"), &[]).await;
        let first = endpoint.received(world);
        assert_eq!(first.len(), 12);
        let range = |of: &'static str| {
            let (owner, id) = (agency.owner.clone(), endpoint.id.clone());
            async move {
                let fields = [
                    ("endpoint", id.as_str()),
                    ("from", "2020-01-01T00:00"),
                    ("to", "2099-01-01T00:00"),
                    ("range_of", of),
                ];
                owner.done("replay_delivery_range", &fields).await;
            }
        };
        range("failed").await;
        agency.drain().await;
        assert_eq!(endpoint.received(world).len(), 12, "none of them has failed");
        range("all").await;
        agency.drain().await;
        let all = endpoint.received(world);
        assert_eq!(all.len(), 24);
        let content = |some: &[Received]| -> BTreeMap<String, String> {
            some.iter().map(|one| (id_of(one).to_owned(), one.body.clone())).collect()
        };
        assert_eq!(content(&all[..12]), content(&all[12..]), "the same ids and bodies");
        assert!(all.iter().all(|one| is_signed(one, &endpoint.secret)));
        let replayed = format!(
            "select count(*) from webhook_deliveries where endpoint_id = '{}' and replayed_at is not null and tries = 2 and tries_in_row = 1",
            endpoint.id
        );
        assert_eq!(owner_value::<i64>(world, &replayed).await, 12);
    });
}

#[test]
fn calls_are_told_from_their_beginning_to_their_reading() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "callers").await;
        let kinds = ["call.started", "call.completed", "call.failed", "analysis.completed", "batch.completed"];
        let endpoint = Endpoint::new(world, &agency.owner, &agency.one.id, &kinds).await;
        let batch = agency.batch(&works.campaign, 1).await;
        agency.finished(&batch).await;
        let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for one in endpoint.received(world) {
            assert!(is_signed(&one, &endpoint.secret));
            let body = body(&one);
            let kind = body["type"].as_str().expect("a type").to_owned();
            told.entry(kind).or_default().push(body["data"].clone());
        }
        // The service's own webhooks may overtake each other, and a start is no news once the end is known.
        assert!(told.remove("call.started").is_none_or(|started| started.len() == 1), "{told:?}");
        let counted: Vec<(&str, usize)> = told.iter().map(|(kind, all)| (kind.as_str(), all.len())).collect();
        let calls = agency.owner.done("list_calls", &[("query[batch]", &batch)]).await.json();
        assert_eq!(calls["page"]["rows"].as_array().map(Vec::len), Some(1), "{calls}");
        let call = calls["page"]["rows"][0]["id"].as_str().expect("a call");
        let expected = [("analysis.completed", 1), ("batch.completed", 1), ("call.completed", 1)];
        assert_eq!(counted, expected, "{told:?}");
        let done = &told["call.completed"][0];
        assert_eq!((&done["call_id"], &done["answered"]), (&call.into(), &true.into()), "{done}");
        assert_eq!((&done["direction"], &done["batch_id"]), (&"outbound".into(), &batch.as_str().into()), "{done}");
        assert!(done["url"].as_str().is_some_and(|url| url.ends_with(&format!("/calls/{call}"))), "{done}");
        let read = &told["analysis.completed"][0];
        assert!(read["summary"].is_string() && read["fields"].is_object() && read["outcome"].is_string(), "{read}");
        assert_eq!(told["batch.completed"][0]["status"], "completed");
        // Names, not words: people on the phone do speak of prices.
        let named: BTreeSet<String> = told.values().flatten().flat_map(names).collect();
        let inner = ["cost", "price", "prompt", "model", "transcript", "evidence"];
        assert!(named.iter().all(|name| !inner.iter().any(|word| name.contains(word))), "{named:?}");
    });
}
