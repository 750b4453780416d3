//! The style sheet of a colour. Its address holds the colour and a fingerprint of the text, so it may be kept for ever: another way of
//! deriving gives another address.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};

use super::palette::{Palette, Rgb, derive, hex_of, rgb};
use crate::model::Colours;

/// Sheets that are kept made. More colours than that are made again.
const KEPT: usize = 500;

/// The sheet of one colour.
pub(crate) struct Sheet {
    /// For whole pages.
    pub page: String,
    /// For samples of both themes on one page.
    pub samples: String,
    name: String,
    light: Rgb,
    dark: Rgb,
}

/// Sheets that this process has made.
#[derive(Default)]
pub(crate) struct Made(RwLock<HashMap<Rgb, Arc<Sheet>>>);

/// The sheet of a stored colour.
pub(crate) fn sheet(made: &Made, accent: Rgb) -> Arc<Sheet> {
    if let Some(sheet) = made.0.read().unwrap_or_else(PoisonError::into_inner).get(&accent) {
        return sheet.clone();
    }
    let sheet = Arc::new(make(accent));
    let mut all = made.0.write().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= KEPT {
        all.clear();
    }
    all.insert(accent, sheet.clone());
    sheet
}

/// Where the pages of a brand find their sheet. None: the colour is none.
pub(crate) fn address(made: &Made, accent: &str) -> Option<String> {
    rgb(accent).map(|accent| format!("/brand/{}.css", sheet(made, accent).name))
}

/// What became of a colour, for its owner. None: the colour is none.
pub(crate) fn colours(made: &Made, accent: &str) -> Option<Colours> {
    let sheet = sheet(made, rgb(accent)?);
    Some(Colours {
        asked: accent.to_owned(),
        light: hex_of(sheet.light),
        dark: hex_of(sheet.dark),
        samples: format!("/brand/{}-samples.css", sheet.name),
    })
}

/// The text behind an address. None: no sheet of ours has this name.
pub(crate) fn find(made: &Made, file: &str) -> Option<String> {
    let name = file.strip_suffix(".css")?;
    let (name, is_samples) = name.strip_suffix("-samples").map_or((name, false), |name| (name, true));
    let digits = name.split('-').next()?;
    let accent = rgb(&format!("#{digits}"))?;
    // Anybody chooses addresses: what they ask for is not kept.
    let kept = made.0.read().unwrap_or_else(PoisonError::into_inner).get(&accent).cloned();
    let sheet = kept.unwrap_or_else(|| Arc::new(make(accent)));
    (sheet.name == name).then(|| if is_samples { sheet.samples.clone() } else { sheet.page.clone() })
}

fn make(accent: Rgb) -> Sheet {
    let palette = derive(accent);
    let (page, samples) = (page(&palette), samples(&palette));
    let print = hex::encode(Sha256::digest(format!("{page}{samples}")));
    let primary =
        |theme: &[(&str, Rgb)]| theme.iter().find(|(name, _)| *name == "primary").map_or(accent, |(_, value)| *value);
    let name = format!("{}-{}", hex::encode(accent), &print[..16]);
    Sheet { light: primary(&palette.light), dark: primary(&palette.dark), page, samples, name }
}

fn values(theme: &[(&str, Rgb)]) -> String {
    theme.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = write!(text, "--{name}:{};", hex_of(*value));
        text
    })
}

/// The same blocks as in `style/tokens.css`, in the same order. Paper gets the light set.
fn page(palette: &Palette) -> String {
    let (light, dark) = (values(&palette.light), values(&palette.dark));
    format!(
        ":root,[data-theme=\"light\"]{{{light}}}\n@media screen{{[data-theme=\"dark\"]{{{dark}}}}}\n\
         @media screen and (prefers-color-scheme:dark){{[data-theme=\"system\"]{{{dark}}}}}\n"
    )
}

fn samples(palette: &Palette) -> String {
    let (light, dark) = (values(&palette.light), values(&palette.dark));
    format!(
        ".brand-sample[data-theme=\"light\"]{{{light}}}\n@media screen{{.brand-sample[data-theme=\"dark\"]{{{dark}}}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_found_by_its_address_and_by_no_other() {
        let made = Made::default();
        let address = address(&made, "#1d4ed8").expect("a colour");
        let file = address.strip_prefix("/brand/").expect("its place");
        let text = find(&made, file).expect("the sheet");
        assert!(
            text.contains("--primary:#1d4ed8;") && text.matches('{').count() == text.matches('}').count(),
            "{text}"
        );
        let samples = colours(&made, "#1d4ed8").expect("a colour").samples;
        assert!(find(&made, samples.strip_prefix("/brand/").expect("its place")).is_some());
        assert!(!text.contains("brand-sample"));
        for other in ["", ".css", "1d4ed8.css", "1d4ed8-0000000000000000.css", "zzzzzz-1.css", "é.css", "../x.css"] {
            assert_eq!(find(&made, other), None, "{other}");
        }
        assert_eq!(find(&made, &file.replace("1d4ed8", "1d4ed9")), None);
    }
}
