//! Calls that agents give to a person: the carrier's stand-in rings them on a leg of its own and tells how it goes; how somebody takes the
//! ring is in the last digits of their number.

use chrono::{Days, Timelike, Utc};
use patchbay_sandbox::SandboxSettings;
use patchbay_shared::ids::{CallId, WorkspaceId};
use patchbay_tools::server::live;
use serde_json::{Value, json};

use super::inbound::{called, ring};
use super::support::agency::Works;
use super::support::{Agency, Answer, Browser, Workers, World, owner_lines, owner_value, run};
use super::tools::{added, knock};

/// Everybody whose number ends so picks up, does not, or is on the line.
const ANSWERS: &str = "+12025550013";
const SILENT: &str = "+12025550002";
const BUSY: &str = "+12025550001";
/// How often something is looked for that is on its way.
const LOOKS: usize = 3000;

async fn sql(world: &World, text: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&world.owner).await.expect("a statement");
}

/// How fast the stand-in's seconds pass for what begins from now on.
fn speed(world: &World, works: &Works, speed: f64) {
    let settings = (*world.sandbox.settings_for(&works.key)).clone();
    let settings = SandboxSettings { speed, ring_secs: [0.0, 0.0], ..settings };
    world.sandbox.set_settings(Some(&works.key), settings);
}

/// Works through all that is due, without waiting for calls to end.
async fn work(world: &World, agency: &Agency) {
    let Workers::Ours(runner) = &world.workers else { return };
    let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
    while runner.drain(workspace).await.expect("the queues") > 0 {}
}

/// Works until a statement gives something. The stand-in's events come by real requests, so it may be asked for some time.
async fn until(world: &World, agency: &Agency, sql: &str) -> String {
    for _ in 0..LOOKS {
        work(world, agency).await;
        if let Some(found) = owner_lines(world, sql).await.into_iter().next() {
            return found;
        }
    }
    panic!("it never comes: {sql}");
}

/// A call that goes on, with an agent that may give it to these people.
struct Live<'a> {
    world: &'a World,
    agency: Agency,
    works: Works,
    call: String,
    path: String,
    token: String,
}

impl Live<'_> {
    async fn ask(&self, destination: &str) -> Answer {
        self.ask_because(destination, "Asked for a person.").await
    }

    async fn ask_because(&self, destination: &str, reason: &str) -> Answer {
        let wanted = json!({"destination": destination, "reason": reason});
        knock(self.world, &self.path, Some(&self.token), None, &wanted).await
    }

    fn rung(&self) -> Vec<String> {
        self.world.sandbox.rung(&self.works.key)
    }

    /// Works until the rings of the call stand so.
    async fn until(&self, wanted: &str) {
        let sql = format!(
            "select 'yes' from (select string_agg(destination || ' ' || status, ', ' order by id) as all from call_transfers
               where call_id = '{}' and settled_at is not null and (answered_at is not null or status <> 'ended')) t where t.all = '{wanted}'",
            self.call
        );
        let state = format!(
            "select t.destination || ' ' || t.status || ' ' || coalesce(t.why, '') || ' ' || (t.settled_at is not null) from call_transfers t
               where t.call_id = '{0}' union all
             select j.kind || ' ' || j.status || ' ' || j.run_at || ' ' || coalesce(j.last_error, '') from jobs j
               where j.workspace_id = '{1}' and j.kind = 'follow_transfer'",
            self.call, self.agency.workspace_id
        );
        for _ in 0..LOOKS {
            work(self.world, &self.agency).await;
            if !owner_lines(self.world, &sql).await.is_empty() {
                return;
            }
        }
        panic!("{wanted}: {:?} {:?}", owner_lines(self.world, &state).await, self.rung());
    }

    async fn detail(&self) -> Value {
        self.agency.owner.done("get_call", &[("id", &self.call)]).await.json()
    }
}

fn tool_fields<'a>(people: &'a str, no_answer: &'a str) -> [(&'a str, &'a str); 3] {
    [("destinations", people), ("ring_seconds", "20"), ("no_answer", no_answer)]
}

