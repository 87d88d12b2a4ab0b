//! What a look wants, as SQL.
//!
//! Each filter becomes a few queries that yield the numbers of records, over an index that is named: which one is best is
//! known from what filters ask for, and a query that could not use it would fail instead of reading everything.

use audit_who_event::filter::Filter;
use audit_who_event::glob::Glob;
use audit_who_event::share::{FAILED, Kind, Share};
use audit_who_event::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use super::kinds::{Kinds, Wanted};
use super::together::together;
use super::words::{any_of, is_open, of_word, text, words};

const BY_TIME: &str = "records_by_time";
const BY_NAME: &str = "records_by_name";
const BY_KIND: &str = "records_by_kind";
const BY_USER: &str = "records_by_user";
const BY_IMPERSONATED: &str = "records_by_impersonated";
const BY_UID: &str = "records_by_uid";
const BY_ISSUED: &str = "records_by_issued";
/// Of requests that failed alone; since schema 2.
const BY_FAILURE: &str = "records_by_failure";

/// Indexes that are in the order of times at their end.
const IN_ORDER: &[&str] = &[BY_TIME, BY_NAME, BY_KIND, BY_USER, BY_IMPERSONATED];

/// How many patterns go into one query.
const PATTERNS: usize = 500;

/// For how many kinds each is looked up by name: of more, the records with a name are fewer.
const FEW_KINDS: usize = 32;

/// A statement with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
}

/// What of a store decides how it is best asked.
#[derive(Debug)]
pub(super) struct Planner {
    kinds: Kinds,
    /// Whether there are records without a stage time.
    timeless: bool,
    /// Whether there is an index of what failed.
    failures: bool,
}

impl Planner {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let is_there = |sql: &str| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row([], |_| Ok(())).optional().map(|row| row.is_some())
        };
        let timeless = format!("SELECT 1 FROM records INDEXED BY {BY_TIME} WHERE stage_us IS NULL LIMIT 1");
        let failures = format!("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = '{BY_FAILURE}'");
        Ok(Self {
            kinds: Kinds::load(connection)?,
            timeless: is_there(&timeless)?,
            failures: is_there(&failures)?,
        })
    }

    /// The records that may meet one of `filters`, of each kind the `share` that is wanted; `None` if every one may.
    pub(super) fn queries(
        &self,
        filters: &[Filter],
        share: impl Fn(&Kind<'_>) -> Share,
    ) -> Option<Vec<Query>> {
        let mut queries = Vec::new();
        for filter in &together(filters) {
            let few = filter.names.chunks(PATTERNS);
            let parts: Vec<&[Glob]> = if filter.names.is_empty() { vec![&[]] } else { few.collect() };
            for wanted in self.kinds.wanted(filter, &share) {
                for names in &parts {
                    queries.extend(self.of_kinds(filter, names, &wanted)?);
                }
            }
        }
        Some(queries)
    }

    /// `None` if every record may meet the filter.
    fn of_kinds(&self, filter: &Filter, names: &[Glob], wanted: &Wanted) -> Option<Vec<Query>> {
        let mut found = Conditions::default();
        found.issued(filter.issued.as_deref());
        found.uid(filter.uid.as_deref());
        found.codes(filter.codes, wanted.share, self.failures);
        found.users(wanted.share);
        found.names(names, is_told_otherwise(filter, names), self.failures && is_place(filter));
        found.impersonated(filter.impersonated.as_ref());
        found.username(filter.username.as_ref());
        let is_told = !wanted.all || filter.namespace.as_ref().is_some_and(|namespace| !namespace.is_any());
        if is_told {
            found.over(BY_KIND);
        }
        let window = Bounds::of(filter);
        let index = found.index.or(window.as_ref().map(|_| BY_TIME))?;
        found.kinds(index, wanted, window.is_some());
        found.namespace(index, filter, names, wanted, window.is_some());
        Some(self.within(index, found.all, window))
    }

    /// Records without a stage time are at any time.
    fn within(&self, index: &str, all: All, window: Option<Bounds>) -> Vec<Query> {
        let Some(Bounds(bounds)) = window else { return vec![query(index, all)] };
        let mut within = all.clone();
        if !self.timeless {
            within.add("stage_us BETWEEN ? AND ?", bounds);
            return vec![query(index, within)];
        }
        if !IN_ORDER.contains(&index) {
            within.add("(stage_us BETWEEN ? AND ? OR stage_us IS NULL)", bounds);
            return vec![query(index, within)];
        }
        let mut timeless = all;
        within.add("stage_us BETWEEN ? AND ?", bounds);
        timeless.add("stage_us IS NULL", []);
        vec![query(index, within), query(index, timeless)]
    }
}

/// Between which stage times records are wanted.
#[derive(Clone, Debug)]
struct Bounds([Value; 2]);

