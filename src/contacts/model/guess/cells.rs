//! What a cell looks like.

use patchbay_shared::plain::plain;

/// Seven digits or more, and nothing that a number does not have but an extension or a second number behind it.
pub fn looks_like_phone(cell: &str) -> bool {
    if cell.len() > 400 {
        return false;
    }
    let cell = plain(cell).to_lowercase();
    let cell = cell.trim_start_matches(['=', '"', '\'', ' ', '\n']);
    let cell = cell.strip_prefix("tel:").unwrap_or(cell);
    let behind = ["x", " x", "ext", " ext", ", ext", "#", " #", ":::", ";", "\n"];
    let end = behind.iter().filter_map(|mark| cell.find(mark)).min().unwrap_or(cell.len());
    let number = cell[..end].trim_matches(['"', '\'', ' ']);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    // A date has as many digits, but not in this shape.
    let date = number.len() == 10 && number.matches(['-', '.', '/']).count() == 2 && !number.starts_with(['+', '0']);
    (7..=17).contains(&digits) && !date && number.chars().all(|c| c.is_ascii_digit() || " +-()./,".contains(c))
}
