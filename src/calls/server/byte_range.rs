//! Ranges of a file, as players ask for them (RFC 9110, section 14).

use std::ops::Range;

/// What a request's `Range` header asks for, given the file's length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// No range, or one that may be ignored: several at once, another unit, nonsense.
    Whole,
    /// These bytes, the end excluded; never empty.
    Part(Range<u64>),
    /// The file has no such bytes.
    Outside,
}

/// Reads a `Range` header.
pub(crate) fn read(header: Option<&str>, length: u64) -> Asked {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Asked::Whole };
    let Some((first, last)) = spec.split_once('-').filter(|_| !spec.contains(',')) else { return Asked::Whole };
    match (first.trim(), last.trim()) {
        ("", "") => Asked::Whole,
        ("", suffix) => match suffix.parse::<u64>() {
            Ok(0) => Asked::Outside,
            Ok(_) if length == 0 => Asked::Outside,
            Ok(count) => Asked::Part(length.saturating_sub(count)..length),
            Err(_) => Asked::Whole,
        },
        (first, last) => {
            let Ok(first) = first.parse::<u64>() else { return Asked::Whole };
            let end = match last {
                "" => length,
                last => match last.parse::<u64>() {
                    Ok(last) if last >= first => last.saturating_add(1).min(length),
                    _ => return Asked::Whole,
                },
            };
            if first >= length { Asked::Outside } else { Asked::Part(first..end) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rules_say() {
        assert_eq!(read(None, 100), Asked::Whole);
        assert_eq!(read(Some("bytes=0-"), 100), Asked::Part(0..100));
        assert_eq!(read(Some("bytes=10-19"), 100), Asked::Part(10..20));
        assert_eq!(read(Some("bytes=90-500"), 100), Asked::Part(90..100));
        assert_eq!(read(Some("bytes=-10"), 100), Asked::Part(90..100));
        assert_eq!(read(Some("bytes=-500"), 100), Asked::Part(0..100));
        for outside in ["bytes=100-", "bytes=-0", "bytes=200-300"] {
            assert_eq!(read(Some(outside), 100), Asked::Outside);
        }
        for ignored in
            ["items=0-1", "bytes=5-1", "bytes=0-1,5-6", "bytes=a-b", "bytes=-", "bytes=99999999999999999999-"]
        {
            assert_eq!(read(Some(ignored), 100), Asked::Whole, "{ignored}");
        }
        assert_eq!(read(Some("bytes=0-0"), 0), Asked::Outside);
    }
}
