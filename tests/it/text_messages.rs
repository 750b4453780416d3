//! Text messages: what rules send after calls, what people and agents write, what contacts answer, and what carriers do with all of it. The
//! carrier is the sandbox's: who is written to decides what happens.

use patchbay_metering::server::days;
use patchbay_shared::ids::{CallId, WorkspaceId};
use patchbay_tools::server::live;
use serde_json::{Value, json};
use uuid::Uuid;

use super::budgets::{budget, sums};
use super::figures::lines;
use super::inbound::{ask, called};
use super::support::agency::Works;
use super::support::{Agency, Browser, World, owner_lines, owner_value, run, unique};
use super::tools::{added, knock};

/// Any hour of the day: tests run at all of them.
const ALWAYS: [(&str, &str); 2] = [("hours_start", "00:00"), ("hours_end", "00:00")];

/// A rule of client one that is paused, for whoever needs one to look at.
pub async fn kept(agency: &Agency) -> String {
    let name = format!("{} rule", agency.secret);
    let fields = [
        ("name", name.as_str()),
        ("client", &agency.one.id),
        ("missed", "on"),
        ("template", "We missed your call, {{first_name}}."),
    ];
    let id = agency.owner.made("save_text_rule", &fields).await;
    agency.owner.done("switch_text_rule", &[("id", &id)]).await;
    id
}

async fn rule(agency: &Agency, outcome: &str, template: &str, more: &[(&str, &str)]) -> String {
    let fields = [("name", "Missed calls"), ("client", &agency.one.id), (outcome, "on"), ("template", template)];
    let fields = [fields.as_slice(), &ALWAYS, more].concat();
    agency.owner.made_on("/messages/rules/new", "save_text_rule", &fields).await
}

/// Messages of the agency, the oldest first.
async fn texts(agency: &Agency, filters: &[(&str, &str)]) -> Vec<Value> {
    let list = agency.owner.done("list_texts", filters).await.json();
    let mut rows = list["page"]["rows"].as_array().expect("rows").clone();
    rows.reverse();
    rows
}

/// What usage says of the last week's messages, by day added up: messages, parts, cost in millionths, and how many have no price.
async fn usage(agency: &Agency, client: &str) -> [i64; 4] {
    let file = lines(&agency.owner, &format!("/usage.csv?client={client}&period=7")).await;
    let first = file[0].iter().position(|head| head == "text messages").expect("a column");
    let mut sums = [0; 4];
    for row in &file[1..] {
        for (at, sum) in sums.iter_mut().enumerate() {
            let figure: f64 = row[first + at].parse().expect("a figure");
            *sum += if at == 2 { (figure * 1e6).round() as i64 } else { figure as i64 };
        }
    }
    sums
}

/// Follows every figure of messages on a page. Gives them.
async fn followed(agency: &Agency, page: &str) -> Vec<usize> {
    let shown = agency.owner.get(page).await.text;
    let mut figures = Vec::new();
    for part in shown.split("href=\"/messages?").skip(1) {
        let (address, rest) = part.split_once('"').expect("an address");
        let said = rest.split_once('>').and_then(|(_, rest)| rest.split_once('<')).map_or("", |(said, _)| said);
        let Ok(count) = said.split(' ').next().unwrap_or_default().parse::<usize>() else { continue };
        let address = address.replace("&amp;", "&");
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(address.as_bytes())
            .map(|(name, value)| (format!("query[{name}]"), value.into_owned()))
            .collect();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(texts(agency, &pairs).await.len(), count, "{page}: {address}");
        figures.push(count);
    }
    figures
}

/// Numbers and words of what the carrier really sent.
fn sent(world: &World, works: &Works) -> Vec<(String, String)> {
    let all = world.sandbox.texts(&works.key).into_iter().filter(|text| text.state != "received");
    all.map(|text| (text.to, text.body)).collect()
}

async fn write(agency: &Agency, works: &Works, contact: &str, text: &str) {
    let key = Uuid::now_v7().to_string();
    let fields = [("contact", contact), ("number", works.number.as_str()), ("message", text), ("key", &key)];
    agency.owner.done("send_text", &fields).await;
    // A second press of the same button.
    agency.owner.done("send_text", &fields).await;
    agency.drain().await;
}