/// The tool of the agent, and where it is asked for.
async fn give_tool(agency: &Agency, works: &Works, people: &str, no_answer: &str) -> String {
    let page = format!("/agents/{}/tools/new?kind=transfer", works.agent);
    let tool = added(agency, &page, &tool_fields(people, no_answer)).await;
    agency.drain().await;
    format!("/hooks/tools/{}/{tool}/transfer_call", agency.workspace_id)
}

fn token(world: &World, agency: &Agency, call: &str) -> String {
    let (workspace, call): (WorkspaceId, CallId) =
        (agency.workspace_id.parse().expect("an id"), call.parse().expect("an id"));
    live::token(world.db.services(), workspace, call).expect("a token").expose().clone()
}

/// Somebody has called in and talks with the agent.
async fn called_in<'a>(world: &'a World, name: &str, people: &str, no_answer: &str) -> Live<'a> {
    let (agency, works, phone) = called(world, name, &[]).await;
    let path = give_tool(&agency, &works, people, no_answer).await;
    // The talk takes minutes, what is rung from now on no time.
    speed(world, &works, 1.0);
    let rang = ring(world, &works, &phone, "+12025550199").await;
    assert!(rang.joined.is_some(), "{rang:?}");
    speed(world, &works, 20_000.0);
    let sql = format!(
        "select id::text from calls where workspace_id = '{}' and joined_at is not null and ended_at is null",
        agency.workspace_id
    );
    let call = until(world, &agency, &sql).await;
    let token = token(world, &agency, &call);
    Live { world, agency, works, call, path, token }
}

/// The agent has called somebody and talks with them.
async fn called_out<'a>(world: &'a World, name: &str, people: &str, no_answer: &str) -> Live<'a> {
    let (agency, works) = Agency::ready(world, name).await;
    let path = give_tool(&agency, &works, people, no_answer).await;
    speed(world, &works, 1.0);
    agency.batch(&works.campaign, 1).await;
    // The voice service dials; which leg the call is on, the carrier tells by itself.
    let sql = format!(
        "select c.id::text from calls c where c.workspace_id = '{}' and c.joined_at is not null and c.ended_at is null
           and exists (select from call_legs l where l.call_id = c.id and l.control is not null)",
        agency.workspace_id
    );
    let call = until(world, &agency, &sql).await;
    speed(world, &works, 20_000.0);
    let token = token(world, &agency, &call);
    Live { world, agency, works, call, path, token }
}

#[test]
fn whoever_answers_is_joined_with_the_caller_and_the_agent_leaves() {
    run(|world: &World| async move {
        let people = format!("Front desk | {ANSWERS} | Questions about opening hours");
        let live = called_out(world, "transferred", &people, "agent").await;
        // They talk for minutes.
        speed(world, &live.works, 1.0);
        let answer = live.ask("Front desk").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.text.starts_with("Front desk is being rung, for up to 20 seconds."), "{answer:?}");
        live.until("Front desk connected").await;
        assert_eq!(live.rung(), [ANSWERS]);
        assert!(world.sandbox.told(&live.works.key).is_empty(), "the agent has nothing to do any more");
        // The agent's side ends, and the person's goes on.
        let result = format!(
            "select result from calls where id = '{}' and ended_at is not null and result = 'answered'",
            live.call
        );
        until(world, &live.agency, &result).await;
        let detail = live.detail().await;
        assert_eq!(detail["transfers"][0]["status"], "connected", "{detail}");
        let leg = format!("select control from call_transfers where call_id = '{}'", live.call);
        let leg = until(world, &live.agency, &leg).await;
        // The carrier's word that somebody answered is lost, or comes when they were given up: it is asked, and they talk.
        let lost = format!(
            "update call_transfers set status = 'ringing', answered_at = null, settled_at = null, rung_at = now() - interval '2 minutes'
               where call_id = '{}';
             update jobs set run_at = now() where workspace_id = '{}' and kind = 'follow_transfer' and status = 'pending'",
            live.call, live.agency.workspace_id
        );
        sql(world, lost).await;
        live.until("Front desk connected").await;
        let hang_up = format!("{}/telnyx/v2/calls/{leg}/actions/hangup", world.sandbox_base);
        let hang_up = reqwest::Client::new().post(hang_up).bearer_auth(&live.works.key).json(&json!({}));
        assert_eq!(Browser::answer(hang_up).await.status, 200);
        live.until("Front desk ended").await;
        let detail = live.detail().await;
        let step = &detail["transfers"][0];
        assert_eq!((&step["destination"], &step["status"]), (&json!("Front desk"), &json!("ended")), "{step}");
        assert_eq!((&step["number"], &step["reason"]), (&json!(ANSWERS), &json!("Asked for a person.")), "{step}");
        assert!(step["talked_seconds"].is_i64() && step["rang_seconds"].is_i64(), "{step}");
        // What the person's leg cost is part of what the carrier takes for the call.
        let sql = format!("select 'yes' from calls where id = '{}' and carrier_cost > 0", live.call);
        until(world, &live.agency, &sql).await;
        let page = live.agency.owner.get(&format!("/calls/{}", live.call)).await.text;
        assert!(page.contains("Transferred to a person") && page.contains("answered after"), "{page}");
        for person in [&live.agency.one.admin, &live.agency.one.viewer] {
            let theirs = person.done("get_call", &[("id", &live.call)]).await;
            assert!(theirs.text.contains("Front desk") && !theirs.text.contains(ANSWERS), "{theirs:?}");
        }
        let two = live.agency.two.viewer.rpc("get_call", &[("id", &live.call)]).await;
        assert_eq!(two.status, 404, "{two:?}");
    });
}

