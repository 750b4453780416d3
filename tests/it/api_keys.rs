//! Programs with a key: no more than its scopes, no more than its owner, no other tenant, no more often than agreed.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::access_matrix::{API_ROUTES, SCOPES};
use super::support::{Agency, Browser, Works, World, owner_lines, owner_value, run, sources};
use super::teams;

/// Makes a key; gives it as it is shown once.
pub async fn key(browser: &Browser, scopes: &[&str], limit: &str) -> String {
    let mut fields = vec![("name", "Sync"), ("rate_limit", limit), ("days", "30")];
    fields.extend(scopes.iter().map(|scope| ("scopes[]", *scope)));
    browser.filled("/settings/api-keys/new", "create_api_key", &fields).await;
    let made = browser.done("take_api_key", &[]).await.json();
    assert_eq!(browser.done("take_api_key", &[]).await.text, "null", "shown once");
    made["key"].as_str().unwrap_or_else(|| panic!("a key in {made}")).to_owned()
}

pub struct Reply {
    pub status: u16,
    headers: reqwest::header::HeaderMap,
    pub body: Value,
}

pub async fn call(world: &World, key: Option<&str>, method: &str, path: &str, body: Option<Value>) -> Reply {
    let method: Method = method.parse().expect("a method");
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", world.base));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap_or_default();
    Reply { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

fn filled(path: &str, works: &Works) -> String {
    path.replace("{call}", &works.call).replace("{contact}", &works.contact).replace("{batch}", &works.batch)
}

/// A body that the route can read.
fn body_for(method: &str, path: &str, client: &str) -> Option<Value> {
    if (method, path) == ("POST", "/v1/batches") {
        return Some(json!({"campaign_id": uuid::Uuid::now_v7(), "name": "From a program"}));
    }
    if (method, path.starts_with("/v1/teams")) == ("POST", true) {
        return Some(json!({"message": ""}));
    }
    (path.starts_with("/v1/contacts") && method != "GET")
        .then(|| json!({"client_id": client, "name": "Api Person", "phone": "+14155550123"}))
}

#[test]
fn a_scope_opens_its_routes_and_no_other() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "scopes").await;
        let (team, team_run) = teams::asked(&agency, &works).await;
        let mut wrong = Vec::new();
        for scope in SCOPES {
            let key = key(&agency.owner, &[scope], "0").await;
            let me = call(world, Some(&key), "GET", "/v1/me", None).await;
            assert_eq!((me.status, &me.body["key"]["scopes"]), (200, &json!([scope])), "{}", me.body);
            for (method, path, needs) in API_ROUTES {
                let path = filled(path, &works).replace("{team}", &team).replace("{team_run}", &team_run);
                let reply = call(world, Some(&key), method, &path, body_for(method, &path, &agency.one.id)).await;
                let fits =
                    if *needs == scope { matches!(reply.status, 200 | 201 | 409 | 422) } else { reply.status == 403 };
                if !fits {
                    wrong.push(format!("{method} {path} with {scope}: {} {}", reply.status, reply.body));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // A conflict says of which kind it is, in a word that stays.
        let key = key(&agency.owner, &["batches:run"], "0").await;
        let ended = call(world, Some(&key), "POST", &format!("/v1/batches/{}/resume", works.batch), None).await;
        assert_eq!((ended.status, &ended.body["code"]), (409, &json!("conflict")), "{}", ended.body);
        assert_eq!(ended.body["reason"], "wrong_state", "{}", ended.body);
    });
}

/// The routes of the API as the source has them: method and path, every id called `{id}`.
fn routes_in_source() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    // The stand-ins speak as others do.
    for (_, text) in sources("src", ".rs").into_iter().filter(|(path, _)| !path.starts_with("src/sandbox/")) {
        for rest in text.split(".route(\"/v1/").skip(1) {
            let (path, rest) = rest.split_once('"').expect("a path");
            let call = rest.split(".route(").next().unwrap_or_default().split("\n}").next().unwrap_or_default();
            for method in ["get", "post", "put", "delete", "patch"] {
                if call.contains(&format!(" {method}(")) || call.contains(&format!(".{method}(")) {
                    found.insert((method.to_uppercase(), format!("/v1/{path}")));
                }
            }
        }
    }
    found
}

