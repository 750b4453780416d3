//! What the agency withholds from its clients' people: a marker in every withheld field, and every function, download and page asked as
//! both client roles. Nobody may read a marker, and the agency must read each somewhere: else it would prove nothing.

use patchbay_access::Field;
use patchbay_access::Role;

use super::access_matrix::{FUNCTIONS, PAGES, ROUTES, Wanted, WebhookSender, Who, wanted};
use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, Works, World, owner_lines, run};
use super::tenancy::{ids, knock};

/// A marker for every column that the field names, in their order; None where nobody can read a marker: the answer says so in words.
fn markers(field: Field, agency: &Agency, planted: &Planted) -> Vec<Option<String>> {
    let texts: &[Option<&str>] = match field {
        // The cost of a model's use is added up on the usage page, together with what real work cost.
        // The days' costs are sums with those of the call in them, which nobody can tell beforehand.
        Field::Cost => &[Some("777.13"), Some("555.17"), Some("333.19"), Some("864000864"), None, Some("444.19"), None],
        // Where a recording lies is read by nobody.
        Field::Recording => &[None, Some("98765.4")],
        Field::Steps => &[Some("canary_tool")],
        // What `tools::noted` looks for.
        Field::ToolUses => &[Some("Canary use")],
        // The words of the prompt name the workshop's own secret. Which prompt it was is said by its name and address.
        Field::Prompt => return vec![None, None, Some(agency.secret.clone())],
        Field::BatchTrouble => &[Some("Canary pause"), Some("Canary end")],
        // Why a call was missed is a word that stands for a sentence.
        Field::CallError => &[Some("Canary call error"), None, Some("Canary contact error")],
        Field::EnrichmentError => &[Some("Canary enrichment")],
        Field::Transfer => &[Some("+12025550142"), Some("Canary transfer")],
        // Which service it was is known to the database alone.
        Field::Provider => &[None, Some("canary-provider-id"), None, Some("canary end")],
        Field::ProviderEvents => &[Some("canary-event")],
        Field::Model => &[Some("canary/model"), Some("987654321"), Some("876543210")],
        Field::AgentMakeup => {
            &[Some("Canary description"), None, Some("canary/speech-model"), Some("canary-agent-tag"), None]
        }
        // Their own address, which they read under their own sessions, is the same in a test.
        Field::AuditOrigin => {
            return vec![
                None,
                Some(planted.request.clone()),
                Some(planted.key_prefix.clone()),
                Some("Canary Sync".to_owned()),
            ];
        }
    };
    texts.iter().map(|text| text.map(str::to_owned)).collect()
}

/// What the test finds out about its own markers.
struct Planted {
    request: String,
    key_prefix: String,
}

/// A contact by a program, whose key has a name that says something about the agency. Gives the key's beginning.
async fn by_a_program(agency: &Agency) -> String {
    let made = [("name", "Canary Sync"), ("scopes[]", "contacts:write"), ("rate_limit", "0"), ("days", "")];
    agency.owner.done("create_api_key", &made).await;
    let key = agency.owner.done("take_api_key", &[]).await.json()["key"].as_str().expect("a key").to_owned();
    let contact = serde_json::json!({ "client_id": agency.one.id, "name": "By a program", "phone": "+12025550166" });
    let post = agency.owner.raw(reqwest::Method::POST, "/v1/contacts").bearer_auth(&key).json(&contact);
    let answer = Browser::answer(post).await;
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    let keys = agency.owner.done("list_api_keys", &[]).await.json();
    keys["rows"][0]["prefix"].as_str().expect("a prefix").to_owned()
}

