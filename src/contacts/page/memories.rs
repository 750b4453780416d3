use leptos::prelude::*;

use crate::ContactNote;
use patchbay_tools::server_fns::ForgetContactMemory;
use patchbay_ui::*;

/// What agents wrote down about the contact, and a button that has them forget it.
#[component]
pub(super) fn MemoriesCard(
    contact: String,
    memories: Vec<ContactNote>,
    may_manage: bool,
    refetch: Callback<()>,
) -> impl IntoView {
    if memories.is_empty() {
        return ().into_any();
    }
    let forget = FormAction::of::<ForgetContactMemory>();
    let rows = memories
        .into_iter()
        .map(|memory| {
            let from = memory.call.map(|call| view! { <a class="link" href=format!("/calls/{call}")>"Call"</a>" · " });
            let (contact, id) = (contact.clone(), memory.id.to_string());
            let button = may_manage.then(|| {
                view! {
                    <ServerForm action=forget class="inline" prefix=format!("forget-{id}") on_done=refetch no_summary=true said="Forgotten">
                        <input type="hidden" name="contact" value=contact/>
                        <input type="hidden" name="id" value=id/>
                        <SubmitButton kind=ButtonKind::Ghost small=true>"Forget"</SubmitButton>
                    </ServerForm>
                }
            });
            view! {
                <li>
                    <div class="who">
                        <span class="pre-line">{memory.note}</span>
                        <small>{from}{memory.agent}" · "<Time stamp=memory.at/></small>
                    </div>
                    {button}
                </li>
            }
        })
        .collect_view();
    view! { <Card title="What agents remember"><ul class="list">{rows}</ul></Card> }.into_any()
}
