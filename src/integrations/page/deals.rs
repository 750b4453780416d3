use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::Top;
use super::{asked, export, own_id};
use crate::model::{DealRow, DealsPage};
use crate::server_fns::list_integration_deals;
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Deals of a CRM.
#[lazy]
pub fn integration_deals_page() -> PageView {
    let params = use_params_map();
    let page = load(
        move || (params.read().get("id").unwrap_or_default(), asked()),
        |(id, query)| list_integration_deals(id, query),
    );
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadIntegrations) {
            return refused;
        }
        live::on_change(&[&format!("integration:{}", own_id())], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: DealsPage| view! { <Deals page again/> }/> }.into_any()
    })
}

#[component]
fn Deals(page: DealsPage, again: Callback<()>) -> impl IntoView {
    let DealsPage { head, stages, page } = page;
    let service = head.kind.label();
    let file = export(format!("/integrations/{}/deals/export.csv", head.id));
    let list = List::<DealRow>::new("Deals")
        .search("q", "Name of the deal or the contact")
        .filter(Filter::new("state", "Stage", stages))
        .keep(&["sort"])
        .sorted("-added")
        .what("deals")
        .table("mid wrap cards")
        .column("Deal", move |row: &DealRow| {
            let name = if row.name.is_empty() { "Without a name".to_owned() } else { row.name.clone() };
            let id = view! { <small class="mono break">{row.remote_id.clone()}</small> };
            match row.record.clone() {
                Some(href) => view! {
                    <div class="who">
                        <a class="link" href=href rel="external noopener" target="_blank" title=format!("Open it in {service}")>{name}</a>
                        {id}
                    </div>
                }
                .into_any(),
                None => view! { <div class="who"><span>{name}</span>{id}</div> }.into_any(),
            }
        })
        .class("long")
        .column("Stage", |row: &DealRow| row.stage.clone())
        .column("Contact", |row: &DealRow| match &row.contact {
            Some((id, name)) => cell::link(format!("/contacts/{id}"), name),
            None => "–".into_any(),
        })
        .number("Amount", |row: &DealRow| row.amount.clone())
        .column("Closes", |row: &DealRow| row.closes.clone())
        .column("Changed there", |row: &DealRow| cell::time_or(row.changed.as_ref(), "–"))
        .no_match_in_card()
        .empty("list", "No deals yet", "Deals of the CRM stand here once a sync has read them. They are read, never changed.")
        .show(page);
    view! { <Top head tab_of="deals" title="Deals" more=move || file again/> {list} }
}
