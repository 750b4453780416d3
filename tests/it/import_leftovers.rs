//! Imports that do not go as they should: files that nobody imports, work that breaks off, workers that were thought dead, updates in the
//! middle. None of them stands there for ever, and none takes a place or the disk from others.

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_contacts::server::{import, leftovers};
use patchbay_shared::ids::{ImportId, WorkspaceId};
use serde_json::Value;

use super::contact_imports::{checked, found, imported, uploaded};
use super::support::{Agency, World, owner_lines, owner_value, run};

const TEST: Machine = Machine { name: "test", actions: &[Action::ReadContacts, Action::ManageContacts] };
const FEW: &str = "name,phone\nAda,+41792009600\n";

fn scope(world: &World, agency: &Agency) -> Scope {
    let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
    Scope::of_operator(world.db.clone(), workspace, TEST)
}

async fn view(agency: &Agency, id: &str) -> Value {
    agency.admin.done("get_import", &[("id", id)]).await.json()
}

/// Changes imports behind the server's back.
async fn set(world: &World, change: &str, which: &str) -> i64 {
    let sql = format!(
        "with changed as (update contact_imports set {change} where {which} returning 1) select count(*) from changed"
    );
    owner_value(world, &sql).await
}

/// What lies on the disk of an import.
fn on_disk(world: &World, agency: &Agency, id: &str) -> Vec<(String, u64)> {
    let folder = world.db.services().uploads.join(&agency.workspace_id);
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let all = entries.map(|entry| {
        (
            entry.file_name().to_string_lossy().into_owned(),
            entry.metadata().map(|facts| facts.len()).unwrap_or_default(),
        )
    });
    let mut found: Vec<(String, u64)> = all.filter(|(name, _)| name.starts_with(id)).collect();
    found.sort();
    found
}

#[test]
fn uploads_that_were_left_lying_take_nobodys_place() {
    run(|world| async move {
        let agency = Agency::new(world, "left-lying").await;
        let mut ids = Vec::new();
        for _ in 0..25 {
            ids.push(uploaded(&agency, "few.csv", FEW).await);
        }
        let of_client = format!("client_id = '{}'", agency.one.id);
        assert_eq!(set(world, "created_at = now() - interval '8 days'", &of_client).await, 25);
        uploaded(&agency, "few.csv", FEW).await;
        let old = view(&agency, &ids[0]).await;
        assert_eq!(old["status"], "cancelled", "{old}");
        assert!(old["error"].as_str().is_some_and(|error| error.contains("within seven days")), "{old}");
        assert_eq!(on_disk(world, &agency, &ids[0]), []);
    });
}

/// What the check keeps of a file counts like the file, and what is cancelled takes no room any more.
#[test]
fn rows_that_are_kept_count_and_are_no_larger_than_their_file() {
    run(|world| async move {
        let agency = Agency::new(world, "wide-rows").await;
        let names: Vec<String> =
            (1..200).map(|at| format!("a name of sixty letters as survey tools give their columns {at:03}")).collect();
        let mut file = format!("phone,{}\n", names.join(","));
        (0..1_000).for_each(|row| file += &format!("+4179201{row:04}{}\n", ",1".repeat(199)));
        let size = file.len() as u64;
        let id = uploaded(&agency, "wide.csv", file).await;
        let seen = checked(&agency, &id, &[]).await;
        assert_eq!(seen["preview"]["check"]["fresh"], 1_000, "{seen}");
        let kept = on_disk(world, &agency, &id).iter().find(|(name, _)| name.ends_with(".rows")).expect("rows").1;
        assert!(kept < size + size / 2, "{kept} bytes of {size}");
        let counted: i64 =
            owner_value(world, &format!("select stage_bytes from contact_imports where id = '{id}'")).await;
        assert_eq!(counted, kept as i64);
        let done = imported(&agency, &id).await;
        assert_eq!(done["imported"], 1_000, "{done}");
        let row = found(&agency.admin, "+41792010999").await[0]["id"].as_str().expect("an id").to_owned();
        let contact = agency.admin.done("get_contact", &[("id", &row)]).await.json();
        assert_eq!(contact["attributes"].as_object().map(serde_json::Map::len), Some(199), "{contact}");
        assert_eq!(on_disk(world, &agency, &id), []);

        let id = uploaded(&agency, "few.csv", FEW).await;
        assert_eq!(set(world, "stage_bytes = 3221225470", &format!("id = '{id}'")).await, 1);
        let upload = [("client", agency.one.id.as_str())];
        let answer = agency.admin.upload("/contacts/imports/upload", &upload, "few.csv", FEW.into()).await;
        assert!(answer.location.as_deref().is_some_and(|to| to.contains("problem=quota")), "{answer:?}");
        agency.admin.done("cancel_import", &[("id", &id)]).await;
        assert_eq!(on_disk(world, &agency, &id), []);
        uploaded(&agency, "few.csv", FEW).await;
    });
}

