//! Signing in with a second factor: the code counts once, guessing slows down, and recovery codes are for lost phones.

use chrono::Utc;
use totp_rs::{Algorithm, Builder, Totp};

use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, World, owner_lines, owner_value, run};

/// The authenticator app.
fn app(secret: &str) -> Totp {
    let secret = totp_rs::Secret::try_from_base32(secret.replace(' ', "")).expect("base32");
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(secret)
        .build()
        .expect("an app")
}

fn code(app: &Totp, steps: i64) -> String {
    app.generate((Utc::now().timestamp() + 30 * steps).unsigned_abs()).to_string()
}

/// Turns the second factor on; gives the app and the recovery codes.
pub async fn turn_on(browser: &Browser) -> (Totp, Vec<String>) {
    browser.done("begin_second_factor", &[("current", PASSWORD)]).await;
    let state = browser.done("get_second_factor", &[]).await.json();
    let app = app(state["setup"]["secret"].as_str().expect("a key"));
    browser.done("confirm_second_factor", &[("code", &code(&app, 0))]).await;
    let state = browser.done("get_second_factor", &[]).await.json();
    let codes: Vec<String> = serde_json::from_value(state["new_codes"].clone()).expect("codes");
    assert_eq!((state["is_on"].as_bool(), codes.len()), (Some(true), 10), "{state}");
    (app, codes)
}

