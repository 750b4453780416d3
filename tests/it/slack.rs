//! Slack: what is chosen is told, each thing once; a channel's trouble stops that channel alone, and nothing is lost.

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_shared::ids::{CallId, WorkspaceId};
use patchbay_webhooks::model::{EventType, Subject};
use patchbay_webhooks::server::{NewEvent, emit};
use serde_json::{Value, json};

use super::support::{Agency, World, run, unique};

const CALLS: Machine = Machine { name: "test", actions: &[Action::ManageCampaigns] };

/// A Slack of the agency, whose workspace at the stand-in is the token's.
struct Channel {
    id: String,
    token: String,
}

async fn channel(agency: &Agency, name: &str, client: &str, events: &[&str], troubles: bool) -> Channel {
    let fields = [("kind", "slack"), ("name", name), ("client", client), ("mode", "sandbox")];
    let id = agency.owner.made("create_integration", &fields).await;
    let token = format!("sandbox-{}", unique("slack"));
    agency.owner.done("connect_slack", &[("id", &id), ("token", &token)]).await;
    let made = Channel { id, token };
    made.goes_to(agency, "C0CALLS", events, troubles).await;
    made
}

impl Channel {
    async fn goes_to(&self, agency: &Agency, channel: &str, events: &[&str], troubles: bool) {
        let mut fields = vec![("id", self.id.as_str()), ("channel", channel), ("channel_name", "calls")];
        fields.extend(events.iter().map(|event| ("events[]", *event)));
        if troubles {
            fields.push(("troubles", "true"));
        }
        agency.owner.done("save_slack", &fields).await;
    }

    fn posts(&self, world: &World) -> Vec<Value> {
        world.sandbox.slack_posts(&self.token).into_iter().map(|post| post.payload).collect()
    }

    async fn head(&self, agency: &Agency) -> Value {
        agency.owner.done("get_integration_settings", &[("id", &self.id)]).await.json()["head"].clone()
    }

    async fn messages(&self, agency: &Agency) -> Vec<Value> {
        let list = agency.owner.done("list_integration_messages", &[("id", &self.id)]).await.json();
        list["page"]["rows"].as_array().cloned().unwrap_or_default()
    }
}

async fn suppressed(agency: &Agency, phone: &str) -> String {
    let contact = agency.contact(phone).await;
    agency.owner.done("suppress_contact", &[("id", &contact), ("reason", "Asked <!channel> on the phone")]).await;
    contact
}

fn title(post: &Value) -> &str {
    post["blocks"][0]["text"]["text"].as_str().unwrap_or_default()
}

#[test]
fn a_channel_is_told_of_what_was_chosen_and_of_nothing_else() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "slack").await;
        let owner = &agency.owner;
        let id = owner.made("create_integration", &[("kind", "slack"), ("name", "Team"), ("mode", "sandbox")]).await;
        let wrong = owner.rpc("connect_slack", &[("id", &id), ("token", "nonsense")]).await;
        assert!(wrong.error_at("token").is_some_and(|why| why.contains("invalid_auth")), "{wrong:?}");
        let foreign = owner.rpc("connect_slack", &[("id", &id), ("token", "https://example.com/services/T/B/x")]).await;
        assert!(foreign.error_at("token").is_some_and(|why| why.contains("hooks.slack.com")), "{foreign:?}");
        let token = format!("sandbox-{}", unique("slack"));
        assert_eq!(agency.admin.rpc("connect_slack", &[("id", &id), ("token", &token)]).await.status, 403);
        owner.done("connect_slack", &[("id", &id), ("token", &token)]).await;

        // All pages of channels, but none that is archived; the bot's own first.
        let settings = owner.done("get_integration_settings", &[("id", &id)]).await.json();
        let channels = settings["slack"]["channels"].as_array().expect("channels").clone();
        let names: Vec<&str> = channels.iter().filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(names, ["calls", "leads", "sales", "team", "not-invited"]);
        let nothing = owner.rpc("save_slack", &[("id", &id), ("channel", "C0CALLS")]).await;
        assert!(nothing.error_at("events").is_some(), "{nothing:?}");
        let slack = Channel { id, token };
        slack.goes_to(&agency, "C0CALLS", &["contact.suppressed"], false).await;
        owner.done("test_slack", &[("id", &slack.id)]).await;
        assert_eq!(slack.posts(world).iter().map(title).collect::<Vec<_>>(), ["Patchbay can write here"]);

        // A new contact is not told of, one that must not be called is: once, with a way to its page and without anybody's markup.
        let contact = suppressed(&agency, "+12025550170").await;
        agency.drain().await;
        agency.drain().await;
        let posts = slack.posts(world);
        assert_eq!(posts.len(), 2, "{posts:?}");
        assert_eq!(title(&posts[1]), "Do not call any more");
        let text = posts[1].to_string();
        assert!(text.contains(&format!("/contacts/{contact}")) && text.contains("+12025550170"), "{text}");
        assert!(text.contains("&lt;!channel&gt;") && !text.contains("<!channel>"), "{text}");
        let messages = slack.messages(&agency).await;
        assert!(messages.len() == 1 && messages[0]["state"] == "sent", "{messages:?}");
        // The token stands nowhere.
        let shown = owner.get(&format!("/integrations/{}/settings", slack.id)).await.text;
        assert!(!shown.contains(&slack.token) && !json!(messages).to_string().contains(&slack.token));
    });
}

