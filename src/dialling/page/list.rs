use std::sync::Arc;

use leptos::prelude::*;

use crate::model::call_back::{CallBackQuery, CallBackRow, CallBackStatus};
use crate::server_fns::list_call_backs;
use patchbay_ui::*;

/// Call-backs that people on calls asked for, newest first or soonest first.
#[lazy]
pub fn call_backs_page() -> PageView {
    let asked = || CallBackQuery {
        status: query("status"),
        client: query("client"),
        campaign: query("campaign"),
        contact: query("contact"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_call_backs);
    Arc::new(move || {
        List::<CallBackRow>::new("Call-backs")
            .subtitle("Calls that somebody asked for. Each goes out by itself at its time, through its campaign's number and agent.")
            .live(&["call-backs"])
            .export("/call-backs.csv")
            .filter(Filter::words("status", "State", CallBackStatus::ALL))
            .filter(Filter::new("sort", "Order", options_of([("due", "Soonest first")])))
            .narrowed_by(&["campaign", "contact"])
            .what("call-backs")
            .no_match_in_card()
            .table("mid wrap")
            .column("Contact", |row| {
                let (href, contact) = (format!("/call-backs/{}", row.id), row.contact.clone());
                view! { <div class="who"><a class="link" href=href>{contact}</a><small>{row.campaign.clone()}</small></div> }
            })
            .column("State", |row| cell::state(row.status))
            .column("Time", |row| match (&row.due, &row.due_there) {
                (Some(due), Some(there)) => {
                    let time = cell::time(due);
                    view! { <div class="who">{time}<small>{there.clone()}</small></div> }.into_any()
                }
                _ => "–".into_any(),
            })
            .column("What was said", |row| row.words.clone())
            .class("sub long")
            .column("Why", |row| row.why.clone())
            .class("sub long")
            .column("Client", |row| row.client.clone())
            .column("Asked", |row| cell::time(&row.created))
            .note("50 per page")
            .empty(
                "phone-forwarded",
                "No call-backs yet",
                "When somebody on a call asks to be called again, the call-back appears here. On a call's page you can set one yourself.",
            )
            .page(rows)
    })
}
