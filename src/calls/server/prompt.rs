//! The prompt of one call, also for a client whose agency shows its prompts. Prompts are rows of the agency, which a client's scope cannot
//! see; this is the one place that reads beyond it, after the call was found within it.

use super::store::detail;
use crate::model::CallPrompt;
use patchbay_access::server::Scope;
use patchbay_access::{Action, Viewer};
use patchbay_prompts::server as prompts;
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// The words that the call's agent was given. Errors: `NotFound`, also when the viewer may not see prompts.
pub(crate) async fn read(scope: &Scope, call: CallId) -> Result<CallPrompt, AppError> {
    if !scope.viewer().is_none_or(Viewer::sees_prompts) {
        return Err(AppError::NotFound);
    }
    let mut own = scope.read(Action::ReadCalls).await?;
    let (prompt, version) = detail::prompt_of(&mut own, call).await?;
    drop(own);
    let mut tx = scope.beyond_client("the prompt of a client's own call").read(Action::ReadCalls).await?;
    let (name, template) = prompts::words(&mut tx, prompt, version).await?;
    let id = scope.may(Action::ReadWorkshop).then_some(prompt);
    Ok(CallPrompt { id, name, version, template })
}
