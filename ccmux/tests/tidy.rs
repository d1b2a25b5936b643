//! Rules about the workspace itself: which crate may know which, and what every manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Every edge between our crates outside tests, as ARCHITECTURE.md lists them.
const EDGES: &[(&str, &[&str])] = &[
    ("ccmux", &["ccmux-client", "ccmux-keeper", "ccmux-protocol", "ccmux-server"]),
    ("ccmux-client", &["ccmux-protocol"]),
    ("ccmux-core", &[]),
    ("ccmux-keeper", &[]),
    ("ccmux-protocol", &["ccmux-core"]),
    ("ccmux-server", &["ccmux-core", "ccmux-keeper", "ccmux-protocol", "ccmux-term"]),
    ("ccmux-term", &[]),
    ("ccmux-testkit", &["ccmux-protocol", "ccmux-term"]),
    ("xtask", &["ccmux-testkit"]),
];

/// A lockfile that grows past this wants a second look at what was added.
const LOCKED_PACKAGES_MAX: usize = 250;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

fn manifest(path: &Path) -> toml::Table {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn members() -> Vec<String> {
    manifest(&root().join("Cargo.toml"))["workspace"]["members"]
        .as_array()
        .expect("members is a list")
        .iter()
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn crates_know_only_what_the_architecture_allows() {
    let members: BTreeSet<String> = members().into_iter().collect();
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    for member in &members {
        let edges =
            allowed.get(member.as_str()).unwrap_or_else(|| panic!("{member} is not listed"));
        let table = manifest(&root().join(member).join("Cargo.toml"));
        let used = table.get("dependencies").and_then(|deps| deps.as_table());
        for name in used.into_iter().flat_map(toml::Table::keys).filter(|n| members.contains(*n)) {
            assert!(edges.contains(&name.as_str()), "{member} must not depend on {name}");
        }
    }
}

#[test]
fn every_crate_takes_lints_and_versions_from_the_workspace() {
    for member in members() {
        let table = manifest(&root().join(&member).join("Cargo.toml"));
        assert_eq!(table["lints"]["workspace"].as_bool(), Some(true), "{member}: lints");
        for section in ["dependencies", "dev-dependencies"] {
            for (name, value) in table.get(section).and_then(|t| t.as_table()).into_iter().flatten()
            {
                let from_workspace = value.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(from_workspace, Some(true), "{member}: {section}.{name}");
            }
        }
    }
}

#[test]
fn the_architecture_lists_every_edge() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for (member, edges) in EDGES {
        let line = format!("`{member}`");
        assert!(text.contains(&line), "ARCHITECTURE.md does not mention {member}");
        for edge in *edges {
            assert!(text.contains(&format!("`{edge}`")), "{member} -> {edge}");
        }
    }
}

#[test]
fn the_lockfile_stays_small() {
    let lock = manifest(&root().join("Cargo.lock"));
    let packages = lock["package"].as_array().expect("packages").len();
    assert!(packages <= LOCKED_PACKAGES_MAX, "{packages} packages are locked");
}
