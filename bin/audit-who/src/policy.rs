//! `audit-who policy`: whether an audit policy records enough, and which one would.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use audit_who_core::event::answer::Envelope;
use audit_who_core::event::policy::{
    Deciding, Limits, NeedReview, Policy, QuestionReview, Review, Stage, Verdict, review, smallest,
};
use audit_who_core::event::question::needs::Purpose;
use audit_who_core::event::question::{self, QUESTIONS, Question};
use audit_who_render::{json_line, terminal};
use clap::{Arg, ArgMatches, Command, value_parser};
use serde::Serialize;

use crate::cli::value;

/// The name of the subcommand.
pub(crate) const NAME: &str = "policy";

const AFTER: &str = "\
Exit status: 0 every question can be answered, 1 some can't or not in full, 2 error.";

/// Bytes of a policy that are read. Real ones have less than twenty thousand.
const LONGEST: u64 = 1024 * 1024;

/// How many resources are named in a line of text.
const NAMED: usize = 5;

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Which questions an audit policy lets be answered, or with --for alone, the smallest policy for questions")
        .arg_required_else_help(true)
        .after_help(AFTER)
        .args([
            Arg::new("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The file that kube-apiserver's --audit-policy-file names, YAML or JSON; - is standard input"),
            Arg::new("for")
                .long("for")
                .value_name("QUESTION,…")
                .value_delimiter(',')
                .num_args(1)
                .action(clap::ArgAction::Append)
                .help("Only these questions; without FILE, print the smallest policy that is enough for them"),
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FORMAT")
                .value_parser(["text", "json"])
                .default_value("text")
                .requires("file")
                .help("How to show what a FILE lets be answered"),
        ])
}

/// Reviews a policy or writes one, and says how it went.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let asked = questions(matches)?;
    let Some(file) = matches.get_one::<PathBuf>("file") else {
        let asked = asked.context("neither a FILE nor --for was given; see audit-who policy --help")?;
        return print(smallest(&asked).to_yaml().as_bytes()).map(|()| ExitCode::SUCCESS);
    };
    let policy = read(file).with_context(|| format!("{} is no policy that can be used", file.display()))?;
    let asked = asked.unwrap_or_else(|| QUESTIONS.iter().collect());
    let review = review(&policy, &asked);
    let report = Report { policy: file.display().to_string(), rules: policy.rules.len(), review: &review };
    let mut out = Vec::new();
    match value(matches, "output") {
        Some("json") => json_line(&Envelope::new("PolicyReport", &report), &mut out)?,
        _ => out.extend(text(&policy, &review).into_bytes()),
    }
    print(&out)?;
    Ok(ExitCode::from(u8::from(!review.is_enough())))
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Report<'r> {
    policy: String,
    rules: usize,
    #[serde(flatten)]
    review: &'r Review,
}

fn questions(matches: &ArgMatches) -> anyhow::Result<Option<Vec<&'static Question>>> {
    let Some(names) = matches.get_many::<String>("for") else { return Ok(None) };
    let mut asked: Vec<&'static Question> = Vec::new();
    for name in names {
        let found = question::named(name).with_context(|| {
            let known: Vec<&str> = QUESTIONS.iter().map(|question| question.name).collect();
            format!("--for: {name:?} is no question; there are {}", known.join(", "))
        })?;
        if !asked.iter().any(|known| known.name == found.name) {
            asked.push(found);
        }
    }
    Ok(Some(asked))
}

fn read(file: &PathBuf) -> anyhow::Result<Policy> {
    let input: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(std::fs::File::open(file).context("it can't be opened")?)
    };
    let mut text = String::new();
    input.take(LONGEST + 1).read_to_string(&mut text).context("it can't be read as text")?;
    if text.len() as u64 > LONGEST {
        bail!("it is longer than {LONGEST} bytes");
    }
    let mut options = serde_saphyr::Options::default();
    options.with_snippet = false;
    let policy: Policy =
        serde_saphyr::from_str_with_options(&text, options).map_err(|error| anyhow!("{error}"))?;
    match policy.check().as_slice() {
        [] => Ok(policy),
        faults => bail!("{}", faults.join("\n  ")),
    }
}

/// Writes to standard output. Whoever reads it had enough of it: `| head` is no failure.
fn print(out: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(out).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("the report could not be written")
        }
        _ => Ok(()),
    }
}

