use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::Top;
use super::{asked, export, own_id};
use crate::model::{
    IntegrationHead, OneSyncPage, RecordAction, RecordResult, RecordRow, SyncRow, SyncStatus, SyncType, SyncsPage,
};
use crate::server_fns::{CancelIntegrationSync, RetryFailedRecords, get_integration_sync, list_integration_syncs};
use patchbay_access::Action;
use patchbay_shared::money::{count_text, length_text};
use patchbay_shared::{Page, Tone};
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// All syncs of an integration, newest first.
#[lazy]
pub fn integration_syncs_page() -> PageView {
    let params = use_params_map();
    let page = load(
        move || (params.read().get("id").unwrap_or_default(), asked()),
        |(id, query)| list_integration_syncs(id, query),
    );
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadIntegrations) {
            return refused;
        }
        live::on_change(&[&format!("integration:{}", own_id())], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: SyncsPage| view! { <Syncs page again/> }/> }.into_any()
    })
}

#[component]
fn Syncs(page: SyncsPage, again: Callback<()>) -> impl IntoView {
    let SyncsPage { head, page } = page;
    let base = format!("/integrations/{}", head.id);
    let states =
        options_of([("running", "Running"), ("success", "Done"), ("some", "Some failed"), ("failed", "Failed")]);
    let list = List::<SyncRow>::new("Syncs")
        .filter(Filter::new("state", "State", states))
        .filter(Filter::words("kind", "What", SyncType::ALL))
        .keep(&["sort"])
        .sorted("-started");
    let list = sync_columns(list.table("mid wrap syncs"), &base)
        .no_match_in_card()
        .empty("refresh-cw", "No syncs yet", "A sync reads what changed there and writes what changed here. It runs by itself, or when you press Sync now.")
        .show(page);
    let file = export(format!("{base}/syncs/export.csv"));
    view! { <Top head tab_of="syncs" title="Syncs" more=move || file again/> {list} }
}

/// The columns of syncs, in a list of its own or on the integration's page, where there is less room.
pub(super) fn sync_columns(list: List<SyncRow>, base: &str) -> List<SyncRow> {
    let (base, failures) = (base.to_owned(), base.to_owned());
    list.newest("Started", move |row: &SyncRow| {
        view! { <a class="link nowrap" href=format!("{base}/syncs/{}", row.id)><Time stamp=row.started.clone()/></a> }
    })
    .column("State", |row: &SyncRow| {
        let (tone, label) = row.state();
        cell::state_of(tone, label)
    })
    .column("What happened", |row: &SyncRow| row.what())
    .number("Length", |row: &SyncRow| length_text(row.seconds))
    .number("Read", |row: &SyncRow| count_text(row.read))
    .number("Written", |row: &SyncRow| count_text(row.written))
    .number("Skipped", |row: &SyncRow| count_text(row.skipped))
    .number("Failed", move |row: &SyncRow| match row.failed {
        0 => "0".into_any(),
        some => cell::link(format!("{failures}/syncs/{}?state=failed", row.id), &count_text(some)),
    })
}

/// One sync: how it went, and what it did with each record.
#[lazy]
pub fn integration_sync_page() -> PageView {
    let params = use_params_map();
    let of = move || {
        let params = params.read();
        (params.get("id").unwrap_or_default(), params.get("sync").unwrap_or_default(), asked())
    };
    let page = load(of, |(id, sync, query)| get_integration_sync(id, sync, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadIntegrations) {
            return refused;
        }
        live::on_change(&[&format!("integration:{}", own_id())], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: OneSyncPage| view! { <OneSync page again/> }/> }.into_any()
    })
}

#[component]
fn OneSync(page: OneSyncPage, again: Callback<()>) -> impl IntoView {
    let OneSyncPage { head, sync, records } = page;
    let base = format!("/integrations/{}", head.id);
    let file = export(format!("{base}/syncs/{}/export.csv", sync.id));
    let card = view! { <SyncCard head=head.clone() sync again/> };
    let list = record_list(records);
    view! {
        <Top head tab_of="syncs" title="Sync" more=move || file again/>
        {card}
        <section class="stack gap-2"><h2>"Records"</h2>{list}</section>
    }
}