#[test]
fn when_nobody_answers_the_agent_is_told_and_goes_on() {
    run(|world: &World| async move {
        // Where the agency is, it is another day than in Greenwich, and stays so for an hour at least.
        let now = Utc::now();
        let (zone, there) = match now.hour() {
            ..11 => ("Etc/GMT+12", now - Days::new(1)),
            _ => ("Pacific/Kiritimati", now + Days::new(1)),
        };
        let (open, closed) = (there.format("%a 00:00-24:00"), now.format("%a 00:00-24:00"));
        let people = format!("Front desk | {SILENT} | | {open}\nYard | {ANSWERS} | | {closed}");
        let live = called_in(world, "unanswered", &people, "agent").await;
        let workspace = &live.agency.workspace_id;
        sql(world, format!("update workspaces set timezone = '{zone}' where id = '{workspace}'")).await;
        let yard = live.ask("Yard").await;
        assert!(yard.status == 422 && yard.text.contains("not rung at this hour"), "{yard:?}");
        // The same request twice, as a service sends it that heard no answer, rings once.
        let both = futures::future::join(live.ask("Front desk"), live.ask("Front desk")).await;
        assert_eq!((both.0.status, both.1.status), (200, 200), "{both:?}");
        assert_eq!(both.0.text, both.1.text);
        live.until("Front desk not_answered").await;
        assert_eq!(live.rung(), [SILENT]);
        let told = world.sandbox.told(&live.works.key);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("Front desk was not reached. The caller is still with you"), "{told:?}");
        let detail = live.detail().await;
        assert_eq!(detail["state"], "live", "the caller is still with the agent: {detail}");
        assert_eq!(detail["transfers"][0]["why"], "Nobody answered.", "{detail}");
        let began = |ago: &str| {
            format!("update tool_invocations set created_at = now() - interval '{ago}' where call_id = '{}'", live.call)
        };
        sql(world, began("3 seconds")).await;
        let again = live.ask("Front desk").await;
        assert_eq!(again.text, both.0.text, "a late repetition rings nobody: {again:?}");
        assert_eq!(live.rung().len(), 1);
        // When the caller wants it once more, they are rung once more.
        sql(world, began("1 minute")).await;
        assert_eq!(live.ask("Front desk").await.status, 200);
        live.until("Front desk not_answered, Front desk not_answered").await;
        assert_eq!(live.rung().len(), 2);
    });
}

