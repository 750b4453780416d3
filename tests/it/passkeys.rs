//! Passkeys: they sign in alone or after the password, and nothing but a fresh answer of the right one does.

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tower_sessions::session::Record;

use super::support::agency::PASSWORD;
use super::support::{Agency, Answer, Authenticator, Browser, World, owner_lines, owner_value, run};

/// Adds a passkey that a new device makes.
async fn add(world: &World, browser: &Browser, name: &str) -> Authenticator {
    let mut device = Authenticator::new(world);
    add_with(browser, &mut device, name).await;
    device
}

async fn add_with(browser: &Browser, device: &mut Authenticator, name: &str) {
    let options = begin(browser).await;
    browser.done("add_passkey", &[("name", name), ("answer", &device.make(&options))]).await;
}

/// The question for a new passkey.
async fn begin(browser: &Browser) -> Value {
    browser.done("begin_passkey", &[("current", PASSWORD)]).await;
    let state = browser.done("list_passkeys", &[]).await.json();
    serde_json::from_str(state["setup"]["options"].as_str().expect("options")).expect("JSON")
}

/// The question for signing in.
async fn ask(browser: &Browser, second: bool) -> Value {
    let asked = browser.done("ask_for_passkey", &[("second", &second.to_string())]).await;
    serde_json::from_str(asked.json().as_str().expect("options")).expect("JSON")
}

async fn send(browser: &Browser, second: bool, answer: &str) -> Answer {
    browser.rpc("sign_in_with_passkey", &[("second", &second.to_string()), ("answer", answer)]).await
}

/// Asks, signs and sends.
async fn sign_in(browser: &Browser, device: &mut Authenticator, second: bool) -> Answer {
    let options = ask(browser, second).await;
    send(browser, second, &device.sign(&options)).await
}

/// The password step.
async fn half_way(world: &World, email: &str) -> Browser {
    let browser = Browser::new(world);
    browser.done("sign_in", &[("email", email), ("password", PASSWORD)]).await;
    assert_eq!(browser.rpc("who_am_i", &[]).await.status, 401, "the password alone signs nobody in");
    browser
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.rpc("who_am_i", &[]).await.status == 200
}

/// What is made wrong about an answer.
type Tampering = Box<dyn Fn(&mut Authenticator)>;

/// The address that somebody signs in with.
async fn email(browser: &Browser) -> String {
    browser.done("who_am_i", &[]).await.json()["email"].as_str().expect("an address").to_owned()
}

#[test]
fn a_passkey_signs_in_alone_and_after_the_password() {
    run(|world| async move {
        let agency = Agency::new(world, "passkey").await;
        let email = agency.owner_email();
        let elsewhere = Browser::signed_in(world, &email).await;
        let mut device = add(world, &agency.owner, "Work laptop").await;
        assert!(!is_signed_in(&elsewhere).await, "sessions without the second factor end");
        let state = agency.owner.done("get_second_factor", &[]).await.json();
        let codes: Vec<String> = serde_json::from_value(state["new_codes"].clone()).expect("codes");
        assert_eq!(
            (state["is_on"].as_bool(), state["is_awaited"].as_bool(), codes.len()),
            (Some(false), Some(true), 10)
        );

        // Alone.
        let browser = Browser::new(world);
        let question = ask(&browser, false).await;
        assert_eq!(question["userVerification"], "required");
        assert_eq!(question["allowCredentials"], json!([]));
        let answer = send(&browser, false, &device.sign(&question)).await;
        assert_eq!((answer.status, answer.json()), (200, json!("/dashboard")), "{answer:?}");
        assert_eq!(browser.done("who_am_i", &[]).await.json()["email"], email.as_str());
        for (next, place) in [("/calls?batch=1", "/calls?batch=1"), ("//evil.example", "/dashboard")] {
            let browser = Browser::new(world);
            let signed = device.sign(&ask(&browser, false).await);
            let fields = [("second", "false"), ("answer", signed.as_str()), ("next", next)];
            assert_eq!(browser.done("sign_in_with_passkey", &fields).await.json(), json!(place));
        }

        // After the password.
        let browser = half_way(world, &email).await;
        let step = browser.done("get_second_step", &[]).await.json();
        assert_eq!(step, json!({ "app": false, "passkey": true }));
        let question = ask(&browser, true).await;
        assert_eq!(question["allowCredentials"].as_array().map(Vec::len), Some(1), "{question}");
        assert_eq!(send(&browser, true, &device.sign(&question)).await.status, 200);
        assert!(is_signed_in(&browser).await);
        let browser = half_way(world, &email).await;
        browser.done("verify_second_factor", &[("code", &codes[0])]).await;
        assert!(is_signed_in(&browser).await, "recovery codes work without an app");

        let rows = agency.owner.done("list_passkeys", &[]).await.json()["rows"].clone();
        assert_eq!(rows[0]["name"], "Work laptop");
        assert!(!rows[0]["used"].is_null(), "{rows}");
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "user")]).await.text;
        assert!(audit_log.contains("added a passkey"), "{audit_log}");
    });
}

