//! White label: a brand reaches whoever it is for, and a host name counts once DNS has proved it.

use reqwest::Method;
use reqwest::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use serde_json::Value;

use super::support::agency::{PASSWORD, shown_token};
use super::support::{Agency, Answer, Browser, Dns, Page, World, owner_value, run};

pub const LOGO: &str = "/settings/brand/logo";

/// A picture's head, which is all that anybody looks at, with `more` bytes behind it.
pub fn png(width: u32, height: u32, more: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(vec![0; more]);
    bytes
}

/// The first address on a page that begins with `start`.
pub fn address(page: &Answer, start: &str) -> Option<String> {
    let from = page.text.find(start)?;
    page.text[from..].split('"').next().map(str::to_owned)
}

async fn brand(browser: &Browser, fields: [(&str, &str); 4]) -> Answer {
    let page = match fields[0].1 {
        "" => "/settings/brand".to_owned(),
        client => format!("/clients/{client}/brand"),
    };
    browser.fill(&page, "save_brand", &fields).await
}

/// A request of a page on another host name of the installation.
pub async fn at(browser: &Browser, host: &str, function: &str, fields: &[(&str, &str)]) -> Answer {
    let request = browser
        .raw(Method::POST, &format!("/rpc/{function}"))
        .header(HOST, host)
        .header(ORIGIN, format!("http://{host}"))
        .header(ACCEPT, "application/json")
        .form(fields);
    Browser::answer(request).await
}

async fn page_at(browser: &Browser, host: &str, path: &str) -> Answer {
    Browser::answer(browser.raw(Method::GET, path).header(HOST, host).header(ACCEPT, "text/html")).await
}

#[test]
fn a_brand_reaches_its_own_people_and_nobody_else() {
    run(|world| async move {
        let (ours, theirs) = (Agency::new(world, "branded").await, Agency::new(world, "plain").await);
        let fields = [("client", ""), ("product", "Halden Calls"), ("accent", "#8A1538"), ("support", "")];
        assert_eq!(brand(&ours.owner, fields).await.status, 200);

        let page = ours.member.get("/dashboard").await;
        assert!(page.text.contains("Halden Calls"), "{}", page.text);
        let sheet = address(&page, "/brand/8a1538-").expect("the agency's style sheet");
        let foreign = theirs.owner.get("/dashboard").await;
        assert!(!foreign.text.contains("/brand/") && !foreign.text.contains("Halden Calls"), "{}", foreign.text);

        // Whoever has its address may read it and keep it; there is nothing in it but colours.
        let nobody = Browser::new(world);
        let answer = nobody.raw(Method::GET, &sheet).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
        assert!(answer.headers()[CACHE_CONTROL].to_str().is_ok_and(|kept| kept.contains("immutable")));
        assert!(answer.headers().get("set-cookie").is_none());
        assert!(answer.text().await.is_ok_and(|text| text.contains("--primary:#8a1538")));
        assert_eq!(nobody.get(&sheet.replace("8a1538", "8a1539")).await.status, 404);

        // A client's people see the client's colour, and the agency's name where the client has none.
        let id = ours.one.id.as_str();
        let fields = [("client", id), ("product", ""), ("accent", "#1d4ed8"), ("support", "")];
        assert_eq!(brand(&ours.admin, fields).await.status, 200);
        let page = ours.one.viewer.get("/dashboard").await;
        assert!(address(&page, "/brand/1d4ed8-").is_some() && page.text.contains("Halden Calls"), "{}", page.text);
        for browser in [&ours.two.viewer, &ours.owner] {
            assert!(address(&browser.get("/dashboard").await, "/brand/8a1538-").is_some());
        }
        let who = ours.one.admin.done("who_am_i", &[]).await.json();
        assert_eq!(who["workspace"]["product"], "Halden Calls");

        // The pages of both brands show samples of them in both themes.
        let page = ours.admin.get(&format!("/clients/{id}/brand")).await;
        assert!(
            page.text.contains("data-theme=\"light\"") && page.text.contains("data-theme=\"dark\""),
            "{}",
            page.text
        );
        assert!(page.text.contains("-samples.css"), "{}", page.text);
        let fields = [("client", ""), ("product", ""), ("accent", "ffd400"), ("support", "")];
        assert_eq!(brand(&ours.owner, fields).await.status, 200);
        let page = ours.owner.get("/settings/brand").await;
        assert!(page.text.contains("too little contrast"), "{}", page.text);

        // An emptied field falls back again.
        let fields = [("client", id), ("product", ""), ("accent", ""), ("was", "#1d4ed8"), ("support", "")];
        ours.admin.filled(&format!("/clients/{id}/brand"), "save_brand", &fields).await;
        assert!(address(&ours.one.viewer.get("/dashboard").await, "/brand/ffd400-").is_some());
        let audit_log = format!(
            "select count(*) from audit_events where workspace_id = '{}' and entity = 'brand'",
            ours.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &audit_log).await, 4);
    });
}

