//! Twilio and Plivo: exact requests, documented answers, and who signed a callback, by the shared vectors.

use crate::provider_stub::*;
use patchbay_providers::plivo::Plivo;
use patchbay_providers::signature::*;
use patchbay_providers::text::NewText;
use patchbay_providers::twilio::Twilio;
use patchbay_providers::ultravox::{Carrier, Ultravox, UltravoxConfig};
use patchbay_providers::voice::{Line, NewVoiceCall, VoiceProvider};
use patchbay_providers::{CarrierAccess, CarrierClient, Kind, Secret, TextCarrier, Trunk};
use serde_json::{Value, json};
use url::Url;

fn access(origin: &str, id: &str) -> CarrierAccess {
    CarrierAccess { base_url: origin.to_owned(), account_id: id.to_owned(), auth_token: "token-0123".into() }
}

fn twilio(stub: &Stub) -> Twilio {
    Twilio::new(&client(), &access(&stub.origin, "AC01")).unwrap()
}

fn plivo(stub: &Stub) -> Plivo {
    Plivo::new(&client(), &access(&stub.origin, "MA01")).unwrap()
}

fn ok(body: Value) -> Answer {
    Answer::json(200, body.to_string())
}

fn pn(sid: &str, number: &str) -> Value {
    json!({"sid": sid, "phone_number": number, "friendly_name": number, "capabilities": {"voice": true, "sms": true, "mms": false, "fax": false}})
}

#[tokio::test]
async fn the_account_at_twilio_is_asked_with_basic_authentication() {
    let stub =
        Stub::playing([ok(json!({"sid": "AC01", "friendly_name": "North", "status": "suspended", "type": "Full"}))])
            .await;
    let account = twilio(&stub).account().await.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str(), account.is_active), ("AC01", "North", false));
    let seen = stub.only();
    assert_eq!(seen.line(), "GET /2010-04-01/Accounts/AC01.json");
    assert_eq!(seen.header("authorization"), Some("Basic QUMwMTp0b2tlbi0wMTIz"));
}

#[tokio::test]
async fn twilios_pages_are_followed_by_their_query_and_repeats_count_once() {
    let next = "/2010-04-01/Accounts/AC01/IncomingPhoneNumbers.json?PageSize=2&Page=1&PageToken=PAx";
    let stub = Stub::playing([
        ok(json!({"incoming_phone_numbers": [pn("PN1", "+13125550100"), pn("PN2", "+13125550101")], "page": 0, "next_page_uri": next})),
        ok(json!({"incoming_phone_numbers": [pn("PN2", "+13125550101"), {"sid": "PN3", "phone_number": "+13125550102", "capabilities": "none"}], "page": 1, "next_page_uri": null})),
    ])
    .await;
    let numbers = twilio(&stub).list_numbers().await.unwrap();
    let all: Vec<(&str, &str)> = numbers.iter().map(|number| (&*number.id, &*number.number)).collect();
    assert_eq!(all, [("PN1", "+13125550100"), ("PN2", "+13125550101"), ("PN3", "+13125550102")]);
    assert_eq!(numbers[0].capabilities, ["voice", "sms"]);
    assert!(numbers[2].capabilities.is_empty());
    let seen = stub.seen();
    assert_eq!(seen[0].query(), [("PageSize", "100")]);
    assert_eq!(seen[1].query(), [("PageSize", "2"), ("Page", "1"), ("PageToken", "PAx")]);

    // A page that leads to itself is no end of the list: nothing may be believed to be gone.
    let page = json!({"incoming_phone_numbers": [pn("PN1", "+13125550100")], "next_page_uri": next});
    let stub = Stub::playing([ok(page.clone()), ok(page.clone()), ok(page)]).await;
    assert_eq!(twilio(&stub).list_numbers().await.unwrap_err().kind, Kind::Garbage);
    let stub = Stub::playing([ok(json!({"page": 0}))]).await;
    assert_eq!(twilio(&stub).list_numbers().await.unwrap_err().kind, Kind::Garbage, "no list is no empty list");
}

