//! Numbers with decimals, as pages and their addresses write and read them.

/// `value` with `decimals` (at most six) decimals: `47.1`. Halves go to the even neighbour. A value that is none, or that has more than
/// eighteen digits, is a dash. Whole numbers do the work: what the standard library formats fractions with is a large part of a first visit.
pub fn fixed(value: f64, decimals: u32) -> String {
    let scale = 10_u64.pow(decimals.min(6));
    let units = (value.abs() * scale as f64).round_ties_even();
    if !units.is_finite() || units >= 1e18 {
        return "–".to_owned();
    }
    let units = units as u64;
    let sign = if value < 0.0 && units > 0 { "-" } else { "" };
    if scale == 1 {
        return format!("{sign}{units}");
    }
    let width = decimals.min(6) as usize;
    format!("{sign}{}.{:0width$}", units / scale, units % scale)
}

/// A number as pages and their addresses write it: digits, at most nine before and nine after the point.
pub fn read(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 9 && text.bytes().all(|letter| letter.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let units = |text: &str| text.bytes().fold(0_u32, |units, digit| units * 10 + u32::from(digit - b'0'));
    Some(f64::from(units(whole)) + f64::from(units(part)) / 10_u32.pow(part.len() as u32) as f64)
}

#[cfg(test)]
mod tests {
    use super::{fixed, read};

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read("148"), Some(148.0));
        assert_eq!(read("148.25"), Some(148.25));
        for none in ["", ".5", "-1", "1e3", "NaN", "inf", "1234567890", "0.1234567890", "1.2.3"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn decimals_are_as_many_as_asked_for() {
        let shown =
            [(47.06, 1, "47.1"), (0.0, 1, "0.0"), (-0.04, 1, "0.0"), (-12.345, 2, "-12.34"), (1284.0, 0, "1284")];
        for (value, decimals, text) in shown {
            assert_eq!(fixed(value, decimals), text);
        }
        assert_eq!(fixed(0.05, 3), "0.050");
        assert_eq!(fixed(f64::NAN, 1), "–");
        assert_eq!(fixed(1e300, 1), "–");
    }
}
