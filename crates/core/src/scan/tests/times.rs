//! Time ranges and gaps, told from few lines.

use super::*;

#[test]
fn the_time_range_is_that_of_the_first_and_the_last_entry() {
    let line = |second: u32| {
        format!("{{\"auditID\":\"a\",\"stageTimestamp\":\"1970-01-01T00:00:{second:02}.000000Z\"}}\n")
    };
    let content: String = (1..50).map(line).collect();
    let list = format!("{{\"items\":[{}]}}\n", content.trim_end().replace('\n', ","));
    for content in [content, list] {
        let (_folder, path) = file(&content);
        let (_, coverage) = scan(&sizes(1024, 1 << 20, 2), &path, &literals(&["absent"]));
        assert_eq!(coverage.total.decoded_bytes, 0);
        assert_eq!(coverage.total.from, Timestamp::parse("1970-01-01T00:00:01Z"));
        assert_eq!(coverage.total.until, Timestamp::parse("1970-01-01T00:00:49Z"));
    }
}

/// Entries at these seconds.
fn entries_at(seconds: &[u32]) -> String {
    let line = |second: &u32| {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        format!(
            "{{\"auditID\":\"a\",\"stageTimestamp\":\"1970-01-01T{hour:02}:{minute:02}:{:02}.000000Z\"}}\n",
            second % 60
        )
    };
    seconds.iter().map(line).collect()
}

/// Gaps between the seconds of entries, in order; `suspect` tells whether a file ends or a line is bad before an entry.
fn expected_gaps(seconds: &[u32], suspect: impl Fn(usize) -> bool) -> Vec<(u32, u32)> {
    let pairs = || seconds.windows(2).enumerate().map(|(at, pair)| (at + 1, pair[0], pair[1]));
    let mut pauses: Vec<u32> = pairs().map(|(_, a, b)| b - a).filter(|pause| *pause > 60).collect();
    pauses.sort_unstable_by_key(|pause| std::cmp::Reverse(*pause));
    let unusual = seconds.len().div_ceil(50);
    let left_out: u32 = pauses.iter().take(unusual).sum();
    let rest = i64::from(seconds.last().unwrap() - seconds[0] - left_out) * 1_000_000;
    let usual = rest / i64::try_from(seconds.len() - 1 - unusual).unwrap() * 100;
    let least = |at| if suspect(at) { 60_000_000 } else { 300_000_000 };
    let is_gap = |(at, a, b): &(usize, u32, u32)| i64::from(b - a) * 1_000_000 > usual.max(least(*at));
    pairs().filter(is_gap).map(|(_, a, b)| (a, b)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Gaps are those of all times, though only few lines are looked at: within a block, between blocks, between files
    /// and beside bad lines.
    #[test]
    fn gaps_are_those_of_all_times(
        steps in proptest::collection::vec(prop_oneof![40 => 0_u32..3, 3 => 0_u32..500], 11..300),
        rotate in 1_usize..300, bad in proptest::collection::vec(0_usize..300, 0..4),
        block in 40_usize..4000, range in 40_u64..4000, threads in 1_usize..4, decoded in any::<bool>(),
    ) {
        let seconds: Vec<u32> = steps.iter().scan(0, |now, step| { *now += step; Some(*now) }).collect();
        let (old, new) = seconds.split_at(rotate.min(seconds.len()));
        let (folder, path) = file(entries_at(new));
        let mut lines: Vec<String> = entries_at(old).lines().map(str::to_owned).collect();
        let mut bad: Vec<usize> = bad.into_iter().map(|place| place.min(old.len())).collect();
        bad.sort_unstable();
        for place in bad.iter().rev() {
            lines.insert(*place, "no entry".to_owned());
        }
        fs::write(path.with_file_name("audit-old.log"), lines.join("\n")).unwrap();
        let literals = if decoded { Literals::everything() } else { literals(&["absent"]) };
        let wanted = Look { filters: None, literals };
        let inputs = Inputs::open([folder.path()]);
        let coverage = sizes(block, range, threads)
            .run_with(&inputs, &wanted, Seen::default, |_, line, sink| envelope::decode(line, sink))
            .1;
        prop_assert_eq!(coverage.servers.len(), 1);
        let second = |time: Timestamp| u32::try_from(time.as_micros() / 1_000_000).unwrap();
        let server = &coverage.servers[0];
        let found: Vec<_> = server.gaps.iter().map(|gap| (second(gap.from), second(gap.until))).collect();
        prop_assert_eq!((second(server.from), second(server.until)), (seconds[0], *seconds.last().unwrap()));
        prop_assert_eq!(found, expected_gaps(&seconds, |at| at == old.len() || bad.contains(&at)));
    }
}
