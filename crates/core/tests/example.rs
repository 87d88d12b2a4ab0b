//! The example of an embedder does what it says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of this is tests")]

use audit_who_core::rusqlite::Connection;
use audit_who_testkit::context::{Context, fixtures};

#[path = "../../../examples/deletions.rs"]
#[allow(dead_code, reason = "the program's own entry is not called")]
mod deletions;

#[test]
fn each_deletion_is_kept_once() {
    let text = std::fs::read_to_string(fixtures().join("owner-gc/audit.log")).unwrap();
    let (half, rest) = text.split_at(text[..text.len() / 2].rfind('\n').unwrap() + 1);
    let context = Context::new().unwrap();
    let log = context.write("audit.log", half).unwrap();
    let store = context.path().join("deletions.db");
    let keep = || deletions::keep(&store, std::slice::from_ref(&log), true).unwrap();
    let first = keep();
    std::fs::rename(&log, context.path().join("audit-2026-03-02T09-00-30.000.log")).unwrap();
    context.write("audit.log", rest).unwrap();
    let kept = first + keep();
    assert_eq!(keep(), 0);

    let is_deletion = |line: &&str| {
        line.contains(r#""stage":"ResponseComplete""#)
            && line.contains(r#""verb":"delete","#)
            && line.contains(r#""code":200}"#)
    };
    assert_eq!(kept, text.lines().filter(is_deletion).count());
    let connection = Connection::open(&store).unwrap();
    let query = "SELECT object FROM deletions WHERE username NOT LIKE 'system:%' ORDER BY time";
    let mut statement = connection.prepare(query).unwrap();
    let objects: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(objects, ["deployment shop/web"]);
    let count: i64 = connection.query_row("SELECT count(*) FROM deletions", [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(count).unwrap(), kept);
}
