use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::Top;
use super::own_id;
use super::settings::Setup;
use crate::model::{
    Direction, FieldMap, IntegrationHead, MappingLine, MappingPage, OURS, PropertyView, field_label, is_of_call,
};
use crate::server_fns::{SaveMappingLine, get_integration_mapping};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_ui::address::query_string;
use patchbay_ui::*;

/// The mapping: which field there is which of ours, which way it goes, and how values of lists are matched.
#[lazy]
pub fn integration_mapping_page() -> PageView {
    let params = use_params_map();
    // A line that was saved leads to an address without `line`, and so to fresh data.
    let asked = move || (params.read().get("id").unwrap_or_default(), query("line"), query("property"));
    let page = load(asked, |(id, ..): (String, Option<String>, Option<String>)| get_integration_mapping(id));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageIntegrations) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        let _ = own_id();
        view! { <PageBoundary data=page view=move |page: MappingPage| view! { <Mapping page again/> }/> }.into_any()
    })
}

#[component]
fn Mapping(page: MappingPage, again: Callback<()>) -> impl IntoView {
    let MappingPage { head, mapping, properties, note } = page;
    let line = query("line");
    let property = query("property");
    let found = match (&line, &property) {
        (Some(line), _) => mapping.iter().find(|known| known.map.ours == *line).cloned(),
        (None, Some(property)) => mapping.iter().find(|known| known.map.theirs.contains(property)).cloned(),
        (None, None) => None,
    };
    let service = head.kind.label();
    let editor = (line.is_some() || property.is_some()).then(|| {
        let (id, properties) = (head.id.to_string(), properties.clone());
        view! { <LineEditor id line=found.map(|found| found.map) properties service/> }
    });
    let note = note.map(|note| view! { <Callout tone=Tone::Warn><p>{format!("{service} could not be asked for its fields: {note} Type their names.")}</p></Callout> });
    let base = format!("/integrations/{}", head.id);
    let is_new = head.syncs == 0;
    let next = is_new.then(|| view! { <FormActs><LinkButton href=format!("{base}/preview") kind=ButtonKind::Primary icon="arrow-right">"Go on: try it with 20 records"</LinkButton></FormActs> });
    view! {
        <Top head=head.clone() title="Edit the mapping" again/>
        {is_new.then(|| view! { <Setup head=head.clone() now=3/> })}
        {note}
        {editor}
        <MappingTable head lines=mapping sample_of=None/>
        {next}
    }
}

/// The mapping as a table: ours, the way, theirs, a sample, the rule.
#[component]
pub(super) fn MappingTable(head: IntegrationHead, lines: Vec<MappingLine>, sample_of: Option<String>) -> impl IntoView {
    let service = head.kind.label();
    let base = format!("/integrations/{}", head.id);
    let may = head.may_manage;
    let (contacts, calls): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| !line.map.is_of_call());
    let group = |name: &'static str, lines: Vec<MappingLine>| {
        let rows = lines.into_iter().map(|line| row(&base, service, may, line)).collect_view();
        view! { <tr class="group"><th colspan="5" scope="colgroup">{name}</th></tr>{rows} }
    };
    let is_empty = contacts.is_empty() && calls.is_empty();
    let body = view! { {(!contacts.is_empty()).then(|| group("Contact", contacts))} {(!calls.is_empty()).then(|| group("Call result", calls))} };
    let (add, try_it) = (format!("{base}/mapping?line=new"), format!("{base}/preview"));
    let acts = (may && head.is_connected).then(|| {
        view! {
            <LinkButton href=try_it icon="play" small=true>"Try with 20 records"</LinkButton>
            <LinkButton href=add icon="plus" small=true>"Add a field"</LinkButton>
        }
    });
    let table = if is_empty {
        view! { <p class="pad sub">"Nothing is matched yet. After the sign-in the usual fields are matched by themselves."</p> }.into_any()
    } else {
        view! {
            <DataTable
                label="Mapping"
                class="mid wrap three"
                head=move || view! {
                    <th scope="col">"Patchbay"</th>
                    <th scope="col"><span class="sr">"Direction"</span></th>
                    <th scope="col">{service}</th>
                    <th scope="col">"Sample"</th>
                    <th scope="col">"Rule"</th>
                }
            >
                {body}
            </DataTable>
        }
        .into_any()
    };
    view! {
        <Card title="Mapping" flush=true class="clip" right=move || view! { {sample_of.map(|name| view! { <span class="sub text-sm">"sample: "{name}</span> })} {acts} }>
            {table}
        </Card>
    }
}

