use leptos::prelude::*;

use super::field::{Ties, first_value};
use super::form::{Typed, typed};
use patchbay_shared::FieldErrors;

/// Whether a box starts ticked: as it was sent before the form was refused, else as stored.
fn first_checked(name: &str, value: &str, stored: bool) -> bool {
    match typed(name) {
        Some(sent) => sent.as_deref() == Some(value),
        None => stored,
    }
}

/// A box to tick. Sends `value` when ticked, nothing when not.
#[component]
pub fn Checkbox(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional)] checked: bool,
    #[prop(default = "true".to_owned(), into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(optional)] disabled: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
) -> impl IntoView {
    let ties = Ties::new(&name, id, None, errors);
    let checked = first_checked(&name, &value, checked);
    view! {
        <div class="field">
            <label class="check">
                <input
                    type="checkbox"
                    class="cb"
                    id=ties.id.clone()
                    name=name
                    value=value
                    checked=checked
                    required=required
                    disabled=disabled
                    aria-invalid=ties.invalid()
                    aria-describedby=ties.described_by()
                />
                <span>{label}{hint.map(|hint| view! { <small>{hint}</small> })}</span>
            </label>
            {ties.error_view()}
        </div>
    }
}

/// Several boxes of one field, sent as `name[]`: value, label and hint of each. After a refusal without script those are ticked that were.
#[component]
pub fn Boxes(
    #[prop(into)] name: String,
    #[prop(into)] legend: String,
    options: Vec<RadioOption>,
    chosen: Vec<String>,
    #[prop(optional, into)] hint: Option<String>,
    /// Beside each other, where there is room: for many.
    #[prop(optional)]
    columns: bool,
) -> impl IntoView {
    let ties = Ties::new(&name, None, hint, None);
    let (sent, numbered) = (format!("{name}[]"), format!("{name}["));
    let was_refused = typed(&sent).is_some();
    let chosen = match use_context::<Typed>().filter(|_| was_refused) {
        Some(typed) => {
            typed.fields.into_iter().filter(|(key, _)| key.starts_with(&numbered)).map(|(_, value)| value).collect()
        }
        None => chosen,
    };
    let boxes = options
        .into_iter()
        .enumerate()
        .map(|(index, option)| {
            // The first carries the field's id, so that the error summary can point at it.
            let id = if index == 0 { ties.id.clone() } else { format!("{}-{index}", ties.id) };
            let checked = chosen.contains(&option.value);
            view! {
                <label class="check">
                    <input type="checkbox" class="cb" id=id name=sent.clone() value=option.value checked=checked/>
                    <span>{option.label}{(!option.hint.is_empty()).then(|| view! { <small>{option.hint}</small> })}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset aria-describedby=ties.described_by()>
            <legend>{legend}</legend>
            {ties.hint_view()}
            <div class=if columns { "checks cols-2" } else { "checks" }>{boxes}</div>
            {ties.error_view()}
        </fieldset>
    }
}

/// On or off. Sends `value` when on.
#[component]
pub fn Switch(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional)] checked: bool,
    #[prop(default = "true".to_owned(), into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] disabled: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
) -> impl IntoView {
    let ties = Ties::new(&name, id, None, errors);
    let checked = first_checked(&name, &value, checked);
    view! {
        <div class="field">
            <label class="switch">
                <input
                    type="checkbox"
                    role="switch"
                    id=ties.id.clone()
                    name=name
                    value=value
                    checked=checked
                    disabled=disabled
                    aria-describedby=ties.described_by()
                />
                <span>{label}{hint.map(|hint| view! { <small>{hint}</small> })}</span>
            </label>
            {ties.error_view()}
        </div>
    }
}

/// One of a few choices that need a line of explanation.
#[derive(Debug, Clone)]
pub struct RadioOption {
    value: String,
    label: String,
    hint: String,
}

impl RadioOption {
    pub fn new(value: impl Into<String>, label: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: hint.into() }
    }
}

/// A choice shown in full.
#[component]
pub fn RadioCards(
    #[prop(into)] name: String,
    #[prop(into)] legend: String,
    options: Vec<RadioOption>,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
) -> impl IntoView {
    let ties = Ties::new(&name, id, hint, errors);
    let value = first_value(&name, value);
    let cards = options
        .into_iter()
        .enumerate()
        .map(|(index, option)| {
            // The first carries the field's id, so that the error summary can point at it.
            let id = if index == 0 { ties.id.clone() } else { format!("{}-{index}", ties.id) };
            let checked = option.value == value;
            view! {
                <label>
                    <input type="radio" id=id name=name.clone() value=option.value checked=checked required=required/>
                    <b>{option.label}</b>
                    {(!option.hint.is_empty()).then(|| view! { <small>{option.hint}</small> })}
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="radio-cards" aria-describedby=ties.described_by()>
            <legend>{legend}</legend>
            {ties.hint_view()}
            {cards}
            {ties.error_view()}
        </fieldset>
    }
}
