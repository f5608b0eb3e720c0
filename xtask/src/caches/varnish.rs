//! Varnish with the configuration in `deploy/`, on a free loopback port.

use std::{fs, net::SocketAddr, path::Path};

use crate::{
    bench::{Pinned, free_address},
    cargo::{program, root},
};

/// The server's port in the configuration.
const PORT: &str = "\"7070\"";
/// Each follower keeps a connection open.
const DESCRIPTORS: &str = "ulimit -n 65536 2> /dev/null || ulimit -n $(ulimit -H -n); exec \"$@\"";

/// Starts one in front of a server.
///
/// # Errors
/// When it does not come up; the reason names its log.
pub(super) fn before(origin: SocketAddr, folder: &Path) -> Result<Pinned, String> {
    let said = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let deployed = root().join("deploy/varnish.vcl");
    let text = fs::read_to_string(&deployed).map_err(|error| said(&deployed, error))?;
    if !text.contains(PORT) {
        return Err(format!("{} does not name port {PORT}", deployed.display()));
    }
    let adapted = folder.join("varnish.vcl");
    let text = text.replace(PORT, &format!("\"{}\"", origin.port()));
    fs::write(&adapted, text).map_err(|error| said(&adapted, error))?;
    let address = free_address()?;
    let mut command = with_descriptors("varnishd");
    command.args([
        "-F",
        "-j",
        "none",
        "-s",
        "malloc,256m",
        "-p",
        "http_gzip_support=off",
    ]);
    command.args(["-p", "listen_depth=4096", "-a", &address.to_string(), "-n"]);
    command.arg(folder.join("varnish")).arg("-f").arg(&adapted);
    Pinned::start(command, address, &folder.join("varnish.log"))
}

/// A program that may have many files open.
pub(super) fn with_descriptors(name: impl AsRef<std::ffi::OsStr>) -> std::process::Command {
    let mut command = program("sh");
    command.args(["-c", DESCRIPTORS, "sh"]).arg(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin"));
    command
}
