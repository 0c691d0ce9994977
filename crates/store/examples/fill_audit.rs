//! Fills a database with audit entries, for measuring: `fill_audit URL COUNT`.

use std::error::Error;

use serde_json::json;
use syncline_domain::audit::Draft;
use syncline_store::Store;

/// Entries of one transaction.
const PAGE: i64 = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: fill_audit URL COUNT".into());
    };
    let count: i64 = count.parse()?;
    let store = Store::open(&url).await?;
    for first in (0..count).step_by(usize::try_from(PAGE)?) {
        let drafts: Vec<Draft> = (first..count.min(first + PAGE)).map(entry).collect();
        store.append_audit(&drafts).await?;
    }
    Ok(())
}

fn entry(number: i64) -> Draft {
    Draft {
        at: 1_700_000_000_000 + number * 1_000,
        actor: format!("person{}", number % 50),
        action: "operation.step".to_owned(),
        subject: format!("operation:{:08x}", number / 12),
        outcome: "succeeded".to_owned(),
        details: json!({ "step": number % 12, "environment": format!("e{}", number % 200) }),
    }
}
