//! The command as people run it: real files in, standard output, standard error and exit status out.

mod completeness;
mod errors;
mod examples;
mod forms;
mod hostile;
mod program;
mod recordings;
mod truth;
