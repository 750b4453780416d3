//! One meaning per word: a day of calls of every kind, and then every figure of every page against the rows that its link opens, and
//! the same figure of different pages, the files and the API against each other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, SecondsFormat, Utc};
use html5gum::{DefaultEmitter, Token, Tokenizer};
use patchbay_calls::model::term;
use patchbay_shared::Money;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Agency, Browser, WebhookSender, Works, World, owner_value, run};

/// A figure as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Figure {
    /// The words before it, or inside the same link.
    label: String,
    pub text: String,
    href: String,
}

impl Figure {
    /// The whole number that it is; none for money, lengths and shares.
    fn count(&self) -> Option<usize> {
        let number = self.text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        if self.text.contains('$') || number.contains([':', '.', '%']) {
            return None;
        }
        number.replace(',', "").parse().ok()
    }
}

/// Tags and texts of a document, in their order.
enum Piece {
    Start(String, BTreeMap<String, String>),
    End(String),
    Text(String),
}

fn pieces(html: &str) -> Vec<Piece> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut found = Vec::new();
    for token in Tokenizer::new_with_emitter(html, emitter) {
        match token.expect("HTML") {
            Token::StartTag(tag) => {
                let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(value))).collect();
                found.push(Piece::Start(text(&tag.name), attributes));
            }
            Token::EndTag(tag) => found.push(Piece::End(text(&tag.name))),
            Token::String(part) => found.push(Piece::Text(text(&part))),
            _ => {}
        }
    }
    found
}

/// Every link of a page that leads to a list of calls or of a campaign's contacts, with the figure that it stands for: the number in
/// its own words, or, in a strip of figures, the value beside it.
fn figures(html: &str) -> Vec<Figure> {
    let pieces = pieces(html);
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Start(name, attributes) = piece else { continue };
        let Some(href) = attributes.get("href").filter(|_| name == "a") else { continue };
        let is_list = href == "/calls" || href.starts_with("/calls?") || href.contains("tab=contacts&");
        if !is_list || href.contains("cursor=") {
            continue;
        }
        let until = |ends: fn(&Piece) -> bool, from: usize| {
            pieces[from..]
                .iter()
                .take_while(|piece| !ends(piece))
                .filter_map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None })
                .collect::<String>()
        };
        let own = until(|piece| matches!(piece, Piece::End(name) if name == "a"), at + 1);
        // In a strip the value follows the label.
        let value = pieces[at..].iter().position(|piece| {
            matches!(piece, Piece::Start(name, attributes) if name == "dd" && attributes.get("class").is_some_and(|class| class == "v"))
        });
        let in_strip = pieces[..at].iter().rev().find_map(|piece| match piece {
            Piece::Start(name, attributes) if name == "dl" => {
                Some(attributes.get("class").is_some_and(|class| class == "kpi"))
            }
            Piece::End(name) if name == "dl" => Some(false),
            _ => None,
        });
        let text = match value {
            Some(value) if in_strip == Some(true) => {
                until(|piece| matches!(piece, Piece::End(name) if name == "dd"), at + value)
            }
            _ => own.clone(),
        };
        // The way to a list is no figure.
        if text.contains(|c: char| c.is_ascii_digit()) {
            found.push(Figure { label: own, text, href: href.clone() });
        }
    }
    found
}

/// The figure under this label.
pub(super) fn figure(figures: &[Figure], label: &str) -> Figure {
    let found = figures.iter().find(|figure| figure.label.trim_start().starts_with(label));
    found.unwrap_or_else(|| panic!("no figure {label:?} among {figures:#?}")).clone()
}

