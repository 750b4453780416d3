//! The dashboard of some days: their figures, each day's calls, and the clients.

use std::collections::HashMap;

use crate::model::{DayCalls, DaysShown, Figures};
use patchbay_metering::model::Sums;
use patchbay_shared::ids::ClientId;
use patchbay_usage::server::Compare;

/// `costs`: whether the viewer sees them.
pub(crate) fn days(compared: &Compare, costs: bool) -> DaysShown {
    let days = patchbay_metering::model::Period { first: compared.shown.first, last: compared.shown.last };
    let calls_of = |day| {
        let sums = compared.found.days.get(&day).copied().unwrap_or_default();
        DayCalls {
            day,
            label: day.format("%-d %b").to_string(),
            answered: sums.answered,
            not_reached: sums.ended - sums.answered - sums.failed,
            failed: sums.failed,
        }
    };
    DaysShown {
        figures: figures(&compared.found.total(), costs),
        before: figures(&compared.before.total(), costs),
        days: days.days().map(calls_of).collect(),
    }
}

/// Days know no median: it cannot be added up.
pub(crate) fn figures(sums: &Sums, costs: bool) -> Figures {
    Figures {
        calls: sums.calls,
        ended: sums.ended,
        answered: sums.answered,
        failed: sums.failed,
        goals: sums.goals,
        // What is billed is as withheld as what it cost.
        unpriced: if costs { sums.unpriced } else { 0 },
        unpriced_answers: if costs { sums.unpriced_answers } else { 0 },
        median_seconds: None,
        seconds: sums.seconds,
        spend: costs.then(|| sums.spend()),
    }
}

/// The figures of each client that has any.
pub(crate) fn by_client(compared: &Compare, costs: bool) -> HashMap<ClientId, Figures> {
    let mut by_client: HashMap<ClientId, Sums> = HashMap::new();
    for ((client, _), parts) in &compared.found.agents {
        let Some(client) = client else { continue };
        let sums = by_client.entry(*client).or_default();
        parts.iter().for_each(|part| sums.add(part));
    }
    by_client.into_iter().map(|(client, sums)| (client, figures(&sums, costs))).collect()
}
