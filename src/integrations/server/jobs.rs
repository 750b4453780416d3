use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{carriers, messages, notices, sync, tokens};
use patchbay_access::Action;
use patchbay_jobs::Job;
use patchbay_jobs::runner::{Failure, Registry, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::{IntegrationId, SyncId};

/// What all jobs here do with contacts and integrations.
const ACTIONS: &[Action] = &[
    Action::ReadIntegrations,
    Action::ManageIntegrations,
    Action::ReadContacts,
    Action::ManageContacts,
    Action::ReadCalls,
];

/// Takes the next steps of a sync.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SyncIntegration {
    pub sync: SyncId,
}

impl Job for SyncIntegration {
    const KIND: &'static str = "sync_integration";
    const ACTIONS: &'static [Action] = ACTIONS;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.sync.to_string())
    }
}

/// Begins the next sync of an integration, if one is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StartSync {
    pub integration: IntegrationId,
}

impl Job for StartSync {
    const KIND: &'static str = "start_sync";
    const ACTIONS: &'static [Action] = ACTIONS;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.integration.to_string())
    }
}

/// Does what is to be done about what a CRM told by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TakeNotices {
    pub integration: IntegrationId,
}

impl Job for TakeNotices {
    const KIND: &'static str = "take_notices";
    const ACTIONS: &'static [Action] = ACTIONS;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.integration.to_string())
    }
}

/// Renews a sign-in that ends soon.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RenewSignIn {
    pub integration: IntegrationId,
}

impl Job for RenewSignIn {
    const KIND: &'static str = "renew_sign_in";
    const ACTIONS: &'static [Action] = ACTIONS;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.integration.to_string())
    }
}

/// Sends what waits for a system that takes messages one by one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SendMessages {
    pub integration: IntegrationId,
    /// Another one is at work and may have looked already.
    pub after: bool,
}

impl Job for SendMessages {
    const KIND: &'static str = "send_messages";
    const ACTIONS: &'static [Action] = ACTIONS;

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{}{}", self.integration, if self.after { ":after" } else { "" }))
    }
}

/// Takes in the numbers of an account at a carrier, now and once a day.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ImportNumbers {
    pub integration: IntegrationId,
}

impl Job for ImportNumbers {
    const KIND: &'static str = "import_numbers";
    const ACTIONS: &'static [Action] =
        &[Action::ReadIntegrations, Action::ManageIntegrations, Action::ManageNumbers, Action::ReadWorkshop];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.integration.to_string())
    }
}

/// Gives the voice service the account at a carrier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetUpTrunk {
    pub integration: IntegrationId,
}

impl Job for SetUpTrunk {
    const KIND: &'static str = "set_up_trunk";
    const ACTIONS: &'static [Action] =
        &[Action::ReadIntegrations, Action::ManageIntegrations, Action::UseConnections, Action::ManageConnections];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.integration.to_string())
    }
}

/// Asks a carrier what a call cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PriceCall {
    pub integration: IntegrationId,
    /// The carrier's id of the call.
    pub leg: String,
    /// Unix seconds: when the carrier told its end.
    pub since: i64,
}

impl Job for PriceCall {
    const KIND: &'static str = "price_call";
    const ACTIONS: &'static [Action] = &[Action::ReadIntegrations, Action::ManageIntegrations, Action::ReadCalls];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.leg.clone())
    }
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: SyncIntegration| async move { gone(sync::run(&scope, job.sync).await) });
    registry.add(|scope, job: StartSync| async move { gone(sync::start_due(&scope, job.integration).await) });
    registry.add(|scope, job: TakeNotices| async move { gone(notices::take(&scope, job.integration).await) });
    registry.add(|scope, job: SendMessages| async move { gone(messages::send(&scope, job.integration).await) });
    registry.add(|scope, job: ImportNumbers| async move {
        match carriers::import_numbers(&scope, job.integration).await {
            Ok(_) => Ok(Verdict::Later(Duration::from_secs(24 * 3600))),
            // Connecting or resuming it comes here again.
            Err(AppError::NotFound | AppError::Conflict(..)) => Ok(Verdict::Done),
            // Down for a while, or refused: the next look comes by itself.
            Err(AppError::ProviderDown(_)) => Ok(Verdict::Later(Duration::from_secs(3600))),
            Err(error) => Err(error.into()),
        }
    });
    registry.add(|scope, job: SetUpTrunk| async move {
        match carriers::set_up(&scope, job.integration, false).await {
            Ok(Some(error)) if error.is_passing_trouble() => Err(patchbay_connections::server::ops::failure(&error)),
            Ok(_) | Err(AppError::NotFound | AppError::Conflict(..)) => Ok(Verdict::Done),
            Err(error) => Err(error.into()),
        }
    });
    registry.add(|scope, job: PriceCall| async move { carriers::reports::price(&scope, &job).await });
    registry.add(|scope, job: RenewSignIn| async move {
        let renewed = tokens::renew_ahead(&scope, job.integration).await;
        gone(renewed.map(|()| Verdict::Done))
    });
}

/// What was removed meanwhile is nobody's failure.
fn gone(result: Result<Verdict, AppError>) -> Result<Verdict, Failure> {
    match result {
        Ok(verdict) => Ok(verdict),
        Err(AppError::NotFound) => Ok(Verdict::Done),
        Err(error) => Err(error.into()),
    }
}
