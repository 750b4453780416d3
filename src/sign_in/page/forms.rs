use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::frame::{SignInCard, SignInErrors, SignInField};
use crate::model::SecondStep;
use crate::server_fns::{
    AskForPassword, ChoosePassword, SignIn, VerifySecondFactor, get_second_step, offers_passkeys, open_password_link,
    sends_mail,
};
use patchbay_shared::{AppError, Reason};
use patchbay_ui::*;

/// Signing in: a plain form, an answer, and the address that was asked for before.
#[lazy]
pub fn sign_in_page() -> PageView {
    let offers = load(|| (), |()| offers_passkeys());
    Arc::new(move || {
        view! { <PageBoundary data=offers view={move |passkeys: bool| view! { <SignInForm passkeys/> }}/> }.into_any()
    })
}

/// The way to a passkey, below a form. A link, because these pages have no script and that one has.
fn passkey_link(path: &str, next: &str, words: &'static str) -> AnyView {
    let href = format!("{path}?next={}", address::escape(next));
    view! {
        <div class="body form">
            <p class="or">"or"</p>
            <a class="btn block" href=href><Icon name="key-round" small=true/>{words}</a>
        </div>
    }
    .into_any()
}

#[component]
fn SignInForm(passkeys: bool) -> impl IntoView {
    let sign_in = FormAction::of::<SignIn>();
    let asked = use_query_map().read_untracked().clone();
    let next = asked.get("next").unwrap_or_default();
    let other = passkeys.then(|| passkey_link("/login/passkey", &next, "Sign in with a passkey"));
    view! {
        <SignInCard title="Sign in">
            <PostForm action=sign_in class="body form">
                {asked.get("chosen").map(|_| view! { <Callout tone=patchbay_shared::Tone::Ok icon="circle-check">"Your new password is set. Sign in with it."</Callout> })}
                <SignInErrors action=sign_in title="You are not signed in" whole=true/>
                <input type="hidden" name="next" value=next/>
                <div class="field">
                    <label for="email">"E-mail address"</label>
                    <input id="email" name="email" type="email" autocomplete="username" required autofocus value=typed_email()/>
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input id="password" name="password" type="password" autocomplete="current-password" required/>
                </div>
                <div class="form-acts">
                    <button class="btn pri block" type="submit">"Sign in"</button>
                </div>
            </PostForm>
            {other}
            <footer><a class="link" href="/forgot">"Forgot your password?"</a></footer>
        </SignInCard>
    }
}

fn typed_email() -> String {
    let typed = use_context::<form::Typed>();
    let typed = typed.and_then(|typed| typed.fields.into_iter().find(|(name, _)| name == "email"));
    typed.map(|(_, email)| email).unwrap_or_default()
}

/// The second step, for accounts that have one.
#[lazy]
pub fn second_step_page() -> PageView {
    let step = load(|| (), |()| get_second_step());
    Arc::new(move || {
        view! { <PageBoundary data=step view={move |step: SecondStep| view! { <SecondStepForm step/> }}/> }.into_any()
    })
}

#[component]
fn SecondStepForm(step: SecondStep) -> impl IntoView {
    let verify = FormAction::of::<VerifySecondFactor>();
    let next = use_query_map().read_untracked().get("next").unwrap_or_default();
    let other = step.passkey.then(|| passkey_link("/mfa/passkey", &next, "Use a passkey"));
    let sub = match (step.app, step.passkey) {
        (true, _) => "Six digits from your authenticator app, or one of your recovery codes.",
        (false, true) => "One of your recovery codes, or your passkey below.",
        (false, false) => "One of your recovery codes. Your passkeys work at the address where you made them.",
    };
    view! {
        <SignInCard title="Enter your code" sub=sub>
            <PostForm action=verify class="body form">
                <SignInErrors action=verify title="You are not signed in yet"/>
                <input type="hidden" name="next" value=next/>
                <SignInField action=verify name="code" label="Code" class="code" autocomplete="one-time-code" autofocus=true/>
                <div class="form-acts"><button class="btn pri block" type="submit">"Continue"</button></div>
            </PostForm>
            {other}
            <footer><a class="link" href="/login">"Start again"</a></footer>
        </SignInCard>
    }
}

/// Asking for a new password.
#[lazy]
pub fn forgot_page() -> PageView {
    let sends = load(|| (), |()| sends_mail());
    Arc::new(move || {
        view! { <PageBoundary data=sends view={move |sends: bool| view! { <Forgot sends/> }}/> }.into_any()
    })
}

#[component]
fn Forgot(sends: bool) -> impl IntoView {
    let ask = FormAction::of::<AskForPassword>();
    let is_sent = use_query_map().read_untracked().get("sent").is_some();
    let body = if !sends {
        view! {
            <p class="body">"This installation sends no e-mail. An owner or admin of your agency can make a link for you: under Settings, People, your name."</p>
        }
        .into_any()
    } else if is_sent {
        view! {
            <p class="body">"If there is an account with this address, a link is on its way. It works for 30 minutes. Look into the folder for unwanted mail, too."</p>
        }
        .into_any()
    } else {
        view! {
            <PostForm action=ask class="body form">
                <SignInErrors action=ask title="Nothing was sent"/>
                <SignInField action=ask name="email" label="E-mail address" kind="email" autocomplete="username" autofocus=true/>
                <div class="form-acts"><button class="btn pri block" type="submit">"Send me a link"</button></div>
            </PostForm>
        }
        .into_any()
    };
    view! {
        <SignInCard title="Forgot your password?">
            {body}
            <footer><a class="link" href="/login">"Back to sign-in"</a></footer>
        </SignInCard>
    }
}

/// Choosing a new password, with a link.
#[lazy]
pub fn choose_password_page() -> PageView {
    let params = use_params_map();
    let token = move || params.read().get("token").unwrap_or_default();
    let whose = load(token, open_password_link);
    // The answer either way is a page of this kind, so a spent link is no broken page.
    let whose = move |token: String| {
        view! { <BlockBoundary data=whose view={move |email: String| view! { <Choose token=token.clone() email/> }}/> }
    };
    Arc::new(move || {
        let token = params.read_untracked().get("token").unwrap_or_default();
        view! { <SignInCard title="Choose a new password">{whose(token)}<footer><a class="link" href="/login">"Back to sign-in"</a></footer></SignInCard> }
            .into_any()
    })
}

#[component]
fn Choose(token: String, email: String) -> impl IntoView {
    let choose = FormAction::of::<ChoosePassword>();
    let spent = move || matches!(choose.answer(), Some(Err(AppError::Conflict(Reason::LinkSpent, _))));
    view! {
        <PostForm action=choose class="body form">
            <SignInErrors action=choose title="The password is not changed"/>
            <input type="hidden" name="token" value=token/>
            <input type="hidden" name="username" autocomplete="username" value=email.clone()/>
            <p class="sub">"For "<b>{email}</b></p>
            <SignInField action=choose name="password" label="New password" kind="password" autocomplete="new-password" autofocus=true hint="8 to 128 characters. A few words in a row are easy to remember."/>
            <div class="form-acts"><button class="btn pri block" type="submit" disabled=spent>"Set password"</button></div>
        </PostForm>
    }
}
