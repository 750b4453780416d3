//! Names are chosen by people, and not all of them mean well. A name on somebody else's page is text and nothing but text.

use patchbay_platform::server::ops::create_admin;

use super::access_matrix::{Asks, FUNCTIONS, PAGES, ROUTES};
use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, Page, World, run, unique};
use super::tenancy::{filled, ids, knock};

/// Ends the title, if it can, and puts a form with a button over the page of whoever looks at it.
const HOSTILE: &str = "</title><form action=/rpc/evil><button>&lt;Go&amp;";

/// Opens a page and sees that the hostile name stands in its title, as the characters that it is made of, and made nothing else.
async fn is_only_text(browser: &Browser, path: &str) {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, 200, "{path}");
    let page = Page::read(&answer.text);
    let [title] = page.titles.as_slice() else { panic!("{path} has the titles {:?}", page.titles) };
    assert!(title.contains(HOSTILE), "{path}: {title}");
    assert_eq!(answer.text.matches("</title>").count(), 1, "{path}");
    assert!(page.forms.iter().all(|form| form.action != "/rpc/evil"), "{path}: {:?}", page.forms);
}

#[test]
fn a_hostile_name_is_text_in_every_title() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "hostile").await;
        let owner = &agency.owner;
        // A client's admin chooses this name, and the agency's owner sees it.
        let fields = [("form[name]", HOSTILE), ("form[phone]", "+12025550177"), ("form[timezone]", "UTC")];
        let contact = agency.one.admin.made_on("/contacts/new", "create_contact", &fields).await;
        is_only_text(owner, &format!("/contacts/{contact}")).await;
        let file = format!("name,phone\n{HOSTILE},+12025550178\n").into_bytes();
        let answer = agency.one.admin.upload("/contacts/imports/upload", &[], HOSTILE, file).await;
        let import = answer.id().unwrap_or_else(|| panic!("an import: {answer:?}"));
        // What stands before a slash is no part of a file's name, so that is a title of its own.
        let page = Page::read(&owner.get(&format!("/contacts/imports/{import}")).await.text);
        assert!(page.titles.len() == 1 && page.titles[0].starts_with("evil><button>&lt;Go&amp;"), "{:?}", page.titles);

        let client = [("name", HOSTILE), ("timezone", "UTC"), ("shares_recordings", "true"), ("monthly_budget", "")];
        let client = owner.made_on("/clients/new", "save_client", &client).await;
        is_only_text(owner, &format!("/clients/{client}")).await;
        let agent = super::support::agency::agent_fields(HOSTILE, &agency.one.id, &works.prompt);
        let agent = owner.made("save_agent", &agent).await;
        is_only_text(owner, &format!("/agents/{agent}")).await;
        let prompt = [("name", HOSTILE), ("template", HOSTILE), ("production", "true")];
        let prompt = owner.made_on("/prompts/new", "save_prompt", &prompt).await;
        is_only_text(owner, &format!("/prompts/{prompt}")).await;
        let campaign = agency.campaign_called(HOSTILE, &works.agent, &works.number).await;
        is_only_text(owner, &format!("/campaigns/{campaign}")).await;
    });
}

#[test]
fn a_hostile_agency_does_nothing_to_the_platform_nor_its_brand_to_its_clients() {
    run(|world| async move {
        let agency = Agency::new(world, "hostile").await;
        let owner = &agency.owner;
        owner.filled("/settings/agency", "save_agency", &[("name", HOSTILE)]).await;
        let platform = admin(world).await;
        is_only_text(&platform, &format!("/platform/{}", agency.workspace_id)).await;

        // A brand's name is at most forty characters long.
        let product = "</title><form action=/rpc/evil>";
        owner.filled("/settings/brand", "save_brand", &[("product", product)]).await;
        for path in ["/dashboard", "/contacts", "/settings/profile"] {
            let answer = agency.one.viewer.get(path).await;
            let page = Page::read(&answer.text);
            assert!(page.titles.len() == 1 && page.titles[0].ends_with(product), "{path}: {:?}", page.titles);
            assert!(page.forms.iter().all(|form| form.action != "/rpc/evil"), "{path}: {:?}", page.forms);
        }
    });
}

async fn admin(world: &World) -> Browser {
    let email = format!("{}@platform.example", unique("hostile"));
    create_admin(&world.db, "Pat Platform", &email, PASSWORD).await.expect("an admin");
    Browser::signed_in(world, &email).await
}

/// Leaves attributes, texts, titles and scripts, if it can, and then is an element that no page of ours has.
const EVERYWHERE: &str = "\"'></title></script><xevil onxevil=1>";
/// Fields that hold no words: proofs, which are never shown.
const PROOFS: [&str; 4] = ["current", "password", "code", "answer"];