/// Puts a marker into every field that is withheld: as far as real work fills them with what the test can choose, by real work.
async fn plant(world: &World, agency: &Agency, works: &Works) -> Vec<(String, String)> {
    let page = format!("/clients/{}/settings", agency.one.id);
    let fields = [("shares_recordings", ""), ("monthly_budget", "4321.98")];
    agency.owner.filled(&page, "save_client", &fields).await;
    let number = [
        ("number", "+12025550188"),
        ("country", "US"),
        ("features", "voice"),
        ("monthly_cost", "873.37"),
        ("client_id", agency.one.id.as_str()),
    ];
    let number = agency.owner.made("order_number", &number).await;
    // The number comes from another client: whose it was is nobody's business.
    let to_two = [("client_id", agency.two.id.as_str()), ("agent_id", ""), ("direction", "outbound")];
    agency.owner.filled(&format!("/numbers/{number}"), "assign_number", &to_two).await;
    let to_one = [("client_id", agency.one.id.as_str()), ("agent_id", ""), ("direction", "outbound")];
    agency.owner.filled(&format!("/numbers/{number}"), "assign_number", &to_one).await;
    // A second batch, which the voice service stopped.
    agency.contact("+12025550177").await;
    let paused = agency.batch(&works.campaign, 1).await;
    agency.owner.done("pause_batch", &[("id", &paused)]).await;
    let (call, batch) = (&works.call, &works.batch);
    let tool = [("agent", works.agent.as_str()), ("kind", "end_call"), ("tool_name", "end"), ("description", "Ends.")];
    let tool = agency.owner.done("save_agent_tool", &tool).await;
    let sql = format!(
        "with
           a as (update call_batches set pause_reason = 'Canary pause', obstacle = 'not_connected' where id = '{paused}'),
           b as (update call_batches set error = 'Canary end', status = 'failed' where id = '{batch}'),
           c as (update calls set error = 'Canary call error', provider_call_id = 'canary-provider-id', end_reason = 'canary_end',
                        voice_cost = 777.131313, carrier_cost = 555.171717, carrier_priced_at = now(), model_cost = 333.191919,
                        billed_seconds = 864000864,
                        recording_peaks = '{{\"seconds\": 98765.4321, \"agent\": [1], \"caller\": [1]}}' where id = '{call}'),
           d as (update call_analyses set model = 'canary/model', prompt_tokens = 987654321, completion_tokens = 876543210 where call_id = '{call}'),
           e as (update enrichment_queue set status = 'failed', last_error = 'Canary enrichment' where call_id = '{call}'),
           f as (update campaign_contacts set last_error = 'Canary contact error' where campaign_id = '{campaign}'),
           i as (update agents set description = 'Canary description', llm_model = 'canary/speech-model', tags = '{{canary-agent-tag}}' where id = '{agent}'),
           g as (update call_events set payload = '{{\"what\": \"canary-event\"}}' where call_id = '{call}'),
           h as (insert into call_messages (workspace_id, id, call_id, client_id, position, role, text, tool_name)
                 select workspace_id, gen_random_uuid(), id, client_id, 900, 'tool_call', '{{}}', 'canary_tool' from calls where id = '{call}'),
           u as (insert into tool_invocations (workspace_id, id, agent_id, tool_id, tool_name, origin, call_id, dedupe_key, arguments, status)
                 select '{workspace}', gen_random_uuid(), '{agent}', '{tool}', 'canary_tool', 'call', '{call}', 'canary', '{{}}', 'succeeded'
                 returning workspace_id, id, call_id),
           t as (insert into call_transfers (workspace_id, id, call_id, client_id, invocation_id, position, destination, number, \"from\",
                                             ring_seconds, status, why)
                 select u.workspace_id, gen_random_uuid(), u.call_id, '{client}', u.id, 1, 'Front desk', '+12025550142', '+12025550188', 20,
                        'failed', 'Canary transfer' from u),
           s as (insert into text_messages (workspace_id, id, client_id, direction, source, number_id, other_number, body, state, carrier, cost_usd,
                                         taken_at)
                 select '{workspace}', gen_random_uuid(), '{client}', 'out', 'person', n.id, '+12025550199', 'Hello', 'delivered', n.provider,
                        444.191919, now() from agency_phone_numbers n where n.workspace_id = '{workspace}' limit 1)
         select 'planted'",
        workspace = agency.workspace_id,
        client = agency.one.id,
        tool = super::tools::last_id(&tool),
        campaign = works.campaign,
        agent = works.agent
    );
    owner_lines(world, &sql).await;
    vec![("the other batch".to_owned(), paused), ("the number".to_owned(), number)]
}

