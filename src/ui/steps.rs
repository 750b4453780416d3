use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    Done,
    Now,
    Next,
}

/// One step of a longer task; with `href` it can be gone back to.
#[derive(Debug, Clone)]
pub struct Step {
    pub label: String,
    pub href: Option<String>,
    pub state: StepState,
}

/// The steps of a task, in order, with the present one marked.
#[component]
pub fn Stepper(steps: Vec<Step>) -> impl IntoView {
    let items = steps
        .into_iter()
        .map(|step| {
            let label = match step.href {
                Some(href) => view! { <a href=href>{step.label}</a> }.into_any(),
                None => view! { <span>{step.label}</span> }.into_any(),
            };
            let done = step.state == StepState::Done;
            view! {
                <li class=done.then_some("done") aria-current=(step.state == StepState::Now).then_some("step")>
                    {label}
                    {done.then(|| view! { <span class="sr">"done"</span> })}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="steps">{items}</ol> }
}
