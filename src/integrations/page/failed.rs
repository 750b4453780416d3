use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::Top;
use super::side::map_address;
use super::{asked, export, own_id};
use crate::model::{FailedPage, PendingRow, Remedy, Way, field_label};
use crate::server_fns::{
    ChooseRecordValue, EditFailedRecord, FollowFailedRecord, RetryFailedRecord, RetryFailedRecords, list_failed_records,
};
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Records that failed, each with what helps.
#[lazy]
pub fn failed_records_page() -> PageView {
    let params = use_params_map();
    let page = load(
        move || (params.read().get("id").unwrap_or_default(), asked()),
        |(id, query)| list_failed_records(id, query),
    );
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadIntegrations) {
            return refused;
        }
        live::on_change(&[&format!("integration:{}", own_id())], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: FailedPage| view! { <Failed page again/> }/> }.into_any()
    })
}

#[component]
fn Failed(page: FailedPage, again: Callback<()>) -> impl IntoView {
    let FailedPage { head, page } = page;
    let id = head.id.to_string();
    let base = format!("/integrations/{id}");
    let (may, service) = (head.may_manage, head.kind.label());
    let (file, all) = (export(format!("{base}/failed/export.csv")), id.clone());
    let retry = (may && head.failed > 0).then(|| {
        let action = FormAction::of::<RetryFailedRecords>();
        view! {
            <ServerForm action class="inline" prefix="retry-all" no_summary=true on_done=again said=super::side::RETRIED>
                <input type="hidden" name="id" value=all/>
                <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw">"Retry all"</SubmitButton>
            </ServerForm>
        }
    });
    let kinds =
        options_of([("contact", "Contact"), ("deal", "Deal"), ("call", "Call result"), ("flag", "Do not call")]);
    let list = List::<PendingRow>::new("Records that failed")
        .search("q", "Name or reason")
        .filter(Filter::words("remedy", "What helps", Remedy::ALL))
        .filter(Filter::words("way", "Direction", Way::ALL))
        .filter(Filter::new("kind", "Kind", kinds))
        .keep(&["sort"])
        .sorted("-since")
        .what("failed records")
        .table("mid wrap top cards")
        .column("Record", move |row: &PendingRow| {
            let name = if row.label.is_empty() { "Without a name".to_owned() } else { row.label.clone() };
            let there = row.remote_id.as_ref().map(|id| format!("{id} in {service}"));
            let note = view! { <small id=format!("record-{}", row.id)>{kind_word(&row.kind)}{there.map(|there| format!(" · {there}"))}</small> };
            match (row.call, row.contact) {
                (Some(call), _) => cell::who(format!("/calls/{call}"), &name, note),
                (None, Some(contact)) => cell::who(format!("/contacts/{contact}"), &name, note),
                (None, None) => view! { <div class="who"><span>{name}</span>{note}</div> }.into_any(),
            }
        })
        .column("Direction", |row: &PendingRow| {
            let way = row.way.label().to_lowercase();
            view! { <Tag>{way}</Tag> }
        })
        .column("Why", |row: &PendingRow| row.problem.clone())
        .class("long")
        .column("Tried", |row: &PendingRow| {
            let next = row.next_try.clone();
            let then = match next {
                Some(at) => view! { <small>"next "<Time stamp=at/></small> }.into_any(),
                None => view! { <small>"not again by itself"</small> }.into_any(),
            };
            view! { <div class="who"><span>{patchbay_shared::money::counted(row.tries.into(), "time", "times")}</span>{then}</div> }
        })
        .newest("Since", |row: &PendingRow| cell::time(&row.since))
        .sort("since")
        .acts("What helps", move |row: &PendingRow| help(&id, &base, service, row, again))
        .when(may)
        .no_match_in_card()
        .empty("circle-check", "Nothing has failed", "A record that cannot be read or written stands here with what helps. The others go on.")
        .show(page);
    view! { <Top head tab_of="failed" title="Records that failed" more=move || view! { {file} {retry} } again/> {list} }
}

