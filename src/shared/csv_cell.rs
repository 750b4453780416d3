//! Cells for files that people open in a spreadsheet.

/// One cell, quoted where needed. Text that a spreadsheet would run as a formula gets a leading apostrophe: whoever typed a
/// name into an import must not run code on the machine of whoever opens the export.
pub fn cell(text: &str) -> String {
    let safe = if is_formula(text) { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\n', '\r', '\t']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// The way back, for files that come in: takes off the apostrophe that `cell` put in front. What was exported comes back as it was.
pub fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

/// Apostrophes in front count as part of a formula, so that `plain` never takes off one that was typed.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// One line, ended as RFC 4180 wants it.
pub fn line<I, S>(cells: I) -> String
where
    I: IntoIterator<Item = S>,
    S: AsRef<str>,
{
    let mut out = cells.into_iter().map(|text| cell(text.as_ref())).collect::<Vec<_>>().join(",");
    out.push_str("\r\n");
    out
}

/// A whole file: the head line, then the rows. Begins with a byte-order mark, without which spreadsheets misread other scripts.
pub fn file<R>(head: &[&str], rows: R) -> String
where
    R: IntoIterator<Item = Vec<String>>,
{
    let mut out = String::from("\u{feff}");
    out += &line(head);
    for row in rows {
        out += &line(&row);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_out_comes_back() {
        for text in ["=1+1", "'=1", "''=1", "'quoted'", "+41791234567", "-", "", "'", "O'Neill"] {
            assert_eq!(plain(&cell(text)), text);
        }
    }

    #[test]
    fn formulas_become_text() {
        for start in ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"] {
            assert!(cell(start).trim_start_matches('"').starts_with('\''), "{start:?}");
        }
        assert_eq!(line(["a", "b,c", "say \"hi\"", "=1"]), "a,\"b,c\",\"say \"\"hi\"\"\",'=1\r\n");
    }
}
