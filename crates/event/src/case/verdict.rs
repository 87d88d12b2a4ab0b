//! What an answer rests on, in words.

use crate::answer::Mechanism;
use crate::case::{Case, Findings, Window};
use crate::census::{Census, Doubt, Kind};
use crate::coverage::Coverage;
use crate::subject::group_of_today;
use crate::target::Target;

impl Case {
    /// How many answers say that what was asked about came to be.
    fn successes(&self, findings: &Findings) -> usize {
        let outcome = self.ask.question.outcome();
        findings.answers.iter().filter(|answer| answer.outcome == outcome).count()
    }

    fn is_found(&self, findings: &Findings) -> bool {
        self.successes(findings) > 0
    }

    /// What to count where nothing was found: entries of the kinds that would answer the question. `None` where
    /// something was found, or where every entry is of these kinds.
    pub fn census(&self, findings: &Findings) -> Option<Census> {
        let target = self.ask.subject.target()?;
        (!self.is_found(findings)).then(|| Census::new(self.kinds(target), self.ask.window))
    }

    fn kinds(&self, target: &Target) -> Vec<Kind> {
        let groups = target.groups.iter().map(|group| group_of_today(group, &target.resource).to_owned());
        self.ask.question.rule.kinds(&groups.collect::<Vec<_>>(), Some(&target.resource))
    }

    /// Judges what was read: fills in all of `coverage` that depends on the question, from its `seen` and from what was
    /// read of which server.
    pub fn judge_coverage(&self, findings: &Findings, coverage: &mut Coverage) {
        let kinds = self.ask.subject.target().map(|target| self.kinds(target)).unwrap_or_default();
        let found = self.is_found(findings);
        coverage.truncated = self.truncated.len() as u64;
        // Of a store only those entries are read that may be of use.
        let is_unmet = coverage.kept.is_none() && self.is_unmet();
        coverage.context_from = self.context.and_then(|context| context.from);
        if self.is_exceeded() {
            let reason = "more entries matter than may be kept in memory";
            coverage.incomplete = vec![reason.to_owned()];
            coverage.verdict = format!("{}: can't be told, as {reason}", self.asked());
            return;
        }
        coverage.incomplete = coverage.losses(self.ask.window.from, self.ask.window.until);
        let kept = coverage.doubt_kept(|keep| keep.suffices_for(&self.ask));
        // What was not kept may have been logged.
        let doubts = if found || kept.is_some() { Vec::new() } else { Doubt::of(&kinds, &coverage.seen) };
        if coverage.total.from.is_some() {
            coverage.incomplete.extend(doubts.iter().map(ToString::to_string));
        }
        coverage.verdict = self.verdict(findings, coverage, &doubts, is_unmet);
    }

    /// Whether a name is asked about that no entry has. Where only some requests about it are looked for, that is not known.
    fn is_unmet(&self) -> bool {
        let is_named = self.ask.subject.target().is_some_and(|target| !target.name.is_any());
        is_named && !self.is_met && self.ask.question.rule.looks_for_all()
    }

    /// The same where logs were followed: `found` answers say that what was asked about came to be. What is logged at all
    /// was not counted, so nobody is excluded for certain.
    pub fn judge_followed(&self, found: u64, coverage: &mut Coverage) {
        coverage.incomplete.extend(coverage.losses(self.ask.window.from, self.ask.window.until));
        let range = match (coverage.total.from, coverage.total.until) {
            (Some(from), Some(until)) => format!("within {from} to {until}"),
            _ => "no entries came".to_owned(),
        };
        coverage.verdict = format!("{}: {found} found while following, {range}", self.asked());
    }

    /// What was asked, in words.
    fn asked(&self) -> String {
        let asked = format!("{} {}", self.ask.subject, self.ask.question.participle);
        if self.ask.selection.is_empty() { asked } else { format!("{asked}, {}", self.ask.selection) }
    }

    /// What the answer rests on, in words: how many were found, or that nobody was, and between which times.
    fn verdict(
        &self,
        findings: &Findings,
        coverage: &Coverage,
        doubts: &[Doubt<'_>],
        is_unmet: bool,
    ) -> String {
        let asked = self.asked();
        if let found @ 1.. = self.successes(findings) {
            let kept = coverage.kept_in_words().map(|kept| format!("; {kept}")).unwrap_or_default();
            return format!("{asked}: {found} found{kept}");
        }
        let (Some(from), Some(until)) = (coverage.total.from, coverage.total.until) else {
            return format!("{asked}: {}", coverage.timeless());
        };
        let Window { from: asked_from, until: asked_until } = self.ask.window;
        if asked_from > until || asked_until < from {
            return format!("{asked}: these files can't tell: they hold entries from {from} to {until}");
        }
        let servers = match coverage.servers.len() {
            1 => "one API server; others would hold requests of their own".to_owned(),
            count => format!("{count} API servers"),
        };
        let range = format!("{} to {} (logs of {servers})", from.max(asked_from), until.min(asked_until));
        if let Some(kept) = coverage.kept_in_words() {
            return format!("{asked}: the store, {range}, can't tell: {kept}");
        }
        if !doubts.is_empty() {
            let never = doubts.iter().any(Doubt::is_never_logged);
            let hint =
                if never { " (nobody asked for any, or the audit policy leaves them out)" } else { "" };
            let doubts = doubts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            return format!("{asked}: these files, {range}, can't tell: {doubts}{hint}");
        }
        let tried = if findings.answers.is_empty() { "" } else { " for certain" };
        let but = if coverage.incomplete.is_empty() { "" } else { ", as far as these files are whole" };
        let only_metadata = coverage.seen.iter().all(|seen| seen.level == "Metadata");
        let hidden = if self.ask.question.rule.counts(Mechanism::NodePressure) && only_metadata {
            "; level Metadata hides evictions by the kubelet for want of resources"
        } else {
            ""
        };
        let unmet = match self.ask.subject.target() {
            Some(target) if is_unmet && target.namespace.is_some() => {
                "; no entry is about it: are the name and the namespace right?"
            }
            _ if is_unmet => "; no entry is about it: is the name right?",
            _ => "",
        };
        format!("{asked}: nobody did{tried}, within {range}{but}{hidden}{unmet}")
    }
}
