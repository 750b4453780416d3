//! Forms whose typing outlives a change of page: what is not saved yet stays in the browser tab and is there again when the form is.
//! Leaving the site with unsaved typing is asked about by the browser. All of it happens in the browser: effects do not run on the server.

use leptos::ev::{beforeunload, input};
use leptos::html::Form;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsValue;
use leptos::web_sys::{HtmlFormElement, Storage, js_sys::Array, js_sys::Reflect};

/// A field: name, value, ticked. Buttons, files and passwords are none.
type Field = (String, String, bool);

/// Follows the typing in `form` and keeps it as `key` while it differs from how the form began. True once a draft was put back.
pub(crate) fn keep_draft(form: NodeRef<Form>, key: String) -> RwSignal<bool> {
    let restored = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(form) = form.get() else { return };
        // As the page brought them: on a reload the browser has put typing of its own back already.
        let first = stored_fields(&form);
        if let Some(draft) = stored(&key) {
            if draft == first {
                forget(&key);
            } else {
                put_back(&form, &draft);
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
            } else if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(&now)) {
                let _ = storage.set_item(&own_key, &text);
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

/// The draft was saved, or is not wanted.
pub(crate) fn forget(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn stored(key: &str) -> Option<Vec<Field>> {
    let text = storage()?.get_item(key).ok().flatten()?;
    serde_json::from_slice(text.as_bytes()).ok()
}

/// The fields in the order of the page. Hidden ones belong to it: with the version that the typing began from, the server notices what
/// others have saved since.
fn fields(form: &HtmlFormElement) -> Vec<Field> {
    elements(form)
        .into_iter()
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

/// Fields are found by name and place among those of the name, so that one that came or went since disturbs no other.
fn put_back(form: &HtmlFormElement, draft: &[Field]) {
    let mut left: Vec<&Field> = draft.iter().collect();
    for element in elements(form) {
        let name = get(&element, "name").as_string().unwrap_or_default();
        let Some(at) = left.iter().position(|(of, ..)| *of == name) else { continue };
        let (_, value, ticked) = left.remove(at);
        let kind = get(&element, "type").as_string().unwrap_or_default();
        let _ = match kind.as_str() {
            "checkbox" | "radio" => Reflect::set(&element, &"checked".into(), &(*ticked).into()),
            _ => Reflect::set(&element, &"value".into(), &value.as_str().into()),
        };
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
