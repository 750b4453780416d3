use leptos::prelude::*;

use patchbay_calls::model::figures::{share_text, unpriced_text};
use patchbay_calls::model::{CallQuery, ResultFilter, term};
use patchbay_metering::model::BudgetStatus;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_ui::*;
use patchbay_usage::model::{ClientMonth, unpriced_answers_text};

/// The month so far: figures, and how far the budget goes.
#[component]
pub(crate) fn Month(month: ClientMonth, client: String) -> impl IntoView {
    let (calls, minutes, spend) = (month.total.calls, month.total.minutes(), month.total.spend());
    let of_ended = format!("{} of {} ended", share_text(month.answered, month.ended), count_text(month.ended));
    let of_answered = format!("{} of answered", share_text(month.goals, month.answered));
    // The month is the client's; the list's days would be the viewer's.
    let listed = CallQuery {
        client: Some(client.clone()),
        from: Some(month.first.clone()),
        to: Some(month.last.clone()),
        zone: Some(month.zone.clone()),
        ..CallQuery::default()
    };
    let (priced, priced_href) = match unpriced_text(month.total.unpriced) {
        Some(text) => (text, listed.of_unpriced().address()),
        None => ("Calls and models".to_owned(), listed.address()),
    };
    let priced = match unpriced_answers_text(month.total.unpriced_answers) {
        Some(text) => format!("{priced} · {text}"),
        None => priced,
    };
    let remark = month.budget_status.as_ref().and_then(BudgetStatus::remark);
    view! {
        {remark.map(|(tone, text)| view! { <Callout tone icon="gauge"><p>{text}</p></Callout> })}
        <Kpis count=5>
            <Kpi label="Calls this month" value=count_text(calls) versus=month.label.clone() href=listed.address() means=term::CALLS.means/>
            <Kpi label=term::ANSWERED.label value=count_text(month.answered) versus=of_ended href=listed.of_result(ResultFilter::Answered).address() means=term::ANSWERED.means/>
            <Kpi label=term::GOALS.label value=count_text(month.goals) versus=of_answered href=listed.of_goals().address() means=term::GOALS.means/>
            <Kpi label=term::MINUTES.label value=format!("{:.1}", minutes) versus="Of talk" means=term::MINUTES.means/>
            <Kpi label=term::SPEND.label value=spend.text() versus=priced href=priced_href means=term::SPEND.means/>
        </Kpis>
        <Budget budget_status=month.budget_status.clone() client/>
    }
}

/// Spend against the budget, with a bar.
#[component]
fn Budget(budget_status: Option<BudgetStatus>, client: String) -> impl IntoView {
    let settings = format!("/clients/{client}/settings");
    let body = match budget_status {
        None => view! { <p class="sub">"No monthly budget. With one, the spend is shown beside it, and calls can be held when it is spent."</p> }.into_any(),
        Some(budget_status) => {
            let percent = share(&budget_status);
            let paint = match budget_status.remark() {
                Some((Tone::Bad, _)) => "bad",
                Some(_) => "warn",
                None => "chart-2",
            };
            let words = format!("{} of {}", budget_status.spent.text(), budget_status.budget.text());
            let then = format!("{} · resets on {}", budget_status.action.label(), budget_status.ends);
            view! {
                <div class="stack">
                    <div class="row between wrap"><b class="medium">{words.clone()}</b><span class="sub">{then}</span></div>
                    <SegmentBar label=words total=100.0 segments=vec![Segment::new("Spent", percent, paint)] large=true/>
                </div>
            }
            .into_any()
        }
    };
    view! { <Card title="Monthly budget" right=move || view! { <a class="link" href=settings>"Settings"</a> }>{body}</Card> }
}

/// How much of the budget is spent, in percent, as a bar shows it.
fn share(budget_status: &BudgetStatus) -> f64 {
    let number = |money: patchbay_shared::Money| money.0.to_string().parse::<f64>().unwrap_or(0.0);
    match number(budget_status.budget) {
        budget if budget > 0.0 => (number(budget_status.spent) / budget * 100.0).min(100.0),
        _ => 100.0,
    }
}

/// What the month's money went to.
#[component]
pub(crate) fn Spent(month: ClientMonth, href: String) -> impl IntoView {
    let total = month.total;
    // `America/Los_Angeles`: the place says enough.
    let place = month.zone.rsplit('/').next().unwrap_or_default().replace('_', " ");
    view! {
        <Card title="Usage this month" right=move || view! { <a class="link" href=href>"Usage by day"</a> }>
            {if total.calls == 0 && total.tokens == 0 {
                view! { <EmptyState icon="receipt-text" title="No usage yet" text="Usage appears after the first call of the month." small=true/> }.into_any()
            } else {
                view! {
                    <Facts>
                        <Fact label="Voice" class="num">{total.voice.column()}</Fact>
                        <Fact label="Carrier" class="num">{total.carrier.column()}</Fact>
                        <Fact label="Models" class="num">{total.model.column()}</Fact>
                        <Fact label="Tokens" class="num">{count_text(total.tokens)}</Fact>
                    </Facts>
                    <p class="note">{format!("The month is counted in {place} time.")}</p>
                }
                .into_any()
            }}
        </Card>
    }
}
