use leptos::prelude::*;

use crate::model::TransferStep;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

/// Whom the agent had rung to give the call to, and what came of it. Nothing where nobody was.
#[component]
pub(crate) fn TransfersCard(transfers: Vec<TransferStep>) -> impl IntoView {
    (!transfers.is_empty()).then(|| {
        let rows = transfers
            .into_iter()
            .map(|step| {
                let text = step.text();
                let number = step.number.map(|number| view! { <code class="mono">{spaced(&number)}</code> });
                let why = step.why.map(|why| view! { <p class="sub">{why}</p> });
                let reason = step.reason.filter(|reason| !reason.is_empty()).map(|reason| {
                    view! { <p class="sub break">{format!("The agent’s reason: {reason}")}</p> }
                });
                view! {
                    <li>
                        <Icon name="phone-forwarded" small=true/>
                        <div class="stack gap-1 min0">
                            <p><b class="break">{step.destination}</b>{format!(" {text}")}</p>
                            <p class="row wrap"><State tone=step.status.tone() label=step.status.label()/><Time stamp=step.at/>{number}</p>
                            {why}
                            {reason}
                        </div>
                    </li>
                }
            })
            .collect_view();
        view! { <Card title="Transferred to a person" id="transfers"><ul class="list">{rows}</ul></Card> }
    })
}
