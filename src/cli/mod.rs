//! Parse arguments, dispatch, turn the outcome into an exit code.

mod args;
mod check;
mod inputs;
mod key;
#[cfg(feature = "aws-kms")]
mod kms;
mod manifest;
mod outcome;
mod output;
mod report;
mod sign;
mod token;
mod verify;
mod wait;
mod wkd;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{Command, Request};
use report::Reporter;

/// Runs one command line, the program's name first.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Request { command, style } = args::parse(arguments);
    let mut reporter = Reporter::new(style);
    match command {
        Ok(Command::Print(text)) => reporter.print(&text),
        Ok(Command::Verify(options)) => {
            let outcome = verify::run(&options, &reporter);
            reporter.finish(outcome)
        }
        Ok(Command::Check(options)) => {
            let outcome = check::run(&options, &reporter);
            reporter.finish(outcome)
        }
        Ok(Command::Sign(options)) => {
            let made = sign::run(&options, &reporter);
            reporter.finish_made(made)
        }
        Ok(Command::Manifest(options)) => {
            let made = manifest::run(&options, &reporter);
            reporter.finish_made(made)
        }
        Ok(Command::Generate(options)) => reporter.finish_made(key::generate(&options)),
        Ok(Command::Mint(options)) => reporter.finish_made(key::mint(&options)),
        #[cfg(feature = "aws-kms")]
        Ok(Command::Policy(options)) => reporter.finish_made(kms::policy(&options)),
        #[cfg(feature = "fetch")]
        Ok(Command::WkdFetch(options)) => reporter.finish_made(wkd::fetch(&options)),
        Ok(Command::WkdUrl(options)) => reporter.finish_made(wkd::url(&options)),
        Ok(Command::WkdBuild(options)) => {
            let made = wkd::build(&options, &reporter);
            reporter.finish_made(made)
        }
        Ok(Command::Show(options)) => reporter.finish_made(key::show(&options)),
        Ok(Command::TokenIssue(options)) => reporter.finish_made(token::issue(&options)),
        Ok(Command::TokenJwks(options)) => reporter.finish_made(token::jwks(&options)),
        Ok(Command::TokenCert(options)) => reporter.finish_made(token::cert(&options)),
        Ok(Command::TokenCsr(options)) => reporter.finish_made(token::csr(&options)),
        Ok(Command::TokenInspect(token)) => reporter.finish_made(token::inspect(&token)),
        Ok(Command::TokenConfig(options)) => reporter.finish_made(token::config(&options)),
        Ok(Command::TokenVerify(options)) => reporter.finish(token::verify(&options)),
        Err(usage) => match usage.into_made() {
            Ok(made) => reporter.finish_made(made),
            Err(usage) => reporter.finish(usage.into_outcome()),
        },
    }
}
