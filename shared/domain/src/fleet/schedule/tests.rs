//! Tests of schedules: when they open and close, which are refused, and that the stored form is lossless.

use proptest::prelude::*;

use crate::fleet::schedule::config::Schedule;
use crate::fleet::schedule::error::ScheduleError;
use crate::fleet::schedule::opening::Opening;
use crate::fleet::schedule::window::Window;
use crate::timestamp::Timestamp;

/// Minutes after midnight UTC of a fixed day.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(20_000 * 86_400 + minutes * 60)
}

fn daily(start: &str, end: &str, offset: Option<&str>) -> Schedule {
    Schedule { window: Some(Window::parse(start, end, offset).unwrap()), ..Schedule::default() }
}

fn until(minutes: i64) -> Opening {
    Opening::Now { until: Some(at(minutes)) }
}

#[test]
fn without_a_schedule_it_is_always_open() {
    assert_eq!(Schedule::default().opening(at(0)), Opening::Now { until: None });
    assert_eq!(Schedule::default().check(at(0)), Ok(()));
}

#[test]
fn a_schedule_opens_at_not_before_and_ends_at_not_after() {
    let schedule = Schedule { not_before: Some(at(10)), not_after: Some(at(20)), window: None };
    assert_eq!(schedule.opening(at(9)), Opening::At(at(10)));
    assert_eq!(schedule.opening(at(10)), until(20));
    assert_eq!(schedule.opening(at(19)), until(20));
    assert_eq!(schedule.opening(at(20)), Opening::Never);
    assert_eq!(Schedule { not_after: None, ..schedule }.opening(at(10)), Opening::Now { until: None });
}

#[test]
fn a_window_opens_every_day() {
    let schedule = daily("09:30", "17:00", None);
    assert_eq!(schedule.opening(at(0)), Opening::At(at(570)));
    assert_eq!(schedule.opening(at(570)), until(1020));
    assert_eq!(schedule.opening(Timestamp::from_millis(at(1020).as_millis() - 1)), until(1020));
    assert_eq!(schedule.opening(at(1020)), Opening::At(at(1440 + 570)));
}

#[test]
fn a_window_may_cross_midnight() {
    let schedule = daily("22:00", "04:00", None);
    assert_eq!(schedule.opening(at(1320)), until(1440 + 240));
    assert_eq!(schedule.opening(at(0)), until(240));
    assert_eq!(schedule.opening(at(240)), Opening::At(at(1320)));
    assert_eq!(daily("22:00", "00:00", None).opening(at(1330)), until(1440));
}

#[test]
fn a_window_is_in_local_time_with_its_offset() {
    // 22:00 in the east is 20:00 UTC, and in the west it is 03:30 UTC on the next day.
    assert_eq!(daily("22:00", "04:00", Some("+02:00")).opening(at(1200)), until(1440 + 120));
    assert_eq!(daily("22:00", "23:00", Some("-05:30")).opening(at(0)), Opening::At(at(210)));
    assert_eq!(daily("22:00", "23:00", Some("Z")).opening(at(1320)), until(1380));
    assert_eq!(daily("00:10", "00:20", Some("+14:00")).opening(at(0)), Opening::At(at(610)));
}

#[test]
fn start_end_and_window_hold_together() {
    let schedule =
        Schedule { not_before: Some(at(300)), not_after: Some(at(1440 + 600)), ..daily("04:00", "12:00", None) };
    assert_eq!(schedule.opening(at(0)), Opening::At(at(300)), "the window is open before it may begin");
    assert_eq!(schedule.opening(at(300)), until(720));
    assert_eq!(schedule.opening(at(720)), Opening::At(at(1440 + 240)));
    assert_eq!(schedule.opening(at(1440 + 240)), until(1440 + 600));
    assert_eq!(schedule.opening(at(1440 + 600)), Opening::Never);
    let short = Schedule { not_after: Some(at(1440 + 240)), ..schedule };
    assert_eq!(short.opening(at(720)), Opening::Never, "the next opening is not before the end");
}

#[test]
fn a_schedule_without_any_opening_is_refused() {
    let now = at(0);
    let check = |from: Option<i64>, end: Option<i64>, window: Option<(&str, &str)>| {
        let window = window.map(|(start, end)| Window::parse(start, end, None).unwrap());
        Schedule { not_before: from.map(at), not_after: end.map(at), window }.check(now)
    };
    for (found, field) in [
        (check(Some(-6), None, None), "schedule.notBefore"),
        (check(Some(30 * 1440 + 1), None, None), "schedule.notBefore"),
        (check(None, Some(0), None), "schedule.notAfter"),
        (check(None, Some(-1), None), "schedule.notAfter"),
        (check(Some(10), Some(10), None), "schedule.notAfter"),
        (check(Some(10), Some(9), None), "schedule.notAfter"),
        (check(Some(10), Some(20), Some(("00:20", "00:10"))), "schedule.window"),
        (check(None, Some(20), Some(("00:20", "00:30"))), "schedule.window"),
    ] {
        let error = found.unwrap_err();
        assert_eq!(error.field(), field, "{error}");
        assert!(error.to_string().starts_with(field), "{error}");
    }
    assert_eq!(check(Some(-5), None, None), Ok(()), "clocks differ");
    assert_eq!(check(Some(30 * 1440), None, None), Ok(()));
    assert_eq!(check(Some(10), Some(21), Some(("00:20", "00:10"))), Ok(()));
}