#[test]
fn only_a_fresh_answer_of_the_right_passkey_is_accepted() {
    run(|world| async move {
        let agency = Agency::new(world, "forged").await;
        let device = add(world, &agency.owner, "Phone").await;
        let browser = Browser::from_address(world, "127.0.0.41");
        let other_user: String =
            owner_value(world, &format!("select id::text from users where email = '{}'", email(&agency.admin).await))
                .await;
        let other_user = uuid::Uuid::parse_str(&other_user).expect("an id").as_bytes().to_vec();

        let wrong: [(&str, Tampering); 7] = [
            ("another origin", Box::new(|device| device.origin = "https://evil.example".into())),
            ("another port", Box::new(|device| device.origin = "http://localhost:1".into())),
            ("another host", Box::new(|device| device.host = "evil.example".into())),
            ("nobody was checked", Box::new(|device| device.verifies = false)),
            ("somebody else", Box::new(move |device| device.user.clone_from(&other_user))),
            ("nobody", Box::new(|device| device.user.clear())),
            ("an unknown passkey", Box::new(|device| device.id = vec![7; 16])),
        ];
        let mut sentences = std::collections::BTreeSet::new();
        for (what, spoil) in wrong {
            let mut spoilt = device.clone();
            spoil(&mut spoilt);
            let answer = sign_in(&browser, &mut spoilt, false).await;
            assert_eq!(answer.status, 422, "{what}: {answer:?}");
            sentences.insert(answer.error_at("").unwrap_or_default());
        }
        // A key that the site has never seen, under a name that it knows.
        let mut thief = Authenticator::new(world);
        (thief.id, thief.user) = (device.id.clone(), device.user.clone());
        let answer = sign_in(&browser, &mut thief, false).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        sentences.insert(answer.error_at("").unwrap_or_default());
        for text in ["", "{}", "[1]", &"x".repeat(70_000)] {
            ask(&browser, false).await;
            assert_eq!(send(&browser, false, text).await.status, 422, "{} characters", text.len());
        }
        assert_eq!(sentences.len(), 1, "the answer tells nothing: {sentences:?}");

        // Another challenge, and an answer that was good once.
        let mut device = device;
        let old = device.sign(&ask(&browser, false).await);
        ask(&browser, false).await;
        assert_eq!(send(&browser, false, &old).await.status, 422, "an answer to an earlier question");
        assert_eq!(send(&browser, false, &old).await.status, 409, "a question counts once, also after a wrong answer");
        let good = device.sign(&ask(&browser, false).await);
        assert_eq!(send(&browser, false, &good).await.status, 200);
        let again = Browser::from_address(world, "127.0.0.41");
        assert_eq!(send(&again, false, &good).await.status, 409);
        ask(&again, false).await;
        assert_eq!(send(&again, false, &good).await.status, 422);
        assert!(!is_signed_in(&again).await);
    });
}

