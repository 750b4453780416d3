use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::fields::ToolFields;
use crate::model::{Calendar, Choices, NewToolPage, Team, ToolKind, Transfer, Values, WebSearch};
use crate::server_fns::{SaveAgentTool, new_agent_tool};
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

/// The form for a new tool: first what it does (`?kind=`), then the rest.
#[lazy]
pub fn new_tool_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), new_agent_tool);
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        view! { <PageBoundary data=page view=move |page: NewToolPage| view! { <NewTool page/> }/> }.into_any()
    })
}

#[component]
fn NewTool(page: NewToolPage) -> impl IntoView {
    let (agent, choices) = (page.agent, page.choices);
    let tools = format!("/agents/{}/tools", agent.id);
    let parents = vec![
        crumb("Agents", "/agents"),
        crumb(agent.name.clone(), format!("/agents/{}", agent.id)),
        crumb("Tools", tools.clone()),
    ];
    let id = agent.id.to_string();
    let body = move || match query("kind").as_deref().and_then(ToolKind::of_word) {
        Some(kind) => view! { <NewForm kind agent=id.clone() choices=choices.clone()/> }.into_any(),
        None => view! { <Kinds tools=tools.clone()/> }.into_any(),
    };
    view! {
        <PageTitle text="Add a tool" parents/>
        <PageHead title="Add a tool" sub=format!("{} can use it from its next call on.", agent.name)/>
        {body}
    }
}

/// What a tool can do.
#[component]
fn Kinds(tools: String) -> impl IntoView {
    let kinds = ToolKind::ALL
        .iter()
        .map(|kind| {
            let href = format!("{tools}/new?kind={kind}");
            let about = match kind {
                ToolKind::Http => "Asks an address of your own, with the parameters that you define.",
                other => other.usual_description(),
            };
            view! {
                <li>
                    <Icon name=kind.icon()/>
                    <div class="who"><a class="link" href=href>{kind.label()}</a><small>{about}</small></div>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="What should it do?">
            <ul class="list">{kinds}</ul>
            <p class="note">"HubSpot comes with the integrations: it cannot be added yet."</p>
        </Card>
    }
}

#[component]
fn NewForm(kind: ToolKind, agent: String, choices: Choices) -> impl IntoView {
    let save = FormAction::of::<SaveAgentTool>();
    let values: Values = match kind {
        ToolKind::WebSearch => WebSearch::usual(),
        ToolKind::Calendar => Calendar::usual(),
        ToolKind::Team => Team::usual(),
        ToolKind::Transfer => Transfer::usual(),
        ToolKind::SendEmail => values_of(&[("most_in_call", "1"), ("most_in_day", "50")]),
        ToolKind::TextMessage => values_of(&[("most_in_call", "1")]),
        ToolKind::Mcp => values_of(&[("timeout_seconds", "10")]),
        ToolKind::Http => {
            values_of(&[("method", "POST"), ("schema", EXAMPLE), ("timeout_seconds", "10"), ("retries", "0")])
        }
        _ => Values::new(),
    };
    view! {
        <Card title=kind.label()>
            <ServerForm action=save class="form">
                <input type="hidden" name="agent" value=agent/>
                <input type="hidden" name="kind" value=kind.as_str()/>
                <ToolFields
                    kind
                    name=kind.usual_name().to_owned()
                    description=kind.usual_description().to_owned()
                    values
                    choices
                />
                <FormActs><SubmitButton icon="plus">"Add the tool"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}

fn values_of(begin: &[(&str, &str)]) -> Values {
    begin.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const EXAMPLE: &str = r#"{
  "type": "object",
  "properties": {
    "customer_id": { "type": "string", "description": "As the customer reads it from the letter." }
  },
  "required": ["customer_id"]
}"#;
