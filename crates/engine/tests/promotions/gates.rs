//! Gates inside of operations: programs, coverage, times, and exceptions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use syncline_domain::operation::State;
use syncline_domain::policy::Actor;
use syncline_domain::time::rfc3339;
use syncline_engine::back_promote::Selection;
use syncline_engine::operation::promote::{Direction, Wanted, promote};
use syncline_engine::operation::{Decision, approve};
use syncline_salesforce::Clock;
use syncline_simulator::config::{Apex, ApexCoverage, Config};

use crate::bench::{Bench, Setting};
use crate::files::{changed, class, org};

/// Writes what a package holds of the word BAD as SARIF.
const ANALYSIS: &str = "\
#!/bin/sh
results=''
if grep -rq BAD classes; then
    results='{\"ruleId\": \"bad\", \"level\": \"error\", \"message\": {\"text\": \"BAD\"}}'
fi
echo \"{\\\"version\\\": \\\"2.1.0\\\", \\\"runs\\\": [{\\\"tool\\\": {\\\"driver\\\": {\\\"name\\\": \\\"x\\\"}}, \\\"results\\\": [$results]}]}\" > out.sarif
";

#[tokio::test(flavor = "multi_thread")]
async fn programs_open_and_close() {
    let folder = tempfile::tempdir().expect("a folder");
    let analysis = folder.path().join("analysis.sh").display().to_string();
    std::fs::write(&analysis, ANALYSIS).expect("written");
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&analysis, runs).expect("set");
    let more = format!(
        "[gates]\nanalysis = {{ command = [\"{analysis}\"], sarif = \"out.sarif\" }}\n\
         functional = [{{ name = \"smoke\", command = [\"./smoke.sh\", \"now\"] }}]\n"
    );
    let bench = Bench::with(Setting {
        more,
        commands: Box::leak(format!("{analysis}:./smoke.sh").into_boxed_str()),
        ..Setting::default()
    })
    .await;
    let smoke = bench.path().join("smoke.sh");
    let put = |text: &str| {
        std::fs::write(&smoke, text).expect("written");
        let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&smoke, runs).expect("set");
    };
    let refused = async |why: &str| {
        let id = bench.begin("production", "qa", Direction::Down).await.id;
        let problem = bench.until(&id, State::Failed).await.problem.expect("why");
        assert_eq!(problem.code, "promote.gate");
        assert!(problem.message.contains(why), "{}", problem.message);
        assert_eq!(bench.deployments("qa"), 1, "nothing of ours");
    };
    bench.on("main", &changed(&org(), |files| class(files, "A", "Integer BAD;")));
    put("#!/bin/sh\ntest \"$1\" = now\n");
    refused("the analysis found 1: 1 errors").await;
    bench.on("main", &changed(&org(), |files| class(files, "A", "Integer good;")));
    put("#!/bin/sh\necho \"$SYNCLINE_ENVIRONMENT is down\" >&2\nexit 1\n");
    refused("the test `smoke` failed: ended with code 1: qa is down").await;
    put("#!/bin/sh\ntest \"$1\" = now\n");
    // Another package is tested anew.
    bench.on("main", &changed(&org(), |files| class(files, "A", "Integer better;")));
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    let kept = bench.kept(&id).await;
    assert!(kept.analysis.is_some_and(|done| done.result.error == 0));
    assert!(kept.functional["smoke"].result.passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_covered_too_little_is_refused() {
    let covered = |covered: u32| ApexCoverage {
        class: "A".to_owned(),
        covered,
        lines: 100,
    };
    for (lines, fits) in [(78, false), (82, true)] {
        let bench = Bench::with(Setting {
            files: changed(&org(), |files| {
                class(files, "ATest", "@isTest static void works() { System.assert(true); }");
            }),
            more: "[gates]\ntests = [\"ATest\"]\ncoverage = 80\n".to_owned(),
            world: Config {
                apex: Apex {
                    coverage: vec![covered(lines)],
                    ..Apex::default()
                },
                ..Config::default()
            },
            ..Setting::default()
        })
        .await;
        let files = changed(&org(), |files| {
            class(files, "ATest", "@isTest static void works() { System.assert(true); }");
            class(files, "A", "Integer fixed;");
        });
        bench.on("main", &files);
        let id = bench.begin("production", "qa", Direction::Down).await.id;
        if fits {
            bench.until(&id, State::Succeeded).await;
            continue;
        }
        let problem = bench.until(&id, State::Failed).await.problem.expect("why");
        assert!(problem.message.contains("80 % are required"), "{}", problem.message);
        assert_eq!(bench.deployments("qa"), 1);
    }
}

/// A clock that can be moved on.
fn clock() -> (Clock, Arc<AtomicU64>) {
    let ahead = Arc::new(AtomicU64::new(0));
    let shown = Arc::clone(&ahead);
    let clock = Clock::new(
        move || SystemTime::now() + Duration::from_millis(shown.load(Ordering::SeqCst)),
        |time| Box::pin(tokio::time::sleep(time)),
    );
    (clock, ahead)
}

const HOUR: u64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn soak_times_and_freezes_end_by_themselves() {
    let (clock, ahead) = clock();
    let now = syncline_engine::operation::now(&clock);
    let local = |hours: i64| rfc3339(now + hours * HOUR as i64).get(..16).expect("a time").to_owned();
    let more = format!(
        "[[freeze]]\nname = \"release\"\nenvironments = [\"qa\"]\nfrom = \"{}\"\nto = \"{}\"\n\
         [[edges]]\nfrom = \"dev1\"\nto = \"uat\"\n[edges.gates]\nsoak = \"48h\"\n",
        local(-1),
        local(12)
    );
    let bench = Bench::with(Setting {
        more,
        clock,
        ..Setting::default()
    })
    .await;
    let files = changed(&org(), |files| class(files, "A", "Integer fixed;"));
    bench.on("main", &files);
    bench.on("env/dev1", &changed(&org(), |files| class(files, "New", "")));
    let frozen = bench.begin("production", "qa", Direction::Down).await.id;
    let soaks = bench.begin("dev1", "uat", Direction::Up).await.id;
    let waits = bench.until(&frozen, State::Waiting).await;
    assert!(waits.message.is_some_and(|why| why.contains("`release` holds")));
    let waits = bench.operation(&soaks).await;
    assert_eq!(waits.state, State::Waiting);
    assert!(waits.message.is_some_and(|why| why.contains("the change soaks for")));
    assert!(waits.wake_at.expect("a time") > bench.runtime.now() + 47 * HOUR as i64);

    ahead.fetch_add(13 * HOUR, Ordering::SeqCst);
    bench.until(&frozen, State::Succeeded).await;
    assert_eq!(bench.differs("qa", &files).await, "");
    assert_eq!(bench.operation(&soaks).await.state, State::Waiting);
    assert_eq!(bench.deployments("uat"), 1);
    ahead.fetch_add(36 * HOUR, Ordering::SeqCst);
    bench.until(&soaks, State::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_the_path_needs_a_reason_and_somebody_else_and_is_recorded() {
    let bench = Bench::start("").await;
    bench.on(
        "env/dev1",
        &changed(&org(), |files| class(files, "A", "Integer urgent;")),
    );
    let wanted = |bypass: Option<&str>| Wanted {
        from: "dev1".to_owned(),
        to: "production".to_owned(),
        selection: Selection::default(),
        direction: Direction::Up,
        bypass: bypass.map(str::to_owned),
    };
    for bypass in [None, Some(" ")] {
        let begun = promote(&bench.runtime, &bench.open(), &wanted(bypass), &Actor::owner("ada")).await;
        assert!(begun.is_err(), "{bypass:?}");
    }
    let wanted = wanted(Some("production is down"));
    let begun = promote(&bench.runtime, &bench.open(), &wanted, &Actor::owner("ada")).await;
    let id = begun.expect("begun").id;
    let asked = bench.until(&id, State::NeedsPerson).await.question.expect("a question");
    assert!(asked.text.contains("path:"), "{}", asked.text);
    assert_eq!(asked.details["bypass"], "production is down");
    let decision = Decision {
        granted: true,
        reason: Some("seen with the team".to_owned()),
        subject: None,
    };
    // Who asked for it cannot approve it.
    let own = approve(&bench.runtime, &id, &Actor::owner("ada"), &decision).await;
    assert!(own.is_err(), "{own:?}");
    bench.until(&id, State::NeedsPerson).await;
    assert_eq!(bench.deployments("prod"), 1);
    approve(&bench.runtime, &id, &Actor::owner("bea"), &decision)
        .await
        .expect("approved");
    bench.until(&id, State::Succeeded).await;
    let audit = bench.audit(&id).await;
    let told = |words: &[&str]| audit.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(told(&["promote opened ada", "production is down"]), "{audit}");
    assert!(told(&["bea", "seen with the team"]), "{audit}");
    assert!(told(&["promote.bypass", "production is down", "bea"]), "{audit}");
}
