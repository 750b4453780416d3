use super::*;
use patchbay_shared::window::CallingWindow;

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-11-30T{text}:00Z").parse().unwrap()
}

#[test]
fn a_call_back_is_tried_again_soon_within_the_hours_and_not_too_often() {
    // Monday to Friday, 09:00 to 19:00.
    let window = CallingWindow::default();
    let setting = Setting { zone: zone::zone("UTC"), window: &window, ahead: TimeDelta::zero() };
    let again = |tries, due: &str, now: &str| is_worth_a_try(&setting, tries, at(due), at(now));
    assert!(again(1, "15:00", "15:01"));
    assert!(again(2, "15:00", "15:17"));
    assert!(!again(3, "15:00", "15:33"), "three times in all");
    assert!(again(1, "15:00", "16:40"), "the last moment is two hours after its time");
    assert!(!again(1, "15:00", "16:41"));
    assert!(!again(1, "18:50", "18:51"), "not outside the hours");
}
