//! Pages about what sets an agent off: `/agents/{id}/schedules`, `/agents/{id}/schedules/new`, `/agents/{id}/schedules/{schedule}`,
//! `/agents/{id}/triggers`, `/agents/{id}/triggers/new`, `/agents/{id}/triggers/made` and `/agents/{id}/triggers/{trigger}`.

mod schedule;
mod schedules;
mod trigger;
mod triggers;

use leptos::prelude::*;

use patchbay_shared::Tone;
use patchbay_tools::model::AgentHead;
use patchbay_ui::*;

pub use schedule::{new_schedule_page, schedule_page};
pub use schedules::schedules_page;
pub use trigger::{made_trigger_page, new_trigger_page, trigger_page};
pub use triggers::triggers_page;

/// Whose schedules and triggers these are, for the line below a heading.
fn works_for(agent: &AgentHead) -> String {
    match &agent.client {
        Some(client) => format!("Works for {client}"),
        None => "Works for every client".to_owned(),
    }
}

/// Why nothing runs at the moment.
fn at_rest(reason: Option<String>) -> Option<AnyView> {
    reason.map(|reason| view! { <Callout tone=Tone::Warn><p>{reason}</p></Callout> }.into_any())
}

/// The list's filters go along to its file.
fn export_address(path: String) -> String {
    let keys = ["q", "state", "sort"];
    let pairs: Vec<(String, String)> = keys.into_iter().filter_map(|key| Some((key.to_owned(), query(key)?))).collect();
    format!("{path}{}", patchbay_ui::address::query_string(&pairs))
}

/// The pages above one of an agent's.
fn above(agent: &AgentHead, list: Option<(&'static str, &'static str)>) -> Vec<Crumb> {
    let mut crumbs = vec![crumb("Agents", "/agents"), crumb(agent.name.clone(), format!("/agents/{}", agent.id))];
    crumbs.extend(list.map(|(text, path)| crumb(text, format!("/agents/{}/{path}", agent.id))));
    crumbs
}
