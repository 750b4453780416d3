//! Work that was lost is found and done, and what cannot be done is shown with its reason.

use patchbay_access::server::Scope;
use patchbay_queues::server::sweep;
use patchbay_shared::ids::WorkspaceId;
use serde_json::Value;

use super::knowledge::{added, collection, file};
use super::support::{Agency, World, owner_lines, run};

async fn swept(world: &World, agency: &Agency) {
    let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
    sweep::sweep(&Scope::of_operator(world.db.clone(), workspace, sweep::UPKEEP)).await.expect("a sweep");
}

async fn call(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_call", &[("id", id)]).await.json()
}

/// What a crash at the wrong moment leaves behind, which nothing in the product does by itself.
async fn lose(world: &World, sql: String) {
    owner_lines(world, &format!("with lost as ({sql} returning 1) select count(*)::text from lost")).await;
}

#[test]
fn a_call_that_says_fetching_for_ever_is_found_and_tried_again_and_given_up_in_the_end() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "lost-words").await;
        let (workspace, id) = (agency.workspace_id.clone(), works.call.clone());
        let fetching = format!(
            "update calls set transcript_status = 'fetching', ended_at = now() - interval '11 minutes' where workspace_id = '{workspace}' and id = '{id}'"
        );
        let gone = format!(
            "delete from enrichment_queue where workspace_id = '{workspace}' and call_id = '{id}' and type = 'transcript'"
        );
        lose(world, gone).await;
        // Just ended: it may be on its way.
        lose(world, fetching.replace("11 minutes", "2 minutes")).await;
        swept(world, &agency).await;
        assert_eq!(call(&agency, &id).await["transcript_status"], "fetching");
        lose(world, fetching.clone()).await;
        swept(world, &agency).await;
        agency.drain().await;
        assert_eq!(
            call(&agency, &id).await["transcript_status"],
            "completed",
            "its row was gone, and the words are there"
        );
        // Lost again and again, although its row says that it was done: three times in all.
        for _ in 0..3 {
            lose(world, fetching.clone()).await;
            swept(world, &agency).await;
            agency.drain().await;
        }
        let failed = call(&agency, &id).await;
        assert_eq!(failed["transcript_status"], "failed", "{failed}");
        let list = agency.owner.done("list_queue", &[("query[queue]", "words")]).await.json();
        let row = &list["page"]["rows"][0];
        assert!(
            row["status"] == "failed" && row["note"].as_str().is_some_and(|note| note.contains("lost several times")),
            "{list}"
        );
        assert_eq!(row["href"], format!("/calls/{id}"));
        let needs = agency.owner.done("get_overview", &[]).await.text;
        assert!(needs.contains("/queues?queue=words&status=failed"), "the dashboard leads there: {needs}");
        // A person tries it once more, from the list.
        let work = row["id"].as_str().expect("an id");
        assert_eq!(agency.member.rpc("retry_work", &[("source", "words"), ("id", work)]).await.status, 403);
        agency.owner.done("retry_work", &[("source", "words"), ("id", work)]).await;
        assert_eq!(
            agency.owner.rpc("retry_work", &[("source", "words"), ("id", work)]).await.status,
            409,
            "it waits already"
        );
        agency.drain().await;
        assert_eq!(call(&agency, &id).await["transcript_status"], "completed");
        let list = agency.owner.done("list_queue", &[]).await.json();
        assert_eq!(
            (&list["failed"], &list["page"]["rows"]),
            (&0.into(), &serde_json::json!([])),
            "nothing is stuck: {list}"
        );
        let page = agency.owner.get("/queues").await;
        assert!(page.status == 200 && page.text.contains("Nothing is stuck"), "{}", page.status);
    });
}

