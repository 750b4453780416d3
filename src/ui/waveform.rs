use leptos::prelude::*;

use super::address::with_query;
use super::figures::round;
use patchbay_shared::decimals::fixed;

/// How many bars a wave is drawn with, however long the sound.
const BARS: usize = 170;

/// A place in a recording that a person wants to find.
#[derive(Debug, Clone)]
pub struct Marker {
    /// Seconds from the start.
    pub at: f64,
    pub icon: &'static str,
    pub label: String,
    /// acc, bad, warn, info.
    pub tone: &'static str,
}

impl Marker {
    pub fn new(at: f64, icon: &'static str, label: impl Into<String>, tone: &'static str) -> Self {
        Self { at, icon, label: label.into(), tone }
    }
}

/// Seconds as people write them: `5:12`, `1:02:03`.
pub fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Two speakers over time, one above and one below the middle, with markers that are links to `?t=seconds`.
/// `position` (seconds) puts the cursor; what is still to come is paler.
#[component]
pub fn Waveform(
    /// Pairs of loudness from 0 to 1: first speaker, second speaker.
    peaks: Vec<[f32; 2]>,
    seconds: f64,
    #[prop(optional)] markers: Vec<Marker>,
    #[prop(optional, into)] position: Signal<Option<f64>>,
    /// Called with the seconds of a marker, once there is script.
    #[prop(optional, into)]
    on_seek: Option<Callback<f64>>,
    /// The control that lies over the wave.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let length = seconds.max(1.0);
    let now = Memo::new(move |_| position.get().map(|at| (at / length * BARS as f64) as usize));
    let cursor = move || {
        position.get().map(|at| round((at / length).clamp(0.0, 1.0) * 1000.0)).unwrap_or_else(|| "-10".to_owned())
    };
    let bars = sample(&peaks)
        .into_iter()
        .enumerate()
        .map(|(index, [above, below])| {
            let x = round(index as f64 * 1000.0 / BARS as f64);
            let pale = move || if now.get().is_some_and(|now| index > now) { " o-40" } else { "" };
            let (up, down) = (f64::from(above) * 29.0, f64::from(below) * 29.0);
            let above = (up >= 0.6).then(|| {
                view! {
                    <rect class=move || format!("fill-agent{}", pale()) x=x.clone() y=round(30.0 - up) width="3.6" height=round(up) rx="1"></rect>
                }
            });
            let below = (down >= 0.6).then(|| {
                view! {
                    <rect class=move || format!("fill-caller{}", pale()) x=x.clone() y="32" width="3.6" height=round(down) rx="1"></rect>
                }
            });
            let silent = (above.is_none() && below.is_none())
                .then(|| view! { <rect class="silence" x=x.clone() y="30.4" width="3.6" height="1.2"></rect> });
            view! { {above}{below}{silent} }
        })
        .collect_view();
    view! {
        <div class="wave">
            <div class="lanes">
                <svg viewBox="0 0 1000 62" preserveAspectRatio="none" role="img" aria-label=format!("Sound of {}", clock(seconds))>
                    {bars}
                    <line class="cursor" x1=cursor x2=cursor y1="0" y2="62"></line>
                </svg>
                {children.map(|children| children())}
                <svg class="pins">{pins(markers, length, on_seek)}</svg>
            </div>
            {axis(seconds)}
        </div>
    }
}

fn pins(markers: Vec<Marker>, length: f64, on_seek: Option<Callback<f64>>) -> AnyView {
    markers
        .into_iter()
        .map(|marker| {
            let at = marker.at;
            let href = move || with_query(&[("t", Some(&fixed(at, 0)))]);
            let seek = move |event: leptos::ev::MouseEvent| {
                if let Some(on_seek) = on_seek {
                    event.prevent_default();
                    on_seek.run(at);
                }
            };
            // The group makes the link an SVG one.
            view! {
                <g>
                    <a href=href aria-label=format!("{}, {}", marker.label, clock(at)) on:click=seek>
                        <svg class=format!("pin {}", marker.tone) x=format!("{}%", round(at / length * 100.0)) y="3" overflow="visible">
                            <circle r="10" cy="9"></circle>
                            <use_ href=format!("/icons.svg#{}", marker.icon) x="-6" y="3" width="12" height="12"></use_>
                        </svg>
                    </a>
                </g>
            }
        })
        .collect_view()
        .into_any()
}

fn axis(seconds: f64) -> AnyView {
    let step = [15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0]
        .into_iter()
        .find(|step| seconds / step <= 6.0)
        .unwrap_or(3600.0);
    let between = (1..)
        .map(|index| step * f64::from(index))
        .take_while(|at| *at < seconds - step * 0.4)
        .map(|at| view! { <text class="m" x=format!("{}%", round(at / seconds * 100.0))>{clock(at)}</text> })
        .collect_view();
    view! { <svg class="ax" aria-hidden="true"><text x="0">"0:00"</text>{between}<text class="e" x="100%">{clock(seconds)}</text></svg> }
        .into_any()
}

/// The loudest of each stretch, so that short words do not vanish.
fn sample(peaks: &[[f32; 2]]) -> Vec<[f32; 2]> {
    (0..BARS)
        .map(|index| {
            let from = index * peaks.len() / BARS;
            let to = ((index + 1) * peaks.len() / BARS).max(from + 1).min(peaks.len());
            peaks
                .get(from..to)
                .unwrap_or_default()
                .iter()
                .fold([0.0, 0.0], |[a, b], [c, d]| [f32::max(a, c.clamp(0.0, 1.0)), f32::max(b, d.clamp(0.0, 1.0))])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{BARS, clock, sample};

    #[test]
    fn writes_seconds_as_a_clock() {
        assert_eq!(clock(0.0), "0:00");
        assert_eq!(clock(312.4), "5:12");
        assert_eq!(clock(3723.0), "1:02:03");
    }

    #[test]
    fn any_number_of_peaks_becomes_the_same_number_of_bars() {
        for length in [0, 1, 100, 170, 800] {
            let bars = sample(&vec![[0.5, 2.0]; length]);
            assert_eq!(bars.len(), BARS);
            assert!(bars.iter().all(|[a, b]| *a <= 0.5 && *b <= 1.0));
        }
    }
}