/// The password step of somebody with a second factor.
async fn half_way(world: &World, email: &str, address: &str) -> Browser {
    let browser = Browser::from_address(world, address);
    let answer = browser.rpc("sign_in", &[("email", email), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(browser.rpc("who_am_i", &[]).await.status, 401, "the password alone signs nobody in");
    browser
}

/// Lets the last code be forgotten, as if thirty seconds had passed.
async fn wait_for_the_next_code(world: &World, email: &str) {
    owner_lines(world, &format!("update users set totp_last_step = 0 where email = '{email}' returning email")).await;
}

#[test]
fn a_password_alone_opens_nothing_and_a_code_counts_once() {
    run(|world| async move {
        let agency = Agency::new(world, "factor").await;
        let email = format!("owner@{}.example", agency.name);
        let elsewhere = Browser::signed_in(world, &email).await;
        let (app, codes) = turn_on(&agency.owner).await;
        assert_eq!(elsewhere.rpc("who_am_i", &[]).await.status, 401, "sessions without the second factor end");
        assert_eq!(agency.owner.rpc("who_am_i", &[]).await.status, 200, "the one that turned it on goes on");
        // New codes are shown once.
        let state = agency.owner.done("get_second_factor", &[]).await.json();
        assert_eq!(state["new_codes"], serde_json::json!([]));
        // The code that turned it on is spent.
        let browser = half_way(world, &email, "127.0.0.1").await;
        let used: i64 = owner_value(world, &format!("select totp_last_step from users where email = '{email}'")).await;
        let replay = app.generate(used.unsigned_abs() * 30).to_string();
        assert_eq!(browser.rpc("verify_second_factor", &[("code", &replay)]).await.status, 422, "a code counts once");
        wait_for_the_next_code(world, &email).await;
        browser.done("verify_second_factor", &[("code", &code(&app, 0))]).await;
        assert_eq!(browser.done("who_am_i", &[]).await.json()["email"], email.as_str());
        // A recovery code, however it is typed, and once.
        let browser = half_way(world, &email, "127.0.0.1").await;
        let typed = format!(" {} ", codes[3].to_uppercase().replace('-', " "));
        browser.done("verify_second_factor", &[("code", &typed)]).await;
        let again = half_way(world, &email, "127.0.0.1").await;
        assert_eq!(again.rpc("verify_second_factor", &[("code", &codes[3])]).await.status, 422);
        assert_eq!(browser.done("get_second_factor", &[]).await.json()["codes_left"], 9);
        // Nothing of it lies readable in the database.
        let sealed: String =
            owner_value(world, &format!("select totp_secret from users where email = '{email}'")).await;
        assert!(sealed.starts_with("gAAAA"), "a Fernet token: {sealed}");
    });
}

#[test]
fn guessing_codes_slows_down_and_the_step_cannot_be_skipped() {
    run(|world| async move {
        let agency = Agency::new(world, "codes").await;
        let email = format!("owner@{}.example", agency.name);
        let (app, _) = turn_on(&agency.owner).await;
        wait_for_the_next_code(world, &email).await;
        let nobody = Browser::new(world);
        assert_eq!(nobody.rpc("verify_second_factor", &[("code", &code(&app, 0))]).await.status, 409);
        let guesser = half_way(world, &email, "127.0.0.21").await;
        for wrong in ["000000", "", "12345", "abcdef", "9999999999"] {
            let answer = guesser.rpc("verify_second_factor", &[("code", wrong)]).await;
            assert!(answer.status == 422 && answer.error_at("code").is_some(), "{wrong}: {answer:?}");
        }
        let right = guesser.rpc("verify_second_factor", &[("code", &code(&app, 0))]).await;
        assert_eq!(right.status, 429, "after five wrong ones even the right one waits: {right:?}");
        // From another address it waits as well: the guesser knows the password.
        let other = half_way(world, &email, "127.0.0.22").await;
        assert_eq!(other.rpc("verify_second_factor", &[("code", &code(&app, 0))]).await.status, 429);
    });
}

#[test]
fn turning_it_on_off_and_new_codes_ask_for_the_password() {
    run(|world| async move {
        let agency = Agency::new(world, "switch").await;
        let owner = &agency.owner;
        let wrong = owner.rpc("begin_second_factor", &[("current", "not this one")]).await;
        assert!(wrong.error_at("current").is_some(), "{wrong:?}");
        let unasked = owner.rpc("confirm_second_factor", &[("code", "123456")]).await;
        assert_eq!(unasked.status, 409, "{unasked:?}");
        let (_, codes) = turn_on(owner).await;
        for name in ["turn_off_second_factor", "make_recovery_codes"] {
            let answer = owner.rpc(name, &[("current", "not this one")]).await;
            assert!(answer.error_at("current").is_some(), "{name}: {answer:?}");
        }
        owner.done("make_recovery_codes", &[("current", PASSWORD)]).await;
        let new: Vec<String> =
            serde_json::from_value(owner.done("get_second_factor", &[]).await.json()["new_codes"].clone())
                .expect("codes");
        let email = format!("owner@{}.example", agency.name);
        let browser = half_way(world, &email, "127.0.0.1").await;
        assert_eq!(
            browser.rpc("verify_second_factor", &[("code", &codes[0])]).await.status,
            422,
            "old codes are worth nothing"
        );
        browser.done("verify_second_factor", &[("code", &new[0])]).await;
        browser.done("turn_off_second_factor", &[("current", PASSWORD)]).await;
        Browser::signed_in(world, &email).await.done("who_am_i", &[]).await;
    });
}

#[test]
fn an_owner_helps_somebody_who_has_lost_the_phone() {
    run(|world| async move {
        let agency = Agency::new(world, "lost").await;
        turn_on(&agency.admin).await;
        let me = agency.admin.done("who_am_i", &[]).await.json();
        let (id, email) = (me["user_id"].as_str().expect("an id"), me["email"].as_str().expect("an address"));
        assert_eq!(agency.member.rpc("clear_member_second_factor", &[("id", id)]).await.status, 403);
        agency.owner.done("clear_member_second_factor", &[("id", id)]).await;
        assert_eq!(agency.admin.rpc("who_am_i", &[]).await.status, 401, "their sessions end");
        Browser::signed_in(world, email).await.done("who_am_i", &[]).await;
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "user")]).await.text;
        assert!(audit_log.contains("cleared the second factor"), "{audit_log}");
    });
}

#[test]
fn a_burst_of_guesses_side_by_side_gets_no_further_than_the_same_in_a_row() {
    run(|world| async move {
        let agency = Agency::new(world, "burst").await;
        let email = format!("owner@{}.example", agency.name);
        turn_on(&agency.owner).await;
        let guesser = half_way(world, &email, "127.0.0.23").await;
        let guesses = (0..30).map(|guess| {
            let guesser = guesser.clone();
            async move { guesser.rpc("verify_second_factor", &[("code", &format!("{guess:06}"))]).await.status }
        });
        let answers = futures::future::join_all(guesses).await;
        assert_eq!(answers.iter().filter(|status| **status == 422).count(), 5, "five are judged: {answers:?}");
        let passwords =
            (0..30).map(|guess| {
                let guesser = Browser::from_address(world, "127.0.0.24");
                let email = format!("admin@{}.example", agency.name);
                async move {
                    guesser.rpc("sign_in", &[("email", &email), ("password", &format!("guess {guess}"))]).await.status
                }
            });
        let answers = futures::future::join_all(passwords).await;
        assert_eq!(answers.iter().filter(|status| **status == 422).count(), 5, "{answers:?}");
    });
}
