use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{Connection, IntegrationStatus};
use crate::server_fns::list_connections;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The services that the workspace runs on.
#[lazy]
pub fn connections_page() -> PageView {
    let rows = load(|| (), |()| list_connections());
    Arc::new(move || {
        live::on_change(&["connections"], move || rows.refetch());
        view! {
            <PageTitle text="Connections"/>
            <PageHead
                title="Connections"
                sub="The accounts used for calls, numbers and models."
                actions=move || view! {
                    <LinkButton href="/connections/models" icon="bot">"Models"</LinkButton>
                    {viewer().may(Action::ManageConnections).then(|| view! {
                        <LinkButton href="/connections/accounts/new" icon="plus">"Add a model account"</LinkButton>
                    })}
                }
            />
            <PageBoundary
                data=rows
                view={move |rows: Vec<Connection>| {
                    let cards = rows.into_iter().map(|connection| view! { <Service connection/> }).collect_view();
                    view! { <div class="cols three">{cards}</div> }
                }}
            />
        }
        .into_any()
    })
}

#[component]
fn Service(connection: Connection) -> impl IntoView {
    let provider = connection.provider;
    let href = format!("/connections/{}", connection.key());
    let state = connection.status;
    let (word, kind) = match (connection.may_edit, state) {
        (true, None) => ("Connect", ButtonKind::Primary),
        (true, Some(_)) => ("Manage", ButtonKind::Plain),
        (false, _) => ("Open", ButtonKind::Plain),
    };
    view! {
        <Card
            title=connection.name.clone()
            class="fill"
            right=move || view! { <ConnectionState status=state/> }
            footer=move || view! { <LinkButton href kind class="push">{word}</LinkButton> }
        >
            <div class="stack gap-3">
                <p class="sub">{provider.purpose()}</p>
                <ConnectionFacts connection/>
            </div>
        </Card>
    }
}

/// StatusDot and word; a service that was never connected has a state of its own.
#[component]
pub(crate) fn ConnectionState(status: Option<IntegrationStatus>) -> impl IntoView {
    let (tone, label) = status.map_or((Tone::Mute, "Not connected"), |status| (status.tone(), status.label()));
    view! { <State tone label on=status.is_some()/> }
}

/// What is known about a connection, without secrets.
#[component]
pub(crate) fn ConnectionFacts(connection: Connection) -> impl IntoView {
    if connection.status.is_none() {
        let text = if connection.may_edit {
            "Enter the account’s key to use it."
        } else {
            "An owner of the agency can connect it."
        };
        return view! { <p>{text}</p> }.into_any();
    }
    let mode = connection.mode;
    let key = if connection.hint.is_empty() { "Stored".to_owned() } else { format!("Ends in {}", connection.hint) };
    view! {
        <Facts>
            <Fact label="Mode"><Tag tone=mode.tone()>{mode.label()}</Tag></Fact>
            <Fact label="Key" class="mono">{key}</Fact>
            {connection.account.map(|account| view! { <Fact label="Account">{account}</Fact> })}
            {connection.settings.voice_price_per_minute.map(|price| view! { <Fact label="Price">{format!("${price} per minute")}</Fact> })}
            {connection.base_url.map(|address| view! { <Fact label="Address" class="mono break">{address}</Fact> })}
            <Fact label="Last checked">
                {match connection.last_checked {
                    Some(at) => view! { <Time stamp=at/> }.into_any(),
                    None => "Never".into_any(),
                }}
            </Fact>
        </Facts>
        {connection.last_error.map(|error| view! { <Callout tone=Tone::Bad><p>{error}</p></Callout> })}
    }
    .into_any()
}
