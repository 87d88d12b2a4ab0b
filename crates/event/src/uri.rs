//! What a request URI tells: its query parameters, and which object it is about.

use std::borrow::Cow;

use memchr::memchr2;

use crate::event::ObjectRef;

/// The path and the query of a request URI; without `?` the query is empty.
pub fn split(uri: &str) -> (&str, &str) {
    uri.split_once('?').unwrap_or((uri, ""))
}

/// The first value of a query parameter, decoded; `None` where the parameter is absent.
pub fn param<'a>(uri: &'a str, name: &str) -> Option<Cow<'a, str>> {
    params(uri, name).next()
}

/// All values of a query parameter in their order, decoded, such as the words of an exec's `command`.
pub fn params<'a>(uri: &'a str, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    split(uri).1.split('&').filter(|pair| !pair.is_empty()).filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key, true) == name).then(|| decode(value, true))
    })
}

/// The object that a request URI is about, as the API server's `objectRef` would say; `None` for what is no resource.
///
/// The rules are those of Kubernetes'
/// [`NewRequestInfo`](https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/request/requestinfo.go): a
/// namespace object has its own name as namespace, and the old prefixes `watch` and `proxy` are passed over.
pub fn object_ref(uri: &str) -> Option<ObjectRef<'_>> {
    // The server decodes the path before it splits it, so an escaped slash separates too.
    match decode(split(uri).0, false) {
        Cow::Borrowed(path) => object_of_path(path),
        Cow::Owned(path) => object_of_path(&path).map(into_owned),
    }
}

/// The object that a decoded path is about.
fn object_of_path(path: &str) -> Option<ObjectRef<'_>> {
    let mut parts = path.trim_matches('/').split('/').peekable();
    let api_group = match parts.next()? {
        "api" => "",
        "apis" => parts.next()?,
        _ => return None,
    };
    let api_version = parts.next()?;
    let prefix = parts.next_if(|part| matches!(*part, "watch" | "proxy"));
    let mut resource = parts.next()?;
    let mut name = parts.next();
    let mut subresource = parts.next();
    let mut namespace = "";
    if resource == "namespaces" {
        namespace = name.unwrap_or_default();
        // A namespace has two subresources of its own; all else below it is a resource in it.
        if let Some(inner) = subresource.filter(|part| !matches!(*part, "status" | "finalize")) {
            resource = inner;
            name = parts.next();
            subresource = parts.next();
        }
    }
    if prefix == Some("proxy") {
        subresource = None;
    }
    Some(ObjectRef {
        resource: resource.into(),
        namespace: namespace.into(),
        name: name.unwrap_or_default().into(),
        api_group: api_group.into(),
        api_version: api_version.into(),
        subresource: subresource.unwrap_or_default().into(),
        ..ObjectRef::default()
    })
}

/// The same reference without its borrows.
pub(crate) fn into_owned(object: ObjectRef<'_>) -> ObjectRef<'static> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    ObjectRef {
        resource: own(object.resource),
        namespace: own(object.namespace),
        name: own(object.name),
        uid: own(object.uid),
        api_group: own(object.api_group),
        api_version: own(object.api_version),
        resource_version: own(object.resource_version),
        subresource: own(object.subresource),
    }
}

/// Replaces `%XX`, and `+` in a query, by what they stand for. What is no escape stays as it is, what is no UTF-8
/// becomes U+FFFD.
fn decode(text: &str, is_query: bool) -> Cow<'_, str> {
    let plus = if is_query { b'+' } else { b'%' };
    let Some(first) = memchr2(b'%', plus, text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut bytes = text.as_bytes()[..first].to_vec();
    let mut rest = &text.as_bytes()[first..];
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'%', [high, low, behind @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = behind;
            }
            (b'+', _) if is_query => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
    }
    Cow::Owned(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

/// The value of a hexadecimal digit.
const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `group version namespace resource name subresource`, with `-` for what is empty.
    fn told(uri: &str) -> String {
        let Some(object) = object_ref(uri) else { return "none".to_owned() };
        let fields = [
            &object.api_group,
            &object.api_version,
            &object.namespace,
            &object.resource,
            &object.name,
            &object.subresource,
        ];
        fields.map(|field| if field.is_empty() { "-" } else { field }).join(" ")
    }

    #[test]
    fn paths_are_read_as_the_api_server_does() {
        for (uri, expected) in [
            ("/api/v1/namespaces/shop/pods/web-1/eviction?dryRun=All", "- v1 shop pods web-1 eviction"),
            ("/apis/apps/v1/namespaces/shop/deployments/web/scale", "apps v1 shop deployments web scale"),
            ("/apis/apps/v1/deployments?limit=500", "apps v1 - deployments - -"),
            ("/api/v1/namespaces", "- v1 - namespaces - -"),
            ("/api/v1/namespaces/shop", "- v1 shop namespaces shop -"),
            ("/api/v1/namespaces/shop/finalize", "- v1 shop namespaces shop finalize"),
            ("/api/v1/namespaces/shop/status", "- v1 shop namespaces shop status"),
            ("/api/v1/namespaces/shop/pods", "- v1 shop pods - -"),
            ("/api/v1/nodes/n1/proxy/logs/x", "- v1 - nodes n1 proxy"),
            ("/api/v1/watch/namespaces/shop/pods/web-1/", "- v1 shop pods web-1 -"),
            ("/api/v1/proxy/namespaces/shop/pods/web-1/eviction", "- v1 shop pods web-1 -"),
            ("/api/v1/namespaces/shop/pods/web-1%2Feviction", "- v1 shop pods web-1 eviction"),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/a%3Ab+c",
                "rbac.authorization.k8s.io v1 - clusterroles a:b+c -",
            ),
            ("/apis/apps/v1", "none"),
            ("/apis", "none"),
            ("/api/v1", "none"),
            ("/api/v1/watch", "none"),
            ("/healthz", "none"),
            ("/", "none"),
            ("", "none"),
        ] {
            assert_eq!(told(uri), expected, "{uri}");
        }
    }

    #[test]
    fn plain_text_is_borrowed() {
        let object = object_ref("/api/v1/namespaces/shop/pods/web-1").expect("a resource");
        assert!(matches!(object.name, Cow::Borrowed("web-1")));
        assert!(matches!(param("/x?fieldManager=kubectl", "fieldManager"), Some(Cow::Borrowed("kubectl"))));
    }

    #[test]
    fn parameters_are_decoded() {
        let uri =
            "/exec?command=sh&command=-c&command=echo+a%26b%20%C3%A4&stdin&&field%4Danager=x=y&bad=%zz%F";
        let words: Vec<_> = params(uri, "command").collect();
        assert_eq!(words, ["sh", "-c", "echo a&b ä"]);
        assert_eq!(param(uri, "stdin").as_deref(), Some(""));
        assert_eq!(param(uri, "fieldManager").as_deref(), Some("x=y"));
        assert_eq!(param(uri, "bad").as_deref(), Some("%zz%F"));
        assert_eq!(param(uri, "tty"), None);
        assert_eq!(param(uri, ""), None);
        assert_eq!(param("/x?a=%ff", "a").as_deref(), Some("\u{fffd}"));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(value in any::<String>()) {
            let encoded = value.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
            let uri = format!("/x?a={encoded}&b=1");
            let read = param(&uri, "a");
            prop_assert_eq!(read.as_deref(), Some(value.as_str()));
        }

        #[test]
        fn no_uri_panics(uri in "(/api|/apis|/|[a-z%?&=]|%[0-9a-f]|\\PC){0,12}") {
            let _ = (object_ref(&uri), param(&uri, "a"));
        }
    }
}
