//! Random files and histories from a seed, written by `git fast-import`.

use std::collections::BTreeMap;

use syncline_git::Oid;

use crate::sandbox::Sandbox;

/// SplitMix64: small, and the same on every machine.
pub(crate) struct Random(pub(crate) u64);

/// Path to mode and content.
pub(crate) type Files = BTreeMap<String, (&'static str, String)>;

/// Parents (indices) and files of a commit.
pub(crate) struct Made {
    pub(crate) parents: Vec<usize>,
    pub(crate) files: Files,
}

const NAMES: [&str; 6] = ["a", "a-b", "a.b", "a0", "b", "ü"];

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) % end as u64) as usize
    }

    pub(crate) fn path(&mut self) -> String {
        let depth = 1 + self.below(3);
        (0..depth)
            .map(|_| NAMES[self.below(NAMES.len())])
            .collect::<Vec<_>>()
            .join("/")
    }

    pub(crate) fn mode(&mut self) -> &'static str {
        ["100644", "100644", "100644", "100644", "100755", "120000", "160000"][self.below(7)]
    }

    /// Ten lines of which an edit changes few, so that merges may be clean. All name path and number, so that
    /// git sees no renames and every diff algorithm the same lines.
    pub(crate) fn content(&mut self, path: &str, before: &str) -> String {
        let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
        for line in lines.len()..10 {
            lines.push(format!("{path} {line}"));
        }
        for _ in 0..=self.below(2) {
            let line = self.below(10);
            lines[line] = format!("{path} {line} {}", self.below(5));
        }
        lines.join("\n") + "\n"
    }

    /// Edits a few files; now and then a file becomes a directory or the other way round.
    pub(crate) fn edit(&mut self, files: &mut Files, edits: usize) {
        for _ in 0..edits {
            let known: Vec<String> = files.keys().cloned().collect();
            let known = (!known.is_empty()).then(|| known[self.below(known.len())].clone());
            match (self.below(8), known) {
                (0, Some(path)) => drop(files.remove(&path)),
                (1, Some(path)) => {
                    let (_, content) = files[&path].clone();
                    files.insert(path, (self.mode(), content));
                }
                (2..6, Some(path)) => {
                    let (mode, content) = files[&path].clone();
                    let content = self.content(&path, &content);
                    files.insert(path, (mode, content));
                }
                _ => {
                    let (path, mode) = (self.path(), self.mode());
                    let beneath = format!("{path}/");
                    let above = |other: &String| {
                        path.strip_prefix(other.as_str())
                            .is_some_and(|rest| rest.starts_with('/'))
                    };
                    files.retain(|other, _| !other.starts_with(&beneath) && !above(other));
                    let content = self.content(&path, "");
                    files.insert(path, (mode, content));
                }
            }
        }
    }

    /// A history of commits with one or two parents, in the order of their times.
    pub(crate) fn history(&mut self, commits: usize, modes: bool) -> Vec<Made> {
        let mut made: Vec<Made> = Vec::new();
        for index in 0..commits {
            let mut parents = Vec::new();
            let nearest = index.saturating_sub(4);
            while parents.len() < index.min(1 + self.below(2)) {
                let parent = nearest + self.below(index - nearest);
                if parents.contains(&parent) {
                    break;
                }
                parents.push(parent);
            }
            let mut files = parents
                .first()
                .map_or_else(Files::new, |parent| made[*parent].files.clone());
            let edits = if index == 0 { 12 } else { 1 + self.below(4) };
            self.edit(&mut files, edits);
            if !modes {
                files.values_mut().for_each(|(mode, _)| *mode = "100644");
            }
            made.push(Made { parents, files });
        }
        made
    }
}

/// A history of two lines that merge each other's last commit but one, again and again: many have several merge bases.
pub(crate) fn criss_cross(random: &mut Random, rounds: usize) -> Vec<Made> {
    let mut made = random.history(1, false);
    let mut tips = [0, 0];
    for _ in 0..rounds {
        let before = tips;
        for side in 0..2 {
            let merges = made.len() > 2 && random.below(4) > 0;
            let parents = if merges {
                vec![before[side], before[1 - side]]
            } else {
                vec![before[side]]
            };
            let mut files = made[before[side]].files.clone();
            if merges {
                for (path, file) in &made[before[1 - side]].files {
                    if files.contains_key(path) && random.below(2) == 0 {
                        files.insert(path.clone(), file.clone());
                    }
                }
            }
            let edits = 1 + random.below(2);
            random.edit(&mut files, edits);
            files.values_mut().for_each(|(mode, _)| *mode = "100644");
            tips[side] = made.len();
            made.push(Made { parents, files });
        }
    }
    made
}

/// Writes the commits and returns their ids. Commit times differ by a minute, in order.
pub(crate) fn import(sandbox: &Sandbox, history: &[Made]) -> Vec<Oid> {
    let mut stream = Vec::new();
    for (index, commit) in history.iter().enumerate() {
        let mark = index + 1;
        let time = 1_700_000_000 + 60 * index;
        stream.extend(
            format!("commit refs/heads/c{index}\nmark :{mark}\ncommitter A <a@example.com> {time} +0000\ndata 1\nm\n")
                .bytes(),
        );
        for (at, parent) in commit.parents.iter().enumerate() {
            stream.extend(format!("{} :{}\n", if at == 0 { "from" } else { "merge" }, parent + 1).bytes());
        }
        stream.extend(b"deleteall\n");
        for (path, (mode, content)) in &commit.files {
            match *mode {
                "160000" => stream.extend(
                    format!(
                        "M 160000 {:040x} {path}\n",
                        content.len() + usize::from(content.as_bytes()[5])
                    )
                    .bytes(),
                ),
                mode => stream.extend(format!("M {mode} inline {path}\ndata {}\n{content}\n", content.len()).bytes()),
            }
        }
    }
    sandbox.git_with(&["fast-import", "--quiet", "--force"], &stream);
    let refs = sandbox.git(&["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"]);
    let ids: BTreeMap<&str, &str> = refs.lines().filter_map(|line| line.split_once(' ')).collect();
    (0..history.len())
        .map(|index| ids[format!("c{index}").as_str()].parse().unwrap())
        .collect()
}
