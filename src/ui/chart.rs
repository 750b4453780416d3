//! Charts as SVG that the server can write: geometry is stretched by the style sheet, words stand beside it in HTML, so no script has
//! to measure anything. Script adds a reading for one place, by pointer and by arrow keys.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;

use super::figures::{figure, round};
use super::hydrated;

const MOST_NAMES: usize = 16;

/// One row of values, in the order of the labels.
#[derive(Debug, Clone)]
pub struct Series {
    label: String,
    paint: &'static str,
    values: Vec<f64>,
}

impl Series {
    /// `paint`: chart-1 to chart-6, ok, bad, warn, info, mute.
    pub fn new(label: impl Into<String>, paint: &'static str, values: Vec<f64>) -> Self {
        Self { label: label.into(), paint, values }
    }

    fn at(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Bars,
    Lines,
}

/// Stacked bars.
#[component]
pub fn BarChart(
    /// What the chart is called.
    #[prop(into)]
    label: String,
    /// What the chart says, in words.
    #[prop(into)]
    finding: String,
    labels: Vec<String>,
    series: Vec<Series>,
    /// A line over the bars, of values that are not stacked on them.
    #[prop(optional)]
    line: Option<Series>,
    /// Stands before and after each number: `$`, `%`.
    #[prop(optional)]
    before: &'static str,
    #[prop(optional)] after: &'static str,
    #[prop(optional)] decimals: usize,
    /// `tall` or `short`.
    #[prop(optional)]
    class: &'static str,
    /// The name of the first column of the table.
    #[prop(default = "When")]
    head: &'static str,
) -> impl IntoView {
    chart(Shape::Bars, label, finding, labels, series, line, Format { before, after, decimals }, class, head)
}

/// One line per series.
#[component]
pub fn LineChart(
    #[prop(into)] label: String,
    #[prop(into)] finding: String,
    labels: Vec<String>,
    series: Vec<Series>,
    #[prop(optional)] before: &'static str,
    #[prop(optional)] after: &'static str,
    #[prop(optional)] decimals: usize,
    #[prop(optional)] class: &'static str,
    #[prop(default = "When")] head: &'static str,
) -> impl IntoView {
    chart(Shape::Lines, label, finding, labels, series, None, Format { before, after, decimals }, class, head)
}

#[derive(Debug, Clone, Copy)]
struct Format {
    before: &'static str,
    after: &'static str,
    decimals: usize,
}

impl Format {
    fn text(self, value: f64) -> String {
        format!("{}{}{}", self.before, figure(value, self.decimals), self.after)
    }
}

#[allow(clippy::too_many_arguments)]
fn chart(
    shape: Shape,
    label: String,
    finding: String,
    labels: Vec<String>,
    mut series: Vec<Series>,
    line: Option<Series>,
    format: Format,
    class: &'static str,
    head: &'static str,
) -> AnyView {
    let count = labels.len().max(1);
    let over = line.as_slice();
    let top = scale_top(highest(shape, count, &series).max(highest(Shape::Lines, count, over)));
    let ticks =
        (0..=4).rev().map(|tick| view! { <span>{format.text(top * f64::from(tick) / 4.0)}</span> }).collect_view();
    let grid =
        (0..=4).map(|tick| view! { <line class="g" x1="0" x2="1000" y1=50 * tick y2=50 * tick></line> }).collect_view();
    let marks = match shape {
        Shape::Bars => (bars(count, &series, top), lines(count, over, top)).into_any(),
        Shape::Lines => lines(count, &series, top),
    };
    // In the table and in what is read aloud it is one more value.
    series.extend(line);
    // With many places only some are named, the last always.
    let step = count.div_ceil(MOST_NAMES);
    let sparse = if step > 1 { "x sparse" } else { "x" };
    let below = labels
        .iter()
        .enumerate()
        .map(|(at, label)| {
            let from_end = count - 1 - at;
            let named = from_end.is_multiple_of(step).then(|| label.clone());
            let minor = !from_end.is_multiple_of(3 * step);
            view! { <span class=minor.then_some("minor")>{named}</span> }
        })
        .collect_view();
    let table = table(head, &labels, &series, format);
    let reading = Reading { labels: StoredValue::new(labels), series: StoredValue::new(series), format };
    view! {
        <figure class=format!("chart {class}").trim_end().to_owned()>
            <figcaption class="sr">{format!("{label}. {finding}")}</figcaption>
            <div class="y" aria-hidden="true">{ticks}</div>
            {plot(label, count, grid.into_any(), marks, reading)}
            <div class=sparse aria-hidden="true">{below}</div>
        </figure>
        <details class="alt"><summary>"View as table"</summary><div class="scroll">{table}</div></details>
    }
    .into_any()
}

#[derive(Clone, Copy)]
struct Reading {
    labels: StoredValue<Vec<String>>,
    series: StoredValue<Vec<Series>>,
    format: Format,
}

impl Reading {
    fn words(self, index: usize) -> String {
        let parts: Vec<String> = self.series.with_value(|series| {
            series.iter().map(|row| format!("{} {}", row.label, self.format.text(row.at(index)))).collect()
        });
        format!("{}: {}", self.name(index), parts.join(", "))
    }

    fn name(self, index: usize) -> String {
        self.labels.with_value(|labels| labels.get(index).cloned().unwrap_or_default())
    }

