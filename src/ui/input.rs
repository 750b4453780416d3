use leptos::html::Input;
use leptos::prelude::*;

use super::Icon;
use super::escape_html;
use super::field::{Ties, first_value, framed};
use patchbay_shared::FieldErrors;

/// One line of text. `kind` is the input's type; a password never keeps a value.
#[component]
pub fn TextInput(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    /// False: says nothing about being optional.
    #[prop(default = true)]
    mark: bool,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional, into)] autocomplete: Option<String>,
    #[prop(optional, into)] inputmode: Option<String>,
    #[prop(optional, into)] min: Option<String>,
    #[prop(optional, into)] max: Option<String>,
    #[prop(optional, into)] step: Option<String>,
    #[prop(optional)] maxlength: Option<u32>,
    /// The id of a `<datalist>`.
    #[prop(optional, into)]
    list: Option<String>,
    /// `short`, `mid`, `mono`.
    #[prop(optional, into)]
    class: String,
    /// Joined to the input, for example `$`.
    #[prop(optional, into)]
    prefix_text: Option<String>,
    #[prop(optional, into)] suffix_text: Option<String>,
    #[prop(optional)] disabled: bool,
    #[prop(optional)] autofocus: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
    #[prop(optional)] node_ref: NodeRef<Input>,
) -> impl IntoView {
    let ties = Ties::new(&name, id, hint, errors);
    let value = (kind != "password").then(|| first_value(&name, value));
    let input = view! {
        <input
            type=kind
            id=ties.id.clone()
            name=name
            value=value
            class=(!class.is_empty()).then_some(class)
            required=required
            disabled=disabled
            autofocus=autofocus
            placeholder=placeholder
            autocomplete=autocomplete
            inputmode=inputmode
            min=min
            max=max
            step=step
            maxlength=maxlength.map(|length| length.to_string())
            list=list
            aria-invalid=ties.invalid()
            aria-describedby=ties.described_by()
            node_ref=node_ref
        />
    };
    let control = if prefix_text.is_some() || suffix_text.is_some() {
        view! {
            <div class="affix">
                {prefix_text.map(|text| view! { <span>{text}</span> })}
                {input}
                {suffix_text.map(|text| view! { <span>{text}</span> })}
            </div>
        }
        .into_any()
    } else {
        input.into_any()
    };
    framed(&ties, label, mark && !required, control)
}

/// Several lines of text.
#[component]
pub fn TextArea(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(default = true)] mark: bool,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(default = 4)] rows: u32,
    #[prop(optional)] maxlength: Option<u32>,
    /// `prompt-editor` for long texts in the mono face.
    #[prop(optional, into)]
    class: String,
    #[prop(optional)] disabled: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
) -> impl IntoView {
    let ties = Ties::new(&name, id, hint, errors);
    let text = first_value(&name, value);
    let control = view! {
        <textarea
            id=ties.id.clone()
            name=name
            rows=rows.to_string()
            class=(!class.is_empty()).then_some(class)
            required=required
            disabled=disabled
            placeholder=placeholder
            maxlength=maxlength.map(|length| length.to_string())
            aria-invalid=ties.invalid()
            aria-describedby=ties.described_by()
            inner_html=as_html(&text)
        ></textarea>
    };
    framed(&ties, label, mark && !required, control.into_any())
}

/// Text as the content of a textarea. As a child node an empty text would become a blank, and a first line break would be lost.
fn as_html(text: &str) -> String {
    let escaped = escape_html(text);
    if escaped.starts_with('\n') { format!("\n{escaped}") } else { escaped }
}

/// A choice from a list. `options` are (value, label).
#[component]
pub fn Select(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(into)] options: Vec<(String, String)>,
    #[prop(optional, into)] value: String,
    /// The first entry, which stands for no choice.
    #[prop(optional, into)]
    prompt: Option<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(default = true)] mark: bool,
    #[prop(optional, into)] class: String,
    #[prop(optional)] disabled: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
) -> impl IntoView {
    let ties = Ties::new(&name, id, hint, errors);
    let value = first_value(&name, value);
    let prompt = prompt.map(|prompt| view! { <option value="" selected=value.is_empty()>{prompt}</option> });
    let options = options
        .into_iter()
        .map(|(key, text)| {
            let selected = key == value;
            view! { <option value=key selected=selected>{text}</option> }
        })
        .collect_view();
    let control = view! {
        <select
            id=ties.id.clone()
            name=name
            class=(!class.is_empty()).then_some(class)
            required=required
            disabled=disabled
            aria-invalid=ties.invalid()
            aria-describedby=ties.described_by()
        >
            {prompt}
            {options}
        </select>
    };
    framed(&ties, label, mark && !required, control.into_any())
}

/// A moment, a day or a time of day, in the browser's own picker. The value is local time without a zone; name the zone in the hint.
#[component]
pub fn DateTimeInput(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    /// `2026-11-20T09:00`, `2026-11-20` or `09:00`.
    #[prop(optional, into)]
    value: String,
    #[prop(optional)] date_only: bool,
    #[prop(optional)] time_only: bool,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(default = true)] mark: bool,
    #[prop(optional, into)] min: Option<String>,
    #[prop(optional, into)] max: Option<String>,
    #[prop(optional)] disabled: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
) -> impl IntoView {
    let kind = match (date_only, time_only) {
        (true, _) => "date",
        (_, true) => "time",
        _ => "datetime-local",
    };
    view! {
        <TextInput
            name label value kind nostrip:hint=hint required mark nostrip:min=min nostrip:max=max disabled nostrip:id=id
            nostrip:errors=errors class="mid"
        />
    }
}

/// A file, chosen or dropped. The file's name shows once it is chosen.
#[component]
pub fn FileDrop(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    /// What the picker offers: `.csv,text/csv`.
    #[prop(optional, into)]
    accept: Option<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(default = "upload")] icon: &'static str,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] errors: Option<Signal<FieldErrors>>,
    #[prop(optional)] node_ref: NodeRef<Input>,
) -> impl IntoView {
    let ties = Ties::new(&name, id, hint.clone(), errors);
    let hint_id = format!("{}-hint", ties.id);
    view! {
        <div class="field">
            <label class="drop">
                <Icon name=icon/>
                <b>{label}</b>
                {hint.map(|hint| view! { <small id=hint_id>{hint}</small> })}
                <input
                    type="file"
                    id=ties.id.clone()
                    name=name
                    accept=accept
                    required=required
                    aria-invalid=ties.invalid()
                    aria-describedby=ties.described_by()
                    node_ref=node_ref
                />
            </label>
            {ties.error_view()}
        </div>
    }
}

/// Fields that belong together.
#[component]
pub fn Fieldset(
    #[prop(into)] legend: String,
    #[prop(optional, into)] hint: Option<String>,
    /// `two` for two columns on wide screens.
    #[prop(optional, into)]
    class: String,
    children: Children,
) -> impl IntoView {
    view! {
        <fieldset class=(!class.is_empty()).then_some(class)>
            <legend>{legend}</legend>
            {hint.map(|hint| view! { <p class="hint full">{hint}</p> })}
            {children()}
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::as_html;

    #[test]
    fn text_survives_as_the_content_of_a_textarea() {
        assert_eq!(as_html(""), "");
        assert_eq!(as_html("a <b> & c"), "a &lt;b&gt; &amp; c");
        assert_eq!(as_html("\nfirst"), "\n\nfirst");
    }
}
