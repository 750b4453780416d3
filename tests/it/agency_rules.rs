//! What an agency asks of its people, and what the platform grants the agency.

use patchbay_access::server::SESSION_PROVED;
use patchbay_platform::server::ops::create_admin;
use serde_json::Value;

use super::support::agency::{PASSWORD, agent_fields, invitation, shown_token};
use super::support::{Agency, Browser, World, age_session, owner_lines, owner_value, run, unique};

async fn platform(world: &World) -> Browser {
    let email = format!("{}@platform.example", unique("plat"));
    create_admin(&world.db, "Pat Platform", &email, PASSWORD).await.expect("an admin");
    Browser::signed_in(world, &email).await
}

fn rules<'a>(
    agency: &'a Agency,
    second_factor: &'a str,
    audit_days: &'a str,
    concurrency: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("name", agency.name.as_str()),
        ("timezone", "UTC"),
        ("second_factor", second_factor),
        ("audit_days", audit_days),
        ("concurrency", concurrency),
    ]
}

#[test]
fn whom_the_rule_binds_sets_up_a_second_factor_before_anything_else() {
    run(|world| async move {
        let agency = Agency::new(world, "rule").await;
        agency.gather().await;
        agency.owner.filled("/settings/agency", "save_agency", &rules(&agency, "agency", "", "")).await;
        // It binds the owner who made it, too.
        for browser in [&agency.owner, &agency.admin, &agency.member] {
            let page = browser.get("/calls").await;
            assert!(page.text.contains("Set up a second factor first"), "{}", page.status);
            assert!(!page.text.contains(&agency.one.secret), "nothing of the agency's stands on it");
            let refused = browser.rpc("list_calls", &[]).await;
            assert!(refused.status == 409 && refused.text.contains("second factor"), "{refused:?}");
            assert_eq!(browser.get("/calls.csv").await.status, 409);
            assert!(browser.get("/settings/security").await.text.contains("Second factor"));
        }
        // Clients' people are not the agency's.
        assert_eq!(agency.one.viewer.rpc("list_calls", &[]).await.status, 200);
        let app = super::second_factor::turn_on(&agency.member).await;
        assert_eq!(agency.member.rpc("list_calls", &[]).await.status, 200, "with one they go on");
        drop(app);
        super::second_factor::turn_on(&agency.owner).await;
        agency.owner.filled("/settings/agency", "save_agency", &rules(&agency, "everybody", "", "")).await;
        assert_eq!(agency.one.viewer.rpc("list_calls", &[]).await.status, 409);
        agency.owner.filled("/settings/agency", "save_agency", &rules(&agency, "nobody", "", "")).await;
        assert_eq!(agency.one.viewer.rpc("list_calls", &[]).await.status, 200);
        let audit_log = agency
            .owner
            .done("list_audit_events", &[("query[action]", "changed"), ("query[entity]", "workspace")])
            .await
            .text;
        assert!(audit_log.contains("second factor") && audit_log.contains("everybody"), "{audit_log}");
    });
}

#[test]
fn only_owners_change_the_agencys_rules_and_bad_ones_are_refused_at_their_fields() {
    run(|world| async move {
        let agency = Agency::new(world, "rulers").await;
        for (browser, status) in [(&agency.admin, 403), (&agency.member, 403), (&agency.one.admin, 404)] {
            assert_eq!(browser.rpc("save_agency", &rules(&agency, "nobody", "", "")).await.status, status);
        }
        let wrong = [
            ("name", " "),
            ("timezone", "Mars/Base"),
            ("second_factor", "x"),
            ("audit_days", "1"),
            ("concurrency", "21"),
        ];
        let refused = agency.owner.rpc("save_agency", &wrong).await;
        for (field, _) in wrong {
            assert!(refused.error_at(field).is_some(), "no message at {field}: {refused:?}");
        }
    });
}

#[test]
fn an_unattended_browser_makes_no_key_and_changes_no_role() {
    run(|world| async move {
        let agency = Agency::new(world, "unattended").await;
        agency.gather().await;
        age_session(world, &agency.owner_email(), SESSION_PROVED, 301).await;
        let viewer =
            agency.one.viewer.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
        let key = [("name", "Sync"), ("scopes[]", "calls:read"), ("rate_limit", "100"), ("days", "30")];
        let role = [("id", viewer.as_str()), ("role", "agency_admin")];
        let doors: [(&str, Vec<(&str, &str)>); 8] = [
            ("create_api_key", key.to_vec()),
            ("change_member_role", role.to_vec()),
            ("make_password_link", vec![("id", &viewer)]),
            ("clear_member_second_factor", vec![("id", &viewer)]),
            ("save_agency", rules(&agency, "nobody", "90", "")),
            ("invite_members", vec![("emails", "me@mallory.example"), ("role", "agency_owner")]),
            ("save_brand_host", vec![("host", "login.mallory.example")]),
            ("save_connection", vec![("provider", "ultravox"), ("mode", "sandbox"), ("api_key", "mine")]),
        ];
        for (door, fields) in &doors {
            let refused = agency.owner.rpc(door, fields).await;
            assert!(refused.error_at("current").is_some(), "{door}: {refused:?}");
        }
        let mut wrong = key.to_vec();
        wrong.push(("current", "not my password"));
        assert!(agency.owner.rpc("create_api_key", &wrong).await.error_at("current").is_some());
        let made: i64 = owner_value(
            world,
            &format!("select count(*) from api_keys where workspace_id = '{}'", agency.workspace_id),
        )
        .await;
        assert_eq!(made, 0);
        // The page asks for it before it is sent, and once is enough for five minutes.
        assert!(agency.owner.get("/settings/api-keys/new").await.text.contains("Your current password"));
        let mut right = key.to_vec();
        right.push(("current", PASSWORD));
        agency.owner.done("create_api_key", &right).await;
        assert!(!agency.owner.get("/settings/api-keys/new").await.text.contains("Your current password"));
        agency
            .owner
            .done("change_member_role", &[("id", &viewer), ("role", "client_admin"), ("client", &agency.one.id)])
            .await;
    });
}

