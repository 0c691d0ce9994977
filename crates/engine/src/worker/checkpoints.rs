//! Checkpoints of the audit trail: signed after so many entries or so much time, and pushed where the database cannot reach them.

use serde::{Deserialize, Serialize};
use serde_json::json;
use syncline_domain::audit::Draft;
use syncline_domain::config::Audit;
use syncline_domain::time::Millis;
use syncline_git::{CommitTime, Repository};
use syncline_store::StoreError;

use super::rules::{Failed, told};
use crate::operation::Runtime;
use crate::{audit, config, server_key};

/// How long a push that failed is left alone.
const RETRY: Millis = 5 * 60 * 1000;
/// What is remembered of the pushes.
const SETTING: &str = "audit.published";

/// How far the remote is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Published {
    /// The last entry whose checkpoint it has.
    seq: u64,
    /// When a push failed last, since one succeeded.
    failed_at: Option<Millis>,
    /// Why.
    why: Option<String>,
}

/// Signs and pushes what is due.
pub(super) async fn tend(runtime: &Runtime) -> Result<(), Failed> {
    let repository = Repository::open(&runtime.repository)?;
    let rules = config::read(&repository)?.audit;
    if is_due(runtime, &rules).await? {
        let place = server_key::place(&runtime.store, &repository)?;
        let key = server_key::load(&runtime.store, &place).await?;
        audit::sign(&runtime.store, &key, runtime.now()).await?;
    }
    push(runtime, &repository, &rules).await
}

async fn is_due(runtime: &Runtime, rules: &Audit) -> Result<bool, StoreError> {
    let store = &runtime.store;
    let Some((head, _)) = store.audit_head().await? else {
        return Ok(false);
    };
    let (signed, since) = match store.checkpoints().await?.last() {
        Some(last) => (last.seq, last.at),
        None => (
            0,
            store
                .audit_entries(0, 1)
                .await?
                .first()
                .map_or(0, |first| first.draft.at),
        ),
    };
    let unsigned = head.saturating_sub(signed);
    let age = runtime.now().saturating_sub(since);
    Ok(unsigned >= u64::from(rules.entries.get()) || (unsigned > 0 && age >= rules.within.millis()))
}

async fn push(runtime: &Runtime, repository: &Repository, rules: &Audit) -> Result<(), Failed> {
    let (store, now) = (&runtime.store, runtime.now());
    let checkpoints = store.checkpoints().await?;
    let Some(last) = checkpoints.last().map(|last| last.seq) else {
        return Ok(());
    };
    let mut setting = store.setting(SETTING).await?;
    let before: Published = match setting.value.is_null() {
        true => Published::default(),
        false => serde_json::from_value(setting.value.clone())?,
    };
    let has_remote = repository.config(&format!("remote.{}.url", rules.remote))?.is_some();
    if before.seq >= last || !has_remote {
        return Ok(());
    }
    if let (Some(at), Some(why)) = (before.failed_at, &before.why)
        && now < at.saturating_add(RETRY)
    {
        return Err(why.clone().into());
    }
    let time = CommitTime {
        seconds: now / 1000,
        offset_minutes: 0,
    };
    let pushed = audit::publish(repository, &rules.remote, &checkpoints, time).map_err(|error| told(&error));
    let after = match &pushed {
        Ok(_) => Published {
            seq: last,
            ..Published::default()
        },
        Err(why) => Published {
            seq: before.seq,
            failed_at: Some(now),
            why: Some(why.clone()),
        },
    };
    // It is told once when it breaks, and once when it works again.
    if before.why.is_some() != after.why.is_some() {
        let entry = Draft {
            at: now,
            actor: "worker".to_owned(),
            action: "audit.publish".to_owned(),
            subject: format!("remote:{}", rules.remote),
            outcome: if pushed.is_ok() { "succeeded" } else { "failed" }.to_owned(),
            details: json!({ "checkpoint": last, "why": after.why }),
        };
        store.append_audit(&[entry]).await?;
    }
    setting.value = json!(after);
    match store.save_setting(&setting, now).await {
        // Another worker has done the same.
        Ok(()) | Err(StoreError::Changed { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    pushed.map(|_| ()).map_err(Into::into)
}
