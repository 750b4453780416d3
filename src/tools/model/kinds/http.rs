use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::schema;
use super::{FieldSpec, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;

/// What stands for a stored secret in the form.
pub(super) const KEPT: &str = "•••";
/// Headers of the request itself, which nobody sets by hand.
const RESERVED: [&str; 8] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "proxy-authorization",
    "idempotency-key",
    "content-type",
];
const MOST_HEADERS: usize = 20;
const LONGEST_TIMEOUT: u32 = 40;

/// How a request is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    #[default]
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [Method; 5] = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Sent twice it does no more than once (RFC 9110, 9.2.2).
    pub fn is_idempotent(self) -> bool {
        matches!(self, Method::Get | Method::Put | Method::Delete)
    }

    pub fn has_body(self) -> bool {
        matches!(self, Method::Post | Method::Put | Method::Patch)
    }
}

/// Asks an address on the internet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Http {
    pub method: Method,
    /// With `{names}` of parameters in its path or query.
    pub address: String,
    pub schema: Value,
    pub headers: Vec<(String, String)>,
    /// The names of the headers whose values are sealed.
    pub secret_headers: Vec<String>,
    pub timeout_seconds: u32,
    /// Further tries when the service is busy or does not answer; for methods that may be sent twice.
    pub retries: u32,
}

/// Scheme, host and port of an address: where its secrets go.
pub fn origin(address: &str) -> &str {
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find(['/', '?']).map_or(address.len(), |at| host + at);
    &address[..end]
}

impl KindConfig for Http {
    fn fields() -> Vec<FieldSpec> {
        const METHODS: &[(&str, &str)] =
            &[("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE")];
        vec![
            FieldSpec::new("method", "Method", Input::Choice(METHODS), "").required(),
            FieldSpec::new(
                "address",
                "Address",
                Input::Line,
                "An https address. {name} stands for a parameter: https://api.example.com/customers/{customer_id}. Parameters that are not in it are sent as JSON, or as the query of GET and DELETE. Keys belong into secret headers, not into the address.",
            )
            .required(),
            FieldSpec::new(
                "schema",
                "Parameters",
                Input::Lines(12),
                "A JSON Schema of an object. Use type, description, properties, required, items, enum and anyOf: other words are refused by some model services.",
            )
            .required(),
            FieldSpec::new("headers", "Headers", Input::Lines(3), "One per line, as Name: value. Not for secrets."),
            FieldSpec::new(
                "secret_headers",
                "Secret headers",
                Input::SecretLines(3),
                "One per line, as Authorization: Bearer …. Stored encrypted and never shown again; ••• keeps the stored value, and a line that you remove is forgotten.",
            ),
            FieldSpec::new("timeout_seconds", "Timeout in seconds", Input::Line, "1 to 40. The caller hears silence meanwhile."),
            FieldSpec::new("retries", "Retries", Input::Line, "0 to 3, within the timeout. For GET, PUT and DELETE, which may be sent twice."),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let method = Method::ALL.into_iter().find(|method| method.as_str() == value(values, "method"));
        if method.is_none() {
            errors.add("method", "Choose a method.");
        }
        let method = method.unwrap_or_default();
        let schema = schema::read(value(values, "schema")).unwrap_or_else(|message| {
            errors.add("schema", message);
            Value::Null
        });
        let address = value(values, "address").to_owned();
        if let Err(message) = check_address(&address, &schema) {
            errors.add("address", message);
        }
        let headers = match header_lines(value(values, "headers")) {
            Ok(headers) if headers.iter().any(|(_, value)| value == KEPT) => {
                errors.add("headers", "••• stands for a stored secret. Secrets go into the field below.");
                Vec::new()
            }
            Ok(headers) => headers,
            Err(message) => {
                errors.add("headers", message);
                Vec::new()
            }
        };
        let secret = header_lines(value(values, "secret_headers")).unwrap_or_else(|message| {
            errors.add("secret_headers", message);
            Vec::new()
        });
        let is_twice = |name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        if let Some((name, _)) = secret.iter().find(|(name, _)| is_twice(name)) {
            errors.add("secret_headers", format!("The header {name} is in both lists. Keep it in one."));
        }
        Self {
            method,
            address,
            schema,
            headers,
            secret_headers: secret.into_iter().map(|(name, _)| name).collect(),
            timeout_seconds: number(values, "timeout_seconds", 1, LONGEST_TIMEOUT, 10, errors),
            retries: number(values, "retries", 0, 3, 0, errors),
        }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let lines = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join("\n");
        vec![
            ("method", self.method.as_str().to_owned()),
            ("address", self.address.clone()),
            ("schema", serde_json::to_string_pretty(&self.schema).unwrap_or_default()),
            ("headers", lines(&mut self.headers.iter().map(|(name, value)| format!("{name}: {value}")))),
            ("secret_headers", lines(&mut self.secret_headers.iter().map(|name| format!("{name}: {KEPT}")))),
            ("timeout_seconds", self.timeout_seconds.to_string()),
            ("retries", self.retries.to_string()),
        ]
    }

    fn summary(&self) -> String {
        let rest = self.address.split_once("://").map_or(self.address.as_str(), |(_, rest)| rest);
        format!("{} {}", self.method.as_str(), rest.split(['/', '?']).next().unwrap_or_default())
    }

    fn parameters(&self) -> Value {
        self.schema.clone()
    }

    fn address(&self) -> Option<&str> {
        Some(&self.address)
    }

    fn only_reads(&self) -> bool {
        self.method == Method::Get
    }

    fn seconds(&self) -> u32 {
        self.timeout_seconds
    }

    fn secrets(values: &Values, _: &mut FieldErrors) -> Vec<(String, Option<String>)> {
        // What is wrong with the lines, `read` has said.
        let lines = header_lines(value(values, "secret_headers")).unwrap_or_default();
        lines.into_iter().map(|(name, value)| (name, (value != KEPT).then_some(value))).collect()
    }
}

/// A whole number of a form; left empty, the usual one.
pub(super) fn number(values: &Values, name: &str, least: u32, most: u32, usual: u32, errors: &mut FieldErrors) -> u32 {
    match value(values, name) {
        "" => usual,
        text => match text.parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                errors.add(name, format!("Enter a whole number from {least} to {most}."));
                usual
            }
        },
    }
}