#[test]
fn a_batch_whose_job_is_gone_is_dialled_and_a_failed_job_is_tried_again() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "lost-batch").await;
        let workspace = agency.workspace_id.clone();
        let batch = agency.batch(&works.campaign, 1).await;
        lose(world, format!("delete from jobs where workspace_id = '{workspace}' and kind = 'run_batch'")).await;
        agency.drain().await;
        assert!(world.sandbox.call_log(Some(&works.key)).is_empty(), "nobody dials it");
        swept(world, &agency).await;
        // A worker broke on it three times.
        let poison = "update jobs set status = 'failed', attempts = 3, worker_deaths = 3, finished_at = now(), last_error = 'The worker died.'";
        lose(
            world,
            format!("{poison} where workspace_id = '{workspace}' and kind = 'run_batch' and status = 'pending'"),
        )
        .await;
        // And an older one of the same kind had failed before: only one of the two may wait again.
        let twin = "insert into jobs (id, workspace_id, kind, payload, dedupe_key, status, last_error)
                    select ('00000000-0000-7000-8000-' || right(id::text, 12))::uuid, workspace_id, kind, payload, dedupe_key, status, 'Before.' from jobs";
        lose(world, format!("{twin} where workspace_id = '{workspace}' and kind = 'run_batch' and status = 'failed'"))
            .await;
        let stuck = agency.owner.done("list_queue", &[("query[queue]", "batches")]).await.json();
        let row = &stuck["page"]["rows"][0];
        assert!(row["status"] == "failed" && row["kind"] == "Dial a batch" && row["may_retry"] == true, "{stuck}");
        assert_eq!(row["href"], format!("/batches/{batch}"));
        assert!(row["note"].as_str().is_some_and(|note| note.contains("died")), "{row}");
        let others = agency.owner.done("list_queue", &[("query[queue]", "mail")]).await.json();
        assert_eq!(others["page"]["rows"], serde_json::json!([]), "{others}");
        agency.owner.filled("/queues?queue=batches&dialog=retry", "retry_failed_work", &[]).await;
        agency.finished(&batch).await;
        assert_eq!(world.sandbox.call_log(Some(&works.key)).len(), 1);
        // What nobody needs any more is set aside.
        for (queue, table, source) in [("other", "jobs", "job"), ("words", "enrichment_queue", "words")] {
            let broken = format!(
                "update {table} set status = 'failed', last_error = 'Broken.' where id = (select id from {table} where workspace_id = '{workspace}' {} limit 1)",
                if source == "job" { "and kind = 'sync_agent'" } else { "" }
            );
            lose(world, broken).await;
            let stuck = agency.owner.done("list_queue", &[("query[queue]", queue)]).await.json();
            let id = stuck["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("{stuck}")).to_owned();
            agency.owner.done("discard_work", &[("source", source), ("id", &id)]).await;
            assert_eq!(agency.owner.rpc("discard_work", &[("source", source), ("id", &id)]).await.status, 409);
            let stuck = agency.owner.done("list_queue", &[("query[queue]", queue)]).await.json();
            assert_eq!(stuck["page"]["rows"], serde_json::json!([]), "{stuck}");
        }
        // Every state, both orders, page by page, and as a file: each piece of work once.
        let mut seen = Vec::new();
        for sort in ["", "oldest"] {
            let query = [("query[status]", "all"), ("query[sort]", sort)];
            let page = agency.owner.done("list_queue", &query).await.json();
            let rows = page["page"]["rows"].as_array().expect("rows").clone();
            let ids: Vec<String> = rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
            assert!(ids.is_sorted() == (sort == "oldest"), "{ids:?}");
            seen.push(ids.len());
        }
        assert!(seen[0] > 3 && seen[0] == seen[1], "{seen:?}");
        let file = agency.owner.get("/queues.csv?status=all").await;
        assert!(file.status == 200 && file.text.contains("Transcripts and analyses"), "{file:?}");
    });
}

