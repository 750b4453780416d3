use leptos::prelude::*;
use serde_json::Value;

/// The most entries that one level shows; the rest is counted.
const MOST: usize = 300;

/// A value as a tree that opens and closes without script.
#[component]
pub fn Json(
    value: Value,
    #[prop(default = "value".to_owned(), into)] name: String,
    /// How many levels are open at first.
    #[prop(default = 2)]
    open: usize,
) -> impl IntoView {
    view! { <div class="json">{node(name, value, open)}</div> }
}

fn node(name: String, value: Value, open: usize) -> AnyView {
    match value {
        Value::Object(map) => {
            let count = format!("{{{}}}", map.len());
            branch(name, count, map.into_iter().collect(), open)
        }
        Value::Array(items) => {
            let count = format!("[{}]", items.len());
            let items = items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect();
            branch(name, count, items, open)
        }
        leaf => {
            let (class, text) = match &leaf {
                Value::String(text) => ("s", format!("\"{text}\"")),
                Value::Number(number) => ("d", number.to_string()),
                other => ("b", other.to_string()),
            };
            view! { <p><span class="k">{name}</span>": "<span class=class>{text}</span></p> }.into_any()
        }
    }
}

fn branch(name: String, count: String, entries: Vec<(String, Value)>, open: usize) -> AnyView {
    let more = entries.len().saturating_sub(MOST);
    let children =
        entries.into_iter().take(MOST).map(|(key, value)| node(key, value, open.saturating_sub(1))).collect_view();
    view! {
        <details open={open > 0}>
            <summary><span class="k">{name}</span>" "<span class="c">{count}</span></summary>
            <div>{children}{(more > 0).then(|| view! { <p class="c">{format!("and {more} more")}</p> })}</div>
        </details>
    }
    .into_any()
}