/// `Name: value`, one per line.
pub(super) fn header_lines(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':').map(|(name, value)| (name.trim(), value.trim())) else {
            return Err("Write each header on a line of its own, as Name: value.".to_owned());
        };
        let is_token = |letter: u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&letter);
        if name.is_empty() || name.len() > 100 || !name.bytes().all(is_token) {
            // Not the line itself: a secret may stand in it.
            return Err("The name of a header holds letters, digits and - only, and ends with a colon.".to_owned());
        }
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!("The header {name} is set by Patchbay. Remove its line."));
        }
        if value.is_empty() {
            return Err(format!("The header {name} has no value."));
        }
        if value.len() > 4096 || (value != KEPT && !value.bytes().all(|byte| (0x20..0x7f).contains(&byte))) {
            return Err(format!("The value of {name} holds characters that a header cannot carry, or is too long."));
        }
        if all.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return Err(format!("The header {name} is there twice."));
        }
        all.push((name.to_owned(), value.to_owned()));
    }
    if all.len() > MOST_HEADERS {
        return Err(format!("Send at most {MOST_HEADERS} headers."));
    }
    Ok(all)
}

/// An address with its parameters in place: the pieces between braces.
fn placeholders(address: &str) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    let mut rest = address;
    while let Some((before, after)) = rest.split_once('{') {
        let closed = after.split_once('}').filter(|_| !before.contains('}'));
        let Some((name, behind)) = closed.filter(|(name, _)| schema::is_name(name)) else {
            return Err("Write a parameter in the address as {name}, with a name from the parameters below.".to_owned());
        };
        found.push(name);
        rest = behind;
    }
    if rest.contains('}') {
        return Err("The address has a closing brace without an opening one.".to_owned());
    }
    Ok(found)
}

pub(super) fn check_address(address: &str, schema: &Value) -> Result<(), String> {
    if address.is_empty() {
        return Err("Enter the address that is asked.".to_owned());
    }
    if address.len() > 2000 {
        return Err("The address is longer than 2,000 characters.".to_owned());
    }
    let Some((scheme, rest)) = address.split_once("://") else {
        return Err("Begin the address with https://.".to_owned());
    };
    if !["https", "http"].contains(&scheme) {
        return Err("Begin the address with https://.".to_owned());
    }
    if address.chars().any(|letter| letter.is_whitespace() || letter == '\\' || letter.is_control()) {
        return Err("Take the spaces and backslashes out of the address.".to_owned());
    }
    if address.contains('#') {
        return Err("Leave out the part of the address from # on: it is never sent.".to_owned());
    }
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    if host.is_empty() || host.contains(['{', '}', '@']) {
        return Err("Name the host in the address as it is: without a user name, a password or a parameter.".to_owned());
    }
    let names = placeholders(address)?;
    if schema.is_null() {
        return Ok(());
    }
    let required = schema::required(schema);
    for name in names {
        match schema::property(schema, name) {
            None => return Err(format!("The address uses {{{name}}}, which is not among the parameters below.")),
            Some(_) if !required.contains(&name) => {
                return Err(format!("The address needs {{{name}}}: add it to “required” in the parameters."));
            }
            Some(one) if !schema::is_flat(one) => {
                return Err(format!("{{{name}}} stands in the address, so it must be text, a number or true/false."));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The address with the parameters that stand in it, percent-encoded; and the ones that are left over. Errors: a value with which the
/// address would lead somewhere else, in a sentence for the model.
pub fn filled_address(address: &str, arguments: &Map<String, Value>) -> Result<(String, Map<String, Value>), String> {
    let (mut filled, mut left) = (String::with_capacity(address.len()), arguments.clone());
    let mut rest = address;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else { break };
        left.remove(name);
        let text = arguments.get(name).map(as_text).unwrap_or_default();
        // Encoded dots are still dots to whoever reads an address; and without a value, /customers/{id} is another place.
        let leads_up = |part: &str| part.chars().all(|letter| letter == '.');
        if !filled.contains('?')
            && (text.is_empty() || text.split(['/', '\\']).any(|part| !part.is_empty() && leads_up(part)))
        {
            return Err(format!("{name} must be given, and cannot be dots alone."));
        }
        filled.push_str(&escaped(&text));
        rest = behind;
    }
    filled.push_str(rest);
    // Two values beside each other may make dots, too.
    let path = filled.split('?').next().unwrap_or_default();
    if address.contains('{') && path.split('/').any(|part| part == "." || part == "..") {
        return Err("With these values the address would lead to another place.".to_owned());
    }
    Ok((filled, left))
}

/// A value as it stands in an address.
pub fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Everything but unreserved characters as `%XX`, so that no value leaves its place in the address.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests;