impl Bounds {
    /// `None` if at any.
    fn of(filter: &Filter) -> Option<Self> {
        let from = filter.from.filter(|from| *from > Timestamp::MIN).map(Timestamp::as_micros);
        let until = filter.until.filter(|until| *until < Timestamp::MAX).map(Timestamp::as_micros);
        let bounds = [Value::from(from.unwrap_or(i64::MIN)), Value::from(until.unwrap_or(i64::MAX))];
        (from.is_some() || until.is_some()).then_some(Self(bounds))
    }
}

/// Whether a filter asks for one namespace.
fn is_place(filter: &Filter) -> bool {
    filter.namespace.as_ref().is_some_and(|namespace| namespace.literal().is_some())
}

/// Whether what a filter asks for beside a pattern for names leaves fewer records than have a name that the pattern may
/// match: a kind or a namespace within a time, or a resource where all words have to be gone through for the pattern.
fn is_told_otherwise(filter: &Filter, names: &[Glob]) -> bool {
    let has_kind = filter.resource.is_some() || !filter.verbs.is_empty();
    let has_place = has_kind || filter.namespace.as_ref().is_some_and(|namespace| !namespace.is_any());
    let is_within = filter.from.is_some_and(|from| from > Timestamp::MIN);
    let has_patterns = names.iter().any(|name| name.literal().is_none());
    has_patterns && (is_within && has_place || filter.resource.is_some() && names.iter().any(is_open))
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
}

/// What is asked of records, and the index to look in: that of the rarest thing that is asked for.
#[derive(Clone, Debug, Default)]
struct Conditions {
    all: All,
    index: Option<&'static str>,
}

impl Conditions {
    fn over(&mut self, index: &'static str) {
        self.index.get_or_insert(index);
    }

    fn issued(&mut self, issued: Option<&str>) {
        let Some(issued) = issued else { return };
        self.all.add("issued = ?", [text(issued)]);
        self.over(BY_ISSUED);
    }

    fn uid(&mut self, uid: Option<&str>) {
        let Some(uid) = uid else { return };
        self.all.add("uid = (SELECT id FROM words WHERE word = ?)", [text(uid)]);
        self.over(BY_UID);
    }

    fn codes(&mut self, codes: &[u16], share: Share, has_index: bool) {
        let values = |codes: &[u16]| codes.iter().copied().map(Value::from).collect::<Vec<_>>();
        if !codes.is_empty() {
            self.all.add(any_of("code", codes.len()), values(codes));
        }
        if let Share::Code(code) = share {
            self.all.add("code = ?", [Value::from(code)]);
        }
        let failed = matches!(share, Share::Failed | Share::Code(FAILED..))
            || !codes.is_empty() && codes.iter().all(|code| *code >= FAILED);
        if failed {
            // In the words of the index, or it would not be taken.
            self.all.add(format!("code >= {FAILED}"), []);
            if has_index {
                self.over(BY_FAILURE);
            }
        }
    }

    fn users(&mut self, share: Share) {
        let Share::By(users) = share else { return };
        let words = any_of("word", users.len());
        self.all.add(
            format!("username IN (SELECT id FROM words WHERE {words})"),
            users.iter().map(|user| text(user)),
        );
        self.over(BY_USER);
    }

    /// With `other`, another index is better: then each record's name is looked up. With `placed`, a namespace is given that
    /// stands behind names in their index.
    fn names(&mut self, names: &[Glob], other: bool, placed: bool) {
        if names.is_empty() || names.iter().any(Glob::is_any) {
            return;
        }
        if other {
            return self.looked_up("name", names);
        }
        let (words, parameters) = words(names);
        self.all.add(format!("name IN ({words})"), parameters);
        // Lists and collections have no name, and there are many of them, but in one place.
        if placed || !names.iter().any(|name| name.matches("")) {
            self.over(BY_NAME);
        }
    }

    fn impersonated(&mut self, name: Option<&Glob>) {
        let Some(name) = name else { return };
        if name.is_any() {
            self.all.add("impersonated > 0", []);
        } else {
            self.of_users("impersonated", BY_IMPERSONATED, name);
        }
        self.over(BY_IMPERSONATED);
    }

    fn username(&mut self, name: Option<&Glob>) {
        let Some(name) = name.filter(|name| !name.is_any()) else { return };
        if name.matches("") {
            // Nobody logged in.
            self.all.add("username IS NULL", []);
        } else {
            self.of_users("username", BY_USER, name);
        }
        self.over(BY_USER);
    }

    /// Words are many and users few: where all would have to be gone through, those of users are.
    fn of_users(&mut self, column: &str, index: &str, name: &Glob) {
        let patterns = std::slice::from_ref(name);
        let (words, parameters) =
            if is_open(name) { among(&values(column, index), patterns) } else { words(patterns) };
        self.all.add(format!("{column} IN ({words})"), parameters);
    }

