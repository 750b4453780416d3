use std::sync::Arc;

use leptos::prelude::*;

use super::engines::{NoneYet, asked, states};
use super::parts::execution_tabs;
use crate::model::TargetType;
use crate::model::control::TabCounts;
use crate::model::setup::{TargetRow, TargetsPage};
use crate::server_fns_setup::list_execution_targets;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// Where the agency's jobs run.
#[lazy]
pub fn targets_page() -> PageView {
    let rows = load(asked, list_execution_targets);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let may_edit = viewer().may(Action::ManageExecution);
        List::<TargetRow>::new("Targets")
            .under(crumb("Teams", "/teams"))
            .under(crumb("Execution", "/execution"))
            .subtitle("Where jobs run, and how much they may take there together.")
            .live(&["execution_targets"])
            .export("/execution/targets/export.csv")
            .add(may_edit, "plus", "/execution/targets/new", "New target")
            .above(view! { <Tabs label="Execution" items=execution_tabs("targets", &TabCounts::default())/> })
            .search("q", "Name or pool")
            .filter(Filter::words("type", "Type", TargetType::ALL))
            .filter(states())
            .sorted("name")
            .keep(&["client", "sort"])
            .table("wide wrap")
            .column("Target", |row: &TargetRow| {
                let note = view! { <small class="mono break">{row.address.clone()}</small> };
                cell::who(format!("/execution/targets/{}", row.id), &row.name, note)
            })
            .sort("name")
            .column("Type", |row: &TargetRow| cell::state(row.kind))
            .column("Pool", |row: &TargetRow| view! { <code>{row.pool.clone()}</code> })
            .number("Slots", |row: &TargetRow| format!("{} of {}", row.running, row.capacity.slots))
            .number("Waiting", |row: &TargetRow| count_text(row.waiting))
            .number("Memory", |row: &TargetRow| format!("{} MB", row.capacity.memory_mb))
            .column("State", |row: &TargetRow| state(row))
            .column("Checked", |row: &TargetRow| cell::time_or(row.checked.as_ref(), "Not yet"))
            .empty_view(move || view! { <NoneYet what="targets" may_edit/> })
            .page_of(rows, |page: TargetsPage| page.page)
    })
}

/// Whether it takes jobs, and whether it answered last.
pub(super) fn state(row: &TargetRow) -> AnyView {
    let (tone, label) = match row {
        TargetRow { is_active: false, .. } => (Tone::Mute, "Deactivated"),
        TargetRow { held: Some(_), .. } => (Tone::Warn, "Held"),
        TargetRow { problem: Some(_), .. } => (Tone::Bad, "Something is wrong"),
        _ => (Tone::Ok, "Takes jobs"),
    };
    cell::state_of(tone, label)
}
