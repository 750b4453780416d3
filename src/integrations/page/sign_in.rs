use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::Top;
use super::settings::Setup;
use crate::model::{SignInPage, Standing};
use crate::server_fns::get_sign_in_page;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_ui::*;

/// The way to the service's own sign-in, for whoever has just asked for it.
#[lazy]
pub fn integration_sign_in_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), get_sign_in_page);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageConnections) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: SignInPage| view! { <SignIn page again/> }/> }.into_any()
    })
}

#[component]
fn SignIn(page: SignInPage, again: Callback<()>) -> impl IntoView {
    let SignInPage { head, address } = page;
    let service = head.kind.label();
    let whose = head.client.as_ref().map_or_else(|| "of the agency".to_owned(), |(_, name)| format!("of {name}"));
    let is_first = head.syncs == 0 && head.kind.is_crm();
    // The address is good for one sign-in, and is gone when that has ended.
    let is_done = head.standing == Standing::Works;
    let body = match address {
        Some(address) => view! {
            <Card title=format!("Sign in at {service}")>
                <div class="stack gap-3">
                    <p>{format!("You leave Patchbay for a moment. Sign in at {service} with the account {whose}, look at what Patchbay asks for, and agree. {service} then leads you back here.")}</p>
                    <p class="note">"Patchbay never sees the password. The way is open for ten minutes, in this browser."</p>
                    <p><LinkButton href=address kind=ButtonKind::Primary icon="external-link" external=true>{format!("Go to {service}")}</LinkButton></p>
                </div>
            </Card>
        }
        .into_any(),
        None if is_done => {
            let href = format!("/integrations/{}", head.id);
            view! { <Callout tone=Tone::Ok><p>{format!("You are signed in at {service}. ")}<a class="link" href=href>"Go on"</a></p></Callout> }.into_any()
        }
        None => view! { <Callout tone=Tone::Info><p>"Begin the sign-in again: this one was begun in another browser, or too long ago."</p></Callout> }.into_any(),
    };
    view! {
        <Top head=head.clone() title="Sign in" again/>
        {is_first.then(|| view! { <Setup head now=1/> })}
        {body}
    }
}
