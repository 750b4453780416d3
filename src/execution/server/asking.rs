//! Rules that ask a person before something is done: which rule asks, and what the person is shown.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::jobs::MoveOnExecution;
use super::letters;
use super::plain::{cut, storable};
use super::store::approvals as store;
use crate::model::{ApprovalRule, AsksFor, EngineConfig, WorkerConfig};
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ApprovalId, ClientId, ExecutionJobId, SupervisorRunId};

/// Minutes that a rule may wait for somebody: a week.
const MOST_MINUTES: u32 = 7 * 24 * 60;
/// Rows of what a person is shown.
const MOST_DETAILS: usize = 12;
/// The longest value of such a row.
const LONGEST_DETAIL: usize = 500;
/// The longest program that is shown.
const LONGEST_PROGRAM: usize = 20_000;

/// The rule that asks before a job starts. `is_child`: another job asked for it, whose worker was looked at then. `cost`: what its run has
/// come to.
pub(super) fn at_start(config: &WorkerConfig, is_child: bool, cost: Decimal) -> Option<&ApprovalRule> {
    let agent = config.agent.as_ref().map(|agent| agent.id);
    config.rules.iter().find(|rule| match &rule.when {
        AsksFor::Worker { agent: asked } => !is_child && agent == Some(*asked),
        AsksFor::Process => matches!(config.config, EngineConfig::Process(_)),
        AsksFor::Cost { .. } => !is_child && exceeds(&rule.when, cost),
        AsksFor::Tool { .. } => false,
    })
}

/// Whether a run has cost more than a rule lets it without asking.
pub(super) fn exceeds(when: &AsksFor, cost: Decimal) -> bool {
    match when {
        AsksFor::Cost { above } => above.trim().parse::<Decimal>().is_ok_and(|above| cost > above),
        _ => false,
    }
}

/// The rule that asks before a tool is used.
pub(super) fn for_tool<'a>(rules: &'a [ApprovalRule], name: &str, arguments: &Value) -> Option<&'a ApprovalRule> {
    rules.iter().find(|rule| match &rule.when {
        AsksFor::Tool { name: asked, argument, above } if asked == name => match (argument, above) {
            (Some(argument), Some(above)) => match number(arguments.get(argument.as_str())) {
                Number::Is(value) => value > *above,
                // What cannot be compared is asked about: a model that writes words in place of a number gets by no rule.
                Number::Unreadable => true,
                Number::Missing => false,
            },
            _ => true,
        },
        _ => false,
    })
}

enum Number {
    Is(f64),
    Unreadable,
    Missing,
}

fn number(value: Option<&Value>) -> Number {
    match value {
        None | Some(Value::Null) => Number::Missing,
        Some(Value::Number(number)) => number.as_f64().map_or(Number::Unreadable, Number::Is),
        Some(Value::String(text)) => text.trim().parse().map_or(Number::Unreadable, Number::Is),
        Some(_) => Number::Unreadable,
    }
}

/// Of whom something is asked, and for what job.
pub(super) struct Asked<'a> {
    pub job: ExecutionJobId,
    pub run: Option<SupervisorRunId>,
    pub client: Option<ClientId>,
    pub rule: &'a ApprovalRule,
    pub tool: Option<&'a str>,
    pub title: &'a str,
    pub details: Vec<(String, String)>,
    pub content: &'a str,
}

/// Asks, tells whoever may decide, and sees to it that it expires.
pub(super) async fn ask(tx: &mut WriteTx, asked: &Asked<'_>) -> Result<ApprovalId, AppError> {
    let id = ApprovalId::new();
    let for_client = asked.rule.for_client && asked.client.is_some();
    let details = json!(asked.details);
    let new = store::NewApproval {
        id,
        job: asked.job,
        run: asked.run,
        client: asked.client,
        for_client,
        rule: &asked.rule.name,
        tool: asked.tool,
        title: asked.title,
        details: &details,
        content: asked.content,
        minutes: i32::try_from(asked.rule.minutes.clamp(1, MOST_MINUTES)).unwrap_or(1),
    };
    let expires = store::insert(tx, &new).await?;
    enqueue(tx, &MoveOnExecution { approval: id }, NewJob { run_at: Some(expires) }).await?;
    letters::approval_asked(tx, id).await?;
    notify(tx, id, asked.client.filter(|_| for_client));
    Ok(id)
}

/// Tells open pages that an approval changed.
pub(super) fn notify(tx: &mut WriteTx, id: ApprovalId, client: Option<ClientId>) {
    tx.notify(Topic::list("approvals"), client);
    tx.notify(Topic::one("approval", id), client);
}

/// What a person is shown of a tool's arguments, a row each.
pub(super) fn details_of(arguments: &Value) -> Vec<(String, String)> {
    let empty = Map::new();
    let fields = arguments.as_object().unwrap_or(&empty);
    let rows = fields.iter().take(MOST_DETAILS).map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (storable(name), shown(&text))
    });
    rows.collect()
}

/// A text as a row of what a person is shown.
pub(super) fn shown(text: &str) -> String {
    shortened(text, LONGEST_DETAIL)
}

/// The same of a text that has to be read before it is approved.
pub(super) fn shown_long(text: &str) -> String {
    shortened(text, LONGEST_PROGRAM)
}

fn shortened(text: &str, most: usize) -> String {
    let text = storable(text);
    let short = cut(&text, most);
    if short.len() < text.len() { format!("{short}…") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_about_a_number_asks_above_it_and_where_it_cannot_tell() {
        let when = AsksFor::Tool { name: "refund".to_owned(), argument: Some("amount".to_owned()), above: Some(100.0) };
        let rules = [ApprovalRule { name: "Refunds".to_owned(), when, minutes: 30, for_client: false }];
        for (arguments, asks) in [
            (json!({"amount": 100}), false),
            (json!({"amount": 100.5}), true),
            (json!({"amount": "200"}), true),
            (json!({"amount": "a lot"}), true),
            (json!({"amount": [5]}), true),
            (json!({}), false),
        ] {
            assert_eq!(for_tool(&rules, "refund", &arguments).is_some(), asks, "{arguments}");
        }
        assert!(for_tool(&rules, "other", &json!({"amount": 500})).is_none());
    }

    #[test]
    fn what_a_person_is_shown_is_short_and_plain() {
        let rows = details_of(&json!({"to": "a\0b", "list": [1, 2], "long": "x".repeat(2000)}));
        assert!(rows.contains(&("long".to_owned(), "x".repeat(500) + "…")));
        assert!(rows.contains(&("list".to_owned(), "[1,2]".to_owned())));
        assert!(rows.contains(&("to".to_owned(), "a\u{fffd}b".to_owned())));
    }
}
