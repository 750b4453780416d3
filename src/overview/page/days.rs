use leptos::prelude::*;

use crate::model::{DayCalls, DaysShown};
use patchbay_calls::model::figures::{Term, share_text, unpriced_text};
use patchbay_calls::model::{ResultFilter, term};
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::count_text;
use patchbay_ui::*;
use patchbay_usage::model::{Shown, unpriced_answers_text};
use patchbay_usage::page::{moved, number};

/// The figures of some days beside those of the days before.
#[component]
pub(crate) fn DaysFigures(page: DaysShown, shown: Shown, client: Option<String>) -> impl IntoView {
    let (now, before) = (page.figures, page.before);
    let listed = shown.listed(client);
    let change = |now: i64, then: i64| moved(now as f64, then as f64);
    let (calls, calls_way) = change(now.calls, before.calls);
    let (answered, answered_way) = change(now.answered, before.answered);
    let (goals, goals_way) = change(now.goals, before.goals);
    let (minutes, minutes_way) = change(now.seconds, before.seconds);
    let minutes_of = |seconds: i64| fixed(seconds as f64 / 60.0, 1);
    let of_ended = format!("{} of ended", share_text(now.answered, now.ended));
    let of_answered = format!("{} of answered", share_text(now.goals, now.answered));
    let spend = now.spend.map(|spend| {
        let then = before.spend.unwrap_or_default();
        let (change, way) = moved(number(spend), number(then));
        // What the sum leaves out is said before what it is compared with.
        let (versus, href) = match (unpriced_text(now.unpriced), unpriced_answers_text(now.unpriced_answers)) {
            (Some(calls), Some(answers)) => (format!("{calls}, {answers}"), listed.of_unpriced().address()),
            (Some(calls), None) => (calls, listed.of_unpriced().address()),
            (None, Some(answers)) => (answers, listed.address()),
            (None, None) => (format!("from {}", then.text()), listed.address()),
        };
        view! { <Kpi label=term::SPEND.label value=spend.text() delta=change direction=way neutral=true versus href means=term::SPEND.means/> }
    });
    view! {
        <Kpis count=if spend.is_some() { 5 } else { 4 }>
            <Kpi label=term::CALLS.label value=count_text(now.calls) delta=calls direction=calls_way neutral=true versus=format!("from {}", count_text(before.calls)) href=listed.address() means=term::CALLS.means/>
            <Kpi label=term::ANSWERED.label value=count_text(now.answered) delta=answered direction=answered_way neutral=true versus=of_ended href=listed.of_result(ResultFilter::Answered).address() means=term::ANSWERED.means/>
            <Kpi label=term::GOALS.label value=count_text(now.goals) delta=goals direction=goals_way versus=of_answered href=listed.of_goals().address() means=term::GOALS.means/>
            <Kpi label=term::MINUTES.label value=minutes_of(now.seconds) delta=minutes direction=minutes_way neutral=true versus=format!("from {}", minutes_of(before.seconds)) means=term::MINUTES.means/>
            {spend}
        </Kpis>
    }
}

/// Ended calls by day, stacked by result.
#[component]
pub(crate) fn DaysChart(days: Vec<DayCalls>, shown: Shown, client: Option<String>) -> impl IntoView {
    let listed = shown.listed(client);
    let ended = |day: &DayCalls| day.answered + day.not_reached + day.failed;
    let finding = match days.iter().max_by_key(|day| ended(day)) {
        Some(top) if ended(top) > 0 => {
            format!("Ended calls by day. Most on {}: {}.", top.label, count_text(ended(top)))
        }
        _ => "No call has ended in these days.".to_owned(),
    };
    let of = |pick: fn(&DayCalls) -> i64| days.iter().map(|day| pick(day) as f64).collect::<Vec<_>>();
    let series = vec![
        Series::new("Answered", "chart-1", of(|day| day.answered)),
        Series::new("Not reached", "chart-6", of(|day| day.not_reached)),
        Series::new("Failed", "bad", of(|day| day.failed)),
    ];
    let sum = |pick: fn(&DayCalls) -> i64| days.iter().map(pick).sum::<i64>();
    let (answered, not_reached, failed) = (sum(|day| day.answered), sum(|day| day.not_reached), sum(|day| day.failed));
    let total = answered + not_reached + failed;
    let part = |term: Term, count: i64, paint, result| {
        Segment::new(term.label, count as f64, paint).href(listed.of_result(result).address()).means(term.means)
    };
    let segments = vec![
        part(term::ANSWERED, answered, "chart-1", ResultFilter::Answered),
        part(term::NOT_REACHED, not_reached, "chart-6", ResultFilter::NotReached),
        part(term::FAILED, failed, "bad", ResultFilter::Failed),
    ];
    let all = listed.of_result(ResultFilter::Ended).address();
    let labels = days.iter().map(|day| day.label.clone()).collect();
    view! {
        <Card
            title="Ended calls by day"
            right=move || view! { <a class="link" href=all>{count_text(total)}" ended"</a> }
        >
            <BarChart label="Ended calls by day" finding=finding labels=labels series=series decimals=0 head="Day"/>
            <SegmentBar label=format!("{} ended", count_text(total)) segments total=total as f64 legend=true/>
        </Card>
    }
}
