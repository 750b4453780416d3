use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::Top;
use super::settings::Setup;
use crate::model::{PreviewPage, PreviewRow, field_label};
use crate::server_fns::{SyncIntegration, preview_integration};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_shell::refused;
use patchbay_ui::*;

/// What would happen to twenty records. Nothing is written, there or here.
#[lazy]
pub fn integration_preview_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), preview_integration);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageIntegrations) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: PreviewPage| view! { <Tried page again/> }/> }.into_any()
    })
}

#[component]
fn Tried(page: PreviewPage, again: Callback<()>) -> impl IntoView {
    let PreviewPage { head, preview } = page;
    let base = format!("/integrations/{}", head.id);
    let service = head.kind.label();
    let (good, bad) =
        (preview.rows.iter().filter(|row| row.is_ok).count(), preview.rows.iter().filter(|row| !row.is_ok).count());
    let of = preview.total.map(|total| format!(" of {} in {service}", count_text(total))).unwrap_or_default();
    let said =
        format!("{}{of} were read, and nothing was written. {good} would be taken, {bad} not.", preview.rows.len());
    let is_new = head.syncs == 0;
    let rows = preview.rows.into_iter().map(row).collect_view();
    let table = if good + bad == 0 {
        view! { <EmptyState icon="contact" title=format!("{service} has no contacts") text="When there are some, they are taken over by themselves." small=true/> }.into_any()
    } else {
        view! {
            <DataTable
                label="What would happen"
                class="mid wrap top"
                head=|| view! { <th scope="col">"Record"</th><th scope="col">"What would happen"</th><th scope="col">"Fields"</th> }
            >
                {rows}
            </DataTable>
        }
        .into_any()
    };
    let start = FormAction::of::<SyncIntegration>();
    let id = head.id.to_string();
    let acts = (head.running.is_none()).then(|| {
        view! {
            <ServerForm action=start class="inline" prefix="start" no_summary=true>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="kind" value="contacts"/>
                <input type="hidden" name="reach" value=if is_new { "everything" } else { "changes" }/>
                <SubmitButton icon="play">{if is_new { "Start" } else { "Sync now" }}</SubmitButton>
            </ServerForm>
        }
    });
    let back = format!("{base}/mapping");
    view! {
        <Top head=head.clone() title="Try the mapping" again/>
        {is_new.then(|| view! { <Setup head now=4/> })}
        <Callout tone=Tone::Info><p role="status">{said}</p></Callout>
        <Card title="Twenty records" flush=true class="clip">{table}</Card>
        <div class="row wrap">{acts}<LinkButton href=back icon="pencil">"Change the mapping"</LinkButton></div>
    }
}

fn row(row: PreviewRow) -> AnyView {
    let fields = row
        .fields
        .into_iter()
        .map(|(field, before, after)| {
            let label = if field.chars().next().is_some_and(char::is_uppercase) { field } else { field_label(&field) };
            let change = match before.is_empty() || before == after {
                true => view! { <span>{after}</span> }.into_any(),
                false => view! { <span><del>{before}</del>" → "<ins>{after}</ins></span> }.into_any(),
            };
            view! { <li class="break"><span class="sub">{label}": "</span>{change}</li> }
        })
        .collect_view();
    let tone = if row.is_ok { Tone::Ok } else { Tone::Bad };
    let name = if row.name.is_empty() { "Without a name".to_owned() } else { row.name };
    view! { <tr><td class="medium break">{name}</td><td class="long"><Tag tone>{row.outcome}</Tag></td><td><ul>{fields}</ul></td></tr> }.into_any()
}
