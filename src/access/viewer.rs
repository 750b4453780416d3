use serde::{Deserialize, Serialize};

use super::withheld::Field;
use super::{Action, Role, allows};
use patchbay_shared::ids::{ClientId, SupportSessionId, UserId, WorkspaceId};

/// The person who is looking, as pages know them. Holds nothing that this person may not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    pub user_id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// None for the platform's admins.
    pub workspace: Option<ViewerWorkspace>,
    /// Set exactly for client roles.
    pub client: Option<ViewerClient>,
    /// IANA name. The person's own, else the client's, else the agency's.
    pub timezone: String,
    /// Set while a platform admin looks at a workspace: as a member, and changing nothing.
    pub support: Option<SupportView>,
    /// Has to set up a second factor before anything else.
    pub owes_second_factor: bool,
    /// Typed their password in the last five minutes.
    pub has_proved: bool,
    /// The zone is the person's own choice (else the browser's is offered at first sign-in).
    pub timezone_chosen: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerWorkspace {
    pub id: WorkspaceId,
    pub name: String,
    /// What the product is called here: the client's brand, else the agency's, else Patchbay.
    pub product: String,
    /// Address of that brand's logo. None: the product's own sign.
    pub logo: Option<String>,
    /// Suspended: sign in and read, but nothing dials, syncs or spends.
    pub suspended: bool,
    /// Calls and models are Patchbay's own stand-ins until real credentials are entered.
    pub sandbox: bool,
    /// For agency people: who of the platform is looking at this workspace now.
    pub watched_by: Option<SupportView>,
}

/// A support session, as both sides see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportView {
    pub id: SupportSessionId,
    /// The admin's name.
    pub admin: String,
    pub reason: String,
    /// `16:42`, in the viewer's zone.
    pub until: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerClient {
    pub id: ClientId,
    pub name: String,
    pub shares_cost: bool,
    pub shares_recordings: bool,
    pub shares_steps: bool,
    pub shares_prompts: bool,
    pub admins: ClientAdminRights,
}

/// What the agency lets a client's admins do beside reading. The policy table says what they may do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAdminRights {
    pub edit_contacts: bool,
    pub edit_campaigns: bool,
    pub run_batches: bool,
    pub invite_viewers: bool,
}

impl ClientAdminRights {
    /// Whether the agency lets them do it. What it has no say in they do by the policy table alone.
    pub fn allow(self, action: Action) -> bool {
        match action {
            Action::ManageContacts => self.edit_contacts,
            Action::ManageCampaigns => self.edit_campaigns,
            Action::RunBatches => self.run_batches,
            Action::ManageViewers => self.invite_viewers,
            _ => true,
        }
    }
}

/// What a new client's admins may do, unless the agency says otherwise: batches spend its money, so they are its own to run.
impl Default for ClientAdminRights {
    fn default() -> Self {
        Self { edit_contacts: true, edit_campaigns: true, run_batches: false, invite_viewers: true }
    }
}

/// A client's id and name, for pickers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientName {
    pub id: ClientId,
    pub name: String,
}

impl Viewer {
    /// Whether the policy table lets this person do it, and for a client's admin the agency as well. In a support session the admin's own account is out of reach as well; who owes
    /// a second factor may do nothing but set it up.
    pub fn may(&self, action: Action) -> bool {
        let own = action == Action::EditOwnProfile;
        allows(self.role, action)
            && self.client.as_ref().is_none_or(|client| client.admins.allow(action))
            && (self.support.is_none() || !own)
            && (!self.owes_second_factor || own)
    }

    /// Agency people always see cost; a client's people only when the agency shares it.
    pub fn sees_cost(&self) -> bool {
        self.sees(Field::Cost)
    }

    pub fn hears_recordings(&self) -> bool {
        self.sees(Field::Recording)
    }

    /// What agents did with their tools.
    pub fn sees_steps(&self) -> bool {
        self.sees(Field::Steps)
    }

    /// The words that a call's agent was given.
    pub fn sees_prompts(&self) -> bool {
        self.sees(Field::Prompt)
    }

    /// Two letters for the avatar.
    pub fn initials(&self) -> String {
        let mut words = self.name.split_whitespace().filter_map(|word| word.chars().next());
        let first = words.next();
        first.into_iter().chain(words.next_back()).collect()
    }
}
