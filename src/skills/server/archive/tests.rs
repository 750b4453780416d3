use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const HEAD: &str = "---\nname: a\ndescription: b\n---\nDo it.";

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in files {
        writer.start_file(*path, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// One entry with a name and a kind as they are, which the crate itself would not write.
fn tarred(name: &str, kind: tar::EntryType, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    builder.append(&header, bytes).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

fn problem(bytes: &[u8]) -> ArchiveProblem {
    match read(bytes) {
        Ok(found) => panic!("taken: {found:?}"),
        Err(refused) => refused.problem,
    }
}

/// All that a skill can hold, and words that other forms would read as something else.
fn odd(name: &str) -> SkillText {
    SkillText {
        name: name.to_owned(),
        description: "Use it: \"always\" # no\n- really, {never} \\ 'x' é 👩‍👩‍👧 \u{feff}".to_owned(),
        instructions: "---\nname: not-this\n---\n\n\tA tab, a `fence` and ---".trim().to_owned(),
        category: "~".to_owned(),
        license: "null".to_owned(),
        metadata: [("version", "1.0"), ("on", "yes"), ("a: b", "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        references: vec![
            SkillFile { name: "Größen.md".to_owned(), content: " \n\nx\n\n".to_owned() },
            SkillFile { name: "eu/a b.md".to_owned(), content: "---\n".to_owned() },
        ],
        scripts: vec![SkillFile { name: "run.sh".to_owned(), content: "#!/bin/sh\nrm -rf /\n".to_owned() }],
        allowed_tools: vec!["Bash(git add *)".to_owned(), "book".to_owned()],
        tags: vec!["true".to_owned(), "two words".to_owned()],
    }
}

#[test]
fn what_goes_out_comes_in_as_it_was() {
    let mut plain = odd("plain");
    (plain.category, plain.license, plain.metadata) = Default::default();
    (plain.references, plain.scripts, plain.allowed_tools, plain.tags) = Default::default();
    let skills = vec![odd("odd-1"), plain];
    for skill in &skills {
        skill.check().unwrap();
    }
    assert_eq!(read(&zip(&skills).unwrap()).unwrap(), Found { skills: skills.clone(), left_out: Vec::new() });
    assert_eq!(read(&tar_gz(&skills).unwrap()).unwrap(), Found { skills: skills.clone(), left_out: Vec::new() });
    assert_eq!(zip(&skills).unwrap(), zip(&skills).unwrap());
    assert_eq!(read(head::write(&skills[1]).as_bytes()).unwrap().skills, skills[1..]);
}

#[test]
fn skills_of_others_are_read_as_they_are_written() {
    let text = "\u{feff}---\r\nname: pdf-forms\r\ndescription: >\r\n  Fills forms.\r\n  Use it for PDF.\r\nlicense: Apache-2.0\r\n\
        allowed-tools:\r\n  - Read\r\n  - Bash(git:*)\r\ncompatibility: needs git\r\nmetadata:\r\n  author: somebody\r\n  version: 1.0\r\n\
        \x20 tags: [PDF, forms]\r\n  deep: {a: b}\r\n---\r\n# Forms\r\n";
    let bytes = zipped(&[
        ("repo-main/README.md", b"hello"),
        ("repo-main/skills/pdf/SKILL.md", text.as_bytes()),
        ("repo-main/skills/pdf/FORMS.md", b"\xef\xbb\xbfLook here.\r\n"),
        ("repo-main/skills/pdf/references/.gitkeep", b""),
        ("repo-main/skills/pdf/scripts/__init__.py", b"\n"),
        ("repo-main/skills/pdf/assets/logo.png", &[0x89, b'P', 0, 1]),
        ("repo-main/skills/pdf/table.bin", &[0xff, 0xfe]),
        ("__MACOSX/._x", b"x"),
        ("repo-main/.DS_Store", b"x"),
    ]);
    let found = read(&bytes).unwrap();
    let skill = &found.skills[0];
    assert_eq!((skill.name.as_str(), skill.description.as_str()), ("pdf-forms", "Fills forms. Use it for PDF."));
    assert_eq!((skill.instructions.as_str(), skill.license.as_str()), ("# Forms", "Apache-2.0"));
    assert_eq!(
        (&skill.allowed_tools[..], &skill.tags[..]),
        (&["Read".to_owned(), "Bash(git:*)".to_owned()][..], &["pdf".to_owned(), "forms".to_owned()][..])
    );
    assert_eq!(
        skill.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        ["author=somebody", "version=1.0"]
    );
    assert_eq!(skill.references, [SkillFile { name: "FORMS.md".to_owned(), content: "Look here.\n".to_owned() }]);
    let left_out = found.left_out.join("\n");
    for word in ["README.md", "assets/logo.png", "table.bin", "__init__.py", ".gitkeep", "compatibility", "deep"] {
        assert!(left_out.contains(word), "{word}: {left_out}");
    }
    assert!(!left_out.contains("MACOSX") && !left_out.contains("DS_Store"), "{left_out}");
}

#[test]
fn hostile_archives_are_refused_with_the_reason() {
    use ArchiveProblem::*;
    let skill: (&str, &[u8]) = ("a/SKILL.md", HEAD.as_bytes());
    for (path, reason) in [
        ("../x.md", Path),
        ("a/../../x.md", Path),
        ("/etc/passwd", Path),
        ("C:/x.md", Path),
        ("a\\..\\x.md", Path),
        ("a/references/x\u{202e}dm.exe", Path),
        ("A/skill.md", Doubled),
        ("a/references/x.zip", Nested),
        ("a/references/b/SKILL.md", Inside),
        ("a/references/?.md", Text),
    ] {
        assert_eq!(problem(&zipped(&[skill, (path, b"x")])), reason, "{path}");
    }
    let two = [skill, ("a/references/X.md", b"x"), ("a/references/x.md", b"y")];
    assert_eq!(problem(&zipped(&two)), Doubled);
    assert_eq!(problem(&zipped(&[skill, ("b/SKILL.md", HEAD.as_bytes())])), Doubled);
    assert_eq!(problem(&zipped(&[skill, ("a/scripts/x.py", &zipped(&[skill]))])), Nested);
    assert_eq!(problem(&zipped(&[skill, ("a/references/x.md", &[0xff, 0xfe, 0x41])])), Encoding);
    assert_eq!(problem(&zipped(&[("readme.md", b"x")])), NoSkill);
    assert_eq!(problem(&zipped(&[skill, ("a/scripts/x.py", "a\u{202e}b".as_bytes())])), Text);
    assert_eq!(problem(b"---\nname: a\ndescription: b\n---\na\0b"), Text);
    // The same name twice: the central directory is changed behind the crate's back.
    let mut doubled = zipped(&[skill, ("b/SKILL.md", HEAD.as_bytes())]);
    let at = doubled.windows(10).rposition(|piece| piece == b"b/SKILL.md").unwrap();
    doubled[at] = b'a';
    assert_eq!(problem(&doubled), Doubled);
    // More than may come out, whatever it was packed to: what takes long to pack is left out here.
    let mut large = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    large
        .start_file("a/references/x.md", SimpleFileOptions::default().compression_method(CompressionMethod::Stored))
        .unwrap();
    large.write_all(&vec![b'x'; 33 << 20]).unwrap();
    assert_eq!(problem(&large.finish().unwrap().into_inner()), Unpacks);
    let many: Vec<String> = (0..10_001).map(|at| format!("a/references/{at}.md")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|path| (path.as_str(), &b""[..])).collect();
    assert_eq!(problem(&zipped(&many)), Unpacks);
    let mut links = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    links.add_symlink("a/references/x.md", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert_eq!(problem(&links.finish().unwrap().into_inner()), Link);

    assert_eq!(problem(&tarred("../SKILL.md", tar::EntryType::Regular, b"x")), Path);
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Char,
        tar::EntryType::Block,
        tar::EntryType::Fifo,
    ] {
        assert_eq!(problem(&tarred("a/x.md", kind, b"")), Link, "{kind:?}");
    }
    assert_eq!(problem(&tarred("a/x.md", tar::EntryType::Regular, &vec![0; 33 << 20])), Unpacks);
    assert_eq!(problem(&tarred("a/x.md", tar::EntryType::GNULongName, &vec![b'x'; 50 << 20])), Unpacks);

    assert_eq!(problem(b""), NoFile);
    assert_eq!(problem(b"%PDF-1.7"), Kind);
    assert_eq!(problem(b"PK\x03\x04 and no more"), Damaged);
    assert_eq!(problem(&[0x1f, 0x8b, 8, 0, 0, 0]), Damaged);
}

#[test]
fn heads_that_are_none_are_refused_at_their_line() {
    let at = |head: &str| {
        let refused = read(format!("---\n{head}\n---\nDo it.").as_bytes()).expect_err(head);
        (refused.problem, refused.at)
    };
    for head in [
        "name: a\ndescription: \"Use it\": now",
        "name: a\ndescription: Use it\n  when: now",
        "name: &x a\ndescription: *x",
        "name: a\nname: b",
        "- name",
        "name: [",
        "? {a: b}\n: c",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
    ] {
        assert_eq!(at(head).0, ArchiveProblem::Head, "{head}");
    }
    assert_eq!(at("name: a\nx y: Use it: now").1, "SKILL.md, line 3");
    // As many write it, though it is no YAML.
    let found = read(b"---\nname: a\ndescription: Use it when: always. Keywords: x\n---\nDo it.").unwrap();
    assert_eq!(found.skills[0].description, "Use it when: always. Keywords: x");
    assert_eq!(at(&"[".repeat(30_000)).0, ArchiveProblem::Head);
    assert_eq!(at(&"x: ".repeat(20_000)).0, ArchiveProblem::Head);
    assert_eq!(at("name: a").0, ArchiveProblem::Text);
    assert_eq!(at("name: A b\ndescription: x").0, ArchiveProblem::Text);
    assert_eq!(problem_of("no head"), ArchiveProblem::Kind);
    assert_eq!(problem_of("---\nname: a\n"), ArchiveProblem::Head);
}

fn problem_of(text: &str) -> ArchiveProblem {
    problem(text.as_bytes())
}
