//! The workspace as `cargo metadata` tells it: members and everything they depend on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cargo::{cargo, read, root};

/// One package of the workspace or one it depends on.
#[derive(Debug)]
pub(super) struct Package {
    /// Its name.
    pub(super) name: String,
    /// Its licence expression, if it tells one.
    pub(super) licence: Option<String>,
    /// The folder of its manifest from the workspace's root, for members.
    pub(super) folder: Option<String>,
    /// Identifiers of what it depends on, tests' and build's dependencies left out.
    depends_on: Vec<String>,
}

/// All packages by identifier.
#[derive(Debug)]
pub(super) struct Workspace {
    packages: BTreeMap<String, Package>,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    /// When cargo fails or answers something else than its documented format.
    pub(super) fn read() -> Result<Self, String> {
        let text = read(&mut cargo(&[
            "metadata",
            "--format-version",
            "1",
            "--locked",
        ]))?;
        let document = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Self::parse(&document).ok_or_else(|| "cargo metadata: unknown format".to_owned())
    }

    fn parse(document: &Value) -> Option<Self> {
        let mut depends_on = BTreeMap::new();
        for node in document.pointer("/resolve/nodes")?.as_array()? {
            depends_on.insert(text(node, "id")?, normal_dependencies(node)?);
        }
        let members: BTreeSet<&str> = document
            .get("workspace_members")?
            .as_array()?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut packages = BTreeMap::new();
        for package in document.get("packages")?.as_array()? {
            let id = text(package, "id")?;
            let folder = members
                .contains(id.as_str())
                .then(|| folder(package))
                .flatten();
            let depends_on = depends_on.remove(&id).unwrap_or_default();
            let (name, licence) = (text(package, "name")?, text(package, "license"));
            packages.insert(
                id,
                Package {
                    name,
                    licence,
                    folder,
                    depends_on,
                },
            );
        }
        Some(Self { packages })
    }

    /// The workspace's own packages.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .values()
            .filter(|package| package.folder.is_some())
    }

    /// Every package, own and foreign.
    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    /// The names of what a member depends on directly.
    pub(super) fn direct<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a str> {
        package
            .depends_on
            .iter()
            .filter_map(|id| Some(self.packages.get(id)?.name.as_str()))
    }

    /// The names of everything a member is built on.
    pub(super) fn transitive(&self, package: &Package) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = package.depends_on.iter().map(String::as_str).collect();
        while let Some(found) = open.pop().and_then(|id| self.packages.get(id)) {
            if seen.insert(found.name.as_str()) {
                open.extend(found.depends_on.iter().map(String::as_str));
            }
        }
        seen
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn folder(package: &Value) -> Option<String> {
    let manifest = text(package, "manifest_path")?;
    let root = root();
    let folder = std::path::Path::new(&manifest)
        .parent()?
        .strip_prefix(root)
        .ok()?;
    Some(folder.to_string_lossy().replace('\\', "/"))
}

fn normal_dependencies(node: &Value) -> Option<Vec<String>> {
    let is_normal = |dependency: &&Value| {
        let kinds = dependency.get("dep_kinds").and_then(Value::as_array);
        kinds.is_some_and(|kinds| {
            kinds
                .iter()
                .any(|kind| kind.get("kind") == Some(&Value::Null))
        })
    };
    let dependencies = node.get("deps")?.as_array()?;
    Some(
        dependencies
            .iter()
            .filter(is_normal)
            .filter_map(|dependency| text(dependency, "pkg"))
            .collect(),
    )
}
