//! The kinds of tools. A kind is a type that says what its form asks for, what a model may give it and what it is called; what it does is
//! in the file of the same name in `server/kinds`.

mod calendar;
mod contact_lookup;
mod contact_memory;
mod contact_update;
mod email;
mod end_call;
mod http;
mod keypad;
mod knowledge;
mod mcp;
mod team;
mod text_message;
mod transfer;
mod voicemail;
mod web_search;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use calendar::{Calendar, LONGEST_CALENDAR_NAME};
pub use contact_lookup::ContactLookup;
pub use contact_memory::ContactMemory;
pub use contact_update::{ContactField, ContactUpdate};
pub use email::SendEmail;
pub use end_call::EndCall;
pub use http::{Http, Method, as_text, escaped, filled_address, origin};
pub use keypad::Keypad;
pub use knowledge::Knowledge;
pub use mcp::{LONGEST_NAME, Mcp, Offered, offered_name};
pub use team::Team;
pub use text_message::{LONGEST_SPOKEN_TEXT, TextMessage};
pub use transfer::{Destination, Transfer};
pub use voicemail::Voicemail;
pub use web_search::{WebSearch, at};

use patchbay_shared::FieldErrors;

/// What a form sent, by field.
pub type Values = BTreeMap<String, String>;

/// One value of a form, without blanks around it; empty when it was not sent.
pub fn value<'a>(values: &'a Values, name: &str) -> &'a str {
    values.get(name).map_or("", |value| value.trim())
}

/// A field of a kind's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub input: Input,
    pub is_required: bool,
}

/// How a field is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Line,
    /// Several lines of so many rows. Its name must be one of `shared::text`.
    Lines(u32),
    /// Never shown again. Left empty, what is stored stays.
    Secret,
    /// Several lines of secrets: the values are never shown again.
    SecretLines(u32),
    Choice(&'static [(&'static str, &'static str)]),
    Tick,
    /// One tick for each choice that the server knows; the field `name` holds the ids, separated by commas.
    Several(Source),
    /// One of the choices that the server knows.
    One(Source),
}

/// Where the choices of `Input::Several` and `Input::One` come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    KnowledgeCollections,
    Teams,
}

impl FieldSpec {
    pub const fn new(name: &'static str, label: &'static str, input: Input, hint: &'static str) -> Self {
        Self { name, label, hint, input, is_required: false }
    }

    pub const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }
}

/// A function as the model knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// `^[a-zA-Z0-9_-]{1,64}$`
    pub name: String,
    pub description: String,
    /// A JSON Schema, as `schema::check` wants it.
    pub parameters: Value,
}

/// What a kind of tool is made of.
pub trait KindConfig: Sized {
    /// What its form asks for, beside name and description.
    fn fields() -> Vec<FieldSpec>;
    /// Reads the form. What is wrong is added to `errors`; then the value is not used.
    fn read(values: &Values, errors: &mut FieldErrors) -> Self;
    /// The form's values again. A secret is no part of it.
    fn values(&self) -> Vec<(&'static str, String)>;
    /// One line about it, for the list.
    fn summary(&self) -> String;
    /// What the model may give: a JSON Schema.
    fn parameters(&self) -> Value;
    /// Using it twice does nothing more than using it once.
    fn only_reads(&self) -> bool;
    /// The longest that it may take.
    fn seconds(&self) -> u32 {
        10
    }
    /// The voice service's own tool that does it on a live call, with values for its parameters.
    fn built_in(&self) -> Option<(&'static str, Value)> {
        None
    }
    /// Several functions in the place of one that has the tool's own name and description, for a tool of this name.
    fn functions(&self, _tool: &str) -> Option<Vec<Function>> {
        None
    }
    /// The address that it asks, which somebody has typed.
    fn address(&self) -> Option<&str> {
        None
    }
    /// The secrets that the form sent: by name, and with `None` what is to stay as it is stored. Names that are missing are forgotten.
    fn secrets(values: &Values, _errors: &mut FieldErrors) -> Vec<(String, Option<String>)> {
        let specs = Self::fields();
        let secret = specs.iter().filter(|field| field.input == Input::Secret);
        secret
            .map(|field| {
                let given = value(values, field.name);
                (field.name.to_owned(), (!given.is_empty()).then(|| given.to_owned()))
            })
            .collect()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $label:literal, $icon:literal, $usual:literal, $about:literal;)+) => {
        /// What a tool does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ToolKind { $($(#[$doc])* #[serde(rename = $word)] $name),+ }

        /// A kind with what it needs: `agent_tools.tool_config`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum ToolConfig { $(#[serde(rename = $word)] $name($name)),+ }

        impl ToolKind {
            pub const ALL: &'static [ToolKind] = &[$(ToolKind::$name),+];

            pub fn as_str(self) -> &'static str {
                match self { $(ToolKind::$name => $word),+ }
            }

            pub fn label(self) -> &'static str {
                match self { $(ToolKind::$name => $label),+ }
            }

