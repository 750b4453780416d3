//! The SQL of the source, found in the source: every string literal that is a statement, however it reaches the database
//! (a macro, a function, `format!`, a constant, a list). Where two literals make one statement, no test can see it whole, so that
//! is refused (`pieces`).

mod scopes;
mod tokens;

use std::sync::OnceLock;

use super::support::sources;

pub use scopes::named;

/// A statement in the source. What `format!` fills in stands as `placeholder`.
#[derive(Debug, Clone)]
pub struct Statement {
    pub path: String,
    pub line: usize,
    pub text: String,
    /// It stands in the call of a function or macro that takes SQL.
    is_passed: bool,
}

impl Statement {
    /// The first folder below `src`; a file there is a crate as well.
    pub fn folder(&self) -> &str {
        let name = self.path.split('/').nth(1).unwrap_or_default();
        name.strip_suffix(".rs").unwrap_or(name)
    }

    /// Where it stands, for a list of what is wrong.
    pub fn place(&self) -> String {
        format!("{}:{}", self.path, self.line)
    }
}

/// Every statement below `src`.
pub fn statements() -> Vec<Statement> {
    literals().iter().filter(|literal| literal.is_passed || begins_as_statement(&literal.text)).cloned().collect()
}

/// Literals that hold a part of a statement on one of `tables` and do not begin like one.
pub fn pieces(tables: &[String]) -> Vec<Statement> {
    let is_piece = |literal: &&Statement| {
        let words = words(&literal.text);
        words.windows(2).any(|pair| {
            matches!(pair[0].as_str(), "from" | "join" | "into" | "update" | "using") && tables.contains(&pair[1])
        }) && literal.text == literal.text.to_lowercase()
    };
    literals()
        .iter()
        .filter(|literal| !literal.is_passed && !begins_as_statement(&literal.text) && is_piece(literal))
        .cloned()
        .collect()
}

/// SQL is written in lower case here and prose begins with a capital, so the first words tell them apart.
fn begins_as_statement(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    match words.first().copied().unwrap_or_default() {
        "select" | "values" => words.len() > 1,
        "insert" | "merge" => words.get(1) == Some(&"into"),
        "delete" => words.get(1) == Some(&"from"),
        "truncate" | "create" | "alter" | "drop" | "set" | "lock" | "revoke" | "grant" => words.len() > 2,
        "update" => text.contains(" set "),
        "copy" => text.contains(" from ") || text.contains(" to "),
        "with" => text.contains(" as ("),
        _ => false,
    }
}

/// Lower-case words of a text.
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// All literals, read once.
fn literals() -> &'static [Statement] {
    static ALL: OnceLock<Vec<Statement>> = OnceLock::new();
    ALL.get_or_init(find_literals)
}

fn find_literals() -> Vec<Statement> {
    let whole = |(path, text): (String, String)| {
        let found = literals_of(&text);
        found.into_iter().map(move |literal| Statement { path: path.clone(), text: filled(&literal.text), ..literal })
    };
    sources("src", ".rs").into_iter().flat_map(whole).collect()
}

/// What stands in braces outside SQL's quotes is filled in by `format!`: SQL has no such braces.
fn filled(text: &str) -> String {
    let (mut out, mut quoted, mut depth) = (String::new(), false, 0);
    for letter in text.chars() {
        match letter {
            '\'' if depth == 0 => quoted = !quoted,
            '{' if !quoted => {
                depth += 1;
                if depth == 1 {
                    out.push_str("placeholder");
                }
                continue;
            }
            '}' if !quoted && depth > 0 => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            out.push(letter);
        }
    }
    out
}

