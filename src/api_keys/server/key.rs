//! The form of a key: `pb_live_<8>_<43>_<6>`: eight letters to look it up by, 256 random bits, and a checksum, so that a mistyped key is
//! told from a wrong one without asking the database, and a leaked one is found by scanners.

use rand::Rng;
use sha2::{Digest, Sha256};

const START: &str = "pb_live_";
const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new key.
pub(crate) struct Made {
    pub text: String,
    pub prefix: String,
    pub hash: String,
}

/// Makes one from the system's randomness. Forty-three letters of sixty-two hold 256 bits.
pub(crate) fn make() -> Made {
    let mut chance = rand::rng();
    let mut letters = |count: usize| -> String {
        (0..count).map(|_| char::from(LETTERS[chance.random_range(0..LETTERS.len())])).collect()
    };
    let prefix = format!("{START}{}", letters(8));
    let body = format!("{prefix}_{}", letters(43));
    let text = format!("{body}_{}", checksum(&body));
    Made { hash: hash(&text), prefix, text }
}

/// What a key is looked up by, if it has the form of one.
pub(crate) fn prefix(text: &str) -> Option<&str> {
    let (body, check) = text.rsplit_once('_')?;
    let (prefix, secret) = body.rsplit_once('_')?;
    let id = prefix.strip_prefix(START)?;
    let plain =
        |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain(id, 8) && plain(secret, 43) && check == checksum(body)).then_some(prefix)
}

/// SHA-256 in hexadecimal: all that the table knows. The key is random, so a slow hash would add nothing.
pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// CRC-32 in six letters.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut letters = [b'0'; 6];
    for letter in letters.iter_mut().rev() {
        *letter = LETTERS[(rest % 62) as usize];
        rest /= 62;
    }
    letters.iter().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_form_and_a_mistyped_one_is_seen() {
        let made = make();
        assert_eq!(made.text.len(), 8 + 8 + 1 + 43 + 1 + 6);
        assert_eq!(prefix(&made.text), Some(made.prefix.as_str()));
        assert_eq!(made.hash.len(), 64);
        assert_ne!(make().text, made.text);
        for at in [0, 9, 20, 50, 66] {
            let mut wrong: Vec<char> = made.text.chars().collect();
            wrong[at] = if wrong[at] == 'x' { 'y' } else { 'x' };
            assert_eq!(prefix(&wrong.into_iter().collect::<String>()), None, "letter {at}");
        }
        for text in ["", "pb_live_", "pb_live_12345678_x_y", "é_é_é", &"_".repeat(70)] {
            assert_eq!(prefix(text), None, "{text}");
        }
    }
}
