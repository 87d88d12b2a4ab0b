//! What a look wants, as SQL.
//!
//! Each filter becomes one query that yields the numbers of records, over an index that is named: which one is best is
//! known from what filters ask for, and a query that could not use it would fail instead of reading everything.

use std::fmt::Write;

use audit_who_event::filter::Filter;
use audit_who_event::glob::Glob;
use audit_who_event::time::Timestamp;
use rusqlite::types::Value;

/// Indexes that are in the order of times at their end.
const BY_TIME: &[&str] =
    &["records_by_time", "records_by_kind", "records_by_user", "records_by_impersonated"];

/// How many patterns go into one query.
const PATTERNS: usize = 500;

/// A statement with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
}

/// The records that may meet one of `filters`; `None` if every one may.
pub(super) fn queries(filters: &[Filter]) -> Option<Vec<Query>> {
    let mut queries = Vec::new();
    for filter in filters {
        let few = filter.names.chunks(PATTERNS).map(Some);
        let parts: Vec<_> = if filter.names.is_empty() { vec![None] } else { few.collect() };
        for names in parts {
            queries.extend(of_filter(filter, names.unwrap_or_default())?);
        }
    }
    Some(queries)
}

/// The kinds of events that `filters` want, whatever else they ask for: resource, verb, group, subresource, stage, level.
pub(super) fn kinds(filters: &[Filter]) -> Vec<Query> {
    let of = |filter: &Filter| {
        let mut found = Conditions::default();
        found.kind(filter);
        let columns = "resource, verb, api_group, subresource, stage, level";
        Query { sql: found.of_kinds.select_kinds(columns), parameters: found.of_kinds.parameters }
    };
    filters.iter().map(of).collect()
}

/// `None` if every record may meet the filter.
fn of_filter(filter: &Filter, names: &[Glob]) -> Option<Vec<Query>> {
    let mut found = Conditions::default();
    found.issued(filter.issued.as_deref());
    found.uid(filter.uid.as_deref());
    found.names(names, is_told_otherwise(filter, names));
    found.impersonated(filter.impersonated.as_ref());
    found.username(filter.username.as_ref());
    found.kind(filter);
    found.namespace(filter.namespace.as_ref());
    found.into_queries(filter.from, filter.until)
}

/// Whether what a filter asks for beside a pattern for names leaves fewer records than have a name that the pattern may
/// match: a kind or a namespace within a time, or a resource where all words have to be gone through for the pattern.
fn is_told_otherwise(filter: &Filter, names: &[Glob]) -> bool {
    let has_kind = filter.resource.is_some() || !filter.verbs.is_empty();
    let has_place = has_kind || filter.namespace.as_ref().is_some_and(|namespace| !namespace.is_any());
    let is_within = filter.from.is_some_and(|from| from > Timestamp::MIN);
    let has_prefix = |name: &Glob| name.literal().is_some() || !prefix(name).is_empty();
    let is_open = names.iter().any(|name| name.literal().is_none());
    is_open && (is_within && has_place || filter.resource.is_some() && !names.iter().all(has_prefix))
}

/// Conditions with their parameters, all of which must hold.
#[derive(Clone, Debug, Default)]
struct All {
    conditions: Vec<String>,
    parameters: Vec<Value>,
}

impl All {
    fn add(&mut self, condition: impl Into<String>, parameters: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.into());
        self.parameters.extend(parameters);
    }

    const fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    fn sql(&self) -> String {
        self.conditions.join(" AND ")
    }

    fn select_kinds(&self, columns: &str) -> String {
        let condition = if self.is_empty() { String::new() } else { format!(" WHERE {}", self.sql()) };
        format!("SELECT {columns} FROM kinds{condition}")
    }
}

/// What is asked of records, and the index to look in: that of the rarest thing that is asked for.
#[derive(Clone, Debug, Default)]
struct Conditions {
    of_records: All,
    of_kinds: All,
    index: Option<&'static str>,
}

impl Conditions {
    fn over(&mut self, index: &'static str) {
        self.index.get_or_insert(index);
    }

    fn issued(&mut self, issued: Option<&str>) {
        let Some(issued) = issued else { return };
        self.of_records.add("issued = ?", [text(issued)]);
        self.over("records_by_issued");
    }

    fn uid(&mut self, uid: Option<&str>) {
        let Some(uid) = uid else { return };
        self.of_records.add("uid = (SELECT id FROM words WHERE word = ?)", [text(uid)]);
        self.over("records_by_uid");
    }

    /// With `other`, another index is better: then each record's name is looked up.
    fn names(&mut self, names: &[Glob], other: bool) {
        if names.is_empty() || names.iter().any(Glob::is_any) {
            return;
        }
        if other {
            let (condition, parameters) = of_word(names);
            let sql = format!("EXISTS (SELECT 1 FROM words WHERE words.id = records.name AND ({condition}))");
            return self.of_records.add(sql, parameters);
        }
        let (words, parameters) = words(names);
        self.of_records.add(format!("name IN ({words})"), parameters);
        // Lists and collections have no name, and there are many of them.
        if !names.iter().any(|name| name.matches("")) {
            self.over("records_by_name");
        }
    }

