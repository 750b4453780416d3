//! Moving labels: at once, or after a second person has agreed; and going back.

use serde_json::json;

use super::ops::{PromptChanged, notify, record};
use super::store::labels::{self as moves, NewMove};
use super::store::{self, Prompt};
use crate::model::{MOST_LABELS, MoveStatus, PRODUCTION, read_label};
use patchbay_access::Action;
use patchbay_access::server::{Fields, ReadTx, WriteTx};
use patchbay_services::HookFuture;
use patchbay_shared::ids::{PromptId, PromptMoveId};
use patchbay_shared::{AppError, Reason};

/// Asked, in the transaction that would let agents say a version, whether they may: none, or the reason why not and what to do. Boot gives
/// it.
pub struct ProductionGate(pub for<'a> fn(&'a mut ReadTx, PromptId, i32) -> HookFuture<'a, Option<String>>);

/// The longest note and answer, in characters.
const LONGEST_NOTE: usize = 300;

fn check_note(field: &str, note: &str) -> Result<String, AppError> {
    let note = note.trim();
    if note.chars().count() > LONGEST_NOTE {
        return Err(AppError::invalid(field, "Keep the note below 300 characters."));
    }
    Ok(note.to_owned())
}

fn refuse_inactive(prompt: &Prompt) -> Result<(), AppError> {
    if prompt.is_active {
        return Ok(());
    }
    Err(AppError::Conflict(
        Reason::WrongState,
        "This prompt is deactivated. Restore it first, then move its labels.".into(),
    ))
}

/// Moves a label to a version, or puts a new one there. `was`: where the person saw it, for going back. Errors: `NotFound`; `Invalid`;
/// `Conflict` where it has moved since, or something that it needs is missing.
pub(crate) async fn move_label(
    tx: &mut WriteTx,
    id: PromptId,
    label: &str,
    version: i32,
    note: &str,
    was: Option<i32>,
) -> Result<(), AppError> {
    let label = read_label(label).map_err(|message| AppError::invalid("label", message))?;
    let note = check_note("note", note)?;
    let prompt = store::lock(tx, id).await?;
    store::version_text(tx.reading(), id, version).await?;
    refuse_inactive(&prompt)?;
    let now = moves::labelled(tx.reading(), id, &label).await?;
    if was.is_some() && was != now {
        let there = now.map_or_else(|| "on no version".to_owned(), |now| format!("on version {now}"));
        return Err(AppError::Conflict(
            Reason::StalePage,
            format!(
                "The label {label} has been moved in the meantime: it is {there} now. Look at the page again, and decide anew."
            ),
        ));
    }
    if label == PRODUCTION {
        return release(tx, id, &prompt, version, &note, "").await;
    }
    if now == Some(version) {
        return Ok(());
    }
    if now.is_none() && moves::count(tx.reading(), id).await? >= MOST_LABELS as i64 {
        return Err(AppError::invalid(
            "label",
            format!("A prompt has at most {MOST_LABELS} labels. Take one away first."),
        ));
    }
    put(tx, id, &label, now, Some(version), &note).await?;
    let side = |version: Option<i32>| json!({"label": label, "version": version});
    record(tx, "labelled", id, Fields::Changed { before: side(now), after: side(Some(version)) }).await?;
    notify(tx, id);
    Ok(())
}

/// Takes a label of the agency's own, or `staging`, off its version. Errors: `Conflict` for `production`, which is only moved.
pub(crate) async fn remove_label(tx: &mut WriteTx, id: PromptId, label: &str) -> Result<(), AppError> {
    let prompt = store::lock(tx, id).await?;
    refuse_inactive(&prompt)?;
    if label == PRODUCTION {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "The label production is moved to another version, and not taken away: agents would say an unchecked one."
                .into(),
        ));
    }
    let Some(now) = moves::labelled(tx.reading(), id, label).await? else { return Ok(()) };
    put(tx, id, label, Some(now), None, "").await?;
    let side = |version: Option<i32>| json!({"label": label, "version": version});
    record(tx, "labelled", id, Fields::Changed { before: side(Some(now)), after: side(None) }).await?;
    notify(tx, id);
    Ok(())
}