fn row(base: &str, service: &'static str, may: bool, line: MappingLine) -> AnyView {
    let MappingLine { map, sample, rule } = line;
    let label = field_label(&map.ours);
    let way = way_words(map.direction, service);
    let href = format!("{base}/mapping{}", query_string(&[("line".to_owned(), map.ours.clone())]));
    let arrow = match may {
        true => {
            let spoken = format!("{label}: {way}, change");
            view! { <LinkButton href icon=map.direction.icon() square=true small=true label=spoken/> }.into_any()
        }
        false => {
            let spoken = way.clone();
            view! { <span title=way><Icon name=map.direction.icon() small=true/><span class="sr">{spoken}</span></span> }.into_any()
        }
    };
    let theirs = match (map.theirs.is_empty(), map.ours.as_str()) {
        (true, "summary") => view! { <span>"Call activity"</span> }.into_any(),
        (true, "callback_at") => view! { <span>"Task, due date"</span> }.into_any(),
        (true, _) => view! { <span class="sub">"Not matched"</span> }.into_any(),
        (false, _) => view! { <code class="break">{map.theirs.join(", ")}</code> }.into_any(),
    };
    view! {
        <tr>
            <td class="medium break">{label}</td>
            <td>{arrow}</td>
            <td>{theirs}</td>
            <td class="break">{sample}</td>
            <td class="sub">{rule}</td>
        </tr>
    }
    .into_any()
}

fn way_words(direction: Direction, service: &str) -> String {
    match direction {
        Direction::In => format!("from {service} to here"),
        Direction::Out => format!("from here to {service}"),
        Direction::Both => "both ways".to_owned(),
        Direction::Kept => "not exchanged".to_owned(),
    }
}

