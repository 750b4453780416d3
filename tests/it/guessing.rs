//! Guessing at passwords, from one address and from many.

use reqwest::Method;
use reqwest::header::ORIGIN;

use super::sign_in::owner_of;
use super::support::agency::PASSWORD;
use super::support::{Browser, run, unique};

#[test]
fn guessing_slows_down_and_locks_nobody_else_out() {
    run(|world| async move {
        let (_, email) = owner_of(world, "throttled").await;
        let guesser = Browser::from_address(world, "127.0.0.12");
        for round in 1..=5 {
            let answer = guesser.rpc("sign_in", &[("email", &email), ("password", "a guess")]).await;
            assert_eq!(answer.status, 422, "guess {round}: {answer:?}");
        }
        let sixth = guesser.rpc("sign_in", &[("email", &email), ("password", "a guess")]).await;
        assert_eq!(sixth.status, 429, "{sixth:?}");
        let lucky = guesser.rpc("sign_in", &[("email", &email), ("password", PASSWORD)]).await;
        assert_eq!(lucky.status, 429, "the right password must wait as well: {lucky:?}");
        // Neither another spelling of the account nor a header about addresses opens the door again.
        let spelled = guesser.rpc("sign_in", &[("email", &email.to_uppercase()), ("password", "a guess")]).await;
        assert_eq!(spelled.status, 429, "{spelled:?}");
        let request =
            guesser.raw(Method::POST, "/rpc/sign_in").header(ORIGIN, &world.base).header("x-forwarded-for", "10.1.2.3");
        let claimed = Browser::answer(request.form(&[("email", email.as_str()), ("password", "a guess")])).await;
        assert_eq!(claimed.status, 429, "{claimed:?}");
        // The owner, who sits elsewhere, comes in.
        Browser::signed_in(world, &email).await;
        // So many accounts from one address are guessing too.
        let sprayer = Browser::from_address(world, "127.0.0.13");
        let mut refused = 0;
        for round in 0..31 {
            let account = format!("someone{round}@{}", unique("spray"));
            refused = sprayer.rpc("sign_in", &[("email", &account), ("password", "a guess")]).await.status;
        }
        assert_eq!(refused, 429);
    });
}

#[test]
fn many_addresses_together_get_no_further_and_the_owners_device_still_comes_in() {
    run(|world| async move {
        let (_, email) = owner_of(world, "besieged").await;
        // The device that the owner uses: its session is over, its cookie is not.
        let known = Browser::from_address(world, "127.0.1.1");
        known.done("sign_in", &[("email", &email), ("password", PASSWORD)]).await;
        known.done("sign_out", &[]).await;
        let mut statuses = Vec::new();
        for address in 2..10 {
            let guesser = Browser::from_address(world, &format!("127.0.1.{address}"));
            for round in 0..3 {
                let guess = format!("guess {round}");
                statuses.push(guesser.rpc("sign_in", &[("email", &email), ("password", &guess)]).await.status);
            }
        }
        assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 20, "twenty are judged: {statuses:?}");
        assert_eq!(statuses.last(), Some(&429));
        let stranger = Browser::from_address(world, "127.0.1.20");
        let lucky = stranger.rpc("sign_in", &[("email", &email), ("password", PASSWORD)]).await;
        assert_eq!(lucky.status, 429, "an unknown device waits, whatever it says: {lucky:?}");
        known.done("sign_in", &[("email", &email), ("password", PASSWORD)]).await;
        // A cookie of somebody else's device, or one that was made up, makes nobody known.
        let (_, other) = owner_of(world, "neighbour").await;
        let neighbour = Browser::from_address(world, "127.0.1.21");
        neighbour.done("sign_in", &[("email", &other), ("password", PASSWORD)]).await;
        neighbour.done("sign_out", &[]).await;
        let foreign = neighbour.rpc("sign_in", &[("email", &email), ("password", PASSWORD)]).await;
        assert_eq!(foreign.status, 429, "{foreign:?}");
        let request = stranger.raw(Method::POST, "/rpc/sign_in").header(ORIGIN, &world.base);
        let forged = request
            .header("cookie", "patchbay-device=gAAAAABforged")
            .form(&[("email", email.as_str()), ("password", PASSWORD)]);
        assert_eq!(Browser::answer(forged).await.status, 429);
    });
}
