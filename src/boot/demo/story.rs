//! What the owners of the demo's agencies do on the first day. Everything here is typed into the product's own forms. What is there already
//! stays as it is, so that a start that was cut short goes on where it ended.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use futures::future::try_join_all;
use serde_json::Value;

use super::agencies::{Agency, Client};
use super::tools;
use super::visit::{Visit, id_in, text};
use patchbay_sandbox::Sandbox;
use patchbay_shared::{AppError, Reason};

/// A client with what belongs to it by now.
pub(crate) struct Served {
    pub client: &'static Client,
    pub id: String,
    pub campaign: String,
    /// Their ids at the voice service: who calls, and who answers.
    pub callers_id: String,
    pub desks_id: String,
    /// E.164.
    pub number: String,
}

/// The connections of an agency.
pub(crate) async fn connect(owner: &Visit, agency: &Agency, sandbox: &Sandbox) -> Result<(), AppError> {
    let carrier_key = sandbox.carrier_public_key(agency.key);
    for provider in ["ultravox", "telnyx"] {
        let fields = [
            ("provider", provider),
            ("mode", "sandbox"),
            ("api_key", agency.key),
            ("price_per_minute", "0.05"),
            ("public_key", carrier_key.as_str()),
        ];
        owner.post("save_connection", &fields).await?;
    }
    // One account is enough to begin with; the others are there to choose from.
    for (kind, name) in [("openrouter", ""), ("anthropic", "Claude"), ("openai_compatible", "OpenAI")] {
        let fields = [("kind", kind), ("name", name), ("mode", "sandbox"), ("api_key", agency.key)];
        owner.post("save_model_account", &fields).await?;
    }
    choose_models(owner).await?;
    owner.post("set_up_telephony", &[]).await?;
    // The carrier's portal is where its webhook address is entered; the sandbox has no portal.
    let (carrier, _) = owner.post("get_connection", &[("provider", "telnyx")]).await?;
    sandbox.set_carrier_url(agency.key, carrier["webhook_url"].as_str().map(str::to_owned));
    Ok(())
}

/// Another model judges than answers; knowledge is found by its meaning; and what no service prices has a price.
async fn choose_models(owner: &Visit) -> Result<(), AppError> {
    let (page, _) = owner.post("get_models", &[]).await?;
    let account = |name: &str| {
        let all = page["accounts"].as_array().into_iter().flatten();
        let found = all.filter(|one| one["name"] == name).find_map(|one| one["id"].as_str());
        found.unwrap_or_default().to_owned()
    };
    let (claude, openai) = (account("Claude"), account("OpenAI"));
    let prices =
        [(&claude, "claude-sonnet-4-5", "3", "15", "0.30"), (&openai, "text-embedding-3-small", "0.02", "0", "")];
    for (account, model, read, written, cached) in prices {
        let from = "2026-01-01";
        let price = [("read", read), ("written", written), ("cached", cached), ("from", from)];
        let fields = [&[("account", account.as_str()), ("model", model)], price.as_slice()].concat();
        owner.post("set_model_price", &fields).await?;
    }
    for (purpose, account, model) in
        [("judge", &claude, "claude-sonnet-4-5"), ("embedding", &openai, "text-embedding-3-small")]
    {
        let fields = [("purpose", purpose), ("account", account.as_str()), ("model", model)];
        owner.post("choose_model", &fields).await?;
    }
    Ok(())
}

/// Agents, number and campaign of each client.
pub(crate) async fn build_all(owner: &Visit, agency: &Agency) -> Result<Vec<Served>, AppError> {
    let (clients, _) = owner.post("client_names", &[]).await?;
    let (catalog, _) = owner.post("get_voice_catalog", &[]).await?;
    let shared = Arc::new((clients, catalog));
    try_join_all(agency.clients.iter().enumerate().map(|(index, client)| {
        let shared = shared.clone();
        async move { build(owner, client, &shared.0, &shared.1, index).await }
    }))
    .await
}