/// The string literals of a source file with the lines that they begin in, up to the file's own tests.
/// Literals that a macro joins (`"…" + $word + "…"`) are one.
fn literals_of(source: &str) -> Vec<Statement> {
    let source = source.split("\nmod tests {").next().unwrap_or_default();
    let chars: Vec<char> = source.chars().collect();
    let (mut found, mut at, mut line, mut last) = (Vec::<Statement>::new(), 0, 1, 0);
    while at < chars.len() {
        let rest = &chars[at..];
        let starts = |with: &str| with.chars().enumerate().all(|(n, letter)| rest.get(n) == Some(&letter));
        let mut literal = None;
        let length = if starts("//") {
            rest.iter().position(|letter| *letter == '\n').unwrap_or(rest.len())
        } else if starts("/*") {
            (3..rest.len()).find(|n| rest[n - 1] == '*' && rest[*n] == '/').map_or(rest.len(), |n| n + 1)
        } else if rest[0] == '\'' {
            // A letter in quotes, or a lifetime.
            match rest.get(1) {
                Some('\\') => (3..rest.len()).find(|n| rest[*n] == '\'').map_or(rest.len(), |n| n + 1),
                _ if rest.get(2) == Some(&'\'') => 3,
                _ => 1,
            }
        } else if let Some(hashes) = raw_start(rest, at.checked_sub(1).map(|before| chars[before])) {
            let begin = hashes + 2;
            let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let size = rest[begin..].windows(close.len()).position(|part| part == close).unwrap_or(rest.len() - begin);
            literal = Some(rest[begin..begin + size].iter().collect());
            (begin + size + close.len()).min(rest.len())
        } else if rest[0] == '"' {
            let (text, size) = plain(&rest[1..]);
            literal = Some(text);
            (size + 1).min(rest.len())
        } else {
            1
        };
        if let Some(text) = literal {
            let between: String = chars[last..at].iter().filter(|letter| !letter.is_whitespace()).collect();
            match found.last_mut().filter(|_| is_joined(&between)) {
                Some(whole) => {
                    whole.text.push_str("{}");
                    whole.text.push_str(&text);
                }
                None => {
                    let is_passed = takes_sql(&between);
                    found.push(Statement { path: String::new(), line, text, is_passed });
                }
            }
            last = at + length;
        }
        line += rest[..length].iter().filter(|letter| **letter == '\n').count();
        at += length;
    }
    found
}

/// `+ $word +`
fn is_joined(between: &str) -> bool {
    let word = between.strip_prefix('+').and_then(|rest| rest.strip_suffix('+'));
    word.is_some_and(|word| word.chars().all(|letter| letter.is_alphanumeric() || "$_".contains(letter)))
}

/// Code that ends in `sqlx::query!(`, `sqlx::query_as!(Type,`, `sqlx::raw_sql(` and the like, without its whitespace.
fn takes_sql(code: &str) -> bool {
    let Some((call, arguments)) = code.rsplit_once('(') else { return false };
    let call = call.strip_suffix("::<_>").unwrap_or(call);
    let is_first = ["query!", "query_scalar!", "query", "query_as", "query_scalar", "raw_sql"]
        .iter()
        .any(|name| call.strip_suffix(name).is_some_and(|before| before.ends_with("sqlx::")));
    if call.ends_with("sqlx::query_as!") {
        arguments.ends_with(',') && arguments.matches(',').count() == 1
    } else {
        (is_first || call.ends_with(".copy_in_raw")) && arguments.is_empty()
    }
}

/// How many hashes the raw literal that begins here has.
fn raw_start(rest: &[char], before: Option<char>) -> Option<usize> {
    if rest[0] != 'r' || before.is_some_and(|before| before.is_alphanumeric() && before != 'b' || before == '_') {
        return None;
    }
    let hashes = rest[1..].iter().take_while(|letter| **letter == '#').count();
    (rest.get(1 + hashes) == Some(&'"')).then_some(hashes)
}

/// A plain literal after its first quote: its text, and its length with the last quote.
fn plain(rest: &[char]) -> (String, usize) {
    let (mut text, mut at) = (String::new(), 0);
    while at < rest.len() && rest[at] != '"' {
        if rest[at] != '\\' {
            text.push(rest[at]);
            at += 1;
            continue;
        }
        match rest.get(at + 1) {
            // A line that goes on: its indentation does not count.
            Some('\n') => {
                at += 2;
                while rest.get(at).is_some_and(|letter| letter.is_whitespace()) {
                    at += 1;
                }
                continue;
            }
            Some('n' | 't' | 'r') => text.push(' '),
            Some(other) => text.push(*other),
            None => {}
        }
        at += 2;
    }
    (text, at + 1)
}
