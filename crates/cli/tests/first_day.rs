//! The first day of an org whose components were never in git. `SYNCLINE_FIRST_DAY` says how many there are; a few by default, since
//! an unoptimised program takes its time.

mod support;

use support::TestEnv;
use support::world::World;

/// Components by default.
const FEW: usize = 600;
/// Lines that a person reads at most, however many components there are.
const MOST_LINES: usize = 300;

fn size() -> usize {
    std::env::var("SYNCLINE_FIRST_DAY").map_or(FEW, |text| text.parse().expect("a number"))
}

fn world() -> World {
    let components = size();
    let more = format!("[[generate]]\norg = \"production\"\ncomponents = {components}\n");
    let world = World::bare(TestEnv::repository(), &["production", "dev1"], &more);
    world.log_in(&["production", "dev1"]);
    world
}

/// Runs a line; what it says can be read by a person.
fn timed(world: &World, line: &str, code: i32) -> support::Ran {
    let begun = std::time::Instant::now();
    let ran = world.ends(line, code);
    eprintln!("{line}: {:?}", begun.elapsed());
    assert!(
        ran.stdout.lines().count() <= MOST_LINES,
        "{line}: {} lines",
        ran.stdout.lines().count()
    );
    ran
}

#[test]
fn an_empty_repository_begins_with_all_of_it() {
    let world = world();
    timed(&world, "init --from-org production dev1", 0);
    timed(&world, "status", 0);
    let drift = timed(&world, "drift production", 0);
    assert!(drift.stdout.ends_with("the org is as its branch says\n"), "{drift}");
    let files = world.git("ls-tree -r --name-only main").lines().count();
    assert!(files > size() / 2, "{files}");
    let still = world.json("snapshot production");
    assert_eq!(still["snapshots"][0]["changed"], false);
    let unchanged = still["snapshots"][0]["unchanged"].as_u64().unwrap_or(0) as usize;
    assert!(unchanged > size() / 2, "{still}");
}

#[test]
fn a_repository_that_had_nothing_of_it_adopts_it_at_once() {
    let world = world();
    world.env.commit("README.md", "Metadata comes later.\n");
    let project = r#"{"packageDirectories":[{"path":"force-app","default":true}]}"#;
    world.env.commit("sfdx-project.json", project);
    timed(&world, "init --from-org production dev1", 0);
    timed(&world, "status", 0);
    let status = world.json("status production");
    let outside = status["environments"][0]["drift"]["in_org"].as_u64().unwrap_or(0);
    assert!(outside as usize > size() / 2, "{status}");
    let counted = timed(&world, "drift production --stat", 1);
    let total = counted.stdout.lines().last().expect("a row");
    let found: usize = total
        .split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number");
    assert!(found > size() / 2, "{counted}");
    let shown = timed(&world, "drift production", 1);
    assert!(shown.stdout.contains("more; --json lists all"), "{shown}");
    let adopted = timed(&world, "drift production --adopt --all", 0);
    assert!(
        adopted
            .stdout
            .starts_with(&format!("{found} differences of production adopted in ")),
        "{adopted}"
    );
    timed(&world, "drift production", 0);
    timed(&world, "drift production --now", 0);
    timed(&world, "status", 0);
    assert_eq!(world.git("status --porcelain"), "");
}
