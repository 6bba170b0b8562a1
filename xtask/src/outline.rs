//! What a Rust file names: its modules, its paths with every `use` written out,
//! and which of it is compiled for tests only.

use crate::tokens::{Kind, Token, past_group};

/// One path as written, a `use` tree being as many paths as it has leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path<'source> {
    pub(crate) segments: Vec<&'source str>,
    pub(crate) line: usize,
    /// The modules written with braces around it in this file, outermost first.
    pub(crate) scope: Vec<&'source str>,
    pub(crate) role: Role<'source>,
    pub(crate) test: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role<'source> {
    /// Brought into scope by `use`, under `name`.
    Import {
        name: &'source str,
        public: bool,
    },
    /// `use path::*`
    Glob,
    /// Followed by `!`.
    Macro,
    /// Followed by `(`.
    Call,
    Plain,
}

/// A `mod name;` or `mod name { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module<'source> {
    pub(crate) name: &'source str,
    pub(crate) line: usize,
    pub(crate) scope: Vec<&'source str>,
    pub(crate) inline: bool,
    pub(crate) test: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Outline<'source> {
    pub(crate) modules: Vec<Module<'source>>,
    pub(crate) paths: Vec<Path<'source>>,
    /// The names of `macro_rules!` definitions.
    pub(crate) macros: Vec<&'source str>,
}

/// Reads the outline of a file; `test` says for each token whether it is
/// compiled for tests only (see [`test_marks`]).
pub(crate) fn outline<'source>(tokens: &[Token<'source>], test: &[bool]) -> Outline<'source> {
    let mut found = Outline::default();
    let mut around: Vec<(&'source str, usize)> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        around.retain(|(_, end)| at < *end);
        let scope: Vec<&str> = around.iter().map(|(name, _)| *name).collect();
        let test = test.get(at).copied().unwrap_or(false);
        let next = |ahead: usize| tokens.get(at + ahead);
        if token.kind != Kind::Word || is_member(tokens, at) {
            at += 1;
        } else if token.text == "use" && !next(1).is_some_and(|next| next.is_mark('<')) {
            let public = at > 0 && (tokens[at - 1].is_word("pub") || tokens[at - 1].is_mark(')'));
            let mut tree = Tree {
                tokens,
                scope,
                test,
                public,
                paths: &mut found.paths,
            };
            at = tree.read(at + 1, &[]);
        } else if token.text == "mod" && next(1).is_some_and(|next| next.kind == Kind::Word) {
            let name = tokens[at + 1].text;
            let inline = next(2).is_some_and(|next| next.is_mark('{'));
            found.modules.push(Module {
                name,
                line: token.line,
                scope,
                inline,
                test,
            });
            if inline {
                around.push((name, past_group(tokens, at + 2)));
            }
            at += 2;
        } else if token.text == "macro_rules" && next(1).is_some_and(|next| next.is_mark('!')) {
            found.macros.extend(next(2).map(|name| name.text));
            at += 3;
        } else {
            let (segments, end) = plain(tokens, at);
            let follows = |mark| tokens.get(end).is_some_and(|next| next.is_mark(mark));
            // `a != b` is a comparison, not a macro.
            let compares = tokens.get(end + 1).is_some_and(|next| next.is_mark('='));
            let role = if follows('!') && !compares {
                Role::Macro
            } else if follows('(') {
                Role::Call
            } else {
                Role::Plain
            };
            if !is_visibility(tokens, at) {
                found.paths.push(Path {
                    segments,
                    line: token.line,
                    scope,
                    role,
                    test,
                });
            }
            at = end;
        }
    }
    found
}

/// For each token, whether it stands in an item that is compiled for tests only.
pub(crate) fn test_marks(tokens: &[Token<'_>]) -> Vec<bool> {
    let mut marks = vec![false; tokens.len()];
    let mut at = 0;
    while at < tokens.len() {
        let Some(attribute) = Attribute::at(tokens, at) else {
            at += 1;
            continue;
        };
        if !attribute.is_for_tests() {
            at = attribute.end;
            continue;
        }
        let end = if attribute.inner {
            tokens.len()
        } else {
            item_end(tokens, attribute.end)
        };
        for mark in marks.iter_mut().take(end).skip(at) {
            *mark = true;
        }
        at = end;
    }
    marks
}

/// `#[…]` or `#![…]`.
pub(crate) struct Attribute<'source> {
    pub(crate) words: Vec<&'source str>,
    inner: bool,
    /// The index just past it.
    pub(crate) end: usize,
}

