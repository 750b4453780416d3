//! What every request passes before anything of the product sees it: what cannot be read is refused as such, and nothing that a stranger
//! wrote into an address or a header is shown, followed or believed.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ORIGIN, REFERER};
use reqwest::{Method, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::access_matrix::{Asks, FUNCTIONS};
use super::sign_in::owner_of;
use super::support::agency::{PASSWORD, invitation};
use super::support::{Agency, Browser, Page, World, run, unique};

const FORM: &str = "application/x-www-form-urlencoded";

/// The words of a stranger, as a refused form's error stands in an address.
fn words(function: &str) -> String {
    use base64::Engine;
    let error =
        r#"{"code":"invalid","detail":[["","Call +1 900 555 to unlock your account"],["email","Call +1 900 555"]]}"#;
    let error = base64::engine::general_purpose::URL_SAFE.encode(error);
    format!("__path=%2Frpc%2F{function}&__err={error}")
}

#[test]
fn the_words_of_a_stranger_in_an_address_stand_on_no_page() {
    run(|world| async move {
        let agency = Agency::new(world, "words").await;
        let stranger = Browser::new(world);
        let pages = [
            (&stranger, "/login", "sign_in"),
            (&stranger, "/forgot", "ask_for_password"),
            (&stranger, "/mfa", "verify_second_factor"),
            (&agency.owner, "/settings/profile", "save_profile"),
            (&agency.owner, "/clients/new", "save_client"),
            (&agency.owner, "/nowhere", "save_client"),
        ];
        for (browser, path, function) in pages {
            for query in [words(function), format!("next=%2Fcalls&{}", words(function)), "__err=x".to_owned()] {
                let answer = browser.get(&format!("{path}?{query}")).await;
                let clean = if query.starts_with("next") { format!("{path}?next=%2Fcalls") } else { path.to_owned() };
                assert_eq!(answer.location.as_deref(), Some(clean.as_str()), "{path}?{query}: {answer:?}");
                assert!(!answer.text.contains("900 555"), "{path}: {answer:?}");
            }
        }
        // An error that the server gave to one browser is shown to no other.
        let refused = [("email", "ada@words.example"), ("password", "wrong")];
        let victim = Browser::from_address(world, "127.0.0.61");
        let attacker = Browser::from_address(world, "127.0.0.62");
        let place = attacker.form("/login", "/rpc/sign_in", &refused).await.location.expect("a place");
        assert!(place.starts_with("/login?"), "{place}");
        let shown = victim.get(&place).await;
        assert_eq!(shown.location.as_deref(), Some("/login"), "{shown:?}");
        assert!(attacker.get(&place).await.text.contains("Check both and try again"));
        // Nor once more, nor on another page.
        assert_eq!(attacker.get(&place).await.location.as_deref(), Some("/login"));
        let place = attacker.form("/login", "/rpc/sign_in", &refused).await.location.expect("a place");
        let elsewhere = attacker.get(&place.replace("/login", "/forgot")).await;
        assert_eq!(elsewhere.location.as_deref(), Some("/forgot"), "{elsewhere:?}");
    });
}

#[test]
fn a_form_leads_nowhere_but_to_a_page_of_this_site() {
    run(|world| async move {
        let agency = Agency::new(world, "leads").await;
        let send = async |path: &str, referer: &str, body: &'static str| {
            let request = agency.owner.raw(Method::POST, path).header(ORIGIN, &world.base).header(ACCEPT, "text/html");
            Browser::answer(request.header(REFERER, referer).header(CONTENT_TYPE, FORM).body(body)).await
        };
        let base = &world.base;
        let pages = [
            (format!("{base}//evil.example/x"), "/evil.example/x"),
            (format!("{base}/\\evil.example/x"), "/evil.example/x"),
            (format!("{base}///evil.example"), "/evil.example"),
            ("https://evil.example/calls".to_owned(), "/calls"),
            ("https://evil.example//evil.example".to_owned(), "/evil.example"),
            (format!("{base}/settings/profile"), "/settings/profile"),
        ];
        let forms = [
            ("/preferences/theme", "theme=dark"),
            ("/rpc/save_profile", "name=Olga&timezone=UTC"),
            ("/rpc/save_profile", "name=&timezone=UTC"),
            ("/rpc/save_profile", "name=%zz"),
        ];
        for (referer, page) in &pages {
            for (path, body) in forms {
                let answer = send(path, referer, body).await;
                let place = answer.location.clone().unwrap_or_default();
                assert_eq!(place.split('?').next(), Some(*page), "{path} {body} from {referer}: {answer:?}");
            }
        }
        // An address cannot lead elsewhere either.
        for path in [
            format!("//evil.example/?{}", words("sign_in")),
            "//evil.example".to_owned(),
            "///evil.example/..".to_owned(),
        ] {
            let answer = agency.owner.get(&path).await;
            let place = answer.location.unwrap_or_else(|| "/".to_owned());
            assert!(place.starts_with('/') && !place.starts_with("//"), "{path}: {place}");
        }
    });
}

