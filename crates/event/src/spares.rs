//! Memory of events that were handed over, for those that follow: a log of a million entries asks for it once.

use std::borrow::Cow;
use std::mem::take;

use crate::event::{Event, User};
use crate::wire::{Str, Strs};

/// Longer texts and lists are given back to the system, in bytes and items: nobody may fill the memory with them.
const LARGEST: usize = 4096;
/// How much is kept of each kind.
const MOST: usize = 64;

/// Lists and texts without content, that have room for some.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    strings: Vec<String>,
    texts: Vec<Vec<Cow<'static, str>>>,
    pairs: Vec<Vec<(Str<'static>, Str<'static>)>>,
    lists: Vec<Vec<(Str<'static>, Strs<'static>)>>,
}

impl Spares {
    /// A text without content.
    pub(crate) fn string(&mut self) -> String {
        self.strings.pop().unwrap_or_default()
    }

    /// A list of texts without content.
    pub(crate) fn texts<'a>(&mut self) -> Vec<Cow<'a, str>> {
        self.texts.pop().map(emptied).unwrap_or_default()
    }

    /// A list of pairs of texts without content.
    pub(crate) fn pairs<'a>(&mut self) -> Vec<(Str<'a>, Str<'a>)> {
        self.pairs.pop().map(emptied).unwrap_or_default()
    }

    /// A list of lists by name without content.
    pub(crate) fn lists<'a>(&mut self) -> Vec<(Str<'a>, Strs<'a>)> {
        self.lists.pop().map(emptied).unwrap_or_default()
    }

    /// Takes what an event had asked for, as those of the API server do; its lists are empty then.
    pub(crate) fn reclaim(&mut self, event: &mut Event<'_>) {
        self.reclaim_text(take(&mut event.request_uri));
        self.reclaim_text(take(&mut event.user_agent));
        if let Some(status) = &mut event.response_status {
            self.reclaim_text(take(&mut status.message));
        }
        self.reclaim_texts(take(&mut event.source_ips));
        for User { groups, extra, .. } in std::iter::once(&mut event.user).chain(&mut event.impersonated_user)
        {
            self.reclaim_texts(take(groups));
            extra.drain(..).for_each(|(_, texts)| self.reclaim_texts(texts));
            put(&mut self.lists, emptied(take(extra)));
        }
        event.annotations.drain(..).for_each(|(_, text)| self.reclaim_text(text));
        put(&mut self.pairs, emptied(take(&mut event.annotations)));
    }

    fn reclaim_texts(&mut self, mut texts: Vec<Cow<'_, str>>) {
        texts.drain(..).for_each(|text| self.reclaim_text(text));
        put(&mut self.texts, emptied(texts));
    }

    fn reclaim_text(&mut self, text: Cow<'_, str>) {
        if let Cow::Owned(mut text) = text
            && (1..=LARGEST).contains(&text.capacity())
            && self.strings.len() < MOST
        {
            text.clear();
            self.strings.push(text);
        }
    }
}

fn put<T>(spares: &mut Vec<Vec<T>>, list: Vec<T>) {
    if (1..=LARGEST).contains(&list.capacity()) && spares.len() < MOST {
        spares.push(list);
    }
}

/// A list without content in the memory of this one: collecting keeps that where items are of the same size.
fn emptied<T, U>(mut list: Vec<T>) -> Vec<U> {
    list.clear();
    list.into_iter().filter_map(|_| None).collect()
}
