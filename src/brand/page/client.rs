use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::look::{Look, Saved};
use crate::model::BrandView;
use crate::server_fns::get_brand;
use patchbay_access::Action;
use patchbay_shell::client_tabs;
use patchbay_ui::*;

/// What a client's people see in place of the agency's brand.
#[lazy]
pub fn client_brand_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let brand = load(id, |id| get_brand(Some(id)));
    Arc::new(move || {
        if let Some(refusal) = patchbay_shell::refused(Action::ManageBrand) {
            return refusal;
        }
        live::on_change(&["brand"], move || brand.refetch());
        view! { <PageBoundary data=brand view=move |brand: BrandView| view! { <OfClient brand/> }/> }.into_any()
    })
}

#[component]
fn OfClient(brand: BrandView) -> impl IntoView {
    let Some(client) = brand.client.clone() else { return ().into_any() };
    let (id, name) = (client.id, client.name);
    view! {
        <PageTitle text="Brand" parents=vec![crumb("Clients", "/clients"), crumb(name.clone(), format!("/clients/{id}"))]/>
        <PageHead title=name sub="Only this client's people see it. Whatever you leave empty follows your agency's brand."/>
        <Tabs label="Parts of the client" items=client_tabs(id, "brand")/>
        <div class="stack gap-4">
            <Saved/>
            <Look brand/>
        </div>
    }
    .into_any()
}
