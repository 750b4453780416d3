use std::sync::Arc;

use leptos::prelude::*;

use super::choose::{Offers, options};
use crate::model::PricePage;
use crate::server_fns::{SetModelPrice, get_model_price_form};
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

/// The form for a price.
#[lazy]
pub fn new_model_price_page() -> PageView {
    let page = load(|| (), |()| get_model_price_form());
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageConnections) {
            return refusal;
        }
        view! { <PageBoundary data=page view=move |page: PricePage| view! { <Price page/> }/> }.into_any()
    })
}

#[component]
fn Price(page: PricePage) -> impl IntoView {
    let save = FormAction::of::<SetModelPrice>();
    let parents = vec![
        crumb("Integrations", "/integrations"),
        crumb("Models", "/connections/models"),
        crumb("Prices", "/connections/models/prices"),
    ];
    let money = |name: &'static str, label: &'static str, required: bool, hint: &'static str| {
        view! {
            <TextInput name label prefix_text="$" inputmode="decimal" class="short" required=required hint=hint suffix_text="per million tokens"/>
        }
    };
    view! {
        <PageTitle text="New price" parents/>
        <PageHead title="New price" sub="Answers from that day on are counted with it. What was counted before stays as it is."/>
        <Card>
            <ServerForm action=save said="Price saved">
                <Select name="account" label="Account" options=options(&page.accounts) prompt="Choose an account" required=true/>
                <TextInput
                    name="model"
                    label="Model"
                    class="mono"
                    required=true
                    maxlength=200
                    list="models-listed"
                    autocomplete="off"
                    value=query("model").unwrap_or_default()
                    hint="The name that was chosen under Models."
                />
                <Offers offers=page.offers/>
                <TextInput name="from" label="Holds from" kind="date" class="short" value=page.today required=true hint="From the beginning of that day in the agency’s time zone."/>
                {money("read", "Read", true, "What the model reads: the prompt.")}
                {money("written", "Written", true, "What the model writes: the answer.")}
                {money("cached", "Read from the cache", false, "What the service had read before. Empty: as read.")}
                <FormActs>
                    <SubmitButton>"Save the price"</SubmitButton>
                    <LinkButton href="/connections/models/prices" kind=ButtonKind::Ghost>"Cancel"</LinkButton>
                </FormActs>
            </ServerForm>
        </Card>
    }
}