/// How many rows a list has, over all its pages.
pub(super) async fn rows(browser: &Browser, href: &str) -> usize {
    let is_calls = href.starts_with("/calls");
    let (mut address, mut seen) = (href.to_owned(), BTreeSet::new());
    loop {
        let page = browser.get(&address).await;
        assert_eq!(page.status, 200, "{address}");
        let mut next = None;
        let (mut last, mut in_table) = (String::new(), false);
        for piece in pieces(&page.text) {
            match piece {
                Piece::Start(name, _) if name == "tbody" => in_table = true,
                Piece::End(name) if name == "tbody" => in_table = false,
                Piece::End(name) if name == "a" => last.clear(),
                Piece::Start(name, attributes) if name == "a" => {
                    last = attributes.get("href").cloned().unwrap_or_default();
                    let opens = if is_calls { "/calls/" } else { "/contacts/" };
                    if let Some(id) = last.strip_prefix(opens).filter(|_| in_table) {
                        seen.insert(id.get(..36).unwrap_or(id).to_owned());
                    }
                }
                Piece::Text(text) if text == "Older" && last.contains("cursor=") => next = Some(last.clone()),
                _ => {}
            }
        }
        match next {
            Some(older) => address = older,
            None => return seen.len(),
        }
    }
}

/// Follows every figure of a page and counts. Gives the figures, and how many were followed.
pub(super) async fn followed(browser: &Browser, page: &str) -> (Vec<Figure>, usize) {
    let shown = browser.get(page).await;
    assert_eq!(shown.status, 200, "{page}");
    let found = figures(&shown.text);
    let (mut wrong, mut checked) = (Vec::new(), BTreeSet::new());
    for figure in &found {
        let Some(count) = figure.count() else { continue };
        if checked.insert(figure.clone()) {
            let there = rows(browser, &figure.href).await;
            if there != count {
                wrong
                    .push(format!("{:?} says {:?} and opens {there} rows: {}", figure.label, figure.text, figure.href));
            }
        }
    }
    assert!(wrong.is_empty(), "{page}: {wrong:#?}");
    (found, checked.len())
}

/// Rows of a file.
pub(super) async fn lines(browser: &Browser, path: &str) -> Vec<Vec<String>> {
    let file = browser.get(path).await;
    assert_eq!(file.status, 200, "{path}");
    let mut reader = csv::ReaderBuilder::new().from_reader(file.text.trim_start_matches('\u{feff}').as_bytes());
    let head: Vec<String> = reader.headers().expect("a head").iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
    std::iter::once(head).chain(rows).collect()
}

/// One column of a file.
fn column(lines: &[Vec<String>], name: &str) -> Vec<String> {
    let at = lines[0].iter().position(|head| head == name).unwrap_or_else(|| panic!("{name} in {:?}", lines[0]));
    lines[1..].iter().map(|row| row[at].clone()).collect()
}

/// How many calls the API lists, over all its pages.
async fn listed(world: &World, key: &str, query: &str) -> usize {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let address = format!("{}/v1/calls?{query}&limit=20{cursor}", world.base);
        let answer = reqwest::Client::new().get(address).bearer_auth(key).send().await.expect("an answer");
        let body: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
        count += body["data"].as_array().unwrap_or_else(|| panic!("{body}")).len();
        match body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return count,
        }
    }
}

async fn contact(agency: &Agency, client: &str, phone: &str) {
    let fields = [("client", client), ("form[name]", "Petra"), ("form[phone]", phone), ("form[timezone]", "UTC")];
    agency.owner.made_on("/contacts/new", "create_contact", &fields).await;
}

/// A campaign that calls each contact twice at most, a minute apart.
async fn campaign(agency: &Agency, client: &str, agent: &str, number: &str) -> String {
    let mut fields = vec![
        ("form[name]", "Second wave"),
        ("form[kind]", "sdr"),
        ("form[agent]", agent),
        ("form[number]", number),
        ("form[goal]", "Book a visit."),
        ("form[start]", "00:00"),
        ("form[end]", "24:00"),
        ("form[max_attempts]", "2"),
        ("form[retry_minutes]", "1"),
    ];
    for day in ["form[mon]", "form[tue]", "form[wed]", "form[thu]", "form[fri]", "form[sat]", "form[sun]"] {
        fields.push((day, "on"));
    }
    agency.owner.made_on(&format!("/campaigns/new?client={client}"), "create_campaign", &fields).await
}

/// Has a batch dialled to its end, whatever pauses it.
async fn dialled(agency: &Agency, batch: &str) {
    for _ in 0..20 {
        agency.background.drain_for(std::time::Duration::from_secs(300)).await;
        let status = agency.owner.done("get_batch", &[("id", batch)]).await.json()["status"].clone();
        if status == "paused" {
            agency.owner.fill(&format!("/batches/{batch}"), "resume_batch", &[]).await;
        } else if status == "completed" {
            return agency.drain().await;
        }
    }
    panic!("the batch comes to no end");
}

