use super::Role;

macro_rules! policy {
    ($($(#[$doc:meta])* $action:ident: $($role:ident)|+;)+) => {
        /// Everything that a role is asked for. Each has one row in the policy table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $action),+ }

        impl Action {
            pub const ALL: &'static [Action] = &[$(Action::$action),+];

            /// The roles that may do it.
            pub fn roles(self) -> &'static [Role] {
                match self { $(Action::$action => &[$(Role::$role),+]),+ }
            }
        }
    };
}

policy! {
    // Reading
    /// Calls, transcripts and results.
    ReadCalls: AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer;
    /// Campaigns, batches and their results.
    ReadCampaigns: AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer;
    ReadContacts: AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer;
    /// Figures of the dashboard and usage.
    ReadUsage: AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer;
    /// The agency's own workshop: agents, prompts, numbers, clients, raw events.
    ReadWorkshop: AgencyOwner | AgencyAdmin | AgencyMember;
    ReadQueues: AgencyOwner | AgencyAdmin | AgencyMember;
    ReadMembers: AgencyOwner | AgencyAdmin | ClientAdmin;
    ReadAudit: AgencyOwner | AgencyAdmin | ClientAdmin;
    // Changing
    ManageClients: AgencyOwner | AgencyAdmin;
    ManageMembers: AgencyOwner | AgencyAdmin;
    /// People of one client, by that client's admin.
    ManageViewers: AgencyOwner | AgencyAdmin | ClientAdmin;
    ManageAgents: AgencyOwner | AgencyAdmin;
    DeleteAgents: AgencyOwner;
    ManagePrompts: AgencyOwner | AgencyAdmin;
    ManageNumbers: AgencyOwner | AgencyAdmin;
    /// Credentials at outside services.
    ManageConnections: AgencyOwner;
    ManageContacts: AgencyOwner | AgencyAdmin | ClientAdmin;
    ManageCampaigns: AgencyOwner | AgencyAdmin;
    RunBatches: AgencyOwner | AgencyAdmin;
    ReviewCalls: AgencyOwner | AgencyAdmin;
    /// Replaying webhooks, transcripts, analyses and jobs that failed.
    ReplayQueues: AgencyOwner | AgencyAdmin;
    // Everybody
    EditOwnProfile: AgencyOwner | AgencyAdmin | AgencyMember | ClientAdmin | ClientViewer | Admin;
    // The platform
    ManagePlatform: Admin;
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
