use serde::{Deserialize, Serialize};

use patchbay_access::Action;
use patchbay_jobs::{Job, Registry};
use patchbay_shared::ids::NumberId;

/// Orders a number at the carrier and waits until it is ours.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OrderNumber {
    pub number_id: NumberId,
}

impl Job for OrderNumber {
    const KIND: &'static str = "order_number";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, Action::UseConnections, Action::ManageNumbers];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.number_id.to_string())
    }
}

/// Tells the carrier where a number's calls go.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RouteNumber {
    pub number_id: NumberId,
    /// The state of the number that it is about: a newer one is another job.
    #[serde(default)]
    pub state: i64,
    /// It is only looked at, at an account of the agency's own.
    #[serde(default)]
    pub looks: bool,
}

impl Job for RouteNumber {
    const KIND: &'static str = "route_number";
    const ACTIONS: &'static [Action] =
        &[Action::ReadWorkshop, Action::UseConnections, Action::ManageNumbers, Action::ReadIntegrations];

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{} {}", self.number_id, self.state))
    }
}

/// Asks the carrier where the agency's numbers go.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CheckRoutes {}

impl Job for CheckRoutes {
    const KIND: &'static str = "check_routes";
    const ACTIONS: &'static [Action] = &[
        Action::ReadWorkshop,
        Action::UseConnections,
        Action::ManageNumbers,
        Action::ManageConnections,
        Action::ReadIntegrations,
    ];

    fn dedupe_key(&self) -> Option<String> {
        Some("routes".to_owned())
    }
}

pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: OrderNumber| async move { super::order::run(&scope, job.number_id).await });
    registry.add(|scope, job: RouteNumber| async move { super::route::run(&scope, job.number_id, job.looks).await });
    registry.add(|scope, _: CheckRoutes| async move { super::look::run(&scope).await });
}
