//! The options that choose requests: `--user`, `--verb`, `--code` and the like.

use anyhow::anyhow;
use audit_who_core::event::selection::{Field, Selection};
use clap::{Arg, ArgAction, ArgMatches};

/// The heading in help, and what all of these options have in common.
const HEADING: &str =
    "Only answers that such a request decided (lists a,b,c; * stands for anything; !x leaves out x)";

/// An option for each field.
pub(crate) fn args() -> impl Iterator<Item = Arg> {
    Field::all().map(|field| {
        Arg::new(field.option())
            .long(field.option())
            .value_name(field.value_name())
            .action(ArgAction::Append)
            .help(field.about())
            .help_heading(HEADING)
    })
}

/// What the options select.
pub(crate) fn selection(matches: &ArgMatches) -> anyhow::Result<Selection> {
    let mut selection = Selection::default();
    for field in Field::all() {
        for text in matches.get_many::<String>(field.option()).unwrap_or_default() {
            selection.add(field, text).map_err(|error| anyhow!("{error}"))?;
        }
    }
    Ok(selection)
}
