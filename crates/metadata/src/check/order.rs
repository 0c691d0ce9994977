//! The order of a list's items in the result, against the order on each side.

use std::collections::{HashMap, HashSet};

use super::Problem;
use super::compare::{Four, Group, Key, key_of};
use super::rule::expected;

/// A number for each item: equal for items of the same key, or of the same content.
pub(super) fn tokens(key: &[&str], group: &Group<'_, '_>, by_content: bool) -> Four<Vec<u32>> {
    let mut numbers: HashMap<(Option<Key>, u32), u32> = HashMap::new();
    group.each_ref().map(|nodes| {
        let mut tokens = Vec::with_capacity(nodes.len());
        for node in nodes {
            let name = match key_of(node, key).filter(|_| !by_content) {
                Some(key) => (Some(key), 0),
                None => (None, node.id),
            };
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            tokens.push(*numbers.entry(name).or_insert(next));
        }
        tokens
    })
}

/// Where a token stands in a document, when it stands there once.
type Positions = HashMap<u32, usize>;

/// `None` when the result's order can be explained. `by_content`: the tokens stand for contents, not for keys.
pub(super) fn check(tokens: &Four<Vec<u32>>, evaluated: bool, by_content: bool) -> Option<Problem> {
    let positions = tokens.each_ref().map(|tokens| {
        let mut counts: HashMap<u32, (usize, usize)> = HashMap::new();
        for (i, token) in tokens.iter().enumerate() {
            counts.entry(*token).or_insert((0, i)).0 += 1;
        }
        counts
            .into_iter()
            .filter(|(_, (n, _))| *n == 1)
            .map(|(token, (_, i))| (token, i))
            .collect::<Positions>()
    });
    let repeated = |token: &u32| {
        tokens
            .iter()
            .zip(&positions)
            .any(|(tokens, once)| !once.contains_key(token) && tokens.contains(token))
    };
    let is_repeating = tokens
        .iter()
        .zip(&positions)
        .any(|(tokens, once)| tokens.len() != once.len());
    let unknown = match by_content {
        true => changed_by_both(&positions),
        false => HashSet::new(),
    };
    let result = tokens[3].iter().copied().filter(|token| !unknown.contains(token));
    let result: Vec<u32> = result.filter(|token| !is_repeating || !repeated(token)).collect();
    let [base, ours, theirs, _] = &positions;
    if breaks_agreement(&result, ours, theirs)
        || ignores(&result, ours, theirs, base)
        || ignores(&result, theirs, ours, base)
    {
        return Some(Problem::Reordered);
    }
    (evaluated && is_guessed(&result, tokens, &positions)).then_some(Problem::OrderGuessed)
}

/// Items that only one side has, and that may be items of base which both sides changed: they stand where the other
/// side moved them, which has other content there.
fn changed_by_both([base, ours, theirs, result]: &Four<Positions>) -> HashSet<u32> {
    let knows = |side: &Positions, token: &u32| side.contains_key(token);
    let is_gone = base
        .keys()
        .any(|t| ![ours, theirs, result].into_iter().any(|side| knows(side, t)));
    let own = |side: &Positions, other: &Positions, in_result: bool| -> Vec<u32> {
        let own = side.keys().filter(|t| !knows(base, t) && !knows(other, t));
        own.filter(|t| knows(result, t) == in_result).copied().collect()
    };
    let replaced = |side, other| match own(other, side, false).is_empty() {
        true => Vec::new(),
        false => own(side, other, true),
    };
    match is_gone {
        true => [replaced(ours, theirs), replaced(theirs, ours)]
            .into_iter()
            .flatten()
            .collect(),
        false => HashSet::new(),
    }
}

/// Items without a key, told apart by content, in documents that have equally many and where no side
/// moved one: each place follows the rule by itself.
pub(super) fn check_places(tokens: &Four<Vec<u32>>) -> Option<Problem> {
    let [base, ours, theirs, result] = tokens;
    if [ours, theirs, result].iter().any(|side| side.len() != base.len()) {
        return None;
    }
    let places = || base.iter().zip(ours).zip(theirs).zip(result);
    let known: HashSet<&u32> = base.iter().collect();
    let stands = |old: &u32, new: &u32| old == new || !known.contains(new);
    if !places().all(|(((b, o), t), _)| stands(b, o) && stands(b, t)) {
        return None;
    }
    let is_wrong = |b, o, t, r| expected(b, o, t).is_some_and(|wanted| wanted != r);
    places()
        .any(|(((b, o), t), r)| is_wrong(b, o, t, r))
        .then_some(Problem::Reordered)
}