/// The form of one line.
#[component]
fn LineEditor(
    id: String,
    line: Option<FieldMap>,
    properties: Vec<PropertyView>,
    service: &'static str,
) -> impl IntoView {
    let save = FormAction::of::<SaveMappingLine>();
    let remove = FormAction::of::<SaveMappingLine>();
    let is_new = line.is_none();
    let line = line.unwrap_or(FieldMap {
        ours: String::new(),
        theirs: Vec::new(),
        direction: Direction::In,
        values: Vec::new(),
    });
    let was = line.ours.clone();
    let title = if is_new { "Add a field".to_owned() } else { field_label(&line.ours) };
    let first = line.theirs.first().cloned().unwrap_or_default();
    let second = line.theirs.get(1).cloned().unwrap_or_default();
    let values = line.values.iter().map(|(ours, theirs)| format!("{ours} = {theirs}")).collect::<Vec<_>>().join("\n");
    let known = properties
        .iter()
        .find(|property| property.name == first)
        .map(|property| property.options.clone())
        .unwrap_or_default();
    let options_hint = (!known.is_empty()).then(|| {
        let some = known
            .iter()
            .take(40)
            .map(|(value, label)| if value == label { value.clone() } else { format!("{value} ({label})") });
        view! { <p class="note break">{format!("{service} knows: {}", some.collect::<Vec<_>>().join(", "))}</p> }
    });
    let ours = if is_new {
        let options = options_of(OURS.iter().map(|word| {
            let label = match *word {
                "detail" => "A detail of the contact …".to_owned(),
                "answer" => "An answer from the call …".to_owned(),
                word => field_label(word),
            };
            ((*word).to_owned(), label)
        }));
        view! {
            <Select name="ours" label="Field of Patchbay" options required=true prompt="Choose a field" value=""/>
            <TextInput name="own" label="Which detail or answer" maxlength=80 autocomplete="off" hint="As it is called here, for example policy_number. Only for a detail or an answer."/>
        }
        .into_any()
    } else {
        view! { <input type="hidden" name="ours" value=line.ours.clone()/> }.into_any()
    };
    let needs_second = is_new || line.ours == "name";
    let theirs = if properties.is_empty() {
        view! {
            <TextInput name="theirs" label=format!("Field of {service}") value=first class="mono" maxlength=120 autocomplete="off" mark=false/>
            {needs_second.then(|| view! { <TextInput name="second" label="Its second field" value=second class="mono" maxlength=120 autocomplete="off" hint="Where a name stands in two: the last name."/> })}
        }
        .into_any()
    } else {
        let mut options = options_of(properties.iter().map(|property| {
            let note = if property.read_only { ", cannot be written" } else { "" };
            (property.name.clone(), format!("{} ({}{note})", property.label, property.name))
        }));
        // What was matched stays in the list when the service has it no more.
        for name in [&first, &second] {
            if !name.is_empty() && !options.iter().any(|(known, _)| known == name) {
                options.push((name.clone(), format!("{name} (not there any more)")));
            }
        }
        let same = options.clone();
        view! {
            <Select name="theirs" label=format!("Field of {service}") options value=first prompt="None" mark=false/>
            {needs_second.then(|| view! { <Select name="second" label="Its second field" options=same value=second prompt="None" mark=false hint="Where a name stands in two: the last name."/> })}
        }
        .into_any()
    };
    let of_call = is_of_call(&line.ours);
    let directions: Vec<RadioOption> = Direction::ALL
        .iter()
        .copied()
        .filter(|direction| !of_call || matches!(direction, Direction::Out | Direction::Kept))
        .map(|direction| {
            let hint = match direction {
                Direction::In => format!("{service} decides."),
                Direction::Out => "Patchbay decides. Results of calls always go this way.".to_owned(),
                Direction::Both => "The newest value wins.".to_owned(),
                Direction::Kept => "It stays where it is.".to_owned(),
            };
            RadioOption::new(direction.as_str(), direction.label(), hint)
        })
        .collect();
    let (same_id, same_was) = (id.clone(), was.clone());
    let back = format!("/integrations/{id}/mapping");
    let done = if is_new { "Field added" } else { "Saved" };
    view! {
        <Card title>
            <ServerForm action=save class="form" prefix="line" said=done>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="was" value=was/>
                {ours}
                {theirs}
                <RadioCards name="direction" legend="Direction" options=directions value=line.direction.as_str()/>
                <TextArea
                    name="values"
                    label="Matched values"
                    value=values
                    rows=4
                    maxlength=8000
                    class="mono"
                    placeholder="callback = Call back later"
                    hint=format!("For fields with a list of values. One pair a line: our value = the value of {service}.")
                />
                {options_hint}
                <FormActs>
                    <SubmitButton icon="check">{if is_new { "Add the field" } else { "Save" }}</SubmitButton>
                    <LinkButton href=back kind=ButtonKind::Ghost>"Cancel"</LinkButton>
                </FormActs>
            </ServerForm>
            {(!is_new).then(|| view! {
                <ServerForm action=remove class="inline" prefix="remove-line" no_summary=true said="Taken out">
                    <input type="hidden" name="id" value=same_id/>
                    <input type="hidden" name="was" value=same_was/>
                    <input type="hidden" name="remove" value="true"/>
                    <SubmitButton kind=ButtonKind::Danger small=true icon="trash-2">"Take this field out"</SubmitButton>
                </ServerForm>
            })}
        </Card>
    }
}
