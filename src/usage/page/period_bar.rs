//! Which days are shown: links and a form that lead to an address.

use leptos::prelude::*;

use crate::model::{By, PeriodAsked, Shown};
use patchbay_metering::model::Preset;
use patchbay_ui::address::kept_pairs;
use patchbay_ui::*;

/// What the address asks for. Tracked.
pub fn asked() -> PeriodAsked {
    PeriodAsked::read(query)
}

/// The periods that a page offers, and days of one's own.
#[component]
pub fn PeriodBar(
    shown: Shown,
    presets: &'static [Preset],
    /// What the page shows when the address says nothing.
    default: Preset,
    /// Somebody enters days: the page is not built anew meanwhile.
    busy: RwSignal<bool>,
    /// What stands together, where that can be chosen.
    #[prop(optional, into)]
    by: Option<By>,
) -> impl IntoView {
    Effect::new(move |_| busy.set(false));
    let Shown { preset: chosen, text, problem, first, last, .. } = shown.clone();
    let links = presets
        .iter()
        .map(|preset| {
            let is_current = (chosen == preset.as_str()).then_some("true");
            let word = (*preset != default).then(|| preset.as_str());
            let href = move || with_query(&[("period", word), ("from", None), ("to", None)]);
            view! { <a href=href aria-current=is_current>{preset.label()}</a> }
        })
        .collect_view();
    let groups = by.map(|chosen| {
        let link = |by: &'static By| {
            let word = (*by != By::Day).then(|| by.as_str());
            let href = move || with_query(&[("by", word)]);
            view! { <a href=href aria-current=(*by == chosen).then_some("true")>{by.label()}</a> }
        };
        let links = By::ALL.iter().map(link).collect_view();
        view! { <nav class="pick" aria-label="Put together by">{links}</nav> }
    });
    let is_own = chosen.is_empty();
    let path = Signal::derive(|| with_query(&[]).split('?').next().unwrap_or_default().to_owned());
    let hidden = move || {
        let kept = ["by", "sort"].into_iter().filter_map(|name| Some((name.to_owned(), query(name)?)));
        let pairs = kept_pairs().into_iter().chain(kept);
        pairs.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()
    };
    // What was typed stays where it was refused.
    let field = move |name: &'static str, label: &'static str, day: String| {
        let wrong = problem.as_ref().filter(|(field, _)| field == name).map(|(_, text)| text.clone());
        let described = wrong.is_some().then(|| format!("period-{name}-error"));
        let value = query(name).unwrap_or(day);
        view! {
            <label class="row">
                <span class="sub">{label}</span>
                <input type="date" class="chip" name=name value=value aria-invalid=wrong.is_some().then_some("true") aria-describedby=described.clone()/>
            </label>
            {wrong.map(|text| view! { <p class="err" id=described role="alert">{text}</p> })}
        }
    };
    let refused = shown.problem.as_ref().map(|(field, _)| field.clone());
    let general = shown
        .problem
        .as_ref()
        .filter(|(field, _)| field == "period" || field == "by")
        .map(|(_, text)| view! { <p class="err" role="alert">{text.clone()}</p> });
    let own_label = if is_own { text } else { "Other days".to_owned() };
    view! {
        <div class="chips period-bar">
            <nav class="pick" aria-label="Period">{links}</nav>
            <details on:focusin=move |_| busy.set(true) on:focusout=move |_| busy.set(false) open=refused.is_some_and(|field| field == "from" || field == "to")>
                <summary class=if is_own { "chip set" } else { "chip" }><Icon name="calendar-clock" small=true/>{own_label}</summary>
                <GetForm action=path class="row wrap" label="Other days">
                    {hidden}
                    {field("from", "From", first.to_string())}
                    {field("to", "To", last.to_string())}
                    <button type="submit" class="btn">"Show"</button>
                </GetForm>
            </details>
            {groups}
            {general}
            <span class="sub text-xs">{format!("Beside {}: {}", shown.versus_text(), shown.before_text)}</span>
        </div>
    }
}
