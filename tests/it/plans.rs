//! Every list and every search on many rows, as the application's role under row security: how many rows the database looks at.

use super::support::{Agency, Plan, World, run_planned};

/// What the data has many of. The agency has 35,000 rows of each, but for messages, work and call-backs. Of fewer the database would
/// rather read all.
const TABLES: [&str; 11] = [
    "contacts",
    "campaign_contacts",
    "calls",
    "call_messages",
    "webhook_queue",
    "enrichment_queue",
    "jobs",
    "call_backs",
    "agent_runs",
    "error_causes",
    "errors",
];
/// A page of a list looks at no more rows of a table than this, in each of its statements. Counts stop at a thousand each, and a
/// search for a number looks through the newest 5,000 calls.
const MOST: i64 = 5_500;

async fn fill(world: &World, agency: &Agency, campaign: &str, agent: &str, batch: &str) {
    let sql = include_str!("plans/large.sql")
        .replace("$AGENCY", &agency.workspace_id)
        .replace("$CLIENT", &agency.one.id)
        .replace("$CAMPAIGN", campaign)
        .replace("$AGENT", agent)
        .replace("$BATCH", batch);
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("many rows");
    // As after a while: what was written last has reached the indexes.
    sqlx::raw_sql("vacuum analyze").execute(&world.owner).await.expect("statistics");
}

fn reads_too_much(plan: &Plan, most: i64) -> Option<String> {
    let over = TABLES.iter().find(|table| plan.looked_at(table) > most)?;
    Some(format!("{} rows of {over}: {}\n{:#}", plan.looked_at(over), plan.sql, plan.root))
}

