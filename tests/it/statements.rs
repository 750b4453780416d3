//! The SQL in the source keeps to the rules that let the same schema spread over several nodes, and pages be cut by key.

use super::schema::tenant_tables;
use super::sql::{named, statements, words};
use super::support::sources;

/// Statements that rightly read or write a tenant table without naming the tenant: file, how it begins, why.
/// Work that spans tenants is done on local and reference tables, so there is none.
const SPANS_TENANTS: &[(&str, &str, &str)] = &[];

/// Tenant tables that a statement does not compare with `$1` itself.
fn left_open(sql: &str, tenant: &[String]) -> Vec<String> {
    match named(sql) {
        Ok(found) => found
            .into_iter()
            .filter(|named| tenant.contains(&named.table) && !named.is_tenants)
            .map(|named| named.table)
            .collect(),
        Err(cause) => vec![format!("cannot be read: {cause}")],
    }
}

#[test]
fn every_statement_compares_each_tenant_table_with_the_tenant_itself() {
    let tenant = tenant_tables();
    let all = statements();
    assert!(all.len() > 400, "the search for statements finds only {}", all.len());
    let mut wrong = Vec::new();
    let mut used = vec![false; SPANS_TENANTS.len()];
    for statement in &all {
        let open = left_open(&statement.text, &tenant);
        let allowed = SPANS_TENANTS
            .iter()
            .position(|(path, start, _)| statement.path == *path && statement.text.trim_start().starts_with(start));
        match allowed {
            Some(at) if !open.is_empty() => used[at] = true,
            _ if open.is_empty() => {}
            _ => wrong.push(format!("{}: {} in {}", statement.place(), open.join(", "), statement.text)),
        }
    }
    assert!(wrong.is_empty(), "each of these tables needs its own `workspace_id = $1`: {wrong:#?}");
    assert!(used.iter().all(|used| *used), "nothing needs these exceptions any more: {SPANS_TENANTS:?} {used:?}");
}

#[test]
fn the_check_sees_joins_sub_selects_and_writes() {
    let tenant = ["calls", "agents", "contacts"].map(String::from);
    for good in [
        "select from calls where workspace_id = $1",
        "select from calls c where $1::uuid = c.workspace_id and (c.id = $2 or c.id = $3)",
        "select from calls c left join agents a on a.workspace_id = $1 and a.id = c.agent_id where (c.workspace_id = $1 and true)",
        "with calls as (select 1) select from calls",
        "select (select count(*) from agents a where a.workspace_id = $1) from users u, lateral (select from calls where workspace_id = $1) c",
        "insert into calls (id, workspace_id) values ($2, $1), ($3, $1) on conflict (id) do update set id = 1",
        "insert into calls (workspace_id, id) select $1, a.id from agents a where a.workspace_id = $1",
        "update calls c set name = a.name from agents a where c.workspace_id = $1 and a.workspace_id = $1 returning c.id",
        "delete from calls c using agents a where a.workspace_id = $1 and c.workspace_id = $1",
        "select c.\"from\" is distinct from 'agents' from calls c where c.workspace_id = $1 for no key update skip locked",
        "select extract(epoch from now()), array(select id from agents where workspace_id = $1)",
        "(select from calls where workspace_id = $1 limit 1) union all select from agents where workspace_id = $1",
    ] {
        assert_eq!(left_open(good, &tenant), Vec::<String>::new(), "{good}");
    }
    for (bad, table) in [
        ("select from calls", "calls"),
        ("select from calls where id = $1 or workspace_id = $1", "calls"),
        ("select from calls where workspace_id = $2", "calls"),
        ("select from calls where workspace_id = any($1)", "calls"),
        ("select from calls c join agents a on a.workspace_id = c.workspace_id where c.workspace_id = $1", "agents"),
        // This says which agents go with a call, and leaves all calls in.
        ("select from calls c left join agents a on c.workspace_id = $1 and a.workspace_id = $1", "calls"),
        ("select from calls c, agents a where c.workspace_id = $1", "agents"),
        ("select from (calls c join agents a on a.workspace_id = $1) where true", "calls"),
        ("select from calls where workspace_id = $1 and exists (select from agents a where a.id = agent_id)", "agents"),
        ("select from calls where workspace_id = $1 union all select from calls where id = $2", "calls"),
        ("with x as (delete from calls where id = $2 returning id) select from x where workspace_id = $1", "calls"),
        ("insert into calls (id, workspace_id) values ($2, $1), ($3, $4)", "calls"),
        (
            "insert into calls (workspace_id, id) select a.workspace_id, a.id from agents a where a.workspace_id = $1",
            "calls",
        ),
        ("insert into calls values ($1)", "calls"),
        ("update calls set name = 'a' where id = (select id from agents where workspace_id = $1)", "calls"),
        ("update calls c set name = a.name from agents a where c.workspace_id = $1 and a.id = c.agent_id", "agents"),
        ("copy contacts from stdin", "contacts"),
    ] {
        assert_eq!(left_open(bad, &tenant), [table], "{bad}");
    }
    for unread in ["merge into calls using agents on true", "select (1", "truncate calls", "lock table calls"] {
        assert!(named(unread).is_err(), "{unread}");
    }
}

#[test]
fn statements_keep_to_the_rules_of_distribution_and_of_paging() {
    let mut wrong = Vec::new();
    for statement in statements() {
        let (place, sql) = (statement.place(), statement.text.to_lowercase());
        let named = words(&sql);
        let names = |word: &str| named.iter().any(|own| own == word);
        for word in ["offset", "set_config", "pg_advisory_lock", "restrictive", "nextval"] {
            if names(word) {
                wrong.push(format!("{place}: {word} in {sql}"));
            }
        }
        // Sessions seldom end, and every process has to hear of it, whatever program ended them.
        let may_notify = ["src/jobs/live.rs", "src/access/server/session.rs"].contains(&statement.path.as_str());
        if (names("pg_notify") || names("notify")) && !may_notify {
            wrong.push(format!("{place}: a notice in a transaction: {sql}"));
        }
        if sql.trim_start().starts_with("insert") && sql.contains("set workspace_id") {
            wrong.push(format!("{place}: changes the tenant of a row: {sql}"));
        }
    }
    for (path, text) in sources("src", ".rs") {
        // Only the one place that opens transactions sets the scope.
        if text.contains("set local app.") && !path.starts_with("src/access/server/") {
            wrong.push(format!("{path}: sets a scope"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn migrations_are_plain_and_name_what_they_make() {
    for (path, text) in sources("migrations", ".sql") {
        let lower = text.to_lowercase();
        for word in [
            "create trigger",
            "create sequence",
            "serial ",
            "as restrictive",
            "set_config(",
            "create rule",
            "disable row level",
        ] {
            assert!(!lower.contains(word), "{path}: {word}");
        }
        let names: Vec<&str> = path.rsplit('/').next().into_iter().flat_map(|name| name.split('_')).collect();
        assert!(
            names[0].len() == 4 && names[0].bytes().all(|byte| byte.is_ascii_digit()),
            "{path} has no number of four digits"
        );
    }
}
