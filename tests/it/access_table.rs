//! The whole matrix as one page that a person can read: `docs/access.md`. `tenancy.rs` and `api_keys.rs` go through it for real.

use patchbay_access::{ApiScope, Role, allows};

use super::access_matrix::{
    API_ROUTES, Asks, FUNCTIONS, Names, PAGES, ROUTES, SCOPES, Wanted, WebhookSender, Who, wanted,
};

const HEAD: &str = "# Who gets through which door\n\n\
    Printed from `tests/it/access_matrix`, which the tests go through door by door, as everybody. After a change there:\n\
    `PATCHBAY_PRINT=1 cargo test --features ssr --test it access_table`.\n\n\
    What is asked for belongs to one agency, and in it to one client. **yes**: they get it, or may change it. **no**: refused, with a word that\n\
    they may not. **absent**: the same answer as for what does not exist. Nobody who has not signed in gets through any door here.\n\
    *Support* is a platform admin in a support session over the agency.\n";

fn cell(door: &WebhookSender, who: &Who) -> &'static str {
    match wanted(door, who) {
        Wanted::Own | Wanted::Skip => "yes",
        Wanted::Status(403) | Wanted::Refused => "no",
        Wanted::Status(_) | Wanted::Absent => "absent",
    }
}

fn columns() -> Vec<(&'static str, Who)> {
    let who = |role, is_ours, is_of_client_one| Who { role: Some(role), is_ours, is_of_client_one, is_guest: false };
    vec![
        ("owner", who(Role::AgencyOwner, true, true)),
        ("admin", who(Role::AgencyAdmin, true, true)),
        ("member", who(Role::AgencyMember, true, true)),
        ("client admin", who(Role::ClientAdmin, true, true)),
        ("client viewer", who(Role::ClientViewer, true, true)),
        ("other client's admin", who(Role::ClientAdmin, true, false)),
        ("other client's viewer", who(Role::ClientViewer, true, false)),
        ("other agency's owner", who(Role::AgencyOwner, false, false)),
        ("platform admin", who(Role::Admin, false, false)),
        ("support", Who::guest(true)),
        ("support elsewhere", Who::guest(false)),
    ]
}

fn rows(title: &str, doors: &[WebhookSender]) -> String {
    let columns = columns();
    let heads: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut out = format!(
        "\n## {title}\n\n| door | asks for | whose | {} |\n|---|---|---|{}\n",
        heads.join(" | "),
        "---|".repeat(heads.len())
    );
    for door in doors.iter().filter(|door| !matches!(door.asks, Asks::Nothing)) {
        let asks = match door.asks {
            Asks::May(action) => format!("{action:?}"),
            other => format!("{other:?}").to_lowercase(),
        };
        let whose = match door.names {
            Names::Nobodys => "one's own",
            Names::Client => "the client's",
            Names::ClientOrOwn => "the client's, or one's own",
            Names::Workshop => "the agency's",
        };
        let cells: Vec<&str> = columns.iter().map(|(_, who)| cell(door, who)).collect();
        out += &format!("| `{}` | {asks} | {whose} | {} |\n", door.name, cells.join(" | "));
    }
    out
}

fn open_doors() -> String {
    let mut out =
        "\n## Without signing in\n\nEach has tests of its own for what opens it: a password, a code, a link.\n\n"
            .to_owned();
    for door in FUNCTIONS.iter().chain(ROUTES).chain(PAGES).filter(|door| matches!(door.asks, Asks::Nothing)) {
        out += &format!("- `{}`\n", door.name);
    }
    out
}

/// For programs: a key opens a route with its scope, and only while its owner's role allows the same.
fn keys() -> String {
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let mut out = format!(
        "\n## With an API key\n\nA key reads and changes its owner's workspace alone; what belongs to others is absent.\n\n\
         | route | scope | {} |\n|---|---|{}\n",
        roles.join(" | "),
        "---|".repeat(roles.len())
    );
    for (method, path, scope) in API_ROUTES {
        let action = ApiScope::ALL.iter().find(|one| one.as_str() == *scope).expect("a scope").action();
        let cells: Vec<&str> = Role::ALL.iter().map(|role| if allows(*role, action) { "yes" } else { "no" }).collect();
        out += &format!("| `{method} {path}` | `{scope}` | {} |\n", cells.join(" | "));
    }
    out
}

#[test]
fn the_printed_matrix_is_the_one_that_is_gone_through() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/access.md");
    let wanted = [
        HEAD.to_owned(),
        rows("Pages", PAGES),
        rows("Downloads and streams", ROUTES),
        rows("Server functions", FUNCTIONS),
        keys(),
        open_doors(),
    ]
    .concat();
    if std::env::var_os("PATCHBAY_PRINT").is_some() {
        std::fs::write(path, &wanted).expect("docs/access.md");
    }
    let printed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(printed, wanted, "docs/access.md is out of date: its head says how to print it");
}

#[test]
fn every_scope_of_a_key_is_gone_through() {
    let scopes: Vec<&str> = ApiScope::ALL.iter().map(|scope| scope.as_str()).collect();
    assert_eq!(scopes, SCOPES);
}
