//! The browser's half of a passkey ceremony: asks `navigator.credentials`, in JSON both ways. Browser only.

use leptos::wasm_bindgen::{JsCast, JsValue};
use leptos::web_sys::js_sys::{Function, JSON, Object, Promise, Reflect, global};
use wasm_bindgen_futures::JsFuture;

const UNABLE: &str = "This browser cannot use passkeys here. Update it, or use another one.";

/// Makes a passkey. `options` comes from the server, the answer goes to it. Errors: a sentence with the next step.
pub(crate) async fn create(options: &str) -> Result<String, String> {
    ask("create", "parseCreationOptionsFromJSON", options).await.map_err(|error| sentence(&error))
}

/// Signs with a passkey. Errors: a sentence with the next step.
pub(crate) async fn get(options: &str) -> Result<String, String> {
    ask("get", "parseRequestOptionsFromJSON", options).await.map_err(|error| sentence(&error))
}

async fn ask(verb: &str, parse: &str, options: &str) -> Result<String, JsValue> {
    // By name: browsers without them are told so, and no code is spent on types that are used once.
    let kind = Reflect::get(&global(), &"PublicKeyCredential".into())?;
    let parse: Function = Reflect::get(&kind, &parse.into())?.dyn_into()?;
    let asked = Object::new();
    Reflect::set(&asked, &"publicKey".into(), &parse.call1(&kind, &JSON::parse(options)?)?)?;
    let credentials = Reflect::get(&Reflect::get(&global(), &"navigator".into())?, &"credentials".into())?;
    let verb: Function = Reflect::get(&credentials, &verb.into())?.dyn_into()?;
    let answer: Promise = verb.call1(&credentials, &asked)?.dyn_into()?;
    // Calls the credential's own `toJSON`.
    let text = JSON::stringify(&JsFuture::from(answer).await?)?;
    Ok(String::from(text))
}

fn sentence(error: &JsValue) -> String {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string()).unwrap_or_default();
    match name.as_str() {
        "NotAllowedError" | "AbortError" => "It was cancelled, or took too long. Try again and confirm on the device.",
        "InvalidStateError" => "This device has a passkey for your account already. Use another device.",
        "SecurityError" => {
            "This page was opened under another address than the site's own. Open it there and try again."
        }
        "NotSupportedError" | "ConstraintError" => {
            "This device cannot check who holds it. Set a screen lock or a PIN on it, or use another one."
        }
        _ => UNABLE,
    }
    .to_owned()
}
