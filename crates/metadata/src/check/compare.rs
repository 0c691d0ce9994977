//! Walks the four documents side by side and applies the rule of the self-check to every part.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::rule::{count, expected, miscounted, problem};
use super::tree::{COMMENT, Node};
use super::{Problem, Violation, facts, order};
use crate::component::ComponentId;
use crate::path::{ElementPath, Selector, Step};
use crate::table::schema::{Child, Order};

/// Base, ours, theirs and result.
pub(super) type Four<T> = [T; 4];
/// The nodes of one list, or of one key, in each document.
pub(super) type Group<'n, 'a> = Four<Vec<&'n Node<'a>>>;

/// The comparison of four documents.
pub(super) struct Compare<'c> {
    pub(super) root: &'c ComponentId,
    open: &'c [ElementPath],
    /// Open paths whose first step has a key, by that step.
    keyed: HashMap<String, Vec<usize>>,
    /// The other open paths.
    unkeyed: Vec<usize>,
}

/// Key fields with their values.
pub(super) type Key = Vec<(Box<str>, Box<str>)>;

type Keyed<'n, 'a> = BTreeMap<Key, Group<'n, 'a>>;
type Checked = Result<(), Violation>;

impl<'c> Compare<'c> {
    pub(super) fn new(root: &'c ComponentId, open: &'c [ElementPath]) -> Self {
        let mut compare = Self {
            root,
            open,
            keyed: HashMap::new(),
            unkeyed: Vec::new(),
        };
        for (i, path) in open.iter().enumerate() {
            match path.steps.first().and_then(first_key) {
                Some(key) => compare.keyed.entry(key).or_default().push(i),
                None => compare.unkeyed.push(i),
            }
        }
        compare
    }

    /// Open paths that may begin as `path` does.
    fn near(&self, path: &[Step]) -> impl Iterator<Item = &ElementPath> {
        let (some, all): (&[usize], &[ElementPath]) = match path.first().map(first_key) {
            Some(Some(key)) => (self.keyed.get(&key).map(Vec::as_slice).unwrap_or_default(), &[]),
            _ if self.keyed.is_empty() => (&[], &[]),
            _ => (&[], self.open),
        };
        let others = if all.is_empty() { self.unkeyed.as_slice() } else { &[] };
        some.iter().chain(others).map(|i| &self.open[*i]).chain(all)
    }
}

/// A step with a key as text: its name and the fields that have a value, in any order.
fn first_key(step: &Step) -> Option<String> {
    let Selector::Key(fields, _) = &step.selector else {
        return None;
    };
    let mut parts: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(field, value)| format!("{field}={value}"))
        .collect();
    parts.sort_unstable();
    parts.insert(0, step.name.to_string());
    Some(parts.join("\u{1f}"))
}

