//! Every door of the product, what it asks for, and whose things its fields name. `tenancy` goes through it as everybody;
//! `coverage` fails when a door is missing here.

use patchbay::access::Action;
use patchbay::access::Action::*;

/// What a door asks its visitor for.
#[derive(Debug, Clone, Copy)]
pub enum Asks {
    /// Nothing: it is for people who have not signed in.
    Nothing,
    /// That somebody is signed in.
    Person,
    /// That somebody is signed in to a workspace.
    Workspace,
    May(Action),
    /// What calls cost. Client roles see it if the agency shares it, and here it does not.
    Costs,
    /// A platform admin. For others it does not exist.
    Platform,
}

/// Whose things the fields name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Nobody's: everybody gets their own.
    Nobodys,
    /// Client one's.
    Client,
    /// Client one's, when agency people send it; a client's own people act for their own client, whatever they send.
    ClientOrOwn,
    /// The agency's own.
    Workshop,
}

/// One door. `{client}`, `{agent}` … in fields and paths stand for ids of the agency that the test has made.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// A server function's name, or a method and a path.
    pub name: &'static str,
    pub asks: Asks,
    pub names: Names,
    pub changes: bool,
    pub fields: &'static [(&'static str, &'static str)],
}

const fn reads(name: &'static str, asks: Asks, names: Names, fields: &'static [(&'static str, &'static str)]) -> Door {
    Door { name, asks, names, changes: false, fields }
}

const fn changes(
    name: &'static str,
    asks: Asks,
    names: Names,
    fields: &'static [(&'static str, &'static str)],
) -> Door {
    Door { name, asks, names, changes: true, fields }
}

use Asks::*;
use Names::*;

