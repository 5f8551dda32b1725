//! The emulator as a child process that does not outlive its parent.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::{Child, ChildStdin, Command};

use crate::client::Client;

/// Ends the emulator when standard input ends, which the kernel sees to if the parent is killed.
const GUARD: &str = "\"$@\" </dev/null & child=$!; trap '' TERM INT; \
    read -r _ || :; kill -9 \"$child\" 2>/dev/null; wait \"$child\" 2>/dev/null";
/// How long the emulator may take to answer for the first time, in steps of 20 ms.
const START_STEPS: u32 = 1500;

/// A running emulator.
#[derive(Debug)]
pub(crate) struct Moto {
    /// Its address.
    pub(crate) address: SocketAddr,
    guard: Child,
    leash: Option<ChildStdin>,
}

impl Moto {
    /// Starts the emulator and waits for its first answer.
    pub(crate) async fn start(program: &Path, dir: &Path, client: &Client) -> Result<Self, String> {
        if !program.is_file() {
            return Err(format!("{} is not there", program.display()));
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let address = free.map_err(|error| error.to_string())?;
        let log = std::fs::File::create(dir.join("moto.log")).map_err(|error| error.to_string())?;
        let log_too = log.try_clone().map_err(|error| error.to_string())?;
        let mut guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(log_too)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("the emulator's guard does not start: {error}"))?;
        let leash = guard.stdin.take();
        let moto = Self { address, guard, leash };
        for _ in 0..START_STEPS {
            let asked = client.send(address, "GET", "/moto-api/data.json", &[], Bytes::new()).await;
            if asked.is_ok() {
                return Ok(moto);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("{} does not answer; see moto.log", program.display()))
    }

    /// Stops the emulator and waits for its end.
    pub(crate) async fn stop(mut self) {
        drop(self.leash.take());
        let ended = tokio::time::timeout(Duration::from_secs(5), self.guard.wait()).await;
        if ended.is_err() {
            drop(self.guard.kill().await); // nothing more can be done
        }
    }
}
