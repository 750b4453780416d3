//! What a client's admin does for their own client, as far as the agency lets them; and that no page offers anybody what is not there for them.

use std::collections::BTreeSet;

use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, owner_lines, run, unique};

/// The form of a campaign that may call at any hour.
fn campaign_fields<'a>(name: &'a str, agent: &'a str, number: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("form[name]", name),
        ("form[kind]", "sdr"),
        ("form[agent]", agent),
        ("form[number]", number),
        ("form[start]", "00:00"),
        ("form[end]", "24:00"),
        ("form[max_attempts]", "1"),
        ("form[retry_minutes]", "60"),
    ];
    fields.extend(["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| match day {
        "mon" => ("form[mon]", "on"),
        "tue" => ("form[tue]", "on"),
        "wed" => ("form[wed]", "on"),
        "thu" => ("form[thu]", "on"),
        "fri" => ("form[fri]", "on"),
        "sat" => ("form[sat]", "on"),
        _ => ("form[sun]", "on"),
    }));
    fields
}

#[test]
fn a_clients_admin_runs_their_own_campaigns_with_what_the_agency_gave_them() {
    run(|world| async move {
        // The number is the whole agency's: the client's people do not see it, and their campaign calls from it all the same.
        let (agency, works) = Agency::ready(world, "own-campaign").await;
        let admin = &agency.one.admin;
        let page = format!("/campaigns/{}", works.campaign);
        let name = unique("By the client");
        admin.filled(&format!("{page}?tab=settings"), "change_campaign", &[("form[name]", &name)]).await;
        let shown = agency.owner.done("get_campaign", &[("id", &works.campaign)]).await.json();
        assert_eq!(
            (shown["campaign"]["name"].as_str(), shown["campaign"]["number_id"].as_str()),
            (Some(name.as_str()), Some(works.number.as_str())),
            "the number that they do not see stays: {shown}"
        );
        admin.filled(&page, "move_campaign", &[("to", "active")]).await;
        admin.filled(&format!("{page}?tab=contacts"), "add_campaign_contacts", &[("by", "all")]).await;
        let ready = admin.done("batch_readiness", &[("campaign", &works.campaign)]).await;
        assert!(ready.text.contains("are ready"), "{ready:?}");
        let fields = [("name", "By the client"), ("mode", "immediate"), ("concurrency", "1")];
        let form = format!("/batches/new?campaign={}", works.campaign);
        let batch = admin.made_on(&form, "create_batch", &fields).await;
        agency.finished(&batch).await;
        let log = admin.done("list_audit_events", &[("query[entity]", "batch")]).await.text;
        assert!(log.contains("Client admin"), "{log}");
        // One of their own, with the agent that is theirs and a number that was given to them.
        let give = [("client_id", agency.one.id.as_str()), ("agent_id", ""), ("direction", "outbound")];
        agency.owner.filled(&format!("/numbers/{}", works.number), "assign_number", &give).await;
        let own = campaign_fields("Their own", &works.agent, &works.number);
        let id = admin.made_on("/campaigns/new", "create_campaign", &own).await;
        assert_eq!(agency.two.admin.rpc("get_campaign", &[("id", &id)]).await.status, 404);
    });
}

#[test]
fn a_clients_contacts_are_found_however_many_of_other_clients_have_the_words() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "crowded").await;
        let person = [
            ("client", agency.one.id.as_str()),
            ("form[name]", "Wanda Words"),
            ("form[phone]", "+12025550133"),
            ("form[timezone]", "UTC"),
        ];
        let contact = agency.owner.made_on("/contacts/new", "create_contact", &person).await;
        let others = format!(
            "insert into contacts (workspace_id, id, client_id, name, phone)
             select '{}', ('ffffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{}', 'Wanda Words', '+1202666' || lpad(n::text, 4, '0')
             from generate_series(1, 1001) n returning name",
            agency.workspace_id, agency.two.id
        );
        assert_eq!(owner_lines(world, &others).await.len(), 1001);
        let asked = [("query[q]", "Wanda"), ("query[client]", agency.one.id.as_str())];
        let found = agency.owner.done("list_contacts", &asked).await;
        assert!(found.text.contains(&contact), "{found:?}");
        let page = format!("/campaigns/{}?tab=contacts", works.campaign);
        agency.owner.filled(&page, "add_campaign_contacts", &[("by", "search"), ("words", "Wanda")]).await;
        let shown = agency.owner.get(&page).await.text;
        assert!(shown.contains("Wanda Words"), "she joins the campaign: {shown}");
    });
}