/// What in a page's HTML somebody else has put there: elements and attributes that no page of ours has.
fn foreign(html: &str) -> Vec<String> {
    use html5gum::emitters::default::Token;
    let mut emitter = html5gum::DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut found = Vec::new();
    for token in html5gum::Tokenizer::new_with_emitter(html, emitter) {
        let Ok(Token::StartTag(tag)) = token else { continue };
        let has_foreign = |name: &[u8]| String::from_utf8_lossy(name).contains("xevil");
        if has_foreign(&tag.name) || tag.attributes.keys().any(|name| has_foreign(name)) {
            found.push(format!("<{} {:?}>", String::from_utf8_lossy(&tag.name), tag.attributes));
        }
    }
    found
}

#[test]
fn a_page_with_something_foreign_on_it_is_noticed() {
    for html in ["<p><xevil></p>", "<p title=\"a\" onxevil=1>", "<script>\"</script><xevil onxevil=1>\"</script>"] {
        assert_eq!(foreign(html).len(), 1, "{html}");
    }
    for html in [
        "<p>&lt;xevil onxevil=1></p>",
        "<p title='<xevil onxevil=1>'>",
        "<script>\"<xevil>\"</script>",
        "<title><xevil></title>",
    ] {
        assert_eq!(foreign(html).len(), 0, "{html}");
    }
}

