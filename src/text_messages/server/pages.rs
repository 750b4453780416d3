//! What the pages show.

use super::calls::values_of;
use super::costs;
use super::store::{list, numbers, rules};
use super::writing;
use crate::model::{
    RuleFields, RuleForm, RuleList, RulePage, RuleQuery, TextList, TextPreview, TextQuery, TextThread, fill, length,
};
use patchbay_access::server::ReadTx;
use patchbay_access::{Action, Field};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ContactId, TextMessageId, TextRuleId};

/// Rows on a page.
const ROWS: usize = 50;
/// Times of day that a new rule begins with.
const USUAL: (&str, &str) = ("08:00", "20:00");

pub(crate) async fn texts(tx: &mut ReadTx, query: &TextQuery) -> Result<TextList, AppError> {
    let page = list::list(tx, query, ROWS).await?;
    // Rules and numbers are the agency's.
    if tx.scope().client_id().is_some() {
        return Ok(TextList { page, rules: Vec::new(), numbers: Vec::new(), silent: Vec::new() });
    }
    let rules = rules::names(tx).await?;
    Ok(TextList { page, rules, numbers: numbers::used(tx).await?, silent: numbers::silent(tx).await? })
}

/// Errors: `NotFound`.
pub(crate) async fn thread(
    tx: &mut ReadTx,
    contact: ContactId,
    cursor: Option<String>,
) -> Result<TextThread, AppError> {
    let person = list::person(tx, contact).await?;
    let query = TextQuery { contact: Some(contact.to_string()), cursor, ..TextQuery::default() };
    let page = list::list(tx, &query, ROWS).await?;
    let may_send = tx.scope().may(Action::ManageTexts);
    let numbers = if may_send { numbers::usable(tx, person.client).await? } else { Vec::new() };
    let sees_cost = tx.scope().sees(Field::Cost);
    let refused = match writing::refusal(&person) {
        _ if !may_send => None,
        Some(why) => Some(why),
        None => costs::held_back(tx, person.client, sees_cost).await?,
    };
    Ok(TextThread {
        refused,
        contact,
        name: person.name,
        phone: person.phone,
        client: person.client_name,
        page,
        numbers,
        may_send,
        key: TextMessageId::new(),
    })
}

pub(crate) async fn rule_list(tx: &mut ReadTx, query: &RuleQuery) -> Result<RuleList, AppError> {
    let may_edit = tx.scope().may(Action::ManageTexts);
    Ok(RuleList { page: rules::list(tx, query, ROWS).await?, may_edit })
}

/// One rule, or the form of a new one; `contact`: for whom its message is shown. Errors: `NotFound`.
pub(crate) async fn rule(
    tx: &mut ReadTx,
    id: Option<TextRuleId>,
    contact: Option<ContactId>,
) -> Result<RulePage, AppError> {
    let may_edit = tx.scope().may(Action::ManageTexts);
    let names = patchbay_clients::server::names(tx).await?;
    let mut clients: Vec<(String, String)> = names.into_iter().map(|row| (row.id.to_string(), row.name)).collect();
    let numbers = numbers::all(tx, id).await?;
    let Some(id) = id else {
        let form = RuleForm { hours_start: USUAL.0.to_owned(), hours_end: USUAL.1.to_owned(), ..RuleForm::default() };
        return Ok(RulePage { row: None, form, clients, numbers, contacts: Vec::new(), preview: None, may_edit });
    };
    let row = rules::row(tx, id).await?;
    // A client that was archived since is still the rule's.
    let own = row.client_id.to_string();
    if clients.iter().all(|(known, _)| *known != own) {
        clients.push((own, format!("{} (archived)", row.client)));
    }
    let fields = RuleFields {
        name: row.name.clone(),
        client: Some(row.client_id),
        outcomes: row.outcomes.clone(),
        template: row.template.clone(),
        number: row
            .number
            .as_ref()
            .and_then(|number| numbers.iter().find(|choice| &choice.number == number))
            .map(|choice| choice.id),
        delay_minutes: row.delay_minutes,
        hours: row.hours.clone(),
    };
    let contacts = list::newest_people(tx, row.client_id).await?;
    let chosen = contact.or_else(|| contacts.first().and_then(|(id, _)| id.parse().ok()));
    let preview = match chosen {
        Some(contact) => {
            let person = list::person(tx, contact).await?;
            if person.client != row.client_id {
                return Err(AppError::NotFound);
            }
            let text = fill(&row.template, &values_of(&person));
            let length = text.as_ref().ok().map(|text| length(text));
            Some(TextPreview { contact: person.id.to_string(), text, length })
        }
        None => None,
    };
    let form = RuleForm::of(id.to_string(), &fields);
    Ok(RulePage { row: Some(row), form, clients, numbers, contacts, preview, may_edit })
}
