use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::server_fns::SignIn;
use crate::shared::AppError;
use crate::ui::*;

/// The sign-in page. It carries no wasm: a plain form, an answer, and the address that was asked for before.
#[lazy]
pub fn sign_in_page() -> PageView {
    Arc::new(move || view! { <SignInForm/> }.into_any())
}

#[component]
fn SignInForm() -> impl IntoView {
    let sign_in = FormAction::of::<SignIn>();
    let next = use_query_map().read_untracked().get("next").unwrap_or_default();
    let error = move || match sign_in.answer() {
        Some(Err(AppError::Invalid(fields))) => fields.0.first().map(|(_, message)| message.clone()),
        Some(Err(other)) => Some(other.to_string()),
        _ => None,
    };
    let typed = use_context::<form::Typed>()
        .and_then(|typed| typed.fields.into_iter().find(|(name, _)| name == "email"))
        .map(|(_, email)| email)
        .unwrap_or_default();
    view! {
        <Title text="Sign in · Patchbay"/>
        <main class="signed-out" id="main">
            <div class="brand">
                <img src="/favicon.svg" alt="" width="28" height="28"/>
                <b>"Patchbay"</b>
            </div>
            <section class="card">
                <header><h1>"Sign in"</h1></header>
                <PostForm action=sign_in class="body form">
                    {move || {
                        error()
                            .map(|message| {
                                view! {
                                    <div class="errors" role="alert" tabindex="-1" id="sign-in-error">
                                        <h2>"You are not signed in"</h2>
                                        <p>{message}</p>
                                    </div>
                                }
                            })
                    }}
                    <input type="hidden" name="next" value=next/>
                    <div class="field">
                        <label for="email">"E-mail address"</label>
                        <input id="email" name="email" type="email" autocomplete="username" required autofocus value=typed/>
                    </div>
                    <div class="field">
                        <label for="password">"Password"</label>
                        <input id="password" name="password" type="password" autocomplete="current-password" required/>
                    </div>
                    <div class="form-acts">
                        <button class="btn pri block" type="submit">"Sign in"</button>
                    </div>
                </PostForm>
            </section>
            <p class="sub">"No account? The person who runs your agency's Patchbay can add you."</p>
        </main>
    }
}
