//! `syncline merge-file` on the real program: results, bad input, output files.

mod support;

use support::{Ran, TestEnv, profile};

/// BASE, OURS and THEIRS in the work folder: both sides add a class, and `Shared` is as given.
fn sides(ours: bool, theirs: bool) -> TestEnv {
    let env = TestEnv::new();
    env.write("base.xml", profile(&[("Shared", false)]))
        .write("ours.xml", profile(&[("Alpha", true), ("Shared", ours)]))
        .write("theirs.xml", profile(&[("Beta", true), ("Shared", theirs)]));
    env
}

const FILES: &str = "merge-file base.xml ours.xml theirs.xml --path a/profiles/Admin.profile-meta.xml";

#[test]
fn clean() {
    let env = sides(true, false);
    let ran = env.syncline(FILES);
    assert_eq!(
        ran.stdout,
        profile(&[("Alpha", true), ("Beta", true), ("Shared", true)])
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn conflicts() {
    let env = sides(true, false);
    env.write("base.xml", profile(&[]));
    insta::assert_snapshot!(env.syncline(&format!("{FILES} --label-ours=mine --label-theirs=x/y --marker-size 9")), @r#"
    exit 1
    --- stdout
    <?xml version="1.0" encoding="UTF-8"?>
    <Profile xmlns="http://soap.sforce.com/2006/04/metadata">
        <classAccesses>
            <apexClass>Alpha</apexClass>
            <enabled>true</enabled>
        </classAccesses>
        <classAccesses>
            <apexClass>Beta</apexClass>
            <enabled>true</enabled>
        </classAccesses>
        <classAccesses>
            <apexClass>Shared</apexClass>
    <<<<<<<<< mine
            <enabled>true</enabled>
    ||||||||| base
    =========
            <enabled>false</enabled>
    >>>>>>>>> x/y
        </classAccesses>
        <custom>true</custom>
    </Profile>
    --- stderr
    conflict in Profile:Admin/classAccesses[apexClass=Shared]/enabled: both sides added it differently
    "#);
    insta::assert_snapshot!(env.syncline(&format!("{FILES} --json")), @r#"
    exit 1
    --- stdout
    {
      "clean": false,
      "conflicts": [
        {
          "path": "Profile:Admin/classAccesses[apexClass=Shared]/enabled",
          "reason": "both-added",
          "message": "both sides added it differently",
          "fingerprint": "c57ba9172c15d9af2c4d093ecd7091c00b73059fa414d00d8f9cde4bfe5fb5b1",
          "base": null,
          "ours": "<enabled>true</enabled>",
          "theirs": "<enabled>false</enabled>"
        }
      ]
    }
    "#);
}

#[test]
fn added_on_both_sides() {
    let env = sides(true, false);
    for base in ["empty", "/dev/null"] {
        env.write("empty", "");
        let ran = env.run(&["merge-file", base, "ours.xml", "theirs.xml"]);
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.stdout.contains("|||||||"), "{ran}");
    }
}

#[test]
fn output_file() {
    let env = sides(true, false);
    let expect = profile(&[("Alpha", true), ("Beta", true), ("Shared", true)]);
    let ran = env.syncline(&format!("{FILES} -o ours.xml"));
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    assert_eq!(env.read("ours.xml"), expect);
    assert_eq!(env.syncline(&format!("{FILES} -o -- ")).code, 2);
    let names: Vec<_> = std::fs::read_dir(env.work())
        .expect("read")
        .map(|e| e.expect("entry").file_name())
        .collect();
    assert_eq!(names.len(), 3, "no scratch file is left: {names:?}");
}

#[cfg(unix)]
#[test]
fn output_keeps_mode_and_link() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let env = sides(true, false);
    env.write("target.xml", "old");
    let target = env.work().join("target.xml");
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).expect("mode");
    symlink("target.xml", env.work().join("link.xml")).expect("link");
    assert_eq!(env.syncline(&format!("{FILES} -o link.xml")).code, 0);
    assert!(env.work().join("link.xml").is_symlink());
    assert_eq!(
        env.read("target.xml"),
        profile(&[("Alpha", true), ("Beta", true), ("Shared", true)])
    );
    assert_eq!(
        std::fs::metadata(&target).expect("exists").permissions().mode() & 0o777,
        0o640
    );
}

/// Merges with something bad as OURS; nothing may be written.
fn bad(bytes: &[u8]) -> Ran {
    let env = sides(true, false);
    env.write("ours.xml", bytes).write("out.xml", "as before");
    let ran = env.syncline(&format!("{FILES} -o out.xml"));
    assert_eq!(env.read("out.xml"), "as before");
    let again = env.syncline(FILES);
    assert_eq!(again.stdout, "");
    ran
}

#[test]
fn bad_input() {
    insta::assert_snapshot!(bad(b"<Profile>\n<a></Profile>\n"), @r#"
    exit 2
    --- stderr
    error: could not read OURS of `a/profiles/Admin.profile-meta.xml`: `ours.xml`
      because: line 2, column 4: malformed XML: expected 'a' tag, not 'Profile'
    hint: correct the file at that line, or retrieve it anew
    "#);
    insta::assert_snapshot!(bad(b"<Profile>\n\xff</Profile>\n"), @r#"
    exit 2
    --- stderr
    error: could not read OURS of `a/profiles/Admin.profile-meta.xml`: `ours.xml`
      because: line 2: the file is not UTF-8; save it as UTF-8
    hint: Salesforce writes UTF-8; convert the file, or give the path of a binary file with --path
    "#);
    insta::assert_snapshot!(bad(b"<!DOCTYPE p [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\n<Profile>&e;</Profile>\n"), @r#"
    exit 2
    --- stderr
    error: could not read OURS of `a/profiles/Admin.profile-meta.xml`: `ours.xml`
      because: line 1: document type definitions are not read, because they can name other files; remove the DOCTYPE
    hint: Salesforce writes none; delete the DOCTYPE
    "#);
    insta::assert_snapshot!(bad(b"\x89PNG\r\n\x1a\n\0\0"), @r#"
    exit 2
    --- stderr
    error: could not read OURS of `a/profiles/Admin.profile-meta.xml`: `ours.xml`
      because: line 1: the file is not UTF-8; save it as UTF-8
    hint: Salesforce writes UTF-8; convert the file, or give the path of a binary file with --path
    "#);
    insta::assert_snapshot!(bad(b"<Profile>\n<<<<<<< HEAD\n</Profile>"), @r#"
    exit 2
    --- stderr
    error: could not read OURS of `a/profiles/Admin.profile-meta.xml`: `ours.xml`
      because: line 2: the file holds conflict markers of an unfinished merge; resolve them first
    hint: choose between the sides, delete the marker lines and try again
    "#);
    insta::assert_snapshot!(bad(b""), @r#"
    exit 2
    --- stderr
    error: could not read OURS of `a/profiles/Admin.profile-meta.xml`: `ours.xml`
      because: line 1, column 1: malformed XML: the document does not have a root node
    hint: correct the file at that line, or retrieve it anew
    "#);
}

#[test]
fn bad_files() {
    let env = sides(true, false);
    std::fs::create_dir(env.work().join("folder")).expect("folder");
    let large = std::fs::File::create(env.work().join("large.xml")).expect("file");
    large.set_len(200 * 1024 * 1024).expect("sparse");
    insta::assert_snapshot!(env.syncline("merge-file base.xml large.xml theirs.xml"), @r#"
    exit 2
    --- stderr
    error: could not read `large.xml`: it has 209715200 bytes, at most 104857600 are read
    hint: no Salesforce metadata file is that large; is it the right file?
    "#);
    insta::assert_snapshot!(env.syncline("merge-file base.xml gone.xml theirs.xml"), @r#"
    exit 2
    --- stderr
    error: could not read `gone.xml`
      because: No such file or directory (os error 2)
    hint: there is no such file; an empty file stands for one that does not exist
    "#);
    insta::assert_snapshot!(env.syncline("merge-file folder ours.xml theirs.xml"), @r#"
    exit 2
    --- stderr
    error: could not read `folder`: it is a folder
    hint: name a file in it
    "#);
    insta::assert_snapshot!(env.syncline(&format!("{FILES} -o gone/out.xml")), @r#"
    exit 2
    --- stderr
    error: could not write `gone/out.xml`: there is no folder `gone`
    hint: make it first: mkdir -p 'gone'
    "#);
    insta::assert_snapshot!(env.syncline(&format!("{FILES} -o folder")), @r#"
    exit 2
    --- stderr
    error: could not write `folder`: it is a folder
    hint: name a file
    "#);
    insta::assert_snapshot!(env.syncline("merge-file base.xml gone.xml theirs.xml --json"), @r#"
    exit 2
    --- stderr
    {"error":{"kind":"user","code":"file.unreadable","message":"could not read `gone.xml`","causes":["No such file or directory (os error 2)"],"hints":["there is no such file; an empty file stands for one that does not exist"]}}
    "#);
    #[cfg(unix)]
    insta::assert_snapshot!(env.syncline("merge-file base.xml /dev/zero theirs.xml"), @r#"
    exit 2
    --- stderr
    error: could not read `/dev/zero`: it has more than 104857600 bytes, at most 104857600 are read
    hint: no Salesforce metadata file is that large; is it the right file?
    "#);
}

#[test]
fn names_are_taken_as_they_are() {
    let env = sides(true, false);
    for name in ["-x.xml", "a b.xml", "ü'\".xml", "--json"] {
        env.write(name, profile(&[("Alpha", true), ("Shared", true)]));
        let ran = env.run(&[
            "merge-file",
            "--path",
            "Admin.profile-meta.xml",
            "--",
            "base.xml",
            name,
            "theirs.xml",
        ]);
        assert_eq!(ran.code, 0, "{name}: {ran}");
    }
}
