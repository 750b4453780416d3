//! How two states of an agent differ, field by field, and what can be done about it.

use leptos::prelude::*;

use crate::model::{AgentPage, DraftView, FieldChange, MappingRow};
use crate::server_fns::{DiscardAgentDraft, PublishAgent, SyncAgent, TakeAgentFromService};
use patchbay_connections::model::VoiceCatalog;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_ui::*;

/// Field by field. Voices are named by the catalog where there is one.
#[component]
pub(super) fn ChangeTable(
    changes: Vec<FieldChange>,
    #[prop(into)] before: String,
    #[prop(into)] after: String,
    #[prop(optional)] catalog: Option<Loaded<VoiceCatalog>>,
) -> impl IntoView {
    let rows = changes
        .into_iter()
        .map(|change| {
            let FieldChange { key, label, before, after } = change;
            let is_voice = key == "voice";
            let value = move |text: String| match catalog.filter(|_| is_voice) {
                Some(catalog) => {
                    let name = move |catalog: VoiceCatalog| voice_name(&catalog, &text);
                    view! { <BlockBoundary data=catalog view=name/> }.into_any()
                }
                None if text.is_empty() => view! { <span class="sub">"Nothing"</span> }.into_any(),
                None => text.into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    <td class="pre-line break">{value(before)}</td>
                    <td class="pre-line break">{value(after)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="What differs"
            class="mid wrap"
            head=move || view! {
                <th scope="col">"Field"</th>
                <th scope="col">{before}</th>
                <th scope="col">{after}</th>
            }
        >
            {rows}
        </DataTable>
    }
}

fn voice_name(catalog: &VoiceCatalog, id: &str) -> String {
    match catalog.voices.iter().find(|voice| voice.id == id || voice.name == id) {
        Some(voice) => voice.label(),
        None if id.is_empty() => "The service's default voice".to_owned(),
        None => id.to_owned(),
    }
}

/// The bar over a draft: what changed, and the two ways on.
#[component]
pub(super) fn DraftCard(
    agent: AgentPage,
    draft: DraftView,
    catalog: Loaded<VoiceCatalog>,
    again: Callback<()>,
) -> impl IntoView {
    let (publish, discard) = (FormAction::of::<PublishAgent>(), FormAction::of::<DiscardAgentDraft>());
    let id = agent.id.to_string();
    let count = counted(draft.changes.len() as i64, "change", "changes");
    let who = draft.author.unwrap_or_else(|| "Somebody".to_owned());
    let acts = (agent.may_edit && agent.is_active).then(|| {
        let (one, other) = (id.clone(), id.clone());
        view! {
            <div class="row wrap pad">
                <ServerForm action=publish class="inline" prefix="publish" on_done=again said="Published">
                    <input type="hidden" name="id" value=one/>
                    <input type="hidden" name="base" value=agent.base.clone()/>
                    <SubmitButton icon="upload">"Publish"</SubmitButton>
                </ServerForm>
                <ServerForm action=discard class="inline" prefix="discard" on_done=again said="Draft discarded">
                    <input type="hidden" name="id" value=other/>
                    <SubmitButton kind=ButtonKind::Plain>"Discard"</SubmitButton>
                </ServerForm>
                <a class="btn ghost" href=format!("/agents/{id}/edit")>"Go on editing"</a>
            </div>
        }
    });
    view! {
        <Card title=format!("{count} not published") flush=true right=move || view! { <span class="sub">{who}" "<Time stamp=draft.saved/></span> }>
            <ChangeTable changes=draft.changes before=format!("Published: {}", agent.version) after="Draft" catalog/>
            {acts}
        </Card>
    }
}

/// What is different at the voice service, for one copy, and the two ways on.
#[component]
pub(super) fn DriftCard(
    id: String,
    mapping: MappingRow,
    may_edit: bool,
    has_others: bool,
    catalog: Loaded<VoiceCatalog>,
    again: Callback<()>,
) -> impl IntoView {
    let (send, take) = (FormAction::of::<SyncAgent>(), FormAction::of::<TakeAgentFromService>());
    let fields: Vec<String> = mapping.drift.iter().map(|change| change.label.clone()).collect();
    let title = format!("Differs from Ultravox for {}: {}", mapping.client, fields.join(", "));
    // What is gone, and what is kept here alone, cannot be taken over.
    let can_take = mapping.drift.iter().any(|change| !matches!(change.key.as_str(), "tools" | "agent"));
    let others = has_others && can_take;
    let acts = may_edit.then(|| {
        let (one, other) = (id.clone(), id);
        let prefix = format!("take-{}", mapping.id);
        view! {
            <div class="row wrap pad">
                <ServerForm action=send class="inline" prefix="send" on_done=again said="Being sent to Ultravox">
                    <input type="hidden" name="id" value=one/>
                    <SubmitButton kind=ButtonKind::Plain icon="send">"Send ours to Ultravox"</SubmitButton>
                </ServerForm>
                {can_take.then(|| view! {
                    <ServerForm action=take class="inline" prefix on_done=again said="Taken over">
                        <input type="hidden" name="id" value=other/>
                        <input type="hidden" name="mapping" value=mapping.id.to_string()/>
                        <SubmitButton kind=ButtonKind::Plain icon="download">"Take over what is there"</SubmitButton>
                    </ServerForm>
                })}
            </div>
        }
    });
    view! {
        <Card title flush=true right=move || mapping.compared.map(|at| view! { <span class="sub">"Seen "<Time stamp=at/></span> })>
            <ChangeTable changes=mapping.drift before="Here" after="At Ultravox" catalog/>
            {others.then(|| view! { <p class="sub pad">"What is taken over is published here, and sent to the agent’s other clients too."</p> })}
            {acts}
        </Card>
    }
}

/// That something differs, in one line, at the top of the page.
#[component]
pub(super) fn DriftNote(mappings: Vec<MappingRow>) -> impl IntoView {
    let count = mappings.iter().filter(|mapping| !mapping.drift.is_empty()).count();
    (count > 0).then(|| {
        view! {
            <Callout tone=Tone::Warn>
                <p>"What Ultravox has differs from what was sent. Automatic updates leave it as it is there until you choose."</p>
            </Callout>
        }
    })
}
