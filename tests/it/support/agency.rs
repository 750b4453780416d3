use std::time::Duration;

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_platform::server::ops::create_workspace;
use patchbay_shared::ids::WorkspaceId;

use super::client::Arrival;
use super::{Background, Browser, World, unique};

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
    /// Like all people but the owner, made when a test first has them do something.
    pub admin: Browser,
    pub member: Browser,
    pub background: Background,
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
#[derive(Default)]
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
        let admin = person(world, &owner, &name, "agency_admin", "");
        let member = person(world, &owner, &name, "agency_member", "");
        let one = ClientSide::new(world, &owner, &name).await;
        let two = ClientSide::new(world, &owner, &name).await;
        Self {
            secret: unique("Workshop"),
            workspace_id: workspace_id.to_string(),
            background: Background::new(world, workspace_id),
            name,
            owner,
            admin,
            member,
            one,
            two,
        }
    }

    /// Has all people join now. For tests in which nobody may join later: because of what the owner does, or because people are counted.
    pub async fn gather(&self) {
        for person in [&self.admin, &self.member, &self.one.admin, &self.one.viewer, &self.two.admin, &self.two.viewer]
        {
            person.join().await;
        }
    }

    /// Lets everything happen that is due and what follows from it, as if up to a minute passed.
    pub async fn drain(&self) {
        self.background.drain().await;
    }

    /// From now on what the stand-ins do for this account, too, is the agency's.
    pub fn has_account(&self, key: &str) {
        self.background.add_account(key);
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
        let prompt = [("name", prompt_name.as_str()), ("template", &template), ("production", "true")];
        let prompt = owner.made_on("/prompts/new", "save_prompt", &prompt).await;
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
        let call = owner.done("get_call", &[("id", &works.call)]).await.json();
        assert!(
            call["analysis_status"] == "completed"
                && !call["costs"]["billed_seconds"].is_null()
                && !call["recording"].is_null(),
            "the call was read and billed: {call}"
        );
        let events = owner.done("list_queue", &[("query[queue]", "webhooks"), ("query[status]", "all")]).await.json();
        works.webhook =
            events["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("an event: {events}")).to_owned();
        (agency, works)
    }

    /// Sets a campaign to active, gives it all contacts of its client, and starts a batch.
    pub async fn batch(&self, campaign: &str, lines: usize) -> String {
        let page = format!("/campaigns/{campaign}");
        let shown = self.owner.done("get_campaign", &[("id", campaign)]).await.json();
        if shown["campaign"]["status"] != "active" {
            self.owner.filled(&page, "move_campaign", &[("to", "active")]).await;
        }
        self.owner.filled(&format!("{page}?tab=contacts"), "add_campaign_contacts", &[("by", "all")]).await;
        // The voice service must have heard of the agent's newest state.
        self.drain().await;
        let (name, lines) = (format!("{} batch", self.one.secret), lines.to_string());
        let fields = [("name", name.as_str()), ("mode", "immediate"), ("concurrency", &lines)];
        self.owner.made_on(&format!("/batches/new?campaign={campaign}"), "create_batch", &fields).await
    }

    /// Has a batch dialled to its end.
    pub async fn finished(&self, batch: &str) {
        // However long it takes: an hour would do for hundreds of calls.
        self.background.drain_until(Duration::from_secs(3600), || self.is_over(batch)).await;
        let status = self.owner.done("get_batch", &[("id", batch)]).await.json();
        assert_eq!(status["status"], "completed", "{status}");
        // What follows from the last calls.
        self.drain().await;
    }

    async fn is_over(&self, batch: &str) -> bool {
        let status = self.owner.done("get_batch", &[("id", batch)]).await.json()["status"].clone();
        status == "completed" || status == "failed"
    }

    /// Connects the three services to stand-ins of this agency's own. Returns its key there.
    pub async fn connect(&self, world: &World) -> String {
        let key = format!("sandbox-{}", unique(""));
        let telnyx_key = world.sandbox.carrier_public_key(&key);
        let services = [
            ("ultravox", "save_connection", ("price_per_minute", "0.05")),
            ("telnyx", "save_connection", ("public_key", telnyx_key.as_str())),
        ];
        for (service, action, own) in services {
            let fields = [("mode", "sandbox"), ("api_key", key.as_str()), own];
            self.owner.filled(&format!("/connections/{service}"), action, &fields).await;
        }
        // The first account of models, or another key for it.
        let fields = [("mode", "sandbox"), ("api_key", key.as_str())];
        match self.owner.get("/connections/openrouter").await.status {
            200 => self.owner.filled("/connections/openrouter", "save_model_account", &fields).await,
            _ => {
                let fields = [fields.as_slice(), &[("kind", "openrouter")]].concat();
                self.owner.filled("/connections/accounts/new", "save_model_account", &fields).await
            }
        };
        self.background.add_account(&key);
        key
    }

    /// An agent of client one that the voice service knows and that may call.
    pub async fn agent(&self, prompt: &str) -> String {
        let name = format!("{} agent", self.one.secret);
        let fields = [
            ("name", name.as_str()),
            ("client_id", &self.one.id),
            ("prompt_id", prompt),
            ("greeting", "Hello."),
            ("first_speaker", "agent"),
            ("max_minutes", "10"),
            ("recording", "true"),
        ];
        let agent = self.owner.made_on("/agents/new", "save_agent", &fields).await;
        // The voice service has to know it first.
        self.drain().await;
        self.owner.filled(&format!("/agents/{agent}"), "set_agent_status", &[("status", "active")]).await;
        agent
    }

    /// A number that the agency has rented, active.
    pub async fn number(&self) -> String {
        // The first one on offer.
        let id = self.owner.made_on("/numbers/new?country=US", "order_number", &[("client_id", "")]).await;
        self.drain().await;
        let number = self.owner.done("get_number", &[("id", &id)]).await.json();
        assert_eq!(number["row"]["status"], "active", "the ordered number is active: {number}");
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
        self.owner.made_on("/contacts/new", "create_contact", &fields).await
    }

    /// A campaign of client one that may call at any hour.
    pub async fn campaign(&self, agent: &str, number: &str) -> String {
        self.campaign_called(&format!("{} campaign", self.one.secret), agent, number).await
    }

    /// The same, of another name.
    pub async fn campaign_called(&self, name: &str, agent: &str, number: &str) -> String {
        self.campaign_with(name, agent, number, "1").await
    }

    /// The same, that calls each contact so often at most.
    pub async fn campaign_with(&self, name: &str, agent: &str, number: &str, attempts: &str) -> String {
        let fields = [
            ("form[name]", name),
            ("form[kind]", "sdr"),
            ("form[agent]", agent),
            ("form[number]", number),
            ("form[goal]", "Book a visit."),
            ("form[start]", "00:00"),
            ("form[end]", "24:00"),
            ("form[max_attempts]", attempts),
            ("form[retry_minutes]", "60"),
            ("form[mon]", "on"),
            ("form[tue]", "on"),
            ("form[wed]", "on"),
            ("form[thu]", "on"),
            ("form[fri]", "on"),
            ("form[sat]", "on"),
            ("form[sun]", "on"),
        ];
        self.owner.made_on(&format!("/campaigns/new?client={}", self.one.id), "create_campaign", &fields).await
    }
}

