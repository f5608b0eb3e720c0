//! systemd's units: verified, and how much they leave open.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::cargo::{program, read, root, run, target};

const UNITS: &[&str] = &[
    "milepost.service",
    "milepost-backup.service",
    "milepost-backup.timer",
];
/// Where the units find the program; here it is where it was built.
const INSTALLED: &str = "/usr/bin/milepost ";
/// Of a service that needs the network: systemd calls 2.0 and less "OK" or better.
const EXPOSURE_MAX: &str = "20";

/// Has systemd read the units, with the program where it was built.
///
/// # Errors
/// What it says of them.
pub(super) fn check() -> Result<(), String> {
    let folder = target().join("deploy");
    let _old = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let units: Result<Vec<PathBuf>, String> =
        UNITS.iter().map(|unit| adapted(unit, &folder)).collect();
    let units = units?;
    run(program("systemd-analyze").arg("verify").args(&units))?;
    let services = units
        .iter()
        .filter(|unit| unit.extension().is_some_and(|kind| kind == "service"));
    for service in services {
        let mut security = program("systemd-analyze");
        security.args([
            "security",
            "--no-pager",
            "--offline=yes",
            "--threshold",
            EXPOSURE_MAX,
        ]);
        read(security.arg(service))?;
    }
    Ok(())
}

fn adapted(unit: &str, folder: &Path) -> Result<PathBuf, String> {
    let deployed = root().join("deploy/systemd").join(unit);
    let text = fs::read_to_string(&deployed)
        .map_err(|error| format!("{}: {error}", deployed.display()))?;
    let built = format!("{} ", target().join("debug/milepost").display());
    let path = folder.join(unit);
    fs::write(&path, text.replace(INSTALLED, &built))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