    /// Each record's word is held against the patterns.
    fn looked_up(&mut self, column: &str, patterns: &[Glob]) {
        let (condition, parameters) = of_word(patterns);
        let sql = format!("EXISTS (SELECT 1 FROM words WHERE words.id = records.{column} AND ({condition}))");
        self.all.add(sql, parameters);
    }

    fn kinds(&mut self, index: &str, wanted: &Wanted, within: bool) {
        // A plus keeps it from being looked up in the index.
        let plus = match index {
            BY_KIND | BY_FAILURE => "",
            BY_USER if within => "",
            _ if wanted.all => return,
            BY_NAME if wanted.ids.len() > FEW_KINDS => "+",
            _ => "",
        };
        self.all.add(format!("{plus}kind IN ({})", numbers(&wanted.ids)), []);
    }

    /// The namespace stands in front of times in some indexes: where none is given, all that are met are looked up.
    fn namespace(&mut self, index: &str, filter: &Filter, names: &[Glob], wanted: &Wanted, within: bool) {
        // Only what is about no resource has no namespace, not even an empty one.
        let has_one = filter.resource.as_ref().is_some_and(|resource| !resource.is_empty());
        match filter.namespace.as_ref().filter(|namespace| !namespace.is_any()) {
            Some(namespace) if is_open(namespace) => match index {
                BY_KIND => self.places(&wanted.ids, Some(namespace)),
                _ => self.looked_up("namespace", std::slice::from_ref(namespace)),
            },
            Some(namespace) => {
                let (words, parameters) = words(std::slice::from_ref(namespace));
                self.all.add(format!("namespace IN ({words})"), parameters);
            }
            None if index == BY_KIND && within && has_one => self.places(&wanted.ids, None),
            None if index == BY_NAME && has_one => self.places_of(names),
            None => {}
        }
    }

    /// The namespaces in which there are records of some kinds, each found by one step in the index.
    fn places(&mut self, kinds: &[i64], namespace: Option<&Glob>) {
        let next = |kind: &str, after: &str| {
            format!("SELECT min(namespace) FROM records INDEXED BY {BY_KIND} WHERE kind = {kind}{after}")
        };
        let places = format!(
            "WITH RECURSIVE places (kind, id) AS (SELECT k.id, ({}) FROM kinds AS k WHERE k.id IN ({}) UNION ALL \
             SELECT p.kind, ({}) FROM places AS p WHERE p.id IS NOT NULL) SELECT kind, id FROM places",
            next("k.id", ""),
            numbers(kinds),
            next("p.kind", " AND namespace > p.id"),
        );
        let (condition, parameters) = match namespace {
            Some(namespace) => {
                let (condition, parameters) = of_word(std::slice::from_ref(namespace));
                let found =
                    format!("EXISTS (SELECT 1 FROM words WHERE words.id = places.id AND ({condition}))");
                (found, parameters)
            }
            None => ("id IS NOT NULL".to_owned(), Vec::new()),
        };
        self.all.add(format!("(kind, namespace) IN ({places} WHERE {condition})"), parameters);
    }

    /// The namespaces in which there are records of a name.
    fn places_of(&mut self, names: &[Glob]) {
        let [name] = names else { return };
        let Some(name) = name.literal() else { return };
        let next = |after: &str| {
            format!(
                "SELECT min(namespace) FROM records INDEXED BY {BY_NAME} WHERE name = (SELECT id FROM words WHERE word = ?){after}"
            )
        };
        let places = recursive("namespace", &next(""), &next(" AND namespace > own.id"));
        self.all.add(format!("namespace IN ({places})"), [text(name), text(name)]);
    }
}

/// A query for all values of the first column of an index, each found by one step in it.
fn values(column: &str, index: &str) -> String {
    let next = |after: &str| {
        format!("SELECT min({column}) FROM records INDEXED BY {index} WHERE {column} > {after}")
    };
    recursive(column, &next("0"), &next("own.id"))
}

fn recursive(column: &str, first: &str, next: &str) -> String {
    format!(
        "WITH RECURSIVE own (id) AS (SELECT ({first}) UNION ALL SELECT ({next}) FROM own WHERE own.id IS NOT NULL) \
         SELECT id AS {column} FROM own WHERE id IS NOT NULL"
    )
}

/// A query for those of the numbers of words that another yields which one of the patterns may match.
fn among(numbers: &str, patterns: &[Glob]) -> (String, Vec<Value>) {
    let (condition, parameters) = of_word(patterns);
    (format!("SELECT id FROM words WHERE id IN ({numbers}) AND ({condition})"), parameters)
}

fn query(index: &str, all: All) -> Query {
    let sql = format!("SELECT id FROM records INDEXED BY {index} WHERE {}", all.conditions.join(" AND "));
    Query { sql, parameters: all.parameters }
}

fn numbers(ids: &[i64]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