impl ClientSide {
    async fn new(world: &World, owner: &Browser, agency: &str) -> Self {
        let secret = unique("Client");
        let fields = [
            ("name", secret.as_str()),
            ("timezone", "UTC"),
            ("shares_recordings", "true"),
            ("admins_run_batches", "true"),
            ("monthly_budget", ""),
        ];
        let id = owner.made_on("/clients/new", "save_client", &fields).await;
        let admin = person(world, owner, agency, "client_admin", &id);
        let viewer = person(world, owner, agency, "client_viewer", &id);
        Self { id, secret, admin, viewer }
    }
}

/// A person of the agency, who will accept an invitation before doing anything.
fn person(world: &World, owner: &Browser, agency: &str, role: &'static str, client: &str) -> Browser {
    let email = format!("{}@{agency}.example", unique(&role.replace('_', "-")));
    Browser::of_somebody_new(world, Arrival { inviter: owner.clone(), email, role, client: client.to_owned() })
}

/// Invites an address; gives the token of the link that is shown once.
pub async fn invitation(inviter: &Browser, email: &str, role: &str, client: &str) -> String {
    let mut fields = vec![("emails", email), ("role", role)];
    if !client.is_empty() {
        fields.push(("client", client));
    }
    inviter.filled("/settings/users/new", "invite_members", &fields).await;
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
        ("template", ""),
    ]
}
