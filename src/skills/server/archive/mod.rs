//! Archives of skills in the common form: a folder for each, with SKILL.md, `references` and `scripts`. Everything is unpacked in memory
//! with limits, and nothing of it is ever written to a disk or run.

mod head;
mod pack;
mod unpack;

use std::collections::BTreeMap;

use crate::model::{
    ArchiveProblem, FileKind, MOST_FILES, MOST_SKILLS, SkillFile, SkillText, clean, split_tags, split_tools,
};
use head::{Head, Value};
pub(crate) use pack::{tar_gz, zip};
use patchbay_shared::AppError;
use patchbay_shared::text::{fault, one_line};
use unpack::{Packed, is_archive_name};

/// The largest upload.
pub(crate) const MAX_PACKED: usize = 8 * 1024 * 1024;

/// Why an archive is not taken, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub problem: ArchiveProblem,
    pub at: String,
}

impl Refused {
    fn new(problem: ArchiveProblem, at: impl AsRef<str>) -> Self {
        Self { problem, at: one_line(at.as_ref()).chars().take(300).collect() }
    }
}

/// What an archive holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// By name.
    pub skills: Vec<SkillText>,
    /// What is not taken, each with the reason.
    pub left_out: Vec<String>,
}

/// Reads a zip or tar.gz archive, or a single SKILL.md.
pub(crate) fn read(bytes: &[u8]) -> Result<Found, Refused> {
    let mut files: BTreeMap<String, Packed> = BTreeMap::new();
    for file in unpack::unpack(bytes)? {
        let key = file.path.to_lowercase();
        if let Some(twin) = files.get(&key) {
            return Err(Refused::new(ArchiveProblem::Doubled, format!("{} and {}", twin.path, file.path)));
        }
        files.insert(key, file);
    }
    if let Some(nested) = files.values().find(|file| is_nested(file)) {
        return Err(Refused::new(ArchiveProblem::Nested, &nested.path));
    }
    let mut roots: Vec<String> = Vec::new();
    for file in files.values() {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        if name.eq_ignore_ascii_case("skill.md") {
            roots.push(folder.to_owned());
        }
    }
    if roots.is_empty() {
        return Err(Refused::new(ArchiveProblem::NoSkill, ""));
    }
    if roots.len() as i64 > MOST_SKILLS {
        return Err(Refused::new(ArchiveProblem::Many, ""));
    }
    for root in &roots {
        if let Some(outer) = roots.iter().find(|outer| *outer != root && is_below(root, outer)) {
            return Err(Refused::new(ArchiveProblem::Inside, format!("{root}/SKILL.md in {outer}")));
        }
    }
    let (mut found, mut left_out) = (Found::default(), LeftOut::default());
    for root in &roots {
        let own: Vec<&Packed> = files.values().filter(|file| is_below(&file.path, root)).collect();
        let skill = skill(root, &own, &mut left_out)?;
        if found.skills.iter().any(|other| other.name == skill.name) {
            return Err(Refused::new(ArchiveProblem::Doubled, &skill.name));
        }
        found.skills.push(skill);
    }
    for file in files.values().filter(|file| !roots.iter().any(|root| is_below(&file.path, root))) {
        left_out.push(|| format!("{}: it lies in no skill’s folder", file.path));
    }
    found.skills.sort_by(|a, b| a.name.cmp(&b.name));
    found.left_out = left_out.lines();
    Ok(found)
}

/// What is not taken, as far as a person reads it: what is beyond a screen or two is counted and not kept.
#[derive(Default)]
struct LeftOut {
    lines: Vec<String>,
    more: usize,
}

const MOST_LEFT_OUT: usize = 100;

impl LeftOut {
    fn push(&mut self, line: impl FnOnce() -> String) {
        match self.lines.len() < MOST_LEFT_OUT {
            true => self.lines.push(line()),
            false => self.more += 1,
        }
    }

    fn lines(mut self) -> Vec<String> {
        if self.more > 0 {
            self.lines.push(format!("{} more", self.more));
        }
        self.lines
    }
}

