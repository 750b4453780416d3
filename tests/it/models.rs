//! Model accounts, which model does what, and what models cost.

use std::sync::Arc;

use patchbay_providers::anthropic::{Anthropic, AnthropicConfig};
use patchbay_providers::chat::*;
use patchbay_providers::openai_compatible::{OpenAiCompatible, OpenAiCompatibleConfig};
use patchbay_providers::openrouter::{ANSWER_TIMEOUT, OpenRouter, OpenRouterConfig};
use patchbay_services::SandboxAddresses;
use serde_json::{Value, json};

use super::provider_streams::heard;
use super::provider_stub::client;
use super::support::{Agency, World, owner_lines, run, unique};

/// Adds a model account at a stand-in. Gives its id and its key.
pub async fn added(agency: &Agency, kind: &str, name: &str) -> (String, String) {
    let key = format!("sandbox-{}", unique(""));
    let fields = [("kind", kind), ("name", name), ("mode", "sandbox"), ("api_key", key.as_str())];
    (agency.owner.made_on("/connections/accounts/new", "save_model_account", &fields).await, key)
}

/// Chooses on the page of the choice.
pub async fn choose(agency: &Agency, purpose: &str, account: &str, model: &str) {
    let page = format!("/connections/models/{purpose}");
    agency.owner.filled(&page, "choose_model", &[("account", account), ("model", model)]).await;
}

/// Decimals travel as text.
fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

#[test]
fn a_workspace_has_several_model_accounts() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "models").await;
        let other = Agency::new(world, "modelsother").await;
        let (first, _) = added(&agency, "openrouter", "").await;
        let (second, key) = added(&agency, "openrouter", "Spare").await;
        let (claude, _) = added(&agency, "anthropic", "").await;
        let (openai, _) = added(&agency, "openai_compatible", "Vectors").await;
        let list = agency.owner.done("list_connections", &[]).await.json();
        let names: Vec<&str> = list.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(names, ["Ultravox", "Telnyx", "OpenRouter", "Spare", "Anthropic", "Vectors"]);
        for page in [
            "/integrations",
            "/connections/openrouter",
            &format!("/connections/{second}"),
            &format!("/connections/{openai}"),
        ] {
            let shown = agency.owner.get(page).await;
            assert_eq!(shown.status, 200, "{page}");
            assert!(!shown.text.contains(&key), "{page} shows the key");
            assert_eq!(agency.member.get(page).await.status, 200, "members read {page}");
            assert_eq!(agency.one.viewer.get(page).await.status, 404, "client roles know nothing of {page}");
        }
        let by_kind = agency.owner.done("get_connection", &[("provider", "openrouter")]).await.json();
        assert_eq!(by_kind["id"], first.as_str(), "the first one keeps its address");
        assert_eq!(other.owner.get(&format!("/connections/{second}")).await.status, 404);

        // One name is one account, however it is written.
        let twice = [("kind", "anthropic"), ("name", "spare"), ("mode", "sandbox")];
        let refused = agency.owner.fill("/connections/accounts/new", "save_model_account", &twice).await;
        assert!(refused.error_at("name").expect("a message at the name").contains("already"), "{refused:?}");
        let nobodys = [("id", second.as_str()), ("kind", "openrouter"), ("name", "Mine"), ("mode", "sandbox")];
        assert_eq!(other.owner.rpc("save_model_account", &nobodys).await.status, 404, "another agency's account");
        let other_kind = [("id", second.as_str()), ("kind", "anthropic"), ("name", "Mine"), ("mode", "sandbox")];
        assert_eq!(
            agency.owner.rpc("save_model_account", &other_kind).await.status,
            404,
            "an account stays of its kind"
        );
        assert_eq!(agency.admin.rpc("save_model_account", &twice).await.status, 403);

        // A key that the service refuses changes nothing.
        let page = format!("/connections/{claude}");
        let refused = agency.owner.fill(&page, "save_model_account", &[("api_key", "sk-ant-wrong-0123456789")]).await;
        assert!(refused.error_at("api_key").expect("a message at the key").contains("refused"), "{refused:?}");
        agency.owner.filled(&page, "save_model_account", &[("name", "Claude")]).await;
        agency.owner.filled(&page, "check_connection", &[]).await;
        let claude = agency.owner.done("get_connection", &[("provider", claude.as_str())]).await.json();
        assert_eq!((&claude["name"], &claude["last_error"]), (&"Claude".into(), &Value::Null));

        // Addresses that people type lead to the internet alone, and a key goes only where it was entered for.
        let page = format!("/connections/{openai}");
        for (address, said) in [
            ("http://models.example/v1", "https"),
            ("https://127.0.0.1/v1", "private"),
            ("https://localhost/v1/chat/completions", "private"),
        ] {
            let fields = [("mode", "live"), ("base_url", address), ("api_key", "sk-0123456789abcdef")];
            let refused = agency.owner.fill(&page, "save_model_account", &fields).await;
            assert!(refused.error_at("base_url").expect("a message at the address").contains(said), "{refused:?}");
        }
        let fields = [("mode", "live"), ("base_url", "https://models.example/v1"), ("api_key", "")];
        let refused = agency.owner.fill(&page, "save_model_account", &fields).await;
        assert!(refused.error_at("api_key").is_some(), "{refused:?}");
        let now = agency.owner.done("get_connection", &[("provider", openai.as_str())]).await.json();
        assert_eq!(now["mode"], "sandbox", "nothing was changed");
    });
}

