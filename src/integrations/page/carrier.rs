use leptos::prelude::*;

use crate::model::{CarrierView, IntegrationHead};
use crate::server_fns::SetCarrierAgain;
use patchbay_shared::Tone;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

/// How the voice service and the carrier get on, and what became of the account's numbers.
#[component]
pub(super) fn Dialling(head: IntegrationHead, carrier: CarrierView, again: Callback<()>) -> impl IntoView {
    let id = head.id.to_string();
    let list = format!("/numbers?carrier={id}");
    view! { <Card title="Calls over it"><Shown id list carrier set=again/></Card> }
}

#[component]
fn Shown(id: String, list: String, carrier: CarrierView, set: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<SetCarrierAgain>();
    let replaces = carrier.other_account.filter(|_| carrier.may_set).map(|other| {
        view! {
            <ServerForm action=action class="form mt-4" prefix="again" on_done=set said="The voice service dials through this account">
                <input type="hidden" name="id" value=id/>
                <p class="sub">{format!("To dial through this account instead of {other}, which stops being used at the voice service:")}</p>
                <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">"Use this account"</SubmitButton>
            </ServerForm>
        }
    });
    let elsewhere = (!carrier.elsewhere.is_empty()).then(|| {
        let all = carrier.elsewhere.iter().map(|number| spaced(number)).collect::<Vec<_>>().join(", ");
        view! {
            <Callout tone=Tone::Warn><p>{format!("These numbers are here under another account, and stay there: {all}.")}</p></Callout>
        }
    });
    view! {
        <Facts>
            <Fact label="Voice service">{if carrier.is_given { "Dials through this account" } else { "Does not dial through it" }}</Fact>
            <Fact label="Numbers looked for">{cell::time_or(carrier.numbers_at.as_ref(), "Never")}</Fact>
        </Facts>
        <p class="note mt-4">"Agents call from its numbers. Calls to a number come here when its page says “People call it”, and who answers."</p>
        {elsewhere}
        {replaces}
        <p class="mt-4"><a class="link" href=list>"Numbers of this account"</a></p>
    }
}
