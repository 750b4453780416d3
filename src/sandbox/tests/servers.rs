use std::time::Duration;

use patchbay_providers::mcp::{McpServer, McpSession, McpTrouble};
use patchbay_providers::{HttpClient, HttpSettings};
use serde_json::{Map, Value, json};

use crate::SandboxSettings;

const WITHIN: Duration = Duration::from_secs(5);

fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[tokio::test]
async fn every_form_of_the_protocol_is_spoken_and_a_lost_session_is_begun_anew() {
    let (address, _sandbox, _stop) = crate::start(SandboxSettings::for_tests()).await.expect("a sandbox");
    let http = HttpClient::new(HttpSettings::default()).expect("a client");
    let own = format!("http://{address}/tools");
    let server = |path: &str| McpServer {
        address: format!("{own}{path}"),
        headers: vec![("x-api-key".to_owned(), "swordfish".to_owned())],
        except: Some(own.clone()),
    };
    for form in ["shop", "stream", "stateless"] {
        let session = McpSession::open(&http, &server(&format!("/mcp/{form}")), WITHIN).await;
        let session = session.unwrap_or_else(|trouble| panic!("{form}: {trouble}"));
        let functions = session.functions(WITHIN).await.unwrap_or_else(|trouble| panic!("{form}: {trouble}"));
        assert_eq!(functions.len(), 8, "{form}: both pages");
        let order = &functions[0].parameters["properties"]["order"];
        assert!(order["description"].as_str().is_some_and(|text| text.contains("pattern: ")), "{form}: {order}");
        let found = session.call("find_order", arguments(json!({"order": "A-1"})), WITHIN).await;
        assert!(found.expect("an order").text.contains("A-1"), "{form}");
        let failed = session.call("fails", Map::new(), WITHIN).await.expect("an answer");
        assert!(failed.is_error && failed.text.contains("warehouse"), "{form}: {failed:?}");
        let unknown = session.call("nothing", Map::new(), WITHIN).await;
        assert!(matches!(unknown, Err(McpTrouble::Said(_))), "{form}: {unknown:?}");
        session.close().await;
    }
    let session = McpSession::open(&http, &server("/mcp/shop"), WITHIN).await.expect("a session");
    session.call("forget_me", Map::new(), WITHIN).await.expect("an answer");
    let again = session.call("find_order", arguments(json!({"order": "A-2"})), WITHIN).await;
    assert!(again.expect("a new session").text.contains("A-2"));
    let late = session.call("wait", Map::new(), Duration::from_millis(300)).await;
    assert_eq!(late, Err(McpTrouble::Timeout));
    let large = session.call("everything", Map::new(), WITHIN).await;
    assert!(large.as_ref().is_err_and(McpTrouble::may_have_acted), "{large:?}");

    for (path, wanted) in [
        ("/status/401", "other credentials"),
        ("/status/403", "other credentials"),
        ("/status/500", "no MCP server"),
        ("/status/404", "no MCP server"),
        ("/redirect", "no MCP server"),
        ("/pages/hours", "no MCP server"),
        ("/large", "no MCP server"),
    ] {
        let trouble = McpSession::open(&http, &server(path), WITHIN).await.err();
        let said = trouble.map(|trouble| trouble.to_string()).unwrap_or_default();
        assert!(said.contains(wanted), "{path}: {said}");
    }
    let private = McpServer { address: "https://127.0.0.1/mcp".to_owned(), headers: Vec::new(), except: None };
    let refused = McpSession::open(&http, &private, WITHIN).await.err();
    assert!(matches!(refused, Some(McpTrouble::Refused(_))), "{refused:?}");
    let named = McpServer { address: "https://localhost/mcp".to_owned(), headers: Vec::new(), except: None };
    let refused = McpSession::open(&http, &named, WITHIN).await.err();
    assert!(matches!(refused, Some(McpTrouble::Refused(_))), "{refused:?}");
}
