//! Who may do what is one table, printed and reviewed: a change of the policy shows as a change of `docs/policy.md`.

use patchbay_access::policy::table;
use patchbay_access::{Action, Role};

const HEAD: &str = "# Who may do what\n\n\
    Printed from `src/access/policy.rs`. After a change there: `PATCHBAY_PRINT=1 cargo test --features ssr --test it policy`.\n\n";

#[test]
fn the_printed_table_is_the_one_that_is_asked() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.md");
    let wanted = format!("{HEAD}{}", table());
    if std::env::var_os("PATCHBAY_PRINT").is_some() {
        std::fs::write(path, &wanted).expect("docs/policy.md");
    }
    let printed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(printed, wanted, "docs/policy.md is out of date: its head says how to print it");
}

#[test]
fn every_action_is_somebodys_and_is_asked_for_somewhere() {
    let code: Vec<String> = super::support::sources("src", ".rs")
        .into_iter()
        .filter(|(path, _)| path != "src/access/policy.rs")
        .map(|(_, text)| text)
        .collect();
    for action in Action::ALL {
        assert!(!action.roles().is_empty(), "{action:?} is nobody's");
        let asked = format!("Action::{action:?}");
        let stands = |text: &String| {
            text.match_indices(&asked)
                .any(|(at, _)| !text[at + asked.len()..].starts_with(|next: char| next.is_alphanumeric()))
        };
        assert!(code.iter().any(stands), "nothing asks for {action:?}");
    }
}

#[test]
fn roles_hold_to_their_nature() {
    for action in Action::ALL {
        let roles = action.roles();
        let may = |role| roles.contains(&role);
        // Who may less is inside who may more.
        assert!(!may(Role::AgencyAdmin) || may(Role::AgencyOwner), "{action:?}: an admin may what the owner may not");
        assert!(!may(Role::AgencyMember) || may(Role::AgencyAdmin), "{action:?}: a member may what an admin may not");
        assert!(
            !may(Role::ClientViewer) || may(Role::ClientAdmin),
            "{action:?}: a viewer may what the client's admin may not"
        );
        // The platform's people see no tenant's data.
        let platform = matches!(action, Action::ManagePlatform | Action::EditOwnProfile);
        assert_eq!(may(Role::Admin), platform, "{action:?}");
    }
    let changes = |role| {
        Action::ALL
            .iter()
            .filter(|action| !["Read", "Use"].iter().any(|word| format!("{action:?}").starts_with(word)))
            .filter(|action| action.roles().contains(&role))
            .count()
    };
    assert_eq!(changes(Role::ClientViewer), 1, "viewers change nothing but their own profile");
    assert_eq!(changes(Role::AgencyMember), 1, "members change nothing but their own profile");
}
