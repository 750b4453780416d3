//! Two runs of one suite, case by case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Came, Counts, Matcher, ResultRow, SuiteStatus, TestResult, came, cost_text};
use patchbay_shared::Money;
use patchbay_shared::ids::{SuiteRunId, TestCaseId};
use patchbay_tools::model::AgentHead;

/// Two runs of one suite beside each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparePage {
    pub agent: AgentHead,
    /// Runs of the agent, to choose from, the newest first.
    pub runs: Vec<(SuiteRunId, String)>,
    pub a: ComparedRun,
    /// None: it is to be chosen.
    pub b: Option<ComparedRun>,
    pub rows: Vec<ComparedCase>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedRun {
    pub run: SuiteRunId,
    pub number: i32,
    pub name: String,
    pub status: SuiteStatus,
    pub counts: Counts,
    pub median_ms: Option<i32>,
    pub spent: Money,
    pub unpriced: i32,
}

patchbay_shared::words! {
    /// What became of a case from one run to another one.
    pub Change: "text" {
        NowPasses = "now_passes", "Now passes", Ok;
        NowFails = "now_fails", "Now fails", Bad;
        Same = "same", "Same", Mute;
        OnlyOne = "only_one", "In one run only", Warn;
    }
}

/// A case in two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedCase {
    pub case: TestCaseId,
    pub name: String,
    pub matcher: Matcher,
    pub change: Change,
    pub a: Option<CaseSum>,
    pub b: Option<CaseSum>,
    /// What one time cost more in the second run. None: it cannot be said.
    pub dearer: Option<Money>,
}

/// A case in one run, each time that it was run there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CaseSum {
    pub counts: Counts,
    pub median_ms: Option<i32>,
    pub cost: Money,
    /// What one time cost. None: it cannot be said.
    pub each: Option<Money>,
    pub unpriced: i32,
    pub tokens: i32,
}

impl CaseSum {
    pub fn came(&self) -> Came {
        came(&self.counts)
    }

    pub fn cost_text(&self) -> String {
        match self.each {
            Some(each) => each.text(),
            None => cost_text(self.cost, self.unpriced, self.tokens),
        }
    }
}

/// How a case came out in two runs.
pub(super) fn change(a: Option<&CaseSum>, b: Option<&CaseSum>) -> Change {
    let decided = |sum: Option<&CaseSum>| sum.map(CaseSum::came).filter(|came| *came != Came::Undecided);
    match (decided(a), decided(b)) {
        (Some(Came::Passed), Some(Came::Passed)) => Change::Same,
        (Some(Came::Passed), Some(_)) => Change::NowFails,
        (Some(_), Some(Came::Passed)) => Change::NowPasses,
        (Some(_), Some(_)) | (None, None) => Change::Same,
        _ => Change::OnlyOne,
    }
}

/// Whether it has come to its end.
fn has_ended(row: &ResultRow) -> bool {
    matches!(row.result, TestResult::Pass | TestResult::Fail | TestResult::Error)
}

/// Of two in the middle their mean, as elsewhere.
fn median(mut times: Vec<i32>) -> Option<i32> {
    times.sort_unstable();
    let (low, high) = (times.get(times.len().checked_sub(1)? / 2)?, times.get(times.len() / 2)?);
    i32::try_from((i64::from(*low) + i64::from(*high) + 1) / 2).ok()
}

