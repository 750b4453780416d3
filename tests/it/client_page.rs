//! A client's page: what belongs to it, for the agency; and the prompts of its calls, for its people when the agency shows them.

use super::support::{Agency, Browser, run};

/// Saves the client's settings as its form does; `more` is ticked or filled in.
async fn save(agency: &Agency, more: &[(&str, &str)]) {
    agency.owner.filled(&format!("/clients/{}/settings", agency.one.id), "save_client", more).await;
}

/// The names of the rows that a block's function gives.
async fn block(browser: &Browser, function: &str, client: &str) -> String {
    browser.done(function, &[("client", client)]).await.text
}

#[test]
fn the_page_shows_what_belongs_to_the_client() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "clientpage").await;
        agency.gather().await;
        let (one, two) = (&agency.one, &agency.two);
        for browser in [&agency.owner, &agency.admin, &agency.member] {
            let month = browser.done("get_client_usage", &[("client", &one.id)]).await.json();
            assert_eq!(month["total"]["calls"], 1, "Carla was called: {month}");
            assert_eq!(month["total"]["ended"], 1, "{month}");
            assert!(month["budget_status"].is_null(), "no budget: {month}");
            assert!(block(browser, "client_campaigns", &one.id).await.contains(&works.campaign));
            assert!(block(browser, "client_calls", &one.id).await.contains(&works.call));
            assert!(block(browser, "client_agents", &one.id).await.contains(&works.agent));
            let page = browser.get(&format!("/clients/{}", one.id)).await;
            assert_eq!(page.status, 200);
            for word in ["Monthly budget", "Latest calls", "Usage by day", "All", &one.secret] {
                assert!(page.text.contains(word), "{word}");
            }
            // A campaign's bar grows with the contacts that were given to a batch, and that is what it is called.
            let bar = "role=\"img\" aria-label=\"1 of 1 contact in a batch or done\"";
            assert!(page.text.contains(bar), "the bar says what it draws");
        }
        // The figures are those of the usage page.
        let usage = agency.owner.done("get_usage", &[("client", &one.id)]).await.json();
        let month = agency.owner.done("get_client_usage", &[("client", &one.id)]).await.json();
        for part in ["seconds", "tokens"] {
            assert!(usage["total"][part].as_i64() >= month["total"][part].as_i64(), "{part}: {usage} {month}");
        }
        // The sister client has nothing, and its page says what to do next.
        assert!(!block(&agency.owner, "client_calls", &two.id).await.contains(&works.call));
        assert!(!block(&agency.owner, "client_campaigns", &two.id).await.contains(&works.campaign));
        let page = agency.owner.get(&format!("/clients/{}", two.id)).await.text;
        assert!(page.contains("No campaigns yet") && page.contains(&format!("/campaigns/new?client={}", two.id)));
        assert!(!page.contains(&works.call) && !page.contains(&works.campaign), "nothing of the sister client");
    });
}

