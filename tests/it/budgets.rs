//! What a monthly budget does: hold stops new calls and lets them go on, warn only tells, and the sum is the usage page's to the cent.

use serde_json::Value;

use super::support::{Agency, World, owner_value, run};

/// Sets client one's budget as its form does.
pub(super) async fn budget(agency: &Agency, amount: &str, action: &str, more: &[(&str, &str)]) {
    let fields = [("monthly_budget", amount), ("budget_action", action)];
    let fields: Vec<(&str, &str)> = fields.into_iter().chain(more.iter().copied()).collect();
    agency.owner.filled(&format!("/clients/{}/settings", agency.one.id), "save_client", &fields).await;
}

async fn batch(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_batch", &[("id", id)]).await.json()
}

/// The lines of the audit log about budgets, newest first: action and actor.
async fn audit_log(agency: &Agency) -> Vec<(String, String)> {
    let page = agency.owner.done("list_audit_events", &[("query[entity]", "budget")]).await.json();
    let rows = page["page"]["rows"].as_array().unwrap_or_else(|| panic!("rows: {page}")).clone();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    rows.iter().map(|row| (text(row, "action"), text(row, "actor"))).collect()
}

/// The kept sum beside the sum over calls, answers and text messages, at one moment.
pub(super) async fn sums(world: &World, agency: &Agency) -> (String, String) {
    let client = &agency.one.id;
    let both = format!(
        "select (select spent from client_spend where client_id = '{client}') || ' '
             || ((select coalesce(sum(voice_cost + carrier_cost), 0) from calls where client_id = '{client}')
               + (select coalesce(sum(cost), 0) from token_usage where client_id = '{client}')
               + (select coalesce(sum(cost_usd), 0) from text_messages where client_id = '{client}'))"
    );
    let both: String = owner_value(world, &both).await;
    both.split_once(' ').map(|(kept, counted)| (kept.to_owned(), counted.to_owned())).expect("two sums")
}

/// Has a batch dialled until it waits, with nobody on the line. Gives what it says of itself.
async fn held(agency: &Agency, id: &str) -> Value {
    agency.drain().await;
    let view = batch(agency, id).await;
    assert!(view["waits"].is_string() && view["lines"].as_array().is_some_and(Vec::is_empty), "it waits: {view}");
    view
}

#[test]
fn a_batch_stops_at_the_budget_and_goes_on_when_it_is_raised() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "hold").await;
        for at in 40..48 {
            agency.contact(&format!("+120255500{at}")).await;
        }
        // Less than one call costs: the first that is billed spends it.
        budget(&agency, "0.01", "hold", &[]).await;
        let id = agency.batch(&works.campaign, 1).await;
        let view = held(&agency, &id).await;
        let called = || world.sandbox.call_log(Some(&works.key)).into_iter().filter(|entry| entry.placed).count();
        let before = called();
        assert!((1..9).contains(&before), "some were called, not all nine: {before}");
        let why = view["waits"].as_str().unwrap_or_default();
        assert!(
            why.contains("monthly budget of $") && why.contains("Calls continue when the month ends on 1 "),
            "{why}"
        );
        assert_eq!(view["may_raise"], true, "{view}");
        assert_eq!(view["status"], "processing", "nobody paused it: {view}");
        let page = agency.owner.get(&format!("/batches/{id}")).await.text;
        assert!(
            page.contains("The batch is waiting.") && page.contains(&format!("/clients/{}/settings", agency.one.id))
        );
        // A member reads and cannot change the budget; the client's people learn no amount.
        let member = agency.member.done("get_batch", &[("id", &id)]).await.json();
        assert!(member["waits"].is_string() && member["may_raise"] == false, "{member}");
        let viewer = agency.one.viewer.done("get_batch", &[("id", &id)]).await.json();
        let told = viewer["waits"].as_str().unwrap_or_default();
        assert!(told.contains("The monthly budget is spent") && !told.contains('$'), "{viewer}");
        let list = agency.one.viewer.done("list_batches", &[]).await.text;
        assert!(list.contains("Waiting: the monthly budget is spent"), "{list}");

        // The audit log was told once of each level, by Patchbay; the dashboard names the client; the client's admin reads no amount.
        let lines = audit_log(&agency).await;
        assert!(lines.iter().any(|(action, actor)| action == "spent" && actor.starts_with("Patchbay")), "{lines:?}");
        for level in ["spent", "spent 80% of"] {
            assert_eq!(lines.iter().filter(|(action, _)| action == level).count(), 1, "{lines:?}");
        }
        let needs = agency.owner.done("get_overview", &[]).await.json()["needs"].to_string();
        assert!(needs.contains(&agency.one.secret) && needs.contains("has spent its monthly budget"), "{needs}");
        let theirs = agency.one.admin.done("list_audit_events", &[("query[entity]", "")]).await.text;
        assert!(!theirs.contains("monthly budget") && !theirs.contains("spent 80%"), "{theirs}");
        let page = agency.member.get(&format!("/clients/{}", agency.one.id)).await.text;
        assert!(page.contains("No new calls start until"), "the callout on the client's page");

        // Resting calls cost no more, so nothing moves until the budget does.
        assert_eq!(called(), before);
        budget(&agency, "1000", "hold", &[]).await;
        agency.finished(&id).await;
        assert_eq!(called(), 9, "everybody once");
        let lines = audit_log(&agency).await;
        assert_eq!(lines.iter().filter(|(action, _)| action == "spent").count(), 1, "not told again: {lines:?}");
    });
}