#[tokio::test]
async fn prices_at_twilio_are_what_is_paid() {
    let call =
        |price: Value, unit: &str| ok(json!({"sid": "CA1", "status": "completed", "price": price, "price_unit": unit}));
    let stub =
        Stub::playing([call(json!("-0.03000"), "USD"), call(Value::Null, "USD"), call(json!("-0.03"), "EUR")]).await;
    let twilio = twilio(&stub);
    let mut costs = Vec::new();
    for _ in 0..3 {
        costs.push(twilio.get_call("CA1").await.unwrap().cost.map(|cost| cost.to_string()));
    }
    assert_eq!(costs, [Some("0.03000".to_owned()), None, None]);
    assert_eq!(stub.seen()[0].line(), "GET /2010-04-01/Accounts/AC01/Calls/CA1.json");
}

#[tokio::test]
async fn errors_say_what_the_carriers_said_and_never_the_token() {
    let said = r#"{"code":20003,"message":"Authenticate token-0123","more_info":"https://www.twilio.com/docs/errors/20003","status":401}"#;
    let limited =
        Answer::json(429, r#"{"code":20429,"message":"Too Many Requests","status":429}"#).header("retry-after", "7");
    let stub = Stub::playing([Answer::json(401, said), limited]).await;
    let twilio = twilio(&stub);
    let error = twilio.account().await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials);
    assert_eq!(error.message, "Authenticate [hidden] (error 20003)");
    assert_eq!(twilio.account().await.unwrap_err().retry_after.map(|wait| wait.as_secs()), Some(7));
    let stub = Stub::playing([
        Answer::json(400, r#"{"api_id":"x","error":{"limit":"must be at most 20"}}"#),
        Answer::json(404, r#"{"api_id":"x","error":"not found"}"#),
    ])
    .await;
    assert_eq!(plivo(&stub).list_numbers().await.unwrap_err().message, "limit: must be at most 20");
    let error = plivo(&stub).get_number("13125550100").await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::NotFound, "not found"));
    assert!(Twilio::new(&client(), &access("nonsense", "AC01")).is_err());
}

#[tokio::test]
async fn plivos_paths_end_with_a_slash_and_a_short_list_is_no_list() {
    let number = |digits: &str| json!({"number": digits, "country": "US", "voice_enabled": true, "sms_enabled": false, "monthly_rental_rate": "0.80000", "active": true});
    let page = |objects: Vec<Value>, next: Option<&str>, total: u64| {
        ok(
            json!({"api_id": "x", "meta": {"limit": 20, "offset": 0, "total_count": total, "next": next, "previous": null}, "objects": objects}),
        )
    };
    let next = Some("/v1/Account/MA01/Number/?limit=20&offset=20");
    let stub = Stub::playing([
        page(vec![number("13125550100"), number("13125550101")], next, 3),
        page(vec![number("13125550102")], None, 3),
        page(vec![number("13125550100")], None, 3),
        ok(json!({"api_id": "x", "auth_id": "MA01", "name": "North", "state": "active"})),
        ok(json!({"api_id": "x", "call_uuid": "u1", "total_amount": "0.00850", "total_rate": "0.00850"})),
    ])
    .await;
    let plivo = plivo(&stub);
    let numbers = plivo.list_numbers().await.unwrap();
    assert_eq!(numbers.len(), 3);
    assert_eq!((numbers[0].id.as_str(), numbers[0].number.as_str()), ("13125550100", "+13125550100"));
    assert_eq!(numbers[0].capabilities, ["voice"]);
    assert_eq!(
        (numbers[0].country.as_deref(), numbers[0].monthly_cost.unwrap().to_string()),
        (Some("US"), "0.80000".into())
    );
    assert_eq!(plivo.list_numbers().await.unwrap_err().kind, Kind::Garbage, "one of three is not all");
    assert!(plivo.account().await.unwrap().is_active);
    assert_eq!(plivo.get_call("u1").await.unwrap().cost.unwrap().to_string(), "0.00850");
    let seen = stub.seen();
    assert_eq!(seen[0].line(), "GET /v1/Account/MA01/Number/");
    assert_eq!(seen[1].query(), [("limit", "20"), ("offset", "2")]);
    assert_eq!(
        (seen[3].line(), seen[4].line()),
        ("GET /v1/Account/MA01/".into(), "GET /v1/Account/MA01/Call/u1/".into())
    );
    assert_eq!(seen[3].header("authorization"), Some("Basic TUEwMTp0b2tlbi0wMTIz"));
}

