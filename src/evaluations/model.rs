mod again;
mod case;
mod compare;
mod grid;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use again::AgainPage;
pub use case::{CaseFields, CaseForm, ToolCheck, read_checks, read_stubs};
pub use compare::{CaseSum, Change, ComparePage, ComparedCase, ComparedRun, Difference, compared};
pub use grid::{
    Came, CaseInCell, Estimate, GridCase, GridCell, GridForm, GridFormPage, GridList, GridPage, GridQuery, GridRow,
    MOST_IN_CELL, MOST_REPEATS, MOST_RESULTS, ModelEstimate, NewGrid, USUAL_GRID_BUDGET, came,
};

use patchbay_shared::ids::{AgentId, PromptId, SuiteRunId, TestCaseId, TestGridId, TestRunId};
use patchbay_shared::{AppError, FieldErrors, Money, Page, Stamp};
use patchbay_tools::model::AgentHead;

/// The most cases that an agent may have.
pub const MOST_CASES: i64 = 200;
/// The budget that a run begins with, in US dollars.
pub const USUAL_BUDGET: &str = "2.00";

patchbay_shared::words! {
    /// What the other side does.
    pub CaseKind: "text" {
        Message = "message", "One message", Mute;
        Conversation = "conversation", "Conversation", Mute;
    }
    /// How an answer is compared with what is expected.
    pub Matcher: "text" {
        Contains = "contains", "Contains", Mute;
        Exact = "exact", "Exact words", Mute;
        Regex = "regex", "Pattern", Mute;
        JsonSchema = "json_schema", "JSON Schema", Mute;
        Judge = "judge", "Judge", Mute;
    }
    /// What came of a case.
    pub TestResult: "text" {
        Pass = "pass", "Passed", Ok;
        Fail = "fail", "Failed", Bad;
        Error = "error", "Error", Warn;
        Running = "running", "Running", Info;
        Waiting = "waiting", "Waiting", Mute;
        LeftOut = "left_out", "Left out", Mute;
    }
    /// How a run stands.
    pub SuiteStatus: "text" {
        Running = "running", "Running", Info;
        Done = "done", "Done", Ok;
        Stopped = "stopped", "Stopped", Mute;
        OverBudget = "over_budget", "Budget used up", Warn;
        Failed = "failed", "Ended early", Bad;
    }
}

/// What cases are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub tag: Option<String>,
    pub matcher: Option<String>,
    /// The result of the last time.
    pub result: Option<String>,
    /// `name` (usual), `-name`, `created`, `-created`.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// A case in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseRow {
    pub id: TestCaseId,
    pub name: String,
    pub kind: CaseKind,
    pub matcher: Matcher,
    pub tags: Vec<String>,
    pub created: Stamp,
    /// Of the last time that it was run: the run, its number, what came of it, and whether the case has changed since.
    pub last: Option<LastResult>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastResult {
    pub run: SuiteRunId,
    pub number: i32,
    pub result: TestResult,
    pub has_changed: bool,
}

/// What a run can be made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunChoices {
    /// The prompt with its versions, newest first, each with its labels. None: the agent has no prompt.
    pub prompt: Option<(PromptId, String)>,
    pub versions: Vec<(i32, Vec<String>)>,
    /// The version that the agent says now.
    pub spoken: Option<i32>,
    /// Accounts by name.
    pub accounts: Vec<(String, String)>,
    /// Account and model that the agent uses now. None: no model is set up.
    pub usual: Option<(String, String)>,
}

/// An agent's suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CasesPage {
    pub agent: AgentHead,
    pub page: Page<CaseRow>,
    pub tags: Vec<String>,
    /// All cases of the agent.
    pub cases: i64,
    pub choices: RunChoices,
    /// The newest few runs.
    pub latest: Vec<SuiteRow>,
    /// The newest few grids.
    pub grids: Vec<GridRow>,
    pub gates_production: bool,
    pub may_edit: bool,
}

/// A case with its form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CasePage {
    pub agent: AgentHead,
    pub form: CaseForm,
    /// What was replaced in the words of the call that it is made from.
    pub replaced: Vec<Replaced>,
    /// The agent's tools.
    pub tools: Vec<String>,
    pub choices: RunChoices,
    /// What came of it, newest first.
    pub results: Vec<ResultRow>,
    pub may_edit: bool,
}

/// A personal detail that does not go into a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    pub what: String,
    pub was: String,
    pub becomes: String,
    pub times: usize,
}

/// What runs are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SuiteQuery {
    pub status: Option<String>,
    pub version: Option<String>,
    /// `created`: oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// How many cases came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub all: i64,
    pub passed: i64,
    pub failed: i64,
    pub errors: i64,
    pub left_out: i64,
}

impl Counts {
    pub fn ended(&self) -> i64 {
        self.passed + self.failed + self.errors
    }
}

/// A run in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteRow {
    pub id: SuiteRunId,
    pub number: i32,
    pub status: SuiteStatus,
    pub version: i32,
    pub model: String,
    pub counts: Counts,
    pub spent: Money,
    /// Answers whose price nobody told.
    pub unpriced: i32,
    pub by: Option<String>,
    pub started: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteList {
    pub agent: AgentHead,
    pub page: Page<SuiteRow>,
}

