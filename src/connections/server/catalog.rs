use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::ops;
use crate::model::{VoiceCatalog, VoiceChoice};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(600);
/// A page does not wait longer than this for a list that it can do without.
const PATIENCE: Duration = Duration::from_secs(3);

/// The last answers, by workspace.
#[derive(Default)]
struct Remembered(Mutex<HashMap<WorkspaceId, (Instant, VoiceCatalog)>>);

/// Models and voices of the voice service. Never fails because of the service: then the lists are empty and a note says why.
pub async fn voice(scope: &Scope) -> Result<VoiceCatalog, AppError> {
    drop(scope.read(Action::ReadWorkshop).await?);
    if let Some(catalog) = remembered(scope) {
        return Ok(catalog);
    }
    let asked = tokio::time::timeout(PATIENCE, ask(scope)).await;
    let note = match asked {
        Ok(Ok(catalog)) => {
            remember(scope, catalog.clone());
            return Ok(catalog);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "Ultravox did not answer in time.".to_owned(),
    };
    Ok(VoiceCatalog { note: Some(format!("Voices and models could not be listed. {note}")), ..VoiceCatalog::default() })
}

/// Forgets what the former account offered.
pub(crate) fn forget(scope: &Scope) {
    let kept = scope.services().state::<Remembered>();
    let mut all = kept.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.remove(&scope.workspace_id());
}

async fn ask(scope: &Scope) -> Result<VoiceCatalog, AppError> {
    let client = ops::voice_to_look(scope).await?;
    let (models, voices) = tokio::join!(client.list_models(), client.list_voices());
    let models = models.map_err(|error| ops::down(&error))?;
    let voices = voices.map_err(|error| ops::down(&error))?;
    let voices = voices
        .into_iter()
        .map(|voice| VoiceChoice { id: voice.id, name: voice.name, language: voice.language })
        .collect();
    Ok(VoiceCatalog { models, voices, note: None })
}

fn remembered(scope: &Scope) -> Option<VoiceCatalog> {
    let kept = scope.services().state::<Remembered>();
    let mut all = kept.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Old answers go, so that the map holds only workspaces that somebody works in.
    all.retain(|_, (since, _)| since.elapsed() < FRESH);
    all.get(&scope.workspace_id()).map(|(_, catalog)| catalog.clone())
}

fn remember(scope: &Scope, catalog: VoiceCatalog) {
    let kept = scope.services().state::<Remembered>();
    let mut all = kept.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.insert(scope.workspace_id(), (Instant::now(), catalog));
}