/// Server functions, in the order in which the owner calls them at the end.
pub const FUNCTIONS: &[Door] = &[
    reads("who_am_i", Person, Nobodys, &[]),
    // Reading lists: everybody their own. Filters that name foreign things find nothing.
    reads("get_overview", May(ReadUsage), ClientOrOwn, &[("client", "{client}")]),
    reads("rail_counts", May(ReadCalls), Nobodys, &[]),
    reads("client_names", May(ReadCalls), Nobodys, &[]),
    reads("list_clients", May(ReadWorkshop), Nobodys, &[("archived", "false")]),
    reads("list_members", May(ReadMembers), Nobodys, &[]),
    reads("list_invitations", May(ReadMembers), Nobodys, &[]),
    reads("take_links", Person, Nobodys, &[]),
    reads("list_api_keys", May(ManageKeys), Nobodys, &[]),
    reads("take_api_key", Person, Nobodys, &[]),
    reads("list_sessions", Person, Nobodys, &[]),
    reads("get_second_factor", Person, Nobodys, &[]),
    reads("list_audit_events", May(ReadAudit), Nobodys, &[("query[entity]", "")]),
    reads("list_agents", May(ReadWorkshop), Nobodys, &[("query[client]", "{client}")]),
    reads("get_agent_choices", May(ReadWorkshop), Nobodys, &[]),
    reads("list_prompts", May(ReadWorkshop), Nobodys, &[]),
    reads("list_numbers", May(ReadWorkshop), Nobodys, &[("query[client]", "{client}")]),
    reads("number_clients", May(ManageNumbers), Nobodys, &[]),
    reads("list_connections", May(ReadWorkshop), Nobodys, &[]),
    reads("get_voice_catalog", May(ReadWorkshop), Nobodys, &[]),
    reads("list_contacts", May(ReadContacts), Nobodys, &[("query[client]", "{client}")]),
    reads("list_imports", May(ReadContacts), Nobodys, &[("client", "{client}")]),
    reads("get_import_choices", May(ManageContacts), Nobodys, &[]),
    reads("list_campaigns", May(ReadCampaigns), Nobodys, &[("query[client]", "{client}")]),
    reads("get_campaign_choices", May(ManageCampaigns), Nobodys, &[]),
    reads("list_batches", May(ReadCampaigns), Nobodys, &[("query[campaign]", "{campaign}")]),
    reads("batch_campaigns", May(RunBatches), Nobodys, &[]),
    reads("list_calls", May(ReadCalls), Nobodys, &[("query[batch]", "{batch}")]),
    reads(
        "list_call_choices",
        May(ReadCalls),
        Nobodys,
        &[("query[batch]", "{batch}"), ("query[contact]", "{contact}")],
    ),
    reads("get_usage", Costs, Nobodys, &[("client", "{client}")]),
    reads("list_webhooks", May(ReadQueues), Nobodys, &[]),
    // Reading one thing.
    reads("get_client", May(ReadWorkshop), Client, &[("id", "{client}")]),
    reads("get_member", May(ReadMembers), Client, &[("id", "{viewer}")]),
    reads("get_agent", May(ReadWorkshop), Client, &[("id", "{agent}")]),
    reads("get_prompt", May(ReadWorkshop), Workshop, &[("id", "{prompt}")]),
    reads("get_number", May(ReadWorkshop), Workshop, &[("id", "{number}")]),
    reads("get_connection", May(ReadWorkshop), Nobodys, &[("provider", "ultravox")]),
    reads("get_contact", May(ReadContacts), Client, &[("id", "{contact}")]),
    reads("get_import", May(ReadContacts), Client, &[("id", "{import}")]),
    reads("get_campaign", May(ReadCampaigns), Client, &[("id", "{campaign}")]),
    reads("list_campaign_contacts", May(ReadCampaigns), Client, &[("query[campaign]", "{campaign}")]),
    reads("batch_readiness", May(RunBatches), Client, &[("campaign", "{campaign}")]),
    reads("get_batch", May(ReadCampaigns), Client, &[("id", "{batch}")]),
    reads("get_call", May(ReadCalls), Client, &[("id", "{call}")]),
    reads("get_webhook", May(ReadQueues), Workshop, &[("id", "{webhook}")]),
    reads(
        "search_numbers",
        May(ManageNumbers),
        Nobodys,
        &[("form[country]", "US"), ("form[area_code]", ""), ("form[contains]", "")],
    ),
    // Changing.
    changes(
        "save_client",
        May(ManageClients),
        Client,
        &[("id", "{client}"), ("name", "Taken over"), ("timezone", "UTC"), ("monthly_budget", "")],
    ),
    changes(
        "invite_members",
        May(ManageViewers),
        ClientOrOwn,
        &[("emails", "vera@intruder.example"), ("role", "client_viewer"), ("client", "{client}")],
    ),
    changes("resend_invitation", May(ManageViewers), Client, &[("id", "{invitation}")]),
    changes("withdraw_invitation", May(ManageViewers), Client, &[("id", "{invitation}")]),
    changes("make_password_link", May(ManageViewers), Client, &[("id", "{viewer}")]),
    changes("clear_member_second_factor", May(ManageViewers), Client, &[("id", "{viewer}")]),
    changes(
        "change_member_role",
        May(ManageViewers),
        Client,
        &[("id", "{viewer}"), ("role", "client_viewer"), ("client", "{client}")],
    ),
    changes(
        "create_api_key",
        May(ManageKeys),
        Nobodys,
        &[("name", "Key"), ("scopes[]", "calls:read"), ("rate_limit", "10"), ("days", "")],
    ),
    changes("rotate_api_key", May(ManageKeys), Workshop, &[("id", "{key}")]),
    changes("revoke_api_key", May(ManageKeys), Workshop, &[("id", "{key}")]),
    changes("set_member_status", May(ManageViewers), Client, &[("id", "{viewer}"), ("status", "suspended")]),
    changes("sign_member_out", May(ManageViewers), Client, &[("id", "{viewer}")]),
    changes(
        "save_prompt",
        May(ManagePrompts),
        Workshop,
        &[("id", "{prompt}"), ("base_version", "1"), ("name", "Taken over"), ("template", "Say nothing.")],
    ),
    changes("use_prompt_version", May(ManagePrompts), Workshop, &[("id", "{prompt}"), ("version", "1")]),
    changes("restore_prompt_version", May(ManagePrompts), Workshop, &[("id", "{prompt}"), ("version", "1")]),
    changes("set_prompt_active", May(ManagePrompts), Workshop, &[("id", "{prompt}")]),
    changes(
        "save_agent",
        May(ManageAgents),
        Client,
        &[
            ("id", "{agent}"),
            ("name", "Taken over"),
            ("description", ""),
            ("client_id", "{client}"),
            ("language", "en"),
            ("llm_model", "ultravox-v0.7"),
            ("voice", ""),
            ("temperature", "0.3"),
            ("first_speaker", "agent"),
            ("greeting", ""),
            ("max_minutes", "5"),
            ("direction", "outbound"),
            ("tags", ""),
            ("prompt_id", "{prompt}"),
            ("base_prompt", ""),
            ("base_version", ""),
            ("template", ""),
        ],
    ),
    changes("sync_agent", May(ManageAgents), Client, &[("id", "{agent}")]),
    changes("set_agent_status", May(ManageAgents), Client, &[("id", "{agent}"), ("status", "paused")]),
    changes(
        "save_connection",
        May(ManageConnections),
        Nobodys,
        &[("provider", "openrouter"), ("mode", "sandbox"), ("chat_model", "openai/gpt-5-mini")],
    ),
    changes("check_connection", May(ManageConnections), Nobodys, &[("provider", "ultravox")]),
    changes("switch_connection", May(ManageConnections), Nobodys, &[("provider", "ultravox"), ("on", "true")]),
    changes(
        "order_number",
        May(ManageNumbers),
        Client,
        &[("number", "+12025550198"), ("country", "US"), ("client_id", "{client}")],
    ),
    changes(
        "add_owned_number",
        May(ManageNumbers),
        Client,
        &[("number", "+12025550197"), ("direction", "outbound"), ("client_id", "{client}")],
    ),
    changes(
        "assign_number",
        May(ManageNumbers),
        Workshop,
        &[("id", "{number}"), ("client_id", "{client}"), ("agent_id", "{agent}"), ("direction", "outbound")],
    ),
    changes("set_number_status", May(ManageNumbers), Workshop, &[("id", "{number}"), ("status", "active")]),
    changes(
        "create_contact",
        May(ManageContacts),
        ClientOrOwn,
        &[("client", "{client}"), ("form[name]", "Ida"), ("form[phone]", "+12025550155")],
    ),
    changes(
        "change_contact",
        May(ManageContacts),
        Client,
        &[("id", "{contact}"), ("form[name]", "Taken over"), ("form[phone]", "+12025550156")],
    ),
    changes("suppress_contact", May(ManageContacts), Client, &[("id", "{contact}"), ("reason", "Asked for it")]),
    changes("allow_contact", May(ManageContacts), Client, &[("id", "{contact}")]),
    changes("cancel_import", May(ManageContacts), Client, &[("id", "{import}")]),
    changes(
        "check_import",
        May(ManageContacts),
        Client,
        &[
            ("id", "{import}"),
            ("form[named]", "true"),
            ("form[columns][0]", "name"),
            ("form[columns][1]", "phone"),
            ("form[duplicates]", "skip"),
        ],
    ),
    changes("run_import", May(ManageContacts), Client, &[("id", "{import}")]),
    changes(
        "create_campaign",
        May(ManageCampaigns),
        Client,
        &[
            ("client", "{client}"),
            ("form[name]", "Taken over"),
            ("form[kind]", "sdr"),
            ("form[agent]", "{agent}"),
            ("form[number]", "{number}"),
            ("form[start]", "00:00"),
            ("form[end]", "24:00"),
            ("form[mon]", "true"),
            ("form[max_attempts]", "1"),
            ("form[retry_minutes]", "60"),
        ],
    ),
    changes(
        "change_campaign",
        May(ManageCampaigns),
        Client,
        &[
            ("id", "{campaign}"),
            ("form[name]", "Taken over"),
            ("form[kind]", "sdr"),
            ("form[agent]", "{agent}"),
            ("form[number]", "{number}"),
            ("form[start]", "00:00"),
            ("form[end]", "24:00"),
            ("form[mon]", "true"),
            ("form[max_attempts]", "1"),
            ("form[retry_minutes]", "60"),
        ],
    ),
    changes("add_campaign_contacts", May(ManageCampaigns), Client, &[("id", "{campaign}"), ("by", "all")]),
    changes(
        "create_batch",
        May(RunBatches),
        Client,
        &[("campaign", "{campaign}"), ("name", "Taken over"), ("mode", "immediate"), ("concurrency", "1")],
    ),
    changes("pause_batch", May(RunBatches), Client, &[("id", "{batch}")]),
    changes("resume_batch", May(RunBatches), Client, &[("id", "{batch}")]),
    changes("stop_batch", May(RunBatches), Client, &[("id", "{batch}")]),
    changes("remove_campaign_contacts", May(ManageCampaigns), Client, &[("id", "{campaign}")]),
    changes("move_campaign", May(ManageCampaigns), Client, &[("id", "{campaign}"), ("to", "archived")]),
    changes("review_call", May(ReviewCalls), Client, &[("id", "{call}"), ("on", "true")]),
    changes("retry_enrichment", May(ReplayQueues), Client, &[("id", "{call}"), ("kind", "analysis")]),
    changes("replay_webhook", May(ReplayQueues), Workshop, &[("id", "{webhook}")]),
    changes("replay_failed_webhooks", May(ReplayQueues), Nobodys, &[]),
    changes("set_client_status", May(ManageClients), Client, &[("id", "{client}"), ("status", "archived")]),
    changes("release_number", May(ManageNumbers), Workshop, &[("id", "{number}")]),
    changes("delete_agent", May(DeleteAgents), Client, &[("id", "{agent}")]),
    changes("restore_agent", May(DeleteAgents), Client, &[("id", "{agent}")]),
    changes("save_profile", May(EditOwnProfile), Nobodys, &[("name", "Somebody"), ("timezone", "UTC")]),
    // The platform.
    reads("list_workspaces", Platform, Nobodys, &[("query[words]", "")]),
    reads("platform_queues", Platform, Nobodys, &[]),
    changes(
        "create_workspace",
        Platform,
        Nobodys,
        &[("workspace", "Intruders"), ("email", "ina@intruder.example"), ("plan", "pro"), ("timezone", "UTC")],
    ),
    changes(
        "set_workspace_status",
        Platform,
        Workshop,
        &[("id", "{workspace}"), ("status", "suspended"), ("reason", "Test")],
    ),
    changes("open_support_session", Platform, Workshop, &[("id", "{workspace}"), ("reason", "Test")]),
    // Only inside such a session; support.rs.
    changes("end_support_session", Nothing, Nobodys, &[]),
    // Signing in and out has tests of its own.
    changes("sign_in", Nothing, Nobodys, &[]),
    changes("sign_out", Nothing, Nobodys, &[]),
    // For whoever holds the link, the password or the phone: invitations.rs, passwords.rs, second_factor.rs.
    reads("sends_mail", Nothing, Nobodys, &[]),
    reads("open_invitation", Nothing, Nobodys, &[]),
    changes("accept_invitation", Nothing, Nobodys, &[]),
    changes("ask_for_password", Nothing, Nobodys, &[]),
    reads("open_password_link", Nothing, Nobodys, &[]),
    changes("choose_password", Nothing, Nobodys, &[]),
    changes("verify_second_factor", Nothing, Nobodys, &[]),
    // Everybody their own account.
    changes("change_password", Person, Nobodys, &[("current", "x"), ("password", "x")]),
    changes("end_session", Person, Nobodys, &[("id", "00")]),
    changes("begin_second_factor", Person, Nobodys, &[("current", "x")]),
    changes("confirm_second_factor", Person, Nobodys, &[("code", "000000")]),
    changes("turn_off_second_factor", Person, Nobodys, &[("current", "x")]),
    changes("make_recovery_codes", Person, Nobodys, &[("current", "x")]),
];

