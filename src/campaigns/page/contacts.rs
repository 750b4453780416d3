use leptos::prelude::*;

use crate::server_fns::{AddCampaignContacts, RemoveCampaignContacts};
use crate::{
    CampaignBatch, CampaignChoices, CampaignStatus, CampaignView, ContactResult, ContactStatus, Disposition, MemberRow,
    term,
};
use patchbay_shared::ids::CampaignId;
use patchbay_shared::phone::spaced;
use patchbay_shared::{Page, Tone};
use patchbay_ui::*;

/// Who is in the campaign, how each stands, and the forms that add and remove.
#[component]
pub(crate) fn ContactsTab(
    shown: CampaignView,
    members: Loaded<Page<MemberRow>>,
    choices: Loaded<CampaignChoices>,
) -> impl IntoView {
    let may_change = shown.may_manage && shown.campaign.status != CampaignStatus::Archived;
    let id = shown.campaign.id.to_string();
    let export = format!("/campaigns/{id}/contacts.csv");
    let waiting = shown.counts.of_status(ContactStatus::Pending);
    let said = said(&shown);
    // Those of the newest batches, and the one that a link narrows to.
    let mut batches: Vec<(String, String)> =
        shown.batches.iter().map(|batch| (batch.id.to_string(), batch.name.clone())).collect();
    if let Some(id) = query("batch").filter(|id| batches.iter().all(|(known, _)| known != id)) {
        batches.push((id, "An earlier batch".to_owned()));
    }
    view! {
        {said.map(|text| view! { <Callout tone=Tone::Ok icon="check"><p role="status">{text}</p></Callout> })}
        {may_change.then(|| view! { <AddForms shown=shown.clone() choices/> })}
        <div class="row between wrap">
            <FilterBar
                filters=vec![
                    Filter::words("status", "State", ContactStatus::ALL),
                    Filter::new("result", "Result", results()),
                    Filter::words("outcome", "Last outcome", Disposition::ALL),
                    Filter::new("tried", "Called", options_of([("yes", "At least once")])).rare(),
                    Filter::new("batch", "Batch", batches).rare(),
                ]
                keep=vec!["tab"]
            />
            <div class="row">
                <LinkButton href=export icon="download" external=true>"Export"</LinkButton>
                {(may_change && waiting > 0).then(|| view! { <RemoveForm id=id.clone()/> })}
            </div>
        </div>
        <OfBatch batches=shown.batches.clone()/>
        <BlockBoundary data=members view={move |page: Page<MemberRow>| view! { <Members page campaign=id.clone() may_change/> }}/>
    }
}

/// That the list is narrowed to contacts of a batch, and the way back to all.
#[component]
fn OfBatch(batches: Vec<CampaignBatch>) -> impl IntoView {
    move || {
        let id = query("batch")?;
        let name = batches.iter().find(|batch| batch.id.to_string() == id).map_or("one batch", |batch| &batch.name);
        let all = with_query(&[("batch", None)]);
        Some(view! {
            <p class="note">
                <Icon name="list-checks" small=true/>
                <a class="link" href=format!("/batches/{id}")>{name.to_owned()}</a>" · "
                <a class="link" href=all>"Show all contacts"</a>
            </p>
        })
    }
}

/// What contacts can be narrowed to: what they came to, or that they came to anything.
fn results() -> Vec<(String, String)> {
    let mut options = vec![("done".to_owned(), term::DONE.label.to_owned())];
    options.extend(ContactResult::ALL.iter().map(|result| (result.to_string(), result.label().to_owned())));
    options
}

/// What the last form did.
fn said(shown: &CampaignView) -> Option<String> {
    let number = |key: &str| query(key).and_then(|text| text.parse::<i64>().ok());
    let count = |count: i64, verb: &str| match count {
        0 => format!("Nobody was {verb}: they are already in the campaign, or on the do-not-call list."),
        1 => format!("1 contact was {verb}."),
        more => format!("{} contacts were {verb}.", patchbay_shared::money::count_text(more)),
    };
    if shown.adding {
        return Some("Contacts are being added in the background. You can leave this page.".into());
    }
    match (number("added"), number("removed")) {
        (Some(added), _) => Some(count(added, "added")),
        (_, Some(0)) => Some("Nobody was removed: everyone here was called or is in a batch.".into()),
        (_, Some(removed)) => Some(count(removed, "removed")),
        _ => None,
    }
}

#[component]
fn AddForms(shown: CampaignView, choices: Loaded<CampaignChoices>) -> impl IntoView {
    let id = shown.campaign.id;
    let import = format!("/contacts/imports/new?client={}&campaign={id}", shown.campaign.client_id);
    let name = shown.campaign.client_name.clone();
    view! {
        <details class="more" open=shown.counts.total.count == 0>
            <summary>"Add contacts"</summary>
            <div class="cols three mt-2">
                <Card title="All contacts of the client">
                    <AddForm id by="all">
                        <p class="sub">{format!("Everyone of {name} who may be called.")}</p>
                    </AddForm>
                </Card>
                <Card title="From an import" right=move || view! { <a class="link" href=import>"Import a file"</a> }>
                    <AddForm id by="import">
                        <BlockBoundary data=choices view=|choices: CampaignChoices| view! { <Imports choices/> }/>
                    </AddForm>
                </Card>
                <Card title="By search">
                    <AddForm id by="search">
                        <TextInput name="words" label="Name, company, e-mail or number" hint="The newest 1,000 that match."/>
                    </AddForm>
                </Card>
            </div>
        </details>
    }
}

