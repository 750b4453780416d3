//! Telnyx: exact requests, documented answers, events.

use crate::provider_stub::*;
use patchbay_providers::incoming::{IncomingCall, Reply};
use patchbay_providers::telephony::*;
use patchbay_providers::telnyx::{
    CallEventKind, HangupCause, Telnyx, TelnyxConfig, TelnyxEvent, TelnyxPayload, state_of,
};
use patchbay_providers::voice::CallDirection;
use patchbay_providers::{Kind, TelephonyProvider, Trunk};
use serde_json::{Value, json};
use std::time::Duration;

fn at(origin: &str) -> Telnyx {
    let config = TelnyxConfig { base_url: format!("{origin}/v2"), api_key: "KEY0123".into() };
    Telnyx::new(&client(), &config).unwrap()
}

fn ok(body: Value) -> Answer {
    Answer::json(200, body.to_string())
}

const ORDER: &str = r#"{"data":{"id":"o-1","record_type":"number_order","status":"pending","phone_numbers":[{"id":"p-1","phone_number":"+13125550123","phone_number_type":"local","country_code":"US","status":"pending","requirements_met":true,"requirements_status":"approved","regulatory_requirements":[],"sub_number_order_id":null,"deadline":null}],"phone_numbers_count":1,"requirements_met":true,"sub_number_orders_ids":[],"connection_id":"2811","messaging_profile_id":null,"billing_group_id":null,"customer_reference":"ref-1","created_at":"2026-03-02T14:05:11Z","updated_at":"2026-03-02T14:05:11Z"}}"#;

