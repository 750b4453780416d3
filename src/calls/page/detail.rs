use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::facts::{CallFacts, CostCard};
use super::prompt;
use super::result::{AnalysisCard, EvidenceCard, ResultCard};
use super::transcript::Parts;
use super::transfers::TransfersCard;
use crate::model::query::encoded;
use crate::model::{CallDetail, CallDirection, CallPrompt, CallSource, CallState, ListText, Said, TranscriptStatus};
use crate::server_fns::{FetchCallRecording, ReviewCall, get_call};
use patchbay_access::Action;
use patchbay_runs::page::KnowledgeCard;
use patchbay_shared::decimals;
use patchbay_shared::ids::CallId;
use patchbay_shared::phone::spaced;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// One call: its sound, what was said, what came of it.
#[lazy]
pub fn call_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("list"));
    let call = load(asked, |(id, list)| get_call(id, list));
    let opened = move || (params.read().get("id").unwrap_or_default(), query("tab").as_deref() == Some("prompt"));
    let prompt = load(opened, |(id, is_open)| prompt::fetch(id, is_open));
    Arc::new(move || {
        let params = use_params_map();
        let player = Player::new();
        let goes_on = StoredValue::new(false);
        live::on_change(&["calls"], move || {
            // The list's topic tells of every call; only a call that goes on changes often enough to listen to it.
            if goes_on.get_value() {
                call.refetch();
            }
        });
        // The page stays while the person goes from call to call, so what it listens to follows the address.
        Effect::new(move |_| {
            let topic = format!("call:{}", params.read().get("id").unwrap_or_default());
            live::on_change(&[topic], move || call.refetch());
        });
        // A link to a moment moves the sound there.
        Effect::new(move |before: Option<Option<String>>| {
            let moment = query("t");
            if before.is_some_and(|before| before != moment)
                && let Some(seconds) = moment.as_deref().and_then(decimals::read)
            {
                player.seek(seconds);
            }
            moment
        });
        let shown = StoredValue::new(None::<CallId>);
        let again = Callback::new(move |()| call.refetch());
        let page = move |found: CallDetail| {
            let before = shown.get_value();
            if before.is_some_and(|before| before != found.id) {
                player.seconds.set(0.0);
                player.playing.set(false);
            }
            shown.set_value(Some(found.id));
            goes_on.set_value(found.state.is_open());
            view! { <Page call=found prompt player again/> }
        };
        view! { <PageBoundary data=call view=page/> }.into_any()
    })
}

#[component]
fn Page(call: CallDetail, prompt: Loaded<Option<CallPrompt>>, player: Player, again: Callback<()>) -> impl IntoView {
    let list = ListText::new(query("list"));
    let (id, newer, older) = (call.id, call.newer, call.older);
    let moves = {
        let list = list.clone();
        move || view! { <Neighbour list=list.clone() id=newer newer=true/><Neighbour list=list.clone() id=older newer=false/> }
    };
    let reviewed = call.reviewed.is_some();
    let review = (call.may_review && !call.state.is_open())
        .then(|| view! { <Review id older list=list.clone() reviewed again/> });
    // What was said on a call becomes a case of the agent's tests.
    let spoken = !call.turns.is_empty();
    let case = call.agent.as_ref().filter(|_| spoken && viewer().may(Action::ManageAgents)).map(|(agent, _)| {
        let href = format!("/agents/{agent}/tests/new?call={id}");
        view! { <LinkButton href icon="list-checks">"Make a test case"</LinkButton> }
    });
    let actions = move || view! { {moves()}{case}{review} };
    let cord = cord(&call);
    let live = call.state == CallState::Live;
    let (state, error) = (call.state, call.error.clone());
    // Why is the agency's business.
    let error = error.or_else(|| {
        (state == CallState::Failed && !call.is_agency).then(|| "Your agency can see why and what to do.".to_owned())
    });
    view! {
        <PageTitle text=call.title.clone() parents=vec![crumb("Calls", list.address())]/>
        <PageHead
            title=call.title.clone()
            tags=move || view! {
                <State tone=state.tone() label=state.label()/>
                {reviewed.then(|| view! { <Tag tone=patchbay_shared::Tone::Ok>"Reviewed"</Tag> })}
            }
            sub_view=move || view! { <RouteChain nodes=cord live/> }
            actions=actions
        />
        {error.map(|error| view! { <Callout tone=patchbay_shared::Tone::Bad>{(state == CallState::Failed).then(|| view! { <b>"The call failed. "</b> })}{error}</Callout> })}
        <div class="cols call">
            <div class="cols min0">
                <Sound call=call.clone() player again/>
                <Parts call=call.clone() prompt player again/>
            </div>
            <div class="cols">
                <ResultCard call=call.clone() again/>
                <AnalysisCard call=call.clone() again/>
                <EvidenceCard lines=call.evidence.clone()/>
                <KnowledgeCard passages=call.knowledge.clone()/>
                <TransfersCard transfers=call.transfers.clone()/>
                <CallFacts call=call.clone()/>
                <CostCard call=call/>
            </div>
        </div>
    }
}

/// Who was joined with whom: the other side's number, ours, the agent, the client.
fn cord(call: &CallDetail) -> Vec<RouteNode> {
    let (theirs, ours, icon) = match call.direction {
        CallDirection::Inbound => (&call.from, &call.to, "phone-incoming"),
        CallDirection::Outbound => (&call.to, &call.from, "phone-outgoing"),
    };
    let mut nodes = vec![RouteNode::new(theirs.as_deref().map_or_else(|| "Number withheld".to_owned(), spaced)).mono()];
    if let Some(ours) = ours {
        nodes.push(RouteNode::new(spaced(ours)).icon(icon).mono());
    }
    if let Some((id, name)) = &call.agent {
        let mut node = RouteNode::new(name).icon("bot");
        if call.is_agency {
            node = node.href(format!("/agents/{id}"));
        }
        if let Some(version) = call.prompt_version {
            node = node.tag(format!("prompt v{version}"));
        } else if call.source == Some(CallSource::HistoricalSync) {
            node = node.tag("prompt version not known");
        }
        nodes.push(node);
    }
    if let Some((id, name)) = &call.client {
        let node = RouteNode::new(name).icon("users");
        nodes.push(if call.is_agency { node.href(format!("/clients/{id}")) } else { node });
    }
    nodes
}

