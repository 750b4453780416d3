use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::shared::ids::UserId;
use crate::shared::{FieldErrors, Stamp};

crate::words! {
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
    /// The viewer may suspend, reactivate or sign this person out.
    pub can_change: bool,
}

/// What the form for a new person sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewMember {
    pub name: String,
    pub email: String,
    pub role: String,
    /// For client roles, when agency people add someone.
    #[serde(default)]
    pub client: String,
    pub password: String,
}

/// Name and address of a person.
pub fn check_person(name: &str, email: &str, errors: &mut FieldErrors) {
    if !(1..=120).contains(&name.trim().chars().count()) {
        errors.add("name", "Write the person's name, up to 120 characters.");
    }
    let email = email.trim();
    let parts =
        email.split_once('@').filter(|(local, host)| !local.is_empty() && host.contains('.') && !host.contains('@'));
    if parts.is_none() || email.len() > 320 || email.contains(char::is_whitespace) {
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
