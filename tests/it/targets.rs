//! Where jobs run: on this machine for real, in a real container engine, and against a Kubernetes API that says what clusters say.

mod docker;
mod groups;
mod kubernetes;
mod local;

use std::path::PathBuf;
use std::time::Duration;

use patchbay_targets::{Artefact, Ended, Heard, Target, Trouble, Work};

use super::support::unique;

/// What became of a piece of work.
struct Ran {
    ended: Ended,
    out: Vec<String>,
    err: Vec<String>,
    samples: Vec<u32>,
    files: Vec<Artefact>,
    left_out: Vec<String>,
}

/// A script for `sh`, with small limits.
fn script(text: &str) -> Work {
    Work {
        job: uuid::Uuid::now_v7(),
        attempt: 1,
        command: ["sh", "script.sh", "--", "two words; $(id)"].map(str::to_owned).to_vec(),
        environment: vec![("ORDER".to_owned(), "1001".to_owned())],
        files: vec![("script.sh".to_owned(), text.as_bytes().to_vec())],
        stdin: b"from outside\n".to_vec(),
        memory_mb: 64,
        cpu_milli: 1000,
        has_network: false,
        image: Some("localhost/patchbay-test:1".to_owned()),
        timeout: Duration::from_secs(60),
        disk_mb: 8,
        most_processes: 24,
    }
}

/// From its start to its removal.
async fn ran(target: &dyn Target, work: &Work) -> Result<Ran, Trouble> {
    let handle = target.start(work).await?;
    assert!(!handle.id.is_empty() && !handle.host.is_empty(), "{handle:?}");
    let (mut out, mut err, mut samples) = (Vec::new(), Vec::new(), Vec::new());
    let followed = target
        .follow(work, &handle, &mut |heard| match heard {
            Heard::Out(_, line) => out.push(line),
            Heard::Err(_, line) => err.push(line),
            Heard::Memory(mb) => samples.push(mb),
        })
        .await;
    let collected = target.collect(&handle, 1024 * 1024, 3).await;
    target.remove(&handle).await?;
    target.remove(&handle).await.expect("nothing is left to remove");
    let (ended, (files, left_out)) = (followed?, collected?);
    Ok(Ran { ended, out, err, samples, files, left_out })
}

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(unique("targets"));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
