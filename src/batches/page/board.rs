use leptos::prelude::*;

use crate::model::{BatchView, Line, ResultRow};
use patchbay_calls::model::{CallResult, Disposition};
use patchbay_calls::page::Ticking;
use patchbay_shared::Tone;
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::counted;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

/// Free lines beyond this many are not drawn one by one.
const MOST_FREE: usize = 10;

/// Which call has which line of the board, while the page stands: a call keeps its line until it ends, and a new one gets the first
/// that is free, so that nobody moves under the eyes of whoever watches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seats(Vec<Option<String>>);

impl Seats {
    /// The calls that go on, by line. None: the line is free.
    fn seat(&mut self, lines: Vec<Line>) -> Vec<Option<Line>> {
        for seat in &mut self.0 {
            if seat.as_ref().is_some_and(|id| !lines.iter().any(|line| line.call_id == *id)) {
                *seat = None;
            }
        }
        for line in &lines {
            if self.0.iter().flatten().any(|id| *id == line.call_id) {
                continue;
            }
            match self.0.iter().position(Option::is_none) {
                Some(free) => self.0[free] = Some(line.call_id.clone()),
                None => self.0.push(Some(line.call_id.clone())),
            }
        }
        while self.0.last().is_some_and(Option::is_none) {
            self.0.pop();
        }
        let of = |id: &Option<String>| lines.iter().find(|line| Some(&line.call_id) == id.as_ref()).cloned();
        self.0.iter().map(of).collect()
    }
}

/// One socket per line: talking, dialling, free.
#[component]
pub(crate) fn LineBoard(lines: Vec<Line>, concurrency: i32, seats: StoredValue<Seats>) -> impl IntoView {
    let (busy, all) = (lines.len(), concurrency.max(0) as usize);
    let seated = seats.try_update_value(|seats| seats.seat(lines)).unwrap_or_default();
    let taken = seated.len();
    let free = all.saturating_sub(taken).min(MOST_FREE);
    let sockets = seated
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let Some(line) = line else { return view! { <FreeLine index/> }.into_any() };
            let (class, tone, word) =
                if line.talking { ("line on", Tone::Live, "Talking") } else { ("line", Tone::Info, "Dialling") };
            view! {
                <a class=class href=format!("/calls/{}", line.call_id)>
                    <span class="h">
                        <StatusDot tone=tone on=true/>
                        <span>{format!("Line {:02}", index + 1)}</span>
                        <span class="mono"><Ticking seconds=line.seconds/></span>
                    </span>
                    <b>{line.contact}</b>
                    <p>{word}</p>
                </a>
            }
            .into_any()
        })
        .collect_view();
    let idle = (taken..taken + free).map(|index| view! { <FreeLine index/> }).collect_view();
    let more = all.saturating_sub(taken + free);
    view! {
        <Card title="Line board" right=move || view! { <span class="sub">{format!("{busy} of {all} lines busy")}</span> }>
            <div class="lines">{sockets}{idle}</div>
            {(more > 0).then(|| view! { <p class="note">{counted(more as i64, "more free line", "more free lines")}</p> })}
        </Card>
    }
}

#[component]
fn FreeLine(index: usize) -> impl IntoView {
    view! {
        <div class="line idle">
            <span class="h"><StatusDot tone=Tone::Mute on=false/><span>{format!("Line {:02}", index + 1)}</span></span>
            <b>"Free"</b>
            <p>"No call"</p>
        </div>
    }
}

/// Calls that ended, minute by minute.
#[component]
pub(crate) fn Pace(pace: Vec<(String, f64)>) -> impl IntoView {
    if pace.is_empty() {
        return view! {
            <Card title="Finished per minute"><EmptyState icon="activity" title="Nothing finished yet" text="The pace shows once calls have ended." small=true/></Card>
        }
        .into_any();
    }
    let now = pace.last().map_or(0.0, |(_, count)| *count);
    let best = pace.iter().cloned().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    let finding = format!("Calls finished per minute. Most at {}: {}.", best.0, fixed(best.1, 0));
    let (labels, values): (Vec<String>, Vec<f64>) = pace.into_iter().unzip();
    view! {
        <Card title="Finished per minute" right=move || view! { <span><b>{fixed(now, 0)}</b>" "<span class="sub">"last minute"</span></span> }>
            <LineChart label="Finished per minute" finding=finding labels=labels series=vec![Series::new("Finished", "chart-1", values)] decimals=0 head="Minute"/>
        </Card>
    }
    .into_any()
}

/// The latest ended calls.
#[component]
pub(crate) fn Results(batch: BatchView) -> impl IntoView {
    let all = format!("/calls?batch={}", batch.id);
    if batch.results.is_empty() {
        return view! {
            <Card title="Latest results"><EmptyState icon="phone-call" title="No results yet" text="Each call shows here once it has ended." small=true/></Card>
        }
        .into_any();
    }
    let rows = batch.results.into_iter().map(|row| view! { <ResultLine row/> }).collect_view();
    view! {
        <Card title="Latest results" right=move || view! { <a class="link" href=all>"All calls"</a> } flush=true>
            <DataTable
                label="Latest results"
                head=|| view! {
                    <th scope="col">"Ended"</th>
                    <th scope="col">"Contact"</th>
                    <th scope="col">"Result"</th>
                    <th scope="col">"Next"</th>
                    <th scope="col" class="num">"Attempt"</th>
                    <th scope="col" class="num">"Length"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}

#[component]
fn ResultLine(row: ResultRow) -> impl IntoView {
    let is_answered = row.result == Some(CallResult::Answered);
    let (tone, word) =
        match (row.goal_reached, row.outcome.map(|outcome| Disposition::of(outcome, is_answered)), row.result) {
            (Some(true), ..) => (Tone::Ok, "Goal reached"),
            (_, Some(said @ (Disposition::SaidNo | Disposition::CallBack)), _) => (said.tone(), said.label()),
            (.., Some(result)) => (result.tone(), result.label()),
            (.., None) => (Tone::Mute, "Ended"),
        };
    view! {
        <tr>
            <td>{row.ended.map(|stamp| view! { <Time stamp/> })}</td>
            <td><div class="who"><a href=format!("/calls/{}", row.call_id)>{row.contact}</a><small class="mono">{spaced(&row.number)}</small></div></td>
            <td><State tone=tone label=word/></td>
            <td>{row.error.filter(|_| row.outcome.is_none()).unwrap_or(row.next)}</td>
            <td class="num">{row.attempt}</td>
            <td class="num">{row.length.unwrap_or_else(|| "–".into())}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Seats};

    fn lines(ids: &[&str]) -> Vec<Line> {
        let line = |id: &&str| Line {
            call_id: (*id).to_owned(),
            contact: (*id).to_owned(),
            number: String::new(),
            talking: true,
            seconds: 0,
        };
        ids.iter().map(line).collect()
    }

    #[test]
    fn a_call_keeps_its_line_until_it_ends() {
        let mut seats = Seats::default();
        let mut shown = |ids: &[&str]| {
            let names = seats.seat(lines(ids)).into_iter().map(|line| line.map_or("-".to_owned(), |line| line.call_id));
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(&["a", "b", "c"]), "a b c");
        assert_eq!(shown(&["b", "c"]), "- b c");
        // Two new ones: one takes the free line, the other the next.
        assert_eq!(shown(&["b", "c", "d", "e"]), "d b c e");
        assert_eq!(shown(&["d"]), "d");
        assert_eq!(shown(&[]), "");
    }
}