#[test]
fn every_scope_opens_a_route_and_every_route_has_its_scope() {
    let with_id = |path: &str| {
        let names = ["{call}", "{contact}", "{batch}", "{team}"];
        names.iter().fold(path.replace("{team_run}", "{run}"), |path, name| path.replace(name, "{id}"))
    };
    let mut listed: BTreeSet<(String, String)> =
        API_ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), with_id(path))).collect();
    // Whose key it is may be asked with any.
    listed.insert(("GET".to_owned(), "/v1/me".to_owned()));
    assert_eq!(routes_in_source(), listed);
    let used: BTreeSet<&str> = API_ROUTES.iter().map(|(_, _, scope)| *scope).collect();
    assert_eq!(used, SCOPES.into_iter().collect(), "a scope that opens nothing promises something");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/API.md")).expect("docs/API.md");
    for scope in SCOPES {
        assert!(page.contains(&format!("| `{scope}` |")), "{scope} is not documented");
    }
}

#[test]
fn a_program_starts_a_batch_and_reads_usage_and_the_audit_log() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "api-batch").await;
        let stranger = Agency::new(world, "api-batch-stranger").await;
        agency.owner.filled(&format!("/campaigns/{}", works.campaign), "move_campaign", &[("to", "active")]).await;
        let page = format!("/campaigns/{}?tab=contacts", works.campaign);
        agency.owner.filled(&page, "add_campaign_contacts", &[("by", "all")]).await;
        let runs = key(&agency.owner, &["batches:run"], "0").await;
        let body = json!({"campaign_id": works.campaign, "name": "From a program"});
        let theirs = key(&stranger.owner, &["batches:run"], "0").await;
        let foreign = call(world, Some(&theirs), "POST", "/v1/batches", Some(body.clone())).await;
        assert_eq!(foreign.status, 422, "{}", foreign.body);
        assert!(foreign.body.to_string().contains("campaign_id"), "said at the field: {}", foreign.body);
        let past = json!({"campaign_id": works.campaign, "name": "Late", "scheduled_for": "2020-01-01T00:00:00Z"});
        assert_eq!(call(world, Some(&runs), "POST", "/v1/batches", Some(past)).await.status, 422);
        for wrong in [json!({"lines": 0}), json!({"lines": 201}), json!({"name": ""}), json!({"limit": 0})] {
            let mut body = body.clone();
            for (name, value) in wrong.as_object().expect("an object") {
                body[name] = value.clone();
            }
            let reply = call(world, Some(&runs), "POST", "/v1/batches", Some(body)).await;
            let field = wrong.as_object().and_then(|wrong| wrong.keys().next()).expect("a field").clone();
            assert!(reply.status == 422 && reply.body.to_string().contains(&field), "{wrong}: {}", reply.body);
        }
        let made = call(world, Some(&runs), "POST", "/v1/batches", Some(body.clone())).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let keys: Vec<&String> = made.body.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["id", "state"], "it may not read more");
        agency.finished(made.body["id"].as_str().expect("an id")).await;
        assert_eq!(
            call(world, Some(&runs), "POST", "/v1/batches", Some(body)).await.status,
            422,
            "nobody is left to call"
        );
        let reads = key(&agency.owner, &["usage:read", "audit:read"], "0").await;
        let usage = call(world, Some(&reads), "GET", "/v1/usage", None).await;
        let days = usage.body["data"].as_array().expect("days");
        let calls: i64 = days.iter().filter_map(|day| day["calls"].as_i64()).sum();
        assert_eq!((days.len(), calls), (30, 1), "{}", usage.body);
        let log = call(world, Some(&reads), "GET", "/v1/audit-events?entity=batch&limit=1", None).await;
        assert!(log.body["data"][0]["entity"] == "batch" && log.body["next"].is_string(), "{}", log.body);
        let none = call(world, Some(&theirs), "GET", "/v1/audit-events", None).await;
        assert_eq!(none.status, 403, "{}", none.body);
    });
}

