//! What HubSpot tells by itself: signed, once, and read afterwards.

use chrono::Utc;
use patchbay_providers::signature::sign_hubspot;
use reqwest::Method;
use serde_json::{Value, json};

use super::integrations::{book, connected, contact_of, failed_named, page, synced, text};
use super::support::{Agency, World, owner_lines, owner_value, run};

/// The secret of the stand-in's app.
const SECRET: &str = "sandbox";

struct Door {
    path: String,
    url: String,
    portal: String,
}

impl Door {
    async fn of(world: &World, agency: &Agency, id: &str) -> Self {
        let settings = agency.owner.done("get_integration_settings", &[("id", id)]).await.json();
        let url = settings["notices"]["address"].as_str().expect("an address").to_owned();
        let path = format!("/hooks/hubspot/{}/{id}", agency.workspace_id);
        assert_eq!(url, format!("{}{path}", world.db.services().public_url));
        let portal = text(world, &format!("select account_id from integrations where id = '{id}'")).await;
        Self { path, url, portal }
    }

    /// Sends a body, signed at that time by this secret.
    async fn send(&self, agency: &Agency, secret: &str, late_ms: i64, body: &str) -> u16 {
        let time = (Utc::now().timestamp_millis() - late_ms).to_string();
        let signature = sign_hubspot(secret, ("POST", &self.url), &time, body.as_bytes());
        let request = agency.owner.raw(Method::POST, &self.path).header("x-hubspot-signature-v3", signature);
        let request = request.header("x-hubspot-request-timestamp", time).body(body.to_owned());
        request.send().await.expect("an answer").status().as_u16()
    }

    fn event(&self, kind: &str, number: i64, record: &str) -> Value {
        json!({"eventId": number, "subscriptionId": 1, "portalId": self.portal.parse::<u64>().expect("a number"), "appId": 2,
            "occurredAt": 1_772_460_445_999_i64 + number, "subscriptionType": kind, "attemptNumber": 0,
            "objectId": record.parse::<u64>().expect("a number"), "propertyName": "city", "propertyValue": "\u{0}<b>"})
    }
}

