//! Live changes: one stream per tab, shared by everything on the page. A notice names what changed; whoever shows it asks again.
//! All of it happens in the browser: effects do not run on the server.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::wasm_bindgen::prelude::Closure;
use leptos::web_sys::{Event, EventSource, MessageEvent, VisibilityState};

use super::address::escape;

/// Whether the page hears of changes as they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LiveState {
    /// Nothing on the page listens, or there is no script yet.
    #[default]
    Off,
    Live,
    /// The stream broke three times; the page asks every ten seconds instead.
    Paused,
}

#[derive(Clone, Copy)]
struct LiveContext(RwSignal<LiveState>);

const DEBOUNCE: Duration = Duration::from_millis(300);
const REOPEN: Duration = Duration::from_millis(60);
const POLL: Duration = Duration::from_secs(10);
const MOST_FAILURES: u32 = 3;

struct Listener {
    id: u64,
    topics: Vec<String>,
    tell: Rc<dyn Fn()>,
    /// Wants to be told once the stream carries its topics: what ended before that would never show.
    catches_up: bool,
    /// No stream with its topics has opened yet.
    is_new: bool,
    /// Is told at most this often.
    pause: Duration,
    /// Was told lately; what it hears meanwhile it is told when the pause is over.
    rests: bool,
}

#[derive(Default)]
struct Hub {
    state: Option<RwSignal<LiveState>>,
    next_id: u64,
    listeners: Vec<Listener>,
    due: Vec<u64>,
    flush: Option<TimeoutHandle>,
    reopen: Option<TimeoutHandle>,
    poll: Option<TimeoutHandle>,
    source: Option<EventSource>,
    /// In order, each once.
    topics: Vec<String>,
    failures: u32,
    /// Something may have been missed since the stream was last open.
    missed: bool,
    handlers: Option<Handlers>,
}

/// Made once per tab and used for every stream, so that none is dropped while it runs.
struct Handlers {
    open: Closure<dyn FnMut()>,
    message: Closure<dyn FnMut(MessageEvent)>,
    gap: Closure<dyn FnMut()>,
    error: Closure<dyn FnMut()>,
}

thread_local! {
    static HUB: RefCell<Hub> = RefCell::default();
}

fn hub<T>(work: impl FnOnce(&mut Hub) -> T) -> T {
    HUB.with_borrow_mut(work)
}

/// Starts listening in this tab. The shell calls it once.
pub fn provide_live() {
    let state = RwSignal::new(LiveState::Off);
    provide_context(LiveContext(state));
    Effect::new(move |_| {
        let first = hub(|hub| {
            hub.state = Some(state);
            hub.handlers.is_none()
        });
        if first {
            install();
        }
        reopen_soon();
    });
}

/// Whether live changes arrive; for a small remark in the shell.
pub fn live_state() -> Signal<LiveState> {
    use_context::<LiveContext>().map_or_else(Signal::default, |LiveContext(state)| state.into())
}

/// Calls `tell` after one of `topics` changed, at most every 300 ms, for as long as the caller's view exists.
pub fn on_change<T: AsRef<str>>(topics: &[T], tell: impl Fn() + 'static) {
    listen(topics, tell, false, Duration::ZERO);
}

/// As `on_change`, at most once in `pause`: for figures that take the server long.
pub fn on_change_slowly<T: AsRef<str>>(topics: &[T], pause: Duration, tell: impl Fn() + 'static) {
    listen(topics, tell, false, pause);
}

/// As `on_change`, and once more when the stream first carries the topics: for pages of one thing that may end between the answer that made
/// the page and the first word of the stream. Not for pages on which somebody types.
pub fn follow<T: AsRef<str>>(topics: &[T], tell: impl Fn() + 'static) {
    listen(topics, tell, true, Duration::ZERO);
}

fn listen<T: AsRef<str>>(topics: &[T], tell: impl Fn() + 'static, catches_up: bool, pause: Duration) {
    let topics: Vec<String> = topics.iter().map(|topic| topic.as_ref().to_owned()).collect();
    let tell: Rc<dyn Fn()> = Rc::new(tell);
    Effect::new(move |_| {
        let (topics, tell) = (topics.clone(), Rc::clone(&tell));
        let id = hub(|hub| {
            hub.next_id += 1;
            let id = hub.next_id;
            hub.listeners.push(Listener { id, topics, tell, catches_up, is_new: true, pause, rests: false });
            id
        });
        reopen_soon();
        on_cleanup(move || {
            hub(|hub| hub.listeners.retain(|listener| listener.id != id));
            reopen_soon();
        });
    });
}

fn install() {
    let handlers = Handlers {
        open: Closure::new(opened),
        message: Closure::new(|event: MessageEvent| {
            if let Some(topic) = event.data().as_string() {
                heard(&topic);
            }
        }),
        gap: Closure::new(everything),
        error: Closure::new(broke),
    };
    hub(|hub| hub.handlers = Some(handlers));
    // A hidden tab needs no stream; when it is shown again it asks for everything once.
    let visibility = Closure::<dyn FnMut(Event)>::new(|_| {
        if document().visibility_state() == VisibilityState::Hidden {
            close();
            hub(|hub| hub.missed = true);
        } else {
            hub(|hub| hub.failures = 0);
            reopen();
        }
    });
    let _ = document().add_event_listener_with_callback("visibilitychange", visibility.as_ref().unchecked_ref());
    visibility.forget();
}

fn wanted(hub: &Hub) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    for topic in hub.listeners.iter().flat_map(|listener| &listener.topics) {
        if let Err(place) = topics.binary_search(topic) {
            topics.insert(place, topic.clone());
        }
    }
    topics
}