#[test]
fn all_that_the_filters_select_is_tried_again_at_once_and_nothing_else() {
    run(|world| async move {
        let (agency, _) = Agency::ready(world, "many-failed").await;
        let workspace = agency.workspace_id.clone();
        let fail = async |kind: &str, many: i64| {
            lose(
                world,
                format!(
                    "insert into jobs (id, workspace_id, kind, payload, status, attempts, last_error)
                     select gen_random_uuid(), '{workspace}', '{kind}', '{{}}', 'failed', 3, 'Broken.' from generate_series(1, {many})"
                ),
            )
            .await;
        };
        fail("send_mail", 3).await;
        fail("follow_call", 5_020).await;
        let list = async |query: &[(&str, &str)]| agency.owner.done("list_queue", query).await.json();
        let failed = async |queue: &'static str| {
            list(&[("query[queue]", queue), ("query[status]", "failed")]).await["failed"].clone()
        };
        let (mail, all) = (failed("mail").await, list(&[]).await);
        assert_eq!(mail, 3);
        assert!(all["failed"] == 5_000 && all["has_more"] == true, "{}", all["failed"]);
        // Work that waits is nothing to try again, on the page and whatever is posted.
        let waiting = list(&[("query[status]", "pending")]).await;
        assert_eq!(waiting["failed"], 0, "{waiting}");
        let page = agency.owner.get("/queues?status=pending").await.text;
        assert!(!page.contains("dialog=retry"), "no button");
        agency.owner.done("retry_failed_work", &[("status", "pending")]).await;
        agency.owner.done("retry_failed_work", &[("queue", "words")]).await;
        assert_eq!((failed("mail").await, failed("other").await), (3.into(), 5_000.into()));
        assert_eq!(agency.owner.rpc("retry_failed_work", &[("status", "nonsense")]).await.status, 404);
        // The button says how many, and does these.
        let page = agency.owner.get("/queues?queue=mail&status=failed").await.text;
        assert!(page.contains("Try 3 failed again"), "{page}");
        agency.owner.filled("/queues?queue=mail&status=failed&dialog=retry", "retry_failed_work", &[]).await;
        assert_eq!((failed("mail").await, failed("other").await), (0.into(), 5_000.into()));
        let page = agency.owner.get("/queues?queue=other&dialog=retry").await.text;
        assert!(page.contains("Try 5,000 failed again") && page.contains("There is more than goes at once"), "{page}");
        agency.owner.filled("/queues?queue=other&dialog=retry", "retry_failed_work", &[]).await;
        assert_eq!(failed("other").await, 20, "the rest");
        let events = owner_lines(
            world,
            &format!(
                "select after ->> 'jobs' from audit_events where workspace_id = '{workspace}' and entity = 'job' and action = 'retried' order by seq"
            ),
        )
        .await;
        let pieces: Vec<i64> = events.iter().map(|count| count.parse().expect("a number")).collect();
        assert!(
            pieces.len() == 11 && pieces.iter().sum::<i64>() == 5_003,
            "in pieces, each with its event: {pieces:?}"
        );
    });
}

#[test]
fn a_file_that_nobody_reads_any_more_is_read_or_given_up() {
    run(|world| async move {
        let agency = Agency::new(world, "lost-files").await;
        let (workspace, id) = (agency.workspace_id.clone(), collection(&agency, "Lost").await);
        let forget = async || {
            lose(world, format!("delete from jobs where workspace_id = '{workspace}' and kind = 'index_knowledge'"))
                .await;
        };
        added(&agency, &id, "Prices.md", "# Prices\n\nA crown costs 640 dollars.").await;
        forget().await;
        agency.drain().await;
        assert_eq!(file(&agency, &id, "Prices.md").await["status"], "pending");
        swept(world, &agency).await;
        agency.drain().await;
        assert_eq!(file(&agency, &id, "Prices.md").await["status"], "indexed");
        // The service was stopped each time that it read this one, until its job was given up.
        added(&agency, &id, "Deadly.md", "# Deadly").await;
        forget().await;
        let tried = format!(
            "update knowledge_entries set knowledge_status = 'indexing', attempts = 3 where workspace_id = '{workspace}' and original_filename = 'Deadly.md'"
        );
        lose(world, tried).await;
        swept(world, &agency).await;
        agency.drain().await;
        let row = file(&agency, &id, "Deadly.md").await;
        assert!(row["status"] == "failed" && row["error"].to_string().contains("three times"), "{row}");
    });
}