/// Has reports of a message come before the answer to its sending is written down, in an odd order, and about others.
async fn early(world: &World, agency: &Agency, (kind, integration, token): (&str, &str, &str), message: &str) {
    let key: String =
        owner_value(world, &format!("select carrier_message_id from text_messages where id = '{message}'")).await;
    let sending = format!(
        "with m as (update text_messages set state = 'sending', carrier_message_id = null, done_at = null where id = '{message}'
                    returning 1) select count(*) from m"
    );
    assert_eq!(owner_value::<i64>(world, &sending).await, 1);
    let public = &world.db.services().public_url;
    let door = format!("{public}/hooks/texts/{kind}/{}/{integration}", agency.workspace_id);
    let (id, state) = if kind == "twilio" { ("MessageSid", "MessageStatus") } else { ("MessageUUID", "Status") };
    let other = Uuid::now_v7().to_string();
    let later = format!("SM{}", Uuid::new_v4().simple());
    // Plivo says with each what it cost so far.
    let steps = [
        (&*other, &*key, "undelivered", "0.5"),
        (message, &key, "queued", "0"),
        (message, &key, "delivered", "0.0093"),
        (message, &key, "sent", "0.0012"),
        (message, &key, "queued", "0"),
        (message, &later, "failed", "0.5"),
    ];
    for (named, key, word, cost) in steps {
        let form = [(id, key), (state, word), ("From", "+12025550100"), ("To", "+12025550041"), ("TotalAmount", cost)];
        let form: Vec<(String, String)> = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let door = format!("{door}?message={named}");
        assert_eq!(world.sandbox.post_signed(kind, token, &door, &form).await, Some(200), "{kind}: {word}");
    }
    let row = texts(agency, &[("query[direction]", "out")]).await.into_iter().find(|row| row["id"] == message);
    assert_eq!(row.expect("the message")["state"], "delivered", "{kind}");
    if kind == "plivo" {
        let cost = format!("select (cost_usd * 1000000)::bigint from text_messages where id = '{message}'");
        assert_eq!(owner_value::<i64>(world, &cost).await, 9300, "the price of the end stays");
    }
    let forged = world.sandbox.post_signed(kind, "sandbox-somebody", &format!("{door}?message={message}"), &[]).await;
    assert_eq!(forged, Some(401), "{kind}: the address is signed, too");
}

async fn state_of(agency: &Agency, contact: &str) -> Value {
    agency.owner.done("get_contact", &[("id", contact)]).await.json()
}

async fn is_missed(world: &World, agency: &Agency, works: &Works, number: &str, from: &str) {
    let ring = patchbay_sandbox::Ring {
        to: number.to_owned(),
        from: from.to_owned(),
        key: Some(works.key.clone()),
        leaves: true,
        ..patchbay_sandbox::Ring::default()
    };
    world.sandbox.ring_number(ring).await;
    agency.drain().await;
}