#[test]
fn an_agent_that_was_given_to_another_client_is_not_offered_and_named() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "given-away").await;
        let form = format!("/campaigns/new?client={}", agency.one.id);
        let offered = |text: &str| text.contains(&format!("value=\"{}\"", works.agent));
        assert!(offered(&agency.owner.get(&form).await.text), "while it is theirs");
        let sql =
            format!("update agents set client_id = '{}' where id = '{}' returning name", agency.two.id, works.agent);
        assert_eq!(owner_lines(world, &sql).await.len(), 1);
        assert!(!offered(&agency.owner.get(&form).await.text), "its set-up for this client is still there");
        let page = agency.owner.get(&format!("/campaigns/{}", works.campaign)).await.text;
        assert!(page.contains("The agent works for another client now."), "{page}");
    });
}

/// A switch; a function that it opens, with fields; a list that offers it, and the form that it leads to.
type Switch<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

#[test]
fn the_agency_switches_off_what_a_clients_admin_may_do() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "switches").await;
        let admin = &agency.one.admin;
        admin.join().await;
        let settings = format!("/clients/{}/settings", agency.one.id);
        let campaign = format!("/campaigns/{}", works.campaign);
        agency.owner.filled(&campaign, "move_campaign", &[("to", "active")]).await;
        let contact = [("form[name]", "Ida"), ("form[phone]", "+12025550155")];
        let invite = [("emails", "v@switches.example"), ("role", "client_viewer")];
        let batch = [("campaign", works.campaign.as_str()), ("name", "B"), ("mode", "immediate"), ("concurrency", "1")];
        let switches: [Switch; 4] = [
            ("admins_edit_contacts", "create_contact", &contact, "/contacts", "/contacts/new"),
            (
                "admins_edit_campaigns",
                "move_campaign",
                &[("id", &works.campaign), ("to", "paused")],
                "/campaigns",
                "/campaigns/new",
            ),
            ("admins_run_batches", "create_batch", &batch, "/batches", "/batches/new"),
            ("admins_invite_viewers", "invite_members", &invite, "/settings/users", "/settings/users/new"),
        ];
        for (switch, function, fields, list, form) in switches {
            let offered = |text: &str| text.contains(&format!("href=\"{form}"));
            assert!(offered(&admin.get(list).await.text), "{switch}: offered on {list} while it is on");
            agency.owner.filled(&settings, "save_client", &[(switch, "")]).await;
            let refused = admin.rpc(function, fields).await;
            assert_eq!(refused.status, 404, "{switch}: {refused:?}");
            assert_eq!(admin.get(form).await.status, 404, "{switch}: {form}");
            let page = admin.get(list).await;
            assert!(page.status == 200 && !offered(&page.text), "{switch}: no more on {list}");
            agency.owner.filled(&settings, "save_client", &[(switch, "true")]).await;
            assert_ne!(admin.rpc(function, fields).await.status, 404, "{switch}: on again");
        }
        let log = agency.owner.done("list_audit_events", &[("query[entity]", "client")]).await.text;
        assert!(log.contains("admins run batches"), "{log}");
        // Runs of batches spend the agency's money: a new client's admins have to be given them.
        let fields = [("name", "Newcomer"), ("timezone", "UTC"), ("monthly_budget", "")];
        let new = agency.owner.made_on("/clients/new", "save_client", &fields).await;
        let rights = agency.owner.done("get_client", &[("id", &new)]).await.json()["admins"].clone();
        assert_eq!(
            rights,
            serde_json::json!({"edit_contacts": true, "edit_campaigns": true, "run_batches": false, "invite_viewers": true})
        );
    });
}

/// The addresses of this installation that a page links to, as they stand in it.
fn links(html: &str) -> BTreeSet<String> {
    html.split("<a ")
        .skip(1)
        .filter_map(|rest| rest.split('>').next()?.split("href=\"").nth(1)?.split('"').next())
        .filter(|href| href.starts_with('/') && !href.starts_with("//"))
        .map(|href| href.split('#').next().unwrap_or_default().replace("&amp;", "&"))
        .collect()
}

