//! Work that was lost is found and done, and what cannot be done is shown with its reason.

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_queues::server::sweep;
use patchbay_shared::ids::WorkspaceId;
use serde_json::Value;

use super::support::{Agency, World, owner_lines, run};

const TEST: Machine =
    Machine { name: "test", actions: &[Action::ReadQueues, Action::ReplayQueues, Action::RunBatches] };

async fn swept(world: &World, agency: &Agency) {
    let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
    sweep::sweep(&Scope::of_operator(world.db.clone(), workspace, TEST)).await.expect("a sweep");
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
