//! Has a model read a transcript and stores what it read. The transcript is data: whatever it says, the answer must fit the schema,
//! and evidence counts only if it was really said.

mod answer;
mod prompt;
mod schema;

use answer::Answer;

use super::ended::AskedBack;
use super::enrich::{notify, refused, taken_over};
use super::store::{self, enrichment};
use super::{outcomes, told};
use crate::model::CampaignType;
use crate::model::analysis::HeardOutcome;
use crate::model::{Analysis, AnalysisStatus, CsAnalysis, Said, SdrAnalysis};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_jobs::lease::{self, Claim, ENRICHMENTS};
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_metering::server::usage::{NewUsage, record};
use patchbay_models::model::Purpose;
use patchbay_models::server as models;
use patchbay_providers::chat::{ChatAnswer, ChatMessage, ChatRequest};
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::ids::CallId;
use patchbay_webhooks::model::EventType;

/// Goes up when the prompt or the schema changes, so that results can be told apart.
pub(crate) const PROMPT_VERSION: i32 = 3;
/// In tokens; twice as much is allowed in each further attempt, because an answer that was cut off would be cut off again.
const LONGEST_ANSWER: u32 = 4000;
/// After so many attempts an answer of no use is not paid for again.
const MOST_ANSWERS: i32 = 3;

/// Asks the model and stores its reading. Doing it twice is safe; it costs twice.
pub(super) async fn read(scope: &Scope, claim: &Claim, call: CallId) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let facts = enrichment::facts(tx.reading(), call).await?;
    let turns = store::detail::turns(tx.reading(), call, true).await?;
    let spoken: Vec<(i32, &str)> =
        turns.iter().filter(|turn| turn.by != Said::Tool).map(|turn| (turn.position, turn.text.as_str())).collect();
    if spoken.is_empty() {
        // Nobody spoke, so there is nothing to read, and that is no failure.
        enrichment::set_analysis_status(&mut tx, call, AnalysisStatus::Completed).await?;
        super::counted::touch(&mut tx, call).await?;
        told::tell(&mut tx, &[(call, EventType::AnalysisCompleted)]).await?;
        return finish(tx, claim, call, facts.client_id).await;
    }
    enrichment::set_analysis_status(&mut tx, call, AnalysisStatus::Processing).await?;
    notify(&mut tx, call, facts.client_id);
    tx.commit().await?;

    let kind = facts.campaign_type.unwrap_or(CampaignType::Cs);
    let chosen = models::chosen(scope, Purpose::Analysis, None).await?;
    let request = ChatRequest {
        model: chosen.model.clone(),
        messages: vec![
            ChatMessage::System(prompt::task(kind).to_owned()),
            ChatMessage::User(prompt::transcript(&facts, kind, &turns)),
        ],
        temperature: Some(0.0),
        max_tokens: Some(LONGEST_ANSWER << (claim.attempt - 1).clamp(0, MOST_ANSWERS - 1)),
        answer_schema: Some(schema::of(kind)),
        tools: Vec::new(),
    };
    let mut answer = match chosen.provider.complete(&request).await {
        Ok(answer) => answer,
        Err(error) => return Err(refused(scope, &chosen.connection.to_string(), &error).await),
    };

    let mut tx = scope.write(Action::ReplayQueues).await?;
    let now = tx.reading().now().await?;
    answer.usage.cost = models::priced(tx.reading(), chosen.connection, &chosen.model, now, &answer.usage).await?;
    if let Some(cost) = answer.usage.cost {
        enrichment::add_model_cost(&mut tx, call, cost).await?;
    }
    record(
        &mut tx,
        NewUsage {
            agent_id: facts.agent_id,
            client_id: facts.client_id,
            call_id: Some(call),
            session_id: Some(answer.id.clone()).filter(|id| !id.is_empty()),
            user_id: None,
            purpose: "analysis",
            model: answer.model.clone(),
            usage: answer.usage.clone(),
        },
    )
    .await?;
    let analysis = match parse(&answer, kind) {
        Ok(analysis) => analysis.checked(&spoken),
        Err(error) => {
            // The answer is of no use, and it cost money all the same.
            tx.commit().await?;
            let permanent = error.kind == Kind::Rejected || claim.attempt >= MOST_ANSWERS;
            return Err(Failure { error: error.sentence(), retry_after: None, permanent });
        }
    };
    enrichment::record_analysis(
        &mut tx,
        call,
        facts.client_id,
        &analysis,
        &answer.model,
        PROMPT_VERSION,
        &answer.usage,
    )
    .await?;
    let reading = analysis.reading();
    if reading.outcome == HeardOutcome::CallbackScheduled {
        let (words, at) = (reading.callback_words.as_deref(), reading.callback_at.as_deref());
        outcomes::ask_back(&mut tx, AskedBack { call, words, at }).await?;
    }
    outcomes::settle(&mut tx, call).await?;
    super::counted::touch(&mut tx, call).await?;
    told::tell(&mut tx, &[(call, EventType::AnalysisCompleted)]).await?;
    finish(tx, claim, call, facts.client_id).await
}

/// Marks the work as done in the transaction that holds its effect.
async fn finish(
    mut tx: WriteTx,
    claim: &Claim,
    call: CallId,
    client: Option<patchbay_shared::ids::ClientId>,
) -> Result<Verdict, Failure> {
    if !lease::finish(tx.conn(), ENRICHMENTS, claim).await? {
        return Err(taken_over());
    }
    notify(&mut tx, call, client);
    tx.commit().await?;
    Ok(Verdict::Marked)
}

fn parse(answer: &ChatAnswer, kind: CampaignType) -> Result<Analysis, ProviderError> {
    match kind {
        CampaignType::Sdr => answer.parse_json::<Answer<SdrAnalysis>>().map(|Answer(sdr)| Analysis::Sdr(sdr)),
        CampaignType::Cs => answer.parse_json::<Answer<CsAnalysis>>().map(|Answer(cs)| Analysis::Cs(cs)),
    }
}