async fn build(
    owner: &Visit,
    client: &'static Client,
    clients: &Value,
    catalog: &Value,
    index: usize,
) -> Result<Served, AppError> {
    let id = found(clients.as_array(), client.name).ok_or_else(|| missing(client.name))?;
    let caller = agent(owner, client, &id, catalog, (client.agent, client.prompt), "outbound").await?;
    let desk = agent(owner, client, &id, catalog, client.desk, "inbound").await?;
    let (number_id, number) = number(owner, client, &id, index).await?;
    let callers_id = synced(owner, &caller).await?;
    let desks_id = synced(owner, &desk).await?;
    for agent in [&caller, &desk] {
        tools::give(owner, agent).await?;
    }
    improve(owner, client, &caller, index == 0).await?;
    answer(owner, client, &id, &number_id, &desk).await?;
    let campaign = campaign(owner, client, &id, &caller, &number_id).await?;
    Ok(Served { client, id, campaign, callers_id, desks_id, number })
}

async fn agent(
    owner: &Visit,
    client: &Client,
    id: &str,
    catalog: &Value,
    (name, prompt): (&str, &str),
    direction: &str,
) -> Result<String, AppError> {
    let (agents, _) = owner.post("client_agents", &[("client", id)]).await?;
    if let Some(known) = found(agents.as_array(), name) {
        return Ok(known);
    }
    let model = catalog["models"].as_array().and_then(|models| models.first()).map(text).unwrap_or_default();
    let voices = catalog["voices"].as_array().cloned().unwrap_or_default();
    let speaks = |voice: &&Value| voice["language"].as_str().is_some_and(|tag| tag.starts_with(client.language));
    // Who answers has another voice than who calls, where the language has two.
    let mut fitting = voices.iter().filter(speaks);
    let first = fitting.next().or(voices.first());
    let voice = if direction == "inbound" { fitting.next().or(first) } else { first };
    let voice = voice.map(|voice| text(&voice["id"])).unwrap_or_default();
    let description = if direction == "inbound" { "Answers the number" } else { client.campaign };
    let speaker = if direction == "inbound" { "agent" } else { "user" };
    let fields = [
        ("id", ""),
        ("name", name),
        ("description", description),
        ("client_id", id),
        ("language", client.language),
        ("llm_model", &model),
        ("voice", &voice),
        ("temperature", "0.3"),
        ("first_speaker", speaker),
        ("greeting", ""),
        ("max_minutes", "10"),
        ("recording", "on"),
        ("direction", direction),
        ("tags", client.kind),
        ("prompt_id", ""),
        ("template", prompt),
    ];
    let (_, location) = owner.post("save_agent", &fields).await?;
    let agent = id_in(&location);
    owner.post("set_agent_status", &[("id", &agent), ("status", "active")]).await?;
    Ok(agent)
}

/// The agent's id at the voice service, once it is there.
async fn synced(owner: &Visit, agent: &str) -> Result<String, AppError> {
    let id = |answer: &Value| answer["mappings"][0]["provider_agent_id"].as_str().map(str::to_owned);
    let is_there = |answer: &Value| id(answer).is_some();
    let answer = owner.until("The agent's way to the voice service", "get_agent", &[("id", agent)], is_there).await?;
    id(&answer).ok_or_else(|| missing("The agent at the voice service"))
}

/// A second version of the prompt, which says how to lead a call, and a third one, for which the first client's owner `asks`.
async fn improve(owner: &Visit, client: &Client, agent: &str, asks: bool) -> Result<(), AppError> {
    let (page, _) = owner.post("get_agent", &[("id", agent)]).await?;
    let prompt = &page["prompt"];
    if prompt["version"].as_i64() != Some(1) {
        return Ok(());
    }
    let (words, note) = client.better;
    let fields = [
        ("id", &*text(&prompt["id"])),
        ("base_version", "1"),
        ("name", &*text(&prompt["name"])),
        ("template", &*better(client)),
        ("description", words),
        ("tags", client.kind),
        ("note", note),
        ("production", "on"),
    ];
    owner.post("save_prompt", &fields).await?;
    try_third(owner, client, &text(&prompt["id"]), &text(&prompt["name"]), asks).await
}

