use super::*;

fn read(pieces: &[&[u8]]) -> Vec<String> {
    let (mut reader, mut out) = (Reader::new(1000), Vec::new());
    for piece in pieces {
        reader.push(piece, &mut out).unwrap();
    }
    out.extend(reader.finish());
    out.into_iter().map(|event| event.data).collect()
}

#[test]
fn lines_end_as_each_host_likes() {
    for text in ["data: a\n\ndata:b\n\n", "data: a\r\n\r\ndata:b\r\n\r\n", "data: a\r\rdata:b\r\r", "data: a\n\ndata:b"]
    {
        assert_eq!(read(&[text.as_bytes()]), ["a", "b"], "{text:?}");
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(read(&single), ["a", "b"], "{text:?} byte by byte");
    }
}

#[test]
fn comments_and_other_fields_are_passed_over() {
    let text = "\u{feff}: OPENROUTER PROCESSING\n\nevent: ping\nid: 7\ndata: a\ndata: b\n\n: more\n\n\n\nretry: 3\n\n";
    assert_eq!(read(&[text.as_bytes()]), ["a\nb"]);
}

#[test]
fn a_letter_may_be_cut_in_two() {
    let text = "data: é\n\n".as_bytes();
    assert_eq!(read(&[&text[..7], &text[7..]]), ["é"]);
}

#[test]
fn an_event_has_a_longest_length() {
    let mut reader = Reader::new(10);
    assert_eq!(reader.push(b"data: 0123456789", &mut Vec::new()), Err(TooLong));
    let mut reader = Reader::new(10);
    assert_eq!(reader.push(b"data:0123\ndata:4567\ndata:89", &mut Vec::new()), Err(TooLong));
}
