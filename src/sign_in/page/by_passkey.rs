use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;

use super::authenticator;
use super::frame::SignInCard;
use crate::server_fns::{ask_for_passkey, sign_in_with_passkey};
use patchbay_ui::*;

/// Signing in with a passkey alone.
#[lazy]
pub fn passkey_sign_in_page() -> PageView {
    Arc::new(move || view! { <AskForPasskey second=false/> }.into_any())
}

/// A passkey as the second step.
#[lazy]
pub fn passkey_step_page() -> PageView {
    Arc::new(move || view! { <AskForPasskey second=true/> }.into_any())
}

/// Asks as soon as there is script: whoever comes here has pressed for it. The button is for another try.
#[component]
fn AskForPasskey(second: bool) -> impl IntoView {
    let next = use_query_map().read_untracked().get("next");
    let back = next.as_deref().map(|next| format!("?next={}", address::escape(next))).unwrap_or_default();
    let (busy, trouble, ready) = (RwSignal::new(false), RwSignal::new(None::<String>), hydrated());
    let ask = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        trouble.set(None);
        let next = next.clone();
        spawn_local(async move {
            match come_in(second, next).await {
                // A whole new page: it belongs to somebody who has signed in.
                Ok(place) => {
                    let _ = window().location().set_href(&place);
                }
                Err(sentence) => {
                    trouble.try_set(Some(sentence));
                    busy.try_set(false);
                }
            }
        });
    });
    Effect::new(move |_| ask.run(()));
    mark_hydrated();
    let (title, other, words) = if second {
        ("Use a passkey", format!("/mfa{back}"), "Use a code instead")
    } else {
        ("Sign in with a passkey", format!("/login{back}"), "Sign in with your password")
    };
    view! {
        <SignInCard title sub="Your browser asks for your finger, face or PIN.">
            <div class="body form">
                {move || trouble.get().map(|sentence| view! {
                    <div class="errors" role="alert"><h2>"You are not signed in"</h2><p>{sentence}</p></div>
                })}
                {move || (!ready.get()).then(|| view! { <p class="sub">"This takes script. Without it, use the other way below."</p> })}
                <button class="btn pri block" type="button" disabled=move || !ready.get() || busy.get() on:click=move |_| ask.run(())>
                    "Try again"
                </button>
            </div>
            <footer><a class="link" href=other rel="external">{words}</a></footer>
        </SignInCard>
    }
}

/// The address to go on to. Errors: a sentence with the next step.
async fn come_in(second: bool, next: Option<String>) -> Result<String, String> {
    let options = ask_for_passkey(second).await.map_err(|error| error.to_string())?;
    let answer = authenticator::get(&options).await?;
    sign_in_with_passkey(second, answer, next).await.map_err(|error| error.to_string())
}