            pub fn icon(self) -> &'static str {
                match self { $(ToolKind::$name => $icon),+ }
            }

            /// The name that a new tool of this kind begins with.
            pub fn usual_name(self) -> &'static str {
                match self { $(ToolKind::$name => $usual),+ }
            }

            /// What a new tool of this kind tells the model.
            pub fn usual_description(self) -> &'static str {
                match self { $(ToolKind::$name => $about),+ }
            }

            pub fn of_word(word: &str) -> Option<ToolKind> {
                match word { $($word => Some(ToolKind::$name),)+ _ => None }
            }

            pub fn fields(self) -> Vec<FieldSpec> {
                match self { $(ToolKind::$name => <$name as KindConfig>::fields()),+ }
            }

            pub fn read(self, values: &Values, errors: &mut FieldErrors) -> ToolConfig {
                match self { $(ToolKind::$name => ToolConfig::$name(KindConfig::read(values, errors))),+ }
            }

            pub fn secrets(self, values: &Values, errors: &mut FieldErrors) -> Vec<(String, Option<String>)> {
                match self { $(ToolKind::$name => <$name as KindConfig>::secrets(values, errors)),+ }
            }
        }

        impl ToolConfig {
            pub fn kind(&self) -> ToolKind {
                match self { $(ToolConfig::$name(_) => ToolKind::$name),+ }
            }

            pub fn values(&self) -> Vec<(&'static str, String)> {
                match self { $(ToolConfig::$name(config) => config.values()),+ }
            }

            pub fn summary(&self) -> String {
                match self { $(ToolConfig::$name(config) => config.summary()),+ }
            }

            pub fn parameters(&self) -> Value {
                match self { $(ToolConfig::$name(config) => config.parameters()),+ }
            }

            pub fn only_reads(&self) -> bool {
                match self { $(ToolConfig::$name(config) => config.only_reads()),+ }
            }

            pub fn seconds(&self) -> u32 {
                match self { $(ToolConfig::$name(config) => config.seconds()),+ }
            }

            pub fn built_in(&self) -> Option<(&'static str, Value)> {
                match self { $(ToolConfig::$name(config) => config.built_in()),+ }
            }

            pub fn address(&self) -> Option<&str> {
                match self { $(ToolConfig::$name(config) => config.address()),+ }
            }

            /// What the model is offered, for a tool of this name and description.
            pub fn functions(&self, name: &str, description: &str) -> Vec<Function> {
                let several = match self { $(ToolConfig::$name(config) => config.functions(name)),+ };
                several.unwrap_or_else(|| {
                    let parameters = self.parameters();
                    vec![Function { name: name.to_owned(), description: description.to_owned(), parameters }]
                })
            }
        }
    };
}

kinds! {
    ContactLookup = "contact_lookup", "Contact look-up", "contact", "contact_lookup",
        "Looks up who is on the call, or a contact by telephone number or name. Use it before you ask for details that may be known.";
    ContactUpdate = "contact_update", "Contact update", "contact", "contact_update",
        "Changes what is stored about the person on the call. Use it when they correct or add a detail, and repeat the detail to them first.";
    ContactMemory = "contact_memory", "Contact memory", "history", "contact_memory",
        "Reads or writes notes about the person on the call, for later calls. Read them at the beginning; write down what they will want you to remember.";
    Knowledge = "knowledge", "Knowledge search", "book-open", "search_knowledge",
        "Searches the agency’s documents. Use it before you answer a question about facts, and say where the answer stands.";
    Keypad = "keypad", "Keypad tones", "hash", "press_keys",
        "Presses keys of the telephone, for menus that ask for a number.";
    Transfer = "transfer", "Transfer to a person", "phone-forwarded", "transfer_call",
        "Puts the caller through to a person. Use it when they ask for somebody, or when you cannot help, and tell them whom you ring.";
    EndCall = "end_call", "End call", "phone-off", "end_call",
        "Ends the call. Use it after both have said goodbye.";
    Voicemail = "voicemail", "Leave voicemail", "voicemail", "leave_voicemail",
        "Leaves a message when an answering machine has answered, and ends the call.";
    WebSearch = "web_search", "Web search", "search", "search_web",
        "Searches the web. Use it for facts that are not in the agency’s documents, and say where you found them.";
    SendEmail = "send_email", "Send e-mail", "mail", "send_email",
        "Sends an e-mail in the agency’s name. Use it when they ask for something in writing, and tell them what you send.";
    TextMessage = "send_text", "Send a text message", "message-square", "send_text",
        "Sends a text message (SMS) to whoever is on the line. Use it when they want something in writing, and tell them what you send.";
    Calendar = "calendar", "Calendar (Cal.com)", "calendar-clock", "calendar",
        "Finds free times and books, moves and cancels appointments at Cal.com.";
    Team = "team", "Ask a team", "users", "ask_team",
        "Hands work to a team of agents that looks things up and does them. Use it for what you cannot do yourself, and tell the caller that you do.";
    Mcp = "mcp", "MCP server", "share-2", "",
        "Functions of a server that speaks MCP. You choose which of them the agent may use.";
    Http = "http", "Custom HTTP", "globe", "", "";
}

impl ToolKind {
    /// It offers several functions that say themselves what they do; its name stands before theirs.
    pub fn has_functions(self) -> bool {
        matches!(self, ToolKind::Mcp | ToolKind::Calendar)
    }

    /// The longest name of such a tool.
    pub fn longest_name(self) -> usize {
        match self {
            ToolKind::Mcp => LONGEST_NAME,
            ToolKind::Calendar => LONGEST_CALENDAR_NAME,
            _ => 64,
        }
    }

    /// It needs to know whose contact is on the call.
    pub fn is_about_contacts(self) -> bool {
        matches!(
            self,
            ToolKind::ContactLookup
                | ToolKind::ContactUpdate
                | ToolKind::ContactMemory
                | ToolKind::SendEmail
                | ToolKind::TextMessage
                | ToolKind::Calendar
        )
    }
}

impl std::fmt::Display for ToolKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ToolKind {
    type Err = patchbay_shared::AppError;

    /// A word that is none names nothing: not found.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::of_word(word).ok_or(patchbay_shared::AppError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_several_lines_are_known_as_such() {
        for kind in ToolKind::ALL {
            for field in kind.fields() {
                if matches!(field.input, Input::Lines(_) | Input::SecretLines(_)) {
                    assert_eq!(patchbay_shared::text::fault(field.name, "one\r\ntwo"), None, "{}", field.name);
                }
            }
        }
    }
}
