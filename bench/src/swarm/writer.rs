//! Who writes, past the cache, while the others follow.

use std::time::Duration;

use milepost_sync::SetDigest;
use serde_json::Value;

use super::{Plan, connection::Connection};

/// Writes as planned; the digest of everything after the last write.
pub(super) async fn write(plan: &Plan) -> Result<SetDigest, String> {
    let mut connection = Connection::to(plan.origin);
    let between = Duration::from_secs(1) / plan.writes_per_second.max(1);
    let mut ticks = tokio::time::interval(between);
    let json = "Content-Type: application/json\r\n";
    for number in 0..plan.writes {
        ticks.tick().await;
        let id = number % plan.documents.max(1);
        let target = format!("{}/d{id}", plan.collection);
        let body = format!("{{\"written\":{number}}}");
        let answer = connection.exchange("PUT", &target, json, &body).await?;
        if !(200..300).contains(&answer.status) {
            return Err(format!("PUT {target}: {}", answer.status));
        }
    }
    digest(plan, &mut connection).await
}

async fn digest(plan: &Plan, connection: &mut Connection) -> Result<SetDigest, String> {
    let remembered = get(connection, &format!("{}/changes", plan.collection)).await?;
    let resume = remembered.get("resume").and_then(Value::as_str);
    let page = get(connection, resume.ok_or("no resume")?).await?;
    let digest = page.get("digest").and_then(Value::as_str);
    digest
        .and_then(SetDigest::parse)
        .ok_or_else(|| format!("no digest in {page}"))
}

async fn get(connection: &mut Connection, target: &str) -> Result<Value, String> {
    let answer = connection.exchange("GET", target, "", "").await?;
    serde_json::from_slice(&answer.body).map_err(|error| format!("GET {target}: {error}"))
}
