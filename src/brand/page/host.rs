use leptos::prelude::*;

use crate::model::HostView;
use crate::server_fns::{CheckBrandHost, SaveBrandHost};
use patchbay_shared::Tone;
use patchbay_shell::ProofField;
use patchbay_ui::*;

/// The agency's own host name: which, what DNS has to say, and whether it does.
#[component]
pub(crate) fn HostCard(host: HostView) -> impl IntoView {
    let (save, check) = (FormAction::of::<SaveBrandHost>(), FormAction::of::<CheckBrandHost>());
    // What DNS said belongs to the name as well.
    let errors = Signal::derive(move || {
        let own = save.errors().get();
        if own.0.is_empty() { check.errors().get() } else { own }
    });
    let is_asked = !host.host.is_empty();
    let is_proved = host.verified.is_some();
    let state = host.verified.clone().map(|since| {
        let address = host.address.clone();
        view! {
            <p class="row wrap">
                <State tone=Tone::Ok label="Proved"/>
                <Time stamp=since class="sub"/>
                <a class="link" href=address.clone() rel="external">{address.clone()}</a>
            </p>
            <p class="sub">"Your people sign in there, and nobody else's. Links in your e-mails lead there."</p>
        }
    });
    let present = host.host.clone();
    let records = is_asked.then(|| view! { <Records host is_proved/> });
    view! {
        <Card title="Host name" id="host">
            <div class="stack gap-4">
                <ServerForm action=save prefix="host" class="form">
                    <TextInput
                        name="host"
                        label="Host name"
                        value=present
                        placeholder="voice.example.com"
                        maxlength=300
                        hint="A name of your own domain, where your people and your clients sign in. Empty: none. A new name replaces the current one at once."
                        errors=errors
                    />
                    <ProofField/>
                    <FormActs><SubmitButton>"Save"</SubmitButton></FormActs>
                </ServerForm>
                {state}
                {records}
                {is_asked.then(|| view! {
                    <ServerForm action=check prefix="check" class="inline" no_summary=true said="Proved. The host name is in use.">
                        <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">"Check now"</SubmitButton>
                    </ServerForm>
                })}
            </div>
        </Card>
    }
}

/// The two records that the owner of the name makes.
#[component]
fn Records(host: HostView, is_proved: bool) -> impl IntoView {
    let words = if is_proved {
        "Both records have to stay: the first leads people here, the second is looked up again every hour. Without it, the name is released after a day."
    } else {
        "Create these two records where your domain is managed, then check. The first leads people here, the second proves that the name is yours."
    };
    view! {
        <p>{words}</p>
        <Facts wide=true>
            <Fact label="CNAME">
                <span class="row wrap"><code class="break">{host.host.clone()}</code>"→"<code class="break">{host.site.clone()}</code><CopyButton text=host.site label="Copy the CNAME's target"/></span>
            </Fact>
            <Fact label="TXT">
                <span class="row wrap"><code class="break">{host.record.clone()}</code><CopyButton text=host.record label="Copy the TXT record's name"/></span>
                <span class="row wrap"><code class="break">{host.proof.clone()}</code><CopyButton text=host.proof label="Copy the TXT record's text"/></span>
            </Fact>
        </Facts>
    }
}