#[test]
fn the_second_step_takes_the_persons_own_passkey_only() {
    run(|world| async move {
        let agency = Agency::new(world, "own").await;
        let mut owners = add(world, &agency.owner, "Owner's").await;
        let mut admins = add(world, &agency.admin, "Admin's").await;
        let browser = half_way(world, &agency.owner_email()).await;
        assert_eq!(sign_in(&browser, &mut admins, true).await.status, 422, "somebody else's passkey");
        let mut disguised = admins.clone();
        disguised.user.clone_from(&owners.user);
        assert_eq!(sign_in(&browser, &mut disguised, true).await.status, 422);
        // A question for one way in is none for the other.
        let question = ask(&browser, false).await;
        assert_eq!(send(&browser, true, &owners.sign(&question)).await.status, 409);
        // Some devices do not say whose the passkey is when they are told which to use.
        owners.user.clear();
        let question = ask(&browser, true).await;
        let mut silent: Value = serde_json::from_str(&owners.sign(&question)).expect("JSON");
        silent["response"].as_object_mut().expect("a response").remove("userHandle");
        assert_eq!(send(&browser, true, &silent.to_string()).await.status, 200);
        let nobody = Browser::new(world);
        assert_eq!(nobody.rpc("ask_for_passkey", &[("second", "true")]).await.status, 409, "without the password step");
        assert_eq!(
            nobody.done("get_second_step", &[]).await.json(),
            json!({ "app": false, "passkey": false }),
            "strangers learn nothing"
        );
    });
}

#[test]
fn a_counter_that_goes_back_is_refused() {
    run(|world| async move {
        let agency = Agency::new(world, "counter").await;
        let mut device = Authenticator::new(world);
        device.counter = 5;
        add_with(&agency.owner, &mut device, "Stick").await;
        let browser = Browser::from_address(world, "127.0.0.42");
        assert_eq!(sign_in(&browser, &mut device, false).await.status, 200);
        let mut copy = device.clone();
        copy.counter = 2;
        assert_eq!(sign_in(&browser, &mut copy, false).await.status, 422, "a copy that has been used less");
        copy.counter = device.counter - 1;
        assert_eq!(sign_in(&browser, &mut copy, false).await.status, 422, "as often as the other one");
        assert_eq!(sign_in(&browser, &mut device, false).await.status, 200);
    });
}

#[test]
fn a_question_ends_after_five_minutes() {
    run(|world| async move {
        let agency = Agency::new(world, "slow").await;
        let mut device = add(world, &agency.owner, "Slow").await;
        let browser = Browser::from_address(world, "127.0.0.43");
        let question = ask(&browser, false).await;
        age(world, &question, "passkey to sign in").await;
        let answer = send(&browser, false, &device.sign(&question)).await;
        assert!(answer.status == 409 && answer.text.contains("five minutes"), "{answer:?}");

        let question = begin(&agency.owner).await;
        age(world, &question, "passkey to add").await;
        let state = agency.owner.done("list_passkeys", &[]).await.json();
        assert!(state["setup"].is_null(), "the page asks for the password again: {state}");
        let made = Authenticator::new(world).make(&question);
        let answer = agency.owner.rpc("add_passkey", &[("name", "Late"), ("answer", &made)]).await;
        assert_eq!(answer.status, 409, "{answer:?}");
    });
}

/// Lets a question be five minutes old: changes the session that it lies in.
async fn age(world: &World, question: &Value, kind: &str) {
    let mut owner = PgConnection::connect(&world.owner_url).await.expect("the database");
    let challenge = question["challenge"].as_str().expect("a challenge");
    let (id, data): (Vec<u8>, Vec<u8>) =
        sqlx::query_as("select id_hash, data from sessions where position(convert_to($1, 'UTF8') in data) > 0")
            .bind(challenge)
            .fetch_one(&mut owner)
            .await
            .expect("the session with the question");
    let mut record: Record = rmp_serde::from_slice(&data).expect("a session");
    let asked = record.data.get_mut(kind).expect("the question");
    asked["since"] = json!(asked["since"].as_i64().expect("a time") - 300);
    let data = rmp_serde::to_vec_named(&record).expect("a session");
    sqlx::query("update sessions set data = $2 where id_hash = $1")
        .bind(id)
        .bind(data)
        .execute(&mut owner)
        .await
        .expect("an older question");
}

