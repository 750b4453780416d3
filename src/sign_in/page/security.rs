use std::sync::Arc;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::passkeys::PasskeyList;
use crate::model::{Passkeys, SecondFactor, SecondFactorSetup, SessionRow};
use crate::server_fns::{
    BeginSecondFactor, ChangePassword, ConfirmSecondFactor, EndSession, MakeRecoveryCodes, SignOut,
    TurnOffSecondFactor, get_second_factor, list_passkeys, list_sessions,
};
use patchbay_shell::SettingsNav;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// Second factor, passkeys, password, and where the viewer is signed in.
#[lazy]
pub fn security_page() -> PageView {
    let sessions = load(|| (), |()| list_sessions());
    let factor = load(|| (), |()| get_second_factor());
    let passkeys = load(|| (), |()| list_passkeys());
    Arc::new(move || {
        let change = FormAction::of::<ChangePassword>();
        let again = Callback::new(move |()| sessions.refetch());
        let owes = viewer().owes_second_factor;
        let factor_again = Callback::new(move |()| {
            if owes {
                // Everything was shut until now: the whole page comes anew, and shows the recovery codes.
                let _ = window().location().reload();
                return;
            }
            factor.refetch();
            passkeys.refetch();
            sessions.refetch();
        });
        view! {
            <PageTitle text="Sign-in and security" parents=vec![crumb("Settings", "/settings/profile")]/>
            <PageHead title="Sign-in and security"/>
            <div class="cols settings">
                <SettingsNav current="/settings/security"/>
                <div class="stack gap-4">
                    <Card title="Second factor">
                        <BlockBoundary data=factor view={move |state: SecondFactor| view! { <Factor state again=factor_again/> }}/>
                    </Card>
                    <Card title="Passkeys">
                        <BlockBoundary data=passkeys view={move |state: Passkeys| view! { <PasskeyList state again=factor_again/> }}/>
                    </Card>
                    <Card title="Password">
                        <p class="sub">"8 to 128 characters; a few words in a row are easy to keep in mind. Your other sessions end."</p>
                        <ServerForm action=change class="form two" prefix="password" said="Password changed. Other sessions have ended." on_done=again>
                            <TextInput name="current" label="Current password" kind="password" required=true autocomplete="current-password"/>
                            <TextInput name="password" label="New password" kind="password" required=true autocomplete="new-password"/>
                            <FormActs><SubmitButton>"Change password"</SubmitButton></FormActs>
                        </ServerForm>
                    </Card>
                    <BlockBoundary data=sessions view={move |rows: Vec<SessionRow>| view! { <Sessions rows again/> }}/>
                </div>
            </div>
        }
        .into_any()
    })
}

