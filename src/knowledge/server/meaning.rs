//! Search by meaning: what is asked of the model, and what is in force. The model itself stands above this crate and is asked by a hook.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::jobs::EmbedKnowledge;
use super::store::vectors::{self, InForce};
use crate::model::{CollectionId, Meaning, MeaningModel, Trouble};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_jobs::queue::{Unfinished, unfinished};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ClientId, ConnectionId};
use patchbay_shared::zone::stamp;

/// How long an answer to a question may take: somebody on the telephone waits.
const FOR_QUESTION: Duration = Duration::from_secs(4);
/// How long a model that let a question wait in vain is left alone by questions.
const REST: Duration = Duration::from_secs(30);

/// Texts whose meaning is wanted.
#[derive(Debug, Clone)]
pub struct Texts {
    pub texts: Vec<String>,
    /// How long the answer may take, all tries together.
    pub patience: Duration,
    /// For whose agent it is asked, on whose account it goes.
    pub client: Option<ClientId>,
    pub agent: Option<AgentId>,
}

/// What became of the wish.
#[derive(Debug, Clone)]
pub enum Embedded {
    /// No model is chosen.
    NotChosen,
    /// A sentence for people; and how long the service asked to be left alone.
    Failed { sentence: String, wait: Option<Duration> },
    /// The service will not have these texts, or this model; a sentence for people.
    Refused { sentence: String },
    /// There was no answer in time.
    Late,
    /// One vector for each text, in their order, all of one length.
    Vectors { connection: ConnectionId, model: String, vectors: Vec<Vec<f32>> },
}

/// Hook: turns texts into vectors with the model in force, and writes down what that cost.
pub struct Embed(pub for<'a> fn(&'a Scope, Texts) -> HookFuture<'a, Embedded>);

pub(super) async fn ask(scope: &Scope, texts: Texts) -> Result<Embedded, AppError> {
    let embed = scope.services().hooks.get::<Embed>()?.0;
    Ok(embed(scope, texts).await.unwrap_or_else(|error| {
        let sentence = match error {
            AppError::Internal(_) | AppError::Transport(_) => {
                tracing::warn!(cause = %error, "the meaning of texts could not be asked for");
                "Patchbay failed here.".to_owned()
            }
            other => other.to_string(),
        };
        Embedded::Failed { sentence, wait: None }
    }))
}

/// Models that let a question wait in vain, until when they are not asked, by their set: else each question of a call would wait anew.
#[derive(Default)]
struct Resting(Mutex<HashMap<Uuid, Instant>>);

impl Resting {
    fn is(&self, set: Uuid) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, until| *until > Instant::now());
        all.contains_key(&set)
    }

    fn begin(&self, set: Uuid) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(set, Instant::now() + REST);
    }
}

/// What a question means.
pub(crate) enum Asked {
    /// No model is chosen.
    Off,
    /// It is not known, and why.
    Unknown {
        model: String,
        why: String,
    },
    Known {
        model: String,
        set: Uuid,
        vector: Vec<f32>,
    },
}

