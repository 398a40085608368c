//! What holds for the workspace as a whole: where dependencies come from, under which licences, in how many versions,
//! and what every member and every file has in common. The tables are in `deny.toml`, for `cargo deny` and for this.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[test]
fn every_licence_is_acceptable() {
    let allowed = allowed_licences();
    let mut refused = Vec::new();
    for package in packages() {
        match &package.license {
            None => refused.push(format!("{package}: no licence expression")),
            Some(text) => match licence::satisfied(text, &allowed) {
                Ok(true) => {}
                Ok(false) => refused.push(format!("{package}: {text}")),
                Err(reason) => refused.push(format!("{package}: {text}: {reason}")),
            },
        }
    }
    assert!(
        refused.is_empty(),
        "deny.toml does not allow:\n{}",
        refused.join("\n")
    );
}

#[test]
fn every_package_comes_from_the_default_registry_or_the_workspace() {
    // In two pieces, for `no_file_names_a_registry_host_or_a_machine`.
    let registry = concat!("registry+https://github.com/rust-lang/crates", ".io-index");
    let strangers: Vec<String> = packages()
        .iter()
        .filter(|package| match &package.source {
            Some(source) => source != registry,
            None => !package.manifest.starts_with(root()),
        })
        .map(|package| format!("{package}: {:?}", package.source))
        .collect();
    assert!(strangers.is_empty(), "{}", strangers.join("\n"));
}

#[test]
fn every_duplicate_is_listed_and_every_listed_duplicate_is_one() {
    let mut versions: BTreeMap<String, BTreeSet<Vec<u64>>> = BTreeMap::new();
    for package in packages() {
        versions
            .entry(package.name)
            .or_default()
            .insert(numbers(&package.version));
    }
    versions.retain(|_, found| found.len() > 1);

    let skips = skips();
    let mut wrong = Vec::new();
    for (name, found) in &versions {
        // The newest needs no excuse.
        for version in found.iter().rev().skip(1) {
            if !skips.iter().any(|skip| skip.covers(name, version)) {
                wrong.push(format!(
                    "{name} {version:?} is a second copy without a reason in deny.toml"
                ));
            }
        }
    }
    for skip in &skips {
        let used = versions.get(&skip.name).is_some_and(|found| {
            found
                .iter()
                .rev()
                .skip(1)
                .any(|version| skip.covers(&skip.name, version))
        });
        if !used {
            wrong.push(format!(
                "{} {:?} is listed in deny.toml and is no duplicate",
                skip.name, skip.series
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_exception_has_a_reason() {
    let deny = manifest("deny.toml");
    let skips = deny["bans"]["skip"]
        .as_array()
        .expect("bans.skip is a list");
    let ignores = deny["advisories"]["ignore"]
        .as_array()
        .expect("advisories.ignore is a list");
    for entry in skips.iter().chain(ignores) {
        let reason = entry.get("reason").and_then(toml::Value::as_str);
        assert!(
            reason.is_some_and(|reason| !reason.trim().is_empty()),
            "no reason: {entry:?}"
        );
    }
}

#[test]
fn every_dependency_builds_with_the_stated_rust() {
    let floor = numbers(
        manifest("Cargo.toml")["workspace"]["package"]["rust-version"]
            .as_str()
            .expect("rust-version"),
    );
    let newer: Vec<String> = packages()
        .iter()
        .filter(|package| {
            package
                .rust_version
                .as_ref()
                .is_some_and(|needed| numbers(needed)[..2] > floor[..2])
        })
        .map(|package| format!("{package} needs Rust {:?}", package.rust_version))
        .collect();
    assert!(newer.is_empty(), "{}", newer.join("\n"));
}

#[test]
fn every_member_forbids_unsafe_code_and_takes_the_common_lints() {
    let workspace = manifest("Cargo.toml");
    let lints = &workspace["workspace"]["lints"]["rust"];
    assert_eq!(lints["unsafe_code"].as_str(), Some("forbid"));
    assert_eq!(lints["missing_docs"].as_str(), Some("deny"));
    for folder in members() {
        let member = manifest(&format!("{folder}/Cargo.toml"));
        let inherits = member
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        assert_eq!(
            inherits,
            Some(true),
            "{folder}/Cargo.toml: `[lints]` needs `workspace = true`"
        );
        let source = root().join(&folder).join("src");
        assert!(
            source.join("lib.rs").is_file() || source.join("main.rs").is_file(),
            "{folder}: neither src/lib.rs nor src/main.rs, so the lints may miss its root"
        );
    }
}

#[test]
fn every_published_member_states_what_it_is() {
    for package in packages()
        .iter()
        .filter(|package| package.source.is_none() && package.published)
    {
        assert!(
            package
                .description
                .as_ref()
                .is_some_and(|text| !text.is_empty()),
            "{package}: no description"
        );
        assert_eq!(
            package.license.as_deref(),
            Some("MIT OR Apache-2.0"),
            "{package}"
        );
        assert!(package.rust_version.is_some(), "{package}: no rust-version");
        assert!(package.has_authors, "{package}: no authors");
    }
    for file in [
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ] {
        assert!(root().join(file).is_file(), "{file} is missing");
    }
}

#[test]
fn every_version_stands_in_the_one_table() {
    for folder in members() {
        let member = manifest(&format!("{folder}/Cargo.toml"));
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = member.get(kind).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, entry) in table {
                let inherits = entry.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(
                    inherits,
                    Some(true),
                    "{folder}/Cargo.toml: {kind}: {name} does not say `workspace = true`"
                );
            }
        }
    }
}

/// Paths of one machine and addresses of one registry work for their author alone.
#[test]
fn no_file_names_a_registry_host_or_a_machine() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in files() {
        // Neither the binary vectors nor cargo's own file, which has to name the registry.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if path.file_name().is_some_and(|name| name == "Cargo.lock") {
            continue;
        }
        seen += 1;
        let name = path
            .strip_prefix(root())
            .expect("`files` stays below the root");
        for (index, line) in text.lines().enumerate() {
            for found in machine_words(name, &text, line) {
                wrong.push(format!("{}:{}: {found}", name.display(), index + 1));
            }
        }
    }
    assert!(
        seen > 10,
        "only {seen} text files found: the check looks in the wrong place"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn machine_words_are_found() {
    let found = |file: &str, text: &str| machine_words(Path::new(file), text, text).len();
    assert_eq!(found("README.md", concat!("see /wo", "rk/notes")), 1);
    assert_eq!(
        found("README.md", concat!("cd /ro", "ot/x && cat /ho", "me/y")),
        2
    );
    assert_eq!(
        found("README.md", concat!("https://crates", ".io/crates/x")),
        1
    );
    assert_eq!(found("README.md", "network/root, rework/it"), 0);
    assert_eq!(found("src/main.rs", concat!("/tm", "p/x mktemp")), 1);
    assert_eq!(found("scripts/x", concat!("/tm", "p/x")), 1);
    assert_eq!(found("scripts/x", concat!("mktemp /tm", "p/x")), 0);
}

#[test]
fn licence_expressions_are_evaluated() {
    let allowed: BTreeSet<String> = ["MIT", "Zlib"].map(String::from).into();
    let verdict = |text: &str| licence::satisfied(text, &allowed);
    for text in [
        "MIT",
        "GPL-3.0-only OR MIT",
        "MIT/Apache-2.0",
        "(MIT)",
        "MIT AND Zlib",
        "MIT AND (GPL-2.0 OR Zlib)",
    ] {
        assert_eq!(verdict(text), Ok(true), "{text}");
    }
    // AND binds tighter than OR; an exception makes another licence of it.
    for text in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR Zlib) AND GPL-3.0-only",
        "GPL-3.0-only OR MIT AND ISC",
        "MIT WITH LLVM-exception",
        "MIT+",
        "mit",
    ] {
        assert_eq!(verdict(text), Ok(false), "{text}");
    }
    for text in [
        "", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Zlib", "MIT WITH", "()",
    ] {
        assert!(verdict(text).is_err(), "{text}");
    }
}

/// One package of the build, for any target and with all features.
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    description: Option<String>,
    rust_version: Option<String>,
    manifest: PathBuf,
    published: bool,
    has_authors: bool,
}