/// Some pair stands one way on both sides and the other way in the result. A sweep over the result
/// with a tree of maxima: for each item, is there an earlier one that both sides have later?
fn breaks_agreement(result: &[u32], ours: &Positions, theirs: &Positions) -> bool {
    let size = ours.values().max().map_or(0, |n| n + 1);
    // latest[k] covers a range of our positions, counted from the end; values are their positions + 1.
    let mut latest = vec![0; size + 1];
    for token in result {
        let (Some(our), Some(their)) = (ours.get(token), theirs.get(token)) else {
            continue;
        };
        let mut at = size - 1 - our;
        let mut max = 0;
        while at > 0 {
            max = max.max(latest[at]);
            at &= at - 1;
        }
        if max > their + 1 {
            return true;
        }
        let mut at = size - our;
        while at <= size {
            latest[at] = latest[at].max(their + 1);
            at += at & at.wrapping_neg();
        }
    }
    false
}

/// Some pair of neighbours stands against the order of `side`, and `other` is no reason for it.
fn ignores(result: &[u32], side: &Positions, other: &Positions, base: &Positions) -> bool {
    let before = |positions: &Positions, a: &u32, b: &u32| Some(positions.get(a)? < positions.get(b)?);
    let known: Vec<&u32> = result.iter().filter(|token| side.contains_key(token)).collect();
    let mut moved = None;
    known.windows(2).any(|pair| {
        let [a, b] = [pair[0], pair[1]];
        if before(side, a, b) == Some(true) {
            return false;
        }
        match before(other, a, b) {
            // The other side put them so, and base did not.
            Some(true) => before(base, a, b) == Some(true),
            Some(false) => true,
            // Only this side knows both. What it put beside one of them may have moved on the other side.
            None => {
                let moved = moved.get_or_insert_with(|| moved_items(other, base));
                !moved.contains(a) && !moved.contains(b)
            }
        }
    })
}

/// The items that stand differently to some other item than in base.
fn moved_items(side: &Positions, base: &Positions) -> HashSet<u32> {
    let mut common: Vec<(usize, usize, u32)> = side
        .iter()
        .filter_map(|(token, i)| Some((*i, *base.get(token)?, *token)))
        .collect();
    common.sort_unstable();
    let mut moved = HashSet::new();
    let mut highest = 0;
    for (_, old, token) in &common {
        if *old < highest {
            moved.insert(*token);
        }
        highest = highest.max(*old);
    }
    let mut lowest = usize::MAX;
    for (_, old, token) in common.iter().rev() {
        if *old > lowest {
            moved.insert(*token);
        }
        lowest = lowest.min(*old);
    }
    moved
}

/// Both sides inserted something of their own into the same gap.
fn is_guessed(result: &[u32], tokens: &Four<Vec<u32>>, positions: &Four<Positions>) -> bool {
    let [base, ours, theirs, _] = positions;
    let is_common = |token: &u32| base.contains_key(token) && ours.contains_key(token) && theirs.contains_key(token);
    // The common item before each insertion; those of one gap share it.
    let gaps = |side: &Vec<u32>, other: &Positions| {
        let mut gap = None;
        let mut found = HashMap::new();
        for token in side {
            if is_common(token) {
                gap = Some(*token);
            } else if !base.contains_key(token) && !other.contains_key(token) && result.contains(token) {
                found.insert(gap, *token);
            }
        }
        found
    };
    let ours_in = gaps(&tokens[1], theirs);
    gaps(&tokens[2], ours).keys().any(|gap| ours_in.contains_key(gap))
}

/// Items without a key change their number with their content: a single new item that stands where a single
/// old one stood is that item, changed.
pub(super) fn join_replaced(tokens: &mut Four<Vec<u32>>) {
    for side in [1, 2] {
        let (base, changed) = (tokens[0].clone(), tokens[side].clone());
        let gaps = |list: &[u32], other: &[u32]| -> Vec<(Vec<u32>, Option<u32>)> {
            let mut gaps = vec![(Vec::new(), None)];
            for token in list {
                if other.contains(token) {
                    if let Some(last) = gaps.last_mut() {
                        last.1 = Some(*token);
                    }
                    gaps.push((Vec::new(), None));
                } else if let Some(last) = gaps.last_mut() {
                    last.0.push(*token);
                }
            }
            gaps
        };
        for ((old, behind), (new, also)) in gaps(&base, &changed).iter().zip(&gaps(&changed, &base)) {
            if behind != also {
                break;
            }
            if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
                for list in [side, 3] {
                    tokens[list]
                        .iter_mut()
                        .filter(|token| **token == *new)
                        .for_each(|token| *token = *old);
                }
            }
        }
    }
}