#[test]
fn without_script_a_refused_brand_comes_back_with_what_was_typed() {
    run(|world| async move {
        let agency = Agency::new(world, "typing").await;
        let fields =
            [("client", ""), ("was", ""), ("product", "Typed Name"), ("picker", "#0f6457"), ("accent", "blue")];
        let fields: Vec<(&str, &str)> = fields.into_iter().chain([("support", "")]).collect();
        let answer = agency.owner.form("/settings/brand", "/rpc/save_brand", &fields).await;
        let back = answer.location.expect("the page again");
        let back = back.strip_prefix(&world.base).unwrap_or(&back).to_owned();
        let page = agency.owner.get(&back).await;
        assert!(page.text.contains("Write the colour as #") && page.text.contains("Typed Name"), "{}", page.text);
    });
}

#[test]
fn what_is_no_brand_is_refused_at_its_field() {
    run(|world| async move {
        let agency = Agency::new(world, "refused").await;
        let owner = &agency.owner;
        for (product, accent, support, field) in [
            ("", "red", "", "accent"),
            ("", "#12345;}", "", "accent"),
            ("", "", "javascript:alert(1)", "support"),
            ("", "", "http://halden.example", "support"),
            ("a name that goes on and on and on and on and on", "", "", "product"),
        ] {
            let fields = [("client", ""), ("product", product), ("accent", accent), ("support", support)];
            let answer = brand(owner, fields).await;
            assert_eq!(answer.status, 422, "{fields:?}: {answer:?}");
            assert!(answer.error_at(field).is_some(), "{fields:?}: {answer:?}");
        }

        let script = b"<script>alert(1)</script>".to_vec();
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
        for (name, bytes, problem) in [
            ("logo.png", script, "kind"),
            ("logo.svg", svg, "kind"),
            ("logo.png", png(64, 64, 600 * 1024), "too-large"),
            ("logo.png", png(2400, 64, 0), "too-wide"),
            ("logo.png", Vec::new(), "no-file"),
        ] {
            let answer = owner.upload(LOGO, &[("client", "")], name, bytes).await;
            assert_eq!(answer.location.as_deref(), Some(format!("/settings/brand?problem={problem}").as_str()));
        }
        let page = owner.get("/settings/brand?problem=kind").await;
        assert!(page.text.contains("This is not a PNG, JPEG or WebP picture"), "{}", page.text);
        assert!(address(&page, "/brand/logo/").is_none());

        // Agency owners and admins alone; for a client's people there is no such place.
        let fields = [("client", ""), ("product", "Mine"), ("accent", ""), ("support", "")];
        for (browser, status) in [(&agency.member, 403), (&agency.one.admin, 404), (&agency.one.viewer, 404)] {
            assert_eq!(browser.rpc("save_brand", &fields).await.status, status);
            assert_eq!(browser.upload(LOGO, &[("client", "")], "logo.png", png(64, 64, 0)).await.status, status);
            assert_eq!(browser.get("/settings/brand").await.status, status);
            assert_eq!(browser.rpc("save_brand_host", &[("host", "voice.example.com")]).await.status, status);
        }
    });
}