#[component]
fn AddForm(id: CampaignId, by: &'static str, children: Children) -> impl IntoView {
    let add = FormAction::of::<AddCampaignContacts>();
    view! {
        <ServerForm action=add class="form" prefix=by>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="by" value=by/>
            {children()}
            <SubmitButton kind=ButtonKind::Plain icon="user-plus">"Add"</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn Imports(choices: CampaignChoices) -> impl IntoView {
    let options = options_of(choices.imports.into_iter().map(|choice| {
        let note = choice.note.map(|note| format!(" ({note})")).unwrap_or_default();
        (choice.id, format!("{}{note}", choice.label))
    }));
    if options.is_empty() {
        return view! { <p class="sub">"Nothing was imported for this client yet."</p> }.into_any();
    }
    view! { <Select name="import" label="Import" options prompt="Choose an import"/> }.into_any()
}

#[component]
fn RemoveForm(id: String) -> impl IntoView {
    let remove = FormAction::of::<RemoveCampaignContacts>();
    view! {
        <DialogLink name="remove" kind=ButtonKind::Plain>"Remove contacts not called yet"</DialogLink>
        <ConfirmForm
            name="remove"
            action=remove
            title="Remove everyone who was never called?"
            text="They leave the campaign and stay in the list of contacts. Contacts that are in a batch, were called or have a call-back stay in the campaign."
            confirm="Remove"
            danger=true
        >
            <input type="hidden" name="id" value=id/>
        </ConfirmForm>
    }
}

#[component]
fn Members(page: Page<MemberRow>, campaign: String, may_change: bool) -> impl IntoView {
    let filtered = ["status", "result", "outcome", "batch", "tried"].iter().any(|key| query(key).is_some());
    let (title, text) = if filtered {
        ("No contacts match", "Choose other filters.")
    } else {
        ("No contacts yet", "A campaign calls only the contacts that are in it.")
    };
    let remove = FormAction::of::<RemoveCampaignContacts>();
    let errors = (!page.rows.is_empty()).then(|| {
        view! {
            <FormScope errors=remove.errors() pending=remove.pending() prefix="member">
                <FormErrors errors=remove.errors()/>
            </FormScope>
        }
    });
    let list = List::<MemberRow>::new("Contacts of the campaign")
        .column("Contact", |row| {
            let note = view! { <small class="mono">{spaced(&row.phone)}</small> };
            cell::who(format!("/contacts/{}", row.contact_id), name(row), note)
        })
        .column("Company", |row| row.company.clone())
        .column("State", |row| {
            let error = row.last_error.clone();
            view! {
                {match row.result {
                    Some(result) => view! { <span title=result.means()><State tone=result.tone() label=result.label()/></span> }.into_any(),
                    None => cell::state(row.status).into_any(),
                }}
                {row.do_not_call.then(|| view! { " " <Tag tone=Tone::Warn>"Do not call"</Tag> })}
                {row.call_back.clone().map(|note| view! { <br/><small>"Call-back: "<a class="link" href=format!("/call-backs/{}", note.id)>{note.text()}</a></small> })}
                {error.map(|error| view! { <br/><small class="bad-ink">{error}</small> })}
            }
        })
        .column("Last outcome", |row| match (row.last_call_id, row.disposition().map(|outcome| outcome.label())) {
            (Some(call), outcome) => cell::link(format!("/calls/{call}"), outcome.unwrap_or("Last call")),
            (None, outcome) => outcome.into_any(),
        })
        .number("Calls", |row| row.attempts)
        .column("Next attempt", |row| cell::time(row.next_attempt.as_ref()))
        .acts("Remove", move |row| {
            let undialled = row.status == ContactStatus::Pending
                && row.attempts == 0
                && row.last_call_id.is_none()
                && row.call_back.is_none();
            let (campaign, id, label) = (campaign.clone(), row.id.to_string(), format!("Remove {}", name(row)));
            undialled.then(|| {
                view! {
                    <PostForm action=remove class="inline">
                        <input type="hidden" name="id" value=campaign/>
                        <input type="hidden" name="contact" value=id/>
                        <IconButton icon="x" label=label submit=true kind=ButtonKind::Ghost small=true/>
                    </PostForm>
                }
            })
        })
        .when(may_change)
        .note("50 per page, in dialling order")
        .empty("users", title, text)
        .show(page);
    view! { {errors} {list} }
}

fn name(row: &MemberRow) -> &str {
    if row.name.is_empty() { &row.phone } else { &row.name }
}
