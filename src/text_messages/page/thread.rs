use std::sync::Arc;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlTextAreaElement;
use leptos_router::hooks::use_params_map;

use super::{ABOVE, size, source, standing};
use crate::model::{LONGEST_TEXT, TextRow, TextThread};
use crate::server_fns::{SendText, get_text_thread};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::phone::spaced;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Messages with one contact, and a form to write one.
#[lazy]
pub fn text_thread_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("contact").unwrap_or_default(), query("cursor"));
    let thread = load(asked, |(contact, cursor)| get_text_thread(contact, cursor));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadContacts) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("contact").unwrap_or_default();
        live::on_change(&[&format!("texts_with:{id}"), &format!("contact:{id}")], move || thread.refetch());
        let again = Callback::new(move |()| thread.refetch());
        view! { <PageBoundary data=thread view=move |thread: TextThread| view! { <Thread thread again/> }/> }.into_any()
    })
}

#[component]
fn Thread(thread: TextThread, again: Callback<()>) -> impl IntoView {
    let TextThread { contact, name, phone, client, page, numbers, refused, may_send, key } = thread;
    let name = if name.is_empty() { spaced(&phone) } else { name };
    let rows = List::<TextRow>::new("Messages with this contact")
        .table("wide wrap log")
        .newest("When", |row: &TextRow| cell::time(&row.at))
        .column("From", |row: &TextRow| row.direction.label())
        .column("Message", |row: &TextRow| view! { <span class="pre-line break">{row.body.clone()}</span> })
        .column("State", standing)
        .column("By", source)
        .number("Size", size)
        .empty(
            "message-square",
            "No messages with this contact yet",
            "What is written to it, and what it answers, stands here.",
        )
        .show(page);
    let write = may_send.then(|| match refused {
        Some(why) => view! { <Callout tone=Tone::Warn><p>{why}</p></Callout> }.into_any(),
        None if numbers.is_empty() => {
            let why = "No active number carries text messages for this client. Rent or activate one first: ";
            view! { <Callout tone=Tone::Info><p>{why}<a class="link" href="/numbers">"Phone numbers"</a></p></Callout> }
                .into_any()
        }
        None => {
            let send = FormAction::of::<SendText>();
            // The words go with their key: what stands in the box next is another message.
            let done = Callback::new(move |()| {
                let field = document().get_element_by_id("message");
                if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlTextAreaElement>().ok()) {
                    field.set_value("");
                }
                again.run(());
            });
            let first = numbers.first().map(|choice| choice.id.to_string()).unwrap_or_default();
            let options = options_of(numbers.into_iter().map(|choice| (choice.id.to_string(), spaced(&choice.number))));
            view! {
                <Card title="Write">
                    <ServerForm action=send class="form" on_done=done said="On its way">
                        <input type="hidden" name="contact" value=contact.to_string()/>
                        <input type="hidden" name="key" value=key.to_string()/>
                        <Select name="number" label="From" options value=first required=true/>
                        <TextArea
                            name="message"
                            label="Message"
                            required=true
                            maxlength=LONGEST_TEXT as u32
                            hint="A part holds 160 letters, or 70 when it has letters such as ę or 👋. Carriers bill each part."
                        />
                        <FormActs><SubmitButton icon="send">"Send"</SubmitButton></FormActs>
                    </ServerForm>
                </Card>
            }
            .into_any()
        }
    });
    view! {
        <PageTitle text=format!("Messages with {name}") parents=vec![crumb(ABOVE.0, ABOVE.1)]/>
        <PageHead
            title=name
            sub=format!("{client} · {}", spaced(&phone))
            actions=move || view! { <LinkButton href=format!("/contacts/{contact}") icon="contact">"The contact"</LinkButton> }
        />
        <div class="stack gap-4">{write}{rows}</div>
    }
}
