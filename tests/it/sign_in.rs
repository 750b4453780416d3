//! Signing in and out, sessions, and what a page of another site can make a browser do.

use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, REFERER, SET_COOKIE};
use reqwest::{Client, Method, Response};

use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, World, owner_value, run};

const FORM: &str = "application/x-www-form-urlencoded";

/// A client that shows its cookies to the test.
fn bare(address: &str) -> Client {
    let address = address.parse::<std::net::IpAddr>().expect("an address");
    Client::builder().local_address(address).redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

/// The `name=value` of the session cookie that an answer sets.
fn cookie(answer: &Response) -> Option<String> {
    let set = answer.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    set.filter_map(|value| value.split(';').next())
        .find(|pair| pair.starts_with("patchbay=") && pair.len() > 12)
        .map(str::to_owned)
}

/// A sign-in with a cookie that the browser already has.
async fn sign_in(http: &Client, world: &World, email: &str, password: &str, with: Option<&str>) -> Response {
    let body = form(&[("email", email), ("password", password)]);
    let mut request = http
        .post(format!("{}/rpc/sign_in", world.base))
        .header(ORIGIN, &world.base)
        .header(CONTENT_TYPE, FORM)
        .body(body);
    if let Some(cookie) = with {
        request = request.header(COOKIE, cookie);
    }
    request.send().await.expect("an answer")
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Who the server takes the holder of this cookie for: 200 or 401.
async fn who(http: &Client, world: &World, cookie: &str) -> u16 {
    let request = http.post(format!("{}/rpc/who_am_i", world.base)).header(ORIGIN, &world.base).header(COOKIE, cookie);
    request.send().await.expect("an answer").status().as_u16()
}

pub async fn owner_of(world: &World, name: &str) -> (Agency, String) {
    let agency = Agency::new(world, name).await;
    let email = format!("owner@{}.example", agency.name);
    (agency, email)
}

#[test]
fn a_wrong_password_and_an_unknown_address_look_the_same() {
    run(|world| async move {
        let (_, known) = owner_of(world, "guessing").await;
        let browser = Browser::from_address(world, "127.0.0.11");
        let wrong = browser.rpc("sign_in", &[("email", &known), ("password", "not this one")]).await;
        let unknown =
            browser.rpc("sign_in", &[("email", "nobody@nowhere.example"), ("password", "not this one")]).await;
        assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
        assert_eq!(wrong.status, 422);
        assert!(wrong.error_at("email").is_some_and(|sentence| sentence.contains("wrong")), "{wrong:?}");
        assert!(!wrong.text.contains(&known), "the answer repeats what was sent");
        // A suspended account is as unknown as one that never was.
        let empty = browser.rpc("sign_in", &[("email", ""), ("password", "")]).await;
        assert_eq!((wrong.status, &wrong.text), (empty.status, &empty.text));
    });
}

#[test]
fn the_case_of_an_address_and_blanks_around_it_do_not_matter() {
    run(|world| async move {
        let (_, email) = owner_of(world, "cases").await;
        let browser = Browser::new(world);
        let answer =
            browser.rpc("sign_in", &[("email", &format!("  {} ", email.to_uppercase())), ("password", PASSWORD)]).await;
        assert_eq!((answer.status, answer.location.as_deref()), (200, Some("/dashboard")));
    });
}

#[test]
fn a_session_is_new_at_sign_in_and_its_cookie_is_out_of_reach() {
    run(|world| async move {
        let (_, email) = owner_of(world, "fixation").await;
        let http = bare("127.0.0.14");
        // Somebody plants a session of their own: a refused form makes one, for what was typed.
        let planted = http
            .post(format!("{}/rpc/sign_in", world.base))
            .header(ORIGIN, &world.base)
            .header(REFERER, format!("{}/login", world.base))
            .header(ACCEPT, "text/html")
            .header(CONTENT_TYPE, FORM)
            .body(form(&[("email", &email), ("password", "wrong")]))
            .send()
            .await
            .expect("an answer");
        let planted = cookie(&planted).expect("a session for what was typed");
        let answer = sign_in(&http, world, &email, PASSWORD, Some(&planted)).await;
        assert_eq!(answer.status(), 200);
        let header = answer.headers()[SET_COOKIE].to_str().expect("text").to_owned();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(header.contains(part), "{part} is missing in {header}");
        }
        let own = cookie(&answer).expect("a session");
        assert_ne!(own, planted);
        assert_eq!((who(&http, world, &own).await, who(&http, world, &planted).await), (200, 401));
        // Made-up ids are nobody's and are not taken over.
        let invented = "patchbay=AAAAAAAAAAAAAAAAAAAAAA";
        let answer = sign_in(&http, world, &email, PASSWORD, Some(invented)).await;
        assert_ne!(cookie(&answer).as_deref(), Some(invented));
        assert_eq!(who(&http, world, invented).await, 401);
        // The table keeps a hash: its content signs nobody in.
        let id = own.trim_start_matches("patchbay=");
        let kept: i64 =
            owner_value(world, &format!("select count(*) from sessions where encode(data, 'escape') like '%{id}%'"))
                .await;
        assert_eq!(kept, 0, "the session's id stands in the table");
    });
}

#[test]
fn signing_out_ends_the_session_on_the_server() {
    run(|world| async move {
        let (_, email) = owner_of(world, "leaving").await;
        let http = bare("127.0.0.15");
        let first = cookie(&sign_in(&http, world, &email, PASSWORD, None).await).expect("a session");
        let second = cookie(&sign_in(&http, world, &email, PASSWORD, None).await).expect("a session");
        let third = cookie(&sign_in(&http, world, &email, PASSWORD, None).await).expect("a session");
        let leave = async |cookie: &str, body: &str| {
            let request =
                http.post(format!("{}/rpc/sign_out", world.base)).header(ORIGIN, &world.base).header(COOKIE, cookie);
            let answer = request.header(CONTENT_TYPE, FORM).body(body.to_owned()).send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
        };
        leave(&first, "").await;
        assert_eq!([who(&http, world, &first).await, who(&http, world, &second).await], [401, 200]);
        leave(&second, "everywhere=true").await;
        assert_eq!([who(&http, world, &second).await, who(&http, world, &third).await], [401, 401]);
    });
}

#[test]
fn a_suspended_person_is_out_at_once() {
    run(|world| async move {
        let agency = Agency::new(world, "suspended").await;
        agency.gather().await;
        let viewer = agency.member.rpc("who_am_i", &[]).await.json();
        let id = viewer["user_id"].as_str().expect("an id").to_owned();
        let email = viewer["email"].as_str().expect("an address").to_owned();
        let page = format!("/settings/users/{id}");
        agency.admin.filled(&page, "set_member_status", &[("status", "suspended")]).await;
        assert_eq!(agency.member.rpc("who_am_i", &[]).await.status, 401);
        assert_eq!(agency.member.rpc("list_calls", &[]).await.status, 401);
        let again = Browser::from_address(world, "127.0.0.16")
            .rpc("sign_in", &[("email", &email), ("password", PASSWORD)])
            .await;
        assert_eq!(again.status, 422);
        agency.admin.filled(&page, "set_member_status", &[("status", "active")]).await;
        Browser::signed_in(world, &email).await;
        // The last owner cannot be locked out, and nobody locks themselves out.
        let owner = agency.owner.rpc("who_am_i", &[]).await.json()["user_id"].as_str().expect("an id").to_owned();
        assert_eq!(agency.owner.rpc("set_member_status", &[("id", &owner), ("status", "suspended")]).await.status, 409);
        assert_eq!(agency.admin.rpc("set_member_status", &[("id", &owner), ("status", "suspended")]).await.status, 403);
        // A client that is archived takes its people along.
        let settings = format!("/clients/{}/settings", agency.two.id);
        agency.owner.filled(&settings, "set_client_status", &[("status", "archived")]).await;
        assert_eq!(agency.two.viewer.rpc("who_am_i", &[]).await.status, 401);
        assert_eq!(agency.one.viewer.rpc("who_am_i", &[]).await.status, 200);
    });
}

#[test]
fn after_signing_in_nobody_is_led_to_another_site() {
    run(|world| async move {
        let (_, email) = owner_of(world, "redirects").await;
        let lead = async |next: &str| {
            let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", next)];
            let answer = Browser::new(world).rpc("sign_in", &fields).await;
            assert_eq!(answer.status, 200, "next={next:?}: {answer:?}");
            answer.location.unwrap_or_default()
        };
        assert_eq!(lead("/calls?status=failed").await, "/calls?status=failed");
        let elsewhere = [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/\t/evil.example",
            "/login?next=/calls",
            "",
            " /calls",
            "/ü",
        ];
        for next in elsewhere {
            assert_eq!(lead(next).await, "/dashboard", "next={next:?}");
        }
        let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", "/\n/evil.example")];
        assert_eq!(Browser::new(world).rpc("sign_in", &fields).await.status, 422);
    });
}

#[test]
fn a_stranger_is_led_to_the_sign_in_page_and_back() {
    run(|world| async move {
        let stranger = Browser::new(world);
        let answer = stranger.get("/calls?status=failed").await;
        assert_eq!(answer.location.as_deref(), Some("/login?next=%2Fcalls%3Fstatus%3Dfailed"));
        let page = stranger.get("/login?next=%2Fcalls%3Fstatus%3Dfailed").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("value=\"/calls?status=failed\""), "{}", page.text);
        let hostile = stranger.get("/login?next=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
        assert!(!hostile.text.contains("<script>alert"), "{}", hostile.text);
        // The page carries no wasm: signing in must not wait for it.
        assert!(!page.text.contains(".wasm"), "{}", page.text);
    });
}

#[test]
fn a_refused_form_without_script_shows_what_was_typed_but_no_password() {
    run(|world| async move {
        let browser = Browser::from_address(world, "127.0.0.17");
        let typed = [("email", "ada@typed.example"), ("password", "a-wrong-secret-word"), ("next", "/calls")];
        let answer = browser.form("/login?next=/calls", "/rpc/sign_in", &typed).await;
        let location = answer.location.clone().unwrap_or_default();
        assert!((300..400).contains(&answer.status), "{answer:?}");
        let path = location.strip_prefix(&world.base).unwrap_or(&location).to_owned();
        assert!(path.starts_with("/login?"), "{location}");
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.text.contains("ada@typed.example"), "what was typed is gone: {}", page.text);
        assert!(page.text.contains("Check both and try again"), "no message: {}", page.text);
        assert!(page.text.contains("value=\"/calls\""), "the way back is gone: {}", page.text);
        assert!(
            !page.text.contains("a-wrong-secret-word") && !location.contains("a-wrong-secret-word"),
            "the password came back"
        );
        // Kept for one view only, and for this browser only.
        assert!(!browser.get(&path).await.text.contains("ada@typed.example"));
        let kept: i64 = owner_value(
            world,
            "select count(*) from sessions where encode(data, 'escape') like '%a-wrong-secret-word%'",
        )
        .await;
        assert_eq!(kept, 0, "a password stands in the sessions table");
    });
}

