//! What worker and `patchbay run-job` tell each other, in the folder of the piece of work.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What is to be run.
#[derive(Serialize, Deserialize)]
pub(super) struct Spec {
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// Names of what lies in the folder `in`.
    pub files: Vec<String>,
    /// Who it runs as, where Patchbay is root.
    pub user: u32,
    /// Where Patchbay is not root: who it is. That user is all there is in the job's namespace.
    pub own_user: Option<(u32, u32)>,
    pub has_network: bool,
    pub memory_mb: u32,
    pub disk_mb: u32,
    pub most_processes: u32,
    /// Files of control groups that a process enters by.
    pub doors: Vec<PathBuf>,
    pub ways_back: Vec<PathBuf>,
}

/// How the command ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Exited(i32),
    Signal(i32),
    /// It never began.
    Trouble {
        is_work: bool,
        said: String,
    },
}

impl Spec {
    pub fn read(folder: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(folder.join("spec.json"))?).map_err(io::Error::other)
    }

    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join("spec.json"), serde_json::to_vec(self).map_err(io::Error::other)?)
    }
}

impl Outcome {
    /// None: it was ended before it could say so.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join("result.json")).ok()?).ok()
    }

    pub fn write(&self, file: &mut File) -> io::Result<()> {
        file.write_all(&serde_json::to_vec(self).map_err(io::Error::other)?)
    }
}
