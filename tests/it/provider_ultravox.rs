//! Ultravox: exact requests, documented answers, odd answers.

use crate::provider_stub::*;
use chrono::{DateTime, Utc};
use patchbay_providers::http::Endpoint;
use patchbay_providers::ultravox::{Carrier, Ultravox, UltravoxConfig, WebhookEvent, WebhookKind};
use patchbay_providers::voice::*;
use patchbay_providers::voice_tools::VoiceTools;
use patchbay_providers::{HttpSettings, Kind, Secret, Trunk};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "abcdefgh.0123456789abcdef0123456789abcdef";
const CALL: &str = r#"{"callId":"3f0b7a52-6a0e-4d83-9d0c-2f6f4a1c9b11","clientVersion":null,"created":"2026-03-02T14:05:11.120345Z",
 "joined":null,"ended":null,"endReason":null,"billedDuration":null,"billedSideInputTokens":null,
 "billedSideOutputTokens":null,"billingStatus":"BILLING_STATUS_PENDING","firstSpeaker":"FIRST_SPEAKER_USER",
 "firstSpeakerSettings":{"user":{"fallback":{"delay":"8s","text":"Hello, this is Sam."}}},
 "initialOutputMedium":"MESSAGE_MEDIUM_VOICE","joinTimeout":"30s","maxDuration":"3600s","joinUrl":"wss://voice.example/x",
 "languageHint":null,"medium":{"telnyx":{"outgoing":{"to":"+13125550111","from":"+13125550100"}}},
 "model":"ultravox-v0.7","recordingEnabled":true,"systemPrompt":"…","temperature":0.0,"timeExceededMessage":null,
 "voice":"Mark","transcriptOptional":true,"vadSettings":null,"shortSummary":null,"summary":null,
 "agent":{"agentId":"7d0c","name":"Reminder"},"agentId":"7d0c","experimentalSettings":null,
 "metadata":{"attempt_id":"42"},"initialState":{},"requestContext":null,"sipDetails":null}"#;

fn at(origin: &str) -> Ultravox {
    with(origin, Carrier::Telnyx)
}

fn with(origin: &str, carrier: Carrier) -> Ultravox {
    let config = UltravoxConfig { base_url: format!("{origin}/api"), api_key: KEY.into(), carrier };
    Ultravox::new(&client(), &config).unwrap()
}

