//! Cells for files that people open in a spreadsheet.
//!
//! Text that a spreadsheet would run as a formula gets an apostrophe in front: whoever typed a name into an import must not run code on
//! the machine of whoever opens the export. A spreadsheet may split lines elsewhere than at our commas (at `;` in much of Europe), so the
//! same holds behind each sign that separates cells or lines anywhere, for what could do something there. Plain numbers stay as they are, with their sign: `-12.50` and a telephone
//! number in E.164 are values in every spreadsheet, and programs read them. Source: OWASP, CSV injection.

/// What separates cells or lines for one spreadsheet or another.
const SEPARATORS: [char; 5] = [',', ';', '\t', '\n', '\r'];

/// One cell, quoted where needed, and safe to open.
pub fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 2);
    for (index, piece) in text.split_inclusive(SEPARATORS).enumerate() {
        let shown = piece.trim_end_matches(SEPARATORS);
        if if index == 0 { is_formula(shown) } else { is_formula_inside(shown) } {
            safe.push('\'');
        }
        safe.push_str(piece);
    }
    if safe.contains('"') || safe.contains(SEPARATORS) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// The way back, for files that come in: takes off the apostrophe that `cell` put in front. One inside, which hardly any text needs,
/// stays.
pub fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        // Before numbers, too: earlier exports had one there.
        Some(rest) if begins_like_formula(rest) => rest,
        _ => cell,
    }
}

fn is_formula(piece: &str) -> bool {
    begins_like_formula(piece) && !is_number(piece)
}

/// Behind a separator stands, as a rule, plain writing ("Budget 5k; - wants a demo", lists with dashes): there only what could call
/// something counts, and an apostrophe that stands there already is enough.
fn is_formula_inside(piece: &str) -> bool {
    begins_like_formula(piece) && !piece.starts_with('\'') && piece.contains(['=', '＝', '(', '|', '!'])
}

/// Whether the first sign that counts begins a formula, full-width ones included. Blanks, quotation marks and invisible signs before it
/// are dropped by one spreadsheet or another. Apostrophes in front count as part of a formula, so that `plain` never takes off one that
/// was typed.
fn begins_like_formula(piece: &str) -> bool {
    let dropped = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '\'' | '"' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
    };
    piece.trim_start_matches(dropped).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// A sign and digits, with at most one point among them: nothing that could be run.
fn is_number(piece: &str) -> bool {
    let digits = piece.strip_prefix(['+', '-']).unwrap_or(piece);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(part)
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

    /// What a spreadsheet that splits at `separator` makes of a cell of ours. It takes a quotation mark for one only at the beginning.
    fn opened(separator: char, text: &str) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut letters = cell(text).chars().collect::<Vec<_>>().into_iter().peekable();
        let (mut is_quoted, mut is_new) = (false, true);
        while let Some(letter) = letters.next() {
            let last = cells.last_mut().unwrap();
            match letter {
                '"' if is_new => is_quoted = true,
                '"' if is_quoted && letters.peek() == Some(&'"') => last.extend(letters.next()),
                '"' if is_quoted => is_quoted = false,
                _ if letter == separator && !is_quoted => {
                    cells.push(String::new());
                    is_new = true;
                    continue;
                }
                _ => last.push(letter),
            }
            is_new = false;
        }
        cells
    }

    const FORMULAS: [&str; 25] = [
        "=1+1",
        "+1+1",
        "-1+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u{a0}=1",
        "\u{feff}=1",
        "\u{200b}=1",
        "\"=1\"",
        "＝1+1",
        "＋1+1",
        "－1+1",
        "＠SUM(A1)",
        "=1+1;=1+2",
        "Ann;=1+1",
        "Ann; =1+1",
        "Ann,=1+1",
        "Ann\t=1+1",
        "Ann;-1+cmd|' /C calc'!A0",
        "Ann\";=1+1",
        "+1.2.3",
        "--1",
    ];

    #[test]
    fn what_goes_out_comes_back() {
        for text in
            ["=1+1", "'=1", "''=1", "'quoted'", "+41791234567", "'+41791234567", "-", "", "'", "O'Neill", "5k; - wants"]
        {
            assert_eq!(plain(&cell_as_read(text)), text);
        }
        // What stands inside is the same after any number of journeys.
        let inside = cell_as_read("Ann;=1+1");
        assert_eq!((inside.as_str(), cell_as_read(&inside)), ("Ann;'=1+1", inside.clone()));
        // Files of earlier days have an apostrophe before each number.
        assert_eq!(plain("'+41791234567"), "+41791234567");
    }

    /// Our cell as a reader of CSV hands it on.
    fn cell_as_read(text: &str) -> String {
        opened('\0', text).concat()
    }

    #[test]
    fn formulas_become_text_wherever_a_spreadsheet_splits() {
        for text in FORMULAS {
            for separator in [',', ';', '\t'] {
                for cell in opened(separator, text) {
                    let first =
                        cell.trim_start_matches(|c: char| c.is_whitespace() || "\"\u{feff}\u{200b}".contains(c));
                    let is_safe = !first.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
                    assert!(is_safe, "{text:?} split at {separator:?} gives {cell:?}");
                }
            }
        }
        assert_eq!(line(["a", "b,c", "say \"hi\"", "=1"]), "a,\"b,c\",\"say \"\"hi\"\"\",'=1\r\n");
    }

    #[test]
    fn numbers_stay_numbers() {
        for text in ["-12.50", "+41791234567", "0", "12", "-3"] {
            assert_eq!(cell(text), text);
        }
        for text in ["Budget 5k; - wants a demo", "- one\n- two", "write to ann, @home"] {
            assert!(!cell(text)[2..].contains('\''), "{text}");
        }
    }
}
