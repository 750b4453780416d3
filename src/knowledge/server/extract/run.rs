//! The child process itself: limits first, then the file from standard input, then lines of JSON.

use std::io::{BufWriter, Read, Write};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::{Refusal, language, passages, read};
use crate::model::{Kind, MAX_FILE};

/// Memory that the child may ask for, the program itself included.
const MEMORY: u64 = 1024 * 1024 * 1024;
/// Seconds of computing.
const SECONDS: u64 = 60;

/// What the child says, a line each: first one of the first two.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Head {
        kind: Kind,
        language: Option<String>,
        words_config: Option<String>,
        units: Option<u32>,
        passages: usize,
    },
    Refused {
        sentence: String,
    },
    Passage {
        place: String,
        body: String,
    },
    /// All of it is said.
    End,
}

/// `patchbay extract NONCE NAME`. The lines begin after one that is the nonce, because the readers of other people's formats print, too.
/// Gives the exit code.
pub fn main(nonce: &str, name: &str) -> u8 {
    if limit().is_err() {
        return 3;
    }
    // What a reader stumbles over is said by the exit code or by a page that is missing.
    std::panic::set_hook(Box::new(|_| {}));
    let mut bytes = Vec::new();
    let most = MAX_FILE + 1;
    if std::io::stdin().lock().take(most).read_to_end(&mut bytes).is_err() {
        return 4;
    }
    let said = std::panic::catch_unwind(|| say(&bytes, name)).unwrap_or(Err(Refusal::Damaged));
    let lines = said.unwrap_or_else(|refusal| vec![Line::Refused { sentence: refusal.sentence().to_owned() }]);
    write(nonce, &lines).map_or(5, |()| 0)
}

fn say(bytes: &[u8], name: &str) -> Result<Vec<Line>, Refusal> {
    let (kind, blocks) = read(bytes, name)?;
    let language = language::of(blocks.blocks.iter().map(|block| block.text.as_str()));
    let passages = passages::make(&blocks.blocks)?;
    let mut lines = Vec::with_capacity(passages.len() + 2);
    lines.push(Line::Head {
        kind,
        language: language.map(|(code, _)| code.to_owned()),
        words_config: language.and_then(|(_, rules)| rules).map(str::to_owned),
        units: blocks.units,
        passages: passages.len(),
    });
    lines.extend(passages.into_iter().map(|passage| Line::Passage { place: passage.place, body: passage.body }));
    lines.push(Line::End);
    Ok(lines)
}

fn write(nonce: &str, lines: &[Line]) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "\n{nonce}")?;
    for line in lines {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// No more memory and time than this, no files, no dump of what was in memory.
fn limit() -> rustix::io::Result<()> {
    let at_most = |limit| Rlimit { current: Some(limit), maximum: Some(limit) };
    setrlimit(Resource::As, at_most(MEMORY))?;
    setrlimit(Resource::Cpu, at_most(SECONDS))?;
    setrlimit(Resource::Fsize, at_most(0))?;
    setrlimit(Resource::Core, at_most(0))?;
    setrlimit(Resource::Nofile, at_most(16))
}
