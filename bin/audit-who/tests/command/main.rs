//! The command as people run it: real files in, standard output, standard error and exit status out.

mod errors;
mod examples;
mod explain;
mod filters;
mod forms;
mod hostile;
mod links;
mod program;
mod recordings;
mod truth;
