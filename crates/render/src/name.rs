//! The objects alone, as `kubectl -o name` has them but with the plural resource: `pods/web-1`.

use std::collections::HashSet;
use std::io;

use audit_who_event::answer::Object;

use crate::Report;
use crate::terminal::neutral;

/// Writes the object of each answer once; related answers tell of objects that were not asked for this way.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut written = HashSet::new();
    for answer in report.answers {
        let name = name(&answer.object);
        if !written.contains(&name) {
            writeln!(out, "{name}")?;
            written.insert(name);
        }
    }
    Ok(())
}

/// Writes the object of one answer.
pub(crate) fn one(object: &Object, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{}", name(object))
}

fn name(object: &Object) -> String {
    let dot = if object.api_group.is_empty() { "" } else { "." };
    neutral(&format!("{}{dot}{}/{}", object.resource, object.api_group, object.name)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn each_object_is_named_once() {
        let mut sample = Sample::scaled_down();
        sample.answers.push(sample.answers[0].clone());
        let mut web = sample.answers[0].clone();
        web.object = Object {
            api_group: "apps".into(),
            resource: "deployments".into(),
            name: "web\n".into(),
            ..Object::default()
        };
        sample.answers.push(web);
        let mut out = Vec::new();
        write(&sample.report(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "pods/web-1\ndeployments.apps/web\\n\n");
    }
}
