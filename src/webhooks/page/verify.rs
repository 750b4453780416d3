//! How a receiver verifies what it is sent: what docs/WEBHOOKS.md says, inside the product. A test compares the samples.

use std::sync::Arc;

use leptos::prelude::*;

use super::{BASE, above};
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

const SAMPLES: [(&str, &str); 6] = [
    (
        "Node, with the library standardwebhooks",
        r#"import express from "express";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.PATCHBAY_SECRET); // whsec_…
const app = express();
app.post("/patchbay", express.raw({ type: "*/*" }), (request, response) => {
  let event;
  try {
    event = webhook.verify(request.body.toString("utf8"), request.headers);
  } catch {
    return response.sendStatus(401);
  }
  response.sendStatus(204); // answer first, work afterwards
  console.log(request.headers["webhook-id"], event.type, event.data);
});
app.listen(3000);"#,
    ),
    (
        "Python, with the library standardwebhooks",
        r#"import os
from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["PATCHBAY_SECRET"])  # whsec_…
app = Flask(__name__)

@app.post("/patchbay")
def patchbay():
    try:
        event = webhook.verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "", 401
    print(request.headers["webhook-id"], event["type"], event["data"])
    return "", 204"#,
    ),
    (
        "Rust, with the crate standardwebhooks",
        r#"use http::HeaderMap;
use standardwebhooks::Webhook;

/// `secret` is the one that was shown: whsec_…
fn is_from_patchbay(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    Webhook::new(secret).is_ok_and(|webhook| webhook.verify(body, headers).is_ok())
}"#,
    ),
    (
        "Go, with the library standard-webhooks",
        r#"import standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

webhook, err := standardwebhooks.NewWebhook(os.Getenv("PATCHBAY_SECRET"))
if err != nil {
	log.Fatal(err)
}
http.HandleFunc("/patchbay", func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || webhook.Verify(body, r.Header) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusNoContent)
})"#,
    ),
    (
        "By hand, in Node",
        r#"import { createHmac, timingSafeEqual } from "node:crypto";

export function isFromPatchbay(secret, headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!id || !(age <= 300)) return false;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  return (headers["webhook-signature"] ?? "").split(" ").some((part) => {
    const [version, text] = part.split(",");
    const given = Buffer.from(text ?? "", "base64");
    return version === "v1" && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}"#,
    ),
    (
        "By hand, in Python",
        r#"import base64, hashlib, hmac, time

def is_from_patchbay(secret: str, headers: dict, body: bytes) -> bool:
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{id}.{timestamp}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
    return any(version == "v1" and hmac.compare_digest(text, wanted) for version, _, text in given)"#,
    ),
];

/// How to verify, retries, and in which order events come.
#[lazy]
pub fn verify_webhooks_page() -> PageView {
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageWebhooks) {
            return refusal;
        }
        let samples = SAMPLES
            .iter()
            .enumerate()
            .map(|(index, (name, text))| {
                view! {
                    <details class="sample" open=index == 0>
                        <summary>{*name}</summary>
                        <div class="row end"><CopyButton text=*text label=format!("Copy: {name}")/></div>
                        <pre class="code" tabindex="0">{*text}</pre>
                    </details>
                }
            })
            .collect_view();
        view! {
            <PageTitle text="How to verify" parents=above(true)/>
            <PageHead
                title="How to verify"
                sub="What a receiver does with what Patchbay sends."
                actions=|| view! { <LinkButton href=BASE.to_owned() icon="arrow-left">"Webhooks"</LinkButton> }
            />
            <div class="cols main-side">
                <Card title="Verify the signature">
                    <p>
                        "Requests are signed as Standard Webhooks 1.0 says. Verify the bytes of the body as they came, before you read them as JSON, and refuse what is older than five minutes. While a secret is changed over, "
                        <code>"webhook-signature"</code>" has two signatures, divided by a blank: one that fits is enough."
                    </p>
                    <div class="stack gap-2 mt-4">{samples}</div>
                </Card>
                <div class="stack gap-4 min0">
                    <Card title="What is sent">
                        <Facts>
                            <Fact label="webhook-id" class="break">"Names the event. The same in each try and after a replay"</Fact>
                            <Fact label="webhook-timestamp" class="break">"When this try was signed, in seconds since 1970"</Fact>
                            <Fact label="webhook-signature" class="break">"“v1,” and the signature in base64"</Fact>
                            <Fact label="Body" class="break">"JSON with type, timestamp and data, written when the event happened: it never changes afterwards"</Fact>
                        </Facts>
                    </Card>
                    <Card title="What to answer">
                        <p>"Any status from 200 to 299 within 20 seconds: keep the event, answer, and work afterwards. Everything else is tried again, ten times in all: after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours."</p>
                        <p>"After 429, or 500 to 599, a "<code>"Retry-After"</code>" is obeyed, up to a day. After 410 the endpoint is switched off at once. Redirects are not followed: they count as failures."</p>
                        <p>"An endpoint whose every try has failed for five days is switched off, and the agency’s owners and admins are told. What happens meanwhile is kept for 30 days and sent when the endpoint is switched on with a replay."</p>
                    </Card>
                    <Card title="In which order">
                        <p>"Events come at least once, and may come twice or out of order. Keep the ids that you have worked on and skip what you know; compare the body’s "<code>"timestamp"</code>" before you overwrite something newer."</p>
                        <p>"A replay sends the same id and the same body with a new time and signature."</p>
                    </Card>
                </div>
            </div>
        }
        .into_any()
    })
}
