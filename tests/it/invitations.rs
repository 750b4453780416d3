//! How people are let in, and how nobody lets themselves in.

use super::support::agency::{PASSWORD, invitation, shown_token};
use super::support::{Agency, Browser, owner_lines, owner_value, run, unique};

const SPENT: &str = "This invitation has been used";

/// Makes the account that a link is for.
async fn accept(world: &super::support::World, token: &str, name: &str) -> (Browser, super::support::Answer) {
    let browser = Browser::new(world);
    let fields = [("token", token), ("name", name), ("password", PASSWORD)];
    let answer = browser.rpc("accept_invitation", &fields).await;
    (browser, answer)
}

#[test]
fn many_are_invited_at_once_and_each_comes_in_with_the_role_they_were_given() {
    run(|world| async move {
        let agency = Agency::new(world, "inviting").await;
        let domain = format!("{}.example", unique("guests"));
        let pasted = format!("Ada Able <ada@{domain}>, bob@{domain};\ncarl@{domain} ADA@{domain}");
        let fields = [("emails", pasted.as_str()), ("role", "agency_member")];
        agency.owner.filled("/settings/users/new", "invite_members", &fields).await;
        let shown = agency.owner.done("take_links", &[]).await.json();
        let links = shown["links"].as_array().expect("links").clone();
        assert_eq!(links.len(), 3, "an address counts once: {shown}");
        // Shown once.
        assert_eq!(agency.owner.done("take_links", &[]).await.text, "null");
        for link in &links {
            let token = link["link"].as_str().expect("a link").rsplit('/').next().expect("a token");
            let page = Browser::new(world).get(&format!("/invite/{token}")).await;
            assert!(
                page.status == 200 && page.text.contains(&agency.name),
                "the page names the agency: {}",
                page.status
            );
            let browser = Browser::new(world);
            let fields = [("name", "Gabi Guest"), ("password", PASSWORD)];
            browser.filled(&format!("/invite/{token}"), "accept_invitation", &fields).await;
            let me = browser.done("who_am_i", &[]).await.json();
            assert_eq!((me["role"].as_str(), me["email"].as_str()), (Some("agency_member"), link["email"].as_str()));
        }
        let list = agency.owner.done("list_invitations", &[("status", "accepted")]).await.text;
        assert!(list.contains(&format!("carl@{domain}")), "{list}");
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "invitation")]).await.text;
        assert!(audit_log.contains(&format!("ada@{domain}")), "{audit_log}");
    });
}

#[test]
fn a_link_works_once_and_a_changed_withdrawn_or_old_one_never() {
    run(|world| async move {
        let agency = Agency::new(world, "links").await;
        let mail = |name: &str| format!("{name}@{}.example", agency.name);
        // Once.
        let token = invitation(&agency.owner, &mail("once"), "agency_member", "").await;
        assert_eq!(accept(world, &token, "Once").await.1.status, 200);
        let again = accept(world, &token, "Twice").await.1;
        assert!(again.status == 409 && again.text.contains(SPENT), "{again:?}");
        // Changed: another secret, another invitation's id, another agency's id, rubbish.
        let token = invitation(&agency.owner, &mail("forged"), "agency_member", "").await;
        let other = invitation(&agency.owner, &mail("other"), "agency_owner", "").await;
        let stranger = Agency::new(world, "links-stranger").await;
        let parts: Vec<&str> = token.split('.').collect();
        let [workspace, id, secret] = parts[..] else { panic!("{token}") };
        let other_id = other.split('.').nth(1).expect("an id");
        let elsewhere = stranger.workspace_id.replace('-', "");
        let forged = [
            format!("{workspace}.{id}.{}x", &secret[..42]),
            format!("{workspace}.{other_id}.{secret}"),
            format!("{elsewhere}.{id}.{secret}"),
            format!("{workspace}.{id}."),
            "x".into(),
            "' or 1=1 --".into(),
        ];
        for bad in &forged {
            let answer = accept(world, bad, "Mallory").await.1;
            assert!(answer.status == 409 && answer.text.contains(SPENT), "{bad}: {answer:?}");
            assert_eq!(Browser::new(world).rpc("open_invitation", &[("token", bad)]).await.text, answer.text);
        }
        // Replaced by inviting again: the old link is dead, the new one lives.
        let newer = invitation(&agency.owner, &mail("forged"), "agency_member", "").await;
        assert_eq!(accept(world, &token, "Old link").await.1.status, 409);
        assert_eq!(accept(world, &newer, "New link").await.1.status, 200);
        // Withdrawn.
        let id = uuid::Uuid::parse_str(other_id).expect("an id").to_string();
        let list = "/settings/users/invitations";
        agency.owner.filled(list, "withdraw_invitation", &[("id", &id)]).await;
        agency.owner.done("withdraw_invitation", &[("id", &id)]).await;
        assert_eq!(accept(world, &other, "Late").await.1.status, 409);
        // Too old.
        let token = invitation(&agency.owner, &mail("slow"), "agency_member", "").await;
        let sql = format!("update invitations set expires_at = now() where email = '{}' returning email", mail("slow"));
        owner_lines(world, &sql).await;
        assert_eq!(accept(world, &token, "Slow").await.1.status, 409);
        // A new link for it.
        let slow: String =
            owner_value(world, &format!("select id::text from invitations where email = '{}'", mail("slow"))).await;
        agency.owner.filled(list, "resend_invitation", &[("id", &slow)]).await;
        let token = shown_token(&agency.owner).await;
        assert_eq!(accept(world, &token, "Slow").await.1.status, 200);
    });
}

