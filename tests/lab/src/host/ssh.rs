//! The practice ssh: `ssh [options…] ALIAS [command…]`, run in the host's folder.

use std::io::{BufRead as _, Read as _, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::program::report;
use super::{CONTROL_VARIABLE, HOST_VARIABLE, paths};
use crate::client::Client;
use crate::text;

/// Options that are followed by a value.
const VALUED: &str = "BbcDEeFIiJLlmOopQRSWw";
/// Bytes of input and output that are kept for the record.
const KEPT: usize = 2048;

/// What is asked of ssh.
#[derive(Debug, Default)]
struct Call {
    options: Vec<String>,
    alias: String,
    command: String,
    no_input: bool,
    show: bool,
}

fn parsed(args: &[String]) -> Call {
    let mut call = Call::default();
    let mut args = args.iter().peekable();
    while let Some(arg) = args.next_if(|arg| arg.starts_with('-') && arg.len() > 1) {
        if arg == "--" {
            break;
        }
        call.options.push(arg.clone());
        call.no_input |= arg == "-n";
        call.show |= arg == "-G";
        if arg.len() == 2 && VALUED.contains(&arg[1..]) {
            call.options.extend(args.next().cloned());
        }
    }
    let target = args.next().cloned().unwrap_or_default();
    target.rsplit('@').next().unwrap_or_default().clone_into(&mut call.alias);
    call.command = args.cloned().collect::<Vec<_>>().join(" ");
    call
}

/// What was read or written, as far as it is kept.
type Kept = Arc<Mutex<Vec<u8>>>;

fn keep(kept: &Kept, bytes: &[u8]) {
    kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
}

fn kept(kept: &Kept) -> Vec<u8> {
    kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The program.
pub(crate) async fn main(args: &[String]) -> ExitCode {
    let call = parsed(args);
    if call.show {
        let said = format!("host {0}\nuser centos\nhostname {0}\nport 22\n", call.alias);
        return report(&said, "", 0);
    }
    let control = std::env::var(CONTROL_VARIABLE).ok().and_then(|text| text.parse().ok());
    let Some(control) = control else {
        return report("", "ssh: the practice cloud is not known\n", 255);
    };
    let client = Client::new();
    let ask = json!({
        "alias": call.alias, "command": call.command, "options": call.options.join(" "),
    });
    let Ok(plan) = client.post(control, "/_host/ssh/start", &ask).await else {
        let said = format!("ssh: connect to host {} port 22: Connection timed out\n", call.alias);
        return report("", &said, 255);
    };
    let mut end = json!({"n": plan["n"], "generation": plan["generation"], "status": 255});
    let code = carry_out(&call, &plan, &mut end).await;
    if plan["act"] != "unknown" {
        drop(client.post(control, "/_host/ssh/end", &end).await); // the record is a courtesy
    }
    code
}

async fn carry_out(call: &Call, plan: &Value, end: &mut Value) -> ExitCode {
    let alias = &call.alias;
    let closed = format!("Connection to {alias} closed by remote host.\n");
    let number = |name: &str| plan.get(name).and_then(Value::as_f64);
    let wait = |name: &str| tokio::time::sleep(text::seconds(number(name).unwrap_or(0.0)));
    let folder = plan.get("folder").and_then(Value::as_str).unwrap_or_default();
    match plan.get("act").and_then(Value::as_str).unwrap_or_default() {
        "unknown" => {
            let said =
                format!("ssh: Could not resolve hostname {alias}: Name or service not known\n");
            return report("", &said, 255);
        }
        "refuse" => {
            let said = format!("ssh: connect to host {alias} port 22: Connection refused\n");
            return report("", &said, 255);
        }
        "exit" => {
            let status = plan.get("status").and_then(Value::as_u64).unwrap_or(255);
            end["status"] = json!(status);
            return ExitCode::from(u8::try_from(status).unwrap_or(255));
        }
        "hold" => {
            wait("hold_s").await;
            return report("", &closed, 255);
        }
        "late" => {
            late(call, folder, number("late_s").unwrap_or(1.0)).await;
            return report("", &closed, 255);
        }
        _ => {}
    }
    wait("slow_s").await;
    let act = plan.get("act").and_then(Value::as_str).unwrap_or_default();
    let cut = if act == "cut" { number("hold_s") } else { number("cut_after_s") };
    let silent = act == "drop_after";
    let status = match cut {
        None => session(call, folder, silent, end).await,
        Some(after) => {
            let session = session(call, folder, silent, end);
            match tokio::time::timeout(text::seconds(after), session).await {
                Ok(status) => status,
                Err(_) => return report("", &closed, 255),
            }
        }
    };
    if silent {
        wait("hold_s").await;
        return report("", &closed, 255);
    }
    end["status"] = json!(status);
    ExitCode::from(status)
}

/// A shell on the host, in its own process group and with a fresh environment.
fn shell(call: &Call, folder: &str, script: Option<&str>) -> Command {
    let home = format!("{folder}/home/centos");
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    let mut shell = Command::new("/bin/sh");
    match script {
        Some(script) => shell.args(["-c", script]),
        None => shell.arg("-s"),
    };
    shell
        .env_clear()
        .env("HOME", &home)
        .env("PATH", format!("{folder}/bin:{folder}/usr/local/bin:{path}"))
        .env("USER", "centos")
        .env("LOGNAME", "centos")
        .env("SHELL", "/bin/sh")
        .env("LANG", "C.UTF-8")
        .env(HOST_VARIABLE, &call.alias)
        .current_dir(home)
        .process_group(0)
        .kill_on_drop(false);
    shell
}

fn script(call: &Call, folder: &str) -> Option<String> {
    (!call.command.is_empty()).then(|| paths::mapped(&call.command, folder))
}

/// Runs the command with mapped input; gives its exit status.
async fn session(call: &Call, folder: &str, silent: bool, end: &mut Value) -> u8 {
    let script = script(call, folder);
    let started = shell(call, folder, script.as_deref())
        .stdin(if call.no_input { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else { return 255 };
    let (input, out, err) = (Kept::default(), Kept::default(), Kept::default());
    if let Some(mut stdin) = child.stdin.take() {
        let mut lines = input_lines(folder.to_owned(), Arc::clone(&input));
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
                    break;
                }
            }
        });
    }
    let status = output(&mut child, silent, folder, [&out, &err]).await;
    let whole = kept(&input);
    end["stdin"] = json!(text::head(&whole, KEPT));
    end["stdin_sha256"] = json!(text::sha256(&whole));
    end["stdout"] = json!(text::head(&kept(&out), KEPT));
    end["stderr"] = json!(text::head(&kept(&err), KEPT));
    status
}

