use leptos::prelude::*;

use crate::model::{Connection, IntegrationStatus};
use patchbay_shared::Tone;
use patchbay_ui::*;

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
