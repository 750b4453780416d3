use super::*;

fn diff(old: &str, new: &str, all: bool) -> Diff {
    compared(old, new, all, Instant::now() + LONGEST)
}

fn text(side: &Option<DiffSide>) -> String {
    let side = side.as_ref();
    let marked = |(marked, text): &(bool, String)| if *marked { format!("[{text}]") } else { text.clone() };
    side.map_or_else(String::new, |side| {
        format!("{}: {}", side.line, side.pieces.iter().map(marked).collect::<String>())
    })
}

#[test]
fn words_that_changed_are_marked_inside_their_lines() {
    let old = "Who you are\nSpeak German. Keep your answers short.\n\nSay goodbye.\n";
    let new =
        "Who you are\nSpeak German. Keep your answers to two sentences.\n\nAsk for the insurance.\nSay goodbye.\n";
    let diff = diff(old, new, true);
    let changed: Vec<(String, String)> = diff
        .rows
        .iter()
        .filter_map(|row| match row {
            DiffRow::Changed(old, new) => Some((text(old), text(new))),
            _ => None,
        })
        .collect();
    assert_eq!(
        changed,
        [
            (
                "2: Speak German. Keep your answers [short.]".to_owned(),
                "2: Speak German. Keep your answers [to two sentences.]".to_owned()
            ),
            (String::new(), "4: [Ask for the insurance.]".to_owned())
        ]
    );
    assert_eq!((diff.lines, diff.words_in, diff.words_out, diff.is_cut), (2, 7, 1, false));
    let DiffRow::Same(last, old_line) = diff.rows.last().expect("a row") else { panic!("{diff:?}") };
    assert_eq!((last.line, *old_line), (5, 4), "each side counts its own lines");
}

#[test]
fn equal_lines_far_from_a_change_are_left_out() {
    let old: String = (1..=40).map(|line| format!("line {line}\n")).collect();
    let new = old.replace("line 20\n", "line twenty\n");
    let rows = diff(&old, &new, false).rows;
    assert_eq!(rows.first(), Some(&DiffRow::Gap(16)));
    assert_eq!(rows.last(), Some(&DiffRow::Gap(17)));
    assert_eq!(rows.len(), 2 + 2 * AROUND + 1);
    assert_eq!(diff(&old, &old, false).rows, [DiffRow::Gap(40)]);
}

#[test]
fn markup_an_end_without_a_line_break_and_other_scripts_stay_as_they_are() {
    let diff = diff("<b>Grüezi</b>", "<b>Grüezi</b> 予約\n", false);
    let DiffRow::Changed(old, new) = &diff.rows[0] else { panic!("{diff:?}") };
    assert_eq!((text(old), text(new)), ("1: <b>Grüezi</b>".to_owned(), "1: <b>Grüezi</b>[ 予約]".to_owned()));
}

/// The worst for the algorithm: the longest texts, with nothing in common, in one line and in as many as there can be. With no time left the
/// difference is coarser, and still right.
#[test]
fn the_longest_texts_are_compared_even_without_any_time_left() {
    let words = |from: usize, between: &str| -> String {
        let text: String = (from..).map(|n| format!("{}{between}", n * 7919 % 9973)).take(9_000).collect();
        text.chars().take(50_000).collect()
    };
    for until in [Instant::now(), Instant::now() + LONGEST] {
        for between in [" ", "\n"] {
            let diff = compared(&words(0, between), &words(40_000, between), true, until);
            assert!(diff.rows.len() <= MOST_ROWS && diff.lines > 0);
        }
    }
    assert!(diff(&"\n".repeat(50_000), &words(0, "\n"), true).is_cut);
    let (old, new) = ("a b\nc d\n", "a x\nc d\ne f\n");
    let coarse = compared(old, new, true, Instant::now());
    let said = |side: &DiffSide| side.pieces.iter().map(|(_, text)| text.as_str()).collect::<String>() + "\n";
    let (mut left, mut right) = (String::new(), String::new());
    for row in &coarse.rows {
        match row {
            DiffRow::Same(side, _) => [&mut left, &mut right].into_iter().for_each(|text| text.push_str(&said(side))),
            DiffRow::Changed(one, other) => {
                left.extend(one.as_ref().map(said));
                right.extend(other.as_ref().map(said));
            }
            DiffRow::Gap(_) => panic!("{coarse:?}"),
        }
    }
    assert_eq!((left.as_str(), right.as_str()), (old, new));
}
