//! Names are chosen by people, and not all of them mean well. A name on somebody else's page is text and nothing but text.

use patchbay_platform::server::ops::create_admin;

use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, Page, World, run, unique};

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