/// Routes that are neither pages nor server functions.
pub const ROUTES: &[Door] = &[
    reads("GET /events", Workspace, Nobodys, &[]),
    reads("GET /clients.csv", May(ReadWorkshop), Nobodys, &[]),
    reads("GET /settings/users.csv", May(ReadMembers), Nobodys, &[]),
    reads("GET /settings/invitations.csv", May(ReadMembers), Nobodys, &[]),
    reads("GET /settings/audit.csv", May(ReadAudit), Nobodys, &[]),
    reads("GET /agents/export.csv", May(ReadWorkshop), Nobodys, &[("client", "{client}")]),
    reads("GET /prompts/export.csv", May(ReadWorkshop), Nobodys, &[]),
    reads("GET /numbers/export.csv", May(ReadWorkshop), Nobodys, &[]),
    reads("GET /contacts/export.csv", May(ReadContacts), Nobodys, &[("client", "{client}")]),
    reads("GET /contacts/imports.csv", May(ReadContacts), Nobodys, &[("client", "{client}")]),
    reads("GET /contacts/imports/template.csv", Workspace, Nobodys, &[]),
    reads("GET /contacts/imports/{id}/rejected.csv", May(ReadContacts), Client, &[("id", "{import}")]),
    reads("GET /campaigns.csv", May(ReadCampaigns), Nobodys, &[("client", "{client}")]),
    reads("GET /campaigns/{id}/contacts.csv", May(ReadCampaigns), Client, &[("id", "{campaign}")]),
    reads("GET /batches.csv", May(ReadCampaigns), Nobodys, &[("campaign", "{campaign}")]),
    reads("GET /batches/{id}/results.csv", May(ReadCampaigns), Client, &[("id", "{batch}")]),
    reads("GET /calls.csv", May(ReadCalls), Nobodys, &[("batch", "{batch}")]),
    reads("GET /calls/{id}/recording.wav", May(ReadCalls), Client, &[("id", "{call}")]),
    reads("GET /calls/{id}/transcript.txt", May(ReadCalls), Client, &[("id", "{call}")]),
    reads("GET /webhooks/inbound.csv", May(ReadQueues), Nobodys, &[]),
    reads("GET /usage.csv", Costs, Nobodys, &[("client", "{client}")]),
];