#[test]
fn a_key_that_may_only_write_reads_nothing_back() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "write-only").await;
        let contact = [("id", works.contact.as_str()), ("reason", "Asked on the phone by Mallory")];
        agency.owner.filled(&format!("/contacts/{}", works.contact), "suppress_contact", &contact[1..]).await;
        let writes = key(&agency.owner, &["contacts:write"], "0").await;
        let body = json!({"phone": "+12025550113", "name": "New name"});
        let path = format!("/v1/contacts/{}", works.contact);
        let reply = call(world, Some(&writes), "PUT", &path, Some(body.clone())).await;
        assert_eq!(
            (reply.status, &reply.body["id"], &reply.body["name"]),
            (200, &json!(works.contact), &json!("New name"))
        );
        for secret in ["Mallory", "do_not_call", agency.one.secret.as_str(), "created_at", "client"] {
            assert!(!reply.body.to_string().contains(secret), "{secret}: {}", reply.body);
        }
        let new = json!({"client_id": agency.one.id, "phone": "+12025550114", "name": "Another"});
        let made = call(world, Some(&writes), "POST", "/v1/contacts", Some(new)).await;
        assert!(made.status == 201 && !made.body.to_string().contains(&agency.one.secret), "{}", made.body);
        let both = key(&agency.owner, &["contacts:write", "contacts:read"], "0").await;
        let whole = call(world, Some(&both), "PUT", &path, Some(body)).await;
        assert_eq!(whole.body["do_not_call_reason"], "Asked on the phone by Mallory", "{}", whole.body);
    });
}

#[test]
fn every_reason_of_a_conflict_is_documented() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/API.md")).expect("docs/API.md");
    let (_, after) = page.split_once("| `reason` of a `conflict` |").expect("the table of reasons");
    let rows = after.lines().skip(2).take_while(|line| line.starts_with('|'));
    let named: Vec<&str> = rows.filter_map(|line| line.split('`').nth(1)).collect();
    let known: Vec<&str> = patchbay_shared::Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(named, known);
}

#[test]
fn a_key_reaches_no_other_tenant() {
    run(|world| async move {
        let (ours, works) = Agency::worked(world, "api-ours").await;
        let (team, team_run) = teams::asked(&ours, &works).await;
        let stranger = Agency::new(world, "api-theirs").await;
        let theirs = key(&stranger.owner, &SCOPES, "0").await;
        for (method, path, _) in API_ROUTES.iter().filter(|(_, path, _)| path.contains('{')) {
            let path = filled(path, &works).replace("{team}", &team).replace("{team_run}", &team_run);
            let reply = call(world, Some(&theirs), method, &path, body_for(method, &path, &ours.one.id)).await;
            let nowhere = path.replace(&works.call, &uuid::Uuid::now_v7().to_string());
            assert_eq!(reply.status, 404, "{method} {path}: {}", reply.body);
            let absent = call(world, Some(&theirs), method, &nowhere, body_for(method, &path, &ours.one.id)).await;
            assert_eq!(absent.body, reply.body, "{method} {path}");
        }
        // Ids in a body and in filters name nothing of another agency.
        let body = json!({"client_id": ours.one.id, "name": "Planted", "phone": "+14155550199"});
        let planted = call(world, Some(&theirs), "POST", "/v1/contacts", Some(body)).await;
        assert!(matches!(planted.status, 404 | 422), "{} {}", planted.status, planted.body);
        for path in ["/v1/calls", "/v1/contacts", "/v1/batches"] {
            let list = call(world, Some(&theirs), "GET", &format!("{path}?client={}", ours.one.id), None).await;
            assert_eq!((list.status, &list.body["data"]), (200, &json!([])), "{path}");
        }
        let ours_key = key(&ours.owner, &SCOPES, "0").await;
        for phone in ["+14155550181", "+14155550182"] {
            let body = json!({"client_id": ours.one.id, "name": "Listed", "phone": phone});
            assert_eq!(call(world, Some(&ours_key), "POST", "/v1/contacts", Some(body)).await.status, 201);
        }
        let list = call(world, Some(&ours_key), "GET", "/v1/contacts?limit=1", None).await;
        assert_eq!(list.body["data"].as_array().map(Vec::len), Some(1), "{}", list.body);
        let next = list.body["next"].as_str().expect("more").to_owned();
        let second = call(world, Some(&ours_key), "GET", &format!("/v1/contacts?limit=1&cursor={next}"), None).await;
        assert_ne!(second.body["data"][0]["id"], list.body["data"][0]["id"]);
        assert_eq!(call(world, Some(&ours_key), "GET", "/v1/calls?limit=1000", None).await.status, 422);
        let one = call(world, Some(&ours_key), "GET", &format!("/v1/calls/{}", works.call), None).await;
        assert!(one.body["transcript"].is_array() && one.body["id"] == works.call.as_str(), "{}", one.body);
    });
}

