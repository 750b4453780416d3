use std::sync::Arc;

use leptos::prelude::*;

use crate::server_fns::list_campaigns;
use crate::{CampaignQuery, CampaignRow, CampaignStatus};
use patchbay_access::Action;
use patchbay_shared::phone::spaced;
use patchbay_shell::viewer;
use patchbay_ui::address::query_string;
use patchbay_ui::*;

/// All campaigns, newest first.
#[lazy]
pub fn campaigns_page() -> PageView {
    let asked = || CampaignQuery {
        client: query("client"),
        status: query("status"),
        q: query("q"),
        agent: query("agent"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_campaigns);
    Arc::new(move || {
        List::<CampaignRow>::new("Campaigns")
            .subtitle("Which agent calls which contacts, from which number, when and how often.")
            .live(&["campaigns"])
            .export("/campaigns.csv")
            .add(viewer().may(Action::ManageCampaigns), "plus", Signal::derive(new_address), "New campaign")
            .search("q", "Part of the name")
            .filter(Filter::words("status", "State", CampaignStatus::ALL))
            .keep(&["client", "agent"])
            .narrowed_by(&["client", "agent"])
            .above(view! { <OfAgent/> })
            .no_match_in_card()
            .column("Campaign", |row| cell::link(format!("/campaigns/{}", row.id), &row.name))
            .column("State", |row| cell::state(row.status))
            .column("Client", |row| row.client_name.clone())
            .when(viewer().client.is_none())
            .column("For", |row| row.kind.label())
            .column("Agent", |row| cell::or(&row.agent_name, "The agency's agent"))
            .column("From", |row| row.from_number.as_deref().map_or_else(|| "–".into(), spaced))
            .class("mono")
            .number("Contacts", |row| row.contacts.text())
            .number("Waiting", |row| row.waiting.text())
            .column("Created", |row| cell::time(&row.created))
            .note("25 per page, newest first")
            .empty(
                "megaphone",
                "No campaigns yet",
                "A campaign connects a client's contacts with an agent and a number. Batches then call them.",
            )
            .page(rows)
    })
}

/// That the list is narrowed to one agent, and the way back to all.
#[component]
fn OfAgent() -> impl IntoView {
    move || {
        let agent = query("agent")?;
        Some(view! {
            <p class="note">
                <Icon name="bot" small=true/>
                "Campaigns of "<a class="link" href=format!("/agents/{agent}")>"one agent"</a>" · "
                <a class="link" href=with_query(&[("agent", None)])>"Show all campaigns"</a>
            </p>
        })
    }
}

/// The form for the client that the list is narrowed to.
fn new_address() -> String {
    let pairs: Vec<(String, String)> = query("client").map(|id| ("client".to_owned(), id)).into_iter().collect();
    format!("/campaigns/new{}", query_string(&pairs))
}