#[test]
fn a_missed_call_leads_to_one_message_and_its_answer_comes_back() {
    run(|world| async move {
        let (agency, works, number) = called(world, "text-missed", &[]).await;
        let yes = agency.contact("+12025550041").await;
        budget(&agency, "500", "hold", &[]).await;
        let form = "/messages/rules/new";
        let wrong = [("template", "Hi {{first name}"), ("delay_minutes", "x"), ("name", "Kept")];
        let refused = agency.owner.fill(form, "save_text_rule", &wrong).await;
        for field in ["template", "delay_minutes", "client", "missed"] {
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
        let template = "Sorry we missed you, {{contact_name}}. {{client_name}}";
        let rule = rule(&agency, "missed", template, &[]).await;
        let page = agency.owner.get(&format!("/messages/rules/{rule}?contact={yes}")).await;
        assert!(page.text.contains("Sorry we missed you") && page.text.contains("1 part of 160"), "{page:?}");
        is_missed(world, &agency, &works, &number, "+12025550041").await;
        let rows = texts(&agency, &[]).await;
        let states: Vec<&str> = rows.iter().filter_map(|row| row["state"].as_str()).collect();
        assert_eq!(states, ["delivered", "received"], "{rows:?}");
        assert_eq!((&rows[0]["source"], &rows[0]["contact"][0]), (&json!("rule"), &json!(yes)), "{rows:?}");
        assert!(rows[0]["cost"].is_string() && rows[0]["call"].is_string() && rows[0]["parts"] == 1, "{rows:?}");
        assert_eq!((&rows[1]["body"], &rows[1]["contact"][0]), (&json!("Yes, that suits me."), &json!(yes)));
        // The same event again, with another call's: one message for each call.
        let again = format!(
            "with again as (update webhook_events set given_out_at = null where workspace_id = '{}' returning 1)
             select count(*) from again",
            agency.workspace_id
        );
        assert!(owner_value::<i64>(world, &again).await > 0, "the events are there");
        is_missed(world, &agency, &works, &number, "+12025550041").await;
        assert_eq!(sent(world, &works).len(), 2, "{:?}", sent(world, &works));
        // Somebody unknown has no name, so nothing goes out, and it is said why.
        is_missed(world, &agency, &works, &number, "+12025550177").await;
        let rows = texts(&agency, &[("query[state]", "not_sent")]).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert!(
            rows[0]["problem"].as_str().is_some_and(|why| why.contains("{{contact_name}} has no value")),
            "{rows:?}"
        );
        // The thread, and who reads it.
        let thread = format!("/messages/with/{yes}");
        assert!(agency.owner.get(&thread).await.text.contains("Yes, that suits me."));
        assert!(agency.one.viewer.get(&thread).await.text.contains("Yes, that suits me."));
        assert_eq!(agency.two.admin.get(&thread).await.status, 404);
        let theirs = agency.one.viewer.done("list_texts", &[]).await.json();
        assert!(theirs["page"]["rows"][1]["cost"].is_null() && theirs["rules"] == json!([]), "{theirs}");
        let none = agency.two.admin.done("list_texts", &[]).await.json();
        assert_eq!(none["page"]["rows"], json!([]), "{none}");
        let file = agency.owner.get("/messages/export.csv").await;
        assert!(file.text.contains("Yes, that suits me."), "{file:?}");
        // What they cost stands in usage, each figure with its messages, and in the budget, also once a worker has made the rows.
        for is_kept in [false, true] {
            assert_eq!(usage(&agency, &agency.one.id).await, [2, 2, 8000, 0], "counted before: {is_kept}");
            for page in ["/usage?period=7", &format!("/clients/{}?period=7", agency.one.id)] {
                assert!(!followed(&agency, page).await.is_empty(), "{page} leads to its messages");
            }
            days::keep_all(&world.db).await.expect("days");
        }
        assert_eq!(usage(&agency, &agency.two.id).await, [0; 4]);
        let file = lines(&agency.owner, "/usage.csv?part=texts&period=7").await;
        assert_eq!(file[1][1..], ["2", "2", "0.008000", "0"], "{file:?}");
        let (kept, counted) = sums(world, &agency).await;
        let month = agency.owner.done("get_client_usage", &[("client", &agency.one.id)]).await.json();
        assert_eq!((month["budget_status"]["spent"].as_str(), &kept), (Some(&*counted), &counted), "{month}");
        // A spent budget lets none go out, by hand or by rule, and says so; nobody of the client learns an amount.
        budget(&agency, "0", "hold", &[]).await;
        agency.drain().await;
        let key = Uuid::now_v7().to_string();
        let fields = [("contact", yes.as_str()), ("number", &works.number), ("message", "Hello?"), ("key", &key)];
        let refused = agency.owner.rpc("send_text", &fields).await;
        assert!(refused.status == 409 && refused.text.contains("monthly budget of $0.00 is spent"), "{refused:?}");
        let page = agency.owner.get(&thread).await.text;
        assert!(page.contains("Text messages go out again when the month ends"), "the thread says why");
        is_missed(world, &agency, &works, &number, "+12025550041").await;
        let rows = texts(&agency, &[("query[state]", "not_sent"), ("query[words]", "+12025550041")]).await;
        assert!(rows[0]["problem"].as_str().is_some_and(|why| why.contains("budget is spent")), "{rows:?}");
        assert_eq!(sent(world, &works).len(), 2);
        budget(&agency, "500", "hold", &[]).await;
        // Switched off, it sends nothing.
        agency.owner.done("switch_text_rule", &[("id", &rule)]).await;
        is_missed(world, &agency, &works, &number, "+12025550041").await;
        assert_eq!(sent(world, &works).len(), 2);
    });
}

#[test]
fn after_stop_there_is_no_call_and_no_message() {
    run(|world| async move {
        let (agency, works, number) = called(world, "text-stop", &[]).await;
        let contact = agency.contact("+12025550040").await;
        rule(&agency, "missed", "We missed you.", &[]).await;
        write(&agency, &works, &contact, "Shall we call tomorrow?").await;
        let person = state_of(&agency, &contact).await;
        assert_eq!(person["do_not_call"], true, "{person}");
        assert_eq!(person["do_not_call_reason"], "Answered STOP by text message", "{person}");
        let rows = texts(&agency, &[]).await;
        assert_eq!((rows.len(), &rows[1]["keyword"]), (2, &json!("stop")), "{rows:?}");
        let log = format!(
            "select action from audit_events where workspace_id = '{}' and entity = 'contact' and action = 'suppressed'",
            agency.workspace_id
        );
        assert_eq!(owner_lines(world, &log).await.len(), 1, "it is in the log, once");
        // Neither a person nor a rule writes any more, and no campaign takes the contact.
        let key = Uuid::now_v7().to_string();
        let fields = [("contact", contact.as_str()), ("number", &works.number), ("message", "Hello?"), ("key", &key)];
        let refused = agency.owner.rpc("send_text", &fields).await;
        assert!(refused.status == 409 && refused.text.contains("do-not-call"), "{refused:?}");
        is_missed(world, &agency, &works, &number, "+12025550040").await;
        let rows = texts(&agency, &[("query[state]", "not_sent")]).await;
        assert_eq!((rows.len(), sent(world, &works).len()), (1, 1), "{rows:?}");
        let page = format!("/campaigns/{}", works.campaign);
        agency.owner.filled(&page, "move_campaign", &[("to", "active")]).await;
        agency.owner.filled(&format!("{page}?tab=contacts"), "add_campaign_contacts", &[("by", "all")]).await;
        agency.drain().await;
        let members = agency.owner.done("list_campaign_contacts", &[("query[campaign]", &works.campaign)]).await;
        assert!(!members.text.contains(&contact), "{members:?}");
        // START is shown, and a person decides. STOP of a number that nobody knows stops calls to it, too.
        world.sandbox.text_in("telnyx", &works.key, "+12025550040", &number, "Start").await;
        agency.drain().await;
        assert_eq!(state_of(&agency, &contact).await["do_not_call"], true);
        let rows = texts(&agency, &[("query[contact]", &contact)]).await;
        assert_eq!(rows.last().map(|row| &row["keyword"]), Some(&json!("start")), "{rows:?}");
        world.sandbox.text_in("telnyx", &works.key, "+12025550188", &number, "Arrêt!").await;
        agency.drain().await;
        let stopped = agency.owner.done("list_contacts", &[("query[suppressed]", "yes")]).await;
        assert!(stopped.text.contains("+12025550188"), "{stopped:?}");
    });
}

#[test]
fn a_lost_answer_of_the_carrier_doubles_nothing() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "text-lost").await;
        agency.finished(&agency.batch(&works.campaign, 1).await).await;
        let lost = agency.contact("+12025550043").await;
        write(&agency, &works, &lost, "Once.").await;
        let rows = texts(&agency, &[]).await;
        assert_eq!((rows.len(), &rows[0]["state"]), (1, &json!("delivered")), "its events told: {rows:?}");
        // Nothing was sent, and the carrier has no list to look it up in: it is not sent again, and says so.
        let broken = agency.contact("+12025550045").await;
        write(&agency, &works, &broken, "Never.").await;
        let rows = texts(&agency, &[("query[contact]", &broken)]).await;
        assert_eq!(rows[0]["state"], "failed", "{rows:?}");
        assert!(rows[0]["problem"].as_str().is_some_and(|why| why.contains("may have been sent")), "{rows:?}");
        // Two of the same words at the same moment: each arrives, and counts once.
        let twice = agency.contact("+12025550046").await;
        for _ in 0..2 {
            let key = Uuid::now_v7().to_string();
            let fields = [("contact", &*twice), ("number", &works.number), ("message", "Same."), ("key", &key)];
            agency.owner.done("send_text", &fields).await;
        }
        agency.drain().await;
        let rows = texts(&agency, &[("query[contact]", &twice), ("query[taken]", "yes")]).await;
        assert_eq!((rows.len(), &rows[0]["state"], &rows[1]["state"]), (2, &json!("delivered"), &json!("delivered")));
        let undeliverable = agency.contact("+12025550042").await;
        write(&agency, &works, &undeliverable, "Hello").await;
        let rows = texts(&agency, &[("query[contact]", &undeliverable)]).await;
        assert_eq!(rows[0]["state"], "failed", "{rows:?}");
        assert!(rows[0]["problem"].as_str().is_some_and(|why| why.contains("could not deliver")), "{rows:?}");
        let all: Vec<String> = sent(world, &works).into_iter().map(|(_, body)| body).collect();
        assert_eq!(all, ["Once.", "Same.", "Same.", "Hello"]);
        assert_eq!(usage(&agency, &agency.one.id).await[0], 4, "what nobody knows to be at the carrier counts nowhere");
        // Whoever was only called from a number of the whole agency is called no more after a STOP to it.
        let number = agency.owner.done("get_number", &[("id", &works.number)]).await.json();
        let number = number["row"]["number"].as_str().expect("a number").to_owned();
        world.sandbox.text_in("telnyx", &works.key, "+12025550113", &number, "Stop").await;
        agency.drain().await;
        assert_eq!(state_of(&agency, &works.contact).await["do_not_call"], true);
        // Neither client's people read what the carrier said, which is the agency's account.
        let theirs = agency.one.viewer.done("list_texts", &[]).await.text;
        assert!(!theirs.contains("could not deliver"), "{theirs}");
    });
}

