//! The second wall: what the database itself refuses, read from its catalogue and tried as the application's role.

use std::collections::BTreeSet;

use serde::Deserialize;
use sqlx::{Connection, Executor, PgConnection, Row};

use super::support::{Agency, World, owner_lines, run, sources};

#[derive(Deserialize)]
struct Classes {
    tenant: Class,
    reference: Class,
    local: Class,
}

#[derive(Deserialize)]
struct Class {
    tables: Vec<String>,
}

/// `migrations/classes.toml`.
fn classes() -> Classes {
    toml::from_str(include_str!("../../migrations/classes.toml")).expect("classes.toml")
}

/// Tables that are spread by workspace.
pub fn tenant_tables() -> Vec<String> {
    classes().tenant.tables
}

/// Every table, in the order of classes: tenant, reference, local.
pub fn tables() -> Vec<String> {
    let all = classes();
    [all.tenant.tables, all.reference.tables, all.local.tables].concat()
}

/// What a table's class is called.
pub fn class_of(table: &str) -> &'static str {
    let all = classes();
    let has = |class: &Class| class.tables.iter().any(|own| own == table);
    match (has(&all.tenant), has(&all.reference)) {
        (true, _) => "tenant",
        (_, true) => "reference",
        _ => "local",
    }
}

/// `('clients', 'calls', …)` for a statement.
fn sql_list(tables: &[String]) -> String {
    format!("('{}')", tables.join("', '"))
}

/// The statement names what is wrong, one row each; there must be none.
async fn none(world: &World, what: &str, sql: &str) {
    let found = owner_lines(world, sql).await;
    assert!(found.is_empty(), "{what}: {found:#?}");
}

const TABLES: &str =
    "select c.oid, c.relname::text as name, c.relrowsecurity, c.relforcerowsecurity, c.relowner from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> '_sqlx_migrations'";

#[test]
fn every_table_has_a_class_and_every_class_its_tables() {
    run(|world| async move {
        let classes = classes();
        let existing: BTreeSet<String> =
            owner_lines(world, &format!("select name from ({TABLES}) t")).await.into_iter().collect();
        let listed: Vec<String> =
            [classes.tenant.tables, classes.reference.tables, classes.local.tables].into_iter().flatten().collect();
        let once: BTreeSet<String> = listed.iter().cloned().collect();
        assert_eq!(listed.len(), once.len(), "a table stands in two classes");
        assert_eq!(existing, once);
        // A tenant table has the tenant's key; what has none is not a tenant's.
        let tenant = sql_list(&self::classes().tenant.tables);
        none(
            world,
            "tenant tables without workspace_id",
            &format!(
                "select name from ({TABLES}) t where name in {tenant} and not exists (
                   select from pg_attribute a where a.attrelid = t.oid and a.attname = 'workspace_id' and a.attnotnull)"
            ),
        )
        .await;
    });
}

