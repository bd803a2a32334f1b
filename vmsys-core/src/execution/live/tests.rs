//! What becomes of answers, of parts that are being written, and of whoever waits.

use super::*;
use crate::modules::testing::execution;

/// The next answer's error, if it is one.
fn next(live: &LiveExecution) -> Option<String> {
    match live.wait_for_news(Duration::ZERO) {
        Wake::Completed(Completion { result, .. }) => result.err().map(|error| format!("{:?}", error.code())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_that_wait_are_bounded_together() {
    let live = execution(Limits { mem_mb: 16, ..Limits::default() });
    let answer = |id| live.answer(Completion { id, result: Ok(Value::Array(vec![Value::Bytes(vec![0; 6 << 20])])) });
    (1..=3).for_each(answer);
    assert_eq!(next(&live), None);
    // There is room for one again.
    (4..=5).for_each(answer);
    assert_eq!(next(&live), None);
    let refused = Some(r#"Some("ERR_OUT_OF_RANGE")"#.to_owned());
    assert_eq!(next(&live), refused);
    assert_eq!(next(&live), None);
    assert_eq!(next(&live), refused);
    assert_eq!(live.lock().answer_bytes, 0);
}

#[test]
fn what_somebody_writes_is_not_waited_for() {
    let live = execution(Limits::default());
    let Progress::Part(part) = live.progress() else { panic!("its first event is to be written") };
    assert_eq!((part.news().0.events.len(), part.news().1), (1, 1));
    // Whoever looks meanwhile goes on to the next execution.
    assert!(matches!(live.progress(), Progress::Nothing));
    assert!(!part.stored());
    assert!(matches!(live.progress(), Progress::Nothing));
    live.emit(Payload::Stdout { text: "x".to_owned() }).unwrap();
    let Progress::Part(part) = live.progress() else { panic!("there is another one") };
    assert_eq!((part.news().0.events.len(), part.news().1), (1, 2));
    drop(part);
    assert!(matches!(live.progress(), Progress::Part(_)), "what was not stored is still to be");
    assert!(live.claim_end());
    assert!(matches!(live.progress(), Progress::Nothing), "whoever ends it writes the rest");
}

#[test]
fn whoever_waits_is_woken_when_a_limit_is_passed() {
    for _ in 0..300 {
        let live = execution(Limits { max_events: 1, ..Limits::default() });
        let printer = live.clone();
        let thread = std::thread::spawn(move || printer.emit(Payload::Stdout { text: "x".to_owned() }));
        assert_eq!(live.wait_for_news(Duration::from_secs(60)), Wake::StopRequested);
        assert_eq!(thread.join().ok(), Some(Err(EmitRefused::Events)));
    }
}
