use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::detail::moment;
use super::prompt::Prompt;
use super::result::TryAgain;
use super::steps::{Events, Raw, Steps, took};
use crate::model::detail::marked;
use crate::model::{CallDetail, CallPrompt, CallSource, EnrichmentType, Said, TranscriptStatus, Turn};
use patchbay_shared::Tone;
use patchbay_shared::decimals;
use patchbay_shared::money::{counted, length_text};
use patchbay_ui::*;

/// Transcript; steps and the prompt for whoever may see them; for the agency events and raw data.
#[component]
pub(crate) fn Parts(
    call: CallDetail,
    prompt: Loaded<Option<CallPrompt>>,
    player: Player,
    again: Callback<()>,
) -> impl IntoView {
    let is_agency = call.is_agency;
    let (sees_steps, sees_prompt) = (call.sees_steps, call.sees_prompt);
    let part = Memo::new(move |_| {
        let asked = query("tab").filter(|tab| match tab.as_str() {
            "steps" => sees_steps,
            "prompt" => sees_prompt,
            _ => is_agency,
        });
        asked.unwrap_or_else(|| "transcript".to_owned())
    });
    let (steps, events) = (call.turns.len(), call.events.len());
    let tabs = Signal::derive(move || {
        let now = part.get();
        let item = |label: &str, word: &str| {
            let href = with_query(&[("tab", (word != "transcript").then_some(word)), ("find", None)]);
            tab(label, href, now == word)
        };
        let mut items = vec![item("Transcript", "transcript")];
        if sees_steps {
            items.push(item("Steps", "steps").count(steps));
        }
        if sees_prompt {
            items.push(item("Prompt", "prompt"));
        }
        if is_agency {
            items.extend([item("Events", "events").count(events), item("Raw", "raw")]);
        }
        items
    });
    let call = Arc::new(call);
    let can_find = !call.turns.is_empty();
    let body = move || match part.get().as_str() {
        "steps" => view! { <Steps turns=call.turns.clone() unanswered=call.unanswered()/> }.into_any(),
        "prompt" => view! { <Prompt prompt/> }.into_any(),
        "events" => view! { <Events events=call.events.clone()/> }.into_any(),
        "raw" => view! { <Raw call=call.clone()/> }.into_any(),
        _ if call.turns.is_empty() => view! { <NothingSaid call=call.clone() again/> }.into_any(),
        _ => view! { <Transcript call=call.clone() player/> }.into_any(),
    };
    view! {
        <section class="card">
            <header class="ruled">
                <Tabs label="Parts of the call" items=tabs in_card=true/>
                <Show when=move || can_find && part.get() == "transcript"><div class="r"><Find/></div></Show>
            </header>
            {body}
        </section>
    }
}

/// A GET form: what is found stands in the address.
#[component]
fn Find() -> impl IntoView {
    let pathname = use_location().pathname;
    let list = move || query("list").map(|list| view! { <input type="hidden" name="list" value=list/> });
    view! {
        <GetForm action=pathname role="search" class="row">
            {list}
            <label class="search">
                <Icon name="search" small=true/>
                <span class="sr">"Find in transcript"</span>
                <input type="search" name="find" value=move || query("find") placeholder="Find in transcript" data-search="true"/>
            </label>
        </GetForm>
    }
}

#[component]
fn Transcript(call: Arc<CallDetail>, player: Player) -> impl IntoView {
    let agent: Arc<str> = call.agent.as_ref().map_or("Agent", |(_, name)| name.as_str()).into();
    let caller: Arc<str> = call.title.as_str().into();
    let quotes: Vec<String> = call.evidence.iter().map(|line| line.quote.clone()).collect();
    let needles = Memo::new(move |_| query("find").map_or_else(|| quotes.clone(), |words| vec![words]));
    let now = {
        let call = call.clone();
        Memo::new(move |_| {
            let heard = Some(player.seconds.get()).filter(|seconds| *seconds > 0.0);
            let second = heard.or_else(|| query("t").and_then(|text| decimals::read(&text)))?;
            call.turn_at(second)
        })
    };
    let found = {
        let call = call.clone();
        move || {
            query("find").map(|words| {
                let lower = words.to_lowercase();
                let count = call.turns.iter().filter(|turn| turn.text.to_lowercase().contains(&lower)).count();
                let text = counted(count as i64, "turn", "turns");
                view! {
                    <p class="note clip" role="status">{text}" with “"{words}"”. "<a class="link" href=move || with_query(&[("find", None)])>"Clear"</a></p>
                }
            })
        }
    };
    let can_download = format!("/calls/{}/transcript.txt", call.id);
    let turns = call
        .turns
        .iter()
        .map(|turn| match turn.by {
            Said::Tool => view! { <ToolStep turn=turn.clone()/> }.into_any(),
            _ => {
                let who = if turn.by == Said::Agent { agent.clone() } else { caller.clone() };
                view! { <Spoken turn=turn.clone() who now needles/> }.into_any()
            }
        })
        .collect_view();
    view! {
        {found}
        <div class="transcript">{turns}</div>
        <footer><a class="link push" href=can_download rel="external" download>"Download as text"</a></footer>
    }
}

