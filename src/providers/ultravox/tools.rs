//! The tools of an agent at Ultravox: `selectedTools` of its template. The list is replaced as a whole, so ours are laid into what is
//! held there.

use crate::voice_tools::{BuiltInTool, CALL_HEADER, HttpTool, TOKEN_HEADER, TOKEN_VARIABLE, VoiceTool, VoiceTools};
use serde_json::{Value, json};

/// Tools of the service itself that ours may stand for.
const BUILT_IN: [&str; 3] = ["hangUp", "leaveVoicemail", "playDtmfSounds"];

/// What a list of tools comes to. Errors: the name of a tool there that is not ours and has the name of one of ours.
pub(super) fn laid_over(held: Option<&Value>, tools: &VoiceTools) -> Result<Option<Value>, String> {
    let held = held.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if held.is_empty() && tools.ours.is_empty() {
        return Ok(None);
    }
    let mut all: Vec<Value> = held.iter().filter(|one| !is_ours(one, tools)).cloned().collect();
    let is_taken = |one: &&Value| tools.ours.iter().any(|own| Some(own.name()) == name(one));
    if let Some(taken) = all.iter().find(is_taken) {
        return Err(name(taken).unwrap_or_default().to_owned());
    }
    all.extend(tools.ours.iter().map(selected));
    Ok(Some(Value::Array(all)))
}

/// What the model calls a selected tool; none when only the service knows.
pub(super) fn name(selected: &Value) -> Option<&str> {
    let named =
        [selected.get("nameOverride"), selected.pointer("/temporaryTool/modelToolName"), selected.get("toolName")];
    named.into_iter().flatten().filter_map(Value::as_str).find(|name| !name.is_empty())
}

/// What the model calls the tools of a list.
pub(super) fn names(list: Option<&Value>) -> Vec<String> {
    let all = list.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(name).map(str::to_owned).collect()
}

/// Whether a tool there is one that Patchbay has set: it leads to our doors, or is one of the service's under a name that we gave it.
fn is_ours(selected: &Value, tools: &VoiceTools) -> bool {
    let url = selected.pointer("/temporaryTool/http/baseUrlPattern").and_then(Value::as_str);
    if let Some(url) = url {
        // The part behind the host: an installation may have moved.
        let path =
            |url: &str| url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()));
        return path(&tools.doors)
            .filter(|doors| !doors.is_empty())
            .zip(path(url))
            .is_some_and(|(doors, url)| url.starts_with(&doors));
    }
    let is_built_in = selected.get("toolName").and_then(Value::as_str).is_some_and(|name| BUILT_IN.contains(&name));
    // Without a name of ours, it is one that somebody else has set.
    let given = selected.get("nameOverride").and_then(Value::as_str).unwrap_or_default();
    let is_known =
        tools.former.iter().any(|former| former == given) || tools.ours.iter().any(|own| own.name() == given);
    is_built_in && is_known
}

fn selected(tool: &VoiceTool) -> Value {
    match tool {
        VoiceTool::BuiltIn(BuiltInTool { built_in, name, description, overrides }) => json!({
            "toolName": built_in,
            "nameOverride": name,
            "descriptionOverride": description,
            "parameterOverrides": overrides,
        }),
        VoiceTool::Http(tool) => json!({
            "temporaryTool": temporary(tool),
            // Filled for each call from what the call is made with: a token that is good for that call alone.
            "parameterOverrides": { TOKEN_HEADER: format!("{{{{{TOKEN_VARIABLE}}}}}") },
        }),
    }
}