#[component]
fn SyncCard(head: IntegrationHead, sync: SyncRow, again: Callback<()>) -> impl IntoView {
    let (tone, word) = sync.state();
    let is_running = sync.status == SyncStatus::Running;
    let segments = vec![
        Segment::new("Read", sync.read as f64, "chart-1").means("Taken over from there."),
        Segment::new("Written", sync.written as f64, "chart-2").means("Changed there."),
        Segment::new("Skipped", sync.skipped as f64, "mute").means("Both sides had it alike."),
        Segment::new("Failed", sync.failed as f64, "bad").means("Could not be read or written. Each says why."),
    ];
    let total = sync.read + sync.written + sync.skipped + sync.failed;
    let id = head.id.to_string();
    let cancel = (is_running && head.may_manage && !sync.is_cancelling).then(|| {
        let action = FormAction::of::<CancelIntegrationSync>();
        let (id, sync) = (id.clone(), sync.id.to_string());
        view! {
            <ServerForm action class="inline" prefix="cancel" no_summary=true on_done=again said="The sync stops">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="sync" value=sync/>
                <SubmitButton kind=ButtonKind::Danger small=true icon="square">"Cancel"</SubmitButton>
            </ServerForm>
        }
    });
    let retry = (!is_running && sync.failed > 0 && head.may_manage && head.failed > 0).then(|| {
        let action = FormAction::of::<RetryFailedRecords>();
        view! {
            <ServerForm action class="inline" prefix="retry-all" no_summary=true on_done=again said=super::side::RETRIED>
                <input type="hidden" name="id" value=id/>
                <SubmitButton kind=ButtonKind::Plain small=true icon="refresh-cw">"Retry failed"</SubmitButton>
            </ServerForm>
        }
    });
    let what = format!("{}: {}", sync.kind.label(), sync.reach.label().to_lowercase());
    let message = sync.message.clone().map(|message| {
        let tone = if sync.status == SyncStatus::Failed { Tone::Bad } else { Tone::Warn };
        view! { <Callout tone><p>{message}</p></Callout> }
    });
    // A client's people do not see the agency's.
    let by = sync.by.clone().or_else(|| viewer().role.is_agency().then(|| "By itself".to_owned()));
    let by = by.map(|by| view! { <Fact label="By">{by}</Fact> });
    view! {
        <Card title=what right=move || view! { <Tag tone><StatusDot tone on=is_running/>{word}</Tag>{cancel}{retry} }>
            <div class="stack gap-3">
                {message}
                <SegmentBar segments total=total as f64 label=format!("{} records", count_text(total)) large=true legend=true/>
                <Facts>
                    <Fact label="Started"><Time stamp=sync.started/></Fact>
                    <Fact label="Length">{length_text(sync.seconds)}</Fact>
                    {by}
                </Facts>
                {is_running.then(|| view! { <p class="sub text-xs" role="status">"It goes on from here after a restart, and nothing comes twice."</p> })}
            </div>
        </Card>
    }
}

fn record_list(records: Page<RecordRow>) -> AnyView {
    List::<RecordRow>::new("Records of the sync")
        .search("q", "Name, message or id")
        .filter(Filter::words("state", "Result", RecordResult::ALL))
        .filter(Filter::words("action", "What", RecordAction::ALL))
        .keep(&["sort"])
        .sorted("-at")
        .what("records")
        .table("mid wrap cards")
        .column("Record", |row: &RecordRow| {
            let name = if row.label.is_empty() { "Without a name".to_owned() } else { row.label.clone() };
            let there = row
                .remote_id
                .as_ref()
                .map(|id| view! { <small class="mono break">{format!("{} {id}", row.remote_kind)}</small> });
            match (row.call, row.contact) {
                (Some(call), _) => cell::who(format!("/calls/{call}"), &name, there),
                (None, Some(contact)) => cell::who(format!("/contacts/{contact}"), &name, there),
                (None, None) => view! { <div class="who"><span>{name}</span>{there}</div> }.into_any(),
            }
        })
        .column("Result", |row: &RecordRow| cell::state(row.result))
        .column("Message", |row: &RecordRow| row.message.clone())
        .class("long")
        .column("What", |row: &RecordRow| row.action.label())
        .newest("At", |row: &RecordRow| cell::time(&row.at))
        .sort("at")
        .no_match_in_card()
        .empty("list", "No records yet", "What the sync does with each record stands here.")
        .show(records)
}