#[test]
fn a_logo_is_shown_kept_and_taken_away() {
    run(|world| async move {
        let agency = Agency::new(world, "logo").await;
        // What the file is called does not matter.
        let answer = agency.owner.upload(LOGO, &[("client", "")], "../../logo.exe", png(64, 64, 9)).await;
        assert_eq!(answer.location.as_deref(), Some("/settings/brand?saved=1"), "{answer:?}");
        let page = agency.one.viewer.get("/dashboard").await;
        let logo = address(&page, "/brand/logo/").expect("the logo");
        let nobody = Browser::new(world);
        let shown = nobody.raw(Method::GET, &logo).send().await.expect("an answer");
        assert_eq!(shown.status(), 200);
        let header = |name| shown.headers()[name].to_str().expect("text");
        assert_eq!(header(CONTENT_TYPE), "image/png");
        assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(header(CONTENT_SECURITY_POLICY), "default-src 'none'");
        assert!(header(CACHE_CONTROL).contains("immutable"));
        for other in ["/brand/logo/x.png", "/brand/logo/..%2Fkeys", "/brand/logo/0123456789abcdef0123456789abcdef.svg"]
        {
            assert_eq!(nobody.get(other).await.status, 404, "{other}");
        }

        // A client's own stands in front of the agency's.
        let id = agency.one.id.as_str();
        let answer = agency.admin.upload(LOGO, &[("client", id)], "logo.png", png(32, 32, 1)).await;
        assert_eq!(answer.location, Some(format!("/clients/{id}/brand?saved=1")));
        let own = address(&agency.one.viewer.get("/dashboard").await, "/brand/logo/").expect("the client's logo");
        assert_ne!(own, logo);
        agency.admin.filled(&format!("/clients/{id}/brand"), "remove_logo", &[]).await;
        assert_eq!(nobody.get(&own).await.status, 404);
        assert_eq!(address(&agency.one.viewer.get("/dashboard").await, "/brand/logo/"), Some(logo));
    });
}

/// The agency's host name as its page shows it.
async fn host_of(agency: &Agency) -> Value {
    agency.owner.done("get_brand", &[]).await.json()["host"].clone()
}

/// What checking the host name says; none when it is proved.
async fn check(agency: &Agency) -> Option<String> {
    let answer = agency.owner.fill("/settings/brand", "check_brand_host", &[]).await;
    assert!(matches!(answer.status, 200 | 422), "{answer:?}");
    answer.error_at("host")
}

/// Gives the agency a host name of its own, which is proved.
pub async fn own_host(world: &World, agency: &Agency) -> String {
    let host = format!("voice.{}.example", agency.name);
    agency.owner.filled("/settings/brand", "save_brand_host", &[("host", &host)]).await;
    let proof = host_of(agency).await["proof"].as_str().expect("a proof").to_owned();
    world.dns.as_ref().expect("a name server").say(&format!("_patchbay.{host}"), &[&proof]);
    assert_eq!(check(agency).await, None);
    host
}

/// The site's own address.
fn site(world: &World) -> String {
    world.base.replace("127.0.0.1", "localhost")
}

/// The beginning of the link in a new invitation.
async fn link_of(agency: &Agency, email: &str) -> String {
    let fields = [("emails", email), ("role", "agency_member")];
    agency.owner.filled("/settings/users/new", "invite_members", &fields).await;
    let shown = agency.owner.done("take_links", &[]).await.json();
    shown["links"][0]["link"].as_str().and_then(|link| link.split("/invite/").next()).unwrap_or_default().to_owned()
}

