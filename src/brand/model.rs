use serde::{Deserialize, Serialize};

use patchbay_access::ClientName;
use patchbay_shared::email::is_address;
use patchbay_shared::{FieldErrors, Stamp};

/// What the product is called where nobody has named it.
pub const PRODUCT: &str = "Patchbay";
/// The colour that a new brand's picker starts with: the product's own.
pub const USUAL_ACCENT: &str = "#0f6457";
/// Most bytes of a logo, and most pixels of each side.
pub const MAX_LOGO: usize = 512 * 1024;
pub const MAX_LOGO_SIDE: usize = 2000;

/// What an agency or a client has set. What is missing falls back: a client's to the agency's, the agency's to the product's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The logo's name in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    /// An e-mail address, or a page that begins with `https://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<String>,
}

impl Branding {
    /// These values, and `below` where there are none.
    pub fn over(self, below: Self) -> Self {
        Self {
            product: self.product.or(below.product),
            logo: self.logo.or(below.logo),
            accent: self.accent.or(below.accent),
            support: self.support.or(below.support),
        }
    }
}

/// A brand as it is shown, with everything that was missing filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brand {
    pub product: String,
    /// Address of the logo. None: the product's own sign.
    pub logo: Option<String>,
    /// Address of the style sheet. None: the product's own colours.
    pub style: Option<String>,
    pub support: Option<String>,
}

impl Default for Brand {
    fn default() -> Self {
        Self { product: PRODUCT.to_owned(), logo: None, style: None, support: None }
    }
}

impl Brand {
    /// The name, if somebody chose one.
    pub fn own_name(&self) -> Option<&str> {
        Some(self.product.as_str()).filter(|name| *name != PRODUCT)
    }

    /// The support address, if mail can be sent to it.
    pub fn support_mail(&self) -> Option<&str> {
        self.support.as_deref().filter(|text| is_address(text))
    }

    /// What a link to the support address leads to.
    pub fn support_link(&self) -> Option<String> {
        self.support.as_deref().map(|text| if is_address(text) { format!("mailto:{text}") } else { text.to_owned() })
    }
}

/// Everything that the page of a brand shows and changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BrandView {
    /// Whose it is. None: the agency's.
    pub client: Option<ClientName>,
    pub own: Branding,
    /// What the empty fields fall back to.
    pub below: Branding,
    /// Address of the logo in use.
    pub logo: Option<String>,
    pub colours: Option<Colours>,
    /// The agency's only.
    pub host: Option<HostView>,
}

/// What became of a colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colours {
    pub asked: String,
    /// The colour of buttons and marks in the light theme and in the dark one.
    pub light: String,
    pub dark: String,
    /// Address of the style sheet that paints the samples.
    pub samples: String,
}

/// The agency's host name and what DNS has to say about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostView {
    /// Empty: none is asked for.
    pub host: String,
    /// The installation's own host, which the name has to lead to.
    pub site: String,
    /// Name and text of the TXT record.
    pub record: String,
    pub proof: String,
    /// None: not proved yet.
    pub verified: Option<Stamp>,
    /// What the agency's people type once it is proved.
    pub address: String,
}

patchbay_shared::words! {
    /// Why a logo was not taken.
    pub LogoProblem: "text" {
        NoFile = "no-file", "Choose a picture first.", Bad;
        Kind = "kind", "This is not a PNG, JPEG or WebP picture. Save the logo in one of these formats and choose it again.", Bad;
        TooLarge = "too-large", "The picture has more than 512 kB. Save it smaller and choose it again.", Bad;
        TooWide = "too-wide", "The picture has more than 2000 pixels on a side. Scale it down and choose it again.", Bad;
        LongField = "long-field", "What came before the picture is longer than anything that this form sends. Choose the picture here and send it again.", Bad;
        Broken = "broken", "The upload broke off. Choose the picture again.", Bad;
    }
}

/// What the form for a brand sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrandForm {
    pub product: String,
    /// The colour as typed.
    pub accent: String,
    /// The colour in the picker, which always holds one.
    pub picker: String,
    /// What both fields held when the page was made: empty for none.
    pub was: String,
    pub support: String,
}

