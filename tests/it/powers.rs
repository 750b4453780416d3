//! Who may act without a person, and who may look over tenants: lists of files with a reason each. A new place fails here until somebody
//! has read it; an entry that is no longer true fails too.

use std::collections::BTreeSet;

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_jobs::lease::Claim;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{Job, Registry};
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;
use serde::{Deserialize, Serialize};

use super::support::agency::TESTS;
use super::support::{Agency, owner_lines, owner_value, run, sources};

/// Who makes scopes of machines, and why.
const MACHINES: &[(&str, &str, &str)] = &[
    ("src/access/server/visitor.rs", "of_machine", "ends support sessions; reads whose client somebody belongs to"),
    ("src/access/server/visitor.rs", "of_link", "ends support sessions for the admin who opened them"),
    ("src/audit/server/anchors.rs", "of_upkeep", "seals and prunes every agency's audit log, by the clock"),
    ("src/boot/cli.rs", "of_operator", "whoever has the installation makes an agency"),
    ("src/boot/demo/people.rs", "of_operator", "makes the demo's agencies"),
    ("src/boot/doctor.rs", "of_operator", "checks every agency's audit log"),
    ("src/boot/keys.rs", "of_operator", "moves every agency's secrets under the first key"),
    ("src/brand/server/hosts.rs", "of_upkeep", "lets host names go whose proof is gone, also another agency's"),
    ("src/contacts/server/leftovers.rs", "of_upkeep", "ends imports that nobody goes on with, by the clock"),
    (
        "src/history/server/jobs.rs",
        "of_upkeep",
        "has every agency's calls compared with its voice service, by the clock",
    ),
    ("src/execution/server/leftovers.rs", "of_upkeep", "takes away what lost workers left at targets, by the clock"),
    ("src/inbound_webhooks/server/ingest.rs", "of_unverified_webhook", "opens the connection that a sender names"),
    ("src/inbound_webhooks/server/intake.rs", "of_webhook", "stores events of senders whose signature was right"),
    (
        "src/integrations/server/carriers/reports.rs",
        "of_integration",
        "takes reports of calls from carriers whose signature was right",
    ),
    (
        "src/integrations/server/intake.rs",
        "of_integration",
        "takes contacts from clients' systems whose signature or key was right",
    ),
    (
        "src/integrations/server/notices.rs",
        "of_integration",
        "writes down what HubSpot tells of its records, once its signature was right",
    ),
    ("src/jobs/runner.rs", "of_job", "works jobs and queues through"),
    ("src/members/server/invitations.rs", "of_link", "whoever accepts an invitation has no account yet"),
    ("src/metering/server/days.rs", "of_operator", "counts every day anew"),
    ("src/metering/server/days.rs", "of_upkeep", "counts the days that calls touched, also where nobody acts"),
    ("src/numbers/server/look.rs", "of_upkeep", "has every agency's carrier asked where numbers go, by the clock"),
    ("src/queues/server/sweep.rs", "of_upkeep", "finds work that was lost, by the clock"),
    ("src/sign_in/server/own.rs", "of_link", "whoever signs in, or is refused, has no scope yet"),
    ("src/sign_in/server/own.rs", "of_operator", "whoever has the installation sets passwords"),
    ("src/schedules/server/door.rs", "of_trigger", "begins runs for senders whose signature was right"),
    ("src/telephone/server/answer.rs", "of_incoming_call", "answers calls of a carrier whose signature was right"),
    ("src/telephone/server/door.rs", "of_integration", "opens the account at a carrier that a sender names"),
    ("src/telephone/server/door.rs", "of_unverified_webhook", "opens the connection that a carrier names"),
    ("src/text_messages/server/door.rs", "of_integration", "takes in messages of carriers whose signature was right"),
    ("src/tools/server/live.rs", "of_live_call", "uses tools on a call whose token was right"),
    ("src/sign_in/server/resets.rs", "of_link", "whoever forgot their password cannot sign in"),
    ("src/webhooks/server/attempt.rs", "of_upkeep", "sends what waits in the queue of deliveries, by nobody's request"),
];