impl std::fmt::Display for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

fn packages() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--all-features",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let text = |package: &Value, field: &str| package[field].as_str().map(String::from);
    let packages: Vec<Package> = metadata["packages"]
        .as_array()
        .expect("`packages` is a list")
        .iter()
        .map(|package| Package {
            name: text(package, "name").expect("a package has a name"),
            version: text(package, "version").expect("a package has a version"),
            license: text(package, "license"),
            source: text(package, "source"),
            description: text(package, "description"),
            rust_version: text(package, "rust_version"),
            manifest: text(package, "manifest_path")
                .expect("a package has a manifest")
                .into(),
            // `publish = false` is an empty list of registries here.
            published: package["publish"]
                .as_array()
                .is_none_or(|registries| !registries.is_empty()),
            has_authors: package["authors"]
                .as_array()
                .is_some_and(|authors| !authors.is_empty()),
        })
        .collect();
    assert!(
        packages.iter().any(|package| package.name == "pgp"),
        "cargo metadata lacks the dependencies"
    );
    packages
}

/// An entry of `bans.skip`: `crate = "name:^series"`.
struct Skip {
    name: String,
    series: Vec<u64>,
}

impl Skip {
    fn covers(&self, name: &str, version: &[u64]) -> bool {
        self.name == name && version.starts_with(&self.series)
    }
}