fn cases(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../fixtures/provider-vectors.json")).unwrap();
    all["vectors"][name]["cases"].as_array().unwrap().clone()
}

fn fields(case: &Value) -> Vec<(String, String)> {
    let each = case["params"].as_object().unwrap().iter();
    let values = |value: &Value| match value {
        Value::Array(all) => all.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    };
    each.flat_map(|(name, value)| values(value).into_iter().map(|value| (name.clone(), value)).collect::<Vec<_>>())
        .collect()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} in {case}"))
}

#[test]
fn every_case_of_twilios_signature() {
    for case in cases("twilio_request") {
        let token: Secret<String> = text(&case, "auth_token").into();
        let fields = fields(&case);
        let sent = case["body"].as_str().map_or(Sent::Form(&fields), |body| Sent::Raw(body.as_bytes()));
        // Whoever receives it knows its own address, which has no port.
        for url in [text(&case, "url").to_owned(), text(&case, "url").replace(":443", "")] {
            let url: Url = url.parse().unwrap();
            let outcome = verify_twilio(&token, &url, sent, Some(text(&case, "signature_b64")));
            assert_eq!(outcome.is_ok(), case["valid"].as_bool().unwrap(), "{}", text(&case, "name"));
        }
    }
    // At a port of its own, too, some requests are signed without it.
    let url: Url = "https://example.test:8443/hooks?b=2&a=1".parse().unwrap();
    for signed in [url.as_str(), "https://example.test/hooks?b=2&a=1"] {
        let signature = sign_twilio("t", signed, &[]);
        assert_eq!(verify_twilio(&"t".into(), &url, Sent::Form(&[]), Some(&signature)), Ok(()), "{signed}");
    }
    let case = &cases("twilio_request")[3];
    let (token, url): (Secret<String>, Url) = (text(case, "auth_token").into(), text(case, "url").parse().unwrap());
    let signature = Some(text(case, "signature_b64"));
    assert_eq!(verify_twilio(&token, &url, Sent::Raw(b"{}"), signature), Err(SignatureError::Mismatch), "another body");
    assert_eq!(verify_twilio(&"".into(), &url, Sent::Form(&[]), signature), Err(SignatureError::Mismatch), "no token");
    assert_eq!(verify_twilio(&token, &url, Sent::Form(&[]), None), Err(SignatureError::Missing));
    assert_eq!(verify_twilio(&token, &url, Sent::Form(&[]), Some("%%%")), Err(SignatureError::Malformed));
}

#[test]
fn every_case_of_plivos_signature() {
    for case in cases("plivo_v3") {
        let token: Secret<String> = text(&case, "auth_token").into();
        let (fields, url): (Vec<(String, String)>, Url) = (fields(&case), text(&case, "uri").parse().unwrap());
        let is_get = text(&case, "method") == "GET";
        let check = |fields: &[(String, String)], nonce: &str| {
            verify_plivo(&token, is_get, &url, fields, Some(nonce), Some(text(&case, "signature_b64")))
        };
        let outcome = check(&fields, text(&case, "nonce"));
        assert_eq!(outcome.is_ok(), case["valid"].as_bool().unwrap(), "{}", text(&case, "name"));
        assert_eq!(check(&fields, "another"), Err(SignatureError::Mismatch));
        let more = [fields.as_slice(), &[("X".to_owned(), "1".to_owned())]].concat();
        assert_eq!(check(&more, text(&case, "nonce")), Err(SignatureError::Mismatch));
    }
}

