//! The parent's side of `patchbay extract`: starts the child, gives it the file, and reads its lines within a limit of time and length.
//! Nothing that the child says is believed further than its type goes.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines, Take};
use tokio::process::{Child, ChildStdout, Command};
use uuid::Uuid;

use super::extract::Line;
use patchbay_services::Services;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// From start to end. The child stops itself after a minute of computing.
const PATIENCE: Duration = Duration::from_secs(180);
/// All that a child may say: the text with its places, as JSON.
const MOST: u64 = 128 * 1024 * 1024;

/// A child that reads a file.
pub(crate) struct Worker {
    child: Child,
    lines: Lines<BufReader<Take<ChildStdout>>>,
    until: tokio::time::Instant,
}

/// The child ended before it had said everything: it was stopped by a limit, it crashed, or the machine is in trouble.
#[derive(Debug)]
pub(crate) struct Died;

impl Worker {
    /// Starts a child and hands it the file. `name`: what the file is called; it decides between kinds of text.
    pub async fn start(
        services: &Services,
        name: &str,
        mut file: BoxStream<'static, object_store::Result<Bytes>>,
    ) -> Result<Self, AppError> {
        let nonce = Uuid::now_v7().simple().to_string();
        // An argument has a length, and no zeros in it.
        let name: String = name.chars().filter(|letter| *letter != '\0').take(200).collect();
        let mut child = Command::new(&services.program)
            .args(["extract", &nonce, &format!("file:{name}")])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| internal(format!("cannot start a worker that reads files: {error}")))?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(internal("a child without pipes"));
        };
        let until = tokio::time::Instant::now() + PATIENCE;
        let give = async {
            while let Some(piece) = file.next().await {
                // A child that has read enough, or has died, takes no more; what it says decides.
                if stdin.write_all(&piece.map_err(internal)?).await.is_err() {
                    break;
                }
            }
            drop(stdin);
            Ok::<(), AppError>(())
        };
        // It says nothing before it has read everything, so giving first cannot wait for ever.
        if let Ok(given) = tokio::time::timeout_at(until, give).await {
            given?;
        }
        let mut worker = Self { child, lines: BufReader::new(stdout.take(MOST)).lines(), until };
        while let Ok(line) = worker.line().await {
            if line == nonce {
                break;
            }
        }
        Ok(worker)
    }

    /// What it says next.
    pub async fn next(&mut self) -> Result<Line, Died> {
        let line = self.line().await?;
        serde_json::from_str(&line).map_err(|_| Died)
    }

    async fn line(&mut self) -> Result<String, Died> {
        match tokio::time::timeout_at(self.until, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            _ => {
                // Nobody reads on, so it ends here if it has not ended by itself.
                let _ = self.child.kill().await;
                Err(Died)
            }
        }
    }
}