    fn tip(self, index: usize, count: usize) -> AnyView {
        let middle = (index as f64 + 0.5) / count as f64 * 100.0;
        let at = ((middle / 5.0).round() as usize * 5).min(95);
        let class = if at > 60 { format!("tip at-{at} flip") } else { format!("tip at-{at}") };
        let rows = self.series.with_value(|series| {
            series
                .iter()
                .map(|row| {
                    view! {
                        <div>
                            <i class=format!("sw {}", row.paint)></i><span>{row.label.clone()}</span>
                            <span>{self.format.text(row.at(index))}</span>
                        </div>
                    }
                })
                .collect_view()
        });
        view! { <div class=class aria-hidden="true"><b>{self.name(index)}</b>{rows}</div> }.into_any()
    }
}

/// The drawing and its readings. The arrow keys walk from place to place; each is said once.
fn plot(label: String, count: usize, grid: AnyView, marks: AnyView, reading: Reading) -> AnyView {
    let ready = hydrated();
    let shown = RwSignal::new(None::<usize>);
    let spoken = RwSignal::new(String::new());
    let walk = move |event: KeyboardEvent| {
        let last = count - 1;
        let next = match (event.key().as_str(), shown.get_untracked()) {
            ("ArrowRight", Some(index)) => Some((index + 1).min(last)),
            ("ArrowLeft", Some(index)) => Some(index.saturating_sub(1)),
            ("ArrowRight" | "Home", _) => Some(0),
            ("ArrowLeft" | "End", _) => Some(last),
            ("Escape", Some(_)) => None,
            _ => return,
        };
        event.prevent_default();
        shown.set(next);
        spoken.set(next.map(|index| reading.words(index)).unwrap_or_default());
    };
    let band = 1000.0 / count as f64;
    let hits = (0..count)
        .map(|index| {
            view! {
                <rect
                    class="hit"
                    x=round(band * index as f64)
                    y="0"
                    width=round(band)
                    height="200"
                    on:pointerenter=move |_: PointerEvent| shown.set(Some(index))
                ></rect>
            }
        })
        .collect_view();
    view! {
        <div
            class="plot"
            role="group"
            aria-label=format!("{label}. Left and right arrow keys read the values.")
            tabindex=move || ready.get().then_some("0")
            on:keydown=walk
            on:pointerleave=move |_| shown.set(None)
            on:blur=move |_| shown.set(None)
        >
            <svg viewBox="0 0 1000 200" preserveAspectRatio="none" aria-hidden="true">{grid}{marks}{hits}</svg>
            {move || shown.get().map(|index| reading.tip(index, count))}
            <span class="sr" role="status">{move || spoken.get()}</span>
        </div>
    }
    .into_any()
}

fn bars(count: usize, series: &[Series], top: f64) -> AnyView {
    let band = 1000.0 / count as f64;
    let width = band * 0.56;
    let mut rects = Vec::new();
    for index in 0..count {
        let mut y = 200.0;
        for row in series {
            let height = row.at(index) / top * 200.0;
            if height > 0.0 {
                y -= height;
                let x = band * index as f64 + (band - width) / 2.0;
                rects.push(view! {
                    <rect class=format!("fill-{}", row.paint) x=round(x) y=round(y) width=round(width) height=round(height)></rect>
                });
            }
        }
    }
    rects.collect_view().into_any()
}

fn lines(count: usize, series: &[Series], top: f64) -> AnyView {
    let band = 1000.0 / count as f64;
    series
        .iter()
        .map(|row| {
            let points = (0..count.min(row.values.len()))
                .map(|index| {
                    format!("{},{}", round(band * (index as f64 + 0.5)), round(200.0 - row.at(index) / top * 200.0))
                })
                .collect::<Vec<_>>()
                .join(" ");
            view! { <polyline class=format!("stroke-{}", row.paint) points=points></polyline> }
        })
        .collect_view()
        .into_any()
}

fn table(head: &'static str, labels: &[String], series: &[Series], format: Format) -> AnyView {
    let heads = series.iter().map(|row| view! { <th scope="col" class="num">{row.label.clone()}</th> }).collect_view();
    let rows = labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let cells =
                series.iter().map(|row| view! { <td class="num">{format.text(row.at(index))}</td> }).collect_view();
            view! { <tr><th scope="row">{label.clone()}</th>{cells}</tr> }
        })
        .collect_view();
    view! { <table class="t"><thead><tr><th scope="col">{head}</th>{heads}</tr></thead><tbody>{rows}</tbody></table> }
        .into_any()
}

fn highest(shape: Shape, count: usize, series: &[Series]) -> f64 {
    (0..count)
        .map(|index| match shape {
            Shape::Bars => series.iter().map(|row| row.at(index)).sum::<f64>(),
            Shape::Lines => series.iter().map(|row| row.at(index)).fold(0.0, f64::max),
        })
        .fold(0.0, f64::max)
}

/// The end of the axis: four even steps of 1, 2, 2.5 or 5 times a power of ten.
fn scale_top(highest: f64) -> f64 {
    if highest <= 0.0 || !highest.is_finite() {
        return 4.0;
    }
    let raw = highest / 4.0;
    // Powers and logarithms would load a library of mathematics.
    let mut power = 1.0;
    while power > raw {
        power /= 10.0;
    }
    while power * 10.0 <= raw {
        power *= 10.0;
    }
    let step = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|nice| nice * power)
        .find(|step| *step >= raw - 1e-9);
    step.unwrap_or(10.0 * power) * 4.0
}

#[cfg(test)]
mod tests {
    use super::scale_top;

    #[test]
    fn the_axis_ends_at_a_round_number_above_the_highest_value() {
        assert_eq!(scale_top(0.0), 4.0);
        assert_eq!(scale_top(195.0), 200.0);
        assert_eq!(scale_top(4.0), 4.0);
        assert_eq!(scale_top(103.0), 120.0, "and not far above it");
        assert_eq!(scale_top(412.9), 600.0);
        for highest in [1.0, 3.0, 7.5, 99.0, 1234.0] {
            assert!(scale_top(highest) >= highest);
        }
    }
}