#[test]
fn warn_stops_nothing_and_the_kept_sum_is_the_counted_one() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "warn").await;
        for at in 40..44 {
            agency.contact(&format!("+120255500{at}")).await;
        }
        budget(&agency, "0.01", "warn", &[("shares_cost", "true")]).await;
        let id = agency.batch(&works.campaign, 2).await;
        agency.finished(&id).await;
        let unbilled = format!(
            "select count(*) from calls where workspace_id = '{}' and joined_at is not null and billed_seconds is null",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &unbilled).await, 0, "every call was billed");
        let (kept, counted) = sums(world, &agency).await;
        assert!(counted.parse::<f64>().is_ok_and(|sum| sum > 0.01), "calls cost something here: {counted}");
        assert_eq!(kept, counted);
        let month = agency.owner.done("get_client_usage", &[("client", &agency.one.id)]).await.json();
        assert_eq!(month["budget_status"]["spent"], kept.as_str(), "the client's page says the same");
        assert!(audit_log(&agency).await.iter().any(|(action, _)| action == "spent"), "the audit log knows");
        let view = batch(&agency, &id).await;
        assert!(view["waits"].is_null(), "{view}");
        let page = agency.owner.get(&format!("/clients/{}", agency.one.id)).await.text;
        assert!(page.contains("Calls continue; the next month begins on"), "told, and no more");

        // Added up anew, it is the same: the way a budget begins in the middle of a month.
        budget(&agency, "", "warn", &[]).await;
        budget(&agency, "500", "hold", &[]).await;
        let row = format!("select count(*) from client_spend where client_id = '{}'", agency.one.id);
        agency.drain().await;
        assert_eq!(owner_value::<i64>(world, &row).await, 1, "the month is added up");
        let (kept, counted) = sums(world, &agency).await;
        assert_eq!(kept, counted);
    });
}

#[test]
fn a_budget_of_nothing_dials_nobody_and_other_clients_go_on() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "nothing").await;
        budget(&agency, "0", "hold", &[("shares_cost", "true")]).await;
        let id = agency.batch(&works.campaign, 1).await;
        let view = held(&agency, &id).await;
        assert!(view["waits"].as_str().is_some_and(|why| why.contains("$0.00")), "{view}");
        assert!(world.sandbox.call_log(Some(&works.key)).is_empty(), "nobody was called");
        let viewer = agency.one.viewer.done("get_batch", &[("id", &id)]).await.json();
        assert!(viewer["waits"].as_str().is_some_and(|why| why.contains("$0.00")), "cost is shared here: {viewer}");
        let readiness = agency.owner.done("batch_readiness", &[("campaign", &works.campaign)]).await.text;
        assert!(readiness.contains("will wait at first"), "{readiness}");
        // The sister client has no budget and no part in it.
        let month = agency.owner.done("get_client_usage", &[("client", &agency.two.id)]).await.json();
        assert!(month["budget_status"].is_null(), "{month}");
        // To warn instead lets it go on.
        budget(&agency, "0", "warn", &[]).await;
        agency.finished(&id).await;
    });
}
