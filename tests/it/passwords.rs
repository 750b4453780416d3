//! New passwords, forgotten ones, and where somebody is signed in.

use super::support::agency::{PASSWORD, shown_token};
use super::support::{Agency, Browser, owner_lines, owner_value, run};

const NEW: &str = "four green kettles whistle";

#[test]
fn a_changed_password_ends_every_other_session() {
    run(|world| async move {
        let agency = Agency::new(world, "change").await;
        let email = format!("owner@{}.example", agency.name);
        let elsewhere = Browser::signed_in(world, &email).await;
        let wrong = agency.owner.rpc("change_password", &[("current", "not this one"), ("password", NEW)]).await;
        assert!(wrong.error_at("current").is_some(), "{wrong:?}");
        let weak = agency.owner.rpc("change_password", &[("current", PASSWORD), ("password", "qwertyuiop")]).await;
        assert!(weak.error_at("password").is_some(), "{weak:?}");
        let fields = [("current", PASSWORD), ("password", NEW)];
        agency.owner.filled("/settings/security", "change_password", &fields).await;
        assert_eq!(elsewhere.rpc("who_am_i", &[]).await.status, 401);
        assert_eq!(agency.owner.rpc("who_am_i", &[]).await.status, 200);
        let old = Browser::new(world).rpc("sign_in", &[("email", &email), ("password", PASSWORD)]).await;
        assert_eq!(old.status, 422);
        Browser::new(world).done("sign_in", &[("email", &email), ("password", NEW)]).await;
    });
}

#[test]
fn a_link_for_a_new_password_works_once_and_ends_every_session() {
    run(|world| async move {
        let agency = Agency::new(world, "reset").await;
        let me = agency.member.done("who_am_i", &[]).await.json();
        let (id, email) = (me["user_id"].as_str().expect("an id"), me["email"].as_str().expect("an address"));
        // Who may not, does not; and nobody makes one for somebody above them.
        assert_eq!(agency.member.rpc("make_password_link", &[("id", id)]).await.status, 403);
        let owner = agency.owner.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
        assert_eq!(agency.admin.rpc("make_password_link", &[("id", &owner)]).await.status, 403);
        let their_page = format!("/settings/users/{id}");
        agency.admin.filled(&their_page, "make_password_link", &[]).await;
        let first = shown_token(&agency.admin).await;
        agency.admin.filled(&their_page, "make_password_link", &[]).await;
        let token = shown_token(&agency.admin).await;
        let stranger = Browser::new(world);
        let choose = |token: String, password: &'static str| {
            let stranger = stranger.clone();
            async move { stranger.rpc("choose_password", &[("token", &token), ("password", password)]).await }
        };
        assert_eq!(choose(first, NEW).await.status, 409, "a newer link replaces the older");
        assert_eq!(choose(format!("{token}x"), NEW).await.status, 409, "a forged one is refused");
        assert_eq!(choose("nonsense".into(), NEW).await.status, 409);
        let page = stranger.get(&format!("/reset/{token}")).await;
        assert!(page.status == 200 && page.text.contains(email) && !page.text.contains(".wasm"), "{}", page.text);
        let weak = choose(token.clone(), "password").await;
        assert!(weak.error_at("password").is_some(), "{weak:?}");
        let chosen = choose(token.clone(), NEW).await;
        assert_eq!((chosen.status, chosen.location.as_deref()), (200, Some("/login?chosen=1")), "{chosen:?}");
        assert_eq!(choose(token, NEW).await.status, 409, "a link works once");
        assert_eq!(agency.member.rpc("who_am_i", &[]).await.status, 401, "every session has ended");
        stranger.done("sign_in", &[("email", email), ("password", NEW)]).await;
        // Too old.
        agency.admin.filled(&their_page, "make_password_link", &[]).await;
        let token = shown_token(&agency.admin).await;
        owner_lines(
            world,
            &format!("update password_resets set expires_at = now() where user_id = '{id}' returning 'x'"),
        )
        .await;
        assert_eq!(choose(token, NEW).await.status, 409);
        // The audit log says who made it; the table holds no link.
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "user")]).await.text;
        assert!(
            audit_log.contains("made a link for a new password") && audit_log.contains("chose a new password by link"),
            "{audit_log}"
        );
    });
}

#[test]
fn without_a_mail_server_nobody_is_promised_a_mail() {
    run(|world| async move {
        let browser = Browser::new(world);
        let page = browser.get("/forgot").await;
        assert!(page.status == 200 && page.text.contains("sends no e-mail"), "{}", page.text);
        assert_eq!(browser.rpc("ask_for_password", &[("email", "ada@example.com")]).await.status, 409);
    });
}

#[test]
fn everybody_sees_their_own_sessions_and_ends_them() {
    run(|world| async move {
        let agency = Agency::new(world, "places").await;
        let email = format!("owner@{}.example", agency.name);
        let other = Browser::new(world);
        let request = other
            .raw(reqwest::Method::POST, "/rpc/sign_in")
            .header("origin", &world.base)
            .header("user-agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0")
            .form(&[("email", email.as_str()), ("password", PASSWORD)]);
        assert!(Browser::answer(request).await.status < 400);
        let rows = agency.owner.done("list_sessions", &[]).await.json();
        let rows = rows.as_array().expect("rows");
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert_eq!(
            (rows[0]["is_this"].as_bool(), rows[1]["device"].as_str()),
            (Some(true), Some("Firefox on Windows"))
        );
        assert_eq!(rows[1]["ip"], "127.0.0.1");
        let id = rows[1]["id"].as_str().expect("an id").to_owned();
        // Not somebody else's.
        agency.admin.done("end_session", &[("id", &id)]).await;
        assert_eq!(other.rpc("who_am_i", &[]).await.status, 200);
        agency.owner.filled("/settings/security", "end_session", &[("id", &id)]).await;
        agency.owner.done("end_session", &[("id", &id)]).await;
        assert_eq!(other.rpc("who_am_i", &[]).await.status, 401);
        assert_eq!(agency.owner.rpc("end_session", &[("id", "no id")]).await.status, 404);
        // The audit log has one line for it, and the id of a session is in none.
        let ended: i64 = owner_value(
            world,
            &format!(
                "select count(*) from audit_events where workspace_id = '{}' and action = 'ended a session'",
                agency.workspace_id
            ),
        )
        .await;
        assert_eq!(ended, 1);
    });
}
