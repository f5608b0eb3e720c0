//! `cargo xtask cluster up`: a cluster to look at and to try nodes on, until ctrl-c.

use std::thread;

use super::assembly::Assembly;
use crate::say;

/// Starts a cluster, tells how to use it, and stays.
///
/// # Errors
/// When it does not come up.
pub(super) fn run() -> Result<(), String> {
    say::talk("starting etcd, Patroni and PostgreSQL, three of each …");
    let assembly = Assembly::start()?;
    let mut text = String::from("\n");
    for (machine, standing) in assembly.databases.iter().zip(assembly.standings()) {
        text.push_str(&format!(
            "{}   postgres {}   patroni {}/cluster   {standing:?}\n",
            machine.name,
            machine.address(),
            machine.patroni(),
        ));
    }
    text.push_str(&format!(
        "etcd         {}\n",
        assembly.etcd_addresses().join(" ")
    ));
    text.push_str(&format!(
        "logs         {}/*/log\n\nA node, and another:\n",
        assembly.place.path("").display()
    ));
    for port in [7070, 7071] {
        let words = assembly.options().join(" ");
        text.push_str(&format!(
            "  milepost serve --keys keys.json --listen 127.0.0.1:{port} {words}\n"
        ));
    }
    text.push_str("\nctrl-c ends everything and removes it.\n");
    say::data(&text);
    loop {
        // Whatever ends this process ends the cluster: a watcher sees to it.
        thread::park();
    }
}