impl<'source> Attribute<'source> {
    pub(crate) fn at(tokens: &[Token<'source>], at: usize) -> Option<Self> {
        if !tokens.get(at)?.is_mark('#') {
            return None;
        }
        let inner = tokens.get(at + 1)?.is_mark('!');
        let open = at + 1 + usize::from(inner);
        if !tokens.get(open)?.is_mark('[') {
            return None;
        }
        let end = past_group(tokens, open);
        let words = tokens.get(open..end)?.iter();
        Some(Self {
            words: words
                .filter(|token| token.kind == Kind::Word)
                .map(|token| token.text)
                .collect(),
            inner,
            end,
        })
    }

    fn is_for_tests(&self) -> bool {
        match self.words.as_slice() {
            ["cfg", "test"] | ["test"] | ["tokio", "test", ..] => true,
            ["cfg", "all", rest @ ..] => rest.contains(&"test") && !rest.contains(&"not"),
            _ => false,
        }
    }
}

/// The index just past the item, field, variant or arm that starts at `start`.
fn item_end(tokens: &[Token<'_>], start: usize) -> usize {
    const ITEMS: [&str; 15] = [
        "async",
        "const",
        "enum",
        "extern",
        "fn",
        "impl",
        "let",
        "macro_rules",
        "mod",
        "pub",
        "static",
        "struct",
        "trait",
        "type",
        "use",
    ];
    let mut at = start;
    while let Some(attribute) = Attribute::at(tokens, at) {
        at = attribute.end;
    }
    let item = tokens.get(at).is_some_and(|first| {
        first.kind == Kind::Word && (ITEMS.contains(&first.text) || first.text == "unsafe")
    });
    while let Some(token) = tokens.get(at) {
        if token.is_mark('{') && item {
            return past_group(tokens, at);
        }
        if token.opens() {
            at = past_group(tokens, at);
        } else if token.closes() {
            return at;
        } else if token.is_mark(';') || (token.is_mark(',') && !item) {
            return at + 1;
        } else {
            at += 1;
        }
    }
    at
}

/// Whether the word at `at` continues something before it: a field, a method, or
/// a path behind generic arguments.
fn is_member(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|before| tokens.get(before)) else {
        return false;
    };
    let range = at >= 2 && tokens[at - 2].is_mark('.');
    (before.is_mark('.') && !range)
        || (before.kind == Kind::Step && at >= 2 && tokens[at - 2].is_mark('>'))
}

/// Whether the path at `at` is the `crate::x` of `pub(in crate::x)`.
fn is_visibility(tokens: &[Token<'_>], at: usize) -> bool {
    at >= 3
        && tokens[at - 1].is_word("in")
        && tokens[at - 2].is_mark('(')
        && tokens[at - 3].is_word("pub")
}

fn plain<'source>(tokens: &[Token<'source>], start: usize) -> (Vec<&'source str>, usize) {
    let mut segments = vec![tokens[start].text];
    let mut at = start + 1;
    while let [step, word, ..] = tokens.get(at..).unwrap_or_default()
        && step.kind == Kind::Step
        && word.kind == Kind::Word
    {
        segments.push(word.text);
        at += 2;
    }
    (segments, at)
}

struct Tree<'tokens, 'source> {
    tokens: &'tokens [Token<'source>],
    scope: Vec<&'source str>,
    test: bool,
    public: bool,
    paths: &'tokens mut Vec<Path<'source>>,
}

