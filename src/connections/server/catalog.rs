use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::ops;
use crate::model::{VoiceCatalog, VoiceChoice};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_providers::voice::Recording;
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(600);
/// A page does not wait longer than this for a list that it can do without.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a service that did not answer is left alone.
const AWAY: Duration = Duration::from_secs(30);

/// What the service offered last.
#[derive(Clone)]
struct Known {
    until: Instant,
    catalog: VoiceCatalog,
    /// Where each voice's sample is, by the voice's id.
    samples: HashMap<String, String>,
}

/// The last answers, by workspace.
#[derive(Default)]
struct Remembered(Mutex<HashMap<WorkspaceId, Known>>);

/// Models and voices of the voice service. Never fails because of the service: then the lists are empty and a note says why.
pub async fn voice(scope: &Scope) -> Result<VoiceCatalog, AppError> {
    Ok(known(scope).await?.catalog)
}

/// The sample of a voice. Errors: `NotFound` for a voice that the service does not list, or that has none; `ProviderDown`.
pub async fn voice_sample(scope: &Scope, id: &str) -> Result<Recording, AppError> {
    let address = known(scope).await?.samples.remove(id).ok_or(AppError::NotFound)?;
    let client = ops::voice(scope).await?;
    client.voice_sample(&address).await.map_err(|error| ops::down(&error))
}

async fn known(scope: &Scope) -> Result<Known, AppError> {
    drop(scope.read(Action::ReadWorkshop).await?);
    if let Some(known) = remembered(scope) {
        return Ok(known);
    }
    let asked = tokio::time::timeout(PATIENCE, ask(scope)).await;
    let note = match asked {
        Ok(Ok((catalog, samples))) => {
            let known = Known { until: Instant::now() + FRESH, catalog, samples };
            remember(scope, known.clone());
            return Ok(known);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "Ultravox did not answer in time.".to_owned(),
    };
    let note = Some(format!("Voices and models could not be listed. {note}"));
    let catalog = VoiceCatalog { note, ..VoiceCatalog::default() };
    let known = Known { until: Instant::now() + AWAY, catalog, samples: HashMap::new() };
    remember(scope, known.clone());
    Ok(known)
}

/// Forgets what the former account offered.
pub(crate) fn forget(scope: &Scope) {
    let kept = scope.services().state::<Remembered>();
    let mut all = kept.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.remove(&scope.workspace_id());
}

async fn ask(scope: &Scope) -> Result<(VoiceCatalog, HashMap<String, String>), AppError> {
    let client = ops::voice_to_look(scope).await?;
    let (models, voices) = tokio::join!(client.list_models(), client.list_voices());
    let models = models.map_err(|error| ops::down(&error))?;
    let voices = voices.map_err(|error| ops::down(&error))?;
    let mut samples = HashMap::new();
    let voices = voices
        .into_iter()
        .map(|voice| {
            let has_sample = voice.preview_url.is_some();
            if let Some(address) = voice.preview_url {
                samples.insert(voice.id.clone(), address);
            }
            let (language, description) = (voice.language, voice.description);
            VoiceChoice { id: voice.id, name: voice.name, language, description, has_sample }
        })
        .collect();
    Ok((VoiceCatalog { models, voices, note: None }, samples))
}

fn remembered(scope: &Scope) -> Option<Known> {
    let kept = scope.services().state::<Remembered>();
    let mut all = kept.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Old answers go, so that the map holds only workspaces that somebody works in.
    all.retain(|_, known| known.until > Instant::now());
    all.get(&scope.workspace_id()).cloned()
}

fn remember(scope: &Scope, known: Known) {
    let kept = scope.services().state::<Remembered>();
    let mut all = kept.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.insert(scope.workspace_id(), known);
}