#[test]
fn a_passkey_that_was_removed_or_whose_owner_is_suspended_opens_nothing() {
    run(|world| async move {
        let agency = Agency::new(world, "gone").await;
        let mut device = add(world, &agency.owner, "Old phone").await;
        let mut other = add(world, &agency.owner, "New phone").await;
        let rows = agency.owner.done("list_passkeys", &[]).await.json()["rows"].clone();
        let id = rows[1]["id"].as_str().expect("an id").to_owned();
        assert_eq!(rows[1]["name"], "Old phone", "the newest first: {rows}");
        let wrong = agency.owner.rpc("remove_passkey", &[("id", &id), ("current", "not this one")]).await;
        assert!(wrong.error_at("current").is_some(), "{wrong:?}");
        let foreign = agency.admin.rpc("remove_passkey", &[("id", &id), ("current", PASSWORD)]).await;
        assert_eq!(foreign.status, 404, "{foreign:?}");
        agency.owner.done("remove_passkey", &[("id", &id), ("current", PASSWORD)]).await;
        let browser = Browser::from_address(world, "127.0.0.44");
        assert_eq!(sign_in(&browser, &mut device, false).await.status, 422);
        let waiting = half_way(world, &agency.owner_email()).await;
        assert_eq!(sign_in(&waiting, &mut other, true).await.status, 200, "there is another one");
        // With the last factor the recovery codes go, and the password is enough again.
        let rows = agency.owner.done("list_passkeys", &[]).await.json()["rows"].clone();
        let id = rows[0]["id"].as_str().expect("an id").to_owned();
        agency.owner.done("remove_passkey", &[("id", &id), ("current", PASSWORD)]).await;
        let state = agency.owner.done("get_second_factor", &[]).await.json();
        assert_eq!((state["is_awaited"].as_bool(), state["codes_left"].as_i64()), (Some(false), Some(0)));
        assert!(is_signed_in(&Browser::signed_in(world, &agency.owner_email()).await).await);
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "user")]).await.text;
        assert!(audit_log.contains("removed a passkey"), "{audit_log}");

        let mut device = add(world, &agency.admin, "Admin's").await;
        let me = agency.admin.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
        assert_eq!(sign_in(&browser, &mut device, false).await.status, 200);
        agency.owner.done("set_member_status", &[("id", &me), ("status", "suspended")]).await;
        let stranger = Browser::from_address(world, "127.0.0.44");
        assert_eq!(sign_in(&stranger, &mut device, false).await.status, 422);
    });
}

#[test]
fn an_owner_clears_passkeys_with_the_rest_of_the_second_factor() {
    run(|world| async move {
        let agency = Agency::new(world, "clear").await;
        let mut device = add(world, &agency.admin, "Lost phone").await;
        let address = email(&agency.admin).await;
        let me = agency.admin.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
        let member = agency.owner.done("get_member", &[("id", &me)]).await.json();
        assert_eq!(member["member"]["has_second_factor"], true, "{member}");
        agency.owner.done("clear_member_second_factor", &[("id", &me)]).await;
        assert!(!is_signed_in(&agency.admin).await, "their sessions end");
        let browser = Browser::from_address(world, "127.0.0.45");
        assert_eq!(sign_in(&browser, &mut device, false).await.status, 422);
        assert!(is_signed_in(&Browser::signed_in(world, &address).await).await);
        let member = agency.owner.done("get_member", &[("id", &me)]).await.json();
        assert_eq!(member["member"]["has_second_factor"], false, "{member}");
        let left: i64 = owner_value(world, &format!("select count(*) from passkeys where user_id = '{me}'")).await;
        assert_eq!(left, 0);
    });
}

