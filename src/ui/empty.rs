use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use super::Icon;
use super::address::{kept_pairs, query_string};
use patchbay_shared::AppError;

/// Nothing here yet: what it is, and one thing to do.
#[component]
pub fn EmptyState(
    icon: &'static str,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] small: bool,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class=if small { "empty small" } else { "empty" }>
            <Icon name=icon size="xl"/>
            <h2>{title}</h2>
            <p>{text}</p>
            {children.map(|children| view! { <div class="row">{children()}</div> })}
        </div>
    }
}

/// Nothing matches the filters. `what` is the plural of what is listed.
#[component]
pub fn NoMatch(#[prop(into)] what: String) -> impl IntoView {
    let clear = move || format!("{}{}", use_location().pathname.get(), query_string(&kept_pairs()));
    view! {
        <div class="empty">
            <Icon name="filter" size="xl"/>
            <h2>{format!("No {what} match")}</h2>
            <p>"Remove a filter, or search for something else."</p>
            <div class="row"><a class="btn" href=clear>"Clear filters"</a></div>
        </div>
    }
}

/// Where something will be, in the size it will have. `kind`: text, row, figure, block.
#[component]
pub fn Skeleton(#[prop(default = "text")] kind: &'static str, #[prop(default = 3)] count: usize) -> impl IntoView {
    let lines = (0..count).map(|_| view! { <div class=format!("skeleton {kind}")></div> }).collect_view();
    view! { <div aria-hidden="true">{lines}</div><span class="sr" role="status">"Loading"</span> }
}

/// What happened, why, and the next step.
#[component]
pub fn Trouble(
    error: AppError,
    /// It stands for the whole page, so its words are the page's heading and title.
    #[prop(optional)]
    page: bool,
) -> impl IntoView {
    let title = error.title();
    let heading = if page {
        view! { <Title text=title/> <h1>{title}</h1> }.into_any()
    } else {
        view! { <h2>{title}</h2> }.into_any()
    };
    // A whole page load: whatever state the page is in, the server answers afresh.
    let again = move || {
        let location = use_location();
        format!("{}{}", location.pathname.get(), location.query.with(|query| query.to_query_string()))
    };
    let step = match &error {
        AppError::NotSignedIn => view! { <a class="btn pri" rel="external" href="/login">"Sign in"</a> }.into_any(),
        AppError::NotFound | AppError::Forbidden => {
            view! { <a class="btn" href="/">"Go to the start page"</a> }.into_any()
        }
        _ => view! { <a class="btn" rel="external" href=again>"Try again"</a> }.into_any(),
    };
    view! {
        <div class="trouble" role="alert">
            <Icon name="circle-alert" size="l"/>
            <div>{heading}<p>{error.to_string()}</p><p class="row">{step}</p></div>
        </div>
    }
}
