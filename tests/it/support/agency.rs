use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_platform::server::ops::create_workspace;
use patchbay_shared::ids::WorkspaceId;

use super::{Browser, World, eventually, owner_value, unique};

/// Makes agencies, as the command line does.
pub const TESTS: Machine = Machine { name: "tests", actions: &[Action::ManagePlatform] };
/// Everybody's password.
pub const PASSWORD: &str = "seven blue herons wait";

/// An agency with its people and two clients. Everything in it was made through the front door, as its owner.
///
/// `secret` is part of the names of things that are for agency people alone, a client's `secret` of everything that belongs to that
/// client: whoever reads one without belonging there has found a leak.
pub struct Agency {
    pub name: String,
    pub workspace_id: String,
    pub secret: String,
    pub owner: Browser,
    pub admin: Browser,
    pub member: Browser,
    pub one: ClientSide,
    pub two: ClientSide,
}

/// A client of the agency, and its people.
pub struct ClientSide {
    pub id: String,
    pub secret: String,
    pub admin: Browser,
    pub viewer: Browser,
}

/// What an agency has that dials: made by `Agency::ready`; the last four by `Agency::worked`, empty before.
pub struct Works {
    /// The account at the stand-ins.
    pub key: String,
    pub prompt: String,
    pub agent: String,
    pub number: String,
    pub campaign: String,
    pub contact: String,
    pub import: String,
    pub batch: String,
    pub call: String,
    pub webhook: String,
}

impl Agency {
    /// The agency, its people, and two clients with theirs.
    pub async fn new(world: &World, name: &str) -> Self {
        let name = unique(name);
        let owner = format!("owner@{name}.example");
        let workspace_id = WorkspaceId::new();
        let scope = Scope::of_operator(world.db.clone(), workspace_id, TESTS);
        create_workspace(&scope, &name, "Olga Owner", &owner, PASSWORD, "Europe/Zurich").await.expect("an agency");
        let owner = Browser::signed_in(world, &owner).await;
        let admin = person(world, &owner, &name, "agency_admin", "").await;
        let member = person(world, &owner, &name, "agency_member", "").await;
        let one = ClientSide::new(world, &owner, &name).await;
        let two = ClientSide::new(world, &owner, &name).await;
        Self {
            secret: unique("Workshop"),
            workspace_id: workspace_id.to_string(),
            name,
            owner,
            admin,
            member,
            one,
            two,
        }
    }

    /// The address that its owner signs in with.
    pub fn owner_email(&self) -> String {
        format!("owner@{}.example", self.name)
    }

    /// The agency with what it needs to dial for client one: accounts at the stand-ins, a prompt, an agent that the voice service
    /// knows, a number, a contact and a campaign.
    pub async fn ready(world: &World, name: &str) -> (Self, Works) {
        let agency = Self::new(world, name).await;
        let key = agency.connect(world).await;
        let owner = &agency.owner;
        let prompt_name = format!("{} prompt", agency.secret);
        let template = format!("You call for {}. Be brief and friendly.", agency.secret);
        let prompt =
            owner.made("save_prompt", &[("name", &prompt_name), ("template", &template), ("production", "true")]).await;
        let agent = agency.agent(&prompt).await;
        let number = agency.number().await;
        let contact = agency.contact("+12025550113").await;
        let campaign = agency.campaign(&agent, &number).await;
        let none = String::new;
        let works = Works {
            key,
            prompt,
            agent,
            number,
            campaign,
            contact,
            import: none(),
            batch: none(),
            call: none(),
            webhook: none(),
        };
        (agency, works)
    }