/// A third version, which is being tried, and may wait for a second person before agents say it.
async fn try_third(owner: &Visit, client: &Client, id: &str, name: &str, asks: bool) -> Result<(), AppError> {
    let words = format!("{}\n\n{}", client.better.0, client.prompt);
    let fields = [
        ("id", id),
        ("base_version", "2"),
        ("name", name),
        ("template", words.as_str()),
        ("description", client.better.0),
        ("tags", client.kind),
        ("note", "How to lead the call comes first"),
    ];
    owner.post("save_prompt", &fields).await?;
    let label = |label| [("id", id), ("label", label), ("version", "3"), ("note", "Tried on test calls")];
    owner.post("move_prompt_label", &label("staging")).await?;
    if asks {
        owner.post("set_prompt_rule", &[("id", id), ("on", "true")]).await?;
        owner.post("move_prompt_label", &label("production")).await?;
    }
    Ok(())
}

/// The second version's text.
pub(crate) fn better(client: &Client) -> String {
    format!("{} {}", client.prompt, client.better.0)
}

/// Orders a number, and gives its id and the number itself.
async fn number(owner: &Visit, client: &Client, id: &str, index: usize) -> Result<(String, String), AppError> {
    let (known, _) = owner.post("client_numbers", &[("client", id)]).await?;
    if let Some(row) = known.as_array().and_then(|rows| rows.first()) {
        return Ok((text(&row["id"]), text(&row["number"])));
    }
    order(owner, client.country, id, index).await
}

/// A number that nobody uses yet, for the next client.
pub(crate) async fn spare_number(owner: &Visit, agency: &Agency) -> Result<(), AppError> {
    let (numbers, _) = owner.post("list_numbers", &[("query[direction]", "outbound")]).await?;
    let is_there = numbers["page"]["rows"].as_array().is_some_and(|rows| !rows.is_empty());
    if let (false, Some(client)) = (is_there, agency.clients.first()) {
        order(owner, client.country, "", 7).await?;
    }
    Ok(())
}

async fn order(owner: &Visit, country: &str, client: &str, index: usize) -> Result<(String, String), AppError> {
    let search = [("form[country]", country), ("form[area_code]", ""), ("form[contains]", "")];
    let (offered, _) = owner.post("search_numbers", &search).await?;
    let offers = offered.as_array().cloned().unwrap_or_default();
    let offer = offers.get(index).or(offers.first());
    let offer = offer.ok_or_else(|| missing(&format!("A number in {country} at the carrier")))?;
    let (number, cost) = (text(&offer["number"]), text(&offer["monthly_cost"]));
    let order = [
        ("number", number.as_str()),
        ("country", country),
        ("client_id", client),
        ("features", ""),
        ("monthly_cost", &cost),
    ];
    let (_, location) = owner.post("order_number", &order).await?;
    let ordered = id_in(&location);
    let is_active =
        |answer: &Value| answer["status"] == "active" || answer.to_string().contains("\"status\":\"active\"");
    owner.until("The number's activation", "get_number", &[("id", &ordered)], is_active).await?;
    Ok((ordered, number))
}

/// The desk answers the number in office hours; outside them callers hear when to ring again.
async fn answer(owner: &Visit, client: &Client, id: &str, number: &str, desk: &str) -> Result<(), AppError> {
    let fields = [
        ("id", number),
        ("client_id", id),
        ("agent_id", desk),
        ("direction", "inbound"),
        ("when", "hours"),
        ("zone", client.timezone),
        ("start", "06:00"),
        ("end", "22:00"),
        ("mon", "on"),
        ("tue", "on"),
        ("wed", "on"),
        ("thu", "on"),
        ("fri", "on"),
        ("sat", "on"),
        ("sun", "on"),
        ("after_hours_agent_id", ""),
        ("after_hours_words", client.closed),
        ("fallback_words", ""),
    ];
    owner.post("assign_number", &fields).await?;
    Ok(())
}

async fn campaign(owner: &Visit, client: &Client, id: &str, agent: &str, number: &str) -> Result<String, AppError> {
    let (known, _) = owner.post("client_campaigns", &[("client", id)]).await?;
    if let Some(known) = found(known.as_array(), client.campaign) {
        return Ok(known);
    }
    let campaign = [
        ("client", id),
        ("form[name]", client.campaign),
        ("form[kind]", client.kind),
        ("form[agent]", agent),
        ("form[number]", number),
        ("form[goal]", client.goal),
        ("form[variables]", ""),
        ("form[start]", "00:00"),
        ("form[end]", "23:59"),
        ("form[mon]", "on"),
        ("form[tue]", "on"),
        ("form[wed]", "on"),
        ("form[thu]", "on"),
        ("form[fri]", "on"),
        ("form[sat]", "on"),
        ("form[sun]", "on"),
        ("form[max_attempts]", "2"),
        ("form[retry_minutes]", "1"),
    ];
    let (_, location) = owner.post("create_campaign", &campaign).await?;
    Ok(id_in(&location))
}

