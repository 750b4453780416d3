//! With a mail server: invitations and new passwords arrive by e-mail, and nobody learns which addresses have accounts.

use std::fs::File;
use std::io::{BufRead, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use patchbay::boot::migrate;
use patchbay_access::server::Scope;
use patchbay_platform::server::ops::create_workspace;
use patchbay_sandbox::{Sandbox, SandboxSettings};
use patchbay_shared::ids::WorkspaceId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::support::agency::{PASSWORD, TESTS};
use super::support::{Browser, Workers, World, fresh_database, open_database, owner_value, pool, run};

/// What the mail server was given: receiver, and the text with its line breaks and escapes undone.
type Inbox = Arc<watch::Sender<Vec<(String, String)>>>;

/// A mail server that takes everything, as RFC 5321 has it.
async fn take_mail(listener: TcpListener, inbox: Inbox) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(talk(stream, inbox.clone()));
    }
}

async fn talk(stream: TcpStream, inbox: Inbox) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.example\r\n").await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match word.as_str() {
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                b"250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text += &line;
                    text += "\r\n";
                }
                let text = text.replace("=\r\n", "").replace("=3D", "=");
                inbox.send_modify(|letters| letters.push((to.clone(), text)));
                b"250 taken\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}

/// The token behind `what` (`invite`, `reset`) in the newest message to `to`.
async fn token(inbox: &Inbox, to: &str, what: &str) -> String {
    let find = |letters: &[(String, String)]| {
        let (_, text) =
            letters.iter().rev().find(|(receiver, text)| receiver == to && text.contains(&format!("/{what}/")))?;
        text.split(&format!("/{what}/")).nth(1)?.split_whitespace().next().map(str::to_owned)
    };
    let mut news = inbox.subscribe();
    let arrived = tokio::time::timeout(Duration::from_secs(60), news.wait_for(|letters| find(letters).is_some()));
    let letters = arrived.await.unwrap_or_else(|_| panic!("a mail with a link to {what} reaches {to}"));
    find(&letters.expect("the inbox")).expect("a token")
}

