//! The text form of an audit entry, which `--audit-log-format=legacy` writes.
//!
//! ```text
//! 2026-11-23T06:58:08.885920983Z AUDIT: id="…" stage="ResponseComplete" ip="10.0.0.1" method="delete" user="alice"
//! groups="\"sre\",\"dev\"" as="<self>" asgroups="<lookup>" user-agent="kubectl/v1.32.4" namespace="shop"
//! uri="/api/v1/namespaces/shop/pods/web-1" response="200"
//! ```
//!
//! The API server writes the same form into its own log for entries that it could not write anywhere else. The form is
//! that of [`EventString`](https://github.com/kubernetes/apiserver/blob/master/pkg/audit/format.go).

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while_m_n, take_while1};
use nom::character::complete::{anychar, char, one_of};
use nom::combinator::{all_consuming, map, map_opt, opt, recognize};
use nom::multi::{fold_many0, many0_count, separated_list0};
use nom::sequence::{delimited, preceded, separated_pair};
use nom::{IResult, Parser};

use crate::event::{Event, ObjectRef, ResponseStatus, User};
use crate::time::Timestamp;
use crate::uri;

/// What stands between the time and the first value.
const MARK: &[u8] = b" AUDIT: id=\"";

/// Lengths in bytes that an RFC 3339 time with up to nine digits of fraction can have.
const TIME_LENGTHS: std::ops::RangeInclusive<usize> = 20..=35;

/// The keys that mean something here, in the order of the line.
const KEYS: [&str; 12] = [
    "id",
    "stage",
    "ip",
    "method",
    "user",
    "groups",
    "as",
    "asgroups",
    "user-agent",
    "namespace",
    "uri",
    "response",
];

/// The keys without which a line is no entry. Older servers wrote no `user-agent`.
const REQUIRED: [&str; 6] = ["id", "stage", "method", "user", "uri", "response"];

/// Reads the first legacy entry in a line, and tells which bytes hold it; `None` if there is none.
///
/// Any text may stand before the entry's time, and after its end: a caller reads on behind the span. In whole JSON text
/// this finds nothing that is an entry, but it may find a broken one that a client put there: try JSON first.
///
/// The line gives the time when the request came in, whatever the stage; it is taken for the stage's time too. It does
/// not give the level, which is left empty. The object is the one that the URI names. An error says why the bytes of the
/// span are no whole entry.
pub fn parse(line: &[u8]) -> Option<(Range<usize>, Result<Event<'_>, String>)> {
    let mut marks = memmem::find_iter(line, MARK);
    let first = marks.next()?;
    // Values have their quotes escaped, so a second mark is never part of the first entry: a line end was lost.
    let end = marks.find_map(|mark| time_before(line, mark)).map_or(line.len(), |(start, _)| start);
    let Some((start, time)) = time_before(line, first) else {
        return Some((0..end, Err("a legacy audit line without its time".to_owned())));
    };
    let body_at = first + " AUDIT: ".len();
    let Ok(body) = str::from_utf8(&line[body_at..end]) else {
        return Some((start..end, Err("a legacy audit line that is not UTF-8".to_owned())));
    };
    match values(body).and_then(|(rest, values)| Ok((rest, event(time, values)?))) {
        Ok((rest, event)) => Some((start..end - rest.len(), Ok(event))),
        Err(problem) => Some((start..end, Err(problem))),
    }
}

/// The time that ends right before `mark`, and where it starts.
fn time_before(line: &[u8], mark: usize) -> Option<(usize, Timestamp)> {
    TIME_LENGTHS.filter_map(|length| mark.checked_sub(length)).find_map(|start| {
        let text = str::from_utf8(&line[start..mark]).ok()?;
        Some((start, Timestamp::parse(text)?))
    })
}

/// One value a key, in the order of [`KEYS`].
type Values<'a> = [Option<Cow<'a, str>>; KEYS.len()];

/// Reads `key="value"` pairs up to the one of `response`, which is the last; gives what is behind it. Keys that a newer
/// server may write are passed over.
fn values(body: &str) -> Result<(&str, Values<'_>), String> {
    let mut values = Values::default();
    let mut rest = body;
    loop {
        let Ok((behind, (key, value))) = pair(rest) else {
            let at = body.len() - rest.len();
            return Err(format!(
                "a legacy audit line that breaks off or is no key=\"value\" {at} bytes after AUDIT:"
            ));
        };
        rest = behind;
        let slot = KEYS.iter().position(|known| *known == key).map(|known| &mut values[known]);
        if slot.is_some_and(|slot| slot.replace(value).is_some()) {
            return Err(format!("a legacy audit line that gives {key} twice"));
        }
        if key == "response" {
            return Ok((rest, values));
        }
        (rest, _) = opt(char::<_, nom::error::Error<&str>>(' ')).parse(rest).unwrap_or((rest, None));
    }
}

