use super::super::pieces::{Walk, walk};
use super::*;
use crate::{Mapping, Preview, Target};

/// A file in a folder of its own, and how to walk through it.
struct Made {
    folder: std::path::PathBuf,
    walk: Walk,
    size: u64,
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn made(name: &str, columns: usize, rows: impl Iterator<Item = String>) -> Made {
    let folder = std::env::temp_dir().join(format!("patchbay-{name}-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let mut first = vec!["phone".to_owned()];
    first.extend((1..columns).map(|at| format!("a_name_of_sixty_letters_as_survey_tools_give_their_columns_{at:02}")));
    let mut text = first.join(",") + "\n";
    rows.for_each(|row| text += &(row + "\n"));
    let path = folder.join("file.csv");
    std::fs::write(&path, &text).unwrap();
    let mut targets = vec![Target::Attribute; columns];
    targets[0] = Target::Phone;
    let walk = Walk {
        path,
        encoding: "utf-8".into(),
        delimiter: b',',
        preview: Preview { first, ..Preview::default() },
        mapping: Mapping { named: true, columns: targets },
        country: None,
    };
    Made { folder, walk, size: text.len() as u64 }
}

/// Keeps what is read of a file. Gives the pieces and the bytes that they take.
fn keep(made: &Made, path: &Path, most: u64) -> Result<(usize, u64)> {
    let mut kept = Kept::create(path, made.walk.plan().keys(), most)?;
    let (mut pieces, mut size) = (0, 0);
    walk(&made.walk, |piece| {
        pieces += 1;
        size = kept.keep(&piece)?;
        Ok(true)
    })?;
    kept.finish()?;
    assert_eq!(std::fs::metadata(path)?.len(), size);
    Ok((pieces, size))
}

/// Each row is 400 bytes of `1,1,1…`; with the names of its columns it is 13 kB.
#[test]
fn rows_of_many_columns_take_no_more_than_their_file() {
    let rows = (0..4_000).map(|at| format!("+41791{at:06}{}", ",1".repeat(199)));
    let made = made("wide", 200, rows);
    let path = made.folder.join("rows");
    let (pieces, size) = keep(&made, &path, most(made.size)).unwrap();
    assert!(size < made.size + made.size / 4, "{size} of {}", made.size);
    // In memory, and on its way into the database, a row has its names: fewer rows are one piece.
    assert!(pieces > 4, "{pieces}");
    let mut rows = Rows::open(&path).unwrap().unwrap();
    let keys = std::mem::take(&mut rows.keys);
    let (mut people, mut last) = (0, None);
    while let Some(piece) = rows.next_piece().unwrap() {
        people += piece.people.len();
        last = piece.people.into_iter().next_back();
    }
    assert_eq!(people, 4_000);
    let last = last.unwrap();
    let attributes: Vec<(&str, &str)> = last.attributes(&keys).collect();
    assert_eq!((attributes.len(), attributes[198].1, last.phone.as_str()), (199, "1", "+41791003999"));
}

#[test]
fn rows_that_become_much_more_than_their_file_are_not_kept() {
    // A row of one letter is kept with a sentence that says why it is refused.
    let made = made("tiny", 1, (0..10_000).map(|_| "x".to_owned()));
    let error = keep(&made, &made.folder.join("rows"), TIMES * made.size).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
}

#[test]
fn what_another_version_kept_is_not_taken_for_rows() {
    let made = made("versions", 1, std::iter::once("+41791234567".to_owned()));
    let path = made.folder.join("rows");
    for other in ["", "Patchbay rows 0\n", "{\"people\":[],\"refused\":[],\"doubled\":0}\n"] {
        std::fs::write(&path, other).unwrap();
        assert!(Rows::open(&path).unwrap().is_none(), "{other:?}");
    }
    keep(&made, &path, most(made.size)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let mut rows = Rows::open(&path).unwrap().unwrap();
    assert!(rows.next_piece().is_err(), "a piece that is cut off is no end");
}