#[test]
fn what_is_chosen_is_asked_and_priced() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "chosen").await;
        let (openai, _) = added(&agency, "openai_compatible", "House models").await;
        let (claude, _) = added(&agency, "anthropic", "").await;
        let page = agency.owner.done("get_models", &[]).await.json();
        assert_eq!(
            page["choices"][0]["used"]["model"], "openai/gpt-5-mini",
            "one account at OpenRouter needs no choice"
        );
        assert_eq!(page["choices"][4]["used"], Value::Null, "vectors are chosen or not used");

        choose(&agency, "analysis", &openai, "gpt-5-mini").await;
        let page = agency.owner.done("get_models", &[]).await.json();
        assert_eq!(page["choices"][1]["used"]["model"], "gpt-5-mini", "agent runs follow the analyses");
        let batch = agency.batch(&works.campaign, 2).await;
        agency.finished(&batch).await;
        let rows = |model: &'static str| {
            let sql = format!(
                "select coalesce(cost::text, 'none') || ' ' || is_estimated from token_usage
                 where workspace_id = '{}' and model = '{model}'",
                agency.workspace_id
            );
            async move { owner_lines(world, &sql).await }
        };
        let before = rows("gpt-5-mini").await;
        assert!(
            !before.is_empty() && before.iter().all(|row| row == "none false"),
            "counted, and not priced yet: {before:?}"
        );

        let price = [
            ("account", claude.as_str()),
            ("model", "claude-haiku-4-5"),
            ("from", "2026-01-01"),
            ("read", "1"),
            ("written", "$5"),
        ];
        agency.owner.filled("/connections/models/prices/new", "set_model_price", &price).await;
        choose(&agency, "analysis", &claude, "claude-haiku-4-5").await;
        let campaign = agency.campaign_called("Second", &works.agent, &works.number).await;
        let batch = agency.batch(&campaign, 2).await;
        agency.finished(&batch).await;
        let after = rows("claude-haiku-4-5").await;
        let sums =
            after.iter().all(|row| row.ends_with(" false") && !row.starts_with("none") && !row.starts_with("0.000000"));
        assert!(!after.is_empty() && sums, "{after:?}");
        assert_eq!(rows("gpt-5-mini").await, before, "what was counted stays as it was");

        // The same day again replaces the price; the list says which, and who.
        let again = [
            ("account", claude.as_str()),
            ("model", "claude-haiku-4-5"),
            ("from", "2026-01-01"),
            ("read", "2"),
            ("written", "5"),
            ("cached", "0.2"),
        ];
        agency.owner.done("set_model_price", &again).await;
        let list = agency.owner.done("list_model_prices", &[("query[q]", "haiku")]).await.json();
        let rows = list["page"]["rows"].as_array().expect("rows").clone();
        assert_eq!(
            (rows.len(), number(&rows[0]["price"]["cached"]), &rows[0]["account"]),
            (1, 0.2, &"Anthropic".into())
        );
        let file = agency.owner.get("/connections/models/prices.csv?q=haiku").await;
        assert!(file.text.contains("claude-haiku-4-5") && file.text.contains("0.2"), "{}", file.text);
    });
}

