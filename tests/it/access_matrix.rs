//! Every door of the product, what it asks for, and whose things its fields name. `tenancy` goes through it as everybody;
//! `coverage` fails when a door is missing here.

mod addresses;
mod functions;

use patchbay::access::Action;

pub use addresses::{OTHER_ROUTES, PAGES, ROUTES};
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
