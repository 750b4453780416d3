//! Going back leads to the place on the page where the person was. The browser does that for pages that it loads; here it is done for
//! pages that are built by script, whose rows come after the change of address. All of it happens in the browser.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use leptos::ev::{keydown, pointerdown, popstate, scroll, touchstart, wheel};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// How long a page may take to be tall enough, in milliseconds.
const PATIENCE: f64 = 5_000.0;
/// A page that has been tall enough for so long is complete.
const SETTLED: f64 = 700.0;

#[derive(Default)]
struct Places {
    /// By address: pixels from the top when the person was last there.
    by_address: HashMap<String, f64>,
    here: String,
    wanted: Option<Wanted>,
}

/// Where to go once the page is tall enough.
#[derive(Clone, PartialEq)]
struct Wanted {
    /// Of the page that the person went back to. On another one the place means nothing.
    address: String,
    place: f64,
    since: f64,
}

/// Keeps the place on each page of this tab. The shell calls it once.
pub fn keep_place() {
    let location = use_location();
    let address = move || format!("{}?{}", location.pathname.get(), location.search.get().trim_start_matches('?'));
    // Listeners live as long as the frame: what the effect owns ends each time that it runs again.
    let frame = Owner::current();
    Effect::new(move |places: Option<Rc<RefCell<Places>>>| {
        let now = address();
        if let Some(places) = places {
            places.borrow_mut().here.clone_from(&now);
            // A page that is entered anew begins at its top, and is not where it was when it was left another time. Whether the person goes
            // back is known only after this: the router hears of it first.
            let kept = places.clone();
            request_animation_frame(move || {
                let mut kept = kept.borrow_mut();
                // A page that was passed through, two steps back at once, has nothing to say any more.
                let is_here = address_now() == now;
                if is_here && kept.wanted.as_ref().is_none_or(|wanted| wanted.address != now) {
                    kept.wanted = None;
                    kept.by_address.remove(&now);
                }
            });
            return places;
        }
        let places = Rc::new(RefCell::new(Places { here: now, ..Places::default() }));
        match &frame {
            Some(frame) => frame.with(|| listen(&places)),
            None => listen(&places),
        }
        places
    });
}

fn listen(places: &Rc<RefCell<Places>>) {
    let kept = places.clone();
    let moved = window_event_listener(scroll, move |_| {
        let mut places = kept.borrow_mut();
        // While one page still stands under the other's address, its place means nothing: the router goes to the top of a new one.
        if places.wanted.is_none() && places.here == address_now() {
            let here = places.here.clone();
            places.by_address.insert(here, window().scroll_y().unwrap_or_default());
        }
    });
    let kept = places.clone();
    let back = window_event_listener(popstate, move |_| {
        let address = address_now();
        let mut places = kept.borrow_mut();
        let place = places.by_address.get(&address).copied().filter(|place| *place > 0.0);
        // Also where there is none: what was wanted was wanted on the page that is left.
        places.wanted = place.map(|place| Wanted { address, place, since: now() });
        let wanted = places.wanted.clone();
        drop(places);
        if let Some(wanted) = wanted {
            go(kept.clone(), wanted);
        }
    });
    let kept = places.clone();
    // Whoever moves by hand meanwhile is not pulled back.
    let free = move || {
        if let Ok(mut places) = kept.try_borrow_mut() {
            places.wanted = None;
        }
    };
    let (by_wheel, by_touch, by_press, by_key) = (free.clone(), free.clone(), free.clone(), free);
    let wheeled = window_event_listener(wheel, move |_| by_wheel());
    let touched = window_event_listener(touchstart, move |_| by_touch());
    let clicked = window_event_listener(pointerdown, move |_| by_press());
    let pressed = window_event_listener(keydown, move |_| by_key());
    on_cleanup(move || {
        for handle in [moved, back, wheeled, touched, clicked, pressed] {
            handle.remove();
        }
    });
}

/// Goes to the wanted place in each frame until the page has settled there, or the place is not wanted any more.
fn go(places: Rc<RefCell<Places>>, wanted: Wanted) {
    request_animation_frame(move || {
        if places.borrow().wanted.as_ref() != Some(&wanted) || wanted.address != address_now() {
            return;
        }
        let place = wanted.place;
        let root = document().document_element();
        let room = root.map_or(0, |root| root.scroll_height() - root.client_height());
        if f64::from(room) >= place && (window().scroll_y().unwrap_or_default() - place).abs() > 1.0 {
            window().scroll_to_with_x_and_y(0.0, place);
        }
        let waited = now() - wanted.since;
        let is_there = f64::from(room) >= place && waited > SETTLED;
        if is_there || waited > PATIENCE {
            places.borrow_mut().wanted = None;
            return;
        }
        go(places.clone(), wanted.clone());
    });
}

/// The address that the browser shows.
fn address_now() -> String {
    let at = window().location();
    let search = at.search().unwrap_or_default();
    format!("{}?{}", at.pathname().unwrap_or_default(), search.trim_start_matches('?'))
}

fn now() -> f64 {
    leptos::web_sys::js_sys::Date::now()
}
