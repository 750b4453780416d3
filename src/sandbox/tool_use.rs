//! The tools of an agent, used on a call as the real service does: an HTTP request to the address of the tool, with the headers, values and
//! the call's own variables that its definition names. An agent that has such tools uses them in the place of the tools of the
//! conversations, whose answers are written ahead.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::call::{Call, fill_variables};
use crate::conversation::{Role, Turn};
use crate::rng::Rng;
use crate::state::Sandbox;

/// The most uses in one call.
const MOST: usize = 3;
/// How long the service waits when a tool does not say.
const USUAL_TIMEOUT: f64 = 2.5;

/// One use of a tool, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ToolUse {
    pub name: String,
    pub arguments: String,
    pub answer: String,
    pub error: Option<String>,
    pub invocation: Uuid,
    /// Seconds after the call was joined.
    pub at: f64,
    pub took: f64,
}

/// A use that is to come.
pub(crate) struct Planned {
    pub at: f64,
    tool: Value,
}

/// The tools of a call that are asked for by HTTP.
fn tools(call: &Call) -> Vec<&Value> {
    let all = call.pick("selectedTools").and_then(Value::as_array);
    all.into_iter().flatten().filter(|tool| tool.pointer("/temporaryTool/http/baseUrlPattern").is_some()).collect()
}

/// Whether the tools of the conversation are left out for those of the agent.
pub(crate) fn has_own(call: &Call) -> bool {
    !tools(call).is_empty()
}

/// When the call will use which tool: where the conversation has a tool, else after the first answer.
pub(crate) fn planned(call: &Call) -> Vec<Planned> {
    let tools = tools(call);
    if tools.is_empty() {
        return Vec::new();
    }
    let turns = call.scripted().turns;
    let mut moments: Vec<f64> =
        turns.iter().filter(|turn| turn.role == Role::ToolCall).map(|turn| turn.start).take(MOST).collect();
    if moments.is_empty() {
        let heard = turns.iter().find(|turn| turn.role == Role::User);
        moments.extend(heard.map(|turn| turn.end));
    }
    let first = Rng::new(11, call.salt()).below(tools.len());
    let places = moments.into_iter().enumerate();
    places.map(|(place, at)| Planned { at, tool: tools[(first + place) % tools.len()].clone() }).collect()
}

/// The conversation with what really came of the tools.
pub(crate) fn overlay(turns: Vec<Turn>, uses: &[ToolUse]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = turns.into_iter().filter(|turn| matches!(turn.role, Role::Agent | Role::User)).collect();
    for used in uses {
        let place = turns.iter().position(|turn| turn.start >= used.at).unwrap_or(turns.len());
        let turn = |role, text: &str, error: Option<String>, start: f64, end: f64| Turn {
            role,
            text: text.to_owned(),
            tool: Some(Cow::Owned(used.name.clone())),
            invocation: Some(used.invocation),
            error: error.map(Cow::Owned),
            start,
            end,
        };
        let asked = turn(Role::ToolCall, &used.arguments, None, used.at, used.at + 0.05);
        let (start, end) = (used.at + 0.05, used.at + 0.05 + used.took);
        let came = turn(Role::ToolResult, &used.answer, used.error.clone(), start, end);
        turns.splice(place..place, [asked, came]);
    }
    turns
}

/// Asks for a tool.
pub(crate) async fn use_tool(sandbox: &Sandbox, call: &Call, planned: &Planned) -> ToolUse {
    let tool = &planned.tool["temporaryTool"];
    let overridden = planned.tool["nameOverride"].as_str().filter(|name| !name.is_empty());
    let name = overridden.or_else(|| tool["modelToolName"].as_str()).unwrap_or_default().to_owned();
    let mut rng = Rng::new(13, &format!("{}{}", call.salt(), planned.at));
    let mut used = ToolUse {
        name,
        arguments: String::new(),
        answer: String::new(),
        error: None,
        invocation: rng.uuid(),
        at: planned.at,
        took: 0.1,
    };
    let (arguments, request) = request(sandbox, call, &planned.tool, &mut rng);
    used.arguments = Value::Object(arguments).to_string();
    let began = std::time::Instant::now();
    match request.send().await {
        Ok(response) => {
            let status = response.status();
            let text = response.text().await.unwrap_or_default();
            if status.is_success() {
                used.answer = text;
            } else {
                used.error = Some(format!("The tool answered with {}: {text}", status.as_u16()));
            }
        }
        Err(error) if error.is_timeout() => used.error = Some("The request timed out.".to_owned()),
        Err(_) => used.error = Some("The tool could not be reached.".to_owned()),
    }
    used.took = (began.elapsed().as_secs_f64() * 100.0).round() / 100.0;
    used
}