impl BrandForm {
    /// The checked values; the logo is none of them.
    pub fn checked(&self, errors: &mut FieldErrors) -> Branding {
        let product = self.product.trim();
        if product.chars().count() > 40 || product.chars().any(char::is_control) {
            errors.add("product", "Give it a name of up to 40 characters, on one line.");
        }
        let typed = self.typed_accent();
        let accent = colour(typed);
        if !typed.is_empty() && accent.is_none() {
            errors.add("accent", "Write the colour as # and six digits or letters from a to f, for example #0f6457.");
        }
        let support = self.support.trim();
        if !support.is_empty() && !is_address(support) && !is_page(support) {
            errors.add(
                "support",
                "Write an e-mail address, or the address of a page that begins with https://, for example help@example.com.",
            );
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Branding { product: some(product), logo: None, accent, support: some(support) }
    }

    /// Without script the picker and the text know nothing of each other: whichever was changed counts, the text before the picker.
    fn typed_accent(&self) -> &str {
        let (typed, picked) = (self.accent.trim(), self.picker.trim());
        let shown = if self.was.is_empty() { USUAL_ACCENT } else { &self.was };
        if typed == self.was && !picked.is_empty() && colour(picked).as_deref() != Some(shown) { picked } else { typed }
    }
}

/// A colour as `#rrggbb` in small letters. `#abc` and a missing `#` are understood.
pub fn colour(text: &str) -> Option<String> {
    let digits = text.trim().trim_start_matches('#').to_ascii_lowercase();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match digits.len() {
        6 => Some(format!("#{digits}")),
        3 => Some(digits.chars().fold("#".to_owned(), |text, digit| format!("{text}{digit}{digit}"))),
        _ => None,
    }
}

/// An address of a page that may stand in a link.
fn is_page(text: &str) -> bool {
    let host = text.strip_prefix("https://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let names_host = host.is_some_and(|host| {
        host.split('.').count() > 1 && host.split('.').all(|part| !part.is_empty()) && !host.contains(['@', '%', '\\'])
    });
    names_host && text.len() <= 300 && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>`".contains(&byte))
}

/// The host in what somebody typed or pasted: without scheme, path and the dot at the end.
pub fn host_in(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    text.split('/').next().unwrap_or_default().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accent: &str, picker: &str, was: &str) -> BrandForm {
        BrandForm { accent: accent.into(), picker: picker.into(), was: was.into(), ..BrandForm::default() }
    }

    fn accent_of(form: &BrandForm) -> Result<Option<String>, FieldErrors> {
        let mut errors = FieldErrors::default();
        let accent = form.checked(&mut errors).accent;
        if errors.0.is_empty() { Ok(accent) } else { Err(errors) }
    }

    #[test]
    fn of_picker_and_text_the_changed_one_counts() {
        let blue = Some("#2244cc".to_owned());
        // Nothing was set and nothing touched: the picker shows a colour all the same.
        assert_eq!(accent_of(&form("", USUAL_ACCENT, "")), Ok(None));
        assert_eq!(accent_of(&form("", "#2244cc", "")), Ok(blue.clone()));
        assert_eq!(accent_of(&form("#2244CC", USUAL_ACCENT, "")), Ok(blue.clone()));
        assert_eq!(accent_of(&form("#aa0000", "#2244cc", "#aa0000")), Ok(blue.clone()));
        assert_eq!(accent_of(&form("24c", "#aa0000", "#aa0000")), Ok(blue.clone()));
        assert_eq!(accent_of(&form("", "#aa0000", "#aa0000")), Ok(None));
        assert_eq!(accent_of(&form("#2244cc", "#2244cc", "#2244cc")), Ok(blue));
        for bad in ["blue", "#12345", "#12345g", "rgb(1,2,3)", "#1122334", "}body{"] {
            assert!(accent_of(&form(bad, USUAL_ACCENT, "")).is_err(), "{bad}");
        }
    }

    #[test]
    fn support_is_an_address_or_a_page_and_nothing_that_runs() {
        let fits = |support: &str| {
            let mut errors = FieldErrors::default();
            BrandForm { support: support.into(), ..BrandForm::default() }.checked(&mut errors);
            errors.0.is_empty()
        };
        for good in ["", "help@halden.example", "https://halden.example/help?x=1", " help@halden.example "] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "http://halden.example",
            "https://",
            "https://x",
            "https://a.example/\"onclick",
            "https://a b.example",
            "https://user@evil.example",
            "help",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_missing_falls_back() {
        let agency = Branding { product: Some("Halden".into()), accent: Some("#112233".into()), ..Branding::default() };
        let client = Branding { accent: Some("#445566".into()), ..Branding::default() };
        let both = client.over(agency);
        assert_eq!((both.product.as_deref(), both.accent.as_deref()), (Some("Halden"), Some("#445566")));
        assert_eq!(host_in(" https://Voice.halden.example./login "), "Voice.halden.example");
    }
}
