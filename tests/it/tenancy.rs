//! Two agencies, two clients in each, every role: nobody sees or changes what is not theirs, through any door.
//!
//! Answers for what belongs to others are the same, byte by byte, as for what does not exist.

use patchbay_access::Role;
use reqwest::Method;
use reqwest::header::{ACCEPT, ORIGIN};

use super::access_matrix::{Asks, FUNCTIONS, PAGES, ROUTES, Wanted, WebhookSender, Who, wanted};
use super::schema::tenant_tables;
use super::support::{Agency, Answer, Browser, Works, World, agency, owner_value, run, unique};

/// Somebody at a door.
struct Caller<'a> {
    name: &'static str,
    browser: &'a Browser,
    who: Who,
}

/// Puts ids into a door's fields.
pub fn filled(door: &WebhookSender, ids: &[(&'static str, String)]) -> Vec<(String, String)> {
    let fill = |value: &str| {
        let known =
            ids.iter().find(|(name, _)| value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) == Some(name));
        known.map_or_else(|| value.to_owned(), |(_, id)| id.clone())
    };
    door.fields.iter().map(|(name, value)| ((*name).to_owned(), fill(value))).collect()
}

/// Goes to a door.
pub async fn knock(browser: &Browser, door: &WebhookSender, ids: &[(&'static str, String)]) -> Answer {
    let fields = filled(door, ids);
    let path = match door.name.split_once(' ') {
        None if !door.name.starts_with('/') => {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            return browser.rpc(door.name, &fields).await;
        }
        Some((_, path)) => path,
        None => door.name,
    };
    let (mut path, mut rest) = (path.to_owned(), Vec::new());
    for (name, value) in fields {
        let place = format!("{{{name}}}");
        if path.contains(&place) {
            path = path.replace(&place, &value);
        } else {
            rest.push((name, value));
        }
    }
    let request = browser.raw(Method::GET, &path).query(&rest).header(ACCEPT, "text/html");
    if door.name == "GET /events" {
        // A stream never ends by itself: its head is the answer.
        let answer = request.send().await.expect("an answer");
        return Answer { status: answer.status().as_u16(), text: String::new(), location: None };
    }
    Browser::answer(request).await
}

/// A fingerprint of everything that the agency has, queues and sessions left out: they live on by themselves.
async fn fingerprint(world: &World, workspace: &str) -> String {
    // Heads of the audit log are sealed by the clock, and move with every row.
    let own = |table: &String| !["audit_anchors", "audit_heads"].contains(&table.as_str());
    let tables: Vec<String> = tenant_tables().into_iter().filter(own).collect();
    let parts: Vec<String> = tables
        .iter()
        .map(|table| {
            // Whoever saves a file leaves a row, which is no change.
            let only = if table == "audit_events" { "and kind is distinct from 'happened'" } else { "" };
            format!("select '{table}' as name, md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) as sum from {table} t where workspace_id = '{workspace}' {only}")
        })
        .chain([
            format!("select 'workspaces', md5(string_agg(t::text, '')) from workspaces t where id = '{workspace}'"),
            format!("select 'users', md5(string_agg(t::text, '' order by id)) from users t where workspace_id = '{workspace}'"),
        ])
        .collect();
    let sql = format!(
        "select string_agg(name || ' ' || coalesce(sum, ''), E'\\n' order by name) from ({}) s",
        parts.join(" union all ")
    );
    owner_value(world, &sql).await
}

struct Stage {
    ours: Agency,
    /// Its account at the stand-ins.
    key: String,
    ids: Vec<(&'static str, String)>,
    theirs: Agency,
    platform: Browser,
    guest: Browser,
    stranger: Browser,
}

impl Stage {
    /// An agency that has worked, another one, and a platform admin.
    async fn set(world: &World) -> Self {
        let (ours, works) = Agency::worked(world, "ours").await;
        let theirs = Agency::new(world, "theirs").await;
        tokio::join!(ours.gather(), theirs.gather());
        theirs.connect(world).await;
        let email = format!("{}@platform.example", unique("root"));
        patchbay_platform::server::ops::create_admin(&world.db, "Root", &email, agency::PASSWORD)
            .await
            .expect("an admin");
        let platform = Browser::signed_in(world, &email).await;
        let guest = Browser::signed_in(world, &email).await;
        guest
            .filled(&format!("/platform/{}", ours.workspace_id), "open_support_session", &[("reason", "Looking")])
            .await;
        let stranger = Browser::signed_in(world, &email).await;
        stranger
            .filled(&format!("/platform/{}", theirs.workspace_id), "open_support_session", &[("reason", "Looking")])
            .await;
        let key = works.key.clone();
        let ids = ids(world, &ours, works).await;
        // Tests of the days have those of every agency counted, and a count is a change.
        patchbay_metering::server::days::keep_all(&world.db).await.expect("the days are counted");
        Self { ours, key, ids, theirs, platform, guest, stranger }
    }

    fn callers<'a>(&'a self, nobody: &'a Browser) -> Vec<Caller<'a>> {
        let caller = |name, browser, role, is_ours, is_of_client_one| Caller {
            name,
            browser,
            who: Who { role, is_ours, is_of_client_one, is_guest: false },
        };
        let guest = |name, browser, is_ours| Caller { name, browser, who: Who::guest(is_ours) };
        let (ours, theirs) = (&self.ours, &self.theirs);
        vec![
            caller("nobody", nobody, None, false, false),
            caller("our owner", &ours.owner, Some(Role::AgencyOwner), true, true),
            caller("our admin", &ours.admin, Some(Role::AgencyAdmin), true, true),
            caller("our member", &ours.member, Some(Role::AgencyMember), true, true),
            caller("client one's admin", &ours.one.admin, Some(Role::ClientAdmin), true, true),
            caller("client one's viewer", &ours.one.viewer, Some(Role::ClientViewer), true, true),
            caller("client two's admin", &ours.two.admin, Some(Role::ClientAdmin), true, false),
            caller("client two's viewer", &ours.two.viewer, Some(Role::ClientViewer), true, false),
            caller("the other agency's owner", &theirs.owner, Some(Role::AgencyOwner), false, false),
            caller("the other agency's client admin", &theirs.one.admin, Some(Role::ClientAdmin), false, false),
            caller("a platform admin", &self.platform, Some(Role::Admin), false, false),
            guest("a support session over us", &self.guest, true),
            guest("a support session over the other agency", &self.stranger, false),
        ]
    }

    /// Words that must not reach this caller.
    fn secrets(&self, caller: &Caller) -> Vec<&str> {
        let mut secrets = Vec::new();
        let is_client = caller.who.role.is_some_and(Role::is_client);
        if !caller.who.is_ours || is_client {
            secrets.push(self.ours.secret.as_str());
        }
        if !caller.who.is_ours || !caller.who.is_of_client_one {
            secrets.push(&self.ours.one.secret);
        }
        if !caller.who.is_ours && caller.who.role != Some(Role::Admin) {
            secrets.push(&self.ours.name);
        }
        secrets
    }
}

pub async fn ids(world: &World, ours: &Agency, works: Works) -> Vec<(&'static str, String)> {
    // First, because it has work done: what is started below must not have begun.
    let (collection, knowledge_file) = super::knowledge::filled(ours).await;
    // Work of an engine that was done, and some that waits for a person.
    let execution = super::execution_pages::kept(world, ours, &works).await;
    let error = super::runs::failure(world, ours, "A model did not answer.").await;
    // A call that the voice service has and we were never told of, and an import that has not begun yet.
    let gap = super::history::gap(world, ours, &works).await;
    let days = [("provider", "ultravox"), ("from", "2026-01-01"), ("to", "2026-01-02")];
    ours.owner.done("start_history_import", &days).await;
    let syncs = ours.owner.done("list_history_imports", &[("provider", "ultravox")]).await.json();
    let sync = syncs["rows"][0]["id"].as_str().expect("an import").to_owned();
    let models = ours.owner.done("get_models", &[]).await.json();
    let model_account = models["accounts"][0]["id"].as_str().expect("a model account").to_owned();
    // A call-back that waits for tomorrow.
    let members = ours.owner.done("list_campaign_contacts", &[("query[campaign]", &works.campaign)]).await.json();
    let member = members["rows"][0]["id"].as_str().expect("a contact of the campaign").to_owned();
    let tomorrow = (chrono::Utc::now() + chrono::Duration::days(1)).format("%Y-%m-%dT12:00").to_string();
    // Or the one that the contact has asked for in the call.
    let asked = ours.owner.done("list_call_backs", &[("query[client]", &ours.one.id)]).await.json();
    let call_back = match asked["rows"][0]["id"].as_str() {
        Some(asked) => asked.to_owned(),
        None => ours.owner.made("create_call_back", &[("member", &member), ("at", &tomorrow)]).await,
    };
    // A tool of the agent, and what it noted about the contact.
    let (tool, tool_use, memory) = super::tools::noted(world, ours, &works).await;
    let (test_case, suite_run) = super::evaluations::tested(ours, &works).await;
    let test_grid = super::test_grids::begun(ours, &works.agent).await;
    let (schedule, trigger) = super::schedules::kept(ours, &works).await;
    let (webhook_endpoint, delivery) = super::webhooks_pages::kept(ours).await;
    let [crm, crm_sync, crm_record, slack, slack_message, custom, carrier] =
        super::integrations_pages::kept(world, ours).await;
    let text_rule = super::text_messages::kept(ours).await;
    // A move of a prompt's label that waits for a second person.
    let prompt_move = super::prompts::asked_for(ours).await;
    // An agent that only the voice service knows, and the copy there of one of ours.
    let adoptable = super::agents::at_service(world, &works.key, "Reception").await;
    let page = ours.owner.done("get_agent", &[("id", &works.agent)]).await.json();
    let mapping = page["mappings"][0]["id"].as_str().expect("a copy").to_owned();
    let (skill, skill_import) = super::skills::filled(ours, &works.agent).await;
    let template = super::templates::made(ours, &works.agent).await;
    let [team, team_run, team_member, team_case] = super::teams_pages::kept(ours, &works).await;
    let viewer = ours.one.viewer.rpc("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
    let guest = [("emails", "guest@ours.example"), ("role", "client_viewer"), ("client", ours.one.id.as_str())];
    ours.owner.done("invite_members", &guest).await;
    let invitations = ours.owner.done("list_invitations", &[("status", "open")]).await.json();
    let invitation = invitations["rows"][0]["id"].as_str().expect("an invitation").to_owned();
    let terms = [("name", "Sync"), ("scopes[]", "calls:read"), ("rate_limit", "100"), ("days", "30")];
    ours.owner.done("create_api_key", &terms).await;
    let keys = ours.owner.done("list_api_keys", &[]).await.json();
    let key = keys["rows"][0]["id"].as_str().expect("a key").to_owned();
    let events = ours.one.admin.done("list_audit_events", &[("query[entity]", "")]).await.json();
    let event = events["page"]["rows"][0]["seq"].as_i64().expect("an event of client one").to_string();
    vec![
        ("collection", collection),
        ("error", error),
        ("knowledge_file", knowledge_file),
        ("page", format!("{}/tools/pages/hours", world.sandbox_base)),
        ("event", event),
        ("key", key),
        ("invitation", invitation),
        ("workspace", ours.workspace_id.clone()),
        ("client", ours.one.id.clone()),
        ("viewer", viewer),
        ("prompt", works.prompt),
        ("prompt_move", prompt_move),
        ("agent", works.agent),
        ("adoptable", adoptable),
        ("mapping", mapping),
        ("number", works.number),
        ("campaign", works.campaign),
        ("contact", works.contact),
        ("import", works.import),
        ("batch", works.batch),
        ("call", works.call),
        ("webhook", works.webhook),
        ("member", member),
        ("call_back", call_back),
        ("gap", gap),
        ("skill", skill),
        ("template", template),
        ("team", team),
        ("team_run", team_run),
        ("team_member", team_member),
        ("team_case", team_case),
        ("skill_import", skill_import),
        ("tool", tool),
        ("schedule", schedule),
        ("text_rule", text_rule),
        ("webhook_endpoint", webhook_endpoint),
        ("crm", crm),
        ("crm_sync", crm_sync),
        ("crm_record", crm_record),
        ("slack", slack),
        ("slack_message", slack_message),
        ("custom", custom),
        ("carrier", carrier),
        ("delivery", delivery),
        ("engine", execution.engine),
        ("target", execution.target),
        ("circuit", execution.circuit),
        ("execution_job", execution.job),
        ("artefact", execution.artefact),
        ("approval", execution.approval),
        ("trigger", trigger),
        ("test_case", test_case),
        ("suite_run", suite_run),
        ("test_grid", test_grid),
        ("tool_use", tool_use),
        ("memory", memory),
        ("sync", sync),
        ("model_account", model_account),
    ]
}

/// The same names with ids that exist nowhere.
fn nowhere(ids: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let id = |name: &str| if name == "event" { i64::MAX.to_string() } else { uuid::Uuid::now_v7().to_string() };
    ids.iter().map(|(name, _)| (*name, id(name))).collect()
}

#[test]
fn every_door_lets_everybody_in_as_far_as_the_table_says() {
    run(|world| async move {
        let stage = Stage::set(world).await;
        let (nobody, nowhere) = (Browser::new(world), nowhere(&stage.ids));
        let mut wrong = Vec::new();
        let mut before = fingerprint(world, &stage.ours.workspace_id).await;
        for door in FUNCTIONS.iter().chain(ROUTES) {
            for caller in stage.callers(&nobody) {
                let wanted = wanted(door, &caller.who);
                if wanted == Wanted::Skip {
                    continue;
                }
                let answer = knock(caller.browser, door, &stage.ids).await;
                let what = format!("{} for {}", door.name, caller.name);
                let fits = match wanted {
                    Wanted::Own => answer.status == 200,
                    Wanted::Status(status) => answer.status == status,
                    Wanted::Absent => matches!(answer.status, 404 | 422),
                    Wanted::Refused => matches!(answer.status, 403 | 404 | 409 | 422),
                    Wanted::Skip => true,
                };
                if !fits {
                    wrong.push(format!("{what}: {wanted:?}, got {} {:.300}", answer.status, answer.text));
                }
                if wanted == Wanted::Absent {
                    let absent = knock(caller.browser, door, &nowhere).await;
                    if (absent.status, &absent.text) != (answer.status, &answer.text) {
                        wrong.push(format!("{what} differs from what does not exist: {answer:?} and {absent:?}"));
                    }
                }
                if let Some(secret) = stage.secrets(&caller).into_iter().find(|secret| answer.text.contains(*secret)) {
                    wrong.push(format!("{what}: {secret} in {:.300}", answer.text));
                }
            }
            let after = fingerprint(world, &stage.ours.workspace_id).await;
            if after != before {
                let changed: Vec<&str> = after.lines().filter(|line| !before.contains(*line)).collect();
                wrong.push(format!("{} changed something for somebody who may not: {changed:?}", door.name));
                before = after;
            }
        }
        // The proof that the doors were asked rightly: to the owner they open, or they say what stands in the way.
        for door in FUNCTIONS.iter().filter(|door| door.changes && matches!(door.asks, Asks::May(_))) {
            let answer = knock(&stage.ours.owner, door, &stage.ids).await;
            if !matches!(answer.status, 200 | 409 | 422) || answer.text.contains("The form was not complete") {
                wrong.push(format!("{} for its owner: {} {}", door.name, answer.status, answer.text));
            }
        }
        assert!(wrong.is_empty(), "{} doors:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// An agency whose owner has gone through every door that changes something, its key at the stand-ins, and a platform admin in a support
/// session over it.
pub async fn walked(world: &World) -> (Agency, String, Browser) {
    let stage = Stage::set(world).await;
    let key = stage.key.clone();
    for door in FUNCTIONS.iter().filter(|door| door.changes && matches!(door.asks, Asks::May(_))) {
        knock(&stage.ours.owner, door, &stage.ids).await;
    }
    (stage.ours, key, stage.guest)
}

#[test]
fn every_page_shows_everybody_what_the_table_says() {
    run(|world| async move {
        let stage = Stage::set(world).await;
        let (nobody, nowhere) = (Browser::new(world), nowhere(&stage.ids));
        let mut wrong = Vec::new();
        for door in PAGES {
            for caller in stage.callers(&nobody) {
                let wanted = wanted(door, &caller.who);
                if wanted == Wanted::Skip {
                    continue;
                }
                let answer = knock(caller.browser, door, &stage.ids).await;
                let what = format!("{} for {}", door.name, caller.name);
                let fits = match wanted {
                    Wanted::Status(401) => answer.location.as_deref().is_some_and(|to| to.starts_with("/login?next=")),
                    Wanted::Own => answer.status == 200,
                    // Whoever may not open a page at all may as well hear that the thing is not there.
                    Wanted::Status(403) if !caller.who.is_ours => matches!(answer.status, 403 | 404),
                    Wanted::Status(status) => answer.status == status,
                    _ => answer.status == 404,
                };
                if !fits {
                    wrong.push(format!("{what}: {wanted:?}, got {} {:?}", answer.status, answer.location));
                }
                if wanted == Wanted::Absent {
                    let absent = knock(caller.browser, door, &nowhere).await;
                    if absent.status != answer.status {
                        wrong.push(format!("{what}: {}, and what does not exist {}", answer.status, absent.status));
                    }
                }
                if let Some(secret) = stage.secrets(&caller).into_iter().find(|secret| answer.text.contains(*secret)) {
                    wrong.push(format!("{what}: {secret} stands on the page"));
                }
                if answer.text.contains("not yours to see") && answer.status == 200 {
                    wrong.push(format!("{what}: an error with status 200"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} pages:\n{}", wrong.len(), wrong.join("\n"));
    });
}

#[test]
fn a_suspended_agency_reads_and_changes_nothing() {
    run(|world| async move {
        let stage = Stage::set(world).await;
        let fields = [("id", stage.ours.workspace_id.as_str()), ("status", "suspended"), ("reason", "Unpaid")];
        stage.platform.done("set_workspace_status", &fields).await;
        assert_eq!(stage.ours.owner.rpc("list_calls", &[]).await.status, 200);
        let before = fingerprint(world, &stage.ours.workspace_id).await;
        for door in FUNCTIONS
            .iter()
            .filter(|door| door.changes && matches!(door.asks, Asks::May(_)) && door.name != "save_profile")
        {
            let answer = knock(&stage.ours.owner, door, &stage.ids).await;
            assert!(matches!(answer.status, 409 | 422), "{}: {} {}", door.name, answer.status, answer.text);
        }
        assert_eq!(fingerprint(world, &stage.ours.workspace_id).await, before);
        // Platform admins may do this; nobody learns of the door otherwise.
        let request =
            stage.ours.owner.raw(Method::POST, "/rpc/set_workspace_status").header(ORIGIN, &world.base).form(&fields);
        assert_eq!(Browser::answer(request).await.status, 404);
    });
}
