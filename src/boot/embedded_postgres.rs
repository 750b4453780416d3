//! Patchbay's own private PostgreSQL server, for whoever brings none.
//!
//! It listens on a Unix socket only, in a folder that nobody else may enter, so it needs no passwords. It keeps running when
//! Patchbay is killed; the next start finds it and goes on with it. Several Patchbay processes may share it: the last one
//! that stops ends it.

mod cluster;
mod programs;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use cluster::{make_cluster, running_socket, start_server};
use programs::Programs;

/// Owns the tables and is not bound by row security: for migrations.
const OWNER: &str = "patchbay_owner";
/// Serves requests, bound by row security.
const APP: &str = "patchbay_app";
const DATABASE: &str = "patchbay";
/// Part of the socket's file name; no network port is opened.
const PORT: u16 = 5432;

/// Why the private server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedPostgresError {
    #[error(
        "no PostgreSQL server programs found. Install PostgreSQL 15 or newer (on Debian: apt install postgresql), or run \
         scripts/setup, or set DATABASE_URL to a database of your own"
    )]
    NoPrograms,
    #[error(
        "the data folder was made by PostgreSQL {cluster}, but only PostgreSQL {programs} is installed: install {cluster}"
    )]
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
    /// Starts the private server of `data_dir`, or goes on with the one that is running. The folder holds the cluster, the
    /// socket and the log, is made the first time, and is closed to everybody else. Makes the database and the two roles
    /// too.
    ///
    /// As root the folder belongs to an unprivileged user. Where that user cannot reach it, a folder in `/var/lib/patchbay`
    /// takes its place.
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
    pub(crate) fn app_url(&self) -> String {
        url(&self.socket, APP)
    }

    /// Stops the server, unless another Patchbay process is using it. Open transactions are rolled back.
    ///
    /// # Errors
    /// When the server does not end within a minute.
    pub(crate) async fn stop(self) -> Result<()> {
        let _starting = lock_file(&self.home, "start.lock").await?;
        drop(self.in_use);
        let others = open_lock(&self.home, "in-use.lock")?;
        if others.try_lock().is_err() {
            return Ok(());
        }
        let cluster = self.home.join("cluster");
        let arguments =
            ["-D".as_ref(), cluster.as_os_str(), "-m".as_ref(), "fast".as_ref(), "-w".as_ref(), "stop".as_ref()];
        self.programs.run("pg_ctl", arguments, &self.home).await.map(drop)
    }
}

/// The folder of cluster, socket and log, and the programs that fit the cluster.
async fn find_home(data_dir: &Path) -> Result<(PathBuf, Programs)> {
    let data_dir = std::path::absolute(data_dir).map_err(io_error("find", data_dir))?;
    let above = data_dir.parent().unwrap_or(&data_dir);
    fs::create_dir_all(above).map_err(io_error("make", above))?;
    // The server reports its folder without links, so ours must have none.
    let above = fs::canonicalize(above).map_err(io_error("find", above))?;
    let home = data_dir.file_name().map_or(above.clone(), |name| above.join(name));

    let mut programs = Programs::find(None).await?;
    let home = if programs.can_reach(&above) { home } else { Path::new("/var/lib/patchbay").join(short_name(&home)) };
    if let Ok(version) = fs::read_to_string(home.join("cluster/PG_VERSION")) {
        programs = Programs::find(version.trim().parse().ok()).await?;
    }
    make_private_folder(&programs, &home)?;
    Ok((home, programs))
}

/// Makes a folder that only the server's user (and root) may enter. An empty one that is there already will do.
fn make_private_folder(programs: &Programs, folder: &Path) -> Result<()> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).map_err(io_error("make", above))?;
    }
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => programs.hand_over(folder)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if programs.is_own_empty(folder) {
                programs.hand_over(folder)?;
            }
        }
        Err(error) => return Err(io_error("make", folder)(error)),
    }
    if !programs.owns(folder) {
        return Err(EmbeddedPostgresError::ForeignFolder(folder.to_path_buf()));
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(io_error("close", folder))
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
    let found: Option<i32> = sqlx::query_scalar("select 1 from pg_roles where rolname = 'patchbay_app'")
        .fetch_optional(&mut connection)
        .await?;
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
    let socket = url::form_urlencoded::byte_serialize(socket.as_os_str().as_encoded_bytes())
        .collect::<String>()
        .replace('+', "%20");
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