fn kind_word(kind: &str) -> &'static str {
    match kind {
        "call" => "Call result",
        "deal" => "Deal",
        "flag" => "Do not call",
        _ => "Contact",
    }
}

/// The forms that help with a record.
fn help(id: &str, base: &str, service: &'static str, row: &PendingRow, again: Callback<()>) -> AnyView {
    let record = row.id.to_string();
    let names = (id.to_owned(), record.clone());
    let fields = || {
        let (id, record) = names.clone();
        view! { <input type="hidden" name="id" value=id/><input type="hidden" name="record" value=record/> }.into_any()
    };
    let first = match row.remedy {
        Remedy::Map => {
            let label = row.unknown.as_ref().map(|(property, value)| format!("Map “{value}” of {property}"));
            view! { <LinkButton href=map_address(base, row) small=true label=label.unwrap_or_else(|| "Map it".to_owned())>"Map it"</LinkButton> }.into_any()
        }
        Remedy::Follow => {
            let action = FormAction::of::<FollowFailedRecord>();
            let word = row.lives_on.as_ref().map_or_else(|| "Follow".to_owned(), |id| format!("Follow to {id}"));
            let hidden = fields();
            view! {
                <ServerForm action class="inline" prefix=format!("follow-{record}") no_summary=true on_done=again said="Followed">
                    {hidden}
                    <SubmitButton kind=ButtonKind::Plain small=true>{word}</SubmitButton>
                </ServerForm>
            }
            .into_any()
        }
        Remedy::Choose => {
            let (field, ours, theirs) = row.choice.clone().unwrap_or_default();
            let label = field_label(&field);
            let keep = |keep: &'static str, word: String| {
                let (action, hidden) = (FormAction::of::<ChooseRecordValue>(), fields());
                view! {
                    <ServerForm action class="inline" prefix=format!("{keep}-{record}") no_summary=true on_done=again said="Chosen">
                        {hidden}
                        <input type="hidden" name="keep" value=keep/>
                        <SubmitButton kind=ButtonKind::Plain small=true class="break">{word}</SubmitButton>
                    </ServerForm>
                }
            };
            let (here, there) =
                (format!("Keep ours: {}", or_nothing(&ours)), format!("Keep {service}’s: {}", or_nothing(&theirs)));
            let (ours, theirs) = (keep("ours", here), keep("theirs", there));
            view! { <div class="stack gap-1"><small class="sub">{label}</small>{ours}{theirs}</div> }.into_any()
        }
        Remedy::Edit => {
            let action = FormAction::of::<EditFailedRecord>();
            let own = vec![("record", record.clone())];
            let hidden = fields();
            view! {
                <ServerForm action class="stack gap-1" prefix=format!("edit-{record}") own on_done=again said="Saved, and tried again">
                    {hidden}
                    <TextInput name="phone" label="Phone number" kind="tel" inputmode="tel" maxlength=40 mark=false placeholder="+41 61 555 09 00"/>
                    <SubmitButton kind=ButtonKind::Plain small=true>"Use this number"</SubmitButton>
                </ServerForm>
            }
            .into_any()
        }
        Remedy::Retry => ().into_any(),
    };
    let retry = (row.remedy != Remedy::Choose).then(|| {
        let (action, hidden) = (FormAction::of::<RetryFailedRecord>(), fields());
        view! {
            <ServerForm action class="inline" prefix=format!("retry-{record}") no_summary=true on_done=again said="It is tried again">
                {hidden}
                <SubmitButton kind=ButtonKind::Ghost small=true icon="refresh-cw">"Retry"</SubmitButton>
            </ServerForm>
        }
    });
    view! { <div class="row wrap">{first}{retry}</div> }.into_any()
}

fn or_nothing(text: &str) -> String {
    if text.is_empty() { "nothing".to_owned() } else { text.to_owned() }
}
