//! Where a page waits for its data and shows what went wrong.

use std::sync::Arc;

use leptos::children::ViewFnOnce;
use leptos::prelude::*;
use serde::de::DeserializeOwned;

use super::{Loaded, Skeleton, Trouble};
use patchbay_shared::AppError;

/// Sets the HTTP status of the answer. The server provides it.
#[derive(Clone)]
pub struct SetStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

/// The data of a page. While it loads again the old rows stay; an error stands in its place and becomes the HTTP status.
#[component]
pub fn PageBoundary<T, V>(
    data: Loaded<T>,
    view: impl Fn(T) -> V + Send + 'static,
    #[prop(optional, into)] fallback: Option<ViewFnOnce>,
) -> impl IntoView
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    boundary(content_of(data, view), fallback, true)
}

/// The data of one block. An error stays inside the block, and the page answers as if nothing happened.
#[component]
pub fn BlockBoundary<T, V>(
    data: Loaded<T>,
    view: impl Fn(T) -> V + Send + 'static,
    #[prop(optional, into)] fallback: Option<ViewFnOnce>,
) -> impl IntoView
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    boundary(content_of(data, view), fallback, false)
}

pub(super) type Content = Box<dyn Fn() -> Option<Result<AnyView, AppError>> + Send>;

pub(super) fn content_of<T, V>(data: Loaded<T>, view: impl Fn(T) -> V + Send + 'static) -> Content
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    Box::new(move || data.get().map(|answer| answer.map(|value| view(value).into_any())))
}

pub(super) fn boundary(content: Content, fallback: Option<ViewFnOnce>, page: bool) -> impl IntoView {
    let set_status = use_context::<SetStatus>().filter(|_| page);
    let fallback = move || match fallback {
        Some(fallback) => fallback.run(),
        None => view! { <Skeleton count=4/> }.into_any(),
    };
    let content = move || {
        content().map(|shown| {
            shown.unwrap_or_else(|error| {
                if let Some(SetStatus(set)) = &set_status {
                    set(error.status());
                }
                // Only a page that is not there, or not to be seen, loses its own title.
                let gone = page && matches!(error, AppError::NotFound | AppError::Forbidden | AppError::NotSignedIn);
                view! { <Trouble page=gone error=error.clone()/> }.into_any()
            })
        })
    };
    view! { <Transition fallback=fallback>{content}</Transition> }
}