#[test]
fn choices_are_checked_and_kept_apart() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "choices").await;
        let other = Agency::new(world, "choicesother").await;
        let page = agency.owner.get("/connections/models").await;
        assert!(page.text.contains("Add a model account"), "an empty page says what to do");
        let (openrouter, _) = added(&agency, "openrouter", "").await;
        let (claude, _) = added(&agency, "anthropic", "").await;
        let (openai, _) = added(&agency, "openai_compatible", "").await;
        let (foreign, _) = added(&other, "openrouter", "").await;

        let form = |account: &str, model: &str| vec![("account", account.to_owned()), ("model", model.to_owned())];
        let refused = |purpose: &'static str, fields: Vec<(&'static str, String)>| {
            let agency = &agency;
            async move {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                agency.owner.fill(&format!("/connections/models/{purpose}"), "choose_model", &fields).await
            }
        };
        let answer = refused("judge", form(&openrouter, "openai/gpt-6-maxi")).await;
        assert!(answer.error_at("model").expect("a message").contains("no model named"), "{answer:?}");
        let answer = refused("judge", form(&openrouter, "")).await;
        assert!(answer.error_at("model").is_some(), "{answer:?}");
        let wrong_kind = [("purpose", "embedding"), ("account", claude.as_str()), ("model", "claude-haiku-4-5")];
        let answer = agency.owner.rpc("choose_model", &wrong_kind).await;
        assert!(answer.error_at("account").is_some(), "only servers of the OpenAI form have vectors: {answer:?}");
        let foreign = [("purpose", "judge"), ("account", foreign.as_str()), ("model", "openai/gpt-5")];
        assert_eq!(agency.owner.rpc("choose_model", &foreign).await.status, 404, "another agency's account");
        assert_eq!(agency.member.rpc("choose_model", &foreign).await.status, 403);
        assert_eq!(agency.one.admin.rpc("choose_model", &foreign).await.status, 404);
        assert_eq!(agency.owner.get("/connections/models/poet").await.status, 404);

        choose(&agency, "judge", &openrouter, "openai/gpt-5:online").await;
        choose(&agency, "embedding", &openai, "text-embedding-3-small").await;
        choose(&agency, "caller", &claude, "any-name-that-is-new").await;
        let page = agency.owner.done("get_models", &[]).await.json();
        let models: Vec<_> =
            (0..5).map(|place| page["choices"][place]["used"]["model"].as_str().unwrap_or("").to_owned()).collect();
        assert_eq!(
            models,
            [
                "openai/gpt-5-mini",
                "openai/gpt-5-mini",
                "openai/gpt-5:online",
                "any-name-that-is-new",
                "text-embedding-3-small"
            ]
        );
        // What OpenRouter's list says is kept as the price.
        choose(&agency, "judge", &openrouter, "openai/gpt-5").await;
        let page = agency.owner.done("get_models", &[]).await.json();
        assert_eq!(number(&page["choices"][2]["used"]["price"]["read"]), 1.25);
        // A choice is taken back.
        choose(&agency, "judge", "", "").await;
        let page = agency.owner.done("get_models", &[]).await.json();
        assert_eq!(
            (&page["choices"][2]["is_own"], &page["choices"][2]["used"]["model"]),
            (&false.into(), &"openai/gpt-5-mini".into())
        );
        let shown = agency.owner.get("/connections/models/embedding").await;
        assert!(
            shown.text.contains("text-embedding-3-large") && !shown.text.contains("claude-opus-4-5"),
            "the picker lists what fits"
        );
    });
}

