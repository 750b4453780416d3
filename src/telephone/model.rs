use serde::{Deserialize, Serialize};

use patchbay_agents::model::ClientChoice;
use patchbay_numbers::model::AgentChoice;
use patchbay_shared::ids::CallId;

/// What the form of a test call offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestCallChoices {
    pub agents: Vec<AgentChoice>,
    pub clients: Vec<ClientChoice>,
    /// The call that the form makes: sent twice, it is made once.
    pub call: CallId,
}

/// A call to one's own phone, as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TestCallForm {
    pub call: String,
    pub agent_id: String,
    /// Needed for an agent of the whole agency.
    pub client_id: String,
    pub to: String,
}