/// A day of calls of every kind, for two clients: the agency, and the three batches.
async fn day(world: &'static World) -> (Agency, Works, [String; 3]) {
    let (agency, works) = Agency::ready(world, "figures").await;
    // Busy, no answer, voicemail, a refused ring, no number, a number that the carrier does not know, a line that breaks, answered,
    // and every way that a talk can end.
    for ending in [1, 2, 3, 4, 9, 10, 11, 13, 20, 21, 22, 23, 24, 25, 26] {
        contact(&agency, &agency.one.id, &format!("+1202555{ending:04}")).await;
        contact(&agency, &agency.one.id, &format!("+1212555{ending:04}")).await;
    }
    let first = agency.batch(&works.campaign, 4).await;
    dialled(&agency, &first).await;
    let again = campaign(&agency, &agency.one.id, &works.agent, &works.number).await;
    let second = agency.batch(&again, 4).await;
    dialled(&agency, &second).await;
    // The other client, with an agent of its own.
    let fields = [
        ("name", "Other agent"),
        ("client_id", agency.two.id.as_str()),
        ("prompt_id", &works.prompt),
        ("greeting", "Hello."),
        ("first_speaker", "agent"),
        ("max_minutes", "10"),
        ("recording", "true"),
    ];
    let agent = agency.owner.made_on("/agents/new", "save_agent", &fields).await;
    agency.drain().await;
    agency.owner.filled(&format!("/agents/{agent}"), "set_agent_status", &[("status", "active")]).await;
    for ending in [1, 3, 4, 20, 22, 23] {
        contact(&agency, &agency.two.id, &format!("+1202555{ending:04}")).await;
    }
    let other = campaign(&agency, &agency.two.id, &agent, &works.number).await;
    let third = agency.batch(&other, 4).await;
    dialled(&agency, &third).await;
    // Somebody calls in.
    let sql = format!(
        "select provider_agent_id from agent_mappings where workspace_id = '{}' and agent_id = '{}'",
        agency.workspace_id, works.agent
    );
    let known: String = owner_value(world, &sql).await;
    for caller in 0..3 {
        let ring = json!({"key": works.key, "agent_id": known, "from": format!("+120255501{caller}1")});
        let address = format!("{}/sandbox/inbound", world.sandbox_base);
        let answer = reqwest::Client::new().post(address).json(&ring).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{answer:?}");
    }
    agency.drain().await;
    agency.drain().await;
    (agency, works, [first, second, third])
}

