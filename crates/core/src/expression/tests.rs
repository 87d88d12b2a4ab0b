use audit_who_event::event::{Event, ResponseStatus, User};
use audit_who_event::json::Json;
use audit_who_event::selection::Predicate;
use audit_who_event::time::Timestamp;
use proptest::prelude::*;

use super::{Expression, Failures};

const BODY: &str = r#"{"spec":{"replicas":3,"big":18446744073709551615,"part":0.5,"none":null,
    "containers":[{"name":"a","env":[{"name":"X"}]},{"name":"b"}]}}"#;

fn event(body: Json<'_>) -> Event<'_> {
    Event {
        verb: "delete".into(),
        user: User {
            username: "maria".into(),
            groups: vec!["platform".into(), "system:masters".into()],
            extra: vec![("scopes".into(), vec!["all".into()])],
            ..User::default()
        },
        source_ips: vec!["192.0.2.17".into()],
        response_status: Some(ResponseStatus { code: 404, ..ResponseStatus::default() }),
        request_object: Some(body),
        stage_time: Timestamp::parse("2026-03-02T09:00:00.5Z"),
        annotations: vec![("authorization.k8s.io/decision".into(), "allow".into())],
        ..Event::default()
    }
}

fn body(text: &str) -> Json<'_> {
    Json::new(text).expect("JSON")
}

fn problem(text: &str) -> String {
    Expression::parse(text).map(|expression| expression.to_string()).expect_err(text).to_string()
}

#[test]
fn events_are_seen_under_the_names_of_the_api() {
    let body = body(BODY);
    for (text, met) in [
        (r#"event.verb == "delete" && event.user.groups.exists(g, g == "system:masters")"#, true),
        ("event.responseStatus.code >= 400", true),
        (r#""platform" in event.user.groups"#, true),
        (r#"event.user.extra["scopes"][0] == "all""#, true),
        (r#"event.annotations["authorization.k8s.io/decision"] == "allow""#, true),
        ("event.requestObject.spec.replicas == 3 && event.requestObject.spec.replicas - 1 < 3", true),
        ("event.requestObject.spec.part < 1.0 && event.requestObject.spec.big > 1u", true),
        ("event.requestObject.spec.none == null", true),
        (r#"event.requestObject.spec.containers.exists(c, c.env.exists(e, e.name == "X"))"#, true),
        (r#"event.sourceIPs.all(ip, ip.startsWith("192.0.2."))"#, true),
        (r#"event.stageTimestamp > timestamp("2026-03-02T09:00:00Z")"#, true),
        (r#"event.user.username.matches("^mar")"#, true),
        // What is not there is empty, or decides nothing.
        (r#"event.impersonatedUser.username == """#, true),
        (r#"event.objectRef.namespace == "shop""#, false),
        ("event.responseObject.spec.replicas == 3", false),
        ("!(event.responseObject.spec.replicas == 3)", false),
        (r#"event.responseObject.spec.replicas == 3 || event.verb == "delete""#, true),
        ("has(event.responseObject.spec)", false),
        ("has(event.requestObject.spec)", true),
        (r#"event.sourceIPs[7] == "a""#, false),
    ] {
        let expression = Expression::parse(text).expect(text);
        assert_eq!(expression.holds(&event(body)), met, "{text}");
        assert_eq!(expression.failures(), Failures::default(), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_before_anything_is_read() {
    for (text, told) in [
        ("event.verb = 'x'", "at character 12: "),
        ("event.verb ==", "at character 14: "),
        ("event.verb == 'x' &&\n foo", "at line 2, character 2: foo is not known; the variable is `event`"),
        ("false && evnt.verb == 'x'", "at character 10: evnt is not known"),
        ("false && event.verb.lower() == 'x'", "there is no function lower"),
        ("event.verb > 3", "found no matching overload"),
        ("event.verb", "it gives a string, not true or false"),
        ("", "can't read the condition"),
    ] {
        let problem = problem(text);
        assert!(problem.contains(told), "{problem}");
        assert!(problem.contains("give an expression in CEL on `event`"), "{problem}");
    }
}

#[test]
fn deep_and_long_expressions_are_refused() {
    for (before, middle, after) in [
        ("(", "true", ")"),
        ("[", "1", "]"),
        ("!", "true", ""),
        ("1+", "1 == 1", ""),
        ("true&&", "true", ""),
        ("", "event", ".a"),
        ("true?true:", "true", ""),
        ("[1].exists(x,", "true", ")"),
        ("{1:", "1", "}"),
        (")(", "", ""),
    ] {
        let times = 1900 / (before.len() + after.len());
        let text = format!("{}{middle}{}", before.repeat(times), after.repeat(times));
        // A run of `!` or `&&` is one call to the parser; whatever it makes of the others must not overflow.
        if Expression::parse(&text).is_ok() {
            assert!(["!", "true&&"].contains(&before), "{before}");
        }
    }
    assert!(problem(&" ".repeat(3000)).contains("longer than 2048 bytes"));
}

#[test]
fn large_events_are_not_looped_through_in_loops() {
    let large = format!("[{}1]", "1,".repeat(9_999));
    let large = body(&large);
    let nested =
        Expression::parse("event.requestObject.all(x, event.requestObject.all(y, x == y))").expect("CEL");
    assert!(!nested.holds(&event(large)));
    assert_eq!(nested.failures().count, 1);
    assert!(nested.failures().example.contains("too large for 2 loops"), "{:?}", nested.failures());
    let flat = Expression::parse("event.requestObject.all(x, x == 1)").expect("CEL");
    assert!(flat.holds(&event(large)));
}

#[test]
fn failures_are_counted() {
    let body = body(r#"{"replicas":"three"}"#);
    let expression = Expression::parse("event.requestObject.replicas > 2").expect("CEL");
    assert!(!expression.holds(&event(body)) && !expression.holds(&event(body)));
    let failures = expression.failures();
    assert_eq!(failures.count, 2);
    assert!(failures.example.contains("(string, int)"), "{}", failures.example);
}

proptest! {
    #[test]
    fn no_text_panics(
        text in "\\PC{0,40}",
        pieces in proptest::collection::vec(
            proptest::sample::select(&[
                "event", ".verb", ".user", "[0]", "(", ")", "!", "-", "==", "&&", "||", "in", "1", "'a'", "\"", "?", ":",
                ".exists(", "x", ",", "has(", "{", "}", "1u", "0x", "1e999", "b'\\xff'", "r'\\'", "'\\u12'", "null",
                ".matches(", "timestamp(", "duration(", "size(", "`", "\n", "//",
            ][..]),
            0..12,
        ),
    ) {
        for text in [text, pieces.concat(), pieces.join(" ")] {
            if let Ok(expression) = Expression::parse(&text) {
                expression.holds(&event(body(BODY)));
            }
        }
    }
}
