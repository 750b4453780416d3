//! Twilio and Plivo: exact requests, documented answers, and who signed a callback, by the shared vectors.

use crate::provider_stub::*;
use patchbay_providers::carrier::{CallAddresses, PlaceKind};
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

fn ours() -> CallAddresses {
    CallAddresses { answer: "https://pb.example/answer".into(), status: "https://pb.example/status".into() }
}

#[tokio::test]
async fn calls_of_a_number_at_twilio_are_sent_here_and_back() {
    let held = |more: Value| {
        let mut held = json!({
            "sid": "PN1", "phone_number": "+13125550100", "voice_url": "", "voice_method": "POST", "voice_application_sid": "",
            "trunk_sid": null, "status_callback": "", "status_callback_method": "POST",
        });
        held.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        ok(held)
    };
    let at_us = || held(json!({"voice_url": ours().answer, "status_callback": ours().status}));
    let desk =
        json!({"voice_url": "https://u:pw@desk.example/v?t=s3cret", "status_callback": "https://desk.example/s"});
    let stub = Stub::playing([
        held(json!({"trunk_sid": "TK1", "voice_application_sid": "AP1", "voice_url": ours().answer})),
        held(json!({"voice_application_sid": "AP1"})),
        held(json!({})),
        held(desk.clone()),
        ok(json!({})),
        at_us(),
        ok(json!({})),
        held(desk),
        ok(json!({})),
        held(json!({})),
    ])
    .await;
    let twilio = twilio(&stub);
    // A trunk comes before an application, and both before the address.
    let trunk = twilio.calls_go("PN1", &ours()).await.unwrap();
    let place = trunk.place.clone().unwrap();
    assert_eq!((trunk.asks(&ours()), place.kind, place.id.as_str()), (false, PlaceKind::Trunk, "TK1"));
    assert_eq!(twilio.calls_go("PN1", &ours()).await.unwrap().place.unwrap().kind, PlaceKind::Application);
    let nowhere = twilio.calls_go("PN1", &ours()).await.unwrap();
    assert_eq!((nowhere.place, nowhere.settings), (None, None));
    let desk = twilio.calls_go("PN1", &ours()).await.unwrap();
    let place = desk.place.clone().unwrap();
    assert_eq!(
        (place.kind, place.id.as_str()),
        (PlaceKind::Address, "https://desk.example/…"),
        "no secrets for people"
    );
    assert!(!format!("{desk:?}").contains("s3cret"), "nor in a log");
    assert!(twilio.send_calls("PN1", &ours()).await.unwrap().is(&ours()));
    assert!(!twilio.return_calls("PN1", desk.settings.as_ref()).await.unwrap().is(&ours()));
    twilio.return_calls("PN1", None).await.unwrap();
    let seen = stub.seen();
    assert_eq!(seen[4].line(), "POST /2010-04-01/Accounts/AC01/IncomingPhoneNumbers/PN1.json");
    let form =
        |at: usize| -> Vec<(String, String)> { url::form_urlencoded::parse(&seen[at].body).into_owned().collect() };
    let set = |voice: &str, status: &str| {
        let all = [
            ("TrunkSid", ""),
            ("VoiceApplicationSid", ""),
            ("VoiceUrl", voice),
            ("VoiceMethod", "POST"),
            ("StatusCallback", status),
            ("StatusCallbackMethod", "POST"),
        ];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    };
    assert_eq!(form(4), set("https://pb.example/answer", "https://pb.example/status"));
    assert_eq!(form(6), set("https://u:pw@desk.example/v?t=s3cret", "https://desk.example/s"));
    assert_eq!(form(8), set("", ""));

    // What is ours, or was, is nothing to go back to: however it is asked, of an account that was connected before, at an older public address.
    // Who was told of calls that went nowhere is.
    let door = |base: &str, account: &str| CallAddresses {
        answer: format!("{base}/webhooks/twilio/w/{account}/answer"),
        status: format!("{base}/hooks/twilio/w/{account}/status"),
    };
    let (here, older) = (door("https://pb.example", "new"), door("https://old.example", "old"));
    let foreign = door("https://pb.example", "new").answer.replace("/w/", "/x/");
    let stub = Stub::playing([
        held(json!({"voice_url": here.answer, "voice_method": "GET"})),
        held(json!({"voice_url": older.answer, "status_callback": older.status})),
        held(json!({"voice_url": foreign})),
        held(json!({"status_callback": "https://desk.example/s"})),
    ])
    .await;
    let twilio = self::twilio(&stub);
    for _ in [&here, &older] {
        let held = twilio.calls_go("PN1", &here).await.unwrap();
        assert_eq!((held.asks(&here), held.is_ours, held.settings), (false, true, None));
    }
    let held_there = twilio.calls_go("PN1", &here).await.unwrap();
    assert!(!held_there.is_ours && held_there.settings.is_some_and(|settings| twilio.leads(&settings)));
    let told = twilio.calls_go("PN1", &here).await.unwrap();
    assert!(!told.is_ours && told.settings.is_some_and(|settings| !twilio.leads(&settings)));

    // What it does not keep is said.
    let stub = Stub::playing([ok(json!({})), held(json!({"voice_url": ours().answer}))]).await;
    assert_eq!(self::twilio(&stub).send_calls("PN1", &ours()).await.unwrap_err().kind, Kind::Garbage);
}