#[component]
fn Sessions(rows: Vec<SessionRow>, again: Callback<()>) -> impl IntoView {
    let count = rows.len();
    let rows = rows.into_iter().map(|row| view! { <SessionLine row again/> }).collect_view();
    view! {
        <Card title="Where you are signed in" count=count flush=true footer=|| view! {
            // Plain: the page that follows has no script.
            <form action=SignOut::url() method="post" on:submit=|_| forget_drafts_on_leaving()>
                <input type="hidden" name="everywhere" value="true"/>
                <Button submit=true icon="log-out">"Sign out everywhere"</Button>
            </form>
        }>
            <DataTable
                label="Where you are signed in"
                head=|| view! {
                    <th scope="col">"Device"</th>
                    <th scope="col">"Address"</th>
                    <th scope="col">"Signed in"</th>
                    <th scope="col">"Last seen"</th>
                    <th scope="col"><span class="sr">"Actions"</span></th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
}

#[component]
fn SessionLine(row: SessionRow, again: Callback<()>) -> impl IntoView {
    let end = FormAction::of::<EndSession>();
    let id = row.id;
    view! {
        <tr>
            <td><b>{row.device}</b></td>
            <td class="mono">{row.ip.unwrap_or_else(|| "–".into())}</td>
            <td><Time stamp=row.started/></td>
            <td><Time stamp=row.seen/></td>
            <td class="acts">
                {if row.is_this {
                    view! { <Tag tone=patchbay_shared::Tone::Ok>"This one"</Tag> }.into_any()
                } else {
                    view! {
                        <ServerForm action=end class="inline" prefix=format!("end-{}", &id[..8]) no_summary=true on_done=again said="Session ended">
                            <input type="hidden" name="id" value=id/>
                            <SubmitButton kind=ButtonKind::Plain small=true>"End"</SubmitButton>
                        </ServerForm>
                    }.into_any()
                }}
            </td>
        </tr>
    }
}

#[component]
fn Factor(state: SecondFactor, again: Callback<()>) -> impl IntoView {
    let codes = (!state.new_codes.is_empty()).then(|| view! { <NewCodes codes=state.new_codes.clone()/> });
    let rest = match (state.is_on, state.setup) {
        (true, _) => view! { <IsOn again/> }.into_any(),
        (false, Some(setup)) => view! { <Confirm setup again/> }.into_any(),
        (false, None) => view! { <Begin again/> }.into_any(),
    };
    let left = state.is_awaited.then(|| view! { <CodesLeft left=state.codes_left again/> });
    view! { <div class="stack gap-4">{codes}{rest}{left}</div> }
}

#[component]
fn Begin(again: Callback<()>) -> impl IntoView {
    let begin = FormAction::of::<BeginSecondFactor>();
    view! {
        <p class="sub">"No authenticator app. With one, signing in asks for a code from an app on your phone as well: a stolen password alone opens nothing."</p>
        <ServerForm action=begin class="form two" prefix="begin" on_done=again>
            <TextInput name="current" label="Current password" kind="password" required=true autocomplete="current-password"/>
            <FormActs><SubmitButton>"Set up"</SubmitButton></FormActs>
        </ServerForm>
    }
}

#[component]
fn Confirm(setup: SecondFactorSetup, again: Callback<()>) -> impl IntoView {
    let confirm = FormAction::of::<ConfirmSecondFactor>();
    view! {
        <p>"Scan the picture with an authenticator app, or type the key into it. Then type the code that the app shows."</p>
        <img class="qr" src=setup.qr alt="Picture for authenticator apps. The key below it says the same."/>
        <p class="mono center">{setup.secret}</p>
        <ServerForm action=confirm class="form two" prefix="confirm" on_done=again said="The second factor is on">
            <TextInput name="code" label="Code" required=true autocomplete="one-time-code" inputmode="numeric" maxlength=10/>
            <FormActs><SubmitButton>"Turn on"</SubmitButton></FormActs>
        </ServerForm>
    }
}

#[component]
fn IsOn(again: Callback<()>) -> impl IntoView {
    let off = FormAction::of::<TurnOffSecondFactor>();
    view! {
        <div class="row wrap">
            <State tone=patchbay_shared::Tone::Ok label="On: codes from an authenticator app"/>
            <DialogLink name="off" kind=ButtonKind::Danger>"Turn off"</DialogLink>
        </div>
        <ConfirmForm name="off" action=off title="Turn the second factor off?" text="The app's codes stop working. Without a passkey, the password alone will sign you in again." confirm="Turn off" danger=true on_done=again said="The second factor is off">
            <TextInput name="current" label="Current password" kind="password" required=true autocomplete="current-password"/>
        </ConfirmForm>
    }
}

/// Recovery codes belong to whatever the second step is made with.
#[component]
fn CodesLeft(left: i64, again: Callback<()>) -> impl IntoView {
    let codes = FormAction::of::<MakeRecoveryCodes>();
    view! {
        <div class="row wrap">
            <span>{format!("{} left", patchbay_shared::money::counted(left, "recovery code", "recovery codes"))}</span>
            <DialogLink name="codes">"New recovery codes"</DialogLink>
        </div>
        <ConfirmForm name="codes" action=codes title="Make new recovery codes?" text="The old ones stop working." confirm="Create codes" on_done=again>
            <TextInput name="current" label="Current password" kind="password" required=true autocomplete="current-password"/>
        </ConfirmForm>
    }
}

#[component]
fn NewCodes(codes: Vec<String>) -> impl IntoView {
    let text = codes.join("\n");
    let codes = codes.into_iter().map(|code| view! { <li>{code}</li> }).collect_view();
    view! {
        <Callout tone=patchbay_shared::Tone::Warn icon="key-round">
            <p><b>"Keep these recovery codes now: they are not shown again."</b>" Together with your password, each signs you in once when you don't have your phone or passkey with you."</p>
            <ul class="recovery-codes">{codes}</ul>
            <CopyButton text=text label="Copy all codes"/>
        </Callout>
    }
}
