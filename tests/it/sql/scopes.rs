//! Which tables a statement reads and writes, select by select, and which of them it compares with the tenant itself.
//!
//! This is no SQL parser. It reads what our statements are made of: `with`, `select`, `insert`, `update`, `delete`, joins, sub-selects
//! and set operations, and refuses what begins in another way. A crate that parses all of SQL was tried: it finds the same tables in all
//! of our statements, takes 29 s of processor time in every fresh build, and knows neither `for no key update` nor `on conflict` after a
//! select without tables.

use super::tokens::{Token, read};

/// A table in one select, insert, update or delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub table: String,
    alias: String,
    pub is_written: bool,
    /// `workspace_id = $1`, or in an insert the value `$1` for it.
    pub is_tenants: bool,
}

/// Every table of a statement, as often as it is named. Names of the statement's own `with` are no tables.
///
/// # Errors
/// Says what cannot be read.
pub fn named(sql: &str) -> Result<Vec<Named>, String> {
    let tokens = read(sql)?;
    let mut found = Vec::new();
    match tokens.first() {
        Some(first) if first.is_any(&["select", "with", "insert", "update", "delete", "values"]) => {
            statement(&tokens, &mut Vec::new(), &mut found)?;
        }
        // `copy table from …`: whole rows, so nothing says whose they are.
        Some(first) if first.is("copy") => {
            let table = tokens.get(1).and_then(Token::name).ok_or("a table after copy")?.to_owned();
            found.push(Named { alias: table.clone(), table, is_written: true, is_tenants: false });
        }
        Some(Token::Group(_)) => statement(&tokens, &mut Vec::new(), &mut found)?,
        // Settings, marks inside a transaction, and what the owner does once.
        Some(first) if first.is_any(&["set", "savepoint", "rollback", "release", "create", "grant", "revoke"]) => {}
        _ => return Err("it begins like none of our statements".into()),
    }
    Ok(found)
}

fn statement(tokens: &[Token], own: &mut Vec<String>, found: &mut Vec<Named>) -> Result<(), String> {
    let known = own.len();
    let mut rest = tokens;
    if rest.first().is_some_and(|token| token.is("with")) {
        rest = common_tables(&rest[1..], own, found)?;
    }
    // The target of `insert … select … union select …` stands in the first part; each part gives it rows.
    let mut target = None;
    for part in rest.split(|token| token.is_any(&["union", "intersect", "except"])) {
        let part = if part.first().is_some_and(|token| token.is_any(&["all", "distinct"])) { &part[1..] } else { part };
        match part.first() {
            Some(Token::Group(group)) => {
                statement(group, own, found)?;
                groups(&part[1..], own, found)?;
            }
            Some(_) => Select::default().read(part, &mut target, own, found)?,
            None => {}
        }
    }
    found.extend(target.map(|target| target.named));
    own.truncate(known);
    Ok(())
}

/// `name (columns) as materialized (…), …`. Gives what comes after.
fn common_tables<'a>(
    tokens: &'a [Token],
    own: &mut Vec<String>,
    found: &mut Vec<Named>,
) -> Result<&'a [Token], String> {
    let mut rest = tokens;
    if rest.first().is_some_and(|token| token.is("recursive")) {
        rest = &rest[1..];
    }
    loop {
        let name = rest.first().and_then(Token::name).ok_or("a name after with")?;
        own.push(name.to_owned());
        let start = rest.iter().position(|token| token.is("as")).ok_or("as after with")?;
        let body = rest[start..].iter().position(|token| matches!(token, Token::Group(_))).ok_or("a body after as")?;
        if let Token::Group(group) = &rest[start + body] {
            statement(group, own, found)?;
        }
        rest = &rest[start + body + 1..];
        match rest.first() {
            Some(Token::Sign(',')) => rest = &rest[1..],
            _ => return Ok(rest),
        }
    }
}

fn is_query(group: &[Token]) -> bool {
    match group.first() {
        Some(Token::Group(inner)) => is_query(inner),
        Some(first) => first.is_any(&["select", "with", "insert", "update", "delete", "values"]),
        None => false,
    }
}

/// Sub-selects anywhere in an expression.
fn groups(tokens: &[Token], own: &mut Vec<String>, found: &mut Vec<Named>) -> Result<(), String> {
    for token in tokens {
        match token {
            Token::Group(group) if is_query(group) => statement(group, own, found)?,
            Token::Group(group) => groups(group, own, found)?,
            _ => {}
        }
    }
    Ok(())
}

/// The target of an insert.
struct Target {
    named: Named,
    /// Which of its columns is the tenant's.
    column: Option<usize>,
}

/// One select, or an insert, update or delete with its own sources.
#[derive(Default)]
struct Select {
    tables: Vec<Named>,
    /// `x.workspace_id = $1`: x, or nothing.
    compared: Vec<Option<String>>,
}

const AFTER_TABLES: [&str; 12] =
    ["where", "group", "having", "order", "limit", "offset", "fetch", "for", "window", "returning", "set", "values"];
