//! Forms whose typing outlives a change of page: what is not saved yet stays in the browser tab and is there again when the form is.
//! Leaving the site with unsaved typing is asked about by the browser. All of it happens in the browser: effects do not run on the server.

use std::cell::Cell;
use std::rc::Rc;

use leptos::ev::{beforeunload, input, keydown, pointerdown};
use leptos::html::Form;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, JsValue};
use leptos::web_sys::{Event, EventTarget, HtmlFormElement, Storage, js_sys::Array, js_sys::Reflect};

/// A field: name, value, ticked. Buttons, files and passwords are none.
type Field = (String, String, bool);

/// Begins every key of a draft.
const PREFIX: &str = "draft:";
/// Marks a form that was saved as it stood when it was sent. What is typed on is for the form that follows it.
const SAVED: &str = "data-saved";

/// The key of what `person` types into the form `prefix` of the page `path`.
pub(crate) fn key_of(person: &str, path: &str, prefix: &str) -> String {
    format!("{PREFIX}{person}:{path}:{prefix}")
}

/// Follows the typing in `form` and keeps it as `key` while it differs from how the form began. True once a draft was put back.
pub(crate) fn keep_draft(form: NodeRef<Form>, key: String) -> RwSignal<bool> {
    let restored = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(form) = form.get() else { return };
        let _ = form.remove_attribute(SAVED);
        // As the page brought them: on a reload the browser has put typing of its own back already.
        let first = stored_fields(&form);
        if let Some(draft) = stored(&key) {
            let wanted = with_draft(&first, &draft);
            if wanted == first {
                forget(&key);
            } else {
                put_back(&form, &wanted);
                restored.set(true);
            }
        }
        let (own_key, watched) = (key.clone(), form.clone());
        let typing = window_event_listener(input, move |_| {
            if !watched.is_connected() {
                return;
            }
            let now = fields(&watched);
            if now == first {
                forget(&own_key);
            } else {
                store(&own_key, &now);
            }
        });
        let own_key = key.clone();
        let leaving = window_event_listener(beforeunload, move |event| {
            if form.is_connected() && stored(&own_key).is_some() {
                event.prevent_default();
                event.set_return_value("unsaved");
            }
        });
        on_cleanup(move || {
            typing.remove();
            leaving.remove();
        });
    });
    restored
}

