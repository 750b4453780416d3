use leptos::prelude::*;

use super::Icon;

/// One end or joint of a cord.
#[derive(Debug, Clone, Default)]
pub struct RouteNode {
    text: String,
    icon: Option<&'static str>,
    href: Option<String>,
    tag: Option<String>,
    mono: bool,
}

impl RouteNode {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub fn icon(self, icon: &'static str) -> Self {
        Self { icon: Some(icon), ..self }
    }

    pub fn href(self, href: impl Into<String>) -> Self {
        Self { href: Some(href.into()), ..self }
    }

    /// A small label behind the name.
    pub fn tag(self, tag: impl Into<String>) -> Self {
        Self { tag: Some(tag.into()), ..self }
    }

    /// The face of numbers and ids.
    pub fn mono(self) -> Self {
        Self { mono: true, ..self }
    }
}

/// What is joined with what, in order: node, wire, node.
#[component]
pub fn RouteChain(nodes: Vec<RouteNode>, #[prop(optional)] live: bool) -> impl IntoView {
    let parts = nodes
        .into_iter()
        .enumerate()
        .map(|(index, node)| {
            let class = if node.mono { "mono" } else { "" };
            let text = match node.href {
                Some(href) => {
                    view! { <a class=format!("link {class}").trim_end().to_owned() href=href>{node.text}</a> }
                        .into_any()
                }
                None => view! { <span class=class>{node.text}</span> }.into_any(),
            };
            view! {
                {(index > 0).then(|| view! { <i class="wire" aria-hidden="true"></i><span class="sr">" to "</span> })}
                <span class="node">
                    {node.icon.map(|name| view! { <Icon name small=true/> })}
                    {text}
                    {node.tag.map(|tag| view! { <span class="tag">{tag}</span> })}
                </span>
            }
        })
        .collect_view();
    view! { <div class=if live { "route-chain live" } else { "route-chain" }>{parts}</div> }
}
