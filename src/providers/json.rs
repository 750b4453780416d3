//! JSON as services really send it: half an emoji, a byte that is no UTF-8, a NUL, a number that no machine holds, a nesting that no
//! parser follows. The text around such a place is good, so the place is replaced and the rest counts.
//!
//! Signatures are checked over the raw bytes, before anything here runs.

use serde_json::{Map, Value};

/// What stands in the place of a character that can't be read.
const UNREADABLE: char = char::REPLACEMENT_CHARACTER;
/// What lies deeper is left out. Parsers, and PostgreSQL, follow a little further.
const DEEPEST: usize = 100;

/// Reads a document. What comes back holds no NUL and no other control characters than tab and line ends, so that it can be stored and
/// shown. Time and memory grow with the length alone. Errors: why it is no JSON even so.
pub fn read(body: &[u8]) -> Result<Value, String> {
    let mut value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(_) => serde_json::from_str(&repaired(&String::from_utf8_lossy(body))).map_err(|error| error.to_string())?,
    };
    clean(&mut value);
    Ok(value)
}

/// The document without characters that can't be stored or shown.
pub(crate) fn cleaned(mut value: Value) -> Value {
    clean(&mut value);
    value
}

/// A text without the characters that can't be stored or shown.
pub fn clean_text(text: &str) -> String {
    text.chars().map(|c| if is_unfit(c) { UNREADABLE } else { c }).collect()
}

/// PostgreSQL takes every character but NUL; the other control characters are noise in every text that people read.
fn is_unfit(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(is_unfit) => *text = clean_text(text),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains(is_unfit)) {
                let all: Map<String, Value> = std::mem::take(fields);
                *fields = all.into_iter().map(|(key, value)| (clean_text(&key), value)).collect();
            }
            fields.values_mut().for_each(clean);
        }
        _ => {}
    }
}

/// The same document with what no parser takes replaced. One pass; what is well formed comes out as it went in.
fn repaired(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        // What is written while too deep is taken back.
        let (before, is_kept) = (out.len(), depth <= DEEPEST);
        match byte {
            b'"' => at = string(text, at, &mut out),
            b'{' | b'[' => {
                depth += 1;
                out.push_str(if depth > DEEPEST { "null" } else { &text[at..=at] });
                at += 1;
            }
            b'}' | b']' => {
                out.push(char::from(byte));
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
                let end = at + bytes[at..].iter().take_while(|b| is_word(b)).count();
                out.push_str(word(&text[at..end]));
                at = end;
            }
            // Noise between the values, such as the zeros that pad a buffer.
            0..=0x1f if !byte.is_ascii_whitespace() => at += 1,
            _ => at = copied(text, at, &mut out),
        }
        if !is_kept {
            out.truncate(before);
        }
    }
    out
}

/// Copies one character. Gives where it ends.
fn copied(text: &str, at: usize, out: &mut String) -> usize {
    let end = at + text[at..].chars().next().map_or(1, char::len_utf8);
    out.push_str(&text[at..end]);
    end
}

/// A number or a word outside of strings. What stands for no value that JSON knows is null.
fn word(word: &str) -> &str {
    match word {
        "true" | "false" | "null" => word,
        "NaN" | "nan" | "Infinity" | "-Infinity" | "inf" | "-inf" | "None" | "undefined" => "null",
        number if number.parse::<f64>().is_ok_and(f64::is_infinite) => "null",
        other => other,
    }
}

/// Copies the string that begins at `start`, repaired. Gives where it ends.
fn string(text: &str, start: usize, out: &mut String) -> usize {
    let bytes = text.as_bytes();
    out.push('"');
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                out.push('"');
                return at + 1;
            }
            b'\\' => at = escape(text, at, out),
            b'\n' => {
                out.push_str("\\n");
                at += 1;
            }
            b'\r' => {
                out.push_str("\\r");
                at += 1;
            }
            b'\t' => {
                out.push_str("\\t");
                at += 1;
            }
            0..=0x1f => {
                out.push(UNREADABLE);
                at += 1;
            }
            _ => at = copied(text, at, out),
        }
    }
    // Cut off: it stays open, and no parser takes it.
    at
}

/// Copies the escape that begins at `at`. Gives where it ends.
fn escape(text: &str, at: usize, out: &mut String) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
            out.push_str(&text[at..at + 2]);
            at + 2
        }
        Some(b'u') => match unit(bytes, at) {
            Some(0xd800..=0xdbff) if matches!(unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => {
                out.push_str(&text[at..at + 12]);
                at + 12
            }
            Some(0 | 0xd800..=0xdfff) => {
                out.push(UNREADABLE);
                at + 6
            }
            Some(_) => {
                out.push_str(&text[at..at + 6]);
                at + 6
            }
            None => {
                out.push(UNREADABLE);
                at + 2
            }
        },
        // An apostrophe needs none, and some writers escape it all the same.
        Some(b'\'') => {
            out.push('\'');
            at + 2
        }
        Some(_) => {
            out.push_str("\\\\");
            at + 1
        }
        None => at + 1,
    }
}

/// The code unit that is escaped at this place: `\u` and four digits.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6).filter(|escape| escape.starts_with(b"\\u"))?;
    escape[2..].iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn half_broken_text_is_repaired_and_the_rest_counts() {
        let cases: [(&[u8], Value); 14] = [
            (br#"{"a":"x \ud83d","b":1}"#, json!({"a": "x \u{fffd}", "b": 1})),
            (br#"{"a":"\ude00 y"}"#, json!({"a": "\u{fffd} y"})),
            (br#"{"a":"\ud83d\ud83d\ude00"}"#, json!({"a": "\u{fffd}\u{1f600}"})),
            (br#"{"a":"\ud83d\ude00"}"#, json!({"a": "\u{1f600}"})),
            (b"{\"a\":\"x\xff\"}", json!({"a": "x\u{fffd}"})),
            (b"\xef\xbb\xbf{\"a\":1}", json!({"a": 1})),
            (b"{\"a\":\"x\0y\"}\0\0", json!({"a": "x\u{fffd}y"})),
            (br#"{"a\u0000":"x\u0000y"}"#, json!({"a\u{fffd}": "x\u{fffd}y"})),
            (b"{\"a\":\"two\nlines\x07\"}", json!({"a": "two\nlines\u{fffd}"})),
            (br#"{"a":1e999,"b":-1e999,"c":NaN}"#, json!({"a": null, "b": null, "c": null})),
            (br#"{"a":"it\'s \x41 \uZZ"}"#, json!({"a": "it's \\x41 \u{fffd}ZZ"})),
            (br#"{"a":1,"a":2}"#, json!({"a": 2})),
            (br#"{"a":123456789012345678901234567890}"#, json!({"a": 1.2345678901234568e29})),
            (br#"{"a":"b\\","c":"\"}"}"#, json!({"a": "b\\", "c": "\"}"})),
        ];
        for (body, wanted) in cases {
            assert_eq!(read(body).as_ref(), Ok(&wanted), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn what_lies_too_deep_is_left_out() {
        let body = format!(r#"{{"id":"e","deep":{}"x",1{},"last":true}}"#, "[".repeat(90_000), "]".repeat(90_000));
        let value = read(body.as_bytes()).unwrap();
        assert_eq!((&value["id"], &value["last"]), (&json!("e"), &json!(true)));
    }

    #[test]
    fn what_is_cut_off_or_no_json_is_refused() {
        for body in [&b""[..], b"{\"a\":\"b", b"{\"a\":", b"hello", b"\xef\xbb\xbf", b"{\"a\":\"\\", b"{\"a\":\"\\ud8"]
        {
            assert!(read(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }
}
