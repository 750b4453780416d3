use std::sync::Arc;

use leptos::prelude::*;

use super::list::{changes, did};
use crate::model::{PlatformEvent, PlatformPage, PlatformQuery};
use crate::server_fns::list_platform_events;
use patchbay_access::Action;
use patchbay_ui::*;

/// What platform admins, and whoever runs the installation, did.
#[lazy]
pub fn platform_log_page() -> PageView {
    let asked = || PlatformQuery {
        action: query("action"),
        actor: query("actor"),
        agency: query("agency"),
        from: query("from"),
        to: query("to"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_platform_events);
    Arc::new(move || {
        if let Some(refusal) = patchbay_shell::refused(Action::ManagePlatform) {
            return refusal;
        }
        List::<PlatformEvent>::new("Platform log")
            .subtitle("What was done to agencies and to accounts of platform admins. Rows are chained: a changed or removed one shows.")
            .under(crumb("Workspaces", "/platform"))
            .export("/platform/log.csv")
            .search("actor", "Who")
            .filter(Filter::date("from", "From"))
            .filter(Filter::date("to", "To"))
            .narrowed_by(&["agency"])
            .keep(&["agency"])
            .table("top wrap mid")
            .newest("Time", |row| cell::time(&row.at))
            .class("nowrap")
            .column("Who", |row| row.actor.clone())
            .column("Did", |row| {
                let (verb, noun) = did(&row.action, &row.entity);
                view! { {verb}" "<b>{noun}</b> }
            })
            .column("Agency", |row| match row.agency.clone() {
                Some((id, name)) => view! { <a class="link" href=format!("/platform/{id}")>{name}</a> }.into_any(),
                None => "–".into_any(),
            })
            .column("Details", |row| changes(&row.changes))
            .class("break")
            .column("From", |row| cell::or(&row.ip, "–"))
            .class("mono nowrap")
            .what("events")
            .add(true, "building-2", "/platform", "Workspaces")
            .empty("history", "Nothing has happened yet", "New workspaces, plans, suspensions and support sessions stand here as they happen.")
            .page_of(rows, |list: PlatformPage| {
                let actions = options_of(list.actions.into_iter().map(|action| (action.clone(), action.replace('_', " "))));
                (list.page, vec![Filter::new("action", "Did", actions)])
            })
    })
}