#[test]
fn adding_one_asks_for_the_password_a_name_and_a_device_that_is_new() {
    run(|world| async move {
        let agency = Agency::new(world, "adding").await;
        let owner = &agency.owner;
        let wrong = owner.rpc("begin_passkey", &[("current", "not this one")]).await;
        assert!(wrong.error_at("current").is_some(), "{wrong:?}");
        let unasked = owner.rpc("add_passkey", &[("name", "Phone"), ("answer", "{}")]).await;
        assert_eq!(unasked.status, 409, "{unasked:?}");
        let options = begin(owner).await;
        assert_eq!(options["rp"]["id"], "localhost");
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        let mut device = Authenticator::new(world);
        let made = device.make(&options);
        let nameless = owner.rpc("add_passkey", &[("name", " "), ("answer", &made)]).await;
        assert!(nameless.error_at("name").is_some(), "{nameless:?}");
        let without_script = owner.rpc("add_passkey", &[("name", "Phone"), ("answer", "")]).await;
        assert!(without_script.text.contains("script"), "{without_script:?}");
        owner.done("add_passkey", &[("name", "Phone"), ("answer", &made)]).await;
        let again = owner.rpc("add_passkey", &[("name", "Phone"), ("answer", &made)]).await;
        assert_eq!(again.status, 409, "the question counts once: {again:?}");
        // The same passkey for somebody else.
        let options = begin(&agency.admin).await;
        let taken = agency.admin.rpc("add_passkey", &[("name", "Phone"), ("answer", &device.make(&options))]).await;
        assert!(taken.status == 409 && taken.text.contains("in use"), "{taken:?}");
        let options = begin(&agency.admin).await;
        let mut elsewhere = Authenticator::new(world);
        elsewhere.origin = "https://evil.example".into();
        let refused =
            agency.admin.rpc("add_passkey", &[("name", "Phone"), ("answer", &elsewhere.make(&options))]).await;
        assert_eq!(refused.status, 422, "{refused:?}");

        // Another address's passkeys are shown, and not asked for.
        let email = agency.owner_email();
        let moved = format!(
            "update passkeys set host = 'old.example' where user_id = (select id from users where email = '{email}') returning name"
        );
        assert_eq!(owner_lines(world, &moved).await, ["Phone"]);
        let rows = owner.done("list_passkeys", &[]).await.json()["rows"].clone();
        assert_eq!(rows[0]["elsewhere"], "old.example");
        let browser = half_way(world, &email).await;
        assert_eq!(browser.rpc("ask_for_passkey", &[("second", "true")]).await.status, 409);
        let fill = format!(
            "insert into passkeys (id, user_id, credential_id, host, name, credential)
             select gen_random_uuid(), id, uuid_send(gen_random_uuid()), 'old.example', 'Many', '{{}}'
             from users, generate_series(1, 19) where email = '{email}' returning name"
        );
        assert_eq!(owner_lines(world, &fill).await.len(), 19);
        let full = owner.rpc("begin_passkey", &[("current", PASSWORD)]).await;
        assert!(full.status == 409 && full.text.contains("20"), "{full:?}");
    });
}

#[test]
fn the_pages_lead_to_passkeys() {
    run(|world| async move {
        let agency = Agency::new(world, "pages").await;
        let stranger = Browser::new(world);
        let page = stranger.get("/login?next=%2Fcalls").await.text;
        assert!(page.contains("/login/passkey?next=%2Fcalls"), "{page}");
        assert!(!page.contains("modulepreload"), "the form itself carries no script");
        let page = stranger.get("/login/passkey?next=%2Fcalls").await;
        assert!(page.status == 200 && page.text.contains("modulepreload"), "the browser is asked by script: {page:?}");
        assert!(page.text.contains("/login?next=%2Fcalls"), "the way back keeps where to: {}", page.text);
        assert_eq!(agency.owner.get("/login/passkey").await.location.as_deref(), Some("/dashboard"));
        add(world, &agency.owner, "Work laptop").await;
        let page = agency.owner.get("/settings/security").await.text;
        assert!(page.contains("Work laptop") && page.contains("New recovery codes"), "{page}");
        let browser = half_way(world, &agency.owner_email()).await;
        let page = browser.get("/mfa?next=%2Fcalls").await.text;
        assert!(page.contains("/mfa/passkey?next=%2Fcalls"), "{page}");
    });
}
