//! Advisories in, the bytes of an edition out.

mod assemble;
mod bundle;
mod copies;
mod names;
mod pool;
mod silent;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use seaworthy_core::{
    Advisory, Day, Ecosystem, Epss, FeedDate, Fix, Kev, PackageKey, Stance, Upper,
};

use seaworthy_match::Trust;

use self::bundle::Bundles;
use self::names::Names;
use self::pool::Pool;
use crate::details::{BodyDocument, RatingDocument, VulnerabilityDocument, epss_numbers};
use crate::details::{KevDocument, NamesDocument, RecordDocument};
use crate::format::{self, Shape};

/// What an edition carries beside its advisories.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// How current each feed is. A feed that is missing here is of unknown age.
    pub feeds: BTreeMap<Box<str>, FeedDate>,
    /// Known exploitation, by the name of the vulnerability.
    pub kev: BTreeMap<Box<str>, Kev>,
    /// Predicted exploitation, by the name of the vulnerability.
    pub epss: BTreeMap<Box<str>, Epss>,
    /// The last day of security support, by `ID` and `VERSION_ID` of
    /// os-release(5), the latter possibly shortened (`9` stands for `9.4`).
    pub support: BTreeMap<(Box<str>, Box<str>), Day>,
    /// Whether this is the small edition inside the program.
    pub starter: bool,
}

/// Why no edition came of it.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The format cannot number so many.
    #[error("an edition cannot hold so many {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
    },
    /// A document could not be encoded.
    #[error("cannot encode the details of `{id}`")]
    Encode {
        /// The record or vulnerability.
        id: Box<str>,
        /// What the encoder said.
        #[source]
        source: postcard::Error,
    },
    /// A block of details could not be compressed.
    #[error("cannot compress a block of details")]
    Compress(#[source] std::io::Error),
}

/// Takes advisories one by one and compiles them into the bytes of an edition.
///
/// Of each it keeps a compact draft, so that a whole world of advisories fits
/// into memory. Two records of the same feed and id are one: the last modified
/// counts. What a vendor says under an id counts before what others pass on of it
/// under the same id.
#[derive(Default)]
pub struct Compiler {
    pool: Pool,
    ecosystems: HashMap<Ecosystem, u32>,
    keys: HashMap<(u32, u32), u32>,
    drafts: Vec<Draft>,
    rows: Vec<DraftRow>,
    names: Vec<u32>,
    bodies: Vec<u8>,
}

/// A state of a [`Compiler`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    drafts: usize,
    rows: usize,
    names: usize,
    bodies: usize,
}

/// One advisory; the ranges point into the compiler's lists.
struct Draft {
    feed: u32,
    id: u32,
    modified: Option<Day>,
    aliases: (usize, usize),
    bundles: (usize, usize),
    rows: (usize, usize),
    body: (usize, usize),
}

impl Draft {
    fn has_rows(&self) -> bool {
        self.rows.0 < self.rows.1
    }
}

/// One stretch or version of one statement. Texts are numbers in the pool.
#[derive(Clone, Copy)]
struct DraftRow {
    key: u32,
    shape: Shape,
    from: u32,
    until: u32,
}

/// A row with its final record and vulnerability.
struct FinalRow {
    key: u32,
    record: u32,
    trust: Trust,
    /// A vulnerability, or a bundle of them.
    about: u32,
    shape: Shape,
    from: u32,
    until: u32,
}

impl Compiler {
    /// A compiler that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state so far, to come back to.
    pub fn mark(&self) -> Mark {
        Mark {
            drafts: self.drafts.len(),
            rows: self.rows.len(),
            names: self.names.len(),
            bodies: self.bodies.len(),
        }
    }

    /// Forgets everything taken since `mark`.
    pub fn undo(&mut self, mark: Mark) {
        self.drafts.truncate(mark.drafts);
        self.rows.truncate(mark.rows);
        self.names.truncate(mark.names);
        self.bodies.truncate(mark.bodies);
    }

