use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::list::did;
use crate::model::{AuditEvent, AuditField};
use crate::server_fns::get_audit_event;
use patchbay_shared::AppError;
use patchbay_ui::*;

/// One event: who, from where, and every field as it was and as it became.
#[lazy]
pub fn audit_event_page() -> PageView {
    let params = use_params_map();
    let seq = move || params.read().get("seq").unwrap_or_default();
    let event = load(seq, |seq| async move { get_audit_event(seq.parse().map_err(|_| AppError::NotFound)?).await });
    Arc::new(move || view! { <PageBoundary data=event view=|event: AuditEvent| view! { <Event event/> }/> }.into_any())
}

#[component]
fn Event(event: AuditEvent) -> impl IntoView {
    let row = event.row;
    let title = format!("Event {}", row.seq);
    let (verb, noun) = did(&row.action, &row.entity);
    let what = format!("{verb} {noun}").trim_end().to_owned();
    let to = |seq: i64| format!("/settings/audit/{seq}");
    let happened = event.happened;
    // Neither side says anything: null became "", or the record was made without it.
    let says = |side: &Option<String>| side.as_ref().is_some_and(|text| !text.is_empty());
    let fields = event.fields.into_iter().filter(|field| says(&field.before) || says(&field.after));
    let fields = fields.map(|field| view! { <Field field happened/> }).collect::<Vec<_>>();
    let empty = fields.is_empty();
    let heading = if happened { "Details" } else { "What changed" };
    view! {
        <PageTitle text=title.clone() parents=vec![crumb("Settings", "/settings/profile"), crumb("Audit log", "/settings/audit")]/>
        <PageHead
            title=title
            sub=what
            actions=move || view! {
                {event.older.map(|seq| view! { <LinkButton href=to(seq) icon="arrow-left">"Older"</LinkButton> })}
                {event.newer.map(|seq| view! { <LinkButton href=to(seq) icon="arrow-right">"Newer"</LinkButton> })}
            }
        />
        <div class="cols main-side">
            <Card title=heading flush=!empty class="clip">
                {if empty {
                    view! { <p class="sub">"There is nothing more to show of this event."</p> }.into_any()
                } else {
                    view! {
                        <DataTable
                            label=heading
                            class="wrap top diff"
                            head=move || view! {
                                <th scope="col">"Field"</th>
                                {(!happened).then(|| view! { <th scope="col">"Before"</th> })}
                                <th scope="col">{if happened { "Value" } else { "After" }}</th>
                            }
                        >
                            {fields}
                        </DataTable>
                    }
                    .into_any()
                }}
            </Card>
            <Card title="Who and where">
                <Facts>
                    <Fact label="When"><Time stamp=row.at/></Fact>
                    <Fact label="Who">{row.actor}</Fact>
                    {event.support_session.map(|id| view! {
                        <Fact label="Support session"><a class="link mono break" href=format!("/settings/audit?support={id}")>{id.clone()}</a></Fact>
                    })}
                    {event.api_key.map(|key| view! { <Fact label="With the key"><span class="mono break">{key}</span></Fact> })}
                    <Fact label="From"><span class="mono">{row.ip.unwrap_or_else(|| "–".into())}</span></Fact>
                    {row.client.map(|client| view! { <Fact label="Client">{client}</Fact> })}
                    {row.entity_id.map(|id| view! {
                        <Fact label="Record ID"><a class="link mono break" href=format!("/settings/audit?record={id}")>{id.clone()}</a></Fact>
                    })}
                    {event.request_id.map(|id| view! { <Fact label="Request"><span class="mono break">{id}</span></Fact> })}
                    <Fact label="Hash"><span class="mono break">{event.hash}</span></Fact>
                    <Fact label="Previous hash"><span class="mono break">{event.previous_hash}</span></Fact>
                </Facts>
            </Card>
        </div>
    }
}

#[component]
fn Field(field: AuditField, happened: bool) -> impl IntoView {
    let differs = field.differs();
    let (before, after) = (field.before.unwrap_or_default(), field.after.unwrap_or_default());
    if happened {
        return view! { <tr><th scope="row">{field.name}</th><td class="break">{after}</td></tr> }.into_any();
    }
    view! {
        <tr>
            <th scope="row">{field.name}</th>
            {if differs {
                // What was added or taken away as a whole is no change of words.
                let both = !before.is_empty() && !after.is_empty();
                let mark = |text: String| if text.is_empty() { "–".to_owned() } else { text };
                let (before, after) = (mark(before), mark(after));
                if both {
                    view! {
                        <td class="break"><del>{before}</del></td>
                        <td class="break"><ins>{after}</ins></td>
                    }
                    .into_any()
                } else {
                    view! {
                        <td class="break">{before}</td>
                        <td class="break">{after}</td>
                    }
                    .into_any()
                }
            } else {
                view! {
                    <td class="break">{before}</td>
                    <td class="sub">"unchanged"</td>
                }
                .into_any()
            }}
        </tr>
    }
    .into_any()
}
