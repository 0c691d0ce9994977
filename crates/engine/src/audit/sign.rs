//! Signs the end of the chain with Ed25519. The key lies in the database, sealed with the server key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use syncline_domain::audit::Checkpoint;
use syncline_domain::policy::{Action, Actor};
use syncline_domain::time::Millis;
use syncline_store::seal::{Plain, ServerKey};
use syncline_store::{Store, StoreError};

use crate::permission::{Refusal, ask};

/// Where the key lies.
const SECRET: &str = "audit-signing-key";

/// Why the chain cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The policy does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key cannot be made or read.
    #[error("the key that signs checkpoints cannot be {0}")]
    Key(&'static str),
}

/// The same as [`sign`] for somebody who asks for it.
pub async fn checkpoint(
    store: &Store,
    key: &ServerKey,
    actor: &Actor,
    now: Millis,
) -> Result<Option<Checkpoint>, SignError> {
    ask(actor, Action::CheckpointAudit, None)?;
    sign(store, key, now).await
}

/// Signs the last entry and keeps the checkpoint; `None` when it is signed already, or there is no entry.
pub async fn sign(store: &Store, key: &ServerKey, now: Millis) -> Result<Option<Checkpoint>, SignError> {
    let Some((seq, hash)) = store.audit_head().await? else {
        return Ok(None);
    };
    if store.checkpoints().await?.last().is_some_and(|last| last.seq >= seq) {
        return Ok(None);
    }
    let pair = pair(store, key, now).await?;
    let public = STANDARD.encode(pair.public_key().as_ref());
    let signature = pair.sign(&Checkpoint::message(seq, hash, now, &public));
    let checkpoint = Checkpoint {
        seq,
        hash,
        at: now,
        key: public,
        signature: STANDARD.encode(signature.as_ref()),
    };
    store.add_checkpoint(&checkpoint).await?;
    Ok(Some(checkpoint))
}

async fn pair(store: &Store, key: &ServerKey, now: Millis) -> Result<Ed25519KeyPair, SignError> {
    if store.secret(key, SECRET).await?.is_none() {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| SignError::Key("made"))?;
        store.add_secret(key, SECRET, &Plain::new(made.as_ref()), now).await?;
    }
    let kept = store.secret(key, SECRET).await?.ok_or(SignError::Key("found"))?;
    Ed25519KeyPair::from_pkcs8(kept.expose()).map_err(|_| SignError::Key("read"))
}

/// Whether the key of that name, which is the public key in base64, made the signature.
pub(super) fn is_signed(key: &str, message: &[u8], signature: &str) -> bool {
    let (Ok(key), Ok(signature)) = (STANDARD.decode(key), STANDARD.decode(signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key)
        .verify(message, &signature)
        .is_ok()
}
