use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{export_address, top};
use crate::model::views::{TeamVersionQuery, TeamVersionRow, TeamVersionsPage, VersionChange};
use crate::server_fns::{RestoreTeamVersion, list_team_versions};
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

/// What a team was, with who and when; two versions beside each other.
#[lazy]
pub fn team_versions_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked = TeamVersionQuery {
            words: query("q"),
            from: query("from"),
            to: query("to"),
            sort: query("sort"),
            cursor: query("cursor"),
        };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let page = load(asked, |(id, query)| list_team_versions(id, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("team:{id}")], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: TeamVersionsPage| view! { <Versions page again/> }/> }
            .into_any()
    })
}

#[component]
fn Versions(page: TeamVersionsPage, again: Callback<()>) -> impl IntoView {
    let TeamVersionsPage { head, page, compared } = page;
    let base = format!("/teams/{}/versions", head.id);
    let file = export_address(format!("{base}/export.csv"), &["q", "sort"]);
    let acts = view! { <LinkButton href=file icon="download" external=true>"Export"</LinkButton> }.into_any();
    let top = top(&head, "versions", "Versions", acts, None);
    let current = head.revision;
    let numbers: Vec<(String, String)> =
        page.rows.iter().map(|row| (row.number.to_string(), format!("Version {}", row.number))).collect();
    let (from, to) = compared
        .as_ref()
        .map_or((String::new(), current.to_string()), |(from, to, _)| (from.to_string(), to.to_string()));
    let with = |numbers: &Vec<(String, String)>, one: &str| {
        let mut all = numbers.clone();
        if !one.is_empty() && all.iter().all(|(number, _)| number != one) {
            all.push((one.to_owned(), format!("Version {one}")));
        }
        all
    };
    let choose = (numbers.len() > 1 || compared.is_some()).then(|| {
        view! {
            <GetForm action=base.clone() class="chips" label="Versions to compare">
                <Select name="from" label="From" options=with(&numbers, &from) value=from prompt="Choose a version" mark=false/>
                <Select name="to" label="To" options=with(&numbers, &to) value=to mark=false/>
                <button type="submit" class="btn">"Compare"</button>
            </GetForm>
        }
    });
    let shown = compared.map(|(from, to, changes)| {
        let restore =
            (head.may_edit && from != current).then(|| view! { <Restore team=head.id.to_string() number=from again/> });
        view! { <Compared from to changes/>{restore} }
    });
    let rows = List::<TeamVersionRow>::new("Versions")
        .search("q", "What was changed")
        .keep(&["from", "to", "sort"])
        .sorted("-number")
        .table("mid wrap")
        .column("Version", move |row: &TeamVersionRow| {
            let note = row.is_current.then(|| view! { <Tag>"In use"</Tag> });
            let name = format!("Version {}", row.number);
            match row.is_current {
                true => view! { {name}" "{note} }.into_any(),
                false => cell::link(format!("{base}?from={}&to={current}", row.number), &name),
            }
        })
        .sort("number")
        .column("What was changed", |row: &TeamVersionRow| row.note.clone())
        .column("By", |row: &TeamVersionRow| cell::or(&row.author, "Patchbay"))
        .column("At", |row: &TeamVersionRow| cell::time(&row.at))
        .show(page);
    view! {
        {top}
        <div class="stack gap-4">{choose}{shown}{rows}</div>
    }
}

#[component]
fn Compared(from: i32, to: i32, changes: Vec<VersionChange>) -> impl IntoView {
    let title = format!("Version {from} beside version {to}");
    if changes.is_empty() {
        return view! { <Card title><p class="sub">"They are the same."</p></Card> }.into_any();
    }
    let text = |text: String| match text.is_empty() {
        true => view! { <span class="sub">"Nothing"</span> }.into_any(),
        false => text.into_any(),
    };
    let rows = changes
        .into_iter()
        .map(|change| {
            view! {
                <tr>
                    <th scope="row">{change.what}</th>
                    <td class="pre-line break">{text(change.before)}</td>
                    <td class="pre-line break">{text(change.after)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title flush=true>
            <DataTable
                label="What differs"
                class="mid wrap"
                head=move || view! {
                    <th scope="col">"What"</th>
                    <th scope="col">{format!("Version {from}")}</th>
                    <th scope="col">{format!("Version {to}")}</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}

#[component]
fn Restore(team: String, number: i32, again: Callback<()>) -> impl IntoView {
    let restore = FormAction::of::<RestoreTeamVersion>();
    view! {
        <ServerForm action=restore class="inline" prefix="restore" on_done=again said="Restored as a new version">
            <input type="hidden" name="id" value=team/>
            <input type="hidden" name="number" value=number.to_string()/>
            <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw">{format!("Restore version {number}")}</SubmitButton>
        </ServerForm>
    }
}
