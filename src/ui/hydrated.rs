use leptos::prelude::*;

/// False on the server and while the browser takes over the server's page, true right after. For what only works with script.
pub fn hydrated() -> Signal<bool> {
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    ready.into()
}