#[test]
fn what_hubspot_tells_is_read_soon_and_nobody_else_is_believed() {
    run(|world| async move {
        let agency = Agency::new(world, "notices").await;
        let id = connected(world, &agency, "hubspot").await;
        let door = Door::of(world, &agency, &id).await;
        synced(&agency, &id, "everything").await;
        let account = format!("sandbox-{id}");
        let some = format!(
            "select remote_id from integration_links where integration_id = '{id}' and kind = 'contact' and contact_id is not null
             and removed_at is null and agreed ->> 'do_not_call' = '' order by remote_id limit 11"
        );
        let some = owner_lines(world, &some).await;
        let [changed, removed, loser, winner, erased, odd, late, lost, kept, busy] =
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|at| some[at].as_str());
        let here = async |who: &str| contact_of(world, &id, who).await;
        let (own, marked, forgotten) = (here(changed).await, here(loser).await, here(erased).await);
        let (twin, keeper, hasty) = (here(lost).await, here(kept).await, here(busy).await);
        let new = book(world, &id, |book| {
            book.change(changed, &[("email", "told@example.com")]);
            book.remove(removed);
            book.merge(winner, loser);
            book.merge(kept, lost);
            book.erase(erased);
            book.faults.unreadable = Some(odd.to_owned());
            book.change(odd, &[("email", "odd@example.com")]);
            book.add(&[("firstname", "Nora"), ("lastname", "Told"), ("phone", "+49 30 23125 998")])
        });
        assert_eq!(world.sandbox.hubspot_tells(&account, &door.url, SECRET).await, [Some(200)]);
        let waiting =
            format!("select count(*) from integration_notices where integration_id = '{id}' and taken_at is null");
        assert!(owner_value::<i64>(world, &waiting).await > 5, "written down, and nothing more");
        for _ in 0..4 {
            agency.drain().await;
        }
        assert_eq!(owner_value::<i64>(world, &waiting).await, 0);
        let email = format!("select email from contacts where id = '{own}'");
        assert_eq!(text(world, &email).await, "told@example.com");
        assert_eq!(here(removed).await, "");
        assert_ne!(here(&new).await, "", "who is new there is here, though one record cannot be read");
        let problem = &failed_named(&agency, &id, odd).await;
        assert_eq!(problem.len(), 1, "that one waits alone");

        // Who had themselves erased is not called, and what came from there is forgotten.
        let why = format!("select do_not_call_reason from contacts where id = '{forgotten}'");
        assert_eq!(text(world, &why).await, "Erased in HubSpot at the person’s request");
        let left = format!(
            "select agreed::text from integration_links where integration_id = '{id}' and remote_id = '{erased}'
             union all select label from integration_sync_records where integration_id = '{id}' and remote_id = '{erased}' and label <> ''"
        );
        assert_eq!(owner_lines(world, &left).await, ["{}"]);

        // Two contacts here are one person there since the merge: a tick later on reaches both, also when that one was merged again.
        let calls = async |who: &str| {
            !owner_value::<bool>(world, &format!("select do_not_call from contacts where id = '{who}'")).await
        };
        assert_eq!(here(loser).await, "");
        assert!(calls(&marked).await);
        let won = here(winner).await;
        let heir = book(world, &id, |book| {
            let heir = book.add(&[("firstname", "Heir")]);
            book.merge(&heir, winner);
            heir
        });
        world.sandbox.hubspot_tells(&account, &door.url, SECRET).await;
        agency.drain().await;
        assert_eq!(here(&heir).await, won);
        let lives_on = async |who: &str| {
            let sql = "select facts ->> 'lives_on' from integration_links where kind = 'contact' and integration_id";
            text(world, &format!("{sql} = '{id}' and remote_id = '{who}'")).await
        };
        assert_eq!(lives_on(loser).await, heir);
        assert!(calls(&marked).await && calls(&won).await);
        book(world, &id, |book| book.change(&heir, &[("do_not_call", "true")]));
        world.sandbox.hubspot_tells(&account, &door.url, SECRET).await;
        agency.drain().await;
        assert!(!calls(&won).await && !calls(&marked).await, "both");

        // Erased is who was merged before, too; and a list that lags behind brings nobody back.
        assert!(here(lost).await.is_empty() && calls(&twin).await && calls(&keeper).await);
        let erasure = json!([door.event("contact.privacyDeletion", 3, kept)]).to_string();
        assert_eq!(door.send(&agency, SECRET, 0, &erasure).await, 200);
        agency.drain().await;
        assert!(!calls(&twin).await && !calls(&keeper).await, "both are one person");
        book(world, &id, |book| book.change(kept, &[("email", "lagging@example.com")]));
        synced(&agency, &id, "changes").await;
        let left = format!(
            "select agreed::text from integration_links where integration_id = '{id}' and kind = 'contact' and remote_id in ('{lost}', '{kept}')"
        );
        assert_eq!(owner_lines(world, &left).await, ["{}", "{}"]);
        assert_eq!(lives_on(lost).await, kept);

        // It does not wait for a sync that runs, though what is told beside it does.
        let runs = async |from: &str, to: &str| {
            let sql = format!(
                "update integration_sync_logs set status = '{to}', finished_at = case when '{to}' <> 'running' then now() end
                 where id = (select id from integration_sync_logs
                   where integration_id = '{id}' and status = '{from}' order by id desc limit 1)"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("its state");
        };
        runs("success", "running").await;
        let both = json!([door.event("deal.creation", 4, late), door.event("contact.privacyDeletion", 5, busy)]);
        assert_eq!(door.send(&agency, SECRET, 0, &both.to_string()).await, 200);
        agency.drain().await;
        assert_eq!(owner_value::<i64>(world, &waiting).await, 1, "the deal waits");
        assert!(!calls(&hasty).await);
        runs("running", "success").await;
        agency.drain().await;
        assert_eq!(owner_value::<i64>(world, &waiting).await, 0);

        // The same event twice is one; another app, an old time, another account, no list, and far too much are refused.
        let event = door.event("contact.propertyChange", 7, late);
        let count = format!("select count(*) from integration_notices where integration_id = '{id}'");
        let body = json!([event]).to_string();
        let before: i64 = owner_value(world, &count).await;
        for _ in 0..2 {
            assert_eq!(door.send(&agency, SECRET, 0, &body).await, 200);
        }
        assert_eq!(owner_value::<i64>(world, &count).await, before + 1);
        let mut foreign = door.event("contact.deletion", 8, late);
        foreign["portalId"] = json!(1);
        let refused = format!("select notice_problem from integrations where id = '{id}'");
        let again = format!("update integrations set notice_refused_at = null where id = '{id}'");
        for (secret, late_ms, body, status, words) in [
            ("another", 0, body.clone(), 401, "not by the app"),
            (SECRET, 301_000, body.clone(), 401, "more than five minutes"),
            (SECRET, 0, json!([foreign]).to_string(), 403, "another account"),
            (SECRET, 0, json!({"eventId": 1}).to_string(), 400, "no list"),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(again.clone())).execute(&world.owner).await.expect("written anew");
            assert_eq!(door.send(&agency, secret, late_ms, &body).await, status, "{words}");
            let problem = text(world, &refused).await;
            assert!(problem.contains(words), "{words}: {problem}");
        }
        assert_eq!(owner_value::<i64>(world, &count).await, before + 1, "nothing of it was taken");
        assert_eq!(door.send(&agency, SECRET, 0, &" ".repeat(1_100_000)).await, 413);
        let unsigned = agency.owner.raw(Method::POST, &door.path).body("[]").send().await.expect("an answer");
        assert_eq!(unsigned.status(), 401);
        let settings = agency.owner.get(&format!("/integrations/{id}/settings")).await.text;
        assert!(settings.contains(&door.url) && settings.contains("no list of events"), "{settings}");

        // Suspended or paused it takes nothing, disconnected nobody can sign.
        for (state, status) in [("suspended", 409), ("active", 200)] {
            let sql = format!("update workspaces set status = '{state}' where id = '{}'", agency.workspace_id);
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("the agency's state");
            assert_eq!(door.send(&agency, SECRET, 0, &body).await, status, "{state}");
        }
        agency.owner.done("switch_integration", &[("id", &id)]).await;
        let news = json!([door.event("contact.creation", 9, late)]).to_string();
        assert_eq!(door.send(&agency, SECRET, 0, &news).await, 409);
        agency.owner.done("switch_integration", &[("id", &id), ("on", "on")]).await;
        // So many at once are read as a list, and deals with it.
        let person = |at: i64| door.event("contact.propertyChange", 1_000 + at, &(60_000 + at).to_string());
        let many: Vec<Value> = (0..120).map(person).chain([door.event("deal.propertyChange", 2_000, late)]).collect();
        let long_ago = format!(
            "update integrations set config = jsonb_set(config, '{{read_at}}', to_jsonb('2026-01-01T00:00:00Z'::text)) where id = '{id}'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(long_ago)).execute(&world.owner).await.expect("read long ago");
        assert_eq!(door.send(&agency, SECRET, 0, &json!(many).to_string()).await, 200);
        book(world, &id, |book| book.change(late, &[("email", "late@example.com")]));
        let syncs = page(&agency, &id).await["head"]["syncs"].as_i64().unwrap_or(0);
        for _ in 0..4 {
            agency.drain().await;
        }
        assert!(page(&agency, &id).await["head"]["syncs"].as_i64().unwrap_or(0) >= syncs + 2, "a round of all kinds");
        let single =
            format!("select count(*) from integration_pending where integration_id = '{id}' and remote_id like '600%'");
        assert_eq!(owner_value::<i64>(world, &single).await, 0, "and none of them alone");
        // With a steady stream of them all is read every two minutes at most.
        let syncs = page(&agency, &id).await["head"]["syncs"].as_i64().unwrap_or(0);
        for number in [3_000, 3_001] {
            let deal = json!([door.event("deal.propertyChange", number, late)]).to_string();
            assert_eq!(door.send(&agency, SECRET, 0, &deal).await, 200);
            agency.drain().await;
        }
        assert_eq!(page(&agency, &id).await["head"]["syncs"], syncs);
        let soon =
            format!("select count(*) from integrations where id = '{id}' and config ->> 'read_soon_at' is not null");
        assert_eq!(owner_value::<i64>(world, &soon).await, 1, "in a while");
        agency.owner.done("disconnect_integration", &[("id", &id)]).await;
        assert_eq!(door.send(&agency, SECRET, 0, &body).await, 401);
    });
}
