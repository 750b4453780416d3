//! What forms post, turned into what is done.

use super::runs::{self, NewRun};
use super::store::views;
use super::teams;
use crate::model::RunSource;
use crate::model::form::{AskForm, TeamForm};
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{EngineId, SessionId, SupervisorRunId, TeamId};

/// Changes a team. Errors: `Invalid`; `NotFound`; `Conflict` when somebody else has saved meanwhile and nobody said to overwrite it.
pub(crate) async fn save(tx: &mut WriteTx, form: &TeamForm) -> Result<TeamId, AppError> {
    let id: TeamId = form.id.parse()?;
    let (fields, errors) = form.read();
    errors.check()?;
    let revision = match form.overwrite {
        Some(_) => views::head(tx.reading(), id).await?.revision,
        None => form.revision.trim().parse().unwrap_or_default(),
    };
    teams::save(tx, id, &fields, revision, form.note.trim()).await?;
    Ok(id)
}

/// Sends a message and says where the session is seen. Errors: `Invalid`, `NotFound`; `Conflict`.
pub(crate) async fn ask(tx: &mut WriteTx, form: &AskForm) -> Result<String, AppError> {
    let team: TeamId = form.team.parse()?;
    let message = form.text()?;
    let session = match form.session.trim() {
        "" => None,
        text => Some(text.parse::<SessionId>()?),
    };
    let key = Some(form.key.trim()).filter(|key| !key.is_empty());
    let key = key.map(|key| key.parse::<SupervisorRunId>()).transpose()?;
    let new = NewRun { session, source: RunSource::Playground, key: key.map(|key| key.0), ..NewRun::of(team, message) };
    let run = runs::ask(tx, new).await?;
    let session = views::runs::session_of(tx.reading(), run).await?;
    Ok(format!("/teams/{team}/playground?session={session}"))
}

/// Errors: `Invalid` at `engine`; `NotFound`; `Conflict`.
pub(crate) async fn again(tx: &mut WriteTx, id: SupervisorRunId, engine: &str) -> Result<SupervisorRunId, AppError> {
    let wrong = "Choose an engine from the list.";
    let engine = match engine.trim() {
        "" => None,
        text => Some(text.parse::<EngineId>().map_err(|_| AppError::invalid("engine", wrong))?),
    };
    runs::again(tx, id, engine).await
}

/// The page that a button stood on: a team's, or the run's own.
pub(crate) fn back(place: Option<&str>, run: SupervisorRunId) -> String {
    let is_ours = |place: &&str| place.starts_with("/teams/") || place.starts_with("/supervisor-runs/");
    let is_plain = |place: &&str| !place.chars().any(|letter| letter.is_control() || letter == '\\');
    place.filter(is_ours).filter(is_plain).map_or_else(|| format!("/supervisor-runs/{run}"), str::to_owned)
}