#[test]
fn the_stand_ins_stream_words_and_calls() {
    run(|world: &World| async move {
        let at = SandboxAddresses::at(&world.sandbox_base);
        let (http, key) = (client(), format!("sandbox-{}", unique("")));
        let api_key = || key.as_str().into();
        let openrouter = OpenRouterConfig {
            base_url: at.openrouter.clone(),
            api_key: api_key(),
            answer_timeout: ANSWER_TIMEOUT,
            title: None,
        };
        let openai = OpenAiCompatibleConfig::new(&at.openai, api_key(), false);
        let openai = OpenAiCompatible::new(&http, &openai).expect("a client");
        let claude = Anthropic::new(&http, &AnthropicConfig::new(&at.anthropic, api_key())).expect("a client");
        let openrouter = OpenRouter::new(&http, &openrouter).expect("a client");
        let all: [(Arc<dyn ChatProvider>, &str); 3] = [
            (Arc::new(openrouter), "openai/gpt-5-mini"),
            (Arc::new(claude), "claude-haiku-4-5"),
            (Arc::new(openai.clone()), "gpt-5-mini"),
        ];
        for (provider, model) in all {
            let listed = provider.list_models().await.expect("a list");
            assert!(listed.iter().any(|one| one.id == model), "{model} is listed");
            let schema = json!({"type": "object", "properties": {"guests": {"type": "integer", "minimum": 1}}});
            let mut ask = ChatRequest {
                model: model.into(),
                messages: vec![
                    ChatMessage::System("You answer for a restaurant.".into()),
                    ChatMessage::Assistant { text: "Good evening.".into(), tool_calls: vec![] },
                    ChatMessage::User("Please book a table for two.".into()),
                ],
                tools: vec![ChatTool { name: "book_table".into(), description: String::new(), parameters: schema }],
                temperature: Some(0.0),
                ..ChatRequest::default()
            };
            let answer = heard(provider.stream(&ask).await.expect("a stream")).await.1.expect("an answer");
            let call = answer.tool_calls.first().unwrap_or_else(|| panic!("{model} calls: {answer:?}"));
            assert_eq!(call.name, "book_table", "{model}");
            assert!(serde_json::from_str::<Value>(&call.arguments).expect("arguments").is_object());
            let result = ChatMessage::Tool { call_id: call.id.clone(), text: "Booked for 8 pm.".into() };
            ask.messages.push(ChatMessage::Assistant { text: answer.text, tool_calls: answer.tool_calls });
            ask.messages.push(result);
            let (words, end) = heard(provider.stream(&ask).await.expect("a stream")).await;
            let answer = end.expect("an answer");
            assert!(!words.is_empty() && words.concat() == answer.text, "{model}: {words:?}");
            assert!(answer.usage.prompt_tokens > 0 && !answer.usage.is_estimated, "{model} counts");
            assert_eq!(answer.usage.cost.is_some(), model.contains('/'), "OpenRouter alone tells costs");
        }
        let texts = ["Cancelling is free until the day before.", "Dogs are welcome.", "How can I cancel?"];
        let texts = texts.map(str::to_owned);
        let vectors = openai.embed("text-embedding-3-small", &texts).await.expect("vectors").vectors;
        let near = |a: usize, b: usize| vectors[a].iter().zip(&vectors[b]).map(|(x, y)| x * y).sum::<f32>();
        assert!(near(2, 0) > near(2, 1), "what means the same is near");
    });
}
