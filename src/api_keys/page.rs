use std::sync::Arc;

use leptos::prelude::*;

use super::model::{KeyRow, KeyStatus, NewKey};
use super::server_fns::{CreateApiKey, RevokeApiKey, RotateApiKey, list_api_keys, take_api_key};
use patchbay_access::{Action, ApiScope};
use patchbay_shell::{refused, viewer};
use patchbay_shell::SettingsNav;
use patchbay_shared::{Page, Tone};
use patchbay_shell::ProofField;
use patchbay_ui::*;

/// Keys of the agency.
#[lazy]
pub fn api_keys_page() -> PageView {
    let rows = load(|| query("cursor"), list_api_keys);
    Arc::new(move || {
        let again = Callback::new(move |()| rows.refetch());
        live::on_change(&["api_keys"], move || rows.refetch());
        view! {
            <PageTitle text="API keys" parents=vec![crumb("Settings", "/settings/profile")]/>
            <PageHead
                title="API keys"
                sub="For programs that work with this agency's data."
                actions=|| view! { <LinkButton href="/settings/api-keys/new" kind=ButtonKind::Primary icon="plus">"New key"</LinkButton> }
            />
            <div class="cols settings">
                <SettingsNav current="/settings/api-keys"/>
                <PageBoundary data=rows view={move |page: Page<KeyRow>| view! { <Rows page again/> }}/>
            </div>
        }
        .into_any()
    })
}

#[component]
fn Rows(page: Page<KeyRow>, again: Callback<()>) -> impl IntoView {
    if page.rows.is_empty() {
        return view! {
            <EmptyState icon="key-round" title="No keys" text="A key lets a program read calls, add contacts or run batches, within your own rights.">
                <LinkButton href="/settings/api-keys/new" kind=ButtonKind::Primary icon="plus">"New key"</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row again/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="API keys"
                class="top wrap"
                head=|| view! {
                    <th scope="col">"Key"</th>
                    <th scope="col">"Acts as"</th>
                    <th scope="col">"May"</th>
                    <th scope="col" class="num">"This hour"</th>
                    <th scope="col">"Last used"</th>
                    <th scope="col">"State"</th>
                    <th scope="col"><span class="sr">"Actions"</span></th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="50 per page"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: KeyRow, again: Callback<()>) -> impl IntoView {
    let (rotate, revoke) = (FormAction::of::<RotateApiKey>(), FormAction::of::<RevokeApiKey>());
    let works = matches!(row.status, KeyStatus::Active | KeyStatus::Expiring);
    let (id, same_id) = (row.id.to_string(), row.id.to_string());
    let dialog = format!("revoke-{id}");
    let (rotate_name, dialog_too) = (format!("rotate-{id}"), dialog.clone());
    let scopes = row
        .scopes
        .into_iter()
        .map(|scope| {
            let is_lost = row.lost.contains(&scope);
            let tone = if is_lost { Tone::Bad } else { Tone::Mute };
            let lost =
                is_lost.then(|| view! { <span class="sr">" (refused: the owner may not do this any more)"</span> });
            view! { <Tag tone=tone>{scope.as_str()}{lost}</Tag> }
        })
        .collect_view();
    let limit = if row.rate_limit == 0 {
        format!("{} of any", row.used)
    } else {
        format!("{} of {}", row.used, row.rate_limit)
    };
    let (title, rotate_title) = (format!("Revoke {}?", row.name), format!("Rotate {}?", row.name));
    view! {
        <tr>
            <td><div class="who"><b>{row.name}</b><small class="mono">{row.prefix}"…"</small></div></td>
            <td>{row.owner}</td>
            <td><div class="row wrap">{scopes}</div></td>
            <td class="num nowrap">{limit}</td>
            <td>{match row.last_used { Some(stamp) => view! { <Time stamp/> }.into_any(), None => "Never".into_any() }}{row.last_ip.map(|ip| view! { <small class="sub mono">" "{ip}</small> })}</td>
            <td>
                <State tone=row.status.tone() label=row.status.label()/>
                {row.expires.filter(|_| works).map(|stamp| view! { <small class="sub">" ends "<Time stamp/></small> })}
            </td>
            <td class="acts">
                {works.then(|| view! {
                    <div class="row end">
                        <DialogLink name=rotate_name.clone() small=true>"Rotate"</DialogLink>
                        <DialogLink name=dialog kind=ButtonKind::Danger>"Revoke"</DialogLink>
                    </div>
                    <ConfirmForm name=rotate_name action=rotate title=rotate_title text="A new key with the same terms is made and shown once. The present one goes on for a day, so that programs can change over." confirm="Make the successor">
                        <input type="hidden" name="id" value=id/>
                        <ProofField/>
                    </ConfirmForm>
                    <ConfirmForm name=dialog_too action=revoke title=title text="Programs that use it are refused from this moment on. This cannot be undone." confirm="Revoke" danger=true on_done=again said="Key revoked">
                        <input type="hidden" name="id" value=same_id/>
                    </ConfirmForm>
                })}
            </td>
        </tr>
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
            <PageTitle text="New API key" parents=vec![crumb("API keys", "/settings/api-keys")]/>
            <PageHead title="New API key" sub="It acts as you, and never does more than you may."/>
            <Card>
                <ServerForm action=create class="form">
                    <TextInput name="name" label="What it is for" required=true maxlength=120 autocomplete="off" placeholder="CRM sync"/>
                    <Fieldset legend="May">{scopes}</Fieldset>
                    <TextInput name="rate_limit" label="Requests per hour" value="1000" inputmode="numeric" required=true class="short" hint="0 is as many as wanted."/>
                    <TextInput name="days" label="Days until it expires" inputmode="numeric" class="short" value="365" hint="Nothing: it does not expire."/>
                    <ProofField/>
                    <FormActs>
                        <SubmitButton icon="key-round">"Make key"</SubmitButton>
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
            <PageTitle text="Key made" parents=vec![crumb("API keys", "/settings/api-keys")]/>
            <PageBoundary data=made view={|made: Option<NewKey>| view! { <Made made/> }}/>
        }
        .into_any()
    })
}

#[component]
fn Made(made: Option<NewKey>) -> impl IntoView {
    let Some(NewKey { name, key }) = made else {
        return view! {
            <PageHead title="Key made"/>
            <EmptyState icon="key-round" title="Nothing to show" text="A key is shown once, right after it is made. If you have lost it, rotate it: the successor is shown once as well.">
                <LinkButton href="/settings/api-keys">"To the keys"</LinkButton>
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