#[test]
fn changes_come_from_our_own_pages_only() {
    run(|world| async move {
        let (agency, _) = owner_of(world, "crosssite").await;
        let ours = world.base.clone();
        let port = url::Url::parse(&ours).expect("an address").port().expect("a port");
        let evil = "https://evil.example".to_owned();
        let neighbour = format!("http://other.localhost:{port}");
        let like_ours = format!("http://127.0.0.1.evil.example:{port}");
        // Sec-Fetch-Site, Origin, and whether the change is made.
        let combinations: [(Option<&str>, Option<&str>, bool); 14] = [
            (Some("same-origin"), Some(&ours), true),
            (Some("same-origin"), None, true),
            (None, Some(&ours), true),
            (None, None, false),
            (Some("cross-site"), Some(&evil), false),
            (Some("cross-site"), Some(&ours), false),
            (Some("same-site"), Some(&neighbour), false),
            (Some("none"), None, false),
            (Some("Same-Origin, cross-site"), None, false),
            (None, Some(&evil), false),
            (None, Some("null"), false),
            (None, Some("http://127.0.0.1:1"), false),
            (None, Some(&neighbour), false),
            (None, Some(&like_ours), false),
        ];
        for (at, (site, origin, passes)) in combinations.into_iter().enumerate() {
            let name = format!("Renamed {at}");
            let mut request = agency
                .owner
                .raw(Method::POST, "/rpc/save_profile")
                .form(&[("name", name.as_str()), ("timezone", "UTC")]);
            if let Some(site) = site {
                request = request.header("sec-fetch-site", site);
            }
            if let Some(origin) = origin {
                request = request.header(ORIGIN, origin);
            }
            let answer = Browser::answer(request).await;
            let now = agency.owner.rpc("who_am_i", &[]).await.json()["name"].as_str().unwrap_or_default().to_owned();
            assert_eq!(answer.status, if passes { 200 } else { 403 }, "site {site:?}, origin {origin:?}: {answer:?}");
            assert_eq!(now == name, passes, "site {site:?}, origin {origin:?}");
        }
        // Every route that changes something is behind the same check, uploads and preferences included.
        for path in ["/preferences", "/contacts/imports/upload", "/rpc/sign_out"] {
            let request = agency
                .owner
                .raw(Method::POST, path)
                .header(ORIGIN, &evil)
                .header(CONTENT_TYPE, FORM)
                .body("theme=dark");
            assert_eq!(Browser::answer(request).await.status, 403, "{path}");
        }
        assert_eq!(agency.owner.rpc("who_am_i", &[]).await.status, 200, "still signed in");
    });
}

