use leptos::prelude::*;
use leptos_meta::Title;

use patchbay_brand::model::Brand;
use patchbay_shared::{AppError, FieldErrors};
use patchbay_ui::*;

/// The one card of a page before sign-in. These pages carry no wasm: a plain form is all they need.
#[component]
pub fn SignInCard(
    #[prop(into)] title: String,
    /// One sentence below the title.
    #[prop(optional, into)]
    sub: String,
    children: Children,
) -> impl IntoView {
    // The server provides it, by the host name that was asked.
    let brand = use_context::<Brand>().unwrap_or_default();
    let class = brand.logo.is_some().then_some("wide");
    let help = brand.support_link().zip(brand.support.clone());
    view! {
        <Title text=format!("{title} · {}", brand.product)/>
        <main class="signed-out" id="main">
            <div class="brand">
                <img class=class src=brand.logo.unwrap_or_else(|| "/favicon.svg".to_owned()) alt="" width="28" height="28"/>
                <b>{brand.product}</b>
            </div>
            <section class="card">
                <header>
                    <h1>{title}</h1>
                    {(!sub.is_empty()).then(|| view! { <p>{sub}</p> })}
                </header>
                {children()}
            </section>
            {help.map(|(link, text)| view! { <p class="sub">"Help: "<a class="link" href=link rel="external noopener">{text}</a></p> })}
        </main>
    }
}

/// Why the form was refused: what is not at a field, or all of it with `whole`.
#[component]
pub fn SignInErrors(action: FormAction, #[prop(into)] title: String, #[prop(optional)] whole: bool) -> impl IntoView {
    let message = move || match action.answer() {
        Some(Err(AppError::Invalid(FieldErrors(fields)))) => {
            fields.into_iter().find(|(field, _)| whole || field.is_empty()).map(|(_, message)| message)
        }
        Some(Err(other)) => Some(other.to_string()),
        _ => None,
    };
    view! {
        {move || message().map(|message| view! {
            <div class="errors" role="alert" tabindex="-1">
                <h2>{title.clone()}</h2>
                <p>{message}</p>
            </div>
        })}
    }
}

/// A field of such a form, with its message.
#[component]
pub fn SignInField(
    action: FormAction,
    name: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] autocomplete: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(optional)] hint: &'static str,
    #[prop(optional)] class: &'static str,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let error = action.errors().with_untracked(|errors| errors.at(name).map(str::to_owned));
    let typed = use_context::<form::Typed>()
        .and_then(|typed| typed.fields.into_iter().find(|(key, _)| key == name))
        .map_or(value, |(_, text)| text);
    let described = match (&error, hint.is_empty()) {
        (Some(_), _) => Some(format!("{name}-error")),
        (None, false) => Some(format!("{name}-hint")),
        (None, true) => None,
    };
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=kind
                class=class
                autocomplete=autocomplete
                required
                autofocus=autofocus
                value=typed
                aria-invalid=invalid
                aria-describedby=described
            />
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })}
            {error.map(|message| view! { <p class="err" id=format!("{name}-error")>{message}</p> })}
        </div>
    }
}