#[test]
fn what_is_no_key_is_refused_the_same_way() {
    run(|world| async move {
        let agency = Agency::new(world, "no-key").await;
        let good = key(&agency.owner, &["calls:read"], "0").await;
        let mut swapped = good.clone().into_bytes();
        swapped.swap(20, 21);
        let swapped = String::from_utf8(swapped).expect("text");
        let first = call(world, None, "GET", "/v1/me", None).await;
        assert_eq!((first.status, first.headers.get("www-authenticate").is_some()), (401, true));
        assert_eq!(first.headers["content-type"], "application/problem+json");
        for bad in ["", "x", "pb_live_", &swapped, &good[..good.len() - 1], &format!("{good}x"), &good.to_lowercase()] {
            let reply = call(world, Some(bad), "GET", "/v1/me", None).await;
            assert_eq!((reply.status, &reply.body), (401, &first.body), "{bad}");
        }
        // Not in the address, not as a cookie, not as another kind of authorisation; and a session is no key.
        let http = reqwest::Client::new();
        let tries = [
            http.get(format!("{}/v1/me?api_key={good}", world.base)),
            http.get(format!("{}/v1/me", world.base)).header("cookie", format!("patchbay={good}")),
            http.get(format!("{}/v1/me", world.base)).basic_auth(&good, None::<&str>),
            agency.owner.raw(Method::GET, "/v1/me"),
        ];
        for request in tries {
            assert_eq!(request.send().await.expect("an answer").status(), 401);
        }
        // A key opens nothing but the API.
        let page = http.get(format!("{}/calls.csv", world.base)).bearer_auth(&good).send().await.expect("an answer");
        assert_eq!(page.status(), 401);
        let nothing = call(world, Some(&good), "GET", "/v1/nothing", None).await;
        assert_eq!(
            (nothing.status, nothing.headers["content-type"].to_str().expect("text")),
            (404, "application/problem+json")
        );
        // Nothing of it lies in the database but its prefix and its hash.
        let dump: String = owner_value(
            world,
            "select string_agg(k::text, ' ') || (select coalesce(string_agg(a.after::text, ' '), '') from audit_events a) from api_keys k",
        )
        .await;
        let secret = good.split('_').nth(3).expect("a secret");
        assert!(!dump.contains(secret));
    });
}

#[test]
fn a_key_is_worth_what_its_owner_is_worth_now() {
    run(|world| async move {
        let agency = Agency::new(world, "owner-lost").await;
        let refused = [
            ("name", "Too much"),
            ("scopes[]", "calls:read"),
            ("scopes[]", "everything"),
            ("rate_limit", "1"),
            ("days", ""),
        ];
        assert!(agency.owner.rpc("create_api_key", &refused).await.error_at("scopes").is_some());
        let none = [("name", "Nothing"), ("rate_limit", "-1"), ("days", "0")];
        let answer = agency.owner.rpc("create_api_key", &none).await;
        for field in ["scopes", "rate_limit", "days"] {
            assert!(answer.error_at(field).is_some(), "{field}: {answer:?}");
        }
        let key = key(&agency.admin, &["calls:read", "contacts:write"], "0").await;
        let id = agency.admin.done("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
        let body = || Some(json!({"client_id": agency.one.id, "name": "Kim", "phone": "+14155550111"}));
        assert_eq!(call(world, Some(&key), "POST", "/v1/contacts", body()).await.status, 201);
        // Who did it stands in the audit log, with the key.
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "contact")]).await.text;
        assert!(audit_log.contains("with the key “Sync”"), "{audit_log}");
        // The owner may less: the key as well, at once.
        let page = format!("/settings/users/{id}");
        agency.owner.filled(&page, "change_member_role", &[("role", "agency_member")]).await;
        assert_eq!(call(world, Some(&key), "POST", "/v1/contacts", body()).await.status, 403);
        assert_eq!(call(world, Some(&key), "GET", "/v1/calls", None).await.status, 200);
        let rows = agency.owner.done("list_api_keys", &[]).await.json();
        assert_eq!(rows["rows"][0]["lost"], json!(["contacts:write"]), "{rows}");
        // The owner is out: the key too.
        agency.owner.filled(&page, "set_member_status", &[("status", "suspended")]).await;
        assert_eq!(call(world, Some(&key), "GET", "/v1/calls", None).await.status, 401);
    });
}