/// Follows every link from the start page on, and from whatever it leads to, in the order in which they are found. Gives those that do not
/// open.
async fn broken(browser: &Browser, start: &str, most: usize) -> Vec<String> {
    let (mut seen, mut waiting, mut broken) = (BTreeSet::new(), vec![(start.to_owned(), String::new())], Vec::new());
    let mut at = 0;
    while at < waiting.len() && at < most {
        let (path, from) = waiting[at].clone();
        at += 1;
        let answer = browser.get(&path).await;
        if !matches!(answer.status, 200 | 302 | 303 | 307) {
            broken.push(format!("{path} on {from}: {}", answer.status));
        }
        for link in links(&answer.text) {
            // Filters and pages of a list lead to the same list.
            let place = link.split('?').next().unwrap_or_default().to_owned();
            let tab = link.split("tab=").nth(1).map(|rest| rest.split('&').next().unwrap_or_default().to_owned());
            if seen.insert((place, tab)) {
                waiting.push((link, path.clone()));
            }
        }
    }
    broken
}

#[test]
fn no_page_offers_anybody_what_is_not_there_for_them() {
    run(|world| async move {
        let (agency, _) = Agency::worked(world, "offers").await;
        agency.gather().await;
        let email = format!("{}@platform.example", unique("root"));
        patchbay_platform::server::ops::create_admin(&world.db, "Root", &email, PASSWORD).await.expect("an admin");
        let root = Browser::signed_in(world, &email).await;
        let mut wrong = Vec::new();
        let visit = async |name: &str, browser: &Browser, start: &str| -> Vec<String> {
            let found = broken(browser, start, 90).await;
            found.into_iter().map(|link| format!("{name}: {link}")).collect()
        };
        for (name, browser, start) in [
            ("client admin", &agency.one.admin, "/dashboard"),
            ("client viewer", &agency.one.viewer, "/dashboard"),
            ("member", &agency.member, "/dashboard"),
            ("admin", &agency.admin, "/dashboard"),
            ("owner", &agency.owner, "/dashboard"),
            ("platform admin", &root, "/platform"),
        ] {
            wrong.extend(visit(name, browser, start).await);
        }
        // With everything shared and everything switched off.
        let settings = format!("/clients/{}/settings", agency.one.id);
        let fields = [
            ("shares_cost", "true"),
            ("shares_steps", "true"),
            ("shares_prompts", "true"),
            ("admins_edit_contacts", ""),
            ("admins_edit_campaigns", ""),
            ("admins_run_batches", ""),
            ("admins_invite_viewers", ""),
        ];
        agency.owner.filled(&settings, "save_client", &fields).await;
        wrong.extend(visit("client admin without rights", &agency.one.admin, "/dashboard").await);
        assert!(wrong.is_empty(), "{} links:\n{}", wrong.len(), wrong.join("\n"));
    });
}

#[test]
fn a_clients_admin_knows_the_clients_agents_by_name_and_state() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "agent-names").await;
        let (ours, theirs) = (&agency.one.admin, &agency.two.admin);
        agency.gather().await;
        let page = ours.get("/agents").await;
        assert!(page.status == 200 && page.text.contains(&format!("{} agent", agency.one.secret)), "{page:?}");
        assert!(page.text.contains("Active") && !page.text.contains("href=\"/agents/"), "no way to its page");
        assert!(!page.text.contains("export.csv") && !page.text.contains("/agents/new"));
        assert!(ours.get("/dashboard").await.text.contains("href=\"/agents\""), "the sidebar leads there");
        let rows = ours.done("list_agents", &[]).await.json()["page"]["rows"].clone();
        assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
        assert_eq!((rows[0]["llm_model"].as_str(), rows[0]["prompt"].is_null()), (Some(""), true), "{rows}");
        // What is withheld is not searched either.
        agency
            .owner
            .filled(
                &format!("/agents/{}/edit", works.agent),
                "save_agent",
                &[("description", "zanzibar"), ("publish", "true")],
            )
            .await;
        let found = async |browser: &Browser| {
            browser.done("list_agents", &[("query[words]", "zanzibar")]).await.json()["page"]["rows"]
                .as_array()
                .map(Vec::len)
        };
        assert_eq!((found(&agency.owner).await, found(ours).await), (Some(1), Some(0)));
        assert!(!theirs.get("/agents").await.text.contains(&agency.one.secret), "another client's");
        assert_eq!(agency.one.viewer.get("/agents").await.status, 404);
        assert!(!agency.one.viewer.get("/dashboard").await.text.contains("href=\"/agents\""));
        assert_eq!(ours.get(&format!("/agents/{}", works.agent)).await.status, 404);
    });
}
