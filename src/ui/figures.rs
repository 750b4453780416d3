use leptos::prelude::*;

use patchbay_shared::decimals::fixed;

/// How far something is. The words say the same as the bar.
#[component]
pub fn Progress(
    value: f64,
    max: f64,
    #[prop(into)] label: String,
    /// The words stand elsewhere; only a screen reader hears them here.
    #[prop(optional)]
    quiet: bool,
) -> impl IntoView {
    let shown = (!quiet).then(|| view! { <span class="sub text-xs">{label.clone()}</span> });
    view! { <progress value=value max=max.max(1.0) aria-label=label></progress>{shown} }
}

/// One part of a whole.
#[derive(Debug, Clone)]
pub struct Segment {
    label: String,
    value: f64,
    paint: &'static str,
    href: Option<String>,
    means: Option<&'static str>,
}

impl Segment {
    /// `paint`: ok, bad, warn, info, live, mute, soft, chart-1 to chart-6.
    pub fn new(label: impl Into<String>, value: f64, paint: &'static str) -> Self {
        Self { label: label.into(), value, paint, href: None, means: None }
    }

    /// Where the things behind this part are listed.
    pub fn href(self, href: impl Into<String>) -> Self {
        Self { href: Some(href.into()), ..self }
    }

    /// What the label means, for the legend.
    pub fn means(self, means: &'static str) -> Self {
        Self { means: Some(means), ..self }
    }
}

/// A bar of parts, with a legend that says the same in words and links.
#[component]
pub fn SegmentBar(
    segments: Vec<Segment>,
    total: f64,
    /// The whole in words: `742 of 1,200`.
    #[prop(into)]
    label: String,
    #[prop(optional)] large: bool,
    #[prop(optional)] legend: bool,
) -> impl IntoView {
    let whole = total.max(segments.iter().map(|segment| segment.value).sum()).max(1.0);
    let mut x = 0.0;
    let rects = segments
        .iter()
        .filter(|segment| segment.value > 0.0)
        .map(|segment| {
            let width = segment.value / whole * 1000.0;
            let rect = view! {
                <rect class=format!("fill-{}", segment.paint) x=round(x) y="0" width=round(width) height="10"></rect>
            };
            x += width;
            rect
        })
        .collect_view();
    let keys = legend.then(|| {
        let keys = segments
            .into_iter()
            .map(|segment| {
                let inner = view! {
                    <i class=format!("sw {}", segment.paint) aria-hidden="true"></i>{segment.label}" "<b>{figure(segment.value, 0)}</b>
                };
                match segment.href {
                    Some(href) => view! { <a class="key" href=href title=segment.means>{inner}</a> }.into_any(),
                    None => view! { <span class="key" title=segment.means>{inner}</span> }.into_any(),
                }
            })
            .collect_view();
        view! { <div class="keys">{keys}</div> }
    });
    view! {
        <svg class=if large { "seg lg" } else { "seg" } viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=label>
            {rects}
        </svg>
        {keys}
    }
}

/// What each colour of a chart means.
#[component]
pub fn Legend(items: Vec<(&'static str, &'static str)>) -> impl IntoView {
    let keys = items
        .into_iter()
        .map(|(label, paint)| view! { <span class="key"><i class=format!("sw {paint}") aria-hidden="true"></i>{label}</span> })
        .collect_view();
    view! { <div class="keys">{keys}</div> }
}

/// A line without axes, beside a figure that says what matters.
#[component]
pub fn Spark(points: Vec<f64>, #[prop(default = "chart-1")] paint: &'static str) -> impl IntoView {
    let (low, high) =
        points.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
    let span = if high > low { high - low } else { 1.0 };
    let step = 64.0 / (points.len().max(2) - 1) as f64;
    let places: Vec<(f64, f64)> = points
        .iter()
        .enumerate()
        .map(|(index, value)| (2.0 + step * index as f64, 21.0 - (value - low) / span * 18.0))
        .collect();
    let line = places.iter().map(|(x, y)| format!("{},{}", round(*x), round(*y))).collect::<Vec<_>>().join(" ");
    let end = places
        .last()
        .map(|(x, y)| view! { <circle class=format!("fill-{paint}") cx=round(*x) cy=round(*y) r="2.2"></circle> });
    view! {
        <svg class="spark" viewBox="0 0 68 24" aria-hidden="true">
            <polyline class=format!("stroke-{paint}") points=line></polyline>
            {end}
        </svg>
    }
}

/// One decimal, so that server and browser write the same text.
pub fn round(value: f64) -> String {
    fixed(value, 1)
}

/// A number with thousands separated: `1,284.50`.
pub fn figure(value: f64, decimals: usize) -> String {
    let text = fixed(value.abs(), decimals as u32);
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    if value < 0.0 { format!("−{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn separates_thousands() {
        assert_eq!(figure(1284.0, 0), "1,284");
        assert_eq!(figure(412.9, 2), "412.90");
        assert_eq!(figure(-1_000_000.0, 0), "−1,000,000");
        assert_eq!(figure(0.0, 0), "0");
    }
}