fn is_below(path: &str, root: &str) -> bool {
    root.is_empty() || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

fn skill(root: &str, files: &[&Packed], left_out: &mut LeftOut) -> Result<SkillText, Refused> {
    let refused = |problem, at: &str| Refused::new(problem, at);
    let below = |path: &str| path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').to_owned();
    let Some(main) = files.iter().find(|file| below(&file.path).eq_ignore_ascii_case("skill.md")) else {
        return Err(refused(ArchiveProblem::NoSkill, root));
    };
    let text = utf8(main)?;
    let (head, body) = head::split(&text).ok_or_else(|| refused(ArchiveProblem::Head, &main.path))?;
    let head =
        head::read(head).map_err(|line| refused(ArchiveProblem::Head, &format!("{}, line {}", main.path, line + 1)))?;
    let mut skill = SkillText { instructions: body.trim().to_owned(), ..SkillText::default() };
    take_head(&mut skill, head, &main.path, left_out);
    for file in files.iter().filter(|file| file.path != main.path) {
        let rest = below(&file.path);
        let mut leave = |why: &str| left_out.push(|| format!("{}: {why}", file.path));
        let (kind, name, is_ours) = match rest.split_once('/') {
            Some(("references", name)) => (FileKind::Reference, name.to_owned(), true),
            Some(("scripts", name)) => (FileKind::Script, name.to_owned(), true),
            Some(("assets", _)) => {
                leave("assets are not told to agents");
                continue;
            }
            _ => (FileKind::Reference, rest.clone(), false),
        };
        if name.split('/').any(|part| part.starts_with('.')) {
            leave("it is hidden");
            continue;
        }
        if file.bytes.iter().all(u8::is_ascii_whitespace) {
            leave("it is empty");
            continue;
        }
        let content = match utf8(file) {
            Ok(content) => content,
            Err(_) if !is_ours => {
                leave("it is no text");
                continue;
            }
            Err(error) => return Err(error),
        };
        if !is_ours && fault("content", &content).is_some() {
            leave("it is no plain text");
            continue;
        }
        skill.files_mut(kind).push(SkillFile { name, content });
        if skill.files(kind).len() > MOST_FILES {
            let why = format!("{}: more than {MOST_FILES} references or scripts", main.path);
            return Err(refused(ArchiveProblem::Text, &why));
        }
    }
    for kind in FileKind::ALL {
        skill.files_mut(*kind).sort_by(|a, b| a.name.cmp(&b.name));
    }
    // Forms are asked for such characters at the door; an archive is not.
    if let Some((field, message)) = hidden(&skill) {
        return Err(refused(ArchiveProblem::Text, &format!("{}, {field}: {message}", main.path)));
    }
    match skill.check() {
        Ok(()) => Ok(skill),
        Err(AppError::Invalid(errors)) => {
            let first = errors.0.first().map(|(field, message)| format!("{}, {field}: {message}", main.path));
            Err(refused(ArchiveProblem::Text, &first.unwrap_or_default()))
        }
        Err(_) => Err(refused(ArchiveProblem::Text, &main.path)),
    }
}

/// The first text that holds what no form would take.
fn hidden(skill: &SkillText) -> Option<(&'static str, &'static str)> {
    let mut texts = vec![
        ("name", &skill.name),
        ("category", &skill.category),
        ("license", &skill.license),
        ("description", &skill.description),
        ("instructions", &skill.instructions),
    ];
    texts.extend(skill.allowed_tools.iter().map(|tool| ("allowed_tools", tool)));
    texts.extend(skill.tags.iter().map(|tag| ("tags", tag)));
    texts.extend(skill.metadata.iter().flat_map(|(key, value)| [("metadata", key), ("metadata", value)]));
    texts.extend(skill.references.iter().chain(&skill.scripts).map(|file| ("content", &file.content)));
    texts.into_iter().find_map(|(field, text)| Some((field, fault(field, text)?)))
}

fn take_head(skill: &mut SkillText, head: Head, path: &str, left_out: &mut LeftOut) {
    let mut leave = |key: &str, why: &str| {
        left_out.push(|| {
            let key: String = one_line(key).chars().take(60).collect();
            format!("{path}, {key}: {why}")
        });
    };
    for (key, value) in head {
        match (key.as_str(), value) {
            ("name", Value::Text(text)) => skill.name = text.trim().to_owned(),
            ("description", Value::Text(text)) => skill.description = clean(&text).trim().to_owned(),
            ("license", Value::Text(text)) => skill.license = text.trim().to_owned(),
            ("allowed-tools", Value::Text(text)) => skill.allowed_tools = split_tools(&text),
            ("allowed-tools", Value::List(list)) => skill.allowed_tools = split_tools(&list.join(" ")),
            ("metadata", Value::Map(words)) => {
                for (key, value) in words {
                    match (key.as_str(), value) {
                        ("category", Value::Text(text)) => skill.category = text.trim().to_owned(),
                        ("tags", Value::Text(text)) => skill.tags = split_tags(&text),
                        ("tags", Value::List(list)) => skill.tags = split_tags(&list.join(",")),
                        (_, Value::Text(text)) if fault("metadata", &text).is_none() => {
                            skill.metadata.insert(key, text);
                        }
                        _ => leave(&key, "metadata has one line of text for each word"),
                    }
                }
            }
            _ => leave(&key, "this part of the head has no place here"),
        }
    }
}

fn utf8(file: &Packed) -> Result<String, Refused> {
    let text = str::from_utf8(&file.bytes).map_err(|_| Refused::new(ArchiveProblem::Encoding, &file.path))?;
    Ok(clean(text))
}

/// Documents of office programs are archives too; they are left out unread.
fn is_nested(file: &Packed) -> bool {
    let name = file.path.to_lowercase();
    let is_document =
        ["docx", "xlsx", "pptx", "odt", "ods", "odp", "epub"].iter().any(|end| name.ends_with(&format!(".{end}")));
    let begins = |magic: &[u8]| file.bytes.starts_with(magic);
    let looks = begins(b"PK\x03\x04")
        || begins(&[0x1f, 0x8b])
        || begins(b"7z\xbc\xaf\x27\x1c")
        || begins(b"Rar!")
        || begins(b"BZh")
        || begins(&[0xfd, b'7', b'z', b'X', b'Z'])
        || begins(&[0x28, 0xb5, 0x2f, 0xfd])
        || file.bytes.get(257..262) == Some(b"ustar");
    is_archive_name(&name) || (looks && !is_document)
}

#[cfg(test)]
mod tests;