/// Who opens transactions over what spans tenants (`SystemTx`, or `span` inside a tenant's), and why.
const SPANNING: &[(&str, &str)] = &[
    ("src/access/server/audit.rs", "the platform's log belongs to no agency"),
    ("src/access/server/downloads.rs", "files of the platform's own lists"),
    ("src/access/server/session.rs", "sessions belong to people, also to those of no workspace"),
    ("src/access/server/visitor.rs", "who is asking is looked up before it is known where they belong"),
    (
        "src/api_keys/server/store.rs",
        "a key is looked up by its hash before it is known whose it is; hours are counted for all",
    ),
    ("src/audit/server/anchors.rs", "the list of workspaces, for upkeep"),
    ("src/audit/server/platform.rs", "the platform's log belongs to no agency"),
    ("src/boot/demo.rs", "whether the installation is empty"),
    ("src/boot/doctor.rs", "the database's clock and the list of workspaces"),
    ("src/boot/keys.rs", "the list of workspaces, and second factors of people of no agency"),
    ("src/brand/server/store.rs", "whose host name a request came to; every proved name, for upkeep"),
    ("src/contacts/server/store/leftovers.rs", "the list of workspaces, for upkeep"),
    ("src/execution/server/store/sweeping.rs", "which agencies had jobs, for upkeep"),
    ("src/history/server/jobs.rs", "which agencies' calls are to be compared with the voice service now"),
    ("src/jobs/ends.rs", "writes down what is done, over every workspace"),
    ("src/jobs/live.rs", "notices of every workspace"),
    ("src/jobs/queue.rs", "finished jobs of every workspace are removed"),
    ("src/jobs/runner.rs", "claims and leases over every workspace"),
    ("src/metering/server/store/touches.rs", "the list of workspaces, and those with days to count"),
    ("src/numbers/server/look.rs", "which agencies' numbers are to be looked at now"),
    ("src/platform/server/guard.rs", "platform admins see the list of workspaces"),
    ("src/platform/server/ops.rs", "platform admins belong to no workspace; plans span them"),
    ("src/queues/server/store.rs", "the list of workspaces, for upkeep"),
    ("src/sign_in/server/by_passkey.rs", "a passkey is looked up before it is known whose it is"),
    ("src/sign_in/server/mod.rs", "an address is looked up before it is known where it belongs"),
    ("src/sign_in/server/own.rs", "whose account it is, also of platform admins"),
    ("src/sign_in/server/passkeys.rs", "own passkeys, also of platform admins"),
    ("src/sign_in/server/resets.rs", "links for new passwords, of people who are not signed in"),
    ("src/sign_in/server/second_factor.rs", "own second factor, also of platform admins"),
    ("src/sign_in/server/sessions.rs", "own sessions, also of platform admins"),
    ("src/users/proof.rs", "own password, also of platform admins"),
    ("src/users/throttle.rs", "tries are counted by address, whoever it belongs to"),
    ("src/webhooks/server/store/queue.rs", "claims and leases of deliveries over every workspace"),
    ("src/workspaces/server/store.rs", "the demo asks whether an agency is there"),
];

