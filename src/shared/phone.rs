use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
mod read;

#[cfg(feature = "ssr")]
pub use read::Reading;

/// A phone number in E.164 form, for example `+13125550111`. Checked once, then trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Takes text that is already E.164.
    pub fn from_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        (fits && !digits.starts_with('0')).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An E.164 number in groups, as the eye reads it: `+41 44 555 01 82`, `+1 415 555 0148`. Country codes after ITU-T E.164; the
/// groups go by length alone, because the rules of every country would weigh more than the page. Anything else stays as it is.
pub fn spaced(e164: &str) -> String {
    let digits = match e164.strip_prefix('+') {
        Some(digits) if digits.len() > 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits,
        _ => return e164.to_owned(),
    };
    let code = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    };
    let (code, mut rest) = digits.split_at(code);
    let groups: &[usize] = match (code, rest.len()) {
        ("1" | "7", 10) => &[3, 3, 4],
        (_, 8) => &[2, 2, 2, 2],
        (_, 9) => &[2, 3, 2, 2],
        (_, 10) => &[2, 4, 4],
        (_, 11) => &[3, 4, 4],
        _ => &[3, 3, 3, 3, 3],
    };
    let mut text = format!("+{code}");
    for &group in groups {
        let (part, left) = rest.split_at(group.min(rest.len()));
        if !part.is_empty() {
            text.push(' ');
            text.push_str(part);
        }
        rest = left;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::spaced;

    #[test]
    fn numbers_are_grouped_for_the_eye() {
        for (number, text) in [
            ("+41445550182", "+41 44 555 01 82"),
            ("+14155550148", "+1 415 555 0148"),
            ("+442079460021", "+44 20 7946 0021"),
            ("+35121555013", "+351 21 55 50 13"),
            ("+46855501420", "+46 85 550 14 20"),
            ("+290123456789012", "+290 123 456 789 012"),
            ("anonymous", "anonymous"),
            ("", ""),
        ] {
            assert_eq!(spaced(number), text);
        }
    }
}