/// Keeps what the program says, and tells when it begins to serve.
fn listen(said: ChildStderr, mut log: File) -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut tell = Some(tell);
        for line in std::io::BufReader::new(said).lines().map_while(Result::ok) {
            writeln!(log, "{line}").expect("the log");
            if line.contains("serving")
                && let Some(tell) = tell.take()
            {
                let _ = tell.send(());
            }
        }
    });
    told
}

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn links_arrive_by_mail_and_say_nothing_about_who_has_an_account() {
    run(|_| async move {
        let owner_url = fresh_database().await;
        migrate::migrate(&owner_url).await.expect("the schema");
        let app = owner_url.replace("patchbay_owner@", "patchbay_app@");
        let folder = std::env::temp_dir().join(format!("patchbay-mail-{}", uuid::Uuid::now_v7().simple()));
        let db = open_database(&app, &folder.join("data"), None).await;
        let scope = Scope::of_operator(db.clone(), WorkspaceId::new(), TESTS);
        create_workspace(&scope, "Mailing Agency", "Olga", "olga@mailing.example", PASSWORD, "UTC")
            .await
            .expect("an agency");

        let inbox = Inbox::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let smtp = format!("smtp://{}", listener.local_addr().expect("an address"));
        tokio::spawn(take_mail(listener, inbox.clone()));
        std::fs::create_dir_all(folder.join("site/pkg/test")).expect("a folder");
        std::fs::write(folder.join("site/.pkg"), "pkg/test\n").expect("an empty site");
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let base = format!("http://127.0.0.1:{port}");
        let log = File::create(folder.join("log")).expect("a log");
        let mut program = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .arg("serve")
            .env("DATABASE_URL", app)
            .env("PATCHBAY_DATA_DIR", folder.join("data"))
            .env("PATCHBAY_LISTEN", format!("127.0.0.1:{port}"))
            .env("LEPTOS_SITE_ROOT", folder.join("site"))
            .env("PATCHBAY_SMTP_URL", smtp)
            .env("PATCHBAY_MAIL_FROM", "Patchbay <voice@mailing.example>")
            .env("PATCHBAY_METRICS_TOKEN", "for-the-collector")
            .env("PATCHBAY_LOCAL_TARGETS", "on")
            .env("RUST_LOG", "debug")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let serving = listen(program.stderr.take().expect("what it says"), log);
        let _program = Program(program);
        serving.await.expect("the server is ready");
        let world = World {
            base,
            sandbox_base: String::new(),
            sandbox: Sandbox::new(SandboxSettings::for_tests()),
            db,
            dns: None,
            owner: pool(&owner_url),
            owner_url,
            workers: Workers::Elsewhere,
        };

        // Names from before fields refused line breaks: a head of a message is one line all the same.
        let sql = "update users set name = E'Olga\\r\\nBcc: victim@mailing.example\\r\\n\\r\\nBuy' where name = 'Olga' returning id::text";
        let _: String = owner_value(&world, sql).await;
        // An invitation, which carries the agency's brand.
        let olga = Browser::signed_in(&world, "olga@mailing.example").await;
        let brand = [("product", "Mailing Voice"), ("accent", ""), ("support", "help@mailing.example")];
        olga.done("save_brand", &brand).await;
        olga.done("invite_members", &[("emails", "vera@mailing.example"), ("role", "agency_member")]).await;
        let shown = olga.done("take_links", &[]).await.json();
        assert!(shown["links"][0]["link"].is_null(), "the link goes by mail alone: {shown}");
        let invite = token(&inbox, "vera@mailing.example", "invite").await;
        let letter = inbox.borrow()[0].1.clone();
        let header = |name: &str| letter.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        let from = header("From:");
        assert!(from.contains("Mailing Voice") && from.contains("<voice@mailing.example>"), "{letter}");
        assert!(header("Reply-To:").contains("help@mailing.example"), "{letter}");
        let (head, _) = letter.split_once("\r\n\r\n").expect("a head and a body");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")) && !head.contains("\r\nBuy"), "{letter}");
        assert!(header("Subject:").starts_with("Subject: Olga Bcc: victim"), "{letter}");
        let end = letter.split("/invite/").nth(1).unwrap_or_default();
        assert!(end.contains("Mailing Voice") && end.contains("help@mailing.example"), "{letter}");
        let vera = Browser::new(&world);
        vera.done("accept_invitation", &[("token", &invite), ("name", "Vera"), ("password", PASSWORD)]).await;

        // What an agent writes goes the same way: in the brand, to fixed addresses, and no more often than the tool may.
        let prompt = [("name", "Mailing prompt"), ("template", "You call. Be brief."), ("production", "true")];
        let prompt = olga.done("save_prompt", &prompt).await.id().expect("a prompt");
        let agent = [
            ("name", "Mailing agent"),
            ("prompt_id", prompt.as_str()),
            ("greeting", "Hello."),
            ("first_speaker", "agent"),
            ("max_minutes", "10"),
            ("language", "en"),
            ("llm_model", "ultravox-v0.7"),
            ("temperature", "0.3"),
        ];
        let agent = olga.done("save_agent", &agent).await.id().expect("an agent");
        let tool = [
            ("agent", agent.as_str()),
            ("kind", "send_email"),
            ("tool_name", "write"),
            ("description", "Writes."),
            ("emails", "vera@mailing.example"),
            ("most_in_day", "1"),
        ];
        let wrong = [&tool[..4], &[("emails", "vera@mailing.example\nnobody"), ("most_in_call", "9")]].concat();
        let refused = olga.rpc("save_agent_tool", &wrong).await;
        assert!(refused.error_at("emails").is_some() && refused.error_at("most_in_call").is_some(), "{refused:?}");
        let tool = super::tools::last_id(&olga.done("save_agent_tool", &tool).await);
        let letter = [
            ("agent", agent.as_str()),
            ("id", tool.as_str()),
            ("arg_subject", "Your appointment"),
            ("arg_text", "Hello Vera, see you at /tool/on-monday soon."),
        ];
        let mut came = Vec::new();
        for _ in 0..2 {
            let tried = olga.done("try_agent_tool", &letter).await.location.expect("a try");
            let id = tried.split("tried=").nth(1).and_then(|rest| rest.split('#').next()).expect("an id").to_owned();
            came.push(olga.done("get_tool_use", &[("id", &id)]).await.json());
        }
        assert_eq!(came[0]["answer"], "The e-mail is on its way.", "{came:?}");
        assert!(came[1]["answer"].as_str().is_some_and(|text| text.contains("24 hours")), "{came:?}");
        assert_eq!(token(&inbox, "vera@mailing.example", "tool").await, "on-monday");
        let written = inbox.borrow().iter().filter(|(_, text)| text.contains("/tool/on-monday")).count();
        assert_eq!(written, 1);
        let letter = inbox.borrow().iter().find(|(_, text)| text.contains("/tool/on-monday")).expect("it").1.clone();
        assert!(letter.contains("Subject: Your appointment") && letter.contains("Mailing Voice"), "{letter}");

        // A forgotten password: the same answer for somebody and for nobody.
        let stranger = Browser::new(&world);
        let known = stranger.rpc("ask_for_password", &[("email", "Vera@mailing.example")]).await;
        let unknown = stranger.rpc("ask_for_password", &[("email", "nobody@mailing.example")]).await;
        assert_eq!((known.status, &known.text, &known.location), (unknown.status, &unknown.text, &unknown.location));
        assert_eq!(known.status, 200);
        let reset = token(&inbox, "vera@mailing.example", "reset").await;
        stranger.done("choose_password", &[("token", &reset), ("password", "four green kettles whistle")]).await;
        assert_eq!(vera.rpc("who_am_i", &[]).await.status, 401);
        // Asking again and again is slowed down, whoever is asked for.
        let mut last = 0;
        for _ in 0..6 {
            last = stranger.rpc("ask_for_password", &[("email", "nobody@mailing.example")]).await.status;
        }
        assert_eq!(last, 429);
        let letters = inbox.borrow().clone();
        assert!(letters.iter().all(|(to, _)| to == "vera@mailing.example"), "{letters:?}");

        // Work that waits for a person: whoever may decide is written to once for each, and Vera, who only reads, never.
        olga.done("add_usual_execution", &[]).await;
        let choices = olga.done("get_job_choices", &[]).await.json();
        let first = |what: &str, kind: &str| {
            let options = choices[what].as_array().cloned().unwrap_or_default();
            let found = options.iter().find(|option| option[1].as_str().is_some_and(|words| words.contains(kind)));
            found.and_then(|option| option[0].as_str()).unwrap_or_else(|| panic!("{what}: {choices}")).to_owned()
        };
        let (engine, target) = (first("engines", "Process"), first("targets", "This machine"));
        let job = [
            ("title", "Pay back 107.60"),
            ("engine", &engine),
            ("target", &target),
            ("content", "true"),
            ("asks", "on"),
        ];
        let mut asked = Vec::new();
        for _ in 0..6 {
            let job = olga.made("run_execution_job", &job).await;
            let page = olga.done("get_execution_job", &[("id", &job)]).await.json();
            asked.push(page["approvals"][0]["id"].as_str().unwrap_or_else(|| panic!("an approval: {page}")).to_owned());
        }
        let about = |letters: &[(String, String)]| {
            let found = letters.iter().filter(|(_, text)| text.contains("Waits for approval: Pay back 107.60"));
            found.cloned().collect::<Vec<_>>()
        };
        let mut news = inbox.subscribe();
        let came =
            tokio::time::timeout(Duration::from_secs(60), news.wait_for(|letters| about(letters).len() >= 6)).await;
        let written = about(&came.expect("six letters in time").expect("the inbox"));
        assert!(
            written.iter().all(|(to, text)| to == "olga@mailing.example" && text.contains("Mailing Voice")),
            "{written:?}"
        );
        for id in &asked {
            let of_it = written.iter().filter(|(_, text)| text.contains(&format!("/approvals/{id}"))).count();
            assert_eq!(of_it, 1, "{id}: {written:?}");
        }
        let many = written.iter().filter(|(_, text)| text.contains("6 approvals wait at the moment")).count();
        assert_eq!(many, 1, "more than five wait: {written:?}");

        // The links are secrets: not in the queue, the audit log, or the log.
        let jobs: String = owner_value(&world, "select coalesce(string_agg(payload::text, ' '), '') from jobs").await;
        let audit_log: String =
            owner_value(&world, "select coalesce(string_agg(after::text, ' '), '') from audit_events").await;
        let log = std::fs::read_to_string(folder.join("log")).expect("the log");
        for secret in [invite.rsplit('.').next(), reset.rsplit('.').next()].into_iter().flatten() {
            for (place, text) in [("queue", &jobs), ("audit_log", &audit_log), ("log", &log)] {
                assert!(!text.contains(secret), "a link stands in the {place}");
            }
        }
        assert!(jobs.contains("gAAAA"), "messages lie sealed: {jobs}");

        // The figures of this program are for whoever has its token.
        for (given, status) in
            [("Bearer for-the-collector", 200), ("Bearer for-the-collecto", 404), ("for-the-collector", 404)]
        {
            let request = stranger.raw(reqwest::Method::GET, "/metrics").header("authorization", given);
            assert_eq!(Browser::answer(request).await.status, status, "{given}");
        }
        assert_eq!(stranger.get("/metrics").await.status, 404);
    });
}