impl<'source> Tree<'_, 'source> {
    /// Reads one branch of a `use` tree and answers the index just past it.
    fn read(&mut self, start: usize, prefix: &[&'source str]) -> usize {
        let mut segments = prefix.to_vec();
        let mut name = None;
        let mut at = start;
        let mut line = self.tokens.get(start).map_or(0, |token| token.line);
        while let Some(token) = self.tokens.get(at) {
            if token.is_mark('{') {
                let end = past_group(self.tokens, at);
                at += 1;
                while at + 1 < end {
                    at = self.read(at, &segments);
                    if self.tokens.get(at).is_some_and(|next| next.is_mark(',')) {
                        at += 1;
                    }
                }
                return end;
            }
            if token.is_mark('*') {
                self.push(segments, line, Role::Glob);
                return at + 1;
            }
            if token.is_word("as") {
                name = self.tokens.get(at + 1).map(|alias| alias.text);
                at += 2;
                continue;
            }
            if token.kind == Kind::Word {
                line = token.line;
                // `use a::{self}` brings in `a`.
                if token.text != "self" || segments.is_empty() {
                    segments.push(token.text);
                }
            } else if token.kind != Kind::Step && !token.is_mark('$') {
                break;
            }
            at += 1;
        }
        let name = name.or(segments.last().copied()).unwrap_or_default();
        let public = self.public;
        self.push(segments, line, Role::Import { name, public });
        // A token that fits nowhere must not stop us for ever.
        if at == start { at + 1 } else { at }
    }

    fn push(&mut self, segments: Vec<&'source str>, line: usize, role: Role<'source>) {
        if !segments.is_empty() {
            self.paths.push(Path {
                segments,
                line,
                scope: self.scope.clone(),
                role,
                test: self.test,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokens;

    fn read(source: &str) -> Outline<'_> {
        let tokens = tokens(source);
        outline(&tokens, &test_marks(&tokens))
    }

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let paths: Vec<String> = read(source)
            .paths
            .iter()
            .filter(|path| path.segments.len() > 1 || path.role == Role::Macro)
            .map(|path| {
                let mark = match path.role {
                    Role::Glob => "::*",
                    Role::Macro => "!",
                    Role::Call => "()",
                    Role::Import { .. } | Role::Plain => "",
                };
                let test = if path.test { "test " } else { "" };
                let mut words = path.scope.clone();
                let written = path.segments.join("::");
                words.push(&written);
                format!("{test}{}{mark}", words.join(": "))
            })
            .collect();
        assert_eq!(paths, expected, "{source}");
    }

    #[test]
    fn a_use_tree_is_written_out() {
        check(
            "use crate::{a, b::{self, C as D, *}, e::F};",
            &[
                "crate::a",
                "crate::b",
                "crate::b::C",
                "crate::b::*",
                "crate::e::F",
            ],
        );
        check("use ::std::{env, fs};", &["std::env", "std::fs"]);
        check("use $crate::a;", &["crate::a"]);
        check(
            "fn f() -> impl A + use<'a> { crate::b::c() }",
            &["crate::b::c()"],
        );
    }

    #[test]
    fn an_import_keeps_the_name_it_brings() {
        let outline = read("pub use a::B as C; use d::E;");
        let roles: Vec<Role<'_>> = outline
            .paths
            .iter()
            .map(|path| path.role)
            .filter(|role| *role != Role::Plain)
            .collect();
        assert_eq!(
            roles,
            [
                Role::Import {
                    name: "C",
                    public: true
                },
                Role::Import {
                    name: "E",
                    public: false
                },
            ]
        );
    }

    #[test]
    fn paths_are_seen_in_code_and_members_are_not() {
        check(
            "x.crate_::y; self.a.b(); <crate::A as B>::c::d",
            &["crate::A"],
        );
        check("for i in crate::a::b() {}", &["crate::a::b()"]);
        check("pub(in crate::a) fn f() {}", &[]);
        check("a::b!(c::d)", &["a::b!", "c::d"]);
        check("0..super::N", &["super::N"]);
        check("if left != right {}", &[]);
    }

    #[test]
    fn an_inline_module_is_the_scope_of_what_stands_in_it() {
        check(
            "mod a { super::b::c; mod d { super::e } } super::f",
            &["a: super::b::c", "a: d: super::e", "super::f"],
        );
    }

    #[test]
    fn what_is_for_tests_is_marked_and_nothing_else() {
        check(
            "#[cfg(test)] mod t { crate::a } crate::b",
            &["test t: crate::a", "crate::b"],
        );
        check(
            "#[cfg(test)] use crate::a; crate::b",
            &["test crate::a", "crate::b"],
        );
        check(
            "#[cfg(all(test, unix))] #[x] fn f(a: [u8; 2]) { crate::a } crate::b",
            &["test crate::a", "crate::b"],
        );
        check(
            "#[test] fn f() { crate::a } crate::b",
            &["test crate::a", "crate::b"],
        );
        check("#[cfg(not(test))] fn f() { crate::a }", &["crate::a"]);
        check(
            "struct S { #[cfg(test)] a: crate::a::A, b: crate::b::B }",
            &["test crate::a::A", "crate::b::B"],
        );
        check("#![cfg(test)] crate::a", &["test crate::a"]);
    }

    #[test]
    fn modules_are_listed_with_how_they_are_written() {
        let outline = read("mod a; #[cfg(test)] mod b { mod c; } macro_rules! d { () => {} }");
        let modules: Vec<(&str, bool, bool, usize)> = outline
            .modules
            .iter()
            .map(|module| (module.name, module.inline, module.test, module.scope.len()))
            .collect();
        assert_eq!(
            modules,
            [
                ("a", false, false, 0),
                ("b", true, true, 0),
                ("c", false, true, 1)
            ]
        );
        assert_eq!(outline.macros, ["d"]);
    }
}
