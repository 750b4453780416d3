use rust_decimal::Decimal;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

/// US dollars, exact to six places (`numeric(14,6)`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Money(pub Decimal);

/// Plain digits, as they are written. The type's own reader knows more forms, and a first visit would load it.
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let amount = plain_digits(&text);
        amount.map(Self).ok_or_else(|| Error::invalid_value(Unexpected::Str(&text), &"an amount"))
    }
}

fn plain_digits(text: &str) -> Option<Decimal> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() {
        return None;
    }
    let mut units = 0_i128;
    for digit in whole.bytes().chain(part.bytes()) {
        units = units.checked_mul(10)?.checked_add(i128::from(digit.is_ascii_digit().then(|| digit - b'0')?))?;
    }
    let units = if is_negative { -units } else { units };
    Decimal::try_from_i128_with_scale(units, part.len() as u32).ok()
}

impl Money {
    /// `$0.0315`, `$12.40`, `$1,284.00`: cents, and more places only below ten cents, where cents would say nothing.
    pub fn text(self) -> String {
        self.text_with(if self.is_small() { 4 } else { 2 })
    }

    fn text_with(self, decimals: u32) -> String {
        let digits = self.0.abs().round_dp(decimals);
        let plain = format!("{:.*}", decimals as usize, digits);
        let (whole, part) = plain.split_once('.').unwrap_or((&plain, "00"));
        let sign = if self.0.is_sign_negative() && !self.0.is_zero() { "−" } else { "" };
        format!("{sign}${}.{part}", thousands(whole))
    }

    /// For a column of amounts, which all have the same places, on every page of the list: `$0.0315`, `$12.4000`.
    pub fn column(self) -> String {
        self.text_with(4)
    }

    /// For drawings, to about sixteen digits.
    pub fn number(self) -> f64 {
        (0..self.0.scale()).fold(self.0.mantissa() as f64, |number, _| number / 10.0)
    }

    fn is_small(self) -> bool {
        self.0.abs() < Decimal::new(10, 2) && !self.0.is_zero()
    }
}

/// `1284` as `1,284`.
pub fn thousands(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A whole number with thousands marks.
pub fn count_text(count: i64) -> String {
    if count < 0 { format!("−{}", thousands(&(-count).to_string())) } else { thousands(&count.to_string()) }
}

/// `1 call`, `1,284 calls`: a count with its noun in the right number.
pub fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", count_text(count), if count == 1 { one } else { many })
}

/// Seconds as `m:ss`, or `h:mm:ss` from an hour on.
pub fn length_text(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