#[tokio::test]
async fn a_number_at_plivo_has_an_application_of_ours_and_its_own_one_again() {
    let number =
        |application: Value| ok(json!({"number": "13125550100", "application": application, "voice_enabled": true}));
    let uri = |id: &str| json!(format!("/v1/Account/MA01/Application/{id}/"));
    let app = |name: &str, answer: &str, hangup: &str, texts: &str| {
        ok(
            json!({"app_id": "x", "app_name": name, "answer_url": answer, "hangup_url": hangup, "message_url": texts, "message_method": "GET"}),
        )
    };
    let mine = || app("Patchbay-13125550100", "https://pb.example/answer", "https://pb.example/status", "");
    let changed = || Answer::json(202, r#"{"message":"changed"}"#);
    let stub = Stub::playing([
        number(uri("11")),
        app("Desk", "https://desk.example/v", "", "https://desk.example/texts"),
        ok(json!({"objects": [{"app_id": "11", "app_name": "Desk"}], "meta": {}})),
        Answer::json(201, r#"{"api_id":"a","app_id":"22","message":"created"}"#),
        changed(),
        number(uri("22")),
        mine(),
        // And back.
        number(uri("22")),
        mine(),
        app("Desk", "https://desk.example/v", "", "https://desk.example/texts"),
        changed(),
        Answer::new(204, ""),
        number(uri("11")),
        app("Desk", "https://desk.example/v", "", ""),
    ])
    .await;
    let plivo = plivo(&stub);
    assert!(plivo.send_calls("13125550100", &ours()).await.unwrap().is(&ours()));
    let back = plivo.return_calls("13125550100", Some(&"11".into())).await.unwrap();
    let place = back.place.unwrap();
    assert_eq!((place.kind, place.id.as_str(), place.name.as_deref()), (PlaceKind::Application, "11", Some("Desk")));
    let seen = stub.seen();
    assert_eq!(seen[3].line(), "POST /v1/Account/MA01/Application/");
    assert_eq!(
        seen[3].json(),
        json!({"app_name": "Patchbay-13125550100", "answer_url": "https://pb.example/answer", "answer_method": "POST",
            "hangup_url": "https://pb.example/status", "hangup_method": "POST",
            "message_url": "https://desk.example/texts", "message_method": "GET"})
    );
    assert_eq!(
        (seen[4].line().as_str(), seen[4].json()),
        ("POST /v1/Account/MA01/Number/13125550100/", json!({"app_id": "22"}))
    );
    assert_eq!(
        (seen[10].line().as_str(), seen[10].json()),
        ("POST /v1/Account/MA01/Number/13125550100/", json!({"app_id": "11"}))
    );
    assert_eq!(seen[11].line(), "DELETE /v1/Account/MA01/Application/22/");

    // An application that an earlier try has made is used; one that is gone is none.
    let stub = Stub::playing([
        number(Value::Null),
        ok(json!({"objects": [{"app_id": "22", "app_name": "Patchbay-13125550100"}]})),
        changed(),
        changed(),
        number(uri("22")),
        mine(),
        number(uri("99")),
        Answer::json(404, r#"{"api_id":"x","error":"not found"}"#),
    ])
    .await;
    let plivo = self::plivo(&stub);
    assert!(plivo.send_calls("13125550100", &ours()).await.unwrap().is(&ours()));
    assert_eq!(stub.seen()[2].line(), "POST /v1/Account/MA01/Application/22/");
    assert_eq!(plivo.calls_go("13125550100", &ours()).await.unwrap().place, None);

    // Whatever somebody has changed in ours, it is nothing to go back to.
    let stub = Stub::playing([number(uri("22")), app("Patchbay-13125550100", "https://x.example/", "", "")]).await;
    let held = self::plivo(&stub).calls_go("13125550100", &ours()).await.unwrap();
    assert_eq!((held.is_ours, held.settings), (false, None));

    // The application of before is gone: text messages are told where they were, by one for them alone.
    let texts = json!({"objects": [{"app_id": "22", "app_name": "Patchbay-13125550100"}]});
    let stub = Stub::playing([
        number(uri("22")),
        app("Patchbay-13125550100", "https://pb.example/answer", "", "https://pb.example/texts"),
        Answer::json(404, r#"{"api_id":"x","error":"not found"}"#),
        ok(texts),
        Answer::json(201, r#"{"api_id":"a","app_id":"33","message":"created"}"#),
        changed(),
        Answer::new(204, ""),
        number(uri("33")),
        app("Patchbay-texts-13125550100", "", "", "https://pb.example/texts"),
    ])
    .await;
    self::plivo(&stub).return_calls("13125550100", Some(&"11".into())).await.unwrap();
    let seen = stub.seen();
    let named = json!({"app_name": "Patchbay-texts-13125550100", "message_url": "https://pb.example/texts", "message_method": "GET"});
    assert_eq!((seen[4].json(), seen[5].json()), (named, json!({"app_id": "33"})));
    assert_eq!(seen[6].line(), "DELETE /v1/Account/MA01/Application/22/");
}

#[tokio::test]
async fn whose_text_messages_a_number_at_plivo_tells_is_asked_of_the_address_and_not_of_a_name() {
    let number = |application: Value| ok(json!({"number": "13125550100", "application": application}));
    let uri = |id: &str| json!(format!("/v1/Account/MA01/Application/{id}/"));
    let named = |name: &str, texts: &str| ok(json!({"app_id": "x", "app_name": name, "message_url": texts}));
    let changed = || Answer::json(202, r#"{"message":"changed"}"#);
    let url = "https://pb.example/hooks/texts/plivo/w/i";
    let listen = async |answers: Vec<Answer>| {
        let stub = Stub::playing(answers).await;
        (plivo(&stub).listen("+13125550100", url).await.map_err(|error| error.kind), stub)
    };
    // Our application for calls has the address that was there before, and one of ours may be another agency's.
    for theirs in ["https://desk.example/texts", "https://pb.example/hooks/texts/plivo/other/i"] {
        for name in ["Desk", "Patchbay-13125550100", "Patchbay texts"] {
            let (said, stub) = listen(vec![number(uri("22")), named(name, theirs)]).await;
            assert_eq!((said, stub.seen().len()), (Err(Kind::Rejected), 2), "{name}: {theirs}");
        }
    }
    for before in ["", "https://old.example/hooks/texts/plivo/w/before"] {
        let (said, stub) = listen(vec![number(uri("22")), named("Desk", before), changed()]).await;
        assert_eq!((said, stub.seen()[2].json()["message_url"].as_str()), (Ok(()), Some(url)));
    }
    // Each number has one of its own; the name may be given already.
    let texts = json!({"objects": [{"app_id": "32", "app_name": "Patchbay texts"}, {"app_id": "33", "app_name": "Patchbay-texts-13125550100"}]});
    let (said, stub) = listen(vec![number(Value::Null), ok(texts), changed(), changed()]).await;
    assert_eq!((said, stub.seen()[3].json()), (Ok(()), json!({"app_id": "33"})));
    let shared = json!({"objects": [{"app_id": "32", "app_name": "Patchbay texts"}]});
    let made = Answer::json(201, r#"{"api_id":"a","app_id":"34","message":"created"}"#);
    let (said, stub) = listen(vec![number(Value::Null), ok(shared), made, changed()]).await;
    assert_eq!((said, stub.seen()[2].json()["app_name"].as_str()), (Ok(()), Some("Patchbay-texts-13125550100")));
}
