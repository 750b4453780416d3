use leptos::prelude::*;

use crate::model::{Meaning, MeaningModel};
use patchbay_shared::Tone;
use patchbay_ui::*;

/// Which search is in force, and the next step where there is one.
#[component]
pub(super) fn InForce(meaning: Meaning) -> impl IntoView {
    let text = meaning.text();
    let may_choose = meaning.may_choose;
    let Some(MeaningModel { account, trouble, .. }) = meaning.model else {
        let next = if may_choose {
            view! {
                ". To find what says the same in other words, "
                <a class="link" href="/connections/models/embedding">"choose a model for search in knowledge"</a>"."
            }
            .into_any()
        } else {
            ". An owner or admin of the agency can choose a model that finds what says the same in other words."
                .into_any()
        };
        return view! { <p class="note" role="status"><Icon name="search" small=true/>{text}{next}</p> }.into_any();
    };
    let Some(trouble) = trouble else {
        let change = may_choose.then(|| {
            view! { ". "<a class="link" href="/connections/models/embedding">"Change the model"</a> }
        });
        return view! { <p class="note" role="status"><Icon name="search" small=true/>{text}{change}</p> }.into_any();
    };
    let again = trouble.again.map(|at| view! { " It is tried again: "<Time stamp=at/>"." });
    view! {
        <Callout tone=Tone::Warn>
            <p role="status"><b>{text}". "</b>{trouble.sentence}{again}</p>
            <p>
                <a class="link" href=format!("/connections/{account}")>"Look at the account"</a>
                {may_choose.then(|| view! { " · "<a class="link" href="/connections/models/embedding">"Choose another model"</a> })}
            </p>
        </Callout>
    }
    .into_any()
}
