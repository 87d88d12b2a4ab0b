//! How much memory a question may take: `--memory-limit`.

use std::fs;
use std::path::Path;

use clap::{Arg, ArgMatches};

use crate::quantity;

/// What entries may take of it: the answers that rest on them may take as much again, and others live there, too.
const PART: u64 = 4;

pub(crate) fn arg() -> Arg {
    Arg::new("memory-limit").long("memory-limit").value_name("SIZE").value_parser(quantity::size).help(
        "Give up rather than keep entries of more than this, such as 2GB; a quarter of the memory by default",
    )
}

/// Bytes that may be kept of the entries that a question rests on.
pub(crate) fn limit(matches: &ArgMatches) -> u64 {
    let given = matches.get_one::<u64>("memory-limit").copied();
    given.unwrap_or_else(|| total().min(allowed()) / PART)
}

/// Bytes of memory that the machine has.
#[cfg(target_os = "linux")]
fn total() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram.saturating_mul(u64::from(info.mem_unit))
}

/// Bytes of memory that any machine has on which there is something to be found: others don't say how much it is.
#[cfg(not(target_os = "linux"))]
const fn total() -> u64 {
    8 << 30
}

/// Bytes that its control groups allow this process, as in a container.
fn allowed() -> u64 {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    allowed_by(&groups, Path::new("/sys/fs/cgroup"))
}

/// The least that a control group allows of those that a process is in, and of those above them
/// ([cgroups(7)](https://man7.org/linux/man-pages/man7/cgroups.7.html)).
fn allowed_by(groups: &str, root: &Path) -> u64 {
    let groups = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let limits = groups.flat_map(|(controllers, path)| {
        let (folder, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            _ => (root.join("memory"), "memory.limit_in_bytes"),
        };
        let has_memory = controllers.is_empty() || controllers.split(',').any(|name| name == "memory");
        let within = Path::new(path.trim_start_matches('/')).ancestors().filter(move |_| has_memory);
        within.filter_map(move |path| {
            fs::read_to_string(folder.join(path).join(file)).ok()?.trim().parse().ok()
        })
    });
    limits.min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_group_counts() {
        let root = tempfile::tempdir().unwrap();
        let set = |path: &str, limit: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, limit).unwrap();
        };
        let allowed = |groups: &str| allowed_by(groups, root.path());
        assert_eq!(allowed("0::/system.slice/audit.service\n"), u64::MAX);
        set("system.slice/audit.service/memory.max", "max\n");
        set("system.slice/memory.max", "2147483648\n");
        assert_eq!(allowed("0::/system.slice/audit.service\n"), 2 << 30);
        set("memory/kubepods/memory.limit_in_bytes", "1073741824\n");
        assert_eq!(allowed("4:cpu,memory:/kubepods/pod1\n2:pids:/kubepods\n"), 1 << 30);
        // In a container the path may be one that is seen outside alone.
        set("memory.max", "536870912\n");
        assert_eq!(allowed("0::/../../kubelet/pod2\n"), 512 << 20);
        assert_eq!(allowed("no groups"), u64::MAX);
    }
}