/// The review for people. What the policy's author wrote is made harmless line by line.
fn text(policy: &Policy, review: &Review) -> String {
    let mut lines: Vec<String> = review.questions.iter().flat_map(about_question).collect();
    lines.push("rules".to_owned());
    for (index, rule) in policy.rules.iter().enumerate() {
        lines.push(format!("  {:>2}  {}", index + 1, rule.excerpt()));
    }
    lines.push(String::new());
    if !review.excess.is_empty() {
        lines.push("recorded though it had better not be".to_owned());
        lines.extend(review.excess.iter().map(|excess| format!("  {} (rule {})", excess.what, excess.rule)));
        lines.push(String::new());
    }
    if !policy.is_current() {
        lines.push(format!(
            "{} is read by API servers before 1.24 alone: write audit.k8s.io/v1",
            policy.api_version
        ));
    }
    let count = |verdict| review.questions.iter().filter(|question| question.verdict == verdict).count();
    lines.push(format!(
        "{} of {} questions can be answered in full, {} in part, {} not at all",
        count(Verdict::Yes),
        review.questions.len(),
        count(Verdict::Partly),
        count(Verdict::No)
    ));
    lines.iter().fold(String::new(), |mut text, line| {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{}", terminal::neutral(line));
        text
    })
}

fn about_question(question: &QuestionReview) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", question.question, question.verdict.name())];
    for need in &question.needs {
        lines.push(format!("  {:<7}{} ({})", need.met.name(), need.shows, need.purpose.name()));
        lines.push(format!("         {}; {}", wanted(need), rules(need)));
        // A detail that is not recorded changes no verdict: what to do about it is told in JSON alone.
        for deciding in
            need.decided.iter().filter(|_| need.met != Verdict::Yes && need.purpose != Purpose::Detail)
        {
            if let Some(change) = deciding.change.as_ref().filter(|_| !is_aside(deciding, need)) {
                lines.push(format!("         {}", lacking(deciding, need)));
                lines.extend(change.lines().map(|line| format!("           {line}")));
            }
        }
    }
    lines.push(String::new());
    lines
}

/// Whether only parts of Kubernetes are left out of what anybody does.
fn is_aside(deciding: &Deciding, need: &NeedReview) -> bool {
    need.users.is_empty() && deciding.only.is_of_components()
}

/// Which rules record it, and whose requests they leave out: `rules 10, 12; except for users system:apiserver (rule 1)`.
fn rules(need: &NeedReview) -> String {
    let mut enough: Vec<usize> =
        need.decided.iter().filter(|deciding| deciding.enough).filter_map(|deciding| deciding.rule).collect();
    enough.dedup();
    let mut text = match enough.as_slice() {
        [] => "no rule records it".to_owned(),
        [one] => format!("rule {one}"),
        many => format!("rules {}", many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    let aside = need.decided.iter().filter(|deciding| !deciding.enough && is_aside(deciding, need));
    for (deciding, rule) in aside.filter_map(|deciding| Some((deciding, deciding.rule?))) {
        let _ = write!(text, "; except for {} (rule {rule})", limits(&deciding.only));
    }
    text
}

/// What is needed: `patch on pods/status by system:node:*, at Request`.
fn wanted(need: &NeedReview) -> String {
    let verbs = if need.verbs.is_empty() { "all verbs".to_owned() } else { need.verbs.join(", ") };
    let on = need.resources.as_ref().map_or_else(|| "every kind".to_owned(), |names| listed(names));
    let by = match need.users.as_slice() {
        [] => String::new(),
        users => format!(" by {}", listed(&short(users))),
    };
    let stage = if need.stage == Stage::ResponseComplete {
        String::new()
    } else {
        format!(", stage {:?}", need.stage)
    };
    format!("{verbs} on {on}{by}, at {:?}{stage}", need.level)
}

/// What is not recorded, and why: `lacks patch on nodes: rule 3 records Metadata`.
fn lacking(deciding: &Deciding, need: &NeedReview) -> String {
    let whole = need.resources.as_ref().is_some_and(|names| *names == deciding.resources);
    let on = if whole { String::new() } else { format!(" on {}", listed(&deciding.resources)) };
    let by = if deciding.users.len() < need.users.len() {
        format!(" by {}", listed(&short(&deciding.users)))
    } else {
        String::new()
    };
    let only =
        if deciding.only.is_empty() { String::new() } else { format!(" for {}", limits(&deciding.only)) };
    let rule = deciding.rule.map_or_else(|| "no rule matches".to_owned(), |rule| format!("rule {rule}"));
    let does = match (deciding.rule, deciding.omitted) {
        (None, _) => String::new(),
        (_, true) => format!(" omits the stage {:?}", need.stage),
        (_, false) => format!(" records {:?}", deciding.level),
    };
    format!("lacks {}{on}{by}{only}: {rule}{does}", deciding.verbs.join(", "))
}

fn limits(only: &Limits) -> String {
    let parts = [
        ("users", &only.users),
        ("groups", &only.user_groups),
        ("namespaces", &only.namespaces),
        ("objects named", &only.names),
    ];
    let parts = parts.iter().filter(|(_, list)| !list.is_empty());
    parts.map(|(what, list)| format!("{what} {}", listed(list))).collect::<Vec<_>>().join(", ")
}

/// Controllers without the namespace of their service accounts.
fn short(users: &[&'static str]) -> Vec<&'static str> {
    users.iter().map(|name| name.strip_prefix("system:serviceaccount:kube-system:").unwrap_or(name)).collect()
}

fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
