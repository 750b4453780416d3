//! Who used how much.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Request, number, store};
use crate::model::{AgentUsage, ClientUsage, Compared};
use patchbay_access::server::ReadTx;
use patchbay_metering::model::Sums;
use patchbay_metering::server::days::Found;
use patchbay_shared::ids::{AgentId, ClientId};
use patchbay_shared::{AppError, Money};

type Agents = BTreeMap<Option<AgentId>, Compared>;

/// Clients with their agents in the order that was asked for, and how many others there are, with what they come to.
pub(crate) async fn by_client(
    tx: &mut ReadTx,
    found: &Found,
    before: &Found,
    request: &Request<'_>,
) -> Result<(Vec<ClientUsage>, Option<(i64, Compared)>), AppError> {
    let mut clients: BTreeMap<Option<ClientId>, Agents> = BTreeMap::new();
    for ((client, agent), parts) in &found.agents {
        let row = clients.entry(*client).or_default().entry(*agent).or_default();
        parts.iter().for_each(|part| row.sums.add(part));
        row.spend_by_part = parts.iter().map(|part| number(part.spend())).collect();
    }
    for ((client, agent), parts) in &before.agents {
        let row = clients.entry(*client).or_default().entry(*agent).or_default();
        parts.iter().for_each(|part| row.before.add(part));
    }
    let mut rows: Vec<(Option<ClientId>, Compared, Agents)> =
        clients.into_iter().map(|(client, agents)| (client, together(agents.values()), agents)).collect();
    let ids: Vec<Uuid> = rows.iter().filter_map(|(client, ..)| client.map(|id| id.0)).collect();
    let names = store::client_names(tx, &ids).await?;
    let name_of = |client: Option<ClientId>| client.and_then(|id| names.get(&id).cloned()).unwrap_or_default();
    let (key, descending) = match request.sort.unwrap_or("-spend") {
        key if key.starts_with('-') => (&key[1..], true),
        key => (key, false),
    };
    rows.sort_by_cached_key(|(client, all, _)| (name_of(*client).to_lowercase(), Reverse(all.sums.calls)));
    match key {
        "client" if descending => rows.reverse(),
        "client" => {}
        _ => {
            rows.sort_by_key(|(_, all, _)| amount(&all.sums, key));
            if descending {
                rows.reverse();
            }
        }
    }
    let rest = rows.split_off(rows.len().min(request.most_clients));
    let others = (!rest.is_empty()).then(|| (rest.len() as i64, together(rest.iter().map(|(_, all, _)| all))));
    let ids: Vec<Uuid> =
        rows.iter().flat_map(|(_, _, agents)| agents.keys().filter_map(|id| id.map(|id| id.0))).collect();
    let agent_names = store::agent_names(tx, &ids).await?;
    let clients = rows.into_iter().map(|(id, all, agents)| {
        let mut agents: Vec<AgentUsage> = agents
            .into_iter()
            .map(|(id, all)| AgentUsage {
                id,
                name: id.and_then(|id| agent_names.get(&id).cloned()).unwrap_or_else(|| "No agent".to_owned()),
                all,
            })
            .collect();
        agents.sort_by_key(|agent| Reverse(agent.all.sums.spend()));
        let name = if id.is_some() { name_of(id) } else { "No client".to_owned() };
        ClientUsage { id, name, all, agents }
    });
    Ok((clients.collect(), others))
}

/// What a column is sorted by.
fn amount(sums: &Sums, key: &str) -> (i64, Money) {
    match key {
        "calls" => (sums.calls, Money::default()),
        "minutes" => (sums.seconds, Money::default()),
        "tokens" => (sums.tokens, Money::default()),
        _ => (0, sums.spend()),
    }
}

fn together<'a>(rows: impl Iterator<Item = &'a Compared>) -> Compared {
    let mut all = Compared::default();
    for row in rows {
        all.sums.add(&row.sums);
        all.before.add(&row.before);
        all.spend_by_part.resize(row.spend_by_part.len().max(all.spend_by_part.len()), 0.0);
        all.spend_by_part.iter_mut().zip(&row.spend_by_part).for_each(|(sum, part)| *sum += part);
    }
    all
}
