use serde::{Deserialize, Serialize};

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

    /// Reads a number as people write it. `country` (ISO 3166, two letters) completes national forms such as `0171 2345678`.
    ///
    /// Errors: a sentence that says what is wrong with the number.
    #[cfg(feature = "ssr")]
    pub fn parse(text: &str, country: Option<&str>) -> Result<Self, String> {
        use phonenumber::Mode;
        let cleaned: String = text.trim().trim_start_matches('\'').chars().filter(|c| !c.is_control()).collect();
        if cleaned.is_empty() {
            return Err("The number is empty.".into());
        }
        if cleaned.chars().filter(char::is_ascii_digit).count() < 5 {
            return Err(format!("“{}” is not a phone number.", shorten(&cleaned)));
        }
        let country = country.and_then(|code| code.to_ascii_uppercase().parse::<phonenumber::country::Id>().ok());
        // 00 is the usual way to dial abroad outside North America.
        let cleaned = match cleaned.strip_prefix("00") {
            Some(rest) if country != Some(phonenumber::country::Id::US) => format!("+{rest}"),
            _ => cleaned,
        };
        let number = phonenumber::parse(country, &cleaned).map_err(|_| {
            if country.is_none() && !cleaned.starts_with('+') {
                format!(
                    "“{}” has no country code. Choose a default country, or write it with + and the code.",
                    shorten(&cleaned)
                )
            } else {
                format!("“{}” is not a phone number.", shorten(&cleaned))
            }
        })?;
        if !phonenumber::is_valid(&number) {
            return Err(format!("“{}” is not a number that can be dialled in that country.", shorten(&cleaned)));
        }
        Self::from_e164(&number.format().mode(Mode::E164).to_string()).ok_or_else(|| "The number is too long.".into())
    }
}

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "ssr")]
fn shorten(text: &str) -> String {
    text.chars().take(30).collect()
}