/// Gives every field of every form the hostile text, one after the other, and counts those that take it.
async fn fill_all(browser: &Browser, is_theirs: impl Fn(&Asks) -> bool, ids: &[(&'static str, String)]) -> usize {
    let mut taken = 0;
    // Optional fields, which the table of access has no need of.
    let more: &[(&str, &str)] = &[
        ("save_prompt", "note"),
        ("save_prompt", "description"),
        ("save_prompt", "tags"),
        ("save_prompt", "tools"),
        ("create_contact", "form[company]"),
        ("create_contact", "form[attributes]"),
        ("change_contact", "form[company]"),
        ("change_contact", "form[attributes]"),
        ("change_campaign", "form[goal]"),
        ("change_campaign", "form[variables]"),
        ("save_agent", "time_up"),
        ("save_agent", "screener"),
        ("save_agent", "voicemail_message"),
    ];
    for door in FUNCTIONS.iter().filter(|door| door.changes && is_theirs(&door.asks)) {
        let own = door.fields.iter().filter(|(name, value)| !value.starts_with('{') && !PROOFS.contains(name));
        let more = more.iter().filter(|(name, _)| *name == door.name);
        for field in own.map(|(name, _)| *name).chain(more.map(|(_, field)| *field)) {
            let hostile = if field.contains("attributes") || field.contains("variables") {
                format!("note = {EVERYWHERE}")
            } else {
                EVERYWHERE.to_owned()
            };
            let mut sent: Vec<(String, String)> =
                filled(door, ids).into_iter().filter(|(name, _)| name != field).collect();
            // Two contacts do not have one number, and two clients not one name.
            for (name, value) in &mut sent {
                if name == "form[phone]" {
                    *value = format!("+1202555{:04}", 2000 + taken);
                }
            }
            sent.push((field.to_owned(), hostile));
            let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = browser.rpc(door.name, &sent).await;
            assert!(answer.status < 500, "{} {field}: {answer:?}", door.name);
            taken += usize::from(answer.status == 200);
        }
    }
    taken
}

#[test]
fn whatever_anybody_writes_is_text_on_every_page_of_everybody() {
    run(|world| async move {
        let (agency, mut works) = Agency::ready(world, "stored").await;
        agency.gather().await;
        let owner = &agency.owner;
        // A call in which hostile things are said: by an agent, to a person, for a goal.
        let phone = "+12025550113";
        let attributes = format!("note = {EVERYWHERE}");
        let contact = [
            ("id", works.contact.as_str()),
            ("form[name]", EVERYWHERE),
            ("form[phone]", phone),
            ("form[company]", EVERYWHERE),
            ("form[attributes]", &attributes),
        ];
        owner.done("change_contact", &contact).await;
        let template = format!("{EVERYWHERE} {{{{name}}}}");
        let prompt = [
            ("id", works.prompt.as_str()),
            ("base_version", "1"),
            ("name", EVERYWHERE),
            ("template", &template),
            ("note", EVERYWHERE),
            ("production", "true"),
        ];
        owner.done("save_prompt", &prompt).await;
        owner
            .done(
                "save_client",
                &[
                    ("id", &agency.one.id),
                    ("name", EVERYWHERE),
                    ("timezone", "UTC"),
                    ("monthly_budget", ""),
                    ("shares_recordings", "true"),
                    ("admins_edit_contacts", "true"),
                    ("admins_edit_campaigns", "true"),
                    ("admins_run_batches", "true"),
                    ("admins_invite_viewers", "true"),
                ],
            )
            .await;
        owner.done("save_agency", &[("name", EVERYWHERE), ("timezone", "UTC"), ("second_factor", "nobody")]).await;
        let campaign = agency.campaign_called(EVERYWHERE, &works.agent, &works.number).await;
        works.campaign = campaign;
        agency.drain().await;
        works.batch = agency.batch(&works.campaign, 2).await;
        agency.finished(&works.batch).await;
        let first = async |name: &str, list: &str, field: &str| {
            let rows = owner.done(name, &[]).await.json();
            let rows = if list.is_empty() { rows["rows"].clone() } else { rows[list]["rows"].clone() };
            rows[0][field].as_str().unwrap_or_else(|| panic!("{name}: {rows}")).to_owned()
        };
        works.call = first("list_calls", "page", "id").await;
        let events = owner.done("list_queue", &[("query[queue]", "webhooks"), ("query[status]", "all")]).await.json();
        works.webhook = events["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("{events}")).to_owned();
        // A file of theirs: its name, its head, its cells.
        let quoted = EVERYWHERE.replace('"', "\"\"");
        let file =
            format!("name,phone,\"{quoted}\"\n\"{quoted}\",+12025550114,\"{quoted}\"\n\"{quoted}\",no number,x\n");
        let answer = agency
            .one
            .admin
            .upload("/contacts/imports/upload", &[], &format!("{EVERYWHERE}.csv"), file.into_bytes())
            .await;
        works.import = answer.id().unwrap_or_else(|| panic!("an import: {answer:?}"));
        let mapping = format!("/contacts/imports/{}/mapping", works.import);
        let before = agency.one.admin.get(&mapping).await;
        assert!(before.text.contains("&lt;xevil") && foreign(&before.text).is_empty(), "{:?}", foreign(&before.text));
        agency.one.admin.filled(&mapping, "check_import", &[]).await;
        agency.drain().await;
        agency.one.admin.done("run_import", &[("id", &works.import)]).await;
        agency.drain().await;

        let ids = ids(world, &agency, works).await;
        for browser in [&agency.one.admin, owner] {
            let profile = [("name", EVERYWHERE), ("timezone", "UTC")];
            browser.done("save_profile", &profile).await;
        }
        let taken = fill_all(&agency.one.admin, |asks| matches!(asks, Asks::May(_)), &ids).await
            + fill_all(owner, |asks| matches!(asks, Asks::May(_)), &ids).await;
        assert!(taken > 25, "only {taken} fields took it");
        owner
            .done(
                "save_brand",
                &[("client", ""), ("product", "</title><xevil onxevil=1>"), ("accent", ""), ("support", "")],
            )
            .await;
        let email = format!("{}@platform.example", unique("stored"));
        create_admin(&world.db, EVERYWHERE, &email, PASSWORD).await.expect("an admin");
        let platform = Browser::signed_in(world, &email).await;
        let guest = Browser::signed_in(world, &email).await;
        guest.done("open_support_session", &[("id", &agency.workspace_id), ("reason", EVERYWHERE)]).await;

        // Every page, also with the text in each part of its address that it may read.
        let hostile: String = url::form_urlencoded::byte_serialize(EVERYWHERE.as_bytes()).collect();
        let filters = [
            "q", "words", "client", "status", "state", "from", "to", "tab", "cursor", "by", "entity", "next", "dialog",
            "sort",
        ];
        let filters: Vec<String> = filters.iter().map(|name| format!("{name}={hostile}")).collect();
        let filters = filters.join("&");
        let (mut wrong, mut shown) = (Vec::new(), std::collections::BTreeSet::new());
        let people =
            [("owner", owner), ("client admin", &agency.one.admin), ("platform admin", &platform), ("support", &guest)];
        for door in PAGES.iter().chain(ROUTES).filter(|door| door.name != "GET /events") {
            for (who, browser) in people {
                let answer = knock(browser, door, &ids).await;
                let path = door.name.trim_start_matches("GET ");
                let mut answers = vec![answer];
                if door.name.starts_with('/') {
                    let path =
                        ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
                    let path = filled(door, &ids)
                        .iter()
                        .fold(path, |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
                    answers.push(browser.get(&format!("{path}?{filters}")).await);
                }
                for answer in answers {
                    if answer.status >= 500 {
                        wrong.push(format!("{} for {who}: {answer:?}", door.name));
                    }
                    // What is saved as a file is no page.
                    if door.name.starts_with('/') {
                        wrong.extend(
                            foreign(&answer.text).into_iter().map(|tag| format!("{} for {who}: {tag}", door.name)),
                        );
                    }
                    if answer.status == 200 && answer.text.contains("&lt;xevil") {
                        shown.insert((door.name, who));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // The proof that there was something to see.
        for page in [
            "/dashboard",
            "/calls",
            "/calls/{id}",
            "/contacts/{id}",
            "/campaigns/{id}",
            "/batches/{id}",
            "/prompts/{id}",
            "/settings/audit",
            "/contacts/imports/{id}",
        ] {
            assert!(shown.contains(&(page, "owner")), "{page} shows nothing of it: {shown:?}");
        }
        assert!(
            shown.contains(&("/platform", "platform admin")) && shown.contains(&("/calls", "client admin")),
            "{shown:?}"
        );
    });
}
