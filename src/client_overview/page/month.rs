use leptos::prelude::*;

use patchbay_metering::model::BudgetStatus;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_ui::*;
use patchbay_usage::model::ClientMonth;

/// The month so far: figures, and how far the budget goes.
#[component]
pub(crate) fn Month(month: ClientMonth, client: String) -> impl IntoView {
    let (calls, minutes, spend) = (month.total.calls, month.total.minutes(), month.total.spend());
    let rate = month.reach_rate();
    let reached = rate.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}"));
    let of_ended = match month.ended {
        0 => "No call has ended".to_owned(),
        ended => format!("{} of {} ended calls", count_text(month.reached), count_text(ended)),
    };
    let priced = match month.unpriced {
        0 => "Calls and models".to_owned(),
        1 => "1 call is not priced yet".to_owned(),
        more => format!("{} calls are not priced yet", count_text(more)),
    };
    let remark = month.budget_status.as_ref().and_then(BudgetStatus::remark);
    view! {
        {remark.map(|(tone, text)| view! { <Callout tone icon="gauge"><p>{text}</p></Callout> })}
        <Kpis count=4>
            <Kpi label="Calls this month" value=count_text(calls) versus=month.label.clone()/>
            <Kpi label="Minutes" value=format!("{:.1}", minutes) versus="Talk time"/>
            <Kpi label="Reached" value=reached unit=if rate.is_some() { "%" } else { "" } versus=of_ended/>
            <Kpi label="Spend" value=spend.text() versus=priced/>
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
    view! {
        <Card title="Usage this month" right=move || view! { <a class="link" href=href>"Usage by day"</a> }>
            {if total.calls == 0 && total.tokens == 0 {
                view! { <EmptyState icon="receipt-text" title="No usage yet" text="Usage appears after the first call of the month." small=true/> }.into_any()
            } else {
                view! {
                    <Facts>
                        <Fact label="Voice" class="num">{total.voice.text()}</Fact>
                        <Fact label="Carrier" class="num">{total.carrier.text()}</Fact>
                        <Fact label="Models" class="num">{total.model.text()}</Fact>
                        <Fact label="Tokens" class="num">{count_text(total.tokens)}</Fact>
                        <Fact label="Days in">{month.zone.replace('_', " ")}</Fact>
                    </Facts>
                }
                .into_any()
            }}
        </Card>
    }
}