const JOINS: [&str; 7] = ["join", "left", "right", "full", "inner", "cross", "natural"];

impl Select {
    fn read(
        mut self,
        tokens: &[Token],
        target: &mut Option<Target>,
        own: &mut Vec<String>,
        found: &mut Vec<Named>,
    ) -> Result<(), String> {
        let mut at = 0;
        while at < tokens.len() {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            let token = &tokens[at];
            at += 1;
            let after_word = |words: &[&str]| before.is_some_and(|before| before.is_any(words));
            match token {
                Token::Word(word) => match word.as_str() {
                    "insert" if before.is_none() => at = insert(tokens, at, target)?,
                    "values" => rows_of(&tokens[at..], target),
                    "select" => selected(&tokens[at..], target),
                    "update" if before.is_none() => at = self.table(tokens, at, true, own, found)?,
                    "delete" if before.is_none() => at = self.table(tokens, at + 1, true, own, found)?,
                    // `is distinct from`; `delete from` is read with `delete`.
                    "from" if !after_word(&["distinct"]) => at = self.tables(tokens, at, own, found)?,
                    "using" => at = self.tables(tokens, at, own, found)?,
                    "where" => {
                        let end = end_of(tokens, at, &AFTER_TABLES);
                        self.conditions(&tokens[at..end], None);
                    }
                    // What a conflict does is done to the insert's own row.
                    "conflict" if after_word(&["on"]) => {
                        groups(&tokens[at..], own, found)?;
                        break;
                    }
                    _ => {}
                },
                Token::Group(group) if is_query(group) => statement(group, own, found)?,
                Token::Group(group) => groups(group, own, found)?,
                _ => {}
            }
        }
        let tenants = self.compared;
        let is_alone = self.tables.iter().filter(|named| !own.contains(&named.table)).count() == 1;
        for mut named in self.tables {
            named.is_tenants = tenants.iter().any(|alias| match alias {
                Some(alias) => *alias == named.alias,
                None => is_alone,
            });
            if !own.contains(&named.table) {
                found.push(named);
            }
        }
        Ok(())
    }

    /// A list of tables with their joins, from `at` on. Gives where it ends.
    fn tables(
        &mut self,
        tokens: &[Token],
        mut at: usize,
        own: &mut Vec<String>,
        found: &mut Vec<Named>,
    ) -> Result<usize, String> {
        at = self.table(tokens, at, false, own, found)?;
        let mut is_outer = false;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            if token == &Token::Sign(',') || token.is("join") {
                let first = self.tables.len();
                at = self.table(tokens, at + 1, false, own, found)?;
                if tokens.get(at).is_some_and(|token| token.is("on"))
                    && !tokens.get(at + 1).is_some_and(|token| token.is("conflict"))
                {
                    let end = end_of_join(tokens, at + 1);
                    // What an outer join asks of its left side takes no row of it away.
                    self.conditions(&tokens[at + 1..end], is_outer.then_some(first));
                    groups(&tokens[at + 1..end], own, found)?;
                    at = end;
                }
                is_outer = false;
            } else if token.is("using") && matches!(next, Some(Token::Group(_))) {
                at += 2;
            } else if token.is_any(&JOINS) || token.is("outer") {
                is_outer |= token.is_any(&["left", "right", "full"]);
                at += 1;
            } else {
                break;
            }
        }
        Ok(at)
    }

    /// One table, function or sub-select with its alias, from `at` on. Gives where it ends.
    fn table(
        &mut self,
        tokens: &[Token],
        mut at: usize,
        is_written: bool,
        own: &mut Vec<String>,
        found: &mut Vec<Named>,
    ) -> Result<usize, String> {
        while tokens.get(at).is_some_and(|token| token.is_any(&["lateral", "only"])) {
            at += 1;
        }
        let mut table = None;
        match tokens.get(at) {
            Some(Token::Group(group)) if is_query(group) => statement(group, own, found)?,
            // Joins in parentheses.
            Some(Token::Group(group)) => {
                self.tables(group, 0, own, found)?;
            }
            Some(token) => table = Some(token.name().ok_or_else(|| format!("a table at {token:?}"))?.to_owned()),
            None => return Err("a table at the end".into()),
        }
        at += 1;
        if let Some(Token::Group(arguments)) = tokens.get(at) {
            groups(arguments, own, found)?;
            table = None;
            at += 1;
        }
        if tokens.get(at).is_some_and(|token| token.is("as")) {
            at += 1;
        }
        let mut alias = table.clone();
        if let Some(name) = tokens.get(at).filter(|token| is_alias(token)).and_then(Token::name) {
            alias = Some(name.to_owned());
            at += 1;
            // Names of its columns.
            if matches!(tokens.get(at), Some(Token::Group(_))) {
                at += 1;
            }
        }
        if let (Some(table), Some(alias)) = (table, alias) {
            self.tables.push(Named { table, alias, is_written, is_tenants: false });
        }
        Ok(at)
    }

    /// Comparisons that must all hold. `from`: only tables from that place on count.
    fn conditions(&mut self, tokens: &[Token], from: Option<usize>) {
        if tokens.iter().any(|token| token.is("or")) {
            return;
        }
        for part in tokens.split(|token| token.is("and")) {
            if let [Token::Group(group)] = part {
                self.conditions(group, from);
            } else if let Some(alias) = compared_with_the_tenant(part) {
                let counts = from.is_none_or(|from| {
                    alias.as_ref().is_some_and(|alias| self.tables[from..].iter().any(|named| named.alias == *alias))
                });
                if counts {
                    self.compared.push(alias);
                }
            }
        }
    }
}