/// Builds the event from the values of a line.
fn event(time: Timestamp, values: Values<'_>) -> Result<Event<'_>, String> {
    let is_missing =
        |key: &&&str| KEYS.iter().zip(&values).any(|(known, value)| known == *key && value.is_none());
    if let Some(key) = REQUIRED.iter().find(is_missing) {
        return Err(format!("a legacy audit line without {key}"));
    }
    let [id, stage, ip, method, user, groups, as_user, as_groups, user_agent, namespace, uri, response] =
        values.map(Option::unwrap_or_default);
    let impersonated_user = match as_user.as_ref() {
        "<self>" | "" => None,
        _ => Some(User { username: as_user, groups: group_list(&as_groups)?, ..User::default() }),
    };
    Ok(Event {
        audit_id: id,
        stage,
        verb: method,
        user: User { username: unless("<none>", user), groups: group_list(&groups)?, ..User::default() },
        impersonated_user,
        source_ips: if ip.is_empty() || ip == "<unknown>" { Vec::new() } else { vec![ip] },
        user_agent,
        object_ref: object(&uri, unless("<none>", namespace)),
        response_status: status(&response)?,
        request_uri: uri,
        received: Some(time),
        stage_time: Some(time),
        ..Event::default()
    })
}

/// The value, or nothing where it is the placeholder.
fn unless<'a>(placeholder: &str, value: Cow<'a, str>) -> Cow<'a, str> {
    if value == placeholder { Cow::default() } else { value }
}

/// The object that the URI names, in the namespace that the line names.
fn object<'a>(uri: &Cow<'a, str>, namespace: Cow<'a, str>) -> Option<ObjectRef<'a>> {
    let mut object = match uri {
        Cow::Borrowed(uri) => uri::object_ref(uri),
        Cow::Owned(uri) => uri::object_ref(uri).map(uri::into_owned),
    }?;
    if !namespace.is_empty() {
        object.namespace = namespace;
    }
    Some(object)
}

/// The status of a response, or none before there is one.
fn status(response: &str) -> Result<Option<ResponseStatus<'static>>, String> {
    if response == "<deferred>" {
        return Ok(None);
    }
    let code =
        response.parse().map_err(|_| "a legacy audit line whose response is no status code".to_owned())?;
    Ok(Some(ResponseStatus { code, ..ResponseStatus::default() }))
}

/// The groups in a value: each quoted on its own, joined by commas. Placeholders are no groups.
fn group_list(value: &str) -> Result<Vec<Cow<'static, str>>, String> {
    if matches!(value, "<none>" | "<lookup>") {
        return Ok(Vec::new());
    }
    let (_, groups) =
        all_consuming(separated_list0(char(','), map(quoted, |group| Cow::Owned(group.into_owned()))))
            .parse(value)
            .map_err(|_| "a legacy audit line whose groups are not quoted one by one".to_owned())?;
    Ok(groups)
}

/// `key="value"`, the value unescaped.
fn pair(input: &str) -> IResult<&str, (&str, Cow<'_, str>)> {
    let key = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '-');
    separated_pair(key, char('='), quoted).parse(input)
}

/// A string as Go's `%q` writes it; borrowed where nothing is escaped.
fn quoted(input: &str) -> IResult<&str, Cow<'_, str>> {
    let escape = preceded(char('\\'), anychar);
    let content = recognize(many0_count(alt((map(is_not("\"\\"), |_| ()), map(escape, |_| ())))));
    map_opt(delimited(char('"'), content, char('"')), unescape).parse(input)
}

/// What one part of a quoted string stands for.
enum Part<'a> {
    Text(&'a str),
    Char(char),
    /// A byte of what may not be UTF-8.
    Byte(u8),
}

/// Replaces escapes by what they stand for; `None` if one is none of Go's. What is no UTF-8 becomes U+FFFD, as in the
/// JSON form.
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let part = alt((map(is_not("\\"), Part::Text), preceded(char('\\'), escaped)));
    let (_, bytes) = all_consuming(fold_many0(part, Vec::new, |mut bytes: Vec<u8>, part| {
        match part {
            Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Part::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Part::Byte(byte) => bytes.push(byte),
        }
        bytes
    }))
    .parse(text)
    .ok()?;
    Some(Cow::Owned(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    ))
}

