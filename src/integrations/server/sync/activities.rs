//! Activities of a CRM: notes, calls, tasks and meetings of its people, kept for the page of the contact. What we wrote there ourselves is
//! not taken for somebody else's.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::read::{self, PAGE, settled};
use super::{Cursor, ENDLESS, Phase, Step, Trouble, Work, fail, holds, is_endless, written};
use super::{outcomes, reading_rests, retries, write};
use crate::model::{CrmConfig, SyncType};
use crate::server::store::activities::{self, NewActivity};
use crate::server::store::syncs::{Entry, Sync, Tally};
use crate::server::store::{calls, links, notices};
use patchbay_access::Action;
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_providers::crm::{Crm, CrmActivity, CrmActivityKind, CrmObject};
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::AppError;
use patchbay_shared::ids::ContactId;

/// Open pages of so many people are told of a page of activities; of more, the end of the sync tells.
const MOST_TOLD: usize = 20;
/// How often all are read.
const WHOLE: TimeDelta = TimeDelta::days(7);
/// After so many pages what waits is exchanged.
const OFTEN: u32 = 10;
/// Pages of people who changed, in between.
const MOST_BETWEEN: u32 = 10;
/// Letters of a text that stand for a title.
const TITLE: usize = 80;

/// From when on activities are asked for. Whom one belongs to changes there without a trace, so all of them are read once a week.
pub(super) fn since(config: &CrmConfig, now: DateTime<Utc>) -> Option<String> {
    let whole: Option<DateTime<Utc>> = config.activities_whole_at.as_deref().and_then(|text| text.parse().ok());
    config.activities_until.clone().filter(|_| whole.is_some_and(|at| at + WHOLE > now))
}

/// Which list is read, and the place in it: `note`, or `call:` and the service's own word.
struct Place {
    kind: CrmActivityKind,
    next: Option<String>,
}

impl Place {
    fn read(text: Option<&str>) -> Self {
        let (word, next) = match text.and_then(|text| text.split_once(':')) {
            Some((word, next)) => (Some(word), Some(next.to_owned())),
            None => (text, None),
        };
        let kind = CrmActivityKind::ALL.into_iter().find(|kind| Some(kind.as_str()) == word);
        Self { kind: kind.unwrap_or(CrmActivityKind::Note), next }
    }

    /// The place behind a page: in the same list, or at the beginning of the next one. None: all are read.
    fn on(&self, next: Option<String>) -> Option<String> {
        let word = self.kind.as_str();
        match next {
            Some(next) => Some(format!("{word}:{next}")),
            None => {
                let mut rest = CrmActivityKind::ALL.into_iter().skip_while(|kind| *kind != self.kind);
                rest.nth(1).map(|kind| kind.as_str().to_owned())
            }
        }
    }
}

/// The account has no such list, or may not read it: the others are read.
fn is_closed(error: &ProviderError) -> bool {
    match error.kind {
        Kind::NotFound | Kind::Rejected => error.status != Some(402),
        Kind::Credentials => error.status == Some(403),
        _ => false,
    }
}

/// All of them may be many, and an integration has one sync at a time: now and then what waits is exchanged in between, so that who must
/// not be called and results of calls do not wait for the last page. `Through`: the next page is read.
pub(super) async fn meanwhile(work: &Work<'_>, sync: &Sync, cursor: &Cursor, crm: &dyn Crm) -> Result<Step, Trouble> {
    let is_reading = sync.kind == SyncType::Activities && matches!(cursor.phase, Phase::Pages | Phase::Removed);
    if !is_reading || cursor.pages % OFTEN != OFTEN - 1 {
        return Ok(Step::Through);
    }
    // Each takes some of what is due, and keeps the place of the sync.
    let ended = [
        write::flags(work, sync, crm).await?,
        retries::again(work, sync, crm).await?,
        write::contacts(work, sync, crm).await?,
        outcomes::calls(work, sync, crm).await?,
    ];
    if ended.iter().any(|ended| matches!(ended, Step::NotOurs)) {
        return Ok(Step::NotOurs);
    }
    people(work, sync, cursor, crm).await
}

