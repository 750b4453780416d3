use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::labels::label_tone;
use super::prompt_tabs;
use crate::model::{Diff, DiffPage, DiffRow, DiffSide, MergePage, PRODUCTION, Unsaved, VersionRow};
use crate::server_fns::{
    DiscardPromptText, MovePromptLabel, RestorePromptVersion, SavePrompt, get_prompt_diff, get_prompt_merge,
};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// Two versions compared. The address says which, and how they are shown.
#[lazy]
pub fn prompt_diff_page() -> PageView {
    let params = use_params_map();
    let number = |name: &str| query(name).and_then(|version| version.parse().ok());
    let asked = move || {
        let all = query("lines").as_deref() == Some("all");
        // How it is shown is part of it, so that the page is drawn again.
        (params.read().get("id").unwrap_or_default(), number("from"), number("to"), all, query("view"))
    };
    let diff = load(asked, |(id, from, to, all, _)| get_prompt_diff(id, from, to, all));
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("prompt:{id}")], move || diff.refetch());
        let done = Callback::new(move |()| diff.refetch());
        view! { <PageBoundary data=diff view=move |page: DiffPage| view! { <Compared page done/> }/> }.into_any()
    })
}

#[component]
fn Compared(page: DiffPage, done: Callback<()>) -> impl IntoView {
    let id = page.id;
    let is_inline = query("view").as_deref() == Some("inline");
    let sum = format!(
        "{} · {} in · {} out",
        counted(page.diff.lines as i64, "line differs", "lines differ"),
        counted(page.diff.words_in as i64, "word", "words"),
        counted(page.diff.words_out as i64, "word", "words"),
    );
    let head = |version: i32| {
        let row = page.versions.iter().find(|row| row.version == version);
        let (author, note) = row
            .map(|row| (row.author.clone().unwrap_or_else(|| "Patchbay".to_owned()), row.note.clone()))
            .unwrap_or_default();
        let note = if note.is_empty() { String::new() } else { format!(" · “{note}”") };
        format!("v{version} · {author}{note}")
    };
    let (old, new) = (head(page.from), head(page.to));
    let (title, diff) = (page.name.clone(), page.diff.clone());
    view! {
        <PageTitle
            text=format!("v{} to v{}", page.from, page.to)
            parents=vec![crumb("Prompts", "/prompts"), crumb(page.name.clone(), format!("/prompts/{id}"))]
        />
        <PageHead title sub=sum/>
        <Tabs label="Prompt" items=prompt_tabs(id, "diff")/>
        <Choice page=page.clone() is_inline/>
        <div class="cols main-side">
            <Card flush=true><DiffTable diff old new is_inline/></Card>
            <ToProduction page done/>
        </div>
    }
}

/// Which versions, and how.
#[component]
fn Choice(page: DiffPage, is_inline: bool) -> impl IntoView {
    let name = |row: &VersionRow| match row.labels.is_empty() {
        true => format!("v{}", row.version),
        false => format!("v{} · {}", row.version, row.labels.join(", ")),
    };
    let versions: Vec<(String, String)> =
        page.versions.iter().map(|row| (row.version.to_string(), name(row))).collect();
    let pick = |name: &'static str, label: &'static str, options: Vec<(String, String)>, chosen: String| {
        let options = options
            .into_iter()
            .map(|(value, text)| {
                let selected = value == chosen;
                view! { <option value=value selected=selected>{text}</option> }
            })
            .collect_view();
        view! { <label class="row"><span class="sub">{label}</span><select class="chip" name=name>{options}</select></label> }
    };
    let views = options_of([("side", "Side by side"), ("inline", "In line")]);
    let lines = options_of([("changes", "Only changes"), ("all", "All lines")]);
    let all = if query("lines").as_deref() == Some("all") { "all" } else { "changes" };
    view! {
        <GetForm action=format!("/prompts/{}/diff", page.id) class="chips" role="search" label="What is compared">
            {pick("from", "From", versions.clone(), page.from.to_string())}
            {pick("to", "to", versions, page.to.to_string())}
            {pick("view", "shown", views, if is_inline { "inline".to_owned() } else { "side".to_owned() })}
            {pick("lines", "with", lines, all.to_owned())}
            <button type="submit" class="btn">"Compare"</button>
        </GetForm>
    }
}

/// What is compared, side by side or in line.
#[component]
fn DiffTable(diff: Diff, old: String, new: String, is_inline: bool) -> impl IntoView {
    if diff.lines == 0 {
        return view! { <EmptyState icon="circle-check" title="The texts are the same" text="Choose two other versions above." small=true/> }
            .into_any();
    }
    let cut = diff.is_cut.then(|| view! { <p class="body pad note">"More has changed than is shown here. The versions themselves show all of it."</p> });
    let rows =
        if is_inline { in_line(diff.rows) } else { diff.rows.into_iter().map(side_by_side).collect_view().into_any() };
    let columns = if is_inline {
        view! { <th scope="col" class="n">"Old"</th><th scope="col" class="n">"New"</th><th scope="col">{format!("{old} → {new}")}</th> }.into_any()
    } else {
        view! {
            <th scope="col" class="n"><span class="sr">"Line of the old text"</span></th>
            <th scope="col">{old}</th>
            <th scope="col" class="n"><span class="sr">"Line of the new text"</span></th>
            <th scope="col">{new}</th>
        }
        .into_any()
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="What differs">
            <table class=if is_inline { "diff" } else { "diff side" }>
                <caption class="sr">"What differs. Words that are left out are struck through, words that are taken in are underlined."</caption>
                <thead><tr>{columns}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {cut}
    }
    .into_any()
}

