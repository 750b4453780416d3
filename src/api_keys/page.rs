use std::sync::Arc;

use leptos::prelude::*;

use super::model::{KeyRow, KeyStatus, NewKey};
use super::server_fns::{CreateApiKey, RevokeApiKey, RotateApiKey, list_api_keys, take_api_key};
use patchbay_access::{Action, ApiScope};
use patchbay_shared::Tone;
use patchbay_shell::ProofField;
use patchbay_shell::SettingsNav;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// Keys of the agency.
#[lazy]
pub fn api_keys_page() -> PageView {
    let rows = load(|| query("cursor"), list_api_keys);
    Arc::new(move || {
        let again = Callback::new(move |()| rows.refetch());
        List::<KeyRow>::new("API keys")
            .under(crumb("Settings", "/settings/profile"))
            .subtitle("For programs that work with this agency's data.")
            .live(&["api_keys"])
            .add(true, "plus", "/settings/api-keys/new", "New key")
            .within(|list| view! { <div class="cols settings"><SettingsNav current="/settings/api-keys"/>{list}</div> })
            .table("top wrap")
            .column("Key", |row| {
                let (name, prefix) = (row.name.clone(), row.prefix.clone());
                view! { <div class="who"><b>{name}</b><small class="mono">{prefix}"…"</small></div> }
            })
            .column("Acts as", |row| row.owner.clone())
            .column("Permissions", scopes)
            .number("This hour", |row| match row.rate_limit {
                0 => format!("{}, no limit", row.used),
                limit => format!("{} of {limit}", row.used),
            })
            .class("nowrap")
            .column("Last used", |row| {
                let address = row.last_ip.clone().map(|ip| view! { <small class="sub mono">" "{ip}</small> });
                let done = format!("/settings/audit?key={}", row.id);
                view! { {cell::time_or(row.last_used.as_ref(), "Never")}{address}<small><a class="link" href=done>"History"</a></small> }
            })
            .column("State", |row| {
                let ends = row.expires.clone().filter(|_| works(row));
                view! { {cell::state(row.status)}{ends.map(|stamp| view! { <small class="sub">" ends "<Time stamp/></small> })} }
            })
            .acts("Actions", move |row| works(row).then(|| view! { <Change id=row.id.to_string() name=row.name.clone() again/> }))
            .empty_view(|| view! {
                <EmptyState icon="key-round" title="No keys" text="A key lets a program read calls, add contacts or run batches, within your own permissions.">
                    <LinkButton href="/settings/api-keys/new" kind=ButtonKind::Primary icon="plus">"New key"</LinkButton>
                </EmptyState>
            })
            .page(rows)
    })
}

fn works(row: &KeyRow) -> bool {
    matches!(row.status, KeyStatus::Active | KeyStatus::Expiring)
}

fn scopes(row: &KeyRow) -> AnyView {
    let scopes = row
        .scopes
        .iter()
        .map(|scope| {
            let (word, is_lost) = (scope.as_str(), row.lost.contains(scope));
            let tone = if is_lost { Tone::Bad } else { Tone::Mute };
            let lost =
                is_lost.then(|| view! { <span class="sr">" (refused: the owner may not do this any more)"</span> });
            view! { <Tag tone=tone>{word}{lost}</Tag> }
        })
        .collect_view();
    view! { <div class="row wrap">{scopes}</div> }.into_any()
}

