//! `countersign wkd`: url, build.

#[cfg(feature = "fetch")]
use std::io::IsTerminal as _;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::SystemTime;

#[cfg(feature = "fetch")]
use countersign::sign::openpgp;
use countersign::wkd::{Change, Gravity, Method, Skipped, Tree, Written, WrittenFile};
#[cfg(feature = "fetch")]
use countersign::wkd::{Client, HttpsTransport};
use serde_json::{Value, json};

#[cfg(feature = "fetch")]
use super::args::FetchOptions;
use super::args::{BuildOptions, UrlOptions};
use super::inputs::{self, shown};
use super::outcome::{Failure, Made, chain, failed};
#[cfg(feature = "fetch")]
use super::output::{self, Existing};
use super::report::{Progress, Reporter};
#[cfg(feature = "fetch")]
use super::wait;

pub(crate) fn url(options: &UrlOptions) -> Made {
    let mut made = Made::new("wkd url");
    let address = &options.address;
    made.note("address", address.to_string());
    made.note("hash", address.hash());
    made.results.push(format!("hash: {}", address.hash()));
    for method in [Method::Advanced, Method::Direct] {
        let (url, path) = (address.url(method), address.relative_path(method));
        made.results.push(format!("{method}: {url}"));
        made.results.push(format!("{method}-path: {path}"));
        let host = address.host(method);
        made.note(
            method.name(),
            json!({ "host": host, "url": url, "path": path }),
        );
    }
    made
}

#[cfg(feature = "fetch")]
pub(crate) fn fetch(options: &FetchOptions) -> Made {
    Made::of("wkd fetch", |made| try_fetch(options, made))
}

#[cfg(feature = "fetch")]
fn try_fetch(options: &FetchOptions, made: &mut Made) -> Result<(), Failure> {
    let to_stdout = inputs::is_stdin(&options.output);
    if to_stdout && !options.armor && io::stdout().is_terminal() {
        let message = "a certificate is binary, and standard output is a terminal";
        return Err(failed("usage", message).with_hint("--armor, or --output FILE"));
    }
    if !to_stdout {
        output::has_place(&options.output)?;
    }
    let no_https = |error: &dyn std::error::Error| failed("no-https", chain(error));
    let transport = HttpsTransport::new().map_err(|error| no_https(&error))?;
    let client = Client::new(transport);
    let client = match options.method {
        None => client,
        Some(method) => client.with_method(method),
    };
    let now = SystemTime::now().into();
    let fetched = wait::block_on_network(client.fetch(&options.address, now))
        .map_err(|error| no_https(&error))?
        .map_err(|error| failed(error.name(), chain(&error)))?;
    let certificates = fetched.certificates();
    let armored = certificates
        .iter()
        .map(|own| openpgp::armored_certificate(own.certificate()));
    let armored: String = armored.collect();
    let octets = if options.armor {
        armored.clone().into_bytes()
    } else {
        let all = certificates.iter();
        all.flat_map(|own| own.certificate().to_bytes()).collect()
    };
    made.note("address", options.address.to_string());
    made.note("url", fetched.url());
    made.note("method", fetched.method().name());
    let documents = certificates.iter().map(|own| {
        json!({
            "fingerprint": own.certificate().fingerprint().to_string(),
            "state": own.state().to_string(),
        })
    });
    made.note("certificates", documents.collect::<Vec<_>>());
    for own in certificates {
        made.remarks.push(format!(
            "certificate {}, {}",
            own.certificate().fingerprint(),
            own.state()
        ));
    }
    made.remarks.push(format!("from {}", fetched.url()));
    if to_stdout {
        made.note("output", Value::Null);
        made.note("certificate", armored);
        made.payload = Some(octets);
    } else {
        let existing = Existing::with_force(options.force);
        let hint = "--force puts the new one in its place";
        output::publish(&options.output, &octets, existing, hint)?;
        made.note("output", shown(&options.output));
        made.results.push(shown(&options.output));
    }
    Ok(())
}

pub(crate) fn build(options: &BuildOptions, reporter: &Reporter) -> Made {
    Made::of("wkd build", |made| try_build(options, reporter, made))
}