#[test]
fn a_host_name_counts_once_dns_has_proved_it() {
    run(|world| async move {
        let dns = world.dns.as_ref().expect("a name server");
        let (ours, theirs) = (Agency::new(world, "hosted").await, Agency::new(world, "stranger").await);
        let host = format!("voice.{}.example", ours.name);
        let record = format!("_patchbay.{host}");
        let base = world.base.replace("127.0.0.1", &host);

        for bad in ["127.0.0.1", "[::1]", "localhost", "*.halden.example", "a b.example", "voice..example"] {
            let answer = ours.owner.fill("/settings/brand", "save_brand_host", &[("host", bad)]).await;
            assert!(answer.status == 422 && answer.error_at("host").is_some(), "{bad}: {answer:?}");
        }
        assert_eq!(ours.owner.rpc("check_brand_host", &[]).await.status, 409);
        let typed = format!("https://{}/", host.to_uppercase());
        ours.owner.filled("/settings/brand", "save_brand_host", &[("host", &typed)]).await;
        let fields =
            [("client", ""), ("product", "Halden Calls"), ("accent", "#8a1538"), ("support", "help@a.example")];
        assert_eq!(brand(&ours.owner, fields).await.status, 200);
        let asked = host_of(&ours).await;
        assert_eq!((asked["host"].as_str(), asked["record"].as_str()), (Some(host.as_str()), Some(record.as_str())));
        let proof = asked["proof"].as_str().expect("a proof").to_owned();

        // Until it is proved it is a name like any other.
        let said = check(&ours).await.expect("not proved");
        assert!(said.contains("There is no TXT record"), "{said}");
        dns.say(&record, &["v=spf1 -all"]);
        let said = check(&ours).await.expect("not proved");
        assert!(said.contains("says “v=spf1 -all”") && said.contains(&proof), "{said}");
        dns.be_silent_about(&record);
        let said = check(&ours).await.expect("not proved");
        assert!(said.contains("did not answer"), "{said}");
        let stranger = Browser::new(world);
        assert!(!page_at(&stranger, &host, "/login").await.text.contains("Halden Calls"));
        assert_eq!(link_of(&ours, "a@hosted.example").await, site(world));

        // Proved: the door carries the brand, and links lead there.
        dns.say(&record, &["v=spf1 -all", &proof]);
        assert_eq!(check(&ours).await, None);
        assert!(host_of(&ours).await["verified"].is_object());
        for path in ["/login", "/forgot", "/reset/x", "/invite/x"] {
            let door = page_at(&stranger, &host, path).await;
            assert!(
                door.text.contains("Halden Calls") && door.text.contains("help@a.example"),
                "{path}: {}",
                door.text
            );
            assert!(address(&door, "/brand/8a1538-").is_some(), "{path}");
        }
        assert!(!stranger.get("/login").await.text.contains("Halden Calls"));
        // No name puts anything into the page of whoever comes to the door.
        let hostile = "</title><form action=/rpc/evil>";
        let fields = [("client", ""), ("product", hostile), ("accent", "#8a1538"), ("support", "help@a.example")];
        assert_eq!(brand(&ours.owner, fields).await.status, 200);
        for path in ["/login", "/forgot", "/reset/x", "/invite/x"] {
            let door = Page::read(&page_at(&stranger, &host, path).await.text);
            assert!(door.titles.len() == 1 && door.titles[0].ends_with(hostile), "{path}: {:?}", door.titles);
            assert!(door.forms.iter().all(|form| form.action != "/rpc/evil"), "{path}: {:?}", door.forms);
        }
        assert_eq!(link_of(&ours, "b@hosted.example").await, base);
        assert_eq!(link_of(&theirs, "b@stranger.example").await, site(world));

        the_door_is_for_its_own_people(world, &host, &ours, &theirs).await;
        the_proof_decides(world, dns, &host, &ours, &theirs).await;
    });
}