/// People who changed there, when the clock would have them read by now. The next round reads them again, with all that is more than some
/// pages.
async fn people(work: &Work<'_>, sync: &Sync, cursor: &Cursor, crm: &dyn Crm) -> Result<Step, Trouble> {
    let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let settings = &work.config.settings;
    let last = time(&work.config.read_at).max(cursor.people_at);
    let (Some(since), Some(last)) = (time(&work.config.contacts_until), last) else { return Ok(Step::Through) };
    let mut tx = work.scope.read(Action::ReadIntegrations).await?;
    let now = tx.now().await?;
    drop(tx);
    let is_due = settings.every_minutes > 0 && last + TimeDelta::minutes(i64::from(settings.every_minutes)) <= now;
    if !is_due || !settings.types.contains(&SyncType::Contacts) || reading_rests(crm) {
        return Ok(Step::Through);
    }
    let (properties, since, mut next) = (work.rules().properties(), settled(since, crm), None);
    for at in 1..=MOST_BETWEEN {
        let page = crm.page(CrmObject::Contact, &properties, Some(since), next.as_deref(), PAGE).await?;
        next = page.next.filter(|_| at < MOST_BETWEEN);
        let mut tx = work.scope.write(Action::ManageIntegrations).await?;
        if !holds(&mut tx, sync).await? {
            return Ok(Step::NotOurs);
        }
        let (tally, entries) = read::take(&mut tx, work, &page.records).await?;
        // The place moves with the last of them.
        let people_at = if next.is_none() { Some(now) } else { cursor.people_at };
        written(&mut tx, work, sync, &Cursor { people_at, ..cursor.clone() }, tally, &entries).await?;
        tx.commit().await?;
        if next.is_none() {
            break;
        }
    }
    Ok(Step::More)
}

/// The next page of activities.
pub(super) async fn page(work: &Work<'_>, sync: &Sync, cursor: &Cursor, crm: &dyn Crm) -> Result<Step, Trouble> {
    let place = Place::read(cursor.next.as_deref());
    let word = place.kind.as_str();
    // A list that could not be read last time has all of it to come.
    let was_missing = work.config.activities_missing.iter().any(|kind| kind == word);
    let since = cursor.since.filter(|_| !was_missing).map(|since| settled(since, crm));
    let (found, next, refused) = match crm.activities(place.kind, since, place.next.as_deref(), PAGE).await {
        Ok(page) => (page.activities, page.next, None),
        Err(error) if place.next.is_none() && is_closed(&error) => (Vec::new(), None, Some(error)),
        Err(error) => return Err(error.into()),
    };
    let next = place.on(next);
    if is_endless(cursor, next.as_deref()) {
        fail(work, sync, ENDLESS).await?;
        return Ok(Step::NotOurs);
    }
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(Step::NotOurs);
    }
    let mut missing = cursor.missing.clone();
    let (tally, entries) = match refused {
        Some(error) => {
            missing.push(word.to_owned());
            let why = match error.kind {
                Kind::Credentials => "The sign-in does not allow it: sign in again, and they come, too.".to_owned(),
                _ => error.sentence(),
            };
            let message = format!("{} does not let its {word}s be read. {why}", work.system());
            let entry = Entry { action: "read", result: "skipped", kind: word, message, ..Entry::default() };
            (Tally { skipped: 1, ..Tally::default() }, vec![entry])
        }
        None => take(&mut tx, work, place.kind, &found, cursor).await?,
    };
    let is_last = next.is_none();
    let moved = Cursor { next, pages: cursor.pages + 1, missing, ..cursor.clone() };
    written(&mut tx, work, sync, &moved, tally, &entries).await?;
    tx.commit().await?;
    Ok(if is_last { Step::Through } else { Step::More })
}

async fn take(
    tx: &mut WriteTx,
    work: &Work<'_>,
    kind: CrmActivityKind,
    found: &[CrmActivity],
    cursor: &Cursor,
) -> Result<(Tally, Vec<Entry>), AppError> {
    let (integration, word) = (work.integration.id, kind.as_str());
    let newest: BTreeMap<&str, &CrmActivity> = found.iter().map(|one| (one.id.as_str(), one)).collect();
    let ids: Vec<String> = newest.keys().map(|id| (*id).to_owned()).collect();
    let ours = ours(tx, work, kind, &ids, found).await?;
    let named: Vec<String> = newest.values().flat_map(|one| one.contacts.iter().cloned()).collect();
    let erased = notices::erased(tx.reading(), integration, &named).await?;
    let theirs = newest.values().filter(|one| !ours.contains(&one.id));
    let mut rows: BTreeMap<(&str, &str), NewActivity<'_>> = BTreeMap::new();
    for one in theirs {
        for contact in one.contacts.iter().filter(|contact| !erased.contains(*contact)) {
            let new = NewActivity {
                remote_id: &one.id,
                contact,
                title: &one.title,
                body: &one.text,
                state: &one.state,
                at: one.at.or(one.changed_at).unwrap_or(cursor.began),
                changed_at: one.changed_at,
            };
            rows.insert((&one.id, contact), new);
        }
    }
    let remote: Vec<String> = rows.keys().map(|(id, _)| (*id).to_owned()).collect();
    let people: Vec<String> = rows.keys().map(|(_, contact)| (*contact).to_owned()).collect();
    let rows: Vec<NewActivity<'_>> = rows.into_values().collect();
    let mut changed: BTreeMap<String, bool> = BTreeMap::new();
    for (id, is_new) in activities::put(tx, integration, work.client, word, &rows).await? {
        changed.entry(id).and_modify(|all| *all &= is_new).or_insert(is_new);
    }
    for id in activities::keep_only(tx, integration, word, &ids, (&remote, &people)).await? {
        changed.insert(id, false);
    }
    let links = links::of_records(tx.reading(), integration, "contact", &people).await?;
    let contacts: HashMap<&str, ContactId> =
        links.iter().filter_map(|link| Some((link.remote_id.as_str(), link.contact_id?))).collect();
    let skipped = newest.len() - changed.keys().filter(|id| newest.contains_key(id.as_str())).count();
    let mut tally = Tally { skipped: i32::try_from(skipped).unwrap_or(i32::MAX), ..Tally::default() };
    let (mut entries, mut told) = (Vec::new(), BTreeSet::new());
    for (id, is_new) in &changed {
        let Some(one) = newest.get(id.as_str()) else { continue };
        let mut here = one.contacts.iter().filter_map(|contact| contacts.get(contact.as_str()).copied());
        let contact = here.next();
        told.extend(contact.into_iter().chain(here));
        tally.read += 1;
        entries.push(Entry {
            action: "read",
            result: "done",
            kind: word,
            remote_id: Some(id.clone()),
            contact,
            label: label(one),
            message: if *is_new { "New here." } else { "Changed." }.to_owned(),
            call: None,
        });
    }
    if told.len() <= MOST_TOLD {
        for contact in told {
            tx.notify(Topic::one("contact", contact), Some(work.client));
        }
    }
    Ok((tally, entries))
}

