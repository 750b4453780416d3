//! A recording: the browser's own player until there is script, then a bar with the wave.

use leptos::html::Audio;
use leptos::prelude::*;

use super::{ButtonKind, Icon, LinkButton, Marker, Waveform, clock, hydrated};
use patchbay_shared::decimals::{self, fixed};

const SPEEDS: [f64; 4] = [1.0, 1.25, 1.5, 2.0];

/// The state of one recording, shared with whatever follows it (a transcript, a list of moments).
#[derive(Clone, Copy)]
pub struct Player {
    /// Where the sound is, in seconds.
    pub seconds: RwSignal<f64>,
    pub playing: RwSignal<bool>,
    audio: NodeRef<Audio>,
    speed: RwSignal<usize>,
}

impl Player {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self {
            seconds: RwSignal::new(0.0),
            playing: RwSignal::new(false),
            audio: NodeRef::new(),
            speed: RwSignal::new(0),
        }
    }

    /// Goes to a place, in seconds.
    pub fn seek(self, seconds: f64) {
        self.seconds.set(seconds);
        if let Some(audio) = self.audio.get_untracked() {
            audio.set_current_time(seconds);
        }
    }

    pub fn toggle(self) {
        let Some(audio) = self.audio.get_untracked() else { return };
        if audio.paused() {
            // The browser may refuse; then the button simply stays as it is.
            let _ = audio.play();
        } else {
            let _ = audio.pause();
        }
    }

    fn faster(self) {
        self.speed.update(|speed| *speed = (*speed + 1) % SPEEDS.len());
        if let Some(audio) = self.audio.get_untracked() {
            audio.set_playback_rate(SPEEDS[self.speed.get_untracked()]);
        }
    }

    fn follow(self) {
        if let Some(audio) = self.audio.get_untracked() {
            self.seconds.set(audio.current_time());
        }
    }
}

/// Plays a recording. The bar seeks by click and by arrow keys.
#[component]
pub fn AudioPlayer(
    player: Player,
    #[prop(into)] src: String,
    /// The whole length.
    seconds: f64,
    /// Pairs of loudness from 0 to 1; without them there is only a bar.
    #[prop(optional_no_strip)]
    peaks: Option<Vec<[f32; 2]>>,
    #[prop(optional)] markers: Vec<Marker>,
    /// Where the file can be saved from.
    #[prop(optional, into)]
    download: Option<String>,
    /// Where to begin, in seconds.
    #[prop(optional)]
    start: f64,
) -> impl IntoView {
    let ready = hydrated();
    let failed = RwSignal::new(false);
    player.seconds.set(start);
    let begin = move |_| {
        if start > 0.0 {
            player.seek(start);
        }
    };
    let label = move || if player.playing.get() { "Pause" } else { "Play" };
    let range = move || {
        view! {
            <input
                type="range"
                class="js-only"
                min="0"
                max=fixed(seconds.ceil(), 0)
                step="1"
                aria-label="Position"
                aria-valuetext=move || format!("{} of {}", clock(player.seconds.get()), clock(seconds))
                prop:value=move || fixed(player.seconds.get(), 0)
                on:input=move |event| {
                    if let Some(to) = decimals::read(&event_target_value(&event)) {
                        player.seek(to);
                    }
                }
            />
        }
    };
    view! {
        <div class="player">
            <audio
                node_ref=player.audio
                src=src
                preload="metadata"
                controls=move || !ready.get()
                class:hidden=move || ready.get()
                on:loadedmetadata=begin
                on:timeupdate=move |_| player.follow()
                on:play=move |_| player.playing.set(true)
                on:pause=move |_| player.playing.set(false)
                on:ended=move |_| player.playing.set(false)
                on:error=move |_| failed.set(true)
            ></audio>
            <button type="button" class="play" aria-label=label disabled=move || failed.get() || !ready.get() on:click=move |_| player.toggle()>
                {move || if player.playing.get() { view! { <Icon name="pause"/> } } else { view! { <Icon name="play"/> } }}
            </button>
            <Waveform
                peaks=peaks.unwrap_or_default()
                seconds
                markers
                position=Signal::derive(move || Some(player.seconds.get()).filter(|at| *at > 0.0 || player.playing.get()))
                on_seek=Callback::new(move |to| player.seek(to))
            >
                {range()}
            </Waveform>
            <div class="row">
                <span class="sub num text-xs js-only">{move || clock(player.seconds.get())}</span>
                <button type="button" class="btn js-only" aria-label=move || format!("Speed {}", SPEEDS[player.speed.get()]) on:click=move |_| player.faster()>
                    {move || format!("{}×", SPEEDS[player.speed.get()])}
                </button>
                {download.map(|href| view! { <LinkButton href kind=ButtonKind::Plain icon="download" label="Download the recording" square=true external=true/> })}
            </div>
        </div>
        <Show when=move || failed.get()>
            <p class="bad-ink text-sm pad" role="alert">"The recording could not be loaded. Reload the page to try again."</p>
        </Show>
    }
}