#[test]
fn what_comes_in_may_be_anything() {
    run(|world| async move {
        let (agency, works, number) = called(world, "text-hostile", &[]).await;
        let contact = works.contact.clone();
        write(&agency, &works, &contact, "<b>Hello</b>").await;
        let odd = format!("<script>alert(1)</script>\u{0}\u{7}\u{202e}{}", "x".repeat(5000));
        world.sandbox.text_in("telnyx", &works.key, "+12025550113", &number, &odd).await;
        agency.drain().await;
        let rows = texts(&agency, &[("query[direction]", "in")]).await;
        let body = rows[0]["body"].as_str().expect("a text");
        assert!(body.chars().count() <= 1600 && !body.contains(['\u{0}', '\u{7}']), "{body}");
        let page = agency.owner.get(&format!("/messages/with/{contact}")).await;
        assert!(page.status == 200 && !page.text.contains("<script>alert(1)"), "the page shows it as text");
        // The same report again, and reports about nothing of ours, change nothing.
        let (path, event) = {
            let connection = format!(
                "select id::text from provider_connections where workspace_id = '{}' and provider = 'telnyx'",
                agency.workspace_id
            );
            let connection: String = owner_value(world, &connection).await;
            let path = format!("/webhooks/telnyx/{}/{connection}", agency.workspace_id);
            let event = |id: &str, message: &str, from: &str, to: &str| {
                json!({"data": {"id": id, "event_type": "message.received", "payload": {
                    "id": message, "from": {"phone_number": from}, "to": [{"phone_number": to}], "text": "Again"}}})
                .to_string()
            };
            (path, event)
        };
        for (id, message, from, to) in [
            ("e1", "m1", "+12025550113", number.as_str()),
            ("e2", "m1", "+12025550113", &number),
            ("e3", "m2", "12345", &number),
            ("e4", "m3", "+12025550113", "+12025559999"),
            ("e5", "m4", "MyBank", &number),
            ("e6", "m5", "", ""),
        ] {
            let (status, text) = ask(world, &path, &event(id, message, from, to), &works.key, 0).await;
            assert_eq!(status, 204, "{id}: {text}");
        }
        let (status, _) = ask(world, &path, &event("e7", "m6", "+12025550113", &number), "sandbox-forged", 0).await;
        assert_eq!(status, 401, "somebody else's signature");
        agency.drain().await;
        let rows = texts(&agency, &[("query[words]", "Again")]).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        // Doors of other carriers: no account, no signature, too large.
        let door =
            |carrier: &str| format!("{}/hooks/texts/{carrier}/{}/{}", world.base, agency.workspace_id, Uuid::now_v7());
        let post = |carrier: &str| {
            let form = [("MessageSid", "SM1"), ("From", "+12025550113"), ("To", "+12025550100"), ("Body", "Stop")];
            reqwest::Client::new().post(door(carrier)).form(&form)
        };
        for (carrier, header) in [("twilio", "x-twilio-signature"), ("plivo", "x-plivo-signature-v2"), ("other", "x")] {
            assert_eq!(Browser::answer(post(carrier)).await.status, 401, "{carrier}");
            assert_eq!(Browser::answer(post(carrier).header(header, "AAAA")).await.status, 401, "{carrier}, forged");
        }
        let large = reqwest::Client::new().post(door("twilio")).body(vec![b'a'; 10 << 20]).send().await;
        // The connection may be cut while the rest is still on its way.
        assert!(large.is_err() || large.is_ok_and(|answer| answer.status().as_u16() == 413));
    });
}