/// Routes with nothing of a tenant behind them, or with tests of their own.
pub const OTHER_ROUTES: &[(&str, &str)] = &[
    ("/healthz", "says that the process runs"),
    ("/readyz", "says that the database answers"),
    ("/metrics", "figures of the process, for this machine or with a token"),
    ("/", "leads to the dashboard"),
    ("/rpc/{*function}", "the server functions above"),
    ("/preferences", "cookies of the browser itself; sign_in.rs"),
    ("/preferences/theme", "the same"),
    ("/preferences/density", "the same"),
    ("/dev/silence.wav", "silence for the gallery's player, in debug builds"),
    ("/contacts/imports/upload", "contacts.rs"),
    ("/v1/me", "programs with a key; api_keys.rs, like all of /v1"),
    ("/v1/calls", "the same"),
    ("/v1/calls/{id}", "the same"),
    ("/v1/contacts", "the same"),
    ("/v1/contacts/{id}", "the same"),
    ("/v1/batches", "the same"),
    ("/v1/batches/{id}", "the same"),
    ("/v1/batches/{id}/pause", "the same"),
    ("/v1/batches/{id}/resume", "the same"),
    ("/v1/batches/{id}/stop", "the same"),
    ("/v1/{*nothing}", "the same"),
    ("/webhooks/{provider}/{workspace}/{connection}", "webhooks.rs"),
];