#[test]
fn every_figure_opens_the_rows_that_it_counts_and_means_the_same_everywhere() {
    run(|world| async move {
        let (agency, works, batches) = day(world).await;
        let owner = &agency.owner;
        let (dashboard, followed_there) = followed(owner, "/dashboard").await;
        assert!(followed_there >= 12, "{followed_there} figures of the dashboard were followed: {dashboard:#?}");
        let of = |figures: &[Figure], label: &str| figure(figures, label).count().unwrap_or_else(|| panic!("{label}"));

        // The same client on its page, on the dashboard and in its batches.
        let mut sums = BTreeMap::new();
        let mut calls = 0;
        for client in [&agency.one, &agency.two] {
            let (narrowed, _) = followed(owner, &format!("/dashboard?client={}", client.id)).await;
            let (month, _) = followed(owner, &format!("/clients/{}", client.id)).await;
            let (usage, _) = followed(owner, &format!("/usage?client={}", client.id)).await;
            calls += of(&narrowed, "Calls today");
            assert_eq!(of(&narrowed, "Calls today"), of(&month, term::CALLS.label));
            assert_eq!(of(&narrowed, "Calls today"), of(&usage, term::CALLS.label));
            assert_eq!(figure(&narrowed, "Spend today").text, figure(&month, term::SPEND.label).text);
            assert_eq!(figure(&narrowed, "Spend today").text, figure(&usage, term::SPEND.label).text);
            for label in [term::ANSWERED.label, term::GOALS.label] {
                assert_eq!(of(&narrowed, label), of(&month, label), "{label}");
                *sums.entry(label).or_insert(0) += of(&narrowed, label);
            }
        }
        assert_eq!(of(&dashboard, "Calls today"), calls, "every call belongs to one of the clients");
        for (label, sum) in &sums {
            assert_eq!(of(&dashboard, label), *sum, "{label}");
        }
        let (usage, _) = followed(owner, "/usage").await;
        assert_eq!(of(&usage, term::CALLS.label), calls);
        assert_eq!(figure(&usage, term::SPEND.label).text, figure(&dashboard, "Spend today").text);

        // The list, its file and the API hold the same calls under the same words.
        let key = {
            let fields = [("name", "Figures"), ("rate_limit", "0"), ("days", "30"), ("scopes[]", "calls:read")];
            owner.filled("/settings/api-keys/new", "create_api_key", &fields).await;
            owner.done("take_api_key", &[]).await.json()["key"].as_str().expect("a key").to_owned()
        };
        let mut by_result = BTreeMap::new();
        let words = ["ended", "answered", "not_reached", "voicemail", "no_answer", "busy", "declined", "failed"];
        for word in words {
            let query = format!("result={word}");
            let there = rows(owner, &format!("/calls?{query}")).await;
            assert_eq!(lines(owner, &format!("/calls.csv?{query}")).await.len() - 1, there, "{word} in the file");
            assert_eq!(listed(world, &key, &query).await, there, "{word} in the API");
            assert!(there > 0, "the day has calls of every kind: {word}");
            by_result.insert(word, there);
        }
        let count = |word: &str| by_result[word];
        assert_eq!(count("ended"), calls);
        assert_eq!(count("answered") + count("not_reached") + count("failed"), calls, "each call has one result");
        let silent = count("voicemail") + count("no_answer") + count("busy") + count("declined");
        assert_eq!(silent, count("not_reached"));
        assert_eq!(of(&dashboard, term::ANSWERED.label), count("answered"));
        let file = lines(owner, "/calls.csv").await;
        for (word, label) in [("answered", "Answered"), ("voicemail", "Voicemail"), ("failed", "Failed")] {
            assert_eq!(column(&file, "result").iter().filter(|text| *text == label).count(), count(word), "{label}");
        }
        let said_no = rows(owner, "/calls?outcome=said_no").await;
        let refused = rows(owner, "/calls?outcome=declined").await;
        assert_eq!(refused, count("declined"), "who refused the ring");
        assert!(said_no > 0 && said_no <= count("answered"), "who said no had answered");
        assert_eq!(column(&file, "outcome").iter().filter(|text| *text == "Said no").count(), said_no);
        assert_eq!(rows(owner, "/calls?goal=yes").await, of(&dashboard, term::GOALS.label));
        assert_eq!(
            rows(owner, "/calls?goal=yes").await + rows(owner, "/calls?goal=no").await,
            count("answered"),
            "goals are a share of answered calls"
        );
        for nothing in ["result=nonsense", "outcome=nonsense", "batch=nonsense"] {
            assert_eq!(
                rows(owner, &format!("/calls?{nothing}")).await,
                0,
                "{nothing} matches nothing, and not everything"
            );
        }

        // Batches count contacts, and say so; their calls are the list's.
        let mut answered = 0;
        for batch in &batches {
            let (page, _) = followed(owner, &format!("/batches/{batch}")).await;
            let view = owner.done("get_batch", &[("id", batch)]).await.json();
            let progress = &view["progress"];
            let contacts: i64 =
                ["reached", "not_reached", "failed"].iter().filter_map(|part| progress[*part].as_i64()).sum();
            assert_eq!(Some(contacts), progress["total"].as_i64(), "all are done: {progress}");
            let called = rows(owner, &format!("/calls?batch={batch}&result=answered")).await;
            assert_eq!(view["answered"].as_u64(), Some(called as u64));
            // Nobody is called again after somebody answered.
            assert_eq!(progress["reached"].as_u64(), Some(called as u64), "{progress}");
            let results = lines(owner, &format!("/batches/{batch}/results.csv")).await;
            assert_eq!(column(&results, "result").iter().filter(|text| *text == "Answered").count(), called);
            assert!(page.iter().any(|figure| figure.label.starts_with(term::REACHED.label)), "{page:#?}");
            answered += called;
        }
        let inbound = rows(owner, "/calls?direction=inbound&result=answered").await;
        assert_eq!(answered + inbound, count("answered"));
        let (list, _) = followed(owner, "/batches").await;
        assert!(list.iter().filter_map(Figure::count).count() >= 6, "{list:#?}");
        for tab in ["", "?tab=results"] {
            let (found, followed) = followed(owner, &format!("/campaigns/{}{tab}", works.campaign)).await;
            assert!(followed >= 5, "{tab}: {found:#?}");
        }
        // The client's own people see the same figures of their calls, without money.
        let (theirs, _) = followed(&agency.one.viewer, "/dashboard").await;
        let (ours, _) = followed(owner, &format!("/dashboard?client={}", agency.one.id)).await;
        for label in ["Calls today", term::ANSWERED.label, term::GOALS.label] {
            assert_eq!(of(&theirs, label), of(&ours, label), "{label}");
        }
        assert!(!theirs.iter().any(|figure| figure.text.contains('$')), "{theirs:#?}");

        // Costs of calls add up to the spend, which names what a price is missing of.
        let cost = column(&file, "cost (USD)").iter().fold(Money::default(), |mut sum, text| {
            sum.0 += text.parse().unwrap_or(Money::default().0);
            sum
        });
        assert_eq!(cost.text(), figure(&dashboard, "Spend today").text);
        // Numbers are beside it: the agency's one number has a price from its carrier.
        let usage = owner.get("/usage").await.text;
        assert!(usage.contains("Phone numbers by month"), "numbers are in usage");
        let theirs = agency.one.admin.get("/usage").await.text;
        assert!(!theirs.contains("Phone numbers by month"), "what numbers cost is the agency's alone");
    });
}