#[test]
fn an_agent_writes_to_whoever_is_on_the_line_and_nobody_else() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "text-tool").await;
        let agent = works.agent.as_str();
        let page = format!("/agents/{agent}/tools/new?kind=send_text");
        let tool = added(&agency, &page, &[("most_in_call", "1")]).await;
        let call = super::tools::call_of(&agency, world, &works).await;
        let ours = "select count(*) from text_messages where source = 'agent' and workspace_id";
        let before: i64 = owner_value(world, &format!("{ours} = '{}'", agency.workspace_id)).await;
        let on = format!(
            "with on_the_line as (update calls set ended_at = null where id = '{call}' returning 1) select count(*) from on_the_line"
        );
        assert_eq!(owner_value::<i64>(world, &on).await, 1);
        let clear = format!(
            "with gone as (delete from tool_invocations where call_id = '{call}' returning 1) select count(*) from gone"
        );
        owner_value::<i64>(world, &clear).await;
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let id: CallId = call.parse().expect("an id");
        let token = live::token(world.db.services(), workspace, id).expect("a token").expose().clone();
        let door = format!("/hooks/tools/{}/{tool}/send_text", agency.workspace_id);
        let asked = async |body: Value| knock(world, &door, Some(&token), None, &body).await.text;
        // A spent budget holds the agent's messages back, too, and that is no use of the one that it may send.
        budget(&agency, "0", "hold", &[]).await;
        agency.drain().await;
        let held = asked(json!({"text": "Hello"})).await;
        assert!(held.contains("budget is spent"), "{held}");
        budget(&agency, "", "hold", &[]).await;
        owner_value::<i64>(world, &clear).await;
        // A number that the model gives is no argument of the tool, and a text of any length is none.
        let wrong = asked(json!({"text": "Hello", "to": "+12025550199"})).await;
        assert!(!wrong.contains("on its way") || sent(world, &works).iter().all(|(to, _)| to == "+12025550113"));
        let long = asked(json!({"text": "x".repeat(481)})).await;
        assert!(!long.contains("on its way"), "{long}");
        let first = asked(json!({"text": "Your visit is on Monday at nine."})).await;
        let second = asked(json!({"text": "And once more."})).await;
        let said = [&wrong, &first, &second].into_iter().filter(|said| said.contains("on its way")).count();
        assert_eq!(said, 1, "one in a call: {wrong} {first} {second}");
        agency.drain().await;
        let after: i64 = owner_value(world, &format!("{ours} = '{}'", agency.workspace_id)).await;
        assert_eq!(after, before + 1);
        let all = sent(world, &works);
        assert!(all.iter().all(|(to, _)| to == "+12025550113"), "{all:?}");
        let rows = texts(&agency, &[("query[call]", &call)]).await;
        assert!(rows.iter().any(|row| row["source"] == "agent" && row["state"] == "delivered"), "{rows:?}");
    });
}