#[test]
fn a_key_is_rotated_with_overlap_revoked_at_once_and_expires() {
    run(|world| async move {
        let agency = Agency::new(world, "rotate").await;
        let old = key(&agency.owner, &["calls:read"], "0").await;
        let newest = || async {
            let rows = agency.owner.done("list_api_keys", &[]).await.json();
            rows["rows"][0]["id"].as_str().expect("an id").to_owned()
        };
        let old_id = newest().await;
        agency.owner.filled("/settings/api-keys", "rotate_api_key", &[("id", &old_id)]).await;
        let new = agency.owner.done("take_api_key", &[]).await.json()["key"].as_str().expect("a key").to_owned();
        for key in [&old, &new] {
            assert_eq!(call(world, Some(key), "GET", "/v1/me", None).await.status, 200, "both work for a day");
        }
        let again = agency.owner.rpc("rotate_api_key", &[("id", &old_id)]).await;
        assert!(again.status == 409 && again.text.contains("already rotated"), "one successor: {again:?}");
        let new_id = newest().await;
        agency.owner.filled("/settings/api-keys", "revoke_api_key", &[("id", &new_id)]).await;
        agency.owner.done("revoke_api_key", &[("id", &new_id)]).await;
        assert_eq!(call(world, Some(&new), "GET", "/v1/me", None).await.status, 401, "at once");
        assert_eq!(agency.owner.rpc("rotate_api_key", &[("id", &new_id)]).await.status, 409);
        owner_lines(world, &format!("update api_keys set expires_at = now() where id = '{old_id}' returning name"))
            .await;
        assert_eq!(call(world, Some(&old), "GET", "/v1/me", None).await.status, 401, "an old one");
    });
}

#[test]
fn requests_are_counted_exactly_and_say_how_many_are_left() {
    run(|world| async move {
        let agency = Agency::new(world, "limits").await;
        let limited = key(&agency.owner, &["calls:read"], "20").await;
        let first = call(world, Some(&limited), "GET", "/v1/me", None).await;
        let header =
            |reply: &Reply, name: &str| reply.headers[name].to_str().expect("text").parse::<i64>().expect("a number");
        assert_eq!((header(&first, "ratelimit-limit"), header(&first, "ratelimit-remaining")), (20, 19));
        assert!((1..=3600).contains(&header(&first, "ratelimit-reset")));
        let many = (0..40).map(|_| call(world, Some(&limited), "GET", "/v1/me", None));
        let replies = futures::future::join_all(many).await;
        // An hour that ends in between begins the count anew.
        let hours: i64 = owner_value(world, "select count(distinct hour) from api_key_hours h join api_keys k on k.id = h.key_id where k.rate_limit = 20").await;
        let taken = replies.iter().filter(|reply| reply.status == 200).count();
        assert!(taken == 19 || hours > 1, "{taken} of the 19 that were left");
        let refused = replies.iter().find(|reply| reply.status == 429).expect("one too many");
        assert!(header(refused, "retry-after") >= 1 && refused.body["code"] == "limited", "{}", refused.body);
        assert_eq!(header(refused, "ratelimit-remaining"), 0);
    });
}
