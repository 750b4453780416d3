use leptos::prelude::*;

use crate::model::GivenPassage;
use patchbay_shared::money::counted;
use patchbay_ui::*;

/// The passages of knowledge that an agent was given, with their place in the file. Nothing where there are none.
#[component]
pub fn KnowledgeCard(passages: Vec<GivenPassage>) -> impl IntoView {
    (!passages.is_empty()).then(|| {
        let count = passages.len() as i64;
        let rows = passages
            .into_iter()
            .map(|passage| {
                let file = match passage.href {
                    Some(href) => {
                        view! { <a class="link break" href=href rel="external" download="">{passage.file}</a> }.into_any()
                    }
                    None => view! { <span class="break">{passage.file}</span> }.into_any(),
                };
                let gone = passage.is_deleted.then_some(" · the file was deleted since");
                let times = (passage.times > 1).then(|| format!(" · {}", counted(passage.times, "time", "times")));
                view! {
                    <li>
                        <div class="stack gap-1 min0">
                            {file}
                            <p class="sub">{passage.place}{format!(" · found by {}", passage.found_by)}{times}{gone}</p>
                            <a class="link" href=passage.use_href>"The question"<span class="sr">" for which it was given"</span></a>
                        </div>
                    </li>
                }
            })
            .collect_view();
        view! { <Card title="Knowledge used" count=count id="knowledge"><ul class="list">{rows}</ul></Card> }
    })
}
