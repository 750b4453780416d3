use super::Role;

macro_rules! policy {
    ($($(#[$doc:meta])* $action:ident, $label:literal: $($role:ident)|+;)+) => {
        /// Everything that a role is asked for. Each has one row in the policy table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $action),+ }

        impl Action {
            pub const ALL: &'static [Action] = &[$(Action::$action),+];

            /// The roles that may do it.
            pub fn roles(self) -> &'static [Role] {
                match self { $(Action::$action => &[$(Role::$role),+]),+ }
            }

            /// What it is called where people read what a role gains and loses. Actions on one thing share a word.
            pub fn label(self) -> &'static str {
                match self { $(Action::$action => $label),+ }
            }
        }
    };
}

policy! {
    // Reading
    /// Calls, transcripts and results.
    ReadCalls, "seeing calls": AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer;
    /// Campaigns, batches and their results.
    ReadCampaigns, "seeing campaigns": AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer;
    ReadContacts, "seeing contacts": AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer;
    /// Figures of the dashboard and usage.
    ReadUsage, "seeing usage": AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer;
    /// Agents by name and state: a client's admin those of the own client. All else about them is the workshop's.
    ReadAgents, "seeing agents by name": AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin;
    /// The agency's own workshop: agents, prompts, numbers, clients, raw events.
    ReadWorkshop, "seeing agents and numbers": AgencyOwner | AgencyAdmin | AgencyMember;
    /// Asking an outside service with the agency's account, on the way of an action that needs it, and noting how the service fared.
    UseConnections, "seeing agents and numbers": AgencyOwner | AgencyAdmin | AgencyMember;
    ReadQueues, "seeing webhooks": AgencyOwner | AgencyAdmin | AgencyMember;
    /// Plan, limits and rules.
    ReadAgency, "the agency's settings": AgencyOwner | AgencyAdmin | AgencyMember;
    ReadMembers, "people": AgencyOwner | AgencyAdmin | ClientAdmin;
    ReadAudit, "the audit log": AgencyOwner | AgencyAdmin | ClientAdmin;
    // Changing
    /// Name, zone and rules of the agency itself.
    ManageWorkspace, "the agency's settings": AgencyOwner;
    ManageClients, "clients": AgencyOwner | AgencyAdmin;
    ManageMembers, "people": AgencyOwner | AgencyAdmin;
    /// People of one client, by that client's admin.
    ManageViewers, "people": AgencyOwner | AgencyAdmin | ClientAdmin;
    ManageAgents, "agents": AgencyOwner | AgencyAdmin;
    /// Using a tool of an agent, on a call or as a try, and writing down what came of it.
    UseTools, "agents": AgencyOwner | AgencyAdmin;
    DeleteAgents, "deleting agents": AgencyOwner;
    ManagePrompts, "prompts": AgencyOwner | AgencyAdmin;
    /// Collections of knowledge, their files and pages.
    ManageKnowledge, "knowledge": AgencyOwner | AgencyAdmin;
    /// Skills, their files, and archives of them. Which agents have them is ManageAgents.
    ManageSkills, "skills": AgencyOwner | AgencyAdmin;
    /// Teams, their members, rules and cases.
    ManageTeams, "teams": AgencyOwner | AgencyAdmin;
    /// Asking a team, and stopping what it does.
    RunTeams, "asking teams": AgencyOwner | AgencyAdmin;
    /// Engines, targets and jobs.
    ManageExecution, "execution": AgencyOwner | AgencyAdmin;
    /// What waits for a person, and what was decided. A client's admin reads what a rule gives to the client.
    ReadApprovals, "approvals": AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin;
    /// Deciding what waits for a person. A client's admin decides what a rule gives to the client.
    DecideApprovals, "approvals": AgencyOwner | AgencyAdmin | ClientAdmin;
    ManageNumbers, "numbers": AgencyOwner | AgencyAdmin;
    /// Credentials at outside services.
    ManageConnections, "outside accounts": AgencyOwner;
    /// Systems that clients use, and what was exchanged with them. A client's admin those of the own client.
    ReadIntegrations, "integrations": AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin;
    /// Mappings, syncs and what failed in them. Credentials and sign-ins are ManageConnections.
    ManageIntegrations, "integrations": AgencyOwner | AgencyAdmin;
    /// Endpoints of outgoing webhooks, and their deliveries.
    ManageWebhooks, "outgoing webhooks": AgencyOwner | AgencyAdmin;
    /// Sending text messages, and the rules that send them.
    ManageTexts, "text messages": AgencyOwner | AgencyAdmin;
    /// Client admins as far as the agency lets them: see `ClientAdminRights`. So are the next two, and `ManageViewers`.
    ManageContacts, "contacts": AgencyOwner | AgencyAdmin | ClientAdmin;
    ManageCampaigns, "campaigns": AgencyOwner | AgencyAdmin | ClientAdmin;
    RunBatches, "batches": AgencyOwner | AgencyAdmin | ClientAdmin;
    ReviewCalls, "reviews": AgencyOwner | AgencyAdmin;
    /// Replaying webhooks, transcripts, analyses and jobs that failed.
    ReplayQueues, "failed work": AgencyOwner | AgencyAdmin;
    ManageKeys, "API keys": AgencyOwner | AgencyAdmin;
    /// Name, logo, colour and host name, the agency's and its clients'.
    ManageBrand, "the brand": AgencyOwner | AgencyAdmin;
    // Everybody
    EditOwnProfile, "own profile": AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer | Admin;
    // The platform
    ManagePlatform, "the platform": Admin;
}

patchbay_shared::words! {
    /// What a key for programs may do, beneath its owner's role. The words are fixed: keys carry them.
    pub ApiScope: "text" {
        CallsRead = "calls:read", "Read calls, transcripts and results", Mute;
        CampaignsRead = "campaigns:read", "Read campaigns and batches", Mute;
        BatchesRun = "batches:run", "Start, pause, resume and stop batches", Mute;
        ContactsRead = "contacts:read", "Read contacts", Mute;
        ContactsWrite = "contacts:write", "Add and change contacts", Mute;
        UsageRead = "usage:read", "Read usage", Mute;
        AuditRead = "audit:read", "Read the audit log", Mute;
        TeamsRun = "teams:run", "Ask teams and read their answers", Mute;
    }
}

impl ApiScope {
    /// The action that the scope opens.
    pub fn action(self) -> Action {
        match self {
            ApiScope::CallsRead => Action::ReadCalls,
            ApiScope::CampaignsRead => Action::ReadCampaigns,
            ApiScope::BatchesRun => Action::RunBatches,
            ApiScope::ContactsRead => Action::ReadContacts,
            ApiScope::ContactsWrite => Action::ManageContacts,
            ApiScope::UsageRead => Action::ReadUsage,
            ApiScope::AuditRead => Action::ReadAudit,
            ApiScope::TeamsRun => Action::RunTeams,
        }
    }
}

/// Whether `role` may do `action`.
pub fn allows(role: Role, action: Action) -> bool {
    action.roles().contains(&role)
}

/// The whole table as Markdown: a row per action, a column per role.
pub fn table() -> String {
    let mut out = String::from("| action |");
    for role in Role::ALL {
        out += &format!(" {role} |");
    }
    out += "\n|---|";
    out += &"---|".repeat(Role::ALL.len());
    for action in Action::ALL {
        out += &format!("\n| {action:?} |");
        for role in Role::ALL {
            out += if allows(*role, *action) { " yes |" } else { " – |" };
        }
    }
    out + "\n"
}