impl Compare<'_> {
    /// Compares whole documents.
    pub(super) fn document(&self, nodes: &Four<Option<Node<'_>>>) -> Checked {
        let mut path = Vec::new();
        let mut roots = Four::<Vec<&Node<'_>>>::default();
        let mut comments = Four::<Vec<&Node<'_>>>::default();
        for (i, node) in nodes.iter().enumerate() {
            for kid in node.iter().flat_map(|node| &node.kids) {
                let part = if kid.name.starts_with('#') {
                    &mut comments
                } else {
                    &mut roots
                };
                part[i].push(kid);
            }
        }
        self.element(&mut path, roots.each_ref().map(|nodes| nodes.first().copied()))?;
        self.comments(&mut path, &comments)
    }

    pub(super) fn violation(&self, path: &[Step], problem: Problem) -> Violation {
        Violation {
            path: ElementPath {
                component: self.root.clone(),
                steps: path.to_vec(),
            },
            problem,
        }
    }

    /// An open conflict lies at `path` or above it.
    pub(super) fn exempt(&self, path: &[Step]) -> bool {
        self.near(path)
            .any(|open| open.steps.len() <= path.len() && open.steps.iter().zip(path).all(|(a, b)| same_step(a, b)))
    }

    /// An open conflict lies at `path`, above it or below it.
    pub(super) fn touched(&self, path: &[Step]) -> bool {
        self.near(path)
            .any(|open| open.steps.iter().zip(path).all(|(a, b)| same_step(a, b)))
    }

    /// An open conflict is about `path` itself or one of its children as a whole.
    fn disturbed(&self, path: &[Step]) -> bool {
        self.near(path)
            .any(|open| open.steps.len() <= path.len() + 1 && open.steps.iter().zip(path).all(|(a, b)| same_step(a, b)))
    }

    /// One element that each document has at most once.
    fn element(&self, path: &mut Vec<Step>, four: Four<Option<&Node<'_>>>) -> Checked {
        let ids = four.map(|node| node.map(|node| node.id));
        let [_, ours, theirs, result] = four;
        let expected = expected(ids[0], ids[1], ids[2]);
        if expected == Some(ids[3]) {
            return self.untouched(path, four);
        }
        if self.exempt(path) {
            return Ok(());
        }
        let is_whole = four.iter().flatten().any(|node| node.is_whole());
        let is_disputed = ours.is_none() || theirs.is_none();
        match (expected, result) {
            (Some(Some(_)), Some(_)) if !is_whole => self.parts(path, four),
            (None, Some(_)) if !is_whole && !is_disputed => self.parts(path, four),
            _ if self.touched(path) => Ok(()),
            _ => Err(self.violation(path, problem(&ids))),
        }
    }

    /// The result means what it should. Its text must be ours where nothing but formatting could
    /// come from theirs, unless ours never touched the text of base.
    fn untouched(&self, path: &mut Vec<Step>, four: Four<Option<&Node<'_>>>) -> Checked {
        let [base, Some(ours), Some(theirs), Some(result)] = four else {
            return Ok(());
        };
        let is_ours_old = base.is_some_and(|base| base.source == ours.source);
        if result.source == ours.source || is_ours_old && result.source == theirs.source {
            return Ok(());
        }
        let keeps_ours = ours.id == theirs.id || base.is_some_and(|base| base.id == theirs.id);
        match keeps_ours {
            true if self.touched(path) || result.numbered => Ok(()),
            true => Err(self.violation(path, Problem::Rewritten)),
            false if result.is_whole() => Ok(()),
            false => self.parts(path, four),
        }
    }

    /// Attributes, text and children of one element.
    fn parts(&self, path: &mut Vec<Step>, four: Four<Option<&Node<'_>>>) -> Checked {
        let names: BTreeSet<&str> = four
            .iter()
            .flatten()
            .flat_map(|n| n.attributes.iter().map(|(k, _)| k.as_str()))
            .collect();
        for name in names {
            let values = four.map(|node| {
                let mut found = node?.attributes.iter().filter(|(k, _)| k == name);
                found.next().map(|(_, value)| *value)
            });
            let local = name.rsplit(':').next().unwrap_or(name);
            path.push(step(&format!("@{local}"), Selector::Only));
            self.value(path, values)?;
            path.pop();
        }
        let texts = four.map(|node| node.map(|node| node.text.as_str()));
        self.value(path, texts)?;

        let mut kids: BTreeMap<&str, Group<'_, '_>> = BTreeMap::new();
        for (i, node) in four.iter().enumerate() {
            for kid in node.iter().flat_map(|node| &node.kids) {
                kids.entry(kid.name).or_default()[i].push(kid);
            }
        }
        let ty = four.iter().flatten().find_map(|node| node.ty);
        for (formula, list) in ty.map(|ty| ty.units.as_slice()).unwrap_or_default() {
            if four[..3].iter().flatten().any(|node| node.numbers(formula)) {
                let formula = (*formula, kids.remove(formula).unwrap_or_default());
                let list = (*list, kids.remove(list).unwrap_or_default());
                self.unit(path, &formula, &list)?;
            }
        }
        if let Some(comments) = kids.remove(COMMENT) {
            self.comments(path, &comments)?;
        }
        for (name, group) in &kids {
            self.children(path, name, ty.and_then(|ty| ty.child(name)), group)?;
        }
        Ok(())
    }

    /// An attribute or a text, `None` where its element or itself is absent.
    fn value(&self, path: &[Step], four: Four<Option<&str>>) -> Checked {
        let is_right = expected(four[0], four[1], four[2]) == Some(four[3]);
        if is_right || self.exempt(path) {
            return Ok(());
        }
        Err(self.violation(path, problem(&four)))
    }

    /// A formula and the items that it names by number: one value.
    fn unit(&self, path: &[Step], formula: &(&str, Group<'_, '_>), list: &(&str, Group<'_, '_>)) -> Checked {
        let mut values = Four::<Option<Vec<u32>>>::default();
        for (i, value) in values.iter_mut().enumerate() {
            let nodes = formula.1[i].iter().chain(&list.1[i]);
            *value = Some(nodes.map(|node| node.id).collect());
        }
        let [base, ours, theirs, result] = values.each_ref().map(Option::as_ref);
        let is_open = || {
            [formula.0, list.0].iter().any(|name| {
                let mut inner = path.to_vec();
                inner.push(step(name, Selector::Position(1)));
                self.touched(&inner)
            })
        };
        if expected(base, ours, theirs) == Some(result) || is_open() {
            return Ok(());
        }
        let mut inner = path.to_vec();
        inner.push(step(list.0, Selector::Only));
        Err(self.violation(&inner, problem(&values)))
    }

    /// Comments are counted; where they stand does not matter.
    fn comments(&self, path: &mut Vec<Step>, group: &Group<'_, '_>) -> Checked {
        for counts in count(group.each_ref().map(|nodes| nodes.iter().map(|node| node.id))).into_values() {
            if let Some(problem) = miscounted(&counts) {
                if self.disturbed(path) {
                    return Ok(());
                }
                path.push(step(COMMENT, Selector::Only));
                let violation = self.violation(path, problem);
                path.pop();
                return Err(violation);
            }
        }
        Ok(())
    }

    /// All children of one name.
    fn children(&self, path: &mut Vec<Step>, name: &str, child: Option<&Child>, group: &Group<'_, '_>) -> Checked {
        let is_list = child.is_some_and(|child| child.list);
        if !is_list && group.iter().all(|nodes| nodes.len() <= 1) {
            path.push(step(name, Selector::Only));
            self.element(path, group.each_ref().map(|nodes| nodes.first().copied()))?;
            path.pop();
            return Ok(());
        }
        let len = group[3].len();
        if child.is_some_and(|child| child.align == Some("#")) && group.iter().all(|nodes| nodes.len() == len) {
            // Items known by their place.
            for i in 0..len {
                path.push(step(name, Selector::Position(u32::try_from(i + 1).unwrap_or(u32::MAX))));
                self.element(path, group.each_ref().map(|nodes| nodes.get(i).copied()))?;
                path.pop();
            }
            return Ok(());
        }
        let (keyed, rest) = by_key(child, group);
        for (key, nodes) in &keyed {
            path.push(step(name, Selector::Key(key.clone(), 1)));
            let deleted = !nodes[0].is_empty() && (nodes[1].is_empty() || nodes[2].is_empty());
            if deleted && child.is_some_and(|child| child.dissolves) {
                self.dissolved(path, nodes)?;
            } else if nodes[..3].iter().any(|nodes| nodes.len() > 1) {
                self.bag(path, child, nodes)?;
            } else if nodes[3].len() > 1 {
                if !self.touched(path) {
                    return Err(self.violation(path, Problem::Doubled));
                }
            } else {
                self.element(path, nodes.each_ref().map(|nodes| nodes.first().copied()))?;
            }
            path.pop();
        }
        path.push(step(name, Selector::Position(1)));
        self.bag(path, child, &rest)?;
        let is_disturbed = self.exempt(path) || self.disturbed(&path[..path.len() - 1]) && self.list_is_open(path);
        path.pop();
        match child.map(|child| child.order) {
            Some(order) if order != Order::None && !is_disturbed => {
                let align = child
                    .and_then(|child| child.align)
                    .filter(|align| aligned(align, group).is_some());
                let key = child.map(|child| child.key.as_slice()).unwrap_or_default();
                let mut tokens = match align {
                    Some(align) => order::tokens(&[align], group, false),
                    None => order::tokens(key, group, keyed.is_empty()),
                };
                if order == Order::Evaluation && align.is_none() && keyed.is_empty() {
                    order::join_replaced(&mut tokens);
                }
                self.order(path, name, order, &tokens, align.is_none() && keyed.is_empty())
            }
            _ => Ok(()),
        }
    }

    /// Items that a side deleted and that are nothing but their plain values: the rule holds for
    /// each value, and the item is there as long as it has one.
    fn dissolved(&self, path: &[Step], nodes: &Group<'_, '_>) -> Checked {
        let values = nodes.each_ref().map(|nodes| {
            let kids = nodes
                .iter()
                .flat_map(|node| node.kids.iter().map(move |kid| (node, kid)));
            let values = kids.filter(|(node, kid)| node.ty.and_then(|ty| ty.child(kid.name)).is_some_and(|c| c.list));
            values.map(|(_, kid)| (kid.name, kid.text.trim())).collect::<Vec<_>>()
        });
        let is_empty = values[3].is_empty() && !nodes[3].is_empty();
        let wrong = count(values.map(Vec::into_iter)).values().find_map(miscounted);
        match wrong.or(is_empty.then_some(Problem::Resurrected)) {
            Some(problem) if !self.touched(path) => Err(self.violation(path, problem)),
            _ => Ok(()),
        }
    }

    fn list_is_open(&self, path: &[Step]) -> bool {
        self.near(path).any(|open| {
            open.steps.len() == path.len()
                && open.steps.iter().zip(path).all(|(a, b)| same_step(a, b))
                && open.steps.last().is_some_and(|last| last.selector == Selector::Only)
        })
    }

    /// The order of a list's items.
    pub(super) fn order(
        &self,
        path: &[Step],
        name: &str,
        order: Order,
        tokens: &Four<Vec<u32>>,
        by_content: bool,
    ) -> Checked {
        let found = order::check(tokens, order == Order::Evaluation, by_content);
        match found.or_else(|| order::check_places(tokens)) {
            None => Ok(()),
            Some(problem) => {
                let mut inner = path.to_vec();
                inner.push(step(name, Selector::Only));
                if self.list_is_open(&inner) || self.exempt(path) {
                    return Ok(());
                }
                Err(self.violation(&inner, problem))
            }
        }
    }

    /// Values of a list of plain texts that are not as often in the result as they should be.
    fn plain_values(&self, path: &[Step], group: &Group<'_, '_>, wrong: Vec<(u32, Problem)>) -> Checked {
        for (id, problem) in wrong {
            let mut path = path.to_vec();
            let node = group.iter().flatten().find(|node| node.id == id);
            if problem == Problem::Doubled && node.is_some_and(|node| is_made_equal(node, group)) {
                continue;
            }
            if let (Some(last), Some(node)) = (path.last_mut(), node) {
                last.selector = Selector::Value(node.text.trim().into(), 1);
            }
            if !self.exempt(&path) {
                return Err(self.violation(&path, problem));
            }
        }
        Ok(())
    }

    /// Items without a key of their own, or that share one: compared by content. Where an item
    /// in the result is on no side, items are paired, or else the values inside are counted.
    fn bag(&self, path: &mut Vec<Step>, child: Option<&Child>, group: &Group<'_, '_>) -> Checked {
        let counts = count(group.each_ref().map(|nodes| nodes.iter().map(|node| node.id)));
        let mut wrong: Vec<(u32, Problem)> = counts
            .iter()
            .filter_map(|(id, n)| Some((*id, miscounted(n)?)))
            .collect();
        wrong.sort_unstable_by_key(|(id, _)| *id);
        if group
            .iter()
            .flatten()
            .all(|node| node.kids.is_empty() && node.is_whole())
        {
            return self.plain_values(path, group, wrong);
        }
        let Some((id, problem)) = wrong.into_iter().next() else {
            return Ok(());
        };
        let is_plain = group.iter().flatten().all(|node| node.is_whole());
        // Where both sides changed the list, an item of the result may be made of both, and may then
        // happen to equal that of one side.
        let changed_by = |side: usize| counts.values().any(|n| n[side] != n[0]);
        let is_merged = changed_by(1) && changed_by(2);
        let is_touched = self.touched(path);
        if is_plain {
            return if is_touched {
                Ok(())
            } else {
                Err(self.violation(path, problem))
            };
        }
        if !is_merged && !is_touched {
            let at = group
                .iter()
                .flat_map(|nodes| nodes.iter().position(|n| n.id == id))
                .next()
                .unwrap_or(0);
            if let Some(Step {
                selector: Selector::Position(n),
                ..
            }) = path.last_mut()
            {
                *n = u32::try_from(at + 1).unwrap_or(u32::MAX);
            }
            return Err(self.violation(path, problem));
        }
        if self.exempt(path) {
            return Ok(());
        }
        if group.iter().all(|nodes| nodes.len() == 1) {
            return self.element(path, group.each_ref().map(|nodes| nodes.first().copied()));
        }
        if let Some(pairs) = child.and_then(|child| aligned(child.align?, group)) {
            for pair in pairs {
                self.element(path, pair)?;
            }
            return Ok(());
        }
        let len = group[3].len();
        if group.iter().all(|nodes| nodes.len() == len) {
            let mut pairs = (0..len).map(|i| group.each_ref().map(|nodes| nodes.get(i).copied()));
            if pairs.all(|pair| self.element(&mut path.clone(), pair).is_ok()) {
                return Ok(());
            }
        }
        facts::check(self, path, group)
    }
}

