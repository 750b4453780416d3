//! One id type per noun, so that a contact's id cannot stand where a call's is wanted.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::AppError;

            /// An id that is no id names nothing: not found.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self).map_err(|_| crate::AppError::NotFound)
            }
        }

        #[cfg(feature = "ssr")]
        impl $name {
            /// A new id (UUIDv7: newer ids sort later).
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        #[cfg(feature = "ssr")]
        impl sqlx::Type<sqlx::Postgres> for $name {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                <uuid::Uuid as sqlx::Type<sqlx::Postgres>>::type_info()
            }
        }

        #[cfg(feature = "ssr")]
        impl<'r> sqlx::Decode<'r, sqlx::Postgres> for $name {
            fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                <uuid::Uuid as sqlx::Decode<sqlx::Postgres>>::decode(value).map(Self)
            }
        }

        #[cfg(feature = "ssr")]
        impl sqlx::Encode<'_, sqlx::Postgres> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut sqlx::postgres::PgArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                <uuid::Uuid as sqlx::Encode<sqlx::Postgres>>::encode_by_ref(&self.0, buffer)
            }
        }
    )*};
}

ids! {
    /// An agency's account.
    WorkspaceId,
    /// A person who signs in.
    UserId,
    InvitationId,
    ApiKeyId,
    SupportSessionId,
    /// A customer of the agency.
    ClientId,
    AgentId,
    AgentMappingId,
    AgentToolId,
    /// Times at which an agent runs by itself.
    AgentScheduleId,
    /// An address at which others set an agent off.
    AgentTriggerId,
    /// What an agency gives to its clients.
    AgentTemplateId,
    ToolInvocationId,
    /// A person who is rung so that a call is given to them.
    CallTransferId,
    /// What an agent wrote down about a contact.
    ContactMemoryId,
    PromptId,
    /// A move of a prompt's label, done or asked for.
    PromptMoveId,
    SkillId,
    /// An archive of skills that somebody has to look at.
    SkillImportId,
    /// A collection of knowledge.
    CollectionId,
    /// A file or page in a collection.
    EntryId,
    /// A passage of a file.
    ChunkId,
    ConnectionId,
    NumberId,
    ContactId,
    ImportId,
    CampaignId,
    CampaignContactId,
    BatchId,
    CallBackId,
    CallId,
    WebhookId,
    JobId,
    /// An import of past calls.
    HistoricalSyncId,
    CallGapId,
    /// What an agent did, in a call or a test.
    RunId,
    /// Errors that have the same cause.
    ErrorCauseId,
    /// A test of an agent.
    TestCaseId,
    /// Cases of an agent, run together.
    SuiteRunId,
    /// One case in such a run.
    TestRunId,
    /// The same cases run with several versions and models.
    TestGridId,
    /// How work is done: by a model, or by a command.
    EngineId,
    /// Where work is done.
    TargetId,
    /// The breaker of an engine on a target.
    CircuitId,
    ExecutionJobId,
    /// One try of a job.
    AttemptId,
    /// A file that a job gave back.
    ArtefactId,
    /// A question to a person before something is done.
    ApprovalId,
    TeamId,
    TeamAgentId,
    SupervisorRunId,
    /// Messages of one conversation with a team.
    SessionId,
    /// A question to a team that was kept, with what is expected.
    TeamCaseId,
    /// Where another system is told of events.
    WebhookEndpointId,
    /// Something that happened and that other systems asked to be told.
    WebhookEventId,
    /// An event for one endpoint.
    DeliveryId,
    /// A system that a client uses.
    IntegrationId,
    /// A sign-in at another system.
    TokenId,
    SyncId,
    /// What a sync did with one record.
    SyncRecordId,
    /// A record that waits to be read or written.
    PendingRecordId,
    /// A message to or from a system that takes them one by one.
    IntegrationMessageId,
    /// What sends a text message after a call.
    TextRuleId,
    TextMessageId,
}
