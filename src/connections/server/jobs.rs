use serde::{Deserialize, Serialize};

use patchbay_access::Action;
use patchbay_jobs::{Job, Registry};

/// Sets up the way between the carrier and the voice service, or sets it right.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SetUpTelephony {}

impl Job for SetUpTelephony {
    const KIND: &'static str = "set_up_telephony";
    const ACTIONS: &'static [Action] = &[Action::UseConnections, Action::ManageConnections];

    fn dedupe_key(&self) -> Option<String> {
        Some("telephony".to_owned())
    }
}

pub fn register(registry: &mut Registry) {
    registry.add(|scope, _: SetUpTelephony| async move { super::telephony::run(&scope).await });
}
