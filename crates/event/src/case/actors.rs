//! Who sent requests: each sender once, for all facts to share.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::answer::{Actor, Identity};
use crate::client::client;
use crate::event::{Event, User};
use crate::uri;

/// The senders that were met. Few users send most requests, so that one is made of each, not of each request.
#[derive(Debug, Default)]
pub(crate) struct Actors {
    known: HashMap<Vec<u8>, Arc<Actor>>,
    /// What the event at hand says: one memory for all of them.
    spelled: Vec<u8>,
}

impl Actors {
    /// Who sent the request of `event`.
    pub(crate) fn of(&mut self, event: &Event<'_>) -> Arc<Actor> {
        let sender = Sender::of(event);
        self.spelled.clear();
        sender.spell(&mut self.spelled);
        if let Some(known) = self.known.get(&self.spelled) {
            return Arc::clone(known);
        }
        let actor = Arc::new(sender.actor());
        self.known.insert(self.spelled.clone(), Arc::clone(&actor));
        actor
    }
}

/// Who sent the request of `event`.
pub(crate) fn actor_of(event: &Event<'_>) -> Actor {
    Sender::of(event).actor()
}

/// All that an event says of who sent it.
struct Sender<'e> {
    user: &'e User<'e>,
    impersonated: Option<&'e User<'e>>,
    user_agent: &'e str,
    source_ips: &'e [Cow<'e, str>],
    extras: [Option<&'e str>; 5],
    field_manager: Option<Cow<'e, str>>,
}

impl<'e> Sender<'e> {
    fn of(event: &'e Event<'e>) -> Self {
        let extra = |key: &str| event.extra(key).filter(|value| !value.is_empty());
        Self {
            user: &event.user,
            impersonated: event.impersonated_user.as_ref(),
            user_agent: &event.user_agent,
            source_ips: &event.source_ips,
            extras: [
                extra("authentication.kubernetes.io/credential-id"),
                extra("authentication.kubernetes.io/pod-name"),
                extra("authentication.kubernetes.io/node-name"),
                extra("canonicalArn").or_else(|| extra("arn")),
                extra("sessionName"),
            ],
            field_manager: uri::param(&event.request_uri, "fieldManager"),
        }
    }

    fn actor(&self) -> Actor {
        let identity = |user: &User<'_>| Identity {
            username: user.username.to_string(),
            groups: user.groups.iter().map(ToString::to_string).collect(),
        };
        let Identity { username, groups } = identity(self.user);
        let [credential, pod, node, arn, session] = self.extras.map(|value| value.map(str::to_owned));
        Actor {
            impersonated: self.impersonated.map(identity),
            client: client(self.user_agent),
            user_agent: (!self.user_agent.is_empty()).then(|| self.user_agent.to_owned()),
            source_ips: self.source_ips.iter().map(ToString::to_string).collect(),
            credential,
            pod: pod.map(|name| match namespace_of(&username) {
                Some(namespace) => format!("{namespace}/{name}"),
                None => name,
            }),
            node,
            arn,
            session,
            field_manager: self.field_manager.as_deref().map(str::to_owned),
            username,
            groups,
        }
    }

    /// Writes what an [`Actor`] is made of, so that no two senders are spelled alike.
    fn spell(&self, out: &mut Vec<u8>) {
        let Self { user, impersonated, user_agent, source_ips, extras, field_manager } = self;
        for user in [Some(*user), *impersonated] {
            put(out, user.map(|user| &*user.username));
            put_all(out, user.map_or(&[], |user| &user.groups));
        }
        put(out, Some(user_agent));
        put_all(out, source_ips);
        for value in extras {
            put(out, *value);
        }
        put(out, field_manager.as_deref());
    }
}

fn put(out: &mut Vec<u8>, text: Option<&str>) {
    let length = text.map_or(usize::MAX, str::len);
    out.extend(length.to_ne_bytes());
    out.extend(text.unwrap_or_default().as_bytes());
}

fn put_all(out: &mut Vec<u8>, texts: &[Cow<'_, str>]) {
    out.extend(texts.len().to_ne_bytes());
    for text in texts {
        put(out, Some(text));
    }
}

/// The namespace of a service account, whose tokens are used by pods of the same namespace.
fn namespace_of(username: &str) -> Option<&str> {
    username.strip_prefix("system:serviceaccount:")?.split(':').next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Extras = Vec<(Cow<'static, str>, Vec<Cow<'static, str>>)>;

    fn extras() -> impl Strategy<Value = Extras> {
        let keys = &["authentication.kubernetes.io/pod-name", "canonicalArn", "arn", "other"][..];
        let extra = (prop::sample::select(keys), prop::sample::select(&["", "a", "b"][..]));
        let extra = extra.prop_map(|(key, value)| (key.into(), vec![value.into()]));
        prop::collection::vec(extra, 0..3)
    }

    fn user() -> impl Strategy<Value = User<'static>> {
        let names = prop::sample::select(&["", "a", "system:serviceaccount:a:b"][..]);
        let groups = prop::collection::vec(prop::sample::select(&["", "a", "ab"][..]), 0..3);
        (names, groups, extras()).prop_map(|(name, groups, extra)| User {
            username: name.into(),
            groups: groups.into_iter().map(Cow::from).collect(),
            extra,
            ..User::default()
        })
    }

    fn event() -> impl Strategy<Value = Event<'static>> {
        let uri = prop::sample::select(&["/api", "/api?fieldManager=a", "/api?fieldManager="][..]);
        let agent = prop::sample::select(&["", "a", "kubectl/v1"][..]);
        let addresses = prop::collection::vec(prop::sample::select(&["", "a", "aa"][..]), 0..3);
        (user(), prop::option::of(user()), uri, agent, addresses).prop_map(
            |(user, impersonated_user, uri, agent, addresses)| Event {
                user,
                impersonated_user,
                request_uri: uri.into(),
                user_agent: agent.into(),
                source_ips: addresses.into_iter().map(Cow::from).collect(),
                ..Event::default()
            },
        )
    }

    proptest! {
        /// Whoever was met before, an event's sender is the one that it alone tells of; and the same one is shared.
        #[test]
        fn senders_are_told_apart(events in prop::collection::vec(event(), 1..20)) {
            let mut actors = Actors::default();
            for event in &events {
                let actor = actors.of(event);
                prop_assert_eq!(&*actor, &actor_of(event));
                prop_assert!(Arc::ptr_eq(&actor, &actors.of(event)));
            }
        }
    }
}
