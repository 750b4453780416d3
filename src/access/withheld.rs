//! What a client's people read of their own client's rows, field by field. The one place that decides it: pages, downloads, the API and the
//! audit log ask here, on the server, before an answer is made. Whoever belongs to the agency reads every field.

use super::Viewer;
use super::viewer::ViewerClient;

/// When a client's people read a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Never: it is about the agency's accounts, prices or ways.
    Never,
    /// As far as the agency shares cost with this client, and so on.
    WithCost,
    WithRecordings,
    WithSteps,
    WithPrompts,
}

impl Shown {
    fn to(self, client: &ViewerClient) -> bool {
        match self {
            Shown::Never => false,
            Shown::WithCost => client.shares_cost,
            Shown::WithRecordings => client.shares_recordings,
            Shown::WithSteps => client.shares_steps,
            Shown::WithPrompts => client.shares_prompts,
        }
    }

    /// In words, for the documentation.
    pub fn text(self) -> &'static str {
        match self {
            Shown::Never => "never",
            Shown::WithCost => "when cost is shared",
            Shown::WithRecordings => "when recordings are shared",
            Shown::WithSteps => "when steps are shared",
            Shown::WithPrompts => "when prompts are shared",
        }
    }
}

macro_rules! fields {
    ($($field:ident: $shown:ident, $columns:literal, $instead:literal;)+) => {
        /// A field, or several that are one thing to whoever reads them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Field { $(#[doc = $columns] $field),+ }

        impl Field {
            pub const ALL: &'static [Field] = &[$(Field::$field),+];

            /// When a client's people read it.
            pub fn shown(self) -> Shown {
                match self { $(Field::$field => Shown::$shown),+ }
            }

            /// Where it lies in the database, or what it is made of.
            pub fn columns(self) -> &'static str {
                match self { $(Field::$field => $columns),+ }
            }

            /// What stands in its place.
            pub fn instead(self) -> &'static str {
                match self { $(Field::$field => $instead),+ }
            }
        }
    };
}

fields! {
    Cost: WithCost, "calls.voice_cost, carrier_cost, model_cost, billed_seconds; token_usage.cost; text_messages.cost_usd; the costs of billing_usage with billing_model_usage and billing_text_usage", "nothing";
    Recording: WithRecordings, "calls.recording_key, recording_peaks", "nothing";
    Steps: WithSteps, "call_messages of tools", "nothing";
    ToolUses: Never, "tool_invocations", "nothing: the step, where steps are shared";
    Prompt: WithPrompts, "calls.prompt_id, prompt_version; prompt_versions.template", "nothing";
    BatchTrouble: Never, "call_batches.pause_reason, error", "the sentence of call_batches.obstacle";
    CallError: Never, "calls.error, missed_reason; campaign_contacts.last_error", "“The call could not be placed or broke off.”";
    EnrichmentError: Never, "enrichment_queue.last_error", "nothing";
    Transfer: Never, "call_transfers.number, why", "the person’s name, and whether they answered";
    Provider: Never, "calls.provider, provider_call_id, source, end reasons that only the provider knows", "nothing";
    ProviderEvents: Never, "call_events", "nothing";
    Model: Never, "call_analyses.model, prompt_tokens, completion_tokens", "nothing";
    AgentMakeup: Never, "agents.description, language, llm_model, tags; agent_mappings", "nothing: the agent's name and state";
    AuditOrigin: Never, "audit_events.ip, request_id, api_key_id, the key’s name in actor", "nothing";
}

/// What a client's people read in place of `Field::CallError`.
pub const CALL_TROUBLE: &str = "The call could not be placed or broke off.";

/// What stands between a person and the name of their key, where the audit log says who.
pub(crate) const KEY_BEGINS: &str = " with the key “";

/// Who, as whoever may not read `Field::AuditOrigin` reads it: without the name of the key. The log keeps the whole text, which its hashes
/// cover. A person whose own name holds these words is cut there, too: rather too little than a key's name.
pub fn without_key(actor: &str) -> &str {
    actor.split_once(KEY_BEGINS).map_or(actor, |(person, _)| person)
}

impl Viewer {
    /// Whether this person reads the field.
    pub fn sees(&self, field: Field) -> bool {
        match &self.client {
            Some(client) => field.shown().to(client),
            None => self.role.is_agency(),
        }
    }
}

/// What a client's people read of an event of the audit log that is about their client: the fields that its before and after may show,
/// by entity. An entity or a field that nobody has thought of here is withheld.
pub fn audit_shows(entity: &str, field: &str) -> bool {
    let only = |fields: &[&str]| fields.contains(&field);
    match entity {
        // What they made themselves, and what they are asked about.
        "contact" | "import" | "invitation" | "brand" => true,
        // Not where somebody signed in from, and not whose people they were before.
        "export" => only(&["file", "rows"]),
        "user" => only(&[
            "name",
            "email",
            "role",
            "status",
            "timezone",
            "invitation",
            "device",
            "refused",
            "link",
            "sessions",
            "other sessions",
            "authenticator app",
            "codes",
            "passkey",
            "passkeys",
            "host",
        ]),
        "call" => only(&["what", "reviewed", "transcript", "analysis", "transcript_status", "analysis_status"]),
        "campaign" => only(&[
            "name",
            "type",
            "goal",
            "variables",
            "calling_window",
            "max_attempts",
            "retry_minutes",
            "status",
            "added",
            "removed",
            "from",
        ]),
        "batch" => only(&[
            "name",
            "campaign",
            "mode",
            "scheduled_for",
            "concurrency",
            "contacts",
            "contacts_returned",
            "status",
        ]),
        "client" => {
            only(&["name", "timezone", "status"]) || field.starts_with("shares_") || field.starts_with("admins_")
        }
        // Not what it costs, and not whose it was before.
        "phone_number" => only(&["number", "status"]),
        "text_message" => only(&["contact", "characters"]),
        "agent" => only(&["name"]),
        _ => false,
    }
}
