//! The job that has passages read by the model, in the background.

use std::time::Duration;

use uuid::Uuid;

use super::MANAGE;
use super::jobs::EmbedKnowledge;
use super::meaning::{Embedded, Texts, ask, late};
use super::store::vectors::{self, InForce, Missing, NewVector};
use super::vectors::signs;
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_jobs::live::Topic;
use patchbay_jobs::queue::{Unfinished, unfinished};
use patchbay_jobs::runner::Verdict;
use patchbay_shared::AppError;

/// A text that every model takes.
const PLAIN: &str = "word";
/// How much of a passage is read when the whole is refused.
const SHORTER: [usize; 2] = [1_000, 300];
/// Passages in one request. Their vectors are one transaction.
const AT_ONCE: i64 = 32;
/// Requests of one run: then other agencies' work has its turn.
const REQUESTS: usize = 20;
/// The most of a passage that is read: more than any model takes.
const MOST_READ: usize = 8_000;
/// How long an answer may take: nobody waits for it.
const FOR_PASSAGES: Duration = Duration::from_secs(40);
/// How long the first try after a failure waits; each further one waits twice as long, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// While the other job is at it.
const LOOK_AGAIN: Verdict = Verdict::Later(Duration::from_secs(3));

/// Reads passages whose meaning is not known, some at a time. Safe to repeat, and to stop anywhere.
pub(crate) async fn run(scope: &Scope, next: bool) -> Result<Verdict, AppError> {
    if next && is_other_at_it(&mut scope.read(Action::ReadWorkshop).await?).await? {
        return Ok(LOOK_AGAIN);
    }
    let Some((found, set)) = begin(scope).await? else { return Ok(Verdict::Done) };
    let mut is_news = false;
    let verdict = work(scope, next, &found, set, &mut is_news).await?;
    if is_news {
        let mut tx = scope.write(MANAGE).await?;
        tx.notify(Topic::list("knowledge"), None);
        tx.commit().await?;
    }
    Ok(verdict)
}

/// Whether the job that a `next` one follows is being done. Then that one looks afterwards whether something is left.
async fn is_other_at_it(tx: &mut ReadTx) -> Result<bool, AppError> {
    Ok(unfinished(tx, &EmbedKnowledge { next: false }).await? == Some(Unfinished::Held))
}

/// Reads what is missing now; for what comes meanwhile there is another job. `is_news`: something was read, or could not be.
async fn work(scope: &Scope, next: bool, found: &InForce, set: Uuid, is_news: &mut bool) -> Result<Verdict, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let entries = vectors::behind(&mut tx, set, AT_ONCE * REQUESTS as i64).await?;
    drop(tx);
    let mut after = None;
    for _ in 0..REQUESTS {
        let mut tx = scope.read(Action::ReadWorkshop).await?;
        if next && is_other_at_it(&mut tx).await? {
            return Ok(LOOK_AGAIN);
        }
        let missing = vectors::missing(&mut tx, set, &entries, after, AT_ONCE).await?;
        drop(tx);
        let Some(last) = missing.last() else { return Ok(Verdict::Done) };
        after = Some((last.entry, last.position));
        *is_news = true;
        match read_all(scope, found, set, &missing).await? {
            Read::Done => {}
            Read::OtherModel => return Ok(Verdict::Later(Duration::ZERO)),
            Read::Refused(why) => return failed(scope, found, set, &why, None).await,
            Read::Failed(why, wait) => return failed(scope, found, set, &why, wait).await,
        }
    }
    Ok(Verdict::Later(Duration::ZERO))
}

/// The model in force with its set; what others made of passages is gone. None: no model is chosen.
async fn begin(scope: &Scope) -> Result<Option<(InForce, Uuid)>, AppError> {
    let mut tx = scope.write(MANAGE).await?;
    let mut found = vectors::in_force(tx.reading()).await?;
    let mut set = None;
    let mut is_news = false;
    if let Some(found) = &mut found {
        is_news = found.set.is_none();
        set = Some(vectors::hold_set(&mut tx, found).await?);
        found.set = set;
    }
    tx.commit().await?;
    loop {
        let mut tx = scope.write(MANAGE).await?;
        let is_more = vectors::prune(&mut tx, set).await?;
        is_news |= is_more;
        if !is_more {
            vectors::prune_sets(&mut tx, set).await?;
            if is_news {
                tx.notify(Topic::list("knowledge"), None);
            }
        }
        tx.commit().await?;
        if !is_more {
            return Ok(found.zip(set));
        }
    }
}

enum Read {
    Done,
    /// Somebody has chosen another model meanwhile.
    OtherModel,
    /// The service will not have these texts, or this model.
    Refused(String),
    Failed(String, Option<Duration>),
}

/// Reads these passages. Of those that are refused together each half is read, down to the one that is to blame. Refused: the model is.
async fn read_all(scope: &Scope, found: &InForce, set: Uuid, missing: &[Missing]) -> Result<Read, AppError> {
    let mut parts = vec![missing];
    while let Some(part) = parts.pop() {
        let became = match read(scope, found, set, part, MOST_READ).await? {
            Read::Refused(_) if part.len() > 1 => {
                let (first, rest) = part.split_at(part.len() / 2);
                parts.extend([rest, first]);
                continue;
            }
            Read::Refused(why) => read_refused(scope, found, set, part, why).await?,
            other => other,
        };
        if !matches!(became, Read::Done) {
            return Ok(became);
        }
    }
    Ok(Read::Done)
}