/// The code of a file: without comments, and without its own tests.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.starts_with("mod tests {"));
    lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn scopes_of_machines_are_made_in_known_places() {
    let maker = "src/access/server/machines.rs";
    let text = sources("src", ".rs").into_iter().find(|(path, _)| path == maker).expect(maker).1;
    let makers: Vec<String> = text
        .match_indices("fn of_")
        .map(|(at, _)| text[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect();
    assert_eq!(makers.len(), 11, "{makers:?}");
    let mut found = BTreeSet::new();
    for (path, text) in sources("src", ".rs").into_iter().filter(|(path, _)| path != maker) {
        let code = code(&text);
        found.extend(
            makers.iter().filter(|name| code.contains(&format!("::{name}("))).map(|name| (path.clone(), name.clone())),
        );
        // By another name, or as a function to be called elsewhere, it would not be found.
        for name in &makers {
            let (named, called) =
                (code.matches(&format!("::{name}")).count(), code.matches(&format!("::{name}(")).count());
            let longer = makers.iter().filter(|other| other.starts_with(name.as_str()) && *other != name);
            let longer: usize = longer.map(|other| code.matches(&format!("::{other}")).count()).sum();
            assert_eq!(named - longer, called, "{path}: {name} is named and not called");
        }
        assert!(
            path.starts_with("src/access/server/") || !code.contains("ActorKind"),
            "{path} makes an actor of its own"
        );
    }
    let known: BTreeSet<_> = MACHINES.iter().map(|(path, name, _)| (path.to_string(), name.to_string())).collect();
    assert_eq!(known.difference(&found).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "no longer true");
    assert_eq!(
        found.difference(&known).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new(),
        "read it, then add it with a reason"
    );
}

#[test]
fn connections_alone_open_the_accounts_at_outside_services() {
    let opens = |text: &str| {
        let code = code(text);
        ["read", "write"].iter().any(|way| code.contains(&format!(".{way}(Action::UseConnections)")))
    };
    let places: Vec<String> =
        sources("src", ".rs").into_iter().filter(|(_, text)| opens(text)).map(|(path, _)| path).collect();
    let known = ["ops", "telephony", "trunks"].map(|name| format!("src/connections/server/{name}.rs"));
    assert_eq!(places, known);
}

#[test]
fn what_spans_tenants_is_opened_in_known_places() {
    let mut found = BTreeSet::new();
    for (path, text) in sources("src", ".rs") {
        let code = code(&text);
        if code.contains("SystemTx::open") || code.contains(".span(\"") {
            found.insert(path.clone());
        }
        assert!(!code.contains("SystemTx as") && !code.contains("= SystemTx;"), "{path} gives SystemTx another name");
        let setting = code.contains("app.system");
        let walls = ["src/access/server/system.rs", "src/access/server/tx.rs"].contains(&path.as_str());
        assert!(!setting || walls, "{path} opens what spans tenants by itself");
    }
    let known: BTreeSet<_> = SPANNING.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(known.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new(), "no longer true");
    assert_eq!(
        found.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "read it, then add it with a reason"
    );
}

#[test]
fn the_runners_key_is_the_runners() {
    let manifests = sources("src", "Cargo.toml").into_iter().filter(|(_, text)| text.contains("patchbay-runner-key"));
    let names: Vec<String> = manifests.map(|(path, _)| path).collect();
    assert_eq!(names, ["src/access/Cargo.toml", "src/jobs/Cargo.toml", "src/runner_key/Cargo.toml"]);
    let root = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("the manifest");
    let own = root.split("[package]").nth(1).expect("the product's own part");
    assert!(!own.contains("patchbay-runner-key"), "the product makes no jobs' scopes");
    for (path, text) in sources("src", ".rs").into_iter().filter(|(path, _)| !path.starts_with("src/runner_key/")) {
        let may = ["src/access/server/machines.rs", "src/jobs/runner.rs"].contains(&path.as_str());
        let code = code(&text);
        assert!(may || !code.contains("RunnerKey"), "{path} names the runner's key");
        let public = code.lines().find(|line| line.trim_start().starts_with("pub") && line.contains("RunnerKey"));
        // It is asked for, and not handed on.
        assert!(public.is_none_or(|line| line.contains("fn of_job(_: &RunnerKey")), "{path}: {public:?}");
    }
}

/// Declares that it reads calls, and tries to change people.
#[derive(Serialize, Deserialize)]
struct Overreach;

impl Job for Overreach {
    const KIND: &'static str = "test_overreach";
    const ACTIONS: &'static [Action] = &[Action::ReadCalls];
}

#[test]
fn a_job_does_nothing_that_it_does_not_declare() {
    run(|world| async move {
        let agency = Agency::new(world, "Overreach").await;
        let workspace_id: WorkspaceId = agency.workspace_id.parse().expect("an id");
        // Held already, so that the installation's own workers leave it to this test.
        let id = owner_value::<uuid::Uuid>(
            world,
            &format!(
                "insert into jobs (id, workspace_id, kind, payload, status, attempts, lease_owner, lease_until)
                 values (gen_random_uuid(), '{workspace_id}', 'test_overreach', 'null', 'processing', 1, gen_random_uuid(), now() + interval '1 hour')
                 returning id"
            ),
        )
        .await;
        let mut registry = Registry::default();
        registry.add(|scope: Scope, _: Overreach| async move {
            drop(scope.read(Action::ReadCalls).await?);
            assert_eq!(scope.read(Action::ReadContacts).await.err(), Some(AppError::Forbidden));
            let mut tx = scope.write(Action::ManageMembers).await?;
            sqlx::query("update users set name = 'Mallory' where workspace_id = $1")
                .bind(tx.workspace_uuid())
                .execute(tx.conn())
                .await?;
            tx.commit().await?;
            Ok(Verdict::Done)
        });
        let claim = Claim { id, workspace_id, owner: uuid::Uuid::now_v7(), attempt: 1, max_attempts: 1 };
        let ended = (registry.queue(1).handler)(world.db.clone(), claim).await;
        let Err(Failure { error, .. }) = ended else { panic!("the job came through: {ended:?}") };
        assert_eq!(error, AppError::Forbidden.to_string());
        let named = owner_lines(world, &format!("select name from users where workspace_id = '{workspace_id}'")).await;
        assert!(!named.contains(&"Mallory".to_owned()), "{named:?}");
        owner_lines(world, &format!("delete from jobs where id = '{id}' returning kind")).await;
    });
}

#[test]
fn a_machine_may_what_it_declares_and_nothing_else() {
    run(|world| async move {
        let id = WorkspaceId::new();
        let declared = |scope: &Scope| Action::ALL.iter().copied().filter(|one| scope.may(*one)).collect::<Vec<_>>();
        let stranger = Scope::of_unverified_webhook(world.db.clone(), id, "ultravox");
        assert_eq!(declared(&stranger), [Action::UseConnections]);
        assert_eq!(stranger.write(Action::ReplayQueues).await.err(), Some(AppError::Forbidden));
        let known = Scope::of_webhook(world.db.clone(), id, "ultravox");
        assert_eq!(declared(&known), [Action::ReplayQueues]);
        assert_eq!(known.read(Action::UseConnections).await.err(), Some(AppError::Forbidden));
        let nothing = Machine { name: "test", actions: &[] };
        assert!(declared(&Scope::of_upkeep(world.db.clone(), id, nothing)).is_empty());
        assert_eq!(declared(&Scope::of_operator(world.db.clone(), id, TESTS)), TESTS.actions);
    });
}
