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
}

/// A client's id and name, for pickers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientName {
    pub id: ClientId,
    pub name: String,
}

impl Viewer {
    /// Whether the policy table lets this person do it. In a support session the admin's own account is out of reach as well; who owes
    /// a second factor may do nothing but set it up.
    pub fn may(&self, action: Action) -> bool {
        let own = action == Action::EditOwnProfile;
        allows(self.role, action) && (self.support.is_none() || !own) && (!self.owes_second_factor || own)
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
