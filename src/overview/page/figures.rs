use leptos::prelude::*;

use crate::model::{Figures as Numbers, Hour};
use patchbay_shared::money::{count_text, length_text};
use patchbay_ui::*;

/// Today's figures beside yesterday's at the same time of day.
#[component]
pub(crate) fn Figures(today: Numbers, yesterday: Numbers) -> impl IntoView {
    let (calls, calls_way) = change(today.calls, yesterday.calls);
    let (goals, goals_way) = change(today.goals, yesterday.goals);
    let (rate, rate_way) = match (today.answer_rate(), yesterday.answer_rate()) {
        (Some(now), Some(then)) => (format!("{:.1} pts", (now - then).abs()), way(now, then)),
        _ => (String::new(), Direction::Same),
    };
    let median = today.median_seconds.map_or_else(|| "–".to_owned(), length_text);
    let answered = today.answer_rate().map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}"));
    let unit = if today.answer_rate().is_some() { "%" } else { "" };
    let yesterdays = yesterday
        .median_seconds
        .map_or_else(|| "None yesterday".to_owned(), |seconds| format!("{} yesterday", length_text(seconds)));
    view! {
        <Kpis count=if today.spend.is_some() { 5 } else { 4 }>
            <Kpi label="Calls today" value=count_text(today.calls) delta=calls direction=calls_way good=calls_way == Direction::Up versus=against(yesterday.calls)/>
            <Kpi label="Answered" value=answered unit=unit delta=rate direction=rate_way good=rate_way == Direction::Up versus=against(yesterday.ended)/>
            <Kpi label="Goal reached" value=count_text(today.goals) delta=goals direction=goals_way good=goals_way == Direction::Up versus=against(yesterday.goals)/>
            <Kpi label="Median length" value=median versus=yesterdays/>
            {today.spend.map(|spend| {
                let then = yesterday.spend.unwrap_or_default().text();
                view! { <Kpi label="Spend today" value=spend.text() versus=format!("{then} yesterday")/> }
            })}
        </Kpis>
    }
}

fn against(then: i64) -> &'static str {
    if then == 0 { "None yesterday" } else { "vs yesterday" }
}

fn change(now: i64, then: i64) -> (String, Direction) {
    if then == 0 {
        return (String::new(), Direction::Same);
    }
    let percent = (now - then) as f64 * 100.0 / then as f64;
    (format!("{:.1}%", percent.abs()), way(now as f64, then as f64))
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

/// Calls by hour, stacked by result.
#[component]
pub(crate) fn Hours(hours: Vec<Hour>) -> impl IntoView {
    let finding = match hours.iter().max_by_key(|hour| hour.answered + hour.unanswered + hour.failed) {
        Some(top) if top.answered + top.unanswered + top.failed > 0 => {
            format!("Calls by hour today. Most at {}:00: {}.", top.label, top.answered + top.unanswered + top.failed)
        }
        _ => "No calls yet today.".to_owned(),
    };
    let labels = hours.iter().map(|hour| hour.label.clone()).collect::<Vec<_>>();
    let of = |pick: fn(&Hour) -> i64| hours.iter().map(|hour| pick(hour) as f64).collect::<Vec<_>>();
    let series = vec![
        Series::new("Answered", "chart-1", of(|hour| hour.answered)),
        Series::new("No answer", "chart-6", of(|hour| hour.unanswered)),
        Series::new("Failed", "bad", of(|hour| hour.failed)),
    ];
    view! {
        <Card
            title="Calls by hour"
            right=|| view! { <Legend items=vec![("Answered", "chart-1"), ("No answer", "chart-6"), ("Failed", "bad")]/> }
        >
            <BarChart label="Calls by hour" finding=finding labels=labels series=series decimals=0 head="Hour"/>
        </Card>
    }
}
