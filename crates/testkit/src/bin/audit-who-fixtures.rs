//! Writes `fixtures/SCENARIO/audit.log` (level `RequestResponse`) and `fixtures/SCENARIO/metadata/audit.log` for every
//! scenario. Run it after a change of a scenario.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use audit_who_testkit::context::fixtures;
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario::{self, Scenario};

fn main() -> ExitCode {
    for scenario in scenario::all() {
        let folder = fixtures().join(scenario.name);
        if let Err(error) = write(scenario, &folder) {
            let message = format!("audit-who-fixtures: cannot write {}: {error}\n", folder.display());
            // The exit code tells it too.
            let _ = io::stderr().write_all(message.as_bytes());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn write(scenario: &Scenario, folder: &Path) -> io::Result<()> {
    let metadata = folder.join("metadata");
    std::fs::create_dir_all(&metadata)?;
    std::fs::write(folder.join("audit.log"), scenario.log(Level::RequestResponse))?;
    std::fs::write(metadata.join("audit.log"), scenario.log(Level::Metadata))
}
