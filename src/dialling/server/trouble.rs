//! Why a batch does not go on, for whoever reads it.

use crate::model::Obstacle;
use patchbay_access::Field;
use patchbay_access::server::Scope;

/// Why a batch does not go on, as far as the reader may know: the reason itself, or the sentence that stands for it.
pub fn trouble(scope: &Scope, reason: Option<String>, obstacle: Option<Obstacle>) -> Option<String> {
    let reason = reason?;
    match (scope.sees(Field::BatchTrouble), obstacle) {
        (true, _) => Some(reason),
        (false, Some(obstacle)) => Some(obstacle.label().to_owned()),
        // Paused before such words were kept.
        (false, None) => Some("Calls cannot go on at the moment. The agency sees why.".to_owned()),
    }
}
