use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::InvitationOffer;
use crate::server_fns::{AcceptInvitation, open_invitation};
use patchbay_sign_in::page::{SignInCard, SignInErrors, SignInField};
use patchbay_ui::*;

/// What somebody with an invitation's link sees: who invites them to what, and the form for their account.
#[lazy]
pub fn accept_invitation_page() -> PageView {
    let params = use_params_map();
    let token = move || params.read().get("token").unwrap_or_default();
    let invitation = load(token, open_invitation);
    Arc::new(move || {
        let token = token();
        view! {
            <SignInCard title="Join your team">
                <BlockBoundary data=invitation view={move |invitation: InvitationOffer| view! { <Accept token=token.clone() invitation/> }}/>
                <footer><a class="link" href="/login">"You have an account? Sign in"</a></footer>
            </SignInCard>
        }
        .into_any()
    })
}

#[component]
fn Accept(token: String, invitation: InvitationOffer) -> impl IntoView {
    let accept = FormAction::of::<AcceptInvitation>();
    let to = match invitation.client {
        Some(client) => format!("{client}, a client of {}", invitation.agency),
        None => invitation.agency,
    };
    view! {
        <PostForm action=accept class="body form">
            <SignInErrors action=accept title="The account has not been created yet"/>
            <p>"You are invited to "<b>{to}</b>" as "<b>{invitation.role.label().to_lowercase()}</b>". "{super::what_it_may(invitation.role)}</p>
            <input type="hidden" name="token" value=token/>
            <div class="field">
                <label for="username">"E-mail address"</label>
                <input id="username" type="email" autocomplete="username" readonly value=invitation.email/>
            </div>
            <SignInField action=accept name="name" label="Your name" autocomplete="name" autofocus=true/>
            <SignInField action=accept name="password" label="Password" kind="password" autocomplete="new-password" hint="8 to 128 characters. A few words in a row are easy to remember."/>
            <div class="form-acts"><button class="btn pri block" type="submit">"Make my account"</button></div>
        </PostForm>
    }
}
