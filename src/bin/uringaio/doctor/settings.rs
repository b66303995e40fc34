//! The variables `URINGAIO_*`: what is set, and what of it the library does not understand.

use std::ffi::OsString;

use super::report::Finding;

/// What a variable may hold.
enum Values {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `1` for on; `0`, `no`, `off` or nothing for off.
    Switch,
    /// A whole number.
    Number,
    /// CPUs, like `0-3,8`.
    Cpus,
}

/// The library's variables, as its `Settings` reads them.
const KNOWN: [(&str, Values); 12] = [
    ("URINGAIO_CPUS", Values::Cpus),
    ("URINGAIO_DONTCACHE", Values::Switch),
    ("URINGAIO_ENGINE", Values::OneOf(&["auto", "uring", "threads", "system"])),
    ("URINGAIO_INTERFACE", Values::OneOf(&["both", "posix", "libaio"])),
    // Its earlier name.
    ("URINGAIO_FACE", Values::OneOf(&["both", "posix", "libaio"])),
    ("URINGAIO_INLINE", Values::OneOf(&["on", "1", "never", "off", "0", "no"])),
    ("URINGAIO_KERNEL_AIO", Values::OneOf(&["on", "1", "off", "0", "no"])),
    ("URINGAIO_LOG", Values::Switch),
    ("URINGAIO_MAX_EVENTS", Values::Number),
    ("URINGAIO_RAW", Values::Switch),
    ("URINGAIO_RESTART", Values::Switch),
    ("URINGAIO_STATS", Values::Switch),
];
/// Variables that the project's own build and tests use.
const OF_TESTS: [&str; 4] = ["URINGAIO_TEST_", "URINGAIO_LIBRARY", "URINGAIO_DROP_IN", "URINGAIO_NO_INSTALL"];

/// What to say about an environment.
pub fn findings(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Finding> {
    let mut variables: Vec<(String, String)> = environment
        .into_iter()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with("URINGAIO_") && !OF_TESTS.iter().any(|known| name.starts_with(known)))
        .collect();
    variables.sort();
    if variables.is_empty() {
        return vec![Finding::good("settings", "No variable URINGAIO_... is set: the defaults hold", "")];
    }
    variables.iter().map(|(name, value)| one(name, value)).collect()
}

fn one(name: &str, value: &str) -> Finding {
    let Some((_, values)) = KNOWN.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = KNOWN.iter().map(|&(known, _)| known).collect();
        return Finding::bad(
            "settings",
            format!("There is no variable {name}: the library ignores it"),
            format!("It knows {}.", known.join(", ")),
        )
        .with_remedy([format!("unset {name}")]);
    };
    let wrong = |allowed: String| {
        Finding::bad(
            "settings",
            format!("{name}={value} is not understood: the library ignores it and takes its default"),
            format!("The value is {allowed}."),
        )
    };
    match values {
        Values::OneOf(words) if !words.contains(&value) => wrong(words.join(" or ")),
        Values::Number if value.trim().parse::<u64>().is_err() => wrong("a whole number".into()),
        Values::Cpus if !value.bytes().all(|letter| letter.is_ascii_digit() || b"-, ".contains(&letter)) => {
            wrong("CPUs, like 0-3,8".into())
        }
        Values::Switch if !["", "0", "no", "off", "1", "yes", "on", "true"].contains(&value) => Finding::note(
            "settings",
            format!("{name}={value} counts as switched on"),
            "The value is 1 for on or 0 for off.",
        ),
        _ => Finding::note("settings", format!("{name}={value} is set"), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::findings;

    fn verdicts(variables: &[(&str, &str)]) -> Vec<(Verdict, String)> {
        let environment = variables.iter().map(|&(name, value)| (name.into(), value.into()));
        findings(environment)
            .into_iter()
            .map(|finding| (finding.verdict, finding.title + " " + &finding.detail))
            .collect()
    }

    #[test]
    fn wrong_values_and_names_are_told() {
        assert_eq!(verdicts(&[("HOME", "/"), ("URINGAIO_TEST_LIMIT", "1")])[0].0, Verdict::Good);
        let (verdict, text) = verdicts(&[("URINGAIO_ENGINE", "iouring")]).remove(0);
        assert!(verdict == Verdict::Bad && text.contains("auto or uring or threads or system"), "{text}");
        let (verdict, text) = verdicts(&[("URINGAIO_ENGIN", "uring")]).remove(0);
        assert!(verdict == Verdict::Bad && text.contains("URINGAIO_ENGINE"), "{text}");
        assert_eq!(verdicts(&[("URINGAIO_MAX_EVENTS", "many")])[0].0, Verdict::Bad);
        for right in [("URINGAIO_ENGINE", "threads"), ("URINGAIO_MAX_EVENTS", "65536"), ("URINGAIO_STATS", "1")] {
            assert_eq!(verdicts(&[right])[0].0, Verdict::Note);
        }
    }
}