#[test]
fn no_list_no_search_and_no_file_reads_more_than_it_shows() {
    run_planned(|world, plans| async move {
        let (agency, works) = Agency::worked(&world, "plans").await;
        fill(&world, &agency, &works.campaign, &works.agent, &works.batch).await;
        agency.one.viewer.join().await;
        let (client, batch, contact, agent) = (&agency.one.id, &works.batch, &works.contact, &works.agent);
        let members = format!("/campaigns/{}?tab=contacts", works.campaign);
        let mut pages: Vec<String> = [
            "",
            "?view=live",
            "?view=review",
            "?view=problems",
            "?result=ended",
            "?result=answered",
            "?result=not_reached",
            "?result=busy",
            "?result=failed",
            "?goal=yes",
            "?priced=no",
            "?direction=outbound",
            "?reviewed=no",
            "?from=2026-01-01",
            "?q=person7123",
            "?q=number%207123",
            "?q=nobody-at-all",
            "?q=20000071",
            "?q=Anna%20c4ca",
        ]
        .iter()
        .map(|query| format!("/calls{query}"))
        .collect();
        pages.extend([
            format!("/calls?client={client}"),
            format!("/calls?client={client}&q=person7123"),
            format!("/calls?batch={batch}"),
            format!("/calls?batch={batch}&result=answered"),
            format!("/calls?contact={contact}"),
            format!("/calls?agent={agent}"),
            format!("/calls?campaign={}", works.campaign),
            format!("/calls/{}", works.call),
            format!("/calls/{}?list=q%3Dperson7123", works.call),
            "/runs".to_owned(),
            "/runs?sort=started".to_owned(),
            "/runs?status=failed".to_owned(),
            "/runs?status=partial&kind=live_call".to_owned(),
            "/runs?kind=test_call".to_owned(),
            "/runs?from=2026-01-01&status=running".to_owned(),
            "/runs?q=person7123".to_owned(),
            "/runs?q=line%20broke".to_owned(),
            format!("/runs?agent={agent}"),
            format!("/runs?client={client}"),
            format!("/runs/{}", works.call),
            "/errors".to_owned(),
            "/errors?state=resolved".to_owned(),
            "/errors?state=all&sort=last".to_owned(),
            "/queues".to_owned(),
            "/queues?status=all".to_owned(),
            "/queues?status=completed&queue=words".to_owned(),
            "/queues?status=failed&sort=oldest".to_owned(),
            "/call-backs".to_owned(),
            "/call-backs?sort=due&status=scheduled".to_owned(),
            "/calls?call_back=needs_person".to_owned(),
            "/calls?call_back=kept".to_owned(),
            "/calls?call_back=kept&reviewed=yes".to_owned(),
            "/calls?call_back=kept&q=person7123".to_owned(),
            format!("/calls?call_back=kept&client={client}"),
            "/contacts".to_owned(),
            "/contacts?q=person7123".to_owned(),
            "/contacts?q=nobody-at-all".to_owned(),
            "/contacts?suppressed=yes".to_owned(),
            format!("/contacts?client={client}"),
            format!("/contacts?client={client}&q=person7123"),
            format!("/contacts/{contact}"),
            members.clone(),
            format!("{members}&status=pending"),
            format!("{members}&result=reached"),
            format!("{members}&outcome=said_no"),
            format!("{members}&batch={batch}&result=reached"),
            format!("{members}&batch={batch}&result=failed"),
            "/campaigns".to_owned(),
            "/batches".to_owned(),
            format!("/batches/{batch}"),
            "/dashboard".to_owned(),
            format!("/dashboard?client={client}"),
            format!("/clients/{client}"),
        ]);
        let mut wrong = Vec::new();
        for page in &pages {
            plans.take();
            // Both at the same time: what counts is the plan and not the time.
            let (owner, viewer) = tokio::join!(agency.owner.get(page), agency.one.viewer.get(page));
            for status in [owner.status, viewer.status] {
                assert!(status == 200 || status == 404, "{page}: {status}");
            }
            let all = plans.take();
            assert!(!all.is_empty(), "{page}: no plan came by");
            // How many contacts a campaign has is counted up to 100,000; a month and a list of batches add up what they hold.
            let adds_up = |plan: &Plan| {
                plan.sql.contains("group by") || plan.sql.contains("count(*) filter") || plan.sql.contains("sum(")
            };
            let too_much = all.iter().filter(|plan| !adds_up(plan)).filter_map(|plan| reads_too_much(plan, MOST));
            wrong.extend(too_much.map(|what| format!("{page}: {what}")));
        }
        assert!(wrong.is_empty(), "{} statements read too much: {}", wrong.len(), wrong.join("\n\n"));
        // Today's calls and yesterday's are read by one statement.
        plans.take();
        agency.owner.get("/dashboard").await;
        let counts = plans.take().iter().filter(|plan| plan.sql.contains("percentile_cont")).count();
        assert_eq!(counts, 1, "the dashboard reads each day's calls once");
        // Of the batches only those that it shows are counted.
        plans.take();
        agency.owner.get("/dashboard").await;
        let batches: Vec<Plan> =
            plans.take().into_iter().filter(|plan| plan.sql.contains("x.batch_id = b.id")).collect();
        assert_eq!(batches.len(), 1, "one statement");
        let looked_at = batches[0].looked_at("campaign_contacts");
        assert!(looked_at < 7_000, "{looked_at} contacts for four batches of twenty: {:#}", batches[0].root);
        // Usage reads rows of days, and calls of the two days alone that are compared in part.
        patchbay_metering::server::days::rebuild(&world.db).await.expect("days");
        for page in [
            "/usage".to_owned(),
            "/usage?period=90".to_owned(),
            format!("/usage?period=30&client={client}"),
            "/dashboard?period=30".to_owned(),
        ] {
            plans.take();
            assert_eq!(agency.owner.get(&page).await.status, 200, "{page}");
            for plan in plans.take() {
                let looked_at = plan.looked_at("calls");
                assert!(looked_at <= MOST, "{page}: {looked_at} of 35,000 calls: {}", plan.sql);
            }
        }
        // Call-backs that were kept are many, and the list has each of their calls.
        let kept = agency.owner.get("/calls.csv?call_back=kept").await;
        let calls: std::collections::HashSet<&str> = kept.text.lines().skip(1).collect();
        assert_eq!((kept.text.lines().count(), calls.len()), (13_441, 13_440), "of 14,000");
        // Files.
        for path in [
            format!("/campaigns/{}/contacts.csv", works.campaign),
            "/contacts/export.csv?q=Anna".to_owned(),
            "/calls.csv?result=busy".to_owned(),
            "/calls.csv?q=person71".to_owned(),
        ] {
            plans.take();
            let file = agency.owner.get(&path).await;
            assert_eq!(file.status, 200, "{path}");
            let rows = file.text.lines().count() as i64;
            assert!(rows > 2, "{path} has rows");
            let plans = plans.take();
            for table in ["contacts", "campaign_contacts", "calls"] {
                let looked_at: i64 = plans.iter().map(|plan| plan.looked_at(table)).sum();
                // Every piece looks up its own rows. A search looks at all that it finds, for every piece anew.
                assert!(looked_at <= rows * 2 + 40_000, "{path}: {looked_at} rows of {table} for {rows}");
                for plan in &plans {
                    let one = plan.looked_at(table);
                    assert!(
                        one <= 10_000,
                        "{path}: {one} rows of {table} in one statement: {}\n{:#}",
                        plan.sql,
                        plan.root
                    );
                }
            }
        }
    });
}