#[component]
fn Spoken(turn: Turn, who: Arc<str>, now: Memo<Option<i32>>, needles: Memo<Vec<String>>) -> impl IntoView {
    let (position, anchor, text) = (turn.position, turn.anchor(), turn.text.clone());
    let id = anchor.clone();
    let side = if turn.by == Said::Agent { "turn a" } else { "turn c" };
    let class = move || if now.get() == Some(position) { format!("{side} now") } else { side.to_owned() };
    let pieces = move || {
        let pieces = needles.with(|needles| marked(&text, needles));
        pieces
            .into_iter()
            .map(|(mark, piece)| if mark { view! { <mark>{piece}</mark> }.into_any() } else { piece.into_any() })
            .collect_view()
    };
    let role = (turn.by == Said::Agent).then(|| view! { <span class="sub">"agent"</span> });
    view! {
        <div class=class id=id>
            <When turn=turn anchor=anchor/>
            <div class="w">
                <div class="nm"><i class="dot" aria-hidden="true"></i>{who.to_string()}{role}</div>
                <p>{pieces}</p>
            </div>
        </div>
    }
}

/// The time of a turn: a link to it.
#[component]
pub(crate) fn When(turn: Turn, anchor: String) -> impl IntoView {
    match turn.second() {
        Some(second) => {
            let title = format!("Link to {}", length_text(second));
            view! { <a href=move || moment(second, &anchor) title=title>{length_text(second)}</a> }.into_any()
        }
        None => view! { <span></span> }.into_any(),
    }
}

/// A tool between the turns.
#[component]
fn ToolStep(turn: Turn) -> impl IntoView {
    let (id, anchor) = (turn.anchor(), turn.anchor());
    let Some(tool) = turn.tool.clone() else { return ().into_any() };
    let (tone, word) = match (&tool.error, &tool.result) {
        (Some(_), _) => (Tone::Bad, "Failed"),
        (None, Some(_)) => (Tone::Ok, "Done"),
        (None, None) => (Tone::Warn, "No answer"),
    };
    let short =
        |text: String| if text.chars().count() > 400 { text.chars().take(399).chain(['…']).collect() } else { text };
    let answer = tool.error.clone().or(tool.result.clone());
    view! {
        <div class="turn" id=id>
            <When turn=turn anchor=anchor/>
            <div class=if tool.error.is_some() { "step bad" } else { "step" }>
                <div class="h">
                    <Icon name="wrench" small=true/><b>{tool.name}</b>
                    <span class="r"><Tag tone=tone>{word}</Tag>{tool.took_ms.map(|ms| view! { <span>{took(ms)}</span> })}</span>
                </div>
                {(!tool.arguments.trim().is_empty()).then(|| view! { <code>{short(tool.arguments)}</code> })}
                {answer.filter(|text| !text.trim().is_empty()).map(|text| view! { <code>{short(text)}</code> })}
                {tool.use_id.map(|id| view! { <a class="link" href=format!("/tool-calls/{id}")>"Request and response"</a> })}
            </div>
        </div>
    }
    .into_any()
}

/// Why there is no transcript, and what comes next.
#[component]
fn NothingSaid(call: Arc<CallDetail>, again: Callback<()>) -> impl IntoView {
    let (title, text) = match call.transcript_status {
        _ if call.state.is_open() => ("The call is in progress", "The transcript appears here after it has ended."),
        _ if call.unanswered().is_some() => ("No transcript", call.unanswered().unwrap_or_default()),
        None => ("No transcript", "The call was imported without its transcript, or there was no conversation."),
        Some(TranscriptStatus::Pending) if call.source == Some(CallSource::HistoricalSync) => {
            ("The transcript is not here yet", "Imported calls are fetched one after the other, behind calls of today.")
        }
        Some(TranscriptStatus::Pending) => {
            ("The transcript is not here yet", "It is fetched within moments after the call.")
        }
        Some(TranscriptStatus::Fetching) => {
            ("The transcript is being fetched", "It appears here as soon as it arrives.")
        }
        Some(TranscriptStatus::Completed) => ("Nothing was said", "The call was answered, and neither side spoke."),
        Some(TranscriptStatus::Failed) if call.is_agency => {
            ("The transcript could not be fetched", "The reason is shown below. Then try again.")
        }
        Some(TranscriptStatus::Failed) => ("No transcript", "It could not be fetched. Your agency can try again."),
    };
    let has_talk = call.unanswered().is_none();
    let problem = call.transcript_problem.clone().filter(|_| has_talk);
    let was_left_out = call.transcript_status.is_none() && call.source == Some(CallSource::HistoricalSync);
    let retry =
        has_talk && call.may_replay && (was_left_out || call.transcript_status == Some(TranscriptStatus::Failed));
    let id = call.id;
    view! {
        <EmptyState icon="message-square" title=title text=text small=true>
            {retry.then(|| view! { <TryAgain id kind=EnrichmentType::Transcript text=if was_left_out { "Fetch the transcript" } else { "Fetch transcript again" } again/> })}
        </EmptyState>
        {problem.map(|problem| view! {
            <div class="pad">
                <Callout tone=Tone::Warn>
                    {problem.error}
                    {problem.next.map(|next| format!(" Will be retried {}.", next.when()))}
                </Callout>
            </div>
        })}
    }
}
