use std::sync::Arc;

use leptos::prelude::*;

use patchbay_access::Action;
use patchbay_shell::viewer;
use crate::model::{PromptList, PromptQuery, PromptRow};
use crate::server_fns::list_prompts;
use patchbay_shared::Tone;
use patchbay_ui::*;

/// The agency's prompts.
#[lazy]
pub fn prompts_page() -> PageView {
    let asked = || PromptQuery { words: query("q"), tag: query("tag"), state: query("state"), cursor: query("cursor") };
    let rows = load(asked, list_prompts);
    Arc::new(move || {
        live::on_change(&["prompts"], move || rows.refetch());
        let may_add = viewer().may(Action::ManagePrompts);
        view! {
            <PageTitle text="Prompts"/>
            <PageHead
                title="Prompts"
                sub="What agents are told. Every saved version is kept."
                actions=move || view! {
                    <ExportLink path="/prompts/export.csv"/>
                    {may_add.then(|| view! {
                        <LinkButton href="/prompts/new" kind=ButtonKind::Primary icon="plus">"New prompt"</LinkButton>
                    })}
                }
            />
            <PageBoundary data=rows view=move |list: PromptList| view! { <Rows list/> }/>
        }
        .into_any()
    })
}

#[component]
fn Rows(list: PromptList) -> impl IntoView {
    let PromptList { page, tags, may_edit } = list;
    let mut filters = vec![Filter::new(
        "state",
        "State",
        vec![("inactive".into(), "Deactivated".into()), ("all".into(), "All".into())],
    )];
    if !tags.is_empty() {
        filters.push(Filter::new("tag", "Tag", options_of(tags.into_iter().map(|tag| (tag.clone(), tag)))));
    }
    let is_empty = page.rows.is_empty();
    let is_narrowed = ["q", "state", "tag", "cursor"].into_iter().any(|key| query(key).is_some());
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <FilterBar search="q" placeholder="Name or description" filters keep=vec!["client"]/>
        {match (is_empty, is_narrowed) {
            (true, true) => view! { <NoMatch what="prompts"/> }.into_any(),
            (true, false) => view! {
                <section class="card">
                    <EmptyState
                        icon="file-text"
                        title="No prompts yet"
                        text="A prompt is what an agent is told: its task, its manner, what it may promise. Variables fill in the contact's details."
                    >
                        {may_edit.then(|| view! { <LinkButton href="/prompts/new" kind=ButtonKind::Primary icon="plus">"Write the first prompt"</LinkButton> })}
                    </EmptyState>
                </section>
            }
            .into_any(),
            _ => view! {
                <section class="card clip">
                    <DataTable
                        label="Prompts"
                        class="mid"
                        head=|| view! {
                            <th scope="col">"Prompt"</th>
                            <th scope="col">"In production"</th>
                            <th scope="col" class="num">"Newest"</th>
                            <th scope="col" class="num">"Agents"</th>
                            <th scope="col">"Changed"</th>
                            <th scope="col">"State"</th>
                        }
                    >
                        {rows}
                    </DataTable>
                    <Pager newer=page.newer older=page.older note="50 per page"/>
                </section>
            }
            .into_any(),
        }}
    }
}

#[component]
fn Row(row: PromptRow) -> impl IntoView {
    let tags = row.tags.into_iter().map(|tag| view! { <Tag class="outline">{tag}</Tag> }).collect_view();
    let (tone, label) = if row.is_active { (Tone::Ok, "Active") } else { (Tone::Mute, "Deactivated") };
    view! {
        <tr>
            <td>
                <div class="who">
                    <a href=format!("/prompts/{}", row.id)>{row.name}</a>
                    <small class="row wrap">{row.description}" "{tags}</small>
                </div>
            </td>
            <td>{row.production.map_or_else(|| "None".to_owned(), |version| format!("v{version}"))}</td>
            <td class="num">{format!("v{}", row.version)}</td>
            <td class="num">{row.agents}</td>
            <td><Time stamp=row.updated/></td>
            <td><State tone label on=row.is_active/></td>
        </tr>
    }
}
