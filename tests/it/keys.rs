//! Keys that seal: everything moves under the first one, beside a running product, and nothing that is sealed is forgotten.

use std::collections::BTreeSet;

use patchbay::boot::config::Options;
use patchbay::boot::{cli, keys};
use patchbay_access::server::Db;
use patchbay_providers::sealed::KeyRing;

use super::support::{Agency, World, owner_lines, run, run_changed, unique};

/// Columns whose names look as if something sealed stood in them.
const NOT_SEALED: [&str; 4] = [
    // Digests and public parts.
    "api_keys.key_hash",
    "users.password_hash",
    // Proofs that stand in a public name server.
    "workspace_hosts.token",
    // The last letters, for people.
    "provider_connections.credentials_hint",
];

async fn columns(world: &World) -> Vec<String> {
    let sql = "select c.table_name || '.' || c.column_name from information_schema.columns c
               join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
               where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type in ('text', 'character', 'jsonb') order by 1";
    owner_lines(world, sql).await
}

/// What is sealed in an agency that has one of much.
async fn sealed(world: &World, agency: &Agency) {
    agency.connect(world).await;
    let owner = &agency.owner;
    let id = owner.made("create_integration", &[("kind", "slack"), ("name", "Team"), ("mode", "sandbox")]).await;
    owner.done("connect_slack", &[("id", &id), ("token", &format!("sandbox-{}", unique("slack")))]).await;
    let one = &agency.one.id;
    let id = owner
        .made("create_integration", &[("kind", "custom_api"), ("name", "Own"), ("client", one), ("mode", "live")])
        .await;
    owner.done("make_integration_secret", &[("id", &id), ("kind", "incoming")]).await;
}

#[test]
fn no_sealed_column_is_forgotten() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "sealed").await;
        sealed(world, &agency).await;
        super::schedules::kept(&agency, &works).await;
        let known: BTreeSet<&str> = keys::places().collect();
        let (mut found, mut missing) = (BTreeSet::new(), Vec::new());
        for column in columns(world).await {
            let (table, name) = column.split_once('.').expect("a column");
            // As they begin: version and the first byte of the time.
            let sql = format!(
                "select '{column}' where exists (select from {table} where \"{name}\"::text ~ '(^|\")gAAAAA[A-Za-z0-9_=-]{{60,}}')"
            );
            let holds_some = !owner_lines(world, &sql).await.is_empty();
            let sounds = ["secret", "sealed", "encrypted", "credential", "password", "token", "verifier"];
            // A sealed text is never a number, a name, or an object of its own.
            let sounds_so =
                sounds.iter().any(|word| name.contains(word)) && !name.ends_with("_type") && !name.ends_with("tokens");
            if holds_some {
                found.insert(column.clone());
            }
            let is_known = known.contains(column.as_str()) || NOT_SEALED.contains(&column.as_str());
            if (holds_some || sounds_so) && !is_known && column != "passkeys.credential" {
                missing.push(column);
            }
        }
        assert_eq!(missing, Vec::<String>::new(), "src/boot/keys.rs does not know what is sealed there");
        for certain in
            ["provider_connections.sealed_credentials", "user_tokens.encrypted_token_data", "agent_triggers.secret"]
        {
            assert!(found.contains(certain), "{certain} holds something in this test: {found:?}");
        }
        let all: BTreeSet<String> = columns(world).await.into_iter().collect();
        let gone: Vec<&str> = known.into_iter().filter(|place| !all.contains(*place)).collect();
        assert_eq!(gone, Vec::<&str>::new(), "no such column");
    });
}

/// The same database as a process with these keys has it.
async fn opened(world: &World, keys: &str) -> Db {
    let options = Options {
        database_url: Some(world.owner_url.replace("patchbay_owner@", "patchbay_app@")),
        data_dir: Some(std::env::temp_dir().join(unique("patchbay-keys"))),
        db_connections: Some(4),
        second_factor: Some("optional".into()),
        sandbox_url: Some(world.sandbox_base.clone()),
        keys: Some(keys.to_owned()),
        ..Options::default()
    };
    let app = cli::App::open(&options.resolve().expect("a configuration")).await.expect("the database");
    let db = app.db.clone();
    std::mem::forget(app);
    db
}

#[test]
fn everything_moves_under_the_first_key() {
    let (old, new) = (KeyRing::generate_key(), KeyRing::generate_key());
    let (old, new) = (old.expose().clone(), new.expose().clone());
    let first = old.clone();
    run_changed(
        |options| options.keys = Some(first),
        |world| async move {
            let agency = Agency::new(&world, "rotation").await;
            sealed(&world, &agency).await;
            let before = keys::held(&world.db).await.expect("counted");
            let id = world.db.services().ring.ids()[0].to_owned();
            let all = before.of(Some(&id));
            assert!(all >= 4 && before.said().is_ok(), "{before:?}");

            // Without the old key doctor says what is missing, and where.
            let blind = opened(&world, &new).await;
            let missing = keys::held(&blind).await.expect("counted");
            let why = missing.said().expect_err("values that nobody opens");
            assert!(why.contains("user_tokens.encrypted_token_data") && why.contains("PATCHBAY_KEYS"), "{why}");
            let rotated = keys::move_all(&blind, Some(&world.owner_url), |_, _| {}).await.expect("it goes on");
            assert_eq!(rotated.moved, 0, "what cannot be read is left as it is");

            // Both keys, the new one first. A second run finds nothing to do.
            let both = opened(&world, &format!("{new},{old}")).await;
            let rotated = keys::move_all(&both, Some(&world.owner_url), |_, _| {}).await.expect("moved");
            assert!(rotated.moved >= all && rotated.left == 0, "{rotated:?}");
            let held = keys::held(&both).await.expect("counted");
            let ids = both.services().ring.ids();
            assert!(held.of(Some(ids[0])) >= all && held.of(Some(ids[1])) == 0, "{held:?}");
            let again = keys::move_all(&both, Some(&world.owner_url), |_, _| {}).await.expect("moved");
            assert_eq!((again.moved, again.left), (0, 0));
            let named = owner_lines(&world, "select distinct key_id from user_tokens").await;
            assert_eq!(named, [ids[0].to_owned()], "the row names its key");

            // The old key may go: what was sealed opens with the new one alone.
            let alone = opened(&world, &new).await;
            assert!(keys::held(&alone).await.expect("counted").said().is_ok());
            let told = owner_lines(&world, "select action from audit_events where entity = 'secrets'").await;
            assert_eq!(told, ["sealed anew"]);
        },
    );
}