#[test]
fn people_and_forms_are_for_those_who_may_have_them() {
    run(|world| async move {
        let (agency, stranger) = (Agency::new(world, "pageroles").await, Agency::new(world, "pagestranger").await);
        agency.gather().await;
        let id = &agency.one.id;
        let people = agency.admin.done("client_members", &[("client", id)]).await.json();
        assert_eq!(people.as_array().map(Vec::len), Some(2), "the client's admin and viewer: {people}");
        assert!(agency.member.done("client_members", &[("client", id)]).await.json().is_null());
        let invite = format!("/settings/users/new?client={id}");
        assert!(agency.admin.get(&format!("/clients/{id}")).await.text.contains(&invite));
        let seen = agency.member.get(&format!("/clients/{id}")).await;
        assert!(seen.status == 200 && !seen.text.contains(&invite), "a member reads");
        let form = agency.admin.get(&invite).await.text;
        assert!(form.contains(&format!("<option value=\"{id}\" selected")), "the client is chosen already");
        // The list of people is narrowed by the same key.
        let all = agency.admin.done("list_members", &[("client", id)]).await.json();
        assert_eq!(all["rows"].as_array().map(Vec::len), Some(2), "{all}");

        let settings = format!("/clients/{id}/settings");
        assert!(agency.admin.get(&settings).await.text.contains("name=\"budget_action\""));
        let read = agency.member.get(&settings).await;
        assert!(read.status == 200 && !read.text.contains("name=\"budget_action\""), "no form for a member");
        let fields = [("id", id.as_str()), ("name", "Renamed"), ("timezone", "UTC"), ("monthly_budget", "1")];
        assert_eq!(agency.member.rpc("save_client", &fields).await.status, 403);
        for browser in [&agency.one.admin, &agency.one.viewer, &agency.two.admin, &stranger.owner] {
            assert_eq!(browser.get(&format!("/clients/{id}")).await.status, 404);
            assert_eq!(browser.get(&settings).await.status, 404);
            assert_eq!(browser.rpc("get_client_usage", &[("client", id)]).await.status, 404);
        }
        let theirs = stranger.owner.done("client_members", &[("client", id)]).await.json();
        assert_eq!(theirs.as_array().map(Vec::len), Some(0), "{theirs}");

        let wrong = [("id", id.as_str()), ("name", "A"), ("timezone", "UTC"), ("budget_action", "explode")];
        let refused = agency.owner.rpc("save_client", &wrong).await;
        assert!(refused.error_at("budget_action").is_some_and(|said| said.contains("Choose")), "{refused:?}");
    });
}

#[test]
fn a_prompt_is_shown_to_a_client_only_when_the_agency_shares_it_and_only_that_of_its_call() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "prompts").await;
        let stranger = Agency::new(world, "promptstranger").await;
        let call = [("id", works.call.as_str())];
        // The words hold the agency's secret: whoever reads it has read the prompt.
        let knows = |text: &str| text.contains(&agency.secret);
        let page = format!("/calls/{}?tab=prompt", works.call);
        let shown = agency.owner.done("get_call_prompt", &call).await;
        assert!(knows(&shown.text) && shown.json()["id"] == works.prompt.as_str(), "{shown:?}");
        assert!(agency.member.get(&page).await.text.contains(&format!("/prompts/{}", works.prompt)));
        for who in [&agency.one.admin, &agency.one.viewer] {
            assert_eq!(who.rpc("get_call_prompt", &call).await.status, 404, "unshared at first");
            let seen = who.get(&page).await;
            assert!(seen.status == 200 && !knows(&seen.text), "no trace");
            let seen = who.done("get_call", &call).await.json();
            assert!(seen["prompt_version"].is_null() && seen["sees_prompt"] == false, "{seen}");
        }

        // What the agent says since has other words; the call keeps its own.
        let other = format!("{} and other words", agency.secret);
        let changed = [("name", "Renamed"), ("template", other.as_str()), ("production", "true")];
        agency.owner.filled(&format!("/prompts/{}", works.prompt), "save_prompt", &changed).await;
        save(&agency, &[("shares_prompts", "true")]).await;
        for who in [&agency.one.admin, &agency.one.viewer] {
            let shown = who.done("get_call_prompt", &call).await.json();
            assert_eq!(shown["version"], 1, "{shown}");
            let words = shown["template"].as_str().unwrap_or_default();
            assert!(knows(words) && !words.contains("other words"), "{shown}");
            assert!(shown["id"].is_null(), "no way into the workshop: {shown}");
            let seen = who.get(&page).await.text;
            assert!(knows(&seen) && !seen.contains(&format!("/prompts/{}", works.prompt)), "words without a link");
            assert_eq!(who.rpc("get_prompt", &[("id", &works.prompt)]).await.status, 404, "the workshop stays shut");
            assert_eq!(who.rpc("list_prompts", &[]).await.status, 404);
        }
        for who in [&agency.two.admin, &agency.two.viewer, &stranger.owner, &stranger.one.admin] {
            assert_eq!(who.rpc("get_call_prompt", &call).await.status, 404);
        }
        // Taken back, it is gone.
        save(&agency, &[("shares_prompts", "")]).await;
        assert_eq!(agency.one.admin.rpc("get_call_prompt", &call).await.status, 404);
    });
}
