//! The audit log: every change is in it, in order and without gaps; whoever changes a row later is found out.

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_audit::server::{anchors, verify};
use patchbay_platform::server::ops::create_workspace;
use patchbay_shared::ids::WorkspaceId;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, Row};

use super::support::agency::{PASSWORD, TESTS};
use super::support::{Agency, World, owner_lines, owner_value, run, unique};

const TEST: Machine = Machine { name: "test", actions: &[Action::ReadAudit] };

/// Walks the agency's chain: `Ok(rows)` or the number of the first row that is wrong.
async fn walk(world: &World, agency: &Agency) -> Result<i64, i64> {
    let workspace = WorkspaceId(agency.workspace_id.parse().expect("an id"));
    let mut tx =
        Scope::of_operator(world.db.clone(), workspace, TEST).read(Action::ReadAudit).await.expect("a transaction");
    verify(&mut tx).await.expect("the audit log can be read")
}

/// The rows of the page that this person sees, newest first.
async fn rows(browser: &super::support::Browser) -> Vec<Value> {
    let answer = browser.done("list_audit_events", &[("query[entity]", "")]).await.json();
    answer["page"]["rows"].as_array().expect("rows").clone()
}

#[test]
fn every_change_is_written_down_with_who_and_what() {
    run(|world| async move {
        let agency = Agency::new(world, "audit_log").await;
        agency.gather().await;
        let before = walk(world, &agency).await.expect("an unbroken chain");
        let fields = [("name", "Renamed client"), ("timezone", "Asia/Kolkata"), ("monthly_budget", "12.5")];
        let page = format!("/clients/{}/settings", agency.one.id);
        agency.admin.filled(&page, "save_client", &fields).await;
        let newest = rows(&agency.owner).await.remove(0);
        assert_eq!(
            (newest["action"].as_str(), newest["entity"].as_str()),
            (Some("changed"), Some("client")),
            "{newest}"
        );
        assert_eq!(newest["entity_id"].as_str(), Some(agency.one.id.as_str()));
        assert!(
            newest["actor"].as_str().is_some_and(|actor| actor.contains("Petra Person") && actor.contains("Admin")),
            "{newest}"
        );
        assert_eq!(newest["ip"].as_str(), Some("127.0.0.1"));
        let changes = newest["changes"].to_string();
        assert!(changes.contains("UTC") && changes.contains("Asia/Kolkata"), "{newest}");
        // The budget has a line of its own, which is for the agency alone.
        assert_eq!(walk(world, &agency).await, Ok(before + 2));
        // A change that is refused leaves no row.
        let refused =
            agency.admin.rpc("save_client", &[("name", ""), ("timezone", "Mars/Base"), ("monthly_budget", "-1")]).await;
        assert_eq!(refused.status, 422);
        for field in ["name", "timezone", "monthly_budget"] {
            assert!(refused.error_at(field).is_some(), "no message at {field}: {refused:?}");
        }
        assert_eq!(walk(world, &agency).await, Ok(before + 2));
        // No password and no key ever stands in it.
        let secrets = owner_lines(
            world,
            &format!(
                "select seq::text from audit_events where workspace_id = '{}' and coalesce(before::text, '') || coalesce(after::text, '')
                 ~* 'heron|argon2|password_hash'",
                agency.workspace_id
            ),
        )
        .await;
        assert!(secrets.is_empty(), "{secrets:?}");
    });
}

#[test]
fn a_clients_admin_reads_that_clients_part_and_a_member_none() {
    run(|world| async move {
        let agency = Agency::new(world, "parts").await;
        agency.gather().await;
        let all = rows(&agency.owner).await;
        let own = rows(&agency.one.admin).await;
        assert!(!own.is_empty() && own.len() < all.len());
        let text = Value::from(own).to_string();
        assert!(text.contains(&agency.one.secret) && !text.contains(&agency.two.secret), "{text}");
        assert_eq!(agency.member.rpc("list_audit_events", &[("query[entity]", "")]).await.status, 403);
        assert_eq!(agency.one.viewer.rpc("list_audit_events", &[("query[entity]", "")]).await.status, 404);
        let file = agency.one.admin.get("/settings/audit.csv").await;
        assert_eq!(file.status, 200);
        assert!(file.text.contains(&agency.one.secret) && !file.text.contains(&agency.two.secret), "{}", file.text);
    });
}

