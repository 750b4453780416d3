//! What keeps a version of a prompt from production: suites that have to pass before.

use super::store::runs;
use patchbay_access::server::ReadTx;
use patchbay_models::model::Purpose;
use patchbay_models::server as models;
use patchbay_shared::AppError;
use patchbay_shared::ids::PromptId;

/// Why a version may not go to production, and what to do. None: it may.
pub async fn reason(tx: &mut ReadTx, prompt: PromptId, version: i32) -> Result<Option<String>, AppError> {
    for gate in runs::of_gates(tx, prompt, version).await?.iter().filter(|gate| gate.cases > 0) {
        // What passed with another model says nothing about the one that the agent uses now.
        let usual = models::in_use(tx, Purpose::Agent, Some(gate.agent)).await?;
        let ran = gate.run.filter(|_| gate.connection.zip(gate.model.clone()) == usual);
        match ran {
            None => {
                return Ok(Some(format!(
                    "The tests of {} have to pass before version {version} goes to production, and they have not been run with it. Run all \
                     cases with version {version} and the model that the agent uses.",
                    gate.name
                )));
            }
            Some(number) if gate.passed < gate.cases => {
                return Ok(Some(format!(
                    "{} of {} tests of {} pass with version {version} in run {number}, and all of them have to before it goes to \
                     production. Look at what fails, or run all cases again after a change.",
                    gate.passed, gate.cases, gate.name
                )));
            }
            Some(_) => {}
        }
    }
    Ok(None)
}