/// Whether a text that is there often enough stands in two values of which one side made one equal to the other, by an
/// attribute: what both sides have by now is not the same value then.
fn is_made_equal(value: &Node<'_>, group: &Group<'_, '_>) -> bool {
    let of_text = |nodes: &&&Node<'_>| nodes.text == value.text;
    let is_another = group.iter().flatten().filter(of_text).any(|node| node.id != value.id);
    let times = group.each_ref().map(|nodes| nodes.iter().filter(of_text).count());
    let times = times.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    is_another && miscounted(&times).is_none()
}

/// Items by key, and those whose key cannot be used.
fn by_key<'n, 'a>(child: Option<&Child>, group: &Group<'n, 'a>) -> (Keyed<'n, 'a>, Group<'n, 'a>) {
    let mut keyed: Keyed<'n, 'a> = BTreeMap::new();
    let mut rest = Group::default();
    let key = child.map(|child| child.key.as_slice()).unwrap_or_default();
    for (side, nodes) in group.iter().enumerate() {
        for node in nodes {
            match key_of(node, key) {
                Some(key) => keyed.entry(key).or_default()[side].push(node),
                None => rest[side].push(node),
            }
        }
    }
    let is_trusted = child.is_some_and(|child| child.proof.is_trusted());
    if !is_trusted
        && keyed
            .values()
            .any(|nodes| nodes[..3].iter().any(|nodes| nodes.len() > 1))
    {
        return (BTreeMap::new(), group.clone());
    }
    (keyed, rest)
}

