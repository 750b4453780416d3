//! SQL as words, signs and groups in parentheses.

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A keyword, a name or a number, in lower case.
    Word(String),
    /// A name in double quotes: never a keyword.
    Quoted(String),
    /// `$1`
    Parameter(u32),
    /// A text in single quotes.
    Text,
    Sign(char),
    /// What stands in parentheses or brackets.
    Group(Vec<Token>),
}

impl Token {
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own == word)
    }

    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

/// # Errors
/// Says what is open at the end or closed too often.
pub fn read(sql: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = sql.chars().collect();
    let mut open: Vec<Vec<Token>> = vec![Vec::new()];
    let mut at = 0;
    let until = |from: usize, keep: &dyn Fn(char) -> bool| {
        (from..chars.len()).find(|n| !keep(chars[*n])).unwrap_or(chars.len())
    };
    while at < chars.len() {
        let (letter, next) = (chars[at], chars.get(at + 1).copied());
        let (token, end) = match letter {
            letter if letter.is_whitespace() => (None, at + 1),
            '-' if next == Some('-') => (None, until(at, &|letter| letter != '\n')),
            '\'' => {
                let mut end = until(at + 1, &|letter| letter != '\'');
                while chars.get(end + 1) == Some(&'\'') {
                    end = until(end + 2, &|letter| letter != '\'');
                }
                (Some(Token::Text), end + 1)
            }
            '"' => {
                let end = until(at + 1, &|letter| letter != '"');
                (Some(Token::Quoted(chars[at + 1..end].iter().collect())), end + 1)
            }
            '$' if next.is_some_and(|next| next.is_ascii_digit()) => {
                let end = until(at + 1, &|letter| letter.is_ascii_digit());
                let number: String = chars[at + 1..end].iter().collect();
                (Some(Token::Parameter(number.parse().map_err(|_| number)?)), end)
            }
            letter if letter.is_alphanumeric() || letter == '_' => {
                let end = until(at, &|letter| letter.is_alphanumeric() || letter == '_');
                (Some(Token::Word(chars[at..end].iter().collect::<String>().to_lowercase())), end)
            }
            '(' | '[' => {
                open.push(Vec::new());
                (None, at + 1)
            }
            ')' | ']' => {
                let group = open.pop().filter(|_| !open.is_empty()).ok_or("closed too often")?;
                (Some(Token::Group(group)), at + 1)
            }
            letter => (Some(Token::Sign(letter)), at + 1),
        };
        if let (Some(token), Some(group)) = (token, open.last_mut()) {
            group.push(token);
        }
        at = end;
    }
    match (open.pop(), open.is_empty()) {
        (Some(all), true) => Ok(all),
        _ => Err("open at the end".into()),
    }
}