/// Asks the model what a question means. Whatever goes wrong is no error: then words alone decide. No transaction is open meanwhile.
pub(crate) async fn of_question(
    scope: &Scope,
    question: &str,
    client: Option<ClientId>,
    agent: Option<AgentId>,
) -> Result<Asked, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let found = vectors::in_force(&mut tx).await?;
    drop(tx);
    let Some(InForce { connection, model, set, dimensions, error, .. }) = found else { return Ok(Asked::Off) };
    let (Some(set), Some(dimensions)) = (set, dimensions) else {
        let why = error.unwrap_or_else(|| "It has not read the passages yet.".to_owned());
        return Ok(Asked::Unknown { model, why });
    };
    if scope.viewer().is_some_and(|viewer| viewer.support.is_some()) {
        return Ok(Asked::Unknown {
            model, why: "A support session asks nothing on the agency’s account.".to_owned()
        });
    }
    let resting = scope.services().state::<Resting>();
    if resting.is(set) {
        return Ok(Asked::Unknown { model, why: late(FOR_QUESTION) });
    }
    let texts = Texts { texts: vec![question.to_owned()], patience: FOR_QUESTION, client, agent };
    Ok(match ask(scope, texts).await? {
        Embedded::Late => {
            resting.begin(set);
            Asked::Unknown { model, why: late(FOR_QUESTION) }
        }
        Embedded::NotChosen => Asked::Off,
        Embedded::Failed { sentence, .. } | Embedded::Refused { sentence } => Asked::Unknown { model, why: sentence },
        // Somebody has chosen another one at this moment, or another one answers under the name.
        Embedded::Vectors { connection: at, model: by, mut vectors } => match vectors.pop() {
            Some(vector) if at == connection && by == model && vector.len() == dimensions as usize => {
                Asked::Known { model, set, vector }
            }
            _ => Asked::Unknown { model, why: "Its vectors are not those that the passages have.".to_owned() },
        },
    })
}

/// The choice of the model has changed: passages are read by the new one, and what the old one made of them goes.
pub async fn choice_changed(tx: &mut WriteTx) -> Result<(), AppError> {
    tx.notify(Topic::list("knowledge"), None);
    wake(tx).await
}

/// There are new passages. Costs nothing where no model is chosen.
pub(crate) async fn passages_changed(tx: &mut WriteTx) -> Result<(), AppError> {
    match vectors::in_force(tx.reading()).await? {
        Some(_) => wake(tx).await,
        None => Ok(()),
    }
}

/// Has the passages read that are not. A job that is at its end may not have seen what is new, so another one follows it.
async fn wake(tx: &mut WriteTx) -> Result<(), AppError> {
    let now = EmbedKnowledge { next: false };
    enqueue(tx, &now, NewJob::default()).await?;
    if unfinished(tx.reading(), &now).await? == Some(Unfinished::Held) {
        enqueue(tx, &EmbedKnowledge { next: true }, NewJob::default()).await?;
    }
    Ok(())
}

/// Gives passages that nobody reads a job again, and vectors that nobody needs. True: there was something to do.
pub(crate) async fn sweep(tx: &mut WriteTx) -> Result<bool, AppError> {
    for next in [false, true] {
        if unfinished(tx.reading(), &EmbedKnowledge { next }).await?.is_some() {
            return Ok(false);
        }
    }
    let found = vectors::in_force(tx.reading()).await?;
    let is_behind = match &found {
        None => false,
        Some(InForce { set: None, .. }) => true,
        Some(InForce { set: Some(set), .. }) => !vectors::behind(tx.reading(), *set, 1).await?.is_empty(),
    };
    let is_lost = is_behind || vectors::has_others(tx.reading(), found.and_then(|found| found.set)).await?;
    if is_lost {
        wake(tx).await?;
    }
    Ok(is_lost)
}

/// Which search is in force, in one collection or in all.
pub(crate) async fn state(tx: &mut ReadTx, collection: Option<CollectionId>) -> Result<Meaning, AppError> {
    let may_choose = tx.scope().may(Action::ManageAgents);
    let Some(found) = vectors::in_force(tx).await? else { return Ok(Meaning { may_choose, ..Meaning::default() }) };
    let (passages, known) = vectors::counts(tx, found.set, collection).await?;
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let again = found.next_try.map(|at| stamp(at, now, zone));
    // What is known of everything is not held back by the last try.
    let trouble = found.error.filter(|_| known < passages).map(|sentence| Trouble { sentence, again });
    let model = MeaningModel { model: found.model, account: found.connection, trouble };
    Ok(Meaning { model: Some(model), passages, known, may_choose })
}

pub(super) fn late(patience: Duration) -> String {
    format!("It did not answer within {} seconds.", patience.as_secs())
}
