use leptos::prelude::*;

use super::Spark;

/// Which way a figure moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    Up,
    Down,
    #[default]
    Same,
}

/// A strip of figures. `count` is how many stand beside each other on a wide screen (3 to 6).
#[component]
pub fn Kpis(#[prop(default = 5)] count: usize, children: Children) -> impl IntoView {
    let class = match count {
        0..=3 => "kpis three",
        4 => "kpis four",
        5 => "kpis",
        _ => "kpis six",
    };
    view! { <div class=class>{children()}</div> }
}

/// One figure: what it is, how much, how it changed.
#[component]
pub fn Kpi(
    #[prop(into)] label: String,
    #[prop(into)] value: String,
    #[prop(optional, into)] unit: Option<String>,
    /// The change in words, for example `8.1%`.
    #[prop(optional, into)]
    delta: Option<String>,
    #[prop(optional)] direction: Direction,
    /// Whether the change is welcome; by default up is.
    #[prop(optional)]
    good: Option<bool>,
    /// Whether the change is welcome cannot be said: spend that grows with the calls.
    #[prop(optional)]
    neutral: bool,
    /// What it is compared with, or any small remark.
    #[prop(optional, into)]
    versus: Option<String>,
    /// The last values, oldest first.
    #[prop(optional)]
    points: Vec<f64>,
    #[prop(default = "chart-1")] paint: &'static str,
    /// Where the figure is explained.
    #[prop(optional, into)]
    href: Option<String>,
    /// What the label means: shown on hover, read to who cannot see.
    #[prop(optional)]
    means: Option<&'static str>,
) -> impl IntoView {
    let good = good.unwrap_or(direction == Direction::Up);
    let delta = delta.filter(|delta| !delta.is_empty()).map(|delta| {
        let (arrow, spoken) = match direction {
            Direction::Up => ("↑ ", "up "),
            Direction::Down => ("↓ ", "down "),
            Direction::Same => ("", ""),
        };
        let class = match (direction, good) {
            _ if neutral => None,
            (Direction::Same, _) => None,
            (_, true) => Some("up"),
            (_, false) => Some("down"),
        };
        view! { <span class=class><span aria-hidden="true">{arrow}</span><span class="sr">{spoken}</span>{delta}</span> }
    });
    let has_change = delta.is_some() || versus.is_some();
    let name = match href {
        Some(href) => view! { <a href=href>{label}</a> }.into_any(),
        None => label.into_any(),
    };
    view! {
        <dl class="kpi">
            <dt title=means>{name}{means.map(|means| view! { <span class="sr">{format!(" ({means})")}</span> })}{(points.len() > 1).then(|| view! { <Spark points paint/> })}</dt>
            <dd class="v">{value}{unit.map(|unit| view! { <small>{unit}</small> })}</dd>
            {has_change.then(|| view! { <dd class="d">{delta}{versus.map(|versus| view! { <span>{versus}</span> })}</dd> })}
        </dl>
    }
}