/// The lines of standard input with mapped paths, read by a thread that nobody waits for.
fn input_lines(folder: String, input: Kept) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut line = Vec::new();
        while stdin.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            keep(&input, &line);
            let mapped = match std::str::from_utf8(&line) {
                Ok(text) => paths::mapped(text, &folder).into_bytes(),
                Err(_) => line.clone(),
            };
            if sender.blocking_send(mapped).is_err() {
                break;
            }
            line.clear();
        }
    });
    receiver
}

/// Passes output on until the command has ended and nobody holds its output open.
async fn output(child: &mut Child, silent: bool, folder: &str, [out, err]: [&Kept; 2]) -> u8 {
    let (stdout, stderr) = (std::io::stdout, std::io::stderr);
    let copies = (
        child.stdout.take().map(|p| copy(p, (!silent).then(stdout), folder, Arc::clone(out))),
        child.stderr.take().map(|p| copy(p, (!silent).then(stderr), folder, Arc::clone(err))),
    );
    if let (Some(out), Some(err)) = copies {
        tokio::join!(out, err);
    }
    let status = child.wait().await.ok().and_then(|status| status.code());
    status.and_then(|code| u8::try_from(code).ok()).unwrap_or(255)
}

/// Passes a stream on line by line, the host's folder taken out of its paths.
async fn copy<R, W>(from: R, to: Option<W>, folder: &str, keeper: Kept)
where
    R: tokio::io::AsyncRead + Unpin,
    W: Write,
{
    let mut to = to;
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
        if let Ok(text) = std::str::from_utf8(&line) {
            line = paths::unmapped(text, folder).into_bytes();
        }
        keep(&keeper, &line);
        if let Some(to) = &mut to
            && (to.write_all(&line).is_err() || to.flush().is_err())
        {
            break;
        }
        line.clear();
    }
}

/// Leaves a command behind that starts after this program has ended.
async fn late(call: &Call, folder: &str, after: f64) {
    let mut input = Vec::new();
    if !call.no_input {
        drop(std::io::stdin().read_to_end(&mut input)); // an unread rest is lost input
    }
    let file = Path::new(folder).join(format!("late.{}", std::process::id()));
    let input = paths::mapped(&String::from_utf8_lossy(&input), folder);
    let script = script(call, folder).unwrap_or_else(|| "sh -s".to_owned());
    let waiting = "sleep \"$0\"; exec /bin/sh -c \"$1\" <\"$2\"";
    let written = tokio::fs::write(&file, input).await;
    let started = shell(call, folder, Some(waiting))
        .arg(after.to_string())
        .arg(script)
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    drop((written, started)); // a fault that cannot be made is seen by the test that asked for it
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_passed_over() {
        let args = ["-T", "-o", "BatchMode=yes", "-oX=1", "-p", "22", "centos@host", "a", "b c"];
        let call = parsed(&args.map(str::to_owned));
        assert_eq!((call.alias.as_str(), call.command.as_str()), ("host", "a b c"));
    }
}
