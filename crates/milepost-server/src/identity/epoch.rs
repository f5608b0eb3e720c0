//! Revocation without sessions: the subject's own resource says from which epoch on its tokens are good.
//!
//! Nothing is kept about tokens. One write to the resource ends all that were minted before, at every node at once, since
//! every node reads the resource as it is; deleting it ends all of them. Members that aren't there count as epoch 0.

use milepost_store::{CollectionPath, ResourceKey};
use serde_json::Value;

use super::{fault::TokenFault, subject::Subject};
use crate::{failure, refusal::Refusal, service::Shared};

const EPOCH: &str = "epoch";

/// Checks a token's epoch against its subject's resource in this collection.
pub(super) async fn check(
    shared: &Shared,
    collection: &CollectionPath,
    subject: &Subject,
) -> Result<Result<(), TokenFault>, Refusal> {
    let Some(id) = subject.id().and_then(|id| id.parse().ok()) else {
        // No resource can be called so, so none is there.
        return Ok(Err(TokenFault::Revoked));
    };
    let key = ResourceKey::top(collection.clone(), id);
    let version = shared.store.read(&key, None).await;
    let version = version.map_err(|error| failure::of_read(shared, error))?;
    let Some(body) = version.and_then(|version| version.body) else {
        return Ok(Err(TokenFault::Revoked));
    };
    let told = subject.claim(EPOCH);
    let resource: Option<Value> = serde_json::from_slice(&body).ok();
    let demanded = resource.as_ref().and_then(|resource| resource.get(EPOCH));
    Ok(compare(told, demanded))
}

fn compare(told: Option<&Value>, demanded: Option<&Value>) -> Result<(), TokenFault> {
    let number = |value: Option<&Value>| value.map_or(Some(0), Value::as_u64);
    let told = number(told).ok_or(TokenFault::Claim(EPOCH))?;
    // What is no number can't be met: better nobody than everybody.
    match number(demanded) {
        Some(demanded) if told >= demanded => Ok(()),
        _ => Err(TokenFault::Revoked),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_good_from_the_resources_epoch_on() {
        let one = json!(1);
        let two = json!(2);
        assert_eq!(compare(None, None), Ok(()));
        assert_eq!(compare(Some(&one), None), Ok(()));
        assert_eq!(compare(Some(&two), Some(&one)), Ok(()));
        assert_eq!(compare(Some(&one), Some(&one)), Ok(()));
        assert_eq!(compare(Some(&one), Some(&two)), Err(TokenFault::Revoked));
        assert_eq!(compare(None, Some(&one)), Err(TokenFault::Revoked));
        let text = json!("1");
        assert_eq!(compare(Some(&one), Some(&text)), Err(TokenFault::Revoked));
        assert_eq!(compare(Some(&text), None), Err(TokenFault::Claim(EPOCH)));
    }
}
