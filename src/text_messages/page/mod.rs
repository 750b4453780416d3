//! Pages about text messages: `/messages`, `/messages/with/{contact}`, `/messages/rules`, `/messages/rules/new` and
//! `/messages/rules/{rule}`.

mod list;
mod rule;
mod rules;
mod thread;

use leptos::prelude::*;

use crate::model::TextRow;
use patchbay_access::Action;
use patchbay_shared::phone::spaced;
use patchbay_shell::viewer;
use patchbay_ui::*;

pub use list::texts_page;
pub use rule::{new_text_rule_page, text_rule_page};
pub use rules::text_rules_page;
pub use thread::text_thread_page;

const ABOVE: (&str, &str) = ("Messages", "/messages");

/// Messages and rules beside each other, for whoever reads both.
fn parts(current: &'static str) -> Option<AnyView> {
    viewer().may(Action::ReadWorkshop).then(|| {
        let items =
            vec![tab("Messages", ABOVE.1, current == "messages"), tab("Rules", "/messages/rules", current == "rules")];
        view! { <Tabs label="Messages" items/> }.into_any()
    })
}

/// The list's filters go along to its file.
fn export_address(path: &str, keys: &[&'static str]) -> String {
    let pairs: Vec<(String, String)> = keys.iter().filter_map(|key| Some(((*key).to_owned(), query(key)?))).collect();
    format!("{path}{}", patchbay_ui::address::query_string(&pairs))
}

/// How a message stands, and why.
fn standing(row: &TextRow) -> AnyView {
    let why = row.problem.clone().map(|why| view! { <small class="sub">{why}</small> });
    let due = row.due.clone().map(|due| view! { <small class="sub">"Due "<Time stamp=due/></small> });
    let done = row
        .done
        .clone()
        .filter(|_| row.problem.is_none())
        .map(|at| view! { <small class="sub"><Time stamp=at/></small> });
    view! { <div class="who">{cell::state(row.state)}{why}{due}{done}</div> }.into_any()
}

/// Who is at the other end.
fn person(row: &TextRow) -> AnyView {
    let number = spaced(&row.other);
    match &row.contact {
        Some((id, name)) => {
            let name = if name.is_empty() { number.clone() } else { name.clone() };
            cell::who(format!("/messages/with/{id}"), &name, view! { <small class="mono">{number}</small> })
        }
        None => view! { <span class="mono">{number}</span> }.into_any(),
    }
}

/// Who wrote it, and why.
fn source(row: &TextRow) -> AnyView {
    let call = row.call.map(|id| view! { " · "<a class="link" href=format!("/calls/{id}")>"the call"</a> });
    match &row.rule {
        Some((id, name)) => {
            view! { <span><a class="link" href=format!("/messages/rules/{id}")>{name.clone()}</a>{call}</span> }
                .into_any()
        }
        None => view! { <span>{row.source.label()}{call}</span> }.into_any(),
    }
}

/// What a message cost in parts and money.
fn size(row: &TextRow) -> String {
    let parts = row.parts.map(|parts| if parts == 1 { "1 part".to_owned() } else { format!("{parts} parts") });
    let cost = row.cost.map(|cost| cost.text());
    parts.into_iter().chain(cost).collect::<Vec<_>>().join(", ")
}