#[test]
fn a_channels_trouble_stops_that_channel_alone_and_loses_nothing() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "slack-trouble").await;
        let events = ["contact.suppressed"];
        let one = channel(&agency, "One", "", &events, false).await;
        let other = channel(&agency, "Other", "", &events, true).await;
        world.sandbox.archive_slack_channel(&one.token, "C0CALLS", true);
        suppressed(&agency, "+12025550171").await;
        agency.background.drain_for(std::time::Duration::from_secs(20)).await;
        suppressed(&agency, "+12025550172").await;
        agency.background.drain_for(std::time::Duration::from_secs(20)).await;
        let head = one.head(&agency).await;
        assert!(head["problem"].as_str().is_some_and(|why| why.contains("archived")), "{head}");
        assert!(one.posts(world).is_empty());
        // The other one is told of both, and of the trouble.
        let mut titles: Vec<String> = other.posts(world).iter().map(|post| title(post).to_owned()).collect();
        titles.sort();
        assert_eq!(titles, ["Do not call any more", "Do not call any more", "Slack needs somebody"]);

        // Another channel goes on where it stopped; so it does when Slack asks to wait, has trouble, or refuses one message.
        world.sandbox.slack_says(&one.token, &["ratelimited", "http_500", "invalid_blocks"]);
        one.goes_to(&agency, "C0SALES", &events, false).await;
        agency.drain().await;
        let messages = one.messages(&agency).await;
        let states: Vec<&str> = messages.iter().filter_map(|row| row["state"].as_str()).collect();
        assert_eq!(states.iter().filter(|state| **state == "sent").count(), 1, "{messages:?}");
        let failed = messages.iter().find(|row| row["state"] == "failed").unwrap_or_else(|| panic!("{messages:?}"));
        assert!(failed["problem"].as_str().is_some_and(|why| why.contains("invalid_blocks")), "{failed}");
        assert!(one.head(&agency).await["problem"].is_null());
        let id = failed["id"].as_str().expect("an id");
        agency.owner.done("retry_integration_message", &[("id", &one.id), ("message", id)]).await;
        agency.drain().await;
        assert_eq!(one.posts(world).len(), 2, "each once");

        // The app is taken out of the workspace; what happens meanwhile is told when it is back.
        world.sandbox.revoke_slack(&one.token, true);
        suppressed(&agency, "+12025550173").await;
        agency.background.drain_for(std::time::Duration::from_secs(20)).await;
        let head = one.head(&agency).await;
        assert!(head["problem"].as_str().is_some_and(|why| why.contains("Connect Slack again")), "{head}");
        world.sandbox.revoke_slack(&one.token, false);
        agency.owner.done("connect_slack", &[("id", &one.id), ("token", &one.token)]).await;
        agency.drain().await;
        assert_eq!(one.posts(world).len(), 3);
        // While it is off, everything waits.
        agency.owner.done("switch_integration", &[("id", &one.id)]).await;
        suppressed(&agency, "+12025550174").await;
        agency.drain().await;
        assert_eq!(one.posts(world).len(), 3);
        agency.owner.done("switch_integration", &[("id", &one.id), ("on", "true")]).await;
        agency.drain().await;
        assert_eq!(one.posts(world).len(), 4);
    });
}

/// Begins a sign-in at Slack itself. Gives the address of the page at which one agrees.
async fn begun(agency: &Agency, id: &str, more: &[(&str, &str)]) -> String {
    let fields: Vec<(&str, &str)> = [("id", id)].into_iter().chain(more.iter().copied()).collect();
    agency.owner.done("sign_in_integration", &fields).await;
    let page = agency.owner.done("get_sign_in_page", &[("id", id)]).await.json();
    page["address"].as_str().unwrap_or_else(|| panic!("an address: {page}")).to_owned()
}

