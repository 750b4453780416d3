use std::sync::Arc;

use leptos::prelude::*;

use super::host::HostCard;
use super::look::{Look, Saved};
use crate::model::BrandView;
use crate::server_fns::get_brand;
use patchbay_access::Action;
use patchbay_shell::SettingsNav;
use patchbay_ui::*;

/// The agency's own brand and host name.
#[lazy]
pub fn brand_page() -> PageView {
    let brand = load(|| (), |()| get_brand(None));
    Arc::new(move || {
        if let Some(refusal) = patchbay_shell::refused(Action::ManageBrand) {
            return refusal;
        }
        live::on_change(&["brand"], move || brand.refetch());
        view! {
            <PageTitle text="Brand" parents=vec![crumb("Settings", "/settings/profile")]/>
            <PageHead title="Brand" sub="What your people and your clients see in place of ours, on every page and in every e-mail."/>
            <div class="cols settings">
                <SettingsNav current="/settings/brand"/>
                <PageBoundary data=brand view=move |brand: BrandView| view! { <Agency brand/> }/>
            </div>
        }
        .into_any()
    })
}

#[component]
fn Agency(brand: BrandView) -> impl IntoView {
    let host = brand.host.clone();
    view! {
        <div class="stack gap-4">
            <Saved/>
            <Look brand/>
            {host.map(|host| view! { <HostCard host/> })}
        </div>
    }
}
