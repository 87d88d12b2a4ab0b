//! What is checked of an expression before anything is read.

use cel::Program;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, SourceInfo};

/// Deeper ones could fill a thread's stack.
const DEEPEST: usize = 128;

/// Names that are no variables: the types.
const TYPES: &[&str] =
    &["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"];

/// Functions of the language that are no operators; macros are gone by then.
const FUNCTIONS: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "int",
    "matches",
    "max",
    "min",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// What is wrong, and at which character.
pub(super) struct Wrong {
    pub(super) offset: Option<u32>,
    pub(super) problem: String,
}

/// How many loops are within each other at the most; an error if a name is not known or the nesting is too deep.
pub(super) fn check(program: &Program) -> Result<u32, Wrong> {
    Walk { source: program.source_info(), bound: Vec::new(), depth: 0 }.loops(program.expression())
}

struct Walk<'p> {
    source: &'p SourceInfo,
    /// Variables of the loops around.
    bound: Vec<&'p str>,
    depth: usize,
}

impl<'p> Walk<'p> {
    fn loops(&mut self, expression: &'p IdedExpr) -> Result<u32, Wrong> {
        if self.depth == DEEPEST {
            return Err(self.wrong(expression, format!("it is nested more than {DEEPEST} deep")));
        }
        self.depth += 1;
        let loops = self.inner(expression);
        self.depth -= 1;
        loops
    }

    fn inner(&mut self, expression: &'p IdedExpr) -> Result<u32, Wrong> {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(0),
            Expr::Ident(name) => {
                let known =
                    name == "event" || TYPES.contains(&name.as_str()) || self.bound.contains(&name.as_str());
                if known {
                    Ok(0)
                } else {
                    Err(self.wrong(expression, format!("{name} is not known; the variable is `event`")))
                }
            }
            Expr::Select(select) => self.loops(&select.operand),
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                let is_operator = !name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if !is_operator && !FUNCTIONS.contains(&name) {
                    return Err(self.wrong(expression, format!("there is no function {name}")));
                }
                let inner = self.most(call.target.as_deref().into_iter().chain(&call.args))?;
                // Looking for a value in a list goes through it.
                Ok(inner + u32::from(name == "@in"))
            }
            Expr::List(list) => self.most(&list.elements),
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(message) => self.entries(message.entries.iter().map(|entry| &entry.expr)),
            Expr::Comprehension(one) => {
                let outside = self.most([&one.iter_range, &one.accu_init])?;
                let names = [Some(&one.iter_var), one.iter_var2.as_ref(), Some(&one.accu_var)];
                let around = self.bound.len();
                self.bound.extend(names.into_iter().flatten().map(String::as_str));
                let inside = self.most([&one.loop_cond, &one.loop_step, &one.result]);
                self.bound.truncate(around);
                Ok(outside.max(1 + inside?))
            }
        }
    }

    fn most(&mut self, expressions: impl IntoIterator<Item = &'p IdedExpr>) -> Result<u32, Wrong> {
        expressions.into_iter().try_fold(0, |most, next| Ok(self.loops(next)?.max(most)))
    }

    fn entries(&mut self, entries: impl Iterator<Item = &'p EntryExpr>) -> Result<u32, Wrong> {
        let mut most = 0;
        for entry in entries {
            most = most.max(match entry {
                EntryExpr::StructField(field) => self.loops(&field.value)?,
                EntryExpr::MapEntry(entry) => self.most([&entry.key, &entry.value])?,
            });
        }
        Ok(most)
    }

    fn wrong(&self, expression: &IdedExpr, problem: String) -> Wrong {
        Wrong { offset: self.source.offset_for(expression.id).map(|(start, _)| start), problem }
    }
}
