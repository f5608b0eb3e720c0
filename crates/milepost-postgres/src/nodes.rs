//! What nodes know of each other: who serves the store now, and with which keys.
//!
//! Nodes need nothing of each other to work; but two that seal what clients hold with keys that the
//! other doesn't have would refuse each other's clients now and then. So each registers its keys (their
//! ids, never a secret), and one whose keys don't go with those of the others doesn't start. Two rings
//! go together where each knows the key that the other seals with, so that keys can be rotated while
//! nodes run.
//!
//! The row of a node is also where its sequencer counts its batches (`sequencer`).

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use crate::trouble::Trouble;

/// How long after it was last seen a node counts as running, in seconds.
const RUNS_S: i64 = 30;
/// How often a node says that it runs, in seconds.
pub(crate) const SEEN_EVERY_S: u64 = 10;
/// How long a node's row is kept after it was last seen: far longer than anybody still asks for the
/// fate of one of its batches.
const KEPT: &str = "1 day";

/// What a node tells the others about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name, for people.
    pub name: String,
    /// What it seals and opens with; `None` where it seals nothing.
    pub keys: Option<KeyMarks>,
}

/// Which keys a node has, by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMarks {
    /// The one that it seals with.
    pub active: String,
    /// All that it knows of, revoked ones included.
    pub known: Vec<String>,
}

impl KeyMarks {
    /// Whether each knows what the other seals with.
    fn goes_with(&self, other: &Self) -> bool {
        self.known.contains(&other.active) && other.known.contains(&self.active)
    }
}

const RUNNING: &str = "
SELECT name, active_key, keys, extract(epoch FROM now() - seen)::bigint FROM milepost.sequencers
WHERE sequencer <> $1 AND active_key IS NOT NULL AND seen > now() - $2 * interval '1 second'
ORDER BY name";
const REGISTER: &str = "
INSERT INTO milepost.sequencers (sequencer, batch, name, active_key, keys) VALUES ($1, 0, $2, $3, $4)
ON CONFLICT (sequencer) DO UPDATE SET seen = now(), active_key = $3, keys = $4";
const SEEN: &str = "
UPDATE milepost.sequencers SET seen = now(), active_key = $2, keys = $3 WHERE sequencer = $1";

/// Who runs now, for people; empty where nobody does.
pub(crate) async fn running(client: &ClientWrapper) -> Result<String, Trouble> {
    let sql =
        "SELECT name, NULL, NULL, extract(epoch FROM now() - seen)::bigint FROM milepost.sequencers
               WHERE seen > now() - $1 * interval '1 second' ORDER BY name";
    let rows = client.query(sql, &[&f64_of(RUNS_S)]).await?;
    let nodes: Vec<String> = rows.iter().map(described).collect::<Result<_, _>>()?;
    Ok(nodes.join(", "))
}

/// Refuses where nodes run whose keys don't go with this one's.
pub(crate) async fn agree(
    client: &ClientWrapper,
    sequencer: i64,
    node: &Node,
) -> Result<(), Trouble> {
    let Some(own) = &node.keys else { return Ok(()) };
    let mut others = Vec::new();
    for row in client
        .query(RUNNING, &[&sequencer, &f64_of(RUNS_S)])
        .await?
    {
        let keys = KeyMarks {
            active: row.try_get(1)?,
            known: row
                .try_get::<_, Option<Vec<String>>>(2)?
                .unwrap_or_default(),
        };
        if !own.goes_with(&keys) {
            others.push(described(&row)?);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let nodes = others.join(", ");
    Err(Trouble::OtherKeys { nodes })
}

fn f64_of(seconds: i64) -> f64 {
    i32::try_from(seconds).map_or(0.0, f64::from)
}

fn described(row: &Row) -> Result<String, Trouble> {
    let (name, ago): (&str, i64) = (row.try_get(0)?, row.try_get(3)?);
    Ok(format!("{name}, seen {ago} s ago"))
}

/// Writes a node's row, and takes away rows of nodes that are long gone.
pub(crate) async fn register(
    client: &ClientWrapper,
    sequencer: i64,
    node: &Node,
) -> Result<(), Trouble> {
    let (active, known) = columns(node.keys.as_ref());
    client
        .execute(REGISTER, &[&sequencer, &node.name, &active, &known])
        .await?;
    let gone = format!("DELETE FROM milepost.sequencers WHERE seen < now() - interval '{KEPT}'");
    client.execute(&gone, &[]).await?;
    Ok(())
}

/// Says that a node runs, and with which keys.
pub(crate) async fn be_seen(
    client: &ClientWrapper,
    sequencer: i64,
    keys: Option<&KeyMarks>,
) -> Result<(), Trouble> {
    let (active, known) = columns(keys);
    client.execute(SEEN, &[&sequencer, &active, &known]).await?;
    Ok(())
}

/// Takes a node's row away: it has ended, and nothing of it is under way.
pub(crate) async fn leave(client: &ClientWrapper, sequencer: i64) -> Result<(), Trouble> {
    let gone = "DELETE FROM milepost.sequencers WHERE sequencer = $1";
    client.execute(gone, &[&sequencer]).await?;
    Ok(())
}

fn columns(keys: Option<&KeyMarks>) -> (Option<&str>, Option<&Vec<String>>) {
    (
        keys.map(|keys| keys.active.as_str()),
        keys.map(|keys| &keys.known),
    )
}

#[cfg(test)]
mod tests {
    use super::KeyMarks;

    fn ring(active: &str, known: &[&str]) -> KeyMarks {
        KeyMarks {
            active: active.to_owned(),
            known: known.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn rings_go_together_all_the_way_through_a_rotation_and_strangers_never() {
        let (before, handed_out) = (ring("a", &["a"]), ring("a", &["a", "b"]));
        let rotated = ring("b", &["a", "b"]);
        assert!(before.goes_with(&handed_out));
        assert!(handed_out.goes_with(&rotated));
        // Rotated before it was handed out: the old ones can't open what the new ones seal.
        assert!(!before.goes_with(&rotated));
        assert!(!before.goes_with(&ring("c", &["c"])));
    }
}
