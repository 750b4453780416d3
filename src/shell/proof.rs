use leptos::prelude::*;

use super::viewer;
use patchbay_ui::form::use_errors;
use patchbay_ui::*;

/// The viewer's password, in forms for which they have to have proved lately who they are. It is asked for only when they have not.
#[component]
pub fn ProofField(
    /// For a form that needs it for some of its fields only, which this names: it may stay empty for the others.
    #[prop(optional)]
    only: Option<&'static str>,
) -> impl IntoView {
    let errors = use_errors();
    let has_proved = viewer().has_proved;
    const WHY: &str = "Asked for again because more than five minutes have passed since you signed in or typed it.";
    let asks = Memo::new(move |_| !has_proved || errors.with(|errors| errors.at("current").is_some()));
    move || {
        asks.get().then(|| {
            view! {
                <TextInput
                    name="current"
                    label="Your current password"
                    kind="password"
                    required=only.is_none()
                    autocomplete="current-password"
                    hint=only.unwrap_or(WHY)
                />
            }
        })
    }
}
