//! Everything an edition says, one row after another.

use seaworthy_core::Ecosystem;
use seaworthy_match::{RecordId, Row, VulnerabilityId};

use crate::edition::Edition;
use crate::format::{size, u32_at};
use crate::group::Group;
use crate::lookup::{Damaged, Index};

/// One row, and what it is about.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Where the package lives.
    pub ecosystem: &'a Ecosystem,
    /// The package.
    pub name: &'a str,
    /// What is said.
    pub row: Row<'a>,
}

/// Why not everything could be visited.
#[derive(Debug, thiserror::Error)]
#[error("the edition is damaged: not all it says can be read")]
pub struct WalkError;

impl From<Damaged> for WalkError {
    fn from(_: Damaged) -> Self {
        Self
    }
}

impl Edition {
    /// Visits every row of every package that `wanted` accepts: ecosystem by
    /// ecosystem, in the order of the file.
    pub fn walk(
        &self,
        wanted: &dyn Fn(&Ecosystem, &str) -> bool,
        visit: &mut dyn FnMut(Said<'_>),
    ) -> Result<(), WalkError> {
        let mut result = Ok(());
        for (position, ecosystem) in self.ecosystems()?.iter().enumerate() {
            self.groups(position, &mut |name, group| {
                if !wanted(ecosystem, name) {
                    return Ok(());
                }
                group.visit(|row| {
                    let told = row.and_then(|row| {
                        self.row(row, &mut |row| {
                            visit(Said {
                                ecosystem,
                                name,
                                row,
                            });
                        })
                    });
                    if told.is_none() {
                        result = Err(WalkError);
                    }
                });
                Ok(())
            })?;
        }
        result
    }

    /// Every ecosystem, in the order of the file.
    pub(crate) fn ecosystems(&self) -> Result<Vec<Ecosystem>, WalkError> {
        (0..self.index().ecosystems.len() / size::ECOSYSTEM)
            .map(|position| {
                let (family, release) = self.ecosystem(position).ok_or(WalkError)?;
                Ok(match release {
                    Some(release) => Ecosystem::of_release(family, release),
                    None => Ecosystem::family_only(family),
                })
            })
            .collect()
    }

    /// Visits all there is about each name of the ecosystem at `position`.
    pub(crate) fn groups<'a>(
        &'a self,
        position: usize,
        visit: &mut dyn FnMut(&'a str, Group<'a>) -> Result<(), WalkError>,
    ) -> Result<(), WalkError> {
        let index = self.index();
        for key in index.keys_of(position).ok_or(WalkError)? {
            let group = index.group_of(key).ok_or(WalkError)?;
            let name = group
                .name()
                .and_then(|name| std::str::from_utf8(name).ok())
                .ok_or(WalkError)?;
            visit(name, group)?;
        }
        Ok(())
    }

    /// Every vulnerability there is, in the order of the file.
    pub fn all_vulnerabilities(&self) -> impl Iterator<Item = VulnerabilityId> + use<> {
        (0..self.count_of_vulnerabilities()).map(VulnerabilityId)
    }

    /// Every record that says something, in the order of the file.
    pub fn all_records(&self) -> impl Iterator<Item = RecordId> + use<> {
        (0..self.count_of_records()).map(RecordId)
    }
}

impl Index<'_> {
    /// The positions of all keys of an ecosystem.
    fn keys_of(&self, ecosystem: usize) -> Option<std::ops::Range<usize>> {
        let at = ecosystem.checked_mul(size::ECOSYSTEM)?;
        let first = u64::from(u32_at(self.ecosystems, at + 20)?);
        let bits = u32_at(self.ecosystems, at + 24)?;
        let last = first.checked_add(1_u64.checked_shl(bits).filter(|_| bits <= 32)?)?;
        let start = |at: u64| {
            let at = usize::try_from(at).ok()?.checked_mul(size::WORD)?;
            usize::try_from(u32_at(self.starts, at)?).ok()
        };
        let (start, end) = (start(first)?, start(last)?);
        (end <= self.keys.len() / size::KEY).then_some(start..end)
    }
}
