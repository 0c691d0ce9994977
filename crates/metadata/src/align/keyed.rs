//! Items told apart by key fields or by their text; items that share a key by occurrence.

use std::borrow::Cow;
use std::collections::HashMap;

use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::unkeyed::common_run;
use super::{Builder, Mode, NONE, SIDES, field_text, value_text};
use crate::table::Order;
use crate::xml::{Digest, Node};

/// Chunks that share a key, by side.
type Sharers = [Vec<u32>; SIDES];

/// Chunks of one side by those of another.
type Run = HashMap<u32, u32>;

/// One item that shares its key with others: its number among them on each side.
type Row = [Option<usize>; SIDES];

/// One key: its first chunk on each side, and all of them where a side has several.
struct Entry {
    first: [u32; SIDES],
    all: Option<Box<Sharers>>,
}

impl Builder<'_, '_, '_> {
    pub(super) fn fill_keyed(&mut self, group: usize) {
        let entries = self.entries(group);
        let repeated = entries.iter().any(|e| e.all.is_some());
        let g = &self.alignment.groups[group];
        if repeated && g.mode == Mode::Keyed && !g.child.is_some_and(|c| c.proof.is_trusted()) {
            self.alignment.groups[group].mode = Mode::Unkeyed;
            self.fill_unkeyed(group);
            return;
        }
        // Which of those that share a key is which shows in what stands beside them, where the order means something.
        let runs = match repeated && g.order != Order::None {
            true => [1, 2].map(|side| self.run(group, side)),
            false => Default::default(),
        };
        for entry in entries {
            match entry.all {
                None => {
                    self.new_slot(group, entry.first, 1, false);
                }
                Some(sharers) => self.pair_sharers(group, *sharers, &runs),
            }
        }
    }

    fn entries(&self, group: usize) -> Vec<Entry> {
        let total: usize = self.members[group].iter().map(Vec::len).max().unwrap_or(0);
        let mut index: HashMap<Cow<'_, str>, usize, Xxh3DefaultBuilder> =
            HashMap::with_capacity_and_hasher(total, Xxh3DefaultBuilder::new());
        let mut entries: Vec<Entry> = Vec::with_capacity(total);
        let g = &self.alignment.groups[group];
        // Ours first, so that slots come in the order of the target.
        for side in [1, 2, 0] {
            for &i in &self.members[group][side] {
                let node = self.node(side, i);
                let key = match (g.mode, g.child) {
                    (Mode::Keyed, Some(child)) => key_text(node, &child.key),
                    _ => value_text(node),
                };
                let at = *index.entry(key).or_insert_with(|| {
                    entries.push(Entry {
                        first: [NONE; SIDES],
                        all: None,
                    });
                    entries.len() - 1
                });
                let entry = &mut entries[at];
                if entry.first[side] == NONE {
                    entry.first[side] = i;
                    if let Some(all) = &mut entry.all {
                        all[side].push(i);
                    }
                } else {
                    let first = entry.first;
                    let all = entry
                        .all
                        .get_or_insert_with(|| Box::new(first.map(|f| if f == NONE { Vec::new() } else { vec![f] })));
                    all[side].push(i);
                }
            }
        }
        entries
    }

    /// The chunks of a side in the longest common run with base, by the chunks of base.
    fn run(&self, group: usize, side: usize) -> Run {
        let digests = |side: usize| -> Vec<Digest> {
            let members = self.members[group][side].iter();
            members.map(|i| self.digest(group, side, *i)).collect()
        };
        let (pairs, _) = common_run(&digests(0), &digests(side));
        let [base, other] = [0, side].map(|side| &self.members[group][side]);
        pairs.into_iter().map(|(b, o)| (base[b], other[o])).collect()
    }

    /// Items with one key: those in a common run and equal ones belong together first, the others in their order.
    fn pair_sharers(&mut self, group: usize, sharers: Sharers, runs: &[Run; 2]) {
        let digests: Vec<Vec<Digest>> = (0..SIDES)
            .map(|side| sharers[side].iter().map(|i| self.digest(group, side, *i)).collect())
            .collect();
        let by_run = pair_with_base(&sharers, &digests, runs);
        let lost = |side: usize| {
            by_run
                .0
                .iter()
                .any(|row| row[side].is_none() && row[3 - side].is_some())
        };
        // If each side lost another one, both would be gone, though each side kept one.
        let (mut rows, mut taken) = match lost(1) && lost(2) {
            true => pair_with_base(&sharers, &digests, &Default::default()),
            false => by_run,
        };
        for o in (0..sharers[1].len()).filter(|o| !taken[1][*o]) {
            rows.push([None, Some(o), None]);
        }
        let added = sharers[0].len();
        for equal in [true, false] {
            for row in &mut rows[added..] {
                let (Some(o), None) = (row[1], row[2]) else { continue };
                let found =
                    (0..sharers[2].len()).find(|t| !taken[2][*t] && (!equal || digests[2][*t] == digests[1][o]));
                if let Some(t) = found {
                    taken[2][t] = true;
                    row[2] = Some(t);
                }
            }
        }
        for t in (0..sharers[2].len()).filter(|t| !taken[2][*t]) {
            rows.push([None, None, Some(t)]);
        }
        for (n, row) in rows.iter().enumerate() {
            let at = [0, 1, 2].map(|side| row[side].map_or(NONE, |i| sharers[side][i]));
            self.new_slot(group, at, n as u32 + 1, false);
        }
    }
}

/// Pairs each of those of base with one of each side: in a common run, else of equal content, else in their order.
/// Says as well which of each side have a partner.
fn pair_with_base(sharers: &Sharers, digests: &[Vec<Digest>], runs: &[Run; 2]) -> (Vec<Row>, [Vec<bool>; SIDES]) {
    let mut taken = [0, 1, 2].map(|side| vec![false; sharers[side].len()]);
    let mut rows: Vec<Row> = (0..sharers[0].len()).map(|b| [Some(b), None, None]).collect();
    for side in [1, 2] {
        for row in &mut rows {
            let partner = row[0].and_then(|b| runs[side - 1].get(&sharers[0][b]));
            row[side] = partner.and_then(|i| sharers[side].iter().position(|other| other == i));
            if let Some(i) = row[side] {
                taken[side][i] = true;
            }
        }
        for equal in [true, false] {
            for row in &mut rows {
                let (Some(b), None) = (row[0], row[side]) else { continue };
                let found = (0..sharers[side].len())
                    .find(|i| !taken[side][*i] && (!equal || digests[side][*i] == digests[0][b]));
                if let Some(i) = found {
                    taken[side][i] = true;
                    row[side] = Some(i);
                }
            }
        }
    }
    (rows, taken)
}

/// All key fields as one text; a missing field counts as empty.
pub(crate) fn key_text<'a>(node: Node<'a, '_>, fields: &[&str]) -> Cow<'a, str> {
    match fields {
        [one] => field_text(node, one),
        _ => {
            let mut key = String::new();
            for field in fields {
                key.push_str(&field_text(node, field));
                key.push('\u{1f}');
            }
            Cow::Owned(key)
        }
    }
}
