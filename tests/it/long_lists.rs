//! Lists and figures with more than fits: every row can be reached, a filter does what it says, and a sum says what it leaves out.

use super::figures::{lines, rows};
use super::support::{Agency, Page, World, owner_lines, owner_value, run};

/// Many calls of client one: `live`, or answered and over, newest first.
async fn calls(world: &World, agency: &Agency, count: usize, is_live: bool) {
    let over = if is_live { "null" } else { "now() - make_interval(secs => n)" };
    let outcome = if is_live { "null" } else { "'answered'" };
    let sql = format!(
        "insert into calls (workspace_id, id, client_id, provider_call_id, direction, contact_name, started_at, joined_at, ended_at,
                            duration, outcome, billed_seconds)
         select '{}', gen_random_uuid(), '{}', 'many-{is_live}-' || n, 'outbound', 'Caller ' || n, now() - make_interval(secs => n + 60),
                now() - make_interval(secs => n + 50), {over}, 50, {outcome}::contact_outcome, 60
         from generate_series(1, {count}) n returning id::text",
        agency.workspace_id, agency.one.id
    );
    assert_eq!(owner_lines(world, &sql).await.len(), count);
}

#[test]
fn a_filter_that_is_set_already_is_set_anew_and_sent_once() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "filters").await;
        let owner = &agency.owner;
        agency.contact("+12025550115").await;
        let second = agency.batch(&works.campaign, 1).await;
        let path = format!("/campaigns/{}", works.campaign);
        let page = Page::read(&owner.get(&format!("{path}?tab=contacts&batch={}", works.batch)).await.text);
        let sent = page.filled(&path, &[("batch", &second)]).expect("the filters");
        let of =
            |name: &str| sent.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect::<Vec<_>>();
        assert_eq!((of("batch"), of("tab")), (vec![second.clone()], vec!["contacts".to_owned()]), "{sent:?}");
        // No filter form of any list sends a name twice, whatever is set.
        let client = &agency.one.id;
        for address in [
            format!("/calls?client={client}&batch={second}&result=answered&view=review&q=roof&reviewed=no&priced=no"),
            format!("/contacts?client={client}&q=roof&suppressed=yes"),
            format!("{path}?tab=contacts&batch={second}&status=pending&result=done&outcome=answered&tried=yes"),
            format!("/agents?client={client}&q=roof&status=active&language=en"),
            format!("/numbers?client={client}&q=1&status=active&direction=outbound"),
            format!("/settings/audit?client={client}&entity=batch"),
        ] {
            let answer = owner.get(&address).await;
            assert_eq!(answer.status, 200, "{address}");
            let path = address.split('?').next().unwrap_or_default();
            let sent = Page::read(&answer.text).filled(path, &[]).unwrap_or_else(|error| panic!("{address}: {error}"));
            let mut names: Vec<&String> = sent.iter().map(|(name, _)| name).collect();
            names.sort();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{address}: {sent:?}");
        }
    });
}

#[test]
fn every_live_call_is_in_the_list_of_all() {
    run(|world| async move {
        let agency = Agency::new(world, "manylive").await;
        calls(world, &agency, 130, true).await;
        calls(world, &agency, 10, false).await;
        let owner = &agency.owner;
        let first = owner.get("/calls").await.text;
        assert_eq!(first.matches("id=\"row-").count(), 75, "fifty live calls stand above a page");
        assert_eq!(rows(owner, "/calls").await, 140);
        assert_eq!(rows(owner, "/calls?view=live").await, 130);
        assert_eq!(rows(owner, "/calls?result=ended").await, 10);
        // The dashboard names as many as stand beside its chart, and counts the others.
        let dashboard = owner.done("get_overview", &[]).await.json();
        assert_eq!(dashboard["live"].as_array().map(Vec::len), Some(7), "{dashboard}");
        assert!(owner.get("/dashboard").await.text.contains("123 more in progress"));
    });
}

