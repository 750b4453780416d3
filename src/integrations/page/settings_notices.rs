use leptos::prelude::*;

use crate::model::NoticesView;
use patchbay_ui::*;

/// Where HubSpot sends what happens, when it did last, and what was refused.
#[component]
pub(super) fn NoticesCard(notices: NoticesView) -> impl IntoView {
    let NoticesView { address, came, refused } = notices;
    let shown = address.clone();
    let came = match came {
        Some(at) => view! { <Time stamp=at/> }.into_any(),
        None => view! { "Nothing yet" }.into_any(),
    };
    let refused = refused.map(|(at, why)| {
        view! { <Fact label="Refused last"><Time stamp=at/>" "<span class="break">{why}</span></Fact> }
    });
    view! {
        <Card title="Told by HubSpot">
            <div class="form">
                <p class="sub">
                    "Enter this address as the target URL of the webhooks of your app in HubSpot, and subscribe to contacts and deals: creation, change of a property, deletion, merge, privacy deletion. What changes there is then here within seconds. Without it, it is here at the next sync."
                </p>
                <p class="row wrap"><code class="break">{shown}</code><CopyButton text=address label="Copy the address"/></p>
            </div>
            <Facts>
                <Fact label="Came last">{came}</Fact>
                {refused}
            </Facts>
            <p class="sub">
                "Who is erased there at their own request is not called any more, and what HubSpot told of them is forgotten here; their calls stay."
            </p>
        </Card>
    }
}
