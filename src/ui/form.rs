//! Forms: one summary of what is wrong, messages at their fields, and what was typed is kept, with and without script.

use leptos::context::Provider;
use leptos::ev::MouseEvent;
use leptos::html::{Div, Form};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlElement;
use leptos_router::hooks::use_location;
use serde::{Deserialize, Serialize};

use super::button::{Button, ButtonKind};
use super::draft::{forget, keep_draft, key_of};
use super::form_action::{FormAction, PostForm};
use super::toast::{toast, toast_with};
use patchbay_shared::{FieldErrors, Tone};

/// What was typed into a form that the server refused, for the one page view that follows. The server provides it as context.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Typed {
    /// The page with the form, as the server marks it.
    pub path: String,
    pub fields: Vec<(String, String)>,
}

/// What the fields inside a form know about it.
#[derive(Debug, Clone)]
pub struct FormContext {
    pub errors: Signal<FieldErrors>,
    pub pending: Signal<bool>,
    /// Stands before each field's id, so that two forms can share a page.
    pub prefix: String,
    /// This form was refused in the request that made this page, so what was typed belongs to it.
    refused: bool,
}

/// The messages of the form around, or none.
pub fn use_errors() -> Signal<FieldErrors> {
    use_context::<FormContext>().map_or_else(Signal::default, |form| form.errors)
}

/// What was typed into the field `name` of the form around before it was refused. `Some(None)`: it was sent without a value.
pub fn typed(name: &str) -> Option<Option<String>> {
    use_context::<FormContext>().filter(|form| form.refused)?;
    let typed = use_context::<Typed>()?;
    Some(typed.fields.into_iter().find(|(key, _)| key == name).map(|(_, value)| value))
}