#[test]
fn an_update_in_the_middle_is_said_and_loses_no_file() {
    run(|world| async move {
        let agency = Agency::new(world, "update").await;
        let [ready, other, going] = [
            uploaded(&agency, "a.csv", FEW).await,
            uploaded(&agency, "b.csv", FEW).await,
            uploaded(&agency, "c.csv", FEW).await,
        ];
        for id in [&ready, &other, &going] {
            checked(&agency, id, &[]).await;
        }
        // As earlier versions left them: without rows, or with rows in another form.
        set(world, "stage_key = null", &format!("id = '{ready}'")).await;
        let key: String =
            owner_value(world, &format!("select stage_key from contact_imports where id = '{other}'")).await;
        std::fs::write(world.db.services().uploads.join(key), "{\"people\":[]}\n").expect("a file");
        for id in [&ready, &other] {
            let answer = agency.admin.rpc("run_import", &[("id", id)]).await;
            assert!(answer.status == 409 && answer.text.contains("check it again"), "{answer:?}");
            checked(&agency, id, &[]).await;
            assert_eq!(imported(&agency, id).await["status"], "completed");
        }
        agency.admin.done("run_import", &[("id", &going)]).await;
        set(world, "stage_key = null", &format!("id = '{going}'")).await;
        agency.drain().await;
        let seen = view(&agency, &going).await;
        assert_eq!(
            (&seen["status"], seen["error"].as_str().is_some_and(|why| why.contains("Interrupted by an update"))),
            (&"failed".into(), true),
            "{seen}"
        );

        // What the migration makes of those that it meets.
        let [ready, going] = [uploaded(&agency, "d.csv", FEW).await, uploaded(&agency, "e.csv", FEW).await];
        for id in [&ready, &going] {
            checked(&agency, id, &[]).await;
        }
        agency.admin.done("run_import", &[("id", &going)]).await;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/0027_import_rows.sql");
        let text = std::fs::read_to_string(path).expect("the migration");
        let mut tx = world.owner.begin().await.expect("a transaction");
        let mut changes = 0;
        for change in text.split(';').map(str::trim).filter(|text| text.starts_with("update contact_imports")) {
            let own = format!("{change} and workspace_id = '{}'", agency.workspace_id);
            sqlx::query(sqlx::AssertSqlSafe(own)).execute(&mut *tx).await.expect("a change");
            changes += 1;
        }
        tx.commit().await.expect("a commit");
        assert_eq!(changes, 2);
        let states = format!(
            "select status::text || ' ' || (preview ? 'check') from contact_imports where id in ('{ready}', '{going}') order by id"
        );
        assert_eq!(owner_lines(world, &states).await, ["uploaded false", "failed true"]);
        checked(&agency, &ready, &[]).await;
        imported(&agency, &ready).await;
    });
}

#[test]
fn what_cannot_be_read_to_its_end_fails_with_words() {
    run(|world| async move {
        let agency = Agency::new(world, "unreadable").await;
        let id = uploaded(&agency, "few.csv", FEW).await;
        // The disk gives an error in place of the file.
        let path = world.db.services().uploads.join(&agency.workspace_id).join(format!("{id}.csv"));
        std::fs::remove_file(&path).expect("the file");
        std::fs::create_dir(&path).expect("a folder");
        agency.admin.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", &[]).await;
        agency.drain().await;
        let seen = view(&agency, &id).await;
        assert_eq!(seen["status"], "failed", "{seen}");
        assert!(seen["error"].as_str().is_some_and(|why| why.contains("could not be read to its end")), "{seen}");
        let _ = std::fs::remove_dir(&path);

        let id = uploaded(&agency, "few.csv", FEW).await;
        checked(&agency, &id, &[]).await;
        let key: String = owner_value(world, &format!("select stage_key from contact_imports where id = '{id}'")).await;
        let path = world.db.services().uploads.join(key);
        let kept = std::fs::read(&path).expect("rows");
        std::fs::write(&path, &kept[..kept.len() - 2]).expect("a file");
        agency.admin.done("run_import", &[("id", &id)]).await;
        agency.drain().await;
        let seen = view(&agency, &id).await;
        assert_eq!(seen["status"], "failed", "{seen}");
        assert!(seen["error"].as_str().is_some_and(|why| why.contains("could not be read")), "{seen}");
    });
}