#[test]
fn what_cannot_be_read_is_refused_as_such() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "unreadable").await;
        let terms = [("name", "Sync"), ("scopes[]", "contacts:write"), ("rate_limit", "100"), ("days", "30")];
        agency.owner.done("create_api_key", &terms).await;
        let key = agency.owner.done("take_api_key", &[]).await.json();
        let key = key["secret"].as_str().or(key["key"].as_str()).unwrap_or_else(|| panic!("a key: {key}")).to_owned();
        let long = |unit: &str, length: usize| unit.repeat(length / unit.len() + 1).into_bytes();
        let name = |value: &[u8]| [b"name=", value, b"&timezone=UTC"].concat();
        let profile = [
            (FORM, name(b"\xff\xfe"), 400),
            (FORM, name(b"%ff%fe"), 400),
            (FORM, name(b"%"), 400),
            (FORM, name(b"%e2%82"), 400),
            (FORM, long("name=Olga&", 30_000 * 10), 413),
            (FORM, name(&long("x", 3_000_000)), 413),
            ("application/json", br#"{"name":"Olga"}"#.to_vec(), 415),
            ("text/plain", name(b"Olga"), 415),
            ("multipart/form-data; boundary=x", b"--x\r\n".to_vec(), 415),
            (FORM, Vec::new(), 422),
            (FORM, b"name=Olga".to_vec(), 422),
            (FORM, name(b"a%00b"), 422),
            (FORM, name(b"a%0d%0aBcc%3a+x"), 422),
        ];
        for (kind, body, status) in profile {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let request = agency.owner.raw(Method::POST, "/rpc/save_profile").header(ORIGIN, &world.base);
            let answer = Browser::answer(request.header(CONTENT_TYPE, kind).body(body)).await;
            assert_eq!(answer.status, status, "{kind} {shown}: {answer:?}");
            assert!(!answer.text.is_empty() && answer.json()["code"].is_string(), "{kind} {shown}: {answer:?}");
        }
        // Without script the same is said on the page that the form was on.
        let answer = agency
            .owner
            .form("/settings/profile", "/rpc/save_profile", &[("name", "a\u{202e}b"), ("timezone", "UTC")])
            .await;
        let page = agency.owner.get(&answer.location.expect("a place")).await;
        assert!(page.text.contains("turn the direction of writing"), "{}", page.text);

        let contact = format!("/v1/contacts/{}", works.contact);
        let bodies: [(&str, Vec<u8>, u16); 7] = [
            ("application/json", b"{".to_vec(), 400),
            ("application/json", b"{\"name\":\"\xff\"}".to_vec(), 400),
            ("application/json", br#"{"name":"\ud800"}"#.to_vec(), 400),
            ("text/plain", b"{}".to_vec(), 415),
            ("application/json", long(" ", 3_000_000), 413),
            ("application/json", br#"{"name":7}"#.to_vec(), 422),
            ("application/json", br#"{"name":"a\u0000b"}"#.to_vec(), 422),
        ];
        for (kind, body, status) in bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let request = Browser::new(world).raw(Method::PUT, &contact).header(AUTHORIZATION, format!("Bearer {key}"));
            let answer = Browser::answer(request.header(CONTENT_TYPE, kind).body(body)).await;
            assert_eq!(answer.status, status, "{kind} {shown}: {answer:?}");
            assert_eq!(answer.json()["status"], status, "{kind} {shown}: {answer:?}");
        }
        // No form at all where one with a file is expected.
        for (kind, body) in
            [(FORM, "a=1"), ("multipart/form-data", "x"), ("multipart/form-data; boundary=x", "--y\r\n\r\n")]
        {
            let request = agency.owner.raw(Method::POST, "/contacts/imports/upload").header(ORIGIN, &world.base);
            let answer = Browser::answer(request.header(CONTENT_TYPE, kind).body(body)).await;
            // Without script the page with the form says it.
            assert!((300..500).contains(&answer.status), "{kind}: {answer:?}");
        }
    });
}