#[component]
fn Neighbour(list: ListText, id: Option<CallId>, newer: bool) -> impl IntoView {
    let (icon, label) =
        if newer { ("chevron-left", "Newer call in this list") } else { ("chevron-right", "Older call in this list") };
    match id {
        Some(id) => view! { <LinkButton href=list.call_address(id) icon=icon label=label square=true/> }.into_any(),
        None => view! { <span class="btn sq" aria-disabled="true" title=label><Icon name=icon small=true/><span class="sr">{label}</span></span> }
            .into_any(),
    }
}

/// Says that somebody has looked at the call, and goes on to the next one of the list it came from.
#[component]
fn Review(id: CallId, older: Option<CallId>, list: ListText, reviewed: bool, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<ReviewCall>();
    let list = list.text().to_owned();
    let next = older
        .filter(|_| !list.is_empty() && !reviewed)
        .map(|id| view! { <input type="hidden" name="next" value=id.to_string()/> });
    view! {
        <ServerForm action class="inline" prefix="review" no_summary=true on_done=again said="Review noted">
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="list" value=list/>
            {next}
            {if reviewed {
                view! { <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw">"Not reviewed"</SubmitButton> }.into_any()
            } else {
                view! { <input type="hidden" name="on" value="true"/><SubmitButton icon="check">"Mark reviewed"</SubmitButton> }.into_any()
            }}
        </ServerForm>
    }
}

/// The recording, or why there is none.
#[component]
fn Sound(call: CallDetail, player: Player, again: Callback<()>) -> impl IntoView {
    if !call.hears_recordings {
        return ().into_any();
    }
    let Some(recording) = call.recording.clone() else {
        if call.is_recording_left {
            return view! { <RecordingLeft id=call.id may_fetch=call.may_replay again/> }.into_any();
        }
        let why = match (call.state, call.transcript_status) {
            (state, _) if state.is_open() => "The recording is available after the call has ended.".to_owned(),
            _ if call.unanswered().is_some() => {
                format!("{} There is no recording.", call.unanswered().unwrap_or_default())
            }
            (_, Some(TranscriptStatus::Pending | TranscriptStatus::Fetching)) => {
                "The recording is being fetched.".to_owned()
            }
            _ if call.awaits_recording => "The recording is being fetched.".to_owned(),
            (_, None) if call.source == Some(CallSource::HistoricalSync) => {
                "The call was imported without its recording. Whoever fetches the transcript fetches it too.".to_owned()
            }
            _ => "There is no recording of this call. The agent's settings say whether calls are recorded.".to_owned(),
        };
        return view! { <p class="note"><Icon name="headphones" small=true/>{why}</p> }.into_any();
    };
    let id = call.id;
    let start = match player.seconds.get_untracked() {
        at if at > 0.0 => at,
        _ => query("t").and_then(|text| decimals::read(&text)).unwrap_or(0.0),
    };
    let seconds = recording.peaks.as_ref().map_or(call.seconds.unwrap_or(0) as f64, |peaks| peaks.seconds);
    view! {
        <section class="card">
            <AudioPlayer
                player
                src=format!("/calls/{id}/recording.wav")
                seconds
                peaks=recording.peaks.map(|peaks| peaks.pairs(200))
                markers=markers(&call)
                download=format!("/calls/{id}/recording.wav?download=1")
                start
            />
        </section>
    }
    .into_any()
}

/// The recording is at the voice service still, because the import was to leave it there.
#[component]
fn RecordingLeft(id: CallId, may_fetch: bool, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<FetchCallRecording>();
    let fetch = may_fetch.then(|| {
        view! {
            <ServerForm action class="inline" prefix="recording" on_done=again said="The recording is being fetched">
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="list" value=query("list")/>
                <SubmitButton kind=ButtonKind::Plain icon="download" small=true>"Fetch the recording"</SubmitButton>
            </ServerForm>
        }
    });
    view! {
        <div class="row wrap">
            <p class="note"><Icon name="headphones" small=true/>"The call was imported without its recording."</p>
            {fetch}
        </div>
    }
}

/// Where tools were used and where evidence stands.
fn markers(call: &CallDetail) -> Vec<Marker> {
    let tools = call.turns.iter().filter(|turn| turn.by == Said::Tool).filter_map(|turn| {
        let tool = turn.tool.as_ref()?;
        let (word, tone) = if tool.error.is_some() { ("failed", "bad") } else { ("was used", "acc") };
        Some(Marker::new(f64::from(turn.start_ms?) / 1000.0, "wrench", format!("{} {word}", tool.name), tone))
    });
    let evidence = call
        .evidence
        .iter()
        .filter_map(|line| Some(Marker::new(f64::from(line.start_ms?) / 1000.0, "flag", line.claim.clone(), "info")));
    tools.chain(evidence).collect()
}

/// A moment of this call: the address with the list it came from, and the turn's anchor.
pub(crate) fn moment(second: i64, anchor: &str) -> String {
    let list = query("list").map(|list| format!("list={}&", encoded(&list))).unwrap_or_default();
    format!("?{list}t={second}#{anchor}")
}
