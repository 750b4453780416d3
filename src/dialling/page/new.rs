use std::sync::Arc;

use leptos::prelude::*;

use crate::model::call_back::CallBackSubject;
use crate::server_fns::{CreateCallBack, get_call_back_subject};
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

/// Has a contact of a campaign called back: from a call (`?call=`) or from the contact's place in a campaign (`?member=`).
#[lazy]
pub fn new_call_back_page() -> PageView {
    let subject = load(|| (query("call"), query("member")), |(call, member)| get_call_back_subject(call, member));
    Arc::new(move || {
        view! {
            <PageTitle text="New call-back" parents=vec![crumb("Call-backs", "/call-backs")]/>
            <PageBoundary data=subject view=shown/>
        }
        .into_any()
    })
}

fn shown(subject: Option<CallBackSubject>) -> AnyView {
    match subject {
        Some(subject) => view! { <New subject/> }.into_any(),
        None => view! {
            <PageHead title="New call-back"/>
            <section class="card">
                <EmptyState icon="phone-forwarded" title="Choose whom to call back" text="Open a call or a contact, and set the call-back there.">
                    <LinkButton href="/calls">"Calls"</LinkButton>
                </EmptyState>
            </section>
        }
        .into_any(),
    }
}

#[component]
fn New(subject: CallBackSubject) -> impl IntoView {
    let create = FormAction::of::<CreateCallBack>();
    let sub = format!("{} · {}", spaced(&subject.number), subject.campaign);
    let hint = format!("By the clock in {}. Calling hours: {}.", subject.zone.replace('_', " "), subject.hours);
    let form = match subject.open {
        Some(id) => view! {
            <Callout tone=patchbay_shared::Tone::Info icon="info">
                <p>"This contact waits for a call-back already. "<a class="link" href=format!("/call-backs/{id}")>"Change it there"</a></p>
            </Callout>
        }
        .into_any(),
        None => view! {
            <Card title="When to call">
                <ServerForm action=create class="form">
                    <input type="hidden" name="member" value=subject.member.to_string()/>
                    <input type="hidden" name="call" value=subject.call.map(|id| id.to_string()).unwrap_or_default()/>
                    <DateTimeInput name="at" label="Day and time" hint required=true/>
                    <p class="sub">"It goes out by itself then, through the campaign's number and agent, also when no batch dials."</p>
                    <FormActs><SubmitButton icon="calendar-clock">"Call back then"</SubmitButton></FormActs>
                </ServerForm>
            </Card>
        }
        .into_any(),
    };
    view! { <PageHead title=format!("Call {} back", subject.contact) sub/>{form} }
}
