//! Learning from what a look found: judging all that is known, and finding out what to look for next.

use std::collections::BTreeSet;

use crate::case::context::Context;
use crate::case::fact::Fact;
use crate::case::inquiry::Inquiry;
use crate::case::ledger::Ledger;
use crate::case::looked_for::brief_first;
use crate::case::wanted::Wanted;
use crate::case::{Case, Findings, Window, removals};
use crate::filter::Filter;
use crate::fold::Fold;
use crate::glob::Glob;

/// The names of more objects than this are not told apart.
const MOST_NAMES: usize = 10_000;

impl Case {
    /// Takes what a look found, judges all that is known, and finds out what to look for next. `sources` are the names
    /// of the sources by number, as in addresses.
    pub fn learn(&mut self, look: Self, sources: &[String]) -> Findings {
        self.merge(look);
        self.looks += 1;
        self.looked_for.extend(std::mem::take(&mut self.wanted).into_filters());
        if self.looks == 1 {
            self.found = self.ask.finds_whole(self.looked_for.iter());
        }
        let first =
            self.facts.iter().map(Fact::counts_at).filter(|time| *time <= self.ask.window.until).min();
        self.context = self.context.or_else(|| Context::of(self.ask.window, first?));
        // Without a context nothing is looked for around what was met.
        if self.looks == 1 && self.context.is_some() {
            self.met = self.names_met();
        }
        let ledger = Ledger::new(std::mem::take(&mut self.facts), std::mem::take(&mut self.objects));
        let inquiry = Inquiry::new(&ledger, sources, self.context, self.threads);
        let findings = self.judge(&inquiry);
        (self.judged, self.is_silent) = (self.context, inquiry.is_silent());
        let needs: Vec<Filter> = inquiry.into_needs().collect();
        let collections = self.put_off(&ledger);
        let lasting = self.looked_for.rest(self.ask.lasting());
        let wanted = self.looked_for.rest(self.around().chain(needs).chain(collections));
        let (wanted, later) = if !lasting.is_empty() {
            (lasting, wanted)
        } else if wanted.is_empty() && self.is_silent {
            (self.look_further(), Vec::new())
        } else {
            brief_first(wanted)
        };
        self.later = later;
        self.wanted = Wanted::new(wanted);
        (self.facts, self.objects) = ledger.into_parts();
        if self.is_open() {
            self.room.hold(&self.facts);
        }
        findings
    }

    /// Takes what a further look found, as [`learn`](Self::learn) does. If that is nothing, what was found `before` holds.
    pub fn learn_more(&mut self, before: Findings, look: Self, sources: &[String]) -> Findings {
        if !look.facts.is_empty() || self.context != self.judged {
            // What was found so far is found again; it need not be held meanwhile.
            drop(before);
            return self.learn(look, sources);
        }
        self.looks += 1;
        self.looked_for.extend(std::mem::take(&mut self.wanted).into_filters());
        let later = std::mem::take(&mut self.later);
        let (wanted, later) = if later.is_empty() && self.is_silent {
            (self.look_further(), Vec::new())
        } else {
            brief_first(later)
        };
        self.later = later;
        self.wanted = Wanted::new(wanted);
        before
    }

    /// Lets the context begin earlier; returns what was looked for, for the time that this adds.
    fn look_further(&mut self) -> Vec<Filter> {
        let Some((from, further)) =
            self.context.and_then(|context| Some((context.from?, context.further()?)))
        else {
            return Vec::new();
        };
        self.context = Some(further);
        let asked: Vec<Filter> =
            self.looked_for.iter().filter(|asked| asked.from == Some(from)).cloned().collect();
        let earlier = |filter: &Filter| Filter { from: further.from, until: Some(from), ..filter.clone() };
        let mut wanted: Vec<Filter> = asked.iter().map(earlier).collect();
        self.looked_for.extend(asked.into_iter().map(|filter| Filter { from: further.from, ..filter }));
        wanted.extend(self.looked_for.rest(self.around()));
        wanted
    }

    /// What else there may be about the objects that were met: earlier requests, and what came of those in the window. What
    /// may last is told by its beginning, whatever came of it.
    fn around(&self) -> impl Iterator<Item = Filter> {
        let context = self.context.filter(|_| self.ask.subject.target().is_some());
        let asked = self.ask.window;
        let is_told = move |around: &Window| !self.ask.question.rule.may_last() || around.from < asked.from;
        let windows = context.into_iter().flat_map(move |context| context.around(asked)).filter(is_told);
        let names = self.met.as_deref().unwrap_or_else(|| self.ask.subject.names());
        windows.flat_map(|window| self.ask.first_look(window, names))
    }

    /// The names of the objects that the first look met, if no others can have answers: what decides an answer lies within
    /// the window, and was met, but for deletes of a collection, which name no object. `None` if they are too many to be
    /// told apart, too.
    fn names_met(&self) -> Option<Vec<Glob>> {
        let target = self.ask.subject.target()?;
        if self.facts.iter().any(|fact| fact.is("deletecollection")) {
            return None;
        }
        let meant = self.facts.iter().map(|fact| &fact.key).filter(|key| removals::is_meant(target, key));
        let names: BTreeSet<&str> = meant.map(|key| key.name.as_str()).collect();
        let is_told = (1..=MOST_NAMES).contains(&names.len());
        is_told.then(|| names.into_iter().map(Glob::new).collect())
    }

    /// Answers within the window, by time.
    fn judge(&self, inquiry: &Inquiry<'_>) -> Findings {
        let mut findings = self.ask.question.rule.judge(inquiry, &self.ask);
        for answers in [&mut findings.answers, &mut findings.related] {
            answers.retain(|answer| self.ask.window.holds(answer.time));
            answers.sort_by(|a, b| (a.time, &a.object, a.outcome).cmp(&(b.time, &b.object, b.outcome)));
        }
        findings
    }
}
