//! An e-mail address with an account in each of several agencies: what one of them does with its own touches no other.

use patchbay_access::server::Scope;
use patchbay_platform::server::ops::{create_admin, create_workspace};
use patchbay_shared::ids::WorkspaceId;

use super::audit_events::refusals;
use super::brand::{at, own_host};
use super::second_factor::turn_on;
use super::support::agency::{PASSWORD, TESTS, shown_token};
use super::support::{Agency, Arrival, Browser, World, owner_value, run, unique};

const OTHER: &str = "four green kettles whistle";
const GUESS: &str = "a guess";

/// Somebody with this address becomes a member of the agency.
async fn join(world: &World, agency: &Agency, email: &str) -> Browser {
    let arrival =
        Arrival { inviter: agency.owner.clone(), email: email.into(), role: "agency_member", client: String::new() };
    let browser = Browser::of_somebody_new(world, arrival);
    browser.join().await;
    browser
}

async fn sign_in(browser: &Browser, email: &str, password: &str) -> u16 {
    browser.rpc("sign_in", &[("email", email), ("password", password)]).await.status
}

#[test]
fn another_agencys_account_locks_nobody_out_and_gives_no_guess_back() {
    run(|world| async move {
        let (ours, theirs) = (Agency::new(world, "besieged").await, Agency::new(world, "besieger").await);
        let email = ours.owner_email();
        let known = Browser::from_address(world, "127.0.3.1");
        assert_eq!(sign_in(&known, &email, PASSWORD).await, 200);
        known.done("sign_out", &[]).await;
        // Another agency makes itself an account with the address. It knows that account's password.
        let twin = join(world, &theirs, &email).await;
        twin.done("change_password", &[("current", PASSWORD), ("password", OTHER)]).await;

        // To sign in to it gives no guess at the first one back.
        let mut judged = 0;
        for round in 0..9 {
            let guesser = Browser::from_address(world, "127.0.3.2");
            if round % 3 == 2 {
                sign_in(&guesser, &email, OTHER).await;
            }
            judged += usize::from(sign_in(&guesser, &email, GUESS).await == 422);
        }
        assert_eq!(judged, 5);
        let lucky = Browser::from_address(world, "127.0.3.2");
        assert_eq!(sign_in(&lucky, &email, PASSWORD).await, 429);

        // Its devices are no devices of the first one's owner: they guess no more than others, and lock nobody out.
        let devices: Vec<Browser> =
            (3..8).map(|address| Browser::from_address(world, &format!("127.0.3.{address}"))).collect();
        for device in &devices {
            assert_eq!(sign_in(device, &email, OTHER).await, 200);
        }
        for device in &devices {
            for _ in 0..5 {
                sign_in(device, &email, GUESS).await;
            }
            assert_ne!(sign_in(device, &email, PASSWORD).await, 200, "after five guesses at it");
        }
        assert_eq!(sign_in(&known, &email, PASSWORD).await, 200, "the owner's device comes in");
        assert_eq!(known.done("who_am_i", &[]).await.json()["role"], "agency_owner");
    });
}

#[test]
fn no_agency_learns_from_where_somebody_tried_to_enter_another() {
    run(|world| async move {
        let (ours, theirs) = (Agency::new(world, "tried").await, Agency::new(world, "watching").await);
        let email = ours.owner_email();
        join(world, &theirs, &email).await;
        let stranger = Browser::from_address(world, "127.0.3.20");
        let heard = refusals([&ours, &theirs], async || {
            assert_eq!(sign_in(&stranger, &email, GUESS).await, 422);
        });
        for rows in heard.await {
            assert!(rows.len() == 1 && rows[0]["ip"].is_null(), "{rows:?}");
        }
        let told: i64 = owner_value(
            world,
            &format!(
                "select count(*) from audit_events where action = 'failed to sign in' and after->>'email' = '{email}'
                 and (ip is not null or request_id is not null)"
            ),
        )
        .await;
        assert_eq!(told, 0);
        // At an agency's own host nobody else can have been meant.
        let host = own_host(world, &ours).await;
        let heard = refusals([&ours], async || {
            let fields = [("email", email.as_str()), ("password", GUESS)];
            assert_eq!(at(&stranger, &host, "sign_in", &fields).await.status, 422);
        });
        let rows = heard.await.remove(0);
        assert!(rows.len() == 2 && rows[0]["ip"] == "127.0.3.20", "{rows:?}");
    });
}

#[test]
fn a_second_step_at_another_agencys_host_signs_nobody_in() {
    run(|world| async move {
        let (ours, theirs) = (Agency::new(world, "stepping").await, Agency::new(world, "elsewhere").await);
        let host = own_host(world, &theirs).await;
        let (_, codes) = turn_on(&ours.owner).await;
        let browser = Browser::from_address(world, "127.0.3.30");
        assert_eq!(sign_in(&browser, &ours.owner_email(), PASSWORD).await, 200);
        let refused = at(&browser, &host, "verify_second_factor", &[("code", &codes[0])]).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        assert_eq!(browser.rpc("who_am_i", &[]).await.status, 401, "what was refused is no session");
        let signed_in: i64 = owner_value(
            world,
            &format!(
                "select count(*) from audit_events where workspace_id = '{}' and action = 'signed in'
                 and after->>'with' = 'password and code'",
                ours.workspace_id
            ),
        )
        .await;
        assert_eq!(signed_in, 0);
        browser.done("verify_second_factor", &[("code", &codes[1])]).await;
        browser.done("who_am_i", &[]).await;
    });
}

#[test]
fn the_ninth_account_of_an_address_has_ways_in() {
    run(|world| async move {
        let agency = Agency::new(world, "ninth").await;
        let email = format!("{}@many.example", unique("nina"));
        let own = join(world, &agency, &email).await;
        let me = own.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
        own.done("sign_out", &[]).await;
        create_admin(&world.db, "Pat Platform", &email, OTHER).await.expect("an admin");
        let mut others = Vec::new();
        for n in 0..8 {
            let scope = Scope::of_operator(world.db.clone(), WorkspaceId::new(), TESTS);
            let password = format!("{n} copper lanterns drift");
            create_workspace(&scope, &unique("many"), "Nina", &email, &password, "UTC").await.expect("an agency");
            let browser = Browser::from_address(world, "127.0.3.40");
            assert_eq!(sign_in(&browser, &email, &password).await, 200, "account {n}");
            others.push((browser, password));
        }
        let stranger = || Browser::from_address(world, "127.0.3.41");
        // At the site's own door eight are tried: the platform's among them.
        assert_eq!(sign_in(&stranger(), &email, OTHER).await, 200, "a platform admin");
        assert_eq!(sign_in(&stranger(), &email, PASSWORD).await, 422);
        // At the agency's own, that agency's.
        let host = own_host(world, &agency).await;
        let fields = [("email", email.as_str()), ("password", PASSWORD)];
        assert_eq!(at(&stranger(), &host, "sign_in", &fields).await.status, 200);
        // With a device that it has signed in on.
        assert_eq!(sign_in(&own, &email, PASSWORD).await, 200, "the own device");
        // And where a link for a new password was used.
        agency.owner.filled(&format!("/settings/users/{me}"), "make_password_link", &[]).await;
        let token = shown_token(&agency.owner).await;
        for (browser, password) in &others {
            assert_eq!(sign_in(browser, &email, password).await, 200);
        }
        let chooser = stranger();
        chooser.done("choose_password", &[("token", &token), ("password", "five brown otters sleep")]).await;
        assert_eq!(sign_in(&chooser, &email, "five brown otters sleep").await, 200);
    });
}
