//! A platform admin sees an agency's data in a support session alone: announced, for an hour, in the audit log, and changing nothing.

use patchbay_platform::server::ops::create_admin;

use super::access_matrix::{Asks, FUNCTIONS};
use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, World, owner_lines, run, unique};

async fn admin(world: &World) -> Browser {
    let email = format!("{}@platform.example", unique("pat"));
    create_admin(&world.db, "Pat Platform", &email, PASSWORD).await.expect("an admin");
    Browser::signed_in(world, &email).await
}

#[test]
fn without_a_session_an_admin_sees_nothing_and_with_one_reads_that_agency_alone() {
    run(|world| async move {
        let agency = Agency::new(world, "helped").await;
        let other = Agency::new(world, "not-helped").await;
        let pat = admin(world).await;
        assert_eq!(pat.rpc("list_clients", &[("archived", "false")]).await.status, 404);
        let unsaid = pat.rpc("open_support_session", &[("id", &agency.workspace_id), ("reason", "  ")]).await;
        assert!(unsaid.error_at("reason").is_some(), "{unsaid:?}");
        let nowhere = uuid::Uuid::now_v7().to_string();
        assert_eq!(pat.rpc("open_support_session", &[("id", &nowhere), ("reason", "x")]).await.status, 404);
        for browser in [&agency.owner, &other.owner, &agency.one.admin] {
            let answer = browser.rpc("open_support_session", &[("id", &other.workspace_id), ("reason", "x")]).await;
            assert_eq!(answer.status, 404, "{answer:?}");
            assert_eq!(browser.rpc("end_support_session", &[]).await.status, 404);
        }
        pat.filled(&format!("/platform/{}", agency.workspace_id), "open_support_session", &[("reason", "Ticket 4711")])
            .await;
        let seen = pat.done("list_clients", &[("archived", "false")]).await.text;
        assert!(seen.contains(&agency.one.secret) && !seen.contains(&other.one.secret), "{seen}");
        assert_eq!(pat.rpc("get_client", &[("id", &other.one.id)]).await.status, 404);
        // The platform's own pages are shut meanwhile, and so are credentials, people and the audit log.
        for name in ["list_workspaces", "platform_queues"] {
            assert_eq!(pat.rpc(name, &[("query[words]", "")]).await.status, 404, "{name}");
        }
        assert_eq!(pat.rpc("list_members", &[]).await.status, 403);
        // Announced to the agency's people, with who and why, and not to its clients.
        let page = agency.member.get("/calls").await.text;
        assert!(page.contains("Ticket 4711") && page.contains("Pat Platform"), "the agency reads it on every page");
        assert!(!agency.one.viewer.get("/calls").await.text.contains("Ticket 4711"));
        assert!(!other.owner.get("/calls").await.text.contains("Ticket 4711"));
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "support_session")]).await.text;
        assert!(
            audit_log.contains("opened") && audit_log.contains("Ticket 4711") && audit_log.contains("Pat Platform"),
            "{audit_log}"
        );
        pat.done("end_support_session", &[]).await;
        assert_eq!(pat.rpc("list_clients", &[("archived", "false")]).await.status, 404);
        pat.done("list_workspaces", &[("query[words]", "")]).await;
        assert!(!agency.member.get("/calls").await.text.contains("Ticket 4711"));
    });
}

#[test]
fn leaving_ends_the_session_too() {
    run(|world| async move {
        let agency = Agency::new(world, "left").await;
        for everywhere in [&[][..], &[("everywhere", "true")][..]] {
            let pat = admin(world).await;
            pat.filled(
                &format!("/platform/{}", agency.workspace_id),
                "open_support_session",
                &[("reason", "Leaving soon")],
            )
            .await;
            assert!(agency.owner.get("/calls").await.text.contains("Leaving soon"));
            pat.done("sign_out", everywhere).await;
            assert_eq!(pat.rpc("who_am_i", &[]).await.status, 401);
            assert!(!agency.owner.get("/calls").await.text.contains("Leaving soon"));
        }
    });
}

#[test]
fn nothing_can_be_changed_in_one() {
    run(|world| async move {
        let agency = Agency::new(world, "untouched").await;
        let pat = admin(world).await;
        pat.filled(&format!("/platform/{}", agency.workspace_id), "open_support_session", &[("reason", "Looking")])
            .await;
        let mut wrong = Vec::new();
        for door in FUNCTIONS.iter().filter(|door| door.changes && !matches!(door.asks, Asks::Nothing)) {
            let fields: Vec<(&str, &str)> = door
                .fields
                .iter()
                .map(|(name, value)| (*name, if value.starts_with('{') { agency.one.id.as_str() } else { *value }))
                .collect();
            let answer = pat.rpc(door.name, &fields).await;
            // 422, and 409 for one's own account: the form is refused before anything else is looked at.
            let own = matches!(door.asks, Asks::Person) && answer.status == 409;
            if !own && !matches!(answer.status, 403 | 404 | 422) {
                wrong.push(format!("{}: {} {}", door.name, answer.status, answer.text));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let right_password = [("current", PASSWORD), ("password", "four green kettles whistle")];
        assert_eq!(pat.rpc("change_password", &right_password).await.status, 403, "not even one's own account");
    });
}

#[test]
fn a_session_ends_by_itself_and_belongs_to_who_opened_it() {
    run(|world| async move {
        let agency = Agency::new(world, "timed").await;
        let (pat, quinn) = (admin(world).await, admin(world).await);
        pat.filled(&format!("/platform/{}", agency.workspace_id), "open_support_session", &[("reason", "Timed")]).await;
        assert_eq!(
            quinn.rpc("list_clients", &[("archived", "false")]).await.status,
            404,
            "another admin is no part of it"
        );
        let sql = format!(
            "update support_sessions set expires_at = now() where workspace_id = '{}' returning reason",
            agency.workspace_id
        );
        owner_lines(world, &sql).await;
        assert_eq!(pat.rpc("list_clients", &[("archived", "false")]).await.status, 404, "an hour later it is over");
        assert!(!agency.owner.get("/calls").await.text.contains("Timed"));
    });
}
