use std::sync::Arc;
use std::time::{Duration, Instant};

use patchbay_targets::{Heard, How, LocalJobs, LocalTarget, Target, TroubleKind, Work};

use super::{Folder, ran, script};

fn machine(folder: &Folder) -> LocalTarget {
    worker(folder, &Arc::default())
}

/// As one worker of several on this machine.
fn worker(folder: &Folder, jobs: &Arc<LocalJobs>) -> LocalTarget {
    LocalTarget::new(folder.0.join("jobs"), env!("CARGO_BIN_EXE_patchbay").into(), jobs.clone())
}

/// Limits of all processes together are set by root alone.
fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t"))
}

/// How many processes have this in their command.
fn processes(word: &str) -> usize {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    commands.filter(|command| command.split(|byte| *byte == 0).any(|part| part == word.as_bytes())).count()
}

#[tokio::test]
async fn a_job_has_what_it_is_given_and_nothing_of_the_machine() {
    let folder = Folder::new();
    let target = machine(&folder);
    let checked = target.check().await.expect("this machine can run jobs");
    assert!(checked.about.contains("Linux"), "{checked:?}");
    let secret = folder.0.join("keys");
    std::fs::write(&secret, "key-of-patchbay").expect("a file");
    let text = format!(
        r#"read line; echo "in: $line"; echo "arguments: $1 $2"; echo "order: $ORDER"; echo "to err" >&2
        cat {secret} /root/.profile /etc/shadow 2>/dev/null && echo "reads what is not its own"
        ls /home /root /var {folder} 2>/dev/null && echo "sees the machine"
        env | grep -i -e patchbay -e database && echo "has the environment of Patchbay"
        [ "$(id -u)" = 0 ] && [ "$(cat /proc/self/uid_map | wc -l)" != 1 ] && echo "is root"
        touch /usr/bin/sh.new /etc/new /new 2>/dev/null && echo "writes programs"
        echo "interfaces: $(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \n')"
        echo "processes: $(ls -d /proc/[0-9]* | wc -l)"
        mkdir -p out/deep; echo one > out/one.txt; echo two > out/deep/two.txt
        ln -s /etc/passwd out/link; mkfifo out/pipe; head -c 2000000 /dev/zero > out/large
        exit 3"#,
        secret = secret.display(),
        folder = folder.0.display(),
    );
    let ran = ran(&target, &script(&text)).await.expect("it runs");
    assert_eq!(ran.ended.how, How::Exited(3), "{:?} {:?}", ran.out, ran.err);
    let said = ran.out.join("\n");
    let head = "in: from outside\narguments: -- two words; $(id)\norder: 1001\ninterfaces: lo\nprocesses: ";
    assert!(said.starts_with(head) && ran.out.len() == 5, "{said}");
    let own: usize = ran.out[4].trim_start_matches("processes: ").parse().expect("a number");
    assert!(own < 8, "other processes are not to be seen: {own}");
    assert!(ran.err.iter().any(|line| line == "to err"), "{:?}", ran.err);
    let mut files: Vec<(&str, &[u8])> = ran.files.iter().map(|file| (file.name.as_str(), &file.content[..])).collect();
    files.sort();
    assert_eq!(files, [("deep/two.txt", &b"two\n"[..]), ("one.txt", b"one\n")], "links and pipes stay where they are");
    assert_eq!(ran.left_out, ["large"], "and what is too large");
    assert_eq!(std::fs::read_dir(folder.0.join("jobs")).expect("the folder").count(), 0, "nothing is left");
    assert!(target.ours().await.expect("a list").is_empty());

    // A link in the place of the folder is not followed, and a file that is mostly a hole takes no room.
    let taken = super::ran(&target, &script("rmdir out; ln -s /etc/ssl out")).await.expect("it runs");
    assert!(
        taken.ended.how == How::Exited(0) && taken.files.is_empty() && taken.left_out.is_empty(),
        "{:?}",
        taken.files
    );
    let hole = "truncate -s 100M out/hole; echo kept > out/kept";
    let hole = super::ran(&target, &script(hole)).await.expect("it runs");
    let kept: Vec<&str> = hole.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!((kept, hole.left_out), (vec!["kept"], vec!["hole".to_owned()]), "{:?}", hole.err);

    let nothing = Work { command: vec!["no-such-program".to_owned()], ..script("") };
    let trouble = super::ran(&target, &nothing).await.err().expect("it cannot begin");
    assert_eq!(trouble.kind, TroubleKind::Work);
    assert!(trouble.sentence.contains("no program named no-such-program"), "{}", trouble.sentence);
}

/// Where these tests are root's, some of them again as nobody in particular, with a part of the system mounted without programs.
#[test]
fn an_ordinary_user_has_jobs_run_too() {
    if !is_root() {
        println!("skipped: the other tests are an ordinary user's already");
        return;
    }
    let (own, product) = (std::env::current_exe().expect("this program"), env!("CARGO_BIN_EXE_patchbay"));
    let as_nobody = |line: &str| {
        let mounted = "if [ -d /etc/ssl ]; then mount -t tmpfs -o noexec,nosuid,nodev tmpfs /etc/ssl; fi";
        let line = format!("{mounted} && exec setpriv --reuid=65534 --regid=65534 --clear-groups {line}");
        std::process::Command::new("unshare").args(["--mount", "sh", "-c", &line]).output().expect("unshare runs")
    };
    let may = format!("sh -c 'test -x {} && test -x {product} && unshare --user true'", own.display());
    if !as_nobody(&may).status.success() {
        println!("skipped: an ordinary user has no way to this program, or may have no namespaces");
        return;
    }
    let again = "targets::local::a_job_has_what targets::local::memory_processes";
    let ran = as_nobody(&format!("env HOME=/tmp TMPDIR=/tmp {} {again}", own.display()));
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("2 passed"), "{said}");
}

