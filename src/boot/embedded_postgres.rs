//! Patchbay's own private PostgreSQL server, for whoever brings none.
//!
//! It listens on a Unix socket only, in a folder that nobody else may enter, so it needs no passwords. It keeps running when
//! Patchbay is killed; the next start finds it and goes on with it. Several Patchbay processes may share it: the last one
//! that stops ends it.

mod programs;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use programs::Programs;

/// Owns the tables and is not bound by row security: for migrations.
const OWNER: &str = "patchbay_owner";
/// Serves requests, bound by row security.
const APP: &str = "patchbay_app";
const DATABASE: &str = "patchbay";
/// Part of the socket's file name; no network port is opened.
const PORT: u16 = 5432;
/// Longest path of a socket that the system takes.
const LONGEST_SOCKET_PATH: usize = 106;
/// How long a server may take to come up. Recovery after a power cut takes a while.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why the private server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedPostgresError {
    #[error(
        "no PostgreSQL server programs found. Install PostgreSQL 15 or newer (on Debian: apt install postgresql), or run \
         scripts/setup, or set DATABASE_URL to a database of your own"
    )]
    NoPrograms,
    #[error("the data folder was made by PostgreSQL {cluster}, but only PostgreSQL {programs} is installed: install {cluster}")]
    OtherVersion { cluster: u32, programs: u32 },
    #[error("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as")]
    OnlyRoot,
    #[error("{} belongs to somebody else: remove it or choose another data folder", .0.display())]
    ForeignFolder(PathBuf),
    #[error("{program} failed: {output}")]
    Failed { program: &'static str, output: String },
    #[error("the database server did not start; the end of {}:\n{end}", log.display())]
    NotStarted { log: PathBuf, end: String },
    #[error("a killed database server left processes working in {}: end them and start again", .0.display())]
    LeftOvers(PathBuf),
    #[error("cannot {what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("the private database does not answer: {0}")]
    Database(#[from] sqlx::Error),
}

type Result<T> = std::result::Result<T, EmbeddedPostgresError>;

/// A running private server. Dropping it leaves the server running; `stop` ends it.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    programs: Programs,
    home: PathBuf,
    socket: PathBuf,
    /// Held shared for as long as this process uses the server.
    in_use: File,
}

impl EmbeddedPostgres {
    /// Starts the private server of `data_dir` (Patchbay's data folder), or goes on with the one that is running. Makes the
    /// cluster, the database and the two roles the first time.
    ///
    /// As root the cluster belongs to an unprivileged user. Where that user cannot reach `data_dir`, the cluster lives in
    /// `/var/lib/patchbay` instead.
    ///
    /// # Errors
    /// See [`EmbeddedPostgresError`]; each says what to do.
    pub async fn start(data_dir: &Path) -> Result<Self> {
        let (home, programs) = find_home(data_dir).await?;
        let starting = lock_file(&home, "start.lock").await?;
        let in_use = open_lock(&home, "in-use.lock")?;
        lock(&in_use, File::lock_shared).await?;

        let cluster = home.join("cluster");
        if !cluster.join("PG_VERSION").exists() {
            make_cluster(&programs, &home, &cluster).await?;
        }
        let socket = match running_socket(&cluster).await? {
            Some(socket) => socket,
            None => start_server(&programs, &home, &cluster).await?,
        };
        prepare_database(&socket).await?;
        drop(starting);
        Ok(Self { programs, home, socket, in_use })
    }

    /// Address for migrations: the role that owns the tables.
    pub fn owner_url(&self) -> String {
        url(&self.socket, OWNER)
    }

    /// Address for serving: the role that row security binds.
    pub fn app_url(&self) -> String {
        url(&self.socket, APP)
    }

    /// Stops the server, unless another Patchbay process is using it. Open transactions are rolled back.
    ///
    /// # Errors
    /// When the server does not end within a minute.
    pub async fn stop(self) -> Result<()> {
        let _starting = lock_file(&self.home, "start.lock").await?;
        drop(self.in_use);
        let others = open_lock(&self.home, "in-use.lock")?;
        if others.try_lock().is_err() {
            return Ok(());
        }
        let cluster = self.home.join("cluster");
        let arguments = ["-D".as_ref(), cluster.as_os_str(), "-m".as_ref(), "fast".as_ref(), "-w".as_ref(), "stop".as_ref()];
        self.programs.run("pg_ctl", arguments, &self.home).await.map(drop)
    }
}