fn new_call() -> NewVoiceCall {
    NewVoiceCall {
        agent_id: "7d0c".into(),
        line: Line::Phone { to: "+13125550111".into(), from: "+13125550100".into(), trunk: None },
        variables: json!({"customer": {"name": "Ada"}}),
        metadata: [("attempt_id".to_owned(), "42".to_owned())].into(),
        first_speaker: Some(FirstSpeaker::User {
            fallback: Some(Fallback {
                delay: Duration::from_secs(8),
                opening: Opening::Text("Hello, this is Sam.".into()),
            }),
        }),
        recording_enabled: Some(true),
        max_duration: None,
        join_timeout: None,
        tool_token: None,
        leg_news_url: None,
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn page(next: Option<&str>, results: &[Value]) -> Answer {
    let body = json!({"next": next, "previous": null, "results": results, "total": results.len()});
    Answer::json(200, body.to_string())
}

#[tokio::test]
async fn a_call_is_sent_and_read_as_documented() {
    let stub = Stub::playing([Answer::json(201, CALL)]).await;
    let call = at(&stub.origin).create_call(&new_call()).await.unwrap();

    let seen = stub.only();
    assert_eq!(seen.line(), "POST /api/agents/7d0c/calls");
    assert_eq!(seen.header("x-api-key"), Some(KEY));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert!(seen.header("user-agent").unwrap().starts_with("Patchbay/"));
    assert_eq!(
        seen.json(),
        json!({"templateContext": {"customer": {"name": "Ada"}}, "metadata": {"attempt_id": "42"},
            "firstSpeakerSettings": {"user": {"fallback": {"delay": "8s", "text": "Hello, this is Sam."}}},
            "medium": {"telnyx": {"outgoing": {"to": "+13125550111", "from": "+13125550100"}}},
            "recordingEnabled": true})
    );

    assert_eq!(call.id, "3f0b7a52-6a0e-4d83-9d0c-2f6f4a1c9b11");
    assert_eq!(call.agent_id.as_deref(), Some("7d0c"));
    assert_eq!(call.created, Some(time("2026-03-02T14:05:11.120345Z")));
    assert_eq!(call.stage(), CallStage::Waiting);
    assert_eq!(call.direction, CallDirection::Outbound);
    assert_eq!((call.to.as_deref(), call.from.as_deref()), (Some("+13125550111"), Some("+13125550100")));
    assert_eq!(call.metadata["attempt_id"], "42");
    assert_eq!((call.is_recorded, call.bill, call.charged_seconds()), (Some(true), Bill::Open, None));
    assert_eq!((call.billed_seconds, call.end_reason), (None, None));
}

#[tokio::test]
async fn every_carrier_has_its_medium_and_a_browser_has_none() {
    let outgoing = json!({"outgoing": {"to": "+13125550111", "from": "+13125550100"}});
    let sip = Carrier::Sip {
        domain: "pbx.example".into(),
        username: Some("u".into()),
        password: Some(Secret::from("hidden-password")),
    };
    let sip_out = json!({"sip": {"outgoing": {"to": "sip:+13125550111@pbx.example", "from": "+13125550100",
        "username": "u", "password": "hidden-password"}}});
    for (carrier, medium) in [
        (Carrier::Twilio, json!({"twilio": outgoing})),
        (Carrier::Plivo, json!({"plivo": outgoing})),
        (sip.clone(), sip_out),
    ] {
        let stub = Stub::playing([Answer::json(201, CALL)]).await;
        with(&stub.origin, carrier).create_call(&new_call()).await.unwrap();
        assert_eq!(stub.only().json()["medium"], medium);
    }

    let stub = Stub::playing([Answer::json(201, CALL)]).await;
    let call = NewVoiceCall { line: Line::Browser, ..new_call() };
    let made = at(&stub.origin).create_call(&call).await.unwrap();
    assert_eq!(stub.only().json().get("medium"), None);
    assert_eq!(made.join_url.as_deref(), Some("wss://voice.example/x"));

    // A password that the service repeats in its complaint stays hidden.
    let stub = Stub::playing([Answer::json(400, r#"{"medium":{"sip":["bad password hidden-password"]}}"#)]).await;
    let error = with(&stub.origin, sip).create_call(&new_call()).await.unwrap_err();
    assert_eq!(error.message, "medium.sip: bad password [hidden]");
}

#[tokio::test]
async fn reserved_metadata_and_empty_ids_are_refused_before_sending() {
    let stub = Stub::playing([]).await;
    let mut call = new_call();
    call.metadata.insert("ultravox.x".into(), "1".into());
    assert_eq!(at(&stub.origin).create_call(&call).await.unwrap_err().kind, Kind::Rejected);
    assert_eq!(at(&stub.origin).get_call("").await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(at(&stub.origin).get_call("..").await.unwrap_err().kind, Kind::NotFound);
    assert!(stub.seen().is_empty());
}

#[tokio::test]
async fn an_agent_is_made_and_changed_with_its_template() {
    let stub = Stub::playing([
        Answer::json(201, r#"{"agentId":"a-1","name":"x","callTemplate":{},"statistics":{"calls":0}}"#),
        Answer::json(
            200,
            r#"{"agentId":"a-1","callTemplate":{"name":"x","created":"2026-03-02T14:05:11Z","systemPrompt":"Old.","languageHint":"hi",
                "selectedTools":[{"toolName":"hangUp"}],"vadSettings":null}}"#,
        ),
        Answer::json(200, r#"{"agentId":"a-1"}"#),
        Answer::json(200, r#"{"agentId":"a-1","callTemplate":{"systemPrompt":"","selectedTools":[{"toolName":"hangUp"}]}}"#),
    ])
    .await;
    let agent = AgentSpec {
        name: "n".repeat(70),
        system_prompt: "You call {{customer.name}}.".into(),
        model: Some("ultravox-v0.7".into()),
        voice: Some("Mark".into()),
        language_hint: Some("hi".into()),
        temperature: Some(0.4),
        max_duration: Some(Duration::from_secs(600)),
        join_timeout: Some(Duration::from_secs(20)),
        time_exceeded: Some("Our time is up.".into()),
        inactivity: vec![InactivityMessage {
            after: Duration::from_millis(7500),
            text: "Are you there?".into(),
            end: SilenceEnd::Soft,
        }],
        first_speaker: Some(FirstSpeaker::Agent {
            opening: Opening::Text("Hello!".into()),
            uninterruptible: true,
            delay: Some(Duration::from_secs(1)),
        }),
        recording_enabled: true,
        context_schema: Some(json!({"type": "object"})),
        tools: VoiceTools::default(),
    };
    assert_eq!(at(&stub.origin).create_agent(&agent).await.unwrap(), "a-1");
    at(&stub.origin).update_agent("a-1", &AgentSpec { name: "Short".into(), ..AgentSpec::default() }).await.unwrap();

    let seen = stub.seen();
    assert_eq!(seen[0].line(), "POST /api/agents");
    assert_eq!(
        seen[0].json(),
        json!({"name": "n".repeat(64), "callTemplate": {"systemPrompt": "You call {{customer.name}}.",
            "model": "ultravox-v0.7", "voice": "Mark", "languageHint": "hi", "temperature": 0.4, "maxDuration": "600s", "joinTimeout": "20s",
            "timeExceededMessage": "Our time is up.",
            "inactivityMessages": [{"duration": "7.5s", "message": "Are you there?", "endBehavior": "END_BEHAVIOR_HANG_UP_SOFT"}],
            "firstSpeakerSettings": {"agent": {"text": "Hello!", "uninterruptible": true, "delay": "1s"}},
            "recordingEnabled": true, "contextSchema": {"type": "object"}}})
    );
    // A PATCH may replace the whole template: what is not ours is sent back as it was, and what is ours and not set any more is gone.
    assert_eq!((seen[1].line().as_str(), seen[2].line().as_str()), ("GET /api/agents/a-1", "PATCH /api/agents/a-1"));
    assert_eq!(
        seen[2].json(),
        json!({"name": "Short", "callTemplate": {"systemPrompt": "", "recordingEnabled": false, "languageHint": null,
            "selectedTools": [{"toolName": "hangUp"}]}})
    );
    assert_eq!(seen[3].line(), "GET /api/agents/a-1", "it is read back");
}

#[tokio::test]
async fn an_agent_is_read_as_the_service_has_it() {
    let there = r#"{"agentId":"a-1","publishedRevisionId":"r-1","name":"Reminder","created":"2026-03-02T14:05:11Z","statistics":{"calls":4},
        "callTemplate":{"name":"x","systemPrompt":"Hi {{who}}.","voice":"Mark","languageHint":"en-GB","temperature":0,"joinTimeout":"30s",
        "maxDuration":"3600s","timeExceededMessage":null,"inactivityMessages":[{"duration":"30s","message":"Hello?","endBehavior":"END_BEHAVIOR_HANG_UP_SOFT"},{"message":"no duration"}],
        "firstSpeakerSettings":{"user":{"fallback":{"delay":"5.5s","prompt":"Greet them."}}},"recordingEnabled":true,
        "selectedTools":[{"toolName":"hangUp"},{"toolId":"7e2c","nameOverride":"look_up"}],
        "vadSettings":{"turnEndpointDelay":"0.4s"},"dataConnection":null,"retentionPolicy":"CALL_RETENTION_POLICY_RETAIN"}}"#;
    let bare = r#"{"agentId":"a-2","name":null,"callTemplate":null}"#;
    let refused = Answer::json(404, r#"{"detail":"Not found."}"#);
    let stub = Stub::playing([Answer::json(200, there), Answer::json(200, bare), Answer::json(204, ""), refused]).await;
    let held = at(&stub.origin).read_agent("a-1").await.unwrap();
    assert_eq!((held.spec.name.as_str(), held.spec.temperature), ("Reminder", Some(0.0)));
    assert_eq!(
        held.spec.first_speaker,
        Some(FirstSpeaker::User {
            fallback: Some(Fallback {
                delay: Duration::from_millis(5500),
                opening: Opening::Instruction("Greet them.".into()),
            })
        })
    );
    assert_eq!((held.spec.inactivity.len(), held.spec.inactivity[0].end), (1, SilenceEnd::Soft));
    assert_eq!(held.tools, ["hangUp", "look_up"]);
    assert_eq!(held.others, ["retentionPolicy", "vadSettings"]);
    assert_eq!(at(&stub.origin).read_agent("a-2").await.unwrap(), HeldAgent::default());
    // Deleting what is gone is done.
    at(&stub.origin).delete_agent("a-1").await.unwrap();
    at(&stub.origin).delete_agent("a-1").await.unwrap();
    assert_eq!(stub.seen()[2].line(), "DELETE /api/agents/a-1");
}

#[tokio::test]
async fn what_a_change_of_an_agent_loses_is_said() {
    let before =
        r#"{"agentId":"a-1","callTemplate":{"systemPrompt":"Old.","vadSettings":{"turnEndpointDelay":"0.4s"}}}"#;
    let stub = Stub::playing([
        Answer::json(200, before),
        Answer::json(200, r#"{"agentId":"a-1"}"#),
        Answer::json(200, r#"{"agentId":"a-1","callTemplate":{"systemPrompt":"New."}}"#),
    ])
    .await;
    let spec = AgentSpec { name: "Short".into(), system_prompt: "New.".into(), ..AgentSpec::default() };
    let error = at(&stub.origin).update_agent("a-1", &spec).await.unwrap_err();
    assert!(error.kind == Kind::Garbage && error.message.contains("vadSettings"), "{error:?}");
    assert_eq!(stub.seen()[1].json()["callTemplate"]["vadSettings"], json!({"turnEndpointDelay": "0.4s"}));
}

#[tokio::test]
async fn the_carrier_account_is_given_kept_and_read_back() {
    let held = r#"{"accountSid":"acc-1","applicationSid":"app-1","apiKeyPrefix":{"prefix":"KEY0"},"publicKeyPrefix":{"prefix":"e5B"},
        "callCreationAllowedAgentIds":["7d0c"],"callCreationAllowAllAgents":null,"requestContextMapping":{"From":"user.phone"}}"#;
    let account = CarrierAccount {
        account_id: "acc-1".into(),
        api_key: "KEY0999".into(),
        public_key: "e5B=".into(),
        application_id: "app-1".into(),
    };
    // The first time there is none.
    let none = || Answer::json(404, r#"{"detail":"Not found."}"#);
    let stub = Stub::playing([none(), none(), Answer::json(201, held), Answer::json(200, held)]).await;
    assert_eq!(at(&stub.origin).carrier_account().await.unwrap(), None);
    let now = at(&stub.origin).set_carrier_account(&account).await.unwrap();
    assert!(now.is(&account));
    assert_eq!(stub.seen()[2].line(), "POST /api/telephony_configs/telnyx");
    assert_eq!(
        stub.seen()[2].json(),
        json!({"accountSid": "acc-1", "apiKey": "KEY0999", "publicKey": "e5B=", "applicationSid": "app-1"})
    );
    // Later what others have set goes along, and a loss is said.
    let lost = r#"{"accountSid":"acc-1","applicationSid":"app-1","apiKeyPrefix":{"prefix":"KEY0"}}"#;
    let stub = Stub::playing([Answer::json(200, held), Answer::json(200, held), Answer::json(200, lost)]).await;
    let error = at(&stub.origin).set_carrier_account(&account).await.unwrap_err();
    assert!(error.message.contains("callCreationAllowedAgentIds"), "{error:?}");
    assert_eq!(stub.seen()[1].line(), "PATCH /api/telephony_configs/telnyx");
    assert_eq!(
        stub.seen()[1].json(),
        json!({"accountSid": "acc-1", "apiKey": "KEY0999", "publicKey": "e5B=", "applicationSid": "app-1",
            "callCreationAllowedAgentIds": ["7d0c"], "requestContextMapping": {"From": "user.phone"}})
    );
}

#[tokio::test]
async fn a_call_for_somebody_on_the_carriers_line_dials_nobody() {
    let stub = Stub::playing([201; 3].map(|status| Answer::json(status, CALL))).await;
    for trunk in [None, Some(Trunk::Twilio), Some(Trunk::Plivo)] {
        let call = NewVoiceCall { line: Line::Joined { trunk }, ..new_call() };
        at(&stub.origin).create_call(&call).await.unwrap();
    }
    let media: Vec<Value> = stub.seen().iter().map(|seen| seen.json()["medium"].clone()).collect();
    assert_eq!(media, [json!({"telnyx": {}}), json!({"twilio": {}}), json!({"plivo": {}})]);
}

#[tokio::test]
async fn an_agent_is_told_something_and_the_carrier_asked_for_news_of_its_leg() {
    let stub = Stub::playing([
        Answer::json(201, CALL),
        Answer::new(204, ""),
        Answer::json(422, r#"{"detail":"Call is not active."}"#),
    ])
    .await;
    let ultravox = at(&stub.origin);
    let call = NewVoiceCall { leg_news_url: Some("https://patchbay.example/webhooks".into()), ..new_call() };
    ultravox.create_call(&call).await.unwrap();
    ultravox.tell("c-1", "Nobody answered.").await.unwrap();
    assert_eq!(ultravox.tell("c-1", "Nobody answered.").await.unwrap_err().kind, Kind::Rejected);
    let seen = stub.seen();
    assert_eq!(
        seen[0].json()["medium"]["telnyx"]["outgoing"]["additionalParams"],
        json!({"StatusCallback": "https://patchbay.example/webhooks", "StatusCallbackMethod": "POST",
            "StatusCallbackEvent": "initiated answered completed"})
    );
    assert_eq!(seen[1].line(), "POST /api/calls/c-1/send_data_message");
    assert_eq!(
        seen[1].json(),
        json!({"type": "user_text_message", "text": "Nobody answered.", "urgency": "immediate"})
    );
}

#[tokio::test]
async fn calls_are_found_by_metadata_and_checked_again() {
    let mut other: Value = serde_json::from_str(CALL).unwrap();
    other["metadata"] = json!({"attempt_id": "43"});
    let stub = Stub::playing([page(None, &[serde_json::from_str(CALL).unwrap(), other])]).await;
    let found = at(&stub.origin).find_calls_by_metadata("attempt_id", "42").await.unwrap();
    assert_eq!(found.len(), 1, "a call that doesn't carry the value is not ours");
    let seen = stub.only();
    assert_eq!(seen.line(), "GET /api/calls");
    assert_eq!(seen.query(), [("metadata.attempt_id", "42")]);
}

#[tokio::test]
async fn pages_are_followed_at_our_own_address_only() {
    let call: Value = serde_json::from_str(CALL).unwrap();
    let canary = Stub::playing([]).await;
    let elsewhere = format!("{}/api/calls?cursor=c2&pageSize=1", canary.origin);
    let stub = Stub::playing([page(Some(&elsewhere), std::slice::from_ref(&call)), page(None, &[call])]).await;
    let (from, to) = (time("2026-03-01T00:00:00Z"), time("2026-03-03T00:00:00.5Z"));

    let which = CallsAsk { from, to, agents: Vec::new(), newest_first: false, page_size: 50 };
    let first = at(&stub.origin).list_calls(&which, None).await.unwrap();
    assert_eq!((first.calls.len(), first.total), (1, Some(1)));
    let second = at(&stub.origin).list_calls(&which, first.next.as_deref()).await.unwrap();
    assert_eq!((second.calls.len(), second.next), (1, None));

    let seen = stub.seen();
    assert_eq!(
        seen[0].query(),
        [
            ("fromDate", "2026-03-01T00:00:00Z"),
            ("toDate", "2026-03-03T00:00:00.500Z"),
            ("sort", "created"),
            ("pageSize", "50")
        ]
    );
    assert_eq!(seen[1].line(), "GET /api/calls");
    assert_eq!(seen[1].query(), [("cursor", "c2"), ("pageSize", "1")]);
    assert!(canary.seen().is_empty(), "the key must not leave for another host");
}

#[tokio::test]
async fn pages_that_never_end_are_an_error() {
    let stub = Stub::playing([]).await;
    let next = format!("{}/api/models?cursor=same", stub.origin);
    for _ in 0..3 {
        stub.add(page(Some(&next), &[json!({"name": "m"})]));
    }
    assert_eq!(at(&stub.origin).list_models().await.unwrap_err().kind, Kind::Garbage);
    assert_eq!(stub.seen().len(), 2);
}

#[tokio::test]
async fn a_page_of_calls_is_read_call_by_call_and_checked_again() {
    let ours: Value = serde_json::from_str(CALL).unwrap();
    let (mut of_another, mut of_before, mut nameless) = (ours.clone(), ours.clone(), ours.clone());
    of_another["agentId"] = json!("another");
    of_another["agent"] = Value::Null;
    of_before["created"] = json!("2026-02-28T23:59:59.999Z");
    nameless["callId"] = Value::Null;
    let agent = ours["agentId"].as_str().unwrap().to_owned();
    let stub = Stub::playing([page(None, &[of_before, ours, json!("no call"), of_another, nameless])]).await;
    let (from, to) = (time("2026-03-01T00:00:00Z"), time("2026-03-31T00:00:00Z"));
    let which = CallsAsk { from, to, agents: vec![agent.clone()], newest_first: true, page_size: 100 };

    let found = at(&stub.origin).list_calls(&which, None).await.unwrap();
    assert_eq!(found.calls.len(), 1, "a filter that the service does not know is applied here");
    assert_eq!(found.unreadable.len(), 2);
    assert_eq!(found.reaches.map(|(oldest, _)| oldest), Some(time("2026-02-28T23:59:59.999Z")));
    let seen = stub.only();
    assert!(seen.query().contains(&("agentIds", agent.as_str())) && seen.query().contains(&("sort", "-created")));
}

#[tokio::test]
async fn messages_come_from_the_whole_call_over_all_pages() {
    let stub = Stub::playing([]).await;
    let next = format!("{}/api/calls/c-1/messages?mode=in_call&cursor=x", stub.origin);
    stub.add(page(
        Some(&next),
        &[json!({"role":"MESSAGE_ROLE_AGENT","text":"Hello, this is Sam.","medium":"MESSAGE_MEDIUM_VOICE",
            "callStageId":"s","callStageMessageIndex":0,"timespan":{"start":"1.2s","end":"3.4s"}})],
    ));
    stub.add(page(
        None,
        &[
            json!({"role":"MESSAGE_ROLE_USER","text":"Hi.","timespan":{"start":"3.9s","end":"4.4s"}}),
            json!({"role":"MESSAGE_ROLE_TOOL_CALL","text":"{\"day\":1}","toolName":"book","invocationId":"i-1"}),
            json!({"role":"MESSAGE_ROLE_DREAM"}),
        ],
    ));
    let messages = at(&stub.origin).list_messages("c-1").await.unwrap();
    assert_eq!(messages.len(), 4);
    assert_eq!(messages[0].role, MessageRole::Agent);
    assert_eq!((messages[0].start_seconds, messages[0].end_seconds), (Some(1.2), Some(3.4)));
    assert_eq!(messages[1].text, "Hi.");
    assert_eq!((messages[2].tool_name.as_deref(), messages[2].invocation_id.as_deref()), (Some("book"), Some("i-1")));
    assert_eq!(messages[3].role.as_str(), "MESSAGE_ROLE_DREAM");
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "GET /api/calls/c-1/messages");
    assert_eq!(seen[0].query(), [("mode", "in_call")]);
    assert_eq!(seen[1].query(), [("mode", "in_call"), ("cursor", "x")]);
}

#[tokio::test]
async fn a_recording_comes_directly_or_after_one_redirect() {
    let stub = Stub::playing([
        Answer::new(200, "RIFFdata").header("content-type", "audio/wav"),
        Answer::new(302, "").header("location", "/files/1.wav?sig=x"),
        Answer::new(200, "RIFFmore").header("content-type", "audio/wav"),
    ])
    .await;
    let ultravox = at(&stub.origin);
    let direct = ultravox.recording("c-1").await.unwrap();
    assert_eq!((direct.content_type.as_str(), direct.length), ("audio/wav", Some(8)));
    assert_eq!(direct.read_all().await.unwrap(), b"RIFFdata");
    assert_eq!(ultravox.recording("c-1").await.unwrap().read_all().await.unwrap(), b"RIFFmore");
    let lines: Vec<_> = stub.seen().iter().map(Seen::line).collect();
    assert_eq!(lines, ["GET /api/calls/c-1/recording", "GET /api/calls/c-1/recording", "GET /files/1.wav"]);
}

#[tokio::test]
async fn a_recording_never_leads_to_a_private_address_or_past_the_limit() {
    let canary = Stub::playing([]).await;
    let port = canary.origin.rsplit(':').next().unwrap();
    for target in [
        format!("{}/steal", canary.origin),
        format!("https://127.0.0.1:{port}/"),
        "https://127.0.0.1/".to_owned(),
        "https://localhost:8443/".to_owned(),
        "https://[::1]/".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let stub = Stub::playing([Answer::new(302, "").header("location", &target)]).await;
        let error = at(&stub.origin).recording("c-1").await.err().expect(&target);
        assert!(matches!(error.kind, Kind::Garbage | Kind::Network), "{target}: {error}");
    }
    assert!(canary.seen().is_empty());

    let stub = Stub::playing([]).await;
    stub.add(Answer::new(302, "").header("location", "/a"));
    stub.add(Answer::new(302, "").header("location", "/b"));
    assert_eq!(at(&stub.origin).recording("c-1").await.err().unwrap().kind, Kind::Garbage, "one redirect only");
    assert_eq!(stub.seen().len(), 2);

    let small = client_with(HttpSettings { download_limit: 4, ..HttpSettings::default() });
    let stub = Stub::playing([Answer::new(200, "12345")]).await;
    let config = UltravoxConfig { base_url: stub.origin.clone(), api_key: KEY.into(), carrier: Carrier::Telnyx };
    let error = Ultravox::new(&small, &config).unwrap().recording("c-1").await.err().unwrap();
    assert_eq!(error.message, "The file is too large");

    // Without a length the limit holds while reading.
    let origin = writing_and_closing(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n12345").await;
    let config = UltravoxConfig { base_url: origin, ..config };
    let recording = Ultravox::new(&small, &config).unwrap().recording("c-1").await.unwrap();
    assert_eq!(recording.read_all().await.unwrap_err().message, "The file is too large");

    let stub = Stub::playing([Answer::json(404, r#"{"detail":"No recording."}"#)]).await;
    assert_eq!(at(&stub.origin).recording("c-1").await.err().unwrap().kind, Kind::NotFound);

    // The key was good: the service said where the file is. What is said there is nothing about the key.
    for status in [401, 403, 404, 410, 400] {
        let gone = Answer::new(status, "<Error><Code>AccessDenied</Code></Error>");
        let stub = Stub::playing([Answer::new(302, "").header("location", "/files/1.wav?sig=x"), gone]).await;
        let error = at(&stub.origin).recording("c-1").await.err().unwrap();
        assert_eq!((error.kind, error.status), (Kind::NotFound, Some(status)), "{error}");
    }
    let stub = Stub::playing([Answer::json(403, r#"{"detail":"Invalid key."}"#)]).await;
    assert_eq!(
        at(&stub.origin).recording("c-1").await.err().unwrap().kind,
        Kind::Credentials,
        "the service's own word"
    );
}

#[tokio::test]
async fn a_live_call_is_ended_and_one_that_is_not_live_says_so() {
    let stub = Stub::playing([
        Answer::new(204, ""),
        Answer::new(204, ""),
        Answer::json(422, r#"{"detail":"Call is not active."}"#),
    ])
    .await;
    let ultravox = at(&stub.origin);
    ultravox.hang_up("c-1", Some("Goodbye!")).await.unwrap();
    ultravox.hang_up("c-1", None).await.unwrap();
    let error = ultravox.hang_up("c-1", None).await.unwrap_err();
    assert_eq!((error.kind, error.status, error.message.as_str()), (Kind::Rejected, Some(422), "Call is not active."));
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "POST /api/calls/c-1/send_data_message");
    assert_eq!(seen[0].json(), json!({"type": "hang_up", "message": "Goodbye!"}));
    assert_eq!(seen[1].json(), json!({"type": "hang_up"}));
}

#[tokio::test]
async fn account_voices_models_and_webhooks() {
    let stub = Stub::playing([
        Answer::json(
            200,
            r#"{"accountId":"x","name":"Sunrise","billingUrl":"u","freeTimeUsed":"0s","activeCalls":2,"allowedConcurrentCalls":5}"#,
        ),
        page(
            None,
            &[json!({"voiceId":"v-1","name":"Mark","description":null,"primaryLanguage":"en-US","languageLabel":"English",
                "previewUrl":"https://voice.example/p","ownership":"public","billingStyle":"VOICE_BILLING_STYLE_INCLUDED"})],
        ),
        page(None, &[json!({"name":"ultravox-v0.7"})]),
        Answer::json(201, r#"{"webhookId":"w-1","url":"https://x.example/h","secrets":["s"],"events":[],"status":"normal"}"#),
        Answer::json(400, r#"{"secrets":["top-secret-1 is not allowed"],"url":["Enter a valid URL."]}"#),
    ])
    .await;
    let ultravox = at(&stub.origin);
    let account = ultravox.check_credentials().await.unwrap();
    assert_eq!((account.name.as_str(), account.active_calls, account.concurrent_calls_limit), ("Sunrise", 2, Some(5)));
    let voices = ultravox.list_voices().await.unwrap();
    assert_eq!((voices[0].id.as_str(), voices[0].language.as_deref()), ("v-1", Some("en-US")));
    assert_eq!(ultravox.list_models().await.unwrap(), ["ultravox-v0.7"]);
    let secret = Secret::from("top-secret-1");
    assert_eq!(ultravox.register_webhook("https://x.example/h", &secret).await.unwrap(), "w-1");
    let error = ultravox.register_webhook("https://x.example/h", &secret).await.unwrap_err();
    assert_eq!(error.message, "secrets: [hidden] is not allowed; url: Enter a valid URL.");

    let seen = stub.seen();
    let lines: Vec<_> = seen.iter().map(Seen::line).collect();
    assert_eq!(
        lines,
        ["GET /api/accounts/me", "GET /api/voices", "GET /api/models", "POST /api/webhooks", "POST /api/webhooks"]
    );
    assert_eq!(
        seen[3].json(),
        json!({"url": "https://x.example/h", "secrets": ["top-secret-1"],
            "events": ["call.started", "call.joined", "call.ended", "call.billed"]})
    );
}

#[tokio::test]
async fn a_call_whose_start_got_no_clear_answer_has_an_unknown_outcome() {
    let hang = Stub::playing([Answer::json(201, CALL).after(Duration::from_secs(20))]).await;
    let config = UltravoxConfig { base_url: hang.origin.clone(), api_key: KEY.into(), carrier: Carrier::Telnyx };
    let error = Ultravox::new(&impatient_client(), &config).unwrap().create_call(&new_call()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
    assert!(error.outcome_unknown() && !error.is_retryable());

    let closed = writing_and_closing(b"").await;
    let error = at(&closed).create_call(&new_call()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Network);
    assert!(error.outcome_unknown());

    for answer in [
        Answer::json(500, r#"{"detail":"oops"}"#),
        Answer::json(201, r#"{"callId":"3f0b"#),
        Answer::new(200, "<html>hello</html>"),
        Answer::new(303, "").header("location", "/elsewhere"),
    ] {
        let stub = Stub::playing([answer]).await;
        let error = at(&stub.origin).create_call(&new_call()).await.unwrap_err();
        assert!(error.outcome_unknown(), "{error:?}");
        assert_eq!(stub.seen().len(), 1, "nothing is repeated or followed");
    }

    // These say clearly that there is no call.
    let limited = Stub::playing([Answer::json(429, "{}").header("retry-after", "2")]).await;
    let error = at(&limited.origin).create_call(&new_call()).await.unwrap_err();
    assert!(!error.outcome_unknown() && error.is_retryable());
    assert_eq!(error.retry_after, Some(Duration::from_secs(2)));
    let error = at(&nobody().await).create_call(&new_call()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Network);
    assert!(!error.outcome_unknown() && error.is_retryable(), "without a connection nothing was sent");
}

#[tokio::test]
async fn unknown_fields_and_words_are_taken() {
    let mut call: Value = serde_json::from_str(CALL).unwrap();
    call["newField"] = json!({"a": [1, 2]});
    call["endReason"] = json!("abducted");
    call["joined"] = json!("2026-03-02T14:05:20.004100+00:00");
    call["ended"] = json!("2026-03-02T14:07:25.900000");
    call["billedDuration"] = json!("126s");
    call["billingStatus"] = json!("BILLING_STATUS_BILLED");
    call["sipDetails"] = json!({"billedDuration": "18.5s", "terminationReason": "SIP_TERMINATION_BUSY"});
    call["metadata"] = json!({"n": 5, "s": "x"});
    call["agent"] = Value::Null;
    call["medium"] = json!({"sip": {"incoming": {}}});
    call["requestContext"] = json!({"telephony": {"From": "sip:+13125550199@carrier.example", "To": "+13125550100"}});
    let stub = Stub::playing([Answer::json(200, call.to_string())]).await;
    let call = at(&stub.origin).get_call("c-1").await.unwrap();
    assert_eq!(call.end_reason, Some(EndReason::Other("abducted".into())));
    assert_eq!(call.end_reason.as_ref().unwrap().as_str(), "abducted");
    assert_eq!(call.talk_seconds(), Some(125.895));
    assert_eq!((call.billed_seconds, call.sip_billed_seconds), (Some(126.0), Some(18.5)));
    assert_eq!((call.bill, call.charged_seconds()), (Bill::Billed, Some(126.0)));
    assert_eq!(call.sip_termination, Some(SipTermination::Busy));
    assert_eq!(call.metadata["n"], "5");
    assert_eq!((call.stage(), call.direction), (CallStage::Done, CallDirection::Inbound));
    assert_eq!((call.from.as_deref(), call.to.as_deref()), (Some("+13125550199"), Some("+13125550100")));
}

#[test]
fn webhook_events_are_read() {
    let body = r#"{"event":"call.ended","call":{"callId":"3f0b","created":"2026-03-02T14:05:11.120345Z","joined":"2026-03-02T14:05:20.004100Z","ended":"2026-03-02T14:07:25.900000Z","endReason":"agent_hangup","billedDuration":null,"billingStatus":"BILLING_STATUS_PENDING","shortSummary":"Confirmed.","summary":"…","metadata":{"attempt_id":"42"}}}"#;
    let event = WebhookEvent::decode(body.as_bytes()).unwrap();
    assert_eq!(event.kind, WebhookKind::Ended);
    assert_eq!(event.event_id(), "call.ended:3f0b");
    assert_eq!(event.occurred_at(), Some(time("2026-03-02T14:07:25.9Z")));
    assert_eq!(event.call.end_reason, Some(EndReason::AgentHangup));
    assert_eq!(event.call.short_summary.as_deref(), Some("Confirmed."));
    let unknown = body.replace("call.ended", "call.dreamt");
    assert_eq!(WebhookEvent::decode(unknown.as_bytes()).unwrap().kind, WebhookKind::Other("call.dreamt".into()));
    assert_eq!(WebhookEvent::decode(b"{}").unwrap_err().kind, Kind::Garbage);
}

#[test]
fn a_key_that_can_not_be_sent_is_refused_at_once() {
    for key in ["", "  ", "a\nb"] {
        let made = Endpoint::new(&client(), "ultravox", "https://x.example", ("x-api-key", ""), &key.into(), |_| None);
        assert_eq!(made.err().map(|e| e.kind), Some(Kind::Credentials), "{key:?}");
    }
    let made = Endpoint::new(&client(), "ultravox", "ftp://x", ("x-api-key", ""), &"k".into(), |_| None);
    assert_eq!(made.err().map(|e| e.kind), Some(Kind::Network));
}