/// The words of a line, with what differs marked.
fn words(side: DiffSide, is_old: bool) -> AnyView {
    side.pieces
        .into_iter()
        .map(|(marked, text)| match (marked, is_old) {
            (false, _) => text.into_any(),
            (true, true) => view! { <del>{text}</del> }.into_any(),
            (true, false) => view! { <ins>{text}</ins> }.into_any(),
        })
        .collect_view()
        .into_any()
}

fn gap(lines: usize) -> AnyView {
    let text = counted(lines as i64, "line is the same", "lines are the same");
    view! { <tr class="gap"><td colspan="4">{text}</td></tr> }.into_any()
}

/// The number of a line of the new text, which is also the way to it.
fn number(line: usize) -> AnyView {
    view! { <td class="n" id=format!("l{line}")><a href=format!("#l{line}")>{line}</a></td> }.into_any()
}

fn side_by_side(row: DiffRow) -> AnyView {
    match row {
        DiffRow::Gap(lines) => gap(lines),
        DiffRow::Same(side, old) => {
            let (line, text) = (side.line, words(side.clone(), false));
            view! { <tr><td class="n">{old}</td><td>{words(side, true)}</td>{number(line)}<td>{text}</td></tr> }
                .into_any()
        }
        DiffRow::Changed(old, new) => {
            let left = match old {
                Some(side) => {
                    view! { <td class="n">{side.line}</td><td class="del">{words(side, true)}</td> }.into_any()
                }
                None => view! { <td class="n"></td><td class="none"></td> }.into_any(),
            };
            let right = match new {
                Some(side) => view! { {number(side.line)}<td class="add">{words(side, false)}</td> }.into_any(),
                None => view! { <td class="n"></td><td class="none"></td> }.into_any(),
            };
            view! { <tr>{left}{right}</tr> }.into_any()
        }
    }
}

/// The lines that are left out stand before those that come in their place.
fn in_line(rows: Vec<DiffRow>) -> AnyView {
    let mut shown: Vec<AnyView> = Vec::new();
    let mut taken_in: Vec<AnyView> = Vec::new();
    for row in rows {
        if !matches!(row, DiffRow::Changed(..)) {
            shown.append(&mut taken_in);
        }
        match row {
            DiffRow::Gap(lines) => shown.push(gap(lines)),
            DiffRow::Same(side, old) => shown.push(
                view! { <tr><td class="n">{old}</td>{number(side.line)}<td>{words(side, false)}</td></tr> }.into_any(),
            ),
            DiffRow::Changed(old, new) => {
                shown.extend(old.map(|side| {
                    view! { <tr class="del"><td class="n">{side.line}</td><td class="n"></td><td>{words(side, true)}</td></tr> }.into_any()
                }));
                taken_in.extend(new.map(|side| {
                    view! { <tr class="add"><td class="n"></td>{number(side.line)}<td>{words(side, false)}</td></tr> }.into_any()
                }));
            }
        }
    }
    shown.append(&mut taken_in);
    shown.into_any()
}

/// What can be done with the version on the right.
#[component]
fn ToProduction(page: DiffPage, done: Callback<()>) -> impl IntoView {
    let (release, restore) = (FormAction::of::<MovePromptLabel>(), FormAction::of::<RestorePromptVersion>());
    let (id, to, from) = (page.id.to_string(), page.to, page.from);
    let is_said = page.spoken == to;
    let can = page.may_edit && page.is_active;
    let is_labelled = page.labels.iter().any(|state| state.label == PRODUCTION && state.version == to);
    let state = match (is_said, is_labelled) {
        (true, true) => format!("Agents say version {to}."),
        (true, false) => format!("Agents say version {to}, because it is the newest and none is labelled production."),
        (false, _) => format!("Agents say version {}.", page.spoken),
    };
    let labels = page
        .labels
        .iter()
        .cloned()
        .map(|state| {
            let tone = label_tone(&state.label);
            view! { <li><Tag tone>{state.label}</Tag><span class="x">{format!("v{}", state.version)}</span></li> }
        })
        .collect_view();
    let (needs, said) = match page.needs_second_person {
        true => ("Another owner or admin approves it first.", "Asked for: it waits for a second person"),
        false => ("Agents say it at once. Calls in progress keep what they have.", "Production moved"),
    };
    let word =
        if page.needs_second_person { format!("Ask for version {to}") } else { format!("Move production to v{to}") };
    let release_form = (can && !is_labelled && !page.is_waiting).then(|| {
        let id = id.clone();
        view! {
            <ServerForm action=release class="form" prefix="release" on_done=done said>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="label" value=PRODUCTION/>
                <input type="hidden" name="version" value=to.to_string()/>
                <TextInput name="note" label="Why" maxlength=300 hint=needs/>
                <SubmitButton icon="check">{word}</SubmitButton>
            </ServerForm>
        }
    });
    let waiting = page.is_waiting.then(|| {
        view! { <p class="sub">"A move of production waits to be approved. "<a class="link" href=format!("/prompts/{id}")>"Answer it"</a></p> }
    });
    let restore_form = (can && from != page.version).then(|| {
        let id = id.clone();
        view! {
            <ServerForm action=restore class="inline" prefix="restore" on_done=done said="Version restored as the newest">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="version" value=from.to_string()/>
                <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw" small=true>{format!("Restore v{from} as a new version")}</SubmitButton>
            </ServerForm>
        }
    });
    view! {
        <div class="stack gap-4">
            <Card title="To production">
                <div class="stack gap-3"><p>{state}</p>{waiting}{release_form}{restore_form}</div>
            </Card>
            {(!page.labels.is_empty()).then(|| view! { <Card title="Labels"><ul class="list">{labels}</ul></Card> })}
        </div>
    }
}

