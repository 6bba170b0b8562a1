//! Events of a range to intervals of versions.

use std::cmp::Ordering;

use seaworthy_core::{AffectedInterval, Scheme, Upper};

/// What happens at a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The vulnerability comes in; `None` before any version.
    Introduced(Option<Box<str>>),
    /// It is fixed here.
    Fixed(Box<str>),
    /// It is gone after this version.
    LastAffected(Box<str>),
    /// The record speaks of no version from here on.
    Limit(Box<str>),
}

impl Event {
    fn version(&self) -> Option<&str> {
        match self {
            Self::Introduced(version) => version.as_deref(),
            Self::Fixed(version) | Self::LastAffected(version) | Self::Limit(version) => {
                Some(version)
            }
        }
    }
}

/// The stretches that `events` leave affected.
///
/// Events are taken in the order of their versions, and in the order given where
/// these are equal. Where one is no version under `scheme`, the order given is
/// all there is.
///
/// A limit ends the last stretch like a fix, for want of a word between "fixed"
/// and "last affected"; no source of ours uses limits outside commit ranges.
pub(super) fn intervals(scheme: Scheme, events: &[Event]) -> Vec<AffectedInterval> {
    let mut sorted: Vec<&Event> = events
        .iter()
        .filter(|event| !matches!(event, Event::Limit(_)))
        .collect();
    let comparable = scheme != Scheme::Verbatim
        && sorted
            .iter()
            .filter_map(|event| event.version())
            .all(|version| scheme.check(version).is_ok());
    if comparable {
        scheme.sort_by_version(&mut sorted, |event| event.version());
    }

    let mut found: Vec<AffectedInterval> = Vec::new();
    let mut open: Option<Option<Box<str>>> = None;
    for event in sorted {
        match event {
            Event::Introduced(version) => {
                open.get_or_insert_with(|| version.clone());
            }
            Event::Fixed(version) => {
                // Fixed in the very version that the stretches before had as their
                // last.
                for AffectedInterval { upper, .. } in found.iter_mut().rev() {
                    let Upper::LastAffected(last) = upper else {
                        break;
                    };
                    if scheme.compare(last, version) != Some(Ordering::Equal) {
                        break;
                    }
                    *upper = Upper::Fixed(version.clone());
                }
                if let Some(from) = open.take() {
                    found.push(AffectedInterval {
                        from,
                        upper: Upper::Fixed(version.clone()),
                    });
                }
            }
            Event::LastAffected(version) => {
                if let Some(from) = open.take() {
                    found.push(AffectedInterval {
                        from,
                        upper: Upper::LastAffected(version.clone()),
                    });
                }
            }
            Event::Limit(_) => {}
        }
    }
    found.extend(open.map(|from| AffectedInterval {
        from,
        upper: Upper::Open,
    }));
    cut_at_limit(scheme, events, &mut found);
    found.retain(|interval| !is_empty(scheme, interval));
    found
}

/// A version is within the limits if it is below any of them, so the highest
/// counts; `*` is above everything.
fn cut_at_limit(scheme: Scheme, events: &[Event], found: &mut [AffectedInterval]) {
    let mut highest: Option<&str> = None;
    for event in events {
        let Event::Limit(limit) = event else { continue };
        if &**limit == "*" {
            return;
        }
        let higher =
            highest.is_none_or(|highest| scheme.compare(limit, highest) == Some(Ordering::Greater));
        if higher {
            highest = Some(limit);
        }
    }
    let Some(limit) = highest else { return };
    for interval in found {
        let beyond = match &interval.upper {
            Upper::Open => true,
            Upper::Fixed(version) => scheme.compare(version, limit) == Some(Ordering::Greater),
            Upper::LastAffected(version) => {
                scheme.compare(version, limit).is_some_and(Ordering::is_ge)
            }
        };
        if beyond {
            interval.upper = Upper::Fixed(limit.into());
        }
    }
}

