use serde::{Deserialize, Serialize};

use patchbay_access::Role;
use patchbay_shared::email::is_address;
use patchbay_shared::ids::{ClientId, InvitationId, UserId};
use patchbay_shared::{FieldErrors, Stamp};

patchbay_shared::words! {
    /// A suspended person cannot sign in.
    pub UserStatus: "user_status" {
        Active = "active", "Active", Ok;
        Suspended = "suspended", "Suspended", Warn;
    }
}

/// One person in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRow {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub client: Option<String>,
    pub status: UserStatus,
    pub last_login: Option<Stamp>,
    pub has_second_factor: bool,
    /// The viewer may suspend, reactivate or sign this person out.
    pub can_change: bool,
}

/// One person's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberView {
    pub member: MemberRow,
    pub client_id: Option<ClientId>,
    pub created: Stamp,
    /// Where this person is signed in.
    pub sessions: i64,
}

/// What the form for invitations sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewInvitations {
    /// One address per line, or with commas between them.
    pub emails: String,
    pub role: String,
    /// For client roles, when agency people invite.
    pub client: String,
}

/// What became of one invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invited {
    pub email: String,
    /// Set when this installation sends no e-mail: to be handed over by hand. Shown once.
    pub link: Option<String>,
}

/// Links that are shown once: what they are for, and the links.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownLinks {
    pub what: LinkKind,
    pub links: Vec<Invited>,
}

/// What a link does for whoever opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkKind {
    Invitation,
    Password,
}

patchbay_shared::words! {
    /// How an invitation stands.
    pub InvitationStatus: "text" {
        Open = "open", "Open", Info;
        Expired = "expired", "Expired", Warn;
        Accepted = "accepted", "Accepted", Ok;
        Withdrawn = "withdrawn", "Withdrawn", Mute;
    }
}

/// One invitation in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationRow {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub client: Option<String>,
    pub inviter: Option<String>,
    pub status: InvitationStatus,
    pub created: Stamp,
    pub expires: Stamp,
    /// The viewer may send it again or withdraw it.
    pub can_change: bool,
}

/// What the holder of an invitation's link sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationOffer {
    pub email: String,
    pub role: Role,
    pub agency: String,
    pub client: Option<String>,
}

/// Invitations that one form may make.
pub const MOST_AT_ONCE: usize = 100;

/// The addresses in a pasted text: between commas, semicolons, blanks and line breaks, or between `<` and `>` after a name.
pub fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '\n', '\r']).flat_map(|piece| match piece.split_once('<') {
        Some((_, rest)) => vec![rest.split('>').next().unwrap_or_default().trim()],
        None => piece.split_whitespace().collect(),
    })
}

/// Name and address of a person.
pub fn check_person(name: &str, email: &str, errors: &mut FieldErrors) {
    if !(1..=120).contains(&name.trim().chars().count()) {
        errors.add("name", "Write the person's name, up to 120 characters.");
    }
    if !is_address(email.trim()) {
        errors.add("email", "Write a full e-mail address, for example ada@example.com.");
    }
}

/// Roles that someone of `role` may give to others.
pub fn grantable(role: Role) -> &'static [Role] {
    use Role::*;
    match role {
        AgencyOwner => &[AgencyOwner, AgencyAdmin, AgencyMember, ClientAdmin, ClientViewer],
        AgencyAdmin => &[AgencyAdmin, AgencyMember, ClientAdmin, ClientViewer],
        ClientAdmin => &[Role::ClientViewer],
        AgencyMember | ClientViewer | Admin => &[],
    }
}

/// What someone gains and loses with another role: names of what the policy table lets them do.
pub fn role_change(from: Role, to: Role) -> (Vec<&'static str>, Vec<&'static str>) {
    use patchbay_access::{Action, allows};
    let gained = |from: Role, to: Role| {
        let all = Action::ALL.iter().filter(|action| allows(to, **action) && !allows(from, **action));
        // Whoever sees agents with everything about them sees their names.
        let sees_all = |action: &Action| {
            *action == Action::ReadAgents && allows(to, Action::ReadWorkshop) && !allows(from, Action::ReadWorkshop)
        };
        let all = all.filter(|action| !sees_all(action));
        let mut words: Vec<&'static str> = Vec::new();
        for word in all.map(|action| action.label()) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    };
    (gained(from, to), gained(to, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_what_people_paste() {
        let text = "ada@example.com, Bob B <bob@example.com>;\ncarl@example.com dora@example.com\r\n\n";
        let found: Vec<&str> = addresses(text).collect();
        assert_eq!(found, ["ada@example.com", "bob@example.com", "carl@example.com", "dora@example.com"]);
    }

    #[test]
    fn what_is_no_address_is_seen() {
        for good in ["ada@example.com", "a.b+c@sub.example.co", "ü@example.ch"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@example.",
            "a b@example.com",
            "a@b@c.d",
            "a@b.c\n",
            "<a@b.c>",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_role_picker_can_say_what_changes() {
        let (gains, loses) = role_change(Role::AgencyMember, Role::AgencyOwner);
        assert!(loses.is_empty() && gains.contains(&"outside accounts"), "{gains:?}");
        let (gains, loses) = role_change(Role::AgencyOwner, Role::ClientViewer);
        assert!(gains.is_empty() && !loses.is_empty(), "{gains:?} {loses:?}");
        assert_eq!(loses.iter().filter(|word| word.starts_with("seeing agents")).count(), 1, "{loses:?}");
        let (gains, _) = role_change(Role::ClientViewer, Role::ClientAdmin);
        assert!(gains.contains(&"seeing agents by name"), "{gains:?}");
    }
}
