use leptos::prelude::*;

use crate::model::{Choices, FieldSpec, Input, ToolKind, Values};
use patchbay_ui::*;

/// Name and description, and what the kind asks for beside them.
#[component]
pub(super) fn ToolFields(
    kind: ToolKind,
    name: String,
    description: String,
    values: Values,
    choices: Choices,
) -> impl IntoView {
    let own = kind.fields().into_iter().map(|spec| kind_field(spec, &values, &choices)).collect_view();
    // Functions of their own are described where they come from.
    let about = (!kind.has_functions()).then(|| {
        view! {
            <TextArea
                name="description"
                label="Description"
                value=description
                rows=3
                required=true
                maxlength=1000
                hint="The model reads this: what the tool does, and when to use it."
            />
        }
    });
    let name_hint = match kind.has_functions() {
        true => {
            "Letters, digits, _ and -. It stands before the name of each function, so that those of two tools never clash."
        }
        false => "The model calls it by this name: letters, digits, _ and -.",
    };
    view! {
        <TextInput
            name="tool_name"
            label="Name"
            value=name
            class="mono"
            required=true
            maxlength=kind.longest_name() as u32
            hint=name_hint
        />
        {about}
        {own}
    }
}

fn kind_field(spec: FieldSpec, values: &Values, choices: &Choices) -> AnyView {
    let FieldSpec { name, label, hint, input, is_required } = spec;
    let value = values.get(name).cloned().unwrap_or_default();
    match input {
        Input::Line => view! { <TextInput name label value required=is_required hint/> }.into_any(),
        Input::Lines(rows) => {
            view! { <TextArea name label value rows class="mono" required=is_required hint/> }.into_any()
        }
        Input::Secret => {
            view! { <TextInput name label kind="password" autocomplete="off" mark=false hint/> }.into_any()
        }
        Input::SecretLines(rows) => view! { <TextArea name label value rows class="mono" hint/> }.into_any(),
        Input::Choice(options) => {
            view! { <Select name label options=options_of(options.iter().copied()) value required=is_required hint/> }
                .into_any()
        }
        Input::Tick => {
            let hint = (!hint.is_empty()).then(|| hint.to_owned());
            match hint {
                Some(hint) => view! { <Checkbox name label checked=!value.is_empty() hint/> }.into_any(),
                None => view! { <Checkbox name label checked=!value.is_empty()/> }.into_any(),
            }
        }
        Input::One(source) => {
            let all = choices.get(&source).cloned().unwrap_or_default();
            if all.is_empty() {
                return view! { <p class="note">{format!("{label}: there are none yet. {hint}")}</p> }.into_any();
            }
            let options = std::iter::once((String::new(), "Choose one".to_owned())).chain(all).collect::<Vec<_>>();
            view! { <Select name label options value required=is_required hint/> }.into_any()
        }
        Input::Several(source) => {
            let chosen: Vec<String> = value.split(',').map(|one| one.trim().to_owned()).collect();
            let all = choices.get(&source).cloned().unwrap_or_default();
            if all.is_empty() {
                return view! { <p class="note">{format!("{label}: there are none yet. {hint}")}</p> }.into_any();
            }
            let ticks = all
                .into_iter()
                .map(|(id, text)| {
                    let checked = chosen.contains(&id);
                    view! { <Checkbox name=format!("{name}_{id}") label=text checked/> }
                })
                .collect_view();
            view! { <fieldset class="fieldset"><legend>{label}</legend><p class="note">{hint}</p>{ticks}</fieldset> }
                .into_any()
        }
    }
}