/// The draft as it is stored when its form is sent.
#[cfg(feature = "hydrate")]
pub(crate) fn text_of(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// The form was saved; `sent` is the draft that went with it. What was typed while it was on its way stays a draft, without the hidden
/// fields: those of the form that follows say what the typing stands on now.
#[cfg(feature = "hydrate")]
pub(crate) fn saved(form: &HtmlFormElement, key: &str, sent: Option<&str>) {
    let _ = form.set_attribute(SAVED, "");
    if text_of(key).as_deref() == sent {
        forget(key);
    } else {
        store(key, &fields(form));
    }
}

/// As somebody signs out: whoever uses the tab next finds no drafts in it. The browser may still ask about unsaved typing, and whoever
/// stays keeps it: drafts go as the page goes.
pub fn forget_drafts_on_leaving() {
    let leaving = Rc::new(Cell::new(Some(window_event_listener_untyped("pagehide", |_| forget_all()))));
    let still_here = move || {
        if let Some(leaving) = leaving.take() {
            leaving.remove();
        }
    };
    let by_key = still_here.clone();
    drop(window_event_listener(pointerdown, move |_| still_here()));
    drop(window_event_listener(keydown, move |_| by_key()));
}

fn forget_all() {
    let Some(storage) = storage() else { return };
    let count = storage.length().unwrap_or_default();
    let keys: Vec<String> = (0..count).filter_map(|at| storage.key(at).ok().flatten()).collect();
    keys.iter().filter(|key| key.starts_with(PREFIX)).for_each(|key| forget(key));
}

/// The draft is not wanted.
pub(crate) fn forget(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn store(key: &str, fields: &[Field]) {
    if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(fields)) {
        let _ = storage.set_item(key, &text);
    }
}

fn stored(key: &str) -> Option<Vec<Field>> {
    let text = storage()?.get_item(key).ok().flatten()?;
    serde_json::from_slice(text.as_bytes()).ok()
}

/// The fields in the order of the page. Hidden ones belong to it: with the version that the typing began from, the server notices what
/// others have saved since. Once this form itself was saved, they say nothing of what is typed on.
fn fields(form: &HtmlFormElement) -> Vec<Field> {
    let is_saved = form.has_attribute(SAVED);
    elements(form)
        .into_iter()
        .filter(|element| !is_saved || get(element, "type").as_string().as_deref() != Some("hidden"))
        .map(|element| {
            let text = |key| get(&element, key).as_string().unwrap_or_default();
            (text("name"), text("value"), get(&element, "checked").is_truthy())
        })
        .collect()
}

/// The same fields as they are stored, whatever was typed since.
fn stored_fields(form: &HtmlFormElement) -> Vec<Field> {
    elements(form)
        .into_iter()
        .map(|element| {
            let text = |key| get(&element, key).as_string().unwrap_or_default();
            let value = match text("type").as_str() {
                "checkbox" | "radio" => text("value"),
                "select-one" => chosen_at_first(&element),
                _ => text("defaultValue"),
            };
            (text("name"), value, get(&element, "defaultChecked").is_truthy())
        })
        .collect()
}

/// The option that a select began with: the marked one, else the first.
fn chosen_at_first(select: &JsValue) -> String {
    let options = Array::from(&get(select, "options")).to_vec();
    let marked = options.iter().find(|option| get(option, "defaultSelected").is_truthy());
    marked.or(options.first()).and_then(|option| get(option, "value").as_string()).unwrap_or_default()
}

/// The form's fields with what the draft says of them. They are found by name and place among those of the name, so that one that came
/// or went since disturbs no other.
fn with_draft(form: &[Field], draft: &[Field]) -> Vec<Field> {
    let mut left: Vec<&Field> = draft.iter().collect();
    let mut wanted = form.to_vec();
    for field in &mut wanted {
        if let Some(at) = left.iter().position(|(name, ..)| *name == field.0) {
            field.clone_from(left.remove(at));
        }
    }
    wanted
}

/// `wanted` has the form's own fields, in their order. A field that changes says so, as if it were typed: what the page shows beside it
/// follows.
fn put_back(form: &HtmlFormElement, wanted: &[Field]) {
    for (element, (_, value, ticked)) in elements(form).into_iter().zip(wanted) {
        let kind = get(&element, "type").as_string().unwrap_or_default();
        let (key, to): (&str, JsValue) = match kind.as_str() {
            "checkbox" | "radio" => ("checked", (*ticked).into()),
            _ => ("value", value.as_str().into()),
        };
        if get(&element, key) == to {
            continue;
        }
        let _ = Reflect::set(&element, &key.into(), &to);
        if kind == "hidden" {
            continue;
        }
        for name in ["input", "change"] {
            if let Ok(event) = Event::new(name) {
                event.init_event_with_bubbles(name, true);
                let _ = element.unchecked_ref::<EventTarget>().dispatch_event(&event);
            }
        }
    }
}

fn elements(form: &HtmlFormElement) -> Vec<JsValue> {
    let mut all = Array::from(&get(form, "elements")).to_vec();
    all.retain(|element| {
        let kind = get(element, "type").as_string().unwrap_or_default();
        let has_name = get(element, "name").as_string().is_some_and(|name| !name.is_empty());
        has_name && !["password", "file", "submit", "button", "fieldset"].contains(&kind.as_str())
    });
    all
}

fn get(element: &JsValue, key: &str) -> JsValue {
    Reflect::get(element, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

#[cfg(test)]
mod tests {
    use super::{Field, with_draft};

    fn field(name: &str, value: &str) -> Field {
        (name.to_owned(), value.to_owned(), false)
    }

    #[test]
    fn a_draft_goes_into_the_form_as_it_is_now() {
        let form = [field("base_version", "2"), field("template", "saved"), field("tag", "a"), field("tag", "b")];
        // What was typed while the form was being saved is kept without the version that it began from.
        let typed_on = [field("template", "typed on"), field("tag", "a"), field("tag", "c"), field("gone", "x")];
        let wanted = [field("base_version", "2"), field("template", "typed on"), field("tag", "a"), field("tag", "c")];
        assert_eq!(with_draft(&form, &typed_on), wanted);
        // A draft of before somebody else saved keeps its version, so that the server notices.
        let older = [field("base_version", "1"), field("template", "typed")];
        assert_eq!(with_draft(&form, &older)[0], field("base_version", "1"));
        // Nothing is left of one that says what is stored.
        assert_eq!(with_draft(&form, &[field("template", "saved")]), form);
    }
}
