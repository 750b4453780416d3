use leptos::prelude::*;

use crate::model::{Figures as Numbers, Hour};
use patchbay_calls::model::figures::{Term, share_text, unpriced_text};
use patchbay_calls::model::{CallQuery, ResultFilter, term};
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::{count_text, length_text};
use patchbay_ui::*;
use patchbay_usage::model::unpriced_answers_text;

/// Today's figures beside yesterday's at the same time of day. `listed`: where today's calls are listed. `is_one`: today is one date in
/// all zones.
#[component]
pub(crate) fn Figures(today: Numbers, yesterday: Numbers, listed: CallQuery, is_one: bool) -> impl IntoView {
    let then = if is_one { "yesterday" } else { "before" };
    let beside = if is_one { "vs yesterday" } else { "vs the days before" };
    let against = move |count: i64| if count == 0 { format!("None {then}") } else { beside.to_owned() };
    let (calls, calls_way) = change(today.calls, yesterday.calls);
    let (goals, goals_way) = change(today.goals, yesterday.goals);
    let (rate, rate_way) = match (today.answer_rate(), yesterday.answer_rate()) {
        (Some(now), Some(then)) => (format!("{} pts", fixed((now - then).abs(), 1)), way(now, then)),
        _ => (String::new(), Direction::Same),
    };
    let median = today.median_seconds.map_or_else(|| "–".to_owned(), length_text);
    let of_ended = format!(
        "{} of ended, {}",
        share_text(today.answered, today.ended),
        against(yesterday.ended).to_ascii_lowercase()
    );
    let of_answered = format!(
        "{} of answered, {}",
        share_text(today.goals, today.answered),
        against(yesterday.goals).to_ascii_lowercase()
    );
    let yesterdays = yesterday
        .median_seconds
        .map_or_else(|| format!("None {then}"), |seconds| format!("{} {then}", length_text(seconds)));
    let answered = listed.of_result(ResultFilter::Answered).address();
    let spend = today.spend.map(|spend| {
        let spent = yesterday.spend.unwrap_or_default().text();
        // What the sum leaves out is said before what it is compared with; the usage page has both kinds.
        let (versus, href) = match (unpriced_text(today.unpriced), unpriced_answers_text(today.unpriced_answers)) {
            (Some(calls), None) => (calls, listed.of_unpriced().address()),
            (Some(calls), Some(answers)) => (format!("{calls}, {answers}"), usage_of(&listed)),
            (None, Some(answers)) => (answers, usage_of(&listed)),
            (None, None) => (format!("{spent} {then}"), listed.address()),
        };
        view! { <Kpi label="Spend today" value=spend.text() versus href means=term::SPEND.means/> }
    });
    view! {
        <Kpis count=if spend.is_some() { 5 } else { 4 }>
            <Kpi label="Calls today" value=count_text(today.calls) delta=calls direction=calls_way good=calls_way == Direction::Up versus=against(yesterday.calls) href=listed.address() means=term::CALLS.means/>
            <Kpi label=term::ANSWERED.label value=count_text(today.answered) delta=rate direction=rate_way good=rate_way == Direction::Up versus=of_ended href=answered.clone() means=term::ANSWERED.means/>
            <Kpi label=term::GOALS.label value=count_text(today.goals) delta=goals direction=goals_way good=goals_way == Direction::Up versus=of_answered href=listed.of_goals().address() means=term::GOALS.means/>
            <Kpi label=term::MEDIAN.label value=median versus=yesterdays href=answered means=term::MEDIAN.means/>
            {spend}
        </Kpis>
    }
}

fn usage_of(listed: &CallQuery) -> String {
    let client = listed.client.as_ref().map(|client| format!("&client={client}"));
    format!("/usage?period=today{}", client.unwrap_or_default())
}

fn change(now: i64, then: i64) -> (String, Direction) {
    if then == 0 {
        return (String::new(), Direction::Same);
    }
    let percent = (now - then) as f64 * 100.0 / then as f64;
    (format!("{}%", fixed(percent.abs(), 1)), way(now as f64, then as f64))
}

fn way(now: f64, then: f64) -> Direction {
    if now > then {
        Direction::Up
    } else if now < then {
        Direction::Down
    } else {
        Direction::Same
    }
}

/// Ended calls by hour, stacked by result.
#[component]
pub(crate) fn Hours(hours: Vec<Hour>, listed: CallQuery) -> impl IntoView {
    let finding = match hours.iter().max_by_key(|hour| hour.answered + hour.not_reached + hour.failed) {
        Some(top) if top.answered + top.not_reached + top.failed > 0 => {
            format!(
                "Ended calls by hour today. Most at {}:00: {}.",
                top.label,
                top.answered + top.not_reached + top.failed
            )
        }
        _ => "No call has ended yet today.".to_owned(),
    };
    let labels = hours.iter().map(|hour| hour.label.clone()).collect::<Vec<_>>();
    let of = |pick: fn(&Hour) -> i64| hours.iter().map(|hour| pick(hour) as f64).collect::<Vec<_>>();
    let series = vec![
        Series::new("Answered", "chart-1", of(|hour| hour.answered)),
        Series::new("Not reached", "chart-6", of(|hour| hour.not_reached)),
        Series::new("Failed", "bad", of(|hour| hour.failed)),
    ];
    let sum = |pick: fn(&Hour) -> i64| hours.iter().map(pick).sum::<i64>();
    let (answered, not_reached, failed) =
        (sum(|hour| hour.answered), sum(|hour| hour.not_reached), sum(|hour| hour.failed));
    let ended = answered + not_reached + failed;
    let part = |term: Term, count: i64, paint, result| {
        Segment::new(term.label, count as f64, paint).href(listed.of_result(result).address()).means(term.means)
    };
    let segments = vec![
        part(term::ANSWERED, answered, "chart-1", ResultFilter::Answered),
        part(term::NOT_REACHED, not_reached, "chart-6", ResultFilter::NotReached),
        part(term::FAILED, failed, "bad", ResultFilter::Failed),
    ];
    let all = listed.of_result(ResultFilter::Ended).address();
    view! {
        <Card
            title="Ended calls by hour"
            right=move || view! { <a class="link" href=all>{count_text(ended)}" ended"</a> }
        >
            <BarChart label="Ended calls by hour" finding=finding labels=labels series=series decimals=0 head="Hour"/>
            <SegmentBar label=format!("{} ended", count_text(ended)) segments total=ended as f64 legend=true/>
        </Card>
    }
}
