//! Grids: an agent's cases run with several versions of its prompt and several models, within one budget.

use serde::{Deserialize, Serialize};

use super::{Counts, Matcher, RunChoices, SuiteStatus, budget_of, cost_text};
use patchbay_shared::ids::{ConnectionId, PromptId, SuiteRunId, TestCaseId, TestGridId};
use patchbay_shared::{AppError, FieldErrors, Money, Page, Stamp};
use patchbay_tools::model::AgentHead;

/// Each case is run so often in each cell at most.
pub const MOST_REPEATS: i32 = 5;
/// The most results in one cell: a run's page shows all of them.
pub const MOST_IN_CELL: i64 = 500;
/// The most results in a grid.
pub const MOST_RESULTS: i64 = 2_000;
/// The budget that a grid begins with, in US dollars.
pub const USUAL_GRID_BUDGET: &str = "5.00";

/// The form that starts a grid, as posted, and as it stands in the address of its page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GridForm {
    pub agent: String,
    /// The first is needed.
    pub version_1: String,
    pub version_2: String,
    pub version_3: String,
    pub version_4: String,
    /// An account with its model; the first pair is needed.
    pub account_1: String,
    pub model_1: String,
    pub account_2: String,
    pub model_2: String,
    pub account_3: String,
    pub model_3: String,
    pub account_4: String,
    pub model_4: String,
    /// Cases with this tag only.
    pub tag: String,
    pub repeats: String,
    pub budget: String,
    /// Nothing is started: the page is to say what it would cost.
    pub look: Option<String>,
}

/// The form after its checks. Each choice has the number of its field.
#[derive(Debug, Clone, PartialEq)]
pub struct NewGrid {
    pub versions: Vec<(usize, i32)>,
    pub models: Vec<(usize, ConnectionId, String)>,
    pub tag: Option<String>,
    pub repeats: i32,
    pub budget: rust_decimal::Decimal,
}

impl GridForm {
    pub fn versions(&self) -> [&str; 4] {
        [&self.version_1, &self.version_2, &self.version_3, &self.version_4].map(|text| text.trim())
    }

    /// Accounts, each with its model.
    pub fn models(&self) -> [(&str, &str); 4] {
        [
            (&self.account_1, &self.model_1),
            (&self.account_2, &self.model_2),
            (&self.account_3, &self.model_3),
            (&self.account_4, &self.model_4),
        ]
        .map(|(account, model)| (account.trim(), model.trim()))
    }

    /// Nothing is chosen yet.
    pub fn is_empty(&self) -> bool {
        self.versions().iter().all(|text| text.is_empty()) && self.models().iter().all(|pair| *pair == ("", ""))
    }

    /// Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<NewGrid, AppError> {
        let mut errors = FieldErrors::default();
        let mut versions: Vec<(usize, i32)> = Vec::new();
        for (at, text) in self.versions().into_iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let field = format!("version_{}", at + 1);
            match text.parse().ok().filter(|number: &i32| *number > 0) {
                None => errors.add(&field, "Choose a version from the list."),
                Some(number) if versions.iter().any(|(_, known)| *known == number) => {
                    errors.add(&field, "This version stands there already. Choose another one, or none.");
                }
                Some(number) => versions.push((at + 1, number)),
            }
        }
        if versions.is_empty() && errors.0.is_empty() {
            errors.add("version_1", "Choose at least one version.");
        }
        let (mut models, mut has_model) = (Vec::new(), false);
        for (at, pair) in self.models().into_iter().enumerate() {
            let (account_field, model_field) = (format!("account_{}", at + 1), format!("model_{}", at + 1));
            has_model = has_model || pair != ("", "");
            match pair {
                ("", "") => {}
                ("", _) => errors.add(&account_field, "Choose the account that has this model."),
                (_, "") => errors.add(&model_field, "Enter the model’s name as the service writes it."),
                (_, model) if model.chars().count() > 200 || model.contains(char::is_whitespace) => {
                    errors.add(&model_field, "A model’s name has no spaces and at most 200 characters.");
                }
                (account, model) => match account.parse::<ConnectionId>() {
                    Err(_) => errors.add(&account_field, "Choose an account from the list."),
                    Ok(account) => {
                        let is_known = |(_, known, name): &(usize, ConnectionId, String)| {
                            *known == account && name.as_str() == model
                        };
                        if models.iter().any(is_known) {
                            errors.add(&model_field, "This model stands there already. Enter another one, or none.");
                        } else {
                            models.push((at + 1, account, model.to_owned()));
                        }
                    }
                },
            }
        }
        if !has_model {
            errors.add("account_1", "Choose at least one account, and enter its model.");
        }
        let repeats = match self.repeats.trim() {
            "" => Some(1),
            text => text.parse().ok().filter(|times| (1..=MOST_REPEATS).contains(times)),
        };
        if repeats.is_none() {
            errors.add("repeats", "Enter a number from 1 to 5.");
        }
        let budget = match self.budget.trim() {
            "" => budget_of(USUAL_GRID_BUDGET),
            text => budget_of(text),
        };
        if budget.is_none() {
            errors.add("budget", "Enter US dollars between 0.01 and 1,000, for example 5.00.");
        }
        errors.check()?;
        let tag = Some(self.tag.trim().to_lowercase()).filter(|tag| !tag.is_empty());
        Ok(NewGrid { versions, models, tag, repeats: repeats.unwrap_or(1), budget: budget.unwrap_or_default() })
    }
}

