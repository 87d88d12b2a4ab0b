//! What a program that runs for long says on standard error: a line a record, for people or machines.
//!
//! ```text
//! 2026-11-23T15:04:05Z WARN the store cannot be written path=/var/lib/audit.db waited=5s
//! ```

mod limit;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use audit_who_core::event::time::Timestamp;
use audit_who_render::{json_line, terminal};
use log::kv::{Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use self::limit::{Limit, Suppressed};

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

/// Writes records to standard error, the same message only so often.
struct Logger {
    form: Form,
    limit: Mutex<Limit>,
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

/// Begins to log. Only the first call counts.
pub(crate) fn start(form: Form, level: LevelFilter) {
    let logger = LOGGER.get_or_init(|| Logger { form, limit: Mutex::default() });
    if log::set_logger(logger).is_ok() {
        log::set_max_level(level);
    }
}

/// Tells how often messages were not told in an interval that is over.
pub(crate) fn tick() {
    if let Some(logger) = LOGGER.get() {
        logger.tell_suppressed(false);
    }
}

/// The present time.
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    Timestamp::from_micros(i64::try_from(now).unwrap_or(i64::MAX))
}

impl Logger {
    fn tell_suppressed(&self, all: bool) {
        let due = self.limit.lock().unwrap_or_else(PoisonError::into_inner).due(Instant::now(), all);
        for Suppressed { level, message, count } in due {
            let pairs = vec![("suppressed".to_owned(), Told::Count(count))];
            self.write(&Line { time: now(), level, message, pairs });
        }
    }

    fn write(&self, line: &Line) {
        let mut out = Vec::new();
        let written = match self.form {
            Form::Text => writeln!(out, "{}", line.text()),
            Form::Json => json_line(line, &mut out),
        };
        // That nothing can be told can't be told either.
        let _ = written.and_then(|()| io::stderr().lock().write_all(&out));
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level() && metadata.target().starts_with("audit_who")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        self.tell_suppressed(false);
        let message = record.args().to_string();
        let site = (record.file_static().unwrap_or_default(), record.line().unwrap_or_default());
        // Who wants to know everything gets it.
        let admitted = record.level() > Level::Info || {
            let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
            limit.admits(site, Instant::now(), record.level(), &message)
        };
        if admitted {
            let mut pairs = Pairs::default();
            // A pair that can't be visited is left out; ours never fail.
            let _ = record.key_values().visit(&mut pairs);
            self.write(&Line { time: now(), level: record.level(), message, pairs: pairs.0 });
        }
    }

    /// Tells how often messages were not told so far.
    fn flush(&self) {
        self.tell_suppressed(true);
    }
}

#[derive(Default)]
struct Pairs(Vec<(String, Told)>);

/// The value of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Text(String),
    Count(u64),
}

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        if let Some(count) = value.to_u64() {
            self.0.push((key.to_string(), Told::Count(count)));
            return Ok(());
        }
        let text = value.to_string();
        // A path comes as it is debugged, in quotes.
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let bare = bare.filter(|text| !text.contains(['"', '\\'])).map(str::to_owned);
        self.0.push((key.to_string(), Told::Text(bare.unwrap_or(text))));
        Ok(())
    }
}

/// One line of the log.
struct Line {
    time: Timestamp,
    level: Level,
    message: String,
    pairs: Vec<(String, Told)>,
}

impl Line {
    /// `TIME LEVEL message key=value …`; values are quoted where a reader could not tell where they end.
    fn text(&self) -> String {
        let mut text = format!("{} {} {}", self.seconds(), self.level, terminal::neutral(&self.message));
        for (key, value) in &self.pairs {
            // Writing to a String can't fail.
            let _ = write!(text, " {}={}", terminal::neutral(key), value.text());
        }
        text
    }

    fn seconds(&self) -> String {
        let time = self.time.to_string();
        time.split_once('.').map_or(time.clone(), |(seconds, _)| format!("{seconds}Z"))
    }
}

impl Told {
    fn text(&self) -> String {
        let text = match self {
            Self::Count(count) => return count.to_string(),
            Self::Text(text) => terminal::neutral(text),
        };
        let is_plain = !text.is_empty() && !text.contains([' ', '"', '=']);
        if is_plain { text.into_owned() } else { format!("\"{}\"", text.replace('"', "\\\"")) }
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &self.time)?;
        map.serialize_entry("level", self.level.as_str())?;
        map.serialize_entry("message", &self.message)?;
        for (key, value) in &self.pairs {
            match value {
                Told::Text(text) => map.serialize_entry(key, text)?,
                Told::Count(count) => map.serialize_entry(key, count)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str, pairs: &[(&str, &str)]) -> Line {
        let pairs =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), Told::Text((*value).to_owned()))).collect();
        let time = Timestamp::from_micros(1_795_412_710_504_068);
        Line { time, level: Level::Warn, message: message.to_owned(), pairs }
    }

    #[test]
    fn a_line_is_text_or_json() {
        let line = line("is full", &[("path", "/a b"), ("bytes", "12"), ("why", "x=\"y\""), ("empty", "")]);
        assert_eq!(
            line.text(),
            r#"2026-11-23T05:45:10Z WARN is full path="/a b" bytes=12 why="x=\"y\"" empty="""#
        );
        let mut json = Vec::new();
        json_line(&line, &mut json).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(read["time"], "2026-11-23T05:45:10.504068Z");
        assert_eq!(
            (&read["level"], &read["message"], &read["path"]),
            (&"WARN".into(), &"is full".into(), &"/a b".into())
        );
    }

    #[test]
    fn nothing_in_a_line_acts_on_a_terminal() {
        let line = line("a\u{1b}[2J\nb", &[("path", "/\u{202e}x\n2026 ERROR forged")]);
        assert!(!line.text().contains(terminal::is_hidden), "{}", line.text());
        let mut json = Vec::new();
        json_line(&line, &mut json).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert!(!json.trim_end().contains(terminal::is_hidden), "{json}");
    }
}