#[test]
fn row_security_is_on_and_forced_with_one_plain_permissive_policy_each() {
    run(|world| async move {
        none(
            world,
            "row security off or not forced",
            &format!("select name from ({TABLES}) t where not (relrowsecurity and relforcerowsecurity)"),
        )
        .await;
        none(
            world,
            "not exactly one policy",
            &format!(
                "select name || ': ' || count(p.oid) from ({TABLES}) t left join pg_policy p on p.polrelid = t.oid
                 group by name having count(p.oid) <> 1"
            ),
        )
        .await;
        // A restrictive policy turns permissive on the shards of a distributed table.
        none(
            world,
            "restrictive policies, or such as do not cover every command and role",
            "select polrelid::regclass::text from pg_policy where not polpermissive or polcmd <> '*' or polroles <> '{0}'",
        )
        .await;
        let text =
            "coalesce(pg_get_expr(polqual, polrelid), '') || ' ' || coalesce(pg_get_expr(polwithcheck, polrelid), '')";
        none(
            world,
            "policies with a sub-select, which a distributed table cannot have",
            &format!("select polrelid::regclass::text from pg_policy where ({text}) ~* '\\yselect\\y'"),
        )
        .await;
        none(
            world,
            "policies of tables with workspace_id that do not compare it in the agreed form",
            &format!(
                "select polrelid::regclass::text || ': ' || ({text}) from pg_policy
                 where exists (select from pg_attribute a where a.attrelid = polrelid and a.attname = 'workspace_id')
                   and ({text}) not like '%workspace\\_id = (NULLIF(current_setting(''app.workspace_id''::text, true), ''''::text))::uuid%'"
            ),
        )
        .await;
        let tenant = sql_list(&classes().tenant.tables);
        none(
            world,
            "tenant tables whose policy opens for the system",
            &format!("select polrelid::regclass::text from pg_policy where polrelid::regclass::text in {tenant} and ({text}) like '%app.system%'"),
        )
        .await;
        none(
            world,
            "tenant tables with client_id whose policy does not look at app.client_id",
            &format!(
                "select polrelid::regclass::text from pg_policy
                 where exists (select from pg_attribute a where a.attrelid = polrelid and a.attname = 'client_id')
                   and polrelid::regclass::text in {tenant} and ({text}) not like '%app.client_id%'"
            ),
        )
        .await;
    });
}

#[test]
fn keys_carry_the_tenant() {
    run(|world| async move {
        let all = classes();
        let (tenant, local) = (sql_list(&all.tenant.tables), sql_list(&all.local.tables));
        none(
            world,
            "tenant tables whose primary key does not begin with workspace_id",
            &format!(
                "select name from ({TABLES}) t where name in {tenant} and not exists (
                   select from pg_constraint k join pg_attribute a on a.attrelid = t.oid and a.attnum = k.conkey[1]
                   where k.conrelid = t.oid and k.contype = 'p' and a.attname = 'workspace_id')"
            ),
        )
        .await;
        none(
            world,
            "unique indexes of tenant tables without workspace_id",
            &format!(
                "select i.indexrelid::regclass::text from pg_index i join ({TABLES}) t on t.oid = i.indrelid
                 where i.indisunique and t.name in {tenant} and not exists (
                   select from unnest(i.indkey::int2[]) k join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k
                   where a.attname = 'workspace_id')"
            ),
        )
        .await;
        none(
            world,
            "foreign keys between tenant tables that can point into another tenant",
            &format!(
                "select k.conrelid::regclass || ' ' || k.conname from pg_constraint k
                 join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
                 join pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[1]
                 where k.contype = 'f' and k.conrelid::regclass::text in {tenant} and k.confrelid::regclass::text in {tenant}
                   and (a.attname <> 'workspace_id' or b.attname <> 'workspace_id')"
            ),
        )
        .await;
        none(
            world,
            "foreign keys between tenant and local tables",
            &format!(
                "select k.conrelid::regclass || ' → ' || k.confrelid::regclass from pg_constraint k where k.contype = 'f'
                   and ((k.conrelid::regclass::text in {tenant} and k.confrelid::regclass::text in {local})
                     or (k.conrelid::regclass::text in {local} and k.confrelid::regclass::text in {tenant}))"
            ),
        )
        .await;
        none(
            world,
            "foreign keys that keep the tables from being spread: to a tenant table from one of another class, to a local table from a reference",
            &format!(
                "select k.conrelid::regclass || ' → ' || k.confrelid::regclass || ': ' || k.conname from pg_constraint k where k.contype = 'f'
                   and ((k.confrelid::regclass::text in {tenant} and k.conrelid::regclass::text not in {tenant})
                     or (k.confrelid::regclass::text in {local} and k.conrelid::regclass::text not in {local}))"
            ),
        )
        .await;
        none(
            world,
            "tenant tables without an index that begins with workspace_id, for row security",
            &format!(
                "select name from ({TABLES}) t where name in {tenant} and not exists (
                   select from pg_index i join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
                   where i.indrelid = t.oid and a.attname = 'workspace_id')"
            ),
        )
        .await;
    });
}

#[test]
fn nothing_stands_in_the_way_of_spreading_the_tables() {
    run(|world| async move {
        none(
            world,
            "triggers",
            "select tgrelid::regclass::text || ' ' || tgname from pg_trigger where not tgisinternal",
        )
        .await;
        none(
            world,
            "sequences",
            "select relname::text from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace",
        )
        .await;
        none(
            world,
            "rules",
            "select rulename::text from pg_rewrite r join pg_class c on c.oid = r.ev_class
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')",
        )
        .await;
        none(
            world,
            "views that look as their owner",
            "select relname::text from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace
             and not coalesce(reloptions @> array['security_invoker=true'], false)",
        )
        .await;
    });
}

#[test]
fn the_applications_role_owns_nothing_and_cannot_get_round_row_security() {
    run(|world| async move {
        none(
            world,
            "what the role may that it should not",
            "select rolname::text from pg_roles where rolname = 'patchbay_app'
             and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication)",
        )
        .await;
        none(
            world,
            "roles that it is a member of",
            "select roleid::regrole::text from pg_auth_members where member = 'patchbay_app'::regrole",
        )
        .await;
        none(
            world,
            "tables and functions that it owns",
            "select relname::text from pg_class where relowner = 'patchbay_app'::regrole
             union all select proname::text from pg_proc where proowner = 'patchbay_app'::regrole",
        )
        .await;
        none(
            world,
            "the audit log must not be rewritten, nor versions and clients deleted",
            "select 'audit_events' where has_table_privilege('patchbay_app', 'audit_events', 'update, delete, truncate')
             union all select 'audit_anchors' where has_table_privilege('patchbay_app', 'audit_anchors', 'update, delete, truncate')
             union all select 'audit_heads' where has_table_privilege('patchbay_app', 'audit_heads', 'delete, truncate')
             union all select 'clients' where has_table_privilege('patchbay_app', 'clients', 'delete, truncate')
             union all select 'prompt_versions' where has_table_privilege('patchbay_app', 'prompt_versions', 'delete, truncate')",
        )
        .await;
        none(
            world,
            "the schema is the owner's to change",
            "select 'public' where has_schema_privilege('patchbay_app', 'public', 'create')",
        )
        .await;
    });
}

/// Functions that run with their owner's rights. Each filters by the transaction's own scope: read it before adding it here.
const DEFINER_FUNCTIONS: [&str; 4] =
    ["prune_audit_events", "search_call_messages", "search_contacts", "search_knowledge"];

#[test]
fn functions_with_their_owners_rights_are_few_and_pinned() {
    run(|world| async move {
        let definers = "select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace order by proname";
        assert_eq!(owner_lines(world, definers).await, DEFINER_FUNCTIONS);
        none(
            world,
            "without a pinned search_path",
            "select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace
             and not coalesce(array_to_string(proconfig, ',') like '%search_path=public, pg_temp%', false)",
        )
        .await;
        none(
            world,
            "anybody may run them",
            "select proname::text from pg_proc p where prosecdef and pronamespace = 'public'::regnamespace
             and (proacl is null or exists (select from aclexplode(proacl) where grantee = 0))",
        )
        .await;
    });
}

/// A connection as the application's role, without anything that the application does.
async fn as_app(world: &World) -> PgConnection {
    let url = world.owner_url.replace("patchbay_owner@", "patchbay_app@");
    PgConnection::connect(&url).await.expect("the application's role")
}

async fn count(conn: &mut PgConnection, table: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query(sql).fetch_one(conn).await.expect(table).get(0)
}

#[test]
fn without_a_scope_no_table_shows_a_row() {
    run(|world| async move {
        Agency::new(world, "noscope").await;
        let mut app = as_app(world).await;
        let all = classes();
        for table in all.tenant.tables.iter().chain(&all.reference.tables).chain(&all.local.tables) {
            assert_eq!(count(&mut app, table).await, 0, "{table} without any setting");
        }
        // The settings are empty strings after a `set local`: they must mean nothing, not everything.
        app.execute("set app.workspace_id = ''; set app.client_id = ''; set app.system = ''").await.expect("settings");
        for table in all.tenant.tables.iter().chain(&all.reference.tables).chain(&all.local.tables) {
            assert_eq!(count(&mut app, table).await, 0, "{table} with empty settings");
        }
        // The system's setting opens what spans tenants, and no tenant table.
        app.execute("set app.system = 'on'").await.expect("a setting");
        for table in &all.tenant.tables {
            assert_eq!(count(&mut app, table).await, 0, "{table} for the system");
        }
        assert!(count(&mut app, "users").await > 0);
    });
}

#[test]
fn a_scope_shows_one_tenant_and_writes_into_no_other() {
    run(|world| async move {
        let (mine, other) = (Agency::new(world, "mine").await, Agency::new(world, "other").await);
        tokio::join!(mine.gather(), other.gather());
        let mut app = as_app(world).await;
        let scope = format!("set app.workspace_id = '{}'", mine.workspace_id);
        app.execute(sqlx::AssertSqlSafe(scope)).await.expect("a scope");
        assert_eq!(count(&mut app, "workspaces").await, 1);
        assert_eq!(count(&mut app, "clients").await, 2);
        assert_eq!(count(&mut app, "users").await, 7);
        for table in classes().tenant.tables {
            let sql = format!("select count(*) from {table} where workspace_id <> '{}'", mine.workspace_id);
            let foreign: i64 = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut app).await.expect("a count").get(0);
            assert_eq!(foreign, 0, "{table} shows another tenant's rows");
        }

        let insert = format!(
            "insert into clients (workspace_id, id, name, slug) values ('{}', gen_random_uuid(), 'Intruder', 'intruder')",
            other.workspace_id
        );
        let refused = app.execute(sqlx::AssertSqlSafe(insert)).await.expect_err("a row for another tenant");
        assert!(refused.to_string().contains("row-level security"), "{refused}");
        let moving = format!("update clients set workspace_id = '{}'", other.workspace_id);
        assert!(app.execute(sqlx::AssertSqlSafe(moving)).await.is_err(), "a row moved to another tenant");
        for statement in ["update clients set name = 'Taken'", "delete from audit_heads"] {
            let sql = format!("{statement} where workspace_id = '{}'", other.workspace_id);
            let touched = app.execute(sqlx::AssertSqlSafe(sql)).await.map_or(0, |done| done.rows_affected());
            assert_eq!(touched, 0, "{statement}");
        }
        // A key cannot be borrowed either: the other agency's client under one's own workspace.
        let borrowed = format!(
            "insert into contacts (workspace_id, id, client_id, phone) values ('{}', gen_random_uuid(), '{}', '+12025550113')",
            mine.workspace_id, other.one.id
        );
        let refused = app.execute(sqlx::AssertSqlSafe(borrowed)).await.expect_err("another tenant's client");
        assert!(refused.to_string().contains("foreign key"), "{refused}");

        // Within the agency, a client's scope ends at that client.
        let scope = format!("set app.client_id = '{}'", mine.one.id);
        app.execute(sqlx::AssertSqlSafe(scope)).await.expect("a scope");
        assert_eq!(count(&mut app, "clients").await, 1);
        assert_eq!(count(&mut app, "users").await, 2);
        assert_eq!(count(&mut app, "provider_connections").await, 0);
        let sideways = format!(
            "insert into contacts (workspace_id, id, client_id, phone) values ('{}', gen_random_uuid(), '{}', '+12025550113')",
            mine.workspace_id, mine.two.id
        );
        let refused = app.execute(sqlx::AssertSqlSafe(sideways)).await.expect_err("a sister client's row");
        assert!(refused.to_string().contains("row-level security"), "{refused}");
    });
}

/// The tables' owner need not be a superuser, and row security binds it too: a migration that changes rows lifts that for the moment, from
/// every table that the statement reads or writes, or it changes none and says nothing.
#[test]
fn a_migration_that_changes_rows_sees_them() {
    let mut wrong = Vec::new();
    for (path, text) in sources("migrations", ".sql") {
        // Migrations that stand on installations already are not changed any more.
        if path.as_str() < "migrations/0018" {
            continue;
        }
        let mut lifted = BTreeSet::new();
        let plain: String =
            text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join(" ");
        for statement in plain.split(';').map(str::trim) {
            let words: Vec<&str> = statement.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            match statement.strip_prefix("alter table ").and_then(|rest| rest.split_once(' ')) {
                Some((table, "no force row level security")) => drop(lifted.insert(table.to_owned())),
                Some((table, "force row level security")) => drop(lifted.remove(table)),
                _ if ["update", "insert", "delete", "with"].iter().any(|verb| statement.starts_with(verb)) => {
                    let bound = tenant_tables().into_iter().filter(|table| words.contains(&table.as_str()));
                    wrong.extend(
                        bound
                            .filter(|table| !lifted.contains(table))
                            .map(|table| format!("{path}: {table}: {statement}")),
                    );
                }
                _ => {}
            }
        }
        wrong.extend(lifted.into_iter().map(|table| format!("{path}: {table} is left without its row security")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