/// Pages. `{id}` is what the fields give.
pub const PAGES: &[Door] = &[
    reads("/login", Nothing, Nobodys, &[]),
    reads("/mfa", Nothing, Nobodys, &[]),
    reads("/forgot", Nothing, Nobodys, &[]),
    reads("/reset/{token}", Nothing, Nobodys, &[]),
    reads("/invite/{token}", Nothing, Nobodys, &[]),
    // The component gallery: in debug builds, and nothing of anybody's is in it.
    reads("/dev/ui", Nothing, Nobodys, &[]),
    reads("/dashboard", May(ReadUsage), Nobodys, &[]),
    reads("/calls", May(ReadCalls), Nobodys, &[]),
    reads("/calls/{id}", May(ReadCalls), Client, &[("id", "{call}")]),
    reads("/batches", May(ReadCampaigns), Nobodys, &[]),
    reads("/batches/new", May(RunBatches), Nobodys, &[]),
    reads("/batches/{id}", May(ReadCampaigns), Client, &[("id", "{batch}")]),
    reads("/campaigns", May(ReadCampaigns), Nobodys, &[]),
    reads("/campaigns/new", May(ManageCampaigns), Nobodys, &[]),
    reads("/campaigns/{id}", May(ReadCampaigns), Client, &[("id", "{campaign}")]),
    reads("/contacts", May(ReadContacts), Nobodys, &[]),
    reads("/contacts/new", May(ManageContacts), Nobodys, &[]),
    reads("/contacts/suppressed", May(ReadContacts), Nobodys, &[]),
    reads("/contacts/imports", May(ReadContacts), Nobodys, &[]),
    reads("/contacts/imports/new", May(ManageContacts), Nobodys, &[]),
    reads("/contacts/imports/{id}/mapping", May(ManageContacts), Client, &[("id", "{import}")]),
    reads("/contacts/imports/{id}", May(ReadContacts), Client, &[("id", "{import}")]),
    reads("/contacts/{id}", May(ReadContacts), Client, &[("id", "{contact}")]),
    reads("/agents", May(ReadWorkshop), Nobodys, &[]),
    reads("/agents/new", May(ManageAgents), Nobodys, &[]),
    reads("/agents/{id}", May(ReadWorkshop), Client, &[("id", "{agent}")]),
    reads("/agents/{id}/edit", May(ManageAgents), Client, &[("id", "{agent}")]),
    reads("/prompts", May(ReadWorkshop), Nobodys, &[]),
    reads("/prompts/new", May(ManagePrompts), Nobodys, &[]),
    reads("/prompts/{id}", May(ReadWorkshop), Workshop, &[("id", "{prompt}")]),
    reads("/numbers", May(ReadWorkshop), Nobodys, &[]),
    reads("/numbers/new", May(ManageNumbers), Nobodys, &[]),
    reads("/numbers/{id}", May(ReadWorkshop), Workshop, &[("id", "{number}")]),
    reads("/connections", May(ReadWorkshop), Nobodys, &[]),
    reads("/connections/{provider}", May(ReadWorkshop), Nobodys, &[("provider", "ultravox")]),
    reads("/clients", May(ReadWorkshop), Nobodys, &[]),
    reads("/clients/new", May(ManageClients), Nobodys, &[]),
    reads("/clients/{id}", May(ReadWorkshop), Client, &[("id", "{client}")]),
    reads("/usage", Costs, Nobodys, &[]),
    reads("/settings/profile", Person, Nobodys, &[]),
    reads("/settings/users", May(ReadMembers), Nobodys, &[]),
    reads("/settings/users/new", May(ManageViewers), Nobodys, &[]),
    reads("/settings/users/links", May(ReadMembers), Nobodys, &[]),
    reads("/settings/users/invitations", May(ReadMembers), Nobodys, &[]),
    reads("/settings/users/{id}", May(ReadMembers), Client, &[("id", "{viewer}")]),
    reads("/settings/api-keys", May(ManageKeys), Nobodys, &[]),
    reads("/settings/api-keys/new", May(ManageKeys), Nobodys, &[]),
    reads("/settings/api-keys/made", May(ManageKeys), Nobodys, &[]),
    reads("/settings/security", Person, Nobodys, &[]),
    reads("/settings/audit", May(ReadAudit), Nobodys, &[]),
    reads("/webhooks/inbound", May(ReadQueues), Nobodys, &[]),
    reads("/webhooks/inbound/{id}", May(ReadQueues), Workshop, &[("id", "{webhook}")]),
    reads("/platform", Platform, Nobodys, &[]),
    reads("/platform/new", Platform, Nobodys, &[]),
    reads("/platform/links", Platform, Nobodys, &[]),
];
