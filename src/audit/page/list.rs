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
        from: query("from"),
        to: query("to"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_audit_events);
    Arc::new(move || {
        view! {
            <PageTitle text="Audit trail" parents=vec![crumb("Settings", "/settings/profile")]/>
            <PageHead
                title="Audit trail"
                sub="Every change, in the order it was made. Rows are chained: a changed or removed one shows."
                actions=|| view! { <ExportLink path="/settings/audit.csv"/> }
            />
            <div class="cols settings">
                <SettingsNav current="/settings/audit"/>
                <PageBoundary data=rows view=|page: AuditPage| view! { <Rows page/> }/>
            </div>
        }
        .into_any()
    })
}

#[component]
fn Rows(page: AuditPage) -> impl IntoView {
    let AuditPage { page, entities, actions } = page;
    let entities = entities.into_iter().map(|entity| (entity.clone(), entity.replace('_', " "))).collect();
    let actions = actions.into_iter().map(|action| (action.clone(), action)).collect();
    let empty = page.rows.is_empty();
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <div class="stack gap-4 min0">
            <FilterBar search="actor" placeholder="Who" filters=vec![Filter::date("from", "From"), Filter::date("to", "To"), Filter::new("action", "Did", actions), Filter::new("entity", "What", entities)]/>
            {if empty {
                view! { <NoMatch what="events"/> }.into_any()
            } else {
                view! {
                    <section class="card clip">
                        <DataTable
                            label="Audit trail"
                            class="top wrap mid"
                            head=|| view! {
                                <th scope="col">"Time"</th>
                                <th scope="col">"Who"</th>
                                <th scope="col">"Did"</th>
                                <th scope="col">"Changes"</th>
                                <th scope="col">"From"</th>
                            }
                        >
                            {rows}
                        </DataTable>
                        <Pager newer=page.newer older=page.older note="50 per page"/>
                    </section>
                }
                    .into_any()
            }}
        </div>
    }
}

#[component]
fn Row(row: AuditRow) -> impl IntoView {
    let changes = row
        .changes
        .into_iter()
        .map(|(field, old, new)| {
            let before = (!old.is_empty()).then(|| view! { <del>{old}</del>" → " });
            view! { <li><span class="sub">{field}": "</span>{before}<ins>{new}</ins></li> }
        })
        .collect_view();
    view! {
        <tr>
            <td class="nowrap"><a class="link" href=format!("/settings/audit/{}", row.seq)><Time stamp=row.at/></a></td>
            <td>{row.actor}</td>
            <td>{row.action}" "<b>{row.entity.replace('_', " ")}</b>{row.client.map(|client| view! { <small class="sub">" · "{client}</small> })}</td>
            <td class="break"><ul class="text-xs">{changes}</ul></td>
            <td class="mono nowrap">{row.ip.unwrap_or_else(|| "–".into())}</td>
        </tr>
    }
}
