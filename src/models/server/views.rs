//! What the pages of models show.

use std::collections::HashMap;

use super::catalogue;
use super::chosen::used;
use super::store::{choices, prices};
use crate::model::{
    AccountChoice, ChoicePage, ChoiceRow, ModelsPage, OwnChoice, PriceList, PricePage, PriceQuery, PriceRow, Purpose,
    Used,
};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_connections::model::Provider;
use patchbay_connections::server::models::{self as accounts, ModelAccount};
use patchbay_shared::ids::{AgentId, ConnectionId};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Page};

/// Rows on a page of the list of prices.
const ROWS: usize = 50;
/// Models in a picker: no list of a service is longer, and one that is must not make the page slow.
const MOST_OFFERS: usize = 2_000;

/// Which model each kind of work uses.
pub(crate) async fn models(scope: &Scope) -> Result<ModelsPage, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (all, kept) = (accounts::list(&mut tx).await?, choices::all(&mut tx).await?);
    let mut rows = Vec::new();
    for purpose in Purpose::ALL {
        let found = used(&kept, &all, *purpose, None);
        let is_own = found.as_ref().is_some_and(|(_, _, is_own)| *is_own);
        let used = match found {
            Some((account, model, _)) => shown(&mut tx, &all, account, model).await?,
            None => None,
        };
        rows.push(ChoiceRow { purpose: *purpose, used, is_own });
    }
    let mut own = Vec::new();
    for (agent, name) in choices::names_of_own(&mut tx).await? {
        let Some(choice) = kept.iter().find(|one| one.agent == Some(agent)) else { continue };
        if let Some(used) = shown(&mut tx, &all, choice.account, choice.model.clone()).await? {
            own.push(OwnChoice { agent, name, used });
        }
    }
    Ok(ModelsPage {
        accounts: all.into_iter().map(picked).collect(),
        choices: rows,
        own,
        may_choose: scope.may(Action::ManageAgents),
        may_connect: scope.may(Action::ManageConnections),
    })
}

async fn shown(
    tx: &mut ReadTx,
    all: &[ModelAccount],
    account: ConnectionId,
    model: String,
) -> Result<Option<Used>, AppError> {
    let Some(known) = all.iter().find(|one| one.id == account) else { return Ok(None) };
    let now = tx.now().await?;
    Ok(Some(Used {
        account,
        account_name: known.name.clone(),
        price: prices::at(tx, account, &model, now).await?,
        model,
        tells_costs: known.kind == Provider::Openrouter,
    }))
}

fn picked(account: ModelAccount) -> AccountChoice {
    AccountChoice {
        id: account.id,
        has_embeddings: account.kind == Provider::OpenaiCompatible,
        trouble: match (account.is_on, account.last_error) {
            (false, _) => Some("switched off".to_owned()),
            (true, Some(_)) => Some("failing".to_owned()),
            (true, None) => None,
        },
        name: account.name,
    }
}

/// The form of one choice. Errors: `NotFound`.
pub(crate) async fn choice(scope: &Scope, purpose: &str, agent: Option<&str>) -> Result<ChoicePage, AppError> {
    let purpose: Purpose = purpose.parse().map_err(|_| AppError::NotFound)?;
    let agent: Option<AgentId> = agent.filter(|id| !id.is_empty()).map(str::parse).transpose()?;
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    if let Some(agent) = agent
        && (purpose != Purpose::Agent || !choices::has_agent(&mut tx, agent).await?)
    {
        return Err(AppError::NotFound);
    }
    let (mut all, kept) = (accounts::list(&mut tx).await?, choices::all(&mut tx).await?);
    let agents = if purpose == Purpose::Agent { choices::agents(&mut tx).await? } else { Vec::new() };
    drop(tx);
    if purpose == Purpose::Embedding {
        all.retain(|account| account.kind == Provider::OpenaiCompatible);
    }
    let own = kept.iter().find(|one| one.purpose == purpose && one.agent == agent);
    let (mut offers, mut notes) = (Vec::new(), Vec::new());
    for (account, listed) in all.iter().zip(catalogue::listed(scope, &all).await) {
        match listed {
            Ok(models) => {
                let fits = |id: &str| purpose != Purpose::Embedding || id.contains("embed");
                let models = models.iter().filter(|model| fits(&model.id));
                offers.extend(models.map(|model| (model.id.clone(), account.name.clone())));
            }
            Err(why) => notes.push(format!("The models of {} could not be listed. {why}", account.name)),
        }
    }
    offers.truncate(MOST_OFFERS);
    Ok(ChoicePage {
        purpose,
        agent,
        account: own.map(|one| one.account),
        model: own.map(|one| one.model.clone()).unwrap_or_default(),
        accounts: all.into_iter().map(picked).collect(),
        agents,
        offers,
        notes,
    })
}

/// Prices, the newest first.
pub(crate) async fn prices(scope: &Scope, query: &PriceQuery) -> Result<PriceList, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let page = page_of_prices(&mut tx, query, ROWS).await?;
    let all = accounts::list(&mut tx).await?;
    Ok(PriceList { page, accounts: all.into_iter().map(|one| (one.id.to_string(), one.name)).collect() })
}

pub(super) async fn page_of_prices(
    tx: &mut ReadTx,
    query: &PriceQuery,
    limit: usize,
) -> Result<Page<PriceRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let names: HashMap<ConnectionId, String> =
        accounts::list(tx).await?.into_iter().map(|account| (account.id, account.name)).collect();
    let page = prices::list(tx, query, limit).await?;
    Ok(page.map(|row| PriceRow {
        account: names.get(&row.account).cloned().unwrap_or_default(),
        model: row.model,
        from: stamp(row.from, now, zone),
        price: row.price,
        source: row.source,
        by: row.by,
    }))
}

/// What the form of a price needs.
pub(crate) async fn price_form(scope: &Scope) -> Result<PricePage, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (all, kept) = (accounts::list(&mut tx).await?, choices::all(&mut tx).await?);
    let today = tx.now().await?.with_timezone(&scope.zone()).date_naive().to_string();
    let name = |id: ConnectionId| all.iter().find(|one| one.id == id).map(|one| one.name.clone()).unwrap_or_default();
    let mut offers: Vec<(String, String)> = kept.iter().map(|one| (one.model.clone(), name(one.account))).collect();
    offers.sort_unstable();
    offers.dedup();
    Ok(PricePage { offers, today, accounts: all.into_iter().map(picked).collect() })
}
