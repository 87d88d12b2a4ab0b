//! What a test stands on: a directory of its own, the workspace, and the recordings if they are there.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Environment variable that names the folder of the recordings.
const SHARED_DATA: &str = "AUDIT_WHO_SHARED_DATA";

/// A temporary directory, removed when the context goes.
#[derive(Debug)]
pub struct Context {
    directory: TempDir,
}

impl Context {
    /// Makes the directory.
    pub fn new() -> io::Result<Self> {
        Ok(Self { directory: tempfile::Builder::new().prefix("audit-who-").tempdir()? })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file below the directory, making the folders that its path needs.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        let path = self.path().join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, content)?;
        Ok(path)
    }
}

/// The root of the workspace that this crate was built in.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The folder of the fixtures.
pub fn fixtures() -> PathBuf {
    workspace_root().join("fixtures")
}

/// The folder of the recordings: `$AUDIT_WHO_SHARED_DATA`, else `../shared/data` beside the workspace. `None` if it is
/// not there; a test then calls [`skip`] and returns.
pub fn shared_data() -> Option<PathBuf> {
    let named = std::env::var_os(SHARED_DATA).map(PathBuf::from);
    let folder = named.unwrap_or_else(|| workspace_root().join("../shared/data"));
    folder.is_dir().then_some(folder)
}

/// Says on standard error, past the test harness's capture, that a test did nothing: `skipped: WHAT because
/// ../shared/data is not here`.
pub fn skip(what: &str) {
    let line = format!("skipped: {what} because ../shared/data is not here (set {SHARED_DATA} to name it)\n");
    // A lost message is no reason to fail a test.
    let _ = io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_goes_with_its_context() {
        let context = Context::new().unwrap();
        let file = context.write("logs/audit.log", "{}\n").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"{}\n");
        drop(context);
        assert!(!file.exists());
    }

    #[test]
    fn the_workspace_is_found() {
        assert!(workspace_root().join("crates/testkit/Cargo.toml").is_file());
    }
}