/// The client's contact list, in its campaign.
pub(crate) async fn import_contacts(owner: &Visit, served: &Served) -> Result<(), AppError> {
    let client = served.client;
    let (campaigns, _) = owner.post("client_campaigns", &[("client", &served.id)]).await?;
    let is_active = |row: &Value| row["name"] == client.campaign && row["status"] == "active";
    if campaigns.as_array().is_some_and(|rows| rows.iter().any(is_active)) {
        return Ok(());
    }
    owner.import(client, &served.id, &contact_list(client), None).await?;
    owner.post("add_campaign_contacts", &[("id", &served.campaign), ("by", "all")]).await?;
    owner.post("move_campaign", &[("id", &served.campaign), ("to", "active")]).await?;
    Ok(())
}

/// The first batch, to its results.
pub(crate) async fn first_wave(owner: &Visit, served: &Served) -> Result<(), AppError> {
    let client = served.client;
    let name = format!("{}, wave 1", client.campaign);
    let batch = match batch_of(owner, &served.campaign, &name).await? {
        Some(known) => known,
        None => start_batch(owner, &served.campaign, &name, "12", client.waves[0], "").await?,
    };
    let is_over = |answer: &Value| answer["status"] == "completed";
    owner.until("The first batch's end", "get_batch", &[("id", &batch)], is_over).await?;
    Ok(())
}

/// A second wave that goes on while somebody looks, and a third for next week.
pub(crate) async fn leave_batches(owner: &Visit, served: &Served) -> Result<(), AppError> {
    let client = served.client;
    let start = Utc::now().date_naive() + TimeDelta::days(7);
    let start = start.format("%Y-%m-%dT09:00").to_string();
    for (wave, most, start) in [("wave 2", client.waves[1], ""), ("wave 3", "", start.as_str())] {
        let name = format!("{}, {wave}", client.campaign);
        if batch_of(owner, &served.campaign, &name).await?.is_none() {
            start_batch(owner, &served.campaign, &name, "4", most, start).await?;
        }
    }
    Ok(())
}

/// A contact list as it comes out of an office: national numbers, a duplicate, an empty line's worth of garbage.
fn contact_list(client: &Client) -> Vec<[String; 4]> {
    let row = |index: usize| {
        let (first, last) = client.names(index);
        let company = if index.is_multiple_of(4) { "Haus & Co." } else { "" };
        [first.to_owned(), last.to_owned(), client.national(index), company.to_owned()]
    };
    let twin = ["Twin".to_owned(), "Entry".to_owned(), client.national(0), String::new()];
    let garbage = ["No".to_owned(), "Number".to_owned(), "n/a".to_owned(), String::new()];
    (0..client.contacts).map(row).chain([twin, garbage]).collect()
}

async fn batch_of(owner: &Visit, campaign: &str, name: &str) -> Result<Option<String>, AppError> {
    let (batches, _) = owner.post("list_batches", &[("query[campaign]", campaign)]).await?;
    Ok(found(batches["page"]["rows"].as_array().or(batches["rows"].as_array()), name))
}

/// `start`: at once when empty, else a local day and time.
pub(crate) async fn start_batch(
    owner: &Visit,
    campaign: &str,
    name: &str,
    lines: &str,
    most: &str,
    start: &str,
) -> Result<String, AppError> {
    let mode = if start.is_empty() { "immediate" } else { "scheduled" };
    let fields = [
        ("campaign", campaign),
        ("name", name),
        ("mode", mode),
        ("scheduled_for", start),
        ("concurrency", lines),
        ("limit", most),
    ];
    let (_, location) = owner.post("create_batch", &fields).await?;
    Ok(id_in(&location))
}

/// The id of the row with this name.
pub(super) fn found(rows: Option<&Vec<Value>>, name: &str) -> Option<String> {
    rows?.iter().find(|row| row["name"] == name).map(|row| text(&row["id"]))
}

fn missing(what: &str) -> AppError {
    AppError::Conflict(Reason::WrongState, format!("{what} is not there."))
}
