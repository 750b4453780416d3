//! What a form asks of the server.
//!
//! The framework's own action is compiled anew for every server function, with code that reads the form into arguments
//! and writes them out again. A form needs none of that: the browser sends its fields as they are, with and without
//! script, and the answer is one error type. So one action serves all forms.

use std::cell::Cell;

use leptos::ev::SubmitEvent;
use leptos::html::Form;
use leptos::prelude::*;
use leptos::server::ServerActionError;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::ServerFnUrlError;

use patchbay_shared::{AppError, FieldErrors};

thread_local! {
    // The refusal that came with the page counts until a form is sent. On the server nothing is ever sent.
    static SPENT: Cell<bool> = const { Cell::new(false) };
}

/// A server function as the target of forms, and how the last sending went. A copy stands for the same action.
#[derive(Debug, Clone, Copy)]
pub struct FormAction {
    url: &'static str,
    answer: RwSignal<Option<Result<(), AppError>>>,
    pending: RwSignal<bool>,
}

impl FormAction {
    /// The server function `S`. After a form was refused without script, it begins with the server's answer.
    pub fn of<S: ServerFn<Error = AppError>>() -> Self {
        Self::at(S::PATH, S::url())
    }

    fn at(path: &str, url: &'static str) -> Self {
        let refused = use_context::<ServerActionError>()
            .filter(|error| error.path() == path && !SPENT.get())
            .map(|error| Err(ServerFnUrlError::<AppError>::decode_err(error.err())));
        Self { url, answer: RwSignal::new(refused), pending: RwSignal::new(false) }
    }

    /// The answer to the last form, once there is one.
    pub fn answer(&self) -> Option<Result<(), AppError>> {
        self.answer.get()
    }

    pub(super) fn answer_untracked(&self) -> Option<Result<(), AppError>> {
        self.answer.get_untracked()
    }

    /// A form was sent and is not answered yet.
    pub fn pending(&self) -> Signal<bool> {
        self.pending.into()
    }

    /// What the answer says about the fields. An error of another kind stands at the form as a whole.
    pub fn errors(&self) -> Signal<FieldErrors> {
        let answer = self.answer;
        Signal::derive(move || {
            answer.with(|answer| match answer {
                Some(Err(AppError::Invalid(errors))) => errors.clone(),
                Some(Err(error)) => FieldErrors(vec![(String::new(), error.to_string())]),
                _ => FieldErrors::default(),
            })
        })
    }
}

/// A form that is posted to `action`: by script when there is one, else by the browser.
#[component]
pub fn PostForm(
    action: FormAction,
    #[prop(optional, into)] class: Option<String>,
    /// Keeps what is typed under this key until it is saved: see `draft`.
    #[prop(optional, into)]
    draft: Option<String>,
    #[prop(optional)] node_ref: NodeRef<Form>,
    children: Children,
) -> impl IntoView {
    let send = move |event: SubmitEvent| {
        if event.default_prevented() {
            return;
        }
        event.prevent_default();
        #[cfg(feature = "hydrate")]
        browser::send(action, &event);
    };
    view! { <form action=action.url method="post" class=class data-draft=draft on:submit=send node_ref=node_ref>{children()}</form> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::ev::SubmitEvent;
    use leptos::form::form_data_from_event;
    use leptos::prelude::*;
    use leptos::server_fn::client::Client;
    use leptos::server_fn::client::browser::BrowserClient;
    use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
    use leptos::server_fn::redirect::call_redirect_hook;
    use leptos::server_fn::request::ClientReq;
    use leptos::server_fn::request::browser::{BrowserFormData, BrowserRequest};
    use leptos::server_fn::response::ClientRes;
    use leptos::server_fn::response::browser::BrowserResponse;
    use leptos::task::spawn_local;
    use leptos::wasm_bindgen::JsCast;
    use leptos::web_sys::{FormData, HtmlFormElement};

    use super::{FormAction, SPENT};
    use crate::{draft, toast_with};
    use patchbay_shared::{AppError, Tone};

    pub fn send(action: FormAction, event: &SubmitEvent) {
        // A second press while the first is on its way.
        if action.pending.get_untracked() {
            return;
        }
        let Ok(fields) = form_data_from_event(event) else {
            action.answer.set(Some(Err(AppError::Transport("the form could not be read".to_owned()))));
            return;
        };
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let draft = form.and_then(|form| {
            let key = form.get_attribute("data-draft")?;
            let sent = draft::text_of(&key);
            Some((form, key, sent))
        });
        SPENT.set(true);
        action.pending.set(true);
        spawn_local(async move {
            let (answer, leaves) = match post(action.url, fields).await {
                Ok(leaves) => {
                    if let Some((form, key, sent)) = draft {
                        draft::saved(&form, &key, sent.as_deref());
                    }
                    (Ok(()), leaves)
                }
                Err(error) => (Err(error), false),
            };
            // While the next page loads, the form stays busy.
            if !leaves {
                action.pending.try_set(false);
            }
            // The view may have been built anew meanwhile; a refusal must not be lost with it.
            if let Some(Some(Err(error))) = action.answer.try_set(Some(answer)) {
                toast_with(Tone::Bad, error.to_string());
            }
        });
    }

    /// Whether the answer leads to another page.
    async fn post(url: &str, fields: FormData) -> Result<bool, AppError> {
        type Response = BrowserResponse;
        let request = <BrowserRequest as ClientReq<AppError>>::try_new_post_form_data(
            url,
            "application/json",
            "application/x-www-form-urlencoded",
            BrowserFormData::from(fields),
        )?;
        let response: Response = <BrowserClient as Client<AppError>>::send(request).await?;
        let status = <Response as ClientRes<AppError>>::status(&response);
        let place = <Response as ClientRes<AppError>>::has_redirect(&response)
            .then(|| <Response as ClientRes<AppError>>::location(&response));
        if status >= 400 {
            let text = <Response as ClientRes<AppError>>::try_into_bytes(response).await?;
            return Err(if text.is_empty() {
                AppError::from_server_fn_error(ServerFnErrorErr::Response(format!("status {status}")))
            } else {
                AppError::de(text)
            });
        }
        let Some(place) = place else { return Ok(false) };
        let here = window().location().pathname().unwrap_or_default();
        let leaves = place.split(['?', '#']).next() != Some(here.as_str());
        call_redirect_hook(&place);
        Ok(leaves)
    }
}