#[test]
fn no_field_of_any_form_takes_a_character_that_hides_something() {
    run(|world| async move {
        let agency = Agency::new(world, "hidden").await;
        agency.owner.done("who_am_i", &[]).await;
        let mut fields = 0;
        for door in FUNCTIONS.iter().filter(|door| matches!(door.asks, Asks::May(_) | Asks::Person) && door.changes) {
            for (field, _) in door.fields {
                for value in ["a\0b", "\u{202e}gpj.exe", "a\u{9b}2J"] {
                    let sent: Vec<(&str, &str)> = door
                        .fields
                        .iter()
                        .map(|(name, own)| (*name, if name == field { value } else { *own }))
                        .collect();
                    let answer = agency.owner.rpc(door.name, &sent).await;
                    let last = field.trim_end_matches(']').rsplit('[').next().unwrap_or(field);
                    assert_eq!(answer.status, 422, "{} {field}: {answer:?}", door.name);
                    assert!(answer.error_at(last).is_some(), "{} {field}: {answer:?}", door.name);
                    fields += 1;
                }
            }
        }
        assert!(fields > 300, "{fields}");
    });
}

#[test]
fn every_field_of_several_lines_is_known_as_one() {
    let mut names = 0;
    for (path, text) in super::support::sources("src", ".rs") {
        for area in text.split("<TextArea").skip(1).filter(|_| !path.starts_with("src/ui/")) {
            // A tool's kind names its own fields: the crate's own test looks at those.
            if area.trim_start().starts_with("name ") && path == "src/tools/page/fields.rs" {
                continue;
            }
            let name = area.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            let last = name.trim_end_matches(']').rsplit('[').next().unwrap_or(name);
            let fault = patchbay_shared::text::fault(last, "one\r\ntwo");
            assert_eq!(fault, None, "{path}: a text area {name:?} that takes one line: see shared/text.rs");
            names += 1;
        }
    }
    assert!(names >= 8, "{names}");
}

#[test]
fn nothing_is_changed_from_a_page_of_another_site() {
    run(|world| async move {
        let agency = Agency::new(world, "elsewhere").await;
        agency.owner.done("who_am_i", &[]).await;
        let functions = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned());
        let others = [
            "/preferences",
            "/preferences/theme",
            "/preferences/density",
            "/contacts/imports/upload",
            "/settings/brand/logo",
        ];
        let mut asked = 0;
        for path in functions.chain(others.map(str::to_owned)) {
            for (name, value) in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("origin", "https://evil.example"),
                ("x-none", ""),
            ] {
                let request = agency.owner.raw(Method::POST, &path).header(name, value).header(CONTENT_TYPE, FORM);
                assert_eq!(Browser::answer(request.body("a=1")).await.status, 403, "{path} {name} {value}");
                asked += 1;
            }
        }
        assert!(asked > 400, "{asked}");
    });
}

#[test]
fn metrics_are_for_whoever_has_the_token() {
    run(|world| async move {
        // No token is set here, and this machine asks, as a proxy on it would.
        let answer = Browser::new(world).get("/metrics").await;
        assert_eq!((answer.status, answer.text.as_str()), (404, ""), "{answer:?}");
        let request = Browser::new(world).raw(Method::GET, "/metrics").header(AUTHORIZATION, "Bearer ");
        assert_eq!(Browser::answer(request).await.status, 404);
    });
}

