use leptos::prelude::*;

use crate::model::IntegrationType;
use patchbay_connections::model::{Connection, Provider};
use patchbay_ui::*;

/// What can be added, by what it is for.
#[component]
pub(super) fn Gallery(connections: Vec<Connection>, may_connect: bool) -> impl IntoView {
    if !may_connect {
        return view! { <p class="note">"An owner of the agency can connect more."</p> }.into_any();
    }
    let mut parts: Vec<(&'static str, Vec<AnyView>)> =
        ["Voice", "Telephone", "Models", "CRM", "Messages", "Your own systems"]
            .into_iter()
            .map(|part| (part, Vec::new()))
            .collect();
    let mut put = |part: &str, card: AnyView| {
        if let Some((_, cards)) = parts.iter_mut().find(|(name, _)| *name == part) {
            cards.push(card);
        }
    };
    for provider in Provider::ALL.iter().copied().filter(|provider| !provider.has_models()) {
        let is_on = connections.iter().any(|row| row.provider == provider && row.status.is_some());
        let part = if provider == Provider::Ultravox { "Voice" } else { "Telephone" };
        let word = if is_on { "Connected" } else { "Connect" };
        put(part, card(provider.label(), provider.purpose(), format!("/connections/{provider}"), word));
    }
    for provider in Provider::ALL.iter().copied().filter(|provider| provider.has_models()) {
        let href = format!("/connections/accounts/new?kind={provider}");
        put("Models", card(provider.label(), provider.purpose(), href, "Add"));
    }
    for kind in IntegrationType::ALL.iter().copied() {
        put(kind.part(), card(kind.label(), kind.purpose(), format!("/integrations/new/{kind}"), "Connect"));
    }
    let parts = parts
        .into_iter()
        .map(|(name, cards)| view! { <section class="stack gap-2"><h3>{name}</h3><div class="cols cards">{cards}</div></section> })
        .collect_view();
    view! { <section class="stack gap-4" id="add"><h2>"Add"</h2>{parts}</section> }.into_any()
}

fn card(name: &'static str, purpose: &'static str, href: String, word: &'static str) -> AnyView {
    let label = format!("{word} {name}");
    view! {
        <Card title=name class="fill" right=move || view! { <a class="link" href=href aria-label=label>{word}</a> }>
            <p class="sub">{purpose}</p>
        </Card>
    }
    .into_any()
}
