//! Who the demo's agencies are, and what their owners do on the first day. Everything here is typed into the product's own forms.

use chrono::{TimeDelta, Utc};
use futures::future::try_join_all;

use super::visit::{Visit, id_in};
use patchbay_sandbox::Sandbox;
use patchbay_shared::{AppError, Reason};

pub const PASSWORD: &str = "patchbay-demo";
pub(crate) const PLATFORM_ADMIN: &str = "pat@patchbay.test";
/// Contacts in the batch that is over when the demo is complete, and in the one that then goes on for some minutes.
const FIRST_WAVE: &str = "30";
const SECOND_WAVE: &str = "60";

/// Name and e-mail address.
type Person = (&'static str, &'static str);

pub struct Agency {
    pub name: &'static str,
    pub key: &'static str,
    pub timezone: &'static str,
    /// The brand's colour; empty: the product's own.
    pub accent: &'static str,
    pub owner: Person,
    pub admin: Person,
    pub member: Person,
    pub clients: &'static [Client],
}

pub struct Client {
    pub name: &'static str,
    pub timezone: &'static str,
    pub budget: &'static str,
    pub shares_cost: bool,
    pub admin: Person,
    pub viewer: Person,
    pub agent: &'static str,
    pub language: &'static str,
    pub prompt: &'static str,
    pub campaign: &'static str,
    /// sdr or cs.
    pub kind: &'static str,
    pub goal: &'static str,
    pub country: &'static str,
    /// Beginning of the callees' numbers, as people in that country write them; four digits follow.
    pub numbers: &'static [&'static str],
    pub first: &'static [&'static str],
    pub last: &'static [&'static str],
    pub contacts: usize,
    /// Latin-1 with semicolons, as spreadsheets of that country save it; else UTF-8 with commas.
    pub old_spreadsheet: bool,
}

pub(crate) const AGENCIES: &[Agency] = &[
    Agency {
        name: "Halden Voice",
        key: "sandbox-halden-voice",
        timezone: "Europe/Zurich",
        accent: "#0f6459",
        owner: ("Mara Velez", "mara@halden.test"),
        admin: ("Ines Roth", "ines@halden.test"),
        member: ("Tom Adeyemi", "tom@halden.test"),
        clients: &[
            Client {
                name: "Alpenrad Dental",
                timezone: "Europe/Zurich",
                budget: "900",
                shares_cost: false,
                admin: ("Lena Frei", "lena@alpenrad.test"),
                viewer: ("Jan Brandt", "jan@alpenrad.test"),
                agent: "Recall",
                language: "de",
                prompt: "Du bist die freundliche Assistenz der Zahnarztpraxis Alpenrad. Du rufst {{contact_name}} an, weil die halbjährliche Kontrolle ansteht. \
                         Biete Termine an, bestätige den gewählten, beantworte Fragen kurz. Wenn jemand sich beschwert oder Schmerzen hat, verbinde mit der Praxis.",
                campaign: "November recall",
                kind: "cs",
                goal: "A check-up appointment is booked or confirmed.",
                country: "CH",
                numbers: &["044 555 ", "031 555 ", "061 555 ", "071 555 "],
                first: &[
                    "Nadia", "Oskar", "Ilse", "Felix", "Greta", "Hugo", "Léa", "Emil", "Beat", "Sara", "Reto", "Carla",
                    "Urs", "Vera", "Jürg",
                ],
                last: &[
                    "Kern", "Blum", "Baum", "Roth", "Wyss", "Frei", "Maurer", "Graf", "Kunz", "Hofer", "Amann",
                    "Zehnder", "Müller",
                ],
                contacts: 120,
                old_spreadsheet: true,
            },
            Client {
                name: "Northbeam Solar",
                timezone: "America/Los_Angeles",
                budget: "1500",
                shares_cost: true,
                admin: ("Dana Whitfield", "dana@northbeam.test"),
                viewer: ("Luis Ferreira", "luis@northbeam.test"),
                agent: "Lead qualifier",
                language: "en",
                prompt: "You are Sam from Northbeam Solar. You call {{contact_name}}, who asked about rooftop solar. Find out whether they own the roof, \
                         what they pay for electricity, and when they want to decide. Offer a free site visit and book it. Be brief and polite; \
                         if they do not want to be called, apologise and end the call.",
                campaign: "Solar leads, Bay Area",
                kind: "sdr",
                goal: "A site visit is booked.",
                country: "US",
                numbers: &["(415) 555-", "(510) 555-", "(628) 555-"],
                first: &[
                    "Rosa", "Priya", "Daniel", "Aisha", "Peter", "Sofia", "Erik", "Chloe", "Grace", "Marcus", "Yusuf",
                    "Hannah",
                ],
                last: &[
                    "Imhof",
                    "Raman",
                    "Osei",
                    "Bello",
                    "Arden",
                    "Marchetti",
                    "Solberg",
                    "Martin",
                    "Holloway",
                    "Lindqvist",
                    "Demir",
                    "Vogt",
                ],
                contacts: 140,
                old_spreadsheet: false,
            },
        ],
    },
    Agency {
        name: "Kestrel Calls",
        key: "sandbox-kestrel-calls",
        timezone: "Europe/London",
        accent: "",
        owner: ("Owen Clarke", "owen@kestrel.test"),
        admin: ("Bea Sutton", "bea@kestrel.test"),
        member: ("Noor Khan", "noor@kestrel.test"),
        clients: &[Client {
            name: "Harrow & Pike",
            timezone: "Europe/London",
            budget: "600",
            shares_cost: true,
            admin: ("Grace Pike", "grace@harrowpike.test"),
            viewer: ("Ben Harrow", "ben@harrowpike.test"),
            agent: "Front desk",
            language: "en",
            prompt: "You are the front desk of Harrow & Pike, a property manager. You call {{contact_name}} about the repair that was reported. \
                     Ask whether it is solved, note what is missing, arrange a visit if needed, and ask how satisfied they are from one to five.",
            campaign: "Repairs follow-up",
            kind: "cs",
            goal: "The repair is confirmed as solved.",
            country: "GB",
            numbers: &["020 7946 ", "0161 496 "],
            first: &["Amelia", "Oliver", "Isla", "George", "Ava", "Noah", "Freya", "Arthur", "Maya", "Leo"],
            last: &["Bennett", "Shah", "Evans", "Murray", "Okafor", "Walsh", "Doyle", "Fraser"],
            contacts: 110,
            old_spreadsheet: false,
        }],
    },
];