    fn impersonated(&mut self, name: Option<&Glob>) {
        let Some(name) = name else { return };
        if name.is_any() {
            self.of_records.add("impersonated > 0", []);
        } else {
            let (words, parameters) = words(std::slice::from_ref(name));
            self.of_records.add(format!("impersonated IN ({words})"), parameters);
        }
        self.over("records_by_impersonated");
    }

    fn username(&mut self, name: Option<&Glob>) {
        let Some(name) = name.filter(|name| !name.is_any()) else { return };
        if name.matches("") {
            // Nobody logged in.
            self.of_records.add("username IS NULL", []);
        } else {
            let (words, parameters) = words(std::slice::from_ref(name));
            self.of_records.add(format!("username IN ({words})"), parameters);
        }
        self.over("records_by_user");
    }

    fn kind(&mut self, filter: &Filter) {
        let kinds = &mut self.of_kinds;
        if let Some(resource) = &filter.resource {
            kinds.add("resource = ?", [text(resource)]);
        }
        if !filter.verbs.is_empty() {
            kinds.add(any_of("verb", filter.verbs.len()), filter.verbs.iter().map(|verb| text(verb)));
        }
        if !filter.groups.is_empty() {
            kinds
                .add(any_of("api_group", filter.groups.len()), filter.groups.iter().map(|group| text(group)));
        }
        if !self.of_kinds.is_empty() {
            self.over("records_by_kind");
        }
    }

    fn namespace(&mut self, namespace: Option<&Glob>) {
        let Some(namespace) = namespace.filter(|namespace| !namespace.is_any()) else { return };
        let (words, parameters) = words(std::slice::from_ref(namespace));
        self.of_records.add(format!("namespace IN ({words})"), parameters);
        // Without a kind all of them are gone through, of which there are few.
        self.over("records_by_kind");
    }

    /// Records without a stage time are at any time.
    fn into_queries(self, from: Option<Timestamp>, until: Option<Timestamp>) -> Option<Vec<Query>> {
        let Self { mut of_records, of_kinds, index } = self;
        if index == Some("records_by_kind") || !of_kinds.is_empty() {
            of_records.add(format!("kind IN ({})", of_kinds.select_kinds("id")), of_kinds.parameters);
        }
        let from = from.filter(|from| *from > Timestamp::MIN).map(Timestamp::as_micros);
        let until = until.filter(|until| *until < Timestamp::MAX).map(Timestamp::as_micros);
        if from.is_none() && until.is_none() {
            return index.map(|index| vec![query(index, of_records)]);
        }
        let index = index.unwrap_or("records_by_time");
        let bounds = [Value::from(from.unwrap_or(i64::MIN)), Value::from(until.unwrap_or(i64::MAX))];
        if !BY_TIME.contains(&index) {
            of_records.add("(stage_us BETWEEN ? AND ? OR stage_us IS NULL)", bounds);
            return Some(vec![query(index, of_records)]);
        }
        let mut within = of_records.clone();
        within.add("stage_us BETWEEN ? AND ?", bounds);
        of_records.add("stage_us IS NULL", []);
        Some(vec![query(index, within), query(index, of_records)])
    }
}

fn query(index: &str, all: All) -> Query {
    let sql = format!("SELECT id FROM records INDEXED BY {index} WHERE {}", all.sql());
    Query { sql, parameters: all.parameters }
}

/// A query for the numbers of the words that one of the patterns may match.
fn words(patterns: &[Glob]) -> (String, Vec<Value>) {
    let (condition, parameters) = of_word(patterns);
    (format!("SELECT id FROM words WHERE {condition}"), parameters)
}

/// The condition that a word may match one of the patterns.
fn of_word(patterns: &[Glob]) -> (String, Vec<Value>) {
    let (literals, globs): (Vec<&Glob>, Vec<&Glob>) =
        patterns.iter().partition(|glob| glob.literal().is_some());
    let mut parameters: Vec<Value> = literals.iter().filter_map(|glob| glob.literal()).map(text).collect();
    let mut conditions = Vec::new();
    if !parameters.is_empty() {
        conditions.push(any_of("word", parameters.len()));
    }
    for glob in globs {
        let prefix = prefix(glob);
        let mut condition = "instr(word, ?) > 0".to_owned();
        parameters.push(text(glob.longest_literal()));
        // All words with a prefix stand behind each other.
        if !prefix.is_empty() {
            condition.push_str(" AND word >= ?");
            parameters.push(text(&prefix));
            if let Some(end) = behind(&prefix) {
                condition.push_str(" AND word < ?");
                parameters.push(text(&end));
            }
        }
        conditions.push(condition);
    }
    (conditions.join(" OR "), parameters)
}

/// What stands in front of the first star of a pattern.
fn prefix(pattern: &Glob) -> String {
    pattern.to_string().split('*').next().unwrap_or_default().to_owned()
}

fn any_of(column: &str, count: usize) -> String {
    let mut sql = format!("{column} IN (");
    for index in 0..count {
        let _ = write!(sql, "{}?", if index == 0 { "" } else { ", " });
    }
    sql.push(')');
    sql
}

/// The first text behind all that begin with `prefix`; `None` if there is none.
fn behind(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // Between the two ends of the range lie the surrogates, which are no characters.
        let next = (u32::from(last) + 1..=0x10_ffff).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
