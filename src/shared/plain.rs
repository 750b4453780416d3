//! Text as it was meant: what nobody sees is gone, and a sign has one form whatever the script it was written in.

use std::borrow::Cow;

/// The zero of every run of decimal digits in Unicode 16 (general category Nd); its nine others follow it.
const ZEROS: [u32; 74] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136,
    0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0,
    0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec,
    0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// The value of a decimal digit of any script, as its ASCII form.
pub fn decimal(letter: char) -> Option<char> {
    let code = u32::from(letter);
    let run = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    char::from_digit(code - ZEROS[run], 10)
}

/// Marks without a shape of their own (general category Cf, variation selectors, fillers): direction, joiners, byte-order marks.
/// Address books and web pages put them around numbers, and they come along when somebody copies.
pub fn is_invisible(letter: char) -> bool {
    matches!(u32::from(letter),
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
        | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff9..=0xfffb | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// One line or several of plain text: no invisible marks, digits of any script as ASCII, full-width signs and dashes as their ASCII
/// forms, every blank a space, every line end `\n`, other control characters gone.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return Cow::Borrowed(text);
    }
    let seen = text.chars().filter(|letter| !is_invisible(*letter));
    seen.filter_map(|letter| match letter {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        ' '..='~' => Some(letter),
        _ if letter.is_whitespace() => Some(' '),
        _ if letter.is_control() => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{fe58}' | '\u{fe63}' => Some('-'),
        '\u{2044}' | '\u{2215}' => Some('/'),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0),
        _ => Some(decimal(letter).unwrap_or(letter)),
    })
    .collect::<String>()
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_of_digits_are_in_order_and_apart() {
        assert!(ZEROS.windows(2).all(|two| two[0] + 10 <= two[1]));
        let all = ['0', '٠', '۷', '९', '૯', '９', '𝟗', 'x', '²', '½', '٫', '\u{10ffff}'];
        assert_eq!(
            all.map(decimal),
            [Some('0'), Some('0'), Some('7'), Some('9'), Some('9'), Some('9'), Some('9'), None, None, None, None, None]
        );
    }

    #[test]
    fn what_nobody_sees_is_gone() {
        assert_eq!(plain("\u{202a}+41\u{a0}79\u{2011}200\u{200b}\u{202c}\r\n（０）"), "+41 79-200\n\n(0)");
        assert!(matches!(plain("+41 79"), Cow::Borrowed(_)));
    }
}
