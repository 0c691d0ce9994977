//! Steps before and after a deployment are done once in each environment, whatever happens.

use syncline_domain::operation::State;
use syncline_engine::operation::promote::Direction;

use crate::bench::{Bench, Setting};
use crate::files::{changed, class, org};

const STEPS: &str = "\
[[steps]]\nid = \"tell\"\nwhen = \"pre\"\nmanual = \"Tell the team\"\n\
[[steps]]\nid = \"count\"\nwhen = \"pre\"\ncommand = [\"./count.sh\"]\nwith = \"ApexClass:A\"\n\
[[steps]]\nid = \"nightly\"\nwhen = \"post\"\non = [\"qa\", \"dev1\"]\napex = \"scripts/nightly.apex\"\n";

async fn bench() -> Bench {
    let nightly =
        "public class Nightly implements Schedulable {\n    public void execute(SchedulableContext c) {}\n}\n";
    let files = changed(&org(), |files| {
        class(files, "Nightly", "");
        files.insert("classes/Nightly.cls".to_owned(), nightly.to_owned());
    });
    let bench = Bench::with(Setting {
        files,
        more: STEPS.to_owned(),
        commands: "./count.sh",
        ..Setting::default()
    })
    .await;
    // What a program does is seen outside of the repository.
    let script = format!(
        "#!/bin/sh\necho \"$SYNCLINE_ENVIRONMENT\" >> '{}'\n",
        bench.home().join("ran").display()
    );
    bench.put("main", "count.sh", &script);
    let apex = "System.schedule('Nightly', '0 0 1 * * ?', new Nightly());\n";
    bench.put("main", "scripts/nightly.apex", apex);
    bench.git(&["switch", "--quiet", "--detach", "main"]);
    bench
}

fn ran(bench: &Bench) -> String {
    std::fs::read_to_string(bench.home().join("ran")).unwrap_or_default()
}

const JOBS: &str = "SELECT count(*) FROM CronTrigger";

fn files(bench: &Bench, body: &str) {
    let now = bench.path().join("force-app/main/default/classes/A.cls");
    std::fs::write(now, format!("public class A {{\n    {body}\n}}\n")).expect("written");
    bench.git(&["switch", "--quiet", "main"]);
    bench.git(&["commit", "--quiet", "--all", "--message", "Change"]);
    bench.git(&["switch", "--quiet", "--detach"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_done_once_in_each_environment() {
    let bench = bench().await;
    let jobs = bench.count("qa", JOBS);
    for (body, asks) in [("Integer one;", true), ("Integer two;", false)] {
        files(&bench, body);
        let id = bench.begin("production", "qa", Direction::Down).await.id;
        if asks {
            let asked = bench.until(&id, State::NeedsPerson).await.question.expect("a question");
            assert_eq!((asked.name.as_str(), asked.text.as_str()), ("tell", "Tell the team"));
            assert_eq!(ran(&bench), "", "it comes after what a person does");
            bench.answer(&id, "").await;
        }
        bench.until(&id, State::Succeeded).await;
        assert_eq!(ran(&bench), "qa\n");
        assert_eq!(bench.count("qa", JOBS), jobs + 1);
    }
    // Another environment has its own turn, and one of the steps is not for it.
    let id = bench.begin("production", "dev2", Direction::Down).await.id;
    bench.until(&id, State::NeedsPerson).await;
    bench.answer(&id, "").await;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(ran(&bench), "qa\ndev2\n");
    assert_eq!(bench.count("dev2", JOBS), jobs);
}

/// A worker that was killed in the middle of a step leaves it begun: nobody knows whether it was done, so a person is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_was_interrupted_is_not_repeated_by_itself() {
    let bench = bench().await;
    files(&bench, "Integer one;");
    for (name, answer, runs) in [("qa", "done", 0), ("dev1", "run-again", 1)] {
        let id = bench.begin("production", name, Direction::Down).await.id;
        bench.until(&id, State::NeedsPerson).await;
        let (store, now) = (&bench.runtime.store, bench.runtime.now());
        store.begin_once(name, "count", &id, now).await.expect("begun");
        bench.answer(&id, "").await;
        let asked = bench.until(&id, State::NeedsPerson).await.question.expect("a question");
        assert_eq!(asked.name, "count");
        assert!(asked.text.contains("interrupted"), "{}", asked.text);
        let before = ran(&bench).lines().count();
        bench.answer(&id, answer).await;
        bench.until(&id, State::Succeeded).await;
        assert_eq!(ran(&bench).lines().count() - before, runs, "{name}");
    }
}

/// One that fails keeps the package from being sent, and is tried again when a person says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_stops_the_operation() {
    let bench = bench().await;
    files(&bench, "Integer one;");
    let script = bench.path().join("count.sh");
    let good = std::fs::read_to_string(&script).expect("the script");
    std::fs::write(&script, "#!/bin/sh\necho no room >&2\nexit 3\n").expect("written");
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::NeedsPerson).await;
    bench.answer(&id, "").await;
    let problem = bench.until(&id, State::Failed).await.problem.expect("why");
    assert!(problem.message.contains("no room"), "{}", problem.message);
    assert_eq!(bench.deployments("qa"), 1, "nothing of ours");
    std::fs::write(&script, good).expect("written");
    let actor = syncline_domain::policy::Actor::owner("bea");
    syncline_engine::operation::retry(&bench.runtime, &id, &actor)
        .await
        .expect("again");
    bench.until(&id, State::Succeeded).await;
    assert_eq!(ran(&bench), "qa\n");
}
