//! The options that choose requests: `--user`, `--verb`, `--code` and the like, and `--where`.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use audit_who_core::Expression;
use audit_who_core::event::selection::{Field, Predicate, Selection};
use clap::{Arg, ArgAction, ArgMatches};

use crate::asking::GROUP;
use crate::cli::value;

/// The heading in help, and what all of these options have in common.
const HEADING: &str =
    "Only answers that such a request decided (lists a,b,c; * stands for anything; !x leaves out x)";

const WHERE: &str = "\
Only requests that meet this condition in CEL on `event`, which has the fields of audit.k8s.io/v1: \
'event.responseStatus.code >= 400 && \"ops\" in event.user.groups'";

/// What was chosen.
pub(crate) struct Filters {
    pub(crate) selection: Selection,
    /// The condition in it, which counts what it could not decide.
    pub(crate) condition: Option<Arc<Expression>>,
}

/// An option for each field.
pub(crate) fn args() -> impl Iterator<Item = Arg> {
    let fields = Field::all().map(|field| {
        Arg::new(field.option())
            .long(field.option())
            .value_name(field.value_name())
            .action(ArgAction::Append)
            .help(field.about())
            .help_heading(HEADING)
    });
    fields.chain([Arg::new("where").long("where").value_name("CONDITION").help(WHERE).help_heading(HEADING)])
}

/// Reads the options.
pub(crate) fn filters(matches: &ArgMatches) -> anyhow::Result<Filters> {
    let mut selection = Selection::default();
    for field in Field::all() {
        for text in matches.get_many::<String>(field.option()).unwrap_or_default() {
            selection.add(field, text).map_err(|error| anyhow!("{error}"))?;
        }
    }
    // Some questions have no subject.
    let subject = matches.try_get_one::<String>("subject").ok().flatten();
    if let Some(group) = subject.and_then(|subject| subject.strip_prefix(GROUP)) {
        if matches.get_many::<String>(Field::Group.option()).is_some() {
            bail!("{GROUP}NAME and --group say the same: give one of them");
        }
        selection.add(Field::Group, group).map_err(|error| anyhow!("{error}"))?;
    }
    let condition = value(matches, "where").map(Expression::parse).transpose();
    let condition = condition.map_err(|error| anyhow!("--where: {error}"))?.map(Arc::new);
    let predicate = condition.clone().map(|condition| condition as Arc<dyn Predicate>);
    Ok(Filters { selection: selection.with_predicate(predicate), condition })
}

/// What the condition could not decide, in words; `None` if that is nothing.
pub(crate) fn undecided(condition: &Expression) -> Option<String> {
    let failures = condition.failures();
    (failures.count > 0).then(|| {
        let times = if failures.count == 1 { "once".to_owned() } else { format!("{} times", failures.count) };
        format!(
            "--where could not be decided {times}, and the requests were left out; such as: {}",
            failures.example
        )
    })
}
