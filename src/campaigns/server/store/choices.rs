use crate::{Campaign, CampaignChoices, Choice, FILLED_BY_CONTACT};
use patchbay_access::server::ReadTx;
use patchbay_prompts::model::variables;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ClientId, NumberId};

/// Agents, numbers and imports that a campaign of `client` may use. Without a client, only the clients to choose from.
pub(crate) async fn for_client(tx: &mut ReadTx, client: Option<ClientId>) -> Result<CampaignChoices, AppError> {
    let mut choices = CampaignChoices::default();
    let clients = patchbay_clients::server::names(tx).await?;
    choices.clients =
        clients.into_iter().map(|row| Choice { id: row.id.to_string(), label: row.name, note: None }).collect();
    // A client's own people have no client to choose.
    let Some(client) = client.or(tx.scope().client_id()) else { return Ok(choices) };
    let found = choices.clients.iter().find(|choice| choice.id == client.to_string()).ok_or(AppError::NotFound)?;
    (choices.client_name, choices.client_id) = (found.label.clone(), Some(client));
    agents(tx, client, &mut choices).await?;
    choices.numbers = numbers(tx, client).await?;
    choices.imports = imports(tx, client).await?;
    Ok(choices)
}

async fn agents(tx: &mut ReadTx, client: ClientId, choices: &mut CampaignChoices) -> Result<(), AppError> {
    let rows = sqlx::query!(
        r#"select a.id, a.name, a.status = 'active' as "is_live!", coalesce(p.template, '') as "template!",
                  exists (select from agent_mappings m where m.workspace_id = $1 and m.agent_id = a.id and m.client_id = $2
                          and m.provider_agent_id is not null) as "is_mapped!"
           from agents a left join prompts p on p.workspace_id = $1 and p.id = a.prompt_service_id
           where a.workspace_id = $1 and a.is_active
             and (a.client_id is null or a.client_id = $2)
           order by a.name, a.id limit 500"#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_all(tx.conn())
    .await?;
    for row in rows {
        let note = match (row.is_live, row.is_mapped) {
            (false, _) => Some("not active yet".to_owned()),
            (true, false) => Some("not set up for this client yet".to_owned()),
            (true, true) => None,
        };
        choices.placeholders.push((row.id.to_string(), variables(&row.template)));
        choices.agents.push(Choice { id: row.id.to_string(), label: row.name, note });
    }
    Ok(())
}

async fn numbers(tx: &mut ReadTx, client: ClientId) -> Result<Vec<Choice>, AppError> {
    let rows = sqlx::query!(
        r#"select id, number, client_id is null as "is_agencys!" from agency_phone_numbers
           where workspace_id = $1 and status = 'active' and (client_id is null or client_id = $2)
             and (provider = 'telnyx' or 'voice' = any(capabilities))
           order by client_id nulls last, number limit 500"#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Choice {
            id: row.id.to_string(),
            label: row.number,
            note: row.is_agencys.then(|| "the agency's number".to_owned()),
        })
        .collect())
}

/// The newest imports of the client: contacts are added by where they came from.
async fn imports(tx: &mut ReadTx, client: ClientId) -> Result<Vec<Choice>, AppError> {
    let rows = sqlx::query!(
        "select id, file_name, imported_rows + updated_rows as rows from contact_imports
         where workspace_id = $1 and client_id = $2 and status in ('completed', 'cancelled') and imported_rows + updated_rows > 0
         order by id desc limit 50",
        tx.workspace_uuid(),
        client.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Choice {
            id: row.id.to_string(),
            label: row.file_name,
            note: row.rows.map(|rows| patchbay_shared::money::counted(rows, "contact", "contacts")),
        })
        .collect())
}

/// Whether the agent may call for the client, and the number may be its caller id.
pub(crate) async fn fit(
    tx: &mut ReadTx,
    client: ClientId,
    agent: AgentId,
    number: NumberId,
) -> Result<(bool, bool), AppError> {
    let row = sqlx::query!(
        r#"select exists (select from agents a where a.workspace_id = $1 and a.id = $3 and a.is_active
                          and (a.client_id is null or a.client_id = $2)) as "agent!",
                  exists (select from agency_phone_numbers n where n.workspace_id = $1 and n.id = $4 and n.status = 'active'
                          and (n.client_id is null or n.client_id = $2)
                          and (n.provider = 'telnyx' or 'voice' = any(n.capabilities))) as "number!""#,
        tx.workspace_uuid(),
        client.0,
        agent.0,
        number.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.agent, row.number))
}

/// What stands between a campaign and its first call, each with what to do.
pub(crate) async fn obstacles(tx: &mut ReadTx, campaign: &Campaign) -> Result<Vec<String>, AppError> {
    let mut found = Vec::new();
    let agent = sqlx::query!(
        r#"select a.status = 'active' as "is_live!", a.is_active,
                  coalesce(a.client_id <> $3, false) as "is_anothers!",
                  (select m.provider_agent_id is not null from agent_mappings m
                   where m.workspace_id = $1 and m.agent_id = a.id and m.client_id = $3 limit 1) as is_mapped
           from agents a where a.workspace_id = $1 and a.id = $2"#,
        tx.workspace_uuid(),
        campaign.agent_id.0,
        campaign.client_id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    match agent {
        Some(agent) if !agent.is_active => {
            found.push("The agent was deleted. Choose another one in the settings.".into())
        }
        Some(agent) if agent.is_anothers => {
            found.push("The agent works for another client now. Choose another one in the settings.".into());
        }
        Some(agent) if !agent.is_live => found.push("The agent is not active. Activate it on its page.".into()),
        Some(agent) if agent.is_mapped != Some(true) => {
            found.push(format!(
                "The agent is not set up for {} at the voice provider. Add the client on the agent's page.",
                campaign.client_name
            ));
        }
        _ => {}
    }
    if !campaign.client_is_active {
        found.push("The client is archived. Restore it on its page.".into());
    }
    if !campaign.number_is_ours {
        found.push("The number belongs to another client now. Choose another one in the settings.".into());
    } else if !campaign.number_is_active {
        found.push("The number is not active. Activate it, or choose another one in the settings.".into());
    }
    Ok(found)
}

/// The prompt's names that neither the campaign, nor every call, nor the newest contacts' attributes fill.
pub async fn missing_variables(tx: &mut ReadTx, campaign: &Campaign) -> Result<Vec<String>, AppError> {
    let template = sqlx::query_scalar!(
        "select p.template from agents a join prompts p on p.workspace_id = $1 and p.id = a.prompt_service_id
         where a.workspace_id = $1 and a.id = $2",
        tx.workspace_uuid(),
        campaign.agent_id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(template) = template else { return Ok(Vec::new()) };
    tx.read_in_order().await?;
    let known = sqlx::query_scalar!(
        r#"select distinct jsonb_object_keys(c.attributes) as "key!" from (
             select attributes from contacts where workspace_id = $1 and client_id = $2 order by id desc limit 200) c"#,
        tx.workspace_uuid(),
        campaign.client_id.0
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    Ok(variables(&template)
        .into_iter()
        .filter(|name| {
            !FILLED_BY_CONTACT.contains(&name.as_str())
                && !campaign.variables.contains_key(name)
                && !known.iter().any(|key| key == name)
        })
        .collect())
}