#[test]
fn of_two_who_use_a_link_at_the_same_time_one_comes_in() {
    run(|world| async move {
        let agency = Agency::new(world, "racing").await;
        let token = invitation(&agency.owner, &format!("race@{}.example", agency.name), "agency_member", "").await;
        let tries = (0..6).map(|_| accept(world, &token, "Racer"));
        let answers = futures::future::join_all(tries).await;
        let came_in = answers.iter().filter(|(_, answer)| answer.status == 200).count();
        assert_eq!(came_in, 1, "{:?}", answers.iter().map(|(_, answer)| answer.status).collect::<Vec<_>>());
    });
}

#[test]
fn nobody_gives_a_role_above_their_own_or_reaches_another_client() {
    run(|world| async move {
        let agency = Agency::new(world, "raising").await;
        let stranger = Agency::new(world, "raising-stranger").await;
        let mail = || format!("{}@raise.example", unique("r"));
        let cases = [
            (&agency.admin, "agency_owner", ""),
            (&agency.admin, "admin", ""),
            (&agency.owner, "admin", ""),
            (&agency.one.admin, "client_admin", agency.one.id.as_str()),
            (&agency.one.admin, "agency_member", ""),
            (&agency.owner, "client_viewer", ""),
            (&agency.owner, "nonsense", ""),
        ];
        for (who, role, client) in cases {
            let answer = who.rpc("invite_members", &[("emails", &mail()), ("role", role), ("client", client)]).await;
            assert_eq!(answer.status, 422, "{role}: {answer:?}");
        }
        // Another agency's client, and a sister client by a client's admin, who always acts for their own.
        let foreign = [("emails", &*mail()), ("role", "client_viewer"), ("client", stranger.one.id.as_str())];
        assert!(agency.owner.rpc("invite_members", &foreign).await.error_at("client").is_some());
        let email = mail();
        let crafted = [("emails", email.as_str()), ("role", "client_viewer"), ("client", agency.two.id.as_str())];
        agency.one.admin.done("invite_members", &crafted).await;
        let token = shown_token(&agency.one.admin).await;
        let (viewer, answer) = accept(world, &token, "Own Client").await;
        assert_eq!(answer.status, 200);
        assert_eq!(viewer.done("who_am_i", &[]).await.json()["client"]["id"], agency.one.id.as_str());
        // A field that nobody asked for raises nothing.
        let token = invitation(&agency.owner, &mail(), "agency_member", "").await;
        let browser = Browser::new(world);
        let crafted = [("token", token.as_str()), ("name", "Crafty"), ("password", PASSWORD), ("role", "agency_owner")];
        browser.done("accept_invitation", &crafted).await;
        assert_eq!(browser.done("who_am_i", &[]).await.json()["role"], "agency_member");
        // Roles of others: not above one's own, not one's own, not the last owner's.
        let id = |browser: &Browser| {
            let browser = browser.clone();
            async move { browser.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned() }
        };
        let (owner, member) = (id(&agency.owner).await, id(&agency.member).await);
        let demote = agency.admin.rpc("change_member_role", &[("id", &owner), ("role", "agency_member")]).await;
        assert_eq!(demote.status, 403, "{demote:?}");
        let raise = agency.admin.rpc("change_member_role", &[("id", &member), ("role", "agency_owner")]).await;
        assert_eq!(raise.status, 422, "{raise:?}");
        let own = agency.owner.rpc("change_member_role", &[("id", &owner), ("role", "agency_member")]).await;
        assert_eq!(own.status, 409, "{own:?}");
    });
}

