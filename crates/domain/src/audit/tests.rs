//! Every way of tampering is found, and where.

use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::*;

/// A signature that only this key makes; a stand-in for a real one.
fn sign(key: &str, message: &[u8]) -> String {
    let mut sha = Sha256::new();
    sha.update(b"secret of ");
    sha.update(key.as_bytes());
    sha.update(message);
    crate::wire::hex(&sha.finalize())
}

/// The verifier knows one key.
fn knows(key: &str, message: &[u8], signature: &str) -> bool {
    key == "k1" && sign("k1", message) == signature
}

fn draft(n: u64) -> Draft {
    Draft {
        at: 1_000 * i64::try_from(n).unwrap(),
        actor: format!("person{}", n % 3),
        action: "promote".to_owned(),
        subject: format!("env:e{}", n % 5),
        outcome: "succeeded".to_owned(),
        details: json!({"n": n}),
    }
}

fn chain(drafts: impl IntoIterator<Item = Draft>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for draft in drafts {
        let last = entries.last().map(|entry| (entry.seq, entry.hash));
        entries.push(Entry::after(last, draft));
    }
    entries
}

fn checkpoint(entry: &Entry, key: &str) -> Checkpoint {
    let message = Checkpoint::message(entry.seq, entry.hash, 99, key);
    Checkpoint {
        seq: entry.seq,
        hash: entry.hash,
        at: 99,
        key: key.to_owned(),
        signature: sign(key, &message),
    }
}

fn shown(report: &Report) -> String {
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    findings.join("\n")
}

#[test]
fn tells_what_and_where() {
    let entries = chain((1..=9).map(draft));
    let points = [checkpoint(&entries[3], "k1"), checkpoint(&entries[8], "k1")];
    let check = |change: &dyn Fn(&mut Vec<Entry>, &mut Vec<Checkpoint>), expect: &str| {
        let (mut entries, mut points) = (entries.clone(), points.to_vec());
        change(&mut entries, &mut points);
        let report = verify(&entries, &points, knows);
        assert_eq!(shown(&report), expect);
        assert_eq!(report.is_whole(), expect.is_empty());
    };
    check(&|_, _| {}, "");
    check(&|entries, points| (entries.truncate(3), points.clear()).1, "");
    check(
        &|entries, _| entries[4].draft.actor = "mallory".to_owned(),
        "entry 5: its content was changed after it was written",
    );
    check(
        &|entries, _| {
            entries[4].draft.actor = "mallory".to_owned();
            entries[4].hash = entries[4].digest();
        },
        "entry 6: it does not follow the entry before it; that was replaced, or the order was changed",
    );
    check(
        &|entries, _| entries.truncate(6),
        "entry 9: a checkpoint of key k1 is about it, but the chain ends at 6: it was cut",
    );
    check(
        &|entries, _| drop(entries.drain(4..6)),
        "entry 7: the entries from 5 to 6 are missing",
    );
    check(
        &|entries, _| entries.swap(4, 5),
        "entry 5: it stands behind entry 6\nentry 6: the entries from 5 to 5 are missing\nentry 7: the entries from 6 to 6 are missing",
    );
    let anew = |entries: &mut Vec<Entry>, from: usize| {
        let drafts = entries.iter().enumerate().map(|(n, entry)| {
            let mut draft = entry.draft.clone();
            if n == from {
                draft.actor = "mallory".to_owned();
            }
            draft
        });
        *entries = chain(drafts.collect::<Vec<_>>());
    };
    let nine = entries[8].hash;
    check(
        &|entries, _| anew(entries, 5),
        &format!("entry 9: a checkpoint of key k1 has the digest {nine} for it: the chain was written anew"),
    );
    // Written anew, and signed anew with another key, or with the name of the right one.
    check(
        &|entries, points| {
            anew(entries, 5);
            points[1] = checkpoint(&entries[8], "k2");
        },
        "entry 9: the checkpoint about it is not signed by the key k2",
    );
    check(
        &|entries, points| {
            anew(entries, 5);
            points[1] = checkpoint(&entries[8], "k2");
            points[1].key = "k1".to_owned();
        },
        "entry 9: the checkpoint about it is not signed by the key k1",
    );
    check(
        &|entries, _| entries.clear(),
        "entry 4: a checkpoint of key k1 is about it, but the chain ends at 0: it was cut\nentry 9: a checkpoint of key k1 is about it, but the chain ends at 0: it was cut",
    );
}

#[test]
fn many_findings_are_counted() {
    let mut entries = chain((1..=500).map(draft));
    entries.iter_mut().for_each(|entry| entry.draft.actor.push('x'));
    let report = verify(&entries, &[], knows);
    assert_eq!((report.found, report.findings.len(), report.entries), (500, 100, 500));
    assert_eq!(report.last.map(|last| last.seq), Some(500));
}

proptest! {
    #[test]
    fn tampering_is_found(length in 2_usize..40, at: prop::sample::Index, other: prop::sample::Index, way in 0..6, text in "[a-z]{1,8}") {
        let entries = chain((1..=length as u64).map(draft));
        let points = [checkpoint(&entries[length / 2], "k1"), checkpoint(&entries[length - 1], "k1")];
        let mut bad = entries.clone();
        let (at, other) = (at.index(length), other.index(length));
        match way {
            0 => bad[at].draft.subject.push_str(&text),
            1 => bad[at].draft.details = json!({ text: 1 }),
            2 => bad[at].draft.at += 1,
            3 => drop(bad.remove(at)),
            4 => bad.swap(at, other),
            // The whole chain from here on is computed anew.
            _ => {
                let drafts = bad.iter().enumerate().map(|(n, entry)| {
                    let mut draft = entry.draft.clone();
                    if n == at { draft.actor.push_str(&text); }
                    draft
                });
                bad = chain(drafts.collect::<Vec<_>>());
            }
        }
        let report = verify(&bad, &points, knows);
        prop_assert_eq!(report.is_whole(), bad == entries, "{}", shown(&report));
        prop_assert!(verify(&entries, &points, knows).is_whole());
    }
}
