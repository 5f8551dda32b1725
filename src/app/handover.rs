//! A second command hands its order to the process that holds the lock, through a socket beside it.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use crate::conductor::{Handed, Order, Reply};
use crate::fault::{E2004, E2015, Exit, Fault};
use crate::journal::{Holder, NotOpened};
use crate::model::{Actor, Identity};

/// How long a second command waits for the first one's answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Says that the order is taken, before it is carried out.
const TAKEN: &[u8] = b"taken\n";
/// The longest order read, bytes; an amended workflow travels in one.
const ORDER_MAX: u64 = 4 << 20;

#[derive(Serialize, Deserialize)]
struct Letter {
    order: Order,
    who: Actor,
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Reply(Box<Reply>),
    Fault { code: String, message: String, hint: Option<String> },
}

/// The open door of a working conductor.
#[derive(Debug)]
pub(super) struct Door {
    listener: UnixListener,
    path: PathBuf,
    orders: mpsc::Sender<Handed>,
}

/// The socket's path may be longer than the system allows; a path through the folder's descriptor is not.
fn short(dir: &std::fs::File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/socket", dir.as_raw_fd()))
}

/// Opens the door. The lock is held: a socket that lies there is a dead one.
pub(super) fn listen(dir: &Path, orders: mpsc::Sender<Handed>) -> Result<Door, Fault> {
    let failed = |error: std::io::Error| {
        Fault::new(&E2015, "the system's socket cannot be opened").because(error)
    };
    let path = dir.join("socket");
    if path.exists() {
        std::fs::remove_file(&path).map_err(failed)?;
    }
    let folder = std::fs::File::open(dir).map_err(failed)?;
    let listener = UnixListener::bind(short(&folder)).map_err(failed)?;
    Ok(Door { listener, path, orders })
}

impl Door {
    /// Takes orders until it is dropped.
    pub(super) async fn serve(&self) -> Result<Reply, Fault> {
        loop {
            if let Ok((stream, _)) = self.listener.accept().await {
                // One at a time: an order is decided in a moment, and a silent client is cut off.
                let taken = tokio::time::timeout(ANSWER_MAX, self.take(stream)).await;
                if taken.is_err() {
                    tracing::warn!("a command at the socket did not finish in time");
                }
            }
        }
    }

    async fn take(&self, mut stream: UnixStream) {
        let Some(letter) = receive(&mut stream).await else { return };
        let peer = stream.peer_cred().ok().map(|it| it.uid());
        let who = known(letter.who, peer);
        // Who has given up meanwhile was told that nothing was taken: then nothing is.
        if stream.write_all(TAKEN).await.is_err() {
            return;
        }
        let (answer, answered) = oneshot::channel();
        if self.orders.send((letter.order, who, answer)).await.is_err() {
            return;
        }
        let Ok(outcome) = answered.await else { return };
        let answer = match outcome {
            Ok(reply) => Answer::Reply(Box::new(reply)),
            Err(fault) => Answer::Fault {
                code: fault.code.id.to_owned(),
                message: fault.message,
                hint: fault.hint,
            },
        };
        if let Ok(mut text) = serde_json::to_vec(&answer) {
            text.push(b'\n');
            if let Err(error) = stream.write_all(&text).await {
                tracing::warn!(%error, "the other command went away before its answer");
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket was gone already");
        }
    }
}

/// A claimed name stays claimed; the system's user is the one on the other end.
fn known(who: Actor, peer: Option<u32>) -> Actor {
    let user = peer.and_then(|uid| nix::unistd::User::from_uid(uid.into()).ok().flatten());
    match (who.identity, user) {
        (Identity::Claimed, _) | (_, None) => Actor { identity: Identity::Claimed, ..who },
        (Identity::Os | Identity::SocketPeer | Identity::Oidc, Some(user)) => {
            Actor { name: user.name, identity: Identity::SocketPeer }
        }
    }
}

async fn receive(stream: &mut UnixStream) -> Option<Letter> {
    use tokio::io::AsyncReadExt as _;
    let mut line = String::new();
    let read = BufReader::new(stream.take(ORDER_MAX)).read_line(&mut line).await;
    read.ok().and_then(|_| serde_json::from_str(&line).ok())
}

/// Hands an order over, or says who holds the lock.
pub(super) async fn send(
    dir: &Path,
    order: &Order,
    who: &Actor,
    holder: Option<Holder>,
) -> Result<Reply, Fault> {
    let pid = holder.as_ref().map_or_else(|| "?".to_owned(), |it| it.pid.to_string());
    let held = || {
        let fault = Fault::from(NotOpened::Busy(holder));
        fault.because("it did not take this command within 2 s").hint(
            "changeover watch; if that process hangs, end it: the lock goes with it, and what it had \
             begun is taken up again by the next command",
        )
    };
    let mut taken = false;
    let exchange = async {
        let folder = std::fs::File::open(dir).ok()?;
        let mut stream = UnixStream::connect(short(&folder)).await.ok()?;
        let letter = Letter { order: order.clone(), who: who.clone() };
        let mut text = serde_json::to_vec(&letter).ok()?;
        text.push(b'\n');
        stream.write_all(&text).await.ok()?;
        let (mut reader, mut line) = (BufReader::new(stream), String::new());
        reader.read_line(&mut line).await.ok()?;
        taken = line.as_bytes() == TAKEN;
        line.clear();
        reader.read_line(&mut line).await.ok()?;
        serde_json::from_str::<Answer>(&line).ok()
    };
    match tokio::time::timeout(ANSWER_MAX, exchange).await {
        Ok(Some(Answer::Reply(reply))) => Ok(Reply {
            sentence: format!("handed to pid {pid}: {}", reply.sentence),
            exit: if reply.exit == Exit::Waiting { Exit::Waiting } else { Exit::Done },
            ..*reply
        }),
        Ok(Some(Answer::Fault { code, message, hint })) => {
            let code = crate::fault::find(&code).unwrap_or(&E2015);
            Err(Fault { hint, ..Fault::new(code, message) })
        }
        Ok(None) | Err(_) if taken => {
            let says = format!("pid {pid} took this command and has not said what became of it");
            Err(Fault::new(&E2004, says).hint("changeover status shows whether it had an effect"))
        }
        Ok(None) | Err(_) => Err(held()),
    }
}
