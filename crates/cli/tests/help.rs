//! Help, version, and errors of usage as a user sees them.

mod support;

use support::TestEnv;

#[test]
fn help_tells_the_story() {
    insta::assert_snapshot!(TestEnv::new().syncline("--help"), @r#"
    exit 0
    --- stdout
    Syncline keeps Salesforce environments in sync. It reads metadata by what it means, not by lines: it
    compares two states of a repository, merges changes of several people in one profile or flow, and
    carries a hotfix from production back to every environment's branch. What both sides changed becomes
    a conflict to decide once; nobody's work is lost.

    Usage: syncline [OPTIONS] <COMMAND>

    Begin:
      demo          See a hotfix go back to every environment, in a sample repository
      init          Write syncline.toml: environments, branches and the path between them

    Orgs:
      org           Log in to orgs, read and write records, get and deploy metadata

    See where environments stand:
      status        Show where every environment stands
      env           List the environments, show one, check all against repository and orgs
      pipeline      Draw the path between environments
      snapshot      Look at the orgs of environments and keep what they contain
      drift         Show in what an org differs from its branch, by whom and since when, and settle it
      diff          Show what differs between two states, by component and element
      advise        Recommend what to do with each environment: back-promotion or a refresh

    Keep environments in sync:
      work          Keep what you change in your sandbox, and hand it on
      back-promote  Bring the changes of an environment down to others
      promote       Bring the changes of an environment up to the next one
      rollback      Undo what an operation deployed
      conflicts     Decide what a back-promotion left open
      baseline      Say what an environment and the one above have in common

    Operations:
      operation     See what runs and what waits, and answer, approve, cancel or retry it
      worker        Work on operations until stopped
      audit         See who did what, and check that the record is whole
      admin         Back up and restore the database, replace its key, seal values

    Merge files:
      merge-file    Merge three versions of one file by meaning
      merge-driver  Let git merge metadata by meaning

    Try it without an org:
      simulator     Run simulated Salesforce orgs on this machine

    Options:
          --json                       Write data, and an error, as JSON
          --color <auto|always|never>  When to use colours [default: auto]
      -h, --help                       Print help
      -V, --version                    Print version

    Examples:
      See it work on a sample repository:
        syncline demo
      Bring production's changes to every environment below, first without writing anything:
        syncline back-promote --from production --onto all-below --dry-run
      Let git merge metadata by meaning in this repository:
        syncline merge-driver install
      Merge three versions of a profile:
        syncline merge-file base.xml ours.xml theirs.xml --path Admin.profile-meta.xml -o merged.xml

    Exit codes: 0 done · 1 differences or conflicts · 2 error
    "#);
}

#[test]
fn help_of_a_verb() {
    insta::assert_snapshot!(TestEnv::new().syncline("merge-file --help"), @r#"
    exit 0
    --- stdout
    Merge three versions of one file by meaning

    Metadata is merged element by element, everything else by lines. Elements that both sides changed
    differently stand in the result between conflict markers. Ends with 0 when the result is clean, with
    1 when it holds conflicts, with 2 when a file cannot be read: then nothing is written.

    Usage: syncline merge-file [OPTIONS] <BASE> <OURS> <THEIRS>

    Arguments:
      <BASE>
              The common ancestor; an empty file when both sides added it

      <OURS>
              Our version, whose formatting the result keeps

      <THEIRS>
              Their version

    Options:
          --path <PATH>
              Path of the file in the repository: it tells the kind of file and names the component.
              [default: OURS]

      -o, --output <FILE>
              Write the result to this file instead of standard output

          --marker-size <N>
              Length of conflict markers

              [default: 7]

          --label-ours <NAME>
              Name of our version in conflict markers

              [default: ours]

          --label-base <NAME>
              Name of the common ancestor in conflict markers

              [default: base]

          --label-theirs <NAME>
              Name of their version in conflict markers

              [default: theirs]

      -h, --help
              Print help (see a summary with '-h')

    Output:
          --json
              Write data, and an error, as JSON

          --color <auto|always|never>
              When to use colours

              [default: auto]

    Examples:
      syncline merge-file base.xml ours.xml theirs.xml --path Admin.profile-meta.xml
      syncline merge-file /dev/null ours.xml theirs.xml -o merged.xml     both sides added the file
    "#);
}

#[test]
fn usage() {
    let env = TestEnv::new();
    insta::assert_snapshot!(env.syncline("merge-fiel a b c"), @r#"
    exit 2
    --- stderr
    error: unrecognized subcommand 'merge-fiel'

      tip: some similar subcommands exist: 'merge-driver', 'merge-file'

    Usage: syncline [OPTIONS] <COMMAND>

    For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.syncline("merge-file a b --json"), @r#"
    exit 2
    --- stderr
    {"error":{"kind":"user","code":"usage","message":"the following required arguments were not provided: <THEIRS>","causes":[],"hints":["see `syncline --help`"]}}
    "#);
    insta::assert_snapshot!(env.syncline("--version"), @r#"
    exit 0
    --- stdout
    syncline 0.1.0
    "#);
    assert_eq!(env.syncline("").code, 2);
}

#[test]
fn colours_only_when_wanted() {
    let env = TestEnv::new();
    assert!(!env.syncline("merge-file a b c").stderr.contains('\u{1b}'));
    assert!(
        env.syncline("merge-file a b c --color always")
            .stderr
            .contains("\u{1b}[")
    );
    assert!(env.syncline("--help --color always").stdout.contains("\u{1b}["));
    assert!(!env.syncline("--help --color never").stdout.contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_is_quiet() {
    let env = TestEnv::new();
    env.write("a.txt", "line\n".repeat(100_000));
    let script = format!(
        "({} merge-file a.txt a.txt a.txt; echo $? >&2) | head -n 1",
        env!("CARGO_BIN_EXE_syncline")
    );
    insta::assert_snapshot!(env.finish(env.program("sh").args(["-c", &script])), @r#"
    exit 0
    --- stdout
    line
    --- stderr
    141
    "#);
}