/// A text that could not be saved: both texts, what differs, and the text to go on with.
#[lazy]
pub fn prompt_merge_page() -> PageView {
    let params = use_params_map();
    let texts = load(move || params.read().get("id").unwrap_or_default(), get_prompt_merge);
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManagePrompts) {
            return refusal;
        }
        let done = Callback::new(move |()| texts.refetch());
        view! { <PageBoundary data=texts view=move |page: MergePage| view! { <Merge page done/> }/> }.into_any()
    })
}

#[component]
fn Merge(page: MergePage, done: Callback<()>) -> impl IntoView {
    let id = page.id;
    let title = format!("Merge: {}", page.name);
    let parents = vec![crumb("Prompts", "/prompts"), crumb(page.name.clone(), format!("/prompts/{id}"))];
    let body = match page.mine.clone() {
        Some(mine) => view! { <MergeForm page mine done/> }.into_any(),
        None => view! {
            <EmptyState icon="circle-check" title="Nothing to merge" text="A text that could not be saved, because somebody else had saved meanwhile, waits here.">
                <LinkButton href=format!("/prompts/{id}") icon="file-text">"The prompt"</LinkButton>
            </EmptyState>
        }
        .into_any(),
    };
    view! { <PageTitle text="Merge" parents/><PageHead title/>{body} }
}

#[component]
fn MergeForm(page: MergePage, mine: Unsaved, done: Callback<()>) -> impl IntoView {
    let (save, discard) = (FormAction::of::<SavePrompt>(), FormAction::of::<DiscardPromptText>());
    let (id, id_too) = (page.id.to_string(), page.id.to_string());
    let text = format!(
        "{} saved version {} while you were working on version {}. Your text was kept. Take over what you need of theirs, then save.",
        page.author, page.version, mine.base
    );
    let (old, new) = (format!("v{} · {}", page.version, page.author), "Your text".to_owned());
    let is_inline = query("view").as_deref() == Some("inline");
    let shut = (!page.is_active).then(|| view! { <p>"The prompt is deactivated. Restore it first, then save."</p> });
    view! {
        <Callout tone=Tone::Warn><p>{text}</p>{shut}</Callout>
        <div class="stack gap-4">
            <Card title="What differs" flush=true><DiffTable diff=mine.diff old new is_inline/></Card>
            <Card title="Your text">
                <ServerForm action=save class="form" prefix="merge" draft_of=viewer().user_id.to_string() on_done=done said="Prompt saved">
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="base_version" value=page.version.to_string()/>
                    <input type="hidden" name="name" value=page.name/>
                    <input type="hidden" name="description" value=page.description/>
                    <input type="hidden" name="tags" value=page.tags.join(", ")/>
                    <input type="hidden" name="tools" value=page.tools.join(", ")/>
                    <TextArea name="template" label="Prompt" value=mine.template rows=20 class="prompt-editor" required=true/>
                    <TextInput name="note" label="What changed" maxlength=300/>
                    <Checkbox name="production" label="Use in production" checked=true value="true"/>
                    <FormActs sticky=true><SubmitButton icon="save">{format!("Save as version {}", page.version + 1)}</SubmitButton></FormActs>
                </ServerForm>
            </Card>
            <Card title=format!("Version {}", page.version)>
                <pre class="code wrap" tabindex="0">{page.theirs}</pre>
                <ServerForm action=discard class="inline mt-2" prefix="discard" said="Your text was discarded">
                    <input type="hidden" name="id" value=id_too/>
                    <SubmitButton kind=ButtonKind::Plain icon="trash-2" small=true>"Discard my text"</SubmitButton>
                </ServerForm>
            </Card>
        </div>
    }
}