#[tokio::test]
async fn the_voice_service_dials_through_the_carrier_of_the_number() {
    for (trunk, member, own) in [
        (Trunk::Twilio, "accountSid", json!({"StatusCallback": "https://x.example/s", "StatusCallbackMethod": "POST"})),
        (Trunk::Plivo, "authId", json!({"hangup_url": "https://x.example/s", "hangup_method": "POST"})),
    ] {
        let held = json!({member: "ID2", "authTokenPrefix": {"prefix": "token"}, "callCreationAllowAllAgents": true});
        let stub = Stub::playing([
            Answer::json(201, r#"{"callId":"3f0b7a52-6a0e-4d83-9d0c-2f6f4a1c9b11","created":"2026-03-02T14:05:11Z"}"#),
            ok(json!({member: "ID1", "authTokenPrefix": {"prefix": "old"}, "callCreationAllowAllAgents": true})),
            ok(json!({})),
            ok(held.clone()),
            ok(held),
        ])
        .await;
        let config = UltravoxConfig { base_url: stub.origin.clone(), api_key: "KEY".into(), carrier: Carrier::Telnyx };
        let voice = Ultravox::new(&client(), &config).unwrap();
        let call = NewVoiceCall {
            agent_id: "a1".into(),
            line: Line::Phone { to: "+13125550111".into(), from: "+13125550100".into(), trunk: Some(trunk) },
            variables: json!({}),
            metadata: Default::default(),
            first_speaker: None,
            recording_enabled: None,
            max_duration: None,
            join_timeout: None,
            tool_token: None,
            leg_news_url: Some("https://x.example/s".into()),
        };
        voice.create_call(&call).await.unwrap();
        voice.set_trunk_account(trunk, "ID2", &"token-0123".into()).await.unwrap();
        // Another account is there by now: it is nobody's to take away.
        voice.remove_trunk_account(trunk, "ID9").await.unwrap();
        let seen = stub.seen();
        let outgoing = json!({"to": "+13125550111", "from": "+13125550100", "additionalParams": own});
        assert_eq!(seen[0].json()["medium"], json!({trunk.as_str(): {"outgoing": outgoing}}));
        assert_eq!(seen[2].line(), format!("PATCH /telephony_configs/{}", trunk.as_str()));
        assert_eq!(
            seen[2].json(),
            json!({member: "ID2", "authToken": "token-0123", "callCreationAllowAllAgents": true})
        );
        assert_eq!(seen.len(), 5, "nothing was deleted");
    }
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_looked_for_in_all_pages_of_plivo() {
    let sent = |id: usize, to: &str| {
        json!({
            "message_uuid": format!("u{id}"), "from_number": "13125550100", "to_number": to, "message_state": "sent",
            "message_time": "2026-03-02 14:05:11+00:00",
        })
    };
    let others: Vec<Value> = (0..20).map(|id| sent(id, "13125550111")).collect();
    let stub = Stub::playing([ok(json!({"objects": others})), ok(json!({"objects": [sent(20, "13125550199")]}))]).await;
    let (from, to) = ("+13125550100".to_owned(), "+13125550199".to_owned());
    let text = NewText { from, to, text: "Hello".to_owned(), status_url: String::new() };
    let found = plivo(&stub).find(&text, "2026-03-02T14:00:00Z".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.iter().map(|sent| sent.id.as_str()).collect::<Vec<_>>(), ["u20"]);
    let seen = stub.seen();
    assert_eq!(seen[0].query()[2..], [("limit", "20"), ("offset", "0")]);
    assert_eq!(seen[1].query()[2..], [("limit", "20"), ("offset", "20")]);
}

#[tokio::test]
async fn a_number_at_twilio_that_tells_somebody_else_is_left_as_it_is() {
    let held = |url: &str| {
        let number = json!({"sid": "PN1", "phone_number": "+13125550100", "sms_url": url});
        ok(json!({"incoming_phone_numbers": [number]}))
    };
    let ours = "https://app.example/hooks/texts/twilio/w/i";
    let stub = Stub::playing([held("https://desk.example/sms")]).await;
    assert_eq!(twilio(&stub).listen("+13125550100", ours).await.unwrap_err().kind, Kind::Rejected);
    assert_eq!(stub.seen().len(), 1);
    for before in ["", "https://demo.twilio.com/welcome/sms/reply/", "https://old.example/hooks/texts/twilio/w/i"] {
        let stub = Stub::playing([held(before), ok(json!({"sid": "PN1"}))]).await;
        twilio(&stub).listen("+13125550100", ours).await.unwrap();
        assert_eq!(stub.seen().len(), 2, "{before}");
    }
}