fn skips() -> Vec<Skip> {
    let deny = manifest("deny.toml");
    let list = deny["bans"]["skip"]
        .as_array()
        .expect("bans.skip is a list");
    list.iter()
        .map(|entry| {
            let spec = entry["crate"].as_str().expect("an entry names its crate");
            let (name, series) = spec
                .split_once(":^")
                .unwrap_or_else(|| panic!("{spec}: write name:^series"));
            Skip {
                name: name.into(),
                series: numbers(series),
            }
        })
        .collect()
}

fn allowed_licences() -> BTreeSet<String> {
    let deny = manifest("deny.toml");
    let list = deny["licenses"]["allow"]
        .as_array()
        .expect("licenses.allow is a list");
    list.iter()
        .map(|entry| entry.as_str().expect("a licence is a string").into())
        .collect()
}

/// `0.7.0-pre.1+x` as `[0, 7, 0]`.
fn numbers(version: &str) -> Vec<u64> {
    let release = version.split(['-', '+']).next().unwrap_or(version);
    release
        .split('.')
        .map(|part| {
            part.parse()
                .unwrap_or_else(|_| panic!("{version}: no version"))
        })
        .collect()
}

/// The folders of all members; the root package is `.`.
fn members() -> Vec<String> {
    let workspace = manifest("Cargo.toml");
    let list = workspace["workspace"]["members"]
        .as_array()
        .expect("members is a list");
    let named = list
        .iter()
        .map(|entry| entry.as_str().expect("a member is a path").to_string());
    std::iter::once(".".to_string()).chain(named).collect()
}

fn manifest(path: &str) -> toml::Value {
    let text =
        fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    toml::Value::Table(
        text.parse()
            .unwrap_or_else(|error| panic!("{path}: {error}")),
    )
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of the project, without what git keeps and what builds leave behind. Not from `git ls-files`: tests also run
/// where there is no git, and a file is checked before it is added.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the project can be listed") {
            let path = entry.expect("the project can be listed").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_symlink() {
                continue;
            } else if path.is_file() {
                found.push(path);
            } else if ![".git", "target", "artifacts"].contains(&name) {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What in `line` names a registry host or a path of one machine.
fn machine_words(file: &Path, text: &str, line: &str) -> Vec<&'static str> {
    // In pieces, so that this file passes.
    const PATHS: [&str; 4] = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
    ];
    const TEMPORARY: &str = concat!("/tm", "p/");
    const HOST: &str = concat!("crates", ".io");

    // A path starts there: `network/root/x` and `https://example.org/work/x` are none.
    let starts = |path: &str| {
        line.match_indices(path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || ['.', '-', '_', '/', '}'].contains(&c))
        })
    };
    let makes_temporary =
        (file.starts_with("scripts") || file.starts_with(".ci")) && text.contains("mktemp");
    let mut found: Vec<&'static str> = PATHS.into_iter().filter(|path| starts(path)).collect();
    if starts(TEMPORARY) && !makes_temporary {
        found.push(TEMPORARY);
    }
    if line.contains(HOST) {
        found.push(HOST);
    }
    found
}

/// SPDX licence expressions: AND, OR, WITH and parentheses, and the `/` that old crates write for OR.
mod licence {
    use std::collections::BTreeSet;

    /// Whether `allowed` is enough to use a package under the expression `text`.
    pub(crate) fn satisfied(text: &str, allowed: &BTreeSet<String>) -> Result<bool, String> {
        let spaced = text
            .replace('(', " ( ")
            .replace(')', " ) ")
            .replace('/', " OR ");
        let mut words: Words<'_> = spaced.split_whitespace().peekable();
        let verdict = any_of(&mut words, allowed)?;
        match words.next() {
            None => Ok(verdict),
            Some(word) => Err(format!("`{word}` was not expected")),
        }
    }

    type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

    // `|` and `&`, not `||` and `&&`: the rest must be read in any case.

    fn any_of(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Result<bool, String> {
        let mut verdict = all_of(words, allowed)?;
        while words.next_if_eq(&"OR").is_some() {
            verdict |= all_of(words, allowed)?;
        }
        Ok(verdict)
    }

    fn all_of(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Result<bool, String> {
        let mut verdict = one(words, allowed)?;
        while words.next_if_eq(&"AND").is_some() {
            verdict &= one(words, allowed)?;
        }
        Ok(verdict)
    }

    fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Result<bool, String> {
        match words.next() {
            Some("(") => {
                let verdict = any_of(words, allowed)?;
                words.next_if_eq(&")").ok_or("`)` is missing")?;
                Ok(verdict)
            }
            None | Some("AND" | "OR" | "WITH" | ")") => Err("a licence is missing".into()),
            Some(name) if words.next_if_eq(&"WITH").is_some() => match words.next() {
                None | Some("AND" | "OR" | "WITH" | "(" | ")") => {
                    Err("an exception is missing".into())
                }
                Some(exception) => Ok(allowed.contains(&format!("{name} WITH {exception}"))),
            },
            Some(name) => Ok(allowed.contains(name)),
        }
    }
}