/// Sends bytes as they are, and gives the beginning of what comes back before the connection ends.
async fn raw(world: &World, request: &[u8]) -> String {
    let address = world.base.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // The server may close before it has read all.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn heads_have_a_length_and_bodies_are_not_unpacked() {
    run(|world| async move {
        let big = "x".repeat(128 * 1024);
        for head in [format!("GET /{big} HTTP/1.1\r\n"), format!("GET /login HTTP/1.1\r\ncookie: a={big}\r\n")] {
            let answer = raw(world, format!("{head}host: a\r\nconnection: close\r\n\r\n").as_bytes()).await;
            let is_refused = ["HTTP/1.1 431", "HTTP/1.1 414"].iter().any(|start| answer.starts_with(start));
            assert!(answer.is_empty() || is_refused, "{:.200}", answer);
        }
        // A compressed body is not unpacked, so it is no form: what comes in is never longer than what was sent.
        let agency = Agency::new(world, "packed").await;
        let request = agency.owner.raw(Method::POST, "/rpc/save_profile").header(ORIGIN, &world.base);
        let packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0];
        let request = request.header(CONTENT_TYPE, FORM).header("content-encoding", "gzip").body(packed);
        assert_eq!(Browser::answer(request).await.status, 400);
        // Neither a header nor a field makes another method of a request.
        for header in ["x-http-method-override", "x-method-override"] {
            let request = agency.owner.raw(Method::GET, "/rpc/sign_out?_method=POST").header(header, "POST");
            assert!(matches!(Browser::answer(request).await.status, 404 | 405));
        }
        assert_eq!(agency.owner.rpc("who_am_i", &[]).await.status, 200);
    });
}

fn text<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[test]
fn every_answer_carries_the_headers_that_protect_it_errors_included() {
    run(|world| async move {
        let agency = Agency::new(world, "answers").await;
        agency.owner.done("who_am_i", &[]).await;
        let asked = [
            (Method::GET, "/", 303),
            (Method::GET, "/login", 303),
            (Method::HEAD, "/calls", 200),
            (Method::GET, "/calls/nonsense", 404),
            (Method::GET, "/nowhere", 404),
            (Method::POST, "/nowhere", 404),
            (Method::GET, "/pkg/nothing.js", 404),
            (Method::GET, "/rpc/sign_out", 405),
            (Method::DELETE, "/rpc/sign_out", 405),
            (Method::POST, "/rpc/nothing", 400),
            (Method::POST, "/rpc/save_profile", 302),
            (Method::GET, "/v1/calls", 401),
            (Method::GET, "/v1/nothing", 401),
            (Method::POST, "/webhooks/ultravox/x/y", 401),
            (Method::GET, "/calls/00000000-0000-0000-0000-000000000000/recording.wav", 404),
            (Method::GET, "/brand/logo/nothing", 404),
            (Method::GET, "/healthz", 200),
            (Method::GET, "/metrics", 404),
            (Method::OPTIONS, "/calls", 405),
        ];
        for (method, path, status) in asked {
            let request = agency.owner.raw(method.clone(), path).header(ORIGIN, &world.base);
            let request = request.header("x-request-id", "<script>").header("accept", "text/html");
            let answer = request.send().await.expect("an answer");
            let what = format!("{method} {path}");
            if path != "/rpc/nothing" {
                assert_eq!(answer.status().as_u16(), status, "{what}");
            }
            assert_eq!(text(&answer, "x-content-type-options"), "nosniff", "{what}");
            assert_eq!(text(&answer, "x-frame-options"), "DENY", "{what}");
            assert_eq!(text(&answer, "referrer-policy"), "same-origin", "{what}");
            assert_eq!(text(&answer, "cross-origin-opener-policy"), "same-origin", "{what}");
            assert!(text(&answer, "cache-control").contains("no-store"), "{what}");
            let is_file = path.starts_with("/pkg/");
            assert!(is_file || text(&answer, "content-security-policy").contains("default-src 'none'"), "{what}");
            assert!(uuid::Uuid::parse_str(text(&answer, "x-request-id")).is_ok(), "the id is ours alone: {what}");
            assert!(text(&answer, "access-control-allow-origin").is_empty(), "{what}");
        }
    });
}

