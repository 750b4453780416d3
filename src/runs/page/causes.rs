use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{CauseQuery, CauseRow, ErrorSource};
use crate::server_fns::list_error_causes;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_shell::refused;
use patchbay_ui::*;

/// What fails, by its cause.
#[lazy]
pub fn errors_page() -> PageView {
    let asked = || CauseQuery {
        q: query("q"),
        source: query("source"),
        state: query("state"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_error_causes);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        List::<CauseRow>::new("Errors")
            .subtitle("What fails in calls, tests and tools, and at outside services, grouped by its cause.")
            .under(crumb("Runs", "/runs"))
            .live(&["errors"])
            .export("/errors/export.csv")
            .search("q", "Part of the message")
            .filter(Filter::words("source", "From", ErrorSource::ALL))
            .filter(Filter::new("state", "State", options_of([("open", "Open"), ("resolved", "Resolved"), ("all", "Open and resolved")])))
            .sorted("-last")
            .keep(&["sort"])
            .table("wide wrap")
            .column("Error", |row: &CauseRow| {
                cell::who(format!("/errors/{}", row.id), &row.message, view! { <small class="mono">{row.code.clone()}</small> })
            })
            .column("From", |row| row.source.label())
            .column("State", state)
            .number("Times", |row| count_text(row.count))
            .column("First seen", |row| cell::time(&row.first_seen))
            .column("Last seen", |row| cell::time(&row.last_seen))
            .sort("last")
            .empty_view(|| view! {
                <EmptyState icon="circle-check" title="No open errors" text="What fails is listed here by its cause, until somebody says that it is resolved.">
                    <LinkButton href="/errors?state=resolved">"Resolved errors"</LinkButton>
                </EmptyState>
            })
            .page(rows)
    })
}

pub(super) fn state(row: &CauseRow) -> AnyView {
    match &row.reopened {
        Some(_) => view! { <State tone=Tone::Bad label="Came again"/> }.into_any(),
        None => cell::state(row.state),
    }
}