#[test]
fn a_plan_limits_people_clients_and_agents_and_the_platform_can_agree_otherwise() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "limited").await;
        agency.gather().await;
        let pat = platform(world).await;
        let id = agency.workspace_id.as_str();
        let view = pat.done("get_workspace", &[("id", id)]).await.json();
        assert_eq!((view["held"]["clients"].as_i64(), view["held"]["agents"].as_i64()), (Some(2), Some(1)), "{view}");
        assert!(!view.to_string().contains(&agency.one.secret), "nothing of its clients: {view}");
        let people = view["held"]["people"].as_i64().expect("people");
        let (full, more) = (people.to_string(), (people + 3).to_string());
        let terms = [
            ("id", id),
            ("plan", "free"),
            ("people", full.as_str()),
            ("clients", "2"),
            ("agents", "1"),
            ("lines", "3"),
        ];
        pat.filled(&format!("/platform/{id}"), "save_workspace_terms", &terms).await;
        let client = [("name", "One more"), ("timezone", "UTC"), ("monthly_budget", "")];
        let refused = agency.owner.fill("/clients/new", "save_client", &client).await;
        assert!(refused.status == 409 && refused.text.contains("allows 2 clients"), "{refused:?}");
        let refused = agency.owner.rpc("save_agent", &agent_fields("One more", &agency.one.id, &works.prompt)).await;
        assert!(refused.status == 409 && refused.text.contains("allows 1 agent;"), "{refused:?}");
        let mail = |name: &str| format!("{name}@{}.example", agency.name);
        let invite = [("emails", mail("late")), ("role", "agency_member".to_owned())];
        let invite: Vec<(&str, &str)> = invite.iter().map(|(key, value)| (*key, value.as_str())).collect();
        for browser in [&agency.owner, &agency.one.admin] {
            let mut fields = invite.clone();
            if std::ptr::eq(browser, &agency.one.admin) {
                fields[1].1 = "client_viewer";
            }
            let refused = browser.rpc("invite_members", &fields).await;
            assert!(refused.status == 409 && refused.text.contains("people"), "{refused:?}");
        }
        // One place is left, and another client's open invitation takes it: this client's admin, who sees nothing of it, has no room.
        let one_more = (people + 1).to_string();
        let terms = [
            ("id", id),
            ("plan", "free"),
            ("people", one_more.as_str()),
            ("clients", "2"),
            ("agents", "1"),
            ("lines", "3"),
        ];
        pat.done("save_workspace_terms", &terms).await;
        invitation(&agency.owner, &mail("other"), "client_viewer", &agency.two.id).await;
        let fields = [("emails", mail("one-too-many")), ("role", "client_viewer".to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let refused = agency.one.admin.rpc("invite_members", &fields).await;
        assert!(refused.status == 409 && refused.text.contains("people"), "{refused:?}");
        // Archiving makes room, and coming back needs it.
        let settings = format!("/clients/{}/settings", agency.two.id);
        agency.owner.filled(&settings, "set_client_status", &[("status", "archived")]).await;
        agency.owner.filled("/clients/new", "save_client", &client).await;
        let back = agency.owner.fill(&settings, "set_client_status", &[("status", "active")]).await;
        assert_eq!(back.status, 409, "{back:?}");
        // The agency sees what it has; a batch has the agreed lines.
        let page = agency.member.get("/settings/agency").await.text;
        assert!(page.contains("Clients: 2 of 2") && page.contains("of 3"), "the agency reads its limits");
        let terms = [("plan", "pro"), ("people", more.as_str()), ("clients", ""), ("agents", ""), ("lines", "")];
        pat.filled(&format!("/platform/{id}"), "save_workspace_terms", &terms).await;
        invitation(&agency.owner, &mail("late"), "agency_member", "").await;
        agency.owner.filled(&settings, "set_client_status", &[("status", "active")]).await;
        let wrong =
            pat.rpc("save_workspace_terms", &[("id", id), ("plan", "gold"), ("people", "-1"), ("lines", "many")]).await;
        assert!(wrong.error_at("people").is_some() && wrong.error_at("lines").is_some(), "{wrong:?}");
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "workspace")]).await.text;
        assert!(
            audit_log.contains("free") && audit_log.contains("limits") && audit_log.contains("Pat Platform"),
            "{audit_log}"
        );
    });
}

