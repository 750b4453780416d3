//! `/runs/{id}/again`: what would be run again, and starting it.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::AgainPage;
use crate::server_fns::{RunTestAgain, get_run_again};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Runs a run of a test again, or says why it cannot be.
#[lazy]
pub fn run_again_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), get_run_again);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageAgents) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: AgainPage| view! { <Again page/> }/> }.into_any()
    })
}

#[component]
fn Again(page: AgainPage) -> impl IntoView {
    let AgainPage { run, title, facts, budget, why_not, next } = page;
    let again = FormAction::of::<RunTestAgain>();
    let back = format!("/runs/{run}");
    let shown = if title.is_empty() { "The run".to_owned() } else { title };
    let parents = vec![crumb("Runs", "/runs"), crumb(shown.clone(), back.clone())];
    let body = match why_not {
        Some(why) => view! {
            <Callout tone=Tone::Info>
                <p>{why}" "{next.map(|(href, word)| view! { <a class="link" href=href>{word}</a> })}</p>
            </Callout>
        }
        .into_any(),
        None => {
            let facts = facts.into_iter().map(|(label, value)| view! { <Fact label>{value}</Fact> }).collect_view();
            view! {
                <Card>
                    <Facts wide=true>{facts}</Facts>
                    <ServerForm action=again class="form">
                        <input type="hidden" name="run" value=run.to_string()/>
                        <TextInput name="budget" label="Budget" value=budget class="short" prefix_text="$" inputmode="decimal" required=true/>
                        <FormActs>
                            <SubmitButton icon="rotate-ccw">"Run again"</SubmitButton>
                            <a class="btn ghost" href=back>"Cancel"</a>
                        </FormActs>
                    </ServerForm>
                </Card>
            }
            .into_any()
        }
    };
    view! {
        <PageTitle text="Run again" parents/>
        <PageHead title="Run again" sub=format!("{shown}, with the same input and the same version of the prompt.")/>
        {body}
    }
}
