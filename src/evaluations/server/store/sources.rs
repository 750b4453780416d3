//! What tests begin with: a prompt's versions, accounts of models, and the words of a call (tables of others: read only).

use uuid::Uuid;

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CallId, PromptId, RunId};

/// The prompt of an agent, with its versions, newest first, and their labels. None: it has no prompt.
pub(crate) struct Versions {
    pub prompt: PromptId,
    pub name: String,
    pub versions: Vec<(i32, Vec<String>)>,
}

pub(crate) async fn versions(tx: &mut ReadTx, agent: AgentId) -> Result<Option<Versions>, AppError> {
    let rows = sqlx::query!(
        "select p.id, p.name, v.version, v.labels
         from agents a
         join prompts p on p.workspace_id = $1 and p.id = a.prompt_service_id
         join prompt_versions v on v.workspace_id = $1 and v.prompt_id = p.id
         where a.workspace_id = $1 and a.id = $2 order by v.version desc limit 500",
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let (prompt, name) = (PromptId(first.id), first.name.clone());
    Ok(Some(Versions { prompt, name, versions: rows.into_iter().map(|row| (row.version, row.labels)).collect() }))
}

/// A call that a case is made from.
pub(crate) struct Call {
    pub agent: Option<Uuid>,
    pub summary: String,
    pub contact_name: String,
    pub numbers: Vec<String>,
    /// Of the contact: name, number, e-mail address, company, and its other details.
    pub contact: Option<Contact>,
}

pub(crate) struct Contact {
    pub name: String,
    pub phone: String,
    pub email: Option<String>,
    pub details: Vec<(String, String)>,
}

/// Errors: `NotFound`.
pub(crate) async fn call(tx: &mut ReadTx, id: CallId) -> Result<Call, AppError> {
    let row = sqlx::query!(
        r#"select c.agent_id, coalesce(c.summary, '') as "summary!", c.contact_name, c."from" as from_number, c."to" as to_number,
                  k.name as "name?", k.phone as "phone?", k.email as "email?", k.attributes as "attributes?"
           from calls c left join contacts k on k.workspace_id = $1 and k.id = c.contact_id
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let details = row.attributes.as_ref().and_then(serde_json::Value::as_object).into_iter().flatten();
    let details: Vec<(String, String)> =
        details.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    let contact =
        row.phone.map(|phone| Contact { name: row.name.unwrap_or_default(), phone, email: row.email, details });
    Ok(Call {
        agent: row.agent_id,
        summary: row.summary,
        contact_name: row.contact_name,
        numbers: row.from_number.into_iter().chain(row.to_number).collect(),
        contact,
    })
}

/// A part of a call's transcript.
pub(crate) struct Spoken {
    /// `agent`, `user`, `tool_call` or `tool_result`.
    pub role: String,
    pub text: String,
    pub tool: Option<String>,
}

/// The words of a call, in their order.
pub(crate) async fn words(tx: &mut ReadTx, id: CallId) -> Result<Vec<Spoken>, AppError> {
    Ok(sqlx::query_as!(
        Spoken,
        "select role, text, tool_name as tool from call_messages where workspace_id = $1 and call_id = $2 order by position limit 500",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The agent of a run, and its call. Errors: `NotFound`.
pub(crate) async fn run(tx: &mut ReadTx, id: RunId) -> Result<(Option<AgentId>, Option<CallId>), AppError> {
    let row = sqlx::query!(
        r#"select agent_id as "agent: AgentId", call_id as "call: CallId" from agent_runs where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.agent, row.call))
}

/// What was said in a run that is no call, and what tools were asked and answered, in their order.
pub(crate) async fn words_of_run(tx: &mut ReadTx, id: RunId) -> Result<Vec<Spoken>, AppError> {
    let rows = sqlx::query!(
        r#"select event_type, message, coalesce(payload->>'input', '') as "input!", coalesce(payload->>'output', '') as "output!"
           from run_logs where workspace_id = $1 and run_id = $2 and event_type in ('user_input', 'tool_call') order by step limit 500"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let mut words = Vec::with_capacity(rows.len());
    for row in rows {
        let mut say =
            |role: &str, text: String, tool: Option<String>| words.push(Spoken { role: role.to_owned(), text, tool });
        match row.event_type.as_str() {
            "user_input" => say("user", row.input, None),
            _ => {
                say("tool_call", row.input, Some(row.message.clone()));
                say("tool_result", row.output, Some(row.message));
            }
        }
    }
    Ok(words)
}