#[component]
fn Change(id: String, name: String, again: Callback<()>) -> impl IntoView {
    let (rotate, revoke) = (FormAction::of::<RotateApiKey>(), FormAction::of::<RevokeApiKey>());
    let (dialog, rotate_name, same_id) = (format!("revoke-{id}"), format!("rotate-{id}"), id.clone());
    let (title, rotate_title) = (format!("Revoke {name}?"), format!("Rotate {name}?"));
    view! {
        <div class="row end">
            <DialogLink name=rotate_name.clone() small=true>"Rotate"</DialogLink>
            <DialogLink name=dialog.clone() kind=ButtonKind::Danger>"Revoke"</DialogLink>
        </div>
        <ConfirmForm name=rotate_name action=rotate title=rotate_title text="A new key with the same permissions is created and shown once. The current one keeps working for a day, so that programs can switch over." confirm="Create new key">
            <input type="hidden" name="id" value=id/>
            <ProofField/>
        </ConfirmForm>
        <ConfirmForm name=dialog action=revoke title=title text="Programs that use it are rejected from now on. This cannot be undone." confirm="Revoke" danger=true on_done=again said="Key revoked">
            <input type="hidden" name="id" value=same_id/>
        </ConfirmForm>
    }
}

/// The form for a new key.
#[lazy]
pub fn new_api_key_page() -> PageView {
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageKeys) {
            return refusal;
        }
        let create = FormAction::of::<CreateApiKey>();
        let mine = viewer();
        let scopes = ApiScope::ALL
            .iter()
            .filter(|scope| mine.may(scope.action()))
            .map(|scope| view! { <Checkbox name="scopes[]" id=format!("scope-{}", scope.as_str().replace(':', "-")) label=scope.label() value=scope.as_str() hint=scope.as_str()/> })
            .collect_view();
        view! {
            <PageTitle text="New API key" parents=vec![crumb("Settings", "/settings/profile"), crumb("API keys", "/settings/api-keys")]/>
            <PageHead title="New API key" sub="It acts on your behalf and can never do more than you can."/>
            <Card>
                <ServerForm action=create class="form">
                    <TextInput name="name" label="What it is for" required=true maxlength=120 autocomplete="off" placeholder="CRM sync"/>
                    <Fieldset legend="Permissions">{scopes}</Fieldset>
                    <TextInput name="rate_limit" label="Requests per hour" value="1000" inputmode="numeric" required=true class="short" hint="0 means no limit."/>
                    <TextInput name="days" label="Days until it expires" inputmode="numeric" class="short" value="365" hint="Leave empty for no expiry."/>
                    <ProofField/>
                    <FormActs>
                        <SubmitButton icon="key-round">"Create key"</SubmitButton>
                        <a class="btn ghost" href="/settings/api-keys">"Cancel"</a>
                    </FormActs>
                </ServerForm>
            </Card>
        }
        .into_any()
    })
}

/// The key, this once.
#[lazy]
pub fn made_api_key_page() -> PageView {
    let made = load(|| (), |()| take_api_key());
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageKeys) {
            return refusal;
        }
        view! {
            <PageTitle text="Key created" parents=vec![crumb("Settings", "/settings/profile"), crumb("API keys", "/settings/api-keys")]/>
            <PageBoundary data=made view={|made: Option<NewKey>| view! { <Made made/> }}/>
        }
        .into_any()
    })
}

#[component]
fn Made(made: Option<NewKey>) -> impl IntoView {
    let Some(NewKey { name, key }) = made else {
        return view! {
            <PageHead title="Key created"/>
            <EmptyState icon="key-round" title="Nothing to show" text="A key is shown once, right after it is created. If you have lost it, rotate it: the new key is shown once as well.">
                <LinkButton href="/settings/api-keys">"Back to the keys"</LinkButton>
            </EmptyState>
        }
        .into_any();
    };
    let example = format!("curl -H 'Authorization: Bearer {key}' …/v1/me");
    view! {
        <PageHead title=format!("{name}: the key") actions=|| view! { <LinkButton href="/settings/api-keys">"Done"</LinkButton> }/>
        <Callout tone=Tone::Warn icon="key-round">
            <b>"Copy it now: it is not shown again."</b>" Keep it where you keep passwords, and out of source code and addresses."
        </Callout>
        <Card>
            <div class="row wrap"><code class="break">{key.clone()}</code><CopyButton text=key label="Copy key"/></div>
            <p class="sub">"Try it: "<code class="break">{example}</code></p>
        </Card>
    }
    .into_any()
}
