//! A stock PyKMIP server: what others' clients meet elsewhere, with a credential in the files of `--export-client`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The server. It ends with this.
pub(crate) struct PyKmip {
    child: Child,
    pub(crate) port: u16,
    scratch: tempfile::TempDir,
}

/// Takes the versions after 1.1 from the server, before its program runs.
const OLD: &str = "
from kmip.services.server import engine
begin = engine.KmipEngine.__init__
def limited(self, *arguments, **options):
    begin(self, *arguments, **options)
    self._protocol_versions = [it for it in self._protocol_versions if (it.major, it.minor) <= (1, 1)]
engine.KmipEngine.__init__ = limited
";

impl PyKmip {
    pub(crate) fn start() -> Self {
        Self::launch(|_, _| {})
    }

    /// One that speaks 1.0 and 1.1 only.
    pub(crate) fn start_old() -> Self {
        Self::launch(|command, directory| {
            std::fs::write(directory.join("sitecustomize.py"), OLD).unwrap();
            command.env("PYTHONPATH", directory);
        })
    }

    fn launch(prepare: impl FnOnce(&mut Command, &Path)) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/pykmip_server.py");
        let mut command = Command::new(crate::clients::python());
        // It ends when its stdin does.
        command.args(["-B", "-W", "ignore"]).arg(script).arg(scratch.path());
        prepare(&mut command, scratch.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim_end().strip_prefix("ready kmip=127.0.0.1:").unwrap().parse().unwrap();
        Self { child, port, scratch }
    }

    /// The directory of its client's files.
    pub(crate) fn client(&self) -> &Path {
        self.scratch.path()
    }
}

impl Drop for PyKmip {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