    /// The agency after a day's work: an uploaded file, a finished batch, a call that was read, the events of its providers.
    pub async fn worked(world: &World, name: &str) -> (Self, Works) {
        let (agency, mut works) = Self::ready(world, name).await;
        let owner = &agency.owner;
        let file = format!("name,phone\n{} Ines Import,+12025550114\n", agency.one.secret);
        let answer = owner
            .upload("/contacts/imports/upload", &[("client", &agency.one.id)], "people.csv", file.into_bytes())
            .await;
        works.import = answer.id().unwrap_or_else(|| panic!("an import: {answer:?}"));
        works.batch = agency.batch(&works.campaign, 2).await;
        agency.finished(&works.batch).await;
        let calls = owner.done("list_calls", &[("query[batch]", &works.batch)]).await.json();
        works.call = calls["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("a call: {calls}")).to_owned();
        eventually("the call was read and billed", || async {
            let call = owner.done("get_call", &[("id", &works.call)]).await.json();
            call["analysis_status"] == "completed"
                && !call["costs"]["billed_seconds"].is_null()
                && !call["recording"].is_null()
        })
        .await;
        let events = owner.done("list_webhooks", &[]).await.json();
        works.webhook =
            events["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("an event: {events}")).to_owned();
        eventually("nothing is under way any more", || async {
            let waiting = format!(
                "select (select count(*) from jobs where workspace_id = '{0}' and status in ('pending', 'processing') and run_at < now() + interval '1 minute')
                      + (select count(*) from webhook_queue where workspace_id = '{0}' and status in ('pending', 'processing'))
                      + (select count(*) from enrichment_queue where workspace_id = '{0}' and status in ('pending', 'processing'))",
                agency.workspace_id
            );
            owner_value::<i64>(world, &waiting).await == 0
        })
        .await;
        (agency, works)
    }

    /// Sets a campaign to active, gives it all contacts of its client, and starts a batch.
    pub async fn batch(&self, campaign: &str, lines: usize) -> String {
        self.owner.done("move_campaign", &[("id", campaign), ("to", "active")]).await;
        self.owner.done("add_campaign_contacts", &[("id", campaign), ("by", "all")]).await;
        let (name, lines) = (format!("{} batch", self.one.secret), lines.to_string());
        let fields = [("campaign", campaign), ("name", &name), ("mode", "immediate"), ("concurrency", &lines)];
        let mut batch = None;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        // The voice service may not have heard of the agent's newest state yet: then the form says so.
        while batch.is_none() {
            let answer = self.owner.rpc("create_batch", &fields).await;
            assert!(answer.status == 200 || std::time::Instant::now() < deadline, "no batch: {answer:?}");
            assert!(matches!(answer.status, 200 | 409 | 422), "{answer:?}");
            batch = answer.id();
            tokio::task::yield_now().await;
        }
        batch.expect("a batch")
    }

    /// Waits until a batch has ended.
    pub async fn finished(&self, batch: &str) {
        eventually("the batch has ended", || async {
            let status = self.owner.done("get_batch", &[("id", batch)]).await.json();
            assert_ne!(status["status"], "failed", "{status}");
            status["status"] == "completed"
        })
        .await;
    }

    /// Connects the three services to stand-ins of this agency's own. Returns its key there.
    pub async fn connect(&self, world: &World) -> String {
        let key = format!("sandbox-{}", unique(""));
        let telnyx_key = world.sandbox.carrier_public_key(&key);
        let services = [
            [("provider", "ultravox"), ("price_per_minute", "0.05"), ("public_key", "")],
            [("provider", "telnyx"), ("public_key", telnyx_key.as_str()), ("price_per_minute", "")],
            [("provider", "openrouter"), ("chat_model", "openai/gpt-5-mini"), ("price_per_minute", "")],
        ];
        for service in services {
            let fields: Vec<(&str, &str)> =
                service.into_iter().chain([("mode", "sandbox"), ("api_key", key.as_str())]).collect();
            self.owner.done("save_connection", &fields).await;
        }
        key
    }

    /// An agent of client one that the voice service knows and that may call.
    pub async fn agent(&self, prompt: &str) -> String {
        let name = format!("{} agent", self.one.secret);
        let fields = agent_fields(&name, &self.one.id, prompt);
        let agent = self.owner.made("save_agent", &fields).await;
        eventually("the voice service knows the agent", || async {
            let active = self.owner.rpc("set_agent_status", &[("id", &agent), ("status", "active")]).await;
            active.status == 200
        })
        .await;
        agent
    }

    /// A number that the agency has rented, active.
    async fn number(&self) -> String {
        let search = [("form[country]", "US"), ("form[area_code]", ""), ("form[contains]", "")];
        let found = self.owner.done("search_numbers", &search).await.json();
        let number = found[0]["number"].as_str().expect("an offer").to_owned();
        let id = self
            .owner
            .made("order_number", &[("number", &number), ("country", "US"), ("features", "voice"), ("client_id", "")])
            .await;
        eventually("the ordered number is active", || async {
            self.owner.done("get_number", &[("id", &id)]).await.json()["row"]["status"] == "active"
        })
        .await;
        // Its name is its number; what else is said about it is for the agency alone.
        id
    }

    /// A contact of client one.
    pub async fn contact(&self, phone: &str) -> String {
        let name = format!("{} Carla Contact", self.one.secret);
        let fields = [
            ("client", self.one.id.as_str()),
            ("form[name]", &name),
            ("form[phone]", phone),
            ("form[timezone]", "UTC"),
        ];
        self.owner.made("create_contact", &fields).await
    }

    /// A campaign of client one that may call at any hour.
    pub async fn campaign(&self, agent: &str, number: &str) -> String {
        self.campaign_called(&format!("{} campaign", self.one.secret), agent, number).await
    }

    /// The same, of another name.
    pub async fn campaign_called(&self, name: &str, agent: &str, number: &str) -> String {
        let fields = [
            ("client", self.one.id.as_str()),
            ("form[name]", name),
            ("form[kind]", "sdr"),
            ("form[agent]", agent),
            ("form[number]", number),
            ("form[goal]", "Book a visit."),
            ("form[start]", "00:00"),
            ("form[end]", "24:00"),
            ("form[max_attempts]", "1"),
            ("form[retry_minutes]", "60"),
            ("form[mon]", "true"),
            ("form[tue]", "true"),
            ("form[wed]", "true"),
            ("form[thu]", "true"),
            ("form[fri]", "true"),
            ("form[sat]", "true"),
            ("form[sun]", "true"),
        ];
        self.owner.made("create_campaign", &fields).await
    }
}

impl ClientSide {
    async fn new(world: &World, owner: &Browser, agency: &str) -> Self {
        let secret = unique("Client");
        let fields =
            [("name", secret.as_str()), ("timezone", "UTC"), ("shares_recordings", "true"), ("monthly_budget", "")];
        let id = owner.made("save_client", &fields).await;
        let admin = person(world, owner, agency, "client_admin", &id).await;
        let viewer = person(world, owner, agency, "client_viewer", &id).await;
        Self { id, secret, admin, viewer }
    }
}

/// A new person of the agency, who has accepted an invitation.
async fn person(world: &World, owner: &Browser, agency: &str, role: &str, client: &str) -> Browser {
    let email = format!("{}@{agency}.example", unique(&role.replace('_', "-")));
    let token = invitation(owner, &email, role, client).await;
    let person = Browser::new(world);
    let fields = [("token", token.as_str()), ("name", "Petra Person"), ("password", PASSWORD)];
    person.done("accept_invitation", &fields).await;
    person
}

/// Invites an address; gives the token of the link that is shown once.
pub async fn invitation(inviter: &Browser, email: &str, role: &str, client: &str) -> String {
    inviter.done("invite_members", &[("emails", email), ("role", role), ("client", client)]).await;
    shown_token(inviter).await
}

/// The token of the link that is shown now, and not again.
pub async fn shown_token(browser: &Browser) -> String {
    let shown = browser.done("take_links", &[]).await.json();
    let link = shown["links"][0]["link"].as_str().unwrap_or_else(|| panic!("a link in {shown}"));
    link.rsplit('/').next().expect("a token").to_owned()
}

/// The form of a new agent.
pub fn agent_fields<'a>(name: &'a str, client: &'a str, prompt: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("id", ""),
        ("name", name),
        ("description", ""),
        ("client_id", client),
        ("language", "en"),
        ("llm_model", "ultravox-v0.7"),
        ("voice", ""),
        ("temperature", "0.3"),
        ("first_speaker", "agent"),
        ("greeting", "Hello."),
        ("max_minutes", "10"),
        ("recording", "true"),
        ("direction", "outbound"),
        ("tags", ""),
        ("prompt_id", prompt),
        ("base_prompt", ""),
        ("base_version", ""),
        ("template", ""),
    ]
}
