//! Pages about agents: `/agents`, `/agents/new`, `/agents/{id}`, `/agents/{id}/edit`.

mod detail;
mod form;
mod list;

use leptos::prelude::*;

use crate::ui::*;

pub use detail::agent_detail_page;
pub use form::{agent_edit_page, new_agent_page};
pub use list::agents_page;

/// A link that downloads the list as it is filtered now.
#[component]
pub fn ExportLink(path: &'static str) -> impl IntoView {
    let href = move || {
        let here = with_query(&[]);
        format!("{path}{}", here.find('?').map_or("", |at| &here[at..]))
    };
    view! { <a class="btn" rel="external" href=href><Icon name="download" small=true/>"Export"</a> }
}