/// Asks everything that only reads, and gives what came back with its name.
async fn everything(
    browser: &Browser,
    who: &Who,
    ids: &[(&'static str, String)],
    more: &[String],
) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    let reads = |door: &&WebhookSender| !door.changes && matches!(wanted(door, who), Wanted::Own | Wanted::Status(_));
    for door in FUNCTIONS.iter().chain(ROUTES).chain(PAGES).filter(reads) {
        answers.push((door.name.to_owned(), knock(browser, door, ids).await.text));
    }
    for path in more {
        answers.push((path.clone(), browser.get(path).await.text));
    }
    answers
}

#[test]
fn no_answer_to_a_clients_people_holds_what_the_agency_withholds() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "withheld").await;
        agency.gather().await;
        let (call, batch, campaign) = (works.call.clone(), works.batch.clone(), works.campaign.clone());
        let planted = plant(world, &agency, &works).await;
        let agent = works.agent.clone();
        let key_prefix = by_a_program(&agency).await;
        // One of the other client's people comes over: whose they were is nobody's business here.
        let came = agency.two.viewer.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
        let over = [("id", came.as_str()), ("role", "client_viewer"), ("client", agency.one.id.as_str())];
        agency.owner.done("change_member_role", &[over.as_slice(), &[("current", PASSWORD)]].concat()).await;
        let ids = ids(world, &agency, works).await;
        // Every event of the audit log that is about the client.
        let events = agency.one.admin.done("list_audit_events", &[("query[entity]", "")]).await.json();
        let seqs: Vec<String> =
            events["page"]["rows"].as_array().expect("rows").iter().map(|row| row["seq"].to_string()).collect();
        assert!(seqs.len() > 10, "{events}");
        let event = agency.owner.done("get_audit_event", &[("seq", &seqs[0])]).await.json();
        let request = event["request_id"].as_str().unwrap_or_else(|| panic!("a request: {event}")).to_owned();
        let mut more: Vec<String> = seqs.iter().map(|seq| format!("/settings/audit/{seq}")).collect();
        more.extend(["transcript", "steps", "raw"].map(|tab| format!("/calls/{call}?tab={tab}")));
        more.extend(
            ["overview", "contacts", "batches", "results"].map(|tab| format!("/campaigns/{campaign}?tab={tab}")),
        );
        more.extend([format!("/batches/{}", planted[0].1), format!("/batches/{}/results.csv", planted[0].1)]);
        more.push(format!("/batches?campaign={campaign}"));
        more.push(format!("/calls?batch={batch}"));
        more.push("/contacts?q=Carla".to_owned());

        let own = Planted { request, key_prefix };
        let mut hidden: Vec<String> = Vec::new();
        for field in Field::ALL {
            let markers = markers(*field, &agency, &own);
            let columns = field.columns().split([',', ';']).count();
            assert_eq!(markers.len(), columns, "{field:?}: a marker for each of {}", field.columns());
            hidden.extend(markers.into_iter().flatten());
        }
        // The audit log's: what a number costs (no part of a time looks like it), whose it was, what is to be spent.
        hidden.extend(["873.37".to_owned(), "4321.98".to_owned(), "4,321.98".to_owned(), agency.two.id.clone()]);
        let owner = Who { role: Some(Role::AgencyOwner), is_ours: true, is_of_client_one: true, is_guest: false };
        let mut for_owner = more.clone();
        for_owner.extend([format!("/numbers/{}", planted[1].1), format!("/agents/{agent}")]);
        let shown = everything(&agency.owner, &owner, &ids, &for_owner).await;
        for marker in hidden.iter().filter(|marker| *marker != "4,321.98") {
            assert!(shown.iter().any(|(_, text)| text.contains(marker)), "the owner reads {marker} nowhere");
        }
        let mut wrong = Vec::new();
        for (name, browser, role) in [
            ("the client's admin", &agency.one.admin, Role::ClientAdmin),
            ("the client's viewer", &agency.one.viewer, Role::ClientViewer),
        ] {
            let who = Who { role: Some(role), ..owner };
            for (door, text) in everything(browser, &who, &ids, &more).await {
                for marker in hidden.iter().filter(|marker| text.contains(*marker)) {
                    wrong.push(format!("{door}: {name} reads {marker}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} leaks:\n{}", wrong.len(), wrong.join("\n"));
        // A search for the key's name finds nothing either, and one for the person does.
        for (words, is_found) in [("Canary Sync", false), ("with the key", false), ("Olga Owner", true)] {
            let found = agency.one.admin.done("list_audit_events", &[("query[actor]", words)]).await.json();
            assert_eq!(
                found["page"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()),
                is_found,
                "{words}: {found}"
            );
        }
        // The client that somebody left reads that they left.
        let left = agency.two.admin.done("list_audit_events", &[("query[record]", &came)]).await.json();
        assert_eq!(left["page"]["rows"][0]["action"], "left the client", "{left}");
        assert!(!left.to_string().contains(&agency.one.id), "and not where to: {left}");
        // What stands in its place tells them enough.
        let batch = agency.one.viewer.done("get_batch", &[("id", &planted[0].1)]).await.json();
        assert!(batch["pause_reason"].as_str().is_some_and(|why| why.contains("The agency sees why")), "{batch}");
        let call = agency.one.viewer.done("get_call", &[("id", &call)]).await.json();
        assert_eq!(call["error"], patchbay_access::withheld::CALL_TROUBLE, "{call}");
    });
}

#[test]
fn what_a_client_may_read_once_the_agency_shares_it() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "shared-fields").await;
        plant(world, &agency, &works).await;
        let page = format!("/clients/{}/settings", agency.one.id);
        let all = [
            ("shares_cost", "true"),
            ("shares_recordings", "true"),
            ("shares_steps", "true"),
            ("shares_prompts", "true"),
        ];
        agency.owner.filled(&page, "save_client", &all).await;
        let call = agency.one.viewer.done("get_call", &[("id", &works.call)]).await.text;
        for marker in ["777.13", "98765.4", "canary_tool"] {
            assert!(call.contains(marker), "{marker} is shared: {call}");
        }
        for marker in ["Canary call error", "canary-provider-id", "canary end", "canary/model", "canary-event"] {
            assert!(!call.contains(marker), "{marker} never is");
        }
    });
}

#[test]
fn the_documentation_lists_every_withheld_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/withheld.md");
    let mut wanted = "# What a client's people do not read\n\n\
        Printed from `src/access/withheld.rs`, where each field is decided once, for pages, downloads, the API and the audit log. After a change\n\
        there: `PATCHBAY_PRINT=1 cargo test --features ssr --test it withheld`. Whoever belongs to the agency reads all of it.\n\n\
        | what | where it lies | a client's people read it | in its place |\n|---|---|---|---|\n"
        .to_owned();
    for field in Field::ALL {
        wanted += &format!("| {field:?} | {} | {} | {} |\n", field.columns(), field.shown().text(), field.instead());
    }
    wanted += "\nOf the audit log a client's admin reads events about their client: who, when, what, and of before and after the fields that\n\
        `audit_shows` names for the kind of thing. What it does not name is withheld, so a new field is, too.\n";
    if std::env::var_os("PATCHBAY_PRINT").is_some() {
        std::fs::write(path, &wanted).expect("docs/withheld.md");
    }
    let printed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(printed, wanted, "docs/withheld.md is out of date: its head says how to print it");
}
