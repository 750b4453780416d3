use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::authenticator;
use crate::model::{PasskeyRow, PasskeySetup, Passkeys};
use crate::server_fns::{AddPasskey, BeginPasskey, RemovePasskey};
use patchbay_ui::*;

/// The list, and the way to another one.
#[component]
pub(crate) fn PasskeyList(state: Passkeys, again: Callback<()>) -> impl IntoView {
    let Passkeys { rows, is_full, hurdle, setup } = state;
    let more = match (hurdle, setup) {
        (Some(hurdle), _) => view! { <Callout>{hurdle}</Callout> }.into_any(),
        (None, Some(setup)) => view! { <Make setup again/> }.into_any(),
        (None, None) if is_full => {
            view! { <p class="sub">"There is no room for another one: remove one first."</p> }.into_any()
        }
        (None, None) => view! { <Ask again/> }.into_any(),
    };
    let list = (!rows.is_empty()).then(|| {
        let rows = rows.into_iter().map(|row| view! { <Row row again/> }).collect_view();
        view! {
            <DataTable
                label="Passkeys"
                head=|| view! {
                    <th scope="col">"Name"</th>
                    <th scope="col">"Made"</th>
                    <th scope="col">"Last used"</th>
                    <th scope="col"><span class="sr">"Actions"</span></th>
                }
            >
                {rows}
            </DataTable>
        }
    });
    view! {
        <div class="stack gap-4">
            <p class="sub">"A passkey signs you in with your finger, face or PIN, without password and code. It also counts as second factor: once you have one, the password alone opens nothing."</p>
            {list}
            {more}
        </div>
    }
}

#[component]
fn Row(row: PasskeyRow, again: Callback<()>) -> impl IntoView {
    let remove = FormAction::of::<RemovePasskey>();
    let dialog = format!("remove-{}", row.id);
    let (name, title) = (dialog.clone(), format!("Remove {}?", row.name));
    view! {
        <tr>
            <td><div class="who"><b>{row.name}</b>{row.elsewhere.map(|host| view! { <small>{format!("only at {host}")}</small> })}</div></td>
            <td><Time stamp=row.made/></td>
            <td>{match row.used { Some(stamp) => view! { <Time stamp/> }.into_any(), None => "Never".into_any() }}</td>
            <td class="acts">
                <DialogLink name=dialog kind=ButtonKind::Danger small=true>"Remove"</DialogLink>
                <ConfirmForm name action=remove title text="It no longer signs you in. Delete it on the device as well. Removing the last second factor also removes your recovery codes." confirm="Remove" danger=true on_done=again said="Passkey removed">
                    <input type="hidden" name="id" value=row.id/>
                    <TextInput name="current" label="Current password" kind="password" required=true autocomplete="current-password"/>
                </ConfirmForm>
            </td>
        </tr>
    }
}

#[component]
fn Ask(again: Callback<()>) -> impl IntoView {
    let begin = FormAction::of::<BeginPasskey>();
    view! {
        <ServerForm action=begin class="form two" prefix="passkey" on_done=again>
            <TextInput name="current" label="Current password" kind="password" required=true autocomplete="current-password"/>
            <FormActs><SubmitButton>"Add a passkey"</SubmitButton></FormActs>
        </ServerForm>
    }
}

/// The browser makes the passkey when the form is sent, and then the form goes on its way with it.
#[component]
fn Make(setup: PasskeySetup, again: Callback<()>) -> impl IntoView {
    let add = FormAction::of::<AddPasskey>();
    let answer = NodeRef::<Input>::new();
    let (busy, trouble, ready) = (RwSignal::new(false), RwSignal::new(None::<String>), hydrated());
    let pending = add.pending();
    let options = setup.options;
    let make = move |event: SubmitEvent| {
        let Some(input) = answer.get_untracked() else { return };
        if !input.value().is_empty() {
            return;
        }
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        trouble.set(None);
        let options = options.clone();
        spawn_local(async move {
            match authenticator::create(&options).await {
                Ok(made) => {
                    input.set_value(&made);
                    if let Some(form) = input.form() {
                        let _ = form.request_submit();
                    }
                    // It has been read; another try makes another one.
                    input.set_value("");
                }
                Err(sentence) => {
                    trouble.try_set(Some(sentence));
                }
            }
            busy.try_set(false);
        });
    };
    view! {
        <div class="stack gap-4" on:submit:capture=make>
            <p>"Give the passkey a name that tells you which device it is on. Then your browser asks for your finger, face or PIN. You have five minutes."</p>
            {move || trouble.get().map(|sentence| view! { <div class="errors" role="alert"><p>{sentence}</p></div> })}
            {move || (!ready.get()).then(|| view! { <p class="sub">"This takes script: a page alone cannot ask the device."</p> })}
            <ServerForm action=add class="form two" prefix="make" on_done=again said="Passkey added">
                <TextInput name="name" label="Name" value=setup.name required=true maxlength=60 autocomplete="off"/>
                <input type="hidden" name="answer" node_ref=answer/>
                <FormActs>
                    <SubmitButton pending=Signal::derive(move || busy.get() || pending.get())>"Create passkey"</SubmitButton>
                    // A whole new page: a question that was answered, or is too old, is not asked again.
                    <a class="btn" href="/settings/security" rel="external">"Start again"</a>
                </FormActs>
            </ServerForm>
        </div>
    }
}