/// The arguments, and the request with every parameter in its place.
fn request(
    sandbox: &Sandbox,
    call: &Call,
    selected: &Value,
    rng: &mut Rng,
) -> (Map<String, Value>, reqwest::RequestBuilder) {
    let tool = &selected["temporaryTool"];
    let overrides = selected["parameterOverrides"].as_object();
    let context = call.context();
    // What is overridden, the model does not see.
    let overridden = |name: &str| {
        let value = overrides.and_then(|all| all.get(name))?;
        Some(match value {
            Value::String(text) => Value::from(fill_variables(text, &context)),
            other => other.clone(),
        })
    };
    let list = |name: &str| tool[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut arguments = Map::new();
    for parameter in list("dynamicParameters") {
        let name = parameter["name"].as_str().unwrap_or_default();
        if parameter["required"].as_bool() == Some(true) && overridden(name).is_none() {
            arguments.insert(name.to_owned(), made_up(name, &parameter["schema"], call, rng));
        }
    }
    let mut placed: Vec<(String, String, Value)> = Vec::new();
    let place = |parameter: &Value| parameter["location"].as_str().unwrap_or_default().to_owned();
    for parameter in list("dynamicParameters") {
        let name = parameter["name"].as_str().unwrap_or_default();
        if let Some(value) = overridden(name).or_else(|| arguments.get(name).cloned()) {
            placed.push((name.to_owned(), place(parameter), value));
        }
    }
    for parameter in list("staticParameters") {
        let name = parameter["name"].as_str().unwrap_or_default();
        let value = overridden(name).unwrap_or_else(|| parameter["value"].clone());
        placed.push((name.to_owned(), place(parameter), value));
    }
    for parameter in list("automaticParameters") {
        let value = match parameter["knownValue"].as_str() {
            Some("KNOWN_PARAM_CALL_ID") => json!(call.id),
            Some("KNOWN_PARAM_CALL_METADATA") => {
                Value::Object(call.metadata().map(|(k, v)| (k.clone(), v.clone())).collect())
            }
            _ => Value::Null,
        };
        placed.push((parameter["name"].as_str().unwrap_or_default().to_owned(), place(parameter), value));
    }
    let mut url = tool["http"]["baseUrlPattern"].as_str().unwrap_or_default().to_owned();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut body = Map::new();
    let (mut headers, mut query) = (Vec::new(), Vec::new());
    for (name, location, value) in placed {
        match location.as_str() {
            "PARAMETER_LOCATION_BODY" => drop(body.insert(name, value)),
            "PARAMETER_LOCATION_HEADER" => headers.push((name, text(&value))),
            "PARAMETER_LOCATION_QUERY" => query.push((name, text(&value))),
            _ => url = url.replace(&format!("{{{name}}}"), &text(&value)),
        }
    }
    let method =
        tool["http"]["httpMethod"].as_str().and_then(|word| word.parse().ok()).unwrap_or(reqwest::Method::POST);
    let seconds = tool["timeout"].as_str().and_then(|text| text.trim_end_matches('s').parse().ok());
    let timeout = Duration::from_secs_f64(seconds.unwrap_or(USUAL_TIMEOUT).clamp(0.1, 40.0));
    let mut request = sandbox.http.request(method.clone(), url).timeout(timeout).query(&query);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if method != reqwest::Method::GET {
        request = request.json(&body);
    }
    (arguments, request)
}

/// A value that a model could give, for one parameter.
fn made_up(name: &str, schema: &Value, call: &Call, rng: &mut Rng) -> Value {
    if let Some(choices) = schema["enum"].as_array().filter(|choices| !choices.is_empty()) {
        return rng.pick(choices).clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].as_array()?.first()?.as_str()).unwrap_or("string");
    match kind {
        "integer" => json!(rng.below(9) + 1),
        "number" => json!((rng.below(90) + 10) as f64 / 10.0),
        "boolean" => json!(true),
        "array" => json!([made_up(name, &schema["items"], call, rng)]),
        "object" => {
            let properties = schema["properties"].as_object();
            let made =
                properties.into_iter().flatten().map(|(name, one)| (name.clone(), made_up(name, one, call, rng)));
            Value::Object(made.collect())
        }
        _ => Value::from(words(name, call)),
    }
}

fn words(name: &str, call: &Call) -> String {
    let name = name.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let other = if call.inbound { &call.from } else { &call.to };
    if has(&["phone", "number", "tel"]) {
        return other.clone().unwrap_or_else(|| "+14155550100".to_owned());
    }
    if has(&["mail"]) {
        return "sam.keller@example.com".to_owned();
    }
    if has(&["date", "day", "start", "time", "when"]) {
        return call.clock.at(24.0 * 3600.0).format("%Y-%m-%d").to_string();
    }
    if has(&["question", "query", "search", "topic"]) {
        let said = call.scripted().turns.into_iter().filter(|turn| turn.role == Role::User);
        return said.max_by_key(|turn| turn.text.len()).map_or_else(|| "opening hours".to_owned(), |turn| turn.text);
    }
    if has(&["id", "code", "ref"]) {
        return "C-1042".to_owned();
    }
    "as agreed on the call".to_owned()
}
