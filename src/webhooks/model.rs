mod form;
mod views;

pub use form::{EndpointFields, EndpointForm};
pub use views::*;

patchbay_shared::words! {
    /// What can be told to others. The words are fixed: receivers read them.
    pub EventType: "text" {
        CallStarted = "call.started", "A call has begun", Mute;
        CallCompleted = "call.completed", "A call was answered and is over", Mute;
        CallFailed = "call.failed", "A call reached nobody", Mute;
        AnalysisCompleted = "analysis.completed", "A call was read by a model", Mute;
        BatchCompleted = "batch.completed", "A batch is over", Mute;
        ContactChanged = "contact.changed", "A contact is new, or its details changed", Mute;
        ContactSuppressed = "contact.suppressed", "A contact must not be called any more", Mute;
        CallbackAsked = "callback.asked", "Somebody wants to be called again", Mute;
        MessageReceived = "message.received", "A contact answered by text message", Mute;
        BudgetNear = "budget.near", "A client’s budget is nearly used up", Mute;
        Test = "test", "A test, sent by hand", Mute;
    }
}

impl EventType {
    /// Those that one can ask for: all but the test, which comes unasked.
    pub fn offered() -> impl Iterator<Item = EventType> {
        Self::ALL.iter().copied().filter(|kind| *kind != EventType::Test)
    }
}

patchbay_shared::words! {
    /// To what an event leads.
    pub Subject: "text" {
        Call = "call", "Call", Mute;
        Batch = "batch", "Batch", Mute;
        Contact = "contact", "Contact", Mute;
        Client = "client", "Client", Mute;
        Test = "test", "Test", Mute;
    }
}
