//! Every door of the product, what it asks for, and whose things its fields name. `tenancy` goes through it as everybody;
//! `coverage` fails when a door is missing here.

mod addresses;
mod functions;

use patchbay_access::{Action, Role, allows};

pub use addresses::{API_ROUTES, OTHER_ROUTES, PAGES, ROUTES, SCOPES};
pub use functions::FUNCTIONS;

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
pub struct WebhookSender {
    /// A server function's name, or a method and a path.
    pub name: &'static str,
    pub asks: Asks,
    pub names: Names,
    pub changes: bool,
    pub fields: &'static [(&'static str, &'static str)],
}

const fn reads(
    name: &'static str,
    asks: Asks,
    names: Names,
    fields: &'static [(&'static str, &'static str)],
) -> WebhookSender {
    WebhookSender { name, asks, names, changes: false, fields }
}

const fn changes(
    name: &'static str,
    asks: Asks,
    names: Names,
    fields: &'static [(&'static str, &'static str)],
) -> WebhookSender {
    WebhookSender { name, asks, names, changes: true, fields }
}

/// Somebody at a door, as far as the table asks.
#[derive(Debug, Clone, Copy)]
pub struct Who {
    /// None: not signed in.
    pub role: Option<Role>,
    /// Belongs to the agency whose things are asked for.
    pub is_ours: bool,
    /// Of the client whose things are asked for, or of no client.
    pub is_of_client_one: bool,
    /// A platform admin who looks as a member and changes nothing.
    pub is_guest: bool,
}

impl Who {
    /// Whoever looks at an agency in a support session.
    pub fn guest(is_ours: bool) -> Self {
        Self { role: Some(Role::AgencyMember), is_ours, is_of_client_one: is_ours, is_guest: true }
    }
}

/// What an answer may be.
#[derive(Debug, PartialEq)]
pub enum Wanted {
    /// 200 with nothing in it that is not theirs.
    Own,
    Status(u16),
    /// It is not there for them: 404, or the form's own message for a choice that is not offered.
    Absent,
    /// Not called: it would change the caller's own things.
    Skip,
    /// Any refusal: a guest's own account is no part of the workspace they look at.
    Refused,
}

/// What `door` answers somebody by the policy table and by whose things it is asked for.
pub fn wanted(door: &WebhookSender, who: &Who) -> Wanted {
    let Some(role) = who.role else {
        return if matches!(door.asks, Asks::Nothing) { Wanted::Skip } else { Wanted::Status(401) };
    };
    if who.is_guest && matches!(door.asks, Asks::Person | Asks::May(Action::EditOwnProfile)) && door.changes {
        return Wanted::Refused;
    }
    let allowed = match door.asks {
        Asks::Nothing => return Wanted::Skip,
        Asks::Person => true,
        Asks::Workspace => role != Role::Admin,
        Asks::May(action) => allows(role, action) && role != Role::Admin,
        Asks::Costs => role.is_agency(),
        Asks::Platform => role == Role::Admin,
    };
    if !allowed {
        return Wanted::Status(if role.is_agency() && !matches!(door.asks, Asks::Platform) { 403 } else { 404 });
    }
    let theirs = match door.names {
        Names::Nobodys => true,
        _ if role == Role::Admin => true,
        Names::ClientOrOwn if role.is_client() => true,
        Names::Client | Names::ClientOrOwn => who.is_ours && (!role.is_client() || who.is_of_client_one),
        Names::Workshop => who.is_ours && !role.is_client(),
    };
    match (theirs, door.changes) {
        (true, true) => Wanted::Skip,
        (true, false) => Wanted::Own,
        (false, _) => Wanted::Absent,
    }
}