/// One run with everything about its head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteRun {
    pub row: SuiteRow,
    pub agent: AgentId,
    pub prompt: (PromptId, String),
    pub account: String,
    pub account_id: String,
    pub labels: Vec<String>,
    pub is_usual: bool,
    pub is_whole: bool,
    pub note: Option<String>,
    pub budget: Money,
    pub ended: Option<Stamp>,
    /// Of all answers of the agent.
    pub reply_ms: Option<i32>,
    /// The grid that it is a cell of, and its number.
    pub grid: Option<(TestGridId, i32)>,
}

/// A case in a run, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    pub id: TestRunId,
    pub run: SuiteRunId,
    pub number: i32,
    pub version: i32,
    pub model: String,
    pub case: TestCaseId,
    pub name: String,
    /// The how-manieth time that its run ran the case.
    pub time: i32,
    pub matcher: Matcher,
    pub result: TestResult,
    pub why: Option<String>,
    pub tokens: i32,
    pub cost: Money,
    pub unpriced: i32,
    pub reply_ms: Option<i32>,
}

impl ResultRow {
    pub fn cost_text(&self) -> String {
        cost_text(self.cost, self.unpriced, self.tokens)
    }
}

/// What was asked of models, in words: a price that nobody told is never shown as zero.
pub fn cost_text(cost: Money, unpriced: i32, tokens: i32) -> String {
    match (unpriced, cost.0.is_zero()) {
        (0, true) if tokens == 0 => "–".to_owned(),
        (0, _) => cost.text(),
        (_, true) => "Not priced yet".to_owned(),
        (_, false) => format!("{} and more, not priced yet", cost.text()),
    }
}

/// A page about a run, beside another one if that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuitePage {
    pub agent: AgentHead,
    pub run: SuiteRun,
    pub results: Vec<ResultRow>,
    pub other: Option<(SuiteRun, Vec<ResultRow>)>,
    /// Other runs of the suite, to compare with.
    pub others: Vec<SuiteRow>,
    pub shown: Option<ResultDetail>,
    /// What keeps the version from production, if this suite has to pass before.
    pub gate: Option<String>,
    pub gates_production: bool,
    pub may_edit: bool,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub what: String,
    pub is_met: bool,
    #[serde(default)]
    pub why: String,
}

/// Who said something in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Caller,
    Agent,
    Tool,
}

/// A part of a test's conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub by: By,
    pub text: String,
    #[serde(default)]
    pub tool: Option<String>,
    #[serde(default)]
    pub arguments: Option<Value>,
    #[serde(default)]
    pub is_error: bool,
    /// The case answered for the tool.
    #[serde(default)]
    pub is_stubbed: bool,
}

/// One result with everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultDetail {
    pub row: ResultRow,
    pub input: String,
    pub expected: String,
    pub actual: Option<String>,
    pub checks: Vec<Check>,
    pub transcript: Vec<Line>,
    /// The agent's run, step by step.
    pub steps: Option<String>,
    /// The case has changed or was removed since.
    pub has_changed: bool,
}

/// The form that starts a run, as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunForm {
    pub agent: String,
    /// Empty: the version that the agent says.
    pub version: String,
    /// Both empty: what the agent uses.
    pub account: String,
    pub model: String,
    /// Cases with this tag only.
    pub tag: String,
    /// This case only.
    pub case: String,
    pub budget: String,
}

/// The form after its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    pub version: Option<i32>,
    pub chosen: Option<(patchbay_shared::ids::ConnectionId, String)>,
    pub tag: Option<String>,
    pub case: Option<TestCaseId>,
    pub budget: rust_decimal::Decimal,
}

/// What somebody typed as a budget, in US dollars. None: it is none.
pub(crate) fn budget_of(text: &str) -> Option<rust_decimal::Decimal> {
    let amount: rust_decimal::Decimal = text.trim().trim_start_matches('$').parse().ok()?;
    let fits = amount >= rust_decimal::Decimal::new(1, 2) && amount <= rust_decimal::Decimal::from(1000);
    (fits && amount.scale() <= 2).then_some(amount)
}

impl RunForm {
    /// Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<NewRun, AppError> {
        let mut errors = FieldErrors::default();
        let version = match self.version.trim() {
            "" => None,
            text => {
                let read = text.parse().ok().filter(|number| *number > 0);
                if read.is_none() {
                    errors.add("version", "Choose a version from the list.");
                }
                read
            }
        };
        let (account, model) = (self.account.trim(), self.model.trim());
        let chosen = match (account, model) {
            ("", "") => None,
            ("", _) => {
                errors.add("account", "Choose the account that has this model.");
                None
            }
            (_, "") => {
                errors.add("model", "Enter the model’s name as the service writes it.");
                None
            }
            (account, model) if model.chars().count() <= 200 && !model.contains(char::is_whitespace) => {
                Some((account.parse()?, model.to_owned()))
            }
            _ => {
                errors.add("model", "A model’s name has no spaces and at most 200 characters.");
                None
            }
        };
        let budget = budget_of(if self.budget.trim().is_empty() { USUAL_BUDGET } else { &self.budget });
        if budget.is_none() {
            errors.add("budget", "Enter US dollars between 0.01 and 1,000, for example 2.00.");
        }
        let case = match self.case.trim() {
            "" => None,
            id => Some(id.parse()?),
        };
        errors.check()?;
        let tag = Some(self.tag.trim().to_lowercase()).filter(|tag| !tag.is_empty());
        Ok(NewRun { version, chosen, tag, case, budget: budget.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests;
