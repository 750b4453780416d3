//! The HTML document around every page, and the content security policy that goes with its nonce.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::{MetaTags, Title, provide_meta_context};

use crate::app::App;
use patchbay_brand::model::Brand;
use patchbay_ui::escape_html;

/// Where a passkey is asked for, which takes script.
const PASSKEY_PAGES: [&str; 2] = ["/login/passkey", "/mfa/passkey"];

/// Pages that a browser without a session sees. All but those for passkeys carry no wasm: a plain form is all they need.
pub(crate) fn is_signed_out_page(path: &str) -> bool {
    ["/login", "/mfa", "/forgot"].contains(&path)
        || PASSKEY_PAGES.contains(&path)
        || ["/reset/", "/invite/"].iter().any(|start| path.starts_with(start))
}

/// The whole document. `style` is the address of the style sheet, hash included.
pub fn document(options: LeptosOptions, style: String) -> impl IntoView {
    let parts = use_context::<Parts>();
    let path = parts.as_ref().map(|parts| parts.uri.path().to_owned()).unwrap_or_default();
    let theme = preference(parts.as_ref(), "theme", &["light", "dark", "system"], "system");
    let density = preference(parts.as_ref(), "density", &["compact", "regular", "roomy"], "regular");
    let hydrates = !is_signed_out_page(&path) || PASSKEY_PAGES.contains(&path.as_str());
    let brand = parts.as_ref().and_then(|parts| parts.extensions.get::<Brand>()).cloned().unwrap_or_default();
    let (icon, icon_kind) = match brand.logo {
        Some(logo) => (logo, None),
        None => ("/favicon.svg".to_owned(), Some("image/svg+xml")),
    };
    set_policy();
    provide_meta_context();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme data-density=density>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href=icon type=icon_kind/>
                // Before the style sheet names it: the font is there when the page is first drawn.
                <link rel="preload" href="/fonts/ibm-plex-sans-latin-wght-normal.woff2" r#as="font" type="font/woff2" crossorigin="anonymous"/>
                <link rel="stylesheet" href=style/>
                {brand.style.map(|style| view! { <link rel="stylesheet" href=style/> })}
                {hydrates.then(|| view! { <HydrationScripts options/> })}
                // The title is written as it is given, and names in it are chosen by people. The browser sets the title as text, so this
                // stands here, where only the server comes by.
                <Title formatter=|title: String| escape_html(&title)/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// A choice kept in a cookie, so that the server's first page already has it and nothing flashes.
fn preference(parts: Option<&Parts>, name: &str, allowed: &[&'static str], default: &'static str) -> &'static str {
    let cookies = parts.and_then(|parts| parts.headers.get(header::COOKIE)?.to_str().ok()).unwrap_or_default();
    let value = cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name);
    allowed.iter().copied().find(|word| value.is_some_and(|(_, value)| value == *word)).unwrap_or(default)
}

fn set_policy() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; media-src 'self'; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'self'; object-src 'none'"
    );
    if let Ok(value) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, value);
    }
}

/// Lets a page set the status of the first answer (404 for what is not there, 500 for what broke).
pub(crate) fn set_status(status: u16) {
    if let (Ok(status), Some(response)) = (StatusCode::from_u16(status), use_context::<ResponseOptions>()) {
        response.set_status(status);
    }
}