/// Those that we wrote: they are known by their ids, or, where that answer was lost, by our key.
async fn ours(
    tx: &mut WriteTx,
    work: &Work<'_>,
    kind: CrmActivityKind,
    ids: &[String],
    found: &[CrmActivity],
) -> Result<HashSet<String>, AppError> {
    let mut ours = HashSet::new();
    if !matches!(kind, CrmActivityKind::Call | CrmActivityKind::Task) {
        return Ok(ours);
    }
    let links = links::of_records(tx.reading(), work.integration.id, kind.as_str(), ids).await?;
    ours.extend(links.into_iter().map(|link| link.remote_id));
    let keys: Vec<(Uuid, &str)> =
        found.iter().filter_map(|one| Some((one.key.as_ref()?.parse().ok()?, one.id.as_str()))).collect();
    let asked: Vec<Uuid> = keys.iter().map(|(key, _)| *key).collect();
    let known = calls::known(tx.reading(), &asked).await?;
    ours.extend(keys.into_iter().filter(|(key, _)| known.contains(key)).map(|(_, id)| id.to_owned()));
    Ok(ours)
}

/// What stands for it in a list.
fn label(one: &CrmActivity) -> String {
    let text = if one.title.is_empty() { one.text.lines().next().unwrap_or_default() } else { &one.title };
    text.chars().take(TITLE).collect()
}

/// The next page of what went away there.
pub(super) async fn removed(work: &Work<'_>, sync: &Sync, cursor: &Cursor, crm: &dyn Crm) -> Result<Step, Trouble> {
    let place = Place::read(cursor.next.as_deref());
    let word = place.kind.as_str();
    let since = cursor.since.map(|since| settled(since, crm));
    let asked = crm.removed(CrmObject::Activity(place.kind), since, place.next.as_deref()).await;
    let (gone, next) = match asked {
        Ok(answer) => answer,
        // Not every service has this list for every kind.
        Err(error) if place.next.is_none() && is_closed(&error) => (Vec::new(), None),
        Err(error) => return Err(error.into()),
    };
    let next = place.on(next);
    if is_endless(cursor, next.as_deref()) {
        fail(work, sync, ENDLESS).await?;
        return Ok(Step::NotOurs);
    }
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(Step::NotOurs);
    }
    let ids: Vec<String> = gone.into_iter().map(|one| one.id).collect();
    let (mut tally, mut entries) = (Tally::default(), Vec::new());
    for (id, title) in activities::remove(&mut tx, work.integration.id, word, &ids).await? {
        tally.read += 1;
        let message = format!("It was removed in {}.", work.system());
        let entry = Entry { action: "remove", result: "done", kind: word, remote_id: Some(id), ..Entry::default() };
        entries.push(Entry { label: title, message, ..entry });
    }
    let is_last = next.is_none();
    let moved = Cursor { next, pages: cursor.pages + 1, ..cursor.clone() };
    written(&mut tx, work, sync, &moved, tally, &entries).await?;
    tx.commit().await?;
    Ok(if is_last { Step::Through } else { Step::More })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_one_after_the_other() {
        let mut seen = vec![Place::read(None).kind];
        let mut place = Place::read(None).on(None);
        while let Some(text) = place {
            let at = Place::read(Some(&text));
            assert_eq!(at.next, None);
            seen.push(at.kind);
            place = at.on(None);
        }
        assert_eq!(seen, CrmActivityKind::ALL);
        let within = Place::read(None).on(Some("from:5:7".to_owned()));
        let within = Place::read(within.as_deref());
        assert_eq!((within.kind, within.next.as_deref()), (CrmActivityKind::Note, Some("from:5:7")));
    }
}
