use leptos::prelude::*;

use crate::model::{Asked, Hit, Way};
use patchbay_shared::Tone;
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::counted;
use patchbay_ui::*;

/// A question, and the passages that an agent would be given for it.
#[component]
pub(super) fn AskCard(collection: String, hits: Loaded<Asked>) -> impl IntoView {
    let action = format!("/knowledge/{collection}");
    view! {
        <Card title="Try a question" id="ask">
            <GetForm action class="stack gap-2">
                <TextInput
                    name="question"
                    label="Question"
                    value=query("question").unwrap_or_default()
                    mark=false
                    maxlength=500
                    placeholder="What does a cleaning cost without insurance?"
                />
                <FormActs><SubmitButton icon="search">"Ask"</SubmitButton></FormActs>
            </GetForm>
            <BlockBoundary data=hits view=move |asked: Asked| view! { <Hits asked collection=collection.clone()/> }/>
        </Card>
    }
}

#[component]
fn Hits(asked: Asked, collection: String) -> impl IntoView {
    if query("question").is_none() {
        return view! { <p class="sub mt-4">"Agents are given the passages that you see here, with their place in the file."</p> }
            .into_any();
    }
    let alone = match &asked.way {
        Way::WordsAlone { .. } => {
            let why = format!("Searched {}", asked.way.text());
            Some(view! { <Callout tone=Tone::Warn><p role="alert">{why}</p></Callout> })
        }
        _ => None,
    };
    if asked.hits.is_empty() {
        let (title, text) = match asked.way {
            Way::WordsAndMeaning { .. } => {
                ("No passage fits", "Ask about what the files are about, or add a file that answers it.")
            }
            _ => (
                "No passage has these words",
                "Ask with words that stand in the files, in the language of the files, or add a file that answers it.",
            ),
        };
        return view! {
            {alone}
            <EmptyState
                small=true
                icon="search"
                title=title
                text=text
            />
        }
        .into_any();
    }
    let way = match &asked.way {
        Way::WordsAlone { .. } => "by words alone".to_owned(),
        way => way.text(),
    };
    let took = format!("{} in {} ms, {way}", counted(asked.hits.len() as i64, "passage", "passages"), asked.took_ms);
    let hits = asked.hits.into_iter().map(|hit| view! { <Passage hit collection=collection.clone()/> }).collect_view();
    view! {
        {alone}
        <p class="note mt-4" role="status"><Icon name="check" small=true/>{took}</p>
        <ol class="passages">{hits}</ol>
    }
    .into_any()
}

#[component]
fn Passage(hit: Hit, collection: String) -> impl IntoView {
    let href = format!("/knowledge/{collection}/files/{}", hit.entry);
    let found = [("Words", hit.words), ("Meaning", hit.meaning)]
        .into_iter()
        .filter_map(|(by, score)| Some(view! { <Tag>{format!("{by} {}", fixed(score?, 2))}</Tag> }))
        .collect_view();
    let pieces = hit
        .pieces
        .into_iter()
        .map(|piece| match piece.is_marked {
            true => view! { <mark>{piece.text}</mark> }.into_any(),
            false => piece.text.into_any(),
        })
        .collect_view();
    view! {
        <li class="passage">
            <div class="row">
                <span class="ft">{hit.kind.label()}</span>
                <a class="link clip" href=href rel="external" download="">{hit.file}</a>
                <span class="sub nowrap">{hit.place}</span>
            </div>
            <div class="row">{found}</div>
            <p>{pieces}</p>
        </li>
    }
}