#[test]
fn a_missing_price_is_not_zero_and_zero_is_a_price() {
    run(|world| async move {
        let door = WebhookSender::new(world, "unpriced").await;
        let from = Utc::now() - Duration::seconds(60);
        let at = |seconds: i64| (from + Duration::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Micros, true);
        for is_billed in [false, true] {
            let mut call = json!({
                "callId": Uuid::new_v4(), "created": at(0), "joined": at(5), "ended": at(47), "endReason": "hangup",
                "billedDuration": null, "billingStatus": "BILLING_STATUS_PENDING", "metadata": {}, "agentId": null, "summary": null,
                "medium": {"telnyx": {"outgoing": {"to": "+12025550170", "from": "+12025550171"}}},
            });
            let mut event = "call.ended";
            if is_billed {
                call["billedDuration"] = json!("0s");
                call["billingStatus"] = json!("BILLING_STATUS_BILLED");
                event = "call.billed";
            }
            assert_eq!(door.deliver(json!({"event": event, "call": call}).to_string().as_bytes()).await, 204);
        }
        door.settled(world).await;
        let owner = &door.agency.owner;
        let page = owner.get("/calls").await.text;
        assert_eq!(page.matches(">Not priced yet<").count(), 2, "one row, and the filter's option");
        assert_eq!(page.matches(">$0.0000<").count(), 1, "a call that is billed at nothing cost nothing");
        let costs = column(&lines(owner, "/calls.csv").await, "cost (USD)");
        assert_eq!(costs.iter().filter(|cost| cost.is_empty()).count(), 1, "{costs:?}");
        assert_eq!(rows(owner, "/calls?priced=no").await, 1);
        for page in ["/dashboard", "/usage"] {
            let text = owner.get(page).await.text;
            assert!(text.contains("1 call is not priced yet"), "{page} says what its sum leaves out");
            followed(owner, page).await;
        }
    });
}

#[test]
fn the_glossary_says_what_pages_say_on_hover() {
    let glossary = include_str!("../../docs/GLOSSARY.md");
    let plain = glossary.split_whitespace().collect::<Vec<_>>().join(" ");
    for term in term::ALL {
        assert!(plain.contains(&format!("**{}**", term.label)), "{}", term.label);
        assert!(plain.contains(term.means), "{}: {}", term.label, term.means);
    }
}
