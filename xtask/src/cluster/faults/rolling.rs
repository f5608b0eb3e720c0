//! Every node replaced, one after the other: by asking it to stop, and by killing it.

use super::{report::Struck, site::Site};
use crate::cluster::load::{Done, Failed, Running};

const ASKED: &str = "all nodes replaced, each asked to stop";
const KILLED: &str = "all nodes replaced, each killed";

/// Replaces them, first in good order, then by kill -9.
///
/// # Errors
/// When one does not stop, or its successor doesn't start.
pub(super) fn replace_all(
    site: &mut Site,
    running: &Running,
    struck: &mut Vec<Struck>,
) -> Result<(), String> {
    for name in [ASKED, KILLED] {
        let from = running.now();
        for number in 0..site.nodes.len() {
            let Some(node) = site.nodes.get_mut(number) else {
                continue;
            };
            if name == ASKED {
                node.stop()?;
            } else {
                node.kill();
            }
            node.start(&site.assembly.place)?;
            node.wait_until_ready(&site.assembly.place)?;
            site.wait_until_balanced(number)?;
        }
        struck.push(Struck {
            name,
            from,
            until: running.now(),
        });
    }
    Ok(())
}

/// While nodes were asked to stop no client may have noticed; while they were killed none more than a
/// connection that broke.
///
/// # Errors
/// What clients noticed.
pub(super) fn judge(struck: &[Struck], done: &Done) -> Result<(), String> {
    for stretch in struck {
        let within = |failed: &&Failed| (stretch.from..stretch.until).contains(&failed.at);
        let mut noticed = done.failed.iter().filter(within);
        let worst = match stretch.name {
            ASKED => noticed.next(),
            KILLED => noticed.find(|failed| !failed.is_connection),
            _ => None,
        };
        if let Some(failed) = worst {
            return Err(format!("{}: a client saw {}", stretch.name, failed.what));
        }
    }
    Ok(())
}