    /// Takes one advisory.
    pub fn add(&mut self, advisory: &Advisory) -> Result<(), CompileError> {
        let feed = self.text(&advisory.feed)?;
        let id = self.text(&advisory.id)?;
        let aliases = self.names(&advisory.aliases)?;
        let bundles = self.names(&advisory.bundles)?;
        let first_row = self.rows.len();
        for statement in &advisory.statements {
            let key = self.key(&statement.about)?;
            self.stance(key, &statement.stance)?;
        }
        let body = postcard::to_allocvec(&BodyDocument {
            summary: &advisory.summary,
            references: advisory.references.iter().map(AsRef::as_ref).collect(),
            ratings: advisory.ratings.iter().map(RatingDocument::of).collect(),
        })
        .map_err(|source| CompileError::Encode {
            id: advisory.id.clone(),
            source,
        })?;
        let first_byte = self.bodies.len();
        self.bodies.extend_from_slice(&body);
        self.drafts.push(Draft {
            feed,
            id,
            modified: advisory.modified,
            aliases,
            bundles,
            rows: (first_row, self.rows.len()),
            body: (first_byte, self.bodies.len()),
        });
        Ok(())
    }

    /// The edition of everything taken so far.
    pub fn compile(mut self, context: &Context) -> Result<Vec<u8>, CompileError> {
        let order = self.latest_in_order();
        self.drop_copies(&order);
        let mut names = Names::of(&self.pool);
        let named = self.name_vulnerabilities(&order, &mut names);

        // Records and vulnerabilities are numbered where rows need them.
        let records: Vec<usize> = (0..order.len())
            .filter(|&position| self.draft(&order, position).has_rows())
            .collect();
        if records.len() >= usize::try_from(format::MAX_RECORDS).unwrap_or(usize::MAX) {
            return Err(CompileError::TooMany { what: "records" });
        }
        let mut roots: Vec<u32> = records
            .iter()
            .filter_map(|&position| named.get(position))
            .flatten()
            .copied()
            .collect();
        roots.sort_unstable();
        roots.dedup();
        let groups = names.groups(&self.pool);
        let mut vulnerabilities: Vec<(u32, &[u32])> = roots
            .iter()
            .map(|&root| (root, groups.members(root)))
            .collect();
        vulnerabilities.sort_unstable_by_key(|(_, members)| {
            members.first().map_or("", |&name| self.pool.text(name))
        });
        if vulnerabilities.len() >= usize::try_from(format::BUNDLE).unwrap_or(usize::MAX) {
            return Err(CompileError::TooMany {
                what: "vulnerabilities",
            });
        }
        let number_of_root: HashMap<u32, u32> = vulnerabilities
            .iter()
            .enumerate()
            .map(|(number, (root, _))| {
                let number = count(number, "vulnerabilities")?;
                Ok((*root, number))
            })
            .collect::<Result<_, CompileError>>()?;

        let mut rows = Vec::with_capacity(self.rows.len());
        let mut bundles = Bundles::default();
        for (number, &position) in records.iter().enumerate() {
            let record = count(number, "records")?;
            let (start, end) = self.draft(&order, position).rows;
            let drafts = self.rows.get(start..end).unwrap_or_default();
            let mut numbers: Vec<u32> = named
                .get(position)
                .into_iter()
                .flatten()
                .filter_map(|root| number_of_root.get(root).copied())
                .collect();
            numbers.sort_unstable();
            let about = bundles.word(&numbers)?;
            let feed = self.draft(&order, position).feed;
            let trust = Trust::of_feed(self.pool.text(feed));
            rows.extend(drafts.iter().map(|row| FinalRow {
                key: row.key,
                record,
                trust,
                about,
                shape: row.shape,
                from: row.from,
                until: row.until,
            }));
        }

        // What a vulnerability is rated at is the sum of what the records say
        // that are this vulnerability. A notice for several says nothing of one.
        let mut ratings: HashMap<u32, Vec<RatingDocument<'_>>> = HashMap::new();
        for (position, roots) in named.iter().enumerate() {
            let [root] = roots.as_slice() else { continue };
            let draft = self.draft(&order, position);
            if draft.bundles.0 < draft.bundles.1 || !number_of_root.contains_key(root) {
                continue;
            }
            if let Some(body) = self.body(draft) {
                ratings.entry(*root).or_default().extend(body.ratings);
            }
        }

        let vulnerability_documents = vulnerabilities
            .iter()
            .map(|(root, members)| {
                let mut ratings = ratings.remove(root).unwrap_or_default();
                ratings.sort_unstable();
                ratings.dedup();
                let mut texts = members.iter().map(|&name| self.pool.text(name));
                let id = texts.next().unwrap_or("");
                let mut aliases: Vec<&str> = texts.collect();
                aliases.sort_unstable();
                let all = || std::iter::once(id).chain(aliases.iter().copied());
                let kev = all().find_map(|name| context.kev.get(name));
                let epss = all().find_map(|name| context.epss.get(name));
                encode(
                    id,
                    &VulnerabilityDocument {
                        id,
                        kev: kev.map(KevDocument::of),
                        epss: epss.copied().map(epss_numbers),
                        aliases: aliases.clone(),
                        ratings,
                    },
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let record_document = |number: usize| {
            let draft = self.draft(&order, *records.get(number)?);
            Some((
                self.document(draft, self.body(draft)?),
                self.names_said(draft),
            ))
        };
        // Of what a record says that has no rows, only names and ratings matter.
        let silent_documents = self
            .silent_records(&order)
            .into_iter()
            .map(|position| {
                let draft = self.draft(&order, position);
                let body = BodyDocument {
                    summary: "",
                    references: Vec::new(),
                    ratings: self.body(draft).map_or_else(Vec::new, |body| body.ratings),
                };
                let document = (self.document(draft, body), self.names_said(draft));
                encode(self.pool.text(draft.id), &document)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let feed_of_record: Vec<u32> = records
            .iter()
            .map(|&position| self.draft(&order, position).feed)
            .collect();
        assemble::assemble(
            assemble::Parts {
                pool: &self.pool,
                ecosystems: &self.ecosystems,
                keys: &self.keys,
                rows,
                bundles,
                feed_of_record: &feed_of_record,
                vulnerability_documents,
                silent_documents,
                context,
            },
            |number| match record_document(number) {
                Some(document) => encode(document.0.id, &document),
                None => Ok(Vec::new()),
            },
        )
    }

    /// Positions of drafts by feed and id, only the latest of each.
    fn latest_in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.drafts.len()).collect();
        let named = |index: usize| {
            self.drafts
                .get(index)
                .map(|draft| (self.pool.text(draft.feed), self.pool.text(draft.id)))
        };
        order.sort_unstable_by(|&a, &b| {
            named(a).cmp(&named(b)).then_with(|| self.newer_first(a, b))
        });
        order.dedup_by(|later, earlier| named(*later) == named(*earlier));
        order
    }

    /// Orders two drafts of the same feed and id, by content where they are of
    /// the same day, so that the order they came in never matters.
    fn newer_first(&self, a: usize, b: usize) -> Ordering {
        let (Some(a), Some(b)) = (self.drafts.get(a), self.drafts.get(b)) else {
            return Ordering::Equal;
        };
        let texts = |range: (usize, usize)| {
            self.names
                .get(range.0..range.1)
                .unwrap_or_default()
                .iter()
                .map(|&name| self.pool.text(name))
        };
        let bytes = |draft: &Draft| self.bodies.get(draft.body.0..draft.body.1);
        let said = |draft: &Draft| {
            let rows = self.rows.get(draft.rows.0..draft.rows.1);
            rows.unwrap_or_default()
                .iter()
                .map(|row| {
                    (
                        row.shape,
                        self.pool.text(row.from),
                        self.pool.text(row.until),
                    )
                })
                .collect::<Vec<_>>()
        };
        b.modified
            .cmp(&a.modified)
            .then_with(|| bytes(a).cmp(&bytes(b)))
            .then_with(|| texts(a.aliases).cmp(texts(b.aliases)))
            .then_with(|| texts(a.bundles).cmp(texts(b.bundles)))
            .then_with(|| said(a).cmp(&said(b)))
            .then_with(|| self.keys_said(a).cmp(&self.keys_said(b)))
    }

    /// The packages a draft speaks of, as text.
    fn keys_said(&self, draft: &Draft) -> Vec<(String, &str)> {
        let rows = self.rows.get(draft.rows.0..draft.rows.1);
        let mut said = Vec::new();
        for row in rows.unwrap_or_default() {
            let Some(((ecosystem, name), _)) = self.keys.iter().find(|(_, key)| **key == row.key)
            else {
                continue;
            };
            let ecosystem = self
                .ecosystems
                .iter()
                .find(|(_, number)| *number == ecosystem);
            let ecosystem = ecosystem.map_or_else(String::new, |(it, _)| it.to_string());
            said.push((ecosystem, self.pool.text(*name)));
        }
        said
    }

    /// For each record of `order` the roots of the vulnerabilities it speaks of.
    ///
    /// Aliases are one vulnerability, unless that would make two CVE ids one: a
    /// record that lists both speaks of both.
    fn name_vulnerabilities(&self, order: &[usize], names: &mut Names) -> Vec<Vec<u32>> {
        let mut bundles: Vec<Vec<u32>> = Vec::with_capacity(order.len());
        let mut single = [Vec::new(), Vec::new()];
        for position in 0..order.len() {
            let draft = self.draft(order, position);
            let bundled = self.names_of(draft.bundles);
            if !bundled.is_empty() {
                bundles.push(bundled.to_vec());
                continue;
            }
            let cves = self.cves_of(draft);
            if let [_, _, ..] = cves.as_slice() {
                bundles.push(cves);
                continue;
            }
            bundles.push(Vec::new());
            // Those that name a CVE themselves go first, so that they decide
            // which group a name belongs to.
            let [with_cve, without] = &mut single;
            if cves.is_empty() { without } else { with_cve }.push(position);
        }
        for position in single.into_iter().flatten() {
            let draft = self.draft(order, position);
            for &alias in self.names_of(draft.aliases) {
                if names.unite(draft.id, alias) {
                    continue;
                }
                let both = [names.cve_of(draft.id), names.cve_of(alias)];
                if let Some(bundle) = bundles.get_mut(position) {
                    bundle.extend(both.into_iter().flatten());
                }
            }
        }
        bundles
            .into_iter()
            .enumerate()
            .map(|(position, bundle)| {
                let mut roots: Vec<u32> = if bundle.is_empty() {
                    vec![names.root(self.draft(order, position).id)]
                } else {
                    bundle.into_iter().map(|name| names.root(name)).collect()
                };
                roots.sort_unstable();
                roots.dedup();
                roots
            })
            .collect()
    }

    /// The CVE ids among a record's own names, each once.
    fn cves_of(&self, draft: &Draft) -> Vec<u32> {
        let mut cves: Vec<u32> = std::iter::once(draft.id)
            .chain(self.names_of(draft.aliases).iter().copied())
            .filter(|&name| names::is_cve(self.pool.text(name)))
            .collect();
        cves.sort_unstable();
        cves.dedup();
        cves
    }

    fn document<'a>(&'a self, draft: &Draft, body: BodyDocument<'a>) -> RecordDocument<'a> {
        RecordDocument {
            feed: self.pool.text(draft.feed),
            id: self.pool.text(draft.id),
            body,
        }
    }

    fn names_said(&self, draft: &Draft) -> NamesDocument<'_> {
        let texts = |range| {
            let names = self.names_of(range).iter();
            names.map(|&name| self.pool.text(name)).collect()
        };
        NamesDocument {
            aliases: texts(draft.aliases),
            bundles: texts(draft.bundles),
        }
    }

    fn draft(&self, order: &[usize], position: usize) -> &Draft {
        &self.drafts[order[position]]
    }

    fn names_of(&self, range: (usize, usize)) -> &[u32] {
        self.names.get(range.0..range.1).unwrap_or_default()
    }

    fn body(&self, draft: &Draft) -> Option<BodyDocument<'_>> {
        let bytes = self.bodies.get(draft.body.0..draft.body.1)?;
        postcard::from_bytes(bytes).ok()
    }

    fn text(&mut self, text: &str) -> Result<u32, CompileError> {
        self.pool
            .number(text)
            .ok_or(CompileError::TooMany { what: "texts" })
    }

    fn names(&mut self, names: &[Box<str>]) -> Result<(usize, usize), CompileError> {
        let start = self.names.len();
        for name in names {
            let name = self.text(name)?;
            self.names.push(name);
        }
        Ok((start, self.names.len()))
    }

    fn key(&mut self, about: &PackageKey) -> Result<u32, CompileError> {
        let new = count(self.ecosystems.len(), "ecosystems")?;
        let ecosystem = if let Some(&known) = self.ecosystems.get(&about.ecosystem) {
            known
        } else {
            self.ecosystems.insert(about.ecosystem.clone(), new);
            new
        };
        let name = self.text(&about.name)?;
        let new = count(self.keys.len(), "packages")?;
        Ok(*self.keys.entry((ecosystem, name)).or_insert(new))
    }

    fn stance(&mut self, key: u32, stance: &Stance) -> Result<(), CompileError> {
        let mut push = |shape, from, until| {
            self.rows.push(DraftRow {
                key,
                shape,
                from,
                until,
            });
        };
        match stance {
            Stance::Affected {
                intervals,
                versions,
                fix,
            } => {
                for interval in intervals {
                    let from = self.optional(interval.from.as_deref())?;
                    let (shape, until): (fn(Fix) -> Shape, _) = match &interval.upper {
                        Upper::Open => (Shape::Open, format::NONE),
                        Upper::Fixed(version) => (Shape::Before, self.text(version)?),
                        Upper::LastAffected(version) => (Shape::Through, self.text(version)?),
                    };
                    self.rows.push(DraftRow {
                        key,
                        shape: shape(*fix),
                        from,
                        until,
                    });
                }
                for version in versions {
                    let from = self.text(version)?;
                    self.rows.push(DraftRow {
                        key,
                        shape: Shape::Exactly(*fix),
                        from,
                        until: format::NONE,
                    });
                }
            }
            // The reason stays with the feed: rows have no room for prose.
            Stance::NotAffected { why: _ } => push(Shape::NotAffected, format::NONE, format::NONE),
            Stance::UnderReview => push(Shape::UnderReview, format::NONE, format::NONE),
        }
        Ok(())
    }

    fn optional(&mut self, text: Option<&str>) -> Result<u32, CompileError> {
        text.map_or(Ok(format::NONE), |text| self.text(text))
    }
}

/// `index` as a number of the format.
fn count(index: usize, what: &'static str) -> Result<u32, CompileError> {
    u32::try_from(index)
        .ok()
        .filter(|&number| number != format::NONE)
        .ok_or(CompileError::TooMany { what })
}

fn encode(id: &str, document: &impl serde::Serialize) -> Result<Vec<u8>, CompileError> {
    postcard::to_allocvec(document).map_err(|source| CompileError::Encode {
        id: id.into(),
        source,
    })
}