fn temporary(tool: &HttpTool) -> Value {
    let properties = tool.parameters.get("properties").and_then(Value::as_object);
    let required = tool.parameters.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
    let dynamic: Vec<Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            json!({
                "name": name,
                "location": "PARAMETER_LOCATION_BODY",
                "schema": schema,
                "required": is_required(name),
            })
        })
        .collect();
    json!({
        "modelToolName": tool.name,
        "description": tool.description,
        "dynamicParameters": dynamic,
        "staticParameters": [{ "name": TOKEN_HEADER, "location": "PARAMETER_LOCATION_HEADER", "value": "" }],
        "automaticParameters": [
            { "name": CALL_HEADER, "location": "PARAMETER_LOCATION_HEADER", "knownValue": "KNOWN_PARAM_CALL_ID" },
        ],
        "timeout": format!("{}s", tool.seconds.clamp(1, 40)),
        "http": { "baseUrlPattern": tool.url, "httpMethod": "POST" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> VoiceTools {
        VoiceTools {
            ours: vec![
                VoiceTool::Http(HttpTool {
                    name: "look_up".into(),
                    description: "Looks up.".into(),
                    parameters: json!({"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}),
                    url: "https://patchbay.example/hooks/tools/w1/t1/look_up".into(),
                    seconds: 12,
                }),
                VoiceTool::BuiltIn(BuiltInTool {
                    built_in: "hangUp".into(),
                    name: "end_call".into(),
                    description: "Ends the call.".into(),
                    overrides: json!({"strict": true}),
                }),
            ],
            former: vec!["press_keys".into()],
            doors: "https://patchbay.example/hooks/tools/w1/".into(),
        }
    }

    #[test]
    fn what_others_set_stays_and_ours_are_as_they_are_now() {
        let held = json!([
            {"toolName": "hangUp"},
            {"toolId": "7e2c", "nameOverride": "crm"},
            {"temporaryTool": {"modelToolName": "their_own", "http": {"baseUrlPattern": "https://x.example/hooks/tools/w1x", "httpMethod": "POST"}}},
            {"toolName": "playDtmfSounds", "nameOverride": "press_keys"},
            {"temporaryTool": {"modelToolName": "old_name", "http": {"baseUrlPattern": "https://moved.example/hooks/tools/w1/t1/old_name", "httpMethod": "POST"}}},
        ]);
        let all = laid_over(Some(&held), &ours()).expect("no conflict").expect("a list");
        assert_eq!(names(Some(&all)), ["hangUp", "crm", "their_own", "look_up", "end_call"]);
        // Sent again, it is the same.
        assert_eq!(laid_over(Some(&all), &ours()).expect("no conflict").expect("a list"), all);
        let none = VoiceTools { former: vec!["look_up".into(), "end_call".into()], ours: Vec::new(), ..ours() };
        let left = laid_over(Some(&all), &none).expect("no conflict").expect("a list");
        assert_eq!(names(Some(&left)), ["hangUp", "crm", "their_own"]);
    }

    #[test]
    fn a_tool_of_somebody_else_under_our_name_is_not_replaced() {
        let held = json!([{"toolId": "7e2c", "nameOverride": "look_up"}]);
        assert_eq!(laid_over(Some(&held), &ours()), Err("look_up".to_owned()));
    }

    #[test]
    fn an_agent_without_tools_is_sent_as_before() {
        assert_eq!(laid_over(None, &VoiceTools::default()), Ok(None));
        assert_eq!(laid_over(Some(&json!([])), &VoiceTools::default()), Ok(None));
    }

    #[test]
    fn a_tool_of_ours_is_a_definition_as_the_service_documents_it() {
        let all = laid_over(None, &ours()).expect("no conflict").expect("a list");
        let tool = &all[0]["temporaryTool"];
        assert_eq!(
            tool["http"],
            json!({"baseUrlPattern": "https://patchbay.example/hooks/tools/w1/t1/look_up", "httpMethod": "POST"})
        );
        assert_eq!(tool["timeout"], "12s");
        assert_eq!(
            tool["dynamicParameters"],
            json!([{"name": "id", "location": "PARAMETER_LOCATION_BODY", "schema": {"type": "string"}, "required": true}])
        );
        assert_eq!(tool["automaticParameters"][0]["knownValue"], "KNOWN_PARAM_CALL_ID");
        assert_eq!(all[0]["parameterOverrides"]["X-Patchbay-Call"], "{{patchbay_call_token}}");
        assert_eq!(all[1]["toolName"], "hangUp");
        assert_eq!(all[1]["parameterOverrides"], json!({"strict": true}));
    }
}