/// Waits a moment, because a change of page drops and adds several listeners in a row.
fn reopen_soon() {
    hub(|hub| {
        if let Some(handle) = hub.reopen.take() {
            handle.clear();
        }
        if hub.handlers.is_some() {
            hub.reopen = set_timeout_with_handle(reopen, REOPEN).ok();
        }
    });
}

fn reopen() {
    let hidden = document().visibility_state() == VisibilityState::Hidden;
    let (topics, same) = hub(|hub| {
        let topics = wanted(hub);
        let open = hub.source.as_ref().is_some_and(|source| source.ready_state() != EventSource::CLOSED);
        let same = open && topics == hub.topics;
        (topics, same)
    });
    if same && hub(|hub| hub.source.as_ref().is_some_and(|source| source.ready_state() == EventSource::OPEN)) {
        catch_up();
    }
    if same || hidden {
        return;
    }
    close();
    if topics.is_empty() {
        set_state(LiveState::Off);
        return;
    }
    let list: Vec<String> = topics.iter().map(|topic| escape(topic)).collect();
    let Ok(source) = EventSource::new(&format!("/events?topics={}", list.join(","))) else { return broke() };
    hub(|hub| {
        if let Some(handlers) = &hub.handlers {
            source.set_onopen(Some(handlers.open.as_ref().unchecked_ref()));
            source.set_onmessage(Some(handlers.message.as_ref().unchecked_ref()));
            source.set_onerror(Some(handlers.error.as_ref().unchecked_ref()));
            let _ = source.add_event_listener_with_callback("gap", handlers.gap.as_ref().unchecked_ref());
        }
        hub.topics = topics;
        hub.source = Some(source);
    });
}

fn close() {
    let source = hub(|hub| hub.source.take());
    if let Some(source) = source {
        source.set_onerror(None);
        source.set_onmessage(None);
        source.set_onopen(None);
        source.close();
    }
}

fn opened() {
    let missed = hub(|hub| {
        hub.failures = 0;
        if let Some(handle) = hub.poll.take() {
            handle.clear();
        }
        std::mem::take(&mut hub.missed)
    });
    set_state(LiveState::Live);
    if missed {
        everything();
    }
    catch_up();
}

/// The open stream carries the topics of new listeners now: those that follow are told.
fn catch_up() {
    hub(|hub| {
        let Hub { listeners, topics, due, .. } = hub;
        for listener in listeners.iter_mut().filter(|listener| listener.is_new) {
            // One that came while this stream was being opened waits for the next.
            if listener.topics.iter().all(|topic| topics.binary_search(topic).is_ok()) {
                listener.is_new = false;
                due.extend(listener.catches_up.then_some(listener.id));
            }
        }
    });
    flush_soon();
}

/// The browser tries again by itself while the stream is only interrupted; a refused one stays closed.
fn broke() {
    let (failures, closed) = hub(|hub| {
        hub.failures += 1;
        hub.missed = true;
        let closed = hub.source.as_ref().is_none_or(|source| source.ready_state() == EventSource::CLOSED);
        (hub.failures, closed)
    });
    if failures >= MOST_FAILURES {
        close();
        set_state(LiveState::Paused);
        poll();
    } else if closed {
        close();
        set_timeout(reopen, Duration::from_secs(3));
    }
}

/// Asks for everything every ten seconds, and tries the stream again each time.
fn poll() {
    let handle = set_timeout_with_handle(
        || {
            if document().visibility_state() == VisibilityState::Hidden {
                return;
            }
            everything();
            reopen();
        },
        POLL,
    );
    hub(|hub| {
        if let Some(old) = hub.poll.take() {
            old.clear();
        }
        hub.poll = handle.ok();
    });
}

fn heard(topic: &str) {
    hub(|hub| {
        let due: Vec<u64> = hub
            .listeners
            .iter()
            .filter(|listener| listener.topics.iter().any(|own| own == topic))
            .map(|listener| listener.id)
            .collect();
        hub.due.extend(due);
    });
    flush_soon();
}

fn everything() {
    hub(|hub| {
        let all: Vec<u64> = hub.listeners.iter().map(|listener| listener.id).collect();
        hub.due.extend(all);
    });
    flush_soon();
}

fn flush_soon() {
    hub(|hub| {
        if hub.flush.is_none() && !hub.due.is_empty() {
            hub.flush = set_timeout_with_handle(flush, DEBOUNCE).ok();
        }
    });
}

/// Tells the listeners outside the borrow: they may add or drop listeners.
fn flush() {
    let due = hub(|hub| {
        hub.flush = None;
        let Hub { listeners, due, .. } = hub;
        let now = std::mem::take(due);
        let mut tells = Vec::new();
        for listener in listeners.iter_mut().filter(|listener| now.contains(&listener.id)) {
            if listener.rests {
                due.push(listener.id);
                continue;
            }
            if !listener.pause.is_zero() {
                listener.rests = true;
                let id = listener.id;
                set_timeout(move || rested(id), listener.pause);
            }
            tells.push(Rc::clone(&listener.tell));
        }
        tells
    });
    for tell in due {
        tell();
    }
}

fn rested(id: u64) {
    hub(|hub| {
        if let Some(listener) = hub.listeners.iter_mut().find(|listener| listener.id == id) {
            listener.rests = false;
        }
    });
    flush_soon();
}

fn set_state(state: LiveState) {
    if let Some(signal) = hub(|hub| hub.state) {
        signal.try_set(state);
    }
}
