//! The SQL in the source keeps to the rules that let the same schema spread over several nodes, and pages be cut by key.

use super::schema::tenant_tables;
use super::support::sources;

/// Every statement in the source: file, and text in lower case. Statements are the texts inside `sqlx::query…( )`.
fn statements() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, text) in sources("src", ".rs") {
        let mut rest = text.as_str();
        while let Some(start) = rest.find("sqlx::query") {
            rest = &rest[start..];
            let Some(open) = rest.find('(') else { break };
            if let Some(sql) = first_text(&rest[open..]) {
                found.push((path.clone(), sql.to_lowercase()));
            }
            rest = &rest[open..];
        }
    }
    found
}

/// The first string literal of a call's arguments; none when the call ends before one.
fn first_text(call: &str) -> Option<&str> {
    let (mut depth, bytes) = (0, call.as_bytes());
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return None;
                }
            }
            b'"' => {
                let body = &call[at + 1..];
                let hashes = call[..at].bytes().rev().take_while(|byte| *byte == b'#').count();
                let end = format!("\"{}", "#".repeat(hashes));
                return if hashes > 0 || call[..at].ends_with('r') {
                    body.find(&end).map(|end| &body[..end])
                } else {
                    plain_end(body).map(|end| &body[..end])
                };
            }
            _ => {}
        }
    }
    None
}

fn plain_end(body: &str) -> Option<usize> {
    let bytes = body.as_bytes();
    (0..bytes.len())
        .find(|at| bytes[*at] == b'"' && bytes[..*at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0)
}

fn words(sql: &str) -> Vec<&str> {
    sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_statement_on_a_tenant_table_names_the_tenant() {
    let tenant = tenant_tables();
    let all = statements();
    assert!(all.len() > 80, "the search for statements finds only {}", all.len());
    let mut wrong = Vec::new();
    for (path, sql) in &all {
        let named = words(sql);
        let touches = named.windows(2).any(|pair| {
            matches!(pair[0], "from" | "join" | "into" | "update" | "only" | "using")
                && tenant.iter().any(|table| table == pair[1])
        });
        // One mention per table, so that a join cannot forget its half: `t.workspace_id = $1` or `using (workspace_id …)`.
        if touches && !named.contains(&"workspace_id") {
            wrong.push(format!("{path}: {sql}"));
        }
    }
    assert!(wrong.is_empty(), "statements without workspace_id: {wrong:#?}");
}

#[test]
fn statements_keep_to_the_rules_of_distribution_and_of_paging() {
    let mut wrong = Vec::new();
    for (path, sql) in statements() {
        let named = words(&sql);
        for word in ["offset", "set_config", "pg_advisory_lock", "restrictive", "nextval"] {
            if named.contains(&word) {
                wrong.push(format!("{path}: {word} in {sql}"));
            }
        }
        if (named.contains(&"pg_notify") || named.contains(&"notify")) && path != "src/jobs/live.rs" {
            wrong.push(format!("{path}: a notice in a transaction: {sql}"));
        }
        if named.first() == Some(&"insert") && named.contains(&"set") && sql.contains("set workspace_id") {
            wrong.push(format!("{path}: changes the tenant of a row: {sql}"));
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
