//! SPDX licence expressions: <https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/>.

/// Whether somebody who accepts exactly the licences that `accepts` accepts can
/// use what is offered under `text`. An expression that cannot be read is not met.
///
/// `/`, as older manifests have it, means `OR`.
pub(super) fn is_met(text: &str, accepts: &dyn Fn(&str) -> bool) -> bool {
    let spaced = text
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader {
        words: &words,
        accepts,
    };
    reader
        .any()
        .is_some_and(|met| met && reader.words.is_empty())
}

struct Reader<'words, 'text> {
    words: &'words [&'text str],
    accepts: &'words dyn Fn(&str) -> bool,
}

impl Reader<'_, '_> {
    /// One of several: `OR` binds weakest.
    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.take("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let met = self.any()?;
            return self.take(")").then_some(met);
        }
        let (name, rest) = self.words.split_first()?;
        if matches!(*name, "AND" | "OR" | "WITH" | ")") {
            return None;
        }
        self.words = rest;
        if self.take("WITH") {
            let (exception, rest) = self.words.split_first()?;
            self.words = rest;
            return Some((self.accepts)(&format!("{name} WITH {exception}")));
        }
        Some((self.accepts)(name))
    }

    fn take(&mut self, word: &str) -> bool {
        let Some((first, rest)) = self.words.split_first() else {
            return false;
        };
        if *first == word {
            self.words = rest;
        }
        *first == word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, met: bool) {
        let accepts = |name: &str| matches!(name, "A" | "B" | "C WITH D");
        assert_eq!(is_met(text, &accepts), met, "{text}");
    }

    #[test]
    fn either_and_both() {
        check("A", true);
        check("X", false);
        check("A OR X", true);
        check("X/A", true);
        check("A AND X", false);
        check("A AND B", true);
    }

    #[test]
    fn both_binds_closer_than_either_and_brackets_closest() {
        check("A OR X AND Y", true);
        check("(A OR X) AND Y", false);
        check("(A OR X) AND (Y OR B)", true);
    }

    #[test]
    fn an_exception_makes_another_licence() {
        check("C WITH D", true);
        check("C", false);
        check("A WITH D", false);
    }

    #[test]
    fn nonsense_is_not_met() {
        for text in ["", "A B", "A OR", "(A", "A)", "AND", "A WITH"] {
            check(text, false);
        }
    }
}
