use super::*;

fn read(text: &str) -> Vec<(u64, Vec<String>)> {
    let mut records = Records::new(text.as_bytes(), b',');
    let mut all = Vec::new();
    while let Some(record) = records.read().unwrap() {
        all.push((record.line, record.cells.iter().map(str::to_owned).collect()));
    }
    all
}

#[test]
fn what_real_files_look_like() {
    assert_eq!(
        read("a,b\r\n\"c,\"\"d\"\"\",\"e\nf\"\ng"),
        [(1, vec!["a".into(), "b".into()]), (2, vec!["c,\"d\"".into(), "e\nf".into()]), (4, vec!["g".into()]),]
    );
    assert_eq!(read("a,\rb,"), [(1, vec!["a".into(), String::new()]), (2, vec!["b".into(), String::new()])]);
    assert_eq!(read(""), []);
    assert_eq!(read("\"\",\"\"\"\""), [(1, vec![String::new(), "\"".into()])]);
    assert_eq!(read("\"ACME \"Best\" Ltd\" ,5\" pipe\n"), [(1, vec!["ACME \"Best\" Ltd".into(), "5\" pipe".into()])]);
}

#[test]
fn lines_may_end_in_every_way_in_one_file() {
    let rows = read("a,1\nb,2\r\nc,3\rd,\"4\r\n5\r6\n7\"\r\re,8");
    let cells: Vec<&[String]> = rows.iter().map(|(_, cells)| cells.as_slice()).collect();
    assert_eq!(cells, [&["a", "1"][..], &["b", "2"], &["c", "3"], &["d", "4\r\n5\r6\n7"], &[""], &["e", "8"]]);
    assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3, 4, 8, 9]);
}

#[test]
fn a_quote_that_is_never_closed_costs_one_row() {
    let rows = read("\"Ada,1\nBea,2\nCyd,3\n");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].1, ["\"Ada", "1"]);
    assert_eq!(rows[2], (3, vec!["Cyd".into(), "3".into()]));
    // Also when quotes follow: those open cells of their own.
    let rows = read("\"Ada,1\nBea,\"2\"\n\"Cyd, \"\"C\"\"\",3\n");
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(rows[1].1, ["Bea", "2"]);
    assert_eq!(rows[2].1, ["Cyd, \"C\"", "3"]);
    // arnaudroger/SimpleFlatMapper issue 692, and JoshClose/CsvHelper issue 308.
    let rows =
        read("-63.00,\"EUR\",\"\"\n-70.00,\"EUR\",\"Receipt \"With\"\n-71.00,\"EUR\",\"Receipt\n-45.00,\"EUR\",\"\"\n");
    let last: Vec<&str> = rows.iter().map(|(_, cells)| cells[2].as_str()).collect();
    assert_eq!(last, ["", "Receipt \"With", "\"Receipt", ""]);
    let rows = read("A,1,x\nB,2,\"CARRS\n\"\",3\nC,4,y\n");
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[3], (4, vec!["C".into(), "4".into(), "y".into()]));
    // A cell of several lines with lines that begin with a quoted word.
    let rows = read("Ada,\"she said:\n\"\"yes\"\", then\n\"\"no\"\"\"\nBea,2\n");
    assert_eq!(rows[0].1[1], "she said:\n\"yes\", then\n\"no\"");
    assert_eq!(rows.len(), 2);
}

#[test]
fn a_row_too_long_costs_that_row_alone() {
    for long in [
        "x".repeat(1_000_000),
        format!("\"{}\",1", "x\ny,\"\" ".repeat(200_000)),
        "cell,".repeat(400_000),
        "\"".repeat(999_999),
        format!("Ada,\"{}", "x,".repeat(400_000)),
    ] {
        let text = format!("a,b\n{long}\nc,d\n");
        let mut records = Records::new(text.as_bytes(), b',');
        assert!(!records.read().unwrap().unwrap().is_too_long);
        let row = records.read().unwrap().unwrap();
        assert!(row.is_too_long && row.line == 2 && row.raw.len() < 300, "{:.20}", long);
        let last = records.read().unwrap().unwrap();
        assert_eq!((last.line as usize, last.cells.get(1)), (3 + long.matches('\n').count(), "d"), "{:.20}", long);
        assert!(records.read().unwrap().is_none());
        assert!(records.held() < 4 * REACH);
    }
}

#[test]
fn records_do_not_depend_on_where_blocks_end() {
    let text = "Zoë,\"a\"\"b\",\"c\nd\"\r\n".repeat(10_000);
    let rows = read(&text);
    assert_eq!(rows.len(), 10_000);
    assert!(rows.iter().all(|(_, cells)| cells == &["Zoë", "a\"b", "c\nd"]));
    assert_eq!(rows[9_999].0, 19_999);
}
