use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{export, own_id};
use crate::model::{ActivitiesPage, ActivityQuery};
use crate::server_fns::list_contact_activities;
use patchbay_access::Action;
use patchbay_contacts::{ActivityKind, ActivityOfContact};
use patchbay_shell::refused;
use patchbay_ui::*;

/// What was done with a contact, by the systems of its client.
#[lazy]
pub fn contact_activities_page() -> PageView {
    let params = use_params_map();
    let asked =
        || ActivityQuery { words: query("q"), kind: query("kind"), sort: query("sort"), cursor: query("cursor") };
    let page = load(
        move || (params.read().get("id").unwrap_or_default(), asked()),
        |(id, query)| list_contact_activities(id, query),
    );
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadIntegrations) {
            return refused;
        }
        live::on_change(&[&format!("contact:{}", own_id()), "integrations"], move || page.refetch());
        view! { <PageBoundary data=page view=move |page: ActivitiesPage| view! { <Activities page/> }/> }.into_any()
    })
}

#[component]
fn Activities(page: ActivitiesPage) -> impl IntoView {
    let ActivitiesPage { contact, name, page } = page;
    let own = format!("/contacts/{contact}");
    let file = export(format!("{own}/activities/export.csv"));
    let list = List::<ActivityOfContact>::new("Done in other systems")
        .search("q", "Words of the title or the text")
        .filter(Filter::words("kind", "Kind", ActivityKind::ALL))
        .keep(&["sort"])
        .sorted("-at")
        .what("activities")
        .table("mid wrap cards")
        .column("What", |row: &ActivityOfContact| {
            let text = row.rest().to_owned();
            let text = (!text.is_empty()).then(|| view! { <span class="pre-line break">{text}</span> });
            view! { <div class="who"><b class="break">{row.heading().to_owned()}</b>{text}</div> }
        })
        .class("long")
        .column("Kind", |row: &ActivityOfContact| row.kind.label())
        .column("State", |row: &ActivityOfContact| row.state.clone())
        .column("In", |row: &ActivityOfContact| row.system.clone())
        .newest("At", |row: &ActivityOfContact| cell::time(&row.at))
        .sort("at")
        .no_match_in_card()
        .empty(
            "list",
            "Nothing was read yet",
            "Notes, calls, tasks and meetings of the client’s CRM stand here once a sync has read them. Activities are chosen in the integration’s settings.",
        )
        .show(page);
    view! {
        <PageTitle text="Done in other systems" parents=vec![crumb("Contacts", "/contacts"), crumb(name.clone(), own)]/>
        <PageHead title="Done in other systems" sub=format!("With {name}, by people and programs there") actions=move || file/>
        {list}
    }
}
