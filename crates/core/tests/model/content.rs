//! What was ever written, and which file holds it: the truth that the reader is measured against.

use std::collections::BTreeMap;

/// The file that is written.
pub(crate) const LIVE: &str = "audit.log";

/// One file's content from its beginning, through renames and packing, until it is truncated.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is another thing that can happen to it")]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    /// How many of these were there when the reader looked.
    pub(crate) met: usize,
    /// Whether the reader was killed since: it remembers how far it has read, not what else there was.
    pub(crate) forgotten: bool,
    /// Whether the reader had it open when it last came to rest.
    pub(crate) held: bool,
    /// Whether others renamed or removed its file while its writer went on.
    pub(crate) left: bool,
    /// Whether others renamed its file: after a while it counts as closed.
    pub(crate) renamed: bool,
    /// Whether somebody made a copy of it.
    pub(crate) copied: bool,
    /// Whether its file was truncated.
    pub(crate) truncated: bool,
    /// Whether it went without a trace, if nobody had met it: while older content was still there, as pruning begins with
    /// the oldest, or before any was met.
    pub(crate) traceless: bool,
}

/// What a file holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// Which content.
    pub(crate) content: usize,
    /// Its first so many bytes; all, and what is still written, if there is no number.
    pub(crate) prefix: Option<usize>,
    pub(crate) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    /// Packed, and not yet whole.
    Packing,
    Packed,
}

/// All that was written, the oldest first, and the files that are there, by name.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) all: Vec<Content>,
    pub(crate) files: BTreeMap<String, Held>,
}

impl Contents {
    /// An empty file.
    pub(crate) fn begin(&mut self, name: &str) -> usize {
        let content = self.all.len();
        self.all.push(Content::default());
        self.put(name.to_owned(), Held { content, prefix: None, form: Form::Plain });
        content
    }

    /// Puts a file in the place of another one.
    pub(crate) fn put(&mut self, name: String, held: Held) {
        if let Some(old) = self.files.insert(name, held).filter(|old| old.content != held.content) {
            self.gone(old.content);
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Held> {
        let held = self.files.remove(name)?;
        self.gone(held.content);
        Some(held)
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(held) = self.files.remove(from) {
            self.put(to.to_owned(), held);
        }
    }

    /// The file is emptied; others may hold what was in it.
    pub(crate) fn truncate(&mut self, name: &str) -> Option<usize> {
        let old = self.files.get(name)?.content;
        let new = self.begin(name);
        let content = &mut self.all[old];
        (content.truncated, content.held) = (true, false);
        // What nobody has met can't be missed.
        content.traceless |= content.met == 0;
        Some(new)
    }

    fn gone(&mut self, content: usize) {
        if self.files.values().any(|held| held.content == content && held.form != Form::Packing) {
            return;
        }
        let older = || self.all[..content].iter().enumerate();
        let is_there = |older: usize| self.files.values().any(|held| held.content == older);
        let older_is_there = older().any(|(index, older)| !older.bytes.is_empty() && is_there(index));
        let older_was_met = older().any(|(_, older)| older.met > 0);
        self.all[content].traceless |= older_is_there || !older_was_met;
    }

    /// How many bytes a file holds.
    pub(crate) fn length(&self, held: &Held) -> usize {
        held.prefix.unwrap_or(self.all[held.content].bytes.len())
    }

    /// The reader has looked which files there are. `writing` is what the writer has open.
    pub(crate) fn look(&mut self, writing: Option<usize>) {
        for held in self.files.values().filter(|held| held.form != Form::Packing) {
            let length = self.length(held);
            let content = &mut self.all[held.content];
            content.met = content.met.max(length);
            content.forgotten &= held.prefix.is_some();
        }
        // A file that is removed is followed while none stands in its place.
        if let Some(content) = writing.filter(|_| !self.files.contains_key(LIVE)) {
            let content = &mut self.all[content];
            if content.held && !content.renamed {
                content.met = content.bytes.len();
            }
        }
    }

    /// The reader has come to rest, with all plain files open.
    pub(crate) fn rest(&mut self) {
        for held in self.files.values().filter(|held| held.form == Form::Plain && held.prefix.is_none()) {
            let content = &mut self.all[held.content];
            // It is not known by less than a line.
            content.held |= content.bytes.contains(&b'\n');
        }
    }

    /// The reader was killed.
    pub(crate) fn let_go(&mut self) {
        for content in &mut self.all {
            (content.held, content.forgotten) = (false, true);
        }
    }
}