/// Comes back from Slack. Gives the page that one is led to.
async fn back(agency: &Agency, address: Option<String>) -> String {
    let address = address.expect("a page of Slack's");
    let path = address.find("/integrations/").map(|at| &address[at..]).expect("our callback");
    agency.owner.get(path).await.location.expect("leads on")
}

#[test]
fn one_signs_in_at_slack_itself_and_chooses_the_channel_there() {
    run(|world: &World| async move {
        let (agency, slack) = (Agency::new(world, "slack-oauth").await, &world.sandbox);
        let id = agency.owner.made("create_integration", &[("kind", "slack"), ("mode", "sandbox")]).await;
        let page = |rest: &str| format!("/integrations/{id}{rest}");
        let address = begun(&agency, &id, &[]).await;
        assert!(
            address.contains("scope=incoming-webhook%2Cchat%3Awrite") && !address.contains("challenge"),
            "{address}"
        );
        assert_eq!(back(&agency, slack.slack_deny(&address)).await, page("?sign_in=denied"));
        let unused = agency.owner.done("get_sign_in_page", &[("id", &id)]).await.json();
        assert!(unused["address"].is_null(), "a way is good for one sign-in: {unused}");

        // An app of a whole organization is none of a workspace: the page says what to do.
        let all = slack.slack_agree_in(&begun(&agency, &id, &[]).await, "C0CALLS", "");
        assert_eq!(back(&agency, all).await, page("?sign_in=failed"));
        let shown = agency.owner.get(&page("?sign_in=failed")).await.text;
        assert!(shown.contains("Put it into one workspace"), "{shown}");

        // A channel into which nobody has invited the app: Slack gave an address for it.
        let way = slack.slack_agree(&begun(&agency, &id, &[]).await, "C0LOST");
        assert_eq!(back(&agency, way.clone()).await, page("/settings"));
        assert_eq!(back(&agency, way).await, page("?sign_in=old"), "an answer is taken once");
        let own = Channel { id: id.clone(), token: format!("xoxb-sandbox-sandbox-{id}") };
        let settings = agency.owner.done("get_integration_settings", &[("id", &id)]).await.json();
        assert_eq!(settings["slack"]["form"]["channel"], "C0LOST", "{settings}");
        assert_eq!(settings["head"]["account_id"], "T1", "{settings}");
        let shown = agency.owner.get(&page("/settings")).await.text;
        assert!(shown.contains("#not-invited") && shown.contains("Choose what is told"), "{shown}");
        assert!(!shown.contains("/services/T1") && !shown.contains(&own.token), "{shown}");
        own.goes_to(&agency, "C0LOST", &["contact.suppressed"], false).await;
        suppressed(&agency, "+12025550175").await;
        agency.drain().await;
        own.goes_to(&agency, "C0SALES", &["contact.suppressed"], false).await;
        suppressed(&agency, "+12025550176").await;
        agency.drain().await;
        let channels = |token: &str| slack.slack_posts(token).into_iter().map(|post| post.channel).collect::<Vec<_>>();
        assert_eq!(channels(&own.token), ["C0LOST", "C0SALES"]);

        // Another workspace is another account: nothing changes before somebody says so.
        let other = slack.slack_agree_in(&begun(&agency, &id, &[]).await, "C0TEAM", "T2");
        assert_eq!(back(&agency, other).await, page("?sign_in=other"));
        let asked = agency.owner.get(&page("?sign_in=other")).await.text;
        assert!(asked.contains("Use the other account"), "{asked}");
        assert_eq!(own.head(&agency).await["account_id"], "T1");
        let again = slack.slack_agree(&begun(&agency, &id, &[]).await, "C0CALLS");
        assert_eq!(back(&agency, again).await, page("/settings"), "in place");
        let app_id = format!("sandbox-rotating-{id}");
        let app = [("app_id", app_id.as_str()), ("app_secret", "s3cret"), ("other", "true")];
        let other = slack.slack_agree_in(&begun(&agency, &id, &app).await, "C0TEAM", "T2");
        assert_eq!(back(&agency, other).await, page("/settings"));
        assert_eq!(own.head(&agency).await["account_id"], "T2");

        // The tokens of this app end. One that ends before its time is renewed, and what waits is sent.
        let token = format!("xoxb-sandbox-{app_id}");
        own.goes_to(&agency, "C0SALES", &["contact.suppressed"], false).await;
        for phone in ["+12025550177", "+12025550178"] {
            slack.expire_slack(&token);
            suppressed(&agency, phone).await;
            agency.drain().await;
        }
        assert_eq!(channels(&token), ["C0SALES", "C0SALES"]);
        assert!(own.head(&agency).await["problem"].is_null());

        // An app has one token in a workspace: it ends with the last who uses it.
        let second = agency.owner.made("create_integration", &[("kind", "slack"), ("mode", "sandbox")]).await;
        let both = [("app_id", app_id.as_str()), ("app_secret", "s3cret")];
        let way = slack.slack_agree_in(&begun(&agency, &second, &both).await, "C0TEAM", "T2");
        assert_eq!(back(&agency, way).await, format!("/integrations/{second}/settings"));
        // Another app there has its own.
        let third = agency.owner.made("create_integration", &[("kind", "slack"), ("mode", "sandbox")]).await;
        let way = slack.slack_agree_in(&begun(&agency, &third, &[]).await, "C0TEAM", "T2");
        assert_eq!(back(&agency, way).await, format!("/integrations/{third}/settings"));
        let others = format!("xoxb-sandbox-sandbox-{third}");
        agency.owner.done("disconnect_integration", &[("id", &id)]).await;
        assert!(!slack.is_slack_revoked(&token), "the other one goes on");
        agency.owner.done("disconnect_integration", &[("id", &second)]).await;
        assert!(slack.is_slack_revoked(&token) && !slack.is_slack_revoked(&others), "nobody uses this app any more");

        // What a way into another account than before gave is not used either, whatever app others have there. A pasted token is.
        let pasted = channel(&agency, "Pasted", "", &["contact.suppressed"], false).await;
        let other = slack.slack_agree(&begun(&agency, &third, &[]).await, "C0TEAM");
        assert_eq!(back(&agency, other).await, format!("/integrations/{third}?sign_in=other"));
        assert!(slack.is_slack_revoked(&others));
        let way = slack.slack_agree(&begun(&agency, &third, &[("other", "true")]).await, "C0TEAM");
        assert_eq!(back(&agency, way).await, format!("/integrations/{third}/settings"));
        agency.owner.done("connect_slack", &[("id", &pasted.id), ("token", &others)]).await;
        agency.owner.done("disconnect_integration", &[("id", &third)]).await;
        assert!(!slack.is_slack_revoked(&others), "somebody has pasted it");
    });
}

