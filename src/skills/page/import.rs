use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::MANAGE;
use crate::model::{ArchiveProblem, ImportPage, ImportRow, ImportState, tokens_text};
use crate::server_fns::{DiscardSkillImport, ImportSkills, get_skill_import};
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Where an archive is chosen, and what was wrong with the last one.
#[lazy]
pub fn new_skill_import_page() -> PageView {
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! {
            <PageTitle text="Import" parents=vec![crumb("Skills", "/skills")]/>
            <PageHead title="Import skills" sub="You see what is in the archive before anything is written."/>
            <Problem/>
            <Card>
                <form class="form" method="post" enctype="multipart/form-data" action="/skills/imports">
                    <label class="drop">
                        <Icon name="upload"/>
                        <b>"Choose an archive"</b>
                        <small id="file-hint">"zip or tar.gz with a folder for each skill, or a single SKILL.md. Up to 8 MB. Scripts are shown and never run."</small>
                        <input type="file" id="file" name="file" accept=".zip,.gz,.tgz,.md,.skill" required=true aria-describedby="file-hint"/>
                    </label>
                    <FormActs>
                        <SubmitButton icon="upload">"Look at it"</SubmitButton>
                        <a class="btn ghost" href="/skills">"Cancel"</a>
                    </FormActs>
                </form>
            </Card>
        }
        .into_any()
    })
}

#[component]
fn Problem() -> impl IntoView {
    move || {
        let problem = query("problem").and_then(|word| word.parse::<ArchiveProblem>().ok());
        let at = query("at").filter(|at| !at.is_empty());
        problem.map(|problem| {
            let at = at.map(|at| view! { <p class="break"><code>{at}</code></p> });
            view! { <Callout tone=Tone::Bad><div role="alert"><p>{problem.label()}</p>{at}</div></Callout> }
        })
    }
}

/// What is in an archive, and what taking it would do.
#[lazy]
pub fn skill_import_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), get_skill_import);
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: ImportPage| view! { <Preview page/> }/> }.into_any()
    })
}

#[component]
fn Preview(page: ImportPage) -> impl IntoView {
    let (take, discard) = (FormAction::of::<ImportSkills>(), FormAction::of::<DiscardSkillImport>());
    let (id, of_take) = (page.id.to_string(), page.id.to_string());
    let count = |state: ImportState| page.rows.iter().filter(|row| row.state == state).count();
    let sub = format!(
        "{} new, {} with changes, {} as they are here. Nothing is written yet.",
        count(ImportState::New),
        count(ImportState::Changes),
        count(ImportState::Same)
    );
    let has_work = page.rows.iter().any(|row| row.state != ImportState::Same);
    let total = page.rows.len() as i64;
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    let left_out = (!page.left_out.is_empty()).then(|| {
        let count = page.left_out.len() as i64;
        let lines = page.left_out.into_iter().map(|line| view! { <li class="break">{line}</li> }).collect_view();
        view! { <Card title="Not taken" count><ul class="list">{lines}</ul></Card> }
    });
    view! {
        <PageTitle text="Import" parents=vec![crumb("Skills", "/skills")]/>
        <PageHead title="Import skills" sub=format!("{}: {sub}", page.file_name)/>
        <div class="stack gap-4">
            <ServerForm action=take class="form" prefix="take">
                <input type="hidden" name="id" value=of_take/>
                <Card title="Skills" count=total>{rows}</Card>
                {match has_work {
                    true => view! { <FormActs><SubmitButton icon="check">"Take the chosen"</SubmitButton></FormActs> }.into_any(),
                    false => view! { <p class="note" role="status"><Icon name="check" small=true/>"All of this is here already: there is nothing to take."</p> }.into_any(),
                }}
            </ServerForm>
            {left_out}
            <ServerForm action=discard class="inline" prefix="discard">
                <input type="hidden" name="id" value=id/>
                <SubmitButton kind=ButtonKind::Plain icon="x">"Discard the archive"</SubmitButton>
            </ServerForm>
        </div>
    }
}

#[component]
fn Row(row: ImportRow) -> impl IntoView {
    let name = row.name.clone();
    let head = match row.state {
        ImportState::Same => view! { <p class="mono">{name.clone()}</p> }.into_any(),
        _ => view! {
            <Checkbox name=format!("take_{name}") label=name.clone() checked=true value=row.revision.to_string() hint=row.description.clone()/>
        }
        .into_any(),
    };
    let mut facts = vec![format!("{} tokens", tokens_text(row.characters))];
    if row.references > 0 {
        facts.push(counted(row.references as i64, "reference", "references"));
    }
    if row.scripts > 0 {
        facts.push(counted(row.scripts as i64, "script", "scripts"));
    }
    if row.state == ImportState::Changes && row.agents > 0 {
        facts.push(format!("{} told something else", counted(row.agents, "agent is", "agents are")));
    }
    if row.is_inactive {
        facts.push("deactivated here, and stays so".to_owned());
    }
    let known = row.known.map(|id| view! { <a class="link" href=format!("/skills/{id}")>"The one that is here"</a> });
    let changes = (!row.changes.is_empty())
        .then(|| view! { <p class="break"><span class="sub">"Differs in: "</span>{row.changes.join(", ")}</p> });
    view! {
        <div class="stack gap-2 mt-2">
            {head}
            <p class="row wrap"><State tone=row.state.tone() label=row.state.label()/><span class="sub">{facts.join(" · ")}</span>{known}</p>
            {changes}
            <details><summary>{format!("What {name} says")}</summary><pre class="code pre-line mt-2">{row.beginning}</pre></details>
        </div>
    }
}