/// Reads the beginning of a passage that is refused. If that is refused, too, but a plain word is not, the passage is found by its words
/// alone, and holds up no other one.
async fn read_refused(
    scope: &Scope,
    found: &InForce,
    set: Uuid,
    one: &[Missing],
    why: String,
) -> Result<Read, AppError> {
    for most in SHORTER {
        if one.iter().any(|one| text_of(one, MOST_READ).chars().count() > most) {
            match read(scope, found, set, one, most).await? {
                Read::Refused(_) => {}
                other => return Ok(other),
            }
        }
    }
    match told(scope, found, vec![PLAIN.to_owned()]).await? {
        Ok(_) => {}
        Err(Read::Refused(_)) => return Ok(Read::Refused(why)),
        Err(other) => return Ok(other),
    }
    tracing::warn!(chunks = ?one.iter().map(|one| one.chunk).collect::<Vec<_>>(), cause = %why, "a passage is refused by the model");
    write(scope, found, set, &[], Vec::new(), &one.iter().collect::<Vec<_>>()).await
}

/// Reads these passages, so many letters of each, and writes down what they mean.
async fn read(scope: &Scope, found: &InForce, set: Uuid, missing: &[Missing], most: usize) -> Result<Read, AppError> {
    // A passage of nothing but spaces means nothing, and some services refuse it.
    let (said, blank): (Vec<&Missing>, Vec<&Missing>) = missing.iter().partition(|one| !one.body.trim().is_empty());
    let texts: Vec<String> = said.iter().map(|one| text_of(one, most)).collect();
    match told(scope, found, texts).await? {
        Ok(vectors) => write(scope, found, set, &said, vectors, &blank).await,
        Err(other) => Ok(other),
    }
}

/// What the model makes of these texts; else what became of them.
async fn told(scope: &Scope, found: &InForce, texts: Vec<String>) -> Result<Result<Vec<Vec<f32>>, Read>, AppError> {
    if texts.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let texts = Texts { texts, patience: FOR_PASSAGES, client: None, agent: None };
    Ok(match ask(scope, texts).await? {
        Embedded::NotChosen => Err(Read::OtherModel),
        Embedded::Refused { sentence } => Err(Read::Refused(sentence)),
        Embedded::Failed { sentence, wait } => Err(Read::Failed(sentence, wait)),
        Embedded::Late => Err(Read::Failed(late(FOR_PASSAGES), None)),
        Embedded::Vectors { connection, model, .. } if connection != found.connection || model != found.model => {
            Err(Read::OtherModel)
        }
        Embedded::Vectors { vectors, .. } => Ok(vectors),
    })
}

/// Writes down what these passages mean, and that blank ones mean nothing.
async fn write(
    scope: &Scope,
    found: &InForce,
    set: Uuid,
    said: &[&Missing],
    vectors: Vec<Vec<f32>>,
    blank: &[&Missing],
) -> Result<Read, AppError> {
    let length = vectors.first().map(Vec::len);
    if vectors.len() != said.len() || vectors.iter().any(|vector| Some(vector.len()) != length) {
        return Ok(Read::Failed("Its answer does not have one vector for each passage.".to_owned(), None));
    }
    let mut tx = scope.write(MANAGE).await?;
    vectors::hold_set(&mut tx, found).await?;
    let now = vectors::in_force(tx.reading()).await?;
    let Some(now) = now.filter(|now| now.set == Some(set)) else { return Ok(Read::OtherModel) };
    let length = length.and_then(|length| i32::try_from(length).ok());
    if let (Some(before), Some(length)) = (now.dimensions, length)
        && before != length
    {
        return Ok(Read::Failed(another_model(before, length), None));
    }
    let new: Vec<NewVector> = said
        .iter()
        .zip(vectors)
        .map(|(one, vector)| NewVector { chunk: one.chunk, signs: signs(&vector), vector })
        .collect();
    if let Some(length) = length {
        vectors::insert(&mut tx, set, &new, length).await?;
    }
    let none = |one: &&Missing| NewVector { chunk: one.chunk, signs: String::new(), vector: Vec::new() };
    let blank: Vec<NewVector> = blank.iter().map(none).collect();
    if !blank.is_empty() {
        vectors::insert(&mut tx, set, &blank, 0).await?;
    }
    vectors::went_well(&mut tx, set, length).await?;
    tx.commit().await?;
    Ok(Read::Done)
}

/// The passage as it is read: its place often has the word that it is about.
fn text_of(one: &Missing, most: usize) -> String {
    let text = if one.place.is_empty() { one.body.clone() } else { format!("{}\n{}", one.place, one.body) };
    text.chars().take(most).collect()
}

fn another_model(before: i32, now: i32) -> String {
    format!(
        "Its vectors have {now} numbers, and those before had {before}: another model answers under this name. Choose another model, or \
         take the choice back and choose it again, to have all passages read anew."
    )
}

/// Says so on the pages, and comes back later.
async fn failed(
    scope: &Scope,
    found: &InForce,
    set: Uuid,
    why: &str,
    wait: Option<Duration>,
) -> Result<Verdict, AppError> {
    let mut tx = scope.write(MANAGE).await?;
    vectors::hold_set(&mut tx, found).await?;
    let now = vectors::in_force(tx.reading()).await?;
    let Some(now) = now.filter(|now| now.set == Some(set)) else { return Ok(Verdict::Later(Duration::ZERO)) };
    let usual = (FIRST_WAIT * 2_u32.pow(now.failures.clamp(0, 10) as u32)).min(LONGEST_WAIT);
    let wait = wait.map_or(usual, |asked| asked.max(usual).min(Duration::from_secs(3600)));
    let why: String = why.chars().take(600).collect();
    vectors::went_wrong(&mut tx, set, &why, wait.as_secs_f64()).await?;
    tx.commit().await?;
    tracing::warn!(cause = %why, "passages could not be read for their meaning");
    Ok(Verdict::Later(wait))
}