#[test]
fn an_exported_cell_is_no_formula() {
    run(|world| async move {
        let agency = Agency::new(world, "formula").await;
        for (at, name) in ["=1+2", "@sum(a1)", "-1", "+1", "\t=1", "＝1", "x;=1"].into_iter().enumerate() {
            let fields =
                [("name", format!("{name} {at}")), ("timezone", "UTC".into()), ("monthly_budget", String::new())];
            let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
            agency.owner.filled("/clients/new", "save_client", &fields).await;
        }
        let fields = [("name", "=cmd|' /C calc'!A0"), ("timezone", "UTC")];
        agency.owner.filled("/settings/profile", "save_profile", &fields).await;
        let file = agency.owner.get("/settings/audit.csv").await;
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(file.text.as_bytes());
        let mut seen = 0;
        for record in reader.records() {
            for cell in record.expect("a row").iter() {
                assert!(
                    !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                    "a cell that a spreadsheet runs: {cell:?}"
                );
                seen += usize::from(cell.starts_with('\''));
            }
        }
        assert!(seen > 0, "the formula is in the file, made harmless: {}", file.text);
    });
}

#[test]
fn a_changed_row_a_missing_row_and_a_cut_end_are_found() {
    run(|world| async move {
        let agency = Agency::new(world, "tamper").await;
        agency.gather().await;
        let count = walk(world, &agency).await.expect("an unbroken chain");
        assert!(count >= 9, "workspace, clients and people: {count}");
        let at = format!("workspace_id = '{}'", agency.workspace_id);
        // Each change, and the number at which it shows (0: wherever).
        let changes = [
            (format!("update audit_events set actor = 'Somebody else' where {at} and seq = 3"), 3),
            (format!("update audit_events set after = '{{}}' where {at} and seq = 2"), 2),
            (format!("update audit_events set client_id = null where {at} and seq = 4 and client_id is not null"), 0),
            (format!("update audit_events set created_at = created_at + interval '1 second' where {at} and seq = 5"), 5),
            (format!("update audit_events set ip = '10.0.0.1' where {at} and seq = 6"), 6),
            (format!("delete from audit_events where {at} and seq = 4"), 4),
            (format!("delete from audit_events where {at} and seq = {count}"), count),
            (format!("update audit_heads set seq = seq - 1 where {at}; delete from audit_events where {at} and seq = {count}"), count),
            (
                format!(
                    "update audit_events set seq = -1 where {at} and seq = 2; update audit_events set seq = 2 where {at} and seq = 3;
                     update audit_events set seq = 3 where {at} and seq = -1"
                ),
                2,
            ),
        ];
        for (change, wanted) in changes {
            let mut connection = PgConnection::connect(&world.owner_url).await.expect("the database");
            let backup = format!(
                "create temp table e as select * from audit_events where {at}; create temp table h as select * from audit_heads where {at}"
            );
            let restore = format!(
                "delete from audit_events where {at}; insert into audit_events select * from e; delete from audit_heads where {at};
                 insert into audit_heads select * from h; drop table e; drop table h"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(backup)).execute(&mut connection).await.expect("a copy");
            let touched = sqlx::raw_sql(sqlx::AssertSqlSafe(change.clone()))
                .execute(&mut connection)
                .await
                .expect(&change)
                .rows_affected();
            if touched > 0 {
                let found = walk(world, &agency).await;
                assert!(found.is_err(), "not found: {change}");
                assert!(wanted == 0 || found == Err(wanted), "{change}: {found:?}");
            }
            sqlx::raw_sql(sqlx::AssertSqlSafe(restore)).execute(&mut connection).await.expect("the copy back");
            assert_eq!(walk(world, &agency).await, Ok(count), "after undoing {change}");
        }
    });
}

#[test]
fn many_writers_make_one_chain_without_gaps() {
    run(|world| async move {
        let agency = Agency::new(world, "writers").await;
        agency.gather().await;
        let before = walk(world, &agency).await.expect("an unbroken chain");
        let people =
            [&agency.owner, &agency.admin, &agency.member, &agency.one.admin, &agency.one.viewer, &agency.two.viewer];
        let mut tasks = tokio::task::JoinSet::new();
        for round in 0..60 {
            let browser = people[round % people.len()].clone();
            tasks.spawn(async move {
                browser.done("save_profile", &[("name", &format!("Name {round}")), ("timezone", "UTC")]).await
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("a saved profile");
        }
        assert_eq!(walk(world, &agency).await, Ok(before + 60));
        let gaps: i64 = owner_value(
            world,
            &format!("select max(seq) - count(*) from audit_events where workspace_id = '{}'", agency.workspace_id),
        )
        .await;
        assert_eq!(gaps, 0);
    });
}

/// The hourly work on this agency's audit log.
async fn keep(world: &World, agency: &Agency) {
    let workspace = WorkspaceId(agency.workspace_id.parse().expect("an id"));
    anchors::keep(&Scope::of_operator(world.db.clone(), workspace, TEST)).await.expect("the audit log is kept");
}

#[test]
fn a_chain_made_anew_from_the_first_row_on_is_found_by_its_sealed_heads() {
    run(|world| async move {
        let agency = Agency::new(world, "rewritten").await;
        agency.gather().await;
        let count = walk(world, &agency).await.expect("an unbroken chain");
        keep(world, &agency).await;
        keep(world, &agency).await;
        assert_eq!(walk(world, &agency).await, Ok(count), "sealing changes nothing");
        // What somebody with the whole database in their hands would do: another agency's true chain under this one's name would
        // not fit, so they cut the end off and set the head to fit.
        let at = format!("workspace_id = '{}'", agency.workspace_id);
        let cut = format!(
            "delete from audit_events where {at} and seq > 3;
             update audit_heads set seq = 3, hash = (select hash from audit_events where {at} and seq = 3) where {at} returning seq::text"
        );
        let mut connection = PgConnection::connect(&world.owner_url).await.expect("the database");
        sqlx::raw_sql(sqlx::AssertSqlSafe(cut)).execute(&mut connection).await.expect("a cut end");
        assert_eq!(walk(world, &agency).await, Err(4), "the chain itself is whole, and shorter than its sealed head");
        let forged = format!("update audit_anchors set sealed = 'gAAAA' || sealed where {at} returning seq::text");
        assert_eq!(owner_lines(world, &forged).await.len(), 1, "one seal: the head had not moved");
        assert!(walk(world, &agency).await.is_err());
    });
}

#[test]
fn events_are_kept_as_long_as_the_owner_says_and_the_rest_still_proves_itself() {
    run(|world| async move {
        let agency = Agency::new(world, "retention").await;
        agency.gather().await;
        keep(world, &agency).await;
        let count = walk(world, &agency).await.expect("an unbroken chain");
        let rules = [
            ("name", agency.name.as_str()),
            ("timezone", "UTC"),
            ("second_factor", "nobody"),
            ("audit_days", "90"),
            ("concurrency", ""),
        ];
        agency.owner.filled("/settings/agency", "save_agency", &rules).await;
        keep(world, &agency).await;
        assert_eq!(walk(world, &agency).await, Ok(count + 1), "nothing is old enough");
        // A hundred days later for the first five: the rows are changed and chained anew, as time alone would not have done.
        let at = format!("workspace_id = '{}'", agency.workspace_id);
        let old = format!(
            "update audit_events set created_at = created_at - interval '100 days' where {at} and seq <= 5 returning seq::text"
        );
        assert_eq!(owner_lines(world, &old).await.len(), 5);
        keep(world, &agency).await;
        assert_eq!(walk(world, &agency).await, Ok(count + 2), "the kept part fits to what was removed");
        let left = owner_lines(
            world,
            &format!("select seq::text from audit_events where {at} order by audit_events.seq limit 1"),
        )
        .await;
        assert_eq!(left, ["6"]);
        let audit_log = agency.owner.done("list_audit_events", &[("query[action]", "removed old events")]).await.json();
        let rows = audit_log["page"]["rows"].as_array().expect("rows").clone();
        assert_eq!(rows.len(), 1, "{audit_log}");
        let seq = rows[0]["seq"].to_string();
        let event = agency.owner.done("get_audit_event", &[("seq", &seq)]).await.json();
        assert!(
            event["fields"].to_string().contains('5') && event["hash"].as_str().is_some_and(|hash| hash.len() == 64),
            "{event}"
        );
        // Removed ones are gone for everybody, and the application cannot remove more than the rule.
        assert_eq!(agency.owner.rpc("get_audit_event", &[("seq", "1")]).await.status, 404);
        let mut app = PgConnection::connect(&world.owner_url.replace("patchbay_owner@", "patchbay_app@"))
            .await
            .expect("the role");
        for statement in [
            "select prune_audit_events(89)",
            "select prune_audit_events(null)",
            "delete from audit_events",
            "update audit_anchors set sealed = ''",
        ] {
            assert!(sqlx::raw_sql(statement).execute(&mut app).await.is_err(), "{statement}");
        }
    });
}

#[test]
fn an_event_shows_every_field_before_and_after() {
    run(|world| async move {
        let agency = Agency::new(world, "fields").await;
        let fields = [("name", "Renamed client"), ("timezone", "Asia/Kolkata"), ("monthly_budget", "")];
        let page = format!("/clients/{}/settings", agency.one.id);
        agency.owner.filled(&page, "save_client", &fields).await;
        let filter = [("query[action]", "changed"), ("query[entity]", "client")];
        let list = agency.owner.done("list_audit_events", &filter).await.json();
        assert!(list["actions"].to_string().contains("changed"), "{list}");
        let seq = list["page"]["rows"][0]["seq"].to_string();
        let page = agency.owner.get(&format!("/settings/audit/{seq}")).await;
        assert!(page.status == 200 && page.text.contains("Renamed client") && page.text.contains("Asia/Kolkata"));
        assert!(page.text.contains("unchanged"), "fields that stayed are there too");
        assert!(page.text.contains("Record ID") && page.text.contains("Previous hash"));
        let log = agency.owner.get("/settings/audit").await.text;
        assert!(log.contains("<ins>Renamed client"), "what replaced something is marked");
        // A record that was made has no former values, and fields that say nothing are no news.
        let count = |mark: &str| log.matches(mark).count();
        assert!(count("<ins>") <= count("<del>"), "{} added, {} removed", count("<ins>"), count("<del>"));
        assert!(!log.contains("<b>user"), "people sign in and no user is signed in");
        assert_eq!(agency.one.admin.get(&format!("/settings/audit/{seq}")).await.status, 200);
        assert_eq!(agency.two.admin.get(&format!("/settings/audit/{seq}")).await.status, 404);
    });
}

/// Changes one row as the database's owner would, and undoes it; gives what the walk found meanwhile.
async fn forged(world: &World, agency: &Agency, seq: i64, change: &str) -> Result<i64, i64> {
    let at = format!("workspace_id = '{}' and seq = {seq}", agency.workspace_id);
    let mut connection = PgConnection::connect(&world.owner_url).await.expect("the database");
    let run = async |connection: &mut PgConnection, sql: String| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone()))
            .execute(connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    run(&mut connection, format!("create temp table kept as select * from audit_events where {at}")).await;
    let touched = run(&mut connection, format!("update audit_events set {change} where {at}")).await;
    assert_eq!(touched.rows_affected(), 1, "{change}");
    let found = walk(world, agency).await;
    let back = format!(
        "delete from audit_events where workspace_id = '{0}' and id = (select id from kept);
         delete from audit_events where {at}; insert into audit_events select * from kept; drop table kept",
        agency.workspace_id
    );
    run(&mut connection, back).await;
    found
}

#[test]
fn the_hash_covers_every_column() {
    run(|world| async move {
        let agency = Agency::new(world, "columns").await;
        let fields = [("name", "Renamed client"), ("timezone", "Asia/Kolkata")];
        agency.owner.filled(&format!("/clients/{}/settings", agency.one.id), "save_client", &fields).await;
        let count = walk(world, &agency).await.expect("an unbroken chain");
        // An agency whose own chain has no row of that number yet.
        let other = WorkspaceId::new();
        let scope = Scope::of_operator(world.db.clone(), other, TESTS);
        let (name, email) = (unique("other"), format!("{}@other.example", unique("owner")));
        create_workspace(&scope, &name, "Odo Other", &email, PASSWORD, "UTC").await.expect("an agency");
        let elsewhere = format!("'{other}'");
        let columns = owner_lines(
            world,
            "select attname || ' ' || format_type(atttypid, null) from pg_attribute
             where attrelid = 'audit_events'::regclass and attnum > 0 and not attisdropped",
        )
        .await;
        assert!(columns.len() >= 20, "{columns:?}");
        for column in columns {
            let (name, kind) = column.split_once(' ').expect("a name and a type");
            let value = match (name, kind) {
                // A row of another chain is none of this one: to the walk it is missing.
                ("workspace_id", _) => elsewhere.as_str(),
                ("user_id", _) => "(select id from users u where u.id is distinct from audit_events.user_id limit 1)",
                ("kind", _) => "case when kind = 'created' then 'changed' else 'created' end",
                ("seq", _) => "seq + 1000000",
                ("format", _) => "1",
                (_, "uuid") => "gen_random_uuid()",
                (_, "text") => "'forged'",
                (_, "jsonb") => "'{\"forged\": true}'",
                (_, "bytea") => "'\\x00'",
                (_, "timestamp with time zone") => "created_at + interval '1 microsecond'",
                other => panic!("how is {other:?} changed?"),
            };
            let found = forged(world, &agency, count - 1, &format!("{name} = {value}")).await;
            assert_eq!(found, Err(count - 1), "{name} is in no hash");
            assert_eq!(walk(world, &agency).await, Ok(count), "after undoing {name}");
        }
        assert_eq!(forged(world, &agency, count - 1, "request_id = null").await, Err(count - 1));
    });
}

#[test]
fn rows_from_before_every_column_was_covered_still_prove_themselves() {
    run(|world| async move {
        let agency = Agency::new(world, "former").await;
        agency.gather().await;
        // The newest row as the former version wrote it: SHA-256 over the hash before it and an array of fewer columns.
        let at = format!("workspace_id = '{}'", agency.workspace_id);
        let count = walk(world, &agency).await.expect("an unbroken chain");
        let mut connection = PgConnection::connect(&world.owner_url).await.expect("the database");
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("select * from audit_events where {at} and seq = {count}")))
            .fetch_one(&mut connection)
            .await
            .expect("the newest row");
        let uuid = |name: &str| row.get::<Option<uuid::Uuid>, _>(name);
        let text = |name: &str| row.get::<Option<String>, _>(name);
        let json = |name: &str| row.get::<Option<Value>, _>(name);
        let columns = serde_json::json!([
            uuid("workspace_id"),
            count,
            uuid("id"),
            uuid("user_id"),
            text("actor"),
            text("action"),
            text("entity"),
            uuid("entity_id"),
            uuid("client_id"),
            json("before"),
            json("after"),
            text("ip"),
            row.get::<chrono::DateTime<chrono::Utc>, _>("created_at").timestamp_micros()
        ]);
        let mut digest = Sha256::new();
        digest.update(row.get::<Vec<u8>, _>("previous_hash"));
        digest.update(columns.to_string());
        let hash = hex::encode(digest.finalize());
        let former = format!(
            "update audit_events set format = 1, kind = null, support_session_id = null, hash = '\\x{hash}' where {at} and seq = {count};
             update audit_heads set hash = '\\x{hash}' where {at}"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(former)).execute(&mut connection).await.expect("a former row");
        assert_eq!(walk(world, &agency).await, Ok(count));
        // New rows go on from it, and nothing is hidden in the columns that it does not cover.
        agency.owner.done("save_profile", &[("name", "Olga Later"), ("timezone", "UTC")]).await;
        assert_eq!(walk(world, &agency).await, Ok(count + 1));
        assert_eq!(forged(world, &agency, count, "kind = 'happened'").await, Err(count));
        assert_eq!(forged(world, &agency, count, "actor = 'Nobody'").await, Err(count));
    });
}