/// The folder of cluster, socket and log, and the programs that fit the cluster.
async fn find_home(data_dir: &Path) -> Result<(PathBuf, Programs)> {
    fs::create_dir_all(data_dir).map_err(io_error("make", data_dir))?;
    let data_dir = fs::canonicalize(data_dir).map_err(io_error("find", data_dir))?;
    let mut programs = Programs::find(None).await?;
    let home = if programs.can_reach(&data_dir) {
        data_dir.join("postgres")
    } else {
        Path::new("/var/lib/patchbay").join(short_name(&data_dir))
    };
    if let Ok(version) = fs::read_to_string(home.join("cluster/PG_VERSION")) {
        programs = Programs::find(version.trim().parse().ok()).await?;
    }
    make_private_folder(&programs, &home)?;
    Ok((home, programs))
}

/// Makes a folder that only the server's user (and root) may enter.
fn make_private_folder(programs: &Programs, folder: &Path) -> Result<()> {
    if !folder.exists() {
        if let Some(above) = folder.parent() {
            fs::create_dir_all(above).map_err(io_error("make", above))?;
        }
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => programs.hand_over(folder)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io_error("make", folder)(error)),
        }
    }
    if !programs.owns(folder) {
        return Err(EmbeddedPostgresError::ForeignFolder(folder.to_path_buf()));
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(io_error("close", folder))
}

/// Makes the cluster aside and moves it into place: a start that was cut off leaves nothing half made.
async fn make_cluster(programs: &Programs, home: &Path, cluster: &Path) -> Result<()> {
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
async fn running_socket(cluster: &Path) -> Result<Option<PathBuf>> {
    let record = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&record) else { return Ok(None) };
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
    entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
}

/// Starts the server and returns its socket's folder.
async fn start_server(programs: &Programs, home: &Path, cluster: &Path) -> Result<PathBuf> {
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

/// Makes the database and the serving role, if they are missing.
async fn prepare_database(socket: &Path) -> Result<()> {
    let mut connection = connect(socket).await?;
    let found: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = 'patchbay'")
        .fetch_optional(&mut connection)
        .await?;
    if found.is_none() {
        sqlx::raw_sql("create database patchbay owner patchbay_owner").execute(&mut connection).await?;
    }
    let found: Option<i32> =
        sqlx::query_scalar("select 1 from pg_roles where rolname = 'patchbay_app'").fetch_optional(&mut connection).await?;
    if found.is_none() {
        sqlx::raw_sql("create role patchbay_app login nosuperuser nobypassrls nocreatedb nocreaterole")
            .execute(&mut connection)
            .await?;
    }
    Ok(connection.close().await?)
}

/// Connects to the database that every cluster has.
async fn connect(socket: &Path) -> std::result::Result<PgConnection, sqlx::Error> {
    let options = PgConnectOptions::new_without_pgpass().socket(socket).port(PORT).username(OWNER).database("postgres");
    options.disable_statement_logging().connect().await
}

fn url(socket: &Path, user: &str) -> String {
    // The port is named because PGPORT would count otherwise.
    let socket = url::form_urlencoded::byte_serialize(socket.as_os_str().as_encoded_bytes()).collect::<String>().replace('+', "%20");
    format!("postgres:///{DATABASE}?host={socket}&port={PORT}&user={user}")
}

fn short_name(path: &Path) -> String {
    hex::encode(&Sha256::digest(path.as_os_str().as_encoded_bytes())[..8])
}

/// Opens a lock file in `home` and waits until nobody else holds it.
async fn lock_file(home: &Path, name: &str) -> Result<File> {
    let file = open_lock(home, name)?;
    lock(&file, File::lock).await?;
    Ok(file)
}

fn open_lock(home: &Path, name: &str) -> Result<File> {
    let path = home.join(name);
    File::options().create(true).append(true).open(&path).map_err(io_error("open", &path))
}

/// Waits for a lock on a thread of its own.
async fn lock(file: &File, how: fn(&File) -> io::Result<()>) -> Result<()> {
    let copy = file.try_clone().map_err(io_error("lock", Path::new("the data folder")))?;
    let waited = tokio::task::spawn_blocking(move || how(&copy)).await;
    waited.map_err(io::Error::other).flatten().map_err(io_error("lock", Path::new("the data folder")))
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn io_error(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EmbeddedPostgresError {
    let what = format!("{verb} {}", path.display());
    move |source| EmbeddedPostgresError::Io { what, source }
}
