//! What every field has in common: label, hint, message, and the ids that tie them together.

use leptos::prelude::*;

use super::Icon;
use super::form::{FormContext, field_id, last_word, typed, use_errors};
use patchbay_shared::FieldErrors;

/// The ties of one field.
#[derive(Debug, Clone)]
pub struct Ties {
    pub id: String,
    pub error: Signal<Option<String>>,
    hint: Option<String>,
}

impl Ties {
    /// Finds id and message of the field `name` from the form around, unless told otherwise.
    pub fn new(name: &str, id: Option<String>, hint: Option<String>, errors: Option<Signal<FieldErrors>>) -> Self {
        let prefix = use_context::<FormContext>().map(|form| form.prefix).unwrap_or_default();
        let id = id.unwrap_or_else(|| field_id(&prefix, name));
        let errors = errors.unwrap_or_else(use_errors);
        let (full, own) = (name.to_owned(), last_word(name).to_owned());
        let error = Signal::derive(move || {
            errors.with(|errors| errors.at(&full).or_else(|| errors.at(&own)).map(str::to_owned))
        });
        Self { id, error, hint }
    }

    /// For `aria-invalid`.
    pub fn invalid(&self) -> impl Fn() -> Option<&'static str> + Send + Sync + use<> {
        let error = self.error;
        move || error.with(Option::is_some).then_some("true")
    }

    /// For `aria-describedby`: the hint and the message, as far as they are there.
    pub fn described_by(&self) -> impl Fn() -> Option<String> + Send + Sync + use<> {
        let (error, id, has_hint) = (self.error, self.id.clone(), self.hint.is_some());
        move || {
            let has_error = error.with(Option::is_some);
            let ids: Vec<String> = [(has_hint, "hint"), (has_error, "error")]
                .into_iter()
                .filter(|(there, _)| *there)
                .map(|(_, kind)| format!("{id}-{kind}"))
                .collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    }

    pub fn hint_view(&self) -> AnyView {
        let id = format!("{}-hint", self.id);
        self.hint.clone().map(|hint| view! { <p class="hint" id=id>{hint}</p> }).into_any()
    }

    pub fn error_view(&self) -> AnyView {
        let (error, id) = (self.error, format!("{}-error", self.id));
        let message = move || {
            error.get().map(
                |message| view! { <p class="err" id=id.clone()><Icon name="circle-alert" small=true/>{message}</p> },
            )
        };
        message.into_any()
    }
}

/// The value that a field starts with: what was typed before the form was refused, else what is stored.
pub fn first_value(name: &str, stored: String) -> String {
    match typed(name) {
        Some(Some(value)) => value,
        _ => stored,
    }
}

/// Label, hint and message around one control.
pub fn framed(ties: &Ties, label: String, optional: bool, control: AnyView) -> AnyView {
    let mark = optional.then(|| view! { <span class="opt">"optional"</span> });
    view! {
        <div class="field">
            <label for=ties.id.clone()>{label}{mark}</label>
            {ties.hint_view()}
            {control}
            {ties.error_view()}
        </div>
    }
    .into_any()
}

/// Label, hint and message around a control of your own. The control takes `id` and, for its hint and message,
/// `aria-describedby="{id}-hint {id}-error"`.
#[component]
pub fn Field(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
    children: Children,
) -> impl IntoView {
    let ties = Ties::new(&name, id, hint, errors);
    framed(&ties, label, !required, children().into_any())
}

/// The row of buttons below a form.
#[component]
pub fn FormActs(
    /// Stays at the lower edge of a long form.
    #[prop(optional)]
    sticky: bool,
    children: Children,
) -> impl IntoView {
    view! { <div class=if sticky { "form-acts sticky" } else { "form-acts" }>{children()}</div> }
}