/// The results of a run, case by case, in their order.
fn sums(rows: &[ResultRow]) -> Vec<(&ResultRow, CaseSum)> {
    let mut of_case: BTreeMap<TestCaseId, Vec<&ResultRow>> = BTreeMap::new();
    let mut order: Vec<&ResultRow> = Vec::new();
    for row in rows {
        let known = of_case.entry(row.case).or_default();
        if known.is_empty() {
            order.push(row);
        }
        known.push(row);
    }
    let sum = |rows: &[&ResultRow]| {
        let count = |result: TestResult| rows.iter().filter(|row| row.result == result).count() as i64;
        let cost = |rows: &[&ResultRow]| rows.iter().map(|row| row.cost.0).sum::<rust_decimal::Decimal>();
        let unpriced = |rows: &[&ResultRow]| rows.iter().map(|row| row.unpriced).sum::<i32>();
        let ended: Vec<&ResultRow> = rows.iter().copied().filter(|row| has_ended(row)).collect();
        let each = (!ended.is_empty() && unpriced(&ended) == 0)
            .then(|| Money(cost(&ended) / rust_decimal::Decimal::from(ended.len())));
        CaseSum {
            counts: Counts {
                all: rows.len() as i64,
                passed: count(TestResult::Pass),
                failed: count(TestResult::Fail),
                errors: count(TestResult::Error),
                left_out: count(TestResult::LeftOut),
            },
            median_ms: median(ended.iter().filter_map(|row| row.reply_ms).collect()),
            cost: Money(cost(rows)),
            each,
            unpriced: unpriced(rows),
            tokens: rows.iter().map(|row| row.tokens).sum(),
        }
    };
    order.into_iter().map(|row| (row, sum(&of_case[&row.case]))).collect()
}

/// Two runs, case by case: those of the second one in its order, then what only the first one had.
pub fn compared(a: &[ResultRow], b: &[ResultRow]) -> Vec<ComparedCase> {
    let before = sums(a);
    let after = sums(b);
    let row = |one: &ResultRow, a: Option<CaseSum>, b: Option<CaseSum>| ComparedCase {
        case: one.case,
        name: one.name.clone(),
        matcher: one.matcher,
        change: change(a.as_ref(), b.as_ref()),
        dearer: a.and_then(|a| a.each).zip(b.and_then(|b| b.each)).map(|(a, b)| Money(b.0 - a.0)),
        a,
        b,
    };
    let of = |sums: &[(&ResultRow, CaseSum)], case: TestCaseId| {
        sums.iter().find(|(one, _)| one.case == case).map(|(_, sum)| *sum)
    };
    let mut rows: Vec<ComparedCase> =
        after.iter().map(|(one, sum)| row(one, of(&before, one.case), Some(*sum))).collect();
    let gone = before.iter().filter(|(one, _)| of(&after, one.case).is_none());
    rows.extend(gone.map(|(one, sum)| row(one, Some(*sum), None)));
    rows
}

/// What is different between two runs of a suite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    pub now_pass: usize,
    pub no_longer_pass: usize,
    /// Cases that only one of them has decided.
    pub only_one: usize,
}

impl Difference {
    /// `before` and `after`, case by case.
    pub fn between(before: &[ResultRow], after: &[ResultRow]) -> Self {
        let decided = |rows: &[ResultRow]| -> BTreeMap<TestCaseId, bool> {
            let mut found = BTreeMap::new();
            for row in rows {
                if has_ended(row) {
                    // A case that was run several times passes if it does each time.
                    *found.entry(row.case).or_insert(true) &= row.result == TestResult::Pass;
                }
            }
            found
        };
        let (before, after) = (decided(before), decided(after));
        let mut found = Self::default();
        for (case, passes) in &after {
            match (before.get(case), passes) {
                (Some(false), true) => found.now_pass += 1,
                (Some(true), false) => found.no_longer_pass += 1,
                (None, _) => found.only_one += 1,
                _ => {}
            }
        }
        found.only_one += before.keys().filter(|case| !after.contains_key(case)).count();
        found
    }

    pub fn text(&self) -> String {
        let mut parts = Vec::new();
        let mut add = |count: usize, one: &str, many: &str| {
            if count > 0 {
                parts.push(format!("{count} {}", if count == 1 { one } else { many }));
            }
        };
        add(self.now_pass, "case now passes", "cases now pass");
        add(self.no_longer_pass, "case no longer passes", "cases no longer pass");
        add(self.only_one, "case was decided in one run only", "cases were decided in one run only");
        if parts.is_empty() { "Every case came out the same.".to_owned() } else { format!("{}.", parts.join(", ")) }
    }
}