impl NewGrid {
    pub fn cells(&self) -> usize {
        self.versions.len() * self.models.len()
    }

    /// What is chosen, as pairs of the form's address. The same choices are the same pairs.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (at, (_, version)) in self.versions.iter().enumerate() {
            pairs.push((format!("version_{}", at + 1), version.to_string()));
        }
        for (at, (_, account, model)) in self.models.iter().enumerate() {
            pairs.push((format!("account_{}", at + 1), account.to_string()));
            pairs.push((format!("model_{}", at + 1), model.clone()));
        }
        pairs.extend(self.tag.clone().map(|tag| ("tag".to_owned(), tag)));
        pairs.push(("repeats".to_owned(), self.repeats.to_string()));
        pairs.push(("budget".to_owned(), format!("{:.2}", self.budget)));
        pairs
    }

    /// Errors: `Invalid` when it has more results than a grid may have. `cases`: that it is about.
    pub fn check_size(&self, cases: usize) -> Result<(), AppError> {
        let in_cell = cases as i64 * i64::from(self.repeats);
        let all = in_cell * self.cells() as i64;
        if in_cell <= MOST_IN_CELL && all <= MOST_RESULTS {
            return Ok(());
        }
        let why = format!(
            "That is {all} tests, {in_cell} in each cell. A grid has at most {MOST_RESULTS}, and a cell {MOST_IN_CELL}: run the cases less \
             often, choose those with a tag, or fewer versions or models."
        );
        Err(AppError::invalid("repeats", why))
    }
}

/// What a grid would ask, and cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub cells: i64,
    /// Cases, in all cells, each time.
    pub tests: i64,
    pub calls: i64,
    pub models: Vec<ModelEstimate>,
    /// Of those that have a price.
    pub cost: Money,
    /// Models without one.
    pub unpriced: i32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelEstimate {
    /// What the model is asked for.
    pub what: String,
    pub model: String,
    pub calls: i64,
    /// None: it has no price.
    pub cost: Option<Money>,
}

impl Estimate {
    /// The sum in words.
    pub fn cost_text(&self) -> String {
        cost_text(self.cost, self.unpriced, 1)
    }
}

/// The form's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridFormPage {
    pub agent: AgentHead,
    pub choices: RunChoices,
    pub tags: Vec<String>,
    /// All cases of the agent.
    pub cases: i64,
    pub form: GridForm,
    /// Names of models that somebody has chosen or that were tested.
    pub models: Vec<String>,
    /// None: something in the address is wrong, and `problems` says what.
    pub estimate: Option<Estimate>,
    pub problems: FieldErrors,
}