/// Lets agents say a version, or asks a second person where the prompt wants that. The caller holds the prompt's lock. `field`: where an
/// obstacle is shown in the form; empty: it has none.
pub(crate) async fn release(
    tx: &mut WriteTx,
    id: PromptId,
    prompt: &Prompt,
    version: i32,
    note: &str,
    field: &str,
) -> Result<(), AppError> {
    let now = moves::production(tx.reading(), id).await?;
    if now == Some(version) {
        return Ok(());
    }
    if let Some(reason) = gate(tx, id, version).await? {
        // What is refused here is not saved, and what is not saved cannot be tested.
        return Err(match field {
            "" => AppError::Conflict(Reason::NotReady, reason),
            "production" => {
                AppError::invalid(field, format!("{reason} Save it without this tick first, and move the label then."))
            }
            field => AppError::invalid(
                field,
                format!(
                    "{reason} Save it on the prompt’s page without “Use in production” first, and move the label then."
                ),
            ),
        });
    }
    if prompt.needs_second_person {
        let former = moves::waiting(tx.reading(), id).await?;
        let replaced = former.as_ref().map(|waiting| waiting.to);
        match former {
            // The same wish again is the same wish, and a newer one takes its place.
            Some(waiting) if waiting.is_own && waiting.to == version => return Ok(()),
            Some(waiting) if waiting.is_own => {
                let why = format!("Asked for version {version} in its place.");
                moves::decide(tx, waiting.id, MoveStatus::Withdrawn, &why).await?;
            }
            Some(waiting) => {
                let reason = format!(
                    "{} has asked to move production to version {}, which nobody has answered yet. Answer that first.",
                    waiting.asked_by, waiting.to
                );
                return Err(match field {
                    "" => AppError::Conflict(Reason::WrongState, reason),
                    field => AppError::invalid(field, reason),
                });
            }
            None => {}
        }
        let asked =
            NewMove { prompt: id, label: PRODUCTION, from: now, to: Some(version), note, status: MoveStatus::Waiting };
        moves::insert(tx, &asked).await?;
        let side = |asked: Option<i32>| json!({"production": now, "asked_for": asked});
        record(tx, "asked_for_release", id, Fields::Changed { before: side(replaced), after: side(Some(version)) })
            .await?;
        notify(tx, id);
        return Ok(());
    }
    set_production(tx, id, now, version, note).await
}

/// Why agents may not say this version, if so.
pub(crate) async fn gate(tx: &mut WriteTx, id: PromptId, version: i32) -> Result<Option<String>, AppError> {
    let gate = tx.services().hooks.get::<ProductionGate>()?.0;
    gate(tx.reading(), id, version).await
}

/// A newest version was saved that is not to be said. While no version has the label, agents say the newest: where this one may not be
/// said, the version before it gets the label, so that they go on saying that.
pub(crate) async fn saved_unreleased(tx: &mut WriteTx, id: PromptId, former: i32, newest: i32) -> Result<(), AppError> {
    if moves::production(tx.reading(), id).await?.is_some() {
        return Ok(());
    }
    if gate(tx, id, newest).await?.is_some() {
        return pin(tx, id, former, "Stays in production: the next version may not be said yet").await;
    }
    changed(tx, id).await
}

/// Puts the label on the version that agents say without it.
pub(crate) async fn pin(tx: &mut WriteTx, id: PromptId, version: i32, note: &str) -> Result<(), AppError> {
    put(tx, id, PRODUCTION, None, Some(version), note).await?;
    let side = |version: Option<i32>| json!({"production": version});
    record(tx, "released", id, Fields::Changed { before: side(None), after: side(Some(version)) }).await
}

/// The first version of a new prompt, which no agent uses yet.
pub(crate) async fn release_first(tx: &mut WriteTx, id: PromptId, note: &str) -> Result<(), AppError> {
    put(tx, id, PRODUCTION, None, Some(1), note).await
}

async fn set_production(
    tx: &mut WriteTx,
    id: PromptId,
    now: Option<i32>,
    version: i32,
    note: &str,
) -> Result<(), AppError> {
    // Whoever asked for a move from where the label no longer is has to ask anew.
    if let Some(waiting) = moves::waiting(tx.reading(), id).await? {
        let why = format!("Production was moved to version {version} meanwhile.");
        moves::decide(tx, waiting.id, MoveStatus::Withdrawn, &why).await?;
    }
    put(tx, id, PRODUCTION, now, Some(version), note).await?;
    let fields = Fields::Changed { before: json!({"production": now}), after: json!({"production": version}) };
    record(tx, "released", id, fields).await?;
    changed(tx, id).await?;
    notify(tx, id);
    Ok(())
}

async fn put(
    tx: &mut WriteTx,
    id: PromptId,
    label: &str,
    from: Option<i32>,
    to: Option<i32>,
    note: &str,
) -> Result<(), AppError> {
    moves::put(tx, id, label, to).await?;
    moves::insert(tx, &NewMove { prompt: id, label, from, to, note, status: MoveStatus::Done }).await?;
    Ok(())
}

/// Agents say other words from now on.
async fn changed(tx: &mut WriteTx, id: PromptId) -> Result<(), AppError> {
    let changed = tx.services().hooks.get::<PromptChanged>()?.0;
    changed(tx, id).await
}

