use leptos::prelude::*;

use crate::model::CallPrompt;
use patchbay_shared::AppError;
use patchbay_ui::*;

/// The words that the agent was given. Read when they are asked for: most visits to a call never look at them.
#[component]
pub(crate) fn Prompt(prompt: Loaded<Option<CallPrompt>>) -> impl IntoView {
    let view = |prompt: Option<CallPrompt>| prompt.map(|prompt| view! { <Words prompt/> });
    view! { <div class="body pad"><BlockBoundary data=prompt view/></div> }
}

#[component]
fn Words(prompt: CallPrompt) -> impl IntoView {
    let name = match prompt.id {
        Some(id) => {
            view! { <a class="link" href=format!("/prompts/{id}?version={}", prompt.version)>{prompt.name}</a> }
                .into_any()
        }
        None => view! { <b class="medium">{prompt.name}</b> }.into_any(),
    };
    view! {
        <div class="stack gap-3">
            <p class="row wrap">{name}<Tag>{format!("version {}", prompt.version)}</Tag><span class="sub">"as it was when this call was made"</span></p>
            <pre class="code wrap">{prompt.template}</pre>
            <p class="note"><Icon name="info" small=true/>"Words in double braces were filled in for this contact."</p>
        </div>
    }
}

/// The prompt of the call, once its tab is open.
pub(crate) async fn fetch(id: String, is_open: bool) -> Result<Option<CallPrompt>, AppError> {
    if is_open { crate::server_fns::get_call_prompt(id).await.map(Some) } else { Ok(None) }
}
