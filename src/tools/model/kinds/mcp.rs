use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http::{KEPT, check_address, header_lines, number, origin};
use super::{FieldSpec, Function, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;

/// The longest name of such a tool: it stands before the names of its functions.
pub const LONGEST_NAME: usize = 24;
const LONGEST: usize = 64;

/// Functions of a server that speaks the Model Context Protocol. The agent may use those that somebody has chosen, in the words that
/// they had then.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Mcp {
    pub address: String,
    /// Their values are sealed.
    pub secret_headers: Vec<String>,
    pub timeout_seconds: u32,
    #[serde(default)]
    pub chosen: Vec<Offered>,
}

/// A function as the server described it at some moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    /// The server's own name for it.
    pub name: String,
    pub description: String,
    pub parameters: Value,
}

impl Mcp {
    /// The chosen function that a model calls by this name.
    pub fn chosen_as(&self, tool: &str, name: &str) -> Option<&Offered> {
        self.chosen.iter().find(|one| offered_name(tool, &one.name) == name)
    }
}

/// What a model calls a function of a server: the tool's name, and the server's own one in the letters that may be used. One that had to be
/// changed ends with a mark of what it was, so that two of them never become one.
pub fn offered_name(tool: &str, name: &str) -> String {
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let clean: String = name.chars().map(|letter| if is_fine(letter) { letter } else { '_' }).collect();
    let whole = format!("{tool}_{clean}");
    if clean == name && whole.len() <= LONGEST {
        return whole;
    }
    // FNV-1a: the same in every version and on both sides of the wire.
    let mark = name.bytes().fold(0x811c_9dc5_u32, |mark, byte| (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let room = LONGEST - tool.len().min(LONGEST_NAME) - 10;
    format!("{tool}_{}_{mark:08x}", clean.chars().take(room).collect::<String>())
}

impl KindConfig for Mcp {
    fn fields() -> Vec<FieldSpec> {
        vec![
            FieldSpec::new(
                "address",
                "Address of the server",
                Input::Line,
                "Begins with https://. The server speaks MCP by streamable HTTP. Its functions are chosen after this form is saved.",
            )
            .required(),
            FieldSpec::new(
                "secret_headers",
                "Secret headers",
                Input::SecretLines(2),
                "Sent with every request, one per line, for example Authorization: Bearer …. The values are sealed and never shown again.",
            ),
            FieldSpec::new(
                "timeout_seconds",
                "Time limit in seconds",
                Input::Line,
                "1 to 40, for one use of a function. On a call nobody hears anything meanwhile.",
            ),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let address = value(values, "address").to_owned();
        if let Err(message) = check_address(&address, &Value::Null) {
            errors.add("address", message);
        } else if address.contains(['?', '{']) {
            errors.add("address", "Leave out the part from ? on, and braces. A key belongs into the secret headers.");
        }
        let secret = header_lines(value(values, "secret_headers")).unwrap_or_else(|message| {
            errors.add("secret_headers", message);
            Vec::new()
        });
        let own = |name: &str| ["accept", "mcp-session-id", "mcp-protocol-version", "last-event-id"].contains(&name);
        if let Some((name, _)) = secret.iter().find(|(name, _)| own(&name.to_ascii_lowercase())) {
            errors.add("secret_headers", format!("The header {name} is set by Patchbay. Remove its line."));
        }
        Self {
            address,
            secret_headers: secret.into_iter().map(|(name, _)| name).collect(),
            timeout_seconds: number(values, "timeout_seconds", 1, 40, 10, errors),
            chosen: Vec::new(),
        }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let secret: Vec<String> = self.secret_headers.iter().map(|name| format!("{name}: {KEPT}")).collect();
        vec![
            ("address", self.address.clone()),
            ("secret_headers", secret.join("\n")),
            ("timeout_seconds", self.timeout_seconds.to_string()),
        ]
    }

    fn summary(&self) -> String {
        let host = origin(&self.address).split_once("://").map_or("", |(_, host)| host);
        match self.chosen.len() {
            0 => format!("{host}, no functions chosen yet"),
            1 => format!("{host}, one function"),
            count => format!("{host}, {count} functions"),
        }
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": {} })
    }

    fn only_reads(&self) -> bool {
        false
    }

    fn seconds(&self) -> u32 {
        self.timeout_seconds
    }

    fn address(&self) -> Option<&str> {
        Some(&self.address)
    }

    fn functions(&self, tool: &str) -> Option<Vec<Function>> {
        let functions = self.chosen.iter().map(|one| Function {
            name: offered_name(tool, &one.name),
            description: one.description.clone(),
            parameters: one.parameters.clone(),
        });
        Some(functions.collect())
    }

    fn secrets(values: &Values, _: &mut FieldErrors) -> Vec<(String, Option<String>)> {
        let lines = header_lines(value(values, "secret_headers")).unwrap_or_default();
        lines.into_iter().map(|(name, value)| (name, (value != KEPT).then_some(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_two_servers_and_of_one_never_meet() {
        assert_eq!(offered_name("crm", "find_person"), "crm_find_person");
        assert_ne!(offered_name("crm", "find"), offered_name("shop", "find"));
        let (dot, low) = (offered_name("crm", "find.person"), offered_name("crm", "find_person"));
        assert!(dot != low && dot != offered_name("crm", "find/person"), "{dot}");
        let long = offered_name("a_name_of_24_letters_abc", &"x".repeat(300));
        assert!(long.len() <= LONGEST && long != offered_name("a_name_of_24_letters_abc", &"x".repeat(299)), "{long}");
        assert!(super::super::super::schema::is_name(&offered_name("crm", "größe 💥")));
    }
}