/// Whether no version can lie inside.
fn is_empty(scheme: Scheme, interval: &AffectedInterval) -> bool {
    let Some(from) = &interval.from else {
        return false;
    };
    match &interval.upper {
        Upper::Open => false,
        Upper::Fixed(end) => scheme.compare(from, end).is_some_and(Ordering::is_ge),
        Upper::LastAffected(end) => scheme.compare(from, end) == Some(Ordering::Greater),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `i1 f2 l3 L4` for introduced, fixed, last affected and limit.
    fn check(scheme: Scheme, events: &str) -> String {
        let events: Vec<Event> = events
            .split_whitespace()
            .filter_map(|word| {
                let mut characters = word.chars();
                let letter = characters.next()?;
                let version = Box::from(characters.as_str());
                Some(match letter {
                    'i' if &*version == "0" => Event::Introduced(None),
                    'i' => Event::Introduced(Some(version)),
                    'f' => Event::Fixed(version),
                    'l' => Event::LastAffected(version),
                    _ => Event::Limit(version),
                })
            })
            .collect();
        let shown: Vec<String> = intervals(scheme, &events)
            .iter()
            .map(|interval| {
                let from = interval.from.as_deref().unwrap_or("");
                match &interval.upper {
                    Upper::Open => format!("[{from}..)"),
                    Upper::Fixed(end) => format!("[{from}..{end})"),
                    Upper::LastAffected(end) => format!("[{from}..{end}]"),
                }
            })
            .collect();
        shown.join(" ")
    }

    #[test]
    fn events_switch_affected_on_and_off_in_the_order_of_versions() {
        for (events, expected) in [
            ("i0 f2.0.0", "[..2.0.0)"),
            ("i0", "[..)"),
            ("i1.0.0 l1.4.0", "[1.0.0..1.4.0]"),
            (
                "f2.0.0 i1.0.0 i3.0.0 f3.1.0",
                "[1.0.0..2.0.0) [3.0.0..3.1.0)",
            ),
            ("i0 f1.10.0 i1.9.0", "[..1.10.0)"),
            // Affected already: introducing it again changes nothing.
            ("i0 i1.0.0 f2.0.0 f3.0.0", "[..2.0.0)"),
            ("f1.0.0", ""),
            // Equal versions keep the order given.
            ("i1.0.0 f1.0.0", ""),
            ("i0 f1.0.0 i1.0.0 f2.0.0", "[..1.0.0) [1.0.0..2.0.0)"),
            ("i1.0.0 l1.0.0", "[1.0.0..1.0.0]"),
            ("i0 l2.0.0 f2.0.0", "[..2.0.0)"),
            ("l4.0.0 i0 i4.0.0 l4.0.0 f4.0.0", "[..4.0.0)"),
            ("i0 f3.0.0 L2.0.0", "[..2.0.0)"),
            ("i0 L2.0.0 L3.0.0", "[..3.0.0)"),
            ("i0 L2.0.0 L*", "[..)"),
            ("i3.0.0 L2.0.0", ""),
            ("", ""),
        ] {
            assert_eq!(check(Scheme::Semver, events), expected, "{events}");
        }
    }

    #[test]
    fn without_an_order_the_order_given_counts() {
        assert_eq!(check(Scheme::Verbatim, "i2 f10 i3 f4"), "[2..10) [3..4)");
        assert_eq!(check(Scheme::Semver, "i1.0.0 fwhat"), "[1.0.0..what)");
    }

    fn event() -> impl Strategy<Value = Event> {
        let version = |number: u8| -> Box<str> { format!("{number}.0.0").into() };
        (0..5_u8, 1..7_u8).prop_map(move |(kind, number)| match kind {
            0 => Event::Introduced(None),
            1 => Event::Introduced(Some(version(number))),
            2 => Event::Fixed(version(number)),
            3 => Event::LastAffected(version(number)),
            _ => Event::Limit(version(number)),
        })
    }

    /// The schema's pseudo code: walk the sorted events, then look at the limits.
    fn is_affected(events: &[Event], version: &str) -> bool {
        let number = |text: &str| text.split('.').next().and_then(|it| it.parse::<u8>().ok());
        let at = |event: &Event| event.version().and_then(number).unwrap_or(0);
        let mut sorted: Vec<&Event> = events.iter().collect();
        sorted.sort_by_key(|event| at(event));
        let version = number(version).unwrap_or(0);
        let mut affected = false;
        for event in sorted {
            match event {
                Event::Introduced(_) if version >= at(event) => affected = true,
                Event::Fixed(_) if version >= at(event) => affected = false,
                Event::LastAffected(_) if version > at(event) => affected = false,
                _ => {}
            }
        }
        let mut limits = events
            .iter()
            .filter(|event| matches!(event, Event::Limit(_)))
            .map(at)
            .peekable();
        affected && (limits.peek().is_none() || limits.any(|limit| version < limit))
    }

    proptest! {
        #[test]
        fn intervals_hold_what_the_schema_calls_affected(
            events in proptest::collection::vec(event(), 0..10),
        ) {
            let found = intervals(Scheme::Semver, &events);
            for number in 0..9 {
                let version = format!("{number}.0.0");
                let inside = found
                    .iter()
                    .any(|it| it.as_interval().contains(Scheme::Semver, &version) == Some(true));
                prop_assert_eq!(inside, is_affected(&events, &version), "{}", version);
            }
        }
    }
}
