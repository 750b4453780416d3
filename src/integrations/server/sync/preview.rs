//! What records would become with the mapping as it is. Nothing is written.

use std::collections::BTreeMap;

use super::Work;
use super::read::{Page, name_there};
use crate::model::Remedy;
use crate::server::mapping::{Outcome, Problem, Said, ours};
use patchbay_access::server::WriteTx;
use patchbay_providers::crm::CrmRecord;
use patchbay_shared::AppError;

/// What a record would become, for the preview: nothing is written.
pub(crate) async fn preview(
    tx: &mut WriteTx,
    work: &Work<'_>,
    records: &[CrmRecord],
) -> Result<Vec<crate::model::PreviewRow>, AppError> {
    let newest: BTreeMap<&str, &CrmRecord> = records.iter().map(|record| (record.id.as_str(), record)).collect();
    let ids: Vec<String> = newest.keys().map(|id| (*id).to_owned()).collect();
    let page = Page::of(tx, work, &ids, &newest).await?;
    let rules = work.rules();
    let mut rows = Vec::new();
    for record in newest.values() {
        let link = page.links.get(&record.id);
        let linked = link.and_then(|link| link.contact_id).and_then(|id| page.contacts.get(&id));
        let theirs = rules.read(record);
        let said = Said::default();
        let contact = linked.or_else(|| page.alike(&theirs, &said));
        let agreed = link.filter(|_| linked.is_some()).map(|link| &link.agreed.0);
        let decided = rules.decide(record, agreed, contact, &said);
        let (outcome, is_ok, after) = match decided {
            Ok(decision) => {
                let outcome = match &decision.outcome {
                    Outcome::New => "new here".to_owned(),
                    Outcome::Changed(fields) if fields.len() == 1 => "changes 1 field".to_owned(),
                    Outcome::Changed(fields) => format!("changes {} fields", fields.len()),
                    Outcome::Same if decision.suppress => "must not be called any more".to_owned(),
                    Outcome::Same => "stays as it is".to_owned(),
                    Outcome::Left(why) => format!("left out: {why}"),
                };
                (outcome, !matches!(decision.outcome, Outcome::Left(_)), decision.contact)
            }
            Err(Problem { words, remedy: Remedy::Choose, .. }) => (format!("you choose: {words}"), false, None),
            Err(problem) => (format!("not taken: {}", problem.words), false, None),
        };
        let fields = rules.of_contact().map(|line| {
            let before = contact.map(|contact| ours(contact, &line.ours)).unwrap_or_default();
            let now = after.as_ref().map(|after| ours(after, &line.ours));
            let now = now.or_else(|| theirs.get(&line.ours).cloned()).unwrap_or_default();
            (line.ours.clone(), before, now)
        });
        rows.push(crate::model::PreviewRow {
            name: name_there(work, record),
            outcome,
            is_ok,
            fields: fields.collect(),
        });
    }
    Ok(rows)
}
