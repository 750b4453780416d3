use leptos::prelude::*;

use crate::model::{OfferRow, OfferState, Offers, ToolPage};
use crate::server_fns::{ChooseToolFunctions, ListToolFunctions};
use patchbay_shared::Tone;
use patchbay_ui::*;

/// What a server of functions offers, and what of it the agent may use.
#[component]
pub(super) fn Functions(page: ToolPage, offers: Offers, again: Callback<()>) -> impl IntoView {
    let (ask, choose) = (FormAction::of::<ListToolFunctions>(), FormAction::of::<ChooseToolFunctions>());
    let (agent, id) = (page.agent.id.to_string(), page.tool.id.to_string());
    let Offers { asked, rows } = offers;
    let (may_edit, is_asked) = (page.may_edit, asked.is_some());
    let hidden = {
        let (agent, id) = (agent.clone(), id.clone());
        move || {
            view! {
                <input type="hidden" name="agent" value=agent.clone()/>
                <input type="hidden" name="id" value=id.clone()/>
            }
        }
    };
    let hidden_too = hidden.clone();
    let ask = may_edit.then(|| {
        let word = if is_asked { "Ask the server again" } else { "Ask the server" };
        view! {
            <ServerForm action=ask class="form" prefix="ask" on_done=again said="The list is new">
                {hidden()}
                <FormActs><SubmitButton icon="refresh-cw">{word}</SubmitButton></FormActs>
            </ServerForm>
        }
    });
    let needs_look = rows.iter().any(|row| matches!(row.state, OfferState::Changed | OfferState::Gone));
    let warning = needs_look.then(|| {
        view! {
            <Callout tone=Tone::Warn>
                <p>"The server describes a chosen function in other words now, or does not offer it any more. It is not used until you have looked at it and chosen again."</p>
            </Callout>
        }
    });
    let is_any = !rows.is_empty();
    let list = rows.into_iter().map(|row| view! { <Offer row may_edit/> }).collect_view();
    let body = match (is_any, is_asked) {
        (false, false) => view! {
            <EmptyState icon="plug" title="Not asked yet" text="Ask the server what it offers, then choose what the agent may use." small=true/>
        }
        .into_any(),
        (false, true) => view! {
            <EmptyState icon="plug" title="The server offers no functions" text="Ask again after they were added there." small=true/>
        }
        .into_any(),
        (true, _) if may_edit => view! {
            <ServerForm action=choose class="form" prefix="choose" on_done=again said="Choice saved">
                {hidden_too()}
                <ul class="list">{list}</ul>
                <FormActs><SubmitButton icon="save">"Save the choice"</SubmitButton></FormActs>
            </ServerForm>
        }
        .into_any(),
        (true, _) => view! { <ul class="list">{list}</ul> }.into_any(),
    };
    view! {
        <Card
            title="Functions of the server"
            id="functions"
            right=move || asked.clone().map(|at| view! { <span class="sub">"Asked "<Time stamp=at/></span> })
        >
            <p class="note">"What stands here was written by the server. Choose only what the agent needs. What you choose is kept in these words: when the server changes them, the function rests until you accept the new ones."</p>
            {warning}
            {body}
            {ask}
        </Card>
    }
}

#[component]
fn Offer(row: OfferRow, may_edit: bool) -> impl IntoView {
    let can = matches!(row.state, OfferState::New | OfferState::Chosen | OfferState::Changed) && row.unfit.is_none();
    let label = match row.state {
        OfferState::Changed => format!("{}: accept what it says now", row.name),
        _ => row.name.clone(),
    };
    let box_or_name = match can && may_edit {
        true => view! { <Checkbox name=format!("mark_{}", row.mark) label checked={row.state == OfferState::Chosen}/> }
            .into_any(),
        false => view! { <span class="mono">{row.name.clone()}</span> }.into_any(),
    };
    let was = row.was.map(|(description, schema)| {
        view! {
            <details>
                <summary>"What was accepted"</summary>
                <p class="pre-line">{description}</p>
                <pre class="code pre-line">{schema}</pre>
            </details>
        }
    });
    let unfit = row.unfit.map(|why| view! { <p class="note">{why}</p> });
    view! {
        <li>
            <div class="stack grow">
                <div class="row">{box_or_name}{cell::state(row.state)}</div>
                <p class="pre-line">{row.description}</p>
                {unfit}
                <details>
                    <summary>{format!("Parameters; the agent calls it {}", row.called)}</summary>
                    <pre class="code pre-line">{row.schema}</pre>
                </details>
                {was}
            </div>
        </li>
    }
}
