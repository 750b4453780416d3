//! Streams of live changes stay open for hours, and yet nobody hears a word after they are not let in any more.

use std::time::Duration;

use patchbay_platform::server::ops::create_admin;
use patchbay_sign_in::server::second_factor::clear_from_command_line;
use reqwest::{Method, Response};

use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, World, age_session, run, unique};

async fn open(browser: &Browser) -> Response {
    browser.join().await;
    let stream = browser.raw(Method::GET, "/events?topics=clients").send().await.expect("an answer");
    assert_eq!(stream.status(), 200);
    stream
}

/// Reads to the end, which comes by itself. Gives what was said.
async fn ended(stream: Response, why: &str) -> String {
    let read = tokio::time::timeout(Duration::from_secs(30), stream.text()).await;
    read.unwrap_or_else(|_| panic!("the stream is still open after: {why}")).expect("a stream that ends properly")
}

async fn id_of(browser: &Browser) -> String {
    browser.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned()
}

async fn email_of(browser: &Browser) -> String {
    browser.done("who_am_i", &[]).await.json()["email"].as_str().expect("an address").to_owned()
}

#[test]
fn a_stream_ends_with_the_session_however_that_ends() {
    run(|world| async move {
        let agency = Agency::new(world, "streams").await;
        agency.gather().await;
        let email = email_of(&agency.member).await;
        let kept = open(&agency.owner).await;

        // By the person: here, from elsewhere, one of them, all of them, with another password.
        let browser = Browser::signed_in(world, &email).await;
        let stream = open(&browser).await;
        browser.done("sign_out", &[]).await;
        ended(stream, "signing out").await;

        let (here, elsewhere) = (Browser::signed_in(world, &email).await, Browser::signed_in(world, &email).await);
        let stream = open(&elsewhere).await;
        let own = here.done("list_sessions", &[]).await.json();
        for session in own.as_array().expect("sessions").iter().filter(|session| session["is_this"] == false) {
            here.done("end_session", &[("id", session["id"].as_str().expect("an id"))]).await;
        }
        ended(stream, "ending a session from another one").await;

        let elsewhere = Browser::signed_in(world, &email).await;
        let stream = open(&elsewhere).await;
        here.done("sign_out", &[("everywhere", "true")]).await;
        ended(stream, "signing out everywhere").await;

        let (here, elsewhere) = (Browser::signed_in(world, &email).await, Browser::signed_in(world, &email).await);
        let (own, stream) = (open(&here).await, open(&elsewhere).await);
        here.done("change_password", &[("current", PASSWORD), ("password", PASSWORD)]).await;
        ended(stream, "another password").await;
        drop(own);

        // By somebody else: another role, a suspension, an archived client, from the command line.
        let member = Browser::signed_in(world, &email).await;
        let (id, stream) = (id_of(&member).await, open(&member).await);
        agency.owner.done("change_member_role", &[("id", &id), ("role", "agency_admin")]).await;
        ended(stream, "another role").await;

        let member = Browser::signed_in(world, &email).await;
        let stream = open(&member).await;
        agency.owner.done("set_member_status", &[("id", &id), ("status", "suspended")]).await;
        ended(stream, "a suspension").await;

        let stream = open(&agency.two.viewer).await;
        let fields = [("id", agency.two.id.as_str()), ("status", "archived")];
        agency.owner.done("set_client_status", &fields).await;
        let said = ended(stream, "an archived client").await;
        assert!(!said.contains("data: clients"), "the news is for those who are still let in: {said}");

        let stream = open(&agency.one.viewer).await;
        clear_from_command_line(&world.db, &email_of(&agency.one.viewer).await).await.expect("cleared");
        ended(stream, "what the command line does").await;

        // Whom nothing of this is about goes on listening.
        let mut kept = kept;
        let mut said = String::new();
        while !said.contains("data: clients") {
            let piece = tokio::time::timeout(Duration::from_secs(30), kept.chunk()).await.expect("the stream is alive");
            said += &String::from_utf8_lossy(&piece.expect("a stream").expect("more of it"));
        }
    });
}

#[test]
fn a_stream_ends_with_a_support_session_and_when_a_session_runs_out() {
    run(|world| async move {
        let agency = Agency::new(world, "guests").await;
        let email = format!("{}@platform.example", unique("guest"));
        create_admin(&world.db, "Pat Platform", &email, PASSWORD).await.expect("an admin");
        let pat = Browser::signed_in(world, &email).await;
        pat.done("open_support_session", &[("id", &agency.workspace_id), ("reason", "Looking")]).await;
        let stream = open(&pat).await;
        pat.done("end_support_session", &[]).await;
        ended(stream, "the end of a support session").await;

        // Fourteen days after it began a session is over, in use or not. This one has five seconds left.
        let busy = Agency::new(world, "busy").await;
        let late = Browser::signed_in(world, &agency.owner_email()).await;
        late.done("who_am_i", &[]).await;
        age_session(world, &agency.owner_email(), "started", 14 * 24 * 3600 - 5).await;
        let stream = open(&late).await;
        // What others do meanwhile does not put the end off.
        let others = async {
            for name in 0.. {
                let name = name.to_string();
                let fields =
                    [("id", busy.one.id.as_str()), ("name", &name), ("timezone", "UTC"), ("monthly_budget", "")];
                busy.owner.done("save_client", &fields).await;
            }
        };
        tokio::select! {
            _ = ended(stream, "fourteen days") => {}
            () = others => {}
        }
        assert_eq!(late.rpc("who_am_i", &[]).await.status, 401);
    });
}

#[test]
fn nobody_holds_more_streams_than_a_person_has_tabs() {
    run(|world: &'static World| async move {
        let agency = Agency::new(world, "tabs").await;
        let other = Browser::signed_in(world, &agency.owner_email()).await;
        let elsewhere = open(&other).await;
        let mut streams = Vec::new();
        for _ in 0..31 {
            streams.push(open(&agency.owner).await);
        }
        // The oldest gave way, and its tab is told to wait before it tries again. The newest hears everything.
        let said = ended(streams.remove(0), "thirty others").await;
        assert!(said.contains("event: full") && said.contains("retry: 60000"), "{said}");
        agency
            .owner
            .done("save_client", &[("id", ""), ("name", "Late"), ("timezone", "UTC"), ("monthly_budget", "")])
            .await;
        for stream in [streams.pop().expect("the newest"), streams.remove(0), elsewhere] {
            let mut stream = stream;
            let piece = tokio::time::timeout(Duration::from_secs(30), stream.chunk()).await.expect("news");
            let piece = piece.expect("a stream").expect("more of it");
            assert!(String::from_utf8_lossy(&piece).contains("data: clients"), "{piece:?}");
        }
        // A closed stream makes room.
        drop(streams);
        let more = open(&agency.owner).await;
        drop(more);
    });
}