#[test]
fn carriers_of_the_agencys_own_carry_messages_too() {
    run(|world| async move {
        let (agency, _) = Agency::ready(world, "text-carriers").await;
        let [yes, lost, broken] = [
            agency.contact("+12025550041").await,
            agency.contact("+12025550043").await,
            agency.contact("+12025550045").await,
        ];
        for (kind, begins) in [("twilio", "AC"), ("plivo", "MA")] {
            let account =
                format!("{begins}{}", unique("0").replace(|letter: char| !letter.is_ascii_alphanumeric(), ""));
            let token = format!("sandbox-{}", unique("carrier"));
            agency.has_account(&token);
            let fields = [("name", ""), ("mode", "sandbox"), ("account", &*account), ("token", &*token)];
            let page = format!("/integrations/new/{kind}");
            let integration = agency.owner.made_on(&page, "connect_carrier", &fields).await;
            agency.drain().await;
            let list = agency.owner.done("list_numbers", &[("query[carrier]", &integration)]).await.json();
            let number = &list["page"]["rows"][0];
            let (id, number) = (number["id"].as_str().expect("an id"), number["number"].as_str().expect("a number"));
            let write = async |contact: &str, text: &str| {
                let key = Uuid::now_v7().to_string();
                let fields = [("contact", contact), ("number", id), ("message", text), ("key", &key)];
                agency.owner.done("send_text", &fields).await;
                agency.drain().await;
                let rows = texts(&agency, &[("query[contact]", contact), ("query[direction]", "out")]).await;
                rows.last().expect("a message").clone()
            };
            let row = write(&yes, "Does Monday suit you?").await;
            assert_eq!((&row["state"], &row["problem"]), (&json!("delivered"), &Value::Null), "{kind}: {row}");
            early(world, &agency, (kind, &integration, &token), row["id"].as_str().expect("an id")).await;
            let answers = texts(&agency, &[("query[contact]", &yes), ("query[direction]", "in")]).await;
            assert_eq!(answers.last().expect("an answer")["number"], number, "{kind}: {answers:?}");
            // These have lists of what was sent: what is there is not sent again, and what is not there is.
            for contact in [&lost, &broken] {
                let row = write(contact, "Once.").await;
                assert_eq!(row["state"], "delivered", "{kind}: {row}");
            }
            let all: Vec<String> = world.sandbox.texts(&token).into_iter().map(|text| text.body).collect();
            let once = all.iter().filter(|body| *body == "Once.").count();
            assert_eq!((all.len(), once), (4, 2), "{kind}: {all:?}");
            // Twilio says no price by itself: it is asked, and the day and the budget of the message have it.
            let [messages, _, cost, unpriced] = usage(&agency, &agency.one.id).await;
            // Of Twilio's, one was written before Twilio was paused, which keeps nobody from asking after it.
            assert_eq!(unpriced, if kind == "twilio" { 3 } else { 1 }, "{kind}");
            let figures = followed(&agency, "/usage?period=7").await;
            assert!(messages > 0 && figures.contains(&(messages as usize)), "{kind}: {figures:?} have {messages}");
            agency.background.drain_for(std::time::Duration::from_secs(900)).await;
            let after = usage(&agency, &agency.one.id).await;
            assert_eq!((after[0], after[2], after[3]), (messages, cost + unpriced * 4000, 0), "{kind}");
            // Somebody else's signature, then the carrier's own, twice.
            let public = &world.db.services().public_url;
            let door = format!("{public}/hooks/texts/{kind}/{}/{integration}", agency.workspace_id);
            let form: Vec<(String, String)> = match kind {
                "twilio" => vec![("MessageSid", "SM7"), ("From", "+12025550041"), ("To", number), ("Body", "Forged?")],
                _ => vec![("MessageUUID", "u7"), ("From", "12025550041"), ("To", number), ("Text", "Forged?")],
            }
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
            let before = texts(&agency, &[("query[words]", "Forged?")]).await.len();
            for (signer, status) in [("sandbox-somebody", 401), (&*token, 200), (&*token, 200)] {
                let answer = world.sandbox.post_signed(kind, signer, &door, &form).await;
                assert_eq!(answer, Some(status), "{kind}, signed by {signer}");
            }
            assert_eq!(texts(&agency, &[("query[words]", "Forged?")]).await.len(), before + 1, "{kind}: once");
            // STOP with a picture is a STOP, also while the account is paused.
            let person = if kind == "twilio" { "+12025550131" } else { "+12025550132" };
            let stops = agency.contact(person).await;
            write(&stops, "Shall we call?").await;
            agency.owner.done("switch_integration", &[("id", &integration)]).await;
            let form: Vec<(String, String)> = match kind {
                "twilio" => [("MessageSid", "SM8"), ("Body", "STOP"), ("NumMedia", "1")],
                _ => [("MessageUUID", "u8"), ("Text", "STOP"), ("Media0", "https://media.example/1")],
            }
            .into_iter()
            .chain([("From", person), ("To", number)])
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
            assert_eq!(world.sandbox.post_signed(kind, &token, &door, &form).await, Some(200), "{kind}");
            assert_eq!(state_of(&agency, &stops).await["do_not_call"], true, "{kind}");
        }
    });
}