#[test]
fn a_new_role_counts_at_once_and_an_agency_always_has_an_owner() {
    run(|world| async move {
        let agency = Agency::new(world, "roles").await;
        let me = |browser: &Browser| {
            let browser = browser.clone();
            async move { browser.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned() }
        };
        let (admin, member) = (me(&agency.admin).await, me(&agency.member).await);
        let page = format!("/settings/users/{admin}");
        agency.owner.filled(&page, "change_member_role", &[("role", "agency_owner")]).await;
        assert_eq!(agency.admin.rpc("who_am_i", &[]).await.status, 401, "whoever gets another role signs in again");
        // Two owners take the role from each other at the same moment: one stays.
        let email: String = owner_value(world, &format!("select email from users where id = '{admin}'")).await;
        let second = Browser::signed_in(world, &email).await;
        let first = me(&agency.owner).await;
        let (a, b) = futures::future::join(
            agency.owner.rpc("change_member_role", &[("id", &admin), ("role", "agency_member")]),
            second.rpc("change_member_role", &[("id", &first), ("role", "agency_member")]),
        )
        .await;
        let owners: i64 = owner_value(
            world,
            &format!(
                "select count(*) from users where workspace_id = '{}' and role = 'agency_owner' and status = 'active'",
                agency.workspace_id
            ),
        )
        .await;
        assert_eq!(owners, 1, "{a:?} {b:?}");
        // The agency belongs to the one who is left.
        let theirs: bool = owner_value(
            world,
            &format!(
                "select u.role = 'agency_owner' from workspaces w join users u on u.id = w.owner_id where w.id = '{}'",
                agency.workspace_id
            ),
        )
        .await;
        assert!(theirs);
        // From agency to client and back: the client goes with the role.
        let left = if a.status == 200 { &agency.owner } else { &second };
        let to_client = [("role", "client_viewer"), ("client", agency.two.id.as_str())];
        let page = format!("/settings/users/{member}");
        left.filled(&page, "change_member_role", &to_client).await;
        let view = left.done("get_member", &[("id", &member)]).await.json();
        assert_eq!(view["client_id"], agency.two.id.as_str());
        let back = [("role", "agency_member"), ("client", agency.two.id.as_str())];
        left.filled(&page, "change_member_role", &back).await;
        assert!(left.done("get_member", &[("id", &member)]).await.json()["client_id"].is_null());
    });
}

#[test]
fn an_invitation_says_what_is_wrong_with_it() {
    run(|world| async move {
        let agency = Agency::new(world, "wrong").await;
        let cases =
            [("", "at least one"), ("ada@", "Not an e-mail address: ada@"), ("ada@example.com, nonsense", "nonsense")];
        for (emails, words) in cases {
            let fields = [("emails", emails), ("role", "agency_member")];
            let answer = agency.owner.fill("/settings/users/new", "invite_members", &fields).await;
            let message = answer.error_at("emails").unwrap_or_default();
            assert!(answer.status == 422 && message.contains(words), "{emails}: {answer:?}");
        }
        let many: String = (0..101).map(|n| format!("p{n}@many.example\n")).collect();
        let answer = agency.owner.rpc("invite_members", &[("emails", &many), ("role", "agency_member")]).await;
        assert!(answer.error_at("emails").is_some_and(|message| message.contains("101")), "{answer:?}");
        let known = format!("OWNER@{}.example", agency.name);
        let answer = agency.owner.rpc("invite_members", &[("emails", &known), ("role", "agency_member")]).await;
        assert!(answer.error_at("emails").is_some_and(|message| message.contains("Already here")), "{answer:?}");
        // A weak password and an empty name are said at their fields, and the link is still good.
        let token = invitation(&agency.owner, "weak@weak.example", "agency_member", "").await;
        for (name, password, field) in
            [("Will", "password1", "password"), ("Will", "short", "password"), (" ", PASSWORD, "name")]
        {
            let fields = [("name", name), ("password", password)];
            let answer = Browser::new(world).fill(&format!("/invite/{token}"), "accept_invitation", &fields).await;
            assert!(answer.status == 422 && answer.error_at(field).is_some(), "{name} {password}: {answer:?}");
        }
        assert_eq!(accept(world, &token, "Will").await.1.status, 200);
    });
}

#[test]
fn a_clients_admin_looks_after_that_clients_viewers_and_nobody_else() {
    run(|world| async move {
        let agency = Agency::new(world, "viewers").await;
        let id = |browser: &Browser| {
            let browser = browser.clone();
            async move { browser.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned() }
        };
        let (own, sister) = (id(&agency.one.viewer).await, id(&agency.two.viewer).await);
        let admin = &agency.one.admin;
        let page = format!("/settings/users/{own}");
        admin.filled(&page, "set_member_status", &[("status", "suspended")]).await;
        assert_eq!(agency.one.viewer.rpc("who_am_i", &[]).await.status, 401);
        admin.filled(&page, "set_member_status", &[("status", "active")]).await;
        admin.filled(&page, "make_password_link", &[]).await;
        for name in ["sign_member_out", "make_password_link", "clear_member_second_factor", "get_member"] {
            assert_eq!(admin.rpc(name, &[("id", &sister)]).await.status, 404, "{name}");
            assert_ne!(admin.rpc(name, &[("id", &own)]).await.status, 404, "{name}");
        }
        assert_eq!(admin.rpc("set_member_status", &[("id", &sister), ("status", "suspended")]).await.status, 404);
    });
}
