//! Making a cluster, starting its server, and finding one that runs already.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection;
use tokio::time::Instant;

use super::programs::Programs;
use super::{
    EmbeddedPostgresError, OWNER, PORT, Result, connect, ignore_missing, io_error, make_private_folder, short_name,
};

/// Longest path of a socket that the system takes.
const LONGEST_SOCKET_PATH: usize = 106;
/// How long a server may take to come up. Recovery after a power cut takes a while.
const PATIENCE: Duration = Duration::from_secs(90);

/// Makes the cluster aside and moves it into place: a start that was cut off leaves nothing half made.
pub(crate) async fn make_cluster(programs: &Programs, home: &Path, cluster: &Path) -> Result<()> {
    let aside = home.join("cluster.new");
    // Sorting by code point with UTF-8 letters; the plain C locale where the system has no C.UTF-8.
    for (locale, last) in [("C.UTF-8", false), ("C", true)] {
        if aside.exists() {
            fs::remove_dir_all(&aside).map_err(io_error("remove", &aside))?;
        }
        let locale = format!("--locale={locale}");
        let user = format!("--username={OWNER}");
        let fixed = ["--encoding=UTF8", "--data-checksums", "--auth-local=trust", "--auth-host=reject"];
        let mut arguments = vec!["-D".as_ref(), aside.as_os_str(), user.as_ref(), locale.as_ref()];
        arguments.extend(fixed.map(std::ffi::OsStr::new));
        match programs.run("initdb", arguments, home).await {
            Ok(_) => break,
            Err(error) if last => return Err(error),
            Err(_) => {}
        }
    }
    let settings = aside.join("postgresql.conf");
    let text = fs::read_to_string(&settings).map_err(io_error("read", &settings))?;
    fs::write(&settings, text + "\ninclude = 'patchbay.conf'\n").map_err(io_error("write", &settings))?;
    fs::rename(&aside, cluster).map_err(io_error("make", cluster))
}

/// Socket folder of the server that already runs on `cluster`, if one does: waits while it starts or recovers. Clears away
/// what a killed server left.
pub(crate) async fn running_socket(cluster: &Path) -> Result<Option<PathBuf>> {
    let record = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&record) else {
        return Ok(None);
    };
    let mut lines = text.lines();
    let process = lines.next().unwrap_or_default().trim().to_owned();
    // Lines: process, cluster, start time, port, socket folder, address, shared memory, state.
    let socket = PathBuf::from(lines.nth(3).unwrap_or_default().trim());
    let deadline = Instant::now() + PATIENCE;
    while works_in(&process, cluster) {
        match connect(&socket).await {
            Ok(connection) => {
                connection.close().await?;
                return Ok(Some(socket));
            }
            Err(error) if Instant::now() > deadline => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
    if Path::new("/proc/self").exists() {
        // A killed server's number may belong to another program by now, and then PostgreSQL would believe its record. It may
        // go once the last of the server's children has ended: they could still write to the cluster.
        while processes().any(|process| works_in(&process, cluster)) {
            if Instant::now() > deadline {
                return Err(EmbeddedPostgresError::LeftOvers(cluster.to_path_buf()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        fs::remove_file(&record).or_else(ignore_missing).map_err(io_error("remove", &record))?;
    }
    Ok(None)
}

/// Whether a process works in the cluster's folder, as the server and all its children do. False for one that has ended.
fn works_in(process: &str, cluster: &Path) -> bool {
    fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|folder| folder == cluster)
}

fn processes() -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
}

/// Starts the server and returns its socket's folder.
pub(crate) async fn start_server(programs: &Programs, home: &Path, cluster: &Path) -> Result<PathBuf> {
    let socket = socket_folder(home);
    make_private_folder(programs, &socket)?;
    // No server runs, so what lies here is a killed one's.
    for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
        let path = socket.join(name);
        fs::remove_file(&path).or_else(ignore_missing).map_err(io_error("remove", &path))?;
    }
    let settings = cluster.join("patchbay.conf");
    fs::write(&settings, settings_for(&socket)).map_err(io_error("write", &settings))?;
    programs.hand_over(&settings)?;

    let log = home.join("server.log");
    let seconds = PATIENCE.as_secs().to_string();
    let arguments = [
        "-D".as_ref(),
        cluster.as_os_str(),
        "-w".as_ref(),
        "-t".as_ref(),
        seconds.as_ref(),
        "-l".as_ref(),
        log.as_os_str(),
        "start".as_ref(),
    ];
    if !programs.run_detached("pg_ctl", arguments, home).await? {
        let text = fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(12).collect();
        let end = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
        return Err(EmbeddedPostgresError::NotStarted { log, end });
    }
    Ok(socket)
}

/// Beside the cluster, or in the system's temporary folder when that path is too long for a socket.
fn socket_folder(home: &Path) -> PathBuf {
    let socket = home.join("socket");
    if socket.as_os_str().len() + format!("/.s.PGSQL.{PORT}").len() <= LONGEST_SOCKET_PATH {
        socket
    } else {
        std::env::temp_dir().join(format!("patchbay-{}", short_name(home)))
    }
}

/// Settings for one small machine that does other work too.
fn settings_for(socket: &Path) -> String {
    let socket = socket.display().to_string().replace('\'', "''");
    // Tests may trade safety for speed.
    let fsync = if std::env::var("PATCHBAY_PG_FSYNC").is_ok_and(|value| value == "off") { "off" } else { "on" };
    format!(
        "# Written at every start.\n\
         listen_addresses = ''\n\
         port = {PORT}\n\
         unix_socket_directories = '\"{socket}\"'\n\
         unix_socket_permissions = 0700\n\
         max_connections = 100\n\
         shared_buffers = 256MB\n\
         effective_cache_size = 1GB\n\
         work_mem = 8MB\n\
         maintenance_work_mem = 128MB\n\
         max_wal_size = 1GB\n\
         wal_compression = on\n\
         random_page_cost = 1.1\n\
         jit = off\n\
         synchronous_commit = on\n\
         fsync = {fsync}\n\
         full_page_writes = {fsync}\n\
         timezone = 'UTC'\n\
         log_timezone = 'UTC'\n\
         log_error_verbosity = terse\n"
    )
}