async fn the_door_is_for_its_own_people(world: &World, host: &str, ours: &Agency, theirs: &Agency) {
    let browser = Browser::from_address(world, "127.0.0.61");
    let email = |agency: &Agency| format!("owner@{}.example", agency.name);
    let stranger = at(&browser, host, "sign_in", &[("email", &email(theirs)), ("password", PASSWORD)]).await;
    let wrong = at(&browser, host, "sign_in", &[("email", &email(ours)), ("password", "not this one")]).await;
    assert_eq!((stranger.status, &stranger.text), (wrong.status, &wrong.text));
    assert_eq!(stranger.status, 422);
    assert_eq!(at(&browser, host, "who_am_i", &[]).await.status, 401);
    let own = at(&browser, host, "sign_in", &[("email", &email(ours)), ("password", PASSWORD)]).await;
    assert_eq!(own.status, 200, "{own:?}");
    assert_eq!(at(&browser, host, "who_am_i", &[]).await.status, 200);
    // A session from elsewhere means nothing here, nor does another agency's link.
    assert_eq!(at(&theirs.owner, host, "who_am_i", &[]).await.status, 401);
    theirs.owner.done("invite_members", &[("emails", "c@stranger.example"), ("role", "agency_member")]).await;
    let token = shown_token(&theirs.owner).await;
    let nobody = Browser::new(world);
    let here = at(&nobody, host, "open_invitation", &[("token", &token)]).await;
    let spent = at(&nobody, host, "open_invitation", &[("token", "spent")]).await;
    assert_eq!((here.status, &here.text), (spent.status, &spent.text));
    assert_eq!(nobody.rpc("open_invitation", &[("token", &token)]).await.status, 200);
    // A form of another site is no form of this host.
    let forged = nobody.raw(Method::POST, "/rpc/sign_out").header(HOST, host).header(ORIGIN, "https://evil.example");
    assert_eq!(Browser::answer(forged).await.status, 403);

    // A host name that nobody has proved is answered as the site, and stands in no page and no link.
    let poisoned = page_at(&nobody, "evil.example", "/login").await;
    assert!(poisoned.status == 200 && !poisoned.text.contains("evil.example"), "{}", poisoned.text);
    let fields = [("emails", "d@stranger.example"), ("role", "agency_member")];
    assert_eq!(at(&theirs.owner, "evil.example", "invite_members", &fields).await.status, 200);
    let shown = theirs.owner.done("take_links", &[]).await;
    assert!(shown.text.contains(&site(world)) && !shown.text.contains("evil.example"), "{}", shown.text);
}

async fn the_proof_decides(world: &World, dns: &Dns, host: &str, ours: &Agency, theirs: &Agency) {
    let record = format!("_patchbay.{host}");
    theirs.owner.filled("/settings/brand", "save_brand_host", &[("host", host)]).await;
    let proof = |view: Value| view["proof"].as_str().expect("a proof").to_owned();
    let (our_proof, their_proof) = (proof(host_of(ours).await), proof(host_of(theirs).await));
    assert_ne!(our_proof, their_proof);
    assert!(check(theirs).await.is_some(), "our record proves nothing for them");
    dns.say(&record, &[&our_proof, &their_proof]);
    let said = check(theirs).await.expect("ours still");
    assert!(said.contains("Another agency already uses"), "{said}");
    // The domain has changed hands.
    dns.say(&record, &[&their_proof]);
    assert_eq!(check(theirs).await, None);
    assert!(host_of(ours).await["verified"].is_null());
    assert_eq!(link_of(ours, "e@hosted.example").await, site(world));
    assert_eq!(link_of(theirs, "e@stranger.example").await, world.base.replace("127.0.0.1", host));
    // Let go: nothing is left of it.
    theirs.owner.done("save_brand_host", &[("host", "")]).await;
    assert_eq!(host_of(theirs).await["host"], "");
    assert_eq!(link_of(theirs, "f@stranger.example").await, site(world));
}