#[test]
fn what_needs_a_person_is_counted_and_listed_to_the_end() {
    run(|world| async move {
        let agency = Agency::new(world, "needs").await;
        calls(world, &agency, 130, false).await;
        let workspace = &agency.workspace_id;
        let asked = format!(
            "insert into call_analyses (workspace_id, id, call_id, client_id, campaign_type, result, model, prompt_version, prompt_tokens,
                                        completion_tokens, cost)
             select workspace_id, gen_random_uuid(), id, client_id, 'sdr', '{{\"escalation\": true}}', 'm', 1, 1, 1, 0
             from calls where workspace_id = '{workspace}' returning id::text"
        );
        assert_eq!(owner_lines(world, &asked).await.len(), 130);
        let owner = &agency.owner;
        let dashboard = owner.get("/dashboard").await.text;
        assert!(dashboard.contains(">100+<"), "the count says that there are more");
        assert!(dashboard.contains("href=\"/calls?view=person\""), "and where");
        assert_eq!(rows(owner, "/calls?view=person").await, 130);
        assert!(owner.get("/calls").await.text.contains("Needs a person"), "a view of the list");
        let narrowed = owner.get(&format!("/dashboard?client={}", agency.one.id)).await.text;
        assert!(narrowed.contains(&format!("/calls?view=person&amp;client={}", agency.one.id)), "of one client");
        assert_eq!(rows(owner, &format!("/calls?view=person&client={}", agency.two.id)).await, 0);
        // Once most are reviewed, the dashboard has room for all.
        let reviewed = format!(
            "update calls set reviewed_at = now() where workspace_id = '{workspace}' and id in
               (select id from calls where workspace_id = '{workspace}' limit 60) returning id::text"
        );
        assert_eq!(owner_lines(world, &reviewed).await.len(), 60);
        let dashboard = owner.get("/dashboard").await.text;
        assert!(dashboard.contains(">70<") && !dashboard.contains("view=person"), "all are named");
        assert_eq!(rows(owner, "/calls?view=person").await, 70);
    });
}

#[test]
fn sums_name_what_they_leave_out_and_rents_have_a_file() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "leftout").await;
        let owner = &agency.owner;
        let spend = owner.get("/dashboard").await.text;
        assert!(!spend.contains("of a model is not priced") && !spend.contains("of models are not priced"));
        let unpriced = format!(
            "update token_usage set cost = null where workspace_id = '{}' returning id::text",
            agency.workspace_id
        );
        assert_eq!(owner_lines(world, &unpriced).await.len(), 1, "one answer");
        let dashboard = owner.get("/dashboard").await.text;
        assert_eq!(
            dashboard.matches("1 answer of a model is not priced yet").count(),
            2,
            "beside the spend of today and of the client"
        );
        assert!(dashboard.contains(&format!("/usage?client={}", agency.one.id)), "with the way there");

        let file = lines(owner, "/usage.csv?part=numbers").await;
        assert_eq!(file[0], ["month", "number", "client", "rent (USD)"]);
        assert_eq!(file.len(), 2, "one number, held since this month: {file:?}");
        let number = owner.done("get_number", &[("id", &works.number)]).await.json();
        assert_eq!(Some(file[1][1].as_str()), number["row"]["number"].as_str(), "{number}");
        assert!(file[1][3].parse::<f64>().is_ok_and(|rent| rent > 0.0), "{file:?}");
        assert!(owner.get("/usage").await.text.contains("/usage.csv?part=numbers"));
        // What numbers cost is the agency's alone, also where cost is shared.
        let page = format!("/clients/{}/settings", agency.one.id);
        owner.filled(&page, "save_client", &[("shares_cost", "true")]).await;
        assert_eq!(agency.one.admin.get("/usage.csv").await.status, 200);
        assert_eq!(agency.one.admin.get("/usage.csv?part=numbers").await.status, 404);
    });
}

#[test]
fn a_carriers_price_from_before_the_upgrade_is_a_price() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "oldprice").await;
        let own = format!("workspace_id = '{}' and id = '{}'", agency.workspace_id, works.call);
        let old =
            format!("update calls set carrier_cost = 0.01, carrier_priced_at = null where {own} returning id::text");
        owner_lines(world, &old).await;
        let carrier =
            async || agency.owner.done("get_call", &[("id", &works.call)]).await.json()["costs"]["carrier"].clone();
        assert!(carrier().await.is_null(), "what was left by the upgrade");
        // The statement of the migration, on this call alone: others run beside this test.
        let migration = include_str!("../../migrations/0029_carrier_priced.sql");
        let update = migration.lines().find(|line| line.starts_with("update calls")).expect("the statement");
        owner_lines(world, &format!("{} and {own} returning id::text", update.trim_end_matches(';'))).await;
        assert_eq!(carrier().await.as_str().and_then(|text| text.parse::<f64>().ok()), Some(0.01));
        let told: bool =
            owner_value(world, &format!("select carrier_priced_at = ended_at from calls where {own}")).await;
        assert!(told);
    });
}
