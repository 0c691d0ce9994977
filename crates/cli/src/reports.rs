//! Reports that commands leave for CI systems.

use std::path::PathBuf;

use syncline_engine::report::{Checks, junit, markdown, sarif};

use crate::error::CommandError;
use crate::file;

/// Where reports go. The files are written whatever came out, and before the command ends.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Reports {
    /// Write a JUnit report to this file
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,
    /// Write findings as SARIF to this file
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    sarif: Option<PathBuf>,
    /// Write a summary in Markdown to this file
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    markdown: Option<PathBuf>,
}

impl Reports {
    /// Whether the files can be written: asked before the work, so that a wrong name is told at once.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        [&self.junit, &self.sarif, &self.markdown]
            .into_iter()
            .flatten()
            .try_for_each(|path| file::check_writable(path))
    }

    /// Writes what was asked for.
    pub(crate) fn write(&self, checks: &Checks) -> Result<(), CommandError> {
        if let Some(path) = &self.junit {
            file::replace(path, junit(checks).as_bytes())?;
        }
        if let Some(path) = &self.sarif {
            let text = format!("{:#}\n", sarif(checks, env!("CARGO_PKG_VERSION")));
            file::replace(path, text.as_bytes())?;
        }
        if let Some(path) = &self.markdown {
            file::replace(path, markdown(checks).as_bytes())?;
        }
        Ok(())
    }
}