#[tokio::test]
async fn a_search_is_sent_and_read_as_documented() {
    let stub = Stub::playing([Answer::json(200, r#"{"data":[{"record_type":"available_phone_number","phone_number":"+13125550123","best_effort":false,"quickship":true,"reservable":true,"vanity_format":"","features":[{"name":"voice"},{"name":"sms"}],"region_information":[{"region_type":"rate_center","region_name":"CHICAGO"}],"cost_information":{"upfront_cost":"1.00","monthly_cost":"1.10","currency":"USD"}},{"phone_number":"+13125550124","features":null,"region_information":null,"cost_information":null}],"meta":{"total_results":1,"best_effort_results":0}}"#)]).await;
    let search = NumberSearch {
        country: "US".into(),
        number_type: Some("local".into()),
        administrative_area: Some("IL".into()),
        area_code: Some("312".into()),
        contains: Some("555".into()),
        features: vec!["voice".into(), "sms".into()],
        limit: 20,
        ..NumberSearch::default()
    };
    let found = at(&stub.origin).search_numbers(&search).await.unwrap();
    let seen = stub.only();
    assert_eq!(seen.line(), "GET /v2/available_phone_numbers");
    assert_eq!(seen.header("authorization"), Some("Bearer KEY0123"));
    assert_eq!(
        seen.query(),
        [
            ("filter[country_code]", "US"),
            ("filter[phone_number_type]", "local"),
            ("filter[administrative_area]", "IL"),
            ("filter[national_destination_code]", "312"),
            ("filter[phone_number][contains]", "555"),
            ("filter[features]", "voice"),
            ("filter[features]", "sms"),
            ("filter[limit]", "20"),
        ]
    );
    assert_eq!(found[0].number, "+13125550123");
    assert_eq!(found[0].features, ["voice", "sms"]);
    assert_eq!(found[0].regions, ["CHICAGO"]);
    assert_eq!(found[0].monthly_cost.unwrap().to_string(), "1.10");
    assert_eq!((found[1].monthly_cost, found[1].features.len()), (None, 0));
}

#[tokio::test]
async fn a_number_is_ordered_watched_and_found_by_its_reference() {
    let order: Value = serde_json::from_str::<Value>(ORDER).unwrap()["data"].take();
    let mut done = order.clone();
    done["status"] = json!("success");
    done["phone_numbers"][0]["status"] = json!("failure");
    let mut other = order.clone();
    other["customer_reference"] = json!("ref-2");
    let stub = Stub::playing([
        Answer::json(200, ORDER),
        ok(json!({"data": done})),
        ok(json!({"data": [order, other], "meta": {"page_number": 1, "total_pages": 1}})),
    ])
    .await;
    let telnyx = at(&stub.origin);
    let new =
        NewNumberOrder { number: "+13125550123".into(), connection_id: Some("2811".into()), reference: "ref-1".into() };
    let made = telnyx.order_number(&new).await.unwrap();
    assert_eq!((made.id.as_str(), &made.status), ("o-1", &OrderStatus::Pending));
    assert_eq!(made.numbers[0].number, "+13125550123");
    let now = telnyx.get_order("o-1").await.unwrap();
    assert_eq!((now.status, &now.numbers[0].status), (OrderStatus::Success, &OrderStatus::Failure));
    let found = telnyx.find_orders("ref-1").await.unwrap();
    assert_eq!(found.len(), 1);

    let seen = stub.seen();
    assert_eq!(seen[0].line(), "POST /v2/number_orders");
    assert_eq!(
        seen[0].json(),
        json!({"phone_numbers": [{"phone_number": "+13125550123"}], "connection_id": "2811",
            "customer_reference": "ref-1"})
    );
    assert_eq!(seen[1].line(), "GET /v2/number_orders/o-1");
    assert_eq!(seen[2].query()[0], ("filter[customer_reference]", "ref-1"));
}

#[tokio::test]
async fn an_order_without_a_clear_answer_has_an_unknown_outcome() {
    let new = NewNumberOrder { number: "+13125550123".into(), ..NewNumberOrder::default() };
    for answer in [Answer::json(500, "{}"), Answer::json(200, "{\"data\":")] {
        let stub = Stub::playing([answer]).await;
        assert!(at(&stub.origin).order_number(&new).await.unwrap_err().outcome_unknown());
    }
    let stub = Stub::playing([Answer::json(200, ORDER).after(Duration::from_secs(20))]).await;
    let config = TelnyxConfig { base_url: stub.origin.clone(), api_key: "KEY0123".into() };
    let error = Telnyx::new(&impatient_client(), &config).unwrap().order_number(&new).await.unwrap_err();
    assert!(error.outcome_unknown() && error.kind == Kind::Timeout);
    let stub = Stub::playing([Answer::json(
        422,
        r#"{"errors":[{"code":"10016","title":"Bad number","description":"Not in E.164 form"}]}"#,
    )])
    .await;
    let error = at(&stub.origin).order_number(&new).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Rejected, "Not in E.164 form"));
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn numbers_are_listed_over_all_pages_read_and_given_back() {
    let number = |id: &str| {
        json!({"id": id, "record_type": "phone_number", "phone_number": "+13125550123", "phone_number_type": "local",
            "country_iso_alpha2": "US", "status": "active", "tags": ["a"], "connection_id": "2811",
            "connection_name": "Main", "customer_reference": "", "purchased_at": "2026-01-01T00:00:00Z",
            "deletion_lock_enabled": false})
    };
    let stub = Stub::playing([
        ok(json!({"data": [number("1"), number("2")], "meta": {"page_number": 1, "total_pages": 2, "page_size": 2}})),
        ok(json!({"data": [number("3")], "meta": {"page_number": 2, "total_pages": 2, "page_size": 2}})),
        ok(json!({"data": number("3")})),
        ok(json!({"data": {"id": "3", "status": "deleted"}})),
        ok(json!({"data": [], "meta": {"page_number": 1, "total_pages": 0}})),
    ])
    .await;
    let telnyx = at(&stub.origin);
    let numbers = telnyx.list_numbers().await.unwrap();
    assert_eq!(numbers.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!((numbers[0].connection_id.as_deref(), numbers[0].reference.as_deref()), (Some("2811"), None));
    assert_eq!(telnyx.get_number("3").await.unwrap().status, "active");
    telnyx.delete_number("3").await.unwrap();
    telnyx.check_credentials().await.unwrap();

    let seen = stub.seen();
    assert_eq!(seen[0].query(), [("page[number]", "1"), ("page[size]", "100")]);
    assert_eq!(seen[1].query(), [("page[number]", "2"), ("page[size]", "100")]);
    assert_eq!(seen[2].line(), "GET /v2/phone_numbers/3");
    assert_eq!(seen[3].line(), "DELETE /v2/phone_numbers/3");
    assert_eq!(seen[4].line(), "GET /v2/phone_numbers");
}

#[tokio::test]
async fn a_call_leg_is_read_and_ended() {
    let stub = Stub::playing([
        ok(json!({"data": {"record_type": "call", "call_control_id": "v3:abc", "call_leg_id": "b0e6224c",
            "call_session_id": "b0e6141e", "is_alive": false, "client_state": "eyJpZCI6MX0=", "call_duration": 126,
            "start_time": "2026-03-02T14:05:20Z", "end_time": "2026-03-02T14:07:26Z"}})),
        ok(json!({"data": {"result": "ok"}})),
    ])
    .await;
    let telnyx = at(&stub.origin);
    let leg = telnyx.get_call("v3:abc").await.unwrap();
    assert_eq!((leg.is_alive, leg.duration_seconds), (false, Some(126.0)));
    telnyx.hangup("v3:abc", "cmd-1").await.unwrap();
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "GET /v2/calls/v3:abc");
    assert_eq!(seen[1].line(), "POST /v2/calls/v3:abc/actions/hangup");
    assert_eq!(seen[1].json(), json!({"command_id": "cmd-1"}));
}

#[tokio::test]
async fn a_leg_is_given_to_a_person_by_one_command() {
    let stub = Stub::playing([
        ok(json!({"data": {"result": "ok"}})),
        Answer::json(422, r#"{"errors":[{"code":"90018","title":"Call has already ended"}]}"#),
        ok(json!({"data": {"result": "ok"}})),
    ])
    .await;
    let telnyx = at(&stub.origin);
    let to = LegTransfer {
        to: "+13125550111".into(),
        from: "+13125550100".into(),
        ring_seconds: 25,
        command_id: "t-1".into(),
        state: "transfer:t-1".into(),
        webhook_url: "https://patchbay.example/webhooks".into(),
    };
    telnyx.transfer("v3:abc", &to).await.unwrap();
    let error = telnyx.transfer("v3:abc", &to).await.unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown()), (Kind::Rejected, false));
    telnyx.stop_streaming("v3:abc", "t-1-leave").await.unwrap();
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "POST /v2/calls/v3:abc/actions/transfer");
    assert_eq!(
        seen[0].json(),
        json!({"to": "+13125550111", "from": "+13125550100", "timeout_secs": 25, "command_id": "t-1",
            "target_leg_client_state": "dHJhbnNmZXI6dC0x", "webhook_url": "https://patchbay.example/webhooks"})
    );
    assert_eq!(seen[2].line(), "POST /v2/calls/v3:abc/actions/streaming_stop");
    assert_eq!(seen[2].json(), json!({"command_id": "t-1-leave"}));
    assert_eq!(state_of("dHJhbnNmZXI6dC0x").as_deref(), Some("transfer:t-1"));
    assert_eq!((state_of("not base64"), state_of("/w==")), (None, None));
    assert_eq!(kind("call.bridged", json!({"state": "bridged"})), CallEventKind::Bridged);
    // A form that names nothing but the call: its id is the one that commands take.
    let told =
        TelnyxEvent::decode(b"CallSid=v3%3Aabc&CallStatus=in-progress&From=%2B13125550100&To=%2B13125550111").unwrap();
    let TelnyxPayload::Call(leg) = told.payload else { panic!() };
    assert_eq!((leg.call_control_id.as_deref(), leg.kind), (Some("v3:abc"), CallEventKind::Answered));
}

