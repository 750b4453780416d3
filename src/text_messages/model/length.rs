//! How long a message is on the way: carriers cut it into parts and bill each.

use serde::{Deserialize, Serialize};

/// The letters of GSM 03.38 that take one place.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those that take two.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// A message in places and parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    /// Places that it takes: letters, of which some count twice.
    pub places: usize,
    pub parts: usize,
    /// It holds a letter that not every telephone knows, so a part holds 70 places and not 160.
    pub is_wide: bool,
}

impl Length {
    pub fn text(self) -> String {
        let parts = if self.parts == 1 { "1 part".to_owned() } else { format!("{} parts", self.parts) };
        match self.is_wide {
            true => format!("{} places, {parts} of 70: a letter is not in the alphabet of all telephones", self.places),
            false => format!("{} places, {parts} of 160", self.places),
        }
    }
}

/// How long a message is.
pub fn length(text: &str) -> Length {
    let widths: Option<Vec<usize>> = text
        .chars()
        .map(|letter| match letter {
            letter if BASIC.contains(letter) => Some(1),
            letter if EXTENDED.contains(letter) => Some(2),
            _ => None,
        })
        .collect();
    let is_wide = widths.is_none();
    let widths = widths.unwrap_or_else(|| text.chars().map(char::len_utf16).collect());
    let (whole, cut) = if is_wide { (70, 67) } else { (160, 153) };
    let places: usize = widths.iter().sum();
    if places <= whole {
        return Length { places, parts: 1, is_wide };
    }
    // A letter of two places is not cut in half.
    let (mut parts, mut used) = (1, 0);
    for width in widths {
        if used + width > cut {
            parts += 1;
            used = 0;
        }
        used += width;
    }
    Length { places, parts, is_wide }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_carriers_do() {
        let of = |text: &str| {
            let length = length(text);
            (length.places, length.parts, length.is_wide)
        };
        assert_eq!(of(""), (0, 1, false));
        assert_eq!(of(&"a".repeat(160)), (160, 1, false));
        assert_eq!(of(&"a".repeat(161)), (161, 2, false));
        assert_eq!(of(&"a".repeat(306)), (306, 2, false));
        assert_eq!(of(&"a".repeat(307)), (307, 3, false));
        assert_eq!(of("€{}"), (6, 1, false));
        // The euro sign does not fit the last place of the first part.
        assert_eq!(of(&format!("{}€{}", "a".repeat(152), "a".repeat(152))).1, 3);
        assert_eq!(of("Grüße, ça va"), (12, 1, true));
        assert_eq!(of(&"ç".repeat(70)), (70, 1, true));
        assert_eq!(of(&"ç".repeat(71)), (71, 2, true));
        assert_eq!(of("👋"), (2, 1, true));
        assert_eq!(of(&format!("{}👋{}", "ç".repeat(66), "ç".repeat(66))).1, 3);
    }
}