/// What the owner does on the first day: connect, build, import, dial, and wait for the results.
pub async fn act(owner: &Visit, agency: &Agency, sandbox: &Sandbox) -> Result<(), AppError> {
    connect(owner, agency, sandbox).await?;
    let (clients, _) = owner.post("client_names", &[]).await?;
    // Side by side: a batch waits a minute before it rings again where nobody answered.
    try_join_all(agency.clients.iter().enumerate().map(|(index, client)| serve(owner, client, &clients, index)))
        .await?;
    Ok(())
}

/// From nothing to the results of the first batch, for one client.
async fn serve(owner: &Visit, client: &Client, clients: &serde_json::Value, index: usize) -> Result<(), AppError> {
    let id =
        clients.as_array().into_iter().flatten().find(|row| row["name"] == client.name).map(|row| text(&row["id"]));
    let id = id.ok_or_else(|| AppError::Conflict(Reason::WrongState, format!("{} is not there.", client.name)))?;
    let campaign = build(owner, client, &id, index).await?;
    import(owner, client, &id).await?;
    owner.post("add_campaign_contacts", &[("id", &campaign), ("by", "all")]).await?;
    owner.post("move_campaign", &[("id", &campaign), ("to", "active")]).await?;
    let batch = start_batch(owner, &campaign, &format!("{}, wave 1", client.campaign), "12", FIRST_WAVE, "").await?;
    owner
        .until("The first batch's end", "get_batch", &[("id", &batch)], |answer| answer["status"] == "completed")
        .await?;
    Ok(())
}

/// A second wave that goes on while somebody looks, and a third for next week.
pub(crate) async fn leave_batches(owner: &Visit, agency: &Agency) -> Result<(), AppError> {
    let (campaigns, _) = owner.post("list_campaigns", &[]).await?;
    for client in agency.clients {
        let row = campaigns["rows"].as_array().into_iter().flatten().find(|row| row["name"] == client.campaign);
        let row = row.ok_or_else(|| {
            AppError::Conflict(Reason::WrongState, format!("The campaign {} is not there.", client.campaign))
        })?;
        let campaign = text(&row["id"]);
        start_batch(owner, &campaign, &format!("{}, wave 2", client.campaign), "4", SECOND_WAVE, "").await?;
        let start = Utc::now().date_naive() + TimeDelta::days(7);
        let start = start.format("%Y-%m-%dT09:00").to_string();
        start_batch(owner, &campaign, &format!("{}, wave 3", client.campaign), "4", "", &start).await?;
    }
    Ok(())
}

async fn connect(owner: &Visit, agency: &Agency, sandbox: &Sandbox) -> Result<(), AppError> {
    let carrier_key = sandbox.carrier_public_key(agency.key);
    for provider in ["ultravox", "telnyx", "openrouter"] {
        let fields = [
            ("provider", provider),
            ("mode", "sandbox"),
            ("api_key", agency.key),
            ("price_per_minute", "0.05"),
            ("chat_model", "openai/gpt-5-mini"),
            ("public_key", carrier_key.as_str()),
        ];
        owner.post("save_connection", &fields).await?;
    }
    // The carrier's portal is where its webhook address is entered; the sandbox has no portal.
    let (carrier, _) = owner.post("get_connection", &[("provider", "telnyx")]).await?;
    sandbox.set_carrier_url(agency.key, carrier["webhook_url"].as_str().map(str::to_owned));
    Ok(())
}