fn is_alias(token: &Token) -> bool {
    match token {
        Token::Quoted(_) => true,
        Token::Word(word) => {
            !AFTER_TABLES.contains(&word.as_str())
                && !JOINS.contains(&word.as_str())
                && !["on", "using", "outer", "from", "as"].contains(&word.as_str())
        }
        _ => false,
    }
}

fn end_of(tokens: &[Token], from: usize, words: &[&str]) -> usize {
    (from..tokens.len())
        .find(|at| {
            tokens[*at].is_any(words)
                || tokens[*at].is("on") && tokens.get(at + 1).is_some_and(|token| token.is("conflict"))
        })
        .unwrap_or(tokens.len())
}

fn end_of_join(tokens: &[Token], from: usize) -> usize {
    let end = end_of(tokens, from, &AFTER_TABLES);
    (from..end)
        .find(|at| {
            // `left(…)` is a function.
            let is_call = matches!(tokens.get(at + 1), Some(Token::Group(_)));
            tokens[*at] == Token::Sign(',') || tokens[*at].is("join") || tokens[*at].is_any(&JOINS) && !is_call
        })
        .unwrap_or(end)
}

/// `x.workspace_id = $1`, either way round and with a cast: x, or nothing.
fn compared_with_the_tenant(part: &[Token]) -> Option<Option<String>> {
    let equals = part.iter().position(|token| *token == Token::Sign('='))?;
    let (left, right) = (&part[..equals], &part[equals + 1..]);
    column(left).filter(|_| is_tenant(right)).or_else(|| column(right).filter(|_| is_tenant(left)))
}

fn column(side: &[Token]) -> Option<Option<String>> {
    match side {
        [column] if column.is("workspace_id") => Some(None),
        [table, Token::Sign('.'), column] if column.is("workspace_id") => {
            table.name().map(|name| Some(name.to_owned()))
        }
        _ => None,
    }
}

/// `$1` or `$1::uuid`
fn is_tenant(side: &[Token]) -> bool {
    match side {
        [Token::Parameter(1)] => true,
        [Token::Parameter(1), Token::Sign(':'), Token::Sign(':'), kind] => kind.is("uuid"),
        _ => false,
    }
}

/// `into table as alias (columns)`, from `at` on. Gives where it ends.
fn insert(tokens: &[Token], mut at: usize, target: &mut Option<Target>) -> Result<usize, String> {
    if !tokens.get(at).is_some_and(|token| token.is("into")) {
        return Err("into after insert".into());
    }
    let table = tokens.get(at + 1).and_then(Token::name).ok_or("a table after into")?.to_owned();
    at += 2;
    if tokens.get(at).is_some_and(|token| token.is("as")) {
        at += 2;
    }
    let column = match tokens.get(at) {
        Some(Token::Group(columns)) if !is_query(columns) => {
            at += 1;
            columns
                .split(|token| *token == Token::Sign(','))
                .position(|column| matches!(column, [name] if name.is("workspace_id")))
        }
        _ => None,
    };
    let is_tenants = column.is_some();
    let named = Named { alias: table.clone(), table, is_written: true, is_tenants };
    *target = Some(Target { named, column });
    Ok(at)
}

/// `(…), (…)`: each row must have the tenant in its place.
fn rows_of(tokens: &[Token], target: &mut Option<Target>) {
    let Some(target) = target else { return };
    for token in tokens {
        match token {
            Token::Group(row) => target.takes(row),
            Token::Sign(',') => {}
            _ => return,
        }
    }
}

/// The columns of a select that an insert takes.
fn selected(tokens: &[Token], target: &mut Option<Target>) {
    let Some(target) = target else { return };
    let end = (0..tokens.len())
        .find(|at| {
            tokens[*at].is_any(&["from", "where"]) && !at.checked_sub(1).is_some_and(|at| tokens[at].is("distinct"))
        })
        .unwrap_or(tokens.len());
    target.takes(&tokens[..end]);
}

impl Target {
    fn takes(&mut self, row: &[Token]) {
        let value = self.column.and_then(|column| row.split(|token| *token == Token::Sign(',')).nth(column));
        self.named.is_tenants &= value.is_some_and(is_tenant);
    }
}
