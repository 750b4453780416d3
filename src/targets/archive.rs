//! Files of a piece of work on their way back, as a tar archive that nothing is believed of; and the few lines of shell that lay files out
//! and give files back inside a container, which is not there any more when it has ended.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Artefact, Work};

/// Where names of files stand that were too large to be packed.
pub(crate) const LEFT_OUT: &str = "left-out";
/// Bytes of the archive that travels in the log of a container.
pub(crate) const MOST_IN_LOG: usize = 4 * 1024 * 1024;

/// Reads an archive whose files lie below `out`. Only plain files with plain names are taken; what is beyond the limits is named.
pub(crate) fn read(archive: impl Read, most_bytes: u64, most_files: usize) -> (Vec<Artefact>, Vec<String>) {
    let (mut found, mut left_out, mut bytes) = (Vec::new(), Vec::new(), 0_u64);
    let mut archive = tar::Archive::new(archive);
    let Ok(entries) = archive.entries() else { return (found, left_out) };
    for entry in entries {
        // An archive that was cut ends here.
        let Ok(mut entry) = entry else { break };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let Some((is_packed, name)) = entry.path().ok().and_then(|path| plain(path.to_str()?)) else { continue };
        let size = entry.size();
        if !is_packed || found.len() >= most_files || bytes.saturating_add(size) > most_bytes {
            if left_out.len() < 100 {
                left_out.push(name);
            }
            continue;
        }
        let mut content = Vec::new();
        let whole = (&mut entry).take(size).read_to_end(&mut content).is_ok_and(|read| read as u64 == size);
        if !whole {
            left_out.push(name);
            break;
        }
        bytes += size;
        found.push(Artefact { name, content });
    }
    (found, left_out)
}

/// The name below `out`, if it is one that can be shown and kept, and whether the file is there.
fn plain(path: &str) -> Option<(bool, String)> {
    let (folder, name) = path.trim_start_matches("./").split_once('/')?;
    let is_plain = ["out", LEFT_OUT].contains(&folder)
        && name.len() <= 300
        && !name.chars().any(|letter| letter.is_control() || letter == '\\')
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    is_plain.then(|| (folder == "out", name.to_owned()))
}

/// What a container runs: files are copied into the working folder, the command is run as it is, without being read by the shell, and the
/// folder `out` is written behind it into the log. Needs `sh`, `cp`, `tar`, `head` and `base64` in the image.
pub(crate) fn wrapped(work: &Work) -> Vec<String> {
    let mark = mark(work);
    let script = format!(
        r#"cp -RL /patchbay/in/. /work/ && cd /work && mkdir -p out || exit 125
"$@" < /patchbay/stdin
code=$?
if [ -n "$(ls -A out 2>/dev/null)" ]; then
  printf '\n%s begin\n' {mark}
  tar -cf - out 2>/dev/null | head -c {MOST_IN_LOG} | base64
  printf '\n%s end\n' {mark}
fi
exit $code"#
    );
    let head = ["sh", "-c", &script, "sh"].map(str::to_owned);
    head.into_iter().chain(work.command.iter().cloned()).collect()
}

fn mark(work: &Work) -> String {
    format!("patchbay:{}:{}", work.job.simple(), work.attempt)
}

/// Takes the archive out of the lines of a log.
pub(crate) struct Unwrapper {
    mark: String,
    inside: bool,
    base64: String,
}

impl Unwrapper {
    pub fn new(work: &Work) -> Self {
        Self { mark: mark(work), inside: false, base64: String::new() }
    }

    /// The line, unless it belongs to the archive.
    pub fn line(&mut self, line: String) -> Option<String> {
        if let Some(word) = line.strip_prefix(&self.mark) {
            self.inside = word == " begin";
            if self.inside {
                self.base64.clear();
            }
            return None;
        }
        if !self.inside {
            return Some(line);
        }
        if self.base64.len() < MOST_IN_LOG * 3 / 2 {
            self.base64.push_str(line.trim());
        }
        None
    }

    /// The archive, as far as it came.
    pub fn archive(&self) -> Vec<u8> {
        let whole = self.base64.len() - self.base64.len() % 4;
        STANDARD.decode(&self.base64[..whole]).unwrap_or_default()
    }
}
