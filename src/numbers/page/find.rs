use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{COUNTRIES, FoundNumber, NumberSearchForm};
use crate::server_fns::{AddOwnedNumber, OrderNumber, number_clients, search_numbers};
use patchbay_agents::model::ClientChoice;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

fn asked() -> NumberSearchForm {
    NumberSearchForm {
        country: query("country").unwrap_or_default(),
        area_code: query("area").unwrap_or_default(),
        contains: query("digits").unwrap_or_default(),
    }
}

/// Renting a number, or adding one that the account has.
#[lazy]
pub fn new_number_page() -> PageView {
    let search = |form: NumberSearchForm| async move {
        if form.country.is_empty() { Ok(None) } else { search_numbers(form).await.map(Some) }
    };
    let clients = load(|| (), |()| number_clients());
    let found = load(asked, search);
    Arc::new(move || {
        let parts = move |clients: Vec<ClientChoice>| view! { <Parts clients found/> };
        view! {
            <PageTitle text="Add a number" parents=vec![crumb("Phone numbers", "/numbers")]/>
            <PageHead title="Add a number" sub="Rent one at Telnyx, or add one that your account there has already."/>
            <PageBoundary data=clients view=parts/>
        }
        .into_any()
    })
}

#[component]
fn Parts(clients: Vec<ClientChoice>, found: Loaded<Option<Vec<FoundNumber>>>) -> impl IntoView {
    let own = clients.clone();
    let offers = move |found: Option<Vec<FoundNumber>>| {
        let clients = clients.clone();
        found.map(|found| view! { <Offers found clients/> })
    };
    view! {
        <div class="cols main-side">
            <Card title="Rent a number">
                <div class="stack gap-4"><Search/><BlockBoundary data=found view=offers/></div>
            </Card>
            <Card title="Add a number you already own"><Owned clients=own/></Card>
        </div>
    }
}

fn client_options(clients: &[ClientChoice]) -> Vec<(String, String)> {
    options_of(clients.iter().map(|client| (client.id.to_string(), client.name.clone())))
}

#[component]
fn Search() -> impl IntoView {
    let form = asked();
    let country = if form.country.is_empty() { "US".to_owned() } else { form.country };
    view! {
        <form class="form two" method="get" action="/numbers/new">
            <Select name="country" label="Country" options=options_of(COUNTRIES.iter().copied()) value=country required=true/>
            <TextInput name="area" label="Area code" value=form.area_code inputmode="numeric" maxlength=10 class="short"/>
            <TextInput name="digits" label="Digits it should hold" value=form.contains inputmode="numeric" maxlength=10 class="short"/>
            <FormActs><Button submit=true icon="search">"Search"</Button></FormActs>
        </form>
    }
}

#[component]
fn Offers(found: Vec<FoundNumber>, clients: Vec<ClientChoice>) -> impl IntoView {
    if found.is_empty() {
        return view! {
            <EmptyState icon="phone" title="No numbers available" text="The carrier has no such number now. Search without the area code or with fewer digits." small=true/>
        }
        .into_any();
    }
    let order = FormAction::of::<OrderNumber>();
    let clients = client_options(&clients);
    let rows = found.into_iter().map(|offer| view! { <Offer offer order clients=clients.clone()/> }).collect_view();
    let refused = move || match order.answer() {
        Some(Err(error)) => Some(view! { <p class="bad-ink" role="alert">{error.to_string()}</p> }),
        _ => None,
    };
    view! {
        {refused}
        <DataTable
            label="Available numbers"
            class="mid"
            head=|| view! {
                <th scope="col">"Number"</th>
                <th scope="col" class="num">"Once"</th>
                <th scope="col" class="num">"Per month"</th>
                <th scope="col">"Client and order"</th>
            }
        >
            {rows}
        </DataTable>
        <p class="note">"An order costs money at once. The number appears in the list as ordered and becomes active when the carrier confirms it."</p>
    }
    .into_any()
}

#[component]
fn Offer(offer: FoundNumber, order: FormAction, clients: Vec<(String, String)>) -> impl IntoView {
    let price =
        |cost: Option<patchbay_shared::Money>| cost.map_or_else(|| "Not specified".to_owned(), |cost| cost.column());
    let country = asked().country;
    let cost = offer.monthly_cost.map(|cost| cost.0.to_string()).unwrap_or_default();
    let options = clients.into_iter().map(|(id, name)| view! { <option value=id>{name}</option> }).collect_view();
    let label = format!("Client for {}", offer.number);
    view! {
        <tr>
            <td>
                <div class="who">
                    <span class="mono">{spaced(&offer.number)}</span>
                    <small>{offer.place}{offer.is_near.then_some(" (near what you asked for)")}" "{offer.features.join(", ")}</small>
                </div>
            </td>
            <td class="num">{price(offer.upfront_cost)}</td>
            <td class="num">{price(offer.monthly_cost)}</td>
            <td>
                <PostForm action=order class="inline row">
                    <input type="hidden" name="number" value=offer.number/>
                    <input type="hidden" name="country" value=country/>
                    <input type="hidden" name="features" value=offer.features.join(",")/>
                    <input type="hidden" name="monthly_cost" value=cost/>
                    <select name="client_id" aria-label=label>
                        <option value="">"Whole agency"</option>
                        {options}
                    </select>
                    <Button submit=true small=true busy=order.pending()>"Order"</Button>
                </PostForm>
            </td>
        </tr>
    }
}

#[component]
fn Owned(clients: Vec<ClientChoice>) -> impl IntoView {
    let add = FormAction::of::<AddOwnedNumber>();
    view! {
        <ServerForm action=add class="form" prefix="own">
            <TextInput
                name="number"
                label="Number"
                kind="tel"
                required=true
                placeholder="+13125550100"
                hint="With + and country code. It is looked up in the connected Telnyx account."
            />
            <Select name="client_id" label="Client" options=client_options(&clients) prompt="Whole agency" mark=false/>
            <Select
                name="direction"
                label="Direction"
                options=vec![("outbound".into(), "Agents call from it".into()), ("inbound".into(), "People call it".into())]
                value="outbound"
                required=true
            />
            <TextInput name="monthly_cost" label="Cost per month" prefix_text="$" inputmode="decimal" class="short"/>
            <FormActs><SubmitButton>"Add number"</SubmitButton></FormActs>
        </ServerForm>
    }
}