fn try_build(options: &BuildOptions, reporter: &Reporter, made: &mut Made) -> Result<(), Failure> {
    inputs::at_most_one_stdin(&options.keys)?;
    let now = SystemTime::now().into();
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut tree = Tree::new(options.domain.clone(), now).with_threads(threads);
    for address in &options.addresses {
        tree = tree
            .with_address(address.clone())
            .map_err(|error| failed(error.name(), chain(&error)))?;
    }
    if let Some(address) = &options.submission_address {
        tree = tree.with_submission_address(address.clone());
    }
    let sizes = options.keys.iter().map(|key| size(key));
    let name = match options.keys.as_slice() {
        [key] => shown(key),
        keys => format!("{} files", keys.len()),
    };
    let progress = Progress::new(reporter, name, sizes.sum());
    for key in &options.keys {
        if let Err(failure) = add(&mut tree, key, &progress) {
            made.failures.push(failure);
        }
    }
    drop(progress);
    let written = tree.write(&options.output, options.layout);
    tell(options, &written, made);
    Ok(())
}

fn add(tree: &mut Tree, key: &Path, progress: &Progress) -> Result<(), Failure> {
    let counted = |source: &mut dyn Read| {
        let reader = Counted { source, progress };
        let added = tree.add(&key.to_string_lossy(), reader);
        added.map_err(|error| inputs::unreadable(key, &error))
    };
    let mut counted = counted;
    if inputs::is_stdin(key) {
        counted(&mut io::stdin().lock())
    } else {
        counted(&mut inputs::open(key)?)
    }
}

/// Reads, and tells how much.
struct Counted<'r> {
    source: &'r mut dyn Read,
    progress: &'r Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let octets = self.source.read(buffer)?;
        self.progress.add(octets as u64);
        Ok(octets)
    }
}

fn tell(options: &BuildOptions, written: &Written, made: &mut Made) {
    let whole = |path: &Path| shown(&options.output.join(path));
    let files = written.files();
    made.results
        .extend(files.iter().map(|file| whole(file.path())));
    let changed = files.iter().filter(|own| own.change() != Change::Unchanged);
    let changed = changed.count();
    let certificates = files.iter().filter(|file| file.address().is_some()).count();
    if !files.is_empty() {
        made.remarks.push(format!(
            "`{}`: {} of certificates, {changed} of {} written",
            shown(&options.output),
            counted(certificates),
            counted(files.len())
        ));
    }
    for skipped in written.skipped() {
        match skipped.reason().gravity() {
            Gravity::Expected => made.remarks.push(format!("not published: {skipped}")),
            Gravity::Failure => made.failures.push(failed(
                skipped.reason().name(),
                format!("not published: {skipped}"),
            )),
        }
    }
    for warning in written.warnings() {
        made.warnings.push(warning.to_string());
    }
    for failure in written.failures() {
        made.failures.push(failed(failure.name(), chain(failure)));
    }
    made.note("domain", options.domain.as_str());
    made.note("output", shown(&options.output));
    made.note(
        "files",
        files
            .iter()
            .map(|file| file_document(&whole(file.path()), file))
            .collect::<Vec<_>>(),
    );
    let skipped = written.skipped().iter().map(skipped_document);
    made.note("skipped", skipped.collect::<Vec<_>>());
}

fn counted(files: usize) -> String {
    if files == 1 {
        "1 file".to_owned()
    } else {
        format!("{files} files")
    }
}

fn file_document(path: &str, file: &WrittenFile) -> Value {
    let certificates = file.certificates().iter().map(ToString::to_string);
    json!({
        "path": path,
        "change": file.change().to_string(),
        "size": file.size(),
        "address": file.address(),
        "certificates": certificates.collect::<Vec<_>>(),
    })
}

fn skipped_document(skipped: &Skipped) -> Value {
    json!({
        "keyring": skipped.keyring(),
        "number": skipped.number(),
        "certificate": skipped.fingerprint().map(|own| own.to_string()),
        "user_id": skipped.user_id(),
        "reason": skipped.reason().name(),
        "message": skipped.reason().to_string(),
    })
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}
