use super::*;

fn step(step: i32, error: Option<&str>) -> RunStep {
    RunStep {
        step,
        event: StepEvent::ToolCall,
        message: String::new(),
        at_ms: i64::from(step) * 1000,
        took_ms: Some(500),
        error: error.map(str::to_owned),
        read: None,
        written: None,
        cost: None,
        payload: Value::Null,
        href: None,
    }
}

fn run(status: RunStatus, steps: Vec<RunStep>) -> Run {
    Run {
        id: RunId(Default::default()),
        title: String::new(),
        kind: RunType::TestCall,
        status,
        trigger: Trigger::Suite,
        by: None,
        origin: None,
        agent: None,
        client: None,
        call: None,
        prompt_version: None,
        started: Stamp { text: String::new(), full: String::new(), utc: String::new() },
        took_ms: Some(2000),
        error: None,
        read: 0,
        written: 0,
        cost: Money::default(),
        is_unpriced: false,
        steps,
        is_cut: false,
    }
}

#[test]
fn the_same_cause_reads_the_same_whatever_was_named() {
    let one = "Cal.com did not answer in 8 s for “Reto Amann”, invocation inv_7f31c2.";
    let other = "Cal.com did not answer in 12.5 s for “Ada”, invocation inv_99.";
    assert_eq!(normalised(one), normalised(other));
    assert_eq!(normalised("Contact \"a b\" (id 4) is gone"), normalised("Contact \"c\" (id 5) is gone"));
    assert_ne!(normalised("The calendar is full."), normalised("The calendar is closed."));
    assert!(normalised(&"Wort ünd ".repeat(100_000)).len() < 2000);
    assert_eq!(normalised(""), "");
}

#[test]
fn the_step_that_failed_is_opened_first() {
    let steps = || vec![step(1, None), step(2, Some("late")), step(3, None)];
    assert_eq!(run(RunStatus::Partial, steps()).opened(None), Some(2));
    assert_eq!(run(RunStatus::Partial, steps()).opened(Some("3")), Some(3));
    assert_eq!(run(RunStatus::Partial, steps()).opened(Some("9")), Some(2));
    let fine = vec![step(1, None), step(2, None)];
    assert_eq!(run(RunStatus::Success, fine.clone()).opened(None), Some(1));
    assert_eq!(run(RunStatus::Running, fine).opened(Some("x")), Some(2));
    assert_eq!(run(RunStatus::Running, Vec::new()).opened(None), None);
    assert_eq!(run(RunStatus::Success, steps()).axis_ms(), 3500);
}

#[test]
fn lengths_read_as_people_say_them() {
    assert_eq!(took_text(412), "412 ms");
    assert_eq!(took_text(1490), "1.4 s");
    assert_eq!(took_text(125_000), "2:05");
    assert_eq!(took_text(-5), "0 ms");
}
