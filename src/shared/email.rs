//! E-mail addresses.

/// Whether a text has the form of an e-mail address.
pub fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    let named = parts.is_some_and(|(local, host)| {
        !local.is_empty()
            && !host.contains('@')
            && host.split('.').count() > 1
            && host.split('.').all(|part| !part.is_empty())
    });
    named
        && text.len() <= 320
        && !text
            .contains(|letter: char| letter.is_whitespace() || letter.is_control() || "<>(),;:\\\"[]".contains(letter))
}