#[test]
fn a_link_changes_nothing() {
    run(|world| async move {
        let agency = Agency::new(world, "links").await;
        for (path, method) in leptos::server_fn::axum::server_fn_paths() {
            assert_eq!(method, http_post(), "{path} can be called by a link");
            for method in [Method::GET, Method::HEAD] {
                let answer =
                    Browser::answer(agency.owner.raw(method.clone(), &format!("{path}?everywhere=true"))).await;
                assert!(matches!(answer.status, 404 | 405), "{method} {path}: {}", answer.status);
            }
        }
        assert_eq!(agency.owner.rpc("who_am_i", &[]).await.status, 200, "still signed in");
    });
}

fn http_post() -> axum::http::Method {
    axum::http::Method::POST
}

#[test]
fn answers_carry_the_headers_that_protect_them() {
    run(|world| async move {
        let (agency, _) = owner_of(world, "headers").await;
        let get = async |path: &str| {
            agency.owner.raw(Method::GET, path).header(ACCEPT, "text/html").send().await.expect("an answer")
        };
        let stranger = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let login = || async {
            stranger.get(format!("{}/login", world.base)).header(ACCEPT, "text/html").send().await.expect("an answer")
        };
        let mut nonces = Vec::new();
        for answer in [get("/dashboard").await, get("/dashboard").await, get("/settings/profile").await, login().await]
        {
            let path = answer.url().path().to_owned();
            let headers = answer.headers().clone();
            let text =
                |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            assert_eq!(text("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(text("x-frame-options"), "DENY", "{path}");
            assert_eq!(text("referrer-policy"), "same-origin", "{path}");
            assert_eq!(text("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(text("cache-control"), "no-store", "{path}");
            assert!(!text("x-request-id").is_empty(), "{path}");
            let policy = text("content-security-policy");
            for part in [
                "default-src 'none'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "'strict-dynamic'",
            ] {
                assert!(policy.contains(part), "{path}: {part} is missing in {policy}");
            }
            assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
            let nonce =
                policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default().to_owned();
            assert!(nonce.len() >= 20, "{path}: {policy}");
            let body = answer.text().await.expect("a page");
            for script in body.split("<script").skip(1) {
                let tag = script.split('>').next().unwrap_or_default();
                assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: <script{tag}>");
            }
            assert!(!body.contains(" style=\"") && !body.contains(" onclick="), "{path}: inline style or handler");
            nonces.push(nonce);
        }
        let count = nonces.len();
        nonces.sort();
        nonces.dedup();
        assert_eq!(nonces.len(), count, "a nonce was used twice");
        // What is no page can load nothing at all.
        let answer = Browser::answer(agency.owner.raw(Method::GET, "/settings/audit.csv")).await;
        assert_eq!(answer.status, 200);
        let raw = agency.owner.raw(Method::GET, "/settings/audit.csv").send().await.expect("an answer");
        assert!(raw.headers()["content-security-policy"].to_str().expect("text").contains("default-src 'none'"));
        assert!(raw.headers().get(LOCATION).is_none());
        // The host that a request names must not end up in what it is answered.
        let forged =
            agency.owner.raw(Method::GET, "/dashboard").header(HOST, "evil.example").send().await.expect("an answer");
        assert!(!forged.text().await.expect("a page").contains("evil.example"));
    });
}
