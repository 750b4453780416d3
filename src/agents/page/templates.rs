//! Templates of agents: `/agents/templates`, and the form that makes one, `/agents/{id}/template`.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::{NewTemplatePage, TemplateQuery, TemplateRow, language_name};
use crate::server_fns::{SaveAgentTemplate, list_agent_templates, new_agent_template};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// The agency's templates.
#[lazy]
pub fn agent_templates_page() -> PageView {
    let asked = || TemplateQuery {
        words: query("q"),
        state: query("state"),
        behind: query("behind"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_agent_templates);
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ReadWorkshop) {
            return refusal;
        }
        List::<TemplateRow>::new("Templates of agents")
            .what("templates")
            .under(crumb("Agents", "/agents"))
            .subtitle("Agents that you give to your clients. Every version is kept, and each client’s agent can follow it.")
            .live(&["agent_templates", "agents"])
            .export("/agents/templates/export.csv")
            .search("q", "Name")
            .filter(Filter::new("state", "State", options_of([("archived", "Archived"), ("all", "All")])))
            .filter(Filter::new(
                "behind",
                "Agents",
                options_of([("yes", "Some follow an older version"), ("no", "All follow the newest")]),
            ))
            .keep(&["client"])
            .table("mid")
            .sorted("name")
            .column("Template", |row| {
                let note = view! { <small>{row.llm_model.clone()}</small> };
                cell::who(format!("/agents/templates/{}", row.id), &row.name, note)
            })
            .sort("name")
            .column("Language", |row| language_name(&row.language))
            .number("Newest", |row| format!("v{}", row.version))
            .number("Agents", |row| row.agents)
            .number("Behind", |row| row.behind)
            .column("Changed", |row| cell::time(&row.updated))
            .column("State", |row| view! { <TemplateState is_active=row.is_active/> })
            .empty_view(|| {
                view! {
                    <EmptyState
                        icon="copy"
                        title="No templates yet"
                        text="Open an agent that does its work well, and make a template of it. Then give it to other clients, each with a prompt of its own."
                    >
                        <LinkButton href="/agents" icon="bot" kind=ButtonKind::Primary>"Choose an agent"</LinkButton>
                    </EmptyState>
                }
            })
            .page(rows)
    })
}

/// Whether a template can be given.
#[component]
pub(super) fn TemplateState(is_active: bool) -> impl IntoView {
    let (tone, label) = if is_active { (Tone::Ok, "Active") } else { (Tone::Mute, "Archived") };
    view! { <State tone label on=is_active/> }
}

/// Makes a template of an agent, or the next version of one.
#[lazy]
pub fn new_agent_template_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("into"));
    let page = load(asked, |(id, into)| new_agent_template(id, into));
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        view! { <PageBoundary data=page view=move |page: NewTemplatePage| view! { <New page/> }/> }.into_any()
    })
}

#[component]
fn New(page: NewTemplatePage) -> impl IntoView {
    let NewTemplatePage { agent, name, templates, into, missing } = page;
    let save = FormAction::of::<SaveAgentTemplate>();
    let back = format!("/agents/{agent}");
    let parents = vec![crumb("Agents", "/agents"), crumb(name.clone(), back.clone())];
    let head = view! {
        <PageTitle text="Make a template" parents/>
        <PageHead
            title=format!("Make a template of {name}")
            sub="What is published goes into it: settings, the words that the agent says, its tools and skills. Client and name do not."
        />
    };
    if let Some(missing) = missing {
        let href = back.clone();
        return view! {
            {head}
            <Callout tone=Tone::Info><p>{missing}" "<a class="link" href=href>"The agent"</a></p></Callout>
        }
        .into_any();
    }
    let value = into.map(|id| id.to_string()).unwrap_or_default();
    let own_name = if value.is_empty() { name } else { String::new() };
    let options = templates.into_iter().map(|(id, name, version)| {
        (id.to_string(), format!("{name}: version {} after version {version}", version + 1))
    });
    view! {
        {head}
        <ServerForm action=save class="form" draft_of=viewer().user_id.to_string()>
            <input type="hidden" name="agent" value=agent.to_string()/>
            <Fieldset legend="Template" class="two">
                <Select
                    name="template"
                    label="What it becomes"
                    options=options_of(options)
                    value
                    prompt="A new template"
                    mark=false
                    hint="Agents that follow a template are told of its new version. None changes by itself."
                />
                <TextInput name="name" label="Name of a new template" value=own_name maxlength=64 mark=false hint="Not used for a new version."/>
                <TextArea name="note" label="Note" rows=2 maxlength=300 hint="What is new, for whoever takes it over."/>
            </Fieldset>
            <FormActs>
                <SubmitButton icon="copy">"Save"</SubmitButton>
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
    .into_any()
}
