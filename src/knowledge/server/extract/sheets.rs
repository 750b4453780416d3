//! Excel workbooks: each row of each visible sheet.

use std::io::Cursor;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};

use super::csv_rows::Table;
use super::{Blocks, Refusal};

const MAX_SHEETS: usize = 200;

pub fn read(bytes: &[u8]) -> Result<Blocks, Refusal> {
    // Only if no part says that it unpacks to too much; what lies about that meets the limit on memory.
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|error| match error {
        calamine::XlsxError::Password => Refusal::Locked,
        _ => Refusal::Damaged,
    })?;
    let sheets: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .take(MAX_SHEETS)
        .collect();
    let (mut out, mut rows) = (Blocks::default(), 0);
    for sheet in &sheets {
        let shown = if sheets.len() > 1 { super::tidy(sheet).chars().take(200).collect() } else { String::new() };
        let mut table = Table::new(shown);
        let mut reader = book.worksheet_cells_reader(sheet).map_err(|_| Refusal::Damaged)?;
        let (mut number, mut cells) = (0, Vec::<(usize, String)>::new());
        while let Some(cell) = reader.next_cell().map_err(|_| Refusal::Damaged)? {
            let (row, column) = cell.get_position();
            if row != number {
                take(&mut table, &mut out, number, &cells)?;
                (number, cells) = (row, Vec::new());
            }
            cells.push((column as usize, shown_value(cell.get_value())));
        }
        take(&mut table, &mut out, number, &cells)?;
        rows += table.rows;
    }
    out.units = Some(rows);
    Ok(out)
}

fn take(table: &mut Table, out: &mut Blocks, row: u32, cells: &[(usize, String)]) -> Result<(), Refusal> {
    let cells: Vec<(usize, &str)> = cells.iter().map(|(column, text)| (*column, text.as_str())).collect();
    table.row(out, row.saturating_add(1), &cells)
}

/// A cell as a person reads it, as far as its value tells.
fn shown_value(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        DataRef::Int(number) => number.to_string(),
        // Excel keeps fifteen digits and shows no more.
        DataRef::Float(number) => format!("{:.14e}", number).parse::<f64>().unwrap_or(*number).to_string(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, ..) = at.to_ymd_hms_milli();
            match (at.is_duration(), at.as_f64().fract() == 0.0) {
                (true, _) => format!("{}:{minute:02}", (at.as_f64() * 24.0).floor()),
                (false, true) => format!("{year:04}-{month:02}-{day:02}"),
                (false, false) => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"),
            }
        }
    }
}