#[test]
fn many_calls_at_once_are_one_message() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "slack-digest").await;
        let all = channel(&agency, "All", "", &["call.completed"], false).await;
        let own = channel(&agency, "Own", &agency.one.id, &["call.completed"], false).await;
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let scope = Scope::of_operator(world.db.clone(), workspace, CALLS);
        let calls = |client: &str, many: usize| -> Vec<NewEvent> {
            let client = client.parse().ok();
            let event = |at: usize| NewEvent {
                kind: EventType::CallCompleted,
                client_id: client,
                subject: Subject::Call,
                subject_id: CallId::new().0,
                data: json!({"outcome": if at.is_multiple_of(3) { "voicemail" } else { "answered" }, "to": "+12025550113", "seconds": 75}),
            };
            (0..many).map(event).collect()
        };
        let mut tx = scope.write(Action::ManageCampaigns).await.expect("a transaction");
        emit(&mut tx, calls(&agency.one.id, 3)).await.expect("events");
        emit(&mut tx, calls(&agency.two.id, 27)).await.expect("events");
        tx.commit().await.expect("written");
        agency.drain().await;
        let posts = all.posts(world);
        assert_eq!(posts.iter().map(title).collect::<Vec<_>>(), ["30 calls"]);
        let text = posts[0].to_string();
        assert!(
            text.contains("*Answered*\\n20") && text.contains("*Voicemail*\\n10") && text.contains("/calls"),
            "{text}"
        );
        assert!(all.messages(&agency).await.iter().all(|row| row["state"] == "sent"));
        // A channel of one client hears of that client alone; few calls are told one by one.
        let posts = own.posts(world);
        assert_eq!(
            posts.iter().map(title).collect::<Vec<_>>(),
            ["Call: Voicemail", "Call: Answered", "Call: Answered"]
        );
        assert!(posts[0].to_string().contains("1 min 15 s"), "{}", posts[0]);
    });
}