#[test]
fn the_next_one_of_the_list_is_rung_when_the_first_does_not_answer() {
    run(|world: &World| async move {
        let people = format!("Front desk | {BUSY}\nOwner | {ANSWERS}\nNobody | +12025550004");
        let live = called_in(world, "second", &people, "next").await;
        let answer = live.ask("Front desk").await;
        assert!(answer.text.starts_with("Front desk is being rung"), "{answer:?}");
        live.until("Front desk not_answered, Owner ended").await;
        assert_eq!(live.rung(), [BUSY, ANSWERS]);
        assert!(world.sandbox.told(&live.works.key).is_empty());
        let detail = live.detail().await;
        assert_eq!(detail["transfers"][0]["why"], "The line was busy.", "{detail}");
        // Everybody is rung once for one use, whoever asks again.
        let positions =
            format!("select position::text from call_transfers where call_id = '{}' order by id", live.call);
        assert_eq!(owner_lines(world, &positions).await, ["1", "2"]);
    });
}

#[test]
fn nobody_is_rung_whom_nobody_has_fixed_or_at_the_wrong_time_or_cost() {
    run(|world: &World| async move {
        // Never today, wherever the agency is.
        let later = Utc::now() + Days::new(3);
        let people = format!("Front desk | {ANSWERS}\nWeekly | {SILENT} | | {} 09:00-09:01", later.format("%a"));
        let live = called_in(world, "refused", &people, "agent").await;
        let own = live.ask("+12025550144").await;
        assert_eq!(own.status, 422, "{own:?}");
        let closed = live.ask("Weekly").await;
        assert!(closed.status == 422 && closed.text.contains("not rung at this hour"), "{closed:?}");
        // Another agency's call opens nothing here, and its own tool is not found for this one.
        let (other, others) = Agency::ready(world, "refused-other").await;
        let foreign = token(world, &other, &live.call);
        let wanted = json!({"destination": "Front desk", "reason": "x"});
        assert_eq!(knock(world, &live.path, Some(&foreign), None, &wanted).await.status, 401);
        let theirs = give_tool(&other, &others, &people, "agent").await;
        let crossed = theirs.replace(&other.workspace_id, &live.agency.workspace_id);
        assert_eq!(knock(world, &crossed, Some(&live.token), None, &wanted).await.status, 404);

        let client = &live.agency.one.id;
        let settings = format!("/clients/{client}/settings");
        let spent = [("monthly_budget", "0.01"), ("budget_action", "hold")];
        live.agency.owner.filled(&settings, "save_client", &spent).await;
        work(world, &live.agency).await;
        sql(world, format!("update client_spend set spent = 5 where client_id = '{client}'")).await;
        let refused = live.ask_because("Front desk", "Once.").await;
        assert!(refused.status == 422 && refused.text.contains("budget for this month is spent"), "{refused:?}");
        live.agency.owner.filled(&settings, "save_client", &[("monthly_budget", "")]).await;
        sql(world, format!("update clients set status = 'archived' where id = '{client}'")).await;
        let refused = live.ask_because("Front desk", "Twice.").await;
        assert!(refused.status == 422 && refused.text.contains("archived"), "{refused:?}");
        assert!(live.rung().is_empty() && world.sandbox.rung(&others.key).is_empty(), "nobody was rung");
        let none = format!("select id::text from call_transfers where call_id = '{}'", live.call);
        assert!(owner_lines(world, &none).await.is_empty());
    });
}

