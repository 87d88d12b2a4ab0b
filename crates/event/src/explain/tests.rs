use proptest::prelude::*;

use super::{Explained, Language, explain};
use crate::case::{Ask, Subject, Window};
use crate::glob::Glob;
use crate::question::named;
use crate::selection::{Field, Selection};
use crate::target::Target;
use crate::time::Timestamp;

fn ask(question: &str, target: &str, options: &[(Field, &str)]) -> Ask {
    let mut selection = Selection::default();
    for (field, text) in options {
        selection.add(*field, text).expect(text);
    }
    let target = Target::parse(target).expect(target).in_namespace(Some(Glob::new("shop")));
    let time = |text| Timestamp::parse(text).expect("a time");
    Ask {
        question: named(question).expect(question),
        subject: Subject::Target(target),
        window: Window { from: time("2026-03-02T09:00:00.5Z"), until: time("2026-03-02T10:00:00Z") },
        selection,
    }
}

fn lines(ask: &Ask, language: Language) -> Vec<String> {
    let Explained { text, left_out } = explain(ask, language);
    text.lines().map(str::to_owned).chain(left_out).collect()
}

#[test]
fn each_language_has_its_words() {
    let ask = ask("restarted", "deploy/web-*", &[(Field::User, "maria,!*:bot"), (Field::Code, "!5xx")]);
    assert_eq!(
        lines(&ask, Language::CloudWatch),
        [
            "fields @timestamp, user.username, verb, requestURI, responseStatus.code, auditID, @message",
            "| filter @logStream like /^kube-apiserver-audit-/",
            "| filter ((stage = \"ResponseComplete\" or stage = \"Panic\" or (stage = \"ResponseStarted\" and \
             (responseStatus.code >= 400 and responseStatus.code <= 999))) and (((verb = \"update\" or verb = \"patch\") \
             and not ispresent(objectRef.subresource)) and (objectRef.resource = \"deployments\" and (objectRef.apiGroup \
             = \"apps\" or objectRef.apiGroup = \"extensions\") and objectRef.namespace = \"shop\" and objectRef.name \
             like /^web-.*$/)) and toMillis(@timestamp) >= 1772442000000 and toMillis(@timestamp) <= 1772445601000 and \
             (user.username = \"maria\" or impersonatedUser.username = \"maria\") and ((not ispresent(user.username) or \
             user.username not like /^.*:bot$/) and (not ispresent(impersonatedUser.username) or \
             impersonatedUser.username not like /^.*:bot$/)) and (not ispresent(responseStatus.code) or \
             responseStatus.code < 500 or responseStatus.code > 599))",
            "| sort @timestamp asc",
        ]
    );
    assert_eq!(
        lines(&ask, Language::Kusto),
        [
            "AKSAudit",
            "| where ((Stage == \"ResponseComplete\" or Stage == \"Panic\" or (Stage == \"ResponseStarted\" and \
             toint(coalesce(ResponseStatus.code, dynamic(0))) between (400 .. 999))) and (((Verb == \"update\" or Verb == \
             \"patch\") and tostring(ObjectRef.subresource) == \"\") and (tostring(ObjectRef.resource) == \
             \"deployments\" and (tostring(ObjectRef.apiGroup) == \"apps\" or tostring(ObjectRef.apiGroup) == \
             \"extensions\") and tostring(ObjectRef.namespace) == \"shop\" and (tostring(ObjectRef.name) matches regex \
             @'(?s)^web-.*$'))) and StageReceivedTime >= datetime(2026-03-02T09:00:00Z) and StageReceivedTime < \
             datetime(2026-03-02T10:00:00Z) + 1s and tostring(User.username) == \"maria\" and \
             not(tostring(User.username) matches regex @'(?s)^.*:bot$') and toint(coalesce(ResponseStatus.code, \
             dynamic(0))) !between (500 .. 599))",
            "| sort by StageReceivedTime asc",
            "Impersonated is \"maria\"",
            "Impersonated is not \"*:bot\"",
        ]
    );
    assert_eq!(
        lines(&ask, Language::Loki),
        [
            "{job=\"kube-apiserver-audit\"} |= `web-` | json | ((stage=\"ResponseComplete\" or stage=\"Panic\" or \
             (stage=\"ResponseStarted\" and (responseStatus_code>=400 and responseStatus_code<=999))) and \
             (((verb=\"update\" or verb=\"patch\") and objectRef_subresource=\"\") and \
             (objectRef_resource=\"deployments\" and (objectRef_apiGroup=\"apps\" or \
             objectRef_apiGroup=\"extensions\") and objectRef_namespace=\"shop\" and \
             objectRef_name=~`(?s)web-.*`)) and (user_username=\"maria\" or impersonatedUser_username=\"maria\") and \
             (user_username!~`(?s).*:bot` and impersonatedUser_username!~`(?s).*:bot`) and (responseStatus_code=\"\" or \
             responseStatus_code<500 or responseStatus_code>599))",
            "from 2026-03-02T09:00:00.500000Z",
            "until 2026-03-02T10:00:00.000000Z",
        ]
    );
}

proptest! {
    /// No name ends its string, its expression or its line.
    #[test]
    fn names_stay_names(name in "[a-z*'\"`\\\\/(){}|#$.;\n\u{1b}\u{e4}\u{1f600}]{1,12}", negated: bool) {
        let option = if negated { format!("!{name}") } else { name.clone() };
        let plain = ask("deleted", "pod/x", &[(Field::User, "!maria")]);
        let odd = ask("deleted", "pod/x", &[(Field::User, &option)]);
        for language in Language::ALL {
            let text = explain(&odd, *language).text;
            prop_assert_eq!(text.lines().count(), explain(&plain, *language).text.lines().count());
            prop_assert!(text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{}", text);
            // But in jq, which has the name as it is, no character that could mean something stays.
            if *language != Language::Jq {
                let odd: String = name.chars().map(|c| if "'\"`\\(){}|#$;\n\u{1b}".contains(c) { 'ä' } else { c }).collect();
                let option = if negated { format!("!{odd}") } else { odd };
                let same = ask("deleted", "pod/x", &[(Field::User, &option)]);
                prop_assert_eq!(text, explain(&same, *language).text);
            }
        }
    }
}
