//! Live notices: "this changed", never what it changed to. `jobs::live` carries them between processes.

use serde::{Deserialize, Serialize};

use patchbay_shared::ids::{ClientId, WorkspaceId};

/// What changed: a list (`calls`) or one thing (`batch:0193…`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topic(pub String);

impl Topic {
    /// A whole list.
    pub fn list(noun: &str) -> Self {
        Self(noun.to_owned())
    }

    /// One thing.
    pub fn one(noun: &str, id: impl std::fmt::Display) -> Self {
        Self(format!("{noun}:{id}"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Notice {
    pub workspace_id: WorkspaceId,
    /// None: for the agency's people only, unless the topic names a thing that the client's people asked for by id.
    pub client_id: Option<ClientId>,
    pub topic: Topic,
}