#[test]
fn a_ring_whose_process_was_killed_is_asked_for_once_or_given_up() {
    run(|world: &World| async move {
        let people = format!("Front desk | {ANSWERS}");
        let live = called_in(world, "killed-ring", &people, "agent").await;
        let workspace = &live.agency.workspace_id;
        // As the process left it that was killed before the carrier heard, or after.
        let left = |asked: &str| {
            format!(
                "with used as (insert into tool_invocations (workspace_id, id, agent_id, tool_id, tool_name, origin, call_id, dedupe_key, arguments)
                   select c.workspace_id, gen_random_uuid(), c.agent_id, t.id, 'transfer_call', 'call', c.id, gen_random_uuid()::text, '{{}}'
                   from calls c join agent_tools t on t.workspace_id = c.workspace_id and t.agent_id = c.agent_id
                   where c.id = '{call}' returning workspace_id, id, call_id),
                 ring as (insert into call_transfers (workspace_id, id, call_id, invocation_id, position, destination, number, \"from\",
                                                      ring_seconds, asked_at)
                   select used.workspace_id, gen_random_uuid(), used.call_id, used.id, 1, 'Front desk', '{ANSWERS}', c.\"to\", 20, {asked}
                   from used join calls c on c.id = used.call_id returning workspace_id, id),
                 job as (insert into jobs (id, workspace_id, kind, payload, dedupe_key)
                   select gen_random_uuid(), workspace_id, 'follow_transfer', jsonb_build_object('transfer', id, 'phase', 'ring'), id::text || ':Ring'
                   from ring)
                 select id::text from ring",
                call = live.call
            )
        };
        let late: String = owner_value(world, &left("now() - interval '2 minutes'")).await;
        let status = format!("select status from call_transfers where id = '{late}' and settled_at is not null");
        assert_eq!(until(world, &live.agency, &status).await, "failed", "nobody knows whether it rang");
        assert!(live.rung().is_empty(), "so nobody is rung for it again");
        let told = world.sandbox.told(&live.works.key);
        assert!(told.len() == 1 && told[0].contains("Front desk was not reached"), "{told:?}");

        let fresh: String = owner_value(world, &left("null")).await;
        let ended = format!(
            "select id::text from call_transfers where id = '{fresh}' and settled_at is not null and status = 'ended'"
        );
        until(world, &live.agency, &ended).await;
        // The job, come again, does nothing more.
        let again = format!(
            "update jobs set status = 'pending', run_at = now() where workspace_id = '{workspace}' and kind = 'follow_transfer'
               and payload ->> 'transfer' = '{fresh}' and status = 'completed' and dedupe_key like '%Ring'"
        );
        sql(world, again).await;
        work(world, &live.agency).await;
        assert_eq!(live.rung(), [ANSWERS]);
    });
}

#[test]
fn a_tool_names_people_in_lines_that_say_what_is_wrong_with_them() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "transfer-form").await;
        let form = format!("/agents/{}/tools/new?kind=transfer", works.agent);
        let shown = agency.owner.get(&form).await;
        assert!(shown.status == 200 && shown.text.contains("a cold transfer"), "what it does not do is said");
        for (lines, says) in [
            ("", "at least one line"),
            ("Front desk | 415 555 0100", "with + and the country code"),
            ("Front desk | +1 415", "too few digits"),
            ("Front desk | +1 000 000 0000", "can be dialled"),
            ("A | +14155550100\na | +14155550101", "there already"),
        ] {
            let refused = agency.owner.fill(&form, "save_agent_tool", &tool_fields(lines, "agent")).await;
            let why = refused.error_at("destinations").unwrap_or_else(|| panic!("{lines}: {refused:?}"));
            assert!(why.contains(says), "{lines}: {why}");
        }
        let seconds = [("destinations", "A | +14155550100"), ("ring_seconds", "5")];
        let refused = agency.owner.fill(&form, "save_agent_tool", &seconds).await;
        assert!(refused.error_at("ring_seconds").is_some(), "{refused:?}");
        let people = "Front desk | +1 (415) 555-0100 | Bookings | Mon–Fri, 9:00-17:00";
        let tool = added(&agency, &form, &tool_fields(people, "next")).await;
        let page = agency.owner.done("get_agent_tool", &[("agent", &works.agent), ("id", &tool)]).await.json();
        let kept = "Front desk | +14155550100 | Bookings | Mon–Fri, 09:00–17:00";
        assert_eq!(page["values"]["destinations"], kept, "{page}");
        // In a try nobody is rung.
        let given = [("arg_destination", "Front desk"), ("arg_reason", "Try")];
        let tried = super::tools::tried(&agency, &works.agent, &tool, &given).await;
        assert!(world.sandbox.rung(&works.key).is_empty(), "{tried}");
    });
}