/// A second person's answer to a move that waits. Errors: `Conflict` for whoever asked for it, for one that is answered already, and where
/// what it needs is missing by now.
pub(crate) async fn decide(
    tx: &mut WriteTx,
    id: PromptMoveId,
    approves: bool,
    answer: &str,
) -> Result<PromptId, AppError> {
    let answer = check_note("answer", answer)?;
    let prompt_id = moves::prompt_of(tx.reading(), id).await?;
    let prompt = store::lock(tx, prompt_id).await?;
    let asked = moves::asked(tx.reading(), id).await?;
    let wanted = if approves { MoveStatus::Done } else { MoveStatus::Refused };
    if asked.status == wanted {
        return Ok(prompt_id);
    }
    refuse_answered(asked.status)?;
    if asked.user.is_some() && asked.user == tx.user_id() {
        return Err(AppError::Conflict(
            Reason::WrongPerson,
            "You asked for this move yourself. Another owner or admin approves it; you can withdraw it.".into(),
        ));
    }
    if !approves && answer.is_empty() {
        return Err(AppError::invalid("answer", "Say in a few words why not, for whoever asked."));
    }
    let side =
        |waiting: bool| json!({"asked_for": waiting.then_some(asked.to), "answer": (!waiting).then_some(&answer)});
    if !approves {
        moves::decide(tx, id, MoveStatus::Refused, &answer).await?;
        record(tx, "refused_release", prompt_id, Fields::Changed { before: side(true), after: side(false) }).await?;
        notify(tx, prompt_id);
        return Ok(prompt_id);
    }
    refuse_inactive(&prompt)?;
    if let Some(reason) = gate(tx, prompt_id, asked.to).await? {
        return Err(AppError::Conflict(Reason::NotReady, reason));
    }
    moves::put(tx, prompt_id, PRODUCTION, Some(asked.to)).await?;
    moves::decide(tx, id, MoveStatus::Done, &answer).await?;
    let note = asked.note;
    let before = json!({"production": asked.from, "asked_for": asked.to, "note": note, "answer": null});
    let after = json!({"production": asked.to, "asked_for": null, "note": note, "answer": answer});
    record(tx, "released", prompt_id, Fields::Changed { before, after }).await?;
    changed(tx, prompt_id).await?;
    notify(tx, prompt_id);
    Ok(prompt_id)
}

/// Whoever asked for a move takes the wish back. Errors: `Conflict` for others, and for one that is answered already.
pub(crate) async fn withdraw(tx: &mut WriteTx, id: PromptMoveId) -> Result<PromptId, AppError> {
    let prompt_id = moves::prompt_of(tx.reading(), id).await?;
    store::lock(tx, prompt_id).await?;
    let asked = moves::asked(tx.reading(), id).await?;
    if asked.status == MoveStatus::Withdrawn {
        return Ok(prompt_id);
    }
    refuse_answered(asked.status)?;
    if asked.user != tx.user_id() {
        return Err(AppError::Conflict(
            Reason::WrongPerson,
            "Only whoever asked for this move withdraws it. You can refuse it.".into(),
        ));
    }
    moves::decide(tx, id, MoveStatus::Withdrawn, "").await?;
    let side = |asked: Option<i32>| json!({"asked_for": asked});
    record(tx, "withdrew_release", prompt_id, Fields::Changed { before: side(Some(asked.to)), after: side(None) })
        .await?;
    notify(tx, prompt_id);
    Ok(prompt_id)
}

fn refuse_answered(status: MoveStatus) -> Result<(), AppError> {
    let became = match status {
        MoveStatus::Waiting => return Ok(()),
        MoveStatus::Done => "approved",
        MoveStatus::Refused => "refused",
        MoveStatus::Withdrawn => "withdrawn",
    };
    Err(AppError::Conflict(
        Reason::StalePage,
        format!("This move has been {became} in the meantime. Look at the page again."),
    ))
}

/// Whether a move of `production` waits for a second person from now on. Owners alone lift the rule, else it would bind nobody. The version
/// that agents say gets the label, so that a version which is merely saved is not said.
pub(crate) async fn set_rule(tx: &mut WriteTx, id: PromptId, needs_second_person: bool) -> Result<(), AppError> {
    let prompt = store::lock(tx, id).await?;
    if prompt.needs_second_person == needs_second_person {
        return Ok(());
    }
    if !needs_second_person && !tx.scope().may(Action::ManageWorkspace) {
        return Err(AppError::Conflict(
            Reason::WrongPerson,
            "Only an owner of the agency lets one person move production again.".into(),
        ));
    }
    if needs_second_person && moves::production(tx.reading(), id).await?.is_none() {
        pin(tx, id, prompt.version, "Stays in production: further moves need a second person").await?;
    }
    store::set_rule(tx, id, needs_second_person).await?;
    let side = |on: bool| json!({"second_person": on});
    let fields = Fields::Changed { before: side(prompt.needs_second_person), after: side(needs_second_person) };
    record(tx, "changed_rule", id, fields).await?;
    notify(tx, id);
    Ok(())
}