/// The key of an item; `None` when it has none of the fields.
pub(super) fn key_of(node: &Node<'_>, key: &[&str]) -> Option<Key> {
    let values: Vec<Option<&str>> = key.iter().map(|field| node.field(field)).collect();
    values.iter().any(Option::is_some).then(|| {
        let fields = key.iter().zip(values);
        fields
            .map(|(field, value)| ((*field).into(), value.unwrap_or_default().into()))
            .collect()
    })
}

/// Pairs items by an element whose value each document uses once.
fn aligned<'n, 'a>(field: &str, group: &Group<'n, 'a>) -> Option<Vec<Four<Option<&'n Node<'a>>>>> {
    let mut pairs: BTreeMap<&str, Four<Option<&'n Node<'a>>>> = BTreeMap::new();
    for (side, nodes) in group.iter().enumerate() {
        for node in nodes {
            let slot = &mut pairs.entry(node.field(field)?).or_default()[side];
            if slot.replace(node).is_some() {
                return None;
            }
        }
    }
    Some(pairs.into_values().collect())
}

pub(super) fn step(name: &str, selector: Selector) -> Step {
    Step {
        name: name.into(),
        selector,
    }
}

/// Whether a step of an open conflict and one of this check may mean the same element. Positions
/// and occurrences say nothing here: each side counts on its own.
fn same_step(open: &Step, mine: &Step) -> bool {
    let local = |name: &str| name.rsplit(':').next().map(|n| n.trim_start_matches('@').to_owned());
    let is_same_name = open.name == mine.name
        || open.name.starts_with('@') && mine.name.starts_with('@') && local(&open.name) == local(&mine.name);
    is_same_name
        && match (&open.selector, &mine.selector) {
            (Selector::Key(a, _), Selector::Key(b, _)) => {
                let known = |fields: &'_ [(Box<str>, Box<str>)]| {
                    let mut fields: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
                    fields.sort_unstable();
                    fields
                };
                known(a) == known(b)
            }
            (Selector::Value(a, _), Selector::Value(b, _)) => a.trim() == b.trim(),
            _ => true,
        }
}