/// Agent with its prompt, a number, and the campaign.
async fn build(owner: &Visit, client: &Client, id: &str, index: usize) -> Result<String, AppError> {
    let (catalog, _) = owner.post("get_voice_catalog", &[]).await?;
    let model = catalog["models"].as_array().and_then(|models| models.first()).map(text).unwrap_or_default();
    let voices = catalog["voices"].as_array().cloned().unwrap_or_default();
    let speaks =
        |voice: &&serde_json::Value| voice["language"].as_str().is_some_and(|tag| tag.starts_with(client.language));
    let voice = voices.iter().find(speaks).or(voices.first()).map(|voice| text(&voice["id"])).unwrap_or_default();
    let agent = [
        ("id", ""),
        ("name", client.agent),
        ("description", client.campaign),
        ("client_id", id),
        ("language", client.language),
        ("llm_model", &model),
        ("voice", &voice),
        ("temperature", "0.3"),
        ("first_speaker", "user"),
        ("greeting", ""),
        ("max_minutes", "10"),
        ("recording", "on"),
        ("direction", "outbound"),
        ("tags", client.kind),
        ("prompt_id", ""),
        ("base_prompt", ""),
        ("base_version", ""),
        ("template", client.prompt),
    ];
    let (_, location) = owner.post("save_agent", &agent).await?;
    let agent = id_in(&location);
    owner.post("set_agent_status", &[("id", &agent), ("status", "active")]).await?;
    let number = order_number(owner, client, id, index).await?;
    let campaign = [
        ("client", id),
        ("form[name]", client.campaign),
        ("form[kind]", client.kind),
        ("form[agent]", &agent),
        ("form[number]", &number),
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
    let synced = |answer: &serde_json::Value| answer.to_string().contains("\"provider_agent_id\":\"");
    owner.until("The agent's way to the voice service", "get_agent", &[("id", &agent)], synced).await?;
    Ok(id_in(&location))
}

async fn order_number(owner: &Visit, client: &Client, id: &str, index: usize) -> Result<String, AppError> {
    let (found, _) = owner
        .post("search_numbers", &[("form[country]", client.country), ("form[area_code]", ""), ("form[contains]", "")])
        .await?;
    let offers = found.as_array().cloned().unwrap_or_default();
    let offer = offers.get(index).or(offers.first());
    let offer = offer.ok_or_else(|| {
        AppError::Conflict(Reason::WrongState, format!("The carrier offers no number in {}.", client.country))
    })?;
    let (number, country, cost) = (text(&offer["number"]), client.country, text(&offer["monthly_cost"]));
    let order = [
        ("number", number.as_str()),
        ("country", country),
        ("client_id", id),
        ("features", ""),
        ("monthly_cost", &cost),
    ];
    let (_, location) = owner.post("order_number", &order).await?;
    let number = id_in(&location);
    let is_active = |answer: &serde_json::Value| answer.to_string().contains("\"status\":\"active\"");
    owner.until("The number's activation", "get_number", &[("id", &number)], is_active).await?;
    Ok(number)
}

/// A contact list as it comes out of an office: national numbers, a duplicate, an empty line's worth of garbage.
async fn import(owner: &Visit, client: &Client, id: &str) -> Result<(), AppError> {
    let separator = if client.old_spreadsheet { ';' } else { ',' };
    let heads = if client.old_spreadsheet {
        ["Vorname", "Nachname", "Telefon", "Firma"]
    } else {
        ["First name", "Last name", "Phone", "Company"]
    };
    let mut file = heads.join(&separator.to_string()) + "\r\n";
    for index in 0..client.contacts {
        let (first, last) = (
            client.first[index % client.first.len()],
            client.last[(index * 5 + index / client.first.len()) % client.last.len()],
        );
        let phone = format!("{}{:04}", client.numbers[index % client.numbers.len()], 100 + index * 2);
        file += &format!(
            "{first}{separator}{last}{separator}{phone}{separator}{}\r\n",
            if index % 4 == 0 { "Haus & Co." } else { "" }
        );
    }
    let twin = format!("{}{:04}", client.numbers[0], 100);
    file += &format!(
        "Twin{separator}Entry{separator}{twin}{separator}\r\nNo{separator}Number{separator}n/a{separator}\r\n"
    );
    let bytes =
        if client.old_spreadsheet { encoding_rs::WINDOWS_1252.encode(&file).0.into_owned() } else { file.into_bytes() };
    let name = format!("{}.csv", client.campaign.to_lowercase().replace([' ', ','], "-"));
    let import = owner.upload(id, &name, bytes).await?;
    let mapping = [
        ("id", import.as_str()),
        ("form[columns][0]", "first_name"),
        ("form[columns][1]", "last_name"),
        ("form[columns][2]", "phone"),
        ("form[columns][3]", "company"),
        ("form[named]", "on"),
        ("form[country]", client.country),
        ("form[duplicates]", "skip"),
    ];
    owner.post("check_import", &mapping).await?;
    owner
        .until("The check of the file", "get_import", &[("id", &import)], |answer| answer["status"] == "checked")
        .await?;
    owner.post("run_import", &[("id", &import)]).await?;
    owner.until("The import's end", "get_import", &[("id", &import)], |answer| answer["status"] == "completed").await?;
    Ok(())
}

/// `start`: at once when empty, else a local day and time.
async fn start_batch(
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

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