/// Tells the fields inside about errors and waiting, for forms that are not a `ServerForm`.
#[component]
pub fn FormScope(
    #[prop(optional, into)] errors: Signal<FieldErrors>,
    #[prop(optional, into)] pending: Signal<bool>,
    #[prop(optional, into)] prefix: String,
    /// Fields that were sent with what this form keeps typed: for one of several forms of a function on a page.
    #[prop(optional)]
    own: Vec<(&'static str, String)>,
    children: Children,
) -> impl IntoView {
    let typed = use_context::<Typed>().map(|typed| typed.fields).unwrap_or_default();
    let is_sent = |(name, value): &(&str, String)| typed.iter().any(|(key, sent)| key == name && sent == value);
    let refused = errors.with_untracked(|errors| !errors.0.is_empty()) && own.iter().all(is_sent);
    let form = FormContext { errors, pending, prefix, refused };
    view! { <Provider value=form>{children()}</Provider> }
}

/// A form that calls a server function, as a plain post without script. Holds the error summary.
#[component]
pub fn ServerForm(
    action: FormAction,
    /// Two forms on one page need different ones.
    #[prop(optional, into)]
    prefix: String,
    /// `form`, `form two`, `inline`.
    #[prop(default = "form".to_owned(), into)]
    class: String,
    /// Called in the browser after success.
    #[prop(optional, into)]
    on_done: Option<Callback<()>>,
    /// What a message says after success, for forms whose page stays.
    #[prop(optional)]
    said: &'static str,
    /// Leaves out the summary: for forms of one button, whose error a toast or dialog shows.
    #[prop(optional)]
    no_summary: bool,
    /// Whose form it is: what this person types here stays in the tab until it is saved, also when they go to another page. A form
    /// for something new that begins differently by the address says that here too.
    #[prop(optional, into)]
    draft_of: Option<String>,
    /// Where a page has several forms of this function with fields to type into: hidden fields by which this one is told from the others,
    /// so that what was typed into one does not come back in another.
    #[prop(optional)]
    own: Vec<(&'static str, String)>,
    children: Children,
) -> impl IntoView {
    let errors = action.errors();
    let form = NodeRef::<Form>::new();
    let path = use_location().pathname.get_untracked();
    let draft = draft_of.map(|person| key_of(&person, &path, &prefix));
    let restored = draft.clone().map(|key| (keep_draft(form, key.clone()), key));
    // A refusal that came with the page stands in the form, also without script; a later one of a small form is a message.
    let came_refused = matches!(action.answer_untracked(), Some(Err(_)));
    Effect::new(move |_| match action.answer() {
        Some(Ok(())) => {
            if !said.is_empty() {
                toast(said);
            }
            if let Some(on_done) = on_done {
                on_done.run(());
            }
        }
        Some(Err(error)) if no_summary && !came_refused => toast_with(Tone::Bad, error.to_string()),
        _ => {}
    });
    view! {
        <FormScope errors pending=action.pending() prefix own>
            <PostForm action nostrip:class=Some(class) nostrip:draft=draft node_ref=form>
                {restored.map(|(restored, draft)| view! { <Restored restored draft/> })}
                {(!no_summary || came_refused).then(|| view! { <FormErrors errors/> })}
                {children()}
            </PostForm>
        </FormScope>
    }
}

/// Says that unsaved typing was put back into the form, and offers the form as it is stored.
#[component]
fn Restored(restored: RwSignal<bool>, draft: String) -> impl IntoView {
    let discard = move |_| {
        forget(&draft);
        let _ = window().location().reload();
    };
    view! {
        <Show when=move || restored.get()>
            <div class="callout info draft" role="status">
                <p>"Your unsaved changes are back. "</p>
                <Button kind=ButtonKind::Plain small=true on:click=discard.clone()>"Discard them"</Button>
            </div>
        </Show>
    }
}

/// The summary above a form: what is wrong, each a link to its field. Takes the focus when it appears.
#[component]
pub fn FormErrors(#[prop(optional, into)] errors: Option<Signal<FieldErrors>>) -> impl IntoView {
    let errors = errors.unwrap_or_else(use_errors);
    let prefix = use_context::<FormContext>().map(|form| form.prefix).unwrap_or_default();
    let summary = NodeRef::<Div>::new();
    Effect::new(move |_| {
        if errors.with(|errors| !errors.0.is_empty()) {
            request_animation_frame(move || {
                if let Some(element) = summary.get_untracked() {
                    let _ = element.focus();
                }
            });
        }
    });
    move || {
        let messages = errors.get().0;
        let heading = match messages.len() {
            0 => return None,
            1 => "One thing to fix".to_owned(),
            count => format!("{count} things to fix"),
        };
        // A single message about the whole form needs no heading of its own.
        let heading = (messages.len() > 1 || !messages[0].0.is_empty()).then(|| view! { <h2>{heading}</h2> });
        let items = messages.into_iter().map(|(name, message)| message_item(&prefix, &name, message)).collect_view();
        Some(view! { <div class="errors" role="alert" tabindex="-1" node_ref=summary>{heading}<ul>{items}</ul></div> })
    }
}

fn message_item(prefix: &str, name: &str, message: String) -> AnyView {
    if name.is_empty() {
        return view! { <li>{message}</li> }.into_any();
    }
    let id = field_id(prefix, name);
    let target = id.clone();
    let go = move |event: MouseEvent| {
        event.prevent_default();
        if let Some(field) =
            document().get_element_by_id(&target).and_then(|field| field.dyn_into::<HtmlElement>().ok())
        {
            let _ = field.focus();
        }
    };
    view! { <li><a href=format!("#{id}") on:click=go>{message}</a></li> }.into_any()
}

/// The id of a field: the form's prefix and the last word of its name (`campaign[name]` becomes `name`).
pub fn field_id(prefix: &str, name: &str) -> String {
    let own = last_word(name);
    if prefix.is_empty() { own.to_owned() } else { format!("{prefix}-{own}") }
}

/// Fields of a nested argument are posted as `campaign[name]`; messages name only the last word.
pub fn last_word(name: &str) -> &str {
    let name = name.trim_end_matches(']');
    name.rsplit('[').next().unwrap_or(name)
}

/// Sends the form and takes no second press while it waits.
#[component]
pub fn SubmitButton(
    #[prop(default = ButtonKind::Primary)] kind: ButtonKind,
    #[prop(optional)] icon: Option<&'static str>,
    /// By default the form around says it.
    #[prop(optional, into)]
    pending: Option<Signal<bool>>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] small: bool,
    #[prop(optional, into)] class: String,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    children: Children,
) -> impl IntoView {
    let busy = pending.or_else(|| use_context::<FormContext>().map(|form| form.pending)).unwrap_or_default();
    view! {
        <Button kind nostrip:icon=icon submit=true busy disabled small class nostrip:name=name nostrip:value=value>{children()}</Button>
    }
}

#[cfg(test)]
mod tests {
    use super::{field_id, last_word};

    #[test]
    fn nested_names_end_in_their_own_word() {
        assert_eq!(last_word("name"), "name");
        assert_eq!(last_word("campaign[name]"), "name");
        assert_eq!(last_word("campaign[window][from]"), "from");
        assert_eq!(field_id("stop", "campaign[name]"), "stop-name");
        assert_eq!(field_id("", "name"), "name");
    }
}
