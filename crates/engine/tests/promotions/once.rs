//! Nothing is deployed twice, whatever is lost on the way.

use syncline_domain::operation::State;
use syncline_engine::operation::promote::Direction;
use syncline_simulator::faults::{Fault, Kind};

use crate::bench::Bench;
use crate::files::{changed, class, org};

fn fault(kind: Kind, method: &str, path: &str, times: u32) -> Fault {
    Fault {
        kind,
        org: Some("qa".to_owned()),
        method: Some(method.to_owned()),
        path: Some(path.to_owned()),
        times: Some(times),
        rate: None,
        millis: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_looked_for() {
    let bench = Bench::start("[gates]\nvalidate = false\n").await;
    let files = changed(&org(), |files| class(files, "A", "Integer fixed;"));
    bench.on("main", &files);
    bench
        .world
        .faults
        .add(fault(Kind::LostAnswer, "POST", "/metadata/deployRequest", 1));
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(bench.deployments("qa"), 2, "the one of the test, and one");
    assert_eq!(bench.differs("qa", &files).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operations_on_one_org_follow_each_other() {
    let bench = Bench::start("").await;
    let first = changed(&org(), |files| class(files, "A", "Integer fixed;"));
    bench.on("main", &first);
    let one = bench.begin("production", "qa", Direction::Down).await.id;
    let second = changed(&first, |files| class(files, "B", "Integer fixed;"));
    bench.on("main", &second);
    let two = bench.begin("production", "qa", Direction::Down).await.id;
    bench.work().await;
    for id in [one, two] {
        let operation = bench.operation(&id).await;
        assert_eq!(operation.state, State::Succeeded, "{operation:?}");
    }
    assert_eq!(bench.differs("qa", &second).await, "");
    assert_eq!(bench.deployments("qa"), 3);
}