#[tokio::test]
async fn memory_processes_and_the_working_folder_have_an_end() {
    let folder = Folder::new();
    let target = machine(&folder);
    let full = script("dd if=/dev/zero of=big bs=1M count=64 2>&1 | grep -o 'No space left' ; exit 4");
    let full = ran(&target, &full).await.expect("it runs");
    assert_eq!((full.ended.how, full.out.join("")), (How::Exited(4), "No space left".to_owned()), "{:?}", full.err);
    if !is_root() {
        println!("skipped the rest: limits of all processes together are set by root alone");
        return;
    }
    let whole = ran(&target, &script("tail /dev/zero || exit 9")).await.expect("it runs");
    let How::OutOfMemory(how) = &whole.ended.how else { panic!("{:?} {:?}", whole.ended, whole.err) };
    assert!(how.contains("64 MB"), "{how}");
    let peak = whole.ended.peak_memory_mb.expect("the kernel says how much it was");
    assert!((60..=64).contains(&peak), "{peak}");
    assert!(!whole.samples.is_empty(), "and it was seen meanwhile");

    // A part of it was ended, and the command says that all was well.
    let hidden = ran(&target, &script("tail /dev/zero | tail -c 1; exit 0")).await.expect("it runs");
    assert!(matches!(hidden.ended.how, How::OutOfMemory(_)), "{:?}", hidden.ended);

    let word = "98765.4321";
    let bomb = format!("i=0; while [ $i -lt 200 ]; do sleep {word} & i=$((i+1)); done; echo $i");
    let bomb = ran(&target, &script(&bomb)).await.expect("it runs");
    assert!(matches!(bomb.ended.how, How::Exited(code) if code != 0), "{:?}", bomb.ended);
    assert!(bomb.err.join("\n").to_lowercase().contains("fork"), "{:?}", bomb.err);
    assert_eq!(processes(word), 0, "what it left running is ended with it");
}

#[tokio::test]
async fn a_job_that_does_not_listen_is_ended_and_one_that_says_much_is_cut() {
    let folder = Folder::new();
    let target = machine(&folder);
    let deaf = "trap '' TERM INT; echo ready; while :; do sleep 0.2; done";
    let late = Work { timeout: Duration::from_secs(1), ..script(deaf) };
    let began = Instant::now();
    let late = ran(&target, &late).await.expect("it runs");
    assert_eq!(late.ended.how, How::TimedOut);
    assert_eq!(late.out, ["ready"]);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());

    // Ended from another worker's hand, as soon as it has said that it runs.
    let work = script("echo ready; while :; do sleep 0.2; done");
    let (handle, other) = (target.start(&work).await.expect("it starts"), machine(&folder));
    assert_eq!(target.start(&work).await.expect("it is there"), handle, "the same again finds it");
    let (said, hears) = tokio::sync::oneshot::channel();
    let mut said = Some(said);
    let mut tell = |heard| {
        if let Heard::Out(_, line) = heard
            && let Some(said) = said.take()
        {
            let _ = said.send(line);
        }
    };
    let (followed, ended) = tokio::join!(target.follow(&work, &handle, &mut tell), async {
        assert_eq!(hears.await.expect("it speaks"), "ready");
        other.end(&handle).await
    });
    ended.expect("it is ended");
    assert_eq!(followed.expect("it ends").how, How::Stopped);
    target.remove(&handle).await.expect("removed");

    let loud =
        ran(&target, &script("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo end")).await.expect("it runs");
    assert_eq!((loud.ended.how, loud.out.len()), (How::Exited(0), 2));
    assert_eq!((loud.out[0].len(), loud.out[1].as_str()), (4000, "end"), "a line is cut");
}

#[tokio::test]
async fn a_job_ends_with_its_worker_and_is_found_by_the_next_one() {
    let folder = Folder::new();
    let word = "87654.3210";
    let work = script(&format!("(setsid sleep {word} &) ; exec sleep {word}"));
    let handle = {
        let jobs = Arc::default();
        let lost = worker(&folder, &jobs);
        lost.start(&work).await.expect("it starts")
        // Here the worker is gone, and with it what it held.
    };
    let next = machine(&folder);
    let left = next.ours().await.expect("a list");
    assert_eq!(left, [(work.job, work.attempt, handle.clone())]);
    let ended = next.follow(&work, &handle, &mut |_| {}).await.expect("an end");
    assert!(matches!(ended.how, How::Lost(_)), "{ended:?}");
    next.remove(&handle).await.expect("removed");
    assert_eq!(processes(word), 0);

    // So does one that a living worker leaves to others: theirs would be the second.
    let work = Work { attempt: 2, ..work };
    let handle = next.start(&work).await.expect("it starts");
    next.leave(&handle).await;
    let ended = next.follow(&work, &handle, &mut |_| {}).await.expect("an end");
    assert!(matches!(ended.how, How::Lost(_)), "{ended:?}");
    next.remove(&handle).await.expect("removed");
    assert_eq!(processes(word), 0);
    assert!(next.ours().await.expect("a list").is_empty());
}