#[test]
fn a_refused_time_or_offset_names_its_field() {
    let long = "2".repeat(100);
    for wrong in ["", "22", "22:0", "2:00", "24:00", "22:60", "+2:00", "22:00:00", " 22:00", "22:00Z", "２２:00", &long]
    {
        assert_eq!(Window::parse(wrong, "04:00", None).unwrap_err().field(), "schedule.window.start", "{wrong}");
        let error = Window::parse("04:00", wrong, None).unwrap_err();
        assert_eq!(error.field(), "schedule.window.end", "{wrong}");
        assert!(error.to_string().len() < 200);
    }
    for wrong in
        ["", "02:00", "+2", "+14:01", "-14:01", "+02:60", "z", "UTC", "Europe/Berlin", "+-2:00", "\u{2212}02:00"]
    {
        let error = Window::parse("22:00", "04:00", Some(wrong)).unwrap_err();
        assert_eq!(error.field(), "schedule.window.offset", "{wrong}");
    }
    assert_eq!(Window::parse("22:00", "22:00", None), Err(ScheduleError::EmptyWindow));
}

#[test]
fn an_invalid_stored_text_is_an_error() {
    for text in ["", "[]", r#"{"notBefore":"1"}"#, r#"{"window":["22:00","22:00","Z"]}"#, r#"{"cron":"*"}"#] {
        assert_eq!(Schedule::from_stored(text).unwrap_err().what, "schedule", "{text}");
    }
}

prop_compose! {
    pub(in crate::fleet) fn any_window()(start in 0..1440u16, length in 1..1440u16, offset in -840..=840i16) -> Window {
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let sign = if offset < 0 { '-' } else { '+' };
        let offset = format!("{sign}{}", time(offset.unsigned_abs()));
        Window::parse(&time(start), &time((start + length) % 1440), Some(&offset)).unwrap()
    }
}

proptest! {
    #[test]
    fn the_stored_form_is_lossless(
        from in proptest::option::of(any::<i64>()), end in proptest::option::of(any::<i64>()),
        window in proptest::option::of(any_window()),
    ) {
        let (not_before, not_after) = (from.map(Timestamp::from_millis), end.map(Timestamp::from_millis));
        let schedule = Schedule { not_before, not_after, window };
        prop_assert_eq!(Schedule::from_stored(&schedule.to_stored()).unwrap(), schedule);
    }

    /// The opening that is announced is there at its time, and the schedule stays open exactly until the announced end.
    #[test]
    fn an_announced_opening_or_end_holds_when_it_comes(
        window in proptest::option::of(any_window()), from in proptest::option::of(0..5000i64),
        end in proptest::option::of(0..5000i64), now in -2000..5000i64, millis in 0..60_000i64,
    ) {
        let schedule = Schedule { not_before: from.map(at), not_after: end.map(at), window };
        let now = Timestamp::from_millis(at(now).as_millis() + millis);
        let before = |at: Timestamp| Timestamp::from_millis(at.as_millis() - 1);
        match schedule.opening(now) {
            Opening::Never => {
                prop_assert!(schedule.not_after.is_some());
                prop_assert_eq!(schedule.opening(now.plus_seconds(3600)), Opening::Never);
            }
            Opening::At(opens) => {
                prop_assert!(opens > now);
                prop_assert!(matches!(schedule.opening(opens), Opening::Now { .. }), "{:?}", schedule.opening(opens));
                prop_assert_eq!(schedule.opening(before(opens)), Opening::At(opens));
            }
            Opening::Now { until: None } => prop_assert!(window.is_none() && end.is_none()),
            Opening::Now { until: Some(until) } => {
                prop_assert!(until > now);
                prop_assert_eq!(schedule.opening(before(until)), Opening::Now { until: Some(until) });
                let is_open = matches!(schedule.opening(until), Opening::Now { .. });
                prop_assert!(!is_open);
            }
        }
    }

    #[test]
    fn no_instant_overflows(window in any_window(), now: i64, from: i64, end: i64, millis: u64) {
        let [not_before, not_after] = [from, end].map(|at| Some(Timestamp::from_millis(at)));
        let now = Timestamp::from_millis(now);
        let with_window = Schedule { not_before, not_after, window: Some(window) };
        for schedule in [with_window, Schedule { not_before, ..Schedule::default() }] {
            schedule.opening(now);
            let _ = schedule.check(now);
            schedule.after_open_time(now, millis.into());
        }
    }

    #[test]
    fn open_time_equals_a_count_of_minutes(window in any_window(), now in 0..1440i64, minutes in 1..6000u32) {
        let schedule = Schedule { window: Some(window), ..Schedule::default() };
        let mut open = 0;
        let mut minute = now;
        while open < minutes {
            if matches!(schedule.opening(at(minute)), Opening::Now { .. }) {
                open += 1;
            }
            minute += 1;
        }
        prop_assert_eq!(schedule.after_open_time(at(now), u128::from(minutes) * 60_000), Some(at(minute)));
    }
}