fn event(event_type: &str, payload: Value) -> TelnyxEvent {
    let body = json!({"data": {"record_type": "event", "event_type": event_type,
        "id": "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0", "occurred_at": "2026-03-02T14:07:26.412345Z",
        "payload": payload}, "meta": {"attempt": 2, "delivered_to": "https://example.test/hooks"}});
    TelnyxEvent::decode(body.to_string().as_bytes()).unwrap()
}

fn kind(event_type: &str, payload: Value) -> CallEventKind {
    match event(event_type, payload).payload {
        TelnyxPayload::Call(call) => call.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn call_events_are_typed() {
    let hangup = event(
        "call.hangup",
        json!({"call_control_id": "v3:abc", "connection_id": "2811212257810187875", "call_leg_id": "leg",
            "call_session_id": "session", "client_state": null, "from": "+13125550100", "to": "+13125550111",
            "start_time": "2026-03-02T14:05:20.000000Z", "state": "hangup", "hangup_cause": "user_busy",
            "hangup_source": "callee", "sip_hangup_cause": "486"}),
    );
    assert_eq!((hangup.event_type.as_str(), hangup.attempt), ("call.hangup", Some(2)));
    assert_eq!(
        hangup.occurred_at,
        Some("2026-03-02T14:07:26.412345Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap())
    );
    let TelnyxPayload::Call(call) = hangup.payload else { panic!() };
    assert_eq!(call.call_control_id.as_deref(), Some("v3:abc"));
    assert_eq!(call.to.as_deref(), Some("+13125550111"));
    assert_eq!(
        call.kind,
        CallEventKind::Hangup {
            cause: HangupCause::UserBusy,
            source: Some("callee".into()),
            sip_cause: Some("486".into())
        }
    );

    let outgoing = json!({"direction": "outgoing", "state": "bridging"});
    assert_eq!(kind("call.initiated", outgoing), CallEventKind::Initiated { direction: CallDirection::Outbound });
    let incoming = json!({"direction": "incoming"});
    assert_eq!(kind("call.initiated", incoming), CallEventKind::Initiated { direction: CallDirection::Inbound });
    assert_eq!(kind("call.answered", json!({"state": "answered"})), CallEventKind::Answered);
    assert_eq!(
        kind("call.machine.premium.detection.ended", json!({"result": "human_business"})),
        CallEventKind::MachineDetected { result: "human_business".into(), is_premium: true }
    );
    assert_eq!(
        kind("call.machine.greeting.ended", json!({"result": "beep_detected"})),
        CallEventKind::GreetingEnded { result: "beep_detected".into(), is_premium: false }
    );
    let saved = json!({"channels": "single", "recording_ended_at": "2026-03-02T14:07:26Z",
        "recording_urls": {"mp3": "https://files.example/1.mp3", "wav": null}});
    let CallEventKind::RecordingSaved { mp3, wav, ended } = kind("call.recording.saved", saved) else { panic!() };
    assert_eq!((mp3.as_deref(), wav, ended.is_some()), (Some("https://files.example/1.mp3"), None, true));
    let cost = json!({"status": "success", "billed_duration_secs": 126, "total_cost": "0.0123", "cost_parts": []});
    let CallEventKind::Cost { billed_seconds, total } = kind("call.cost", cost) else { panic!() };
    assert_eq!((billed_seconds, total.unwrap().to_string().as_str()), (Some(126.0), "0.0123"));
    assert!(matches!(kind("call.teleported", json!({"x": 1})), CallEventKind::Other(v) if v == json!({"x": 1})));
}

#[test]
fn order_events_and_unknown_ones() {
    let order: Value = serde_json::from_str::<Value>(ORDER).unwrap()["data"].take();
    for name in ["number_order.complete", "some.other.name"] {
        let TelnyxPayload::NumberOrder(read) = event(name, order.clone()).payload else { panic!("{name}") };
        assert_eq!((read.id.as_str(), read.reference.as_deref()), ("o-1", Some("ref-1")));
    }
    assert_eq!(event("message.sent", json!({"a": 1})).payload, TelnyxPayload::Unknown(json!({"a": 1})));
    assert_eq!(event("call.hangup", json!("odd")).payload, TelnyxPayload::Unknown(json!("odd")));
    // An application that works with XML reports in forms.
    let form = b"AccountSid=a&CallSid=v3%3Aabc&CallStatus=busy&CallControlId=v3%3Aabc&CallLegId=leg&CallSessionId=session&From=%2B13125550100\
        &To=%2B13125550111&SequenceNumber=3&Timestamp=2026-03-02T14%3A07%3A26Z&HangupSource=callee";
    let told = TelnyxEvent::decode(form).unwrap();
    assert_eq!((told.id.as_str(), told.event_type.as_str()), ("v3:abc:busy:3", "call.hangup"));
    let TelnyxPayload::Call(call) = told.payload else { panic!() };
    assert_eq!((call.to.as_deref(), call.call_leg_id.as_deref()), (Some("+13125550111"), Some("leg")));
    let cause = HangupCause::UserBusy;
    assert_eq!(call.kind, CallEventKind::Hangup { cause, source: Some("callee".into()), sip_cause: None });
    for broken in ["", "{}", "[]", r#"{"data":{"id":"y","payload":{}}}"#] {
        assert_eq!(TelnyxEvent::decode(broken.as_bytes()).unwrap_err().kind, Kind::Garbage, "{broken}");
    }
}

const APPLICATION: &str = r#"{"data":{"id":"1293","record_type":"texml_application","active":true,"friendly_name":"Patchbay 1","voice_url":"https://old.example/a","voice_method":"post","status_callback":null,"call_cost_in_webhooks":false,"inbound":{"channel_limit":10},"outbound":{"channel_limit":5,"outbound_voice_profile_id":null},"created_at":"2026-03-02T14:05:11Z"}}"#;

fn wanted() -> CallApplication {
    CallApplication {
        name: "Patchbay 1".into(),
        voice_url: "https://pb.example/answer".into(),
        status_url: "https://pb.example/events".into(),
        outbound_profile: Some("77".into()),
    }
}

#[tokio::test]
async fn an_application_is_made_found_and_changed_without_losing_what_others_set() {
    let whoami = json!({"data": {"user_id": "u", "organization_id": "org-1"}});
    let profiles = json!({"data": [{"id": "76", "enabled": false}, {"id": "77", "enabled": true}], "meta": {"page_number": 1, "total_pages": 1}});
    let held: Value = serde_json::from_str::<Value>(APPLICATION).unwrap()["data"].take();
    let mut now = held.clone();
    now["voice_url"] = json!("https://pb.example/answer");
    now["status_callback"] = json!("https://pb.example/events");
    now["call_cost_in_webhooks"] = json!(true);
    now["outbound"]["outbound_voice_profile_id"] = json!("77");
    let mut other = held.clone();
    other["friendly_name"] = json!("Somebody's");
    let stub = Stub::playing([
        ok(whoami),
        ok(profiles),
        ok(json!({"data": [other, held], "meta": {"page_number": 1, "total_pages": 1}})),
        Answer::json(201, json!({"data": now}).to_string()),
        ok(json!({"data": held})),
        ok(json!({"data": now})),
        ok(json!({"data": now})),
    ])
    .await;
    let telnyx = at(&stub.origin);
    assert_eq!(telnyx.account_id().await.unwrap(), "org-1");
    assert_eq!(telnyx.outbound_profile().await.unwrap().as_deref(), Some("77"));
    let found = telnyx.find_applications("Patchbay 1").await.unwrap();
    assert!(found.len() == 1 && !found[0].is(&wanted()), "{found:?}");
    assert!(telnyx.create_application(&wanted()).await.unwrap().is(&wanted()));
    assert!(telnyx.update_application("1293", &wanted()).await.unwrap().is(&wanted()));
    let seen = stub.seen();
    assert_eq!(seen[3].line(), "POST /v2/texml_applications");
    let ours = json!({"friendly_name": "Patchbay 1", "voice_url": "https://pb.example/answer", "voice_method": "post",
        "status_callback": "https://pb.example/events", "status_callback_method": "post", "call_cost_in_webhooks": true,
        "outbound": {"outbound_voice_profile_id": "77"}});
    assert_eq!(seen[3].json(), ours);
    assert_eq!(seen[5].line(), "PATCH /v2/texml_applications/1293");
    let mut kept = ours.clone();
    kept["outbound"] = json!({"channel_limit": 5, "outbound_voice_profile_id": "77"});
    assert_eq!(seen[5].json(), kept);
    assert_eq!(seen[6].line(), "GET /v2/texml_applications/1293");
}

#[tokio::test]
async fn a_number_is_pointed_at_an_application_and_read_back() {
    let number = |connection: &str| {
        ok(
            json!({"data": {"id": "n-1", "phone_number": "+13125550100", "status": "active", "connection_id": connection}}),
        )
    };
    let stub = Stub::playing([number("1293"), number("1293"), number("1293"), number("4711")]).await;
    let telnyx = at(&stub.origin);
    assert_eq!(telnyx.point_number("n-1", "1293").await.unwrap().connection_id.as_deref(), Some("1293"));
    assert_eq!(stub.seen()[0].line(), "PATCH /v2/phone_numbers/n-1");
    assert_eq!(stub.seen()[0].json(), json!({"connection_id": "1293"}));
    let error = telnyx.point_number("n-1", "1293").await.unwrap_err();
    assert_eq!(error.kind, Kind::Garbage, "it was not taken: {error:?}");
}

#[test]
fn a_call_that_comes_in_is_read_and_answered_in_xml() {
    let form = b"AccountSid=a&CallSid=v3%3Aabc&CallStatus=ringing&Direction=inbound&From=%2B13125550100&To=%2B13125550111&CallLegId=leg";
    let call = IncomingCall::read(Trunk::Telnyx, form).unwrap();
    assert_eq!(
        (call.call_id.as_str(), call.from.as_str(), call.to.as_str()),
        ("v3:abc", "+13125550100", "+13125550111")
    );
    // Withheld numbers are none; what is not about a call that comes in is nothing.
    assert_eq!(IncomingCall::read(Trunk::Telnyx, b"CallSid=x&To=%2B1&From=").unwrap().from, "");
    for other in
        [&b"CallSid=x&From=%2B1"[..], b"To=%2B1", b"CallSid=x&To=%2B1&Direction=outbound-api", b"\xff\xfe", b""]
    {
        assert_eq!(IncomingCall::read(Trunk::Telnyx, other), None, "{other:?}");
    }
    let joined = Reply::Connect { join_url: "wss://voice.example/a?x=1&y=\"2\"".into() }.xml(Trunk::Telnyx);
    assert!(joined.contains(r#"<Connect><Stream url="wss://voice.example/a?x=1&amp;y=&quot;2&quot;" bidirectionalMode="rtp" codec="L16" bidirectionalCodec="L16" bidirectionalSamplingRate="16000"/></Connect>"#), "{joined}");
    let hostile = Reply::Say { words: "</Say><Dial>+1900</Dial>&\u{0}".into(), language: Some("de-CH".into()) };
    let hostile = hostile.xml(Trunk::Telnyx);
    assert!(
        hostile.contains(r#"<Say language="de-CH">&lt;/Say&gt;&lt;Dial&gt;+1900&lt;/Dial&gt;&amp; </Say><Hangup/>"#),
        "{hostile}"
    );
    let again = Reply::AskAgain { url: "https://pb.example/answer?a=1&b=2".into() }.xml(Trunk::Telnyx);
    assert!(
        again
            .contains(r#"<Pause length="1"/><Redirect method="POST">https://pb.example/answer?a=1&amp;b=2</Redirect>"#),
        "{again}"
    );
}