#[test]
fn an_address_that_is_no_pages_has_the_frame_a_title_and_a_way_back() {
    run(|world| async move {
        let agency = Agency::new(world, "nowhere").await;
        for (browser, name) in [(&agency.owner, &agency.name), (&agency.one.viewer, &agency.one.secret)] {
            for path in
                ["/nowhere", "/settings/nowhere", "/calls/a/b/c", "/a.png", "/%3Cxevil%3E", "/..%2f..%2fetc/passwd"]
            {
                let answer = browser.get(path).await;
                assert_eq!(answer.status, 404, "{path}");
                let page = Page::read(&answer.text);
                let [title] = page.titles.as_slice() else { panic!("{path}: {:?}", page.titles) };
                assert!(title.starts_with("This page does not exist"), "{path}: {title}");
                assert_eq!(answer.text.matches("<h1").count(), 1, "{path}");
                assert!(page.forms.iter().any(|form| form.action == "/rpc/sign_out"), "{path}: the frame is there");
                assert!(
                    answer.text.contains("href=\"/calls\"") && answer.text.contains("Go to the start page"),
                    "{path}"
                );
                assert!(answer.text.contains(name.as_str()), "{path}: {}", answer.text);
                assert!(!answer.text.contains("<xevil"), "{path}");
            }
            assert_eq!(browser.get("/settings").await.location.as_deref(), Some("/settings/profile"));
        }
        let answer = Browser::new(world).get("/nowhere").await;
        assert_eq!(answer.status, 404);
        assert!(Page::read(&answer.text).titles[0].starts_with("This page does not exist"));
        assert!(answer.text.contains("href=\"/login\""), "{}", answer.text);
    });
}

#[test]
fn no_agency_learns_who_has_an_account_elsewhere_nor_takes_an_address() {
    run(|world| async move {
        let (theirs, victim) = owner_of(world, "victims").await;
        let attacker = Agency::new(world, "attackers").await;
        let unknown = format!("{}@nobody.example", unique("nobody"));
        // Asked to invite somebody who has an account elsewhere and somebody who has none, everything looks the same.
        let mut seen = Vec::new();
        for email in [&victim, &unknown] {
            let token = invitation(&attacker.owner, email, "agency_member", "").await;
            let browser = Browser::new(world);
            let fields = [("token", token.as_str()), ("name", "Mallory"), ("password", "four green kettles whistle")];
            let answer = browser.rpc("accept_invitation", &fields).await;
            seen.push((answer.status, answer.text.clone(), answer.location.clone()));
            assert_eq!(browser.done("who_am_i", &[]).await.json()["workspace"]["name"], attacker.name.as_str());
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0].0, 200, "{seen:?}");
        // The owner of the address comes in as ever, to their own agency, and the other account opens nothing of theirs.
        let own = Browser::signed_in(world, &victim).await;
        assert_eq!(own.done("who_am_i", &[]).await.json()["workspace"]["name"], theirs.name.as_str());
        let other = Browser::new(world);
        other.done("sign_in", &[("email", &victim), ("password", "four green kettles whistle")]).await;
        assert_eq!(other.done("who_am_i", &[]).await.json()["workspace"]["name"], attacker.name.as_str());
        assert_eq!(other.rpc("get_client", &[("id", &theirs.one.id)]).await.status, 404);
        // An address that another agency has made an account with is free for its owner.
        let token = invitation(&theirs.owner, &unknown, "agency_member", "").await;
        let fields = [("token", token.as_str()), ("name", "Nobody"), ("password", PASSWORD)];
        assert_eq!(Browser::new(world).rpc("accept_invitation", &fields).await.status, 200);
        let nobody = Browser::signed_in(world, &unknown).await;
        assert_eq!(nobody.done("who_am_i", &[]).await.json()["workspace"]["name"], theirs.name.as_str());
        // Within one agency an address still is one person's.
        let fields = [("emails", unknown.as_str()), ("role", "agency_member")];
        assert_eq!(theirs.owner.rpc("invite_members", &fields).await.status, 422);
    });
}
