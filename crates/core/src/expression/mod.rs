//! Conditions on events in the Common Expression Language ([CEL](https://cel.dev)).

mod check;
mod value;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use audit_who_event::event::Event;
use audit_who_event::selection::Predicate;
use cel::{Context, Env, ExecutionError, Program, Value};

use crate::expression::value::{Converted, converted};

/// The longest expression, in bytes.
const LONGEST: usize = 2048;

/// How many steps one event may cost at the most, as the values in it to the power of the loops within each other.
const MOST_STEPS: usize = 10_000_000;

/// An error's words are cut after this many characters: they may quote an event.
const LONGEST_WORDS: usize = 200;

/// A condition in CEL on the variable `event`, which has the fields of `audit.k8s.io/v1`.
///
/// What an entry does not have is empty, not missing: texts are `""`, lists and maps have nothing in them,
/// `responseStatus.code` is 0, times are `timestamp(0)`. Keys of `annotations`, `extra` and bodies that are not there
/// make the comparison undecided, and an undecided condition is not met; `has()` asks for them.
///
/// An expression is at most 2048 bytes long and nested at most 128 deep. The steps that one event costs are bounded:
/// an event too large for loops within loops does not meet the condition, and is counted among the failures.
pub struct Expression {
    text: String,
    program: Program,
    env: Arc<Env>,
    /// How many loops are within each other.
    loops: u32,
    failures: Mutex<Failures>,
}

/// Evaluations that failed; the events of these are taken for ones that don't meet the condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// What one of them failed on, the same one whatever the order. May quote an event: not for a terminal.
    pub example: String,
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    text: String,
    /// Line and column from 1, where they are known.
    place: Option<(usize, usize)>,
    problem: String,
}

impl Expression {
    /// Reads `text`. An error says what is wrong with it and where.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let fail = |place, problem: String| ExpressionError { text: text.to_owned(), place, problem };
        if text.len() > LONGEST {
            return Err(fail(None, format!("it is longer than {LONGEST} bytes")));
        }
        let env = Arc::new(Env::stdlib());
        let program = env.compile(text).map_err(|errors| {
            let first = errors.errors.first();
            let place =
                first.and_then(|error| Some((error.pos.0.try_into().ok()?, error.pos.1.try_into().ok()?)));
            fail(place, first.map_or_else(|| "it can't be read".to_owned(), |error| words(&error.msg)))
        })?;
        let loops =
            check::check(&program).map_err(|wrong| fail(place_of(text, wrong.offset), wrong.problem))?;
        let expression = Self { text: text.to_owned(), program, env, loops, failures: Mutex::default() };
        // An entry with nothing in it has every field, each of its type.
        match expression.evaluate(&Event::default()) {
            Err(Wrong::Type(problem)) => Err(fail(None, problem)),
            _ => Ok(expression),
        }
    }

    /// What could not be evaluated so far.
    pub fn failures(&self) -> Failures {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn evaluate(&self, event: &Event<'_>) -> Result<bool, Wrong> {
        let Converted { value, size } = converted(event).map_err(Wrong::Event)?;
        if self.loops > 1 && size.checked_pow(self.loops).is_none_or(|steps| steps > MOST_STEPS) {
            return Err(Wrong::Event(format!(
                "an entry with {size} values is too large for {} loops within each other",
                self.loops
            )));
        }
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.add_variable_from_value("event", value);
        match self.program.execute(&context) {
            Ok(Value::Bool(met)) => Ok(met),
            Ok(other) => Err(Wrong::Type(format!("it gives a {}, not true or false", kind(&other)))),
            // What is not there decides nothing.
            Err(ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_)) => Ok(false),
            Err(error @ ExecutionError::NoSuchOverload(_)) => Err(Wrong::Type(words(&error.to_string()))),
            Err(error) => Err(Wrong::Event(words(&error.to_string()))),
        }
    }
}

/// What kept an expression from being true or false.
enum Wrong {
    /// It asks what its values can't be asked.
    Type(String),
    /// Something about the event.
    Event(String),
}

impl Predicate for Expression {
    fn holds(&self, event: &Event<'_>) -> bool {
        match self.evaluate(event) {
            Ok(met) => met,
            Err(Wrong::Type(problem) | Wrong::Event(problem)) => {
                let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.count += 1;
                if failures.count == 1 || problem < failures.example {
                    failures.example = problem;
                }
                false
            }
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression").field("text", &self.text).finish_non_exhaustive()
    }
}

/// The text that was given.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Some((1, column)) => format!(" at character {column}"),
            Some((line, column)) => format!(" at line {line}, character {column}"),
            None => String::new(),
        };
        write!(
            f,
            "can't read the condition {:?}{place}: {}\n  give an expression in CEL on `event`, such as event.verb == \
             \"delete\" && event.user.groups.exists(g, g == \"system:masters\")",
            words(&self.text),
            self.problem
        )
    }
}

impl std::error::Error for ExpressionError {}

/// Line and column of a character in `text`, both from 1.
fn place_of(text: &str, offset: Option<u32>) -> Option<(usize, usize)> {
    let before: Vec<char> = text.chars().take(usize::try_from(offset?).ok()?).collect();
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
    Some((line, column))
}

fn words(text: &str) -> String {
    let mut words: String = text.chars().take(LONGEST_WORDS).collect();
    if words.len() < text.len() {
        words.push('…');
    }
    words
}

fn kind(value: &Value) -> String {
    format!("{:?}", value.type_of()).to_lowercase()
}

#[cfg(test)]
mod tests;
