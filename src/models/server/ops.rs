//! What people do with models: choose them, and say what they cost.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::catalogue;
use super::store;
use crate::model::{ChoiceForm, NewChoice, Price, PriceForm, PriceSource, Purpose};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_connections::model::Provider;
use patchbay_connections::server::models::{self as accounts, ModelAccount};
use patchbay_jobs::live::Topic;
use patchbay_providers::chat::ChatModel;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ConnectionId};
use patchbay_shared::zone::instant;

/// Chooses, or takes a choice back. What OpenRouter lists is all that it has, so a name that is not in it is a slip; elsewhere any name is
/// taken.
pub(crate) async fn choose(scope: &Scope, form: &ChoiceForm) -> Result<(), AppError> {
    let new = form.check()?;
    // Opened for its checks and let go: the service is asked next, and no transaction waits for that.
    let mut tx = scope.write(Action::ManageAgents).await?;
    let all = accounts::list(tx.reading()).await?;
    drop(tx);
    let account = match &new.used {
        Some((id, _)) => Some(all.iter().find(|account| account.id == *id).ok_or(AppError::NotFound)?),
        None => None,
    };
    let mut listed = None;
    if let (Some(account), Some((_, model))) = (account, &new.used) {
        if new.purpose == Purpose::Embedding && account.kind != Provider::OpenaiCompatible {
            return Err(AppError::invalid(
                "account",
                "Choose an account of the OpenAI form: the others turn no texts into vectors.",
            ));
        }
        if account.kind == Provider::Openrouter {
            listed = listed_model(scope, account, model).await?;
        }
    }
    let mut tx = scope.write(Action::ManageAgents).await?;
    store_choice(&mut tx, &new, &all).await?;
    if let (Some((account, model)), Some(listed)) = (&new.used, listed)
        && let Some(price) = price_of(&listed)
    {
        note_listed(&mut tx, *account, model, price).await?;
    }
    tx.notify(Topic::list("models"), None);
    tx.commit().await
}

/// The model as the account's list has it. None: the list could not be read, or the name asks for a variant that no list has.
async fn listed_model(scope: &Scope, account: &ModelAccount, model: &str) -> Result<Option<ChatModel>, AppError> {
    let Ok(all) = catalogue::one(scope, account).await else { return Ok(None) };
    if let Some(found) = all.iter().find(|one| one.id == model) {
        return Ok(Some(found.clone()));
    }
    let plain = model.split_once(':').map_or(model, |(plain, _)| plain);
    if model.starts_with('@') || all.iter().any(|one| one.id == plain) {
        return Ok(None);
    }
    let said = format!("{} has no model named {model}. Choose one from its list.", account.name);
    Err(AppError::invalid("model", said))
}

fn price_of(model: &ChatModel) -> Option<Price> {
    let million = Decimal::from(1_000_000);
    let of = |price: Decimal| (price * million).round_dp(6);
    Some(Price {
        read: of(model.prompt_price?),
        written: of(model.completion_price?),
        cached: model.cached_price.map(of),
    })
}

async fn store_choice(tx: &mut WriteTx, new: &NewChoice, accounts: &[ModelAccount]) -> Result<(), AppError> {
    if let Some(agent) = new.agent
        && !store::choices::has_agent(tx.reading(), agent).await?
    {
        return Err(AppError::NotFound);
    }
    let kept = store::choices::all(tx.reading()).await?;
    let before = kept.iter().find(|one| one.purpose == new.purpose && one.agent == new.agent);
    let before = before.map(|one| (one.id, one.account, one.model.clone()));
    if before.as_ref().map(|(_, account, model)| (*account, model)) == new.used.as_ref().map(|(id, model)| (*id, model))
    {
        return Ok(());
    }
    let id = match &new.used {
        Some((account, model)) => store::choices::save(tx, new.purpose, new.agent, *account, model).await?,
        None => store::choices::remove(tx, new.purpose, new.agent).await?,
    };
    let told = |account: ConnectionId, model: &str| {
        let name = accounts.iter().find(|one| one.id == account).map(|one| one.name.as_str());
        told(new.purpose, new.agent, name, model)
    };
    let before = before.map(|(_, account, model)| told(account, &model));
    if new.purpose == Purpose::Embedding {
        patchbay_knowledge::server::meaning::choice_changed(tx).await?;
    }
    let (action, fields) = match (&new.used, before) {
        (Some((account, model)), None) => ("chosen", Fields::Created(told(*account, model))),
        (Some((account, model)), Some(before)) => ("changed", Fields::Changed { before, after: told(*account, model) }),
        (None, Some(before)) => ("taken_back", Fields::Deleted(before)),
        (None, None) => return Ok(()),
    };
    tx.audit(Change { action, entity: "model", entity_id: id, client_id: None, fields }).await
}

fn told(purpose: Purpose, agent: Option<AgentId>, account: Option<&str>, model: &str) -> Value {
    json!({"purpose": purpose, "agent": agent, "account": account, "model": model})
}

/// Keeps the price that the service's list says now, if it says another one than is known.
async fn note_listed(tx: &mut WriteTx, account: ConnectionId, model: &str, price: Price) -> Result<(), AppError> {
    let now = tx.reading().now().await?;
    if store::prices::at(tx.reading(), account, model, now).await? == Some(price) {
        return Ok(());
    }
    store::prices::save(tx, account, model, now, price, PriceSource::Listed).await?;
    Ok(())
}

/// Stores what somebody says that a model costs. The same day again replaces it.
pub(crate) async fn set_price(scope: &Scope, form: &PriceForm) -> Result<(), AppError> {
    let new = form.check()?;
    let mut tx = scope.write(Action::ManageConnections).await?;
    let from = beginning(&new.from, tx.scope())?;
    let all = accounts::list(tx.reading()).await?;
    let account = all.iter().find(|account| account.id == new.account).ok_or(AppError::NotFound)?;
    let before = store::prices::exactly(tx.reading(), account.id, &new.model, from).await?;
    if before == Some(new.price) {
        return Ok(());
    }
    let id = store::prices::save(&mut tx, account.id, &new.model, from, new.price, PriceSource::Typed).await?;
    let told = |price: Price| {
        json!({"account": account.name, "model": new.model, "from": from, "read": price.read, "written": price.written,
            "cached": price.cached})
    };
    tx.audit(Change {
        action: if before.is_some() { "repriced" } else { "priced" },
        entity: "model",
        entity_id: Some(id),
        client_id: None,
        fields: Fields::saved(before.map(told), told(new.price)),
    })
    .await?;
    tx.notify(Topic::list("models"), None);
    tx.commit().await
}

/// The beginning of a day in the agency's zone.
fn beginning(day: &str, scope: &Scope) -> Result<DateTime<Utc>, AppError> {
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok();
    let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap_or_default();
    let last = NaiveDate::from_ymd_opt(2100, 1, 1).unwrap_or_default();
    let day = day.filter(|day| (first..last).contains(day));
    let day = day.ok_or_else(|| AppError::invalid("from", "Choose the day from which the price holds."))?;
    Ok(instant(day, NaiveTime::MIN, scope.zone()))
}