/// What grids are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GridQuery {
    pub status: Option<String>,
    /// `created`: oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// A grid in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridRow {
    pub id: TestGridId,
    pub number: i32,
    pub status: SuiteStatus,
    pub versions: Vec<i32>,
    pub models: Vec<String>,
    pub repeats: i32,
    pub counts: Counts,
    pub spent: Money,
    pub unpriced: i32,
    pub budget: Money,
    pub by: Option<String>,
    pub started: Stamp,
}

impl GridRow {
    pub fn cost_text(&self) -> String {
        cost_text(self.spent, self.unpriced, i32::from(self.counts.ended() > 0))
    }

    /// `v1, v2 × gpt-5, gpt-5-mini`.
    pub fn sides(&self) -> String {
        let versions: Vec<String> = self.versions.iter().map(|version| format!("v{version}")).collect();
        format!("{} × {}", versions.join(", "), self.models.join(", "))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridList {
    pub agent: AgentHead,
    pub page: Page<GridRow>,
    pub may_edit: bool,
}

/// One version with one model: a test run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridCell {
    pub run: SuiteRunId,
    pub number: i32,
    pub version: i32,
    pub labels: Vec<String>,
    pub account: String,
    pub model: String,
    pub status: SuiteStatus,
    pub note: Option<String>,
    pub counts: Counts,
    /// Half of the cases were answered faster, and nineteen of twenty.
    pub median_ms: Option<i32>,
    pub p95_ms: Option<i32>,
    pub spent: Money,
    pub unpriced: i32,
    /// Of the results that have come to an end: what one cost on average, and all their answers without a price.
    pub cost: Money,
    pub cost_unpriced: i32,
    /// All cases of the agent then, with the model that it used then.
    pub decides: bool,
}

impl GridCell {
    /// Cases that did what was expected, of those that have come to an end: `80%`. None: none has.
    pub fn pass_rate(&self) -> Option<String> {
        let ended = self.counts.ended();
        (ended > 0).then(|| match self.counts.passed {
            0 => "0%".to_owned(),
            all if all == ended => "100%".to_owned(),
            some => format!("{}%", ((some * 100 + ended / 2) / ended).clamp(1, 99)),
        })
    }

    /// What a case that has come to its end cost on average.
    pub fn cost_per_case(&self) -> String {
        match self.counts.ended() {
            0 => "–".to_owned(),
            _ => cost_text(self.cost, self.cost_unpriced, 1),
        }
    }
}

/// How one case came out in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CaseInCell {
    pub counts: Counts,
    pub median_ms: Option<i32>,
}

/// What a case came to in a cell, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    Passed,
    Failed,
    /// Passed some of the times.
    Unsteady,
    Undecided,
}

/// What the times that a case was run came to.
pub fn came(counts: &Counts) -> Came {
    match counts.ended() {
        0 => Came::Undecided,
        ended if counts.passed == ended => Came::Passed,
        _ if counts.passed == 0 => Came::Failed,
        _ => Came::Unsteady,
    }
}

impl CaseInCell {
    pub fn came(&self) -> Came {
        came(&self.counts)
    }
}

/// A case over all cells, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridCase {
    pub case: TestCaseId,
    pub name: String,
    pub matcher: Matcher,
    pub cells: Vec<Option<CaseInCell>>,
}

impl GridCase {
    /// It passes in one cell, and not each time in another one.
    pub fn differs(&self) -> bool {
        let came: Vec<Came> = self.cells.iter().flatten().map(CaseInCell::came).collect();
        came.contains(&Came::Passed) && came.iter().any(|came| matches!(came, Came::Failed | Came::Unsteady))
    }
}

/// One grid with everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridPage {
    pub agent: AgentHead,
    pub row: GridRow,
    pub prompt: (PromptId, String),
    pub ended: Option<Stamp>,
    /// The form's address with the same choices.
    pub again: String,
    /// Of the budget, for answers that are on their way.
    pub set_aside: Money,
    pub cells: Vec<GridCell>,
    pub cases: Vec<GridCase>,
    pub gates_production: bool,
    /// The model that the agent uses now.
    pub usual: Option<String>,
    pub may_edit: bool,
}
