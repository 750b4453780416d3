use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{AuditPage, AuditQuery, AuditRow};
use crate::server_fns::list_audit_events;
use patchbay_shell::SettingsNav;
use patchbay_ui::*;

/// Who changed what, when and from where.
#[lazy]
pub fn audit_page() -> PageView {
    let asked = || AuditQuery {
        entity: query("entity"),
        action: query("action"),
        actor: query("actor"),
        key: query("key"),
        support: query("support"),
        client: query("client"),
        record: query("record"),
        from: query("from"),
        to: query("to"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_audit_events);
    Arc::new(move || {
        List::<AuditRow>::new("Audit log")
            .under(crumb("Settings", "/settings/profile"))
            .subtitle(
                "Every change, sign-in and download, newest first. Rows are chained: a changed or removed one shows.",
            )
            .live(&["audit"])
            .export("/settings/audit.csv")
            .within(|list| {
                view! {
                    <div class="cols settings">
                        <SettingsNav current="/settings/audit"/>
                        <div class="stack gap-4 min0">{list}</div>
                    </div>
                }
            })
            .search("actor", "Who")
            .filter(Filter::date("from", "From"))
            .filter(Filter::date("to", "To"))
            .table("top wrap mid log")
            .column("Time", |row| {
                let time = cell::time(&row.at);
                view! { <a class="link" href=format!("/settings/audit/{}", row.seq)>{time}</a> }
            })
            .class("nowrap")
            .column("Who", |row| row.actor.clone())
            .column("Did", |row| {
                let client = row.client.clone().map(|client| view! { <small class="sub">" · "{client}</small> });
                let (verb, noun) = did(&row.action, &row.entity);
                view! { {verb}" "<b>{noun}</b>{client} }
            })
            .column("Details", |row| changes(&row.changes))
            .class("break")
            .column("From", |row| cell::or(&row.ip, "–"))
            .class("mono nowrap")
            .what("events")
            .empty("history", "Nothing has happened yet", "Changes, sign-ins and downloads stand here as they happen.")
            .page_of(rows, |mut list: AuditPage| (std::mem::take(&mut list.page), filters(list)))
    })
}

fn filters(list: AuditPage) -> Vec<Filter> {
    let AuditPage { entities, actions, keys, supports, clients, record, .. } = list;
    let entities = entities.into_iter().map(|entity| (entity.clone(), entity.replace('_', " "))).collect();
    let actions = actions.into_iter().map(|action| (action.clone(), action.replace('_', " "))).collect();
    let mut filters = vec![Filter::new("action", "Did", actions), Filter::new("entity", "What", entities)];
    // One record is chosen on its own page; here it can be let go.
    filters.extend(record.map(|record| Filter::new("record", "Record", vec![record])));
    let rare = [("client", "Client", clients), ("key", "API key", keys), ("support", "Support session", supports)];
    filters.extend(
        rare.into_iter()
            .filter(|(_, _, options)| !options.is_empty())
            .map(|(name, label, options)| Filter::new(name, label, options).rare()),
    );
    filters
}

/// What was done, and to what; the second is empty where the first says it all.
pub(super) fn did(action: &str, entity: &str) -> (String, String) {
    let verb = match (entity, action) {
        ("user" | "workspace", "active") => "reactivated".to_owned(),
        ("user", "changed the role") => "changed the role of".to_owned(),
        // "Signed in", "added a passkey": it was the person's own.
        ("user", action) if action.contains(' ') => return (action.to_owned(), String::new()),
        ("campaign", "added contacts") => "added contacts to".to_owned(),
        ("campaign", "removed contacts") => "removed contacts from".to_owned(),
        ("agent", "asked for a sync") => "asked for a sync of".to_owned(),
        ("agent", "sync failed") => "could not sync".to_owned(),
        ("agent", "drafted") => "saved a draft of".to_owned(),
        ("agent", "asked for a comparison") => "asked for a comparison of".to_owned(),
        ("agent", "found to differ") => "compared with Ultravox".to_owned(),
        ("phone_number", "order_failed") => "could not order".to_owned(),
        ("phone_number", "release_failed") => "could not release".to_owned(),
        ("prompt" | "agent_template", "saved_version") => "saved a version of".to_owned(),
        ("agent_template", "given") => "gave".to_owned(),
        ("workspace", "invited the owner") => "invited the owner of".to_owned(),
        (_, action) => action.replace('_', " "),
    };
    (verb, entity.replace('_', " "))
}

pub(super) fn changes(changes: &[(String, String, String)]) -> AnyView {
    let changes = changes
        .iter()
        // Neither side says anything: null became "", or the record was made without it.
        .filter(|(_, old, new)| !(old.is_empty() && new.is_empty()))
        .cloned()
        .map(|(field, old, new)| {
            let value = match (old.is_empty(), new.is_empty()) {
                (true, _) => new.into_any(),
                (false, true) => view! { <del>{old}</del>" → –" }.into_any(),
                (false, false) => view! { <del>{old}</del>" → "<ins>{new}</ins> }.into_any(),
            };
            view! { <li><span class="sub">{field}": "</span>{value}</li> }
        })
        .collect_view();
    view! { <ul class="text-xs">{changes}</ul> }.into_any()
}