#[test]
fn work_that_broke_off_is_over_when_a_person_or_the_clock_says_so() {
    run(|world| async move {
        let agency = Agency::new(world, "broke-off").await;
        let begin = async |name: &str| {
            let id = uploaded(&agency, name, FEW).await;
            agency.admin.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", &[]).await;
            id
        };
        let job = async |id: &str, change: &str| {
            let sql = format!(
                "with changed as (update jobs set {change} where dedupe_key = '{id}' returning 1) select count(*) from changed"
            );
            assert_eq!(owner_value::<i64>(world, &sql).await, 1);
        };
        // Its job waits for hours, or is given up: nobody reads that it was asked to stop.
        let (waiting, dead) = (begin("waiting.csv").await, begin("dead.csv").await);
        job(&waiting, "attempts = 11, run_at = now() + interval '6 hours'").await;
        job(&dead, "status = 'failed'").await;
        for id in [&waiting, &dead] {
            agency.admin.done("cancel_import", &[("id", id)]).await;
            assert_eq!(
                (&view(&agency, id).await["status"], on_disk(world, &agency, id)),
                (&"cancelled".into(), vec![])
            );
        }
        assert_eq!(
            owner_lines(world, &format!("select status::text from jobs where dedupe_key = '{waiting}'")).await,
            ["completed"]
        );
        // A worker is at this one: it stops by itself.
        let held = begin("held.csv").await;
        job(&held, "status = 'processing', lease_owner = gen_random_uuid(), lease_until = now() + interval '1 hour'")
            .await;
        agency.admin.done("cancel_import", &[("id", &held)]).await;
        let seen = view(&agency, &held).await;
        assert_eq!((&seen["status"], &seen["cancel_requested"]), (&"checking".into(), &true.into()), "{seen}");
        // Nobody comes, and nobody looks at the page.
        let (later, dead) = (begin("later.csv").await, begin("dead.csv").await);
        job(&later, "run_at = now() + interval '6 hours'").await;
        job(&dead, "status = 'failed'").await;
        leftovers::end_broken(&scope(world, &agency)).await.expect("upkeep");
        let seen = view(&agency, &dead).await;
        assert!(seen["error"].as_str().is_some_and(|why| why.contains("broke off")), "{seen}");
        let states = [&dead, &later, &held].map(|id| view(&agency, id));
        let states: Vec<Value> =
            futures::future::join_all(states).await.iter().map(|seen| seen["status"].clone()).collect();
        assert_eq!(states, ["failed", "checking", "checking"]);
    });
}

/// Workers of one check of which each was thought dead: the newest one decides, and nobody cancelled anything.
#[test]
fn checks_that_race_cancel_and_delete_nothing() {
    run(|world| async move {
        let agency = Agency::new(world, "check-race").await;
        let mut file = String::from("name,phone\n");
        (0..22_000).for_each(|row| file += &format!("Person {row},+417978{row:05}\n"));
        let id = uploaded(&agency, "many.csv", file).await;
        agency.admin.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", &[]).await;
        let import: ImportId = id.parse().expect("an id");
        let checks = (0..4).map(|_| {
            let scope = scope(world, &agency);
            async move { import::check(&scope, import).await }
        });
        for ended in futures::future::join_all(checks).await {
            ended.expect("a check that ends");
        }
        let seen = view(&agency, &id).await;
        assert_eq!(
            (&seen["status"], &seen["preview"]["check"]["fresh"]),
            (&"checked".into(), &22_000.into()),
            "{seen}"
        );
        let names: Vec<String> = on_disk(world, &agency, &id).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 2, "the file and one check's rows: {names:?}");
        agency.drain().await;
        assert_eq!(imported(&agency, &id).await["imported"], 22_000);
    });
}
