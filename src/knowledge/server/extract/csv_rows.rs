//! CSV: one block for each row, with the names of its columns.

use super::{At, Blocks, Refusal};

pub fn read(text: &str) -> Result<Blocks, Refusal> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut table = Table::new(String::new());
    let mut out = Blocks::default();
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => return Err(Refusal::Damaged),
        }
        number += 1;
        let cells: Vec<(usize, &str)> = record.iter().enumerate().collect();
        table.row(&mut out, number, &cells)?;
    }
    out.units = Some(table.rows);
    Ok(out)
}

/// The sign that most of the first lines have most often.
fn separator(text: &str) -> u8 {
    let lines: Vec<&str> = text.lines().take(20).collect();
    let count = |sign: char| lines.iter().map(|line| line.matches(sign).count()).sum::<usize>();
    [',', ';', '\t', '|'].into_iter().rev().max_by_key(|sign| count(*sign)).map_or(b',', |sign| sign as u8)
}

/// The longest name of a column that is repeated in every row.
const LONGEST_NAME: usize = 60;

/// A table whose first row names its columns.
pub struct Table {
    sheet: String,
    names: Option<Vec<String>>,
    /// Rows below the names.
    pub rows: u32,
}

impl Table {
    pub fn new(sheet: String) -> Self {
        Self { sheet, names: None, rows: 0 }
    }

    /// One more row: columns and their text. `number` counts from 1, as the program does in which the table was made.
    pub fn row(&mut self, out: &mut Blocks, number: u32, cells: &[(usize, &str)]) -> Result<(), Refusal> {
        let filled: Vec<(usize, String)> = cells
            .iter()
            .map(|(column, text)| (*column, super::tidy(text)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        if filled.is_empty() {
            return Ok(());
        }
        let Some(names) = &self.names else {
            self.names = Some(names(&filled));
            return Ok(());
        };
        self.rows += 1;
        let cells: Vec<String> = filled
            .into_iter()
            .map(|(column, text)| match names.get(column).filter(|name| !name.is_empty()) {
                Some(name) => format!("{name}: {text}"),
                None => text,
            })
            .collect();
        out.push(At::Row(self.sheet.clone(), number), &cells.join(" · "))
    }
}

fn names(cells: &[(usize, String)]) -> Vec<String> {
    let most = cells.iter().map(|(column, _)| *column).max().unwrap_or_default().min(16_383);
    let mut names = vec![String::new(); most + 1];
    for (column, text) in cells {
        if let Some(name) = names.get_mut(*column) {
            *name = text.chars().take(LONGEST_NAME).collect();
        }
    }
    names
}
