use std::sync::mpsc;

use super::*;

/// Says when it is dropped.
struct Held(mpsc::Sender<&'static str>);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.send("given back");
    }
}

#[tokio::test]
async fn what_is_held_lasts_as_long_as_the_work_though_nobody_waits() {
    let (say, said) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let path = std::env::temp_dir().join(format!("work-{}.csv", Uuid::now_v7()));
    std::fs::write(&path, "name,phone").unwrap();
    let held = (Unclaimed::new(path.clone()), Held(say.clone()));
    let at_work = path.clone();
    let mut waiting = Box::pin(work(held, move || {
        begin.send(()).unwrap();
        may_go_on.recv().unwrap();
        assert!(at_work.exists());
        say.send("done").unwrap();
    }));
    // Whoever waits goes away once the work has begun.
    tokio::select! {
        _ = &mut waiting => panic!("it is not done"),
        _ = begun => {}
    }
    drop(waiting);
    assert!(path.exists() && said.try_recv().is_err());
    go_on.send(()).unwrap();
    assert_eq!((said.recv(), said.recv()), (Ok("done"), Ok("given back")));
    assert!(!path.exists());
}

#[tokio::test]
async fn what_is_held_comes_back() {
    let path = std::env::temp_dir().join(format!("work-{}.csv", Uuid::now_v7()));
    std::fs::write(&path, "name,phone").unwrap();
    let (unclaimed, done) = work(Unclaimed::new(path.clone()), || 7).await.unwrap();
    assert_eq!(done, 7);
    unclaimed.claim();
    assert!(path.exists());
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_workspace_has_one_turn_at_most() {
    let turns = Turns::default();
    let [one, two, three] = [WorkspaceId::new(), WorkspaceId::new(), WorkspaceId::new()];
    let first = turns.next(one).await;
    let mut second = Box::pin(turns.next(one));
    tokio::select! {
        biased;
        _ = &mut second => panic!("it has one already"),
        _ = std::future::ready(()) => {}
    }
    // It keeps nobody else waiting.
    let other = turns.next(two).await;
    // There are two in all.
    let mut third = Box::pin(turns.next(three));
    tokio::select! {
        biased;
        _ = &mut third => panic!("both are taken"),
        _ = std::future::ready(()) => {}
    }
    drop((first, other));
    drop((second.await, third.await));
    drop(turns.next(one).await);
    assert_eq!(turns.by_workspace.lock().unwrap().len(), 1);
}