#[test]
fn two_who_add_the_last_one_at_once_do_not_both_come_in() {
    run(|world| async move {
        let agency = Agency::new(world, "last-one").await;
        let pat = platform(world).await;
        let page = format!("/platform/{}", agency.workspace_id);
        pat.filled(&page, "save_workspace_terms", &[("plan", "pro"), ("clients", "3")]).await;
        let mut tasks = tokio::task::JoinSet::new();
        for at in 0..6 {
            let browser = agency.owner.clone();
            tasks.spawn(async move {
                let name = format!("Rush {at}");
                browser.rpc("save_client", &[("name", &name), ("timezone", "UTC"), ("monthly_budget", "")]).await.status
            });
        }
        let mut statuses = Vec::new();
        while let Some(status) = tasks.join_next().await {
            statuses.push(status.expect("an answer"));
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
    });
}

#[test]
fn an_owner_whose_invitation_ran_out_is_invited_again_and_the_old_link_is_dead() {
    run(|world| async move {
        let pat = platform(world).await;
        let name = unique("Founders");
        let address = format!("{}@founders.example", unique("fay"));
        let fields = [("workspace", name.as_str()), ("email", &address), ("plan", "pro"), ("timezone", "UTC")];
        pat.filled("/platform/new", "create_workspace", &fields).await;
        let old = shown_token(&pat).await;
        let rows = pat.done("list_workspaces", &[("query[words]", &name)]).await.json();
        let id = rows["rows"][0]["id"].as_str().expect("a workspace").to_owned();
        owner_lines(
            world,
            &format!("update invitations set expires_at = now() where workspace_id = '{id}' returning email"),
        )
        .await;
        assert!(pat.rpc("invite_workspace_owner", &[("id", &id), ("email", "x")]).await.error_at("email").is_some());
        let page = format!("/platform/{id}");
        pat.filled(&page, "invite_workspace_owner", &[("email", &address)]).await;
        let new = shown_token(&pat).await;
        let accept = |token: String| async move {
            let browser = Browser::new(world);
            let fields = [("token", token.as_str()), ("name", "Fay Founder"), ("password", PASSWORD)];
            (browser.rpc("accept_invitation", &fields).await.status, browser)
        };
        assert_eq!(accept(old).await.0, 409);
        let (status, owner) = accept(new).await;
        assert_eq!(status, 200);
        assert_eq!(owner.done("who_am_i", &[]).await.json()["role"], Value::from("agency_owner"));
        let again = pat.rpc("invite_workspace_owner", &[("id", &id), ("email", &address)]).await;
        assert_eq!(again.status, 409, "an agency with an owner invites for itself: {again:?}");
    });
}

#[test]
fn a_platform_admins_session_is_short() {
    run(|world| async move {
        let email = format!("{}@platform.example", unique("short"));
        create_admin(&world.db, "Pat Platform", &email, PASSWORD).await.expect("an admin");
        for (key, seconds) in [("seen", 3601), ("started", 8 * 3600 + 1)] {
            let pat = Browser::signed_in(world, &email).await;
            pat.done("platform_queues", &[]).await;
            age_session(world, &email, key, seconds).await;
            assert_eq!(pat.rpc("platform_queues", &[]).await.status, 401, "{key}");
        }
        let agency = Agency::new(world, "long").await;
        agency.owner.done("list_calls", &[]).await;
        age_session(world, &agency.owner_email(), "seen", 3601).await;
        agency.owner.done("list_calls", &[]).await;
        age_session(world, &agency.owner_email(), "seen", 12 * 3600 + 1).await;
        assert_eq!(agency.owner.rpc("list_calls", &[]).await.status, 401);
    });
}

#[test]
fn every_settings_page_says_that_it_is_one() {
    run(|world| async move {
        let agency = Agency::new(world, "places").await;
        agency.gather().await;
        // The page's own list of settings names the profile as the current page on that page alone.
        let (entry, crumb) =
            ("<a href=\"/settings/profile\" aria-current=\"page\"", "<a href=\"/settings/profile\">Settings<");
        for page in [
            "/settings/security",
            "/settings/agency",
            "/settings/users",
            "/settings/users/new",
            "/settings/api-keys",
            "/settings/api-keys/new",
            "/settings/brand",
            "/settings/audit",
            "/queues",
        ] {
            let shown = agency.owner.get(page).await;
            assert_eq!(shown.status, 200, "{page}");
            assert!(shown.text.contains(entry), "{page}: the sidebar's Settings is the current entry");
            assert!(shown.text.contains(crumb), "{page}: Settings stands above it");
        }
        assert!(!agency.owner.get("/dashboard").await.text.contains(entry));
    });
}