/// What follows a backslash.
fn escaped(input: &str) -> IResult<&str, Part<'_>> {
    alt((
        map_opt(one_of("\\\"'nrtabfv"), |letter| {
            Some(Part::Byte(match letter {
                'n' => b'\n',
                'r' => b'\r',
                't' => b'\t',
                'a' => 0x07,
                'b' => 0x08,
                'f' => 0x0c,
                'v' => 0x0b,
                itself => u8::try_from(itself).ok()?,
            }))
        }),
        preceded(tag("x"), map_opt(hex(2), |byte| u8::try_from(byte).ok().map(Part::Byte))),
        preceded(tag("u"), map_opt(hex(4), |code| char::from_u32(code).map(Part::Char))),
        preceded(tag("U"), map_opt(hex(8), |code| char::from_u32(code).map(Part::Char))),
    ))
    .parse(input)
}

/// A number of exactly so many hexadecimal digits.
fn hex<'a>(digits: usize) -> impl Parser<&'a str, Output = u32, Error = nom::error::Error<&'a str>> {
    let run = take_while_m_n(digits, digits, |c: char| c.is_ascii_hexdigit());
    map_opt(run, |run| u32::from_str_radix(run, 16).ok())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::*;

    const LINE: &str = concat!(
        r#"2026-11-23T05:46:54.894646386Z AUDIT: id="1ffb5f14" stage="ResponseComplete" ip="10.0.0.1" method="create" "#,
        r#"user="alice" groups="\"sre\",\"a\\\"b\"" as="<self>" asgroups="<lookup>" user-agent="kubectl/v1.32.4 (\x1b[2J)" "#,
        r#"namespace="shop" uri="/api/v1/namespaces/shop/pods/web-1/eviction?dryRun=All" response="201""#
    );

    fn event_of(line: &str) -> Event<'_> {
        parse(line.as_bytes()).expect("an entry").1.expect("a whole entry")
    }

    fn problem_of(line: &str) -> String {
        parse(line.as_bytes()).expect("an entry").1.expect_err("a broken entry")
    }

    #[test]
    fn every_field_is_read() {
        let event = event_of(LINE);
        let time = Timestamp::parse("2026-11-23T05:46:54.894646Z");
        assert_eq!((event.received, event.stage_time), (time, time));
        assert_eq!((event.audit_id.as_ref(), event.stage.as_ref()), ("1ffb5f14", "ResponseComplete"));
        assert_eq!((event.verb.as_ref(), event.level.as_ref()), ("create", ""));
        assert_eq!(event.source_ips, ["10.0.0.1"]);
        assert_eq!(event.user.username, "alice");
        assert_eq!(event.user.groups, ["sre", "a\"b"]);
        assert!(event.impersonated_user.is_none());
        assert_eq!(event.user_agent, "kubectl/v1.32.4 (\u{1b}[2J)");
        let object = event.object_ref.expect("a resource");
        assert_eq!((object.namespace.as_ref(), object.name.as_ref()), ("shop", "web-1"));
        assert_eq!((object.resource.as_ref(), object.subresource.as_ref()), ("pods", "eviction"));
        assert_eq!(event.response_status.map(|status| status.code), Some(201));
        assert!(matches!(event.request_uri, Cow::Borrowed(_)));
    }

    #[test]
    fn placeholders_are_no_values() {
        let line = LINE
            .replace("\"alice\"", "\"<none>\"")
            .replace("\"10.0.0.1\"", "\"<unknown>\"")
            .replace("\"shop\"", "\"<none>\"")
            .replace("\"201\"", "\"<deferred>\"");
        let event = event_of(&line);
        assert!(
            event.user.username.is_empty() && event.source_ips.is_empty() && event.response_status.is_none()
        );
        assert_eq!(event.object_ref.expect("a resource").namespace, "shop");
        let line = LINE.replace("\"<self>\"", "\"bob\"").replace("\"<lookup>\"", r#""\"dev\"""#);
        let bob = event_of(&line).impersonated_user.expect("bob");
        assert_eq!((bob.username.as_ref(), bob.groups[0].as_ref()), ("bob", "dev"));
    }

    #[test]
    fn the_span_leaves_out_what_is_around() {
        let line = format!("Impacted events: {LINE}\r");
        let (span, event) = parse(line.as_bytes()).expect("an entry");
        assert!(event.is_ok());
        assert_eq!(&line[span], LINE);
    }

    #[test]
    fn a_lost_line_end_costs_the_torn_entry_alone() {
        let line = format!("{}{LINE}{LINE}", &LINE[..90]);
        let (torn, event) = parse(line.as_bytes()).expect("an entry");
        assert!(event.is_err());
        assert_eq!(torn, 0..90);
        let (whole, event) = parse(&line.as_bytes()[90..]).expect("an entry");
        assert!(event.is_ok());
        assert_eq!(whole, 0..LINE.len());
    }

    #[test]
    fn broken_lines_say_what_is_broken() {
        assert!(parse(b"I1123 05:52:39.098794 controller.go:176] AUDIT: shutdown").is_none());
        assert!(parse(br#"{"userAgent":"2026-11-23T05:46:54Z AUDIT: id=\"x\""}"#).is_none());
        assert_eq!(problem_of(&LINE[5..]), "a legacy audit line without its time");
        assert_eq!(
            problem_of(&LINE[..60]),
            "a legacy audit line that breaks off or is no key=\"value\" 14 bytes after AUDIT:"
        );
        assert_eq!(problem_of(&LINE.replace(" uri=", " url=")), "a legacy audit line without uri");
        assert_eq!(problem_of(&LINE.replace(" ip=", " user=")), "a legacy audit line that gives user twice");
        assert!(problem_of(&LINE.replace("201", "2o1")).contains("no status code"));
        assert!(problem_of(&LINE.replace(r#"\"sre\""#, "sre")).contains("not quoted one by one"));
        assert!(problem_of(&LINE.replace(r"\x1b", r"\q")).contains("no key=\"value\""));
    }

    /// What Go's `%q` makes of a string.
    fn go_quote(text: &str) -> String {
        let escape = |c: char| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\u{7}' => "\\a".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            c if c.is_alphanumeric() || c == ' ' || c.is_ascii_graphic() => c.to_string(),
            c if c.is_ascii() => format!("\\x{:02x}", u32::from(c)),
            c if u32::from(c) < 0x10000 => format!("\\u{:04x}", u32::from(c)),
            c => format!("\\U{:08x}", u32::from(c)),
        };
        let inner: Vec<_> = text.chars().map(escape).collect();
        format!("\"{}\"", inner.concat())
    }

    #[test]
    fn the_recorded_log_is_read_to_its_last_line() {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        let folder = std::env::var_os("AUDIT_WHO_SHARED_DATA").map_or_else(beside, PathBuf::from);
        let path = folder.join("k8s-1.36/legacy/audit-legacy-format.log");
        let Ok(log) = std::fs::read(&path) else {
            println!("skipped: {} is not there", path.display());
            return;
        };
        let lines: Vec<_> = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        for line in &lines {
            let (span, event) = parse(line).expect("an entry");
            let event = event.expect("a whole entry");
            assert_eq!(span, 0..line.len());
            assert_eq!(event.user.username, "system:apiserver");
            assert_eq!(event.user.groups, ["system:authenticated", "system:masters"]);
            assert_eq!(event.response_status.is_none(), event.stage == "RequestReceived");
        }
        assert_eq!(lines.len(), 683);
    }

    proptest! {
        #[test]
        fn what_go_writes_is_read_back(
            agent in any::<String>(),
            groups in prop::collection::vec(any::<String>(), 1..4),
            user in "[^<]\\PC{0,10}",
        ) {
            let list: Vec<_> = groups.iter().map(|group| go_quote(group)).collect();
            let line = format!(
                "2026-11-23T05:46:54.1Z AUDIT: id=\"x\" stage=\"Panic\" ip=\"::1\" method=\"get\" user={} groups={} \
                 as=\"<self>\" asgroups=\"<lookup>\" user-agent={} namespace=\"<none>\" uri=\"/\" response=\"500\"",
                go_quote(&user), go_quote(&list.join(",")), go_quote(&agent),
            );
            let event = event_of(&line);
            prop_assert_eq!(event.user_agent.as_ref(), agent.as_str());
            prop_assert_eq!(event.user.username.as_ref(), user.as_str());
            prop_assert_eq!(&event.user.groups, &groups);
        }

        #[test]
        fn no_bytes_panic(
            bytes in any::<Vec<u8>>(),
            at in 0..LINE.len(),
            text in "(AUDIT: id=\"|2026-11-23T05:46:54Z |[\\\\\"xuU0= ]|\\PC){0,8}",
        ) {
            for middle in [bytes, text.into_bytes()] {
                let line = [&LINE.as_bytes()[..at], &middle, &LINE.as_bytes()[at..]].concat();
                if let Some((span, _)) = parse(&line) {
                    prop_assert!(span.start < span.end && span.end <= line.len());
                }
                let _ = parse(&middle);
            }
        }
    }
}
