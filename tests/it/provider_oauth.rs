//! Signing in at HubSpot, Zoho and Slack: exact requests, documented answers, and what the stand-ins hold us to.

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_providers::crm::Crm;
use patchbay_providers::hubspot::HubSpot;
use patchbay_providers::oauth::*;
use patchbay_providers::{HttpClient, Kind, Secret};
use patchbay_sandbox::{CrmKind, SandboxSettings};
use serde_json::json;
use std::collections::BTreeMap;
use url::Url;

use crate::provider_stub::*;

const BACK: &str = "https://patchbay.test/integrations/callback";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_460_000, 0).expect("a time")
}

fn app(kind: OauthKind, base: &str) -> OauthApp {
    OauthApp {
        kind,
        client_id: "sandbox-signing-in".to_owned(),
        client_secret: Secret::from("app-secret"),
        redirect_uri: BACK.to_owned(),
        addresses: OauthAddresses::sandbox(kind, base),
    }
}

fn query(address: &str) -> BTreeMap<String, String> {
    Url::parse(address).expect("an address").query_pairs().into_owned().collect()
}

fn form(seen: &Seen) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(&seen.body).into_owned().collect()
}

#[test]
fn the_challenge_is_that_of_the_standard() {
    // The example of RFC 7636.
    let verifier = Secret::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(challenge_of(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let fresh = new_verifier();
    assert!((43..=128).contains(&fresh.expose().len()), "{}", fresh.expose().len());
    assert_ne!(fresh, new_verifier());
}

#[tokio::test]
async fn tokens_are_asked_for_and_read_as_documented() {
    let granted = json!({"access_token": "CJTW-1", "refresh_token": "na1-1", "expires_in": 1800, "token_type": "bearer", "hub_id": 62515,
        "scopes": ["crm.objects.contacts.read"], "user_id": 7});
    let stub = Stub::playing([Answer::json(200, granted.to_string())]).await;
    let (code, verifier) = (Secret::from("code-1"), Secret::from("verifier-1"));
    let grant =
        exchange(&client(), &app(OauthKind::HubSpot, &stub.origin), &code, &verifier, None, now()).await.unwrap();
    let seen = stub.only();
    assert_eq!(seen.line(), "POST /oauth/2026-03/token");
    let sent = form(&seen);
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "code-1"),
        ("code_verifier", "verifier-1"),
        ("redirect_uri", BACK),
        ("client_id", "sandbox-signing-in"),
        ("client_secret", "app-secret"),
    ] {
        assert_eq!(sent.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(grant.expires_at, Some(now() + TimeDelta::seconds(1800)));
    assert_eq!((grant.account.id.as_str(), grant.scopes.len(), grant.api_base), ("62515", 1, None));

    // Zoho renews without a new refresh token: the old one is kept.
    let granted = json!({"access_token": "1000.8cb9", "expires_in": 3600, "token_type": "Bearer", "scope": "ZohoCRM.modules.ALL ZohoCRM.org.READ"});
    let stub = Stub::playing([Answer::json(200, granted.to_string())]).await;
    let former = Secret::from("1000.refresh");
    let grant =
        refresh(&client(), &app(OauthKind::Zoho, &stub.origin), &former, Some(&stub.origin), now()).await.unwrap();
    assert_eq!(stub.only().line(), "POST /oauth/v2/token");
    assert_eq!(grant.refresh_token, Some(former));
    assert_eq!(grant.scopes, ["ZohoCRM.modules.ALL", "ZohoCRM.org.READ"]);

    // An answer that names an address of somebody else's gives nothing: the token would be sent there.
    let foreign = json!({"access_token": "1000.8cb9", "expires_in": 3600, "api_domain": "https://evil.test"});
    let stub = Stub::playing([Answer::json(200, foreign.to_string())]).await;
    let refused = exchange(&client(), &app(OauthKind::Zoho, &stub.origin), &code, &verifier, None, now()).await;
    assert!(matches!(refused, Err(OauthError::Refused(_))), "{refused:?}");
    let refused =
        exchange(&client(), &app(OauthKind::Zoho, &stub.origin), &code, &verifier, Some("https://evil.test"), now())
            .await;
    assert!(matches!(refused, Err(OauthError::Refused(_))), "{refused:?}");
    assert_eq!(stub.seen().len(), 1, "the code was not sent to somebody else");

    // Slack: the app's name and secret as Basic, tokens that rotate.
    let granted = json!({"ok": true, "access_token": "xoxe.xoxb-1", "refresh_token": "xoxe-1-new", "expires_in": 43200, "token_type": "bot",
        "scope": "chat:write,channels:read", "team": {"id": "T1", "name": "Agency"}, "enterprise": null, "authed_user": {"id": "U2"},
        "incoming_webhook": {"channel": "#calls", "channel_id": "C024BE91L", "configuration_url": "https://agency.slack.com/services/B1",
            "url": "https://hooks.slack.com/services/T1/B1/x"}});
    let stub = Stub::playing([Answer::json(200, granted.to_string())]).await;
    let grant = refresh(&client(), &app(OauthKind::Slack, &stub.origin), &Secret::from("xoxe-1-old"), None, now())
        .await
        .unwrap();
    let seen = stub.only();
    assert_eq!(seen.line(), "POST /api/oauth.v2.access");
    assert!(seen.header("authorization").is_some_and(|value| value.starts_with("Basic ")));
    assert!(!form(&seen).contains_key("client_secret"));
    assert_eq!(grant.refresh_token, Some(Secret::from("xoxe-1-new")));
    assert_eq!((grant.account.id.as_str(), grant.account.name.as_str()), ("T1", "Agency"));
    assert_eq!(grant.hook.map(|hook| (hook.channel, hook.name)), Some(("C024BE91L".to_owned(), "calls".to_owned())));
}

#[tokio::test]
async fn a_sign_in_lives_and_ends_at_both_crms() {
    let (address, sandbox, _stop) = patchbay_sandbox::start(SandboxSettings::for_tests()).await.unwrap();
    let http: HttpClient = client();
    for (kind, crm, name) in
        [(OauthKind::HubSpot, CrmKind::Hubspot, "hubspot"), (OauthKind::Zoho, CrmKind::Zoho, "zoho")]
    {
        let app = app(kind, &format!("http://{address}/{name}"));
        let verifier = new_verifier();
        let page = authorize_url(&app, scopes_of(kind), "state-1", &challenge_of(&verifier)).unwrap();
        assert_eq!(query(&page).get("code_challenge_method").map(String::as_str), Some("S256"));
        assert_eq!(query(&sandbox.crm_deny(&page).unwrap()).get("error").map(String::as_str), Some("access_denied"));

        let back = query(&sandbox.crm_agree(&page).unwrap());
        assert_eq!(back.get("state").map(String::as_str), Some("state-1"));
        let (code, server) = (Secret::from(back["code"].as_str()), back.get("accounts-server").map(String::as_str));
        let stolen = exchange(&http, &app, &code, &new_verifier(), server, Utc::now()).await;
        assert!(matches!(stolen, Err(OauthError::NeedsSignIn(_))), "whoever has no verifier gets nothing: {stolen:?}");

        let back = query(&sandbox.crm_agree(&page).unwrap());
        let code = Secret::from(back["code"].as_str());
        let grant = exchange(&http, &app, &code, &verifier, server, Utc::now()).await.unwrap();
        let again = exchange(&http, &app, &code, &verifier, server, Utc::now()).await;
        assert!(matches!(again, Err(OauthError::NeedsSignIn(_))), "a code is good once: {again:?}");
        assert_eq!(grant.scopes.len(), scopes_of(kind).len());
        if kind == OauthKind::HubSpot {
            let whose = introspect(&http, &app, &grant.access_token).await.unwrap();
            assert_eq!((whose.id, whose.user.as_str()), (grant.account.id.clone(), "r.kessler@cobalt.example"));
            // A token ends by its time, and before it when the service wants so.
            let service = HubSpot::new(&http, &app.addresses.token, &grant.access_token).unwrap();
            sandbox.crm_book(crm, "sandbox-signing-in", |book| book.ahead = TimeDelta::minutes(31));
            assert_eq!(service.account().await.unwrap_err().kind, Kind::Credentials);
            sandbox.crm_book(crm, "sandbox-signing-in", |book| {
                book.ahead = TimeDelta::zero();
                book.faults.expire_after = Some(1);
            });
            assert!(service.account().await.is_ok());
            assert_eq!(service.account().await.unwrap_err().kind, Kind::Credentials);
        }

        let token = grant.refresh_token.clone().expect("a refresh token");
        let fresh = refresh(&http, &app, &token, grant.accounts.as_deref(), Utc::now()).await.unwrap();
        assert_ne!(fresh.access_token, grant.access_token);
        sandbox.crm_book(crm, "sandbox-signing-in", |book| book.faults.no_tokens = 1);
        let later = refresh(&http, &app, &token, grant.accounts.as_deref(), Utc::now()).await;
        assert!(matches!(later, Err(OauthError::TryLater { .. })), "{later:?}");

        revoke(&http, &app, &fresh.access_token, fresh.refresh_token.as_ref(), grant.accounts.as_deref())
            .await
            .unwrap();
        let over = refresh(&http, &app, &token, grant.accounts.as_deref(), Utc::now()).await;
        assert!(matches!(over, Err(OauthError::NeedsSignIn(_))), "{over:?}");
        let (refreshes, revocations) =
            sandbox.crm_book(crm, "sandbox-signing-in", |book| (book.refreshes, book.revocations));
        assert_eq!((refreshes, revocations), (1, 1));
    }
}
