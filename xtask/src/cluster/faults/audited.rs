//! The auditor over three nodes, any of which may answer, while they are killed and started again.

use std::path::Path;

use super::site::Site;
use crate::{
    cargo::{program, read},
    cluster::node::Node,
    say,
};

/// Audits the nodes, and starts those again that it has restarted.
///
/// # Errors
/// What the auditor found.
pub(super) fn check(site: &mut Site, milepost: &Path) -> Result<(), String> {
    let place = &site.assembly.place;
    let mut words = vec!["audit".to_owned()];
    for (number, address) in site.addresses()?.iter().enumerate() {
        if number > 0 {
            words.push("--replica".to_owned());
        }
        words.push(format!("http://{address}/v1/"));
    }
    let restarts: Result<Vec<String>, String> = site
        .nodes
        .iter()
        .map(|node| node.restarting(place))
        .collect();
    words.extend(["--restart-cmd".to_owned(), restarts?.join("; ")]);
    words.push("--i-operate-this-host".to_owned());
    let said = read(program(milepost).args(words).current_dir(place.path("")));
    // Whom the auditor's command has started nobody waits for.
    for node in &mut site.nodes {
        node.kill_all(place);
        node.start(place)?;
    }
    site.nodes
        .iter_mut()
        .try_for_each(|node: &mut Node| node.wait_until_ready(place))?;
    say::talk(&said?);
    Ok(())
}
