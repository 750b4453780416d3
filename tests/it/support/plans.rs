use std::sync::{Arc, Mutex};

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the database says of how it carried out the application's statements: `auto_explain` sends each plan as a notice, and a
/// listener between the two reads them on their way.
#[derive(Clone, Default)]
pub struct Plans(Arc<Mutex<Vec<Plan>>>);

/// A statement, and how it was carried out.
#[derive(Debug, Clone)]
pub struct Plan {
    pub sql: String,
    pub root: Value,
}

impl Plans {
    /// Has the owner's database explain what the application does. Gives the address for the application.
    pub async fn between(self, owner: String) -> String {
        let url = url::Url::parse(&owner).expect("an address");
        let name = url.path().trim_start_matches('/');
        let settings = [
            "session_preload_libraries = 'auto_explain'",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_analyze = on",
            "auto_explain.log_timing = off",
            "auto_explain.log_nested_statements = on",
            "auto_explain.log_format = 'json'",
            "auto_explain.log_level = 'notice'",
        ];
        let sql: String = settings
            .iter()
            .map(|setting| format!("alter role patchbay_app in database {name} set {setting};"))
            .collect();
        let mut connection = PgConnection::connect(&owner).await.expect("the owner");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.expect("settings of the role");
        let database = (url.host_str().unwrap_or("127.0.0.1").to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        tokio::spawn(async move {
            while let Ok((application, _)) = listener.accept().await {
                tokio::spawn(self.clone().forward(application, database.clone()));
            }
        });
        format!("postgres://patchbay_app@127.0.0.1:{port}/{name}?sslmode=disable")
    }

    /// The plans since the last time.
    pub fn take(&self) -> Vec<Plan> {
        std::mem::take(&mut self.0.lock().expect("plans"))
    }

    async fn forward(self, application: TcpStream, database: (String, u16)) {
        let server = TcpStream::connect(database).await.expect("the database");
        // A statement is several small pieces: each would wait 40 ms for the one before to be acknowledged.
        for side in [&application, &server] {
            side.set_nodelay(true).expect("an open connection");
        }
        let (mut from_application, mut to_application) = application.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from_application, &mut to_server).await;
            let _ = to_server.shutdown().await;
        });
        // A message is a letter, a length that counts itself, and the rest.
        let mut head = [0; 5];
        while from_server.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let mut body = vec![0; length.saturating_sub(4)];
            if from_server.read_exact(&mut body).await.is_err() {
                return;
            }
            if head[0] == b'N' {
                self.note(&body);
            }
            if to_application.write_all(&[&head[..], &body].concat()).await.is_err() {
                return;
            }
        }
    }

    fn note(&self, body: &[u8]) {
        // Fields are a letter and a text each; M is the message.
        let message = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"));
        let text = String::from_utf8_lossy(message.unwrap_or_default()).into_owned();
        let Some((_, json)) = text.split_once("plan:\n") else { return };
        let explained: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
        let sql = explained["Query Text"].as_str().unwrap_or_default().to_owned();
        self.0.lock().expect("plans").push(Plan { sql, root: explained["Plan"].clone() });
    }
}

impl Plan {
    /// How many rows of this table were looked at, whether they were of use or not.
    pub fn looked_at(&self, table: &str) -> i64 {
        fn visit(node: &Value, table: &str, sum: &mut i64) {
            let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
            if node["Relation Name"] == table {
                let rows =
                    number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
                *sum += (rows * number("Actual Loops")) as i64;
            }
            for below in node["Plans"].as_array().into_iter().flatten() {
                visit(below, table, sum);
            }
        }
        let mut sum = 0;
        visit(&self.root, table, &mut sum);
        sum
    }
}
