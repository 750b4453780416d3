use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{AccountChoice, ChoiceRow, ModelsPage, OwnChoice, Purpose, Used};
use crate::server_fns::get_models;
use patchbay_ui::*;

/// Which model each kind of work uses.
#[lazy]
pub fn models_page() -> PageView {
    let page = load(|| (), |()| get_models());
    Arc::new(move || {
        live::on_change(&["models", "connections"], move || page.refetch());
        view! {
            <PageTitle text="Models" parents=vec![crumb("Integrations", "/integrations")]/>
            <PageHead
                title="Models"
                sub="Which account and which model each kind of work uses, and what it costs."
                actions=move || view! { <LinkButton href="/connections/models/prices" icon="receipt-text">"Prices"</LinkButton> }
            />
            <PageBoundary data=page view=move |page: ModelsPage| view! { <Models page/> }/>
        }
        .into_any()
    })
}

#[component]
fn Models(page: ModelsPage) -> impl IntoView {
    if page.accounts.is_empty() {
        let may_connect = page.may_connect;
        return view! {
            <EmptyState
                icon="plug"
                title="No model account yet"
                text="Analyses, agent runs and tests are answered by the models of an account: OpenRouter, Anthropic, or any server of the OpenAI form."
            >
                {may_connect.then(|| view! {
                    <LinkButton href="/connections/accounts/new" kind=ButtonKind::Primary icon="plus">"Add a model account"</LinkButton>
                })}
            </EmptyState>
        }
        .into_any();
    }
    let (may_choose, may_connect) = (page.may_choose, page.may_connect);
    let rows = page.choices.into_iter().map(|row| view! { <Choice row may_choose/> }).collect_view();
    let accounts = page.accounts.into_iter().map(|account| view! { <Account account/> }).collect_view();
    view! {
        <div class="cols main-side">
            <div class="stack gap-4">
                <Card title="What uses which model">
                    <ul class="list">{rows}</ul>
                </Card>
                <Own own=page.own may_choose/>
            </div>
            <Card
                title="Model accounts"
                footer=move || may_connect.then(|| view! {
                    <LinkButton href="/connections/accounts/new" icon="plus" class="push">"Add a model account"</LinkButton>
                })
            >
                <ul class="list">{accounts}</ul>
            </Card>
        </div>
    }
    .into_any()
}

#[component]
fn Account(account: AccountChoice) -> impl IntoView {
    let trouble = account.trouble.map(|trouble| view! { " "<Tag tone=patchbay_shared::Tone::Warn>{trouble}</Tag> });
    view! { <li><a class="link" href=format!("/connections/{}", account.id)>{account.name}</a>{trouble}</li> }
}

#[component]
fn Choice(row: ChoiceRow, may_choose: bool) -> impl IntoView {
    let purpose = row.purpose;
    let state = match (&row.used, row.is_own, purpose) {
        (Some(_), true, _) => None,
        (Some(_), false, Purpose::Analysis) => Some("Nothing chosen: the usual model is used."),
        (Some(_), false, _) => Some("Nothing chosen: the model of the analyses is used."),
        (None, _, Purpose::Embedding) => Some("Nothing chosen: knowledge is found by its words alone."),
        (None, ..) => Some("Nothing chosen, so nothing is asked."),
    };
    let word = if row.is_own { "Change" } else { "Choose" };
    view! {
        <li>
            <div class="stack gap-1">
                <b>{purpose.label()}</b>
                <p class="sub">{purpose.about()}</p>
                {row.used.map(|used| view! { <Usage used/> })}
                {state.map(|state| view! { <p class="note">{state}</p> })}
            </div>
            {may_choose.then(|| view! {
                <LinkButton href=format!("/connections/models/{purpose}") class="x">
                    {word}<span class="sr">{format!(" the model for {}", purpose.label())}</span>
                </LinkButton>
            })}
        </li>
    }
}

/// Model, account and price.
#[component]
fn Usage(used: Used) -> impl IntoView {
    let price = match (&used.price, used.tells_costs) {
        (Some(price), _) => price.text(),
        (None, true) => "The service tells with each answer what it cost.".to_owned(),
        (None, false) => "Not priced yet: its answers count without a cost until you enter a price.".to_owned(),
    };
    view! {
        <p><code class="break">{used.model}</code>" at "<a class="link" href=format!("/connections/{}", used.account)>{used.account_name}</a></p>
        <p class="note">{price}</p>
    }
}

#[component]
fn Own(own: Vec<OwnChoice>, may_choose: bool) -> impl IntoView {
    let is_empty = own.is_empty();
    let rows = own
        .into_iter()
        .map(|one| {
            let change = format!("/connections/models/agent?agent={}", one.agent);
            let name = one.name.clone();
            view! {
                <li>
                    <div class="stack gap-1">
                        <a class="link" href=format!("/agents/{}", one.agent)>{one.name}</a>
                        <Usage used=one.used/>
                    </div>
                    {may_choose.then(|| view! {
                        <LinkButton href=change class="x">"Change"<span class="sr">{format!(" the model of {name}")}</span></LinkButton>
                    })}
                </li>
            }
        })
        .collect_view();
    let body = if is_empty {
        view! { <p class="note">"None. Every agent’s runs use the model for agent runs. To give one agent another model, choose it above and name the agent."</p> }
            .into_any()
    } else {
        view! { <ul class="list">{rows}</ul> }.into_any()
    };
    view! { <Card title="Agents with a model of their own">{body}</Card> }
}
